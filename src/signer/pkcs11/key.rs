//! Which private key of a token a URI means, and with which public half it is verified.
//!
//! With a certificate at hand there is nothing to guess about the public half: it is the one that the certificate is for,
//! and the first signature proves it. Of several private keys it is the one whose signature verifies; those beside which
//! the same public half lies are tried first, and only a few at all. Without a certificate the URI has to name one private
//! key, and its public half is looked for in the token. Nothing that a token does not say counts against a key.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::Session;

use super::super::{SignerError, VerifyingKey};
use super::private_key::{Family, PrivateKeyObject, PrivateKeys};
use super::public_half::{self, Tie};
use super::token::listed;
use super::{Uri, answer, objects};
use crate::limits;
use crate::pki::KeyKind;

/// The private keys that may be meant, and the public halves that may be theirs.
#[derive(Debug)]
pub(super) struct Choice {
    /// At least one; the likeliest first.
    pub(super) private: Vec<PrivateKeyObject>,
    pub(super) public: Public,
}

/// What signatures are verified with.
#[derive(Debug)]
pub(super) enum Public {
    /// The public half that the token states. The next signature proves it.
    Stated(VerifyingKey),
    /// The key of the certificate at hand. The first signature proves it.
    Certified(VerifyingKey),
    /// One of these, which a signature tells; at least one.
    OneOf(Vec<VerifyingKey>),
}

impl Choice {
    /// Whether one of the keys says that it wants the PIN at every signature.
    pub(super) fn wants_pin_each_time(&self) -> bool {
        self.private.iter().any(|key| key.always_authenticate == Some(true))
    }
}

/// What messages call the key and its token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) token: &'a str,
    pub(super) key: &'a str,
}

/// Finds the keys that `uri` may mean, to sign with the certificate of `certified` if there is one.
pub(super) fn find(
    session: &Session,
    uri: &Uri,
    names: Names<'_>,
    certified: Option<&VerifyingKey>,
) -> Result<Choice, SignerError> {
    let private = usable(described(session, uri, names)?, names, certified)?;
    match certified {
        Some(certified) => with_certificate(session, private, uri, names, certified),
        None => {
            let key = only(private, uri, names)?;
            let public = without_certificate(session, &key, names)?;
            Ok(Choice { private: vec![key], public })
        }
    }
}

/// The private keys that `uri` describes.
fn described(session: &Session, uri: &Uri, names: Names<'_>) -> Result<Vec<PrivateKeyObject>, SignerError> {
    let meaning = |error: Error| answer::meaning(&error, names.token);
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    template.extend(uri.object.clone().map(Attribute::Label));
    template.extend(uri.id.clone().map(Attribute::Id));
    let found = objects::find_or_none(session, &template, limits::TOKEN_KEYS).map_err(meaning)?.handles;
    let read = |handle| PrivateKeyObject::read(session, handle);
    let keys: Vec<PrivateKeyObject> = found.into_iter().map(read).collect::<Result<_, _>>().map_err(meaning)?;
    let keys = meant(uri, keys);
    if !keys.is_empty() {
        return Ok(keys);
    }
    let present = PrivateKeys::read(session).map_err(meaning)?;
    let (described, others): (Vec<_>, Vec<_>) = present.keys.into_iter().partition(|key| describes(uri, key));
    if described.is_empty() {
        let (token, wanted) = (names.token.to_owned(), uri.key_in_words());
        return Err(SignerError::KeyNotFound { token, wanted, present: instead(uri, &others, present.more) });
    }
    Ok(described)
}

/// Those of the keys that a search found which `uri` does describe: some modules search by class only. A key that does not
/// tell its label or its id may be meant, if no other is.
fn meant<H>(uri: &Uri, found: Vec<PrivateKeyObject<H>>) -> Vec<PrivateKeyObject<H>> {
    let (described, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|key| describes(uri, key));
    if !described.is_empty() {
        return described;
    }
    let silent = |key: &PrivateKeyObject<H>| {
        let label = key.label.is_empty() || uri.object.as_ref().is_none_or(|label| *label == key.label);
        label && (key.id.is_empty() || uri.id.as_ref().is_none_or(|id| *id == key.id))
    };
    others.into_iter().filter(silent).collect()
}

