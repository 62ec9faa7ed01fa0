//! Keys in tokens: hardware security modules, smart cards and whatever else speaks PKCS #11.
//!
//! Follows PKCS #11, versions 2.20 to 3.1, as modules really are: each is asked for what it knows, in the way that it
//! answers, and what it gives in another form is put right where the result verifies, and only there. The private key
//! never leaves the token. A key is what the token and the certificate at hand say together; the first signature proves
//! it. Nothing here makes, changes or deletes anything in a token.

mod answer;
pub(crate) mod certificates;
mod ec_public_key;
mod key;
pub(crate) mod mechanisms;
pub(crate) mod module;
mod objects;
mod pin;
pub(crate) mod private_key;
mod public_half;
mod seat;
mod sessions;
mod signature_form;
mod signing;
mod single_part;
mod token;
pub(crate) mod token_information;
pub(crate) mod uri;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;

pub(crate) use answer::in_words;
pub(crate) use module::start;
pub use uri::Uri;

use super::{Environment, PrivateKey, SignerError, VerifyingKey};
use crate::limits;
use crate::pki::{Certificate, KeyKind};
use key::{Choice, Public};
use mechanisms::Way;
use pin::Login;
use private_key::PrivateKeyObject;
use seat::Seat;
use sessions::Sessions;
use signing::{Signing, Stop};

/// What a token is asked to sign to find out which public half is a key's. No envelope has anything like it signed: what a
/// JWS signs has no blank in it, and what a COSE message signs starts with the byte 84.
const TRIAL: &[u8] = b"muster: which public half is this key's? nothing is signed by this";

/// A private key in a token, ready to sign.
pub struct Pkcs11 {
    /// For messages.
    name: String,
    /// Those that may be meant, at least one.
    keys: Vec<PrivateKeyObject>,
    /// The one of them that made a signature that verified; none yet if there is none of that number.
    proven: AtomicUsize,
    /// Held while it is found out which of several it is.
    proving: Mutex<()>,
    verifying_key: VerifyingKey,
    /// Public halves that the token has beside the key, and that are not that of the certificate at hand.
    rivals: Vec<VerifyingKey>,
    signing: Signing,
    login: Option<Login>,
    sessions: Sessions,
    warnings: Vec<String>,
}

impl Pkcs11 {
    /// Loads the module, finds the token, logs in once, and finds the key with its public half in the token. Where the token
    /// leaves open which public half it is, it is asked for one signature that tells.
    ///
    /// # Errors
    ///
    /// Whatever is wrong on the way, each told apart in [`SignerError`]. No PIN is given twice.
    pub fn open(uri: &Uri, environment: &Environment) -> Result<Pkcs11, SignerError> {
        Pkcs11::open_any(uri, environment, None)
    }

    /// Opens the key whose certificate is `leaf`. Its public half need not be in the token, and the URI may leave several
    /// private keys: the first signature proves which it is.
    ///
    /// # Errors
    ///
    /// As [`Pkcs11::open`], and [`SignerError::CertificateOfAnother`].
    pub fn open_certified(uri: &Uri, environment: &Environment, leaf: &Certificate) -> Result<Pkcs11, SignerError> {
        let certified = VerifyingKey::of_certificate(leaf).map_err(|reason| SignerError::KeyUnsupported {
            key: format!("of the certificate {}", crate::failure::quote(leaf.subject_text())),
            reason,
        })?;
        Pkcs11::open_any(uri, environment, Some(&certified))
    }

