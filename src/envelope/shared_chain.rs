//! The certificate chain of a verified envelope.

use std::ops::Deref;
use std::sync::Arc;

use crate::failure::Failure;
use crate::pki::Chain;

/// A chain that was checked, shared with every other envelope of the same signer. Reads as a [`Chain`].
#[derive(Debug, Clone)]
pub struct SharedChain(Arc<Result<Chain, Failure>>);

impl SharedChain {
    /// Takes what the cache remembers of a chain: a chain, or why it is none.
    pub(super) fn new(remembered: Arc<Result<Chain, Failure>>) -> Result<SharedChain, Failure> {
        match &*remembered {
            Ok(_) => Ok(SharedChain(remembered)),
            Err(failure) => Err(failure.clone()),
        }
    }
}

impl Deref for SharedChain {
    type Target = Chain;

    #[expect(clippy::expect_used, reason = "SharedChain::new takes nothing but Ok, and nothing changes it afterwards")]
    fn deref(&self) -> &Chain {
        self.0.as_ref().as_ref().expect("a shared chain is a chain")
    }
}
