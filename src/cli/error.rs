//! Why a command ends without a result: one enum, printed in one place, from which the exit code follows.

use std::io;

use super::config_folder::ConfigFolderError;
use super::console::Console;
use super::exit::Exit;
use crate::diagnostic::Diagnostic;
use crate::report::Problem;
use crate::trouble::Trouble;

/// Why a command ends without a result.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The command line is wrong, or names what cannot be used.
    #[error("{0}")]
    Usage(String),
    /// Several targets are wrong.
    #[error("{}", .0.join("; "))]
    Targets(Vec<String>),
    /// There is no folder with a configuration, or it lacks a file.
    #[error(transparent)]
    ConfigFolder(#[from] ConfigFolderError),
    /// A trust policy or a scenario is malformed.
    #[error("{}", .0.iter().map(|found| found.message.as_str()).collect::<Vec<_>>().join("; "))]
    Malformed(Vec<Diagnostic>),
    /// Every statement of the trust policy lacks a trust store.
    #[error("{}", .0.join("; "))]
    TrustStores(Vec<String>),
    /// Expectations of scenarios could not be rewritten.
    #[error("{}", .0.join("; "))]
    NotRewritten(Vec<String>),
    /// A report could not be written.
    #[error(transparent)]
    Report(#[from] Problem),
    /// A registry, a layout or a file failed.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// The work was done, and its result is not what was wanted.
    #[error("{0}")]
    Failed(String),
    /// The work could not be done.
    #[error("{0}")]
    Undecided(String),
    /// The asynchronous runtime could not be started.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    /// There was nothing to judge.
    #[error("{0}")]
    Nothing(String),
}

impl CliError {
    /// What the error means for the exit code.
    pub(super) fn exit(&self) -> Exit {
        match self {
            CliError::Usage(_)
            | CliError::Targets(_)
            | CliError::ConfigFolder(_)
            | CliError::Malformed(_)
            | CliError::TrustStores(_)
            | CliError::Report(Problem::Twice(_) | Problem::Open(..)) => Exit::Usage,
            CliError::NotRewritten(_) | CliError::Failed(_) => Exit::Failed,
            CliError::Report(Problem::Write(..) | Problem::Closed)
            | CliError::Trouble(_)
            | CliError::Undecided(_)
            | CliError::Start(_) => Exit::Undecided,
            CliError::Nothing(_) => Exit::Nothing,
        }
    }

    /// Says it on standard error.
    pub(super) fn print(&self, console: Console) {
        match self {
            CliError::Malformed(found) => found.iter().for_each(|error| console.diagnose(error)),
            CliError::Targets(messages) | CliError::NotRewritten(messages) => {
                messages.iter().for_each(|message| console.error(message));
            }
            CliError::TrustStores(messages) => {
                messages.iter().for_each(|message| console.error(message));
                console.detail("every statement of the trust policy needs a trust store that is missing or invalid");
            }
            other => console.error(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::TroubleKind;

    #[test]
    fn the_exit_code_follows_from_the_error() {
        let trouble = Trouble::new(TroubleKind::Unreachable, "no connection");
        for (error, exit) in [
            (CliError::Usage("x".to_owned()), Exit::Usage),
            (CliError::Malformed(Vec::new()), Exit::Usage),
            (CliError::TrustStores(Vec::new()), Exit::Usage),
            (CliError::Report(Problem::Closed), Exit::Undecided),
            (CliError::Trouble(trouble), Exit::Undecided),
            (CliError::Start(io::ErrorKind::OutOfMemory.into()), Exit::Undecided),
            (CliError::NotRewritten(Vec::new()), Exit::Failed),
            (CliError::Failed("x".to_owned()), Exit::Failed),
            (CliError::Undecided("x".to_owned()), Exit::Undecided),
            (CliError::Nothing("nothing".to_owned()), Exit::Nothing),
        ] {
            assert_eq!(error.exit(), exit, "{error:?}");
        }
    }
}
