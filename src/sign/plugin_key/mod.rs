//! A key behind a plugin, which signs for Muster or makes the whole envelope.
//!
//! Follows *plugin-extensibility*, Signature Generator: a plugin that signs bytes (`SIGNATURE_GENERATOR.RAW`) is preferred
//! to one that makes envelopes (`SIGNATURE_GENERATOR.ENVELOPE`). Whatever comes back is checked before it is used: the key
//! that was asked for, of the kind that was said, the algorithm that belongs to it, a chain with its root that may sign and is
//! valid now, a signature that verifies, and an envelope that says what was requested.

mod envelope;
mod raw;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::KeyError;
use super::signature::{SignError, SignRequest, UnfinishedEnvelope};
use crate::failure::{Failure, quote};
use crate::pki::KeyKind;
use crate::plugin::{
    Command, GENERATOR_ENVELOPE, GENERATOR_RAW, NameError, PluginConfig, PluginMetadata, PluginName, binary, question,
    read_answer,
};
use crate::plugin_host::{self, PluginHost};
use crate::source::Attachment;
use crate::trouble::Trouble;

/// A key that a plugin knows by `id`.
#[derive(Clone)]
pub struct PluginKey {
    host: Arc<dyn PluginHost>,
    plugin: PluginMetadata,
    id: String,
    config: PluginConfig,
    way: Way,
}

/// How the plugin signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Bytes, with a key of this kind.
    Raw(KeyKind),
    /// Envelopes.
    Envelope,
}

/// Why a key behind a plugin does not sign. One sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginKeyError {
    /// There is no such plugin by its name.
    #[error("the signing plugin {0}")]
    Name(#[from] NameError),
    /// The plugin is not there, or did not answer.
    #[error("{0}")]
    Trouble(#[from] Trouble),
    /// The plugin is not what it should be.
    #[error("{0}")]
    Metadata(#[from] Failure),
    /// The plugin does not sign.
    #[error("the plugin {0} cannot sign: it has neither of the capabilities SIGNATURE_GENERATOR.RAW and .ENVELOPE")]
    CannotSign(String),
    /// What the plugin answered is not what was asked for.
    #[error("the plugin {plugin} answered {command} wrongly, and nothing is signed: {reason}")]
    Answer {
        /// The name of the plugin, quoted.
        plugin: String,
        /// What the plugin was asked for.
        command: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The certificates do not sign.
    #[error("the plugin {plugin}: {error}")]
    Key {
        /// The name of the plugin, quoted.
        plugin: String,
        /// Why not.
        error: Box<KeyError>,
    },
}

impl PluginKey {
    /// Asks the plugin `name` what it is, and where it signs bytes what the key `id` is. Nothing is signed.
    ///
    /// # Errors
    ///
    /// The reason why the key cannot sign.
    pub async fn open(
        host: Arc<dyn PluginHost>,
        name: &str,
        id: &str,
        config: PluginConfig,
    ) -> Result<PluginKey, PluginKeyError> {
        let name = PluginName::new(name)?;
        let metadata = host.ask(&PluginMetadata::question(&name, &config)).await?;
        let secrets = plugin_host::secrets(name.as_str(), &config);
        let concealed = |failure: Failure| Failure::new(failure.code, secrets.concealed(&failure.message));
        let mut plugin = PluginMetadata::read(&name, &metadata).map_err(concealed)?;
        // It goes into signatures.
        plugin.version = secrets.concealed(&plugin.version);
        let mut key = PluginKey { host, plugin, id: id.to_owned(), config, way: Way::Envelope };
        if key.plugin.can(GENERATOR_RAW) {
            key.way = Way::Raw(key.describe().await?);
        } else if !key.plugin.can(GENERATOR_ENVELOPE) {
            return Err(PluginKeyError::CannotSign(quote(name.as_str())));
        }
        Ok(key)
    }

    /// Has the plugin sign `request`: what is to be written beside the artifact. The envelope has been verified.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub async fn sign(&self, request: &SignRequest) -> Result<Attachment, SignError> {
        match self.begin(request).await? {
            Some(unfinished) => unfinished.finish(None),
            None => envelope::sign(self, request).await,
        }
    }

    /// Has the plugin sign `request`, so that its time can be stamped. `None`: the plugin makes whole envelopes, and there is
    /// nothing to stamp before it is done.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub async fn begin<'a>(&self, request: &'a SignRequest) -> Result<Option<UnfinishedEnvelope<'a>>, SignError> {
        match self.way {
            Way::Raw(kind) => raw::begin(self, kind, request).await.map(Some),
            Way::Envelope => Ok(None),
        }
    }

    /// The kind of the key; `None` if the plugin makes whole envelopes, and does not tell.
    pub fn kind(&self) -> Option<KeyKind> {
        match self.way {
            Way::Raw(kind) => Some(kind),
            Way::Envelope => None,
        }
    }

    /// What the key is, for people: plugin, version, and the kind of the key where the plugin tells it.
    pub fn describes(&self) -> String {
        let PluginMetadata { name, version, .. } = &self.plugin;
        let kind = match self.way {
            Way::Raw(kind) => format!("a key of the kind {}", kind.as_str()),
            Way::Envelope => "an envelope".to_owned(),
        };
        format!("{kind} by the plugin {name} {version}")
    }

    /// What wrote the signature, as its signing agent.
    fn agent(&self) -> String {
        let PluginMetadata { name, version, .. } = &self.plugin;
        format!("muster/{} {name}/{version}", env!("CARGO_PKG_VERSION"))
    }

    async fn ask<T: DeserializeOwned>(&self, command: Command, request: &impl Serialize) -> Result<T, PluginKeyError> {
        let answer = self.host.ask(&question(&self.plugin.name, command, request)).await?;
        read_answer(&answer).map_err(|reason| self.wrong(command, format!("the answer {reason}")))
    }

    fn wrong(&self, command: Command, reason: String) -> PluginKeyError {
        // It may repeat what the plugin has repeated of its settings.
        let reason = plugin_host::secrets(self.plugin.name.as_str(), &self.config).concealed(&reason);
        PluginKeyError::Answer { plugin: quote(self.plugin.name.as_str()), command: command.as_str(), reason }
    }

    /// That the answer is about the key that was asked for.
    fn check_id(&self, command: Command, echoed: &str) -> Result<(), PluginKeyError> {
        if echoed == self.id {
            return Ok(());
        }
        Err(self.wrong(command, format!("asked for the key {}, it speaks of {}", quote(&self.id), quote(echoed))))
    }

    /// A binary member of an answer.
    fn decoded(&self, command: Command, member: &str, text: &str) -> Result<Vec<u8>, PluginKeyError> {
        binary::decode(text).map_err(|error| self.wrong(command, format!("{member} is not base64: {error}")))
    }
}

impl fmt::Debug for PluginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Settings may hold secrets.
        write!(f, "PluginKey({}, {:?})", self.plugin.name, self.way)
    }
}
