//! `muster sign` with registries of every kind: what it signs verifies, what it cannot sign leaves no trace.

use muster::forge::registry::{Effect, Fault, Flavour, RouteKind};
use muster::forge::{Artifact, Blob, KeyKind};
use muster::manifest::SIGNATURE_ARTIFACT_TYPE;

use super::workshop::Workshop;

const FLAVOURS: [Flavour; 3] = [Flavour::Current, Flavour::WithoutReferrers, Flavour::ReleaseCandidate];

fn tag_schema_index(workshop: &Workshop, image: &str) -> Option<serde_json::Value> {
    let (repository, digest) = image.split_once('@').unwrap();
    let path = repository.split_once('/').unwrap().1;
    let url = format!("http://{}/v2/{path}/manifests/{}", workshop.registry.host(), digest.replace(':', "-"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let answer = reqwest::get(url).await.unwrap();
        answer.status().is_success().then_some(serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    })
}

#[test]
fn six_algorithms_in_two_formats_are_signed_and_verify() {
    let workshop = Workshop::new(Flavour::Current);
    for kind in KeyKind::ALL {
        for format in ["jws", "cose"] {
            let image = workshop.image(&format!("{}-{format}", kind.word()));
            let signed = workshop.expect(0, &["sign", "-k", kind.word(), "--signature-format", format, &image]);
            let [signature] = <[String; 1]>::try_from(workshop.listed(&[&image])).unwrap();
            let repository = image.split('@').next().unwrap();
            let said = format!("Successfully signed {image}\nPushed the signature to {repository}@{signature}\n");
            assert_eq!((signed.stdout, signed.stderr.as_str()), (said, ""));
            workshop.expect(0, &["verify", &image]);
            let shown = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
            let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
            let media_type = if format == "jws" { "application/jose+json" } else { "application/cose" };
            assert_eq!(shown["signatures"][0]["mediaType"], media_type);
            assert!(shown["signatures"][0]["certificates"][0]["issuedTo"].as_str().unwrap().contains(kind.word()));
            // Where the registry lists signatures itself, nothing else does.
            assert_eq!(tag_schema_index(&workshop, &image), None);
        }
    }
}

#[test]
fn metadata_and_expiry_are_signed() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    let run = workshop.expect(0, &["sign", "-e", "2h30m", "-m", "buildId=101", "-m", "by=a=b", "--verbose", &image]);
    assert!(run.stderr.contains("with a key of the kind EC P-256\n"), "{run}");
    workshop.expect(0, &["verify", "-m", "by=a=b", "-m", "buildId=101", &image]);
    workshop.expect(1, &["verify", "-m", "buildId=102", &image]);
    let shown = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let attributes = &shown["signatures"][0]["signedAttributes"];
    let time = |name: &str| {
        let text = attributes[name].as_str().unwrap();
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
    };
    assert_eq!(time("expiry") - time("signingTime"), time::Duration::minutes(150));
    assert!((time::OffsetDateTime::now_utc() - time("signingTime")).abs() < time::Duration::minutes(5));
    let late = (time("expiry") + time::Duration::SECOND).format(&time::format_description::well_known::Rfc3339);
    workshop.expect(1, &["verify", "--at", &late.unwrap(), &image]);
}

#[test]
fn a_tag_is_resolved_once_and_warned_of() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    let tagged = format!("{}:v1", workshop.repository("app"));
    let run = workshop.expect(0, &["sign", &tagged]);
    assert!(run.stdout.starts_with(&format!("Successfully signed {image}\n")), "{run}");
    insta::assert_snapshot!("sign_tag", workshop.steady(run, &["app"]));
    insta::assert_snapshot!("list_signed", workshop.steady(workshop.expect(0, &["ls", &tagged]), &["app"]));
}

#[test]
fn every_kind_of_registry_finds_the_older_form() {
    for flavour in FLAVOURS {
        let workshop = Workshop::new(flavour);
        let image = workshop.image("app");
        for count in 1..=2 {
            workshop.expect(0, &["sign", "--signature-manifest", "config", &image]);
            assert_eq!(workshop.listed(&[&image]).len(), count, "{flavour:?}");
        }
        workshop.expect(0, &["verify", &image]);
    }
}

#[test]
fn without_a_referrers_api_the_list_is_kept_and_whatever_is_in_it_stays() {
    let workshop = Workshop::new(Flavour::WithoutReferrers);
    let image = workshop.image("app");
    let subject = Artifact::image("app");
    let sbom = Artifact::attachment(subject.descriptor(), "application/spdx+json", Blob::new("text/plain", *b"sbom"));
    workshop.put("app", None, &sbom);
    let before = tag_schema_index(&workshop, &image).unwrap();
    for _ in 0..2 {
        workshop.expect(0, &["sign", &image]);
        workshop.expect(0, &["verify", &image]);
    }
    let after = tag_schema_index(&workshop, &image).unwrap();
    let manifests = after["manifests"].as_array().unwrap();
    assert_eq!(manifests.len(), 3);
    assert_eq!(manifests[0], before["manifests"][0]);
    for signature in &manifests[1..] {
        assert_eq!(signature["artifactType"], SIGNATURE_ARTIFACT_TYPE);
        assert!(signature["annotations"]["io.cncf.notary.x509chain.thumbprint#S256"].is_string());
    }
}

#[test]
fn the_list_is_kept_everywhere_if_that_is_forced() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    workshop.expect(0, &["sign", "--force-referrers-tag=false", &image]);
    assert_eq!(tag_schema_index(&workshop, &image), None);
    workshop.expect(0, &["sign", "--force-referrers-tag", &image]);
    assert_eq!(tag_schema_index(&workshop, &image).unwrap()["manifests"].as_array().unwrap().len(), 1);
}

