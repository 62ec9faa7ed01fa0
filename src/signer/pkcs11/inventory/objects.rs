//! The objects of a token beside its private keys: public keys and X.509 certificates.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::Session;

use super::super::certificates::TokenCertificate;
use super::super::objects;
use super::super::private_key::{PrivateKeyObject, PrivateKeys};
use super::super::public_key::PublicKeyObject;
use super::super::signing::is_logged_in;
use crate::limits;
use crate::pki::{Certificate, SubjectKey};

/// What lies in a token, as far as a session sees it.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) private_keys: Vec<PrivateKeyObject>,
    pub(super) public_keys: Vec<NamedPublicKey>,
    pub(super) certificates: Vec<CertificateObject>,
    /// Whether there is more than was read.
    pub(super) more: bool,
    /// Whether the session is logged in.
    pub(super) logged_in: bool,
}

/// What ties the objects of a pair together, and names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) id: Vec<u8>,
    pub(super) label: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct NamedPublicKey {
    pub(super) name: Name,
    /// `None` if it cannot be read.
    pub(super) key: Option<SubjectKey>,
}

#[derive(Debug)]
pub(super) struct CertificateObject {
    pub(super) name: Name,
    pub(super) certificate: Certificate,
}

/// Reads the objects that `session` sees.
///
/// # Errors
///
/// What the module answers if it shows no private keys, or is gone; a search for others that it refuses finds nothing.
pub(super) fn read(session: &Session) -> Result<Objects, Error> {
    let private = PrivateKeys::read(session)?;
    let mut found = Objects { logged_in: is_logged_in(session), more: private.more, ..Objects::default() };
    found.private_keys = private.keys;
    let mut search = |class: ObjectClass, most: usize| -> Result<_, Error> {
        let objects = objects::find_or_none(session, &[Attribute::Class(class)], most)?;
        found.more |= objects.more;
        Ok(objects.handles)
    };
    let public_keys = search(ObjectClass::PUBLIC_KEY, limits::TOKEN_KEYS)?;
    let certificates = search(ObjectClass::CERTIFICATE, limits::TOKEN_CERTIFICATES)?;
    for handle in public_keys {
        let PublicKeyObject { id, label, spki, .. } = PublicKeyObject::read(session, handle)?;
        found.public_keys.push(NamedPublicKey { name: Name { id, label }, key: SubjectKey::from_spki(&spki).ok() });
    }
    for handle in certificates {
        let Some(TokenCertificate { id, label, der }) = TokenCertificate::read(session, handle)? else { continue };
        let Ok(certificate) = Certificate::parse(&der) else { continue };
        found.certificates.push(CertificateObject { name: Name { id, label }, certificate });
    }
    Ok(found)
}
