//! What a token says of itself, as data: `CK_TOKEN_INFO` without what it is padded with.
//!
//! The standard (PKCS #11, section 3.2) pads labels, models, manufacturers and serial numbers with blanks. Modules also pad
//! with NUL, as C ends its texts, and leave in what an earlier text had behind it; all of that is cut off here. Bytes that
//! are no UTF-8 come as U+FFFD, since the library under this keeps no others.

use std::fmt;

use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::slot::{Limit, Slot, TokenInfo};

use crate::failure::quote;

/// A token in its slot, and what it says of itself. The texts are from outside: quote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenInformation {
    /// The number of the slot, which may be another after the module is started again.
    pub(crate) slot_id: u64,
    pub(crate) label: String,
    pub(crate) serial: String,
    pub(crate) model: String,
    pub(crate) manufacturer: String,
    /// Whether keys are seen and used only after `C_Login`.
    pub(crate) login_required: bool,
    /// Whether a PIN pad, a fingerprint reader or the module itself asks for the PIN.
    pub(crate) pin_pad: bool,
    pub(crate) initialized: bool,
    pub(crate) pin_set: bool,
    pub(crate) pin: PinState,
    pub(crate) write_protected: bool,
    /// How many sessions may be open; `None` if that is not limited, or not said.
    pub(crate) most_sessions: Option<u64>,
}

/// How many wrong PINs there were, as far as tokens tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinState {
    /// None, or the token does not tell.
    Untouched,
    /// At least one since the last right one.
    FewTriesLeft,
    /// The next wrong one locks the token.
    LastTry,
    /// No PIN is taken any more.
    Locked,
}

impl TokenInformation {
    /// Whether there is a token. Some modules list empty slots as tokens, and some never say that one is initialized.
    pub(crate) fn is_made(&self) -> bool {
        self.initialized || !self.label.is_empty()
    }

    /// Asks the token in `slot`.
    ///
    /// # Errors
    ///
    /// What the module answers.
    pub(crate) fn read(module: &Pkcs11, slot: Slot) -> Result<TokenInformation, Error> {
        Ok(TokenInformation::of(slot.id(), &module.get_token_info(slot)?))
    }

    fn of(slot_id: u64, info: &TokenInfo) -> TokenInformation {
        let pin = match () {
            () if info.user_pin_locked() => PinState::Locked,
            () if info.user_pin_final_try() => PinState::LastTry,
            () if info.user_pin_count_low() => PinState::FewTriesLeft,
            () => PinState::Untouched,
        };
        TokenInformation {
            slot_id,
            label: unpadded(info.label()),
            serial: unpadded(info.serial_number()),
            model: unpadded(info.model()),
            manufacturer: unpadded(info.manufacturer_id()),
            login_required: info.login_required(),
            pin_pad: info.protected_authentication_path(),
            initialized: info.token_initialized(),
            pin_set: info.user_pin_initialized(),
            pin,
            write_protected: info.write_protected(),
            most_sessions: match info.max_session_count() {
                Limit::Max(most) => Some(most),
                Limit::Unavailable | Limit::Infinite => None,
            },
        }
    }

    /// What messages call the token: its label, quoted, or what else it has.
    pub(crate) fn name(&self) -> String {
        match (self.label.is_empty(), self.serial.is_empty()) {
            (false, _) => quote(&self.label),
            (true, false) => format!("with the serial number {}", quote(&self.serial)),
            (true, true) => format!("in the slot {}", self.slot_id),
        }
    }
}

/// All that tells the token from others: `"ci" (serial number "5d…", model "SoftHSM v2", slot-id 12)`.
impl fmt::Display for TokenInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |text: &str| if text.is_empty() { "none".to_owned() } else { quote(text) };
        let label = if self.label.is_empty() { "one without a label".to_owned() } else { quote(&self.label) };
        let (serial, model) = (told(&self.serial), told(&self.model));
        write!(f, "{label} (serial number {serial}, model {model}, slot-id {})", self.slot_id)
    }
}

/// `text` without what it is padded with: all from the first NUL on, and blanks at the end.
pub(super) fn unpadded(text: &str) -> String {
    let text = text.split('\0').next().unwrap_or_default();
    text.trim_end_matches(' ').to_owned()
}

/// A token for tests.
#[cfg(test)]
pub(super) fn token(label: &str, serial: &str, slot_id: u64) -> TokenInformation {
    TokenInformation {
        slot_id,
        label: label.to_owned(),
        serial: serial.to_owned(),
        model: "SoftHSM v2".to_owned(),
        manufacturer: "SoftHSM project".to_owned(),
        login_required: true,
        pin_pad: false,
        initialized: true,
        pin_set: true,
        pin: PinState::Untouched,
        write_protected: false,
        most_sessions: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s11_texts_are_read_without_what_they_are_padded_with() {
        for (padded, text) in
            [("ci", "ci"), ("ci\0\0\0", "ci"), ("ci   ", "ci"), ("ci \0 x", "ci"), ("\0", ""), (" a b ", " a b")]
        {
            assert_eq!(unpadded(padded), text, "{padded:?}");
        }
    }

    #[test]
    fn s14_what_tells_tokens_apart_is_shown() {
        let shown = token("ci", "5d\u{1b}", 12).to_string();
        assert_eq!(shown, "\"ci\" (serial number \"5d\\u{1b}\", model \"SoftHSM v2\", slot-id 12)");
        assert_eq!(token("", "5d", 12).name(), "with the serial number \"5d\"");
        assert_eq!(token("", "", 12).name(), "in the slot 12");
        assert!(token("", "", 12).to_string().starts_with("one without a label (serial number none, "));
    }
}
