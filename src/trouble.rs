//! Trouble on the way: why something could not be had from a registry, a file, a server or a plugin.
//!
//! Trouble is never a verdict. What depends on it is undecided (`error` in a report): neither badly signed nor unsigned.

use crate::failure::{Code, Failure};

/// Trouble on the way: nothing is known of the artifact because of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// What happened where, as one sentence without a full stop; text from outside has been quoted.
    pub message: String,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// What was asked for by name is not there.
    NotFound,
    /// Nothing says which repository an artifact of a layout belongs to.
    RepositoryUnknown,
    /// No connection, a broken one, TLS that does not hold, or a server that keeps failing.
    Unreachable,
    /// The registry refuses: credentials missing, wrong or not enough.
    AccessDenied,
    /// No answer in time.
    TimedOut,
    /// The registry, or a server that it needs, answers too many requests no more, and says so.
    RateLimited,
    /// An answer that contradicts the request or itself: a wrong digest, no JSON, an address elsewhere.
    AnswerInvalid,
    /// An answer over a limit.
    AnswerTooLarge,
    /// Content has the digest of its descriptor, but not the size: the author of the descriptor is wrong, not the server.
    SizeMisstated,
    /// A manifest or blob that another one names is not there.
    ContentMissing,
    /// A file or a folder that was named is not what it must be, or may not be read or written.
    FileUnusable,
    /// A plugin that is needed is not there, or must not be run as it is.
    PluginMissing,
    /// A plugin was run, and did not answer as the contract says: it failed, hung, or wrote nonsense.
    PluginFailed,
}

impl Trouble {
    /// Trouble of `kind`.
    pub fn new(kind: TroubleKind, message: impl Into<String>) -> Trouble {
        Trouble { kind, message: message.into() }
    }
}

impl From<TroubleKind> for Code {
    fn from(kind: TroubleKind) -> Code {
        match kind {
            TroubleKind::NotFound => Code::NotFound,
            TroubleKind::RepositoryUnknown => Code::RepositoryUnknown,
            TroubleKind::Unreachable => Code::Unreachable,
            TroubleKind::AccessDenied => Code::AccessDenied,
            TroubleKind::TimedOut => Code::TimedOut,
            TroubleKind::RateLimited => Code::RateLimited,
            TroubleKind::AnswerInvalid | TroubleKind::SizeMisstated => Code::AnswerInvalid,
            TroubleKind::AnswerTooLarge => Code::AnswerTooLarge,
            TroubleKind::ContentMissing => Code::ContentMissing,
            TroubleKind::FileUnusable => Code::FileUnusable,
            TroubleKind::PluginMissing => Code::PluginMissing,
            TroubleKind::PluginFailed => Code::PluginFailed,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        Failure { code: trouble.kind.into(), message: trouble.message }
    }
}
