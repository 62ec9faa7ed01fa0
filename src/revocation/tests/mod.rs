//! Revocation as callers see it: chains, answers made here, and what [`evaluate`] says of them.

mod answers;
mod any_input;
mod chains;
mod crl;
mod delta;
mod foreign;
mod future;
mod long_list;
mod ocsp;
mod pointers;
mod rollback;

use time::macros::datetime;

use super::ocsp::request as ocsp_request;
pub(super) use super::*;
pub(super) use crate::forge::{Authority, Key, KeyKind, LeafRequest, Signer, tlv};
pub(super) use crate::pki::Certificate;
use crate::trouble::{Trouble, TroubleKind};
pub(super) use answers::{CrlAnswer, Entry, OcspReply, Single, extension, integer};
pub(super) use time::{Duration, OffsetDateTime};

pub(super) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub(super) const CRL: &str = "http://crl.test/ca.crl";
pub(super) const DELTA: &str = "http://crl.test/delta.crl";
pub(super) const OCSP: &str = "http://ocsp.test/one";
pub(super) const OTHER_OCSP: &str = "http://ocsp.test/two";

pub(super) fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

pub(super) fn authority() -> Authority {
    Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(0)).unwrap()
}

/// Certificates in DER, parsed.
pub(super) fn parsed(chain: &[Vec<u8>]) -> Vec<Certificate> {
    chain.iter().map(|der| Certificate::parse(der).unwrap()).collect()
}

/// A leaf that names these servers, the root that issued it, and what is recorded.
#[derive(Clone)]
pub(super) struct World {
    pub(super) root: Authority,
    pub(super) chain: Vec<Certificate>,
    pub(super) recorded: Recorded,
    pub(super) authentic: Option<OffsetDateTime>,
}

impl World {
    pub(super) fn new(crls: &[&str], responders: &[&str]) -> World {
        World::of(authority(), crls, responders)
    }

    pub(super) fn of(root: Authority, crls: &[&str], responders: &[&str]) -> World {
        let chain = root.issue(leaf(crls, responders)).unwrap().chain;
        World { root, chain: parsed(&chain), recorded: Recorded::default(), authentic: None }
    }

    pub(super) fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }

    /// A sound CRL of the root.
    pub(super) fn crl(&self) -> CrlAnswer {
        CrlAnswer::new(&self.root)
    }

    /// A sound OCSP answer of the root: good.
    pub(super) fn ocsp(&self) -> OcspReply {
        OcspReply::new(&self.root, Single::new(&self.root, self.leaf().serial()))
    }

    pub(super) fn serve(mut self, url: &str, bytes: Vec<u8>) -> World {
        let need = self.need(url);
        self.recorded.record(need, Ok(Answer::new(bytes)));
        self
    }

    /// Records `bytes` for the responder at `url`, whatever it will be asked.
    pub(super) fn respond(self, url: &str, bytes: Vec<u8>) -> World {
        self.record(url, Ok(Answer::new(bytes)))
    }

    pub(super) fn fail(self, url: &str, kind: TroubleKind) -> World {
        self.record(url, Err(Trouble::new(kind, "a server answers nothing")))
    }

    fn record(mut self, url: &str, answer: Result<Answer, Trouble>) -> World {
        let need = match self.leaf().ocsp_urls().contains(&url) {
            true => Need::Ocsp { responder: url.to_owned(), request: self.request() },
            false => self.need(url),
        };
        self.recorded.record(need, answer);
        self
    }

    /// The CRL of the leaf's issuer at `url`.
    pub(super) fn need(&self, url: &str) -> Need {
        Need::crl(url, &self.chain[1])
    }

    /// The request about the leaf.
    pub(super) fn request(&self) -> bytes::Bytes {
        ocsp_request(&self.chain[0], &self.chain[1]).unwrap()
    }

    pub(super) fn evaluate(&self) -> Evaluation {
        evaluate(&self.chain, &self.recorded, &AnswerCache::default(), NOW, self.authentic)
    }

    /// What is said of the leaf.
    pub(super) fn status(&self) -> CertificateStatus {
        self.evaluate().certificates.remove(0)
    }

    #[track_caller]
    pub(super) fn assert(&self, status: Status, message: &str) {
        let found = self.status();
        assert_eq!(found.status, status, "{found:#?}");
        assert!(found.message.contains(message), "{found:#?}");
        assert_eq!(found.message.is_empty(), status == Status::Good, "{found:#?}");
    }
}

pub(super) fn leaf(crls: &[&str], responders: &[&str]) -> LeafRequest {
    let owned = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect();
    let request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=signer", key(2)).unwrap();
    LeafRequest { crl_urls: owned(crls), ocsp_urls: owned(responders), ..request }
}

pub(super) fn revoked(since: OffsetDateTime) -> Status {
    Status::Revoked { since }
}
