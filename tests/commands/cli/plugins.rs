//! Plugins from the command line: looked for when a signature or a key asks for one, and not before.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use muster::forge::registry::Flavour;
use muster::forge::{Artifact, Attribute, Key, KeyKind, SignatureManifest, Signer, Statement};
use muster::signer::CertificateChainFile;
use serde_json::json;

use super::program::Finished;
use super::workshop::Workshop;

impl Workshop {
    pub(super) fn plugin(&self, name: &str, script: &str) {
        let folder = self.path(&format!("libexec/plugins/{name}"));
        // Written by a process of its own, so that no fork of this one keeps it open while it is to be run.
        let write = r#"umask 022; mkdir -p "$1" && cat > "$1/notation-$2" && chmod 755 "$1/notation-$2""#;
        let mut shell =
            Command::new("sh").args(["-c", write, "sh"]).arg(folder).arg(name).stdin(Stdio::piped()).spawn();
        let shell = shell.as_mut().unwrap();
        shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    #[track_caller]
    pub(super) fn with_plugins(&self, code: i32, arguments: &[&str]) -> Finished {
        let run = self.muster(arguments).env("NOTATION_LIBEXEC", "libexec").run();
        assert_eq!(run.code, Some(code), "muster {}\n{run}", arguments.join(" "));
        run
    }

    /// An image whose signature asks for the plugin `checker`.
    fn image_for_checker(&self) -> String {
        let image = self.image("app");
        let subject = Artifact::image("app");
        let chain = CertificateChainFile::load(&self.path("ec-p256.crt")).unwrap();
        let chain = chain.certificates().iter().map(|certificate| certificate.der().to_vec()).collect();
        let signer = Signer { key: Key::pooled(KeyKind::P256, 1).unwrap(), chain };
        let mut statement = Statement::new(subject.descriptor().clone(), time::OffsetDateTime::now_utc());
        let value = "checker".to_owned();
        let name = "io.cncf.notary.verificationPlugin".to_owned();
        statement.attributes.push(Attribute { name, value, critical: true });
        let envelope = statement.jws(&signer).unwrap().seal().unwrap();
        let form = SignatureManifest::ConfigMediaType;
        let signature = Artifact::signature(form, subject.descriptor(), "application/jose+json", &envelope, &signer);
        self.put("app", None, &signature);
        image
    }
}

pub(super) fn metadata(name: &str, capability: &str) -> String {
    let metadata = json!({ "name": name, "description": "d", "version": "1.0.0", "url": "u",
        "supportedContractVersions": ["1.0"], "capabilities": [capability] });
    format!("[ \"$1\" = get-plugin-metadata ] && {{ echo '{metadata}'; exit; }}")
}

fn checker(answer: &str) -> String {
    format!("{}\n{answer}", metadata("checker", "SIGNATURE_VERIFIER.TRUSTED_IDENTITY"))
}

const TRUSTS: &str = r#"grep -q '"trust":"yes"' && ok=true || ok=false
echo "{\"verificationResults\":{\"SIGNATURE_VERIFIER.TRUSTED_IDENTITY\":{\"success\":$ok,\"reason\":\"settings\"}}}""#;

/// Signs by RSASSA-PSS, with the key and the certificates of the workshop.
pub(super) const SIGNS: &str = r#"request=$(cat)
text() { printf %s "$request" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
id=$(text keyId)
[ "$1" = describe-key ] && { echo "{\"keyId\":\"$id\",\"keySpec\":\"RSA-2048\"}"; exit; }
signature=$(text payload | base64 -d | openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign "$id.key" | base64 -w0)
chain=$(sed -e 's/-----BEGIN CERTIFICATE-----/"/' -e 's/-----END CERTIFICATE-----/",/' "$id.crt" | tr -d '\n')
echo "{\"keyId\":\"$id\",\"signature\":\"$signature\",\"signingAlgorithm\":\"RSASSA-PSS-SHA-256\",\"certificateChain\":[${chain%,}]}""#;

#[test]
fn a_verification_plugin_is_asked_with_its_settings() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image_for_checker();
    let run = workshop.with_plugins(3, &["verify", &image]);
    assert!(run.stderr.contains("plugin-missing: there is no plugin \"checker\""), "{run}");
    workshop.plugin("checker", &checker(TRUSTS));
    let run = workshop.with_plugins(0, &["verify", "--verbose", "--plugin-config", "trust=yes", &image]);
    assert!(run.stderr.contains("authenticity enforce pass by the plugin checker 1.0.0\n"), "{run}");
    let run = workshop.with_plugins(1, &["verify", &image]);
    assert!(run.stderr.contains("plugin-identity-refused"), "{run}");
    let run = workshop.with_plugins(0, &["audit", "--plugin-config", "trust=yes", "-o", "json", &image]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["artifacts"][0]["signatures"][0]["checks"][1]["plugin"], "checker 1.0.0");
    let run = workshop.with_plugins(2, &["verify", "--plugin-config", "a=1", "--plugin-config", "a=2", &image]);
    assert!(run.stderr.contains("--plugin-config has two values of \"a\""), "{run}");
}

#[test]
fn a_plugin_that_hangs_costs_its_time_and_nothing_else() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image_for_checker();
    workshop.plugin("checker", &checker("sleep 1000"));
    let run = workshop.with_plugins(3, &["verify", "--plugin-timeout", "1s", &image]);
    assert!(run.stderr.contains("plugin-failed") && run.stderr.contains("did not answer within 1s"), "{run}");
}

