//! What may stand in the place of a time stamp. How a token, or the certificate of who makes it, departs from the rules is
//! the forge's to say ([`crate::forge::TimestampDefect`], [`crate::forge::TsaCertificateDefect`]).

use super::words::words;

words! {
    /// What stands in the place of a time stamp.
    pub(super) StampedInstead {
        /// Nothing that can be read.
        Nonsense "nonsense"
        /// More than anybody reads.
        Oversize "oversize"
        /// The time stamp of the payload.
        StampOfPayload "stamp-of-payload"
        /// The answer of the authority, with the token inside.
        WholeAnswer "whole-answer"
    }
}