#[test]
fn a_tag_of_the_schema_that_is_no_list_is_not_written_over() {
    let workshop = Workshop::new(Flavour::WithoutReferrers);
    let image = workshop.image("app");
    let tag = image.split_once('@').unwrap().1.replace(':', "-");
    workshop.put("app", Some(&tag), &Artifact::image("other"));
    let run = workshop.expect(3, &["sign", &image]);
    assert!(run.stderr.contains("is not written over") && run.stderr.contains("Move that tag away"), "{run}");
    assert!(run.stdout.starts_with("Pushed the signature to ") && !run.stdout.contains("Successfully"), "{run}");
    assert_eq!(tag_schema_index(&workshop, &image).unwrap()["layers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_signature_that_nobody_finds_is_reported() {
    let workshop = Workshop::new(Flavour::ReleaseCandidate);
    let image = workshop.image("app");
    let run = workshop.expect(1, &["sign", "--signature-manifest", "artifact-type", &image]);
    assert!(!run.stdout.contains("Successfully"), "{run}");
    insta::assert_snapshot!("sign_hidden", workshop.steady(run, &["app"]));
    insta::assert_snapshot!("list_hidden", workshop.steady(workshop.expect(0, &["list", &image]), &["app"]));
    workshop.expect(1, &["verify", &image]);
}

#[test]
fn nothing_is_asked_of_a_registry_before_the_key_is_known_to_sign() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    std::fs::write(workshop.path("leaf.crt"), {
        let chain = std::fs::read_to_string(workshop.path("ec-p256.crt")).unwrap();
        chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned()
    })
    .unwrap();
    let mut all = String::new();
    for arguments in [
        &["-k", "unknown"][..],
        &["-k", "plugged"],
        &["-k", "lapsed"],
        &["-k", "stranger"],
        &["-k", "missing.key", "--certificate-chain", "ec-p256.crt"],
        &["-k", "ec-p256.key", "--certificate-chain", "leaf.crt"],
        &["-k", "ec-p256.key", "--certificate-chain", "ec-p384.crt"],
        &["-k", "ec-p256.crt", "--certificate-chain", "ec-p256.crt"],
        &["-k", "pkcs11:token=x", "--certificate-chain", "ec-p256.crt"],
        &["-k", "pkcs11:token=x"],
        &["--config", "nowhere"],
        &["--config", "nowhere", "-k", "ec-p256.key"],
        &["-m", "a=1", "-m", "a=2"],
        &["-m", "io.cncf.notary.a=1"],
    ] {
        let run = workshop.expect(2, &[&["sign"], arguments, &[&image]].concat());
        assert_eq!(run.stdout, "");
        let mut errors = run.stderr;
        if let Some(start) = errors.find("and not at ").map(|found| found + "and not at ".len()) {
            errors.replace_range(start..start + "2026-11-23T12:00:00Z".len(), "[now]");
        }
        all.push_str(&format!("$ muster sign {}\n{errors}\n", arguments.join(" ")));
    }
    assert_eq!(workshop.registry.requests(), 0);
    insta::assert_snapshot!("sign_refused", all);
}

#[test]
fn keys_are_named_by_path_too() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    workshop.list_keys("{}");
    workshop.expect(2, &["sign", &image]);
    workshop.expect(0, &["sign", "--key", "ec-p384.key", "--certificate-chain", "ec-p384.crt", &image]);
    workshop.expect(0, &["verify", &image]);
}

#[test]
fn what_is_not_there_is_not_signed() {
    let workshop = Workshop::new(Flavour::Current);
    workshop.image("app");
    for name in ["app:v2", "nowhere:v1"] {
        let run = workshop.expect(3, &["sign", &workshop.repository(name)]);
        assert!(run.stderr.contains("there is no") && run.stdout.is_empty(), "{run}");
    }
    let broken = workshop.registry.put_manifest("app", Some("broken"), muster::manifest::IMAGE_MANIFEST, "{}").unwrap();
    let run = workshop.expect(3, &["sign", &format!("{}@{broken}", workshop.repository("app"))]);
    assert!(run.stderr.contains("is not signed"), "{run}");
}

#[test]
fn a_push_that_fails_leaves_nothing_that_anybody_finds() {
    for (route, status) in [(RouteKind::Upload, 403), (RouteKind::Upload, 405), (RouteKind::Upload, 404)] {
        let workshop = Workshop::new(Flavour::Current);
        let image = workshop.image("app");
        workshop.registry.fail(Fault::next(1, route, Effect::Status(status, None)));
        let run = workshop.expect(3, &["sign", &image]);
        assert!(run.stderr.contains("POST") && run.stdout.is_empty(), "{run}");
        assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
        // And the next try succeeds.
        workshop.expect(0, &["sign", &image]);
    }
}

#[test]
fn what_was_pushed_is_said_even_if_it_cannot_be_looked_for() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    workshop.registry.fail(Fault::next(usize::MAX, RouteKind::Referrers, Effect::Status(403, None)));
    let run = workshop.expect(3, &["sign", &image]);
    assert!(run.stdout.starts_with("Pushed the signature to ") && run.stderr.contains("is not known"), "{run}");
    workshop.registry.recover();
    assert_eq!(workshop.listed(&[&image]).len(), 1);
}

#[test]
fn a_passing_fault_is_got_over() {
    let workshop = Workshop::new(Flavour::WithoutReferrers);
    let image = workshop.image("app");
    workshop.registry.fail(Fault { route: None, every: 2, times: 4, effect: Effect::Status(503, None) });
    workshop.expect(0, &["sign", &image]);
    assert_eq!(workshop.listed(&[&image]).len(), 1);
    workshop.expect(0, &["verify", &image]);
}
