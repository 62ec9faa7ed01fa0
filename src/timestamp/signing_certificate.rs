//! The signed attributes of a token, and the certificate that they bind it to.
//!
//! Follows RFC 5652, sections 5.3 and 11, and RFC 5816 with RFC 5035, section 3 (`signing-certificate-v2`): without the
//! hash of the certificate among what is signed, a token could be attributed to another certificate of the same key. The
//! older attribute, which hashes with SHA-1, does not count.

use time::OffsetDateTime;
use x509_parser::der_parser::asn1_rs::{FromDer as _, GeneralizedTime, UtcTime};
use x509_parser::der_parser::oid;

use super::signed_data::{IssuerAndSerial, TST_INFO, optional, parts};
use super::{children, hash, invalid, malformed};
use crate::digest::{Algorithm as Hash, Digest};
use crate::failure::Failure;
use crate::pki::Certificate;
use crate::pki::der::{self, Element};

const CONTENT_TYPE: &[u8] = &oid!(raw 1.2.840.113549.1.9.3);
const MESSAGE_DIGEST: &[u8] = &oid!(raw 1.2.840.113549.1.9.4);
const SIGNING_TIME: &[u8] = &oid!(raw 1.2.840.113549.1.9.5);
const SIGNING_CERTIFICATE_V2: &[u8] = &oid!(raw 1.2.840.113549.1.9.16.2.47);

/// Attributes, signed or not, in the order in which they stand.
pub(super) struct Attributes<'a>(Vec<Attribute<'a>>);

/// A type and its values.
struct Attribute<'a> {
    whole: Element<'a>,
    kind: Element<'a>,
    set: Element<'a>,
    values: Vec<Element<'a>>,
}

impl<'a> Attributes<'a> {
    /// Reads the attributes that stand under the tag of `attributes`: at least one.
    pub(super) fn read(attributes: Element<'a>) -> Result<Attributes<'a>, Failure> {
        const SHAPE: &str = "has an attribute that is not a type and its values";
        let read = |attribute: Element<'a>| {
            let [kind, set] = parts(attribute, der::SEQUENCE, SHAPE)?;
            if kind.tag != der::OBJECT_IDENTIFIER {
                return Err(malformed(SHAPE));
            }
            Ok(Attribute { whole: attribute, kind, set, values: children(set, der::SET)? })
        };
        let attributes: Vec<_> =
            children(attributes, attributes.tag)?.into_iter().map(read).collect::<Result<_, _>>()?;
        if attributes.is_empty() {
            return Err(malformed("has a set of attributes without any"));
        }
        Ok(Attributes(attributes))
    }

    /// What is signed: `attributes`, from which these were read, in DER (RFC 5652, section 5.4). That is a SET OF, where in the
    /// token `[0]` stands in the place of its tag, and its values are sorted, in whatever order the token has them.
    pub(super) fn signed(&self, attributes: Element<'_>) -> Vec<u8> {
        let sorted = |attribute: &Attribute<'_>| {
            let values = sorted_set(attribute.set, attribute.values.iter().map(|value| value.whole.to_vec()).collect());
            [header(attribute.whole), attribute.kind.whole, &values].concat()
        };
        sorted_set(attributes, self.0.iter().map(sorted).collect())
    }

    /// The value of the attribute `kind`, which may be there once, with one value.
    fn get(&self, kind: &[u8], name: &str) -> Result<Option<Element<'a>>, Failure> {
        let mut found = self.0.iter().filter(|attribute| attribute.kind.contents == kind);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(Attribute { values, .. }), None) if values.len() == 1 => Ok(Some(values[0])),
            _ => Err(invalid(format!("has the signed attribute {name} more than once, or with other than one value"))),
        }
    }

    fn required(&self, kind: &[u8], name: &str) -> Result<Element<'a>, Failure> {
        self.get(kind, name)?.ok_or_else(|| invalid(format!("lacks the signed attribute {name}")))
    }

    /// Checks that the attributes speak of `content`.
    pub(super) fn check_content(&self, content: &[u8], algorithm: Hash) -> Result<(), Failure> {
        let kind = self.required(CONTENT_TYPE, "contentType")?;
        if (kind.tag, kind.contents) != (der::OBJECT_IDENTIFIER, TST_INFO) {
            return Err(invalid("has signed attributes of content of another type"));
        }
        let digest = self.required(MESSAGE_DIGEST, "messageDigest")?;
        if (digest.tag, digest.contents) != (der::OCTET_STRING, Digest::of(algorithm, content).bytes()) {
            return Err(invalid("has signed attributes of other content: the message digest differs"));
        }
        Ok(())
    }

    /// When the authority says that it signed, if it does: not what counts, but it must not contradict.
    pub(super) fn signing_time(&self) -> Result<Option<OffsetDateTime>, Failure> {
        const SHAPE: &str = "has a signing time that is not a time";
        let Some(value) = self.get(SIGNING_TIME, "signingTime")? else { return Ok(None) };
        // What does not end in Z is not in UTC, or not to the second.
        let time = match value.tag {
            _ if value.contents.last() != Some(&b'Z') => None,
            der::UTC_TIME => {
                UtcTime::from_der(value.whole).ok().and_then(|(_, time)| time.utc_adjusted_datetime().ok())
            }
            der::GENERALIZED_TIME => {
                GeneralizedTime::from_der(value.whole).ok().and_then(|(_, time)| time.utc_datetime().ok())
            }
            _ => None,
        };
        time.map(Some).ok_or_else(|| malformed(SHAPE))
    }

    /// Finds the certificate that signed: the one that `id` names and whose hash is among what is signed.
    pub(super) fn find_signer(
        &self,
        id: IssuerAndSerial<'_>,
        certificates: &[Certificate],
    ) -> Result<Certificate, Failure> {
        let named = self.required(SIGNING_CERTIFICATE_V2, "signing-certificate-v2")?;
        let named = NamedCertificate::read(named)?;
        let Some(algorithm) = named.algorithm else {
            return Err(invalid("names its certificate by a hash that is not SHA-256, SHA-384 or SHA-512"));
        };
        if named.issuer_and_serial.is_some_and(|other| (other.issuer, other.serial) != (id.issuer, id.serial)) {
            return Err(invalid("names two certificates as its signer's"));
        }
        let mut known = certificates
            .iter()
            .filter(|certificate| (certificate.issuer_raw(), certificate.serial()) == (id.issuer, id.serial))
            .peekable();
        if known.peek().is_none() {
            return Err(invalid("does not carry the certificate of its signer"));
        }
        let signed = known.find(|certificate| Digest::of(algorithm, certificate.der()).bytes() == named.hash);
        signed.cloned().ok_or_else(|| invalid("was signed with another certificate than it carries: the hash differs"))
    }
}

