//! What has to be asked before the revocation check of a chain can be decided.

use std::fmt;

use bytes::Bytes;

use crate::digest::Digest;
use crate::failure::quote;
use crate::pki::Certificate;

/// One answer that the revocation check of a chain needs. It holds everything that fetching it takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// The CRL, base or delta, of this issuer at this address. What another issuer has there is another need, so that
    /// nothing that is found out about the one touches the other.
    Crl {
        /// The address, as the certificate or the base CRL has it.
        url: String,
        /// Who must have signed it.
        issuer: Issuer,
    },
    /// An OCSP answer of the responder at this address.
    Ocsp {
        /// The responder's address, as the certificate has it.
        responder: String,
        /// The request, an `OCSPRequest` in DER: it names the certificate by serial number and issuer.
        request: Bytes,
    },
}

/// Who issues certificates and CRLs: a name with a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// The name, in DER.
    pub name: Bytes,
    /// The SHA-256 digest of the bits of the key.
    pub key: Digest,
}

impl Issuer {
    /// The subject of `certificate`, by its name and key.
    pub fn of(certificate: &Certificate) -> Issuer {
        let name = Bytes::copy_from_slice(certificate.subject_raw());
        Issuer { name, key: Digest::sha256(certificate.key_bits()) }
    }

    /// Name and key in one digest, for the names of files.
    pub(crate) fn digest(&self) -> Digest {
        Digest::sha256(&[self.key.bytes(), &self.name].concat())
    }
}

impl Need {
    /// The CRL of `issuer` at `url`.
    pub fn crl(url: impl Into<String>, issuer: &Certificate) -> Need {
        Need::Crl { url: url.into(), issuer: Issuer::of(issuer) }
    }

    /// About how many bytes it takes beside itself.
    pub(crate) fn weight(&self) -> usize {
        let request = match self {
            Need::Crl { issuer, .. } => issuer.name.len(),
            Need::Ocsp { request, .. } => request.len(),
        };
        self.url().len() + request
    }

    /// The address that is asked; untrusted text.
    pub fn url(&self) -> &str {
        match self {
            Need::Crl { url, .. } | Need::Ocsp { responder: url, .. } => url,
        }
    }
}

/// Safe to print.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Crl { url, .. } => write!(f, "the CRL at {}", quote(url)),
            Need::Ocsp { responder, .. } => write!(f, "the OCSP responder at {}", quote(responder)),
        }
    }
}
