//! One signature: by which mechanism, in which calls, and with the PIN given again where the key wants that.
//!
//! Follows PKCS #11, section 5.13 (`C_SignInit`, `C_Sign`, `C_SignUpdate`, `C_SignFinal`) and, for keys with
//! `CKA_ALWAYS_AUTHENTICATE`, the login as `CKU_CONTEXT_SPECIFIC` between the first and the second. The ways to sign are
//! tried in turn until the token takes one, which is the first from then on; one that was refused leaves no signature
//! behind. A way is given up only for an answer that says that the token has not got it, never because a signature
//! failed: a person may have to approve each.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, SessionState};

use super::answer;
use super::mechanisms::{Mechanisms, Way, mechanism};
use super::pin::Login;
use super::single_part::SinglePart;
use crate::digest::Digest;
use crate::pki::KeyKind;

/// In which calls a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    /// `C_Sign` with all at once.
    One,
    /// `C_SignUpdate`, then `C_SignFinal`.
    Several,
}

/// How a key signs.
#[derive(Debug)]
pub(super) struct Signing {
    kind: KeyKind,
    steps: Vec<(Way, Calls)>,
    /// The step that worked last.
    settled: AtomicUsize,
    /// Whether the PIN is given for each signature.
    always: AtomicBool,
    /// `C_Sign` by itself, which a login can precede.
    single_part: Option<Arc<SinglePart>>,
    /// Why the module makes no signature, and what was begun is not ended: it is not asked again.
    stuck: OnceLock<(RvError, Function)>,
}

/// Why there is no signature, though the token is there.
#[derive(Debug)]
pub(super) enum Stop {
    /// It has none of the mechanisms, or refuses all the calls: the first answer.
    NoWay(Error),
    /// It refuses the login of the user, who was logged in before.
    Login(Error),
    /// It refuses the login for this one signature.
    SignatureLogin(Error),
    /// It wants a login for each signature, and there is nothing to log in with, or no way to do so.
    WantsLogin(Error),
}

/// What came of one step.
enum Step {
    Signed(Vec<u8>),
    /// The next way is to be tried.
    Unknown(Error),
    Stopped(Stop),
}

impl Signing {
    /// For keys of `kind`; `always` says whether they want the PIN at every signature.
    pub(super) fn new(
        kind: KeyKind,
        mechanisms: &Mechanisms,
        always: bool,
        single_part: Option<Arc<SinglePart>>,
    ) -> Signing {
        let steps = steps(kind, mechanisms);
        let (settled, always, stuck) = (AtomicUsize::new(0), AtomicBool::new(always), OnceLock::new());
        Signing { kind, steps, settled, always, single_part, stuck }
    }

    /// The way that worked last, or else the one that is tried first.
    pub(super) fn way(&self) -> Option<Way> {
        self.steps.get(self.settled.load(Ordering::Relaxed)).map(|(way, _)| *way)
    }

    /// Which kind of key it is for.
    pub(super) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Has `key` sign `message`. What comes out is as the token gives it, and unverified.
    ///
    /// # Errors
    ///
    /// What the module answers, where that may mean that the token is gone or busy; [`Stop`] in every other case.
    pub(super) fn sign(
        &self,
        session: &Session,
        key: ObjectHandle,
        message: &[u8],
        login: Option<&Login>,
    ) -> Result<Result<Vec<u8>, Stop>, Error> {
        let always = self.always.load(Ordering::Relaxed);
        let result = self.by_any_step(session, key, message, always.then_some(login).flatten())?;
        let (false, Err(Stop::WantsLogin(_)), Some(login)) = (always, &result, login) else { return Ok(result) };
        // The token forgot who uses it; or else it wants the PIN each time and does not say so.
        if let Err(error) = login.as_user(session) {
            // It was right before, and is not given a third time.
            return Ok(Err(Stop::Login(error)));
        }
        let result = self.by_any_step(session, key, message, None)?;
        if !matches!(result, Err(Stop::WantsLogin(_))) {
            return Ok(result);
        }
        self.always.store(true, Ordering::Relaxed);
        self.by_any_step(session, key, message, Some(login))
    }

