//! The place of a key, found, and what is done there: the private keys that may be meant, the sessions of their token, and
//! how they sign.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use super::super::{Environment, SignerError, VerifyingKey, signature_form};
use super::key::{Choice, Public};
use super::mechanisms::{self, Way};
use super::module::{self, Module};
use super::pin::Login;
use super::private_key::PrivateKeyObject;
use super::public_half;
use super::seat::{self, Seat};
use super::sessions::Sessions;
use super::signing::{Signing, Stop};
use super::{Uri, answer};
use crate::pki::KeyKind;

/// What a token is asked to sign to find out which public half is a key's. No envelope has anything like it signed: what a
/// JWS signs has no blank in it, and what a COSE message signs starts with the byte 84.
const TRIAL: &[u8] = b"muster: which public half is this key's? nothing is signed by this";

/// Where a key is.
pub(super) struct Place {
    module: Arc<Module>,
    pub(super) sessions: Sessions,
    signing: Signing,
    login: Option<Login>,
    /// Those that may be meant, at least one.
    keys: Vec<PrivateKeyObject>,
    /// The one of them that made a signature that verified; none yet if there is none of that number.
    proven: AtomicUsize,
    /// Held while it is found out which of several it is.
    proving: Mutex<()>,
    /// Whether the public half is that of a certificate at hand, and not the token's.
    certified: bool,
}

/// A place with what was found out about the key.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) verifying_key: VerifyingKey,
    /// What messages call the key.
    pub(super) name: String,
    pub(super) warnings: Vec<String>,
}

impl Place {
    /// The private key that signs; while that is not known, how many may be meant.
    pub(super) fn key(&self) -> Result<&PrivateKeyObject, usize> {
        let proven = self.keys.get(self.proven.load(Ordering::Acquire));
        let only = || self.keys.first().filter(|_| self.keys.len() == 1);
        proven.or_else(only).ok_or(self.keys.len())
    }

    /// The mechanism that signed last, or else the one that is tried first.
    pub(super) fn mechanism(&self) -> Option<String> {
        Some(mechanisms::name(self.signing.kind(), self.signing.way()?))
    }

    /// Finds the key of `uri` by way of `module`. `each_time` says that it is known to want the PIN at every signature.
    pub(super) fn find(
        mut module: Arc<Module>,
        uri: &Uri,
        environment: &Environment,
        certified: Option<&VerifyingKey>,
        each_time: bool,
    ) -> Result<Found, SignerError> {
        let mut seat = seat::take(&module, uri, environment, certified)?;
        let always = each_time || seat.choice.wants_pin_each_time();
        if always && !seat.can_sign_in_several_calls() && module.can_be_restarted() {
            {
                let _turn = module.turn();
                drop(seat);
            }
            module = module::restart_for_single_part(module);
            seat = seat::take(&module, uri, environment, certified)?;
        }
        let Seat { token, source, session, login, choice, mechanisms, warnings } = seat;
        let name = format!("{} in the token {}", uri.key_in_words(), token.name());
        let sessions = Sessions::with_token(source, &token, session, always);
        let Choice { private: keys, public } = choice;
        let sign_as = |kind| Signing::new(kind, &mechanisms, always, module.single_part());
        let (verifying_key, certified) = match public {
            Public::Stated(key) => (key, false),
            Public::Certified(key) => (key, true),
            Public::OneOf(candidates) => {
                let trial = Trial { name: &name, keys: &keys, sessions: &sessions, login: login.as_ref() };
                match trial.tell(candidates, sign_as) {
                    Ok(key) => (key, false),
                    // It turned out to want the PIN each time.
                    Err(Untold::WantsSinglePart(error)) if module.can_be_restarted() => {
                        drop(sessions);
                        let module = module::restart_for_single_part(module);
                        // A module that could not be restarted is not asked for that again.
                        return match module.single_part() {
                            Some(_) => Place::find(module, uri, environment, certified, true),
                            None => Err(error),
                        };
                    }
                    Err(Untold::WantsSinglePart(error) | Untold::Other(error)) => return Err(error),
                }
            }
        };
        let signing = sign_as(verifying_key.kind());
        let (proven, proving) = (AtomicUsize::new(usize::MAX), Mutex::new(()));
        let place = Place { module, sessions, signing, login, keys, proven, proving, certified };
        Ok(Found { place, verifying_key, name, warnings })
    }

