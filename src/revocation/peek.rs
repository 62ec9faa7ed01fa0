//! What can be told of an answer by its outline, without believing any of it: whether a cached CRL is worth using, and
//! which OCSP answer belongs to which request.
//!
//! Follows RFC 5280, section 5.1, and RFC 6960, sections 4.1.1 and 4.2.1. Only what is looked for is read, so that a CRL
//! with a million entries costs no more than an empty one. It says nothing about signatures, and whether an answer counts
//! is decided elsewhere, over all of its bytes.

use time::OffsetDateTime;

use super::Issuer;
use super::edition::Edition;
use super::extension::oid;
use super::fields::{Fields, read_time};
use crate::limits;
use crate::pki::der::{self, Element};
use crate::pki::{DistributionPoint, is_same_name};

/// `[0]`, as it stands in front of a value.
const CONTEXT_0: u8 = 0xa0;

/// The outline of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrlOutline {
    /// The issuer's name, in DER.
    pub(crate) issuer: Vec<u8>,
    /// The number of the CRL, if it has one, and when it was made.
    pub(crate) edition: Edition,
    /// When the next one is due, if it says so.
    pub(crate) next_update: Option<OffsetDateTime>,
    /// Where its deltas are, as written.
    pub(crate) freshest: Vec<String>,
}

impl CrlOutline {
    /// Reads a CRL; `None` if its outline is not one. Values are looked at one by one: there may be millions where four
    /// are expected.
    pub(crate) fn read(bytes: &[u8]) -> Option<CrlOutline> {
        let mut list = Fields::of(der::only(bytes).ok()?, der::SEQUENCE).ok()?;
        let signed = list.required(der::SEQUENCE).ok()?;
        list.any().ok()?;
        list.any().ok()?;
        list.end().ok()?;
        let mut fields = Fields::of(signed, der::SEQUENCE).ok()?;
        let _version = fields.optional(der::INTEGER);
        fields.any().ok()?;
        let issuer = fields.any().ok()?.whole.to_vec();
        let edition = Edition { number: None, made: fields.time().ok()? };
        let next_update = fields.optional_time().ok()?;
        let _entries = fields.optional(der::SEQUENCE);
        let mut outline = CrlOutline { issuer, edition, next_update, freshest: Vec::new() };
        if let Some(extensions) = fields.explicit(CONTEXT_0).ok()? {
            for extension in extensions.values(der::SEQUENCE).ok()?.take(limits::ANSWER_EXTENSIONS) {
                outline.add(extension.ok()?)?;
            }
        }
        fields.end().ok()?;
        Some(outline)
    }

    fn add(&mut self, extension: Element<'_>) -> Option<()> {
        let mut fields = Fields::of(extension, der::SEQUENCE).ok()?;
        let name = fields.any().ok()?.contents;
        let _critical = fields.optional(der::BOOLEAN);
        let value = fields.any().ok()?.contents;
        if name == oid::CRL_NUMBER {
            let number = der::only(value).ok()?.contents;
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            self.edition.number = Some(number.get(zeros..)?.into());
        } else if name == oid::FRESHEST_CRL {
            let points = DistributionPoint::read_all(der::only(value).ok()?)?;
            self.freshest = points.iter().flat_map(DistributionPoint::urls).map(str::to_owned).collect();
        }
        Some(())
    }

    /// Whether the CRL says that it is by this issuer.
    pub(crate) fn is_by(&self, issuer: &Issuer) -> bool {
        is_same_name(&self.issuer, &issuer.name)
    }
}

/// Which certificate a request or an answer is about (`CertID`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CertificateId {
    /// The hash algorithm, the hashes of the issuer's name and key, and the serial number, each without its tag.
    parts: [Vec<u8>; 4],
}

impl CertificateId {
    fn read(element: &Element<'_>) -> Option<CertificateId> {
        let parts = element.children(der::SEQUENCE).ok()?;
        let [algorithm, name, key, serial] = parts.as_slice() else { return None };
        // What stands behind the algorithm is NULL or left out, and means the same.
        let algorithm = algorithm.children(der::SEQUENCE).ok()?;
        Some(CertificateId { parts: [algorithm.first()?, name, key, serial].map(|part| part.contents.to_vec()) })
    }

    /// Those that an OCSP request asks about, in its order.
    pub(crate) fn of_request(request: &[u8]) -> Option<Vec<CertificateId>> {
        let request = der::only(request).ok()?.children(der::SEQUENCE).ok()?;
        let signed = request.first()?.children(der::SEQUENCE).ok()?;
        let list = signed.iter().find(|element| element.tag == der::SEQUENCE)?;
        let requests = list.children(der::SEQUENCE).ok()?;
        requests.iter().map(|one| CertificateId::read(one.children(der::SEQUENCE).ok()?.first()?)).collect()
    }
}

/// The outline of an OCSP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OcspOutline {
    /// When the answer was made, unless the responder declined.
    pub(crate) produced: Option<OffsetDateTime>,
    /// The certificates that it is about; none if the responder declined.
    pub(crate) certificates: Vec<CertificateId>,
}