    /// Whether the key turned out to want the PIN at every signature, and the module would have to answer to `C_Sign` by
    /// itself for that.
    pub(super) fn wants_single_part(&self) -> bool {
        self.always.load(Ordering::Relaxed) && self.single_part.is_none()
    }

    fn by_any_step(
        &self,
        session: &Session,
        key: ObjectHandle,
        message: &[u8],
        login: Option<&Login>,
    ) -> Result<Result<Vec<u8>, Stop>, Error> {
        if let Some((code, function)) = self.stuck.get() {
            return Ok(Err(Stop::NoWay(Error::Pkcs11(*code, *function))));
        }
        let digest = Digest::of(self.kind.hash(), message);
        let settled = self.settled.load(Ordering::Relaxed);
        let (mut first, mut not_ended) = (None, None);
        let order = std::iter::once(settled).chain((0..self.steps.len()).filter(|step| *step != settled));
        for number in order {
            let Some((way, calls)) = self.steps.get(number).copied() else { continue };
            let data = match way {
                Way::OfHash => digest.bytes(),
                Way::OfMessage => message,
            };
            let step = match login {
                None => self.without_login(session, key, (way, calls), data),
                Some(login) => self.with_login(session, key, (way, calls), data, login),
            };
            let step = match (step, not_ended) {
                // What keeps it busy is the step before. After any other answer it is another thread.
                (Err(error), Some((code, function))) if answer::is_busy(&error) => {
                    self.stuck.get_or_init(|| (code, function));
                    return Ok(Err(Stop::NoWay(Error::Pkcs11(code, function))));
                }
                (step, _) => step?,
            };
            match step {
                Step::Signed(signature) => {
                    self.settled.store(number, Ordering::Relaxed);
                    return Ok(Ok(signature));
                }
                Step::Unknown(error) => {
                    if let (true, Error::Pkcs11(code, function)) = (answer::is_about_room(&error), &error) {
                        not_ended = Some((*code, *function));
                    }
                    first.get_or_insert(error);
                }
                Step::Stopped(stop) => return Ok(Err(stop)),
            }
        }
        let answer = first.unwrap_or(Error::NotSupported);
        // That a login is wanted is known, and without `C_Sign` by itself nothing here can give it.
        let stop = match (login, &self.single_part) {
            (Some(_), None) => Stop::WantsLogin(answer),
            _ => Stop::NoWay(answer),
        };
        Ok(Err(stop))
    }

    fn without_login(
        &self,
        session: &Session,
        key: ObjectHandle,
        (way, calls): (Way, Calls),
        data: &[u8],
    ) -> Result<Step, Error> {
        let result = match calls {
            Calls::One => session.sign(&mechanism(self.kind, way), key, data),
            Calls::Several => self.begin(session, key, way).and_then(|()| in_several(session, data)),
        };
        match result {
            Err(error) if answer::code(&error) == Some(RvError::UserNotLoggedIn) && is_logged_in(session) => {
                Ok(Step::Stopped(Stop::WantsLogin(error)))
            }
            result => outcome(session, result),
        }
    }

    fn with_login(
        &self,
        session: &Session,
        key: ObjectHandle,
        (way, calls): (Way, Calls),
        data: &[u8],
        login: &Login,
    ) -> Result<Step, Error> {
        let single_part = match (calls, &self.single_part) {
            (Calls::One, None) => return Ok(Step::Unknown(Error::NotSupported)),
            (Calls::One, Some(single_part)) => Some(single_part),
            (Calls::Several, _) => None,
        };
        if let Err(error) = self.begin(session, key, way) {
            return outcome(session, Err(error));
        }
        if let Err(error) = login.for_one_signature(session) {
            end(session);
            return Ok(Step::Stopped(Stop::SignatureLogin(error)));
        }
        let result = match single_part {
            Some(single_part) => single_part.sign(session, data),
            None => in_several(session, data),
        };
        outcome(session, result)
    }

