//! A plugin for tests: a program that keeps notation's plugin contract, or breaks it in any way.
//!
//! Follows *plugin-extensibility*, contract 1.0, from the plugin's side and by its own means. A plugin has to be an
//! executable file, and Muster is one already: what [`PluginBehaviour::install`] puts into a plugin folder is a script
//! that starts it again, with a file that says how to behave. Every request is written down beside it, so that a test can
//! ask whether the plugin was run at all.

mod install;
mod perform;
mod signing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words::words;

pub use install::{InstalledPlugin, PluginRequest};
pub use perform::perform;

words! {
    /// What a plugin says of a capability for which it is asked.
    pub PluginVerdict {
        /// That it holds.
        Success "success"
        /// That it does not.
        Failure "failure"
        /// Nothing.
        Missing "missing"
    }
}

words! {
    /// Which attributes a plugin says to have processed.
    pub Processed {
        /// All that it was asked to.
        All "all"
        /// None.
        None "none"
        /// All that it was asked to, and one more.
        Extra "extra"
        /// Those that are listed.
        Listed "listed"
    }
}

words! {
    /// How a plugin signs wrongly.
    pub PluginSigningDefect {
        /// Another key signs than the chain's.
        AnotherKey "another-key"
        /// PKCS#1 v1.5, or ECDSA as ASN.1.
        OfCertificates "of-certificates"
        /// A bit of the signature is turned.
        WrongSignature "wrong-signature"
        /// The root is missing from the chain.
        NoRoot "no-root"
        /// The chain is turned around.
        ReversedChain "reversed-chain"
        /// The envelope is of another artifact.
        OtherArtifact "other-artifact"
        /// The payload has a member beside the artifact.
        AddedMember "added-member"
        /// The descriptor in the payload has a member that was not asked for.
        AddedToDescriptor "added-to-descriptor"
        /// The annotations are missing from the payload.
        NoAnnotations "no-annotations"
        /// The chain is empty.
        NoChain "no-chain"
        /// The answers speak of another key.
        OtherKeyId "other-key-id"
        /// The key is said to be of another kind than its certificate says.
        OtherKeySpec "other-key-spec"
        /// The key is said to be of a kind that does not sign.
        UnknownKeySpec "unknown-key-spec"
        /// The algorithm is said to be that of another key.
        OtherAlgorithm "other-algorithm"
        /// The envelope is said to be of another type.
        OtherEnvelopeType "other-envelope-type"
        /// The signature manifest is to have annotations that were not asked for, which the contract allows.
        MoreAnnotations "more-annotations"
    }
}

words! {
    /// How a plugin behaves as a program should not.
    pub PluginDefect {
        /// It never ends.
        Hang "hang"
        /// It writes to standard output without end.
        FloodStdout "flood-stdout"
        /// It writes to standard error without end, before it answers.
        FloodStderr "flood-stderr"
        /// It answers, and leaves a process behind that keeps its standard output open.
        Daemon "daemon"
        /// Its answer is no JSON.
        InvalidJson "invalid-json"
        /// It answers twice.
        TwoDocuments "two-documents"
        /// It answers nothing and says that all went well.
        NoAnswer "no-answer"
        /// It says that all went well, and writes an error.
        ErrorWithSuccess "error-with-success"
        /// It fails and says why.
        Error "error"
        /// It fails and says nothing.
        SilentError "silent-error"
        /// It fails and says why, but not in JSON.
        TextError "text-error"
        /// It fails with another exit code than 1, and says why.
        OtherExitCode "other-exit-code"
        /// A signal ends it.
        Signal "signal"
        /// It answers without reading the request.
        IgnoreStdin "ignore-stdin"
    }
}

/// How a plugin behaves. By default it can do nothing, and does it well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PluginBehaviour {
    /// The name that it claims; that of its folder where none is stated.
    pub name: Option<String>,
    /// Its version.
    pub version: String,
    /// The versions of the contract that it speaks.
    pub contract_versions: Vec<String>,
    /// What it can do, as the contract names it: `SIGNATURE_VERIFIER.TRUSTED_IDENTITY`.
    pub capabilities: Vec<String>,
    /// The plugin's verdict on the identity.
    pub identity: PluginVerdict,
    /// The plugin's verdict on revocation.
    pub revocation: PluginVerdict,
    /// Which attributes it says to have processed.
    pub processed: Processed,
    /// The attributes that are `listed`.
    pub attributes: Vec<String>,
    /// The settings that it has to be handed, these and no others; it fails if it is not. Any where none are stated.
    pub settings: BTreeMap<String, String>,
    /// The file with its signing key, PKCS#8 in PEM.
    pub key: Option<PathBuf>,
    /// The file with the certificate chain of the key in PEM, the signer's own first.
    pub chain: Option<PathBuf>,
    /// The signing time of its envelopes, in RFC 3339.
    pub signing_time: String,
    /// How it signs wrongly.
    pub signing_defect: Option<PluginSigningDefect>,
    /// How it behaves wrongly.
    pub defect: Option<PluginDefect>,
    /// The command in which it does, as `get-plugin-metadata`; all others where none is stated.
    pub defect_in: Option<String>,
    /// The code of its errors.
    pub error_code: String,
    /// Members to put into its answers, by command; null removes one.
    pub answers: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Default for PluginBehaviour {
    fn default() -> PluginBehaviour {
        PluginBehaviour {
            name: None,
            version: "1.0.0".to_owned(),
            contract_versions: vec!["1.0".to_owned()],
            capabilities: Vec::new(),
            identity: PluginVerdict::Success,
            revocation: PluginVerdict::Success,
            processed: Processed::All,
            attributes: Vec::new(),
            settings: BTreeMap::new(),
            key: None,
            chain: None,
            signing_time: "2026-01-01T00:00:00Z".to_owned(),
            signing_defect: None,
            defect: None,
            defect_in: None,
            error_code: "ERROR".to_owned(),
            answers: BTreeMap::new(),
        }
    }
}

impl PluginBehaviour {
    /// A plugin with these capabilities.
    pub fn able<const N: usize>(capabilities: [&str; N]) -> PluginBehaviour {
        PluginBehaviour { capabilities: capabilities.map(str::to_owned).to_vec(), ..PluginBehaviour::default() }
    }

    /// The defect that `command` shows, if any.
    fn defect_of(&self, command: &str) -> Option<PluginDefect> {
        let here = match &self.defect_in {
            Some(wanted) => wanted == command,
            None => command != perform::METADATA,
        };
        self.defect.filter(|_| here)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
