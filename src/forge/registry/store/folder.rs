//! The folder of a registry that outlives its process.
//!
//! ```text
//! content/<algorithm>-<hex>                              the bytes
//! repositories/<name>/_blobs/<algorithm>-<hex>           empty
//! repositories/<name>/_manifests/<algorithm>-<hex>       the media type
//! repositories/<name>/_tags/<tag>                        the digest
//! ```
//!
//! No part of a repository's name starts with `_`. Every file is written beside its place and renamed into it, so that
//! a registry that is killed leaves no half a file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::Store;
use super::held_content::{ByDigest, HeldContent};
use crate::digest::Digest;

const BLOBS: &str = "_blobs";
const MANIFESTS: &str = "_manifests";
const TAGS: &str = "_tags";

#[derive(Debug)]
pub(super) struct Folder {
    content: PathBuf,
    repositories: PathBuf,
}

impl Folder {
    pub(super) fn open(root: &Path) -> io::Result<Folder> {
        let folder = Folder { content: root.join("content"), repositories: root.join("repositories") };
        fs::create_dir_all(&folder.content)?;
        fs::create_dir_all(&folder.repositories)?;
        Ok(folder)
    }

    pub(super) fn content(&self, digest: &Digest) -> io::Result<Option<Bytes>> {
        match fs::read(self.content.join(digest.referrers_tag())) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn put_content(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.content.join(digest.referrers_tag());
        if path.exists() { Ok(()) } else { write(&path, bytes) }
    }

    fn place(&self, name: &str, kind: &str, file: &str) -> PathBuf {
        self.repositories.join(name).join(kind).join(file)
    }

    pub(super) fn link_blob(&self, name: &str, digest: &Digest) -> io::Result<()> {
        write(&self.place(name, BLOBS, &digest.referrers_tag()), b"")
    }

    pub(super) fn link_manifest(&self, name: &str, digest: &Digest, media_type: &str) -> io::Result<()> {
        write(&self.place(name, MANIFESTS, &digest.referrers_tag()), media_type.as_bytes())
    }

    pub(super) fn link_tag(&self, name: &str, tag: &str, digest: &Digest) -> io::Result<()> {
        write(&self.place(name, TAGS, tag), digest.to_string().as_bytes())
    }

    pub(super) fn unlink_blob(&self, name: &str, digest: &Digest) -> io::Result<()> {
        fs::remove_file(self.place(name, BLOBS, &digest.referrers_tag()))
    }

    pub(super) fn unlink_manifest(&self, name: &str, digest: &Digest) -> io::Result<()> {
        fs::remove_file(self.place(name, MANIFESTS, &digest.referrers_tag()))
    }

    pub(super) fn unlink_tag(&self, name: &str, tag: &str) -> io::Result<()> {
        fs::remove_file(self.place(name, TAGS, tag))
    }

    /// Reads everything into `store`, but the content of blobs.
    pub(super) fn read(&self, store: &mut Store) -> io::Result<()> {
        let mut left = vec![String::new()];
        while let Some(name) = left.pop() {
            for entry in fs::read_dir(self.repositories.join(&name))? {
                let Ok(part) = entry?.file_name().into_string() else { return Err(invalid("a name that is no text")) };
                match part.as_str() {
                    BLOBS => self.read_blobs(store, &name)?,
                    MANIFESTS => self.read_manifests(store, &name)?,
                    TAGS => self.read_tags(store, &name)?,
                    _ if name.is_empty() => left.push(part),
                    _ => left.push(format!("{name}/{part}")),
                }
            }
        }
        Ok(())
    }

    fn files(&self, name: &str, kind: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.repositories.join(name).join(kind))?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        // What was being written when the registry was killed starts with a dot.
        names.filter(|name| name.as_ref().map_or(true, |name| !name.starts_with('.'))).collect()
    }

    fn read_blobs(&self, store: &mut Store, name: &str) -> io::Result<()> {
        for file in self.files(name, BLOBS)? {
            store.held(name).blobs.insert(ByDigest(Arc::new(HeldContent::in_folder(digest_of(&file)?))));
        }
        Ok(())
    }

    fn read_manifests(&self, store: &mut Store, name: &str) -> io::Result<()> {
        for file in self.files(name, MANIFESTS)? {
            let digest = digest_of(&file)?;
            let media_type = fs::read_to_string(self.place(name, MANIFESTS, &file))?;
            let bytes = self.content(&digest)?.ok_or_else(|| invalid("a manifest without content"))?;
            store.keep_manifest(name, digest, &media_type, bytes);
        }
        Ok(())
    }

    fn read_tags(&self, store: &mut Store, name: &str) -> io::Result<()> {
        for tag in self.files(name, TAGS)? {
            let digest = fs::read_to_string(self.place(name, TAGS, &tag))?;
            let digest = digest.parse().map_err(|_| invalid("a tag without a digest"))?;
            store.held(name).tags.insert(tag, digest);
        }
        Ok(())
    }
}

fn digest_of(file: &str) -> io::Result<Digest> {
    file.replacen('-', ":", 1).parse().map_err(|_| invalid("a file that is not named by a digest"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the folder of the registry has {what}"))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Err(invalid("no place for a file")) };
    fs::create_dir_all(parent)?;
    let mut file = tempfile::Builder::new().prefix(".").tempfile_in(parent)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
