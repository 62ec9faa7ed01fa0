//! The vocabularies of verification plugins.

use super::words::words;

words! {
    /// What a verification plugin can do.
    pub(super) Capability {
        /// Judge who signed.
        TrustedIdentity "trusted-identity"
        /// Judge whether certificates are revoked.
        RevocationCheck "revocation-check"
    }
}

words! {
    /// How a plugin, or its file, departs from the contract.
    pub(super) PluginDefect {
        /// It is installed, but nobody may run it.
        NotExecutable "not-executable"
        /// Everybody may write to its file.
        WorldWritable "world-writable"
        /// Its file is a symbolic link.
        SymbolicLink "symbolic-link"
        /// A folder is in its place.
        Folder "folder"
        /// A pipe is in its place.
        Pipe "pipe"
        /// It says that it is called otherwise.
        OtherName "other-name"
        /// It speaks only version 2.0 of the contract.
        OtherContract "other-contract"
        /// It never ends.
        Hangs "hangs"
        /// It writes without end.
        Floods "floods"
        /// It writes to standard error without end.
        FloodsErrors "floods-errors"
        /// It leaves a child behind that holds its output open.
        Forks "forks"
        /// It writes no JSON.
        Nonsense "nonsense"
        /// It writes two JSON documents.
        TwoDocuments "two-documents"
        /// It writes an error, and ends as if all were well.
        ErrorWithoutStatus "error-without-status"
        /// It ends with an error, and says nothing.
        SilentError "silent-error"
        /// It ends with an error that says why.
        Error "error"
        /// A signal ends it.
        Killed "killed"
        /// It reads nothing of what it is asked.
        IgnoresInput "ignores-input"
        /// It leaves a result out that it was asked for.
        ResultMissing "result-missing"
    }
}
