//! Tables of manifests that are read, and of manifests that are refused.

use super::*;

const HEX: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn described(media_type: &str, more: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"sha256:{HEX}","size":2{more}}}"#)
}

/// An image manifest whose configuration and layers have these media types.
fn image(config: &str, layers: &[&str], more: &str) -> String {
    let layers: Vec<_> = layers.iter().map(|layer| described(layer, "")).collect();
    let config = described(config, "");
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]{more}}}"#, layers.join(","))
}

fn refused(text: &str, media_type: &str) -> String {
    parse(text.as_bytes(), media_type).expect_err(&format!("{text} was taken for {media_type}")).to_string()
}

#[test]
fn reads_an_image_manifest() {
    let subject = described(IMAGE_MANIFEST, r#","annotations":{"A":"1","a":"2"}"#);
    let more = format!(
        r#","mediaType":"{IMAGE_MANIFEST}","artifactType":"a/b","subject":{subject},"annotations":{{"n":"v"}}"#
    );
    let text = image("c/d", &["e/f"], &more);
    let ManifestKind::Image(manifest) = parse(text.as_bytes(), IMAGE_MANIFEST).unwrap() else { panic!("not an image") };
    let digest = format!("sha256:{HEX}").parse().unwrap();
    assert_eq!(manifest.artifact_type.as_deref(), Some("a/b"));
    assert_eq!(manifest.config, Descriptor::new("c/d", digest, 2));
    assert_eq!(manifest.layers, [Descriptor::new("e/f", digest, 2)]);
    assert_eq!(manifest.annotations["n"], "v");
    let subject = manifest.subject.unwrap();
    assert_eq!((subject.media_type.as_str(), subject.digest), (IMAGE_MANIFEST, digest));
    assert_eq!((subject.annotations["A"].as_str(), subject.annotations["a"].as_str()), ("1", "2"));
}

#[test]
fn reads_an_index_and_its_platforms() {
    let entries = [
        described(IMAGE_MANIFEST, r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#),
        described(IMAGE_MANIFEST, r#","platform":{"os":"","architecture":""},"artifactType":"a/b""#),
    ];
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{}],"subject":null}}"#, entries.join(","));
    for media_type in [IMAGE_INDEX, DOCKER_MANIFEST_LIST] {
        let ManifestKind::Index(index) = parse(text.as_bytes(), media_type).unwrap() else { panic!("not an index") };
        assert_eq!(index.manifests[0].platform.as_ref().unwrap().to_string(), "linux/arm64/v8");
        assert_eq!(index.manifests[1].platform, None);
        assert_eq!(index.manifests[1].descriptor.artifact_type.as_deref(), Some("a/b"));
        assert_eq!(index.subject, None);
    }
}