    fn open_any(uri: &Uri, environment: &Environment, certified: Option<&VerifyingKey>) -> Result<Pkcs11, SignerError> {
        let mut module = module::open(uri, environment)?;
        let mut seat = seat::take(&module, uri, environment, certified)?;
        let always = seat.choice.wants_pin_each_time();
        if always && module.single_part().is_none() && !seat.can_sign_in_several_calls() {
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
        let (verifying_key, rivals) = match public {
            Public::Stated(key) => (key, Vec::new()),
            Public::Certified(key, rivals) => (key, rivals),
            Public::OneOf(candidates) => {
                let trial = Trial { name: &name, keys: &keys, sessions: &sessions, login: login.as_ref() };
                (trial.tell(candidates, sign_as)?, Vec::new())
            }
        };
        let signing = sign_as(verifying_key.kind());
        let (proven, proving) = (AtomicUsize::new(usize::MAX), Mutex::new(()));
        Ok(Pkcs11 { name, keys, proven, proving, verifying_key, rivals, signing, login, sessions, warnings })
    }

    /// The X.509 certificates that the token holds, in DER, of any subject, in no order; none is checked. What is
    /// longer than [`limits::CERTIFICATE_BYTES`] is left out.
    ///
    /// # Errors
    ///
    /// [`SignerError::Certificates`] if there are more than [`limits::TOKEN_CERTIFICATES`], and whatever the token adds.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerError> {
        let held = self.sessions.with(certificates::read)?.ok_or_else(|| {
            let reason = format!("more than {} certificates are in it", limits::TOKEN_CERTIFICATES);
            SignerError::Certificates { key: self.name.clone(), reason }
        })?;
        let mut certificates: Vec<Vec<u8>> = held.into_iter().map(|certificate| certificate.der).collect();
        certificates.sort();
        certificates.dedup();
        Ok(certificates)
    }

    /// What its owner should know; each is one sentence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Signs with the key of that number, and hands back the signature if it verifies.
    fn sign_with(&self, number: usize, key: &PrivateKeyObject, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let given = signed(&self.sessions, &self.signing, key.handle, message, self.login.as_ref(), &self.name)?;
        if let Some(signature) = signature_form::verified(&self.verifying_key, message, given.clone()) {
            self.proven.store(number, Ordering::Release);
            return Ok(signature);
        }
        let is_rivals = |rival: &VerifyingKey| signature_form::verified(rival, message, given.clone()).is_some();
        Err(match self.rivals.iter().any(is_rivals) {
            true => SignerError::CertificateOfAnother(self.name.clone()),
            false => SignerError::SignatureInvalid(self.name.clone()),
        })
    }
}

impl PrivateKey for Pkcs11 {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let proven = || {
            let number = self.proven.load(Ordering::Acquire);
            self.keys.get(number).map(|key| (number, key))
        };
        if let ([key], _) | (_, Some((_, key))) = (self.keys.as_slice(), proven()) {
            let number = proven().map_or(0, |(number, _)| number);
            return self.sign_with(number, key, message);
        }
        let _proving = self.proving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, key)) = proven() {
            return self.sign_with(number, key, message);
        }
        let mut first = None;
        for (number, key) in self.keys.iter().enumerate() {
            match self.sign_with(number, key, message) {
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
        Err(first.unwrap_or_else(|| SignerError::SignatureInvalid(self.name.clone())))
    }
}

impl fmt::Debug for Pkcs11 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11({}, {})", self.name, self.verifying_key.kind().as_str())
    }
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
    ) -> Result<VerifyingKey, SignerError> {
        let count = candidates.len();
        let mut refused = None;
        // One signature for each kind: it decides the hash.
        for kind in KeyKind::ALL {
            let of_kind: Vec<&VerifyingKey> = candidates.iter().filter(|key| key.kind() == kind).collect();
            let (false, Some(key)) = (of_kind.is_empty(), self.keys.first()) else { continue };
            match signed(self.sessions, &sign_as(kind), key.handle, TRIAL, self.login, self.name) {
                Ok(given) => {
                    let its = |key: &&&VerifyingKey| signature_form::verified(key, TRIAL, given.clone()).is_some();
                    if let Some(found) = of_kind.iter().find(its) {
                        return Ok((*found).clone());
                    }
                }
                Err(error @ SignerError::SignatureRefused { .. }) => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| SignerError::PublicKeyNotFound {
            key: self.name.to_owned(),
            reason: format!(
                "none of the {count} public keys and certificates in the token that could be it verifies its signature: write \
                 the right one to the token, or name the certificate chain of the key (--certificate-chain)"
            ),
        }))
    }
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
    let stop = match sessions.with(|session| signing.sign(session, key, message, login))? {
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
        (Stop::Login(error), None) => answer::meaning(&error, sessions.token()),
        (Stop::WantsLogin(_), None) => SignerError::PinMissing(sessions.token().to_owned()),
        (Stop::WantsLogin(error), Some(_)) => refused(
            &error,
            "it wants its PIN at every signature, and its module takes it only in a call that cannot be made while another \
             key of the same module is in use: use the key alone, in a process of its own"
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
