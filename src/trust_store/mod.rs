//! Trust stores: named sets of certificates that a trust policy may refer to.
//!
//! Follows *trust-store-trust-policy*, Trust Store: `x509/{ca|signingAuthority|tsa}/<name>/`. Stores are read once, at the
//! start of a run; what changes on disk afterwards does not matter. A store in which anything is wrong is not used at
//! all, and says which file is to blame. Only certificates that are in a store byte for byte are trusted.

mod certificate_file;
mod directory;
mod name;
mod named_store;
mod pem;
mod problem;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

pub use name::{StoreName, StoreNameError, StoreType};
pub use named_store::NamedStore;
pub use problem::StoreProblem;

use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::pki::Certificate;

/// The stores that a trust policy names, as they were when they were loaded.
#[derive(Debug, Clone, Default)]
pub struct TrustStores {
    stores: BTreeMap<StoreName, Result<NamedStore, StoreProblem>>,
    warnings: Vec<Diagnostic>,
}

impl TrustStores {
    /// Reads the stores called `names` from `root`, the directory that holds `x509/`. One that cannot be used is kept as
    /// the reason why; the others are not affected.
    pub fn load<'a>(root: &Path, names: impl IntoIterator<Item = &'a StoreName>) -> TrustStores {
        let mut loaded = TrustStores::default();
        for name in names {
            if !loaded.stores.contains_key(name) {
                let store = directory::load(root, name, &mut loaded.warnings);
                loaded.stores.insert(name.clone(), store);
            }
        }
        loaded
    }

    /// Whether `folder` is one that stores are read from: it holds `x509/`.
    pub fn is_root(folder: &Path) -> bool {
        directory::is_root(folder)
    }

    /// Stores of these certificates, by the rules that hold for files.
    pub fn from_certificates(stores: impl IntoIterator<Item = (StoreName, Vec<Certificate>)>) -> TrustStores {
        let build = |(name, certificates): (StoreName, Vec<Certificate>)| {
            let store = NamedStore::new(name.kind(), certificates).map_err(|problem| match problem {
                StoreProblem::Missing(message) => StoreProblem::Missing(message),
                StoreProblem::Unreadable(message) => StoreProblem::Unreadable(message),
                StoreProblem::Invalid(reason) => {
                    StoreProblem::invalid(format!("the trust store {name} is invalid: {reason}"))
                }
            });
            (name, store)
        };
        TrustStores { stores: stores.into_iter().map(build).collect(), warnings: Vec::new() }
    }

    /// The store called `name`, or why it cannot be used. A name that was not loaded is a store that is missing.
    ///
    /// # Errors
    /// The reason why the store cannot be used.
    pub fn get(&self, name: &StoreName) -> Result<&NamedStore, &StoreProblem> {
        static NOT_LOADED: StoreProblem = StoreProblem::Missing(Cow::Borrowed("the trust store was not loaded"));
        self.stores.get(name).map_or(Err(&NOT_LOADED), Result::as_ref)
    }

    /// The stores that cannot be used, by name.
    pub fn problems(&self) -> impl Iterator<Item = (&StoreName, &StoreProblem)> {
        self.stores.iter().filter_map(|(name, store)| Some((name, store.as_ref().err()?)))
    }

    /// What was passed over.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The digest over names and certificates: the same for the same content, however it is spread over files.
    pub fn digest(&self) -> Digest {
        let mut text = String::new();
        for (name, store) in &self.stores {
            text += &name.to_string();
            match store {
                Ok(store) => store.digests().iter().for_each(|digest| text += &format!(" {digest}")),
                Err(StoreProblem::Missing(_)) => text += " missing",
                Err(StoreProblem::Invalid(_)) => text += " invalid",
                Err(StoreProblem::Unreadable(_)) => text += " unreadable",
            }
            text.push('\n');
        }
        Digest::sha256(text.as_bytes())
    }
}
