//! The chain that goes with the key where no file has it: from the token, complete and fit to sign now.
//!
//! Follows *signature-specification*, Certificate Requirements. What the host would refuse in the finished envelope is
//! refused here, before the token signs anything.

use time::OffsetDateTime;

use crate::failure::quote;
use crate::limits;
use crate::pki::{Certificate, Chain};
use crate::sign::SigningChain;
use crate::signer::{Pkcs11, PrivateKey as _, VerifyingKey};
use crate::signing_plugin::Refusal;

/// The chain of `key` from the certificates that its token holds.
pub(super) fn of_token(key: &Pkcs11, now: OffsetDateTime) -> Result<Chain, Refusal> {
    let held = key.certificates()?;
    // What is no certificate cannot be the key's, nor have issued it.
    let held = held.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    Ok(SigningChain::checked(assembled(held, key.verifying_key())?, now)?)
}

const NAME_A_FILE: &str = "or name a PEM file with the whole chain by --plugin-config certificate-chain=/path";

/// The certificate of `key` among `held`, then each issuer, the root last.
fn assembled(held: Vec<Certificate>, key: &VerifyingKey) -> Result<Vec<Certificate>, Refusal> {
    let mut own = held.iter().filter(|certificate| certificate.subject_key() == key.subject_key());
    let leaf = match (own.next(), own.count()) {
        (Some(leaf), 0) => leaf,
        (Some(_), more) => {
            return Err(Refusal::validation(format!(
                "the token has {} certificates for the key: leave one in it, {NAME_A_FILE}",
                more + 1
            )));
        }
        (None, _) => {
            return Err(Refusal::validation(format!(
                "the token has no certificate for the key: write it and its issuers to the token, {NAME_A_FILE}"
            )));
        }
    };
    let mut chain = vec![leaf.clone()];
    let mut last = leaf;
    while !last.signed_by_itself() && chain.len() < limits::CHAIN_CERTIFICATES {
        // Of an authority's certificates with the same key, the one that lasts longest.
        let issuers = held.iter().filter(|issuer| last.issued_by(issuer));
        let Some(issuer) = issuers.max_by_key(|issuer| issuer.not_after()) else {
            return Err(Refusal::validation(format!(
                "the token has no certificate of the issuer of {}: write all up to the root to the token, {NAME_A_FILE}",
                quote(last.subject_text())
            )));
        };
        chain.push(issuer.clone());
        last = issuer;
    }
    Ok(chain)
}
