//! The kinds of targets that are no registry: one file each, and one table that reading, help texts and messages are made of.
//!
//! A target without the prefix of a kind is in a registry. A new kind is a file here and a row in `TargetKind::TABLE`, with
//! the `mod` line beside it. Signatures are written where a kind says how; of all others `muster sign` says why not.

mod oci;
mod oci_archive;

use std::fmt;
use std::path::Path;

use crate::digest::Digest;
use crate::reference::Reference;
use crate::source::Attachment;
use crate::source::layout::Layout;
use crate::trouble::Trouble;

/// A kind of target that lies in files.
pub struct TargetKind {
    /// The word before the colon in a target, as skopeo writes it.
    pub prefix: &'static str,
    /// What stands after the colon, for help texts: `DIR` or `FILE`.
    pub place: &'static str,
    /// What a target of this kind is, for messages: `an OCI layout`.
    pub purpose: &'static str,
    /// Whether names inside say which repository an artifact belongs to, so that the author of the layout chooses the statement.
    pub names_inside: bool,
    /// Opens what lies at a path.
    pub(crate) open: fn(&Path) -> Result<Layout, Trouble>,
    /// Writes a signature there, or says why that cannot be.
    pub write: Result<WriteSignature, &'static str>,
}

/// Writes a signature beside its artifact.
pub type WriteSignature = fn(&Path, &Attachment) -> Result<(), Trouble>;

impl TargetKind {
    /// Every kind, in the order of help texts.
    const TABLE: &'static [TargetKind] = &[oci::KIND, oci_archive::KIND];

    /// An OCI layout in a directory.
    pub const DIRECTORY: TargetKind = oci::KIND;

    /// Every kind, in the order of help texts.
    pub fn all() -> impl Iterator<Item = &'static TargetKind> + Clone {
        TargetKind::TABLE.iter()
    }

    /// The kind with this prefix.
    pub fn named(prefix: &str) -> Option<&'static TargetKind> {
        TargetKind::all().find(|kind| kind.prefix == prefix)
    }

    /// The kind that `text` begins with, and what stands after the colon.
    pub fn of(text: &str) -> Option<(&'static TargetKind, &str)> {
        let (prefix, rest) = text.split_once(':')?;
        Some((TargetKind::named(prefix)?, rest))
    }

    /// What stands after the colon of a target, or what notation's `--oci-layout` takes, divided into place and entry:
    /// `PATH[:REF]` or `PATH@DIGEST`. Before a digest, what follows the path is read as its name only if it is a full
    /// reference: `PATH:HOST/REPOSITORY@DIGEST`. `None`: one of them is empty.
    pub fn place_and_entry(text: &str) -> Option<(&str, Option<&str>)> {
        let divided = text[drive(text)..].split_once(':').map(|(path, name)| (&text[..drive(text) + path.len()], name));
        let (path, entry) = match text.rsplit_once('@') {
            Some((path, digest)) if digest.parse::<Digest>().is_ok() => match divided {
                Some((path, name)) if name.parse::<Reference>().is_ok() => (path, Some(name)),
                _ => (path, Some(digest)),
            },
            _ => match divided {
                Some((path, name)) => (path, Some(name)),
                None => (text, None),
            },
        };
        let is_empty = path.is_empty() || entry == Some("") || text.contains('\0');
        (!is_empty).then_some((path, entry))
    }

    /// How targets of every kind are written, with `entry` after the place: `oci:DIR[:ref]`.
    pub fn written(entry: &str) -> Vec<String> {
        TargetKind::all().map(|kind| format!("{}:{}{entry}", kind.prefix, kind.place)).collect()
    }
}

/// The length of a Windows drive before a path, whose colon divides nothing.
fn drive(text: &str) -> usize {
    match text.as_bytes() {
        [letter, b':', b'\\' | b'/', ..] if cfg!(windows) && letter.is_ascii_alphabetic() => 2,
        _ => 0,
    }
}

impl PartialEq for TargetKind {
    fn eq(&self, other: &TargetKind) -> bool {
        self.prefix == other.prefix
    }
}

impl Eq for TargetKind {}

impl fmt::Debug for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_prefix_that_is_no_host_with_a_port() {
        for (position, kind) in TargetKind::all().enumerate() {
            assert!(TargetKind::all().take(position).all(|other| other != kind), "{kind:?}");
            assert!(kind.prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{kind:?}");
            assert_eq!(TargetKind::of(&format!("{}:x:y", kind.prefix)), Some((kind, "x:y")));
            assert!(!kind.place.is_empty() && !kind.purpose.is_empty(), "{kind:?}");
        }
        assert_eq!(TargetKind::of("localhost:5000/a"), None);
        assert_eq!(TargetKind::written("[:ref]")[..2], ["oci:DIR[:ref]", "oci-archive:FILE[:ref]"]);
    }
}
