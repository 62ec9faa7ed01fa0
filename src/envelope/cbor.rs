//! Well-formedness of CBOR from strangers, looked at before anything decodes it.
//!
//! Follows RFC 8949, with the restrictions that RFC 9052 (section 9) and the reference implementation add: definite
//! lengths only, one item and nothing behind it, no map with two equal keys, no integer beyond 64 bits with a sign, no
//! tagged item that is not what its tag says. Refused besides is what the decoder behind this would take for something
//! else (big integers for integers, `undefined` for `null`), what nests deeper than [`limits::CBOR_DEPTH`] and what has
//! more than [`limits::CBOR_ITEMS`] items. Integers and lengths in more bytes than needed are allowed: a signature is
//! verified over the bytes received, never over an encoding made here.

mod tag;

use std::collections::HashSet;

use crate::limits;
use tag::Within;

/// Why bytes are not the CBOR that is read. Reads as one sentence without a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CborError {
    #[error("the CBOR ends early")]
    Truncated,
    #[error("there is something behind the CBOR item")]
    Trailing,
    #[error("the CBOR has an item of indefinite length")]
    Indefinite,
    #[error("the CBOR has a reserved or meaningless simple value")]
    Reserved,
    #[error("the CBOR has a big integer")]
    BigInteger,
    #[error("the CBOR has an integer that does not fit 64 bits with a sign")]
    Integer,
    #[error("the CBOR has an item with tag {0} that is not {1}")]
    Tagged(u64, &'static str),
    #[error("the CBOR has a fraction (tag 4 or 5) of something else than integers")]
    Fraction,
    #[error("the CBOR has text that is not UTF-8")]
    Utf8,
    #[error("the CBOR has a map key that is neither an integer nor text")]
    Key,
    #[error("the CBOR has a map with two equal keys")]
    DuplicateKey,
    #[error("the CBOR nests deeper than {depth} levels", depth = limits::CBOR_DEPTH)]
    Depth,
    #[error("the CBOR has more than {items} items", items = limits::CBOR_ITEMS)]
    Items,
}

/// The head of an item, its argument read, and for strings their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Item<'a> {
    Unsigned(u64),
    Negative(u64),
    Bytes(&'a [u8]),
    Text(&'a [u8]),
    Array(u64),
    Map(u64),
    Tag(u64),
    Float,
    Simple,
}

/// An array, map or tag whose content is being walked.
struct Open<'a> {
    /// Items still to come; keys and values count one each.
    left: u64,
    /// The keys met so far, when it is a map. Keys are compared by value, so that two encodings of one integer are equal.
    keys: Option<HashSet<Item<'a>>>,
    /// Where its content stands, when it is a tag or belongs to one that says what its content is.
    within: Option<Within>,
}

/// Checks that `bytes` is exactly one well-formed item. Iterative, and allocates nothing by a declared length.
pub(super) fn check(bytes: &[u8]) -> Result<(), CborError> {
    let mut walk = Walk { items: 0, embedded: vec![bytes] };
    while let Some(bytes) = walk.embedded.pop() {
        walk.item(bytes)?;
    }
    Ok(())
}

/// What is counted over the whole of what is checked.
struct Walk<'a> {
    items: usize,
    /// Byte strings that a tag says are CBOR, to be checked too.
    embedded: Vec<&'a [u8]>,
}

