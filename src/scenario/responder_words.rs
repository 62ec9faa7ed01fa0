//! The vocabularies of CRLs and OCSP responders. How they fail is the forge's to say ([`crate::forge::responder`]).

use super::words::words;
use crate::revocation::Status;

words! {
    /// What names a delta CRL.
    pub(super) DeltaNamedBy {
        /// The complete CRL.
        Crl "crl"
        /// The certificates, and not the complete CRL.
        Certificates "certificates"
    }
}

words! {
    /// Why a certificate is revoked.
    pub(super) Reason {
        /// No reason is stated.
        Unstated "unstated"
        /// It is not said which (0).
        Unspecified "unspecified"
        /// Somebody else may have the key (1).
        KeyCompromise "key-compromise"
        /// Somebody else may have the authority's key (2).
        AuthorityCompromise "authority-compromise"
        /// Its holder has gone elsewhere (3).
        AffiliationChanged "affiliation-changed"
        /// Another has taken its place (4).
        Superseded "superseded"
        /// It is no longer needed (5).
        CessationOfOperation "cessation-of-operation"
        /// For the time being (6).
        Hold "hold"
        /// It is good again (8): for delta CRLs.
        RemoveFromCrl "remove-from-crl"
        /// It may no longer do what it could (9).
        PrivilegeWithdrawn "privilege-withdrawn"
    }
}

words! {
    /// What is known of a certificate after asking.
    pub(super) StatusWord {
        /// It is not revoked.
        Good "good"
        /// It names nobody who could be asked, or is a root.
        NotCheckable "not-checkable"
        /// It is revoked.
        Revoked "revoked"
        /// Answers came, and none says that it is good.
        Unknown "unknown"
        /// No answer could be had.
        Unavailable "unavailable"
    }
}

words! {
    /// Where answers about revocation come from.
    pub(super) RevocationFrom {
        /// The responders of the world, over HTTP.
        Network "network"
        /// Nowhere: there is no network.
        Offline "offline"
    }
}

impl Reason {
    /// The CRLReason of RFC 5280; `None` where it is left out.
    pub(super) fn code(self) -> Option<u8> {
        match self {
            Reason::Unstated => None,
            Reason::Unspecified => Some(0),
            Reason::KeyCompromise => Some(1),
            Reason::AuthorityCompromise => Some(2),
            Reason::AffiliationChanged => Some(3),
            Reason::Superseded => Some(4),
            Reason::CessationOfOperation => Some(5),
            Reason::Hold => Some(6),
            Reason::RemoveFromCrl => Some(8),
            Reason::PrivilegeWithdrawn => Some(9),
        }
    }
}

impl StatusWord {
    /// The word for `status`.
    pub(super) fn of(status: Status) -> StatusWord {
        match status {
            Status::Good => StatusWord::Good,
            Status::NotCheckable => StatusWord::NotCheckable,
            Status::Revoked { .. } => StatusWord::Revoked,
            Status::Unknown => StatusWord::Unknown,
            Status::Unavailable => StatusWord::Unavailable,
        }
    }
}
