//! Which rows a table shows: all, or those of some results and codes (`--only RESULT|CODE,…`).

use std::str::FromStr;

use super::v1::{Artifact, Verdict};
use crate::failure::{Code, quote};

/// Rows that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Those of a result.
    Result(Verdict),
    /// Those whose reason is this.
    Code(Code),
}

const RESULTS: [Verdict; 5] = [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Skip, Verdict::Error];

impl Only {
    /// Whether a table that is to have `wanted` rows, or all where there is none, has that of `artifact`.
    pub(super) fn shows(wanted: &[Only], artifact: &Artifact<'_>) -> bool {
        wanted.is_empty()
            || wanted.iter().any(|only| match only {
                Only::Result(result) => *result == artifact.result,
                Only::Code(code) => Some(code.as_str()) == artifact.code.as_deref(),
            })
    }
}

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Only, String> {
        if let Some(result) = RESULTS.into_iter().find(|result| result.as_str() == text) {
            return Ok(Only::Result(result));
        }
        Code::named(text).map(Only::Code).ok_or_else(|| {
            let meant = Code::nearest(text).map(|code| format!("did you mean {code}? ")).unwrap_or_default();
            format!("{}: {meant}expected pass, warn, fail, skip, error, or a code of docs/codes.md", quote(text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_codes_are_read() {
        assert_eq!("fail".parse(), Ok(Only::Result(Verdict::Fail)));
        assert_eq!("not-found".parse(), Ok(Only::Code(Code::NotFound)));
        assert!("failed".parse::<Only>().unwrap_err().contains("expected pass, warn, fail, skip, error"));
        assert!("unsined".parse::<Only>().unwrap_err().contains("did you mean unsigned?"));
    }
}
