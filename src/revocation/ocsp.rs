//! One OCSP answer: read once, its signature verified once, then asked about any certificate of the issuer.
//!
//! Follows RFC 6960, sections 3.2 and 4.2. The signature is verified over the bytes as they came. Who may have made it is in
//! `responder.rs`. A certificate that the answer does not speak of, a period that is over or has no end, and a critical
//! extension that is not understood leave the answer without worth.

mod ask;
mod certificate_id;
mod request;
mod responder;
mod single;

use time::OffsetDateTime;

use super::answer_error::AnswerError;
use super::extension::Extension;
use super::fields::{Fields, read_generalized_time};
use super::recorded::Known;
use super::signed::Signed;
use crate::limits;
use crate::pki::Certificate;
use crate::pki::der::{self, Element};
use crate::rfc3339::instant;

use responder::{Delegate, Responder};
use single::{CertificateVerdict, Moment, SingleResponse};

pub(super) use ask::ask;
#[cfg(test)]
pub(super) use request::request;

/// The contents of id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// An OCSP answer whose signature holds.
#[derive(Debug)]
pub(super) struct OcspAnswer {
    /// The status of each certificate that the answer is about.
    singles: Vec<SingleResponse>,
    /// Who signed it, if not the issuer.
    delegate: Option<Delegate>,
    produced: OffsetDateTime,
}

impl OcspAnswer {
    /// Reads an answer about certificates of `issuer`, and verifies who signed it.
    pub(super) fn read(bytes: &[u8], issuer: &Certificate) -> Result<OcspAnswer, AnswerError> {
        if bytes.len() as u64 > limits::OCSP_BYTES {
            let most = limits::OCSP_BYTES;
            return Err(AnswerError::from(format!("has {} bytes, and no more than {most} are read", bytes.len())));
        }
        der::check(bytes)?;
        let basic = basic_response(der::only(bytes)?)?;
        der::check(basic)?;
        let mut parts = Fields::of(der::only(basic)?, der::SEQUENCE)?;
        let signed = Signed::read(&mut parts)?;
        let certificates = parts.explicit(0xa0)?.map(|list| list.children(der::SEQUENCE)).transpose()?;
        parts.end()?;

        let mut fields = Fields::of(signed.content, der::SEQUENCE)?;
        if fields.explicit(0xa0)?.is_some_and(|version| version.whole != [der::INTEGER, 1, 0]) {
            return Err(AnswerError::from("is not of version 1"));
        }
        let responder = Responder::read(fields.any()?)?;
        let delegate = responder.check(&signed, issuer, &certificates.unwrap_or_default())?;
        let produced = read_generalized_time(fields.any()?)?;
        let mut singles = Vec::new();
        for single in fields.required(der::SEQUENCE)?.values(der::SEQUENCE)? {
            singles.extend(SingleResponse::read(single?, issuer)?);
        }
        for extension in fields.explicit(0xa1)?.map(Extension::read_all).transpose()?.unwrap_or_default() {
            extension.pass_over()?;
        }
        fields.end()?;
        Ok(OcspAnswer { singles, delegate, produced })
    }

    /// Checks that it is not older than the answer to the same request that was verified before.
    fn check_newest(&self, known: Option<&Known>) -> Result<(), AnswerError> {
        match known.map(|known| known.base.made) {
            Some(before) if self.produced < before => {
                let (made, before) = (instant(self.produced), instant(before));
                Err(AnswerError::from(format!("is of {made}, older than the one of {before} that came before it")))
            }
            _ => Ok(()),
        }
    }

    /// The status, at this moment, of the issuer's certificate with this serial number.
    fn says(
        &self,
        serial: &[u8],
        moment: Moment,
        authentic_signing_time: Option<OffsetDateTime>,
    ) -> Result<CertificateVerdict, AnswerError> {
        self.delegate.as_ref().map_or(Ok(()), |delegate| delegate.check_valid(moment))?;
        let words = self.singles.iter().filter(|single| single.serial == serial);
        // Of several the worst counts, and one that is worthless before one that says good.
        let badness = |word: &Result<CertificateVerdict, AnswerError>| match word {
            Ok(CertificateVerdict::Revoked { .. }) => 3,
            Err(_) => 2,
            Ok(CertificateVerdict::Unknown) => 1,
            Ok(CertificateVerdict::Good) => 0,
        };
        let worst = words.map(|single| single.says(moment, authentic_signing_time)).max_by_key(badness);
        worst.unwrap_or_else(|| Err(AnswerError::from("does not speak of the certificate")))
    }
}

/// Takes an `OCSPResponse` apart; the contents are a `BasicOCSPResponse`.
fn basic_response(answer: Element<'_>) -> Result<&[u8], AnswerError> {
    let mut fields = Fields::of(answer, der::SEQUENCE)?;
    let status = fields.required(der::ENUMERATED)?.contents;
    let response = fields.explicit(0xa0)?;
    fields.end()?;
    match status {
        [0] => {}
        [1] => return Err(AnswerError::from("says that the request is malformed")),
        [2] => return Err(AnswerError::passing("says that the responder has an internal error")),
        [3] => return Err(AnswerError::passing("says to try again later")),
        [5] => return Err(AnswerError::from("says that the request must be signed")),
        [6] => return Err(AnswerError::from("says that it is not authorized to speak of the certificate")),
        _ => return Err(AnswerError::from("has a status that does not exist")),
    }
    let mut fields = Fields::of(response.ok_or("is empty")?, der::SEQUENCE)?;
    if fields.required(der::OBJECT_IDENTIFIER)?.contents != BASIC {
        return Err(AnswerError::from("is of a type other than id-pkix-ocsp-basic"));
    }
    let basic = fields.required(der::OCTET_STRING)?.contents;
    fields.end()?;
    Ok(basic)
}
