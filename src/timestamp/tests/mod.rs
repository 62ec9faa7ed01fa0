mod chain;
mod draft;
mod recorded;
mod token;

use super::{Token, VerifiedTimestamp, verify};
use crate::failure::{Code, Failure};
use draft::{Draft, MESSAGE};

fn verified(draft: &Draft) -> Result<VerifiedTimestamp, Failure> {
    verify(&Token(draft.seal()), MESSAGE, &[&draft.root])
}

/// Departs from a sound token by `change`, and expects to be refused for this reason, in these words.
#[track_caller]
fn refused(change: impl FnOnce(&mut Draft), code: Code, words: &str) {
    let mut draft = Draft::sound();
    change(&mut draft);
    let failure = verified(&draft).unwrap_err();
    assert!(failure.code == code && failure.message.contains(words), "{}: {failure}", failure.code);
}
