//! Finding and reading scenario files. What a folder holds besides is passed over, and told: never read, never followed.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::cases::{self, Scenario};
use super::finding::{Findings, Rule};
use super::project::Project;
use super::{shape, syntax};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::{limits, regular_file};

/// How deep folders of scenarios may nest.
const FOLDERS: usize = 16;

/// What was found in files and folders.
#[derive(Debug)]
pub struct Loaded {
    /// The scenarios, by file.
    pub scenarios: Vec<Scenario>,
    /// Files in folders that end as scenarios do, are none and are named by none; links; folders too deep to look into.
    pub passed_over: Vec<PathBuf>,
}

/// Reads the scenario in a file, or those of every `.yaml`, `.yml` and `.json` file below a folder, by name.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Scenario>, Vec<Diagnostic>> {
    load_in(&Project::default(), paths).map(|loaded| loaded.scenarios)
}

/// The same, with what they are read with; what is no scenario is told. A file that is named itself must be one.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load_in(project: &Project, paths: &[PathBuf]) -> Result<Loaded, Vec<Diagnostic>> {
    let mut found = Found::default();
    let mut errors = Vec::new();
    for path in paths {
        if let Err(error) = find(path, FOLDERS, true, &mut found) {
            errors.push(*error);
        }
    }
    let mut seen = HashSet::new();
    let Found { mut files, mut passed_over } = found;
    files.retain(|(file, _)| seen.insert(file.clone()));
    let mut scenarios = Vec::new();
    for (file, named) in files {
        match read_if_meant(project, &file, named) {
            Ok(Some(scenario)) => scenarios.push(scenario),
            Ok(None) => passed_over.push(file),
            Err(found) => errors.extend(found),
        }
    }
    // What a scenario names belongs to it.
    let real = |file: &PathBuf| fs::canonicalize(file).ok();
    let named: HashSet<PathBuf> = scenarios.iter().flat_map(|scenario| &scenario.policies).filter_map(real).collect();
    passed_over.retain(|file| real(file).is_none_or(|file| !named.contains(&file)));
    if errors.is_empty() { Ok(Loaded { scenarios, passed_over }) } else { Err(errors) }
}

/// Reads a file: one that was not `named` is a scenario only if it is meant to be one.
fn read_if_meant(project: &Project, file: &Path, named: bool) -> Result<Option<Scenario>, Vec<Diagnostic>> {
    let bytes = match bytes(file) {
        Err(_) if !named && is_long(file) && !shape::begins_as_scenario(&beginning(file)) => return Ok(None),
        read => read?,
    };
    match named || shape::is_scenario(&bytes) {
        true => parse_in(project, &bytes, file).map(Some),
        false => Ok(None),
    }
}

fn is_long(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > limits::SCENARIO_BYTES)
}

/// As much of a file as a scenario may have; nothing of one that cannot be read.
fn beginning(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(limits::SCENARIO_BYTES).read_to_end(&mut bytes));
    read.map_or_else(|_| Vec::new(), |_| bytes)
}

/// Reads one file: a regular file, no symbolic link.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read(file: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    parse(&bytes(file)?, file)
}

fn bytes(file: &Path) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let shown = file.display().to_string();
    regular_file::read(file, limits::SCENARIO_BYTES)
        .map_err(|problem| vec![*unreadable(&shown, &format!("the scenario {problem}"))])
}

/// Reads the bytes of a scenario. `file` is what diagnostics call it, and from where it names policies.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(bytes: &[u8], file: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    parse_in(&Project::default(), bytes, file)
}

fn parse_in(project: &Project, bytes: &[u8], file: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    let shown = file.display().to_string();
    let text = syntax::text(bytes, &shown).map_err(|error| vec![*error])?;
    let source = SourceText::new(&shown, text);
    let raw = syntax::members(&source).map_err(|error| vec![*error])?;
    let mut findings = Findings::new(&source);
    let name = name(file);
    let (cases, policies) = cases::cases(&raw, (file, project), &name, &mut findings);
    if !findings.is_empty() {
        return Err(findings.into_errors());
    }
    Ok(Scenario {
        file: file.to_owned(),
        name,
        title: raw.title.value,
        spec: raw.spec,
        slow: raw.slow,
        cases,
        policies,
    })
}

/// What a scenario is called: its path below the folder `scenarios`, without the ending.
fn name(file: &Path) -> String {
    let stem = file.with_extension("");
    let parts: Vec<String> = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let below = parts.iter().rposition(|part| part == "scenarios").map_or(parts.len().saturating_sub(1), |at| at + 1);
    parts.get(below..).unwrap_or_default().join("/")
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    /// Files, and whether each was named itself.
    files: Vec<(PathBuf, bool)>,
    passed_over: Vec<PathBuf>,
}

fn find(path: &Path, deep: usize, named: bool, found: &mut Found) -> Result<(), Box<Diagnostic>> {
    let shown = path.display().to_string();
    let metadata = fs::symlink_metadata(path).map_err(|error| unreadable(&shown, &error.to_string()))?;
    if metadata.is_file() {
        if named || ends_as_scenario(path) {
            found.files.push((path.to_owned(), named));
        }
        return Ok(());
    }
    if !named && (!metadata.is_dir() || deep == 0) {
        if metadata.is_dir() || ends_as_scenario(path) {
            found.passed_over.push(path.to_owned());
        }
        return Ok(());
    }
    if !metadata.is_dir() {
        let message = format!("this is {}, not a file or a folder", regular_file::kind(&metadata));
        return Err(unreadable(&shown, &message));
    }
    // A recorded artifact: its files are content, and scenarios name it.
    if fs::symlink_metadata(path.join("oci-layout")).is_ok_and(|found| found.is_file()) {
        return Ok(());
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
            find(&path, deep - 1, false, found)?;
        }
    }
    Ok(())
}

fn ends_as_scenario(path: &Path) -> bool {
    let endings = ["yaml", "yml", "json"];
    path.extension().is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn unreadable(file: &str, message: &str) -> Box<Diagnostic> {
    let refusal = Diagnostic::error(Rule::File.code(), file, message);
    Box::new(refusal.with_help("name scenario files, or folders that hold them"))
}