    /// Whether the key turned out to be one that signs only by a module that is started in another way.
    pub(super) fn wants_to_be_left(&self) -> bool {
        self.signing.wants_single_part() && self.module.can_be_restarted()
    }

    /// Closes the sessions, and hands back the module.
    pub(super) fn leave(self) -> Arc<Module> {
        let module = Arc::clone(&self.module);
        drop(self);
        module
    }

    /// Signs `message`. What comes out verifies with `public`.
    pub(super) fn sign(&self, message: &[u8], public: &VerifyingKey, name: &str) -> Result<Vec<u8>, SignerError> {
        let proven = || {
            let number = self.proven.load(Ordering::Acquire);
            self.keys.get(number).map(|key| (number, key))
        };
        let work = Work { message, public, name };
        if let [key] = self.keys.as_slice() {
            return self.sign_with(0, key, work);
        }
        if let Some((number, key)) = proven() {
            return self.sign_with(number, key, work);
        }
        let _proving = self.proving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, key)) = proven() {
            return self.sign_with(number, key, work);
        }
        let mut first = None;
        for (number, key) in self.keys.iter().enumerate() {
            match self.sign_with(number, key, work) {
                Err(
                    error @ (SignerError::SignatureInvalid(_)
                    | SignerError::CertificateOfAnother(_)
                    | SignerError::SignatureRefused { .. }),
                ) => {
                    first.get_or_insert(error);
                }
                result => return result,
            }
        }
        Err(first.unwrap_or_else(|| SignerError::SignatureInvalid(name.to_owned())))
    }

    /// Signs with the key of that number, and hands back the signature if it verifies.
    fn sign_with(&self, number: usize, key: &PrivateKeyObject, work: Work<'_>) -> Result<Vec<u8>, SignerError> {
        let Work { message, public, name } = work;
        let given = signed(&self.sessions, &self.signing, key.handle, message, self.login.as_ref(), name)?;
        if let Some(signature) = signature_form::verified(public, message, given.clone()) {
            self.proven.store(number, Ordering::Release);
            return Ok(signature);
        }
        Err(match self.certified && self.is_of_another(key, message, &given)? {
            true => SignerError::CertificateOfAnother(name.to_owned()),
            false => SignerError::SignatureInvalid(name.to_owned()),
        })
    }

    /// Whether the signature verifies with a public half that the token has beside `key`, and not with the certificate at
    /// hand.
    fn is_of_another(&self, key: &PrivateKeyObject, message: &[u8], given: &[u8]) -> Result<bool, SignerError> {
        let beside = self.sessions.with(|session| public_half::beside(session, key, false))?;
        Ok(beside.keys.iter().any(|other| signature_form::verified(other, message, given.to_vec()).is_some()))
    }
}

/// What is to be signed, and with what it has to verify.
#[derive(Clone, Copy)]
struct Work<'a> {
    message: &'a [u8],
    public: &'a VerifyingKey,
    name: &'a str,
}

/// Finding out by a signature which public half is the key's.
struct Trial<'a> {
    name: &'a str,
    keys: &'a [PrivateKeyObject],
    sessions: &'a Sessions,
    login: Option<&'a Login>,
}

