//! Trust stores on disk, what to put into them, and how to say what is expected of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::failure::{Code, Failure};
use muster::forge::{Authority, Key, KeyKind, LeafRequest};
use muster::trust_store::{StoreName, StoreProblem, TrustStores};
use tempfile::TempDir;

pub(crate) const ROOT: &str = "C=US, ST=WA, O=wabbit-networks.io, CN=root";
const LEAF: &str = "C=US, ST=WA, O=wabbit-networks.io, CN=leaf";

/// A trust store on disk with one store, `ca:wabbit` unless a test says otherwise.
pub(crate) struct Disk {
    folder: TempDir,
    pub(crate) name: StoreName,
}

impl Disk {
    pub(crate) fn new() -> Disk {
        Disk::of("ca:wabbit")
    }

    pub(crate) fn of(name: &str) -> Disk {
        let disk = Disk { folder: tempfile::tempdir().unwrap(), name: name.parse().unwrap() };
        fs::create_dir_all(disk.directory()).unwrap();
        disk
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.root().join("x509").join(self.name.kind().as_str()).join(self.name.name())
    }

    pub(crate) fn with(self, file: &str, content: impl AsRef<[u8]>) -> Disk {
        fs::write(self.directory().join(file), content).unwrap();
        self
    }

    pub(crate) fn load(&self) -> TrustStores {
        TrustStores::load(self.root(), [&self.name])
    }

    /// How many certificates the store has.
    #[track_caller]
    pub(crate) fn loads(&self) -> usize {
        let stores = self.load();
        stores.get(&self.name).unwrap_or_else(|problem| panic!("{problem}")).certificates().len()
    }

    /// The store is invalid, and the message has all of `words` in it.
    #[track_caller]
    pub(crate) fn is_invalid(&self, words: &[&str]) {
        let stores = self.load();
        let problem = stores.get(&self.name).expect_err("the store was taken");
        assert!(matches!(problem, StoreProblem::Invalid(_)), "{problem}");
        for word in words {
            assert!(problem.to_string().contains(word), "{word:?} is not in: {problem}");
        }
        assert_eq!(Failure::from(problem).code, Code::TrustStoreInvalid);
        assert_eq!(stores.problems().count(), 1);
    }
}

/// The store is missing, and the message has all of `words` in it.
#[track_caller]
pub(crate) fn is_missing(root: &Path, name: &StoreName, words: &[&str]) {
    let stores = TrustStores::load(root, [name]);
    let problem = stores.get(name).expect_err("the store was taken");
    assert!(matches!(problem, StoreProblem::Missing(_)), "{problem}");
    for word in words {
        assert!(problem.to_string().contains(word), "{word:?} is not in: {problem}");
    }
    assert_eq!(Failure::from(problem).code, Code::TrustStoreMissing);
}

/// Signatures differ each time they are made, so the roots are made once.
pub(crate) static AUTHORITIES: LazyLock<[Authority; 2]> =
    LazyLock::new(|| [0, 1].map(|slot| Authority::root(ROOT, Key::pooled(KeyKind::P256, slot).unwrap()).unwrap()));

pub(crate) fn root() -> Vec<u8> {
    AUTHORITIES[0].certificate().to_vec()
}

pub(crate) fn other_root() -> Vec<u8> {
    AUTHORITIES[1].certificate().to_vec()
}

pub(crate) fn request() -> LeafRequest {
    LeafRequest::new(LEAF, Key::pooled(KeyKind::P256, 2).unwrap()).unwrap()
}

/// A certificate that an authority issued to a signer.
pub(crate) fn issued_leaf() -> Vec<u8> {
    AUTHORITIES[0].issue(request()).unwrap().chain.remove(0)
}

pub(crate) fn block(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(crate) fn pem(der: &[u8]) -> String {
    block("CERTIFICATE", der)
}