/// Whether `uri` describes the key, but for what its label is padded with.
fn describes<H>(uri: &Uri, key: &PrivateKeyObject<H>) -> bool {
    let label = |wanted: &Vec<u8>| unpadded(wanted) == unpadded(&key.label) && !unpadded(wanted).is_empty();
    uri.object.as_ref().is_none_or(label) && uri.id.as_ref().is_none_or(|id| *id == key.id)
}

fn unpadded(label: &[u8]) -> &[u8] {
    let end = label.iter().rposition(|byte| ![0, b' '].contains(byte)).map_or(0, |last| last + 1);
    label.get(..end).unwrap_or_default()
}

/// Those of `keys` that may sign, as far as they tell.
fn usable<H>(
    keys: Vec<PrivateKeyObject<H>>,
    names: Names<'_>,
    certified: Option<&VerifyingKey>,
) -> Result<Vec<PrivateKeyObject<H>>, SignerError> {
    let mut refused = None;
    let mut usable = Vec::new();
    for key in keys {
        let reason = match (key.may_sign, key.family) {
            (Some(false), _) => "it may not be used to sign (CKA_SIGN is false)".to_owned(),
            (_, Some(Family::Other)) => "it is neither an RSA key nor an EC key".to_owned(),
            (_, Some(family)) if certified.is_some_and(|certified| family != family_of(certified.kind())) => {
                refused.get_or_insert_with(|| SignerError::CertificateOfAnother(names.key.to_owned()));
                continue;
            }
            _ => {
                usable.push(key);
                continue;
            }
        };
        refused.get_or_insert(SignerError::KeyUnsupported { key: names.key.to_owned(), reason });
    }
    match (usable.is_empty(), refused) {
        (true, Some(refused)) => Err(refused),
        _ => Ok(usable),
    }
}

fn family_of(kind: KeyKind) -> Family {
    match kind {
        KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => Family::Rsa,
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => Family::Ec,
    }
}

/// The one key, or one of several that are the same.
fn only<H>(
    mut keys: Vec<PrivateKeyObject<H>>,
    uri: &Uri,
    names: Names<'_>,
) -> Result<PrivateKeyObject<H>, SignerError> {
    let first = keys.first().map(|key| key.own_public_halves.clone()).unwrap_or_default();
    let same = !first.is_empty() && keys.iter().all(|key| key.own_public_halves == first);
    if same {
        keys.truncate(1);
    }
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key),
        (last, _) => Err(several(keys.into_iter().chain(last).collect(), uri, names)),
    }
}

fn several<H>(keys: Vec<PrivateKeyObject<H>>, uri: &Uri, names: Names<'_>) -> SignerError {
    let (token, wanted, count) = (names.token.to_owned(), uri.key_in_words(), keys.len());
    SignerError::SeveralKeys { token, wanted, count, present: shown(&keys) }
}

fn without_certificate(session: &Session, key: &PrivateKeyObject, names: Names<'_>) -> Result<Public, SignerError> {
    let unsupported = |reason| SignerError::KeyUnsupported { key: names.key.to_owned(), reason };
    if let Some(own) = public_half::own(key).map_err(unsupported)? {
        return Ok(Public::Stated(own));
    }
    let beside = public_half::beside(session, key, true).map_err(|error| answer::meaning(&error, names.token))?;
    let tied = beside.tie.is_some_and(|tie| tie != Tie::None);
    match (<[VerifyingKey; 1]>::try_from(beside.keys), beside.refused) {
        (Ok([public]), _) if tied => Ok(Public::Stated(public)),
        (Ok([public]), None) => Ok(Public::OneOf(vec![public])),
        (Err(several), None) if !several.is_empty() => Ok(Public::OneOf(several)),
        (Err(several), Some(_)) if tied && !several.is_empty() => Ok(Public::OneOf(several)),
        (_, Some(reason)) => Err(unsupported(reason)),
        (_, None) => Err(SignerError::PublicKeyNotFound {
            key: names.key.to_owned(),
            reason: format!(
                "the token has neither a public key nor a certificate with {}: write one of them to the token, or name \
                 the certificate chain of the key (--certificate-chain), which has it too",
                tie_in_words(key)
            ),
        }),
    }
}

