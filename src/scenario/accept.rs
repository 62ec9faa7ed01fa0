//! Accepting what came out: expectations are rewritten in place, and everything else in the file stays, comments too.
//!
//! Only values are touched. What would take more than that, or would suit one case and not another of the same file, is
//! left to its author. The changed file is read again before it is written: it must still be a scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

use super::expectation::{Difference, Fix};
use super::load;
use super::run::{CaseResult, CaseStatus};
use crate::failure::quote;
use crate::temporary;
use crate::{limits, regular_file};

/// Rewrites the expectations of `file` so that they say what came out in `results`, which are all of its cases. Returns
/// how many values were changed.
///
/// # Errors
/// Why nothing was changed.
pub fn accept(file: &Path, results: &[&CaseResult]) -> Result<usize, String> {
    let ran: Vec<&[Difference]> = results
        .iter()
        .filter_map(|result| match &result.status {
            CaseStatus::Pass => Some(&[][..]),
            CaseStatus::Fail(differences) => Some(differences.as_slice()),
            CaseStatus::Skipped(_) | CaseStatus::Error(_) | CaseStatus::Unfinished(_) => None,
        })
        .collect();
    let lost = |result: &&&CaseResult| matches!(result.status, CaseStatus::Error(_) | CaseStatus::Unfinished(_));
    if let Some(lost) = results.iter().find(lost) {
        return Err(format!(
            "the case {} did not run to its end, so that it is not known what holds in it",
            quote(&lost.id)
        ));
    }
    let bytes = regular_file::read(file, limits::SCENARIO_BYTES).map_err(|error| format!("the file {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())?;
    let fixes = agreed(&ran)?;
    let new = rewritten(&text, &fixes)?;
    load::parse(new.as_bytes(), file).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        format!("the file would no longer be a scenario: {first}")
    })?;
    if !fixes.is_empty() {
        write(file, &new).map_err(|error| format!("the file cannot be written: {error}"))?;
    }
    Ok(fixes.len())
}

/// A fix, and the cases that want it.
struct Wanted {
    range: Range<usize>,
    fix: Fix,
    line: usize,
    cases: BTreeSet<usize>,
}

/// The fixes that suit every case, by their places from the end of the file to its beginning.
fn agreed(ran: &[&[Difference]]) -> Result<Vec<(Range<usize>, Fix)>, String> {
    let mut wanted: BTreeMap<(usize, usize, bool), Wanted> = BTreeMap::new();
    for (case, differences) in ran.iter().enumerate() {
        for difference in *differences {
            let Difference { range, fix, line, what, .. } = difference;
            if *fix == Fix::ByHand {
                return Err(format!("line {line}: {what} has to be written by hand"));
            }
            let adds = matches!(fix, Fix::AddBehind(..));
            let entry = wanted.entry((range.start, range.end, adds)).or_insert_with(|| Wanted {
                range: range.clone(),
                fix: fix.clone(),
                line: *line,
                cases: BTreeSet::new(),
            });
            if entry.fix != *fix {
                return Err(format!("line {line}: {what} came out differently in different cases or artifacts"));
            }
            entry.cases.insert(case);
        }
    }
    if let Some(Wanted { line, .. }) = wanted.values().find(|wanted| wanted.cases.len() != ran.len()) {
        return Err(format!("line {line}: this holds in some cases of the file and not in others"));
    }
    Ok(wanted.into_values().rev().map(|wanted| (wanted.range, wanted.fix)).collect())
}

/// The text with `fixes` applied, which come from its end to its beginning.
fn rewritten(text: &str, fixes: &[(Range<usize>, Fix)]) -> Result<String, String> {
    let mut new = text.to_owned();
    for (range, fix) in fixes {
        match fix {
            Fix::Replace(value) => new.replace_range(range.clone(), value),
            Fix::AddBehind(key, entry) => {
                let start = key_start(&new, range, key)?;
                let addition = match in_flow(&new, start) {
                    true => format!(", {entry}"),
                    false => {
                        let line = new[..start].rfind('\n').map_or(0, |end| end + 1);
                        let indentation = " ".repeat(new[line..start].chars().count());
                        format!("\n{indentation}{entry}")
                    }
                };
                // In a block, the value may have a comment behind it, which stays where it is.
                let end = if in_flow(&new, start) { range.end } else { line_end(&new, range.end) };
                new.insert_str(end, &addition);
            }
            Fix::Remove(key) => {
                let start = key_start(&new, range, key)?;
                new.replace_range(entry(&new, start, range.end), "");
            }
            Fix::ByHand => return Err("something has to be written by hand".to_owned()),
        }
    }
    Ok(new)
}

