//! What is shared by every question about a certificate, and what comes of one.

use time::OffsetDateTime;

use super::answer_error::AnswerError;
use super::{Accepted, Answer, AnswerCache, Need, Recorded, ServerStatus, Status, http_url};
use crate::pki::Certificate;

/// What the certificates of a chain are judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) recorded: &'a Recorded,
    pub(super) cache: &'a AnswerCache,
    pub(super) at: OffsetDateTime,
    pub(super) authentic_signing_time: Option<OffsetDateTime>,
}

/// A certificate, who issued it, and what it is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct CertAndIssuer<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) issuer: &'a Certificate,
    pub(super) context: Context<'a>,
}

/// The findings about one certificate: each server's status, what still has to be asked, and the answers that verified.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) servers: Vec<ServerStatus>,
    pub(super) needs: Vec<Need>,
    pub(super) accepted: Vec<Accepted>,
}

/// What all servers of one method say of a certificate together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MethodVerdict {
    pub(super) status: Status,
    pub(super) message: String,
    /// Whether no other server has to be asked, or can be before an answer is there.
    pub(super) settled: bool,
}

impl MethodVerdict {
    pub(super) fn good() -> MethodVerdict {
        MethodVerdict { status: Status::Good, message: String::new(), settled: true }
    }

    /// An unknown status, not settled, which asking again would not change.
    pub(super) fn unknown(message: String) -> MethodVerdict {
        MethodVerdict { status: Status::Unknown, message, settled: false }
    }
}

/// The recorded answer to a need, if it was asked.
pub(super) enum RecordedAnswer<'a> {
    NotAsked(Need),
    Answer(&'a Answer),
}

impl<'a> Context<'a> {
    /// What is recorded of `need`; an error if asking failed, or if it must not be asked at all.
    pub(super) fn recorded_answer(&self, need: Need) -> Result<RecordedAnswer<'a>, AnswerError> {
        check_address(need.url())?;
        match self.recorded.get(&need) {
            None => Ok(RecordedAnswer::NotAsked(need)),
            Some(Ok(answer)) => Ok(RecordedAnswer::Answer(answer)),
            Some(Err(trouble)) => Err(trouble.into()),
        }
    }
}

/// Checks that `url` may be asked: by HTTP, as *signing-and-verification-workflow* and the reference implementation have it.
fn check_address(url: &str) -> Result<(), AnswerError> {
    http_url::parse(url).map(drop).map_err(|why| AnswerError::from(format!("cannot be fetched: its URL {why}")))
}
