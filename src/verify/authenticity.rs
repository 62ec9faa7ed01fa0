//! Authenticity: the chain leads to a certificate of the named stores, and the signer is one of the trusted identities.
//!
//! Follows *signing-and-verification-workflow*, Verify authenticity. A certificate is trusted when it is, byte for byte,
//! one of the store: neither name nor key alone makes it so. The signing scheme decides which type of store counts.

use crate::envelope::{SigningScheme, VerifiedEnvelope};
use crate::failure::{Code, Failure, quote};
use crate::policy::Statement;
use crate::trust_store::{StoreType, TrustStores};

/// Checks that the chain of `envelope` leads to the stores of `statement`.
pub(super) fn check_chain(
    envelope: &VerifiedEnvelope,
    statement: &Statement,
    stores: &TrustStores,
) -> Result<(), Failure> {
    let kind = match envelope.signer.scheme {
        SigningScheme::X509 => StoreType::Ca,
        SigningScheme::SigningAuthority => StoreType::SigningAuthority,
    };
    let mut named = statement.trust_stores.iter().filter(|name| name.kind() == kind).peekable();
    if named.peek().is_none() {
        return Err(Failure::new(
            Code::TrustStoreNotApplicable,
            format!(
                "statement {} names no trust store of type {}, which the signing scheme {} needs",
                quote(&statement.name),
                kind.as_str(),
                envelope.signer.scheme.as_str(),
            ),
        ));
    }
    let chain = &envelope.chain;
    let mut trusted = false;
    // Every store is looked at: one that cannot be used fails the validation even where another holds the root, as it
    // does for the reference implementation.
    for name in named {
        let store = stores.get(name)?;
        trusted |= chain.certificates().iter().any(|certificate| store.contains(certificate.der()));
    }
    if !trusted {
        return Err(Failure::new(
            Code::UntrustedChain,
            format!(
                "no certificate of the chain of {} is in the trust stores of statement {}",
                quote(chain.leaf().subject_text()),
                quote(&statement.name),
            ),
        ));
    }
    Ok(())
}

/// Checks the signer of `envelope` by the identities of `statement`.
pub(super) fn check_identity(envelope: &VerifiedEnvelope, statement: &Statement) -> Result<(), Failure> {
    statement.identities.check(envelope.chain.leaf().subject())
}