    fn begin(&self, session: &Session, key: ObjectHandle, way: Way) -> Result<(), Error> {
        session.sign_init(&mechanism(self.kind, way), key)
    }
}

/// All steps, the likeliest first. Those in several calls come last: the standard has them only for mechanisms that hash,
/// but some modules have them for all.
fn steps(kind: KeyKind, mechanisms: &Mechanisms) -> Vec<(Way, Calls)> {
    let [first, second] = mechanisms.ways(kind);
    let mut steps = vec![(first, Calls::One), (second, Calls::One), (Way::OfMessage, Calls::Several)];
    steps.push((Way::OfHash, Calls::Several));
    if mechanisms.has(kind, Way::OfMessage) == Some(false) {
        steps.retain(|step| *step != (Way::OfMessage, Calls::Several));
    }
    steps
}

/// Whether a key that wants the PIN at every signature can be given it without `C_Sign` by itself: by a mechanism that
/// hashes, which the standard allows in several calls.
pub(super) fn signs_in_several_calls(kind: KeyKind, mechanisms: &Mechanisms) -> bool {
    mechanisms.has(kind, Way::OfMessage) == Some(true)
}

fn in_several(session: &Session, data: &[u8]) -> Result<Vec<u8>, Error> {
    session.sign_update(data)?;
    session.sign_final()
}

/// What the answer to a step means.
fn outcome(session: &Session, result: Result<Vec<u8>, Error>) -> Result<Step, Error> {
    let error = match result {
        Ok(signature) => return Ok(Step::Signed(signature)),
        Err(error) => error,
    };
    match answer::code(&error) {
        Some(RvError::BufferTooSmall | RvError::OperationActive) => {
            end(session);
            if answer::is_busy(&error) { Err(error) } else { Ok(Step::Unknown(error)) }
        }
        _ if is_unknown(&error) => Ok(Step::Unknown(error)),
        _ => Err(error),
    }
}

/// Ends what was begun in `session` and not finished: modules end it when it is gone on with in a way that is not its own,
/// and those that can go on make a signature of nothing, which is thrown away.
fn end(session: &Session) {
    // Whether there was anything to end is no matter.
    let _ = session.sign_update(&[]);
    let _ = session.sign_final();
}

/// Whether the answer says that the module has not got the mechanism or the call.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::NullFunctionPointer | Error::NotSupported)
        || matches!(
            answer::code(error),
            Some(
                RvError::MechanismInvalid
                    | RvError::MechanismParamInvalid
                    | RvError::FunctionNotSupported
                    | RvError::FunctionNotParallel
                    | RvError::KeyTypeInconsistent
                    | RvError::KeyFunctionNotPermitted
                    | RvError::DataInvalid
                    | RvError::DataLenRange
                    | RvError::ArgumentsBad
                    | RvError::OperationNotInitialized
            )
        )
}

/// Whether the user is logged in, as far as the session tells.
pub(super) fn is_logged_in(session: &Session) -> bool {
    session
        .get_session_info()
        .is_ok_and(|info| matches!(info.session_state(), SessionState::RoUser | SessionState::RwUser))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_every_way_is_tried_before_a_mechanism_is_missing() {
        let steps = steps(KeyKind::P256, &Mechanisms::default());
        assert_eq!(steps[0], (Way::OfHash, Calls::One));
        for way in [Way::OfHash, Way::OfMessage] {
            for calls in [Calls::One, Calls::Several] {
                assert!(steps.contains(&(way, calls)), "{way:?} {calls:?}");
            }
        }
    }

    #[test]
    fn only_answers_about_what_a_module_has_not_lead_to_another_way() {
        let answered = |code| is_unknown(&Error::Pkcs11(code, cryptoki::context::Function::SignInit));
        for code in [RvError::MechanismInvalid, RvError::FunctionNotSupported, RvError::OperationNotInitialized] {
            assert!(answered(code), "{code:?}");
        }
        // A person may have said no, or not have been there.
        for code in [RvError::FunctionFailed, RvError::GeneralError, RvError::FunctionCanceled, RvError::PinIncorrect] {
            assert!(!answered(code), "{code:?}");
        }
    }
}
