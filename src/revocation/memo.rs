//! Remembers what was read of answers, so that a CRL is parsed and its signature verified once however many ask.

/// A memo shared by every decision of a run. It makes decisions faster and never changes one.
#[derive(Debug, Default)]
pub struct AnswerMemo {}
