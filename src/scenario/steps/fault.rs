//! `fault`: makes an embedded registry answer wrongly, or not at all, to some requests from now on.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::forge::registry::{Effect, Fault, RouteKind};
use crate::forge::words::words;
use crate::scenario::finding::Rule;
use crate::scenario::names::REGISTRY;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Capability, Demand, Needs, World};

/// How late an answer is that is to be silence.
const LATE: Duration = Duration::from_secs(30);
/// How long an audit waits for a registry that is to stay silent.
const SILENCE: Duration = Duration::from_millis(500);

words! {
    /// The requests that are answered wrongly.
    pub(super) Route {
        /// For manifests.
        Manifest "manifest"
        /// For blobs.
        Blob "blob"
        /// For lists of referrers.
        Referrers "referrers"
        /// For lists of tags.
        Tags "tags"
        /// For the catalog of repositories.
        Catalog "catalog"
    }
}

words! {
    /// How a registry answers wrongly.
    pub(super) Answer {
        /// With status 401.
        Unauthorized "unauthorized"
        /// With status 403.
        Forbidden "forbidden"
        /// With status 404.
        NotFound "not-found"
        /// With status 405.
        NotAllowed "not-allowed"
        /// With status 429, and that a second is to be waited.
        TooManyRequests "too-many-requests"
        /// With status 429, and that six hours are to be waited.
        RateLimited "rate-limited"
        /// With status 503.
        Unavailable "unavailable"
        /// With a page for people.
        Page "page"
        /// By sending on to a page for people that asks who is there.
        LoginPage "login-page"
        /// By sending on to where content is stored, which has it.
        Redirect "redirect"
        /// Not at all.
        Silence "silence"
        /// With the digest of something else.
        WrongDigest "wrong-digest"
        /// With a byte turned.
        Corrupt "corrupt"
        /// With half of it, after having stated the length of the whole.
        CutOff "cut-off"
    }
}

/// `fault`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawFault {
    /// The registry; registry.wabbit-networks.io if left out.
    registry: Option<Spanned<String>>,
    /// Which requests.
    on: Route,
    /// What it answers.
    answer: Answer,
    /// How many requests are answered so; all if left out.
    times: Option<Spanned<u32>>,
}

/// A fault of the registry at a host; `times` is `usize::MAX` where it stays.
#[derive(Debug)]
pub(in crate::scenario) struct RegistryFault {
    registry: String,
    route: Route,
    answer: Answer,
    times: usize,
}

impl Written for RawFault {
    type Checked = RegistryFault;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<RegistryFault> {
        let registry = self.registry.as_ref().map_or(REGISTRY, |host| host.value.as_str());
        let range = reader.place_of(self.registry.as_ref());
        reader.registry(registry, &range)?;
        if let Some(times) = self.times.as_ref().filter(|times| times.value == 0) {
            let message = "no request would be answered so".to_owned();
            reader.findings.error(Rule::Count, &times.range, message, "write 1 or more, or remove times for all");
        }
        let times = self.times.as_ref().map_or(usize::MAX, |times| times.value as usize);
        Some(RegistryFault { registry: registry.to_owned(), route: self.on, answer: self.answer, times })
    }
}

impl Step for RegistryFault {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        needs.demands.push(Demand { host: &self.registry, what: Capability::Faults });
        // Faults on demand last, so that trying again only takes time.
        let timings = &mut needs.timings;
        timings.pause = (Duration::from_millis(1), Duration::from_millis(2));
        if self.times == usize::MAX {
            timings.retries = timings.retries.min(1);
        }
        if self.answer == Answer::Silence {
            timings.retries = 0;
            timings.connect = SILENCE;
            timings.idle = SILENCE;
        }
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let embedded = world.registry(&self.registry)?.embedded.as_ref();
        let embedded = embedded.ok_or("only an embedded registry has faults on demand")?;
        let effect = match self.answer {
            Answer::Unauthorized => Effect::Status(401, None),
            Answer::Forbidden => Effect::Status(403, None),
            Answer::NotFound => Effect::Status(404, None),
            Answer::NotAllowed => Effect::Status(405, None),
            Answer::TooManyRequests => Effect::Status(429, Some("1".to_owned())),
            Answer::RateLimited => Effect::Status(429, Some("21600".to_owned())),
            Answer::Unavailable => Effect::Status(503, None),
            Answer::Page => Effect::Page(200),
            Answer::LoginPage => Effect::Login,
            Answer::Redirect => Effect::Storage,
            Answer::Silence => Effect::Delay(LATE),
            Answer::WrongDigest => Effect::WrongDigest,
            Answer::Corrupt => Effect::CorruptBody,
            Answer::CutOff => Effect::CutBody,
        };
        embedded.fail(Fault { route: Some(self.route.kind()), every: 1, times: self.times, effect });
        Ok(())
    }
}

impl Route {
    /// The kind of route of the embedded registry.
    fn kind(self) -> RouteKind {
        match self {
            Route::Manifest => RouteKind::Manifest,
            Route::Blob => RouteKind::Blob,
            Route::Referrers => RouteKind::Referrers,
            Route::Tags => RouteKind::Tags,
            Route::Catalog => RouteKind::Catalog,
        }
    }
}
