//! What a plugin may be called: a plain file name, since it stands in a signature that a stranger may have made.
//!
//! Follows *plugin-extensibility*, Plugin lifecycle management. It is checked before any file system is touched: what passes
//! here leads nowhere but into the plugin's own directory, on every system.

use std::fmt;

use crate::failure::quote;
use crate::limits;

/// A name that is a plain file name: letters, digits, `.`, `_` and `-` of ASCII, not dots alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PluginName(String);

/// Why a text names no plugin. One sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} names no plugin: a name has 1 to {most} letters, digits, dots, underscores or hyphens, and not only dots",
    quote(.0),
    most = limits::PLUGIN_NAME
)]
pub struct NameError(String);

impl PluginName {
    /// Takes `text` for a name.
    ///
    /// # Errors
    ///
    /// A text that is not a valid plugin name.
    pub fn new(text: &str) -> Result<PluginName, NameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let sound = (1..=limits::PLUGIN_NAME).contains(&text.len())
            && text.bytes().all(plain)
            && text.bytes().any(|byte| byte != b'.');
        if sound { Ok(PluginName(text.to_owned())) } else { Err(NameError(text.to_owned())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_file_names() {
        let longest = "x".repeat(limits::PLUGIN_NAME);
        for name in ["azure-kv", "com.amazonaws.signer.notation.plugin", "a", "_", "-", ".a", "a.", "A.9", &longest] {
            assert_eq!(PluginName::new(name).unwrap().as_str(), name);
        }
        let longer = format!("{longest}x");
        for name in [
            "",
            ".",
            "..",
            "...",
            "/",
            "a/b",
            "/a",
            "../a",
            "a\\b",
            "a\0",
            "a b",
            " a",
            "a\n",
            "\t",
            "ä",
            "а",
            "a\u{202e}",
            "a:b",
            "~",
            "$HOME",
            "*",
            &longer,
        ] {
            let refusal = PluginName::new(name).unwrap_err().to_string();
            assert!(!refusal.contains(char::is_control) && refusal.chars().count() < 400, "{refusal:?}");
        }
    }
}
