//! The embedded registry against the OCI distribution specification: with an independent client, oci-client, for what
//! that client can do, and with plain HTTP for the rest.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod faults;

use std::path::Path;

use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options, Storage};
use muster::manifest::{self, ARTIFACT_MANIFEST, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use reqwest::{Method, Response, StatusCode};

const SPDX: &str = "application/spdx+json";

fn start(flavour: Flavour) -> EmbeddedRegistry {
    EmbeddedRegistry::start(Options { flavour, ..Options::default() }).unwrap()
}

fn described(media_type: &str, digest: Digest, size: usize) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
}

/// An image manifest with an empty configuration of this type and one layer, and perhaps more members.
fn image(config: &str, layer: &[u8], more: &str) -> String {
    let config = described(config, Digest::sha256(b"{}"), 2);
    let layer = described("application/cose", Digest::sha256(layer), layer.len());
    format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{config},"layers":[{layer}]{more}}}"#)
}

/// What refers to `subject`, in the newer form (artifact type) or the older one (configuration).
fn referrer(newer: bool, kind: &str, subject: Digest, number: usize) -> String {
    let subject = described(IMAGE_MANIFEST, subject, 500);
    let more = format!(r#","subject":{subject},"annotations":{{"number":"{number}"}}"#);
    match newer {
        true => image(manifest::EMPTY_CONFIG, b"envelope", &format!(r#","artifactType":"{kind}"{more}"#)),
        false => image(kind, b"envelope", &more),
    }
}

async fn send(
    registry: &EmbeddedRegistry,
    method: Method,
    path: &str,
    body: &str,
    headers: &[(&str, &str)],
) -> Response {
    // No TLS here: the system's roots need not be read.
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let mut request = client.request(method, format!("http://{}{path}", registry.host()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.to_owned()).send().await.unwrap()
}

async fn get(registry: &EmbeddedRegistry, path: &str) -> Response {
    send(registry, Method::GET, path, "", &[]).await
}

async fn push(registry: &EmbeddedRegistry, path: &str, media_type: &str, body: &str) -> Response {
    send(registry, Method::PUT, path, body, &[("content-type", media_type)]).await
}

async fn json(response: Response) -> serde_json::Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn code(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    json(response).await["errors"][0]["code"].as_str().unwrap().to_owned()
}

/// The digests in a list of referrers, over all pages.
async fn referrers(registry: &EmbeddedRegistry, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let response = get(registry, &path).await;
        assert_eq!((response.status(), header(&response, "content-type")), (StatusCode::OK, Some(IMAGE_INDEX)));
        next = header(&response, "link").map(|link| {
            let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(r#">; rel="next""#));
            target.unwrap().to_owned()
        });
        let index = json(response).await;
        let digests = index["manifests"].as_array().unwrap().iter();
        pages.push(digests.map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect());
    }
    pages
}

#[tokio::test]
async fn an_independent_client_pushes_pulls_and_finds_referrers() {
    let registry = start(Flavour::Current);
    let client = oci_client::Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
    let auth = RegistryAuth::Anonymous;
    let tagged: oci_client::Reference = format!("{}/team/app:v1", registry.host()).parse().unwrap();
    client.store_auth_if_needed(tagged.resolve_registry(), &auth).await;

    // Larger than one chunk of the client's.
    let layer = vec![7; 9 << 20];
    for blob in [b"{}".to_vec(), b"envelope".to_vec(), layer.clone()] {
        let digest = Digest::sha256(&blob).to_string();
        assert!(!client.blob_exists(&tagged, &digest).await.unwrap());
        client.push_blob(&tagged, blob, &digest).await.unwrap();
        assert!(client.blob_exists(&tagged, &digest).await.unwrap());
    }
    let text = image("application/vnd.oci.image.config.v1+json", &layer, "");
    let digest = Digest::sha256(text.as_bytes());
    client.push_manifest_raw(&tagged, text.clone(), IMAGE_MANIFEST.parse().unwrap()).await.unwrap();
    let (pulled, stated) = client.pull_manifest_raw(&tagged, &auth, &[IMAGE_MANIFEST]).await.unwrap();
    assert_eq!((pulled.as_ref(), stated), (text.as_bytes(), digest.to_string()));
    assert_eq!(client.fetch_manifest_digest(&tagged, &auth).await.unwrap(), digest.to_string());
    let mut content = Vec::new();
    let descriptor = oci_client::manifest::OciDescriptor {
        digest: Digest::sha256(&layer).to_string(),
        size: i64::try_from(layer.len()).unwrap(),
        ..Default::default()
    };
    client.pull_blob(&tagged, &descriptor, &mut content).await.unwrap();
    assert!(content == layer);

    let by_digest =
        |digest: Digest| oci_client::Reference::with_digest(registry.host(), "team/app".to_owned(), digest.to_string());
    let mut signatures = Vec::new();
    for (newer, kind) in [(true, SIGNATURE_ARTIFACT_TYPE), (false, SIGNATURE_ARTIFACT_TYPE), (true, SPDX)] {
        let text = referrer(newer, kind, digest, signatures.len());
        let digest = Digest::sha256(text.as_bytes());
        client.push_manifest_raw(&by_digest(digest), text, IMAGE_MANIFEST.parse().unwrap()).await.unwrap();
        signatures.push(digest.to_string());
    }
    let found = client.pull_referrers(&by_digest(digest), Some(SIGNATURE_ARTIFACT_TYPE)).await.unwrap();
    assert_eq!(found.manifests.iter().map(|entry| &entry.digest).collect::<Vec<_>>(), [&signatures[0], &signatures[1]]);
    assert_eq!(found.manifests[1].annotations.as_ref().unwrap()["number"], "1");
    assert_eq!(client.pull_referrers(&by_digest(digest), None).await.unwrap().manifests.len(), 3);

    let other: oci_client::Reference = format!("{}/team/other:v1", registry.host()).parse().unwrap();
    client.mount_blob(&other, &tagged, &Digest::sha256(&layer).to_string()).await.unwrap();
    assert!(client.blob_exists(&other, &Digest::sha256(&layer).to_string()).await.unwrap());
    assert_eq!(client.list_tags(&tagged, &auth, None, None).await.unwrap().tags, ["v1"]);
    let catalog = client.catalog(&tagged, &auth, None, None).await.unwrap();
    assert_eq!(catalog.repositories, ["team/app", "team/other"]);
}

#[tokio::test]
async fn a_blob_comes_at_once_or_in_chunks_that_follow_each_other() {
    let registry = start(Flavour::Current);
    let digest = Digest::sha256(b"0123456789");
    let blob = format!("/v2/a/b/blobs/{digest}");
    let begin = send(&registry, Method::POST, "/v2/a/b/blobs/uploads/", "", &[]).await;
    assert_eq!(begin.status(), StatusCode::ACCEPTED);
    let upload = header(&begin, "location").unwrap();

    let chunk = async |body, range| send(&registry, Method::PATCH, upload, body, &[("content-range", range)]).await;
    assert_eq!(chunk("01234", "0-4").await.status(), StatusCode::ACCEPTED);
    for range in ["0-4", "6-9", "5-8", "5-10", "x", "9-5"] {
        let refused = chunk("56789", range).await;
        assert_eq!(refused.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
    }
    let status = get(&registry, upload).await;
    assert_eq!((status.status(), header(&status, "range")), (StatusCode::NO_CONTENT, Some("0-4")));
    let elsewhere = upload.replace("/a/b/", "/a/c/");
    assert_eq!(code(get(&registry, &elsewhere).await, StatusCode::NOT_FOUND).await, "BLOB_UPLOAD_UNKNOWN");
    let path = format!("{upload}?digest={digest}");
    let done = send(&registry, Method::PUT, &path, "56789", &[("content-range", "5-9")]).await;
    assert_eq!((done.status(), header(&done, "location")), (StatusCode::CREATED, Some(blob.as_str())));
    assert_eq!(code(get(&registry, upload).await, StatusCode::NOT_FOUND).await, "BLOB_UPLOAD_UNKNOWN");

    let part = send(&registry, Method::GET, &blob, "", &[("range", "bytes=2-4")]).await;
    assert_eq!(header(&part, "content-range"), Some("bytes 2-4/10"));
    assert_eq!((part.status(), part.text().await.unwrap().as_str()), (StatusCode::PARTIAL_CONTENT, "234"));
    let suffix = send(&registry, Method::GET, &blob, "", &[("range", "bytes=-3")]).await;
    assert_eq!(header(&suffix, "content-range"), Some("bytes 7-9/10"));
    assert_eq!((suffix.status(), suffix.text().await.unwrap().as_str()), (StatusCode::PARTIAL_CONTENT, "789"));
    for range in ["bytes=10-", "bytes=-0"] {
        let beyond = send(&registry, Method::GET, &blob, "", &[("range", range)]).await;
        assert_eq!(header(&beyond, "content-range"), Some("bytes */10"));
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
    }
    let several = send(&registry, Method::GET, &blob, "", &[("range", "bytes=0-1,4-5")]).await;
    assert_eq!((several.status(), several.text().await.unwrap().as_str()), (StatusCode::OK, "0123456789"));
    let head = send(&registry, Method::HEAD, &blob, "", &[]).await;
    assert_eq!(header(&head, "content-length"), Some("10"));
    assert_eq!(header(&head, "docker-content-digest"), Some(digest.to_string().as_str()));

    let path = format!("/v2/a/c/blobs/uploads/?digest={digest}");
    assert_eq!(send(&registry, Method::POST, &path, "0123456789", &[]).await.status(), StatusCode::CREATED);
    let wrong = send(&registry, Method::POST, &path, "other", &[]).await;
    assert_eq!(code(wrong, StatusCode::BAD_REQUEST).await, "DIGEST_INVALID");

    let path = format!("/v2/a/d/blobs/uploads/?mount={digest}&from=a/z");
    assert_eq!(send(&registry, Method::POST, &path, "", &[]).await.status(), StatusCode::ACCEPTED);
    let path = format!("/v2/a/d/blobs/uploads/?mount={digest}&from=a/c");
    assert_eq!(send(&registry, Method::POST, &path, "", &[]).await.status(), StatusCode::CREATED);

    let begin = send(&registry, Method::POST, "/v2/a/b/blobs/uploads/", "", &[]).await;
    let upload = header(&begin, "location").unwrap();
    assert_eq!(send(&registry, Method::DELETE, upload, "", &[]).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(get(&registry, upload).await.status(), StatusCode::NOT_FOUND);

    assert_eq!(send(&registry, Method::DELETE, &blob, "", &[]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(code(get(&registry, &blob).await, StatusCode::NOT_FOUND).await, "BLOB_UNKNOWN");
    assert_eq!(get(&registry, &blob.replace("a/b", "a/c")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn manifests_are_served_as_pushed_and_deleted_by_tag_or_digest() {
    let registry = start(Flavour::Current);
    let text = image("a/b", b"x", "");
    let digest = Digest::sha256(text.as_bytes());
    for tag in ["v1", "v2"] {
        let pushed = push(&registry, &format!("/v2/a/manifests/{tag}"), "application/x.y+json", &text).await;
        assert_eq!(pushed.status(), StatusCode::CREATED);
        assert_eq!(header(&pushed, "docker-content-digest"), Some(digest.to_string().as_str()));
        assert_eq!(header(&pushed, "oci-subject"), None);
    }
    let served = get(&registry, "/v2/a/manifests/v1").await;
    assert_eq!(header(&served, "content-type"), Some("application/x.y+json"));
    assert_eq!(served.text().await.unwrap(), text);
    let head = send(&registry, Method::HEAD, &format!("/v2/a/manifests/{digest}"), "", &[]).await;
    assert_eq!(header(&head, "content-length"), Some(text.len().to_string().as_str()));

    let other = format!("/v2/a/manifests/{}", Digest::sha256(b"other"));
    assert_eq!(
        code(push(&registry, &other, IMAGE_MANIFEST, &text).await, StatusCode::BAD_REQUEST).await,
        "DIGEST_INVALID"
    );
    assert_eq!(
        code(push(&registry, "/v2/a/manifests/v3", IMAGE_MANIFEST, "no").await, StatusCode::BAD_REQUEST).await,
        "MANIFEST_INVALID"
    );
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(4 << 20));
    assert_eq!(
        code(push(&registry, "/v2/a/manifests/v3", IMAGE_MANIFEST, &large).await, StatusCode::PAYLOAD_TOO_LARGE).await,
        "SIZE_INVALID"
    );
    assert_eq!(code(get(&registry, &other).await, StatusCode::NOT_FOUND).await, "MANIFEST_UNKNOWN");
    assert_eq!(code(get(&registry, "/v2/z/manifests/v1").await, StatusCode::NOT_FOUND).await, "NAME_UNKNOWN");
    assert_eq!(code(get(&registry, "/v2/A/manifests/v1").await, StatusCode::BAD_REQUEST).await, "NAME_INVALID");
    assert_eq!(
        code(get(&registry, "/v2/a/manifests/sha256:00").await, StatusCode::BAD_REQUEST).await,
        "DIGEST_INVALID"
    );
    assert_eq!(
        send(&registry, Method::POST, "/v2/a/manifests/v1", "", &[]).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );

    assert_eq!(send(&registry, Method::DELETE, "/v2/a/manifests/v1", "", &[]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(get(&registry, "/v2/a/manifests/v1").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&registry, "/v2/a/manifests/v2").await.status(), StatusCode::OK);
    let path = format!("/v2/a/manifests/{digest}");
    assert_eq!(send(&registry, Method::DELETE, &path, "", &[]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(get(&registry, "/v2/a/manifests/v2").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(send(&registry, Method::DELETE, &path, "", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_come_page_by_page_and_say_where_they_go_on() {
    let registry = start(Flavour::Current);
    for name in ["c", "a", "b/x"] {
        for tag in ["v2", "v10", "v1"] {
            registry.put_manifest(name, Some(tag), IMAGE_MANIFEST, "{}").unwrap();
        }
    }
    let cases: [(&str, &[&str], Option<&str>); 6] = [
        ("/v2/a/tags/list", &["v1", "v10", "v2"], None),
        ("/v2/a/tags/list?n=2", &["v1", "v10"], Some(r#"</v2/a/tags/list?n=2&last=v10>; rel="next""#)),
        ("/v2/a/tags/list?n=2&last=v10", &["v2"], None),
        ("/v2/a/tags/list?n=3", &["v1", "v10", "v2"], None),
        ("/v2/a/tags/list?n=0", &[], None),
        ("/v2/_catalog?n=2", &["a", "b/x"], Some(r#"</v2/_catalog?n=2&last=b/x>; rel="next""#)),
    ];
    for (path, expected, link) in cases {
        let response = get(&registry, path).await;
        assert_eq!(header(&response, "link"), link, "{path}");
        let body = json(response).await;
        let list = if path.contains("catalog") { &body["repositories"] } else { &body["tags"] };
        assert_eq!(*list, serde_json::json!(expected), "{path}");
    }
    assert_eq!(code(get(&registry, "/v2/z/tags/list").await, StatusCode::NOT_FOUND).await, "NAME_UNKNOWN");
}

#[tokio::test]
async fn a_current_registry_lists_filters_and_pages_referrers() {
    let registry = EmbeddedRegistry::start(Options { referrers_page: Some(2), ..Options::default() }).unwrap();
    let subject = registry.put_manifest("a", Some("v1"), IMAGE_MANIFEST, image("a/b", b"x", "")).unwrap();
    let mut signatures = Vec::new();
    for number in 0..5 {
        let text = referrer(number % 2 == 0, SIGNATURE_ARTIFACT_TYPE, subject, number);
        let digest = Digest::sha256(text.as_bytes()).to_string();
        let pushed = push(&registry, &format!("/v2/a/manifests/{digest}"), IMAGE_MANIFEST, &text).await;
        assert_eq!(header(&pushed, "oci-subject"), Some(subject.to_string().as_str()));
        signatures.push(digest);
        registry.put_manifest("a", None, IMAGE_MANIFEST, referrer(true, SPDX, subject, number)).unwrap();
    }
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[],"artifactType":"{SPDX}","subject":{}}}"#,
        described(IMAGE_MANIFEST, subject, 500)
    );
    registry.put_manifest("a", None, IMAGE_INDEX, index).unwrap();

    let path = format!("/v2/a/referrers/{subject}");
    let pages = referrers(&registry, &path).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 2, 2, 1]);
    let filtered = format!("{path}?artifactType={SIGNATURE_ARTIFACT_TYPE}");
    assert_eq!(referrers(&registry, &filtered).await.concat(), signatures);
    assert_eq!(header(&get(&registry, &filtered).await, "oci-filters-applied"), Some("artifactType"));
    assert_eq!(header(&get(&registry, &path).await, "oci-filters-applied"), None);

    let unknown = format!("/v2/z/referrers/{subject}");
    assert_eq!(referrers(&registry, &unknown).await, [Vec::<String>::new()]);
    assert_eq!(code(get(&registry, "/v2/a/referrers/sha256:0").await, StatusCode::BAD_REQUEST).await, "DIGEST_INVALID");
    let first = format!("/v2/a/manifests/{}", signatures[0]);
    assert_eq!(send(&registry, Method::DELETE, &first, "", &[]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(referrers(&registry, &filtered).await.concat(), signatures[1..]);
}

#[tokio::test]
async fn a_registry_before_1_1_leaves_the_list_to_its_clients() {
    let registry = start(Flavour::WithoutReferrers);
    let subject = registry.put_manifest("a", Some("v1"), IMAGE_MANIFEST, image("a/b", b"x", "")).unwrap();
    let text = referrer(true, SIGNATURE_ARTIFACT_TYPE, subject, 0);
    let pushed = push(&registry, "/v2/a/manifests/s", IMAGE_MANIFEST, &text).await;
    assert_eq!((pushed.status(), header(&pushed, "oci-subject")), (StatusCode::CREATED, None));
    let answer = get(&registry, &format!("/v2/a/referrers/{subject}")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(!answer.text().await.unwrap().contains("NAME_UNKNOWN"));
    let schema = format!("/v2/a/manifests/{}", subject.referrers_tag());
    assert_eq!(get(&registry, &schema).await.status(), StatusCode::NOT_FOUND);

    // Without HTTP, the registry is its own client.
    registry.put_manifest("a", None, IMAGE_MANIFEST, referrer(false, SIGNATURE_ARTIFACT_TYPE, subject, 1)).unwrap();
    let index = get(&registry, &schema).await;
    assert_eq!(header(&index, "content-type"), Some(IMAGE_INDEX));
    let index = json(index).await;
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(index["manifests"][0]["artifactType"], SIGNATURE_ARTIFACT_TYPE);
}

#[tokio::test]
async fn a_release_candidate_pages_by_ten_and_hides_the_newer_form() {
    let registry = start(Flavour::ReleaseCandidate);
    let subject = registry.put_manifest("a", Some("v1"), IMAGE_MANIFEST, image("a/b", b"x", "")).unwrap();
    for number in 0..12 {
        let text = referrer(false, SIGNATURE_ARTIFACT_TYPE, subject, number);
        let pushed = push(&registry, &format!("/v2/a/manifests/s{number}"), IMAGE_MANIFEST, &text).await;
        assert_eq!((pushed.status(), header(&pushed, "oci-subject")), (StatusCode::CREATED, None));
    }
    registry.put_manifest("a", None, IMAGE_MANIFEST, referrer(true, SIGNATURE_ARTIFACT_TYPE, subject, 12)).unwrap();
    let oldest = format!(
        r#"{{"mediaType":"{ARTIFACT_MANIFEST}","artifactType":"{SIGNATURE_ARTIFACT_TYPE}","blobs":[],"subject":{}}}"#,
        described(IMAGE_MANIFEST, subject, 500)
    );
    registry.put_manifest("a", None, ARTIFACT_MANIFEST, oldest).unwrap();
    let index = format!(r#"{{"manifests":[],"subject":{}}}"#, described(IMAGE_MANIFEST, subject, 500));
    assert_eq!(push(&registry, "/v2/a/manifests/i", IMAGE_INDEX, &index).await.status(), StatusCode::CREATED);

    let path = format!("/v2/a/referrers/{subject}");
    let sizes = |pages: Vec<Vec<String>>| pages.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(referrers(&registry, &path).await), [10, 4]);
    let filtered = format!("{path}?artifactType={SIGNATURE_ARTIFACT_TYPE}");
    assert_eq!(sizes(referrers(&registry, &filtered).await), [10, 3]);
    assert_eq!(sizes(referrers(&registry, &format!("{path}?n=1000")).await), [14]);
    let listed = get(&registry, &filtered).await;
    assert_eq!(header(&listed, "oci-filters-applied"), None);
    assert_eq!(json(listed).await["annotations"]["org.opencontainers.referrers.filtersApplied"], "artifactType");
    let empties = format!("{path}?artifactType={}", manifest::EMPTY_CONFIG.replace('+', "%2B"));
    assert_eq!(sizes(referrers(&registry, &empties).await), [1]);
    let unknown = format!("/v2/z/referrers/{}", Digest::sha256(b"unknown"));
    assert_eq!(referrers(&registry, &unknown).await, [Vec::<String>::new()]);

    let odd = image("a/b", b"x", &format!(r#","subject":{}"#, described("text/plain", subject, 1)));
    assert_eq!(push(&registry, "/v2/a/manifests/odd", IMAGE_MANIFEST, &odd).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_folder_holds_everything_for_the_next_registry() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { storage: Storage::Folder(folder.path().to_owned()), ..Options::default() };
    let text = image("a/b", b"x", "");
    let (subject, blob) = {
        let registry = EmbeddedRegistry::start(options.clone()).unwrap();
        let subject = registry.put_manifest("a/b", Some("v1"), IMAGE_MANIFEST, text.clone()).unwrap();
        registry.put_manifest("a/b", Some("gone"), IMAGE_MANIFEST, "{}").unwrap();
        let signature = referrer(true, SIGNATURE_ARTIFACT_TYPE, subject, 0);
        registry.put_manifest("a/b", None, IMAGE_MANIFEST, signature).unwrap();
        let gone = format!("/v2/a/b/manifests/{}", Digest::sha256(b"{}"));
        assert_eq!(send(&registry, Method::DELETE, &gone, "", &[]).await.status(), StatusCode::ACCEPTED);
        (subject, registry.put_blob("a", "blob").unwrap())
    };
    let registry = EmbeddedRegistry::start(options).unwrap();
    let served = get(&registry, "/v2/a/b/manifests/v1").await;
    assert_eq!(header(&served, "content-type"), Some(IMAGE_MANIFEST));
    assert_eq!(served.text().await.unwrap(), text);
    assert_eq!(referrers(&registry, &format!("/v2/a/b/referrers/{subject}")).await.concat().len(), 1);
    assert_eq!(json(get(&registry, "/v2/a/b/tags/list").await).await["tags"], serde_json::json!(["v1"]));
    assert_eq!(json(get(&registry, "/v2/_catalog").await).await["repositories"], serde_json::json!(["a", "a/b"]));
    assert_eq!(get(&registry, &format!("/v2/a/blobs/{blob}")).await.text().await.unwrap(), "blob");
    assert_eq!(get(&registry, &format!("/v2/a/b/blobs/{blob}")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_layout_is_loaded_with_all_its_signatures() {
    let registry = start(Flavour::Current);
    let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/layout");
    assert_eq!(registry.load_layout(&layout).unwrap(), 29);
    let names = json(get(&registry, "/v2/_catalog").await).await["repositories"].clone();
    let mut signatures = 0;
    for name in names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
        let tagged = get(&registry, &format!("/v2/{name}/manifests/v1")).await;
        let digest = header(&tagged, "docker-content-digest").unwrap();
        let path = format!("/v2/{name}/referrers/{digest}?artifactType={SIGNATURE_ARTIFACT_TYPE}");
        for signature in referrers(&registry, &path).await.concat() {
            let text = get(&registry, &format!("/v2/{name}/manifests/{signature}")).await.text().await.unwrap();
            let manifest = manifest::parse(text.as_bytes(), IMAGE_MANIFEST).unwrap();
            let envelope = manifest::signature_envelope(&manifest).unwrap();
            let blob = get(&registry, &format!("/v2/{name}/blobs/{}", envelope.digest)).await;
            assert!(envelope.digest.matches(&blob.bytes().await.unwrap()));
            signatures += 1;
        }
    }
    assert_eq!((names.as_array().unwrap().len(), signatures), (29, 31));
}

#[test]
fn a_dropped_registry_answers_no_more() {
    let registry = start(Flavour::Current);
    let host = registry.host();
    assert!(std::net::TcpStream::connect(&host).is_ok());
    drop(registry);
    assert!(std::net::TcpStream::connect(&host).is_err());
}
