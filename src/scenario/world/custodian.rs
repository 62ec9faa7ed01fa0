//! Who holds a key that signs as it does for `muster sign`: a token that may get into trouble, a plugin, or a gateway.
//!
//! Other keys seal what the forge writes, with every defect that a step asks for; these are opened and asked by
//! [`crate::sign`], which judges what comes back.

use std::sync::Arc;

use time::OffsetDateTime;

use super::Plugins;
use super::gateway_key::GatewayKey;
use super::token_key::TokenKey;
use crate::forge::plugin::PluginBehaviour;
use crate::plugin::PluginConfig;
use crate::rfc3339::instant;
use crate::sign::{self, PluginKey, SignError, SignRequest, SigningKey};
use crate::source::Attachment;

/// Who holds a key.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Custodian {
    /// A token of its own.
    Token(Arc<TokenKey>),
    /// A plugin.
    Plugin(Box<SigningPlugin>),
    /// The gateway of keys that need approvals.
    Gateway(Arc<GatewayKey>),
}

/// A plugin with the key that it holds.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct SigningPlugin {
    /// The name of the plugin.
    pub(super) plugin: String,
    /// By which name the plugin knows the key.
    pub(super) key: String,
    pub(super) behaviour: PluginBehaviour,
}

/// A key that was opened.
pub(in crate::scenario) enum OpenKey {
    Held(SigningKey),
    Plugin(PluginKey),
}

impl Custodian {
    /// Opens the key to sign at `now`, one that needs no approvals. The error inside is the signer's, the one outside that of
    /// the test bench.
    pub(in crate::scenario) async fn open(
        &self,
        plugins: &Plugins,
        now: OffsetDateTime,
    ) -> Result<Result<OpenKey, SignError>, String> {
        match self {
            Custodian::Token(token) => {
                let token = Arc::clone(token);
                let opened = tokio::task::spawn_blocking(move || token.open(now)).await;
                let opened = opened.map_err(|_| "opening a key in a token broke down".to_owned())?;
                Ok(opened.map(OpenKey::Held).map_err(SignError::Key))
            }
            Custodian::Plugin(held) => {
                let SigningPlugin { plugin, key, behaviour } = held.as_ref();
                // A plugin has no clock of the scenario: it is told the time that its envelopes are to have.
                let told = PluginBehaviour { signing_time: instant(now), ..behaviour.clone() };
                plugins.state(plugin, &told).map_err(|error| format!("the plugin {plugin}: {error}"))?;
                let opened = PluginKey::open(plugins.host(), plugin, key, PluginConfig::default()).await;
                Ok(opened.map(OpenKey::Plugin).map_err(SignError::Plugin))
            }
            Custodian::Gateway(_) => Err("a key that needs approvals signs by them".to_owned()),
        }
    }
}

impl OpenKey {
    /// Signs `request`. The error inside is the signer's.
    pub(in crate::scenario) async fn sign(
        self: &Arc<Self>,
        request: SignRequest,
    ) -> Result<Result<Attachment, SignError>, String> {
        match self.as_ref() {
            OpenKey::Held(_) => {
                let key = Arc::clone(self);
                let work = move || match key.as_ref() {
                    OpenKey::Held(key) => Some(sign::sign(key, &request)),
                    OpenKey::Plugin(_) => None,
                };
                let signed = tokio::task::spawn_blocking(work).await.ok().flatten();
                signed.ok_or_else(|| "signing broke down".to_owned())
            }
            OpenKey::Plugin(key) => Ok(key.sign(&request).await),
        }
    }
}
