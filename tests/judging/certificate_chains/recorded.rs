//! Chains in envelopes that the reference implementation made. It found the integrity of every one of them sound.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster::pki::DistinguishedName;

use super::*;

fn blobs() -> impl Iterator<Item = Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/layout/blobs/sha256");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap())
}

fn jws_chain(blob: &[u8]) -> Option<Vec<Vec<u8>>> {
    let envelope: serde_json::Value = serde_json::from_slice(blob).ok()?;
    let chain = envelope.get("header")?.get("x5c")?.as_array()?;
    Some(chain.iter().map(|certificate| STANDARD.decode(certificate.as_str().unwrap()).unwrap()).collect())
}

fn cose_chain(blob: &[u8]) -> Option<Vec<Vec<u8>>> {
    let message: ciborium::Value = ciborium::from_reader(blob).ok()?;
    let (18, message) = message.as_tag()? else { return None };
    let unprotected = message.as_array()?.get(1)?.as_map()?;
    let (_, chain) = unprotected.iter().find(|(label, _)| *label == 33.into())?;
    Some(chain.as_array()?.iter().map(|certificate| certificate.as_bytes().unwrap().clone()).collect())
}

fn chains() -> Vec<Vec<Vec<u8>>> {
    let chains: Vec<_> = blobs().filter_map(|blob| jws_chain(&blob).or_else(|| cose_chain(&blob))).collect();
    assert!(chains.len() >= 29, "only {} chains", chains.len());
    chains
}

#[test]
fn recorded_chains_pass_in_their_order_alone() {
    let mut longest = 0;
    for chain in chains() {
        passes(&chain);
        longest = longest.max(chain.len());
        for selection in selections(chain.len()) {
            let sorted: Vec<usize> = (0..chain.len()).collect();
            if selection != sorted {
                let other: Vec<Vec<u8>> = selection.iter().map(|position| chain[*position].clone()).collect();
                assert!(Chain::parse_code_signing(&other).is_err(), "{selection:?} of {}", chain.len());
            }
        }
    }
    assert!(longest >= 3);
}

/// Every sequence of up to `length` positions below `length`, repetitions among them.
fn selections(length: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..length {
        let longer = |selection: &Vec<usize>| {
            let selection = selection.clone();
            (0..length).map(move |position| [selection.as_slice(), &[position]].concat())
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.clone());
    }
    all
}

#[test]
fn a_recorded_subject_with_escapes_matches_its_identity() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/policies/escaped-identity.json");
    let policy: serde_json::Value = serde_json::from_slice(&std::fs::read(policy).unwrap()).unwrap();
    let identity = policy["trustPolicies"][0]["trustedIdentities"][0].as_str().unwrap();
    let identity = DistinguishedName::parse(identity.strip_prefix("x509.subject:").unwrap()).unwrap();
    let matching = |chain: &Vec<Vec<u8>>| {
        let leaf = passes(chain);
        identity.is_subset_of(&leaf.leaf().subject().to_name().unwrap())
    };
    let matches: Vec<_> = chains().into_iter().filter(matching).collect();
    assert!(!matches.is_empty() && matches.len() < chains().len() / 2, "{} match", matches.len());
}

/// The reference implementation printed this one.
#[test]
fn a_recorded_subject_is_written_as_the_reference_implementation_writes_it() {
    let text = "CN=ShortLived,OU=Security Tools,O=wabbit-networks.io,L=Seattle,ST=WA,C=US";
    assert!(chains().iter().any(|chain| passes(chain).leaf().subject_text() == text));
}
