//! Requests: bounded, strict JSON, of contract 1.0.
//!
//! Members that are not known are ignored, as the contract demands; what could be read in two ways is refused. No message
//! repeats a value, since a user may have put a secret into any of them.

use std::io::{self, Read};

use serde_json::value::RawValue;

use super::error::{ErrorCode, Refusal};
use crate::failure::quote;
use crate::json::{self, JsonError, Members};
use crate::limits;
use crate::plugin::{CONTRACT_VERSION, DescribeKeyRequest, GenerateSignatureRequest, PluginConfig};

/// Reads all that is written to standard input.
pub(super) fn read(input: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let read = input.take(limits::PLUGIN_REQUEST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error: io::Error| Refusal::general(format!("the request cannot be read: {error}")))?;
    if bytes.len() as u64 > limits::PLUGIN_REQUEST_BYTES {
        let most = limits::PLUGIN_REQUEST_BYTES;
        return Err(Refusal::validation(format!("the request is longer than the {most} bytes that are read")));
    }
    Ok(bytes)
}

/// Checks the request of `get-plugin-metadata`, which says nothing that matters; nothing at all is taken too.
pub(super) fn metadata(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.trim_ascii().is_empty() {
        return Ok(());
    }
    members(bytes).map(|_| ())
}

/// Reads the request of `describe-key`.
pub(super) fn describe_key(bytes: &[u8]) -> Result<DescribeKeyRequest, Refusal> {
    let request = members(bytes)?;
    Ok(DescribeKeyRequest {
        contract_version: contract_version(&request)?,
        key_id: text(&request, "keyId")?,
        plugin_config: plugin_config(&request)?,
    })
}

/// Reads the request of `generate-signature`.
pub(super) fn generate_signature(bytes: &[u8]) -> Result<GenerateSignatureRequest, Refusal> {
    let request = members(bytes)?;
    Ok(GenerateSignatureRequest {
        contract_version: contract_version(&request)?,
        key_id: text(&request, "keyId")?,
        key_spec: text(&request, "keySpec")?,
        hash_algorithm: text(&request, "hashAlgorithm")?,
        payload: text(&request, "payload")?,
        plugin_config: plugin_config(&request)?,
    })
}

/// The members of the request, sound at every depth.
fn members(bytes: &[u8]) -> Result<Members<'_>, Refusal> {
    let unread = |error: JsonError| Refusal::validation(format!("the request cannot be read: {error}"));
    let request = json::text(bytes).and_then(json::members).map_err(unread)?;
    for (name, value) in request.iter() {
        json::check(value.get()).map_err(|error| misread(name, &error))?;
    }
    Ok(request)
}

fn misread(name: &str, error: &JsonError) -> Refusal {
    Refusal::validation(format!("the request's member {} cannot be read: {error}", quote(name)))
}

fn present<'a>(request: &Members<'a>, name: &str) -> Option<&'a RawValue> {
    request.get(name).filter(|value| !json::is_null(value))
}

/// A text that must be there and say something.
fn text(request: &Members<'_>, name: &str) -> Result<String, Refusal> {
    let missing = || Refusal::validation(format!("the request has no {name}"));
    let value = present(request, name).ok_or_else(missing)?;
    let text = json::string(value).map_err(|error| misread(name, &error))?;
    if text.is_empty() { Err(missing()) } else { Ok(text.into_owned()) }
}

/// The version of the contract, which is the only one spoken here.
fn contract_version(request: &Members<'_>) -> Result<String, Refusal> {
    let version = text(request, "contractVersion")?;
    if version == CONTRACT_VERSION {
        return Ok(version);
    }
    let message = format!("the contract version {} is not spoken here, only {CONTRACT_VERSION}", quote(&version));
    Err(Refusal::new(ErrorCode::UnsupportedContractVersion, message))
}

