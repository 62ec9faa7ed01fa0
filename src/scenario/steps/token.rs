//! `token`: has something happen to the token of a key, now or after so many signatures.
//!
//! What is real of it and what is played says [`crate::scenario::world::TokenCondition`]'s module.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::names::KEY;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Custodian, Keystore, Needs, TokenCondition, World};

/// `token`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawToken {
    /// The key whose token it is; builder if left out.
    key: Option<Spanned<String>>,
    /// What is the matter with it from now on.
    is: TokenCondition,
    /// After how many more signatures that begins; at once if left out.
    after: Option<Spanned<u32>>,
}

/// What happens to a token.
#[derive(Debug)]
pub(in crate::scenario) struct TokenChange {
    key: usize,
    is: TokenCondition,
    after: u32,
}

impl RawToken {
    /// The name of the key.
    pub(super) fn key(&self) -> &str {
        self.key.as_ref().map_or(KEY, |key| key.value.as_str())
    }
}

impl Written for RawToken {
    type Checked = TokenChange;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<TokenChange> {
        let place = reader.place_of(self.key.as_ref());
        let key = reader.key(self.key(), &place)?;
        if reader.things.keys[key].keystore != Keystore::SoftHsm {
            let message = format!("the key {} is in no token", quote(self.key()));
            reader.findings.error(Rule::Contradiction, &place, message, "add keystore: softhsm to it");
        }
        if reader.things.keys[key].has_policy() {
            let message =
                format!("the key {} is behind a gateway, which does not get into such trouble", quote(self.key()));
            reader.findings.error(Rule::Contradiction, &place, message, "use gateway, or remove the policy of the key");
        }
        let at_login = matches!(self.is, TokenCondition::WrongPin | TokenCondition::RightPin | TokenCondition::Sound);
        if let Some(after) = self.after.as_ref().filter(|_| at_login) {
            let message = format!("{} shows when the key is opened, and not after signatures", self.is.as_str());
            reader.findings.error(Rule::Contradiction, &after.range, message, "remove after");
        }
        Some(TokenChange { key, is: self.is, after: self.after.as_ref().map_or(0, |after| after.value) })
    }
}

impl Step for TokenChange {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        needs.troubled_tokens.insert(self.key);
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        match world.custodians.get(&self.key) {
            Some(Custodian::Token(token)) => token.change(self.is, self.after),
            _ => Err("the key is in no token".to_owned()),
        }
    }
}
