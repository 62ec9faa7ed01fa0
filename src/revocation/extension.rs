//! Extensions of CRLs, their entries, and OCSP answers (RFC 5280, sections 5.2 and 5.3; RFC 6960, section 4.4).

use super::answer_error::AnswerError;
use super::fields::Fields;
use crate::limits;
use crate::pki::der::{self, Element};

/// The contents of the object identifiers that are known.
pub(super) mod oid {
    /// authorityKeyIdentifier, 2.5.29.35.
    pub(in crate::revocation) const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
    /// cRLNumber, 2.5.29.20.
    pub(in crate::revocation) const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
    /// deltaCRLIndicator, 2.5.29.27.
    pub(in crate::revocation) const DELTA_INDICATOR: &[u8] = &[0x55, 0x1d, 0x1b];
    /// issuingDistributionPoint, 2.5.29.28.
    pub(in crate::revocation) const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
    /// freshestCRL, 2.5.29.46.
    pub(in crate::revocation) const FRESHEST_CRL: &[u8] = &[0x55, 0x1d, 0x2e];
    /// cRLReason, 2.5.29.21.
    pub(in crate::revocation) const REASON: &[u8] = &[0x55, 0x1d, 0x15];
    /// invalidityDate, 2.5.29.24.
    pub(in crate::revocation) const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];
}

/// One extension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extension<'a> {
    /// The contents of its object identifier.
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Reads a SEQUENCE of extensions, each of a kind of its own. So few are allowed that each can be compared with all
    /// before it: a million entries may have some.
    pub(super) fn read_all(list: Element<'a>) -> Result<Vec<Extension<'a>>, AnswerError> {
        let mut extensions: Vec<Extension<'a>> = Vec::new();
        for element in list.values(der::SEQUENCE)? {
            if extensions.len() == limits::ANSWER_EXTENSIONS {
                let most = limits::ANSWER_EXTENSIONS;
                return Err(AnswerError::from(format!("has more than {most} extensions in one place")));
            }
            let extension = Extension::read(element?)?;
            if extensions.iter().any(|other| other.oid == extension.oid) {
                return Err(AnswerError::from("has an extension twice"));
            }
            extensions.push(extension);
        }
        Ok(extensions)
    }

    fn read(element: Element<'a>) -> Result<Extension<'a>, AnswerError> {
        let mut fields = Fields::of(element, der::SEQUENCE)?;
        let oid = fields.required(der::OBJECT_IDENTIFIER)?.contents;
        let critical = fields.optional(der::BOOLEAN).is_some_and(|critical| critical.contents != [0]);
        let value = fields.required(der::OCTET_STRING)?.contents;
        fields.end()?;
        Ok(Extension { oid, critical, value })
    }

    /// The value, which must be DER.
    pub(super) fn value(&self) -> Result<Element<'a>, AnswerError> {
        der::check(self.value)?;
        Ok(der::only(self.value)?)
    }

    /// An extension that is not known must be understood by the reader of the answer if it is critical.
    pub(super) fn pass_over(&self) -> Result<(), AnswerError> {
        if !self.critical {
            return Ok(());
        }
        let oid = x509_parser::der_parser::oid::Oid::new(self.oid.into()).to_id_string();
        Err(AnswerError::from(format!("has the critical extension {oid}, which is not understood")))
    }
}
