//! Where CRLs are published, and for what: distribution points (RFC 5280, sections 4.2.1.13, 5.2.5 and 5.2.6).

use crate::failure::quote;
use crate::pki::der::{self, Element};
use crate::revocation::fields::Fields;
use crate::revocation::flaw::Flaw;

/// `[0]`, the name of a distribution point; inside it, `[0]`, the full name.
const NAME: u8 = 0xa0;
/// `[1]` within that name: relative to the issuer's.
const RELATIVE_NAME: u8 = 0xa1;
/// `[6]`, a uniform resource identifier among general names.
const ADDRESS: u8 = 0x86;

/// What a CRL is for: the value of its issuingDistributionPoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// The extension's value as it came.
    pub(super) raw: Vec<u8>,
    /// The addresses of the distribution point, where it is named.
    addresses: Option<Vec<String>>,
    only_user: bool,
    only_authority: bool,
    some_reasons: bool,
    indirect: bool,
    only_attribute: bool,
}

impl Scope {
    /// Reads the value of the extension.
    pub(super) fn read(value: Element<'_>) -> Result<Scope, Flaw> {
        let mut fields = Fields::of(value, der::SEQUENCE)?;
        let addresses = fields.explicit(NAME)?.map(full_name).transpose()?;
        let (only_user, only_authority) = (flag(&mut fields, 0x81)?, flag(&mut fields, 0x82)?);
        let some_reasons = fields.optional(0x83).is_some();
        let (indirect, only_attribute) = (flag(&mut fields, 0x84)?, flag(&mut fields, 0x85)?);
        fields.end()?;
        Ok(Scope {
            raw: value.whole.to_vec(),
            addresses,
            only_user,
            only_authority,
            some_reasons,
            indirect,
            only_attribute,
        })
    }

    /// Checks that a CRL of this scope, fetched from `url`, speaks of every revocation of a certificate; `authority` says
    /// that the certificate is an authority's.
    pub(super) fn check(&self, url: &str, authority: bool) -> Result<(), Flaw> {
        let flaw = |text: &str| Err(Flaw::from(text));
        if self.indirect {
            return flaw("is an indirect one: it may speak of the certificates of others");
        }
        if self.only_attribute {
            return flaw("speaks of attribute certificates only");
        }
        if self.some_reasons {
            return flaw("speaks of some reasons for a revocation only");
        }
        if self.only_authority && !authority {
            return flaw("speaks of certificates of authorities only, and the certificate is none");
        }
        if self.only_user && authority {
            return flaw("does not speak of certificates of authorities, and the certificate is one");
        }
        match &self.addresses {
            Some(addresses) if !addresses.iter().any(|address| address == url) => {
                let named = addresses.first().map_or("a place that is no address".to_owned(), |address| quote(address));
                Err(Flaw::from(format!("is for another distribution point: it names {named}")))
            }
            _ => Ok(()),
        }
    }
}

/// A BOOLEAN under the tag of another type, which the walk over the encoding takes for anything; false by default.
fn flag(fields: &mut Fields<'_>, tag: u8) -> Result<bool, Flaw> {
    match fields.optional(tag).map(|flag| flag.contents) {
        None | Some([0]) => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(Flaw::from("has a truth value that is neither 00 nor ff, which is BER")),
    }
}

/// The addresses that the value of a freshestCRL names, in its order.
pub(super) fn addresses(value: Element<'_>) -> Result<Vec<String>, Flaw> {
    let mut found = Vec::new();
    for point in value.children(der::SEQUENCE)? {
        let mut fields = Fields::of(point, der::SEQUENCE)?;
        if let Some(name) = fields.explicit(NAME)? {
            found.extend(full_name(name)?);
        }
        let (_reasons, _issuer) = (fields.optional(0x81), fields.optional(0xa2));
        fields.end()?;
    }
    Ok(found)
}

/// The addresses in the name of a distribution point. A name relative to the issuer's has none.
fn full_name(name: Element<'_>) -> Result<Vec<String>, Flaw> {
    match name.tag {
        RELATIVE_NAME => Ok(Vec::new()),
        _ => {
            let names = name.children(NAME)?;
            let addresses = names.iter().filter(|name| name.tag == ADDRESS);
            Ok(addresses.map(|address| String::from_utf8_lossy(address.contents).into_owned()).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;

    fn scope(parts: &[Vec<u8>]) -> Result<Scope, Flaw> {
        Scope::read(der::only(&tlv(0x30, &parts.concat())).unwrap())
    }

    fn named(names: &[Vec<u8>]) -> Vec<u8> {
        tlv(NAME, &tlv(NAME, &names.concat()))
    }

    #[test]
    fn f05_a_restricted_scope_does_not_speak_of_the_certificate() {
        let address = |url: &str| tlv(ADDRESS, url.as_bytes());
        let yes = |tag| tlv(tag, &[0xff]);
        let here = "http://crl.test/a.crl";
        let sound = |parts: &[Vec<u8>], authority| scope(parts).unwrap().check(here, authority).is_ok();
        for (parts, of_leaf, of_authority) in [
            (vec![], true, true),
            (vec![yes(0x81)], true, false),
            (vec![yes(0x82)], false, true),
            (vec![tlv(0x83, &[4, 0x60])], false, false),
            (vec![yes(0x84)], false, false),
            (vec![yes(0x85)], false, false),
            (vec![named(&[address(here)])], true, true),
            (vec![named(&[address("http://crl.test/b.crl"), address(here)])], true, true),
            (vec![named(&[address("http://crl.test/b.crl")])], false, false),
            (vec![named(&[address("HTTP://crl.test/a.crl")])], false, false),
            (vec![named(&[tlv(0x82, b"crl.test")])], false, false),
            (vec![named(&[])], false, false),
            (vec![tlv(NAME, &tlv(RELATIVE_NAME, &[]))], false, false),
        ] {
            assert_eq!((sound(&parts, false), sound(&parts, true)), (of_leaf, of_authority), "{parts:02x?}");
        }
        for parts in [vec![tlv(0x81, &[1])], vec![tlv(0x84, &[])], vec![yes(0x82), yes(0x81)], vec![tlv(0x05, &[])]] {
            assert!(scope(&parts).is_err(), "{parts:02x?}");
        }
    }
}
