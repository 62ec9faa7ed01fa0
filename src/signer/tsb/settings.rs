//! What may be said of a key behind a broker: one table for `tsb:` URIs, `signingkeys.json`, the plugin and scenarios.
//!
//! No setting holds a secret: each names the file in which it is. One that would hold it is refused, and its value is repeated
//! nowhere, since settings stand in command lines and in files that others read.

use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

use super::TsbError;
use crate::address::is_loopback;
use crate::duration;
use crate::failure::quote;
use crate::limits;

/// Each setting with what it is for, in the order of the documentation.
pub const SETTINGS: [(&str, &str); 14] = [
    ("url", "address of the broker, https://…; plain http only on this machine"),
    ("key", "label of the key at the broker; else the id of the key, or what stands behind tsb: in the URI"),
    ("certificate-chain", "PEM file with the certificates of the key, its own first, the root last"),
    ("timeout", "how long approvals are waited for before the request is taken back [default: 1h]"),
    ("poll", "the first pause between two questions; they grow to a quarter of a minute [default: 2s]"),
    ("without-approvals", "true for a key without a policy, which signs at once; else false [default: false]"),
    ("ca", "PEM file with the roots that the broker's certificate leads to [default: those of the system]"),
    ("token-file", "file with the bearer token; else MUSTER_TSB_TOKEN"),
    ("api-key-file", "file with API keys of the role keyOperationToken, one a line; else MUSTER_TSB_API_KEY"),
    ("client-certificate", "PEM file with the certificate chain by which this signer is known to the broker"),
    ("client-key", "PEM file with the private key of client-certificate"),
    ("key-password-file", "file with the password of the key; else MUSTER_TSB_KEY_PASSWORD"),
    ("application-key", "PEM file with the RSA key by which requests are signed, where the broker wants that"),
    (
        "approvers",
        "JSON file with the names of approvers: {\"alice\": \"<public key in base64>\"}, or the key's policy",
    ),
];

/// What is known of a key behind a broker. [`TsbSettings::new`] has the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TsbSettings {
    /// Where the broker is.
    pub url: Url,
    /// The label of the key there.
    pub key: String,
    /// The file with the certificates of the key.
    pub certificate_chain: Option<PathBuf>,
    /// How long approvals are waited for.
    pub timeout: Duration,
    /// The first pause between two questions.
    pub poll: Duration,
    /// Whether the key has no policy, and signs at once.
    pub without_approvals: bool,
    /// The file with the roots that the broker's certificate leads to.
    pub ca: Option<PathBuf>,
    /// The file with the bearer token.
    pub token_file: Option<PathBuf>,
    /// The file with API keys.
    pub api_key_file: Option<PathBuf>,
    /// The file with the certificate chain of this client.
    pub client_certificate: Option<PathBuf>,
    /// The file with the key of that certificate.
    pub client_key: Option<PathBuf>,
    /// The file with the password of the key.
    pub key_password_file: Option<PathBuf>,
    /// The file with the key that signs requests.
    pub application_key: Option<PathBuf>,
    /// The file with the names of approvers.
    pub approvers: Option<PathBuf>,
}

/// From where paths of files are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// From the folder of the process.
    Any,
    /// From the root alone, since the folder in which a plugin is started is not defined.
    Absolute,
}

impl TsbSettings {
    /// The key `key` of the broker at `url`.
    ///
    /// # Errors
    ///
    /// [`TsbError::Setting`] if the address is none to which secrets may be sent.
    pub fn new(url: &str, key: &str) -> Result<TsbSettings, TsbError> {
        let url = address(url)?;
        if key.is_empty() || key.len() > limits::TSB_LABEL_BYTES {
            return Err(TsbError::Setting(format!(
                "the label of the key at the broker has to have 1 to {} bytes",
                limits::TSB_LABEL_BYTES
            )));
        }
        Ok(TsbSettings {
            url,
            key: key.to_owned(),
            certificate_chain: None,
            timeout: limits::TSB_TIMEOUT,
            poll: limits::TSB_POLL,
            without_approvals: false,
            ca: None,
            token_file: None,
            api_key_file: None,
            client_certificate: None,
            client_key: None,
            key_password_file: None,
            application_key: None,
            approvers: None,
        })
    }

    /// With the file of certificates that stands beside them, unless they name one.
    pub fn certified_by(mut self, certificates: PathBuf) -> TsbSettings {
        self.certificate_chain.get_or_insert(certificates);
        self
    }

