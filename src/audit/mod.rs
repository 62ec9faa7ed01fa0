//! Auditing: every artifact that the targets hold, judged by one trust policy, in parallel, in order.
//!
//! Targets are *selected* into references as a stream, each reference is *collected* into evidence over the network, and
//! the evidence is *decided* on by a pool of threads, signature by signature. The stages are joined by bounds, so that
//! memory grows neither with the number of artifacts nor with that of their signatures; results come out in the order of
//! the targets. Trouble with one artifact, signature or repository becomes a result of its own and never stops the rest.

mod also;
mod answers;
mod artifact;
mod aside;
mod attached;
mod blob;
mod build_cache;
mod collect;
mod cosign_tag;
mod engine;
mod filter;
mod judged;
mod kinds;
mod listed;
mod lists;
mod order;
mod outcomes;
mod passed_over;
mod plan;
mod platform;
mod progress;
mod selected;
mod selection;
mod signatures;
mod slots;
mod sources;
mod tally;
mod target;
mod walk;

pub use also::{Also, AlsoError};
pub use answers::{AnswerSources, Answerable, decide_with_answers};
pub use aside::AsideCounts;
pub use blob::{BlobRequest, detached_signature, measure_blob};
pub use collect::{each_signature_of, evidence};
pub use engine::Audit;
pub use filter::{Filter, FilterError};
pub use judged::{Judged, ListedManifests, RepositoryFrom};
pub use kinds::{TargetKind, WriteSignature};
pub use lists::{Incomplete, ListCounts, ListKind};
pub use passed_over::{PassedOver, PassedOverCounts};
pub use platform::{PlatformError, PlatformFound, Platforms, WantedPlatform};
pub use progress::{Interrupt, Progress};
pub use selected::Selected;
pub use sources::{ScopeMissing, Sources};
pub use tally::Tally;
pub use target::Target;

pub(crate) use blob::judge_blob;
pub(crate) use engine::{audit_selected, audit_targets};
pub(crate) use plan::Plan;
