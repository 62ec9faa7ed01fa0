//! `muster inspect`: sound and broken signatures side by side, and nothing that a stranger wrote reaches a terminal as it is.

use muster::forge::registry::Flavour;
use muster::forge::{
    Artifact, Attribute, Authority, Key, KeyKind, LeafRequest, SignatureForm, SignatureManifest, Signer, SigningScheme,
    Statement,
};
use serde_json::{Value, json};
use time::macros::datetime;

use super::workshop::Workshop;

fn signer() -> Signer {
    let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
    let root = Authority::root("C=US, O=wabbit, CN=Root", key(0)).unwrap();
    root.issue(LeafRequest::new("C=US, O=wabbit, CN=Builder", key(1)).unwrap()).unwrap()
}

/// An image with a sound signature in COSE, a broken one in JWS, and one without an envelope.
fn signed(workshop: &Workshop) -> (String, Value) {
    let called = workshop.image("app");
    let (image, signer) = (Artifact::image("app"), signer());
    let put = |media_type: &str, envelope: &[u8]| {
        let form = SignatureManifest::ArtifactType;
        let signature = Artifact::signature(form, image.descriptor(), media_type, envelope, &signer);
        workshop.put("app", None, &signature)
    };
    let mut statement = Statement::new(image.descriptor().clone(), datetime!(2026-11-20 8:00 UTC))
        .with_metadata([("buildId", "101"), ("evil\u{1b}[2J", "line\n└── forged \u{202e}")]);
    statement.scheme = SigningScheme::SigningAuthority;
    statement.expiry = Some(datetime!(2027-11-20 8:00 UTC));
    let own = |name: &str| Attribute { name: name.to_owned(), value: "own".to_owned(), critical: false };
    statement.attributes = vec![own("com.wabbit.line"), own("signing time")];
    statement.signing_agent = Some("agent\u{9b}1".to_owned());
    put("application/cose", &statement.cose(&signer).unwrap().seal().unwrap());
    let mut draft = statement.jws(&signer).unwrap();
    draft.signature = SignatureForm::Changed(|mut signature| {
        signature[9] ^= 1;
        signature
    });
    put("application/jose+json", &draft.seal().unwrap());
    put("application/\u{1b}", b"nothing");
    let json = workshop.expect(1, &["inspect", "-o", "json", &called]).stdout;
    assert!(!json.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{json}");
    (called, serde_json::from_str(&json).unwrap())
}

#[test]
fn broken_signatures_never_hide_the_others() {
    let workshop = Workshop::new(Flavour::Current);
    let (called, json) = signed(&workshop);
    let run = workshop.expect(1, &["inspect", &called]);
    assert!(!run.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{run}");
    let signatures = json["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 3);
    let code = |signature: &Value| signature["error"]["code"].as_str().map(str::to_owned);
    let mut codes: Vec<_> = signatures.iter().map(code).collect();
    codes.sort();
    let unsupported = Some("envelope-format-unsupported".to_owned());
    assert_eq!(codes, [None, unsupported, Some("signature-invalid".to_owned())]);
}

#[test]
fn a_sound_signature_is_shown_in_full() {
    let workshop = Workshop::new(Flavour::Current);
    let (called, json) = signed(&workshop);
    let sound = json["signatures"].as_array().unwrap().iter().find(|signature| signature["error"].is_null()).unwrap();
    assert_eq!(sound["signatureAlgorithm"], "ECDSA-SHA-256");
    assert_eq!(
        sound["signedAttributes"],
        json!({
            "contentType": "application/vnd.cncf.notary.payload.v1+json", "signingScheme": "notary.x509.signingAuthority",
            "authenticSigningTime": "2026-11-20T08:00:00Z", "expiry": "2027-11-20T08:00:00Z",
            "com.wabbit.line": "own", "\"signing time\"": "own",
        })
    );
    let metadata = json!({ "buildId": "101", "evil\u{1b}[2J": "line\n└── forged \u{202e}" });
    assert_eq!(sound["userDefinedAttributes"], metadata);
    assert_eq!(sound["unsignedAttributes"], json!({ "signingAgent": "agent\u{9b}1" }));
    let names = |who: &str| {
        let certificates = sound["certificates"].as_array().unwrap().iter();
        certificates.map(|held| held[who].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("issuedTo"), ["CN=Builder,O=wabbit,C=US", "CN=Root,O=wabbit,C=US"]);
    assert_eq!(names("issuedBy"), ["CN=Root,O=wabbit,C=US", "CN=Root,O=wabbit,C=US"]);
    let image = Artifact::image("app");
    let (digest, size) = (image.descriptor().digest.to_string(), image.descriptor().size);
    let target = json!({ "mediaType": image.descriptor().media_type, "digest": digest, "size": size });
    assert_eq!(sound["signedArtifact"], target);

    let tree = workshop.expect(1, &["inspect", "-o", "text", &called]).stdout;
    let all = tree.split("\n    ├── sha256:").flat_map(|part| part.split("\n    └── sha256:"));
    let part = all.into_iter().find(|part| part.contains("signature algorithm")).unwrap();
    // Which of the three comes last is chance, and with it whether a stem leads on to the next.
    let part: Vec<_> = part.lines().skip(1).map(|line| line.chars().skip(8).collect::<String>()).collect();
    let part = part.join("\n");
    insta::assert_snapshot!("inspect_sound", steady(&part));
}

/// Fingerprints differ, as keys do.
fn steady(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        lines.push(match line.split_once("SHA256 fingerprint: ") {
            Some((before, hex)) => {
                assert_eq!(hex.len(), 64);
                format!("{before}SHA256 fingerprint: […]")
            }
            None => line.to_owned(),
        });
    }
    lines.join("\n")
}

#[test]
fn a_signature_that_cannot_be_fetched_is_not_called_broken() {
    use muster::forge::registry::{Effect, Fault, RouteKind};
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    workshop.expect(0, &["sign", &image]);
    workshop.registry.fail(Fault::next(1, RouteKind::Blob, Effect::Status(403, None)));
    let run = workshop.expect(3, &["inspect", &image]);
    assert!(run.stdout.contains("error: access-denied: "), "{run}");
}

#[test]
fn a_signature_of_another_artifact_is_said_to_be_one() {
    let world = super::world::World::new();
    let run = super::program::muster(&["inspect", &world.reference("wrong:v1")]).run();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains("note: what was signed is another artifact than this"), "{run}");
}
