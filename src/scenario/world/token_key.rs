//! Keys in a token that gets into trouble: a token of SoftHSM for one key alone, opened and signed with as `muster sign` does.
//!
//! Real are the wrong PIN, the deleted key and the pulled token: SoftHSM itself refuses the PIN, another session destroys the key,
//! the token's files are moved away. What SoftHSM does not do is played in front of it: it never locks, is never slow, and has no
//! limit of sessions. The key is a copy of one in memory, so that no session is open before it signs, and its PIN is looked at.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use time::OffsetDateTime;

use super::SetupError;
use crate::failure::quote;
use crate::forge::softhsm::SoftToken;
use crate::forge::words::words;
use crate::forge::{Signer, pem};
use crate::limits;
use crate::sign::{KeyError, SigningKey};
use crate::signer::{Environment, PrivateKey, SignerError, VerifyingKey};
use crate::temporary::Folder;

words! {
    /// What is the matter with a token.
    pub(in crate::scenario) TokenCondition {
        /// Nothing: it is there, unlocked and quick. A key that was deleted stays so.
        Sound "sound"
        /// Who signs has a wrong PIN. After three of them the token is locked.
        WrongPin "wrong-pin"
        /// Who signs has the right PIN. A token that is locked stays so.
        RightPin "right-pin"
        /// Another program deletes the key.
        KeyDeleted "key-deleted"
        /// It is pulled.
        Pulled "pulled"
        /// It takes its time for each signature.
        Slow "slow"
        /// It gives no session, as others hold them all.
        SessionLimit "session-limit"
    }
}

/// A key in a token of its own.
#[derive(Debug)]
pub(in crate::scenario) struct TokenKey {
    uri: String,
    uri_with_wrong_pin: String,
    chain: PathBuf,
    trouble: Arc<Trouble>,
    /// Holds the chain.
    _folder: Folder,
}

/// What is the matter, and since when.
#[derive(Debug)]
struct Trouble {
    token: SoftToken,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    condition: TokenCondition,
    /// After how many more signatures it begins.
    after: u32,
    /// Whether it has begun.
    begun: bool,
    refused_pins: u32,
}

impl TokenKey {
    /// Puts the key of `signer`, which is in memory, into a new token.
    pub(super) fn make(signer: &Signer) -> Result<TokenKey, SetupError> {
        // A process may have made tokens for other cases.
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let hsm = super::keystore::softhsm()?;
        let token = hsm.token(&format!("muster scenario {}", NUMBER.fetch_add(1, Ordering::Relaxed)))?;
        let uri = token.import(&signer.key, "key")?;
        let uri_with_wrong_pin = token.with_wrong_pin(&uri)?;
        let failed = |error: std::io::Error| SetupError::Failed(format!("the chain of a key in a token: {error}"));
        let folder = Folder::new("muster-key-").map_err(failed)?;
        let chain = folder.path().join("chain.crt");
        let certificates: Vec<Vec<u8>> = signer.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
        std::fs::write(&chain, certificates.concat()).map_err(failed)?;
        let state = State { condition: TokenCondition::Sound, after: 0, begun: true, refused_pins: 0 };
        let trouble = Arc::new(Trouble { token, state: Mutex::new(state) });
        Ok(TokenKey { uri, uri_with_wrong_pin, chain, trouble, _folder: folder })
    }

    /// Has `condition` begin after so many signatures.
    pub(in crate::scenario) fn change(&self, condition: TokenCondition, after: u32) -> Result<(), String> {
        let mut state = self.trouble.lock();
        if state.condition == TokenCondition::Pulled && state.begun {
            self.trouble.token.plug_in().map_err(|error| format!("the token cannot be put back: {error}"))?;
            if condition != TokenCondition::Pulled && !self.trouble.token.is_found() {
                let why = "SoftHSM does not find a token again that was looked for while it was pulled";
                return Err(format!("{} cannot happen to the token: {why}", condition.as_str()));
            }
        }
        if condition == TokenCondition::Sound {
            state.refused_pins = 0;
        }
        (state.condition, state.after, state.begun) = (condition, after, false);
        if after == 0 { self.trouble.begin(&mut state) } else { Ok(()) }
    }

    /// Opens the key to sign at `now`. Blocks.
    ///
    /// # Errors
    ///
    /// What `muster sign` says where it cannot open it.
    pub(super) fn open(&self, now: OffsetDateTime) -> Result<SigningKey, KeyError> {
        let (is_locked, has_wrong_pin) = {
            let state = self.trouble.lock();
            let is_locked = state.refused_pins >= limits::SCENARIO_PIN_TRIES;
            (is_locked, state.condition == TokenCondition::WrongPin)
        };
        if is_locked {
            let reason = "is locked after too many wrong tries: have the token's officer unlock it".to_owned();
            let locked = SignerError::PinUnusable { token: quote(self.trouble.token.label()), reason };
            return Err(KeyError::Signer(locked));
        }
        let uri = if has_wrong_pin { &self.uri_with_wrong_pin } else { &self.uri };
        // Module and PIN are in the URI; those of the environment are for other tokens.
        let opened = SigningKey::open(uri, &self.chain, &Environment::default(), now);
        if let Err(KeyError::Signer(SignerError::PinWrong { .. })) = &opened {
            self.trouble.lock().refused_pins += 1;
        }
        let trouble = Arc::clone(&self.trouble);
        Ok(opened?.behind(|key| Arc::new(TroubledKey { key, trouble })))
    }
}

impl Trouble {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings about what is real; what is played is looked up.
    fn begin(&self, state: &mut State) -> Result<(), String> {
        match state.condition {
            TokenCondition::KeyDeleted => self.token.destroy_keys().map_err(|error| error.to_string())?,
            TokenCondition::Pulled => {
                self.token.pull().map_err(|error| format!("the token cannot be pulled: {error}"))?;
            }
            _ => {}
        }
        state.begun = true;
        Ok(())
    }

    /// What the token is like for the next signature.
    fn next(&self) -> Result<TokenCondition, String> {
        let mut state = self.lock();
        if state.begun {
            return Ok(state.condition);
        }
        if state.after > 0 {
            state.after -= 1;
            return Ok(TokenCondition::Sound);
        }
        self.begin(&mut state)?;
        Ok(state.condition)
    }
}

/// A key in a token, behind what happens to the token.
#[derive(Debug)]
struct TroubledKey {
    key: Arc<dyn PrivateKey>,
    trouble: Arc<Trouble>,
}

impl PrivateKey for TroubledKey {
    fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let token = || quote(self.trouble.token.label());
        match self.trouble.next() {
            Ok(TokenCondition::SessionLimit) => return Err(SignerError::SessionLimit(token())),
            Ok(TokenCondition::Slow) => thread::sleep(limits::SCENARIO_SLOW_TOKEN),
            Ok(_) => {}
            Err(answer) => return Err(SignerError::Token { token: token(), answer }),
        }
        self.key.sign(message)
    }
}
