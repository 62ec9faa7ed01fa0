//! Answers with the time at which they came.
//!
//! A responder that signs on demand makes its answer after the run has begun. A run that judges as of its own beginning
//! therefore notes when each answer came, and that is as late as an answer may have been made. What is judged as of another
//! time ([`Arrival`] says which) does not count it.

use std::sync::Arc;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::RevocationSource;
use crate::revocation::{Accepted, Answer, Arrival, Need};
use crate::trouble::Trouble;

/// A source whose answers are dated by the clock of this machine.
pub struct Dated {
    source: Arc<dyn RevocationSource>,
    run: OffsetDateTime,
}

impl Dated {
    /// Dates the answers of `source` for a run that judges as of `run`, its beginning.
    pub fn new(source: Arc<dyn RevocationSource>, run: OffsetDateTime) -> Dated {
        Dated { source, run }
    }

    fn now(&self) -> Arrival {
        Arrival { run: self.run, at: OffsetDateTime::now_utc() }
    }
}

#[async_trait]
impl RevocationSource for Dated {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        self.source.answer(need).await.map(|answer| answer.arrived(self.now()))
    }

    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let anew = self.source.refetch(need, refused).await?;
        Some(anew.map(|answer| answer.arrived(self.now())))
    }

    fn present(&self) -> Option<Arrival> {
        Some(self.now())
    }

    async fn store_verified(&self, accepted: &Accepted) {
        self.source.store_verified(accepted).await;
    }
}
