//! However long the CRLs are that servers send, the whole process stays within its bounds.

use muster::forge::tlv;

use super::world::{World, told};

/// What no run may take, in bytes.
const MOST: u64 = 256 << 20;
/// As long as a CRL may be, less what stands around it.
const LONG: usize = (32 << 20) - 4096;

/// The most memory that a process ever had, as long as it runs; `None` where the system does not tell.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// What the program tells, with the most memory that it had.
fn measured(world: &World) -> (String, u64) {
    let mut run = world.command("wabbit", &[]).spawn().unwrap();
    let mut most = 0;
    while run.try_wait().unwrap().is_none() {
        most = most.max(peak(run.id()).unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    (told(&run.wait_with_output().unwrap()), most)
}

/// A CRL in outline whose signed part is `junk`.
fn junk(signed: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x30, signed), tlv(0x30, &tlv(0x06, &[0x2a, 3])), tlv(0x03, &[0, 1])].concat())
}

#[test]
fn junk_and_long_lists_stay_within_the_memory_of_a_run() {
    let world = World::new();
    world.sign("wabbit", &["/ca.crl", "/other.crl"], &[]);
    let version = [0x02, 1, 1];
    let values = |value: &[u8]| [&version[..], &value.repeat(LONG / value.len())].concat();
    let entry = tlv(0x30, &[tlv(0x02, &[0x7f]), tlv(0x17, b"260101000000Z")].concat());
    let entries = entry.repeat(LONG / entry.len());
    // All is well until the last entry.
    let late = tlv(0x30, &[&entries[..], &tlv(0x30, &[])].concat());
    for (kind, bytes, expected) in [
        ("nulls", junk(&values(&[5, 0])), "fail revocation-unknown"),
        ("empty sequences", junk(&values(&[0x30, 0])), "fail revocation-unknown"),
        (
            "an endless value",
            [&[0x30, 0x84, 1, 0xff, 0xf0, 0][..], &vec![0x30; LONG]].concat(),
            "fail revocation-unknown",
        ),
        ("a list that fails late", signed(&world, &late), "fail revocation-unknown"),
        ("a long list", signed(&world, &tlv(0x30, &entries)), "pass"),
    ] {
        world.server.publish("/ca.crl", bytes.clone());
        world.server.publish("/other.crl", bytes);
        // The second time, a good one comes from the cache.
        for _ in 0..if expected == "pass" { 2 } else { 1 } {
            let (told, most) = measured(&world);
            assert_eq!(told, expected, "{kind}");
            if most == 0 {
                return crate::skip::skip(kind, "this system does not tell how much memory a process had");
            }
            assert!(most < MOST, "{kind}: {} MiB", most >> 20);
        }
    }
}

/// A CRL of ours with this list of entries.
fn signed(world: &World, list: &[u8]) -> Vec<u8> {
    // The list takes the place of the one entry that the draft has.
    let draft = world.crl(5, &[&[0x7f]], |_| ());
    let (tbs, behind) = inside(inside(&draft).0);
    let mut before = Vec::new();
    let mut rest = tbs;
    // Version, algorithm, issuer, both times.
    for _ in 0..5 {
        let (value, after) = first(rest);
        before.extend_from_slice(value);
        rest = after;
    }
    let (_entries, extensions) = first(rest);
    let tbs = tlv(0x30, &[&before, list, extensions].concat());
    let (algorithm, _) = first(behind);
    let signature = world.ours.key().sign_certificate(&tbs).unwrap();
    tlv(0x30, &[&tbs[..], algorithm, &tlv(0x03, &[&[0], &signature[..]].concat())].concat())
}

/// The first value in `bytes`, and what follows it.
fn first(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = header(bytes);
    bytes.split_at(head + length)
}

/// What stands in the first value of `bytes`, and what follows it.
fn inside(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = header(bytes);
    (&bytes[head..head + length], &bytes[head + length..])
}

fn header(bytes: &[u8]) -> (usize, usize) {
    match bytes[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let digits = usize::from(long & 0x7f);
            let length = bytes[2..2 + digits].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + digits, length)
        }
    }
}
