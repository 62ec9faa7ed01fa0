//! `tsb:LABEL?url=https://broker&…`: a key behind a broker in one word, as a command line names it.
//!
//! The label is percent-encoded where it has to be; the query holds settings ([`super::settings`]), `&` between them, each
//! value percent-encoded. A URI holds no secret: settings that would are refused.

use super::settings::Paths;
use super::{TsbError, TsbSettings};

const SCHEME: &str = "tsb:";

/// Whether `key` is meant as such a URI, right or wrong, and not as the path of a file.
pub(crate) fn is_broker(key: &str) -> bool {
    key.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

impl TsbSettings {
    /// Reads a URI.
    ///
    /// # Errors
    ///
    /// [`TsbError::Setting`]: what is wrong with it. No value is repeated.
    pub fn from_uri(uri: &str) -> Result<TsbSettings, TsbError> {
        let rest = uri.get(SCHEME.len()..).filter(|_| is_broker(uri)).ok_or_else(|| {
            TsbError::Setting("a key behind a broker is written tsb:LABEL?url=https://broker.example.com".to_owned())
        })?;
        let (label, query) = rest.split_once('?').unwrap_or((rest, ""));
        let label = decoded(label).ok_or_else(|| wrong("the label"))?;
        let mut entries = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                TsbError::Setting("the tsb: URI has a setting without a value: write name=value".to_owned())
            })?;
            let value = decoded(value).ok_or_else(|| wrong("a setting"))?;
            entries.push((name, value));
        }
        TsbSettings::read(&label, entries.iter().map(|(name, value)| (*name, value.as_str())), Paths::Any)
    }
}

fn wrong(what: &str) -> TsbError {
    TsbError::Setting(format!("{what} of the tsb: URI is not percent-encoded UTF-8: write % as %25, & as %26"))
}

/// The text that is written percent-encoded.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, behind @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(*high)? << 4 | digit(*low)?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word() {
        let settings =
            TsbSettings::from_uri("tsb:acme%20release?url=https://b.example.com/tsb&timeout=2h&token-file=t%26.txt")
                .unwrap();
        assert_eq!(settings.key, "acme release");
        assert_eq!(settings.url.as_str(), "https://b.example.com/tsb");
        assert_eq!((settings.timeout.as_secs(), settings.token_file), (7200, Some("t&.txt".into())));
        assert!(is_broker("TSB:x") && !is_broker("tsb") && !is_broker("./tsb:x"));
    }

    #[test]
    fn what_is_none_is_refused_without_its_values() {
        for (uri, words) in [
            ("tsb:", "no setting says where the broker is"),
            ("tsb:a", "no setting says where the broker is"),
            ("tsb:?url=https://b", "label"),
            ("tsb:a%2?url=https://b", "percent-encoded"),
            ("tsb:a?url=https://b&token-file=%ff", "percent-encoded"),
            ("tsb:a?url=https://b&s3cret", "name=value"),
            ("tsb:a?url=https://b&token=s3cret", "in clear"),
            ("file:a", "is written tsb:LABEL"),
        ] {
            let message = TsbSettings::from_uri(uri).unwrap_err().to_string();
            assert!(message.contains(words) && !message.contains("s3cret"), "{uri}: {message}");
        }
    }
}
