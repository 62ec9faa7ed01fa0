//! `muster sign` with a key in a token, named by its URI.

use std::process::{Command, Output};

use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, KeyKind, LeafRequest};

use crate::process::{held, with_softhsm};
use crate::world::{LEAF, issuing, key, pem, trust};

#[test]
fn an_artifact_is_signed_with_the_token_and_verifies() {
    with_softhsm("hsm::shell::an_artifact_is_signed_with_the_token_and_verifies", |hsm| {
        let token = hsm.token("release").unwrap();
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        trust(folder.path());
        let muster = |arguments: &[&str]| -> Output {
            let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
            command.args(arguments).current_dir(folder.path()).env("NOTATION_CONFIG", folder.path());
            command.output().unwrap()
        };
        for kind in [KeyKind::Rsa3072, KeyKind::P384] {
            let uri = token.import(&key(kind, 0), kind.word()).unwrap();
            let signer = issuing().issue(LeafRequest::new(LEAF, held(&uri)).unwrap()).unwrap();
            std::fs::write(folder.path().join("chain.crt"), pem(&signer.chain)).unwrap();
            let image = Artifact::image(kind.word());
            let blob = &image.manifest;
            let media_type = &blob.descriptor.media_type;
            registry.put_manifest("app", None, media_type, blob.bytes.clone()).unwrap();
            let called = format!("{}/app@{}", registry.host(), blob.descriptor.digest);
            for format in ["jws", "cose"] {
                let arguments =
                    ["sign", "-k", &uri, "--certificate-chain", "chain.crt", "--signature-format", format, &called];
                let signed = muster(&arguments);
                let errors = String::from_utf8_lossy(&signed.stderr);
                assert_eq!(signed.status.code(), Some(0), "{errors}");
                assert!(signed.stdout.starts_with(format!("Successfully signed {called}\n").as_bytes()));
            }
            assert_eq!(muster(&["verify", &called]).status.code(), Some(0));

            // A PIN that is wrong signs nothing.
            std::fs::write(folder.path().join("pin"), "0000").unwrap();
            let before = uri.split("pin-source=").next().unwrap();
            let wrong = format!("{before}pin-source=file:{}", folder.path().join("pin").display());
            let requests = registry.requests();
            let refused = muster(&["sign", "-k", &wrong, "--certificate-chain", "chain.crt", &called]);
            let errors = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{errors}");
            assert!(errors.contains("refuses the PIN") && !errors.contains("0000"), "{errors}");
            assert_eq!(registry.requests(), requests);
        }
    });
}
