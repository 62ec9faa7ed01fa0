//! `notation-muster-pkcs11`: a plugin that lets notation, and every other host of its plugins, sign with keys in PKCS #11
//! tokens.
//!
//! Follows *plugin-extensibility*, contract 1.0, capability `SIGNATURE_GENERATOR.RAW`, as [`crate::signing_plugin`] has it.
//! The key id is a PKCS #11 URI. The module is loaded for the two commands that need it, and for nothing else.
//!
//! Nothing here makes or changes keys, asks the user anything, or takes a PIN in clear: it is in a file, or in the
//! environment. A chain that a verifier would refuse is refused before the token signs. How long a token may take is for the
//! host to decide, which ends the process when it has waited enough. What a [`PrivateKey`](crate::signer::PrivateKey) would warn of
//! is not said, since the contract has no place for it.

mod certificates;
mod key;
mod settings;

use std::process::ExitCode;

use time::OffsetDateTime;

use crate::pki::KeyKind;
use crate::plugin::PluginConfig;
use crate::sign::SigningChain;
use crate::signer::{Environment, PrivateKey as _};
use crate::signing_plugin::{self, About, Keys, Refusal, Signed, Wanted, check_kind};
use settings::Settings;

/// The name of the plugin, which is that of its folder.
pub const NAME: &str = "muster-pkcs11";

const EXPLANATION: &str = "\
notation-muster-pkcs11 is a plugin of notation, which starts it to sign with keys in PKCS #11 tokens: hardware security
modules, smart cards, SoftHSM. It is not meant to be started by hand.

Install it by copying it to the folder of notation's plugins, where `notation plugin list` shows it:

    mkdir -p ~/.config/notation/plugins/muster-pkcs11
    cp notation-muster-pkcs11 ~/.config/notation/plugins/muster-pkcs11/

Register a key by its PKCS #11 URI (labels of the token and of the key), then sign with it:

    notation key add --plugin muster-pkcs11 --id 'pkcs11:token=ci;object=release' \\
        --plugin-config module=/usr/lib/softhsm/libsofthsm2.so \\
        --plugin-config pin-source=/home/me/.pin \\
        --plugin-config certificate-chain=/home/me/release-chain.pem release
    notation sign --key release registry.example.com/app@sha256:...

Settings (--plugin-config), all of them absolute paths:

    certificate-chain   PEM file with the certificates of the key, its own first, the root last; without it they are
                        taken from the token, if it holds all of them
    module              the PKCS #11 module; else module-path in the URI, else MUSTER_PKCS11_MODULE
    pin-source          file with the PIN as its only line; else pin-source in the URI, else MUSTER_PKCS11_PIN

A PIN is never a setting itself, since others can read settings.
";

const ABOUT: About = About {
    name: NAME,
    program: "notation-muster-pkcs11",
    description: "Signs with keys in PKCS #11 tokens",
    explanation: EXPLANATION,
};

/// Runs the program `notation-muster-pkcs11` with the arguments, the environment and the streams of this process. The exit
/// code is 0 with an answer, 1 without, and 2 if nothing was asked.
pub fn run() -> ExitCode {
    signing_plugin::run(&ABOUT, || Box::new(TokenKeys { environment: Environment::of_process() }))
}

/// The keys in tokens.
struct TokenKeys {
    environment: Environment,
}

impl Keys for TokenKeys {
    fn describe(&self, key_id: &str, config: &PluginConfig, now: OffsetDateTime) -> Result<KeyKind, Refusal> {
        let settings = Settings::read(config)?;
        let chain = settings.certificate_chain.as_deref().map(|path| SigningChain::load(path, now)).transpose()?;
        let key = key::open(key_id, &settings, &self.environment, chain.as_ref())?;
        Ok(key.verifying_key().kind())
    }

    fn sign(&self, wanted: &Wanted<'_>, now: OffsetDateTime) -> Result<Signed, Refusal> {
        let settings = Settings::read(wanted.config)?;
        // What can be checked without the token is checked first: it is not asked for a PIN in vain.
        let chain = settings.certificate_chain.as_deref().map(|path| SigningChain::load(path, now)).transpose()?;
        let key = key::open(wanted.key_id, &settings, &self.environment, chain.as_ref())?;
        check_kind(key.verifying_key().kind(), wanted.kind)?;
        let chain = match chain {
            Some(file) => {
                file.check_belongs_to(key.verifying_key())?;
                file.chain().clone()
            }
            None => certificates::of_token(&key, now)?,
        };
        let signature = key.sign(wanted.payload)?;
        Ok(Signed { signature, chain })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::plugin::Command;
    use crate::signing_plugin::answer;

    const COMMANDS: [Command; 3] = [Command::GetPluginMetadata, Command::DescribeKey, Command::GenerateSignature];

    /// What the contract and the reader of a terminal expect of a refusal.
    fn is_one_sentence(message: &str) -> bool {
        !message.is_empty() && !message.ends_with('.') && !message.contains(crate::failure::is_unprintable)
    }

    fn refusal(command: Command, request: &[u8]) -> Option<String> {
        let now = datetime!(2026-11-23 12:00 UTC);
        let keys = TokenKeys { environment: Environment::default() };
        answer(command, request, &ABOUT, &keys, now).err().map(|refusal| refusal.message)
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_in_one_sentence(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            for request in [bytes.as_slice(), text.as_bytes()] {
                for command in COMMANDS {
                    let message = refusal(command, request);
                    prop_assert!(command == Command::GetPluginMetadata || message.is_some());
                    prop_assert!(message.as_deref().is_none_or(is_one_sentence), "{message:?}");
                }
            }
        }

        #[test]
        fn any_values_are_refused_in_one_sentence(
            [id, spec, hash, payload, name, value] in any::<[String; 6]>(),
            uri in any::<bool>(),
            place in prop::sample::select(vec!["certificate-chain", "module", "pin-source", "pin", ""]),
        ) {
            let id = if uri { format!("pkcs11:token=a;object={id}?module-path=/nowhere") } else { id };
            let spec = if spec.len() % 2 == 0 { "EC-256".to_owned() } else { spec };
            let name = if place.is_empty() { name } else { place.to_owned() };
            let request = json!({
                "contractVersion": "1.0", "keyId": id, "keySpec": spec, "hashAlgorithm": hash, "payload": payload,
                "pluginConfig": { name: value },
            });
            for command in [Command::DescribeKey, Command::GenerateSignature] {
                let message = refusal(command, request.to_string().as_bytes());
                prop_assert!(message.as_deref().is_some_and(is_one_sentence), "{message:?}");
            }
        }
    }
}