    /// Reads settings by their names. `id` is the label of the key where none of them says it.
    ///
    /// # Errors
    ///
    /// [`TsbError::Setting`]: which setting is wrong, and how to mend it. No value is repeated.
    pub fn read<'a>(
        id: &str,
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
        paths: Paths,
    ) -> Result<TsbSettings, TsbError> {
        let entries: Vec<(&str, &str)> = entries.into_iter().collect();
        for (position, (name, _)) in entries.iter().enumerate() {
            check_name(name)?;
            if entries.iter().take(position).any(|(other, _)| other == name) {
                return Err(TsbError::Setting(format!("the setting {name} is given twice: leave one out")));
            }
        }
        let value = |wanted: &str| entries.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let file = |name: &str| value(name).map(|value| path(name, value, paths)).transpose();
        let Some(url) = value("url") else {
            return Err(TsbError::Setting(
                "no setting says where the broker is: add url=https://broker.example.com".to_owned(),
            ));
        };
        let mut settings = TsbSettings::new(url, value("key").unwrap_or(id))?;
        if let Some(timeout) = value("timeout") {
            settings.timeout = time("timeout", timeout, limits::TSB_TIMEOUT_RANGE)?;
        }
        if let Some(poll) = value("poll") {
            settings.poll = time("poll", poll, limits::TSB_POLL_RANGE)?;
        }
        settings.without_approvals = match value("without-approvals") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(TsbError::Setting("the setting without-approvals is neither true nor false".to_owned()));
            }
        };
        settings.certificate_chain = file("certificate-chain")?;
        settings.ca = file("ca")?;
        settings.token_file = file("token-file")?;
        settings.api_key_file = file("api-key-file")?;
        settings.client_certificate = file("client-certificate")?;
        settings.client_key = file("client-key")?;
        settings.key_password_file = file("key-password-file")?;
        settings.application_key = file("application-key")?;
        settings.approvers = file("approvers")?;
        if settings.client_certificate.is_some() != settings.client_key.is_some() {
            return Err(TsbError::Setting(
                "the settings client-certificate and client-key belong together: name the files of both, or of neither"
                    .to_owned(),
            ));
        }
        Ok(settings)
    }
}

/// Checks that there is a setting `name`.
fn check_name(name: &str) -> Result<(), TsbError> {
    if SETTINGS.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    let plain = name.to_ascii_lowercase().replace(['_', '-'], "");
    let secret = match plain.as_str() {
        "token" | "jwt" | "bearer" | "bearertoken" | "accesstoken" => Some(("token-file", "MUSTER_TSB_TOKEN")),
        "apikey" | "apikeys" | "keyoperationtoken" => Some(("api-key-file", "MUSTER_TSB_API_KEY")),
        "password" | "keypassword" | "pin" => Some(("key-password-file", "MUSTER_TSB_KEY_PASSWORD")),
        _ => None,
    };
    let name = quote(name);
    Err(TsbError::Setting(match secret {
        Some((file, variable)) => format!(
            "the setting {name} would hold a secret in clear, and others can read it in signingkeys.json and on command \
             lines: take it out, have the secret replaced, and give the new one by {file}=/path/of/a/file that only you \
             can read, or by {variable} in the environment"
        ),
        None => {
            let known: Vec<&str> = SETTINGS.iter().map(|(known, _)| *known).collect();
            format!("the setting {name} is unknown: there are {}", known.join(", "))
        }
    }))
}

