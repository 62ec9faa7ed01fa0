//! What a run comes to beside its results: how long it took, what it asked of registries, and who owns what did not pass.

use std::fmt::Write as _;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Results;

/// When a run was, how long it took, and what it asked of registries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Effort {
    /// When it began, in RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub started: String,
    /// When it ended, in RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub ended: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// How many requests were sent to registries, those to token servers and after redirects among them.
    pub requests: u64,
    /// How many bytes of answers were read, without their headers.
    pub bytes: u64,
    /// How many requests were sent again because a try before failed.
    pub retries: u64,
    /// How many answers told Muster to come back later (status 429).
    pub refusals: u64,
}

/// What became of the artifacts of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryResults {
    /// The repository, `host/path`; or the place itself, where it could not be looked at in full.
    pub repository: String,
    /// How many of its artifacts have which result.
    #[serde(flatten)]
    pub results: Results,
}

/// What was made not to count for the exit code, or to count: a code or a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exempted {
    /// The code, or `warn` or `skip`.
    pub what: String,
    /// How many artifacts, or places, have it.
    pub artifacts: u64,
}

impl Effort {
    /// `in 3.2 s, 312 artifacts/s, 1,204 requests, 1.8 MB, 3 sent again, 3 refused`.
    pub fn sentence(&self, artifacts: u64) -> String {
        let mut text = format!("in {}", duration(Duration::from_millis(self.milliseconds)));
        if artifacts > 0 {
            let rate = artifacts as f64 / (self.milliseconds.max(1) as f64 / 1000.0);
            let rate = if rate < 10.0 { format!("{rate:.1}") } else { grouped(rate.round() as u64) };
            let _ = write!(text, ", {rate} artifacts/s");
        }
        if self.requests > 0 {
            let requests = if self.requests == 1 { "request" } else { "requests" };
            let _ = write!(text, ", {} {requests}, {}", grouped(self.requests), size(self.bytes));
        }
        for (count, what) in [(self.retries, "sent again"), (self.refusals, "refused")] {
            if count > 0 {
                let _ = write!(text, ", {} {what}", grouped(count));
            }
        }
        text
    }
}

/// `1204` as `1,204`.
pub(in crate::report) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `850 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `1.8 MB`.
fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1204, "1,204"), (100_001, "100,001"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
        for (bytes, text) in [(17, "17 bytes"), (1000, "1.0 kB"), (1_850_000, "1.8 MB"), (12_300_000_000, "12.3 GB")] {
            assert_eq!(size(bytes), text);
        }
        for (millis, text) in
            [(7, "7 ms"), (999, "999 ms"), (3_250, "3.2 s"), (125_000, "2 min 5 s"), (11_555_000, "3 h 12 min")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn the_effort_is_a_sentence() {
        let effort = Effort {
            started: String::new(),
            ended: String::new(),
            milliseconds: 3_200,
            requests: 1204,
            bytes: 1_850_000,
            retries: 4,
            refusals: 3,
        };
        let sentence = "in 3.2 s, 312 artifacts/s, 1,204 requests, 1.8 MB, 4 sent again, 3 refused";
        assert_eq!(effort.sentence(999), sentence);
        let quiet = Effort { milliseconds: 0, requests: 0, bytes: 0, retries: 0, refusals: 0, ..effort };
        assert_eq!(quiet.sentence(0), "in 0 ms");
        assert_eq!(quiet.sentence(2), "in 0 ms, 2,000 artifacts/s");
    }
}
