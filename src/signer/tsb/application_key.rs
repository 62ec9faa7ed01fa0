//! The key by which an application signs what it asks of a broker, where the broker wants that.
//!
//! Follows the vendor's client: RSA PKCS #1 v1.5 with SHA-256 over the compact JSON of `signRequest`, and over the metadata.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};

use super::TsbError;
use super::secrets::setting_file;
use crate::failure::quote;
use crate::limits;
use crate::pem;
use crate::tsb::RequestSignature;

/// The key.
pub(super) struct ApplicationKey {
    pair: RsaKeyPair,
}

impl ApplicationKey {
    /// Reads it from a PEM file, PKCS #8 or PKCS #1, not encrypted.
    pub(super) fn load(path: &std::path::Path) -> Result<ApplicationKey, TsbError> {
        let name = quote(&path.display().to_string());
        let refused = || {
            TsbError::Setting(format!(
                "the file {name} of the setting application-key holds no RSA key of 2048 to 8192 bits in PEM that is not encrypted"
            ))
        };
        let bytes = setting_file("application-key", path, limits::KEY_FILE_BYTES)?;
        let blocks = pem::blocks(&bytes).map_err(|_| refused())?;
        for block in &blocks {
            let content = block.content().map_err(|_| refused())?;
            let pair = match block.label.as_str() {
                "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&content),
                "RSA PRIVATE KEY" if !block.has_headers() => RsaKeyPair::from_der(&content),
                _ => continue,
            };
            return pair.map(|pair| ApplicationKey { pair }).map_err(|_| refused());
        }
        Err(refused())
    }

    /// A signature over `bytes`, in base64.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<String, TsbError> {
        let failed = |_| TsbError::Setting("the application-key could not sign the request".to_owned());
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature).map_err(failed)?;
        Ok(STANDARD.encode(signature))
    }

    /// The signature of a request whose compact JSON is `request`.
    pub(super) fn of_request(&self, request: &[u8]) -> Result<RequestSignature, TsbError> {
        let failed = |_| TsbError::Setting("the public half of the application-key cannot be written".to_owned());
        let public: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(failed)?;
        Ok(RequestSignature {
            signature: self.sign(request)?,
            digest_algorithm: "SHA-256".to_owned(),
            public_key: STANDARD.encode(public.as_ref()),
        })
    }
}

impl fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApplicationKey")
    }
}
