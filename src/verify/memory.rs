//! What decisions of a run share, so that no work is done twice. It makes them faster and never changes one.

use crate::pki::ChainCache;
use crate::revocation::AnswerMemo;

/// The memory of a run.
#[derive(Debug, Default)]
pub struct Memory {
    /// Certificate chains that were checked before.
    pub chains: ChainCache,
    /// CRLs and OCSP answers that were read before.
    pub answers: AnswerMemo,
}
