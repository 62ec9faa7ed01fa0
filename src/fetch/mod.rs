//! Fetching CRLs and OCSP answers: over HTTP, from notation's cache, from a folder.
//!
//! Who judges is [`crate::revocation`]. A [`RevocationSource`] hands over what a server, a cache or a folder holds,
//! unverified; it keeps nothing that was not verified first, follows no address but plain `http`, and reads nothing without
//! a bound. Sources are put together from layers: [`Http`], behind notation's [`Cache`], behind [`SingleFlight`], which asks
//! once for all.

mod budget;
mod cache;
mod cache_file;
mod candidate;
mod dated;
mod editions;
mod file_name;
mod folder;
mod http;
mod recording;
mod request;
mod scan;
mod single_flight;

pub use budget::{Budget, Permit};
pub use cache::Cache;
pub use dated::Dated;
pub use editions::Editions;
pub use folder::{Folder, FolderError};
pub use http::{Http, HttpOptions};
pub use recording::RecordingSource;
pub use single_flight::{SingleFlight, SingleFlightOptions};

use std::sync::Arc;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::revocation::{Accepted, Answer, Arrival, Need};
use crate::trouble::{Trouble, TroubleKind};

/// Where answers come from.
#[async_trait]
pub trait RevocationSource: Send + Sync {
    /// The answer to `need`, as it came, unverified. However many ask, the same need is asked of the network once.
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble>;

    /// Told of an answer that was not accepted. A source that did not have it from the server itself, but had kept it
    /// from before, asks the server now; so a cache that was tampered with costs one more request and never a verdict.
    /// `None`: this source has no other answer.
    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let _ = (need, refused);
        None
    }

    /// The present, for a run that judges as of its own beginning; `None` for one that judges as of another time.
    fn present(&self) -> Option<Arrival> {
        None
    }

    /// Told of an answer that was verified, so that it may be kept. Never fails: what cannot be kept is fetched again.
    async fn store_verified(&self, accepted: &Accepted) {
        let _ = accepted;
    }
}

/// `source` for one run: each answer is fetched once and remembered, and none takes the place of a newer one. A run that
/// judges as of its own beginning says when that was: `present`.
pub fn for_one_run(source: Arc<dyn RevocationSource>, present: Option<OffsetDateTime>) -> Arc<dyn RevocationSource> {
    let source = match present {
        Some(present) => Arc::new(Dated::new(source, present)),
        None => source,
    };
    Arc::new(Editions::new(Arc::new(SingleFlight::new(source, SingleFlightOptions::default()))))
}

/// Where a source says what its user should know, and what changes no verdict: one sentence without a full stop.
pub type Warn = Arc<dyn Fn(String) + Send + Sync>;

/// A source for those who never ask: nothing is recorded, and nothing is fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

#[async_trait]
impl RevocationSource for Offline {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        Err(Trouble::new(TroubleKind::Unreachable, format!("{need} is not asked")))
    }
}
