//! What a CRL is for: its issuingDistributionPoint, held against the distribution point of the certificate.
//!
//! Follows RFC 5280, sections 5.2.5 and 6.3.3 (b): a CRL that names its distribution point must share a name with the one that
//! led to it. Names are compared as section 7 says.

use crate::failure::quote;
use crate::limits;
use crate::pki::der::{self, Element};
use crate::pki::{DistributionPoint, GeneralName, PointName, Reasons, is_same_name};
use crate::revocation::answer_error::AnswerError;
use crate::revocation::fields::Fields;
use crate::revocation::http_url;

/// `[0]`, the name of a distribution point.
const NAME: u8 = 0xa0;

/// Where a CRL was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published<'a> {
    /// The distribution point that led to it.
    pub(super) point: &'a DistributionPoint,
    /// The name of its issuer, in DER.
    pub(super) issuer: &'a [u8],
}

/// What a CRL is for: the value of its issuingDistributionPoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// The extension's value as it came.
    raw: Vec<u8>,
    /// The distribution point, where it is named.
    name: Option<PointName>,
    only_user: bool,
    only_authority: bool,
    reasons: Option<Reasons>,
    indirect: bool,
    only_attribute: bool,
}

impl Scope {
    /// Reads the value of the extension.
    pub(super) fn read(value: Element<'_>) -> Result<Scope, AnswerError> {
        let mut fields = Fields::of(value, der::SEQUENCE)?;
        let unreadable = "names a distribution point that cannot be read";
        let name = fields.explicit(NAME)?.map(|name| PointName::read(name).ok_or(unreadable)).transpose()?;
        let (only_user, only_authority) = (flag(&mut fields, 0x81)?, flag(&mut fields, 0x82)?);
        let reasons = fields.optional(0x83).map(|reasons| Reasons::read(reasons.contents));
        let reasons = reasons.map(|reasons| reasons.ok_or("has reasons that cannot be read")).transpose()?;
        let (indirect, only_attribute) = (flag(&mut fields, 0x84)?, flag(&mut fields, 0x85)?);
        fields.end()?;
        Ok(Scope { raw: value.whole.to_vec(), name, only_user, only_authority, reasons, indirect, only_attribute })
    }

    /// Checks that a CRL of this scope speaks of a certificate that names the point where it was found; `authority` says
    /// that the certificate is an authority's. Says of which reasons for a revocation it speaks.
    pub(super) fn check(&self, found: &Published<'_>, authority: bool) -> Result<Reasons, AnswerError> {
        let flaw = |text: &str| Err(AnswerError::from(text));
        if self.indirect {
            return flaw("is an indirect one: it may speak of the certificates of others");
        }
        if self.only_attribute {
            return flaw("speaks of attribute certificates only");
        }
        if self.only_authority && !authority {
            return flaw("speaks of certificates of authorities only, and the certificate is not one");
        }
        if self.only_user && authority {
            return flaw("does not speak of certificates of authorities, and the certificate is one");
        }
        if let Some(name) = &self.name
            && !is_of(name, found)
        {
            let named = match name {
                PointName::Full(names) => names.iter().find_map(GeneralName::uri).map(quote),
                PointName::Relative(_) => None,
            };
            let named = named.unwrap_or_else(|| "a name that is not a URL".to_owned());
            return Err(AnswerError::from(format!("is for another distribution point: it names {named}")));
        }
        Ok(self.reasons.unwrap_or(Reasons::ALL))
    }
}

/// Whether one of the names in `name`, of a CRL, is one of the point that led to it.
fn is_of(name: &PointName, found: &Published<'_>) -> bool {
    let of_crl = full_names(name, found.issuer);
    let of_point = found.point.name.as_ref().map(|name| full_names(name, found.issuer)).unwrap_or_default();
    of_crl.iter().any(|one| of_point.iter().any(|other| is_same(one, other)))
}

/// The names themselves, or the one that a relative name makes with that of the issuer. Their number and length is bounded,
/// since many are compared with many: no certificate could hold a longer one.
fn full_names(name: &PointName, issuer: &[u8]) -> Vec<GeneralName> {
    match name {
        PointName::Full(names) => {
            let fits = |name: &&GeneralName| name.length() <= limits::CERTIFICATE_BYTES;
            names.iter().take(limits::REVOCATION_SERVERS).filter(fits).cloned().collect()
        }
        PointName::Relative(set) => below(issuer, set).map(GeneralName::Directory).into_iter().collect(),
    }
}

/// The name of an issuer with one more set of attributes.
fn below(issuer: &[u8], set: &[u8]) -> Option<Box<[u8]>> {
    let issuer = der::only(issuer).ok()?;
    let name = [issuer.contents, &tagged(der::SET, set)?].concat();
    Some(tagged(der::SEQUENCE, &name)?.into())
}

