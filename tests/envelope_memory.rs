//! What an envelope costs in memory before anything about it has been verified: a small multiple of its own length,
//! whatever is in it. Measured for a whole process, one for each envelope: what it needed at most, above what it had when
//! the envelope had been read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use muster::envelope;
use muster::forge::JwsDraft;
use muster::pki::ChainCache;

#[path = "skip/mod.rs"]
mod skip;
#[path = "world/mod.rs"]
mod world;

/// Names the file with the envelope to measure, in the process that is started for it.
const ENVELOPE: &str = "MUSTER_TEST_ENVELOPE";

const MIB: usize = 1 << 20;

/// How much memory may be needed at once, besides the envelope itself: four times the longest envelope.
const MOST: usize = 4 * (muster::limits::ENVELOPE_BYTES as usize);

fn status(field: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse::<usize>().ok().map(|kib| kib << 10)
}

/// A text of `unit` over and over, between `start` and `end`.
fn filled(start: &str, unit: &str, end: &str, length: usize) -> String {
    let count = (length - start.len() - end.len()) / unit.len();
    format!("{start}{}{end}", unit.repeat(count))
}

/// A JWS of full length whose unprotected header, protected header or payload is this.
fn jws(header: Option<&str>, protected: Option<&str>, payload: Option<&str>) -> Vec<u8> {
    let encode = |text: Option<&str>| BASE64_URL_SAFE_NO_PAD.encode(text.unwrap_or("{\"alg\":\"ES256\"}"));
    let header = header.unwrap_or("{\"x5c\":[\"AAAA\"]}");
    format!(
        "{{\"payload\":\"{}\",\"protected\":\"{}\",\"header\":{header},\"signature\":\"AAAA\"}}",
        encode(payload),
        encode(protected)
    )
    .into_bytes()
}

/// A JWS that is sound up to its payload.
fn sound(payload: &str) -> Vec<u8> {
    JwsDraft { payload: payload.as_bytes().to_vec(), ..world::jws() }.seal().unwrap()
}

/// A COSE envelope with this protected and this unprotected header.
fn cose(protected: &[u8], unprotected: &[u8]) -> Vec<u8> {
    let head = |major: u8, length: usize| [&[major << 5 | 26][..], &(length as u32).to_be_bytes()].concat();
    let protected = [head(2, protected.len()), protected.to_vec()].concat();
    [&[0xd2, 0x84][..], &protected, unprotected, &[0x41, b'x', 0x41, 1]].concat()
}