fn tie_in_words(key: &PrivateKeyObject) -> String {
    match (key.id.as_slice(), key.label.as_slice()) {
        ([], []) => "a key of that kind".to_owned(),
        ([], label) => format!("the label {}", crate::failure::quote(&String::from_utf8_lossy(label))),
        (id, _) => format!("the id {}", hex::encode(id)),
    }
}

/// Those of `keys` that may be the one that `certified` is the public half of.
fn with_certificate(
    session: &Session,
    keys: Vec<PrivateKeyObject>,
    uri: &Uri,
    names: Names<'_>,
    certified: &VerifyingKey,
) -> Result<Choice, SignerError> {
    let is_certified = |public: &VerifyingKey| public.subject_key() == certified.subject_key();
    // Of one key there is nothing to find out beforehand.
    let several_keys = keys.len() > 1;
    let (mut proven, mut likely, mut contradicted, mut refused) = (Vec::new(), Vec::new(), None, None);
    for key in keys {
        match public_half::own(&key) {
            Ok(Some(own)) if is_certified(&own) => proven.push(key),
            Ok(Some(own)) => contradicted = contradicted.or(Some((key, own))),
            // A sound RSA key that signs no envelopes is not that of a certificate that does; another one may be.
            Err(reason) => drop(refused.get_or_insert(reason)),
            Ok(None) if several_keys => {
                let beside = public_half::beside(session, &key, false);
                let beside = beside.map_err(|error| answer::meaning(&error, names.token))?;
                let tie = beside.keys.iter().any(is_certified).then_some(beside.tie).flatten();
                likely.push((tie.unwrap_or(Tie::None), key));
            }
            Ok(None) => likely.push((Tie::None, key)),
        }
    }
    if !proven.is_empty() {
        // Several of them are the same key.
        proven.truncate(1);
        return Ok(Choice { private: proven, public: Public::Certified(certified.clone()) });
    }
    likely.sort_by_key(|(tie, _)| *tie);
    let private: Vec<PrivateKeyObject> = likely.into_iter().map(|(_, key)| key).collect();
    if private.is_empty() {
        // What the private key says of itself is no mistake of those who wrote public keys beside it.
        return match (contradicted, refused) {
            (Some((key, own)), _) => Ok(Choice { private: vec![key], public: Public::Stated(own) }),
            (None, Some(reason)) => Err(SignerError::KeyUnsupported { key: names.key.to_owned(), reason }),
            (None, None) => Err(SignerError::CertificateOfAnother(names.key.to_owned())),
        };
    }
    let choice = Choice { private, public: Public::Certified(certified.clone()) };
    let (most, most_with_pin) = limits::TOKEN_KEYS_TRIED;
    let most = if choice.wants_pin_each_time() { most_with_pin } else { most };
    if choice.private.len() > most { Err(several(choice.private, uri, names)) } else { Ok(choice) }
}

/// Which private keys there are instead of the one that `uri` describes.
fn instead<H>(uri: &Uri, others: &[PrivateKeyObject<H>], more: bool) -> String {
    if others.is_empty() {
        return "it shows none at all: make one, or import it".to_owned();
    }
    let more = if more { ", of more than are read" } else { "" };
    let mut words = format!("it has {}{more}: correct the URI", shown(others));
    if let Some(meant) = uri.id.as_deref().and_then(digits).filter(|id| others.iter().any(|key| key.id == *id)) {
        let written: String = meant.iter().map(|byte| format!("%{byte:02X}")).collect();
        words.push_str(&format!("; an id is written byte by byte, here id={written}"));
    }
    words
}

/// The bytes that an id means which was written as hexadecimal digits.
fn digits(id: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(id).ok()?.replace([':', ' '], "");
    hex::decode(&text).ok().or_else(|| hex::decode(format!("0{text}")).ok())
}

fn shown<H>(keys: &[PrivateKeyObject<H>]) -> String {
    let mut names: Vec<String> = keys.iter().map(PrivateKeyObject::<H>::in_words).collect();
    names.sort();
    listed(&names)
}

#[cfg(test)]
mod tests;
