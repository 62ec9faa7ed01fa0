//! The shape of a token: CMS `SignedData`, taken apart where it stands.
//!
//! Follows RFC 5652, sections 3, 5 and 11, and RFC 3161, section 2.4.2: version 3, a `TSTInfo` inside, one signer known by
//! issuer and serial number. What a token may carry besides (attribute certificates, CRLs) is walked and left alone; unsigned
//! attributes must be attributes.

use x509_parser::der_parser::oid;

use super::signing_certificate::Attributes;
use super::{children, malformed, walk};
use crate::failure::Failure;
use crate::limits;
use crate::pki::der::{self, Element};

const SIGNED_DATA: &[u8] = &oid!(raw 1.2.840.113549.1.7.2);
/// id-ct-TSTInfo.
pub(super) const TST_INFO: &[u8] = &oid!(raw 1.2.840.113549.1.9.16.1.4);

/// `[0]` and `[1]`, constructed.
const TAGGED: [u8; 2] = [0xa0, 0xa1];

/// The parts of a token.
#[derive(Debug)]
pub(super) struct SignedData<'a> {
    /// The `TSTInfo`, in DER: what the message digest is over.
    pub(super) content: &'a [u8],
    /// The certificates that it carries, in no order.
    pub(super) certificates: Vec<Element<'a>>,
    pub(super) signer: Signer<'a>,
}

/// The one `SignerInfo`.
#[derive(Debug)]
pub(super) struct Signer<'a> {
    pub(super) id: IssuerAndSerial<'a>,
    pub(super) digest_algorithm: Element<'a>,
    /// The signed attributes as they stand, if there are any: tagged `[0]`.
    pub(super) attributes: Option<Element<'a>>,
    pub(super) signature_algorithm: Element<'a>,
    pub(super) signature: &'a [u8],
}

/// Who issued a certificate, and the number that it has there.
#[derive(Debug, Clone, Copy)]
pub(super) struct IssuerAndSerial<'a> {
    /// The `Name`, in DER.
    pub(super) issuer: &'a [u8],
    /// The contents of the INTEGER.
    pub(super) serial: &'a [u8],
}

impl<'a> SignedData<'a> {
    /// Takes all of `token` apart.
    pub(super) fn read(token: &'a [u8]) -> Result<SignedData<'a>, Failure> {
        if token.len() > limits::TIMESTAMP_BYTES {
            return Err(malformed(format!("has {} bytes; {} are read", token.len(), limits::TIMESTAMP_BYTES)));
        }
        let [kind, content] = parts(walk(token)?, der::SEQUENCE, "has not the two parts of a CMS message")?;
        if (kind.tag, kind.contents) != (der::OBJECT_IDENTIFIER, SIGNED_DATA) {
            return Err(malformed("is a CMS message of another kind than SignedData"));
        }
        let [data] = parts(content, TAGGED[0], "does not hold one SignedData")?;
        SignedData::take_apart(data)
    }

    fn take_apart(data: Element<'a>) -> Result<SignedData<'a>, Failure> {
        let fields = children(data, der::SEQUENCE)?;
        let [version, digests, encapsulated, rest @ ..] = fields.as_slice() else {
            return Err(malformed("has not the parts of a SignedData"));
        };
        if (version.tag, version.contents) != (der::INTEGER, &[3][..]) {
            return Err(malformed("is a SignedData of another version than 3"));
        }
        for digest in children(*digests, der::SET)? {
            children(digest, der::SEQUENCE)?;
        }
        let (certificates, rest) = optional(rest, TAGGED[0]);
        let (_crls, rest) = optional(rest, TAGGED[1]);
        let [signers] = rest else { return Err(malformed("has not the parts of a SignedData")) };
        let [signer] = parts(*signers, der::SET, "does not have exactly one signer")?;
        let certificates = certificates.map(|set| children(set, TAGGED[0])).transpose()?.unwrap_or_default();
        // Others than X.509 certificates are tagged: attribute certificates of old and new, and what is to come.
        let certificates: Vec<_> = certificates.into_iter().filter(|choice| choice.tag & 0xc0 == 0).collect();
        if certificates.len() > limits::TIMESTAMP_CERTIFICATES {
            let (found, most) = (certificates.len(), limits::TIMESTAMP_CERTIFICATES);
            return Err(malformed(format!("carries {found} certificates; {most} are read")));
        }
        Ok(SignedData { content: content(*encapsulated)?, certificates, signer: Signer::read(signer)? })
    }
}

impl<'a> Signer<'a> {
    fn read(signer: Element<'a>) -> Result<Signer<'a>, Failure> {
        const SHAPE: &str = "has a signer that does not have the parts of a SignerInfo";
        let fields = children(signer, der::SEQUENCE)?;
        let [version, id, digest_algorithm, rest @ ..] = fields.as_slice() else { return Err(malformed(SHAPE)) };
        if (version.tag, version.contents) != (der::INTEGER, &[1][..]) {
            return Err(malformed("has a signer that is not of version 1, known by issuer and serial number"));
        }
        let (attributes, rest) = optional(rest, TAGGED[0]);
        let [signature_algorithm, signature, rest @ ..] = rest else { return Err(malformed(SHAPE)) };
        let (unsigned, rest) = optional(rest, TAGGED[1]);
        unsigned.map(Attributes::read).transpose()?;
        if !rest.is_empty() || signature.tag != der::OCTET_STRING {
            return Err(malformed(SHAPE));
        }
        Ok(Signer {
            id: IssuerAndSerial::read(*id)?,
            digest_algorithm: *digest_algorithm,
            attributes,
            signature_algorithm: *signature_algorithm,
            signature: signature.contents,
        })
    }
}

impl<'a> IssuerAndSerial<'a> {
    fn read(id: Element<'a>) -> Result<IssuerAndSerial<'a>, Failure> {
        const SHAPE: &str = "does not name its signer by issuer and serial number";
        let [issuer, serial] = parts(id, der::SEQUENCE, SHAPE)?;
        if (issuer.tag, serial.tag) != (der::SEQUENCE, der::INTEGER) {
            return Err(malformed(SHAPE));
        }
        Ok(IssuerAndSerial { issuer: issuer.whole, serial: serial.contents })
    }
}

/// The bytes of the `TSTInfo`.
fn content<'a>(encapsulated: Element<'a>) -> Result<&'a [u8], Failure> {
    const SHAPE: &str = "does not hold a TSTInfo";
    let [kind, content] = parts(encapsulated, der::SEQUENCE, SHAPE)?;
    if (kind.tag, kind.contents) != (der::OBJECT_IDENTIFIER, TST_INFO) {
        return Err(malformed(SHAPE));
    }
    let [octets] = parts(content, TAGGED[0], SHAPE)?;
    if octets.tag != der::OCTET_STRING {
        return Err(malformed(SHAPE));
    }
    Ok(octets.contents)
}

/// The values inside `element`, exactly so many.
pub(super) fn parts<'a, const N: usize>(
    element: Element<'a>,
    tag: u8,
    otherwise: &str,
) -> Result<[Element<'a>; N], Failure> {
    let children: Vec<Element<'a>> = element.children(tag).map_err(|_| malformed(otherwise))?;
    <[Element<'a>; N]>::try_from(children).map_err(|_| malformed(otherwise))
}

/// Splits off the first field if it has this `tag`.
pub(super) fn optional<'s, 'a>(fields: &'s [Element<'a>], tag: u8) -> (Option<Element<'a>>, &'s [Element<'a>]) {
    match fields {
        [first, rest @ ..] if first.tag == tag => (Some(*first), rest),
        _ => (None, fields),
    }
}
