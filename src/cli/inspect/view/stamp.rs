//! What is shown of a time stamp: what it says. Whether its authority is trusted is for `muster verify`.

use serde::Serialize;

use super::super::super::tree::Tree;
use super::Issued;
use crate::failure::Failure;
use crate::rfc3339::instant_in_utc;
use crate::timestamp::Token;

/// A time stamp, or why there is nothing to show of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Stamp {
    Read {
        /// From when to when the true time may have been, as notation writes it.
        timestamp: String,
        certificates: Vec<Issued>,
    },
    Broken {
        error: String,
    },
}

impl Stamp {
    /// What `token` says, which should be of `signature`.
    pub(super) fn of(token: &Token, signature: &[u8]) -> Stamp {
        Stamp::read(token, signature).unwrap_or_else(|failure| Stamp::Broken { error: failure.message })
    }

    fn read(token: &Token, signature: &[u8]) -> Result<Stamp, Failure> {
        let stamp = token.read()?;
        stamp.check_message(signature)?;
        let (time, accuracy) = (stamp.gen_time(), stamp.accuracy());
        let [earliest, latest] = [time.saturating_sub(accuracy), time.saturating_add(accuracy)].map(instant_in_utc);
        let certificates = stamp.certificates().iter().map(|held| Issued::of(held, held.issuer_text())).collect();
        Ok(Stamp::Read { timestamp: format!("[{earliest}, {latest}]"), certificates })
    }

    pub(super) fn tree(&self) -> Tree {
        match self {
            Stamp::Broken { error } => Tree::pair("timestamp signature", format_args!("error: {error}")),
            Stamp::Read { timestamp, certificates } => Tree::new("timestamp signature").with([
                Tree::pair("timestamp", timestamp),
                Tree::new("certificates").with(certificates.iter().map(Issued::tree)),
            ]),
        }
    }
}
