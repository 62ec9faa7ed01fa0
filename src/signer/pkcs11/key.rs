//! Finding a private key in a token, and its public half.
//!
//! The public half is taken from the first place that has it: the private key itself, the public key or the certificate
//! with the same id (or label, where the key has no id). EC points are read both ways in which modules give them, as DER
//! says and bare.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use der::asn1::{AnyRef, BitString, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _};
use x509_cert::spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::super::{SignerError, VerifyingKey};
use super::token::listed;
use super::{Uri, answer};
use crate::failure::quote;
use crate::limits;

/// A private key in a token.
pub(super) struct Key {
    pub(super) handle: ObjectHandle,
    pub(super) verifying_key: VerifyingKey,
}

/// What is read of a private key.
#[derive(Default)]
struct Private {
    kind: Option<KeyType>,
    id: Vec<u8>,
    label: Vec<u8>,
    public_key_info: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Key {
    /// The one private key that `uri` describes, in the token called `token`. `name` is how messages call the key.
    pub(super) fn find(session: &Session, uri: &Uri, token: &str, name: &str) -> Result<Key, SignerError> {
        let meaning = |error: Error| answer::meaning(&error, token);
        let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
        template.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
        template.extend(uri.id.clone().map(Attribute::Id));
        let found = session.find_objects(&template).map_err(meaning)?;
        let handle = match found.as_slice() {
            [handle] => *handle,
            [] => {
                let (token, wanted) = (token.to_owned(), uri.key_in_words());
                return Err(SignerError::KeyNotFound { token, wanted, present: present(session).map_err(meaning)? });
            }
            several => {
                let (token, wanted) = (token.to_owned(), uri.key_in_words());
                return Err(SignerError::SeveralKeys { token, wanted, count: several.len() });
            }
        };
        let unsupported =
            |reason: &str| SignerError::KeyUnsupported { key: name.to_owned(), reason: reason.to_owned() };
        let attributes = session
            .get_attributes(handle, &[AttributeType::Sign, AttributeType::AlwaysAuthenticate])
            .map_err(meaning)?;
        if attributes.contains(&Attribute::Sign(false)) {
            return Err(unsupported("it may not be used to sign (CKA_SIGN is false)"));
        }
        if attributes.contains(&Attribute::AlwaysAuthenticate(true)) {
            return Err(unsupported("it wants the PIN before every signature (CKA_ALWAYS_AUTHENTICATE)"));
        }
        let private = Private::read(session, handle).map_err(meaning)?;
        if !private.kind.is_some_and(|kind| [KeyType::RSA, KeyType::EC].contains(&kind)) {
            return Err(unsupported("it is neither an RSA key nor an EC key"));
        }
        let spki = match private.own_public_half() {
            Some(spki) => spki,
            None => private.public_half_beside(session, name).map_err(|problem| match problem {
                Problem::Token(error) => answer::meaning(&error, token),
                Problem::Signer(error) => error,
            })?,
        };
        let verifying_key = VerifyingKey::from_spki(spki)
            .map_err(|reason| SignerError::KeyUnsupported { key: name.to_owned(), reason })?;
        Ok(Key { handle, verifying_key })
    }
}

/// Why the public half was not found.
enum Problem {
    Token(Error),
    Signer(SignerError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        Problem::Token(error)
    }
}

impl Private {
    fn read(session: &Session, handle: ObjectHandle) -> Result<Private, Error> {
        let mut private = Private::default();
        let wanted = [
            AttributeType::KeyType,
            AttributeType::Id,
            AttributeType::Label,
            AttributeType::PublicKeyInfo,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
        ];
        // One by one: older modules answer a question about an attribute they do not know with an error for all.
        for attribute in wanted {
            let answers = match session.get_attributes(handle, &[attribute]) {
                Ok(answers) => answers,
                Err(error) if answer::is_gone(&error) => return Err(error),
                Err(_) => continue,
            };
            match answers.into_iter().next() {
                Some(Attribute::KeyType(kind)) => private.kind = Some(kind),
                Some(Attribute::Id(id)) => private.id = id,
                Some(Attribute::Label(label)) => private.label = label,
                Some(Attribute::PublicKeyInfo(spki)) => private.public_key_info = spki,
                Some(Attribute::Modulus(modulus)) => private.modulus = modulus,
                Some(Attribute::PublicExponent(exponent)) => private.exponent = exponent,
                _ => {}
            }
        }
        Ok(private)
    }

    /// The public half as the private key itself states it.
    fn own_public_half(&self) -> Option<Vec<u8>> {
        if !self.public_key_info.is_empty() {
            return Some(self.public_key_info.clone());
        }
        rsa(&self.modulus, &self.exponent)
    }

