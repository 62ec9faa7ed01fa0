//! EC public keys as tokens give them, written as certificates write them.
//!
//! The standard (PKCS #11, section 2.3.3) wants `CKA_EC_PARAMS` to name the curve by its object identifier, or by a
//! PrintableString, or to spell it out, and `CKA_EC_POINT` to be an OCTET STRING that holds the point. Modules also give the
//! point bare, without its first byte, in a BIT STRING, or compressed. All of that is read: what is read wrongly verifies
//! no signature. A curve that signs no envelopes keeps its name, so that the refusal can tell it.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, PrintableStringRef, UintRef, Utf8StringRef};
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use num_bigint::BigUint;

use super::public_key::spki;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const PRIME_FIELD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.1.1");

/// A curve that signs envelopes.
struct Curve {
    oid: ObjectIdentifier,
    names: &'static [&'static str],
    /// How long a coordinate is, in bytes.
    length: usize,
    prime: &'static str,
    /// The coefficient b; a is −3 for all of them (FIPS 186-4, appendix D.1.2).
    b: &'static str,
}

static CURVES: [Curve; 3] = [
    Curve {
        oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        names: &["prime256v1", "secp256r1", "P-256"],
        length: 32,
        prime: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    },
    Curve {
        oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        names: &["secp384r1", "P-384"],
        length: 48,
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    },
    Curve {
        oid: ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        names: &["secp521r1", "P-521"],
        length: 66,
        prime: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                ffffffffffffffffffffffffffffffff",
        b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf07\
            3573df883d2c34f1ef451fd46b503f00",
    },
];

/// The key as `SubjectPublicKeyInfo` in DER, from `CKA_EC_PARAMS` and `CKA_EC_POINT`. Without parameters the curve is the
/// one whose points have that length.
pub(super) fn read(parameters: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    if point.is_empty() {
        return None;
    }
    let unwrapped = unwrapped(point);
    let curve = match parameters {
        [] => CURVES.iter().find(|curve| curve.holds(unwrapped)),
        parameters => named(parameters),
    };
    let Some(curve) = curve else { return spki(EC, AnyRef::from_der(parameters).ok()?, unwrapped) };
    let named = curve.oid.to_der().ok()?;
    spki(EC, AnyRef::from_der(&named).ok()?, &curve.whole(unwrapped).unwrap_or_else(|| unwrapped.to_vec()))
}

/// Whether `parameters` name another curve than `of` do, as far as both are understood.
pub(super) fn are_of_another_curve(parameters: &[u8], of: &[u8]) -> bool {
    match (named(parameters), named(of)) {
        (Some(one), Some(other)) => one.oid != other.oid,
        _ => false,
    }
}

/// The curve that `CKA_EC_PARAMS` means.
fn named(parameters: &[u8]) -> Option<&'static Curve> {
    let value = AnyRef::from_der(parameters).ok()?;
    let by_name = |name: &str| CURVES.iter().find(|curve| curve.names.iter().any(|one| one.eq_ignore_ascii_case(name)));
    match value.tag() {
        Tag::ObjectIdentifier => {
            let oid = value.decode_as::<ObjectIdentifier>().ok()?;
            CURVES.iter().find(|curve| curve.oid == oid)
        }
        Tag::PrintableString => by_name(value.decode_as::<PrintableStringRef<'_>>().ok()?.as_str()),
        Tag::Utf8String => by_name(value.decode_as::<Utf8StringRef<'_>>().ok()?.as_str()),
        Tag::Sequence => spelled_out(value),
        _ => None,
    }
}

/// The curve over the field of which `ECParameters` (RFC 3279, section 2.3.5) speak. That its other numbers are those of the
/// curve shows when a signature verifies.
fn spelled_out(parameters: AnyRef<'_>) -> Option<&'static Curve> {
    let prime = parameters.sequence(|reader| {
        let _version = UintRef::decode(reader)?;
        let field = AnyRef::decode(reader)?;
        let prime = field.sequence(|field| {
            let kind = ObjectIdentifier::decode(field)?;
            let prime = UintRef::decode(field)?;
            if kind == PRIME_FIELD {
                Ok(BigUint::from_bytes_be(prime.as_bytes()))
            } else {
                Err(Tag::Sequence.value_error())
            }
        })?;
        // Its equation, its generator, the generator's order, and more.
        while !der::Reader::is_finished(reader) {
            AnyRef::decode(reader)?;
        }
        Ok(prime)
    });
    let prime = prime.ok()?;
    CURVES.iter().find(|curve| number(curve.prime).as_ref() == Some(&prime))
}

/// The point without what is around it. A bare point starts with the byte that also starts an OCTET STRING, so that only
/// what leaves a whole point counts as wrapped.
fn unwrapped(point: &[u8]) -> &[u8] {
    let is_point = |inside: &&[u8]| CURVES.iter().any(|curve| curve.holds(inside));
    if is_point(&point) {
        return point;
    }
    let octets = OctetStringRef::from_der(point).ok().map(|string| string.as_bytes());
    let bits = BitStringRef::from_der(point).ok().and_then(|string| string.as_bytes());
    octets.into_iter().chain(bits).find(is_point).unwrap_or(point)
}

impl Curve {
    /// Whether `point` is as long as points of the curve are, whole, compressed, or without the byte that tells.
    fn holds(&self, point: &[u8]) -> bool {
        match point {
            [4, rest @ ..] if rest.len() == 2 * self.length => true,
            [2 | 3, rest @ ..] if rest.len() == self.length => true,
            _ => point.len() == 2 * self.length,
        }
    }

    /// The point as certificates write it.
    fn whole(&self, point: &[u8]) -> Option<Vec<u8>> {
        match point {
            [4, rest @ ..] if rest.len() == 2 * self.length => Some(point.to_vec()),
            [sign @ (2 | 3), x @ ..] if x.len() == self.length => {
                let y = self.y(x, *sign == 3)?;
                Some([&[4], x, &y].concat())
            }
            _ if point.len() == 2 * self.length => Some([&[4], point].concat()),
            _ => None,
        }
    }

    /// The second coordinate of the point whose first is `x`, the odd or the even one of the two (SEC 1, section 2.3.4). The
    /// primes of all three curves leave 3 when divided by 4, which makes the square root one power.
    fn y(&self, x: &[u8], odd: bool) -> Option<Vec<u8>> {
        let (prime, b) = (number(self.prime)?, number(self.b)?);
        let x = BigUint::from_bytes_be(x);
        if x >= prime {
            return None;
        }
        let square = (x.modpow(&BigUint::from(3u8), &prime) + b + (&prime - &x) * 3u8) % &prime;
        let root = square.modpow(&((&prime + 1u8) / 4u8), &prime);
        if &root * &root % &prime != square {
            return None;
        }
        let y = if root.bit(0) == odd { root } else { (&prime - root) % &prime };
        let bytes = y.to_bytes_be();
        let zeros = self.length.checked_sub(bytes.len())?;
        Some([vec![0; zeros], bytes].concat())
    }
}

fn number(hexadecimal: &str) -> Option<BigUint> {
    BigUint::parse_bytes(hexadecimal.as_bytes(), 16)
}

#[cfg(test)]
mod tests;
