//! Whether two distinguished names are the same (RFC 5280, section 7.1).
//!
//! Names that are equal byte for byte are. Beyond that the string type does not count, nor does the case of letters, nor
//! white space at the ends or how much of it stands between words. It refuses to guess: what cannot be read as text is
//! compared by its bytes. (Unicode's compatibility forms, which RFC 4518 would fold as well, stay different: too strict,
//! never too lax.)

use super::der::{self, Element};
use super::rdns::read_string;

/// An attribute: its type, and its value as it is compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Attribute<'a>(&'a [u8], Result<String, &'a [u8]>);

/// Whether two `Name`s, in DER, are the same.
pub(crate) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    one == other
        || match (read(one), read(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
}

/// A `Name` as it is compared: sets of attributes in their order.
fn read(name: &[u8]) -> Option<Vec<Vec<Attribute<'_>>>> {
    let name = der::only(name).ok()?;
    name.values(der::SEQUENCE).ok()?.map(|set| read_set(set.ok()?)).collect()
}

fn read_set(set: Element<'_>) -> Option<Vec<Attribute<'_>>> {
    let attributes = set.values(der::SET).ok()?.map(|attribute| {
        let mut parts = attribute.ok()?.values(der::SEQUENCE).ok()?;
        let (kind, value) = (parts.next()?.ok()?, parts.next()?.ok()?);
        Some(Attribute(kind.contents, read_string(value).map(|text| folded(&text)).map_err(|_| value.whole)))
    });
    let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
    attributes.sort_unstable();
    Some(attributes)
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;

    fn name(sets: &[&[(u8, u8, &[u8])]]) -> Vec<u8> {
        let set = |attributes: &&[(u8, u8, &[u8])]| {
            let attribute = |(kind, tag, value): &(u8, u8, &[u8])| {
                tlv(0x30, &[tlv(6, &[0x55, 4, *kind]), tlv(*tag, value)].concat())
            };
            tlv(0x31, &attributes.iter().flat_map(attribute).collect::<Vec<_>>())
        };
        tlv(0x30, &sets.iter().flat_map(set).collect::<Vec<_>>())
    }

    #[test]
    fn names_are_the_same_whatever_their_string_types_case_and_blanks() {
        let wabbit = name(&[&[(6, 19, b"US")], &[(3, 12, b"Wabbit Networks")]]);
        for (same, other) in [
            (true, name(&[&[(6, 19, b"US")], &[(3, 19, b"Wabbit Networks")]])),
            (true, name(&[&[(6, 12, b"us")], &[(3, 20, b" WABBIT   networks ")]])),
            (true, name(&[&[(6, 19, b"US")], &[(3, 30, b"\0W\0a\0b\0b\0i\0t\0 \0N\0e\0t\0w\0o\0r\0k\0s")]])),
            (false, name(&[&[(3, 12, b"Wabbit Networks")], &[(6, 19, b"US")]])),
            (false, name(&[&[(6, 19, b"US")], &[(3, 12, b"WabbitNetworks")]])),
            (false, name(&[&[(6, 19, b"US")], &[(10, 12, b"Wabbit Networks")]])),
            (false, name(&[&[(6, 19, b"US")]])),
            (false, name(&[&[(6, 19, b"US"), (3, 12, b"Wabbit Networks")]])),
            (false, name(&[&[(6, 19, b"US")], &[(3, 4, b"Wabbit Networks")]])),
            (false, vec![0x30]),
        ] {
            assert_eq!(is_same_name(&wabbit, &other), same, "{other:02x?}");
        }
        let [one, other] = [[(6, 19, &b"US"[..]), (3, 12, b"x")], [(3, 12, b"X"), (6, 19, b"US")]];
        assert!(is_same_name(&name(&[&one]), &name(&[&other])), "a set has no order");
    }
}
