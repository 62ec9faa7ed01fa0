//! The encoding: DER, and nothing but DER.
//!
//! Follows X.690, sections 8, 10 and 11, as far as certificates use it. The parser of certificates is lenient where
//! the world is (BER lengths, bytes left over inside a sequence), and what it leaves over it does not report. So every
//! certificate is walked here first: two readings of the same bytes must not exist.

/// How deep values may nest. No certificate comes near.
const DEPTH: usize = 32;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const NUMERIC_STRING: u8 = 0x12;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const TELETEX_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// What is not DER about some bytes, as the end of a sentence: "it …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DerError(pub(crate) &'static str);

/// One value: its tag, its contents, and the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) contents: &'a [u8],
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The values inside, which must be a value of this `tag`.
    pub(crate) fn children(&self, tag: u8) -> Result<Vec<Element<'a>>, DerError> {
        self.values(tag)?.collect()
    }

    /// The same one by one: a CRL has a million of them.
    pub(crate) fn values(&self, tag: u8) -> Result<Values<'a>, DerError> {
        if self.tag != tag {
            return Err(DerError("has a value of another type than X.509 says"));
        }
        Ok(Values { rest: self.contents })
    }
}

/// Values that stand one behind the other. The first error is the last item.
#[derive(Debug, Clone)]
pub(crate) struct Values<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Element<'a>, DerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (value, rest) = match read(self.rest) {
            Ok((value, rest)) => (Ok(value), rest),
            Err(error) => (Err(error), &[][..]),
        };
        self.rest = rest;
        Some(value)
    }
}

/// The value at the beginning of `bytes`, whatever follows it.
pub(crate) fn first(bytes: &[u8]) -> Result<Element<'_>, DerError> {
    Ok(read(bytes)?.0)
}

/// The one value that `bytes` are.
pub(crate) fn only(bytes: &[u8]) -> Result<Element<'_>, DerError> {
    match read(bytes)? {
        (element, []) => Ok(element),
        _ => Err(DerError("has bytes behind its end")),
    }
}

/// Walks all of `bytes`, which must be exactly one DER value.
pub(crate) fn check(bytes: &[u8]) -> Result<(), DerError> {
    check_element(only(bytes)?, DEPTH)
}

fn read(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), DerError> {
    const CUT: DerError = DerError("ends in the middle of a value");
    let [tag, length, behind @ ..] = bytes else { return Err(CUT) };
    // Universal and context-specific tags below 31 are all there are in certificates.
    if tag & 0x1f == 0x1f || tag & 0x40 != 0 {
        return Err(DerError("uses a tag that no certificate has"));
    }
    let (length, behind) = match *length {
        short @ 0..=0x7f => (usize::from(short), behind),
        0x80 => return Err(DerError("has a value of indefinite length, which is BER")),
        // Four bytes of length are far more than a certificate may have.
        long @ 0x81..=0x84 => {
            let (length, behind) = behind.split_at_checked(usize::from(long & 0x7f)).ok_or(CUT)?;
            let value = length.iter().fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
            if value < 0x80 || length.first() == Some(&0) {
                return Err(DerError("has a length that is longer than needed, which is BER"));
            }
            (value, behind)
        }
        _ => return Err(CUT),
    };
    let (contents, rest) = behind.split_at_checked(length).ok_or(CUT)?;
    let (whole, _) = bytes.split_at(bytes.len() - rest.len());
    Ok((Element { tag: *tag, contents, whole }, rest))
}

fn check_element(element: Element<'_>, depth: usize) -> Result<(), DerError> {
    let Element { tag, contents, .. } = element;
    let universal = tag & 0xc0 == 0;
    let constructed = tag & 0x20 != 0;
    if universal && constructed != matches!(tag | 0x20, SEQUENCE | SET) {
        return Err(DerError("has a value in pieces, or a sequence in one piece, which is BER"));
    }
    if constructed {
        let Some(depth) = depth.checked_sub(1) else { return Err(DerError("nests too deep")) };
        return element.values(tag)?.try_for_each(|child| check_element(child?, depth));
    }
    check_primitive(tag, contents)
}

/// Checks contents that stand under a tag of their own in the place of the universal `tag` (IMPLICIT), where [`check`] cannot
/// know what they are.
pub(crate) fn check_primitive(tag: u8, contents: &[u8]) -> Result<(), DerError> {
    match (tag, contents) {
        (BOOLEAN, [0 | 0xff]) | (NULL, []) => Ok(()),
        (BOOLEAN, _) => Err(DerError("has a truth value that is neither 00 nor ff, which is BER")),
        (NULL, _) => Err(DerError("has a null that is not empty")),
        (INTEGER, []) => Err(DerError("has an empty integer")),
        (INTEGER, [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]) => {
            Err(DerError("has an integer that is longer than needed, which is BER"))
        }
        (BIT_STRING, _) => check_bits(contents),
        (OBJECT_IDENTIFIER, _) => check_object_identifier(contents),
        _ => Ok(()),
    }
}

