//! `GET /v1/certificate/{key}`: the certificates of a key, where no file has them.
//!
//! That there is such a call is documented, the form of its answer is not. What is read is PEM or DER in base64, one certificate or
//! a chain of them, alone or in a member of a JSON object; whether they are a chain that may sign is for the caller to check, as of
//! any chain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;

use super::broker::{Broker, Miss};
use super::key::{label_in_path, lasting};
use super::secrets::Secrets;
use super::{TsbEnvironment, TsbError, TsbSettings};
use crate::limits;
use crate::pem;
use crate::pki::Certificate;
use crate::tsb::CERTIFICATE;

/// Asks the broker for the certificates of the key, its own first. They are not checked.
///
/// # Errors
///
/// Why there are none.
pub async fn fetch_chain(settings: &TsbSettings, environment: &TsbEnvironment) -> Result<Vec<Certificate>, TsbError> {
    let broker = Broker::open(settings, &Secrets::read(settings, environment)?)?;
    let path = format!("{CERTIFICATE}/{}", label_in_path(&settings.key));
    const WHAT: &str = "the question for the certificate of the key";
    let bytes = match broker.exchange(Method::GET, &path, None, limits::TSB_ANSWER_TIMEOUT).await {
        Ok(bytes) => bytes,
        Err(Miss::Lasting(refusal)) => return Err(lasting(&broker, WHAT, &settings.key, refusal)),
        Err(Miss::Passing { reason, .. }) => return Err(TsbError::Unreachable { broker: broker.name(), reason }),
    };
    read(&bytes).ok_or_else(|| TsbError::Answer {
        broker: broker.name(),
        what: WHAT.to_owned(),
        reason: "it holds no certificate; name a file by certificate-chain".to_owned(),
    })
}

fn read(bytes: &[u8]) -> Option<Vec<Certificate>> {
    let mut ders = Vec::new();
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => collect(&value, &mut ders),
        Err(_) => add(std::str::from_utf8(bytes).ok()?, &mut ders),
    }
    let fits = (1..=limits::CHAIN_CERTIFICATES).contains(&ders.len());
    fits.then(|| ders.iter().map(|der| Certificate::parse(der).ok()).collect::<Option<Vec<_>>>()).flatten()
}

/// The certificates of a JSON value: a text, a list of texts, or the members of an object that are called after them.
fn collect(value: &Value, ders: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => add(text, ders),
        Value::Array(values) => values.iter().for_each(|value| collect(value, ders)),
        Value::Object(members) => {
            let names = ["certificateChain", "certificates", "certificate"];
            if let Some(value) = names.iter().find_map(|name| members.get(*name)) {
                collect(value, ders);
            }
        }
        _ => {}
    }
}

fn add(text: &str, ders: &mut Vec<Vec<u8>>) {
    if pem::is_pem(text.as_bytes()) {
        let blocks = pem::blocks(text.as_bytes()).unwrap_or_default();
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        ders.extend(certificates.filter_map(|block| block.content().ok()).map(|content| content.to_vec()));
    } else {
        ders.extend(STANDARD.decode(text.trim()).ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::{Authority, Key, KeyKind, LeafRequest, pem as written};

    #[test]
    fn certificates_are_read_in_any_likely_form() {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
        let chain = root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", key(0)).unwrap()).unwrap().chain;
        let pems: Vec<String> =
            chain.iter().map(|der| String::from_utf8(written("CERTIFICATE", der)).unwrap()).collect();
        let base64: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
        for text in [
            pems.concat(),
            serde_json::json!({"label": "release", "certificate": pems.concat()}).to_string(),
            serde_json::json!({"certificateChain": base64}).to_string(),
            serde_json::json!(pems).to_string(),
        ] {
            let read: Vec<Vec<u8>> = read(text.as_bytes()).unwrap().iter().map(|held| held.der().to_vec()).collect();
            assert_eq!(read, chain, "{text}");
        }
        for text in ["", "{}", "null", "\"\"", r#"{"certificate":"AAAA"}"#, "\u{0}"] {
            assert!(read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
