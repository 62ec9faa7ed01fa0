//! The sessions with one token: a few that are lent to one thread each, since a session does one thing at a time.
//!
//! The first one is the one that logged in. None is closed before the signer is dropped, as a token logs out with its
//! last session. Once the token is gone, it stays so: it is neither waited for nor tried again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, SessionState};
use cryptoki::slot::{Limit, Slot, TokenInfo};

use super::super::SignerError;
use super::{answer, token::Token};
use crate::limits;

/// What sessions come from.
pub(super) trait Source {
    type Session;

    /// Opens one more session.
    fn open(&self) -> Result<Self::Session, Error>;

    /// Whether the token no longer knows who uses `session`. Modules whose token went away in the middle of something
    /// give all kinds of answers, `CKR_GENERAL_ERROR` among them; this tells what they mean.
    fn is_lost(&self, session: &Self::Session) -> bool;
}

/// A token in its slot.
pub(super) struct Seated {
    module: Pkcs11,
    slot: Slot,
    wants_login: bool,
}

impl Source for Seated {
    type Session = Session;

    fn open(&self) -> Result<Session, Error> {
        self.module.open_ro_session(self.slot)
    }

    fn is_lost(&self, session: &Session) -> bool {
        match session.get_session_info() {
            Ok(info) => {
                self.wants_login && matches!(info.session_state(), SessionState::RoPublic | SessionState::RwPublic)
            }
            Err(error) => answer::is_gone(&error),
        }
    }
}

/// The sessions.
pub(super) struct Sessions<S: Source = Seated> {
    source: S,
    /// The token's label, quoted.
    token: String,
    state: Mutex<State<S::Session>>,
    changed: Condvar,
}

struct State<T> {
    idle: Vec<T>,
    /// How many there are, lent ones and those being opened included.
    open: usize,
    most: usize,
    gone: Option<SignerError>,
}

impl Sessions {
    /// The sessions with `token`, of which `first` is open.
    pub(super) fn with_token(module: Pkcs11, token: &Token, first: Session) -> Sessions {
        let source = Seated { module, slot: token.slot, wants_login: token.info.login_required() };
        Sessions::new(source, token.name(), first, most(&token.info))
    }
}

impl<S: Source> Sessions<S> {
    fn new(source: S, token: String, first: S::Session, most: usize) -> Sessions<S> {
        let state = State { idle: vec![first], open: 1, most, gone: None };
        Sessions { source, token, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Lends a session to `work`, and waits for one if all are lent.
    ///
    /// # Errors
    ///
    /// What the answer to `work` means, or why there is no session.
    pub(super) fn with<T>(&self, work: impl FnOnce(&S::Session) -> Result<T, Error>) -> Result<T, SignerError> {
        let lent = Lent { session: Some(self.take()?), owner: self };
        // A lent session is there until it is given back.
        let Some(session) = &lent.session else { return Err(SignerError::SessionLimit(self.token.clone())) };
        work(session).map_err(|error| {
            if answer::is_gone(&error) || self.source.is_lost(session) {
                let (token, answer) = (self.token.clone(), answer::in_words(&error));
                self.give_up(&mut self.lock(), SignerError::TokenGone { token, answer })
            } else {
                answer::meaning(&error, &self.token)
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<S::Session>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports the first reason to all threads, those that wait and those that come later.
    fn give_up(&self, state: &mut State<S::Session>, reason: SignerError) -> SignerError {
        self.changed.notify_all();
        state.gone.get_or_insert(reason).clone()
    }

    fn take(&self) -> Result<S::Session, SignerError> {
        let mut state = self.lock();
        loop {
            if let Some(reason) = &state.gone {
                return Err(reason.clone());
            }
            if let Some(session) = state.idle.pop() {
                return Ok(session);
            }
            if state.open >= state.most {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.open += 1;
            drop(state);
            // Opened outside of the lock, since a token across a network takes its time.
            let opened = self.source.open();
            state = self.lock();
            let error = match opened {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            state.open -= 1;
            if answer::code(&error) == Some(RvError::SessionCount) {
                // The token has fewer than it said, or others hold them: make do with those there are. There is always
                // one, as the first is never closed.
                state.most = state.open.max(1);
                continue;
            }
            let reason = answer::meaning(&error, &self.token);
            return Err(if answer::is_gone(&error) { self.give_up(&mut state, reason) } else { reason });
        }
    }
}

/// A session that goes back when it is dropped, even if the one it was lent to panics.
struct Lent<'a, S: Source> {
    session: Option<S::Session>,
    owner: &'a Sessions<S>,
}

impl<S: Source> Drop for Lent<'_, S> {
    fn drop(&mut self) {
        self.owner.lock().idle.extend(self.session.take());
        self.owner.changed.notify_one();
    }
}

/// How many sessions may be open: what the token allows, if it says so, and no more than the limit.
fn most(info: &TokenInfo) -> usize {
    match info.max_session_count() {
        Limit::Max(most) => usize::try_from(most).unwrap_or(usize::MAX).clamp(1, limits::TOKEN_SESSIONS),
        Limit::Unavailable | Limit::Infinite => limits::TOKEN_SESSIONS,
    }
}

#[cfg(test)]
mod tests;
