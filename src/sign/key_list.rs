//! `signingkeys.json`: the keys that `notation key add` and `notation cert generate-test` keep in the configuration.
//!
//! Follows the reference implementation: a `default` and `keys`, each with a `name` and either the files of a key and its
//! chain, or a plugin with the plugin's own name for the key and its settings.

use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::failure::quote;
use crate::json::{self, JsonError, Members};
use crate::limits;
use crate::plugin::PluginConfig;
use crate::regular_file;
use crate::signer::tsb::TsbSettings;
use crate::signer::without_pin;

/// The keys of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyList {
    file: String,
    default: Option<String>,
    entries: Vec<KeyEntry>,
}

/// A key of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// What the key is called.
    pub name: String,
    /// Where the key is.
    pub place: KeyPlace,
}

/// Where a listed key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file, in a token where `key` is a `pkcs11:` URI, or behind a broker where it is a `tsb:` URI.
    Files {
        /// `keyPath`.
        key: String,
        /// `certPath`.
        certificates: PathBuf,
    },
    /// Behind a broker that asks people first. No list says so by itself: it is what a `tsb:` URI means, and what the plugin
    /// `muster-tsb` of a list does.
    Broker(Box<TsbSettings>),
    /// Behind a plugin.
    Plugin {
        /// `pluginName`.
        name: String,
        /// `id`: the key in the plugin's words.
        id: String,
        /// `pluginConfig`.
        config: PluginConfig,
    },
}

/// Why no key of the list can be used. One sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyListError {
    /// The file cannot be read, or is not what it should be.
    #[error("the key list {file} {reason}")]
    File {
        /// The name of the file, quoted.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such key.
    #[error("the key list {file} has no key {}; it has {known}", quote(name))]
    Unknown {
        /// The name of the file, quoted.
        file: String,
        /// What was asked for; of a PKCS #11 URI without its query, which may hold a PIN.
        name: String,
        /// What there is.
        known: String,
    },
    /// No key was named, and the list has none that is used then.
    #[error("the key list {0} has no default key: name one with --key")]
    NoDefault(String),
}

impl KeyList {
    /// Reads the list at `path`.
    ///
    /// # Errors
    ///
    /// [`KeyListError::File`].
    pub fn load(path: &Path) -> Result<KeyList, KeyListError> {
        let file = quote(&path.display().to_string());
        let refused = |reason: String| KeyListError::File { file: file.clone(), reason };
        let bytes =
            regular_file::read_linked(path, limits::KEY_LIST_BYTES).map_err(|problem| refused(problem.to_string()))?;
        let (default, entries) = read(&bytes).map_err(refused)?;
        Ok(KeyList { file, default, entries })
    }

    /// The key of this name, or the default.
    ///
    /// # Errors
    ///
    /// There is no such key.
    pub fn key(&self, name: Option<&str>) -> Result<&KeyEntry, KeyListError> {
        let name = name.or(self.default.as_deref()).ok_or_else(|| KeyListError::NoDefault(self.file.clone()))?;
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let names: Vec<_> = self.entries.iter().take(20).map(|entry| quote(without_pin(&entry.name))).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            KeyListError::Unknown { file: self.file.clone(), name: without_pin(name).to_owned(), known }
        })
    }
}

fn read(bytes: &[u8]) -> Result<(Option<String>, Vec<KeyEntry>), String> {
    let strict = |error: JsonError| format!("cannot be read: {error}");
    let list = json::text(bytes).and_then(json::members).map_err(strict)?;
    let default = text(&list, "default")?;
    let keys = list.get("keys").filter(|value| !json::is_null(value));
    let keys: Vec<&RawValue> = keys.map(json::array).transpose().map_err(strict)?.unwrap_or_default();
    let mut entries: Vec<KeyEntry> = Vec::with_capacity(keys.len());
    for key in keys {
        let entry = entry(&json::object(key).map_err(strict)?)?;
        if entries.iter().any(|other| other.name == entry.name) {
            return Err(format!("has two keys of the name {}", quote(without_pin(&entry.name))));
        }
        entries.push(entry);
    }
    Ok((default, entries))
}

fn entry(key: &Members<'_>) -> Result<KeyEntry, String> {
    let name = text(key, "name")?.ok_or("has a key without a name")?;
    let place = match (text(key, "pluginName")?, text(key, "keyPath")?, text(key, "certPath")?) {
        (Some(plugin), None, None) => {
            let unnamed =
                || format!("has a key {} behind a plugin without the plugin's id of it", quote(without_pin(&name)));
            KeyPlace::Plugin { name: plugin, id: text(key, "id")?.ok_or_else(unnamed)?, config: config(key)? }
        }
        (None, Some(key), Some(certificates)) => {
            KeyPlace::Files { key: file(key), certificates: file(certificates).into() }
        }
        _ => {
            return Err(format!(
                "has a key {} with neither keyPath and certPath nor a pluginName alone",
                quote(without_pin(&name))
            ));
        }
    };
    Ok(KeyEntry { name, place })
}

/// A path of the list. `-` names a file there, and standard input on a command line only.
fn file(path: String) -> String {
    if path == "-" { "./-".to_owned() } else { path }
}

/// The settings of a plugin; none is as good as an empty object.
fn config(key: &Members<'_>) -> Result<PluginConfig, String> {
    let strict = |error: JsonError| format!("cannot be read: pluginConfig: {error}");
    let Some(value) = key.get("pluginConfig").filter(|value| !json::is_null(value)) else {
        return Ok(PluginConfig::new());
    };
    let settings = json::entries(value).map_err(strict)?;
    let setting = |(name, value): (&str, _)| Ok((name.to_owned(), json::string(value).map_err(strict)?.into_owned()));
    settings.iter().map(setting).collect()
}

