//! What answers beside registries in a world: the CRLs and OCSP responders of its authorities, on one server.
//!
//! Every host that a certificate of the world names is reached there, or nowhere: no scenario asks the network of whoever
//! runs it. The clock of the responders is the world's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use url::Url;

use super::cast::Cast;
use super::expected_findings::{Requests, Server};
use super::plan::{Addresses, CrlPlan, OcspPlan, Plan};
use super::responder_words::{DeltaNamedBy, Reason};
use super::steps::{Action, Respond};
use crate::fetch::{Editions, Http, HttpOptions, RevocationSource, SingleFlight, SingleFlightOptions};
use crate::forge::responder::{
    CrlDefect, CrlOptions, Delivery, EndpointFault, Fault, IssuerRecords, OcspDefect, Responders,
};

/// How long an answer may take: long, so that a machine with much else to do changes no verdict.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an answer may take where one is to be slow.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// Where nobody answers: a port of this machine that no server has.
const NOBODY: &str = "127.0.0.1:1";

/// The responders of a world.
pub(super) struct Responding {
    responders: Option<Responders>,
    /// By the position of the authority.
    desks: Vec<Desk>,
    options: HttpOptions,
}

/// What answers for one authority.
struct Desk {
    records: IssuerRecords,
    crl: Option<Crl>,
    /// The path of its OCSP responder; `None` where that is not reached over plain HTTP.
    ocsp: Option<String>,
}

/// A CRL that is published.
struct Crl {
    path: String,
    delta: Option<String>,
    lifetime: time::Duration,
    /// When the complete one is due again, if it is made only then.
    due: Option<OffsetDateTime>,
}

impl fmt::Debug for Responding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responding").field("responders", &self.responders).finish_non_exhaustive()
    }
}

impl Responding {
    /// Starts what the authorities of `plan` publish; nothing where none publishes anything.
    pub(super) fn start(plan: &Plan, cast: &Cast) -> Result<Responding, String> {
        let wanted = plan.authorities.iter().any(|authority| authority.crl.is_some() || authority.ocsp.is_some());
        let start =
            || Responders::start(plan.now).map_err(|error| format!("the responders cannot be started: {error}"));
        let responders = wanted.then(start).transpose()?;
        let address = responders.as_ref().map(|responders| responders.address().to_string());
        let time = if is_slow(plan) { IMPATIENCE } else { PATIENCE };
        let options = HttpOptions {
            addresses: addresses(plan, address.as_deref()),
            crl_time: time,
            ocsp_time: time,
            ..HttpOptions::default()
        };
        let mut desks = Vec::new();
        for (authority, made) in plan.authorities.iter().zip(&cast.authorities) {
            let records = IssuerRecords::new(made.clone());
            let mut desk = Desk { records, crl: None, ocsp: None };
            if let Some(responders) = &responders {
                desk.crl = authority.crl.as_ref().and_then(|crl| publish(responders, &desk.records, crl, plan.now));
                desk.ocsp = authority.ocsp.as_ref().and_then(|ocsp| answer(responders, &desk.records, ocsp));
            }
            desks.push(desk);
        }
        Ok(Responding { responders, desks, options })
    }

    /// Where whoever verifies has answers from: a new source, which remembers nothing.
    pub(super) fn source(&self) -> Arc<dyn RevocationSource> {
        let shared = SingleFlight::new(Arc::new(Http::new(self.options.clone())), SingleFlightOptions::default());
        Arc::new(Editions::new(Arc::new(shared)))
    }

    /// Sets the clock. Complete CRLs that have deltas are made anew once they are due.
    pub(super) fn set_now(&mut self, now: OffsetDateTime) {
        let Some(responders) = &self.responders else { return };
        responders.set_now(now);
        for crl in self.desks.iter_mut().filter_map(|desk| desk.crl.as_mut()) {
            if crl.due.is_some_and(|due| due <= now) {
                responders.renew(&crl.path);
                crl.due = Some(now + crl.lifetime);
            }
        }
    }

    /// Records that the authority at `issuer` has revoked the certificate with this number.
    pub(super) fn revoke(
        &self,
        issuer: usize,
        serial: Vec<u8>,
        reason: Reason,
        at: OffsetDateTime,
        invalidity: Option<OffsetDateTime>,
    ) {
        self.desks[issuer].records.revoke(serial, at, reason.code(), invalidity);
    }

    /// Records that the hold of the certificate with this number is over.
    pub(super) fn restore(&self, issuer: usize, serial: Vec<u8>, at: OffsetDateTime) {
        self.desks[issuer].records.release(serial, at);
    }

    /// Makes the responders of an authority fail as `change` says.
    pub(super) fn change(&self, change: &Respond) {
        let Some(responders) = &self.responders else { return };
        let desk = &self.desks[change.authority];
        let crl = desk.crl.as_ref();
        fail(responders, crl.map(|crl| crl.path.as_str()), change.crl);
        fail(responders, crl.and_then(|crl| crl.delta.as_deref()), change.delta);
        fail(responders, desk.ocsp.as_deref(), change.ocsp);
    }

