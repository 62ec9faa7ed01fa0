//! The key of a request: its id is a PKCS #11 URI, and nothing else.
//!
//! One spelling only, because the same words would otherwise name different keys with different settings. Settings of the
//! request win over the URI, and the URI over the environment.

use super::settings::Settings;
use crate::sign::SigningChain;
use crate::signer;
use crate::signer::pkcs11::Uri;
use crate::signer::{Environment, Pkcs11};
use crate::signing_plugin::Refusal;

/// Opens the key called `key_id`, to sign with the chain at hand if there is one.
pub(super) fn open(
    key_id: &str,
    settings: &Settings,
    environment: &Environment,
    chain: Option<&SigningChain>,
) -> Result<Pkcs11, Refusal> {
    if !signer::is_token(key_id) {
        return Err(Refusal::validation(
            "the key id is no PKCS #11 URI: write pkcs11:token=…;object=… with the labels of the token and of the key, \
             other characters than letters, digits and -._~ percent-encoded",
        ));
    }
    let mut uri: Uri = key_id.parse()?;
    uri.module_path = settings.module.clone().or(uri.module_path);
    uri.pin_file = settings.pin_source.clone().or(uri.pin_file);
    Ok(Pkcs11::open_for(&uri, environment, chain.map(|chain| chain.chain().leaf()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing_plugin::ErrorCode;

    #[test]
    fn a_key_id_is_a_uri_and_never_repeated() {
        let open =
            |key_id: &str, settings: &Settings| open(key_id, settings, &Environment::default(), None).unwrap_err();
        for (key_id, words) in [
            ("release", "no PKCS #11 URI"),
            ("/key?pin-value=31337", "no PKCS #11 URI"),
            ("pkcs11:object=a", "names no token"),
            ("pkcs11:token=a;object=b?pin-value=31337", "holds a PIN"),
            ("pkcs11:token=a;object=b", "or add --plugin-config module="),
        ] {
            let refusal = open(key_id, &Settings::default());
            assert_eq!(refusal.code, ErrorCode::Validation, "{key_id}");
            assert!(refusal.message.contains(words), "{key_id}: {}", refusal.message);
            assert!(!refusal.message.contains("31337"), "{}", refusal.message);
        }
        let settings = Settings { module: Some("/nowhere/setting.so".into()), ..Settings::default() };
        let refusal = open("pkcs11:token=a;object=b?module-path=/nowhere/uri.so", &settings);
        assert!(refusal.message.contains("\"/nowhere/setting.so\" does not exist"), "{}", refusal.message);
    }
}
