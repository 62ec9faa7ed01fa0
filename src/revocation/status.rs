//! What is known of certificates after asking: per certificate, and per server that was asked about it.

use time::OffsetDateTime;

use super::Answer;
use super::Need;
use crate::digest::Digest;

/// What the revocation check of a chain found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Every certificate of the chain, leaf first; the root, which cannot be revoked, is [`Status::NotCheckable`].
    pub certificates: Vec<CertificateStatus>,
    /// What has to be asked and recorded before more can be said. While there is any, the status of some certificate is
    /// [`Status::Unavailable`].
    pub needs: Vec<Need>,
    /// Answers whose signature holds and which are current: worth remembering.
    pub accepted: Vec<Accepted>,
}

/// A certificate and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateStatus {
    /// The subject of the certificate; safe to print.
    pub subject: String,
    /// What was found.
    pub status: Status,
    /// Why the status is not good, as one sentence without a full stop; empty when it is good or cannot be checked.
    pub message: String,
    /// The servers that had a part in it, in the order in which they were considered.
    pub servers: Vec<ServerStatus>,
}

impl CertificateStatus {
    /// About how many bytes this status takes in memory beside itself.
    pub(crate) fn weight(&self) -> usize {
        let server = |server: &ServerStatus| size_of::<ServerStatus>() + server.url.len() + server.message.len();
        self.subject.len() + self.message.len() + self.servers.iter().map(server).sum::<usize>()
    }
}

/// What is known of a certificate, or what one server says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The certificate is not revoked.
    Good,
    /// The certificate names neither an OCSP responder nor a CRL, or is a root: it counts as good.
    NotCheckable,
    /// The certificate is revoked.
    Revoked {
        /// Since when, as the issuer says.
        since: OffsetDateTime,
    },
    /// Answers came, and none of them says that it is good.
    Unknown,
    /// No answer could be fetched: the network, a server that is down, nothing recorded.
    Unavailable,
}

/// What one server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// How the server was asked.
    pub method: Method,
    /// The address of the server; untrusted text.
    pub url: String,
    /// The status of the certificate by this server's answer; never [`Status::NotCheckable`].
    pub status: Status,
    /// Why that is not good, as one sentence without a full stop; empty when it is good.
    pub message: String,
}

/// How a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By OCSP (RFC 6960).
    Ocsp,
    /// By fetching a CRL (RFC 5280).
    Crl,
}

/// An answer that was verified, and is current: a CRL of it may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What was needed: a base CRL, or an OCSP answer.
    pub need: Need,
    /// The answer.
    pub answer: Answer,
    /// The delta that belongs to a base CRL which names one.
    pub delta: Option<Answer>,
    /// The CRLs kept from before that the same key signed: they alone are known to be the issuer's.
    pub before: Vec<Digest>,
}

impl Status {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Good => "good",
            Status::NotCheckable => "not-checkable",
            Status::Revoked { .. } => "revoked",
            Status::Unknown => "unknown",
            Status::Unavailable => "unavailable",
        }
    }
}

impl Method {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Ocsp => "ocsp",
            Method::Crl => "crl",
        }
    }
}
