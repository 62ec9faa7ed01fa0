//! Finding and reading scenario files.

use std::fs;
use std::path::{Path, PathBuf};

use super::cases::{self, Scenario};
use super::finding::{Findings, Rule};
use super::syntax;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::{limits, regular_file};

/// How deep folders of scenarios may nest.
const FOLDERS: usize = 16;

/// Reads the scenario in a file, or those of every `.yaml`, `.yml` and `.json` file below a folder, by name.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Scenario>, Vec<Diagnostic>> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        if let Err(error) = find(path, FOLDERS, true, &mut files) {
            errors.push(*error);
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    let mut scenarios = Vec::new();
    for file in files {
        match read(&file) {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(scenarios) } else { Err(errors) }
}

/// Reads one file: a regular file, no symbolic link.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read(file: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    let shown = file.display().to_string();
    let bytes = regular_file::read(file, limits::SCENARIO_BYTES)
        .map_err(|problem| vec![*unreadable(&shown, &format!("the scenario {problem}"))])?;
    parse(&bytes, file)
}

/// Reads the bytes of a scenario. `file` is what diagnostics call it, and from where it names policies.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(bytes: &[u8], file: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    let shown = file.display().to_string();
    let text = syntax::text(bytes, &shown).map_err(|error| vec![*error])?;
    let source = SourceText::new(&shown, text);
    let raw = syntax::members(&source).map_err(|error| vec![*error])?;
    let mut findings = Findings::new(&source);
    let name = name(file);
    let cases = cases::cases(&raw, file, &name, &mut findings);
    if !findings.is_empty() {
        return Err(findings.into_errors());
    }
    Ok(Scenario { file: file.to_owned(), name, title: raw.title.value, spec: raw.spec, slow: raw.slow, cases })
}

/// What a scenario is called: its path below the folder `scenarios`, without the ending.
fn name(file: &Path) -> String {
    let stem = file.with_extension("");
    let parts: Vec<String> = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let below = parts.iter().rposition(|part| part == "scenarios").map_or(parts.len().saturating_sub(1), |at| at + 1);
    parts.get(below..).unwrap_or_default().join("/")
}

fn find(path: &Path, deep: usize, named: bool, files: &mut Vec<PathBuf>) -> Result<(), Box<Diagnostic>> {
    let shown = path.display().to_string();
    let metadata = fs::symlink_metadata(path).map_err(|error| unreadable(&shown, &error.to_string()))?;
    if metadata.is_file() {
        if named || is_scenario(path) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    if !metadata.is_dir() {
        let message = format!("this is {}, not a file or a folder", regular_file::kind(&metadata));
        return Err(unreadable(&shown, &message));
    }
    if deep == 0 {
        return Err(unreadable(&shown, "folders of scenarios do not nest so deep"));
    }
    let entries = fs::read_dir(path).map_err(|error| unreadable(&shown, &error.to_string()))?;
    let mut below = Vec::new();
    for entry in entries {
        below.push(entry.map_err(|error| unreadable(&shown, &error.to_string()))?.path());
    }
    below.sort_unstable();
    for path in below {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            find(&path, deep - 1, false, files)?;
        }
    }
    Ok(())
}

fn is_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json")
}

fn unreadable(file: &str, message: &str) -> Box<Diagnostic> {
    let refusal = Diagnostic::error(Rule::File.code(), file, message);
    Box::new(refusal.with_help("name scenario files, or folders that hold them"))
}
