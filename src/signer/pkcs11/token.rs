//! Finding the token that a URI describes, among all slots of a module.

use cryptoki::context::Pkcs11;
use cryptoki::slot::Slot;

use super::super::SignerError;
use super::token_information::{TokenInformation, unpadded};
use super::{Uri, answer};

/// A token and the slot it is in for now.
pub(super) struct Token {
    pub(super) slot: Slot,
    pub(super) info: TokenInformation,
}

/// The tokens of a module.
pub(super) struct Tokens {
    pub(super) tokens: Vec<Token>,
    /// What those answered that did not say what they are.
    pub(super) silent: Vec<String>,
}

impl Tokens {
    /// Asks the module for its slots, and then each token what it is. Those that were never initialized are left out, unless
    /// they have a label all the same: some modules never set that flag.
    ///
    /// # Errors
    ///
    /// What the module answers, in words.
    pub(super) fn of(module: &Pkcs11) -> Result<Tokens, String> {
        let slots = slots(module)?;
        let mut found = Tokens { tokens: Vec::new(), silent: Vec::new() };
        for slot in slots {
            match TokenInformation::read(module, slot) {
                Ok(info) if !info.is_made() => {}
                Ok(info) => found.tokens.push(Token { slot, info }),
                Err(error) => found.silent.push(answer::in_words(&error)),
            }
        }
        Ok(found)
    }
}

/// The slots of a module that have a token; the error is its answer.
pub(super) fn slots(module: &Pkcs11) -> Result<Vec<Slot>, String> {
    answer::or_nonsense(|| module.get_slots_with_token()).map_err(|error| answer::in_words(&error))
}

impl Token {
    /// The one token that `uri` describes.
    pub(super) fn find(module: &Pkcs11, uri: &Uri) -> Result<Token, SignerError> {
        let wanted = uri.token_in_words();
        let not_found = |present: String| SignerError::TokenNotFound { wanted: wanted.clone(), present };
        let Tokens { tokens, silent } =
            Tokens::of(module).map_err(|answer| not_found(format!("the module names no slots ({answer})")))?;
        let described = |token: &Token| describes_token(uri, &token.info) && describes_slot(uri, module, token.slot);
        let (mut found, others): (Vec<Token>, Vec<Token>) = tokens.into_iter().partition(described);
        // One that says that it is in use is rather meant than one that does not.
        if found.iter().any(|token| token.info.initialized) {
            found.retain(|token| token.info.initialized);
        }
        match (found.pop(), found.len()) {
            (Some(token), 0) => Ok(token),
            (Some(token), more) => {
                found.push(token);
                let way = way_to_one(&found.iter().map(|token| &token.info).collect::<Vec<_>>());
                Err(SignerError::SeveralTokens { wanted, count: more + 1, present: shown(&found), way })
            }
            (None, _) => Err(not_found(present(&others, &silent))),
        }
    }

    /// What messages call the token.
    pub(super) fn name(&self) -> String {
        self.info.name()
    }
}

/// The attributes that a URI needs besides so that one of `tokens` is meant.
fn way_to_one(tokens: &[&TokenInformation]) -> String {
    let differ = |of: fn(&TokenInformation) -> &str| {
        let mut values: Vec<&str> = tokens.iter().map(|token| of(token)).collect();
        values.sort_unstable();
        let count = values.len();
        values.dedup();
        values.len() == count && !values.contains(&"")
    };
    if differ(|token| &token.serial) {
        "add serial=… to the URI to tell them apart".to_owned()
    } else if differ(|token| &token.label) {
        "add token=… (the label) to the URI to tell them apart".to_owned()
    } else {
        "their serial numbers do not tell them apart: add slot-id=… to the URI, and look whether it is still right after \
         tokens were added or taken away"
            .to_owned()
    }
}

fn describes_token(uri: &Uri, info: &TokenInformation) -> bool {
    fits(uri.token.as_ref(), &info.label)
        && fits(uri.serial.as_ref(), &info.serial)
        && fits(uri.manufacturer.as_ref(), &info.manufacturer)
        && fits(uri.model.as_ref(), &info.model)
}

/// Whether a text is the one that is wanted, if one is; blanks at the end are padding on both sides.
fn fits(wanted: Option<&String>, found: &str) -> bool {
    wanted.is_none_or(|wanted| unpadded(wanted) == found)
}

fn describes_slot(uri: &Uri, module: &Pkcs11, slot: Slot) -> bool {
    if uri.slot_id.is_some_and(|wanted| wanted != slot.id()) {
        return false;
    }
    if uri.slot_description.is_none() && uri.slot_manufacturer.is_none() {
        return true;
    }
    module.get_slot_info(slot).is_ok_and(|info| {
        fits(uri.slot_description.as_ref(), &unpadded(info.slot_description()))
            && fits(uri.slot_manufacturer.as_ref(), &unpadded(info.manufacturer_id()))
    })
}

/// Which tokens there are instead.
fn present(others: &[Token], silent: &[String]) -> String {
    let mut words = match others {
        [] => {
            "the module shows none: check that the token is connected, and that the module's configuration leads to it"
                .to_owned()
        }
        others => format!("the module shows {}: correct the URI, or connect the token", shown(others)),
    };
    if let Some(answer) = silent.first() {
        words.push_str(&format!("; {} more did not say what they are ({answer})", silent.len()));
    }
    words
}

/// The tokens with what tells them apart.
fn shown(tokens: &[Token]) -> String {
    let mut names: Vec<String> = tokens.iter().map(|token| token.info.to_string()).collect();
    names.sort();
    listed(&names)
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

#[cfg(test)]
mod tests {
    use super::super::token_information::token;
    use super::*;

    #[test]
    fn s14_the_way_to_one_token_is_the_one_that_works() {
        for (tokens, way) in [
            ([token("ci", "1", 1), token("ci", "2", 2)], "add serial="),
            ([token("ci", "1", 1), token("cd", "1", 2)], "add token="),
            ([token("ci", "1", 1), token("ci", "1", 2)], "slot-id="),
            ([token("ci", "", 1), token("ci", "", 2)], "slot-id="),
            ([token("ci", "", 1), token("ci", "2", 2)], "slot-id="),
        ] {
            let said = way_to_one(&tokens.iter().collect::<Vec<_>>());
            assert!(said.contains(way), "{said}");
        }
    }

    #[test]
    fn blanks_at_the_end_are_padding() {
        let wanted = |text: &str| Some(text.to_owned());
        assert!(fits(wanted("ci  ").as_ref(), "ci") && fits(wanted("").as_ref(), "") && fits(None, "ci"));
        assert!(!fits(wanted("").as_ref(), "ci") && !fits(wanted("c").as_ref(), "ci"));
    }
}
