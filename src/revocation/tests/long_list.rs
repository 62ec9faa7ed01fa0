//! A long CRL: read once, looked into by serial number.

use std::time::Duration;

use time::macros::datetime;

use super::answers::{sequence, time};
use super::*;
use crate::processor_time;

#[test]
fn f09_a_long_list_is_looked_up_not_searched_through() {
    let world = World::new(&[CRL], &[]);
    let since = datetime!(2026-01-01 0:00 UTC);
    // Without order, as issuers list them.
    let serial = |number: u32| number.wrapping_mul(0x9e37_79b1) & 0x7fff_ffff | 0x4000_0000;
    let mut list = Vec::new();
    for number in 0..200_000_u32 {
        list.extend(sequence(&[tlv(0x02, &serial(number).to_be_bytes()), time(since)]));
    }
    list.extend(sequence(&[tlv(0x02, world.leaf().serial()), time(since)]));
    let crl = world.crl().sign_with_list(tlv(0x30, &list));
    assert!(crl.len() > 4 << 20, "{}", crl.len());

    let world = world.serve(CRL, crl);
    let cache = AnswerCache::default();
    let asked = || evaluate(&world.chain, &world.recorded, &cache, NOW, None).certificates.remove(0).status;
    assert_eq!(asked(), revoked(since));
    // Hashing or walking the list a thousand times would take far longer.
    processor_time::within(Duration::from_secs(10), "looking a thousand times into a CRL", || {
        for _ in 0..1000 {
            assert_eq!(asked(), revoked(since));
        }
    });
}