#[test]
fn secrets_for_registries_and_tokens_are_not_handed_on() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image_for_checker();
    workshop.plugin("checker", &checker("env > seen; exit 1"));
    let run = workshop.muster(&["verify", &image]);
    let run = run.env("NOTATION_LIBEXEC", "libexec").env("MUSTER_PKCS11_PIN", "secret-pin").env("AWS_PROFILE", "dev");
    let run = run.env("NOTATION_USERNAME", "secret-name").env("NOTATION_PASSWORD", "secret-password").run();
    assert_eq!(run.code, Some(3), "{run}");
    let seen = fs::read_to_string(workshop.path("seen")).unwrap();
    assert!(seen.contains("AWS_PROFILE=dev\n") && !seen.contains("secret"), "{seen}");
}

#[test]
fn a_plugin_signs_and_what_it_signed_verifies() {
    let workshop = Workshop::new(Flavour::Current);
    workshop.plugin("kms", &format!("{}\n{SIGNS}", metadata("kms", "SIGNATURE_GENERATOR.RAW")));
    let keys = json!({ "default": "behind", "keys": [
        { "name": "behind", "id": "rsa-2048", "pluginName": "kms", "pluginConfig": { "region": "eu" } },
    ]});
    workshop.list_keys(&keys.to_string());
    let image = workshop.image("app");
    for arguments in [
        &["--plugin", "kms", "--id", "rsa-2048"][..],
        &["--signature-format", "cose", "--plugin-config", "region=us", "--verbose"],
    ] {
        let run = workshop.with_plugins(0, &[&["sign", "-m", "a=b", "-e", "1h"], arguments, &[&image]].concat());
        assert!(run.stdout.starts_with("Successfully signed"), "{run}");
        workshop.with_plugins(0, &["verify", "-m", "a=b", &image]);
    }
    let shown = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
    assert!(shown.contains(concat!("muster/", env!("CARGO_PKG_VERSION"), " kms/1.0.0")), "{shown}");
}

#[test]
fn a_key_that_a_plugin_does_not_sign_with_signs_nothing() {
    let workshop = Workshop::new(Flavour::Current);
    workshop.plugin("kms", &format!("{}\n{SIGNS}", metadata("kms", "SIGNATURE_GENERATOR.RAW")));
    let image = workshop.image("app");
    for (code, arguments, words) in [
        // The key is there, and its certificates are another's.
        (3, &["--plugin", "kms", "--id", "stranger"][..], "is not signed"),
        (2, &["--plugin", "nobody", "--id", "x"], "there is no plugin \"nobody\""),
        (2, &["--plugin", "../kms", "--id", "x"], "names no plugin"),
        (2, &["--plugin", "kms"], "--id"),
        (2, &["-k", "ec-p256", "--plugin-config", "a=b"], "is for a key behind a plugin"),
    ] {
        let run = workshop.with_plugins(code, &[&["sign"], arguments, &[&image]].concat());
        assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{run}");
    }
    assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
}

#[test]
fn an_interrupt_ends_the_plugin_that_waits_for_approvals() {
    let workshop = Workshop::new(Flavour::Current);
    let waits = "cat > /dev/null\n[ \"$1\" = describe-key ] && { echo '{\"keyId\":\"k\",\"keySpec\":\"EC-256\"}'; exit; }\n\
                 trap 'echo withdrawn > withdrawn; exit 1' TERM\necho > waiting\nsleep 1000 & wait";
    workshop.plugin("kms", &format!("{}\n{waits}", metadata("kms", "SIGNATURE_GENERATOR.RAW")));
    let image = workshop.image("app");
    let arguments = ["sign", "--plugin", "kms", "--id", "k", &image];
    let child = workshop.muster(&arguments).env("NOTATION_LIBEXEC", "libexec").start();
    let begun = Instant::now();
    while !workshop.path("waiting").exists() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the plugin was not asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(workshop.path("withdrawn").exists());
    assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
}