fn check_bits(contents: &[u8]) -> Result<(), DerError> {
    let sound = match contents {
        [] => false,
        [unused] => *unused == 0,
        [unused, .., last] => *unused < 8 && last.trailing_zeros() >= u32::from(*unused),
    };
    if sound { Ok(()) } else { Err(DerError("has a bit string with unused bits that are set or too many")) }
}

fn check_object_identifier(contents: &[u8]) -> Result<(), DerError> {
    let mut first = true;
    for byte in contents {
        if first && *byte == 0x80 {
            return Err(DerError("has an object identifier that is longer than needed, which is BER"));
        }
        first = byte & 0x80 == 0;
    }
    if first && !contents.is_empty() { Ok(()) } else { Err(DerError("has an object identifier without an end")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_der_passes() {
        let accepted: &[&[u8]] = &[
            &[0x30, 0x00],
            &[0x30, 0x03, 0x01, 0x01, 0xff],
            &[0x30, 0x03, 0x02, 0x01, 0x80],
            &[0x02, 0x02, 0x00, 0x80],
            &[0x02, 0x02, 0xff, 0x7f],
            &[0x03, 0x01, 0x00],
            &[0x03, 0x02, 0x07, 0x80],
            &[0x06, 0x03, 0x55, 0x1d, 0x0f],
            &[0xa3, 0x02, 0x05, 0x00],
            &[0x86, 0x01, b'x'],
        ];
        for bytes in accepted {
            assert_eq!(check(bytes), Ok(()), "{bytes:02x?}");
        }

        let refused: &[&[u8]] = &[
            &[],
            &[0x30],
            &[0x30, 0x01],
            &[0x30, 0x00, 0x00],
            // Lengths: indefinite, two bytes where one does, a leading zero, more than four bytes.
            &[0x30, 0x80, 0x00, 0x00],
            &[0x04, 0x81, 0x01, 0x00],
            &[0x04, 0x82, 0x00, 0x01, 0x00],
            &[0x04, 0x85, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            // A string in pieces, a sequence in one piece, a high tag.
            &[0x24, 0x03, 0x04, 0x01, 0x00],
            &[0x10, 0x00],
            &[0x1f, 0x20, 0x00],
            // Application and private classes.
            &[0x43, 0x01, 0x00],
            &[0xc3, 0x01, 0x00],
            &[0x01, 0x01, 0x01],
            &[0x01, 0x02, 0xff, 0xff],
            &[0x02, 0x00],
            &[0x02, 0x02, 0x00, 0x7f],
            &[0x02, 0x02, 0xff, 0x80],
            &[0x03, 0x00],
            &[0x03, 0x01, 0x01],
            &[0x03, 0x02, 0x08, 0x00],
            &[0x03, 0x02, 0x01, 0x01],
            &[0x05, 0x01, 0x00],
            &[0x06, 0x00],
            &[0x06, 0x02, 0x80, 0x01],
            &[0x06, 0x02, 0x2a, 0x86],
            // Inside a sequence, and behind its last value.
            &[0x30, 0x03, 0x01, 0x01, 0x01],
            &[0x30, 0x04, 0x01, 0x01, 0xff, 0x00],
        ];
        for bytes in refused {
            assert!(check(bytes).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn values_end_with_the_first_that_is_none() {
        let bytes = [0x30, 5, 0x05, 0x00, 0x05, 0x7f, 0x05];
        let sequence = only(&bytes).unwrap();
        let values: Vec<_> = sequence.values(SEQUENCE).unwrap().map(|value| value.map(|value| value.whole)).collect();
        assert_eq!(values, [Ok(&[5, 0][..]), Err(DerError("ends in the middle of a value"))]);
        assert!(sequence.children(SEQUENCE).is_err());
        assert!(sequence.values(SET).is_err());
        assert_eq!(first(&bytes[2..]).unwrap().whole, [5, 0]);
        assert!(first(&bytes[4..]).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| {
            let mut bytes: Vec<u8> = vec![0x05, 0x00];
            for _ in 0..depth {
                bytes = [vec![0x30, u8::try_from(bytes.len()).unwrap()], bytes].concat();
            }
            bytes
        };
        assert_eq!(check(&nested(DEPTH)), Ok(()));
        assert_eq!(check(&nested(DEPTH + 1)), Err(DerError("nests too deep")));
    }
}
