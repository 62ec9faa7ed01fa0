//! What kind of key a private key is that signs no envelopes.
//!
//! Follows RFC 5958 for where the algorithm stands, and the registrations of the object identifiers. Only the identifier,
//! the curve and the length of an RSA modulus are looked at, and nothing of them is a secret.

use der::Tag;

use super::Named;
use super::der::values;

/// Object identifiers, without tag and length, and what they stand for; reads on after "it is".
const ALGORITHMS: [(&[u8], &str); 12] = [
    (&[0x2b, 0x65, 0x70], "an Ed25519 key"),
    (&[0x2b, 0x65, 0x71], "an Ed448 key"),
    (&[0x2b, 0x65, 0x6e], "an X25519 key, which agrees on keys and signs nothing"),
    (&[0x2b, 0x65, 0x6f], "an X448 key, which agrees on keys and signs nothing"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "a DSA key"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01], "a Diffie-Hellman key, which signs nothing"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
        "an RSA key that is bound to RSASSA-PSS by its identifier",
    ),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11], "an ML-DSA-44 key"),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12], "an ML-DSA-65 key"),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13], "an ML-DSA-87 key"),
    (RSA, "an RSA key that is damaged"),
    (EC, "an EC key that is damaged"),
];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Curves that sign no envelopes.
const CURVES: [(&[u8], &str); 6] = [
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "secp256k1"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], "P-224"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01], "P-192"),
    (&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d], "SM2"),
    (&[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07], "brainpoolP256r1"),
    (&[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b], "brainpoolP384r1"),
];

/// What the private key in `content` is, in PKCS #8, SEC 1 or PKCS #1; reads on after "it is".
pub(in crate::signer) fn of_key(content: &[u8], named: &Named) -> Option<String> {
    let values = values(content)?;
    match values.as_slice() {
        [(Tag::Integer, _), (Tag::Sequence, algorithm), (Tag::OctetString, key), ..] => {
            let algorithm = super::der::inner(algorithm)?;
            let (_, oid) = algorithm.first().filter(|(tag, _)| *tag == Tag::ObjectIdentifier)?;
            match *oid {
                RSA => of_modulus(&super::der::values(key)?),
                EC => algorithm.get(1).and_then(|(tag, curve)| of_curve(*tag, curve, named)),
                _ => None,
            }
            .or_else(|| ALGORITHMS.iter().find(|(known, _)| known == oid).map(|(_, name)| (*name).to_owned()))
        }
        // The curve of SEC 1 stands in a value of its own, [0].
        [(Tag::Integer, _), (Tag::OctetString, _), (_, curve), ..] => {
            let (tag, curve) = *super::der::inner(curve)?.first()?;
            of_curve(tag, curve, named)
        }
        _ => of_modulus(&values),
    }
}

/// The values of PKCS #1: version, modulus, exponent and more.
fn of_modulus(values: &[(Tag, &[u8])]) -> Option<String> {
    let [(Tag::Integer, _), (Tag::Integer, modulus), (Tag::Integer, _), ..] = values else { return None };
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let bits = 8 * (modulus.len() - first) - modulus[first].leading_zeros() as usize;
    (![2048, 3072, 4096].contains(&bits)).then(|| format!("an RSA key of {bits} bits"))
}

fn of_curve(tag: Tag, curve: &[u8], named: &Named) -> Option<String> {
    match tag {
        Tag::ObjectIdentifier => {
            CURVES.iter().find(|(known, _)| *known == curve).map(|(_, name)| format!("a key on {name}"))
        }
        Tag::Sequence => Some(format!(
            "an EC key whose curve is written out instead of named: name it (openssl pkey -in {} -ec_param_enc named_curve \
             -out {})",
            named.file, named.made
        )),
        _ => None,
    }
}