#[test]
fn an_envelope_costs_a_small_multiple_of_its_length() {
    if let Some(file) = std::env::var_os(ENVELOPE) {
        return measure(Path::new(&file));
    }
    if status("VmHWM").is_none() || std::fs::write("/proc/self/clear_refs", "5").is_err() {
        return skip::skip("envelope_memory", "this system does not say how much memory a process has needed");
    }
    let full = muster::limits::ENVELOPE_BYTES as usize - 256;
    let coded = full / 4 * 3;
    let names = |open: &str, length: usize| {
        let mut text = open.to_owned();
        for number in 0.. {
            if text.len() + 20 > length {
                break;
            }
            text.push_str(&format!("\"{number:x}\":0,"));
        }
        text + "\"z\":0}"
    };
    let cbor_list =
        |count: u16| [vec![0xa1, 0x61, b'x', 0x99], count.to_be_bytes().to_vec(), vec![0x80; count.into()]].concat();
    let cbor_text =
        [vec![0xa1, 0x7a], ((3 * MIB) as u32).to_be_bytes().to_vec(), vec![b'x'; 3 * MIB], vec![0]].concat();
    let envelopes: Vec<(&str, &str, Vec<u8>)> = vec![
        ("JWS: unprotected, lists in a list", "application/jose+json", {
            jws(Some(&filled("{\"x\":[", "[[]],", "0]}", full)), None, None)
        }),
        ("JWS: unprotected, objects in a list", "application/jose+json", {
            jws(Some(&filled("{\"x\":[", "{\"a\":{}},", "0]}", full)), None, None)
        }),
        (
            "JWS: unprotected, names in an object",
            "application/jose+json",
            jws(Some(&names("{\"x\":{", full - 9).replace("0}", "0}}")), None, None),
        ),
        ("JWS: unprotected, unknown names", "application/jose+json", jws(Some(&names("{", full)), None, None)),
        ("JWS: unprotected, depth", "application/jose+json", {
            jws(Some(&format!("{{\"x\":{}{}}}", "[".repeat(full / 2), "]".repeat(full / 2))), None, None)
        }),
        ("JWS: unprotected, certificates", "application/jose+json", {
            jws(Some(&filled("{\"x5c\":[", "\"AAAA\",", "0]}", full)), None, None)
        }),
        ("JWS: protected, objects in a list", "application/jose+json", {
            jws(None, Some(&filled("{\"x\":[", "{\"a\":{}},", "0]}", coded)), None)
        }),
        ("JWS: protected, lists in a list", "application/jose+json", {
            jws(None, Some(&filled("{\"x\":[", "[[]],", "0]}", coded)), None)
        }),
        ("JWS: protected, names", "application/jose+json", jws(None, Some(&names("{", coded)), None)),
        (
            "JWS: protected, a long text",
            "application/jose+json",
            jws(None, Some(&filled("{\"x\":\"", "x", "\"}", coded)), None),
        ),
        ("JWS: protected, critical names", "application/jose+json", {
            jws(None, Some(&filled("{\"crit\":[", "\"a\",", "\"b\"]}", coded)), None)
        }),
        ("JWS: payload", "application/jose+json", {
            jws(None, None, Some(&filled("{\"targetArtifact\":[", "{\"a\":{}},", "0]}", coded)))
        }),
        ("JWS: sound, objects in a list of the payload", "application/jose+json", {
            sound(&filled("{\"targetArtifact\":[", "{\"a\":{}},", "0]}", coded - 3000))
        }),
        ("JWS: sound, a long text in the payload", "application/jose+json", {
            sound(&filled("{\"targetArtifact\":{\"mediaType\":\"", "x", "\"}}", coded - 3000))
        }),
        ("JWS: sound, annotations", "application/jose+json", {
            let names = names("", coded - 3000).replace(":0", ":\"\"");
            sound(&format!("{{\"targetArtifact\":{{\"annotations\":{{{}}}", &names[..coded - 4000]))
        }),
        ("JWS: a long token", "application/jose+json", {
            jws(
                Some(&filled("{\"x5c\":[\"AAAA\"],\"io.cncf.notary.timestampSignature\":\"", "AAAA", "\"}", full)),
                None,
                None,
            )
        }),
        ("JWS: escapes", "application/jose+json", {
            let text = jws(None, None, None);
            let text = String::from_utf8(text).unwrap();
            text.replacen("\"signature\":\"", &filled("\"signature\":\"", "\\u0041", "", full), 1).into_bytes()
        }),
        ("COSE: protected, arrays", "application/cose", cose(&cbor_list(16_000), &[0xa0])),
        ("COSE: unprotected, arrays", "application/cose", cose(&[0xa1, 1, 0x26], &cbor_list(16_000))),
        ("COSE: protected, a long label", "application/cose", cose(&cbor_text, &[0xa0])),
        ("COSE: unprotected, a long label", "application/cose", cose(&[0xa1, 1, 0x26], &cbor_text)),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut over = Vec::new();
    for (what, media_type, bytes) in &envelopes {
        assert!(bytes.len() <= muster::limits::ENVELOPE_BYTES as usize, "{what}: {} bytes", bytes.len());
        let file = folder.path().join(media_type.replace('/', "-"));
        std::fs::write(&file, bytes).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "an_envelope_costs_a_small_multiple_of_its_length", "--nocapture"])
            .env(ENVELOPE, &file)
            .output()
            .unwrap();
        let output = String::from_utf8(child.stdout).unwrap();
        let line = output.lines().find_map(|line| line.split_once("needed ")).expect("the measure").1;
        let (needed, code) = line.split_once(' ').unwrap();
        println!("{what:<40} {:>8} bytes, {:>6} KiB more, {code}", bytes.len(), needed.parse::<usize>().unwrap() >> 10);
        if needed.parse::<usize>().unwrap() > MOST {
            over.push((what, needed.to_owned()));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}

/// Verifies the envelope in `file`, and says how much memory that needed.
fn measure(file: &Path) {
    let media_type = file.file_name().unwrap().to_str().unwrap().replacen('-', "/", 1);
    let bytes = std::fs::read(file).unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS").unwrap();
    let result = envelope::verify(&media_type, &bytes, &ChainCache::default());
    let needed = status("VmHWM").unwrap().saturating_sub(before);
    println!("needed {needed} {}", result.map_or_else(|failure| failure.code.as_str(), |_| "accepted"));
}
