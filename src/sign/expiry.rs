//! How long a signature is good for, as notation writes it: `12h`, `30m`, `3h20m`; and `30d`.

use time::Duration;

/// Why a text is no duration for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// Not whole numbers with units.
    #[error("expected whole numbers with the units d, h, m or s, such as 30d, 12h or 3h20m")]
    Form,
    /// Nothing at all.
    #[error("a signature that expires at once is good for nothing")]
    Zero,
    /// Longer than times can be written.
    #[error("is longer than 1000 years")]
    TooLong,
}

/// Reads a duration: numbers, each with its unit, added up.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_expiry(text: &str) -> Result<Duration, ExpiryError> {
    const LONGEST: Duration = Duration::days(365_000);
    let mut sum = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(ExpiryError::Form);
        }
        let seconds = match after.bytes().next() {
            Some(b'd') => 86_400,
            Some(b'h') => 3_600,
            Some(b'm') => 60,
            Some(b's') => 1,
            _ => return Err(ExpiryError::Form),
        };
        rest = &after[1..];
        let number: i64 = number.parse().map_err(|_| ExpiryError::TooLong)?;
        let seconds = number.checked_mul(seconds).ok_or(ExpiryError::TooLong)?;
        sum = sum.saturating_add(Duration::seconds(seconds));
    }
    match sum {
        _ if text.is_empty() => Err(ExpiryError::Form),
        sum if sum.is_zero() => Err(ExpiryError::Zero),
        sum if sum > LONGEST => Err(ExpiryError::TooLong),
        sum => Ok(sum),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_units() {
        for (text, expected) in [
            ("30m", Ok(Duration::minutes(30))),
            ("3h20m", Ok(Duration::minutes(200))),
            ("24h0m0s", Ok(Duration::days(1))),
            ("30d", Ok(Duration::days(30))),
            ("1d1d", Ok(Duration::days(2))),
            ("", Err(ExpiryError::Form)),
            ("12", Err(ExpiryError::Form)),
            ("h", Err(ExpiryError::Form)),
            ("-1h", Err(ExpiryError::Form)),
            ("1.5h", Err(ExpiryError::Form)),
            ("1 h", Err(ExpiryError::Form)),
            ("1ms", Err(ExpiryError::Form)),
            ("1µs", Err(ExpiryError::Form)),
            ("1y", Err(ExpiryError::Form)),
            ("0h", Err(ExpiryError::Zero)),
            ("365001d", Err(ExpiryError::TooLong)),
            ("9223372036854775807d", Err(ExpiryError::TooLong)),
            ("99999999999999999999s", Err(ExpiryError::TooLong)),
        ] {
            assert_eq!(parse_expiry(text), expected, "{text:?}");
        }
    }
}
