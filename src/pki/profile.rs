//! What a certificate must say to be used for signing artifacts.
//!
//! Follows the signature specification, *Certificate Requirements*. Every rule stands here once, with its sentence; the
//! order is that of the reference implementation. No rule looks at the time or at a trust store.

use crate::failure::{Code, Failure};

use super::certificate::Certificate;

/// The usages that a signing certificate must not have.
const NOT_FOR_LEAVES: [&str; 7] =
    ["keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"];

/// The purposes that a signing certificate must not have.
const PURPOSES_NOT_FOR_LEAVES: [(&str, &str); 6] = [
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("1.3.6.1.5.5.7.3.4", "emailProtection"),
    ("1.3.6.1.5.5.7.3.8", "timeStamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSPSigning"),
];

/// Checks a certificate that signs envelopes.
///
/// # Errors
///
/// [`Code::CertificateProfile`], [`Code::KeyUnsupported`] or [`Code::CertificateMalformed`]. The message speaks of the
/// certificate as "it".
pub(super) fn check_leaf(certificate: &Certificate) -> Result<(), Failure> {
    check_form(certificate)?;
    if certificate.is_ca() {
        return breach("it is a certificate authority, which must not sign artifacts itself");
    }
    check_key_usage(certificate, "digitalSignature")?;
    let usage = certificate.extensions().key_usage;
    if let Some(name) = usage.and_then(|usage| usage.names().find(|name| NOT_FOR_LEAVES.contains(name))) {
        return breach(format!("its key usage includes {name}"));
    }
    if let Some((purposes, _)) = &certificate.extensions().extended_key_usage {
        for (oid, name) in PURPOSES_NOT_FOR_LEAVES {
            if purposes.iter().any(|purpose| purpose == oid) {
                return breach(format!("its extended key usage includes {name}"));
            }
        }
    }
    match certificate.public_key() {
        Ok(_) => Ok(()),
        Err(failure) => Err(Failure::new(failure.code, format!("its public key cannot be used: {}", failure.message))),
    }
}

/// Checks a certificate that issues others, with `below` certificate authorities between it and the leaf.
///
/// # Errors
///
/// As [`check_leaf`], apart from the key.
pub(super) fn check_authority(certificate: &Certificate, below: usize) -> Result<(), Failure> {
    check_form(certificate)?;
    let Some(constraints) = certificate.extensions().basic_constraints else {
        return breach("it has no basic constraints");
    };
    if !constraints.ca {
        return breach("its basic constraints say that it is not a certificate authority");
    }
    if !constraints.critical {
        return breach("its basic constraints are not critical");
    }
    if let Some(allowed) = constraints.path_length
        && usize::try_from(allowed).is_ok_and(|allowed| allowed < below)
    {
        return breach(format!("its path length is {allowed}, but {below} certificate authorities are below it"));
    }
    check_key_usage(certificate, "keyCertSign")
}

fn check_form(certificate: &Certificate) -> Result<(), Failure> {
    match certificate.lapse() {
        Some(lapse) => Err(Failure::new(Code::CertificateMalformed, format!("it {lapse}"))),
        None => Ok(()),
    }
}

fn check_key_usage(certificate: &Certificate, needed: &str) -> Result<(), Failure> {
    let Some(usage) = certificate.extensions().key_usage else {
        return breach("it has no key usage");
    };
    if !usage.critical {
        return breach("its key usage is not critical");
    }
    if !usage.allows(needed) {
        return breach(format!("its key usage does not include {needed}"));
    }
    Ok(())
}

fn breach(message: impl Into<String>) -> Result<(), Failure> {
    Err(Failure::new(Code::CertificateProfile, message))
}
