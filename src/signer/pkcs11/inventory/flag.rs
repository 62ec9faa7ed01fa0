//! The peculiarities of a token that matter to who signs with it, with a stable word and a meaning for each.

use super::super::token_information::{PinState, TokenInformation};

/// A peculiarity of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// It does not say that a token has been made of it.
    NotInitialized,
    /// Its keys are seen and used without a login.
    NoLogin,
    /// The PIN is given on a pad of its own.
    PinPad,
    /// The user's PIN was never set.
    PinNeverSet,
    /// A wrong PIN was given since the last right one.
    PinCountLow,
    /// One more wrong PIN locks it.
    PinFinalTry,
    /// It is locked.
    PinLocked,
    /// Nothing can be written to it.
    WriteProtected,
}

impl Flag {
    /// Those of a token.
    pub(crate) fn of(token: &TokenInformation) -> Vec<Flag> {
        let all = [
            (!token.initialized, Flag::NotInitialized),
            (token.initialized && !token.login_required, Flag::NoLogin),
            (token.pin_pad, Flag::PinPad),
            (token.initialized && token.login_required && !token.pin_set, Flag::PinNeverSet),
            (token.pin == PinState::FewTriesLeft, Flag::PinCountLow),
            (token.pin == PinState::LastTry, Flag::PinFinalTry),
            (token.pin == PinState::Locked, Flag::PinLocked),
            (token.write_protected, Flag::WriteProtected),
        ];
        all.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect()
    }

    /// The stable word of reports.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Flag::NotInitialized => "not-initialized",
            Flag::NoLogin => "no-login",
            Flag::PinPad => "pin-pad",
            Flag::PinNeverSet => "pin-never-set",
            Flag::PinCountLow => "pin-count-low",
            Flag::PinFinalTry => "pin-final-try",
            Flag::PinLocked => "pin-locked",
            Flag::WriteProtected => "write-protected",
        }
    }

    /// What it means, for people: a clause about the token.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Flag::NotInitialized => "it does not say that it is initialized",
            Flag::NoLogin => "it wants no login",
            Flag::PinPad => "it has a PIN pad of its own",
            Flag::PinNeverSet => "its user PIN was never set: set one with the vendor's tools",
            Flag::PinCountLow => "a wrong PIN was given since the last right one",
            Flag::PinFinalTry => "one more wrong PIN locks it",
            Flag::PinLocked => "its user PIN is locked",
            Flag::WriteProtected => "it is write-protected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::token_information::token;
    use super::*;

    #[test]
    fn a_token_without_peculiarities_has_no_flags() {
        let plain = token("ci", "1", 1);
        assert_eq!(Flag::of(&plain), []);
        let peculiar = TokenInformation { pin_pad: true, pin: PinState::LastTry, pin_set: false, ..plain.clone() };
        assert_eq!(Flag::of(&peculiar), [Flag::PinPad, Flag::PinNeverSet, Flag::PinFinalTry]);
        let empty = TokenInformation { initialized: false, pin_set: false, login_required: false, ..plain };
        assert_eq!(Flag::of(&empty), [Flag::NotInitialized]);
    }
}
