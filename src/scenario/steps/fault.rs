//! `fault`: makes an embedded registry answer wrongly, or not at all, to some requests from now on.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::forge::registry::{Effect, Fault};
use crate::scenario::placed::Placed;
use crate::scenario::validate::REGISTRY;
use crate::scenario::words::{Answer, Route};
use crate::scenario::world::World;

/// How late an answer is that is to be silence.
const LATE: std::time::Duration = std::time::Duration::from_secs(30);

/// `fault`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawFault {
    /// The registry; registry.wabbit-networks.io if left out.
    registry: Option<Placed<String>>,
    /// Which requests.
    on: Route,
    /// What it answers.
    answer: Answer,
    /// How many requests it befalls; all if left out.
    times: Option<Placed<u32>>,
}

/// A fault of the registry at a host; `times` is `usize::MAX` where it stays.
#[derive(Debug)]
pub(in crate::scenario) struct RegistryFault {
    pub(in crate::scenario) registry: String,
    route: Route,
    pub(in crate::scenario) answer: Answer,
    pub(in crate::scenario) times: usize,
}

impl Written for RawFault {
    type Checked = RegistryFault;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<RegistryFault> {
        let (registry, range) = match &self.registry {
            Some(host) => (host.value.as_str(), host.range.clone()),
            None => (REGISTRY, 0..0),
        };
        reader.registry(registry, &range)?;
        let times = self.times.as_ref().map_or(usize::MAX, |times| times.value as usize);
        Some(RegistryFault { registry: registry.to_owned(), route: self.on, answer: self.answer, times })
    }
}

impl Step for RegistryFault {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        let embedded = world.registry(&self.registry)?.embedded.as_ref();
        let embedded = embedded.ok_or("only an embedded registry has faults on demand")?;
        let effect = match self.answer {
            Answer::Unauthorized => Effect::Status(401, None),
            Answer::Forbidden => Effect::Status(403, None),
            Answer::Unavailable => Effect::Status(503, None),
            Answer::Silence => Effect::Delay(LATE),
            Answer::WrongDigest => Effect::WrongDigest,
            Answer::Corrupt => Effect::CorruptBody,
            Answer::CutOff => Effect::CutBody,
        };
        embedded.fail(Fault { route: Some(self.route.kind()), every: 1, times: self.times, effect });
        Ok(())
    }
}
