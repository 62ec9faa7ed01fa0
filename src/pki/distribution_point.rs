//! Where certificates and CRLs say that revocation is published: distribution points of CRLs, and OCSP responders.
//!
//! Follows RFC 5280, sections 4.2.1.13, 4.2.1.15, 4.2.2.1, 4.2.2.2 and 5.2.5. Every kind of name is read, so that a certificate
//! that names only what cannot be asked is told apart from one that names nothing. Refused is what has nothing in it: no
//! point, no name, a point that says neither where the CRL is nor who issues it.

use super::der::{self, Element};
use super::general_name::{GeneralName, are_attributes};

/// The contents of id-ad-ocsp, 1.3.6.1.5.5.7.48.1.
const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];

/// One place where a CRL is published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    /// The name of the point; all names of one point lead to the same CRL.
    pub name: Option<PointName>,
    /// The reasons of which the CRL there speaks; `None` for all.
    pub reasons: Option<Reasons>,
    /// Who issues the CRL there, if not the issuer of the certificate.
    pub crl_issuer: Option<Vec<GeneralName>>,
}

/// The name of a distribution point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointName {
    /// Names, any of which leads there.
    Full(Vec<GeneralName>),
    /// A relative distinguished name below the name of the CRL's issuer: the contents of its SET.
    Relative(Box<[u8]>),
}

/// Reasons for a revocation (RFC 5280, `ReasonFlags`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reasons(u16);

impl Reasons {
    /// keyCompromise to aACompromise, which are all that a revocation may have.
    pub const ALL: Reasons = Reasons(0b1_1111_1110);
    /// None of them.
    pub const NONE: Reasons = Reasons(0);

    /// Reads the contents of a BIT STRING.
    pub(crate) fn read(contents: &[u8]) -> Option<Reasons> {
        der::check_primitive(der::BIT_STRING, contents).ok()?;
        let [_unused, bits @ ..] = contents else { return None };
        if bits.len() > 2 {
            return None;
        }
        let byte = |position: usize| u16::from(bits.get(position).copied().unwrap_or_default().reverse_bits());
        Some(Reasons((byte(0) | byte(1) << 8) & Reasons::ALL.0))
    }

    /// Those that both have.
    #[must_use]
    pub fn and(self, other: Reasons) -> Reasons {
        Reasons(self.0 & other.0)
    }

    /// Those that either has.
    #[must_use]
    pub fn or(self, other: Reasons) -> Reasons {
        Reasons(self.0 | other.0)
    }
}

impl DistributionPoint {
    /// Reads the value of cRLDistributionPoints or freshestCRL, which has at least one; `None` if it is neither.
    pub(crate) fn read_all(value: Element<'_>) -> Option<Vec<DistributionPoint>> {
        let points = value.values(der::SEQUENCE).ok()?.map(|point| DistributionPoint::read(point.ok()?));
        points.collect::<Option<Vec<_>>>().filter(|points| !points.is_empty())
    }

    fn read(point: Element<'_>) -> Option<DistributionPoint> {
        let mut read = DistributionPoint::default();
        let mut last = 0;
        for part in point.values(der::SEQUENCE).ok()? {
            let part = part.ok()?;
            let number = part.tag & 0x1f;
            // Each at most once, in this order.
            if std::mem::replace(&mut last, number + 1) > number {
                return None;
            }
            match part.tag {
                0xa0 => read.name = Some(PointName::read(der::only(part.contents).ok()?)?),
                0x81 => read.reasons = Some(Reasons::read(part.contents)?),
                0xa2 => read.crl_issuer = Some(GeneralName::read_all(part, 0xa2)?),
                _ => return None,
            }
        }
        (read.name.is_some() || read.crl_issuer.is_some()).then_some(read)
    }

    /// The addresses in its name.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        let names = match &self.name {
            Some(PointName::Full(names)) => names.as_slice(),
            _ => &[],
        };
        names.iter().filter_map(GeneralName::uri)
    }
}

