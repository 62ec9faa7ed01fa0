//! Which of two answers is the newer one, so that an old one that is still in its period cannot take the place of the newer.
//!
//! Follows RFC 5280, section 5.2.3: the numbers of an issuer's CRLs never fall. Nor do the times of two with the same number,
//! or without one; and an issuer that has begun to number goes on.

use std::cmp::Ordering;
use std::fmt;

use time::OffsetDateTime;

use crate::rfc3339::instant;

/// The age of a CRL or an OCSP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edition {
    /// The number of a CRL: big-endian, without leading zeros.
    pub(crate) number: Option<Box<[u8]>>,
    /// When the CRL or the answer was made.
    pub(crate) made: OffsetDateTime,
}

impl Edition {
    /// Whether this is from before `other`, of the same issuer and from the same address.
    pub(crate) fn is_before(&self, other: &Edition) -> bool {
        self < other
    }
}

/// The older one first: one without a number before all with one, then by number, then by time.
impl Ord for Edition {
    fn cmp(&self, other: &Edition) -> Ordering {
        let by_number = match (&self.number, &other.number) {
            (Some(one), Some(other)) => compare(one, other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        };
        by_number.then_with(|| self.made.cmp(&other.made))
    }
}

impl PartialOrd for Edition {
    fn partial_cmp(&self, other: &Edition) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two numbers without leading zeros.
pub(crate) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// "number 7 of 2026-11-23T12:00:00Z".
impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.number {
            Some(number) if number.len() <= 8 => {
                let value = number.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
                write!(f, "number {value} of {}", instant(self.made))
            }
            Some(number) => write!(f, "number 0x{} of {}", hex::encode(number), instant(self.made)),
            None => write!(f, "one without a number of {}", instant(self.made)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn numbers_never_fall_nor_do_times_under_one_number() {
        let (may, june) = (datetime!(2026-05-01 0:00 UTC), datetime!(2026-06-01 0:00 UTC));
        let edition = |number: Option<&[u8]>, made| Edition { number: number.map(Box::from), made };
        for (number, made, before, then, older) in [
            (Some(&[2][..]), june, Some(&[3][..]), may, true),
            (Some(&[3]), june, Some(&[2]), may, false),
            (Some(&[255]), may, Some(&[1, 0]), may, true),
            (Some(&[1, 0]), may, Some(&[255]), may, false),
            (Some(&[]), may, Some(&[1]), may, true),
            (Some(&[3]), may, Some(&[3]), may, false),
            (Some(&[3]), may, Some(&[3]), june, true),
            (Some(&[3]), june, Some(&[3]), may, false),
            (None, june, Some(&[3]), may, true),
            (Some(&[3]), may, None, june, false),
            (None, may, None, june, true),
            (None, june, None, may, false),
            (None, may, None, may, false),
        ] {
            let (one, other) = (edition(number, made), edition(before, then));
            assert_eq!(one.is_before(&other), older, "{one} {other}");
        }
    }
}
