//! Keys in tokens: hardware security modules and whatever else speaks PKCS #11.
//!
//! Muster hashes, the token signs: `CKM_RSA_PKCS_PSS` and `CKM_ECDSA` are what all of them have, while mechanisms that hash
//! are often missing. The private key never leaves the token.

mod answer;
mod certificates;
mod key;
mod module;
mod pin;
mod sessions;
mod token;
mod uri;

use std::fmt;

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::types::Ulong;

pub(crate) use answer::in_words;
pub(crate) use module::start;
pub use uri::Uri;

use super::{Environment, PrivateKey, SignerError, VerifyingKey};
use crate::digest::{Algorithm as Hash, Digest};
use crate::limits;
use crate::pki::KeyKind;
use key::Key;
use sessions::Sessions;
use token::Token;

/// A private key in a token, ready to sign.
pub struct Pkcs11 {
    /// For messages.
    name: String,
    handle: ObjectHandle,
    verifying_key: VerifyingKey,
    sessions: Sessions,
    warnings: Vec<String>,
}

impl Pkcs11 {
    /// Loads the module, finds the token, logs in once, and finds the key with its public half.
    ///
    /// # Errors
    ///
    /// Whatever is wrong on the way, each told apart in [`SignerError`]. Nothing is tried twice.
    pub fn open(uri: &Uri, environment: &Environment) -> Result<Pkcs11, SignerError> {
        let module = module::open(uri, environment)?;
        let token = Token::find(&module, uri)?;
        let mut warnings = Vec::new();
        let session = pin::log_in(&module, &token, uri, environment, &mut warnings)?;
        let name = format!("{} in the token {}", uri.key_in_words(), token.name());
        let Key { handle, verifying_key } = Key::find(&session, uri, &token.name(), &name)?;
        let sessions = Sessions::with_token(module, &token, session);
        Ok(Pkcs11 { name, handle, verifying_key, sessions, warnings })
    }

    /// The X.509 certificates that the token holds, in DER, of any subject, in no order; none is checked. What is
    /// longer than [`limits::CERTIFICATE_BYTES`] is left out.
    ///
    /// # Errors
    ///
    /// [`SignerError::Certificates`] if there are more than [`limits::TOKEN_CERTIFICATES`], and whatever the token adds.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerError> {
        self.sessions.with(certificates::read)?.ok_or_else(|| {
            let reason = format!("more than {} certificates are in it", limits::TOKEN_CERTIFICATES);
            SignerError::Certificates { key: self.name.clone(), reason }
        })
    }

    /// What its owner should know; each is one sentence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl PrivateKey for Pkcs11 {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let kind = self.verifying_key.kind();
        let digest = Digest::of(kind.hash(), message);
        let signature = self.sessions.with(|session| session.sign(&mechanism(kind), self.handle, digest.bytes()))?;
        self.verifying_key.checked(&self.name, message, signature)
    }
}

impl fmt::Debug for Pkcs11 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11({}, {})", self.name, self.verifying_key.kind().as_str())
    }
}

fn mechanism(kind: KeyKind) -> Mechanism<'static> {
    if matches!(kind, KeyKind::P256 | KeyKind::P384 | KeyKind::P521) {
        return Mechanism::Ecdsa;
    }
    // The salt is as long as the hash.
    let (hash_alg, mgf, s_len) = match kind.hash() {
        Hash::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, Ulong::new(32)),
        Hash::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, Ulong::new(48)),
        Hash::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, Ulong::new(64)),
    };
    Mechanism::RsaPkcsPss(PkcsPssParams { hash_alg, mgf, s_len })
}
