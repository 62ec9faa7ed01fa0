//! What a signer takes from the environment of the process: which module to load, and the PIN.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// What the environment says about tokens; a URI that says the same thing itself wins.
#[derive(Clone, Default)]
pub struct Environment {
    /// The PKCS #11 module, `MUSTER_PKCS11_MODULE`.
    module: Option<PathBuf>,
    /// The PIN, `MUSTER_PKCS11_PIN`. `None` if it is not text, as no PIN is.
    pin: Option<Zeroizing<String>>,
}

impl Environment {
    /// The variable that names the module.
    pub const MODULE: &str = "MUSTER_PKCS11_MODULE";
    /// The variable that holds the PIN.
    pub const PIN: &str = "MUSTER_PKCS11_PIN";

    /// What the environment of this process says. A variable that is empty counts as one that is not set.
    pub fn of_process() -> Environment {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        Environment {
            module: set(Environment::MODULE).map(PathBuf::from),
            pin: set(Environment::PIN).map(OsString::into_string).and_then(Result::ok).map(Zeroizing::new),
        }
    }

    /// With this module.
    pub fn with_module(mut self, module: impl Into<PathBuf>) -> Environment {
        self.module = Some(module.into());
        self
    }

    /// With this PIN.
    pub fn with_pin(mut self, pin: impl Into<String>) -> Environment {
        self.pin = Some(Zeroizing::new(pin.into()));
        self
    }

    #[cfg(feature = "pkcs11")]
    pub(crate) fn module(&self) -> Option<&PathBuf> {
        self.module.as_ref()
    }

    /// Whether there is a PIN.
    #[cfg(feature = "pkcs11")]
    pub(crate) fn has_pin(&self) -> bool {
        self.pin.is_some()
    }

    #[cfg(feature = "pkcs11")]
    pub(super) fn pin(&self) -> Option<&str> {
        self.pin.as_ref().map(|pin| pin.as_str())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pin = if self.pin.is_some() { "(secret)" } else { "(none)" };
        f.debug_struct("Environment").field("module", &self.module).field("pin", &format_args!("{pin}")).finish()
    }
}