    /// How many requests have come in.
    pub(super) fn requests(&self) -> Requests {
        let Some(responders) = &self.responders else { return Requests::default() };
        let seen = self.desks.iter().enumerate().flat_map(|(authority, desk)| {
            let crl = desk.crl.as_ref();
            let paths = [
                (Server::Crl, crl.map(|crl| &crl.path)),
                (Server::Delta, crl.and_then(|crl| crl.delta.as_ref())),
                (Server::Ocsp, desk.ocsp.as_ref()),
            ];
            let count =
                |(server, path): (Server, Option<&String>)| Some(((authority, server), responders.requests(path?)));
            paths.into_iter().filter_map(count).collect::<Vec<_>>()
        });
        seen.collect()
    }
}

fn publish(responders: &Responders, records: &IssuerRecords, plan: &CrlPlan, now: OffsetDateTime) -> Option<Crl> {
    let (_, path) = plain(&plan.url)?;
    let delta = plan.delta.as_ref().and_then(|delta| plain(&delta.url)).map(|(_, path)| path);
    let named = plan.delta.as_ref().filter(|delta| delta.named_by == DeltaNamedBy::Crl);
    let options =
        CrlOptions { lifetime: plan.valid_for, delta: named.map(|delta| delta.url.clone()), until_renewed: false };
    let due = named.is_some().then(|| now + plan.valid_for);
    responders.crl(&path, records, options, delta.as_deref());
    fail(responders, Some(&path), Some(plan.fails));
    fail(responders, delta.as_deref(), plan.delta.as_ref().map(|delta| delta.fails));
    Some(Crl { path, delta, lifetime: plan.valid_for, due })
}

fn answer(responders: &Responders, records: &IssuerRecords, plan: &OcspPlan) -> Option<String> {
    let (_, path) = plain(&plan.url)?;
    responders.ocsp(&path, records);
    fail(responders, Some(&path), Some(plan.fails));
    Some(path)
}

/// Makes the endpoint at `path` fail so; `None` for `how` leaves it as it is.
fn fail<D>(responders: &Responders, path: Option<&str>, how: Option<Option<Fault<D>>>)
where
    Fault<D>: Into<EndpointFault>,
{
    match (path, how) {
        (Some(path), Some(Some(fault))) => responders.fail(path, fault),
        (Some(path), Some(None)) => responders.mend(path),
        _ => {}
    }
}

/// Where each host that a certificate or a CRL of the world names is reached.
fn addresses(plan: &Plan, responders: Option<&str>) -> BTreeMap<String, String> {
    let mut addresses = BTreeMap::new();
    let names = plan.authorities.iter().map(|authority| &authority.names);
    let names = names.chain(plan.keys.iter().map(|key| &key.names));
    let names = names.chain(plan.timestamp_authorities.iter().map(|authority| &authority.names));
    for Addresses { crl, ocsp } in names {
        for (host, _) in crl.iter().chain(ocsp).filter_map(|url| plain(url)) {
            addresses.insert(host, NOBODY.to_owned());
        }
    }
    let Some(responders) = responders else { return addresses };
    for authority in &plan.authorities {
        let crl = authority.crl.iter().flat_map(|crl| [Some(&crl.url), crl.delta.as_ref().map(|delta| &delta.url)]);
        let published = crl.flatten().chain(authority.ocsp.iter().map(|ocsp| &ocsp.url));
        for (host, _) in published.filter_map(|url| plain(url)) {
            addresses.insert(host, responders.to_owned());
        }
    }
    addresses
}

/// The host, with its port where that is not 80, and the path of an address of plain HTTP.
fn plain(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http")?;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some((host, url.path().to_owned()))
}

/// Whether some answer is to be slow at some time.
fn is_slow(plan: &Plan) -> bool {
    const CRL: Option<Fault<CrlDefect>> = Some(Fault::Delivery(Delivery::Slow));
    const OCSP: Option<Fault<OcspDefect>> = Some(Fault::Delivery(Delivery::Slow));
    let delta = |crl: &CrlPlan| crl.delta.as_ref().is_some_and(|delta| delta.fails == CRL);
    let from_the_beginning = plan.authorities.iter().any(|authority| {
        authority.crl.as_ref().is_some_and(|crl| crl.fails == CRL || delta(crl))
            || authority.ocsp.as_ref().is_some_and(|ocsp| ocsp.fails == OCSP)
    });
    let by_a_step = plan.steps.iter().any(|step| match &step.action {
        Action::Respond(change) => change.crl == Some(CRL) || change.delta == Some(CRL) || change.ocsp == Some(OCSP),
        _ => false,
    });
    from_the_beginning || by_a_step
}
