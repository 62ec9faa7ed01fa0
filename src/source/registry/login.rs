//! The credentials in use for a registry, or for a namespace of it: looked up once, and anew when they end.
//!
//! Helpers give out passwords that hold for some hours, and files are written anew by another log-in, while a long run goes
//! on. Credentials that served and are refused are asked for once more, however many requests were refused with them.
//! Neither a failure nor an answer that stays the same is asked for again at once: a helper takes its time, and may fail for
//! each of ten thousand artifacts.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::trouble::Trouble;

use super::credentials::{Found, Identity};

/// Credentials that are or were in use.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) found: Found,
    /// Whether they got something.
    served: AtomicBool,
}

/// The credentials for a part of a registry.
#[derive(Debug, Default)]
pub(super) struct Login(tokio::sync::Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<Arc<Known>>,
    /// When they were asked for in vain, and with which trouble; without trouble they were the same as before.
    in_vain: Option<(Instant, Option<Trouble>)>,
}

impl Known {
    /// None, for servers that no credentials are for.
    pub(super) fn anonymous() -> Known {
        let found = Found { identity: Identity::Anonymous, origin: String::new() };
        Known { found, served: AtomicBool::new(false) }
    }

    /// Says that they got something.
    pub(super) fn served(&self) {
        self.served.store(true, Ordering::Relaxed);
    }

    /// Whether they once got something.
    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// Whether there are any.
    pub(super) fn is_named(&self) -> bool {
        self.found.identity != Identity::Anonymous
    }
}

impl Login {
    /// The credentials. Where those in use are the `refused` ones, and served before, they are looked up anew; the same ones
    /// come back where there are no others. `pause` is how long what was asked for in vain is not asked for again.
    pub(super) async fn known<F: Future<Output = Result<Found, Trouble>>>(
        &self,
        refused: Option<&Arc<Known>>,
        pause: Duration,
        look_up: impl FnOnce() -> F,
    ) -> Result<Arc<Known>, Trouble> {
        // One request asks; those that wait here meanwhile take what it got.
        let mut state = self.0.lock().await;
        let recent =
            state.in_vain.as_ref().filter(|(when, _)| when.elapsed() < pause).map(|(_, trouble)| trouble.clone());
        if let Some(known) = &state.known {
            let ended = refused.is_some_and(|refused| Arc::ptr_eq(known, refused)) && known.has_served();
            match recent {
                // What is refused for one repository may well serve for another.
                _ if !ended => return Ok(Arc::clone(known)),
                Some(None) => return Ok(Arc::clone(known)),
                Some(Some(trouble)) => return Err(trouble),
                None => {}
            }
        } else if let Some(Some(trouble)) = recent {
            return Err(trouble);
        }
        match look_up().await {
            Ok(found) => {
                if let Some(known) = state.known.clone().filter(|known| known.found.identity == found.identity) {
                    state.in_vain = Some((Instant::now(), None));
                    return Ok(known);
                }
                let known = Arc::new(Known { found, served: AtomicBool::new(false) });
                *state = State { known: Some(Arc::clone(&known)), in_vain: None };
                Ok(known)
            }
            Err(trouble) => {
                state.in_vain = Some((Instant::now(), Some(trouble.clone())));
                Err(trouble)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::registry::credentials::Secret;
    use crate::trouble::TroubleKind;
    use std::cell::Cell;

    const LONG: Duration = Duration::from_secs(3600);

    fn password(text: &str) -> Result<Found, Trouble> {
        let identity = Identity::Password { user: "ivy".to_owned(), password: Secret::new(text) };
        Ok(Found { identity, origin: String::new() })
    }

    #[tokio::test]
    async fn what_served_and_is_refused_is_asked_for_once_more() {
        let (login, asked) = (Login::default(), Cell::new(0));
        let look_up = |text: &'static str| {
            let asked = &asked;
            async move || {
                asked.set(asked.get() + 1);
                password(text)
            }
        };
        let first = login.known(None, LONG, look_up("a")).await.unwrap();
        // Never served: no other answer is to be expected.
        assert!(Arc::ptr_eq(&login.known(Some(&first), LONG, look_up("b")).await.unwrap(), &first));
        first.served();
        let second = login.known(Some(&first), LONG, look_up("b")).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &second) && asked.get() == 2);
        // All the others that were refused with the first.
        for _ in 0..10 {
            assert!(Arc::ptr_eq(&login.known(Some(&first), LONG, look_up("c")).await.unwrap(), &second));
        }
        second.served();
        for _ in 0..10 {
            assert!(Arc::ptr_eq(&login.known(Some(&second), LONG, look_up("b")).await.unwrap(), &second));
        }
        assert_eq!(asked.get(), 3, "the same once more, and then not again at once");
        let third = login.known(Some(&second), Duration::ZERO, look_up("c")).await.unwrap();
        assert!(!Arc::ptr_eq(&second, &third));
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_while_only() {
        let login = Login::default();
        let failing = async || Err(Trouble::new(TroubleKind::TimedOut, "it hangs"));
        assert!(login.known(None, LONG, failing).await.is_err());
        assert!(login.known(None, LONG, async || password("a")).await.is_err());
        let known = login.known(None, Duration::ZERO, async || password("a")).await.unwrap();
        known.served();
        assert!(login.known(Some(&known), LONG, failing).await.is_err());
        assert!(login.known(Some(&known), LONG, async || password("b")).await.is_err());
        // They may serve elsewhere meanwhile.
        assert!(Arc::ptr_eq(&login.known(None, LONG, failing).await.unwrap(), &known));
        assert!(login.known(Some(&known), Duration::ZERO, async || password("b")).await.is_ok());
    }
}