/// An address to which secrets may be sent.
fn address(text: &str) -> Result<Url, TsbError> {
    let refused = |reason: &str| Err(TsbError::Setting(format!("the setting url {reason}")));
    let Ok(mut url) = Url::parse(text) else {
        return refused("cannot be read as an address: write https://broker.example.com");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused(
            "holds a user name or a password, which others can read: take it out, and give the token by token-file or \
             MUSTER_TSB_TOKEN",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("has a query or a fragment: write it up to the path of the broker only");
    }
    if url.host_str().is_none_or(str::is_empty) || matches!(url.host(), Some(Host::Domain(""))) {
        return refused("names no host: write https://broker.example.com");
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            return refused(
                "is plain http, over which others on the way can read the token: write https://, and name the roots \
                 of the broker's certificate by ca where they are your own",
            );
        }
        _ => return refused("is not of the kind https://"),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn time(name: &str, value: &str, (shortest, longest): (Duration, Duration)) -> Result<Duration, TsbError> {
    let refused = |reason: String| TsbError::Setting(format!("the setting {name} {reason}"));
    let time = duration::parse(value).map_err(|error| refused(format!("is no length of time: {error}")))?;
    let time = Duration::try_from(time).unwrap_or_default();
    if (shortest..=longest).contains(&time) {
        return Ok(time);
    }
    Err(refused(format!("has to be from {} ms to {} s", shortest.as_millis(), longest.as_secs())))
}

/// The path of a file. The value is not repeated: it may be the secret itself.
fn path(name: &str, value: &str, paths: Paths) -> Result<PathBuf, TsbError> {
    let path = PathBuf::from(value);
    if value.is_empty() || value.contains('\0') {
        return Err(TsbError::Setting(format!("the setting {name} names no file")));
    }
    if paths == Paths::Absolute && !path.is_absolute() {
        return Err(TsbError::Setting(format!(
            "the setting {name} is no absolute path: write it from the root on, since the plugin may be started in any folder"
        )));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<TsbSettings, TsbError> {
        TsbSettings::read("release", pairs.iter().copied(), Paths::Absolute)
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        read(pairs).unwrap_err().to_string()
    }

    const URL: (&str, &str) = ("url", "https://broker.example.com/");

    #[test]
    fn every_setting_is_read() {
        let settings = read(&[URL]).unwrap();
        assert_eq!(
            (settings.key.as_str(), settings.timeout, settings.poll),
            ("release", limits::TSB_TIMEOUT, limits::TSB_POLL)
        );
        assert!(!settings.without_approvals);
        let value = |name: &str| match name {
            "url" => URL.1.to_owned(),
            "timeout" => "2h".to_owned(),
            "poll" => "5s".to_owned(),
            "without-approvals" => "true".to_owned(),
            name => format!("/{name}"),
        };
        let pairs: Vec<(&str, String)> = SETTINGS.iter().map(|(name, _)| (*name, value(name))).collect();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let all = read(&pairs).unwrap();
        assert_eq!(all.key, "/key");
        assert_eq!((all.timeout.as_secs(), all.poll.as_secs(), all.without_approvals), (7200, 5, true));
        for (name, file) in [
            ("certificate-chain", all.certificate_chain),
            ("ca", all.ca),
            ("token-file", all.token_file),
            ("api-key-file", all.api_key_file),
            ("client-certificate", all.client_certificate),
            ("client-key", all.client_key),
            ("key-password-file", all.key_password_file),
            ("application-key", all.application_key),
            ("approvers", all.approvers),
        ] {
            assert_eq!(file, Some(format!("/{name}").into()));
        }
    }

    #[test]
    fn secrets_in_clear_and_what_is_unknown_are_refused_without_the_value() {
        for (name, words) in [
            ("token", "token-file=/path"),
            ("Token", "MUSTER_TSB_TOKEN"),
            ("api-key", "api-key-file=/path"),
            ("apiKey", "MUSTER_TSB_API_KEY"),
            ("keyOperationToken", "api-key-file=/path"),
            ("password", "key-password-file=/path"),
            ("key-password", "MUSTER_TSB_KEY_PASSWORD"),
            ("chain", "there are url, key, certificate-chain"),
            ("x\u{1b}[2J", "\"x\\u{1b}[2J\" is unknown"),
        ] {
            let message = refusal(&[URL, (name, "s3cret")]);
            assert!(message.contains(words), "{name}: {message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
        for (name, value) in [
            ("url", "https://me:s3cret@broker"),
            ("url", "https://broker?token=s3cret"),
            ("url", "s3cret"),
            ("url", "ftp://s3cret"),
            ("url", "http://s3cret"),
            ("timeout", "s3cret"),
            ("timeout", "0"),
            ("timeout", "-1h"),
            ("poll", "1ns"),
            ("without-approvals", "s3cret"),
        ] {
            let message = refusal(&[(name, value), if name == "url" { ("key", "k") } else { URL }]);
            assert!(message.starts_with(&format!("the setting {name} ")) && !message.contains("s3cret"), "{message}");
        }
        for (name, _) in SETTINGS.iter().filter(|(name, _)| name.ends_with("-file")) {
            let message = refusal(&[URL, (name, "s3cret")]);
            assert!(message.contains("no absolute path") && !message.contains("s3cret"), "{message}");
        }
    }

    #[test]
    fn what_belongs_together_is_asked_for() {
        assert!(refusal(&[]).contains("add url="));
        assert!(refusal(&[URL, ("client-key", "/k")]).contains("belong together"));
        assert!(refusal(&[URL, URL]).contains("twice"));
        assert!(refusal(&[URL, ("key", "")]).contains("label"));
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (url, fit) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost/tsb", true),
            ("http://[::1]:1", true),
            ("http://broker.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("https://broker.example.com:8443/tsb/", true),
        ] {
            assert_eq!(read(&[("url", url)]).is_ok(), fit, "{url}");
        }
    }
}
