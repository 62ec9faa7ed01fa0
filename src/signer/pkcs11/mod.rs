//! Keys in tokens: hardware security modules, smart cards and whatever else speaks PKCS #11.
//!
//! Follows PKCS #11, versions 2.20 to 3.1, as modules really are: each is asked for what it knows, in the way that it
//! answers, and what it gives in another form is put right where the result verifies, and only there. The private key
//! never leaves the token. A key is what the token and the certificate at hand say together; the first signature proves
//! it. Nothing here makes, changes or deletes anything in a token.

mod answer;
pub(crate) mod certificates;
mod ec_public_key;
mod found_key;
pub(crate) mod inventory;
mod key;
pub(crate) mod mechanisms;
pub(crate) mod module;
pub(crate) mod module_places;
mod objects;
mod pin;
mod place;
pub(crate) mod private_key;
mod public_half;
mod public_key;
mod seat;
mod sessions;
mod signing;
mod single_part;
mod token;
pub(crate) mod token_information;
pub(crate) mod uri;

use std::fmt;
use std::sync::{PoisonError, RwLock};

pub(crate) use answer::in_words;
pub(crate) use module::start;
pub use uri::Uri;

use super::{Environment, PrivateKey, SignerError, VerifyingKey};
use crate::failure::quote;
use crate::limits;
use crate::pki::Certificate;
use place::{Found, Place};

/// A private key in a token, ready to sign.
pub struct Pkcs11 {
    /// For messages.
    name: String,
    verifying_key: VerifyingKey,
    uri: Uri,
    environment: Environment,
    /// Where it is. `None` once that was given up and could not be found again.
    place: RwLock<Option<Place>>,
    warnings: Vec<String>,
}

impl Pkcs11 {
    /// Loads the module, finds the token, logs in once, and finds the key with its public half in the token. Where the token
    /// leaves open which public half it is, it is asked for one signature that tells.
    ///
    /// # Errors
    ///
    /// Whatever is wrong on the way, each told apart in [`SignerError`]. No PIN is given again that was refused.
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
            key: format!("of the certificate {}", quote(leaf.subject_text())),
            reason,
        })?;
        Pkcs11::open_any(uri, environment, Some(&certified))
    }

    /// Opens the key for the certificate `leaf` where there is one, as [`Pkcs11::open_certified`], else as [`Pkcs11::open`].
    ///
    /// # Errors
    ///
    /// As these.
    pub(crate) fn open_for(
        uri: &Uri,
        environment: &Environment,
        leaf: Option<&Certificate>,
    ) -> Result<Pkcs11, SignerError> {
        match leaf {
            Some(leaf) => Pkcs11::open_certified(uri, environment, leaf),
            None => Pkcs11::open(uri, environment),
        }
    }

    fn open_any(uri: &Uri, environment: &Environment, certified: Option<&VerifyingKey>) -> Result<Pkcs11, SignerError> {
        let module = module::open(uri, environment)?;
        let Found { place, verifying_key, name, warnings } = Place::find(module, uri, environment, certified, false)?;
        let (uri, environment, place) = (uri.clone(), environment.clone(), RwLock::new(Some(place)));
        Ok(Pkcs11 { name, verifying_key, uri, environment, place, warnings })
    }

    /// The X.509 certificates that the token holds, in DER, of any subject, in no order; none is checked. What is
    /// longer than [`limits::CERTIFICATE_BYTES`] is left out.
    ///
    /// # Errors
    ///
    /// [`SignerError::Certificates`] if there are more than [`limits::TOKEN_CERTIFICATES`], and whatever the token adds.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, SignerError> {
        let place = self.place.read().unwrap_or_else(PoisonError::into_inner);
        let sessions = &place.as_ref().ok_or_else(|| self.lost())?.sessions;
        let held = sessions.with(certificates::read)?.ok_or_else(|| {
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

    /// Goes to the key once more, by a module that answers to `C_Sign` by itself, unless another thread did so.
    fn go_again(&self) -> Result<(), SignerError> {
        let mut place = self.place.write().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = place.take_if(|place| place.wants_to_be_left()) else { return Ok(()) };
        let module = left.leave();
        let module = module::restart_for_single_part(module);
        let found = Place::find(module, &self.uri, &self.environment, Some(&self.verifying_key), true)?;
        *place = Some(found.place);
        Ok(())
    }

    fn lost(&self) -> SignerError {
        SignerError::TokenGone { token: self.name.clone(), answer: "it was not found again".to_owned() }
    }
}

impl PrivateKey for Pkcs11 {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        for again in [false, true] {
            {
                let place = self.place.read().unwrap_or_else(PoisonError::into_inner);
                let place = place.as_ref().ok_or_else(|| self.lost())?;
                match place.sign(message, &self.verifying_key, &self.name) {
                    // Not after a refused PIN, which is not given again.
                    Err(SignerError::SignatureRefused { .. }) if !again && place.wants_to_be_left() => {}
                    result => return result,
                }
            }
            self.go_again()?;
        }
        Err(self.lost())
    }
}

impl fmt::Debug for Pkcs11 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11({}, {})", self.name, self.verifying_key.kind().as_str())
    }
}