impl PointName {
    /// Reads a `DistributionPointName`; `None` if it is not one.
    pub(crate) fn read(name: Element<'_>) -> Option<PointName> {
        match name.tag {
            0xa0 => Some(PointName::Full(GeneralName::read_all(name, 0xa0)?)),
            0xa1 if are_attributes(&name.children(0xa1).ok()?) => Some(PointName::Relative(name.contents.into())),
            _ => None,
        }
    }
}

/// Where the value of authorityInfoAccess says that OCSP responders are. Every description of access is read, and there must
/// be one; `None` if the value is neither authorityInfoAccess nor subjectInfoAccess, which are built alike.
pub(super) fn ocsp_locations(value: Element<'_>) -> Option<Vec<GeneralName>> {
    let mut locations = Vec::new();
    if value.contents.is_empty() {
        return None;
    }
    for description in value.values(der::SEQUENCE).ok()? {
        let parts = description.ok()?.children(der::SEQUENCE).ok()?;
        let [method, location] = parts.as_slice() else { return None };
        if method.tag != der::OBJECT_IDENTIFIER {
            return None;
        }
        let location = GeneralName::read(*location)?;
        if method.contents == OCSP {
            locations.push(location);
        }
    }
    Some(locations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;

    fn points(parts: &[Vec<u8>]) -> Option<Vec<DistributionPoint>> {
        DistributionPoint::read_all(der::only(&tlv(0x30, &tlv(0x30, &parts.concat()))).unwrap())
    }

    #[test]
    fn every_kind_of_name_is_read() {
        let name = tlv(0xa4, &tlv(0x30, &tlv(0x31, &tlv(0x30, &[tlv(6, &[0x55, 4, 3]), tlv(12, b"x")].concat()))));
        let full = tlv(0xa0, &tlv(0xa0, &[tlv(0x86, b"http://a"), name.clone(), tlv(0x82, b"b")].concat()));
        let read = points(&[full.clone(), tlv(0x81, &[1, 0x40]), tlv(0xa2, &name)]).unwrap().remove(0);
        assert_eq!(read.urls().collect::<Vec<_>>(), ["http://a"]);
        let Some(PointName::Full(names)) = &read.name else { panic!("{read:?}") };
        let kinds: Vec<_> = names.iter().map(GeneralName::kind).collect();
        assert_eq!(kinds, ["an address", "a directoryName", "a dNSName"]);
        assert_eq!(read.crl_issuer.map(|names| names.len()), Some(1));
        let only_key = read.reasons.unwrap();
        assert_ne!(only_key, Reasons::ALL);
        let others = Reasons::read(&[7, 0b0011_1111, 0x80]).unwrap();
        assert_eq!((only_key.or(others), only_key.and(others)), (Reasons::ALL, Reasons::NONE));
        let attribute = tlv(0x30, &[tlv(6, &[0x55, 4, 3]), tlv(0x13, b"CRL_1")].concat());
        let relative = points(&[tlv(0xa0, &tlv(0xa1, &attribute))]).unwrap().remove(0);
        assert_eq!((relative.urls().count(), relative.name.is_some()), (0, true));
        for wrong in [
            vec![tlv(0x81, &[1, 0x40]), full.clone()],
            vec![full.clone(), full.clone()],
            vec![tlv(0xa0, &[])],
            vec![tlv(0xa0, &tlv(0xa2, &[]))],
            vec![tlv(0xa0, &tlv(0xa0, &tlv(0x85, b"x")))],
            vec![tlv(0xa0, &tlv(0xa0, &[]))],
            vec![tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://\xe4")))],
            vec![tlv(0xa0, &tlv(0xa1, &[]))],
            vec![tlv(0xa0, &tlv(0xa1, &tlv(0x31, &attribute)))],
            vec![tlv(0xa2, &[])],
            vec![tlv(0x81, &[1, 0x40])],
            vec![full.clone(), tlv(0x81, &[1, 0x41])],
            vec![],
            vec![tlv(0x81, &[])],
            vec![tlv(0x83, &[])],
        ] {
            assert_eq!(points(&wrong), None, "{wrong:02x?}");
        }
        assert_eq!(DistributionPoint::read_all(der::only(&tlv(0x30, &[])).unwrap()), None);
    }
}
