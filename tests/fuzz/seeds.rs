//! The seeds: real inputs that their parsers accept, in `fuzz/seeds`. With `MUSTER_UPDATE=1` they are chosen and made anew.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use muster::digest::Digest;
use muster::fuzzing::{TARGETS, Target, made_seeds};

use super::root;

/// The longest seed, and how many are taken of the files of a folder.
const LONGEST: usize = 12 << 10;
const FILES: usize = 4;
/// Where the seeds of a target are looked for.
const FOLDERS: &[(&str, &[&str])] = &[
    ("jws", &["tests/interop/layout", "tests/signed-by-muster/layout"]),
    ("cose", &["tests/interop/layout", "tests/signed-by-muster/layout"]),
    ("certificate", &["tests/data/revocation", "tests/data/weak-hashes"]),
    ("crl", &["tests/data/revocation"]),
    ("ocsp", &["tests/data/revocation"]),
    ("time-stamp", &["tests/data/timestamp"]),
    ("policy", &["policies", "tests/interop/policies"]),
    ("scenario", &["scenarios/tampering", "scenarios/revocation", "scenarios/registry", "scenarios/plugins"]),
    ("manifest", &["tests/interop/layout"]),
    ("index", &["tests/interop/layout", "tests/signed-by-muster/layout"]),
];
/// Those that are short.
const TEXTS: &[(&str, &str)] = &[
    (
        "index",
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"platform":{"os":"linux","architecture":"arm64","variant":"v8"},"annotations":{"a":"b"}}],"annotations":{}}"#,
    ),
    ("link", "</v2/_catalog?n=2&last=b>; rel=\"next\""),
    ("link", "<?n=2&last=b>; title=\"a, <b>; rel=x\\\"\"; REL=\"last Next\";"),
    ("link", "</first>; rel=\"prev\"\n, <https://registry.example/v2/_catalog?last=b#x> ; rel = \"next\""),
    ("challenge", "Bearer realm=\"https://auth.example/token\",service=\"r\",scope=\"repository:team/app:pull,push\""),
    ("challenge", "Basic realm=\"x\", Bearer realm=\"https://registry.example/t\""),
    ("challenge", "Basic realm=\"a \\\" b\""),
    (
        "blob-policy",
        r#"{"version":"1.0","trustPolicies":[{"name":"a","signatureVerification":{"level":"strict"},"trustStores":["ca:a"],"trustedIdentities":["x509.subject: C=US, ST=WA, O=a"],"globalPolicy":true}]}"#,
    ),
    (
        "blob-policy",
        r#"{"version":"1.0","trustPolicies":[{"name":"b","signatureVerification":{"level":"audit","verifyTimestamp":"always"},"trustStores":["ca:a","tsa:b"],"trustedIdentities":["*"]},{"name":"c","signatureVerification":{"level":"skip"}}]}"#,
    ),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn folder(target: &Target) -> PathBuf {
    root().join("fuzz/seeds").join(target.name)
}

/// The seeds of a target.
pub(super) fn of(target: &Target) -> Vec<Vec<u8>> {
    files(&folder(target)).iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A layout of one manifest as a tar archive.
fn tar() -> Vec<u8> {
    let manifest = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    let digest = Digest::sha256(manifest.as_bytes());
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"a.io/b:v1"}}}}]}}"#,
        manifest.len()
    );
    let mut builder = tar::Builder::new(Vec::new());
    let blob = format!("blobs/sha256/{}", digest.hex());
    let layout = r#"{"imageLayoutVersion":"1.0.0"}"#;
    for (name, bytes) in [("oci-layout", layout), ("index.json", &index), (&blob, manifest)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, name, bytes.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn candidates(target: &Target) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for (_, folders) in FOLDERS.iter().filter(|(name, _)| *name == target.name) {
        for folder in *folders {
            let read = files(&root().join(folder)).into_iter().map(|file| fs::read(file).unwrap());
            let mut fit: Vec<_> = read.filter(|bytes| bytes.len() <= LONGEST && (target.parse)(bytes)).collect();
            fit.sort_by_key(Vec::len);
            // The shortest, and the longest.
            found.extend(fit.pop());
            found.extend(fit.into_iter().take(FILES - 1));
        }
    }
    found.extend(TEXTS.iter().filter(|(name, _)| *name == target.name).map(|(_, text)| text.as_bytes().to_vec()));
    found.extend(made_seeds().unwrap().into_iter().filter(|(name, _)| *name == target.name).map(|(_, bytes)| bytes));
    if target.name == "archive" {
        let tar = tar();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&tar).unwrap();
        found.extend([encoder.finish().unwrap(), tar]);
    }
    found
}

#[test]
fn every_seed_is_accepted_by_its_parser() {
    if std::env::var_os("MUSTER_UPDATE").is_some_and(|value| value == "1") {
        for target in TARGETS {
            let folder = folder(target);
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            fs::create_dir_all(&folder).unwrap();
            for bytes in candidates(target) {
                fs::write(folder.join(&Digest::sha256(&bytes).hex()[..12]), bytes).unwrap();
            }
        }
    }
    for target in TARGETS {
        assert!(!of(target).is_empty(), "{} has no seeds", target.name);
        for file in files(&folder(target)) {
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.len() <= LONGEST && (target.parse)(&bytes), "{} is refused", file.display());
        }
    }
}
