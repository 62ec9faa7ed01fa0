//! The sessions with one token: a few that are lent to one thread each, since a session does one thing at a time.
//!
//! The first one is the one that logged in. None is closed before the signer is dropped, as a token logs out with its
//! last session. Once the token is gone, it stays so: nobody waits for it or tries it again.

use std::sync::{Condvar, Mutex, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::RvError;
use cryptoki::session::{Session, SessionState};
use cryptoki::slot::{Limit, Slot, TokenInfo};

use super::super::SignerError;
use super::{answer, token::Token};
use crate::limits;

pub(super) struct Sessions {
    module: Pkcs11,
    slot: Slot,
    /// The token's label, quoted.
    token: String,
    wants_login: bool,
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    idle: Vec<Session>,
    /// How many there are, lent ones included.
    open: usize,
    most: usize,
    gone: Option<SignerError>,
}

impl Sessions {
    pub(super) fn new(module: Pkcs11, token: &Token, first: Session) -> Sessions {
        let state = State { idle: vec![first], open: 1, most: most(&token.info), gone: None };
        Sessions {
            module,
            slot: token.slot,
            token: token.name(),
            wants_login: token.info.login_required(),
            state: Mutex::new(state),
            freed: Condvar::new(),
        }
    }

    /// Lends a session to `work`, and waits for one if all are lent.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, cryptoki::error::Error>,
    ) -> Result<T, SignerError> {
        let session = Lent { session: Some(self.take()?), owner: self };
        // A lent session is there until it is given back.
        let Some(used) = session.session.as_ref() else { return Err(SignerError::SessionLimit(self.token.clone())) };
        work(used).map_err(|error| {
            if answer::is_gone(&error) || self.is_logged_out(used) {
                let (token, answer) = (self.token.clone(), answer::in_words(&error));
                let reason = SignerError::TokenGone { token, answer };
                self.lock().gone.get_or_insert(reason).clone()
            } else {
                answer::meaning(&error, &self.token)
            }
        })
    }

    /// Whether the token no longer knows who uses `session`. Modules whose token went away in the middle of something
    /// give all kinds of answers, `CKR_GENERAL_ERROR` among them; this tells what they mean.
    fn is_logged_out(&self, session: &Session) -> bool {
        match session.get_session_info() {
            Ok(info) => {
                self.wants_login && matches!(info.session_state(), SessionState::RoPublic | SessionState::RwPublic)
            }
            Err(error) => answer::is_gone(&error),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Session, SignerError> {
        let mut state = self.lock();
        loop {
            if let Some(reason) = &state.gone {
                return Err(reason.clone());
            }
            if let Some(session) = state.idle.pop() {
                return Ok(session);
            }
            if state.open < state.most {
                state.open += 1;
                drop(state);
                // Opened outside of the lock, since a token across a network takes its time.
                let opened = self.module.open_ro_session(self.slot);
                state = self.lock();
                match opened {
                    Ok(session) => return Ok(session),
                    Err(error) => {
                        state.open -= 1;
                        // The token has fewer than it said, or others hold them: make do with those there are.
                        if answer::code(&error) == Some(RvError::SessionCount) && state.open > 0 {
                            state.most = state.open;
                        } else {
                            let reason = answer::meaning(&error, &self.token);
                            if answer::is_gone(&error) {
                                state.gone.get_or_insert(reason.clone());
                                self.freed.notify_all();
                            }
                            return Err(reason);
                        }
                    }
                }
                continue;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A session that goes back when it is dropped, even if the one it was lent to panics.
struct Lent<'a> {
    session: Option<Session>,
    owner: &'a Sessions,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.owner.lock();
        state.idle.extend(self.session.take());
        let gone = state.gone.is_some();
        drop(state);
        if gone {
            self.owner.freed.notify_all();
        } else {
            self.owner.freed.notify_one();
        }
    }
}

/// How many sessions may be open: what the token allows, if it says so, and no more than the limit.
fn most(info: &TokenInfo) -> usize {
    match info.max_session_count() {
        Limit::Max(most) => usize::try_from(most).unwrap_or(usize::MAX).clamp(1, limits::TOKEN_SESSIONS),
        Limit::Unavailable | Limit::Infinite => limits::TOKEN_SESSIONS,
    }
}
