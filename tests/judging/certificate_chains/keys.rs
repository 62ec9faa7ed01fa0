//! D21: keys that sign nothing.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use der::Encode;

use super::*;

const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P224: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21];
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP256K1: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x71];
const NULL: &[u8] = &[0x05, 0x00];

/// A `SubjectPublicKeyInfo`.
fn info(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x30, &algorithm.concat()), tlv(0x03, &[&[0], key].concat())].concat())
}

/// An RSA key whose modulus is an odd number of `bits` bits; nobody knows its factors, and nobody needs to.
fn rsa(bits: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0x5b; bits.div_ceil(8)];
    let unused = modulus.len() * 8 - bits;
    modulus[0] = 0xff >> unused;
    if unused == 0 {
        modulus.insert(0, 0);
    }
    info(&[RSA, NULL], &tlv(0x30, &[tlv(0x02, &modulus), tlv(0x02, exponent)].concat()))
}

fn with_key(info: &[u8]) -> Vec<Vec<u8>> {
    with_leaf(|draft| draft.set_public_key(info))
}

fn point() -> Vec<u8> {
    let info = key(2).public_key().to_vec();
    info[info.len() - 65..].to_vec()
}

const F4: &[u8] = &[1, 0, 1];

#[test]
fn d21_rsa_keys_of_other_lengths() {
    for bits in [2048, 3072, 4096, 3065, 4089] {
        passes(&with_key(&rsa(bits, F4)));
    }
    for bits in [512, 1024, 2040, 2047, 2049, 3064, 3073, 4088, 4097, 8192, 16384] {
        let message = format!("its public key cannot be used: it is an RSA key of {bits} bits");
        fails(&with_key(&rsa(bits, F4)), Code::KeyUnsupported, &message);
    }
    fails(&with_key(&rsa(32768, F4)), Code::KeyUnsupported, "not a sound RSA key");
}

#[test]
fn d21_rsa_keys_with_other_exponents() {
    for exponent in [&[3][..], &[1, 0, 1], &[0x7f, 0xff, 0xff, 0xff]] {
        passes(&with_key(&rsa(2048, exponent)));
    }
    for exponent in [&[0][..], &[1], &[2], &[1, 0, 0], &[0xff], &[0xff, 0x01]] {
        fails(&with_key(&rsa(2048, exponent)), Code::KeyUnsupported, "it is not a sound RSA key");
    }
    for exponent in [&[1, 0, 0, 0, 1][..], &[0, 0x80, 0, 0, 1], &[0x7f; 256]] {
        fails(&with_key(&rsa(2048, exponent)), Code::KeyUnsupported, "it is an RSA key with a huge exponent");
    }
}

#[test]
fn d21_rsa_keys_in_another_form() {
    let sound = rsa(2048, F4);
    // The key is the last 270 bytes: a sequence of a modulus (257 bytes) and an exponent (3).
    let bare = &sound[sound.len() - 270..];
    passes(&with_key(&info(&[RSA, NULL], bare)));
    for parameters in [&[][..], &[0x30, 0x00], P256] {
        let key = info(&[RSA, parameters], bare);
        fails(&with_key(&key), Code::KeyUnsupported, "an RSA key with parameters, or without the NULL");
    }
    for key in [&sound[..], &bare[..269], &[bare, &[0]].concat(), &[], &tlv(0x30, &tlv(0x02, F4))] {
        fails(&with_key(&info(&[RSA, NULL], key)), Code::KeyUnsupported, "it is not a sound RSA key");
    }
}

#[test]
fn d21_other_curves_and_algorithms() {
    for (key, message) in [
        (info(&[EC, P224], &[&[4][..], &[7; 56]].concat()), "an EC key on the curve 1.3.132.0.33"),
        (info(&[EC, SECP256K1], &point()), "an EC key on the curve 1.3.132.0.10"),
        (info(&[EC, &[0x30, 0x00]], &point()), "an EC key whose curve is not named"),
        (info(&[EC], &point()), "an EC key whose curve is not named"),
        (info(&[ED25519], &[7; 32]), "it is an Ed25519 key, which signs no envelopes"),
        (info(&[ED25519, NULL], &[7; 32]), "an Ed25519 key that is not 32 bytes, or has parameters"),
        (info(&[ED448], &[7; 57]), "a key of the algorithm 1.3.101.113"),
    ] {
        fails(&with_key(&key), Code::KeyUnsupported, message);
    }
}

#[test]
fn d21_points_that_are_none() {
    let point = point();
    passes(&with_key(&info(&[EC, P256], &point)));
    let mut off = point.clone();
    *off.last_mut().unwrap() ^= 1;
    fails(&with_key(&info(&[EC, P256], &off)), Code::KeyUnsupported, "it is not a sound key of the kind EC P-256");
    let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
    let hybrid = [&[6 + (point[64] & 1)], &point[1..]].concat();
    for wrong in [&compressed[..], &hybrid, &[0], &[], &point[..64], &[&point[..], &[0]].concat()] {
        fails(&with_key(&info(&[EC, P256], wrong)), Code::KeyUnsupported, "compressed, infinite or of a wrong length");
    }
}

