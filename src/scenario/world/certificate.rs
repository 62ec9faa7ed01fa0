//! What certificates of authorities, keys and time stamping authorities have in common: name, validity, and where their
//! revocation can be asked about.

use std::ops::Range;

use time::Duration;

use super::Things;
use super::crl::{CrlPlan, DeltaNamedBy, DeltaPlan};
use crate::forge::{
    CertificateDraft, ForgeError, Subject, Validity, crl_distribution_points, freshest_crl, ocsp_responders,
};
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::scalar::Span;
use crate::scenario::spanned::Spanned;

/// How long an authority is valid before and after the beginning, unless it says otherwise.
pub(super) const AUTHORITY_TIME: Duration = Duration::days(3650);
/// How long a signer is valid before and after the beginning, unless it says otherwise.
pub(super) const KEY_TIME: Duration = Duration::days(365);
/// The organization in the subject of a key that certifies itself.
const SELF_SIGNED: &str = "self-signed";

/// Where a certificate says that its revocation can be asked about.
#[derive(Debug, Clone, Default)]
pub(super) struct RevocationUrls {
    pub(super) crl: Vec<String>,
    pub(super) ocsp: Vec<String>,
}

impl RevocationUrls {
    /// Writes them into a certificate; `crl` is what its issuer publishes.
    pub(super) fn write(&self, draft: &mut CertificateDraft, crl: Option<&CrlPlan>) -> Result<(), ForgeError> {
        if !self.crl.is_empty() {
            draft.set(crl_distribution_points(&self.crl)?);
        }
        if !self.ocsp.is_empty() {
            draft.set(ocsp_responders(&self.ocsp)?);
        }
        let delta = crl.and_then(|crl| crl.delta.as_ref());
        if let Some(DeltaPlan { url, named_by: DeltaNamedBy::Certificates, .. }) = delta {
            draft.set(freshest_crl(std::slice::from_ref(url))?);
        }
        Ok(())
    }
}

impl Things {
    /// The addresses that a certificate of this issuer names: those that are given, or the issuer's.
    pub(super) fn revocation_urls(
        &self,
        issuer: Option<usize>,
        crl: Option<&[String]>,
        ocsp: Option<&[String]>,
    ) -> RevocationUrls {
        let of_crl = || self.crl_of(issuer).map(|crl| crl.url.clone());
        let of_ocsp = || issuer.and_then(|issuer| self.authorities[issuer].ocsp.as_ref()).map(|ocsp| ocsp.url.clone());
        RevocationUrls {
            crl: crl.map_or_else(|| of_crl().into_iter().collect(), <[String]>::to_vec),
            ocsp: ocsp.map_or_else(|| of_ocsp().into_iter().collect(), <[String]>::to_vec),
        }
    }

    /// The CRL of the authority at `issuer`.
    pub(super) fn crl_of(&self, issuer: Option<usize>) -> Option<&CrlPlan> {
        issuer.and_then(|issuer| self.authorities[issuer].crl.as_ref())
    }

    /// From when until when a certificate is valid; `usual` is how long before and after the beginning if it does not
    /// say.
    pub(super) fn validity(
        &self,
        from: Option<Span>,
        until: Option<&Spanned<Span>>,
        usual: Duration,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Validity {
        let not_before = self.now + from.map_or(-usual, |span| span.0);
        let not_after = self.now + until.map_or(usual, |span| span.value.0);
        if not_after < not_before {
            let range = until.map_or(place, |until| &until.range);
            let message = "the certificate ends before it begins".to_owned();
            findings.error(Rule::Validity, range, message, "put validUntil behind validFrom");
        }
        Validity { not_before, not_after }
    }

    /// The value of the first O of the subject of the authority at `issuer`, as it can be written into another subject.
    pub(super) fn organization(&self, issuer: Option<usize>) -> String {
        let of_issuer = issuer.and_then(|issuer| organization(&self.authorities[issuer].subject));
        of_issuer.unwrap_or_else(|| SELF_SIGNED.to_owned())
    }
}

/// The subject, if it can stand in a certificate; otherwise `findings` is told.
pub(super) fn check_subject(subject: &Spanned<String>, findings: &mut Findings<'_, '_>) -> String {
    if let Err(error) = Subject::parse(&subject.value).and_then(|subject| subject.der()) {
        findings.error(Rule::Subject, &subject.range, error.to_string(), "write it as C=US, ST=WA, O=acme, CN=signer");
    }
    subject.value.clone()
}

/// A length of time that must be longer than nothing; `usual` if it is left out.
pub(super) fn positive(given: Option<&Spanned<Span>>, usual: Duration, findings: &mut Findings<'_, '_>) -> Duration {
    let Some(given) = given else { return usual };
    if given.value.0 <= Duration::ZERO {
        let message = "this length of time is not longer than nothing".to_owned();
        findings.error(Rule::Value, &given.range, message, "write 7d");
    }
    given.value.0
}

fn organization(subject: &str) -> Option<String> {
    let subject = Subject::parse(subject).ok()?;
    let value = subject.rdns.iter().flatten().find(|(kind, _)| kind == "2.5.4.10").map(|(_, value)| value)?;
    Some(value.chars().flat_map(|c| if matches!(c, ',' | '+' | '\\') { vec!['\\', c] } else { vec![c] }).collect())
}
