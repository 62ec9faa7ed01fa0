//! What evidence is judged by beside the trust policy and the time: one value, made once, from the caller to each validation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pki::ChainCache;
use crate::plugin::PluginConfig;
use crate::revocation::AnswerCache;
use crate::trust_store::TrustStores;

/// What evidence is judged by beside the trust policy and the time. Made by [`Options::new`]; the fields can be changed
/// afterwards. A clone shares trust stores and caches.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The named stores of trusted certificates.
    pub stores: Arc<TrustStores>,
    /// User metadata that a signature must carry, each key with exactly this value; usually empty.
    pub user_metadata: BTreeMap<String, String>,
    /// Settings that verification plugins are given; usually empty.
    pub plugin_config: PluginConfig,
    /// What earlier decisions found. It makes decisions faster and never changes one.
    pub caches: Arc<Caches>,
}

/// What decisions share, so that no work is done twice: it depends on bytes alone, not on policy or time. Bounded by
/// [`limits`](crate::limits).
#[derive(Debug, Default)]
pub struct Caches {
    /// Certificate chains that were checked.
    pub chains: ChainCache,
    /// CRLs and OCSP answers that were read.
    pub answers: AnswerCache,
}

impl Options {
    /// Judges by `stores`, without user metadata and without settings for plugins, with empty caches.
    pub fn new(stores: impl Into<Arc<TrustStores>>) -> Options {
        Options {
            stores: stores.into(),
            user_metadata: BTreeMap::new(),
            plugin_config: PluginConfig::new(),
            caches: Arc::default(),
        }
    }
}