    /// The public half from another object that belongs to the key.
    fn public_half_beside(&self, session: &Session, name: &str) -> Result<Vec<u8>, Problem> {
        let not_found =
            |reason: String| Problem::Signer(SignerError::PublicKeyNotFound { key: name.to_owned(), reason });
        let (tie, tied) = if !self.id.is_empty() {
            (Attribute::Id(self.id.clone()), format!("the id {}", hex::encode(&self.id)))
        } else if !self.label.is_empty() {
            let label = String::from_utf8_lossy(&self.label);
            (Attribute::Label(self.label.clone()), format!("the label {}", quote(&label)))
        } else {
            return Err(not_found("the key has neither id nor label to find it by".to_owned()));
        };
        for (class, read) in [
            (ObjectClass::PUBLIC_KEY, public_key as fn(&Session, ObjectHandle) -> Result<Option<Vec<u8>>, Error>),
            (ObjectClass::CERTIFICATE, certificate),
        ] {
            let mut found = Vec::new();
            for handle in session.find_objects(&[Attribute::Class(class), tie.clone()])? {
                found.extend(read(session, handle)?);
            }
            found.sort();
            found.dedup();
            match (found.pop(), found.len()) {
                (Some(spki), 0) => return Ok(spki),
                (Some(_), _) => {
                    return Err(not_found(format!(
                        "several different public keys have {tied}: give each pair its own id"
                    )));
                }
                (None, _) => {}
            }
        }
        Err(not_found(format!(
            "the token has neither a public key nor a certificate with {tied}: write one of them to the token"
        )))
    }
}

/// A public key object as `SubjectPublicKeyInfo`, if it is one that can be read.
fn public_key(session: &Session, handle: ObjectHandle) -> Result<Option<Vec<u8>>, Error> {
    let (mut modulus, mut exponent, mut parameters, mut point) = Default::default();
    let wanted =
        [AttributeType::Modulus, AttributeType::PublicExponent, AttributeType::EcParams, AttributeType::EcPoint];
    for attribute in session.get_attributes(handle, &wanted)? {
        match attribute {
            Attribute::Modulus(value) => modulus = value,
            Attribute::PublicExponent(value) => exponent = value,
            Attribute::EcParams(value) => parameters = value,
            Attribute::EcPoint(value) => point = value,
            _ => {}
        }
    }
    Ok(rsa(&modulus, &exponent).or_else(|| ec(&parameters, &point)))
}

/// The key in a certificate object, if that is one.
fn certificate(session: &Session, handle: ObjectHandle) -> Result<Option<Vec<u8>>, Error> {
    let spki = |der: &[u8]| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(certificate.tbs_certificate.subject_pki.raw.to_vec())
    };
    let attributes = session.get_attributes(handle, &[AttributeType::Value])?;
    Ok(attributes.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(der) if der.len() <= limits::CERTIFICATE_BYTES => spki(&der),
        _ => None,
    }))
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// An RSA key as `SubjectPublicKeyInfo`, from its two big-endian numbers.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    if modulus.is_empty() || exponent.is_empty() {
        return None;
    }
    let key = vec![UintRef::new(modulus).ok()?, UintRef::new(exponent).ok()?].to_der().ok()?;
    spki(RSA, AnyRef::NULL, &key)
}

/// An EC key as `SubjectPublicKeyInfo`, from `CKA_EC_PARAMS` and `CKA_EC_POINT`.
fn ec(parameters: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    if parameters.is_empty() || point.is_empty() {
        return None;
    }
    spki(EC, AnyRef::from_der(parameters).ok()?, bare(point))
}

/// The point without the OCTET STRING around it. A bare point starts with the byte that also starts an OCTET STRING, so
/// only what leaves a whole point counts as wrapped.
fn bare(point: &[u8]) -> &[u8] {
    match OctetStringRef::from_der(point).map(|wrapped| wrapped.as_bytes()) {
        Ok(inside @ [4, ..]) if [65, 97, 133].contains(&inside.len()) => inside,
        _ => point,
    }
}

fn spki(oid: ObjectIdentifier, parameters: AnyRef<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifier { oid, parameters: Some(parameters) };
    SubjectPublicKeyInfo { algorithm, subject_public_key: BitString::from_bytes(key).ok()? }.to_der().ok()
}

/// Which private keys a token has.
fn present(session: &Session) -> Result<String, Error> {
    let mut names = Vec::new();
    for handle in session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])? {
        let (mut label, mut id) = (Vec::new(), Vec::new());
        for attribute in session.get_attributes(handle, &[AttributeType::Label, AttributeType::Id])? {
            match attribute {
                Attribute::Label(value) => label = value,
                Attribute::Id(value) => id = value,
                _ => {}
            }
        }
        names.push(format!("{} (id {})", quote(&String::from_utf8_lossy(&label)), hex::encode(id)));
    }
    names.sort();
    Ok(match names.len() {
        0 => "it shows none at all: make one, or import it".to_owned(),
        _ => format!("it has {}: correct the URI", listed(&names)),
    })
}

#[cfg(test)]
mod tests;
