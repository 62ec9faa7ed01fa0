//! The parsers of strangers' bytes as fuzzing calls them: one table, for the runner of the tests and for libFuzzer.
//!
//! Each row calls what production calls. A parser behind a signature would refuse every changed input before it reads it:
//! the rows in `signed` put the bytes under a sound signature first. Nothing here judges what is read; it only asserts
//! what holds of every input.

mod signed;

use std::io::{Cursor, Write as _};
use std::path::Path;

use der::{Reader as _, SliceReader};
use time::macros::datetime;
use url::Url;

use crate::diagnostic::Diagnostic;
use crate::envelope;
use crate::failure::Failure;
use crate::manifest::{self, IMAGE_INDEX, IMAGE_MANIFEST, ManifestError, ManifestKind};
use crate::pki::{Certificate, ChainCache};
use crate::policy::{BlobTrustPolicy, TrustPolicy};
use crate::scenario;
use crate::source::layout::Layout;
use crate::source::registry::heard;
use crate::timestamp;

/// The longest message about an input, in bytes.
const MESSAGE_BYTES: usize = 16 << 10;

/// A parser.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of the folder of its seeds in `fuzz/seeds`.
    pub name: &'static str,
    /// Parses, and says whether the bytes were accepted.
    pub parse: fn(&[u8]) -> bool,
}

/// Every parser of bytes that a stranger may have written.
pub const TARGETS: &[Target] = &[
    Target { name: "jws", parse: |bytes| verified("application/jose+json", bytes) },
    Target { name: "jws-signed", parse: signed::jws },
    Target { name: "cose", parse: |bytes| verified("application/cose", bytes) },
    Target { name: "cose-signed", parse: signed::cose },
    Target { name: "certificate", parse: certificate },
    Target { name: "chain", parse: chain },
    Target {
        name: "crl",
        parse: |bytes| signed::recorded(include_bytes!("../tests/data/revocation/listed.der"), bytes),
    },
    Target { name: "crl-signed", parse: signed::crl },
    Target {
        name: "ocsp",
        parse: |bytes| signed::recorded(include_bytes!("../tests/data/revocation/asked-good.der"), bytes),
    },
    Target { name: "ocsp-signed", parse: signed::ocsp },
    Target { name: "time-stamp", parse: time_stamp },
    Target { name: "policy", parse: |bytes| read(TrustPolicy::parse(bytes, "fuzz.json")) },
    Target { name: "blob-policy", parse: |bytes| read(BlobTrustPolicy::parse(bytes, "fuzz.json")) },
    Target {
        name: "scenario",
        parse: |bytes| read(scenario::parse(bytes, Path::new("scenarios/tampering/fuzz.yaml"))),
    },
    Target { name: "manifest", parse: |bytes| manifest::parse(bytes, IMAGE_MANIFEST).is_ok() },
    Target { name: "index", parse: index },
    Target { name: "archive", parse: archive },
    Target { name: "link", parse: link },
    Target { name: "challenge", parse: challenge },
];

/// Runs the target of this name.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    TARGETS.iter().find(|target| target.name == name).is_some_and(|target| (target.parse)(bytes))
}

/// Seeds that no file holds, made anew: name of the target, bytes.
///
/// # Errors
/// What the forge says.
pub fn made_seeds() -> Result<Vec<(&'static str, Vec<u8>)>, crate::forge::ForgeError> {
    signed::seeds()
}

fn accepted<T>(outcome: Result<T, Failure>) -> Option<T> {
    outcome.map_err(|failure| assert!(failure.message.len() < MESSAGE_BYTES, "a long message")).ok()
}

fn verified(media_type: &str, bytes: &[u8]) -> bool {
    accepted(envelope::verify(media_type, bytes, &ChainCache::new())).is_some()
}

fn certificate(bytes: &[u8]) -> bool {
    let Some(read) = accepted(Certificate::parse(bytes)) else { return false };
    assert_eq!(read.der(), bytes, "a certificate is the bytes it was read from");
    true
}

/// DER values, one after the other, leaf first.
fn chain(bytes: &[u8]) -> bool {
    let Ok(mut reader) = SliceReader::new(bytes) else { return false };
    let mut values = Vec::new();
    while !reader.is_finished() {
        let Ok(value) = reader.tlv_bytes() else { return false };
        values.push(value);
    }
    accepted(ChainCache::new().chain(&values)).is_some()
}

/// An answer of an authority; its token is verified too.
fn time_stamp(bytes: &[u8]) -> bool {
    let Ok(token) = timestamp::read_response(bytes) else { return false };
    let known = accepted(token.read()).is_some();
    let verified = accepted(timestamp::verify(&token, b"the primitive signature", &[]));
    assert!(verified.is_none(), "no root is trusted");
    known
}

fn read<T>(outcome: Result<T, Vec<Diagnostic>>) -> bool {
    let Err(problems) = outcome else { return true };
    assert!(!problems.is_empty(), "refused without a reason");
    false
}

/// The index of a layout, which is read entry by entry, and the same as a manifest.
fn index(bytes: &[u8]) -> bool {
    let mut entries = Vec::new();
    let streamed = manifest::each_entry(Cursor::new(bytes), |entry| {
        entries.push(entry);
        Ok::<_, ManifestError>(())
    });
    let Ok(ManifestKind::Index(whole)) = manifest::parse(bytes, IMAGE_INDEX) else { return false };
    assert_eq!(streamed, Ok(()), "an index is read in one way only");
    assert_eq!(entries, whole.manifests.into_iter().map(Ok).collect::<Vec<_>>());
    true
}

fn archive(bytes: &[u8]) -> bool {
    // Without a file there is nothing to try.
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return false };
    if file.write_all(bytes).is_err() {
        return false;
    }
    let Ok(layout) = Layout::open_archive(file.path()) else { return false };
    !layout.entries().is_empty()
}

/// The lines are the values of `Link` headers.
fn link(bytes: &[u8]) -> bool {
    let Ok(first) = Url::parse("https://registry.example/v2/_catalog?n=2") else { return false };
    let Ok(Some(next)) = heard::next_page(&first, bytes) else { return false };
    assert_eq!(next.origin(), first.origin(), "a link leads away from the registry");
    true
}

/// The lines are the values of `WWW-Authenticate` headers.
fn challenge(bytes: &[u8]) -> bool {
    let Ok(registry) = Url::parse("https://registry.example") else { return false };
    match heard::token_server(&registry, bytes) {
        Ok(Some((realm, scopes))) => {
            assert_eq!(realm.scheme(), "https", "a token server without TLS");
            assert!(
                (1..=8).contains(&scopes.len()) && scopes.iter().all(|scope| !scope.contains("push")),
                "{scopes:?}"
            );
            true
        }
        Ok(None) => true,
        Err(refusal) => {
            assert!(refusal.len() < MESSAGE_BYTES, "a long message");
            false
        }
    }
}

/// When answers are judged: between their making and their end.
const THEN: time::OffsetDateTime = datetime!(2027-01-01 0:00 UTC);
