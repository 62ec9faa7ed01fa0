//! The index of the referrers tag schema (OCI distribution specification, *Referrers Tag Schema*), kept by clients where the
//! registry has no referrers API.
//!
//! Nothing locks it: a client reads it, adds to it and writes it, and so overwrites what another wrote in between. What was
//! written is therefore looked at until it has stayed for longer than a slow round of reading and writing takes, and what got
//! lost is added again after a pause by chance: one's own entry, and those of others that were seen, so that an entry is lost
//! only if no client saw it. What was read is never long in hand when it is written: a refusal or a fault has the index read
//! anew. One client that is alone pays for this with one short wait.
//!
//! The indexes that it replaced are deleted at the end, as the specification wants: those that this client wrote, or read
//! under the tag and that list referrers and nothing else. Registries delete with an index the tags that lead to it: the tag is
//! looked at before each deletion and after the last, whatever was answered to it, and is written again should it have led
//! there just then. An index that lists nothing stays, since the tags of all subjects that lost their referrers lead to one and
//! the same. Whether any other tag leads to one is not known without asking for all tags of the repository: such a tag is
//! deleted with it. What is under the tag and is no index is not written over, and the entries of others stay as they are.

mod keeper;

use crate::reference::Repository;
use crate::source::attachment::Attachment;
use crate::trouble::Trouble;

use super::Registry;
use super::push::Pushed;
use keeper::Keeper;

/// Why a referrer is not listed under the referrers tag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unlisted {
    /// The tag.
    pub tag: String,
    /// What kind of reason.
    pub cause: UnlistedCause,
    /// The reason in words.
    pub trouble: Trouble,
}

/// The kinds of reasons why a referrer is not listed under the referrers tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnlistedCause {
    /// The registry does not move tags.
    Immutable,
    /// The tag is there, and either no tag is moved or this user may not do so: the registry does not say which.
    MayNotMove,
    /// This user may not write the tag.
    Denied,
    /// There is no more room in the registry.
    Full,
    /// The registry does not take an index, or not under this tag.
    NotTaken,
    /// What is under the tag is no index of referrers.
    NotAnIndex,
    /// Other clients kept overwriting the index.
    Contended,
    /// The registry does not show what was written.
    NotShown,
    /// Something else.
    Failed,
}

/// A referrer that is listed, and the indexes that were replaced for that.
pub(crate) struct Tagged<'a>(Keeper<'a>);

impl Tagged<'_> {
    /// Deletes the indexes that were replaced, as far as the registry lets that be done.
    ///
    /// # Errors
    ///
    /// Why the referrer is not listed any more.
    pub(crate) async fn clear(mut self) -> Result<(), Unlisted> {
        self.0.clear().await
    }
}

/// Lists a referrer that was pushed.
pub(super) async fn list<'a>(
    registry: &'a Registry,
    repository: &'a Repository,
    attachment: &Attachment,
    pushed: Pushed,
) -> Result<Tagged<'a>, Unlisted> {
    let mut keeper = Keeper::new(registry, repository, attachment, pushed);
    keeper.keep().await?;
    Ok(Tagged(keeper))
}
