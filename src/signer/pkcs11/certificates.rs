//! The certificates that a token holds beside its keys.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::objects;
use crate::limits;

/// An X.509 certificate in a token. Nothing about it was checked but that it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenCertificate {
    /// `CKA_ID`; empty without one.
    pub(crate) id: Vec<u8>,
    /// `CKA_LABEL`, as the token has it; empty without one.
    pub(crate) label: Vec<u8>,
    pub(crate) der: Vec<u8>,
}

impl TokenCertificate {
    /// Reads the certificate object, if it is an X.509 certificate of at most [`limits::CERTIFICATE_BYTES`].
    ///
    /// # Errors
    ///
    /// Only if the token is gone: a certificate that cannot be read is as good as none, as it may be another's.
    pub(super) fn read(session: &Session, handle: ObjectHandle) -> Result<Option<TokenCertificate>, Error> {
        let Some(Attribute::Value(value)) = objects::read(session, handle, AttributeType::Value)? else {
            return Ok(None);
        };
        let Some(der) = unpadded(&value) else { return Ok(None) };
        let mut certificate = TokenCertificate { id: Vec::new(), label: Vec::new(), der: der.to_vec() };
        if let Some(Attribute::Id(id)) = objects::read(session, handle, AttributeType::Id)? {
            certificate.id = id;
        }
        if let Some(Attribute::Label(label)) = objects::read(session, handle, AttributeType::Label)? {
            certificate.label = label;
        }
        Ok(Some(certificate))
    }

    /// The key that it certifies, as `SubjectPublicKeyInfo` in DER.
    pub(crate) fn spki(&self) -> Option<Vec<u8>> {
        let (_, certificate) = X509Certificate::from_der(&self.der).ok()?;
        Some(certificate.tbs_certificate.subject_pki.raw.to_vec())
    }
}

/// The X.509 certificates of the token, in no order. `None` if there are more certificates than are read.
///
/// # Errors
///
/// What the module answers.
pub(crate) fn read(session: &Session) -> Result<Option<Vec<TokenCertificate>>, Error> {
    let found = objects::find(session, &[Attribute::Class(ObjectClass::CERTIFICATE)], limits::TOKEN_CERTIFICATES)?;
    if found.more {
        return Ok(None);
    }
    let mut certificates = Vec::with_capacity(found.handles.len());
    for handle in found.handles {
        certificates.extend(TokenCertificate::read(session, handle)?);
    }
    Ok(Some(certificates))
}

/// The certificate in `value` without the zeros or ones that fill the room in which a card keeps it.
fn unpadded(value: &[u8]) -> Option<&[u8]> {
    let (rest, _) = X509Certificate::from_der(value).ok()?;
    let filled = rest.iter().all(|byte| *byte == 0) || rest.iter().all(|byte| *byte == 0xff);
    let certificate = value.get(..value.len() - rest.len())?;
    (filled && certificate.len() <= limits::CERTIFICATE_BYTES).then_some(certificate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::{Authority, Key, KeyKind};

    #[test]
    fn what_fills_the_room_behind_a_certificate_is_cut_off() {
        let key = Key::pooled(KeyKind::P256, 1).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key).unwrap();
        let der = root.certificate();
        for filling in [&[][..], &[0; 7], &[0xff; 300]] {
            assert_eq!(unpadded(&[der, filling].concat()), Some(der));
        }
        for wrong in [&[der, &[0, 1]].concat()[..], &der[..der.len() - 1], b"no certificate", b"", &[0; 50]] {
            assert_eq!(unpadded(wrong), None);
        }
    }
}
