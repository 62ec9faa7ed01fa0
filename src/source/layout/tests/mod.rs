//! Layouts as they are met, and as a stranger may make them: what they are made with.

mod archives;
mod contents;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::manifest::{self, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE};

/// The files of a layout under construction.
#[derive(Clone, Default)]
struct Sketch {
    files: Vec<(String, Vec<u8>)>,
    /// The descriptors of `index.json`.
    listed: Vec<String>,
}

impl Sketch {
    fn blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256(bytes);
        self.files.push((format!("blobs/sha256/{}", digest.hex()), bytes.to_vec()));
        digest
    }

    /// An artifact that differs from others by `content`, not listed yet.
    fn artifact(&mut self, content: &str) -> Descriptor {
        let config = described(manifest::EMPTY_CONFIG, Digest::sha256(b"{}"), 2, "");
        let text =
            format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"annotations":{{"content":"{content}"}}}}"#);
        Descriptor::new(IMAGE_MANIFEST, self.blob(text.as_bytes()), text.len() as u64)
    }

    /// A signature of `subject`, not listed yet.
    fn signature(&mut self, subject: &Descriptor, envelope: &str) -> Descriptor {
        let config = described(manifest::EMPTY_CONFIG, Digest::sha256(b"{}"), 2, "");
        let layer = described("application/cose", self.blob(envelope.as_bytes()), envelope.len() as u64, "");
        let subject = described(IMAGE_MANIFEST, subject.digest, subject.size, "");
        let text = format!(
            r#"{{"schemaVersion":2,"artifactType":"{SIGNATURE_ARTIFACT_TYPE}","config":{config},"layers":[{layer}],"subject":{subject}}}"#
        );
        Descriptor::new(IMAGE_MANIFEST, self.blob(text.as_bytes()), text.len() as u64)
    }

    fn index(&mut self, manifests: &[&Descriptor]) -> Descriptor {
        let manifests: Vec<_> = manifests.iter().map(|d| described(&d.media_type, d.digest, d.size, "")).collect();
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, manifests.join(","));
        Descriptor::new(IMAGE_INDEX, self.blob(text.as_bytes()), text.len() as u64)
    }

    fn list(&mut self, descriptor: &Descriptor, name: Option<&str>) {
        let more = name.map(|name| format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{name}"}}"#));
        self.list_with(descriptor, &more.unwrap_or_default());
    }

    fn list_with(&mut self, descriptor: &Descriptor, more: &str) {
        self.listed.push(described(&descriptor.media_type, descriptor.digest, descriptor.size, more));
    }

    fn remove(&mut self, digest: &Digest) {
        self.files.retain(|(name, _)| !name.ends_with(&digest.hex()));
    }

    fn all(&self) -> Vec<(String, Vec<u8>)> {
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, self.listed.join(","));
        let mut files = vec![
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), index.into_bytes()),
        ];
        files.extend(self.files.iter().cloned());
        files
    }

    fn directory(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in self.all() {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn open(&self) -> Layout {
        // What is read on demand is not asked for by those who open it so.
        Layout::open_directory(self.directory().path()).unwrap()
    }
}

fn described(media_type: &str, digest: Digest, size: u64, more: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{more}}}"#)
}

fn repository(text: &str) -> Repository {
    text.parse().unwrap()
}

fn interop() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/layout")
}

/// A tar archive of these files, with names that a well-meaning writer would refuse.
fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        append(&mut builder, name, tar::EntryType::Regular, bytes);
    }
    builder.into_inner().unwrap()
}

fn append(builder: &mut tar::Builder<Vec<u8>>, name: &str, kind: tar::EntryType, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn open_archive(bytes: &[u8]) -> Result<Layout, Trouble> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Layout::open_archive(file.path())
}

/// Both forms of an archive end in the same trouble.
fn refused(bytes: &[u8]) -> Trouble {
    let plain = open_archive(bytes).unwrap_err();
    let compressed = open_archive(&gzip(bytes)).unwrap_err();
    assert_eq!(plain.kind, compressed.kind, "{plain} / {compressed}");
    plain
}
