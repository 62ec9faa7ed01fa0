//! PKCS #11 modules: shared libraries that are loaded and started once a process.
//!
//! `C_Initialize` counts for the whole process, and so does `C_Finalize`, which is never called: another part of the
//! process may still use the module. What the module does when it is loaded is out of Muster's hands; only an absolute path
//! is loaded, so that nothing is picked up from where the loader of the system happens to look.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::super::{Environment, SignerError};
use super::{Uri, answer};
use crate::failure::quote;

/// The module that `uri` asks for, or else the environment, started.
pub(super) fn open(uri: &Uri, environment: &Environment) -> Result<Pkcs11, SignerError> {
    let path = uri.module_path.as_ref().or(environment.module()).ok_or(SignerError::ModuleNotNamed)?;
    let module = start(path)?;
    check_described(&module, uri, path)?;
    Ok(module)
}

/// The module at `path`, loaded and started if it is not already.
pub(crate) fn start(path: &Path) -> Result<Pkcs11, SignerError> {
    static STARTED: OnceLock<Mutex<HashMap<PathBuf, Pkcs11>>> = OnceLock::new();
    let unusable = |reason: String| SignerError::ModuleUnusable { module: quoted(path), reason };
    if !path.is_absolute() {
        return Err(unusable("is not named by an absolute path: write it from the root on".to_owned()));
    }
    let file = match fs::canonicalize(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SignerError::ModuleMissing(quoted(path))),
        Err(error) => return Err(unusable(format!("cannot be found: {error}"))),
    };
    if !file.is_file() {
        return Err(unusable("is not a file: name the shared library itself".to_owned()));
    }
    // Locked while the module starts, so that no second thread starts it too.
    let mut started = STARTED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = started.get(&file) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(&file).map_err(|error| unusable(not_loaded(&error)))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => {
            let answer = answer::in_words(&error);
            return Err(unusable(format!(
                "does not start ({answer}): check its configuration, as its vendor describes it"
            )));
        }
    }
    started.insert(file, module.clone());
    Ok(module)
}

fn not_loaded(error: &Error) -> String {
    match error {
        Error::LibraryLoading(reason) => {
            let reason = std::error::Error::source(reason).map_or_else(|| reason.to_string(), ToString::to_string);
            format!("cannot be loaded, {}: install the build for this system, and what it needs", quote(&reason))
        }
        Error::Pkcs11(..) => format!("does not say what it offers ({})", answer::in_words(error)),
        _ => "is a library, but no PKCS #11 module: name the vendor's module".to_owned(),
    }
}

/// Checks what the URI says about the module itself.
fn check_described(module: &Pkcs11, uri: &Uri, path: &Path) -> Result<(), SignerError> {
    if uri.library_manufacturer.is_none() && uri.library_description.is_none() && uri.library_version.is_none() {
        return Ok(());
    }
    let unusable = |reason: String| SignerError::ModuleUnusable { module: quoted(path), reason };
    let info = module
        .get_library_info()
        .map_err(|error| unusable(format!("does not say what it is ({})", answer::in_words(&error))))?;
    let version = (info.library_version().major(), info.library_version().minor());
    let differs = |wanted: &Option<String>, found: &str| wanted.as_ref().is_some_and(|wanted| wanted != found);
    if differs(&uri.library_manufacturer, info.manufacturer_id())
        || differs(&uri.library_description, info.library_description())
        || uri.library_version.is_some_and(|wanted| wanted != version)
    {
        let (description, manufacturer) = (quote(info.library_description()), quote(info.manufacturer_id()));
        return Err(unusable(format!(
            "is another than the URI describes by library-…: it is {description} of {manufacturer}, version {}.{}",
            version.0, version.1
        )));
    }
    Ok(())
}

fn quoted(path: &Path) -> String {
    quote(&path.display().to_string())
}
