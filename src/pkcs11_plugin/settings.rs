//! What `--plugin-config` may say: where the certificates, the module and the PIN are.
//!
//! All three are absolute paths, since the folder in which the host starts a plugin is not defined. A PIN is not among them:
//! notation keeps settings in `signingkeys.json` and takes them from command lines, where others read them.

use std::path::PathBuf;

use crate::failure::quote;
use crate::plugin::PluginConfig;
use crate::signing_plugin::Refusal;

/// The settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// `certificate-chain`: the PEM file with the certificates of the key, its own first, the root last. Without it they
    /// are looked for in the token.
    pub(super) certificate_chain: Option<PathBuf>,
    /// `module`: the PKCS #11 module, instead of what the URI or the environment says.
    pub(super) module: Option<PathBuf>,
    /// `pin-source`: the file with the PIN, instead of what the URI or the environment says.
    pub(super) pin_source: Option<PathBuf>,
}

const KNOWN: &str = "certificate-chain, module and pin-source";

impl Settings {
    /// Reads the settings of a request.
    pub(super) fn read(config: &PluginConfig) -> Result<Settings, Refusal> {
        let mut settings = Settings::default();
        for (name, value) in config {
            let place = match name.as_str() {
                "certificate-chain" => &mut settings.certificate_chain,
                "module" => &mut settings.module,
                "pin-source" => &mut settings.pin_source,
                name if means_a_pin(name) => return Err(Refusal::validation(pin_in_clear(name))),
                name => {
                    return Err(Refusal::validation(format!(
                        "the plugin setting {} is unknown: there are {KNOWN}",
                        quote(name)
                    )));
                }
            };
            *place = Some(path(name, value)?);
        }
        Ok(settings)
    }
}

/// Whether a setting looks like one that would hold a PIN.
fn means_a_pin(name: &str) -> bool {
    ["pin", "pin-value", "pin_value", "user-pin", "user_pin", "password"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn pin_in_clear(name: &str) -> String {
    format!(
        "the plugin setting {} would hold a PIN in clear, and others can read it in signingkeys.json and on command lines: \
         take it out, change the PIN, and give it by pin-source=/path/of/a/file that only you can read, or by \
         MUSTER_PKCS11_PIN in the environment",
        quote(name)
    )
}

/// An absolute path; that of the PIN also as a URI writes it. The value is not repeated: it may be the PIN itself.
fn path(name: &str, value: &str) -> Result<PathBuf, Refusal> {
    let plain = match value.strip_prefix("file:") {
        Some(path) if name == "pin-source" => path.strip_prefix("//").unwrap_or(path),
        _ => value,
    };
    let path = PathBuf::from(plain);
    if path.is_absolute() && !plain.contains('\0') {
        return Ok(path);
    }
    Err(Refusal::validation(format!(
        "the plugin setting {name} is no absolute path: write it from the root on, since the plugin may be started in any \
         folder"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing_plugin::ErrorCode;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Refusal> {
        Settings::read(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn settings_are_absolute_paths() {
        assert_eq!(read(&[]), Ok(Settings::default()));
        let settings = read(&[("certificate-chain", "/c.pem"), ("module", "/m.so"), ("pin-source", "/p")]).unwrap();
        assert_eq!(settings.certificate_chain, Some("/c.pem".into()));
        assert_eq!((settings.module, settings.pin_source), (Some("/m.so".into()), Some("/p".into())));
        for source in ["file:/p", "file:///p"] {
            assert_eq!(read(&[("pin-source", source)]).unwrap().pin_source, Some("/p".into()), "{source}");
        }
        for (name, value) in [
            ("certificate-chain", "chain31337.pem"),
            ("certificate-chain", "./31337"),
            ("certificate-chain", "file:/31337"),
            ("certificate-chain", ""),
            ("module", "31337.so"),
            ("pin-source", "31337"),
            ("pin-source", "file:31337"),
            ("pin-source", "file://host/31337"),
            ("pin-source", "/31337\0"),
        ] {
            let refusal = read(&[(name, value)]).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Validation);
            let message = refusal.message;
            assert!(message.starts_with(&format!("the plugin setting {name} is no absolute path")), "{message}");
            assert!(!message.contains("31337"), "{message}");
        }
    }

    #[test]
    fn a_pin_in_clear_and_what_is_unknown_are_refused_without_the_value() {
        for (name, words) in [
            ("pin", "would hold a PIN in clear"),
            ("PIN", "would hold a PIN in clear"),
            ("pin-value", "would hold a PIN in clear"),
            ("password", "would hold a PIN in clear"),
            ("Module", "there are certificate-chain, module and pin-source"),
            ("token\u{1b}[2J", "\"token\\u{1b}[2J\" is unknown"),
        ] {
            let refusal = read(&[(name, "/31337")]).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Validation);
            assert!(refusal.message.contains(words), "{name}: {}", refusal.message);
            assert!(!refusal.message.contains("31337"), "{}", refusal.message);
        }
    }
}
