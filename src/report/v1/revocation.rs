//! What a report says of revocation: each certificate, and each server that was asked about it.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::printable;
use crate::revocation;

/// What was found of one certificate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus<'a> {
    /// Its subject.
    pub subject: Cow<'a, str>,
    /// What was found.
    pub status: RevocationStatus,
    /// Why the status is not good, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
    /// The servers that had a part in it, in the order in which they were considered.
    pub servers: Vec<ServerStatus<'a>>,
}

/// What one server said of a certificate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus<'a> {
    /// The method: CRL or OCSP.
    pub method: RevocationMethod,
    /// The server's address, control characters escaped.
    pub url: Cow<'a, str>,
    /// The certificate's status by this server's answer.
    pub status: RevocationStatus,
    /// The reason why the status is not good, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationStatus {
    /// It is not revoked.
    Good,
    /// It is a root, or names no server that could be asked: it counts as good.
    NotCheckable,
    /// It is revoked.
    Revoked,
    /// Answers came, and none of them says that it is good.
    Unknown,
    /// No answer could be had.
    Unavailable,
}

/// How a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationMethod {
    /// By OCSP (RFC 6960).
    Ocsp,
    /// By fetching a CRL (RFC 5280).
    Crl,
}

impl<'a> From<&'a revocation::CertificateStatus> for CertificateStatus<'a> {
    fn from(found: &'a revocation::CertificateStatus) -> CertificateStatus<'a> {
        CertificateStatus {
            subject: Cow::Borrowed(&found.subject),
            status: found.status.into(),
            message: said(&found.message),
            servers: found.servers.iter().map(ServerStatus::from).collect(),
        }
    }
}

impl<'a> From<&'a revocation::ServerStatus> for ServerStatus<'a> {
    fn from(found: &'a revocation::ServerStatus) -> ServerStatus<'a> {
        ServerStatus {
            method: match found.method {
                revocation::Method::Ocsp => RevocationMethod::Ocsp,
                revocation::Method::Crl => RevocationMethod::Crl,
            },
            url: printable(&found.url),
            status: found.status.into(),
            message: said(&found.message),
        }
    }
}

impl From<revocation::Status> for RevocationStatus {
    fn from(status: revocation::Status) -> RevocationStatus {
        match status {
            revocation::Status::Good => RevocationStatus::Good,
            revocation::Status::NotCheckable => RevocationStatus::NotCheckable,
            revocation::Status::Revoked { .. } => RevocationStatus::Revoked,
            revocation::Status::Unknown => RevocationStatus::Unknown,
            revocation::Status::Unavailable => RevocationStatus::Unavailable,
        }
    }
}

fn said(message: &str) -> Option<Cow<'_, str>> {
    (!message.is_empty()).then_some(Cow::Borrowed(message))
}
