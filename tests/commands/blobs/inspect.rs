//! `muster blob inspect`.

use muster::digest::{Algorithm, Digest};
use muster::forge::KeyKind;
use serde_json::Value;

use super::world::{BLOB, World, said};

#[test]
fn a_signature_is_shown_without_its_blob() {
    let world = World::new();
    let said = said(BLOB, Algorithm::Sha384).with_metadata([("build", "7\u{1b}[2J")]);
    let signer = world.signer(KeyKind::P384);
    world.signature(&signer, &said);
    world.write("s.cose.sig", &said.cose(&signer).unwrap().seal().unwrap());
    for (file, media_type) in [("signed.jws.sig", "application/jose+json"), ("s.cose.sig", "application/cose")] {
        let run = world.expect(0, &["blob", "inspect", "-o", "json", file]);
        let shown: Value = serde_json::from_str(&run.stdout).unwrap();
        let bytes = std::fs::read(world.path(file)).unwrap();
        assert_eq!(shown["digest"], Digest::sha256(&bytes).to_string());
        assert_eq!(shown["mediaType"], media_type);
        assert_eq!(shown["signatureAlgorithm"], "ECDSA-SHA-384");
        assert_eq!(shown["signedArtifact"]["digest"], Digest::of(Algorithm::Sha384, BLOB).to_string());
        assert_eq!(shown["userDefinedAttributes"]["build"], "7\u{1b}[2J");
        assert!(shown.get("listed").is_none() && shown.get("notes").is_none(), "{shown:#}");
        let tree = world.expect(0, &["blob", "inspect", file]).stdout;
        assert!(tree.starts_with(&format!("{file}\n└── sha256:")) && tree.contains("digest: sha384:"), "{tree}");
        assert!(!tree.contains('\u{1b}') && !run.stdout.contains('\u{1b}'));
    }
}

#[test]
fn what_cannot_be_shown_is_said() {
    let world = World::new();
    world.write("broken.jws.sig", b"{}");
    world.write("plain", b"{}");
    let broken = world.expect(1, &["blob", "inspect", "broken.jws.sig"]);
    assert!(broken.stdout.contains("error: envelope-malformed"), "{}", broken.stdout);
    assert!(world.expect(2, &["blob", "inspect", "plain"]).stderr.contains("--signature-format"));
    world.expect(1, &["blob", "inspect", "--signature-format", "cose", "plain"]);
    assert!(world.expect(3, &["blob", "inspect", "none.cose.sig"]).stderr.contains("does not exist"));
}
