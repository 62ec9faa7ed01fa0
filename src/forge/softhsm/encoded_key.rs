//! Keys as PKCS #11 templates: what a token is told to make one, and what it is given to take one in.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::types::Ulong;
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _, Reader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::super::{ForgeError, Key, KeyKind, tlv};

/// The attributes of a key pair that make it what it is.
pub(super) struct EncodedKey {
    pub(super) public: Vec<Attribute>,
    pub(super) private: Vec<Attribute>,
}

impl EncodedKey {
    pub(super) fn new(key: &Key) -> Result<EncodedKey, ForgeError> {
        let pkcs8 = key.pkcs8()?;
        let inner = AnyRef::from_der(&pkcs8)?.sequence(|reader| {
            AnyRef::decode(reader)?;
            AnyRef::decode(reader)?;
            let inner = OctetStringRef::decode(reader)?;
            skip_rest(reader)?;
            Ok(inner.as_bytes())
        })?;
        let key_type = match curve(key.kind()) {
            Some(_) => KeyType::EC,
            None => KeyType::RSA,
        };
        let with = |class: ObjectClass, more: Vec<Attribute>| {
            [vec![Attribute::Class(class), Attribute::KeyType(key_type)], more].concat()
        };
        let (public, private) = match curve(key.kind()) {
            Some(curve) => ec(curve, key.public_key(), inner)?,
            None => rsa(inner)?,
        };
        Ok(EncodedKey {
            public: with(ObjectClass::PUBLIC_KEY, public),
            private: with(ObjectClass::PRIVATE_KEY, private),
        })
    }
}

/// With which mechanism a token makes a key of `kind`, and what the template of the public key says for it.
pub(super) fn to_generate(kind: KeyKind) -> Result<(Mechanism<'static>, Vec<Attribute>), ForgeError> {
    let bits = match kind {
        KeyKind::Rsa2048 => Ulong::new(2048),
        KeyKind::Rsa3072 => Ulong::new(3072),
        KeyKind::Rsa4096 => Ulong::new(4096),
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => {
            let curve = curve(kind).ok_or(ForgeError::Generate)?;
            return Ok((Mechanism::EccKeyPairGen, vec![Attribute::EcParams(curve.to_der()?)]));
        }
    };
    let form = vec![Attribute::ModulusBits(bits), Attribute::PublicExponent(vec![1, 0, 1])];
    Ok((Mechanism::RsaPkcsKeyPairGen, form))
}

fn curve(kind: KeyKind) -> Option<ObjectIdentifier> {
    match kind {
        KeyKind::P256 => Some(ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
        KeyKind::P384 => Some(ObjectIdentifier::new_unwrap("1.3.132.0.34")),
        KeyKind::P521 => Some(ObjectIdentifier::new_unwrap("1.3.132.0.35")),
        KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => None,
    }
}

type Halves = (Vec<Attribute>, Vec<Attribute>);

/// From an `RSAPrivateKey` (RFC 8017, appendix A.1.2).
fn rsa(inner: &[u8]) -> Result<Halves, ForgeError> {
    let numbers = AnyRef::from_der(inner)?.sequence(|reader| {
        let mut numbers = Vec::new();
        while !reader.is_finished() {
            numbers.push(UintRef::decode(reader)?.as_bytes().to_vec());
        }
        Ok(numbers)
    })?;
    let Ok([_, n, e, d, p, q, dp, dq, inverse]) = <[Vec<u8>; 9]>::try_from(numbers) else {
        return Err(ForgeError::Key);
    };
    let public = vec![Attribute::Modulus(n.clone()), Attribute::PublicExponent(e.clone())];
    let private = vec![
        Attribute::Modulus(n),
        Attribute::PublicExponent(e),
        Attribute::PrivateExponent(d),
        Attribute::Prime1(p),
        Attribute::Prime2(q),
        Attribute::Exponent1(dp),
        Attribute::Exponent2(dq),
        Attribute::Coefficient(inverse),
    ];
    Ok((public, private))
}

/// From an `ECPrivateKey` (RFC 5915) and the public key.
fn ec(curve: ObjectIdentifier, public_key: &[u8], inner: &[u8]) -> Result<Halves, ForgeError> {
    let scalar = AnyRef::from_der(inner)?.sequence(|reader| {
        AnyRef::decode(reader)?;
        let scalar = OctetStringRef::decode(reader)?;
        skip_rest(reader)?;
        Ok(scalar.as_bytes())
    })?;
    let point = SubjectPublicKeyInfoRef::from_der(public_key)?.subject_public_key.raw_bytes();
    let parameters = Attribute::EcParams(curve.to_der()?);
    let public = vec![parameters.clone(), Attribute::EcPoint(tlv(0x04, point))];
    Ok((public, vec![parameters, Attribute::Value(scalar.to_vec())]))
}

fn skip_rest<'a>(reader: &mut impl Reader<'a>) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}
