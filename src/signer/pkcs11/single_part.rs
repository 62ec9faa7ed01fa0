//! `C_Sign` by itself, for keys that want the PIN at every signature.
//!
//! Follows PKCS #11, section 4.4: a key with `CKA_ALWAYS_AUTHENTICATE` wants a login between `C_SignInit` and `C_Sign`. The
//! library that all else here is done with only makes both calls together, so that the second is made by another, in the
//! session of the first. That other library calls a module only if it started it: the module has to be started anew for it,
//! which [`Module`](super::module::Module) does only where nothing else in the process uses it. It believes the length that a
//! module states of a signature it has written; one that states more than the room it was given has broken its word already.

use std::fmt;
use std::path::Path;

use cryptoki::context::Function;
use cryptoki::error::{Error, Rv};
use cryptoki::session::Session;

/// A module that answers to `C_Sign` by itself.
pub(crate) struct SinglePart {
    functions: ::pkcs11::Ctx,
}

impl SinglePart {
    /// Finds the functions of the module at `path`, and starts it, which must not be started: for one thread.
    ///
    /// # Errors
    ///
    /// What the module answers, in words.
    pub(super) fn start(path: &Path) -> Result<SinglePart, String> {
        let mut functions = ::pkcs11::Ctx::new(path).map_err(|error| error.to_string())?;
        functions.initialize(None).map_err(|error| error.to_string())?;
        Ok(SinglePart { functions })
    }

    /// Signs `data` by what was begun in `session`.
    ///
    /// # Errors
    ///
    /// What the module answers.
    pub(super) fn sign(&self, session: &Session, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.functions.sign(session.handle(), data).map_err(|error| match error {
            ::pkcs11::errors::Error::Pkcs11(code) => match Rv::from(code) {
                Rv::Error(code) => Error::Pkcs11(code, Function::Sign),
                Rv::Ok => Error::InvalidValue,
            },
            _ => Error::NullFunctionPointer,
        })
    }
}

impl fmt::Debug for SinglePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SinglePart")
    }
}
