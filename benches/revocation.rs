//! What revocation costs over a whole registry: `muster audit` of images by ten signers whose certificates name a CRL and an
//! OCSP responder, beside the same batch without looking; how many requests the responders saw, and the peak memory, also
//! with a CRL of hundreds of thousands of entries.
//!
//! Run with `cargo bench --bench revocation [-- SIGNATURES ENTRIES]`. Registry and responders run in this process and the
//! program in its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "benches")]

mod process;
mod world;

use std::path::Path;

use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::responder::{CrlOptions, Delivery, Fault, IssuerRecords, OcspDefect, Responders};
use muster::forge::{Authority, CrlDraft, CrlEntry, Key, KeyKind, LeafRequest, Signer};
use time::Duration;
use world::{Format, NOW};

const SIGNERS: usize = 10;
const STRICT: &str = r#"{"level":"strict"}"#;
const SKIPPED: &str = r#"{"level":"strict","override":{"revocation":"skip"}}"#;

fn main() {
    let numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect::<Vec<usize>>();
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let (signatures, entries) = match (numbers.as_slice(), measuring) {
        ([signatures, entries, ..], _) => (*signatures, *entries),
        ([signatures], _) => (*signatures, 500_000),
        ([], true) => (5_000, 500_000),
        // As a test: does it work at all?
        ([], false) => (20, 100),
    };
    let world = World::new(signatures);
    println!("{signatures} signatures by {SIGNERS} signers");
    println!("{:<28}  {:>8}  {:>8}  {:>8}  {:>8}", "", "seconds", "peak MiB", "OCSP", "CRL");
    world.audit("revocation skipped", SKIPPED);
    world.audit("OCSP answers", STRICT);
    world.responders.fail("/ocsp", Fault::<OcspDefect>::Delivery(Delivery::Unavailable));
    world.audit("OCSP down, the CRL decides", STRICT);
    let long = world.long_crl(entries);
    let mib = long.len() as f64 / f64::from(1 << 20);
    world.responders.publish("/root.crl", long);
    world.audit(&format!("a CRL of {mib:.1} MiB"), STRICT);
}

struct World {
    registry: EmbeddedRegistry,
    responders: Responders,
    root: Authority,
    signatures: usize,
}

impl World {
    fn new(signatures: usize) -> World {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let responders = Responders::start(NOW).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let records = IssuerRecords::new(root.clone());
        responders.crl("/root.crl", &records, CrlOptions::default(), None);
        responders.ocsp("/ocsp", &records);
        let signer = |number: usize| -> Signer {
            let subject = format!("C=US, ST=WA, O=wabbit-networks.io, CN=signer {number}");
            let mut request = LeafRequest::new(&subject, key(1 + number)).unwrap();
            request.crl_urls = vec![responders.url("/root.crl")];
            request.ocsp_urls = vec![responders.url("/ocsp")];
            root.issue(request).unwrap()
        };
        let signers: Vec<Signer> = (0..SIGNERS).map(signer).collect();
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        for n in 0..signatures {
            let (image, signature) = world::signed_image(&format!("app-{n}"), &signers[n % SIGNERS], Format::Jws);
            for (artifact, tag) in [(image, Some(format!("v{n}"))), (signature, None)] {
                for blob in artifact.blobs {
                    registry.put_blob("team/app", blob.bytes).unwrap();
                }
                let media_type = &artifact.manifest.descriptor.media_type;
                registry.put_manifest("team/app", tag.as_deref(), media_type, artifact.manifest.bytes).unwrap();
            }
        }
        World { registry, responders, root, signatures }
    }

    /// A CRL of the root with this many entries, none of them about a signer.
    fn long_crl(&self, entries: usize) -> Vec<u8> {
        let mut draft = CrlDraft::new(&self.root, NOW - Duration::HOUR);
        let revoked =
            |number: usize| CrlEntry::new([&[0x55; 12][..], &number.to_be_bytes()].concat(), NOW - Duration::DAY);
        draft.entries = (0..entries).map(revoked).collect();
        draft.sign(self.root.key()).unwrap()
    }

    /// Audits everything, and prints what it took.
    fn audit(&self, what: &str, verification: &str) {
        let folder = tempfile::tempdir().unwrap();
        write_rules(folder.path(), verification, self.root.certificate());
        let requests = || (self.responders.requests("/ocsp"), self.responders.requests("/root.crl"));
        let before = requests();
        let report = folder.path().join("report.ndjson");
        let (time, peak) = process::audit(&self.registry.host(), folder.path(), &report);
        let after = requests();
        let report = std::fs::read_to_string(report).unwrap();
        let passed = report.lines().filter(|line| line.contains(r#""result":"pass","code":null"#)).count();
        assert_eq!(passed, self.signatures, "{what}");
        let (ocsp, crl) = (after.0 - before.0, after.1 - before.1);
        let (seconds, peak) = (time.as_secs_f64(), peak as f64 / 1024.0);
        println!("{what:<28}  {seconds:>8.2}  {peak:>8.1}  {ocsp:>8}  {crl:>8}");
    }
}

fn write_rules(folder: &Path, verification: &str, root: &[u8]) {
    let policy = format!(
        r#"{{"version":"1.0","trustPolicies":[{{"name":"wabbit","registryScopes":["*"],
        "signatureVerification":{verification},"trustStores":["ca:wabbit-networks"],"trustedIdentities":["*"]}}]}}"#
    );
    std::fs::write(folder.join("policy.json"), policy).unwrap();
    let store = folder.join("x509/ca/wabbit-networks");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::write(store.join("root.crt"), root).unwrap();
}
