//! The private keys of a token, as far as they show themselves: what kind they are, what they may do, what they are called.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::uri::percent_encoded;
use super::{ec_public_key, objects, public_key};
use crate::failure::quote;
use crate::limits;

/// What algorithm a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Rsa,
    Ec,
    /// Neither: it signs no envelopes.
    Other,
}

/// A private key in a token, by the handle that the session knows it by. What is `None` the module does not tell, which is
/// no "no".
#[derive(Debug, Clone)]
pub(crate) struct PrivateKeyObject<H = ObjectHandle> {
    pub(crate) handle: H,
    pub(crate) family: Option<Family>,
    /// `CKA_ID`; empty without one.
    pub(crate) id: Vec<u8>,
    /// `CKA_LABEL`, as the token has it; empty without one.
    pub(crate) label: Vec<u8>,
    /// `CKA_SIGN`.
    pub(crate) may_sign: Option<bool>,
    /// `CKA_ALWAYS_AUTHENTICATE`: the PIN is wanted at every signature.
    pub(crate) always_authenticate: Option<bool>,
    /// The public halves that the private key itself states, as `SubjectPublicKeyInfo` in DER; whether one is sound is not
    /// known.
    pub(crate) own_public_halves: Vec<Vec<u8>>,
    /// `CKA_EC_PARAMS`; empty without.
    pub(crate) ec_parameters: Vec<u8>,
}

/// The private keys that a session sees.
pub(crate) struct PrivateKeys {
    pub(crate) keys: Vec<PrivateKeyObject>,
    /// Whether there are more than are read.
    pub(crate) more: bool,
}

impl PrivateKeys {
    /// All private keys, and no more than [`limits::TOKEN_KEYS`].
    ///
    /// # Errors
    ///
    /// What the module answers.
    pub(crate) fn read(session: &Session) -> Result<PrivateKeys, Error> {
        let found = objects::find(session, &[Attribute::Class(ObjectClass::PRIVATE_KEY)], limits::TOKEN_KEYS)?;
        let keys: Result<_, _> =
            found.handles.into_iter().map(|handle| PrivateKeyObject::read(session, handle)).collect();
        Ok(PrivateKeys { keys: keys?, more: found.more })
    }
}

impl PrivateKeyObject {
    /// Reads what the key shows.
    ///
    /// # Errors
    ///
    /// Only if the token is gone.
    pub(crate) fn read(session: &Session, handle: ObjectHandle) -> Result<PrivateKeyObject, Error> {
        let mut key = PrivateKeyObject {
            handle,
            family: None,
            id: Vec::new(),
            label: Vec::new(),
            may_sign: None,
            always_authenticate: None,
            own_public_halves: Vec::new(),
            ec_parameters: Vec::new(),
        };
        let (mut modulus, mut exponent, mut point) = (Vec::new(), Vec::new(), Vec::new());
        let wanted = [
            AttributeType::KeyType,
            AttributeType::Id,
            AttributeType::Label,
            AttributeType::Sign,
            AttributeType::AlwaysAuthenticate,
            AttributeType::PublicKeyInfo,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
            AttributeType::EcParams,
            AttributeType::EcPoint,
        ];
        for attribute in wanted {
            // What cannot belong to a key of this family is not asked for.
            let of_rsa = matches!(attribute, AttributeType::Modulus | AttributeType::PublicExponent);
            let of_ec = matches!(attribute, AttributeType::EcParams | AttributeType::EcPoint);
            if of_rsa && key.family == Some(Family::Ec) || of_ec && key.family == Some(Family::Rsa) {
                continue;
            }
            match objects::read(session, handle, attribute)? {
                Some(Attribute::KeyType(kind)) => key.family = Some(Family::of(kind)),
                Some(Attribute::Id(id)) => key.id = id,
                Some(Attribute::Label(label)) => key.label = label,
                Some(Attribute::Sign(may)) => key.may_sign = Some(may),
                Some(Attribute::AlwaysAuthenticate(always)) => key.always_authenticate = Some(always),
                Some(Attribute::PublicKeyInfo(spki)) => key.own_public_halves.push(spki),
                Some(Attribute::Modulus(value)) => modulus = value,
                Some(Attribute::PublicExponent(value)) => exponent = value,
                Some(Attribute::EcParams(value)) => key.ec_parameters = value,
                Some(Attribute::EcPoint(value)) => point = value,
                _ => {}
            }
        }
        key.own_public_halves.extend(public_key::rsa(&modulus, &exponent));
        key.own_public_halves.extend(ec_public_key::read(&key.ec_parameters, &point));
        Ok(key)
    }
}

impl<H> PrivateKeyObject<H> {
    /// The key with the spelling that names it in a URI: `"release" (id 01, written object=release;id=%01)`.
    pub(crate) fn in_words(&self) -> String {
        let label = match self.label.as_slice() {
            [] => "one without a label".to_owned(),
            label => quote(&String::from_utf8_lossy(label)),
        };
        let id = if self.id.is_empty() { "none".to_owned() } else { hex::encode(&self.id) };
        match self.spelling() {
            Some(spelling) => format!("{label} (id {id}, written {spelling})"),
            None => format!("{label} (id {id})"),
        }
    }

    /// The attributes that name the key in a URI; `None` if it has neither label nor id.
    pub(crate) fn spelling(&self) -> Option<String> {
        let label = (!self.label.is_empty()).then(|| format!("object={}", percent_encoded(&self.label)));
        let every_byte = |id: &Vec<u8>| id.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let id = (!self.id.is_empty()).then(|| format!("id={}", every_byte(&self.id)));
        let parts: Vec<String> = label.into_iter().chain(id).collect();
        (!parts.is_empty()).then(|| parts.join(";"))
    }
}

impl Family {
    pub(super) fn of(kind: KeyType) -> Family {
        match kind {
            KeyType::RSA => Family::Rsa,
            KeyType::EC => Family::Ec,
            _ => Family::Other,
        }
    }
}
