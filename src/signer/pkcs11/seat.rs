//! Where a key is: the module, the token, a session in which the user is logged in, and the keys that may be meant.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cryptoki::error::RvError;
use cryptoki::session::Session;

use super::super::{Environment, SignerError, VerifyingKey};
use super::key::{self, Choice, Names, Public};
use super::mechanisms::Mechanisms;
use super::module::Module;
use super::pin::{self, Login};
use super::sessions::{Seated, Source as _};
use super::signing;
use super::token::Token;
use super::{Uri, answer};
use crate::limits;

/// After what time a token is asked again whose sessions are all taken.
const PAUSE: Duration = Duration::from_millis(100);

/// What was found on the way to a key. The session is the one that logged in.
pub(super) struct Seat {
    pub(super) token: Token,
    pub(super) source: Seated,
    pub(super) session: Session,
    /// `None` where nothing was needed to use the key.
    pub(super) login: Option<Login>,
    pub(super) choice: Choice,
    pub(super) mechanisms: Mechanisms,
    pub(super) warnings: Vec<String>,
}

impl Seat {
    /// Whether keys that want the PIN at every signature can be given it in calls that the standard has for all modules.
    pub(super) fn can_sign_in_several_calls(&self) -> bool {
        let kinds = match &self.choice.public {
            Public::Stated(key) | Public::Certified(key) => vec![key.kind()],
            Public::OneOf(keys) => keys.iter().map(VerifyingKey::kind).collect(),
        };
        kinds.into_iter().all(|kind| signing::signs_in_several_calls(kind, &self.mechanisms))
    }
}

/// Takes the way from `module` to the keys that `uri` may mean, and waits for a token whose sessions are all taken, for
/// [`limits::TOKEN_WAIT`] at most.
pub(super) fn take(
    module: &Arc<Module>,
    uri: &Uri,
    environment: &Environment,
    certified: Option<&VerifyingKey>,
) -> Result<Seat, SignerError> {
    let started = Instant::now();
    loop {
        let turn = module.turn();
        let taken = take_once(module, uri, environment, certified);
        drop(turn);
        match taken {
            Err(SignerError::SessionLimit(_)) if started.elapsed() < limits::TOKEN_WAIT => thread::sleep(PAUSE),
            taken => return taken,
        }
    }
}

fn take_once(
    module: &Arc<Module>,
    uri: &Uri,
    environment: &Environment,
    certified: Option<&VerifyingKey>,
) -> Result<Seat, SignerError> {
    let mut warnings = Vec::new();
    let token = Token::find(&module.library, uri)?;
    let name = token.name();
    let source = Seated::new(Arc::clone(module), &token);
    let mut session = source.open().map_err(|error| answer::meaning(&error, &name))?;
    let mut login = None;
    if token.info.login_required {
        let prepared = Login::prepare(&token, uri, environment, &mut warnings)?;
        session = log_in(module, &token, &source, session, &prepared)?;
        login = Some(prepared);
    }
    let key_name = format!("{} in the token {name}", uri.key_in_words());
    let names = Names { token: &name, key: &key_name };
    let choice = match key::find(&session, uri, names, certified) {
        // Some tokens say that no login is needed, and show nothing without.
        Err(not_found @ SignerError::KeyNotFound { .. }) if login.is_none() => {
            let Ok(prepared) = Login::prepare(&token, uri, environment, &mut warnings) else { return Err(not_found) };
            session = log_in(module, &token, &source, session, &prepared)?;
            login = Some(prepared);
            key::find(&session, uri, names, certified)?
        }
        choice => choice?,
    };
    if login.is_none() && choice.wants_pin_each_time() {
        login = Some(Login::prepare(&token, uri, environment, &mut warnings)?);
    }
    let mechanisms = Mechanisms::read(&module.library, token.slot);
    Ok(Seat { token, source, session, login, choice, mechanisms, warnings })
}

/// Logs in, in a session that may write where the token wants that.
pub(super) fn log_in(
    module: &Module,
    token: &Token,
    source: &Seated,
    session: Session,
    login: &Login,
) -> Result<Session, SignerError> {
    let refusal = |error| login.refusal(&error, pin::state_after(&module.library, token).as_ref());
    match login.as_user(&session) {
        Ok(()) => Ok(session),
        Err(error) if answer::code(&error) == Some(RvError::SessionReadOnly) => {
            drop(session);
            let session = source.open_to_write().map_err(|error| answer::meaning(&error, &token.name()))?;
            login.as_user(&session).map_err(refusal)?;
            Ok(session)
        }
        Err(error) => Err(refusal(error)),
    }
}
