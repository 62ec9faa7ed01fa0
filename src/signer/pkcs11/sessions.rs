//! The sessions with one token: a few that are lent to one thread each, since a session does one thing at a time.
//!
//! The first one is the one that logged in. None is closed before the signer is dropped, as a token logs out with its
//! last session. Once the token is gone, it stays so: it is neither waited for nor tried again.
//!
//! Tokens that do one thing at a time, whatever the session (`CKR_OPERATION_ACTIVE`), are given one thing at a time from
//! the first such answer on. Of a module that knows no threads only one session is used. Sessions are opened for reading,
//! and for writing where the module opens no others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, SessionState};
use cryptoki::slot::Slot;

use super::super::SignerError;
use super::answer;
use super::module::Module;
use super::token::Token;
use super::token_information::TokenInformation;
use crate::limits;

/// After what time a token that is busy is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// What sessions come from.
pub(super) trait Source {
    type Session;

    /// Opens one more session.
    fn open(&self) -> Result<Self::Session, Error>;

    /// Whether the token no longer knows who uses `session`. Modules whose token went away in the middle of something
    /// give all kinds of answers, `CKR_GENERAL_ERROR` among them; this tells what they mean.
    fn is_lost(&self, session: &Self::Session) -> bool;

    /// The right to call the module.
    fn turn(&self) -> Option<MutexGuard<'_, ()>>;
}

/// A token in its slot.
pub(super) struct Seated {
    module: Arc<Module>,
    slot: Slot,
    wants_login: bool,
    /// Whether the module opens sessions only for reading and writing.
    read_write: AtomicBool,
}

impl Seated {
    pub(super) fn new(module: Arc<Module>, token: &Token) -> Seated {
        let (slot, wants_login) = (token.slot, token.info.login_required);
        Seated { module, slot, wants_login, read_write: AtomicBool::new(false) }
    }

    /// Opens a session that may write, which some tokens want for a login.
    pub(super) fn open_to_write(&self) -> Result<Session, Error> {
        let session = self.module.library.open_rw_session(self.slot)?;
        self.read_write.store(true, Ordering::Relaxed);
        Ok(session)
    }
}

impl Source for Seated {
    type Session = Session;

    fn open(&self) -> Result<Session, Error> {
        if self.read_write.load(Ordering::Relaxed) {
            return self.module.library.open_rw_session(self.slot);
        }
        let library = &self.module.library;
        let refused = match library.open_ro_session(self.slot) {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let of_no_use = matches!(answer::code(&refused), Some(RvError::SessionCount)) || answer::is_gone(&refused);
        if of_no_use {
            return Err(refused);
        }
        // The first answer is the one that a module gives which has no session of any kind.
        self.open_to_write().map_err(|_| refused)
    }

    fn is_lost(&self, session: &Session) -> bool {
        match session.get_session_info() {
            Ok(info) => {
                self.wants_login && matches!(info.session_state(), SessionState::RoPublic | SessionState::RwPublic)
            }
            Err(error) => answer::is_gone(&error),
        }
    }

    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.module.turn()
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
    /// Whether a session is lent only while no other one is.
    one_at_a_time: bool,
    gone: Option<SignerError>,
}

impl Sessions {
    /// The sessions with `token`, of which `first` is open; only that one if `one_at_a_time`.
    pub(super) fn with_token(source: Seated, token: &Token, first: Session, one_at_a_time: bool) -> Sessions {
        let most = if one_at_a_time || source.module.knows_no_threads() { 1 } else { most(&token.info) };
        Sessions::new(source, token.name(), first, most)
    }
}

impl<S: Source> Sessions<S> {
    fn new(source: S, token: String, first: S::Session, most: usize) -> Sessions<S> {
        let state = State { idle: vec![first], open: 1, most, one_at_a_time: false, gone: None };
        Sessions { source, token, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The token's name, for messages.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Lends a session to `work`, and waits for one if all are lent. Where the token is busy with something else, the work is
    /// done again, for [`limits::TOKEN_WAIT`] at most.
    ///
    /// # Errors
    ///
    /// What the answer to `work` means, or why there is no session.
    pub(super) fn with<T>(&self, mut work: impl FnMut(&S::Session) -> Result<T, Error>) -> Result<T, SignerError> {
        let started = Instant::now();
        loop {
            let lent = Lent { session: Some(self.take()?), owner: self };
            // A lent session is there until it is given back.
            let Some(session) = &lent.session else { return Err(SignerError::SessionLimit(self.token.clone())) };
            let turn = self.source.turn();
            let error = match work(session) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if answer::is_gone(&error) || self.source.is_lost(session) {
                let (token, answer) = (self.token.clone(), answer::in_words(&error));
                return Err(self.give_up(&mut self.lock(), SignerError::TokenGone { token, answer }));
            }
            drop(turn);
            if !answer::is_busy(&error) || started.elapsed() >= limits::TOKEN_WAIT {
                return Err(answer::meaning(&error, &self.token));
            }
            self.lock().one_at_a_time = true;
            drop(lent);
            thread::sleep(PAUSE);
        }
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
            let others = state.idle.len() < state.open;
            if state.one_at_a_time && others {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
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
            let opened = {
                let _turn = self.source.turn();
                self.source.open()
            };
            state = self.lock();
            let error = match opened {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            state.open -= 1;
            self.changed.notify_all();
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
        self.owner.changed.notify_all();
    }
}

impl<S: Source> Drop for Sessions<S> {
    fn drop(&mut self) {
        // Closing sessions calls the module too.
        let idle = std::mem::take(&mut self.lock().idle);
        let _turn = self.source.turn();
        drop(idle);
    }
}

/// How many sessions may be open: what the token allows, if it says so, and no more than the limit.
fn most(info: &TokenInformation) -> usize {
    let most = info.most_sessions.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    most.map_or(limits::TOKEN_SESSIONS, |most| most.clamp(1, limits::TOKEN_SESSIONS))
}

#[cfg(test)]
mod tests;
