//! The names of files that hold answers.
//!
//! `crl/` and the hexadecimal SHA-256 of the address is where notation keeps the CRL of that address; the others stand
//! beside it, made alike. No part of an address ever becomes part of a path: it was written by a stranger.

use crate::digest::Digest;
use crate::revocation::{Issuer, Need};

/// The folder of CRLs.
pub(super) const CRLS: &str = "crl";
/// The folder of OCSP answers.
pub(super) const OCSP: &str = "ocsp";

/// The name of the CRL at `url` in notation's cache.
pub(super) fn crl(url: &str) -> String {
    Digest::sha256(url.as_bytes()).hex()
}

/// The name of the CRL of `issuer` at `url` in the same folder, where another issuer's has the name that notation gives it.
pub(super) fn crl_of(url: &str, issuer: &Issuer) -> String {
    format!("{}-{}", crl(url), issuer.digest().hex())
}

/// Folder, name and ending of the file that holds the answer to `need` as it came.
pub(super) fn of(need: &Need) -> (&'static str, String, &'static str) {
    match need {
        Need::Crl { url, issuer } => (CRLS, crl_of(url, issuer), "crl"),
        Need::Ocsp { responder, request } => {
            // The address hashed for itself, so that no two needs run together into the same bytes.
            let asked = [Digest::sha256(responder.as_bytes()).bytes(), request].concat();
            (OCSP, Digest::sha256(&asked).hex(), "ocsp")
        }
    }
}

/// The ending of a file that says why there is no answer.
pub(super) const TROUBLE: &str = "trouble";
/// The ending of a file that says when an answer came.
pub(super) const TIME: &str = "time";