/// A text that may be absent, which an empty one is as well.
fn text(members: &Members<'_>, name: &str) -> Result<Option<String>, String> {
    let Some(value) = members.get(name).filter(|value| !json::is_null(value)) else { return Ok(None) };
    let text = json::string(value).map_err(|error| format!("cannot be read: {name}: {error}"))?;
    Ok((!text.is_empty()).then(|| text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<KeyList, KeyListError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signingkeys.json");
        std::fs::write(&path, text).unwrap();
        KeyList::load(&path)
    }

    const LIST: &str = r#"{"default":"a","keys":[{"name":"a","keyPath":"/k","certPath":"/c"},
        {"name":"p","id":"x","pluginName":"azure-kv","pluginConfig":{"a":"b"}}]}"#;

    #[test]
    fn keys_are_found_by_name_or_by_default() {
        let list = load(LIST).unwrap();
        let files = KeyPlace::Files { key: "/k".to_owned(), certificates: "/c".into() };
        assert_eq!(list.key(None).unwrap().place, files);
        assert_eq!(list.key(Some("a")).unwrap().place, files);
        let config = PluginConfig::from([("a".to_owned(), "b".to_owned())]);
        let plugin = KeyPlace::Plugin { name: "azure-kv".to_owned(), id: "x".to_owned(), config };
        assert_eq!(list.key(Some("p")).unwrap().place, plugin);
        let unknown = list.key(Some("b\u{1b}")).unwrap_err().to_string();
        assert!(unknown.ends_with("has no key \"b\\u{1b}\"; it has \"a\", \"p\""), "{unknown}");
        for text in ["{}", r#"{"keys":null}"#, r#"{"default":"","keys":[]}"#] {
            assert!(matches!(load(text).unwrap().key(None), Err(KeyListError::NoDefault(_))), "{text}");
        }
    }

    #[test]
    fn s37_names_of_keys_are_free() {
        for name in ["acme/release", "pkcs11:hsm1", "./a", "C:\\keys\\a", "-", "a b", "\u{e4}", "..", "a\nb"] {
            let list = serde_json::json!({ "keys": [{ "name": name, "keyPath": "-", "certPath": "/c" }] });
            let list = load(&list.to_string()).unwrap();
            let files = KeyPlace::Files { key: "./-".to_owned(), certificates: "/c".into() };
            assert_eq!(list.key(Some(name)).unwrap().place, files, "{name:?}");
        }
    }

    #[test]
    fn a_pin_in_what_was_taken_for_a_name_is_not_shown() {
        let list = load(LIST).unwrap();
        for name in [
            "pkcs11:token=a?pin-value=1234",
            "PKCS11:?pin-value=1234",
            "pkcs11:a;PIN-value=1234",
            " pkcs11:a?pin-value=1234",
        ] {
            let refusal = list.key(Some(name)).unwrap_err();
            assert!(!format!("{refusal} {refusal:?}").contains("1234"), "{refusal}");
            let named = format!(r#"{{"name":"{name}","keyPath":"/k","certPath":"/c"}}"#);
            let refusals = [
                load(&format!(r#"{{"keys":[{named}]}}"#)).unwrap().key(Some("b")).unwrap_err(),
                load(&format!(r#"{{"keys":[{named},{named}]}}"#)).unwrap_err(),
                load(&format!(r#"{{"keys":[{{"name":"{name}"}}]}}"#)).unwrap_err(),
                load(&format!(r#"{{"keys":[{{"name":"{name}","pluginName":"p"}}]}}"#)).unwrap_err(),
            ];
            for refusal in refusals {
                assert!(!format!("{refusal} {refusal:?}").contains("1234"), "{refusal}");
            }
        }
        assert!(list.key(Some("a?b")).unwrap_err().to_string().contains("\"a?b\""));
    }

    /// As the configuration is a mounted volume, or kept with other dot files.
    #[cfg(unix)]
    #[test]
    fn s30_the_list_may_be_a_link() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("list"), LIST).unwrap();
        let link = folder.path().join("signingkeys.json");
        std::os::unix::fs::symlink("list", &link).unwrap();
        assert!(KeyList::load(&link).unwrap().key(Some("p")).is_ok());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, words) in [
            ("", "cannot be read"),
            ("[]", "cannot be read"),
            (r#"{"keys":{{}}}"#, "cannot be read"),
            (r#"{"keys":[],"Keys":[]}"#, "cannot be read"),
            (r#"{"keys":[{"keyPath":"/k","certPath":"/c"}]}"#, "without a name"),
            (r#"{"keys":[{"name":"a","keyPath":"/k"}]}"#, "neither keyPath and certPath"),
            (r#"{"keys":[{"name":"a","keyPath":"/k","certPath":"/c","pluginName":"p"}]}"#, "neither keyPath"),
            (r#"{"keys":[{"name":"a","pluginName":"p"}]}"#, "without the plugin's id"),
            (r#"{"keys":[{"name":"a","pluginName":"p","id":"x","pluginConfig":{"a":1}}]}"#, "pluginConfig"),
            (r#"{"keys":[{"name":"a","pluginName":"p","id":"x"},{"name":"a","pluginName":"q","id":"x"}]}"#, "two keys"),
            (r#"{"keys":[{"name":7,"pluginName":"p"}]}"#, "cannot be read"),
        ] {
            let refusal = load(text).unwrap_err().to_string();
            assert!(refusal.contains(words), "{text}: {refusal}");
        }
    }
}
