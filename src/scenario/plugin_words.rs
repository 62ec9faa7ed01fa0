//! The vocabularies of verification plugins. How one behaves wrongly is the forge's to say
//! ([`crate::forge::plugin::PluginDefect`]).

use super::words::words;

words! {
    /// What a plugin can do.
    pub(super) Capability {
        /// Sign, which no verification asks for.
        SignatureGenerator "signature-generator"
        /// Judge who signed.
        TrustedIdentity "trusted-identity"
        /// Judge whether certificates are revoked.
        RevocationCheck "revocation-check"
    }
}

words! {
    /// What is wrong with the file of a plugin.
    pub(super) FileDefect {
        /// Nobody may run it.
        NotExecutable "not-executable"
        /// Everybody may write to it.
        WorldWritable "world-writable"
        /// It is a symbolic link.
        SymbolicLink "symbolic-link"
        /// A folder is in its place.
        Folder "folder"
        /// A pipe is in its place.
        Pipe "pipe"
    }
}
