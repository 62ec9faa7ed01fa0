//! `advance`: lets time pass on the scenario's clock, which is the only clock that verdicts depend on.

use time::Duration;

use super::reader::Reader;
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::scalar::{Span, later};
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// How much time passes; not negative.
#[derive(Debug)]
pub(in crate::scenario) struct Advance(Duration);

impl Written for Spanned<Span> {
    type Checked = Advance;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Advance> {
        if self.value.0 < Duration::ZERO {
            let message = "time does not go backwards".to_owned();
            reader.findings.error(Rule::Value, &self.range, message, "advance by a length of time without -");
        }
        Some(Advance(self.value.0))
    }
}

impl Step for Advance {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        world.clock = later(world.clock, self.0)?;
        world.responders.set_now(world.clock);
        Ok(())
    }
}
