//! What a certificate must say to be used for signing artifacts or time stamps.
//!
//! Follows the signature specification, *Certificate Requirements*. Every rule stands here once, with its sentence; the
//! order is that of the reference implementation. No rule looks at the time or at a trust store.

use crate::failure::{Code, Failure, quote};

use super::certificate::Certificate;
use super::general_name::NameForm;

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

/// id-kp-timeStamping.
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// anyExtendedKeyUsage.
const ANY_PURPOSE: &str = "2.5.29.37.0";
/// The attribute emailAddress of subjects (RFC 5280, section 4.1.2.6).
const EMAIL: &str = "1.2.840.113549.1.9.1";

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
    check_key_usage(certificate, "digitalSignature", true)?;
    check_usage_of_leaves(certificate)?;
    if let Some((purposes, _)) = &certificate.extensions().extended_key_usage {
        for (oid, name) in PURPOSES_NOT_FOR_LEAVES {
            if purposes.iter().any(|purpose| purpose == oid) {
                return breach(format!("its extended key usage includes {name}"));
            }
        }
    }
    check_key(certificate)
}

/// Checks a certificate that signs time stamps. Its extended key usage is critical, and time stamping alone; whether its
/// key usage is critical is its own affair.
///
/// # Errors
///
/// As [`check_leaf`].
pub(crate) fn check_timestamping_leaf(certificate: &Certificate) -> Result<(), Failure> {
    check_form(certificate)?;
    if certificate.is_ca() {
        return breach("it is a certificate authority, which must not sign time stamps itself");
    }
    check_key_usage(certificate, "digitalSignature", false)?;
    check_usage_of_leaves(certificate)?;
    match &certificate.extensions().extended_key_usage {
        Some((purposes, true)) if *purposes == [TIME_STAMPING] => {}
        Some((purposes, false)) if *purposes == [TIME_STAMPING] => {
            return breach("its extended key usage is not critical");
        }
        Some(_) => return breach("its extended key usage is not timeStamping alone"),
        None => return breach("it has no extended key usage"),
    }
    check_critical(certificate)?;
    check_key(certificate)
}

/// Checks a certificate that issues others in a chain for time stamping; `below` are the certificates below it, leaf first.
/// Purposes that it is limited to include time stamping.
///
/// # Errors
///
/// As [`check_authority`].
pub(crate) fn check_timestamping_authority(certificate: &Certificate, below: &[&Certificate]) -> Result<(), Failure> {
    check_form(certificate)?;
    // The first of those below is the leaf.
    check_constraints(certificate, below.len().saturating_sub(1))?;
    check_key_usage(certificate, "keyCertSign", false)?;
    if let Some((purposes, _)) = &certificate.extensions().extended_key_usage
        && !purposes.iter().any(|purpose| [TIME_STAMPING, ANY_PURPOSE].contains(&purpose.as_str()))
    {
        return breach("its extended key usage does not include timeStamping");
    }
    check_critical(certificate)?;
    check_demands(certificate, below)
}

/// Checks a certificate that issues others, with `below` certificate authorities between it and the leaf.
///
/// # Errors
///
/// As [`check_leaf`], apart from the key.
pub(super) fn check_authority(certificate: &Certificate, below: usize) -> Result<(), Failure> {
    check_form(certificate)?;
    check_constraints(certificate, below)?;
    check_key_usage(certificate, "keyCertSign", true)
}

fn check_constraints(certificate: &Certificate, below: usize) -> Result<(), Failure> {
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
    Ok(())
}

fn check_form(certificate: &Certificate) -> Result<(), Failure> {
    match certificate.lapse() {
        Some(lapse) => Err(Failure::new(Code::CertificateMalformed, format!("it {lapse}"))),
        None => Ok(()),
    }
}

fn check_key(certificate: &Certificate) -> Result<(), Failure> {
    match certificate.public_key() {
        Ok(_) => Ok(()),
        Err(failure) => Err(Failure::new(failure.code, format!("its public key cannot be used: {}", failure.message))),
    }
}

fn check_usage_of_leaves(certificate: &Certificate) -> Result<(), Failure> {
    let usage = certificate.extensions().key_usage;
    match usage.and_then(|usage| usage.names().find(|name| NOT_FOR_LEAVES.contains(name))) {
        Some(name) => breach(format!("its key usage includes {name}")),
        None => Ok(()),
    }
}

/// Refuses critical extensions that are not heeded here, as RFC 5280 demands and the reference implementation does for time
/// stamping.
fn check_critical(certificate: &Certificate) -> Result<(), Failure> {
    match certificate.extensions().critical_ignored.first() {
        Some(oid) => breach(format!("it has a critical extension that is not heeded here ({oid})")),
        None => Ok(()),
    }
}

/// Refuses what an authority demands of the certificates `below` it and nothing here compares: names within its constraints,
/// critical or not, and policies. What its constraints do not concern may stand below it.
fn check_demands(certificate: &Certificate, below: &[&Certificate]) -> Result<(), Failure> {
    let extensions = certificate.extensions();
    if extensions.demands_policy {
        return breach("its policy constraints demand a certificate policy, and policies are not compared");
    }
    let Some((limited, critical)) = extensions.limited_names else { return Ok(()) };
    let compared = [NameForm::Email, NameForm::Dns, NameForm::Uri, NameForm::Ip];
    if critical && let Some(form) = limited.without(&compared).next() {
        return breach(format!(
            "its critical name constraints limit names of the form {}, which are not compared",
            form.as_str()
        ));
    }
    for other in below {
        let form = limited.common(other.extensions().alternative_names).find(|form| compared.contains(form));
        // Before there were alternative names, addresses stood in the subject.
        let form =
            form.or_else(|| (limited.has(NameForm::Email) && other.subject().has(EMAIL)).then_some(NameForm::Email));
        if let Some(form) = form {
            let (form, other) = (form.as_str(), quote(other.subject_text()));
            return breach(format!(
                "its name constraints limit names of the form {form}, which {other} has, and they are not compared"
            ));
        }
    }
    Ok(())
}

fn check_key_usage(certificate: &Certificate, needed: &str, critical: bool) -> Result<(), Failure> {
    let Some(usage) = certificate.extensions().key_usage else {
        return breach("it has no key usage");
    };
    if critical && !usage.critical {
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
