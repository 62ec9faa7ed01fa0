//! What every validation of a signature may look at.

use time::OffsetDateTime;

use super::Rules;
use crate::evidence::Evidence;
use crate::policy::Statement;

/// One artifact before its judge: the evidence, the statement that applies, the rules, and the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) statement: &'a Statement,
    pub(super) rules: &'a Rules<'a>,
    pub(super) at: OffsetDateTime,
}