fn plugin_config(request: &Members<'_>) -> Result<PluginConfig, Refusal> {
    const NAME: &str = "pluginConfig";
    let Some(value) = present(request, NAME) else { return Ok(PluginConfig::new()) };
    let misread_setting = |setting: &str, error: JsonError| {
        Refusal::validation(format!("the setting {} of the request's {NAME} cannot be read: {error}", quote(setting)))
    };
    let entries = json::object(value).map_err(|error| misread(NAME, &error))?;
    let setting = |(name, value): (&str, &RawValue)| {
        let value = json::string(value).map_err(|error| misread_setting(name, error))?;
        Ok((name.to_owned(), value.into_owned()))
    };
    entries.iter().map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"{"contractVersion":"1.0","keyId":"k","keySpec":"EC-256","hashAlgorithm":"SHA-256",
        "payload":"YQ==","pluginConfig":{"module":"/m","pin-source":"\/p"},"later":{"a":[1,null]}}"#;

    #[test]
    fn a_request_is_read_and_what_is_unknown_in_it_ignored() {
        let request = generate_signature(SOUND.as_bytes()).unwrap();
        assert_eq!((request.key_id.as_str(), request.payload.as_str()), ("k", "YQ=="));
        assert_eq!(request.plugin_config["pin-source"], "/p");
        for config in ["", r#","pluginConfig":null"#, r#","pluginConfig":{}"#] {
            let text = format!(r#"{{"contractVersion":"1.0","keyId":"k"{config}}}"#);
            assert!(describe_key(text.as_bytes()).unwrap().plugin_config.is_empty(), "{text}");
        }
        for text in ["", " \n", "{}", r#"{"pluginConfig":{"a":"b"}}"#] {
            assert_eq!(metadata(text.as_bytes()), Ok(()), "{text}");
        }
        assert!(metadata(b"[]").is_err());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (from, to, words) in [
            ("{\"contract", "[\"contract", "found an array"),
            ("}}", "}", "not valid JSON"),
            ("]}}", "]}} {}", "not valid JSON"),
            ("\"keyId\":\"k\"", "\"keyId\":\"k\",\"keyId\":\"l\"", "\"keyId\" is there twice"),
            ("\"keyId\":\"k\"", "\"keyId\":\"k\",\"keyid\":\"l\"", "differ only in case"),
            ("\"keyId\":\"k\"", "\"keyId\":\"\"", "has no keyId"),
            ("\"keyId\":\"k\"", "\"keyId\":null", "has no keyId"),
            ("\"keyId\":\"k\"", "\"KeyID\":\"k\"", "has no keyId"),
            ("\"keyId\":\"k\"", "\"keyId\":31337", "expected a string, found a number"),
            ("\"keyId\":\"k\"", "\"keyId\":\"\\ud800\"", "not valid JSON"),
            ("\"EC-256\"", "[]", "expected a string, found an array"),
            ("\"YQ==\"", "{}", "expected a string, found an object"),
            ("\"SHA-256\"", "true", "expected a string, found a boolean"),
            ("\"1.0\"", "1.0", "expected a string, found a number"),
            ("\"contractVersion\":\"1.0\",", "", "has no contractVersion"),
            ("{\"module\":\"/m\"", "{\"module\":31337", "the setting \"module\""),
            ("{\"module\":\"/m\"", "{\"module\":\"/m\",\"module\":\"/n\"", "\"module\" is there twice"),
            ("{\"module\":\"/m\",\"pin-source\":\"\\/p\"}", "\"31337\"", "expected an object, found a string"),
            ("[1,null]", "[1,null],\"a\":2", "\"a\" is there twice"),
        ] {
            let text = SOUND.replacen(from, to, 1);
            assert_ne!(text, SOUND, "{from}");
            let refusal = generate_signature(text.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::Validation, "{text}");
            assert!(refusal.message.contains(words), "{text}: {}", refusal.message);
            assert!(!refusal.message.contains("31337"), "{}", refusal.message);
        }
        for bytes in [b"".as_slice(), b"\xff", b"\xef\xbb\xbf{}", "[".repeat(100).as_bytes()] {
            assert_eq!(generate_signature(bytes).unwrap_err().code, ErrorCode::Validation, "{bytes:?}");
        }
    }

    #[test]
    fn another_version_of_the_contract_is_told_whatever_else_it_says() {
        for version in ["2.0", "1", "1.0 ", "1.1", "v1.0"] {
            let text = format!(r#"{{"contractVersion":"{version}","key":7}}"#);
            let refusal = describe_key(text.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, ErrorCode::UnsupportedContractVersion, "{version}");
        }
    }

    #[test]
    fn a_request_without_end_is_not_read_to_its_end() {
        let refusal = read(io::repeat(b' ')).unwrap_err();
        assert!(refusal.message.contains("longer than the 16777216 bytes"), "{}", refusal.message);
        assert_eq!(read(b"{}".as_slice()), Ok(b"{}".to_vec()));
    }
}