/// Only the leaf's key is limited to six kinds. An authority may have any that verifies; of the others it is said what they
/// are, and not that a signature does not verify.
#[test]
fn d21_keys_of_authorities() {
    for (key, message) in [
        (rsa(1024, F4), "it is an RSA key of 1024 bits, and an authority's has 2048 to 8192"),
        (rsa(2047, F4), "it is an RSA key of 2047 bits, and an authority's has 2048 to 8192"),
        (rsa(16384, F4), "it is an RSA key of 16384 bits, and an authority's has 2048 to 8192"),
        (info(&[EC, P224], &[&[4][..], &[7; 56]].concat()), "it is an EC key on the curve 1.3.132.0.33"),
        (info(&[EC, SECP256K1], &point()), "it is an EC key on the curve 1.3.132.0.10"),
        (info(&[ED25519], &[7; 31]), "it is an Ed25519 key that is not 32 bytes"),
        (info(&[ED448], &[7; 57]), "it is a key of the algorithm 1.3.101.113"),
    ] {
        let chain = with_middle(|draft| draft.set_public_key(&key));
        fails(&chain, Code::KeyUnsupported, &format!("which is to have signed it, is not supported: {message}"));
        let chain = with_root(|draft| draft.set_public_key(&key));
        fails(&chain, Code::KeyUnsupported, message);
    }
    for key in [rsa(2048, F4), info(&[ED25519], &[7; 32])] {
        let chain = with_middle(|draft| draft.set_public_key(&key));
        fails(&chain, Code::ChainInvalid, "its signature does not verify with the key of");
    }
}

/// A key pair for Ed25519, the same in every run, and its `SubjectPublicKeyInfo`.
fn ed25519(seed: u8) -> (Ed25519KeyPair, Vec<u8>) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let key = info(&[ED25519], pair.public_key().as_ref());
    (pair, key)
}

/// Puts the signature of an Ed25519 key in the place of the issuer's.
fn signed_by(pair: &Ed25519KeyPair, draft: &mut CertificateDraft) -> Result<(), ForgeError> {
    draft.set_algorithm("1.3.101.112", false)?;
    draft.signature = Some(pair.sign(&draft.tbs.to_der()?).as_ref().to_vec());
    Ok(())
}

/// The specification bounds the signer's key alone, so that an authority may sign with Ed25519 (RFC 8410).
#[test]
fn d21_authorities_that_sign_with_ed25519() {
    let ((root_pair, root_key), (middle_pair, middle_key)) = (ed25519(1), ed25519(2));
    let root = Authority::root_with(ROOT, key(0), |draft| {
        draft.set_public_key(&root_key)?;
        signed_by(&root_pair, draft)
    });
    let middle = root.unwrap().intermediate_with(MIDDLE, key(1), |draft| {
        draft.set_public_key(&middle_key)?;
        signed_by(&root_pair, draft)
    });
    let middle = middle.unwrap();
    passes(&middle.issue_with(request(), |draft| signed_by(&middle_pair, draft)).unwrap().chain);

    let issued = |change: &dyn Fn(&mut CertificateDraft) -> Result<(), ForgeError>| {
        middle.issue_with(request(), change).unwrap().chain
    };
    let message = "its signature does not verify with the key of";
    fails(&issued(&|draft| signed_by(&root_pair, draft)), Code::ChainInvalid, message);
    // The signature of another algorithm, and the right one over something else.
    fails(&issued(&|_| Ok(())), Code::ChainInvalid, message);
    let over_another = |draft: &mut CertificateDraft| {
        signed_by(&middle_pair, draft)?;
        draft.set_serial(&[9])
    };
    fails(&issued(&over_another), Code::ChainInvalid, message);
    let with_parameters = |draft: &mut CertificateDraft| {
        draft.set_algorithm("1.3.101.112", true)?;
        draft.signature = Some(middle_pair.sign(&draft.tbs.to_der()?).as_ref().to_vec());
        Ok(())
    };
    fails(&issued(&with_parameters), Code::CertificateProfile, "it is signed with Ed25519 and parameters");
    // As the signer's own key it stays refused.
    let (own, own_key) = ed25519(3);
    let alone = Signer::self_signed_with(request(), |draft| {
        draft.set_public_key(&own_key)?;
        signed_by(&own, draft)
    });
    fails(&alone.unwrap().chain, Code::KeyUnsupported, "it is an Ed25519 key, which signs no envelopes");
}

/// The right key, written as no certificate writes it: what the library reads besides is no reason to read it.
#[test]
fn d21_keys_of_authorities_in_another_form() {
    let middle = |kind: forge::KeyKind, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        let key = Key::pooled(kind, 1).unwrap();
        let changed = change(key.public_key());
        let middle = root().intermediate_with(MIDDLE, key, |draft| draft.set_public_key(&changed)).unwrap();
        middle.issue(request()).unwrap().chain
    };
    let (ec, rsa) = (forge::KeyKind::P256, forge::KeyKind::Rsa2048);
    passes(&middle(ec, &<[u8]>::to_vec));
    passes(&middle(rsa, &<[u8]>::to_vec));
    let point = |whole: &[u8]| whole[whole.len() - 65..].to_vec();
    let compressed = |whole: &[u8]| {
        let point = point(whole);
        info(&[EC, P256], &[&[2 + (point[64] & 1)], &point[1..33]].concat())
    };
    let hybrid = |whole: &[u8]| {
        let point = point(whole);
        info(&[EC, P256], &[&[6 + (point[64] & 1)], &point[1..]].concat())
    };
    let message = "compressed, infinite or of a wrong length";
    fails(&middle(ec, &compressed), Code::KeyUnsupported, message);
    fails(&middle(ec, &hybrid), Code::KeyUnsupported, message);
    fails(&middle(ec, &|whole| info(&[EC, P256], whole)), Code::KeyUnsupported, message);
    fails(&middle(rsa, &|whole| info(&[RSA, NULL], whole)), Code::KeyUnsupported, "it is not a sound RSA key");
}
