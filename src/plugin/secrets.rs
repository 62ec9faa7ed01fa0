//! What plugins say, without the secrets that they were told.
//!
//! A plugin is given its settings and much of the environment, and some put what they were given into what they say of
//! a failure. What is shown, kept in a report or written into a signature has none of it. Which setting or variable is a secret is
//! seen by its name, and of settings by their value too: one that looks drawn by lot is one.

use url::Url;
use zeroize::Zeroizing;

use super::PluginConfig;
use crate::echo;

/// Parts of names of what is secret, once all that is no letter is taken out.
const PARTS: [&str; 19] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "storagekey",
    "accountkey",
    "sharedkey",
    "encryptionkey",
    "masterkey",
    "signingkey",
    "pinvalue",
    "userpin",
    "sessionkey",
];
/// Whole words in such names.
const WORDS: [&str; 8] = ["pin", "pass", "pwd", "pw", "jwt", "sas", "auth", "bearer"];
/// Words at the end of a name that say where something is, or how it is called.
const PLACES: [&str; 15] = [
    "file", "path", "dir", "folder", "source", "sock", "socket", "url", "uri", "endpoint", "name", "id", "type",
    "label", "method",
];
/// From how many characters on a line of a longer secret is one.
const LINE: usize = 16;

/// Secrets, the longest first, so that none is left in part.
pub struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// Those among `settings`, and among the `variables` of an environment.
    pub fn of(settings: &PluginConfig, variables: impl IntoIterator<Item = (String, String)>) -> Secrets {
        let mut secrets = Secrets(Vec::new());
        for (name, value) in settings {
            secrets.add(sounds_secret(name) || looks_drawn(value), value);
        }
        for (name, value) in variables {
            secrets.add(sounds_secret(&name), &value);
        }
        secrets.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.0.dedup();
        secrets
    }

    fn add(&mut self, whole: bool, value: &str) {
        let mut add = |secret: &str| self.0.push(Zeroizing::new(secret.to_owned()));
        if whole {
            add(value);
            add(value.trim());
            // As JSON writes it, and as it stands in the lines of a dump.
            let json = serde_json::to_string(value).unwrap_or_default();
            add(json.trim_matches('"'));
            value.lines().map(str::trim).filter(|line| line.len() >= LINE).for_each(&mut add);
        } else if value.contains("://")
            && let Some(password) = Url::parse(value).ok().as_ref().and_then(Url::password)
        {
            add(password);
        }
    }

    /// `text` without them.
    pub fn concealed(&self, text: &str) -> String {
        echo::concealed(text, self.0.iter().map(|secret| secret.as_str()))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// Whether what has this name is a secret, and not the place of one.
fn sounds_secret(name: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut small = false;
    for character in name.chars() {
        let parted = !character.is_alphabetic() || (small && character.is_uppercase());
        if parted {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphabetic()) {
            word.extend(character.to_lowercase());
        }
        small = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    if words.last().is_some_and(|last| PLACES.contains(&last.as_str())) {
        return false;
    }
    let whole = words.concat();
    PARTS.iter().any(|part| whole.contains(part)) || words.iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether a value looks like one that no person has thought of.
fn looks_drawn(value: &str) -> bool {
    const SHORTEST: usize = 16;
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    value.contains("PRIVATE KEY-----")
        || (value.len() >= SHORTEST && letters && digits && !value.contains(['/', ':', '\\', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[(&str, &str)], variables: &[(&str, &str)]) -> Secrets {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Secrets::of(&owned(settings).into_iter().collect(), owned(variables))
    }

    #[test]
    fn names_tell_secrets_from_where_they_are() {
        for name in [
            "pin",
            "PIN",
            "user-pin",
            "hsmPin",
            "password",
            "db_passwd",
            "clientSecret",
            "AZURE_CLIENT_SECRET",
            "VAULT_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "api-key",
            "apiKey",
            "X_AUTH",
            "jwt",
            "KEY_PASSPHRASE",
            "pin2",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in [
            "",
            "=",
            "region",
            "vault",
            "spinner",
            "key",
            "kms_key_id",
            "pin-source",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "SSH_AUTH_SOCK",
            "token_url",
            "tokenLabel",
            "certificate-chain",
            "compass",
            "credential_type",
            "HOME",
            "PATH",
        ] {
            assert!(!sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn no_secret_is_left_in_what_a_plugin_says() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----";
        let settings = [
            ("pin", "1234"),
            ("token", "hvs.a"),
            ("password", "hvs.abc"),
            ("region", "eu-central-1"),
            ("odd", "x7Kp9Qm2Lr5Tn8Wv"),
            ("pem", pem),
            ("quoted-secret", "a\"b\nc\\d"),
            ("address", "https://ci:hunter2@vault.example.com/"),
        ];
        let secrets =
            of(&settings, &[("VAULT_TOKEN", "s.0123"), ("EDITOR", "vi-editor"), ("https_proxy", "http://u:proxied@p")]);
        for (said, expected) in [
            ("the PIN 1234 is wrong", "the PIN (secret) is wrong"),
            ("hvs.abc and hvs.a", "(secret) and (secret)"),
            ("no key in eu-central-1 by vi-editor", "no key in eu-central-1 by vi-editor"),
            ("x7Kp9Qm2Lr5Tn8Wv", "(secret)"),
            ("dump: MIGHAgEAMBMGByqGSM49", "dump: (secret)"),
            ("a\"b\nc\\d", "(secret)"),
            (r#"{"quoted-secret":"a\"b\nc\\d"}"#, r#"{"quoted-secret":"(secret)"}"#),
            ("GET https://ci:hunter2@vault.example.com/", "GET https://ci:(secret)@vault.example.com/"),
            ("s.0123 by http://u:proxied@p", "(secret) by http://u:(secret)@p"),
        ] {
            assert_eq!(secrets.concealed(said), expected, "{said}");
        }
        assert_eq!(format!("{:?}", of(&[("pin", "1234")], &[])), "Secrets(1)");
    }
}