impl Trial<'_> {
    /// The one of `candidates` that verifies a signature of the key.
    fn tell(
        &self,
        candidates: Vec<VerifyingKey>,
        sign_as: impl Fn(KeyKind) -> Signing,
    ) -> Result<VerifyingKey, Untold> {
        let count = candidates.len();
        let mut refused = None;
        // One signature for each kind: it decides the hash.
        for kind in KeyKind::ALL {
            let of_kind: Vec<&VerifyingKey> = candidates.iter().filter(|key| key.kind() == kind).collect();
            let (false, Some(key)) = (of_kind.is_empty(), self.keys.first()) else { continue };
            let signing = sign_as(kind);
            match signed(self.sessions, &signing, key.handle, TRIAL, self.login, self.name) {
                Ok(given) => {
                    let its = |key: &&&VerifyingKey| signature_form::verified(key, TRIAL, given.clone()).is_some();
                    if let Some(found) = of_kind.iter().find(its) {
                        return Ok((*found).clone());
                    }
                }
                Err(error @ SignerError::SignatureRefused { .. }) if signing.wants_single_part() => {
                    return Err(Untold::WantsSinglePart(error));
                }
                Err(error @ SignerError::SignatureRefused { .. }) => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(Untold::Other(error)),
            }
        }
        Err(Untold::Other(refused.unwrap_or_else(|| SignerError::PublicKeyNotFound {
            key: self.name.to_owned(),
            reason: format!(
                "none of the {count} public keys and certificates in the token that could be it verifies its signature: write \
                 the right one to the token, or name the certificate chain of the key (--certificate-chain)"
            ),
        })))
    }
}

/// Why a trial tells nothing.
enum Untold {
    /// The key wants the PIN at every signature, which its module takes only by `C_Sign` by itself.
    WantsSinglePart(SignerError),
    Other(SignerError),
}

/// What the token gives for a signature of `message`; it may be in any form, and verify or not.
fn signed(
    sessions: &Sessions,
    signing: &Signing,
    key: ObjectHandle,
    message: &[u8],
    login: Option<&Login>,
    name: &str,
) -> Result<Vec<u8>, SignerError> {
    let ask = |session: &Session| answer::or_nonsense(|| signing.sign(session, key, message, login));
    let stop = match sessions.with(ask)? {
        Ok(signature) => return Ok(signature),
        Err(stop) => stop,
    };
    let refused = |error: &Error, reason: String| SignerError::SignatureRefused {
        key: name.to_owned(),
        answer: answer::in_words(error),
        reason,
    };
    Err(match (stop, login) {
        (Stop::Login(error), Some(login)) => login.refusal(&error, None),
        (Stop::SignatureLogin(error), Some(login)) => login.refusal_of_signature(&error),
        (Stop::Login(error) | Stop::SignatureLogin(error), None) => answer::meaning(&error, sessions.token()),
        (Stop::WantsLogin(_), None) => SignerError::PinMissing(sessions.token().to_owned()),
        (Stop::WantsLogin(error), Some(_)) => refused(
            &error,
            "it wants its PIN at every signature, and its module takes it only in a call that is made here only if nothing else \
             in the process uses the module: use the key alone, in a process of its own, or another module for the token, such \
             as opensc-pkcs11.so"
                .to_owned(),
        ),
        (Stop::NoWay(error), _) if answer::is_about_room(&error) => refused(
            &error,
            "its module does not answer how long the signature will be without ending it (C_Sign without a buffer), as \
             the standard has it: install a newer version of the module, or use another one for the token, such as \
             opensc-pkcs11.so"
                .to_owned(),
        ),
        (Stop::NoWay(error), _) if answer::code(&error) == Some(RvError::KeyFunctionNotPermitted) => {
            refused(&error, "it may not be used to sign: make a key that may (CKA_SIGN)".to_owned())
        }
        (Stop::NoWay(error), _) => {
            let (kind, token) = (signing.kind(), sessions.token());
            let [raw, whole] = [Way::OfHash, Way::OfMessage].map(|way| mechanisms::name(kind, way));
            refused(
                &error,
                format!(
                    "keys of the kind {} need the mechanism {raw} or {whole}, and the token {token} takes neither: allow \
                     one of them in its configuration, or use a key of another kind",
                    kind.as_str()
                ),
            )
        }
    })
}
