//! A public key in a token: an object of its own, or the key in a certificate.
//!
//! It is written as `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7) from what the object states of itself: numbers or point
//! before `CKA_PUBLIC_KEY_INFO`, which some modules fill with anything. Nothing about it was checked: only a signature tells
//! whose it is.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use der::Encode as _;
use der::asn1::{AnyRef, BitString, ObjectIdentifier, UintRef};
use x509_cert::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::private_key::Family;
use super::{ec_public_key, objects};

/// What a public key states of itself.
#[derive(Debug)]
pub(super) struct PublicKeyObject {
    /// `CKA_ID`; empty without one.
    pub(super) id: Vec<u8>,
    /// `CKA_LABEL`, as the token has it; empty without one.
    pub(super) label: Vec<u8>,
    pub(super) family: Family,
    /// The parameters of an EC key, as the token has them.
    pub(super) ec_parameters: Vec<u8>,
    /// `SubjectPublicKeyInfo` in DER; empty if the key cannot be read.
    pub(super) spki: Vec<u8>,
}

impl PublicKeyObject {
    /// Reads the public key object.
    ///
    /// # Errors
    ///
    /// Only if the token is gone.
    pub(super) fn read(session: &Session, handle: ObjectHandle) -> Result<PublicKeyObject, Error> {
        let bytes = |attribute: AttributeType| -> Result<Vec<u8>, Error> {
            Ok(match objects::read(session, handle, attribute)? {
                Some(
                    Attribute::Id(value)
                    | Attribute::Label(value)
                    | Attribute::Modulus(value)
                    | Attribute::PublicExponent(value)
                    | Attribute::EcParams(value)
                    | Attribute::EcPoint(value)
                    | Attribute::PublicKeyInfo(value),
                ) => value,
                _ => Vec::new(),
            })
        };
        let (id, label) = (bytes(AttributeType::Id)?, bytes(AttributeType::Label)?);
        let family = match objects::read(session, handle, AttributeType::KeyType)? {
            Some(Attribute::KeyType(kind)) => Family::of(kind),
            _ => Family::Other,
        };
        let mut ec_parameters = Vec::new();
        let stated = match family {
            Family::Rsa => rsa(&bytes(AttributeType::Modulus)?, &bytes(AttributeType::PublicExponent)?),
            Family::Ec => {
                ec_parameters = bytes(AttributeType::EcParams)?;
                ec_public_key::read(&ec_parameters, &bytes(AttributeType::EcPoint)?)
            }
            Family::Other => None,
        };
        let spki = match stated {
            Some(spki) => spki,
            None => bytes(AttributeType::PublicKeyInfo)?,
        };
        let family = if family == Family::Other { outline(&spki).0 } else { family };
        Ok(PublicKeyObject { id, label, family, ec_parameters, spki })
    }

    /// The key of a certificate with this id and label.
    pub(super) fn certified(id: Vec<u8>, label: Vec<u8>, spki: Vec<u8>) -> PublicKeyObject {
        let (family, ec_parameters) = outline(&spki);
        PublicKeyObject { id, label, family, ec_parameters, spki }
    }
}

/// Of which algorithm the key is, and the parameters of an EC key.
fn outline(spki: &[u8]) -> (Family, Vec<u8>) {
    use der::Decode as _;
    let Ok(spki) = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(spki) else {
        return (Family::Other, Vec::new());
    };
    let parameters = spki.algorithm.parameters.and_then(|parameters| parameters.to_der().ok());
    match spki.algorithm.oid {
        RSA => (Family::Rsa, Vec::new()),
        EC => (Family::Ec, parameters.unwrap_or_default()),
        _ => (Family::Other, Vec::new()),
    }
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// An RSA key as `SubjectPublicKeyInfo`, from its two big-endian numbers.
pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    if modulus.is_empty() || exponent.is_empty() {
        return None;
    }
    let key = vec![UintRef::new(modulus).ok()?, UintRef::new(exponent).ok()?].to_der().ok()?;
    spki(RSA, AnyRef::NULL, &key)
}

/// A key as `SubjectPublicKeyInfo` in DER.
pub(super) fn spki(oid: ObjectIdentifier, parameters: AnyRef<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifier { oid, parameters: Some(parameters) };
    SubjectPublicKeyInfo { algorithm, subject_public_key: BitString::from_bytes(key).ok()? }.to_der().ok()
}

#[cfg(test)]
mod tests {
    use der::Decode as _;

    use super::super::super::VerifyingKey;
    use super::*;
    use crate::forge::{self, KeyKind};
    use crate::pki;

    #[test]
    fn rsa_keys_are_written_as_certificates_hold_them() {
        let expected = forge::Key::pooled(KeyKind::Rsa2048, 0).unwrap().public_key().to_vec();
        let key = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(&expected).unwrap().subject_public_key.raw_bytes();
        let numbers = AnyRef::from_der(key)
            .unwrap()
            .sequence(|reader| {
                Ok([UintRef::decode(reader)?.as_bytes().to_vec(), UintRef::decode(reader)?.as_bytes().to_vec()])
            })
            .unwrap();
        let [modulus, exponent] = numbers;
        assert_eq!(rsa(&modulus, &exponent).unwrap(), expected);
        // Some modules give the numbers with zeros in front.
        assert_eq!(rsa(&[&[0, 0], modulus.as_slice()].concat(), &[0, 1, 0, 1]).unwrap(), expected);
        assert_eq!(VerifyingKey::from_spki(expected).unwrap().kind(), pki::KeyKind::Rsa2048);
        assert_eq!(rsa(&[], &exponent), None);
        assert_eq!(rsa(&modulus, &[]), None);
    }
}
