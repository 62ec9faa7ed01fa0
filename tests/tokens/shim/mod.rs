//! The shim: a PKCS #11 module in C that hands everything to a real one and has switchable manners, those of tokens that tests
//! cannot have. `manners.h` lists them.
//!
//! `tests/all` builds it and names it in `MUSTER_SHIM_MODULE`; where that is not set, the first test of a process builds it.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tokens/shim");

/// What the shim reads from the environment: the real module, the manners with commas between, a file to which each call is
/// added, the file with the PIN of the real token, the file whose lock is the only session of all processes, and the file whose
/// lock lets one process at a time into the real module.
pub(crate) const REAL: &str = "MUSTER_SHIM_REAL";
pub(crate) const MANNERS: &str = "MUSTER_SHIM_MANNERS";
pub(crate) const LOG: &str = "MUSTER_SHIM_LOG";
pub(crate) const PIN_FILE: &str = "MUSTER_SHIM_PIN_FILE";
pub(crate) const LOCK: &str = "MUSTER_SHIM_LOCK";
pub(crate) const TURNS: &str = "MUSTER_SHIM_TURNS";

/// The built module, or why it cannot be built here.
pub(crate) fn module() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> Result<PathBuf, String> {
    if let Some(module) = std::env::var_os("MUSTER_SHIM_MODULE").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(module));
    }
    let mut hasher = DefaultHasher::new();
    let mut sources: Vec<_> = fs::read_dir(SOURCES).unwrap().map(|entry| entry.unwrap().path()).collect();
    sources.sort();
    for source in sources {
        (source.file_name(), fs::read(&source).unwrap()).hash(&mut hasher);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).unwrap();
    let module = folder.join(format!("muster-shim-{:016x}.so", hasher.finish()));
    if module.is_file() {
        return Ok(module);
    }
    // Renamed when it is whole, as other tests may build it at the same time.
    let unfinished = folder.join(format!("muster-shim-{}.unfinished", process::id()));
    let built = Command::new(Path::new(SOURCES).join("build")).arg(&unfinished).output();
    let built = built.map_err(|error| format!("tests/tokens/shim/build cannot be started: {error}"))?;
    if built.status.code() == Some(127) {
        return Err("the shim wants a C compiler (Debian: apt-get install gcc libc6-dev)".to_owned());
    }
    assert!(built.status.success(), "the shim does not build: {}", String::from_utf8_lossy(&built.stderr));
    fs::rename(&unfinished, &module).unwrap();
    Ok(module)
}

/// The names of all manners, with the products that are known for them.
pub(crate) fn manners() -> Vec<(&'static str, &'static str)> {
    let rows = include_str!("manners.h").lines().filter_map(|line| line.trim_start().strip_prefix("M("));
    rows.map(|row| {
        let mut texts = row.split('"');
        let (name, seen) = (texts.nth(1).unwrap(), texts.nth(1).unwrap());
        (name, seen)
    })
    .collect()
}
