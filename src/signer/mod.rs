//! What signs: a private key in a file, in a token behind a PKCS #11 module, or behind a broker that asks people first ([`tsb`]).
//!
//! Follows *signature-specification*, Signature Algorithm Requirements: the key decides the algorithm, RSASSA-PSS with a
//! salt as long as the hash, or ECDSA as r‖s. A signature is handed out only after it was verified with the public key:
//! a broken module, a wrong public key or a flipped bit in memory yields an error, never a bad signature.
//!
//! Nothing here writes envelopes ([`crate::encode`] does), and nothing here asks for a secret on a command line: a PIN
//! comes from a file or from the environment, and is in no message.

pub mod approver;
mod certificate_chain_file;
mod core_dumps;
mod environment;
mod error;
mod foreign;
mod key_file;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
mod secret_file;
mod signature_form;
pub mod tsb;
mod verifying_key;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use certificate_chain_file::CertificateChainFile;
pub use core_dumps::forbid_core_dumps;
pub use environment::Environment;
pub use error::SignerError;
pub use key_file::KeyFile;
#[cfg(feature = "pkcs11")]
pub use pkcs11::Pkcs11;
pub(crate) use secret_file::{STANDARD_INPUT, fits_header, name_of_secret, open_to_others, without_pin};
pub use verifying_key::VerifyingKey;

use crate::pki::Certificate;

/// A private key that signs envelopes, wherever it is. Any number of threads may sign with it at once.
pub trait PrivateKey: fmt::Debug + Send + Sync {
    /// The public half of the key.
    fn verifying_key(&self) -> &VerifyingKey;

    /// Signs `message`, the bytes that an envelope wants signed, whole and unhashed. The signature has been verified and
    /// is in the form that both envelope formats use: RSASSA-PSS, or r‖s, each as long as the curve's order.
    ///
    /// # Errors
    ///
    /// [`SignerError::SignatureInvalid`] if what came out does not verify, and whatever the place of the key adds to it,
    /// such as [`SignerError::TokenGone`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// A signer that was opened, with what its owner should know.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The signer.
    pub signer: Arc<dyn PrivateKey>,
    /// What is not as it should be, though it hinders nothing: a file with a key or a PIN that others may read. Each is one sentence.
    pub warnings: Vec<String>,
}

/// Opens the key that a user named: a PKCS #11 URI (`pkcs11:…`), `-` for standard input, or else the path of a key file. (A file
/// of such a name is `./pkcs11:…` or `./-`.)
///
/// # Errors
///
/// Whatever `Pkcs11::open` and [`KeyFile::open`] say; [`SignerError::TokensLeftOut`] without the Cargo feature `pkcs11`.
pub fn open(key: &str, environment: &Environment) -> Result<Opened, SignerError> {
    if is_token(key) {
        return open_in_token(key, environment, None);
    }
    let signer = KeyFile::open(Path::new(key))?;
    let warnings = signer.warnings().to_vec();
    Ok(Opened { signer: Arc::new(signer), warnings })
}

/// Opens the key that a user named, as [`open`] does, to sign with the certificate `leaf`. A key in a token needs no public
/// half there then, and of several that the URI may mean it is the one that the certificate is for. Whether a key in a file
/// belongs to the certificate is for [`CertificateChainFile::check_belongs_to`] to say.
///
/// # Errors
///
/// As [`open`], and [`SignerError::CertificateOfAnother`].
pub fn open_certified(key: &str, environment: &Environment, leaf: &Certificate) -> Result<Opened, SignerError> {
    if is_token(key) {
        return open_in_token(key, environment, Some(leaf));
    }
    open(key, environment)
}

/// Whether `key` is meant as a PKCS #11 URI, right or wrong, and not as the path of a file.
pub(crate) fn is_token(key: &str) -> bool {
    const SCHEME: &str = "pkcs11:";
    key.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

#[cfg(feature = "pkcs11")]
fn open_in_token(key: &str, environment: &Environment, leaf: Option<&Certificate>) -> Result<Opened, SignerError> {
    let signer = Pkcs11::open_for(&key.parse()?, environment, leaf)?;
    let warnings = signer.warnings().to_vec();
    Ok(Opened { signer: Arc::new(signer), warnings })
}

#[cfg(not(feature = "pkcs11"))]
fn open_in_token(_: &str, _: &Environment, _: Option<&Certificate>) -> Result<Opened, SignerError> {
    Err(SignerError::TokensLeftOut)
}