/// A value of this `tag` with these contents.
fn tagged(tag: u8, contents: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(contents.len()).ok()?.to_be_bytes();
    let head = match length {
        [0, short @ ..0x80] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    Some([head.as_slice(), contents].concat())
}

fn is_same(one: &GeneralName, other: &GeneralName) -> bool {
    match (one, other) {
        (GeneralName::Uri(one), GeneralName::Uri(other)) => http_url::is_same(one, other),
        (GeneralName::Directory(one), GeneralName::Directory(other)) => is_same_name(one, other),
        (GeneralName::Dns(one), GeneralName::Dns(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    }
}

/// A BOOLEAN under the tag of another type, which the walk over the encoding takes for anything; false by default.
fn flag(fields: &mut Fields<'_>, tag: u8) -> Result<bool, AnswerError> {
    match fields.optional(tag).map(|flag| flag.contents) {
        None | Some([0]) => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(AnswerError::from("has a truth value that is neither 00 nor ff, which is BER")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;

    const ADDRESS: u8 = 0x86;

    fn scope(parts: &[Vec<u8>]) -> Result<Scope, AnswerError> {
        Scope::read(der::only(&tlv(0x30, &parts.concat())).unwrap())
    }

    fn named(names: &[Vec<u8>]) -> Vec<u8> {
        tlv(NAME, &tlv(NAME, &names.concat()))
    }

    fn common_name(text: &[u8], tag: u8) -> Vec<u8> {
        tlv(0x30, &[tlv(6, &[0x55, 4, 3]), tlv(tag, text)].concat())
    }

    fn directory(attributes: &[Vec<u8>]) -> Vec<u8> {
        tlv(0xa4, &tlv(0x30, &attributes.iter().flat_map(|one| tlv(0x31, one)).collect::<Vec<_>>()))
    }

    fn point(name: Option<&[u8]>) -> DistributionPoint {
        let name = name.map(|name| PointName::read(der::only(der::only(name).unwrap().contents).unwrap()).unwrap());
        DistributionPoint { name, ..DistributionPoint::default() }
    }

    #[test]
    fn f05_a_restricted_scope_does_not_speak_of_the_certificate() {
        let address = |url: &str| tlv(ADDRESS, url.as_bytes());
        let yes = |tag| tlv(tag, &[0xff]);
        let here = "http://crl.test/a.crl";
        let point = point(Some(&named(&[address(here)])));
        let found = Published { point: &point, issuer: &[0x30, 0] };
        let sound = |parts: &[Vec<u8>], authority| scope(parts).unwrap().check(&found, authority).is_ok();
        for (parts, of_leaf, of_authority) in [
            (vec![], true, true),
            (vec![yes(0x81)], true, false),
            (vec![yes(0x82)], false, true),
            (vec![yes(0x84)], false, false),
            (vec![yes(0x85)], false, false),
            (vec![named(&[address(here)])], true, true),
            (vec![named(&[address("http://crl.test/b.crl"), address(here)])], true, true),
            (vec![named(&[address("http://crl.test/b.crl")])], false, false),
            (vec![named(&[address("HTTP://CRL.test:80/%61.crl")])], true, true),
            (vec![named(&[tlv(0x82, b"crl.test")])], false, false),
            (vec![tlv(NAME, &tlv(0xa1, &common_name(b"Part 1", 12)))], false, false),
        ] {
            assert_eq!((sound(&parts, false), sound(&parts, true)), (of_leaf, of_authority), "{parts:02x?}");
        }
        assert_eq!(scope(&[]).unwrap().check(&found, false), Ok(Reasons::ALL));
        assert_eq!(
            scope(&[tlv(0x83, &[4, 0x60])]).unwrap().check(&found, false),
            Ok(Reasons::read(&[4, 0x60]).unwrap())
        );
        for parts in [
            vec![tlv(0x81, &[1])],
            vec![tlv(0x84, &[])],
            vec![yes(0x82), yes(0x81)],
            vec![tlv(0x05, &[])],
            vec![named(&[])],
            vec![tlv(NAME, &tlv(0xa1, &[]))],
        ] {
            assert!(scope(&parts).is_err(), "{parts:02x?}");
        }
    }

    /// RFC 5280, section 6.3.3 (b) (2): of all the names of the one, one of all the names of the other.
    #[test]
    fn distribution_points_match_by_any_of_their_names() {
        let here = tlv(ADDRESS, b"http://crl.test/a.crl");
        let mirror = tlv(ADDRESS, b"http://mirror.test/a.crl");
        let place = directory(&[common_name(b"CA", 12), common_name(b"Part 1", 12)]);
        let same_place = directory(&[common_name(b"ca", 19), common_name(b"part  1", 19)]);
        let other_place = directory(&[common_name(b"CA", 12), common_name(b"Part 2", 12)]);
        let issuer = tlv(0x30, &tlv(0x31, &common_name(b"CA", 12)));
        let relative = tlv(NAME, &tlv(0xa1, &common_name(b"Part 1", 12)));
        let dns = tlv(0x82, b"crl.test");
        for (of_crl, of_point, matches) in [
            (named(std::slice::from_ref(&mirror)), Some(named(&[here.clone(), mirror.clone()])), true),
            (named(std::slice::from_ref(&place)), Some(named(&[here.clone(), same_place.clone()])), true),
            (named(&[other_place]), Some(named(&[here.clone(), place.clone()])), false),
            (relative.clone(), Some(named(&[here.clone(), same_place])), true),
            (named(&[place]), Some(relative.clone()), true),
            (relative.clone(), Some(relative), true),
            (named(&[tlv(0x82, b"CRL.test")]), Some(named(&[here.clone(), dns])), true),
            (named(&[mirror]), Some(named(std::slice::from_ref(&here))), false),
            (named(&[here]), None, false),
        ] {
            let point = point(of_point.as_deref());
            let found = Published { point: &point, issuer: &issuer };
            let checked = scope(std::slice::from_ref(&of_crl)).unwrap().check(&found, false);
            assert_eq!(checked.is_ok(), matches, "{of_crl:02x?} {of_point:02x?}");
        }
    }
}