/// Where the key of the value at `range` begins.
fn key_start(text: &str, range: &Range<usize>, key: &str) -> Result<usize, String> {
    let before = text[..range.start].trim_end();
    let before = before.strip_suffix(':').map(str::trim_end).unwrap_or(before);
    let quoted = format!("\"{key}\"");
    let found = [quoted.as_str(), key].into_iter().find_map(|key| before.strip_suffix(key)).map(str::len);
    found.ok_or_else(|| format!("the key {key} is not where it was expected"))
}

/// Whether the entry that begins at `start` stands between braces.
fn in_flow(text: &str, start: usize) -> bool {
    text[..start].trim_end().ends_with(['{', ','])
}

/// The whole entry from `start` to `end`, with the comma or the line that goes with it.
fn entry(text: &str, start: usize, end: usize) -> Range<usize> {
    if in_flow(text, start) {
        let before = text[..start].trim_end();
        if before.ends_with(',') {
            return before.len() - 1..end;
        }
        let behind = &text[end..];
        let comma = behind.len() - behind.trim_start().len();
        let rest = behind.trim_start();
        return match rest.strip_prefix(',') {
            Some(rest) => start..end + comma + 1 + (rest.len() - rest.trim_start().len()),
            None => start..end,
        };
    }
    let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
    match text[end..line_end(text, end)].trim().is_empty() {
        true => line..(line_end(text, end) + 1).min(text.len()),
        false => start..end,
    }
}

/// The end of the line at `offset`, its line end not included.
fn line_end(text: &str, offset: usize) -> usize {
    let rest = &text[offset..];
    let end = rest.find('\n').unwrap_or(rest.len());
    offset + rest[..end].trim_end_matches('\r').len()
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = std::fs::metadata(file)?.permissions();
    let (mut new, _noted) = temporary::unfinished_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(permissions)?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, at: &str, fix: Fix) -> String {
        let start = text.find(at).unwrap();
        rewritten(text, &[(start..start + at.len(), fix)]).unwrap()
    }

    #[test]
    fn values_change_and_comments_stay() {
        let flow = "- expect: { result: pass } # why\n";
        assert_eq!(apply(flow, "pass", Fix::Replace("fail".to_owned())), "- expect: { result: fail } # why\n");
        let add = || Fix::AddBehind("result", "code: unsigned".to_owned());
        assert_eq!(apply(flow, "pass", add()), "- expect: { result: pass, code: unsigned } # why\n");
        let block = "- expect:\n    result: pass # why\n    signatures: 1\n";
        assert_eq!(
            apply(block, "pass", add()),
            "- expect:\n    result: pass # why\n    code: unsigned\n    signatures: 1\n"
        );
        let json = "{\"expect\":{\"result\":\"pass\"}}";
        let quoted = Fix::AddBehind("result", "code: unsigned".to_owned());
        assert_eq!(apply(json, "\"pass\"", quoted), "{\"expect\":{\"result\":\"pass\", code: unsigned}}");
    }

    #[test]
    fn entries_go_with_their_comma_or_line() {
        let remove = || Fix::Remove("code");
        for (text, expected) in [
            ("{ result: pass, code: unsigned }", "{ result: pass }"),
            ("{ code: unsigned, result: pass }", "{ result: pass }"),
            ("{ result: pass, code: unsigned, signatures: 1 }", "{ result: pass, signatures: 1 }"),
            ("  result: pass\n  code: unsigned\n  signatures: 1\n", "  result: pass\n  signatures: 1\n"),
            ("  result: pass\n  code: unsigned", "  result: pass\n"),
            ("  result: pass\n  code: unsigned # why\n", "  result: pass\n   # why\n"),
        ] {
            assert_eq!(apply(text, "unsigned", remove()), expected, "{text}");
        }
    }
}
