//! What has to be asked before the revocation check of a chain can be decided.

use std::fmt;

use bytes::Bytes;

use crate::failure::quote;

/// One answer that the revocation check of a chain needs. Everything that whoever fetches it must know is in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// The CRL, base or delta, at this address.
    Crl(String),
    /// An OCSP answer of the responder at this address.
    Ocsp {
        /// The responder's address, as the certificate has it.
        responder: String,
        /// The request, an `OCSPRequest` in DER: it names the certificate by serial number and issuer.
        request: Bytes,
    },
}

impl Need {
    /// The address that is asked; untrusted text.
    pub fn url(&self) -> &str {
        match self {
            Need::Crl(url) | Need::Ocsp { responder: url, .. } => url,
        }
    }
}

/// Safe to print.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Crl(url) => write!(f, "the CRL at {}", quote(url)),
            Need::Ocsp { responder, .. } => write!(f, "the OCSP responder at {}", quote(responder)),
        }
    }
}
