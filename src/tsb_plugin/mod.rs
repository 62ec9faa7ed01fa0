//! `notation-muster-tsb`: a plugin that lets notation, and every other host of its plugins, sign with keys behind a Transaction
//! Security Broker, which sign only when enough people approve.
//!
//! Follows *plugin-extensibility*, contract 1.0, capability `SIGNATURE_GENERATOR.RAW`, as [`crate::signing_plugin`] has it. The key
//! id is the label of the key at the broker; the settings are those of [`crate::signer::tsb`]. The kind of a key is read from its
//! certificate, and no key is ever made: a label that is misspelt does not exist.
//!
//! It waits as long as its settings say, which hosts do not limit. When it is told to end, by SIGTERM or Ctrl-C, it takes its request
//! back first, so that approvals that come later sign nothing.

use std::process::ExitCode;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::runtime::{Builder, Runtime};

use crate::pki::KeyKind;
use crate::plugin::PluginConfig;
use crate::sign::ApprovalKey;
use crate::signer::tsb::{ApprovalMetadata, Paths, TsbEnvironment, TsbSettings, WallClock};
use crate::signing_plugin::{self, About, Keys, Refusal, Signed, Wanted, check_kind};

/// The name of the plugin, which is that of its folder.
pub const NAME: &str = "muster-tsb";

const EXPLANATION: &str = "\
notation-muster-tsb is a plugin of notation, which starts it to sign with keys that sign only when enough people approve:
those behind a Transaction Security Broker (TSB). It is not meant to be started by hand.

Install it by copying it to the folder of notation's plugins, where `notation plugin list` shows it:

    mkdir -p ~/.config/notation/plugins/muster-tsb
    cp notation-muster-tsb ~/.config/notation/plugins/muster-tsb/

Register a key by its label at the broker, then sign with it, and have it approved meanwhile:

    notation key add --plugin muster-tsb --id release \\
        --plugin-config url=https://tsb.example.com \\
        --plugin-config token-file=/home/me/.tsb-token \\
        --plugin-config certificate-chain=/home/me/release-chain.pem release
    notation sign --key release registry.example.com/app@sha256:...

`muster sign --key release` signs with the same key, and tells meanwhile who has approved.

Settings (--plugin-config); files are absolute paths:

    url                 address of the broker, https://...; plain http only on this machine
    key                 label of the key at the broker; else the id of the key
    certificate-chain   PEM file with the certificates of the key, its own first, the root last; without it the broker is
                        asked for them
    timeout             how long approvals are waited for before the request is taken back (1h)
    poll                the first pause between two questions (2s)
    without-approvals   true for a key without a policy, which signs at once
    ca                  PEM file with the roots that the broker's certificate leads to
    token-file          file with the bearer token; else MUSTER_TSB_TOKEN
    api-key-file        file with API keys of the role keyOperationToken, one a line; else MUSTER_TSB_API_KEY
    client-certificate  PEM file with the certificate chain by which this signer is known to the broker
    client-key          PEM file with the private key of client-certificate
    key-password-file   file with the password of the key; else MUSTER_TSB_KEY_PASSWORD
    application-key     PEM file with the RSA key by which requests are signed
    approvers           JSON file with the names of approvers, or the policy of the key

A token, an API key or a password is never a setting itself, since others can read settings.
";

const ABOUT: About = About {
    name: NAME,
    program: "notation-muster-tsb",
    description: "Signs with keys that need approvals, behind a Transaction Security Broker",
    explanation: EXPLANATION,
};

/// Runs the program `notation-muster-tsb` with the arguments, the environment and the streams of this process. The exit code is 0
/// with an answer, 1 without, and 2 if nothing was asked.
pub fn run() -> ExitCode {
    signing_plugin::run(&ABOUT, || Box::new(BrokerKeys { environment: TsbEnvironment::of_process() }))
}

/// The keys behind brokers.
struct BrokerKeys {
    environment: TsbEnvironment,
}

impl BrokerKeys {
    /// Opens the key, and does `work` with it.
    fn work<T>(
        &self,
        key_id: &str,
        config: &PluginConfig,
        now: OffsetDateTime,
        work: impl AsyncFnOnce(Arc<ApprovalKey>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let entries = config.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings = TsbSettings::read(key_id, entries, Paths::Absolute)?;
        runtime()?.block_on(async {
            let key = Arc::new(ApprovalKey::open(settings, &self.environment, now).await?);
            work(key).await
        })
    }
}

impl Keys for BrokerKeys {
    fn describe(&self, key_id: &str, config: &PluginConfig, now: OffsetDateTime) -> Result<KeyKind, Refusal> {
        self.work(key_id, config, now, async |key| Ok(key.chain().signing_key().kind()))
    }

    fn sign(&self, wanted: &Wanted<'_>, now: OffsetDateTime) -> Result<Signed, Refusal> {
        self.work(wanted.key_id, wanted.config, now, async |key| {
            check_kind(key.chain().signing_key().kind(), wanted.kind)?;
            stop_when_told(&key)?;
            let metadata = ApprovalMetadata::of_message(wanted.payload);
            // The contract has no place for news.
            let signature = key.key().sign(wanted.payload, &metadata, &WallClock::new(), &|_| {}).await?;
            Ok(Signed { signature, chain: key.chain().clone() })
        })
    }
}

fn runtime() -> Result<Runtime, Refusal> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Refusal::general(format!("the plugin cannot start: {error}")))
}

/// Has `key` stop when this process is told to end. Signals are heeded from now on.
#[cfg(unix)]
fn stop_when_told(key: &Arc<ApprovalKey>) -> Result<(), Refusal> {
    use tokio::signal::unix::{SignalKind, signal};

    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let mut told = signal(kind).map_err(|error| Refusal::general(format!("signals cannot be heeded: {error}")))?;
        let key = Arc::clone(key);
        tokio::spawn(async move {
            if told.recv().await.is_some() {
                key.key().stop();
            }
        });
    }
    Ok(())
}

/// Has `key` stop when this process is told to end.
#[cfg(not(unix))]
fn stop_when_told(key: &Arc<ApprovalKey>) -> Result<(), Refusal> {
    let key = Arc::clone(key);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            key.key().stop();
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::tsb::SETTINGS;

    #[test]
    fn the_explanation_names_every_setting_in_order() {
        let named = EXPLANATION.lines().filter_map(|line| line.strip_prefix("    ")?.split("  ").next());
        let named: Vec<&str> = named.filter(|word| SETTINGS.iter().any(|(name, _)| name == word)).collect();
        assert_eq!(named, SETTINGS.map(|(name, _)| name));
    }
}
