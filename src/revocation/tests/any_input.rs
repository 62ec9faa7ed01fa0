//! What holds for any answer: nothing panics, and no changed bit leaves an answer good.

use super::*;

fn each_bit(sound: &[u8], judge: impl Fn(Vec<u8>) -> Status) {
    assert_eq!(judge(sound.to_vec()), Status::Good);
    for bit in 0..8 * sound.len() {
        let mut changed = sound.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(judge(changed), Status::Good, "bit {bit} of {}", hex::encode(sound));
    }
}

fn key_of(kind: KeyKind, slot: usize) -> Key {
    Key::pooled(kind, slot).unwrap()
}

#[test]
fn no_bit_of_a_good_crl_can_be_changed() {
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key_of(kind, 0)).unwrap();
        let world = World::of(root, &[CRL], &[]);
        each_bit(&world.crl().sign(), |bytes| world.clone().serve(CRL, bytes).status().status);
    }
}

#[test]
fn no_bit_of_a_good_ocsp_answer_can_be_changed() {
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key_of(kind, 0)).unwrap();
        let world = World::of(root, &[], &[OCSP]);
        each_bit(&world.ocsp().sign(), |bytes| world.clone().respond(OCSP, bytes).status().status);
    }
}

#[test]
fn no_bit_of_a_delegates_answer_can_be_changed() {
    let world = World::new(&[], &[OCSP]);
    let request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=responder", key(3)).unwrap();
    let purposes = vec!["1.3.6.1.5.5.7.3.9".to_owned()];
    let delegate = world.root.issue(LeafRequest { purposes, ..request }).unwrap();
    each_bit(&world.ocsp().by(&delegate).sign(), |bytes| world.clone().respond(OCSP, bytes).status().status);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_are_an_answer_to_nothing(
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        at in 0_usize..2000,
    ) {
        let world = World::new(&[CRL], &[OCSP]);
        let spliced = |mut sound: Vec<u8>| {
            let start = at % sound.len();
            let end = (start + noise.len()).min(sound.len());
            sound.splice(start..end, noise.iter().copied());
            sound
        };
        for (crl, reply) in [
            (noise.clone(), noise.clone()),
            (spliced(world.crl().sign()), spliced(world.ocsp().sign())),
        ] {
            let world = world.clone().respond(OCSP, reply).serve(CRL, crl);
            // Noise may be empty, and then nothing has changed.
            proptest::prop_assert!(noise.is_empty() || world.status().status == Status::Unknown);
        }
    }
}