#[test]
fn reads_null_as_an_empty_list_but_wants_the_list() {
    let ManifestKind::Index(index) = parse(br#"{"manifests":null}"#, IMAGE_INDEX).unwrap() else { panic!() };
    assert!(index.manifests.is_empty());
    assert_eq!(refused("{}", IMAGE_INDEX), "the image index has no manifests");
    assert_eq!(refused("{}", IMAGE_MANIFEST), "the image manifest has no config");
}

#[test]
fn does_not_read_other_media_types() {
    assert_eq!(parse(b"\xff", "application/octet-stream"), Ok(ManifestKind::Other));
}

#[test]
fn takes_docker_manifests_for_images() {
    let text = image("application/vnd.docker.container.image.v1+json", &[], "");
    assert!(matches!(parse(text.as_bytes(), DOCKER_MANIFEST), Ok(ManifestKind::Image(_))));
}

#[test]
fn refuses_what_another_reader_may_understand_differently() {
    let good = image("a/b", &["c/d"], "");
    assert!(parse(good.as_bytes(), IMAGE_MANIFEST).is_ok());
    for more in [
        r#","layers":[]"#,
        r#","Layers":[]"#,
        r#","SUBJECT":null"#,
        r#","manifests":[]"#,
        r#","blobs":[]"#,
        r#","mediaType":"application/vnd.oci.image.index.v1+json""#,
        r#","mediaType":7"#,
        r#","annotations":{"a":"1","a":"2"}"#,
        r#","annotations":{"a":1}"#,
        r#","annotations":[]"#,
        r#","subject":"sha256""#,
        r#","artifactType":{}"#,
    ] {
        refused(&image("a/b", &["c/d"], more), IMAGE_MANIFEST);
    }
    for member in [r#""config":{}"#, r#""layers":[]"#, r#""schemaVersion":1"#, r#""Manifests":[]"#] {
        refused(&format!(r#"{{"manifests":[],{member}}}"#), IMAGE_INDEX);
    }
    refused(&format!(r#"{{"mediaType":"{ARTIFACT_MANIFEST}","layers":[]}}"#), ARTIFACT_MANIFEST);
    refused(&format!("{good} {{}}"), IMAGE_MANIFEST);
    refused("[]", IMAGE_MANIFEST);
    refused(&good.replace("\"schemaVersion\":2", "\"schemaVersion\":1"), IMAGE_MANIFEST);
    refused(&good.replace("{\"schema", "{\"SchemaVersion\":2,\"schema"), IMAGE_MANIFEST);
    assert!(parse(b"{\"manifests\":[],\"annotations\":{\"a\":\"\xff\"}}", IMAGE_INDEX).is_err());
}

#[test]
fn a10_sizes_are_numbers_and_nothing_more() {
    let sized =
        |size: &str| format!(r#"{{"manifests":[{{"mediaType":"a/b","digest":"sha256:{HEX}","size":{size}}}]}}"#);
    for (size, value) in [("0", 0), ("9223372036854775807", i64::MAX as u64)] {
        let ManifestKind::Index(index) = parse(sized(size).as_bytes(), IMAGE_INDEX).unwrap() else { panic!() };
        assert_eq!(index.manifests[0].descriptor.size, value);
    }
    for size in ["-1", "1.0", "1e3", "\"1\"", "9223372036854775808", "18446744073709551616", "null", "true", "01"] {
        refused(&sized(size), IMAGE_INDEX);
    }
}

#[test]
fn a28_a_signature_has_exactly_one_envelope() {
    let forms = [
        (
            image(EMPTY_CONFIG, &["application/cose"], &format!(r#","artifactType":"{SIGNATURE_ARTIFACT_TYPE}""#)),
            IMAGE_MANIFEST,
        ),
        (image(SIGNATURE_ARTIFACT_TYPE, &["application/cose"], ""), IMAGE_MANIFEST),
        (image(SIGNATURE_ARTIFACT_TYPE, &["application/cose"], r#","artifactType":"""#), IMAGE_MANIFEST),
        (
            format!(
                r#"{{"artifactType":"{SIGNATURE_ARTIFACT_TYPE}","blobs":[{}]}}"#,
                described("application/cose", "")
            ),
            ARTIFACT_MANIFEST,
        ),
    ];
    for (text, media_type) in forms {
        let manifest = parse(text.as_bytes(), media_type).unwrap();
        assert!(is_signature(&manifest), "{text}");
        assert_eq!(signature_envelope(&manifest).unwrap().media_type, "application/cose");
    }
    for layers in [&[][..], &["application/cose", "application/cose"][..]] {
        let text = image(SIGNATURE_ARTIFACT_TYPE, layers, "");
        let failure = signature_envelope(&parse(text.as_bytes(), IMAGE_MANIFEST).unwrap()).unwrap_err();
        assert_eq!(failure.code, crate::failure::Code::SignatureManifestMalformed);
        assert!(failure.message.ends_with(&format!("has {}", layers.len())), "{}", failure.message);
    }
    let text = format!(r#"{{"artifactType":"{SIGNATURE_ARTIFACT_TYPE}"}}"#);
    assert!(signature_envelope(&parse(text.as_bytes(), ARTIFACT_MANIFEST).unwrap()).is_err());
}

#[test]
fn a22_another_artifact_type_is_no_signature() {
    let more = format!(r#","artifactType":"application/spdx+json","x":"{SIGNATURE_ARTIFACT_TYPE}""#);
    let text = image(SIGNATURE_ARTIFACT_TYPE, &["application/cose"], &more);
    let manifest = parse(text.as_bytes(), IMAGE_MANIFEST).unwrap();
    assert!(!is_signature(&manifest));
    assert!(signature_envelope(&manifest).is_err());
    let index = format!(r#"{{"manifests":[],"artifactType":"{SIGNATURE_ARTIFACT_TYPE}"}}"#);
    assert!(!is_signature(&parse(index.as_bytes(), IMAGE_INDEX).unwrap()));
    assert!(!is_signature(&ManifestKind::Other));
}

#[test]
fn a21_a_subject_says_what_the_artifact_is() {
    let digest = format!("sha256:{HEX}").parse().unwrap();
    let artifact = Descriptor::new(IMAGE_MANIFEST, digest, 2);
    assert_eq!(check_subject(&artifact, &artifact), Ok(()));
    let annotated = Descriptor { artifact_type: Some("a/b".to_owned()), ..artifact.clone() };
    assert_eq!(check_subject(&annotated, &artifact), Ok(()));
    for (subject, message) in [
        (
            Descriptor { size: 3, ..artifact.clone() },
            "the subject of the signature manifest has the size 3, the artifact's is 2",
        ),
        (
            Descriptor { media_type: "a/b".to_owned(), ..artifact.clone() },
            "the subject of the signature manifest has the media type \"a/b\", the artifact's is \
             \"application/vnd.oci.image.manifest.v1+json\"",
        ),
    ] {
        let failure = check_subject(&subject, &artifact).unwrap_err();
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (crate::failure::Code::SignatureManifestMalformed, message)
        );
    }
}

#[test]
fn a29_embedded_data_and_urls_are_not_read() {
    let layer = described("application/cose", r#","data":"e30=","urls":["http://169.254.169.254/"]"#);
    let config = described(SIGNATURE_ARTIFACT_TYPE, "");
    let text = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#);
    let manifest = parse(text.as_bytes(), IMAGE_MANIFEST).unwrap();
    let digest = format!("sha256:{HEX}").parse().unwrap();
    assert_eq!(signature_envelope(&manifest), Ok(Descriptor::new("application/cose", digest, 2)));
}

#[test]
fn optional_members_of_descriptors_have_their_type() {
    let entry = |more: &str| format!(r#"{{"manifests":[{}]}}"#, described("a/b", &format!(",{more}")));
    let layer = |more: &str| {
        let config = described("a/b", "");
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, described("c/d", &format!(",{more}")))
    };
    for more in [
        r#""data":null,"urls":null,"platform":null,"annotations":null,"artifactType":null"#,
        r#""data":"e30=","urls":["x"],"platform":{"os":"linux"},"annotations":{"a":"b"},"artifactType":"a/b""#,
        r#""platform":{"os":"windows","architecture":"amd64","os.version":"10","os.features":["win32k"],"features":["x"]}"#,
    ] {
        assert!(parse(entry(more).as_bytes(), IMAGE_INDEX).is_ok(), "{more}");
        assert!(parse(layer(more).as_bytes(), IMAGE_MANIFEST).is_ok(), "{more}");
    }
    for more in [
        r#""data":1"#,
        r#""data":["e30="]"#,
        r#""data":"e30""#,
        r#""urls":"x""#,
        r#""urls":[1]"#,
        r#""urls":[null]"#,
        r#""data":[101]"#,
        r#""platform":"linux""#,
        r#""platform":{"os":1}"#,
        r#""platform":{"os.version":1}"#,
        r#""platform":{"os.features":[1]}"#,
        r#""annotations":[]"#,
        r#""annotations":{"a":null}"#,
        r#""artifactType":1"#,
    ] {
        refused(&entry(more), IMAGE_INDEX);
        refused(&layer(more), IMAGE_MANIFEST);
    }
}

#[test]
fn a30_digests_are_read_by_their_grammar() {
    let lower = "0".repeat(64);
    for digest in [
        lower.clone(),
        format!("sha256:{}", HEX.to_uppercase()),
        format!("md5:{}", &lower[..32]),
        "sha256:../..".to_owned(),
    ] {
        refused(&format!(r#"{{"manifests":[{{"mediaType":"a/b","digest":"{digest}","size":1}}]}}"#), IMAGE_INDEX);
    }
}

#[test]
fn a31_deep_nesting_is_refused_without_recursion() {
    let nested = format!(r#"{{"manifests":[],"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    refused(&nested, IMAGE_INDEX);
    refused(&"[".repeat(4 << 20), IMAGE_INDEX);
    refused("\u{feff}{\"manifests\":[]}", IMAGE_INDEX);
}

#[test]
fn messages_quote_what_a_stranger_wrote() {
    let message = refused("{\"manifests\":[],\"mediaType\":\"\\u001b[31m\"}", IMAGE_INDEX);
    assert!(message.contains("\\u{1b}[31m") && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn a26_a_list_is_not_read_beyond_its_bound() {
    let listed = format!("{}0", "0,".repeat(crate::limits::MANIFEST_ENTRIES));
    let message = refused(&format!(r#"{{"schemaVersion":2,"manifests":[{listed}]}}"#), IMAGE_INDEX);
    assert!(message.contains("more than 131072 elements"), "{message}");
}