impl<'a> Walk<'a> {
    /// Checks that `bytes` is exactly one well-formed item.
    fn item(&mut self, bytes: &'a [u8]) -> Result<(), CborError> {
        let mut rest = bytes;
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            self.items += 1;
            if self.items > limits::CBOR_ITEMS {
                return Err(CborError::Items);
            }
            let item = read(&mut rest)?;
            if let Item::Tag(2 | 3) = item {
                return Err(CborError::BigInteger);
            }
            let mut elements = None;
            if let Some(Open { left, keys, within }) = open.last_mut() {
                // Pairs come in twos, so an even number left means that a key is next.
                if let Some(keys) = keys
                    && left.is_multiple_of(2)
                {
                    match item {
                        Item::Unsigned(_) | Item::Negative(_) | Item::Text(_) if keys.insert(item) => {}
                        Item::Unsigned(_) | Item::Negative(_) | Item::Text(_) => return Err(CborError::DuplicateKey),
                        _ => return Err(CborError::Key),
                    }
                }
                *left -= 1;
                if let Some(within) = *within {
                    elements = tag::check(within, item)?;
                    self.embedded.extend(tag::embedded(within, item));
                }
            }
            // Every item takes a byte at least: a length that cannot be true is refused before anything is walked.
            match item {
                Item::Unsigned(number) | Item::Negative(number) if i64::try_from(number).is_err() => {
                    return Err(CborError::Integer);
                }
                Item::Array(length) if length > rest.len() as u64 => return Err(CborError::Truncated),
                Item::Map(length) if length > rest.len() as u64 / 2 => return Err(CborError::Truncated),
                Item::Array(length) => open.push(Open { left: length, keys: None, within: elements }),
                Item::Map(length) => open.push(Open { left: 2 * length, keys: Some(HashSet::new()), within: None }),
                Item::Tag(number) => open.push(Open { left: 1, keys: None, within: Some(Within::Tag(number)) }),
                Item::Text(text) if std::str::from_utf8(text).is_err() => return Err(CborError::Utf8),
                _ => {}
            }
            if open.len() > limits::CBOR_DEPTH {
                return Err(CborError::Depth);
            }
            while open.last().is_some_and(|innermost| innermost.left == 0) {
                open.pop();
            }
            if open.is_empty() {
                return if rest.is_empty() { Ok(()) } else { Err(CborError::Trailing) };
            }
        }
    }
}

/// The content of the byte string at the start of `bytes`, if one is there.
pub(super) fn leading_byte_string(mut bytes: &[u8]) -> Option<&[u8]> {
    match read(&mut bytes) {
        Ok(Item::Bytes(content)) => Some(content),
        _ => None,
    }
}

/// Takes one head from `rest`, with the content of a string.
fn read<'a>(rest: &mut &'a [u8]) -> Result<Item<'a>, CborError> {
    let [initial] = *take_array::<1>(rest)?;
    let (major, information) = (initial >> 5, initial & 0x1f);
    let argument = match information {
        0..=23 => u64::from(information),
        24 => u64::from(u8::from_be_bytes(*take_array(rest)?)),
        25 => u64::from(u16::from_be_bytes(*take_array(rest)?)),
        26 => u64::from(u32::from_be_bytes(*take_array(rest)?)),
        27 => u64::from_be_bytes(*take_array(rest)?),
        31 if (2..=5).contains(&major) || major == 7 => return Err(CborError::Indefinite),
        _ => return Err(CborError::Reserved),
    };
    Ok(match major {
        0 => Item::Unsigned(argument),
        1 => Item::Negative(argument),
        2 => Item::Bytes(take(rest, argument)?),
        3 => Item::Text(take(rest, argument)?),
        4 => Item::Array(argument),
        5 => Item::Map(argument),
        6 => Item::Tag(argument),
        // The three widths of floating point numbers; false, true and null.
        _ if matches!(information, 25..=27) => Item::Float,
        _ if matches!(information, 20..=22) => Item::Simple,
        _ => return Err(CborError::Reserved),
    })
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], CborError> {
    let length = usize::try_from(length).map_err(|_| CborError::Truncated)?;
    let (content, behind) = rest.split_at_checked(length).ok_or(CborError::Truncated)?;
    *rest = behind;
    Ok(content)
}

fn take_array<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], CborError> {
    let (content, behind) = rest.split_first_chunk().ok_or(CborError::Truncated)?;
    *rest = behind;
    Ok(content)
}

#[cfg(test)]
mod tests;