/// A SET OF in DER: `values` sorted, under the length that `set` has.
fn sorted_set(set: Element<'_>, mut values: Vec<Vec<u8>>) -> Vec<u8> {
    values.sort_unstable();
    let mut sorted = header(set).to_vec();
    sorted[0] = der::SET;
    sorted.extend(values.concat());
    sorted
}

/// Tag and length of a value.
fn header(element: Element<'_>) -> &[u8] {
    &element.whole[..element.whole.len() - element.contents.len()]
}

/// An `ESSCertIDv2`.
struct NamedCertificate<'a> {
    /// `None` when it is not one that is accepted.
    algorithm: Option<Hash>,
    hash: &'a [u8],
    issuer_and_serial: Option<IssuerAndSerial<'a>>,
}

impl<'a> NamedCertificate<'a> {
    /// Reads the first certificate of a `SigningCertificateV2`: the signer's. Those behind it may name its issuers.
    fn read(attribute: Element<'a>) -> Result<NamedCertificate<'a>, Failure> {
        const SHAPE: &str = "has an attribute signing-certificate-v2 that cannot be read";
        let fields = children(attribute, der::SEQUENCE)?;
        let named = match fields.as_slice() {
            [named] => named,
            [named, policies] if policies.tag == der::SEQUENCE => named,
            _ => return Err(malformed(SHAPE)),
        };
        let named = children(*named, der::SEQUENCE)?;
        let first =
            named.first().ok_or_else(|| invalid("has an attribute signing-certificate-v2 without certificate"))?;
        let fields = children(*first, der::SEQUENCE)?;
        let (algorithm, rest) = optional(&fields, der::SEQUENCE);
        let (hash_value, rest) = optional(rest, der::OCTET_STRING);
        let (issuer_and_serial, rest) = optional(rest, der::SEQUENCE);
        let (Some(hash_value), []) = (hash_value, rest) else { return Err(malformed(SHAPE)) };
        Ok(NamedCertificate {
            algorithm: algorithm.map_or(Ok(Some(Hash::Sha256)), hash)?,
            hash: hash_value.contents,
            issuer_and_serial: issuer_and_serial.map(read_issuer_and_serial).transpose()?,
        })
    }
}

/// An `IssuerSerial`, whose issuer must be one directory name.
fn read_issuer_and_serial(value: Element<'_>) -> Result<IssuerAndSerial<'_>, Failure> {
    const SHAPE: &str = "names the issuer of its certificate by something else than one directory name";
    /// `[4]`, directoryName.
    const DIRECTORY_NAME: u8 = 0xa4;
    let [names, serial] = parts(value, der::SEQUENCE, SHAPE)?;
    let [name] = parts(names, der::SEQUENCE, SHAPE)?;
    let [name] = parts(name, DIRECTORY_NAME, SHAPE)?;
    if (name.tag, serial.tag) != (der::SEQUENCE, der::INTEGER) {
        return Err(malformed(SHAPE));
    }
    Ok(IssuerAndSerial { issuer: name.whole, serial: serial.contents })
}
