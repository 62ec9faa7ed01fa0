//! Whether work on other threads is still wanted: threads cannot be broken off from outside, and look for themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who waits for the work. When this is dropped, the work is not wanted any more.
#[derive(Debug, Default)]
pub(super) struct Waits(Wanted);

/// What the work looks at from time to time.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Waits {
    pub(super) fn wanted(&self) -> Wanted {
        self.0.clone()
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

impl Wanted {
    /// # Errors
    /// It is not waited for any more; the sentence reaches no reader.
    pub(super) fn still(&self) -> Result<(), String> {
        match self.0.load(Ordering::SeqCst) {
            true => Err("the case was broken off".to_owned()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_wanted_as_long_as_somebody_waits() {
        let waits = Waits::default();
        let wanted = waits.wanted();
        assert!(wanted.still().is_ok());
        drop(waits);
        assert!(wanted.clone().still().is_err());
        assert!(Wanted::default().still().is_ok(), "what was never waited for is wanted");
    }
}
