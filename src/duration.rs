//! Lengths of time as flags take them: `12h`, `3h20m`, `1.5h`, `100ms`, and `30d` or `2w`.
//!
//! Follows `ParseDuration` of Go, by which the reference implementation reads them: numbers with or without a fraction, each
//! with its unit, added up, one sign before them all. Days and weeks, of 24 hours and 7 days, are Muster's own. What is refused:
//! a number without a unit but a plain 0, blanks, exponents, and more than 1000 years. What is no longer than nothing is read: whether that makes
//! sense is for the caller to say.

use time::Duration;

/// Longer than this is a slip, and no time can be written that lies so far ahead.
const LONGEST: Duration = Duration::days(365_000);
/// So many digits of a fraction count: with the longest unit they are far below a nanosecond.
const FRACTION_DIGITS: usize = 18;

/// Why a text is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error("expected numbers with the units w, d, h, m, s, ms, us or ns, such as 30d, 12h, 1.5h or 3h20m")]
    Form,
    /// Longer than times can be written.
    #[error("is longer than 1000 years")]
    TooLong,
}

/// Reads a length of time, forwards or backwards; parts of a nanosecond are cut off.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let (backwards, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = if rest.is_empty() { return Err(DurationError::Form) } else { rest };
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let (part, behind) = part(rest)?;
        sum = sum.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = behind;
    }
    if sum > LONGEST.whole_nanoseconds() {
        return Err(DurationError::TooLong);
    }
    let length = Duration::nanoseconds_i128(sum);
    Ok(if backwards { -length } else { length })
}

/// The number with its unit at the beginning of `text`, in nanoseconds, and what stands behind it.
fn part(text: &str) -> Result<(i128, &str), DurationError> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(behind) => digits(behind),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Form);
    }
    let end = rest.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let unit = nanoseconds(unit).ok_or(DurationError::Form)?;
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| DurationError::TooLong)? };
    let whole = whole.checked_mul(unit).ok_or(DurationError::TooLong)?;
    let fraction = &fraction[..fraction.len().min(FRACTION_DIGITS)];
    let fraction = fraction.parse::<i128>().unwrap_or(0) * unit / 10_i128.pow(fraction.len() as u32);
    Ok((whole.checked_add(fraction).ok_or(DurationError::TooLong)?, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn nanoseconds(unit: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    Some(match unit {
        "w" => 7 * 86_400 * SECOND,
        "d" => 86_400 * SECOND,
        "h" => 3_600 * SECOND,
        "m" => 60 * SECOND,
        "s" => SECOND,
        "ms" => 1_000_000,
        // The micro sign, and the Greek letter that looks the same.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ns" => 1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s38_lengths_of_time_are_read_as_go_writes_them() {
        let ms = Duration::milliseconds;
        for (text, expected) in [
            ("0", Duration::ZERO),
            ("-0", Duration::ZERO),
            ("0h", Duration::ZERO),
            ("30m", Duration::minutes(30)),
            ("+3h20m", Duration::minutes(200)),
            ("24h0m0s", Duration::days(1)),
            ("20m3h", Duration::minutes(200)),
            ("1.5h", Duration::minutes(90)),
            (".5h", Duration::minutes(30)),
            ("5.h", Duration::hours(5)),
            ("1h1.5m", Duration::seconds(3690)),
            ("2h45m0.5s", ms(9_900_500)),
            ("-1.5h", Duration::minutes(-90)),
            ("100ms", ms(100)),
            ("1us", Duration::MICROSECOND),
            ("1\u{b5}s", Duration::MICROSECOND),
            ("1\u{3bc}s", Duration::MICROSECOND),
            ("1.5us", Duration::nanoseconds(1_500)),
            ("3ns", Duration::nanoseconds(3)),
            ("0.9ns", Duration::ZERO),
            ("0.100000000000000000000h", Duration::minutes(6)),
            ("0.33333333333333333333h", Duration::nanoseconds(1_199_999_999_999)),
            ("30d", Duration::days(30)),
            ("1d1d", Duration::days(2)),
            ("1.5d", Duration::hours(36)),
            ("2w", Duration::weeks(2)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in [
            "", "+", "-", "12", "1.5", ".", "h", ".h", ".s", "+.s", "1 h", " 1h", "1h ", "1e3s", "1y", "1H", "1h-30m",
            "--1h", "++1h", "1..5h", "1.5.5h", "0x1h", "1,5h", "1m30", "\u{661}h", "1\u{b5}", "1hm",
        ] {
            assert_eq!(parse(text), Err(DurationError::Form), "{text:?}");
        }
        for text in ["365001d", "9223372036854775807d", "99999999999999999999999999999999999999999s", "-365001d"] {
            assert_eq!(parse(text), Err(DurationError::TooLong), "{text:?}");
        }
        let endless = format!("{}h", "9h".repeat(1 << 16));
        assert_eq!(parse(&endless), Err(DurationError::Form));
        assert_eq!(parse(&"8760h".repeat(2000)), Err(DurationError::TooLong));
    }
}
