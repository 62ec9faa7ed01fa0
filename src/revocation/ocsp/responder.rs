//! Who may answer for an issuer by OCSP: the issuer, or a delegate that it has certified for that.
//!
//! Follows RFC 6960, section 4.2.2.2. A delegate's certificate is inside the answer, issued by the very issuer of the
//! certificate in question, for id-kp-OCSPSigning. Whether it is itself revoked is not asked, with or without
//! id-pkix-ocsp-nocheck, as the reference implementation does not: delegates are to be short-lived.

use aws_lc_rs::digest::digest;
use time::OffsetDateTime;

use super::certificate_id::REQUESTED;
use super::single::Moment;
use crate::failure::quote;
use crate::limits;
use crate::pki::der::{self, Element};
use crate::pki::{Certificate, is_same_name};
use crate::revocation::answer_error::AnswerError;
use crate::revocation::fields::only_child;
use crate::revocation::signed::Signed;
use crate::rfc3339::instant;

/// id-kp-OCSPSigning.
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// Who an answer says has made it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Responder<'a> {
    /// The responder's name, in DER.
    Name(&'a [u8]),
    /// The SHA-1 hash of its key.
    Key(&'a [u8]),
}

/// A delegate, and when its certificate is valid.
#[derive(Debug)]
pub(super) struct Delegate {
    subject: String,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl<'a> Responder<'a> {
    /// Reads a `ResponderID`.
    pub(super) fn read(id: Element<'a>) -> Result<Responder<'a>, AnswerError> {
        let inside = only_child(id, id.tag)?;
        match (id.tag, inside.tag) {
            (0xa1, der::SEQUENCE) => Ok(Responder::Name(inside.whole)),
            (0xa2, der::OCTET_STRING) => Ok(Responder::Key(inside.contents)),
            _ => Err(AnswerError::from("does not say who made it")),
        }
    }

    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Responder::Name(name) => is_same_name(name, certificate.subject_raw()),
            Responder::Key(hash) => *hash == digest(REQUESTED, certificate.key_bits()).as_ref(),
        }
    }

    /// Checks that whom this names has signed and may: `issuer`, or one of `certificates`, who is handed back.
    pub(super) fn check(
        &self,
        signed: &Signed<'_>,
        issuer: &Certificate,
        certificates: &[Element<'_>],
    ) -> Result<Option<Delegate>, AnswerError> {
        let mut flaw = AnswerError::from(
            "is by a signer that is neither the issuer of the certificate nor shown to be its delegate",
        );
        if self.is(issuer) {
            match signed.check(issuer) {
                Ok(()) => return Ok(None),
                Err(wrong) => flaw = wrong,
            }
        }
        // One that cannot be read has signed nothing.
        let certificates = certificates.iter().take(limits::OCSP_ANSWER_CERTIFICATES);
        let certificates = certificates.filter_map(|certificate| Certificate::parse(certificate.whole).ok());
        for certificate in certificates.filter(|certificate| self.is(certificate) && certificate != issuer) {
            match check_delegate(&certificate, issuer).and_then(|()| signed.check(&certificate)) {
                Ok(()) => return Ok(Some(Delegate::new(&certificate))),
                Err(wrong) => flaw = wrong,
            }
        }
        Err(flaw)
    }
}

fn check_delegate(certificate: &Certificate, issuer: &Certificate) -> Result<(), AnswerError> {
    let flaw = |text: String| AnswerError::from(format!("is by {}, and {text}", quote(certificate.subject_text())));
    certificate.check_issued_by(issuer).map_err(|failure| flaw(format!("of its certificate: {}", failure.message)))?;
    let extensions = certificate.extensions();
    let purposes = extensions.extended_key_usage.as_ref().map_or(&[][..], |(purposes, _)| purposes);
    if !purposes.iter().any(|purpose| purpose == OCSP_SIGNING) {
        return Err(flaw("its certificate is not for signing OCSP answers".to_owned()));
    }
    if extensions.key_usage.is_some_and(|usage| !usage.allows("digitalSignature")) {
        return Err(flaw("its certificate's key usage does not include digitalSignature".to_owned()));
    }
    Ok(())
}

impl Delegate {
    fn new(certificate: &Certificate) -> Delegate {
        Delegate {
            subject: certificate.subject_text().to_owned(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        }
    }

    /// Checks that the delegate's certificate is valid at this moment.
    pub(super) fn check_valid(&self, Moment { at, present }: Moment) -> Result<(), AnswerError> {
        if self.not_before <= present && at <= self.not_after {
            return Ok(());
        }
        let (subject, from, to) = (quote(&self.subject), instant(self.not_before), instant(self.not_after));
        Err(AnswerError::from(format!("is by {subject}, whose certificate is valid from {from} to {to} only")))
    }
}