impl OcspOutline {
    /// Reads an OCSP answer; `None` if its outline is not one.
    pub(crate) fn read(bytes: &[u8]) -> Option<OcspOutline> {
        if bytes.len() as u64 > limits::OCSP_BYTES {
            return None;
        }
        let answer = der::only(bytes).ok()?.children(der::SEQUENCE).ok()?;
        let (status, rest) = answer.split_first()?;
        if status.tag != der::ENUMERATED {
            return None;
        }
        let Some(typed) = rest.first() else {
            return Some(OcspOutline { produced: None, certificates: Vec::new() });
        };
        let typed = single(typed.children(CONTEXT_0).ok()?)?.children(der::SEQUENCE).ok()?;
        let basic = der::only(typed.get(1)?.contents).ok()?.children(der::SEQUENCE).ok()?;
        let signed = basic.first()?.children(der::SEQUENCE).ok()?;
        let at = signed.iter().position(|element| element.tag == der::GENERALIZED_TIME)?;
        let responses = signed.get(at + 1)?.children(der::SEQUENCE).ok()?;
        let certificates: Option<Vec<_>> =
            responses.iter().map(|one| CertificateId::read(one.children(der::SEQUENCE).ok()?.first()?)).collect();
        Some(OcspOutline { produced: Some(read_time(*signed.get(at)?).ok()?), certificates: certificates? })
    }
}

fn single<T>(elements: Vec<T>) -> Option<T> {
    let mut elements = elements.into_iter();
    elements.next().filter(|_| elements.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;
    use time::macros::datetime;

    fn extension(number: u8, value: Vec<u8>) -> Vec<u8> {
        tlv(0x30, &[tlv(0x06, &[0x55, 0x1d, number]), tlv(0x04, &value)].concat())
    }

    /// A CRL made of these parts behind its issuer.
    fn crl(version: &[u8], rest: &[Vec<u8>]) -> Vec<u8> {
        let head = [version, &tlv(0x30, &[]), &tlv(0x30, b"\x31\x00")].concat();
        tlv(0x30, &[tlv(0x30, &[head, rest.concat()].concat()), tlv(0x30, &[]), tlv(0x03, &[0])].concat())
    }

    #[test]
    fn reads_what_stands_around_the_entries() {
        let (this, next) = (tlv(0x17, b"261101000000Z"), tlv(0x18, b"20261201000000Z"));
        let name = |tag, url: &[u8]| tlv(0x30, &tlv(0xa0, &tlv(tag, &tlv(0x86, url))));
        let part = tlv(0x30, &[tlv(6, &[0x55, 4, 3]), tlv(12, b"Part 1")].concat());
        let relative = tlv(0x30, &tlv(0xa0, &tlv(0xa1, &part)));
        let points = [name(0xa0, b"http://a"), relative, name(0xa0, b"ldap://b")];
        let extensions =
            [extension(20, tlv(0x02, &[0, 0x90])), extension(46, tlv(0x30, &points.concat())), extension(35, vec![])];
        let extensions = tlv(0xa0, &tlv(0x30, &extensions.concat()));
        let entries = tlv(0x30, &tlv(0x30, &[]));
        let version = tlv(0x02, &[1]);

        let full =
            CrlOutline::read(&crl(&version, &[this.clone(), next.clone(), entries.clone(), extensions])).unwrap();
        assert_eq!(full.next_update, Some(datetime!(2026-12-01 00:00 UTC)));
        assert_eq!(
            (full.edition.number, full.freshest),
            (Some([0x90][..].into()), vec!["http://a".to_owned(), "ldap://b".to_owned()])
        );
        assert_eq!(full.issuer, [0x30, 2, 0x31, 0]);

        for rest in [vec![this.clone()], vec![this.clone(), entries.clone()]] {
            let bare = CrlOutline::read(&crl(&[], &rest)).unwrap();
            assert_eq!((bare.next_update, bare.edition.number, bare.freshest.len()), (None, None, 0));
        }
        let whole = crl(&version, &[this, next, entries]);
        for bytes in [&whole[..whole.len() - 1], &[whole.clone(), vec![0]].concat(), &[], &crl(&version, &[])] {
            assert_eq!(CrlOutline::read(bytes), None, "{bytes:02x?}");
        }
        assert_eq!(CrlOutline::read(&crl(&version, &[tlv(0x17, b"not a time")])), None);
    }

    #[test]
    fn a_responder_that_declines_answers_about_nothing() {
        let declined = OcspOutline::read(&[0x30, 3, 0x0a, 1, 3]).unwrap();
        assert_eq!(declined.certificates, []);
        for bytes in [&[][..], &[0x30, 0], &[0x30, 3, 0x02, 1, 3], &[0x30, 5, 0x0a, 1, 0, 0xa0, 0]] {
            assert_eq!(OcspOutline::read(bytes), None, "{bytes:02x?}");
            assert_eq!(CertificateId::of_request(bytes).filter(|ids| !ids.is_empty()), None, "{bytes:02x?}");
        }
    }
}
