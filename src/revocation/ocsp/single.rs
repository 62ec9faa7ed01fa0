//! What an OCSP answer says of one certificate: a `SingleResponse` (RFC 6960, section 4.2.1).

use time::OffsetDateTime;

use super::certificate_id;
use crate::pki::Certificate;
use crate::pki::der::{self, Element};
use crate::revocation::answer_error::{AnswerError, check_current};
use crate::revocation::extension::{Extension, oid};
use crate::revocation::fields::{Fields, read_generalized_time, read_reason};

/// What was said, with all that decides whether it counts.
#[derive(Debug)]
pub(super) struct SingleResponse {
    /// The serial number: the contents of its INTEGER.
    pub(super) serial: Vec<u8>,
    word: CertificateVerdict,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    /// Since when the certificate is thought to be bad.
    invalid_from: Option<OffsetDateTime>,
    /// An extension that would have to be understood.
    not_understood: Option<AnswerError>,
}

/// The moment that is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// As of when.
    pub(super) at: OffsetDateTime,
    /// The present, which is later where the answer came later.
    pub(super) present: OffsetDateTime,
}

/// What is said of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateVerdict {
    Good,
    Revoked { since: OffsetDateTime, reason: Option<u8> },
    Unknown,
}

impl SingleResponse {
    /// Reads one; `None` if it speaks of a certificate of another issuer than `issuer`.
    pub(super) fn read(element: Element<'_>, issuer: &Certificate) -> Result<Option<SingleResponse>, AnswerError> {
        let mut fields = Fields::of(element, der::SEQUENCE)?;
        let serial = certificate_id::serial_of(fields.required(der::SEQUENCE)?, issuer)?;
        let mut single = SingleResponse {
            serial: serial.unwrap_or_default().to_vec(),
            word: CertificateVerdict::read(fields.any()?)?,
            this_update: read_generalized_time(fields.any()?)?,
            next_update: fields.explicit(0xa0)?.map(read_generalized_time).transpose()?,
            invalid_from: None,
            not_understood: None,
        };
        for extension in fields.explicit(0xa1)?.map(Extension::read_all).transpose()?.unwrap_or_default() {
            match extension.oid {
                oid::INVALIDITY_DATE => single.invalid_from = Some(read_generalized_time(extension.value()?)?),
                _ => single.not_understood = single.not_understood.or(extension.pass_over().err()),
            }
        }
        fields.end()?;
        Ok(serial.map(|_| single))
    }

    /// What the answer says at this moment. A revocation does not count if the certificate became bad only after the
    /// signature was made.
    pub(super) fn says(
        &self,
        moment: Moment,
        authentic_signing_time: Option<OffsetDateTime>,
    ) -> Result<CertificateVerdict, AnswerError> {
        if let Some(flaw) = &self.not_understood {
            return Err(flaw.clone());
        }
        check_current(self.this_update, self.next_update, moment.at, moment.present)?;
        let bad_later = self.invalid_from.zip(authentic_signing_time).is_some_and(|(from, signed)| from > signed);
        match self.word {
            CertificateVerdict::Revoked { .. } if bad_later => Ok(CertificateVerdict::Good),
            word => Ok(word),
        }
    }
}

impl CertificateVerdict {
    fn read(status: Element<'_>) -> Result<CertificateVerdict, AnswerError> {
        match (status.tag, status.contents) {
            (0x80, []) => Ok(CertificateVerdict::Good),
            (0x82, []) => Ok(CertificateVerdict::Unknown),
            (0xa1, _) => {
                let mut fields = Fields::of(status, 0xa1)?;
                let since = read_generalized_time(fields.any()?)?;
                let reason = fields.explicit(0xa0)?.map(read_reason).transpose()?;
                fields.end()?;
                Ok(CertificateVerdict::Revoked { since, reason })
            }
            _ => Err(AnswerError::from("has a status of a certificate that does not exist")),
        }
    }
}
