//! The chain of a time stamping authority: from the certificate that signed to a root that is trusted.
//!
//! Follows RFC 5280, section 6, and *signature-specification*, Certificate Requirements, as far as they concern time
//! stamping. A token carries its certificates in no order, strangers among them, so the chain is searched: by the names of
//! issuers, through certificates of the token only, to a root that is given. Every certificate must have been valid at the
//! stated time. The search is bounded: a token made to be searched for long is not found trusted.

use time::OffsetDateTime;

use crate::failure::{Code, Failure, quote};
use crate::limits;
use crate::pki::{Certificate, check_timestamping_authority, check_timestamping_leaf};

use crate::rfc3339::instant;

/// Finds a chain from `signer` to one of `roots`, leaf first, that may have stamped at `time`.
pub(super) fn find(
    signer: &Certificate,
    carried: &[Certificate],
    roots: &[&Certificate],
    time: OffsetDateTime,
) -> Result<Vec<Certificate>, Failure> {
    let mut search = Search { carried, roots, time, checks: 0, refused: None };
    if let Some(chain) = search.extend(&mut vec![signer]) {
        return Ok(chain);
    }
    Err(search.refused.unwrap_or_else(|| {
        let signer = quote(signer.subject_text());
        let message = match search.checks {
            limits::TIMESTAMP_ISSUER_CHECKS => format!(
                "no root of the tsa stores was found above {signer} among the first candidates, and there are too many"
            ),
            _ => format!("the certificate {signer} of the time stamp does not lead to a root of the tsa stores"),
        };
        Failure::new(Code::TimestampUntrusted, message)
    }))
}

struct Search<'a> {
    carried: &'a [Certificate],
    roots: &'a [&'a Certificate],
    time: OffsetDateTime,
    /// How many signatures were verified.
    checks: usize,
    /// Why the first chain that came to an end is not one.
    refused: Option<Failure>,
}

impl<'a> Search<'a> {
    /// Extends `chain`, which is not empty, until it ends in a root.
    fn extend(&mut self, chain: &mut Vec<&'a Certificate>) -> Option<Vec<Certificate>> {
        let last = *chain.last()?;
        if self.roots.iter().any(|root| root.der() == last.der()) {
            return match judge(chain, self.time) {
                Ok(()) => Some(chain.iter().map(|certificate| (*certificate).clone()).collect()),
                Err(failure) => {
                    self.refused.get_or_insert(failure);
                    None
                }
            };
        }
        if chain.len() == limits::CHAIN_CERTIFICATES {
            return None;
        }
        let issuers = self.roots.iter().copied().chain(self.carried);
        for issuer in issuers.filter(|issuer| issuer.subject_raw() == last.issuer_raw()) {
            if chain.contains(&issuer) {
                continue;
            }
            if self.checks == limits::TIMESTAMP_ISSUER_CHECKS {
                return None;
            }
            self.checks += 1;
            match last.check_issued_by(issuer) {
                Ok(()) => {
                    chain.push(issuer);
                    let found = self.extend(chain);
                    chain.pop();
                    if found.is_some() {
                        return found;
                    }
                }
                Err(failure) if matches!(failure.code, Code::CertificateProfile | Code::KeyUnsupported) => {
                    self.refused.get_or_insert(unfit(last, &failure.message));
                }
                Err(_) => {}
            }
        }
        None
    }
}

/// Checks what the certificates of a chain say of themselves, leaf first.
fn judge(chain: &[&Certificate], time: OffsetDateTime) -> Result<(), Failure> {
    for (position, certificate) in chain.iter().enumerate() {
        let profile = match &chain[..position] {
            [] => check_timestamping_leaf(certificate),
            below => check_timestamping_authority(certificate, below),
        };
        profile.map_err(|failure| unfit(certificate, &failure.message))?;
        let (from, until) = (certificate.not_before(), certificate.not_after());
        if time < from || time > until {
            let (from, until, time) = (instant(from), instant(until), instant(time));
            let message = format!("it is valid from {from} until {until}, but the time stamp is of {time}");
            return Err(unfit(certificate, &message));
        }
    }
    Ok(())
}

/// `what` speaks of the certificate as "it".
fn unfit(certificate: &Certificate, what: &str) -> Failure {
    let subject = quote(certificate.subject_text());
    Failure::new(Code::TimestampCertificate, format!("certificate {subject} of the time stamping authority: {what}"))
}
