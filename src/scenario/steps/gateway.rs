//! `gateway`: makes the gateway of keys that need approvals answer signers wrongly, or blocks and unblocks a key there.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::forge::gateway::{GatewayCall, GatewayFault};
use crate::forge::words::words;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Custodian, Needs, World};

words! {
    /// How a gateway answers from now on.
    pub(super) GatewayAnswer {
        /// Soundly.
        Sound "sound"
        /// With the signature of another key.
        AnotherKey "another-key"
        /// With an ECDSA signature as DER.
        Der "der"
        /// With an RSASSA-PSS signature whose salt is not as long as the hash.
        WrongSalt "wrong-salt"
        /// With no signature, though the request is executed.
        EmptyResult "empty-result"
        /// With status 401.
        Unauthorized "unauthorized"
        /// With status 403.
        Forbidden "forbidden"
        /// With status 404.
        NotFound "not-found"
        /// With status 429.
        TooManyRequests "too-many-requests"
        /// With status 503.
        Unavailable "unavailable"
        /// Not at all.
        Hang "hang"
        /// With half an answer.
        Closed "closed"
        /// With a status of the request that does not exist.
        UnknownStatus "unknown-status"
        /// Without end.
        Endless "endless"
    }
}

words! {
    /// What a signer asks a gateway.
    pub(super) GatewayQuestion {
        /// To sign.
        Sign "sign"
        /// How far the request has come.
        Poll "poll"
        /// To cancel the request.
        Cancel "cancel"
    }
}

/// `gateway`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawGateway {
    /// A key behind it; builder if left out.
    key: Option<Spanned<String>>,
    /// How it answers signers from now on, in the place of how it did before; as before if left out.
    answer: Option<Spanned<GatewayAnswer>>,
    /// To which question; to all if left out.
    on: Option<Spanned<GatewayQuestion>>,
    /// How many answers are so; all if left out.
    times: Option<Spanned<u32>>,
    /// Blocks the key, or unblocks it, as its administrator does.
    blocked: Option<Spanned<bool>>,
}

/// What happens at a gateway.
#[derive(Debug)]
pub(in crate::scenario) struct GatewayChange {
    key: usize,
    answer: Option<GatewayAnswer>,
    on: Option<GatewayQuestion>,
    times: Option<u32>,
    blocked: Option<bool>,
}

impl Written for RawGateway {
    type Checked = GatewayChange;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<GatewayChange> {
        let key = reader.key_behind_gateway(self.key.as_ref())?;
        if self.answer.is_none() && self.blocked.is_none() {
            let message = "this changes nothing".to_owned();
            reader.findings.error(Rule::Contradiction, &reader.place_of::<()>(None), message, "add answer or blocked");
        }
        let answer = self.answer.as_ref().map(|answer| answer.value);
        let takes_none = answer.is_none_or(|answer| answer == GatewayAnswer::Sound);
        let stated =
            [self.on.as_ref().map(|on| on.range.clone()), self.times.as_ref().map(|times| times.range.clone())];
        if let Some(range) = stated.into_iter().flatten().next().filter(|_| takes_none) {
            let message = "on and times say which answers are wrong, and none is".to_owned();
            reader.findings.error(Rule::Contradiction, &range, message, "add answer, or remove this");
        }
        if let Some(times) = self.times.as_ref().filter(|times| times.value == 0) {
            let message = "no question would be answered so".to_owned();
            reader.findings.error(Rule::Count, &times.range, message, "write 1 or more, or remove times for all");
        }
        Some(GatewayChange {
            key,
            answer,
            on: self.on.as_ref().map(|on| on.value),
            times: self.times.as_ref().map(|times| times.value),
            blocked: self.blocked.as_ref().map(|blocked| blocked.value),
        })
    }
}

impl Step for GatewayChange {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        needs.silent_gateway |= self.answer == Some(GatewayAnswer::Hang);
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let Some(Custodian::Gateway(held)) = world.custodians.get(&self.key) else {
            return Err("the key is behind no gateway".to_owned());
        };
        held.gateway().set_time(world.clock);
        if let Some(blocked) = self.blocked {
            held.set_blocked(blocked)?;
        }
        if self.answer.is_some() {
            held.gateway().behave();
        }
        match (self.answer.map(GatewayAnswer::fault), self.on) {
            (None | Some(None), _) => {}
            (Some(Some(fault)), None) => held.gateway().misbehave(fault, self.times),
            (Some(Some(fault)), Some(on)) => held.gateway().misbehave_at(on.call(), fault, self.times),
        }
        Ok(())
    }
}

impl GatewayAnswer {
    /// The gateway's fault; `None` where it answers soundly.
    fn fault(self) -> Option<GatewayFault> {
        Some(match self {
            GatewayAnswer::Sound => return None,
            GatewayAnswer::AnotherKey => GatewayFault::AnotherKey,
            GatewayAnswer::Der => GatewayFault::OtherForm,
            GatewayAnswer::WrongSalt => GatewayFault::WrongSalt,
            GatewayAnswer::EmptyResult => GatewayFault::EmptyResult,
            GatewayAnswer::Unauthorized => GatewayFault::Unauthorized,
            GatewayAnswer::Forbidden => GatewayFault::Forbidden,
            GatewayAnswer::NotFound => GatewayFault::NotFound,
            GatewayAnswer::TooManyRequests => GatewayFault::TooManyRequests,
            GatewayAnswer::Unavailable => GatewayFault::Unavailable,
            GatewayAnswer::Hang => GatewayFault::Hang,
            GatewayAnswer::Closed => GatewayFault::Closed,
            GatewayAnswer::UnknownStatus => GatewayFault::UnknownStatus,
            GatewayAnswer::Endless => GatewayFault::Endless,
        })
    }
}

impl GatewayQuestion {
    fn call(self) -> GatewayCall {
        match self {
            GatewayQuestion::Sign => GatewayCall::Sign,
            GatewayQuestion::Poll => GatewayCall::Poll,
            GatewayQuestion::Cancel => GatewayCall::Cancel,
        }
    }
}
