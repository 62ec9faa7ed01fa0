//! `muster sign` as the host: a key in a token behind the plugin.

use std::fs;
use std::process::{Command, Output};

use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, KeyKind, LeafRequest};
use serde_json::json;

use super::host::Host;
use crate::process::{held, with_softhsm};
use crate::world::{self, LEAF, issuing, trust};

#[test]
fn muster_signs_with_the_plugin_and_verifies() {
    with_softhsm("pkcs11_plugin::through_muster::muster_signs_with_the_plugin_and_verifies", |hsm| {
        let token = hsm.token("release").unwrap();
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        let (host, folder) = (Host::new().closed_to_others(), tempfile::tempdir().unwrap());
        trust(folder.path());
        let muster = |arguments: &[&str]| -> Output {
            let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
            command.args(arguments).current_dir(folder.path());
            command.env("NOTATION_CONFIG", folder.path()).env("NOTATION_LIBEXEC", host.libexec()).output().unwrap()
        };
        for kind in [KeyKind::Rsa2048, KeyKind::P384] {
            let uri = token.generate(kind, kind.word()).unwrap();
            let chain = issuing().issue(LeafRequest::new(LEAF, held(&uri)).unwrap()).unwrap().chain;
            let file = folder.path().join("chain.pem");
            fs::write(&file, world::pem(&chain)).unwrap();
            let list = json!({ "default": "release", "keys": [{
                "name": "release", "id": uri, "pluginName": "muster-pkcs11", "pluginConfig": { "certificate-chain": file },
            }] });
            fs::write(folder.path().join("signingkeys.json"), list.to_string()).unwrap();
            let image = Artifact::image(kind.word());
            let blob = &image.manifest;
            registry.put_manifest("app", None, &blob.descriptor.media_type, blob.bytes.clone()).unwrap();
            let called = format!("{}/app@{}", registry.host(), blob.descriptor.digest);
            let setting = format!("certificate-chain={}", file.display());
            let named = ["--plugin", "muster-pkcs11", "--id", &uri, "--plugin-config", &setting];
            for (format, key) in
                [("jws", named.as_slice()), ("cose", &named), ("jws", &[]), ("cose", &["--key", "release"])]
            {
                let signed = muster(&[&["sign", "--signature-format", format], key, &[&called]].concat());
                let errors = String::from_utf8_lossy(&signed.stderr);
                assert_eq!(signed.status.code(), Some(0), "{format} {key:?}: {errors}");
                let verified = muster(&["verify", &called]);
                assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
            }

            // What the plugin refuses reaches the user, and nothing is written.
            let (before, wrong) = (registry.requests(), folder.path().join("pin"));
            fs::write(&wrong, "31337").unwrap();
            let wrong = format!("pin-source={}", wrong.display());
            for (setting, words) in
                [(wrong.as_str(), "refuses the PIN as wrong"), ("pin=31337", "would hold a PIN in clear")]
            {
                let refused = muster(&["sign", "--plugin-config", setting, &called]);
                let errors = String::from_utf8_lossy(&refused.stderr);
                assert!(refused.status.code().is_some_and(|code| code != 0), "{errors}");
                assert!(errors.contains(words) && !errors.contains("31337"), "{errors}");
                assert_eq!(registry.requests(), before);
            }
        }
    });
}
