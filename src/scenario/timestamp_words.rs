//! The vocabularies of time stamps that depart from the rules. How a token does is the forge's to say
//! ([`crate::forge::TimestampDefect`]).

use super::words::words;

words! {
    /// How the certificate of a time stamping authority departs from the rules.
    pub(super) StamperDefect {
        /// It has no extended key usage.
        NoPurpose "no-purpose"
        /// Its extended key usage is not critical.
        PurposeNotCritical "purpose-not-critical"
        /// It is for code signing too.
        PurposeExtra "purpose-extra"
        /// It is for code signing.
        WrongPurpose "wrong-purpose"
        /// It has no key usage.
        NoKeyUsage "no-key-usage"
        /// Its key usage is not for signatures.
        WrongKeyUsage "wrong-key-usage"
        /// It is an authority's.
        IsAnAuthority "is-an-authority"
    }
}

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
