//! How long a signature is good for, as notation writes it: `12h`, `30m`, `1.5h`; and `30d`.

use time::Duration;

use crate::duration::{self, DurationError};

/// Why a text does not say how long a signature is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// It is not a length of time.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// Nothing at all.
    #[error("a signature that expires at once is good for nothing: leave --expiry out for one that does not expire")]
    Zero,
    /// Backwards.
    #[error("the expiry would lie before the signature: name a length of time without -, such as 12h")]
    Negative,
    /// Envelopes count seconds.
    #[error("the expiry of a signature is counted in whole seconds: name a length of time such as 90s or 1.5h")]
    NotWholeSeconds,
}

/// Reads how long a signature is good for: whole seconds, at least one.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_expiry(text: &str) -> Result<Duration, ExpiryError> {
    let length = duration::parse(text)?;
    if length.is_zero() {
        return Err(ExpiryError::Zero);
    }
    if length.is_negative() {
        return Err(ExpiryError::Negative);
    }
    if length.subsec_nanoseconds() != 0 { Err(ExpiryError::NotWholeSeconds) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s38_an_expiry_is_whole_seconds_from_one_on() {
        for (text, expected) in [
            ("1.5h", Ok(Duration::minutes(90))),
            ("0.5h", Ok(Duration::minutes(30))),
            ("24h5m", Ok(Duration::minutes(1445))),
            ("1000ms", Ok(Duration::SECOND)),
            ("30d", Ok(Duration::days(30))),
            ("1.5s", Err(ExpiryError::NotWholeSeconds)),
            ("100ms", Err(ExpiryError::NotWholeSeconds)),
            ("0h", Err(ExpiryError::Zero)),
            ("-1h", Err(ExpiryError::Negative)),
            ("1y", Err(ExpiryError::Duration(DurationError::Form))),
            ("365001d", Err(ExpiryError::Duration(DurationError::TooLong))),
        ] {
            assert_eq!(parse_expiry(text), expected, "{text:?}");
        }
    }
}
