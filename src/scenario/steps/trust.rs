//! `trust`: puts certificates into a trust store, or takes them out, as its keeper does when keys and roots change.
//!
//! The store on disk changes, so that a verification behind the step sees it so, and one before it does not. What a store
//! holds is known when the scenario is read: what cannot be taken out is a slip, and said at its place.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::names::unknown;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Held, World, write_store};
use crate::trust_store::StoreName;

/// `trust`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawTrust {
    /// The trust store: `ca:wabbit-networks`. One that was missing is made, and one that was broken is written anew.
    store: Spanned<String>,
    /// The authorities, keys and time stamping authorities whose certificates are put into it.
    #[serde(default)]
    add: Vec<Spanned<String>>,
    /// Those whose certificates are taken out of it.
    #[serde(default)]
    remove: Vec<Spanned<String>>,
}

/// What a trust store holds from now on.
#[derive(Debug)]
pub(in crate::scenario) struct Trust {
    store: StoreName,
    held: Vec<Held>,
}

impl Written for RawTrust {
    type Checked = Trust;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Trust> {
        let store: StoreName = match self.store.value.parse() {
            Ok(store) => store,
            Err(error) => {
                let message = format!("{error}");
                reader.findings.error(Rule::Store, &self.store.range, message, "write ca:wabbit-networks");
                return None;
            }
        };
        let Some(before) = reader.stores.get(&store).cloned() else {
            let known: Vec<String> = reader.stores.keys().map(ToString::to_string).collect();
            let known = known.iter().map(String::as_str);
            unknown("trust store", &self.store.value, &self.store.range, known, reader.findings);
            return None;
        };
        if self.add.is_empty() && self.remove.is_empty() {
            let message = format!("nothing of {} is changed", quote(&self.store.value));
            reader.findings.error(Rule::Store, &self.store.range, message, "add what is to be added or removed");
        }
        let mut held = before.clone();
        for name in &self.remove {
            let Some(holder) = reader.things.holder(name, reader.findings).map(Held::By) else { continue };
            match held.iter().position(|known| *known == holder) {
                Some(position) => drop(held.remove(position)),
                None => {
                    let message = format!("{} does not hold {} here", self.store.value, quote(&name.value));
                    reader.findings.error(Rule::Store, &name.range, message, "remove what it holds, each once");
                }
            }
        }
        for name in &self.add {
            let Some(holder) = reader.things.holder(name, reader.findings).map(Held::By) else { continue };
            if before.contains(&holder) || held.contains(&holder) {
                let message = format!("{} holds {} already", self.store.value, quote(&name.value));
                reader.findings.error(Rule::Store, &name.range, message, "once is enough");
                continue;
            }
            held.push(holder);
        }
        reader.stores.insert(store.clone(), held.clone());
        Some(Trust { store, held })
    }
}

impl Step for Trust {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        write_store(&world.stores, &self.store, &self.held, &world.holders)
            .map_err(|error| format!("the trust store {}: {error}", self.store))
    }
}
