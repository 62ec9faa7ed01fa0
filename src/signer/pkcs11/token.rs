//! Finding the token that a URI describes, among all slots of a module.

use cryptoki::context::Pkcs11;
use cryptoki::slot::{Slot, TokenInfo};

use super::super::SignerError;
use super::{Uri, answer};
use crate::failure::quote;

/// A token and the slot it is in for now.
pub(super) struct Token {
    pub(super) slot: Slot,
    pub(super) info: TokenInfo,
}

impl Token {
    /// The one token that `uri` describes.
    pub(super) fn find(module: &Pkcs11, uri: &Uri) -> Result<Token, SignerError> {
        let wanted = uri.token_in_words();
        let not_found = |present: String| SignerError::TokenNotFound { wanted: wanted.clone(), present };
        let slots = module
            .get_slots_with_token()
            .map_err(|error| not_found(format!("the module names no slots ({})", answer::in_words(&error))))?;
        let (mut found, mut others, mut silent) = (Vec::new(), Vec::new(), Vec::new());
        for slot in slots {
            match module.get_token_info(slot) {
                Ok(info) if !info.token_initialized() => {}
                Ok(info) if describes_token(uri, &info) && describes_slot(uri, module, slot) => {
                    found.push(Token { slot, info });
                }
                Ok(info) => others.push(quote(info.label())),
                Err(error) => silent.push(answer::in_words(&error)),
            }
        }
        match (found.pop(), found.len()) {
            (Some(token), 0) => Ok(token),
            (Some(_), more) => Err(SignerError::SeveralTokens { wanted, count: more + 1 }),
            (None, _) => Err(not_found(present(others, &silent))),
        }
    }

    /// The label, quoted, for messages.
    pub(super) fn name(&self) -> String {
        quote(self.info.label())
    }
}

fn describes_token(uri: &Uri, info: &TokenInfo) -> bool {
    let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    fits(&uri.token, info.label())
        && fits(&uri.serial, info.serial_number())
        && fits(&uri.manufacturer, info.manufacturer_id())
        && fits(&uri.model, info.model())
}

fn describes_slot(uri: &Uri, module: &Pkcs11, slot: Slot) -> bool {
    if uri.slot_id.is_some_and(|wanted| wanted != slot.id()) {
        return false;
    }
    if uri.slot_description.is_none() && uri.slot_manufacturer.is_none() {
        return true;
    }
    module.get_slot_info(slot).is_ok_and(|info| {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        fits(&uri.slot_description, info.slot_description()) && fits(&uri.slot_manufacturer, info.manufacturer_id())
    })
}

/// Which tokens there are instead.
fn present(mut labels: Vec<String>, silent: &[String]) -> String {
    labels.sort();
    let mut words = match labels.len() {
        0 => {
            "the module shows none: check that the token is connected, and that the module's configuration leads to it"
                .to_owned()
        }
        _ => format!("the module shows {}: correct the URI, or connect the token", listed(&labels)),
    };
    if let Some(answer) = silent.first() {
        words.push_str(&format!("; {} more did not say what they are ({answer})", silent.len()));
    }
    words
}

/// The first few of a list.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let mut list = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        list.push_str(&format!(" and {} more", names.len() - MOST));
    }
    list
}
