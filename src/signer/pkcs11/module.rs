//! PKCS #11 modules: shared libraries that are loaded and started once a process.
//!
//! `C_Initialize` counts for the whole process, and so does `C_Finalize`, which is not called as long as another part of the
//! process may use the module. What the module does when it is loaded is out of Muster's hands; only an absolute path is
//! loaded, so that nothing is picked up from where the loader of the system happens to look.
//!
//! A module is asked to lock for itself by the means of the system. One that cannot (`CKR_CANT_LOCK`) is started without
//! threads, and then used by one thread at a time: a thread that calls it holds its [`Module::turn`].

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::super::{Environment, SignerError};
use super::single_part::SinglePart;
use super::token_information::unpadded;
use super::{Uri, answer};
use crate::failure::quote;

/// A module that was started.
pub(crate) struct Module {
    pub(crate) library: Pkcs11,
    file: PathBuf,
    /// Whether only one thread at a time may call it.
    one_thread: bool,
    in_use: Mutex<()>,
    /// Whether it was started here, and not by another part of the process.
    started_here: bool,
    /// Whether a part of the process uses it whose use is not counted.
    lent: AtomicBool,
    single_part: Option<Arc<SinglePart>>,
}

impl Module {
    /// The right to call the module: at once, or for one thread after the other. Not to be taken by a thread that has it.
    pub(crate) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.one_thread.then(|| self.in_use.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `C_Sign` by itself, if the module was started for it by [`restart_for_single_part`].
    pub(super) fn single_part(&self) -> Option<Arc<SinglePart>> {
        self.single_part.clone()
    }

    /// Whether [`restart_for_single_part`] can be expected to do something.
    pub(super) fn can_be_restarted(&self) -> bool {
        self.started_here && self.single_part.is_none() && !self.lent.load(Ordering::Relaxed)
    }

    /// Whether only one thread at a time may call it.
    pub(crate) fn knows_no_threads(&self) -> bool {
        self.one_thread
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("one_thread", &self.one_thread).finish_non_exhaustive()
    }
}

/// Where the module lies that `uri` asks for, or else the environment.
pub(super) fn path<'a>(uri: &'a Uri, environment: &'a Environment) -> Result<&'a PathBuf, SignerError> {
    uri.module_path.as_ref().or(environment.module()).ok_or(SignerError::ModuleNotNamed)
}

/// The module that `uri` asks for, or else the environment, started.
pub(crate) fn open(uri: &Uri, environment: &Environment) -> Result<Arc<Module>, SignerError> {
    let path = path(uri, environment)?;
    let module = load(path)?;
    let turn = module.turn();
    check_described(&module.library, uri, path)?;
    drop(turn);
    Ok(module)
}

/// The module at `path`, loaded and started if it is not already.
pub(crate) fn start(path: &Path) -> Result<Pkcs11, SignerError> {
    let module = load(path)?;
    module.lent.store(true, Ordering::Relaxed);
    Ok(module.library.clone())
}

type Started = HashMap<PathBuf, Arc<Module>>;

/// The modules that were started, by their files. Locked while one starts, so that no second thread starts it too.
fn started() -> MutexGuard<'static, Started> {
    static STARTED: OnceLock<Mutex<Started>> = OnceLock::new();
    STARTED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts `module` anew so that it answers to `C_Sign` by itself, if nothing else in the process uses it; no session of it
/// may be open. Hands back the module to use from now on, which is the same one if it cannot be done.
pub(super) fn restart_for_single_part(module: Arc<Module>) -> Arc<Module> {
    let mut started = started();
    // One is in the map, the other is the caller's.
    if !module.can_be_restarted() || Arc::strong_count(&module) > 2 {
        return module;
    }
    let _turn = module.turn();
    if module.library.clone().finalize().is_err() {
        return Arc::clone(&module);
    }
    let single_part = SinglePart::start(&module.file).ok().map(Arc::new);
    let one_thread = match single_part {
        Some(_) => true,
        // Whatever is wrong with the module now, the next call tells.
        None => initialize(&module.library).map_or(module.one_thread, |(one_thread, _)| one_thread),
    };
    let again = Arc::new(Module {
        library: module.library.clone(),
        file: module.file.clone(),
        one_thread,
        in_use: Mutex::new(()),
        started_here: true,
        lent: AtomicBool::new(false),
        single_part,
    });
    started.insert(again.file.clone(), Arc::clone(&again));
    again
}

/// The module at `path`, loaded and started if it is not already.
pub(crate) fn load(path: &Path) -> Result<Arc<Module>, SignerError> {
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
    let mut started = started();
    if let Some(module) = started.get(&file) {
        return Ok(Arc::clone(module));
    }
    let library = Pkcs11::new(&file).map_err(|error| unusable(not_loaded(&error)))?;
    let (one_thread, started_here) = initialize(&library).map_err(|error| {
        let answer = answer::in_words(&error);
        unusable(format!("does not start ({answer}): check its configuration, as its vendor describes it"))
    })?;
    let module = Arc::new(Module {
        library,
        file: file.clone(),
        one_thread,
        in_use: Mutex::new(()),
        started_here,
        lent: AtomicBool::new(false),
        single_part: None,
    });
    started.insert(file, Arc::clone(&module));
    Ok(module)
}

/// Starts the module, and says whether it is to be used by one thread at a time, and whether it was started here.
fn initialize(library: &Pkcs11) -> Result<(bool, bool), Error> {
    let with = |flags| match library.initialize(CInitializeArgs::new(flags)) {
        Ok(()) => Ok(true),
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(false),
        Err(error) => Err(error),
    };
    match with(CInitializeFlags::OS_LOCKING_OK) {
        Ok(started_here) => Ok((false, started_here)),
        // It does not lock as it was asked to; without flags it is told that one thread uses it.
        Err(Error::Pkcs11(RvError::CantLock | RvError::ArgumentsBad, _)) => {
            with(CInitializeFlags::empty()).map(|started_here| (true, started_here))
        }
        Err(error) => Err(error),
    }
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
    let (manufacturer, description) = (unpadded(info.manufacturer_id()), unpadded(info.library_description()));
    let differs =
        |wanted: &Option<String>, found: &str| wanted.as_ref().is_some_and(|wanted| unpadded(wanted) != found);
    if differs(&uri.library_manufacturer, &manufacturer)
        || differs(&uri.library_description, &description)
        || uri.library_version.is_some_and(|wanted| wanted != version)
    {
        let (description, manufacturer) = (quote(&description), quote(&manufacturer));
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
