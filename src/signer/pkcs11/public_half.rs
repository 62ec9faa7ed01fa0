//! Finding the public half of a private key.
//!
//! The first place that has it counts: the private key itself, then the public keys and certificates with its id and its
//! label, with its id, with its label. What there is no tie to may be the key's all the same, and only a signature tells
//! which. A public half that cannot be read is passed over.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::Session;

use super::super::VerifyingKey;
use super::certificates::TokenCertificate;
use super::private_key::{Family, PrivateKeyObject};
use super::public_key::PublicKeyObject;
use super::{ec_public_key, objects};
use crate::limits;

/// What an object has in common with a private key, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    IdAndLabel,
    Id,
    Label,
    None,
}

/// Public halves that may be a private key's.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// With the strongest tie that any has; each once.
    pub(super) keys: Vec<VerifyingKey>,
    pub(super) tie: Option<Tie>,
    /// Why the last one that was found signs no envelopes.
    pub(super) refused: Option<String>,
}

/// The public half that the private key itself states.
///
/// # Errors
///
/// Why the key signs no envelopes, if it states an RSA key that is sound but of another length.
pub(super) fn own<H>(key: &PrivateKeyObject<H>) -> Result<Option<VerifyingKey>, String> {
    let mut refused = None;
    for spki in &key.own_public_halves {
        match VerifyingKey::from_spki(spki.clone()) {
            Ok(own) => return Ok(Some(own)),
            Err(reason) => refused = Some(reason),
        }
    }
    match (refused, key.family) {
        (Some(reason), Some(Family::Rsa)) => Err(reason),
        _ => Ok(None),
    }
}

/// The public halves beside `key` that have a tie to it; those of the strongest tie. With `all` also those without.
///
/// # Errors
///
/// Only if the token is gone: a search that the module refuses finds nothing.
pub(super) fn beside(session: &Session, key: &PrivateKeyObject, all: bool) -> Result<Candidates, Error> {
    let id = (!key.id.is_empty()).then(|| Attribute::Id(key.id.clone()));
    let label = (!key.label.is_empty()).then(|| Attribute::Label(key.label.clone()));
    let searches = id.map(Some).into_iter().chain(label.map(Some)).chain(all.then_some(None));
    let mut refused = None;
    for tied in searches {
        let mut found = Vec::new();
        for object in public_objects(session, tied.as_ref())? {
            // A key of another algorithm is another key's, whatever it is called.
            if key.family.is_some_and(|family| object.family != family)
                || ec_public_key::are_of_another_curve(&object.ec_parameters, &key.ec_parameters)
            {
                continue;
            }
            let tie = match (tie(key, &object.id, &object.label), &tied) {
                // It was found by what it does not tell, or by a module that searches by class only.
                (Tie::None, Some(Attribute::Id(_))) if object.id.is_empty() => Tie::Id,
                (Tie::None, Some(Attribute::Label(_))) if object.label.is_empty() => Tie::Label,
                (Tie::None, Some(_)) => continue,
                (tie, _) => tie,
            };
            match VerifyingKey::from_spki(object.spki) {
                Ok(public) => found.push((tie, public)),
                Err(reason) => refused = Some(reason),
            }
        }
        let Some(tie) = found.iter().map(|(tie, _)| *tie).min() else { continue };
        let mut keys: Vec<VerifyingKey> = Vec::new();
        for (_, public) in found.into_iter().filter(|(other, _)| *other == tie) {
            if !keys.iter().any(|known| known.subject_key() == public.subject_key()) {
                keys.push(public);
            }
        }
        return Ok(Candidates { keys, tie: Some(tie), refused });
    }
    Ok(Candidates { refused, ..Candidates::default() })
}

fn tie<H>(key: &PrivateKeyObject<H>, id: &[u8], label: &[u8]) -> Tie {
    let same = |one: &[u8], other: &[u8]| !one.is_empty() && one == other;
    match (same(&key.id, id), same(&key.label, label)) {
        (true, true) => Tie::IdAndLabel,
        (true, false) => Tie::Id,
        (false, true) => Tie::Label,
        (false, false) => Tie::None,
    }
}

/// The public keys, or else the certificates, that have the attribute `tied`.
fn public_objects(session: &Session, tied: Option<&Attribute>) -> Result<Vec<PublicKeyObject>, Error> {
    let search = |class: ObjectClass| {
        let template: Vec<Attribute> = [Attribute::Class(class)].into_iter().chain(tied.cloned()).collect();
        objects::find_or_none(session, &template, limits::TOKEN_CERTIFICATES).map(|found| found.handles)
    };
    let mut found = Vec::new();
    for handle in search(ObjectClass::PUBLIC_KEY)? {
        found.push(PublicKeyObject::read(session, handle)?);
    }
    for handle in search(ObjectClass::CERTIFICATE)? {
        let Some(certificate) = TokenCertificate::read(session, handle)? else { continue };
        let Some(spki) = certificate.spki() else { continue };
        let TokenCertificate { id, label, .. } = certificate;
        found.push(PublicKeyObject::certified(id, label, spki));
    }
    // What cannot be read is passed over.
    found.retain(|object| !object.spki.is_empty());
    Ok(found)
}

#[cfg(test)]
pub(super) use tests::private;
#[cfg(test)]
mod tests;
