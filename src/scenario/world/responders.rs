//! The responders of a world: one server inside the process answers for the CRLs and the OCSP of all authorities.
//!
//! Every host that a certificate of the world names is reached there, or not at all: no scenario asks the network of the
//! machine. The clock of the responders is the world's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use url::Url;

use super::crl::Published;
use super::holders::Holders;
use super::{SetupError, Things};
use crate::failure::quote;
use crate::fetch::{Editions, Http, HttpOptions, RevocationSource, SingleFlight, SingleFlightOptions};
use crate::forge::responder::{EndpointFault, Fault, IssuerRecords, Responders as Server};
use crate::reference::is_host;
use crate::revocation::{Answer, Need};
use crate::scenario::expectation::{Endpoint, Requests};
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::spanned::Spanned;
use crate::scenario::steps::{Reason, Respond};
use crate::trouble::{Trouble, TroubleKind};

/// How long an answer may take: long, so that a machine with much else to do changes no verdict.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an answer may take where one is to be slow.
const SHORT_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// A port of this machine on which no server listens: where a host is reached that no authority of the world answers at.
const UNREACHABLE: &str = "127.0.0.1:1";

/// The responders of a world.
pub(in crate::scenario) struct Responders {
    server: Option<Server>,
    /// By the position of the authority.
    authorities: Vec<Endpoints>,
    options: HttpOptions,
}

/// What answers for one authority.
struct Endpoints {
    records: IssuerRecords,
    crl: Option<Published>,
    /// The path of its OCSP responder; `None` where that is not reached over plain HTTP.
    ocsp: Option<String>,
}

/// Answers of the world's own responders. A certificate that was brought in may name any host: none of the real network is
/// asked.
struct OfThisWorld {
    http: Http,
    hosts: BTreeSet<String>,
}

#[async_trait]
impl RevocationSource for OfThisWorld {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        match host_and_path(need.url()) {
            Some((host, _)) if !self.hosts.contains(&host) => {
                let message = format!("{need}: nothing of this scenario answers there");
                Err(Trouble::new(TroubleKind::Unreachable, message))
            }
            // Other addresses than those of plain HTTP are refused there.
            _ => self.http.answer(need).await,
        }
    }
}

impl fmt::Debug for Responders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responders").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Responders {
    /// Starts what the authorities publish; nothing where none publishes anything. `slow` says that some answer is to be
    /// slow at some time.
    pub(super) fn start(things: &Things, holders: &Holders, slow: bool) -> Result<Responders, SetupError> {
        let wanted = things.authorities.iter().any(|authority| authority.crl.is_some() || authority.ocsp.is_some());
        let start = || {
            let failed = |error| SetupError::Failed(format!("the responders cannot be started: {error}"));
            Server::start(things.now).map_err(failed)
        };
        let server = wanted.then(start).transpose()?;
        let address = server.as_ref().map(|server| server.address().to_string());
        let time = if slow { SHORT_ANSWER_TIMEOUT } else { ANSWER_TIMEOUT };
        let options = HttpOptions {
            addresses: addresses(things, address.as_deref()),
            crl_time: time,
            ocsp_time: time,
            ..HttpOptions::default()
        };
        let endpoints = things.authorities.iter().zip(&holders.authorities).map(|(authority, made)| {
            let records = IssuerRecords::new(made.clone());
            let crl = server.as_ref().zip(authority.crl.as_ref());
            let crl = crl.and_then(|(server, crl)| crl.publish(server, &records, things.now));
            let ocsp = server.as_ref().zip(authority.ocsp.as_ref());
            let ocsp = ocsp.and_then(|(server, ocsp)| ocsp.publish(server, &records));
            Endpoints { records, crl, ocsp }
        });
        Ok(Responders { authorities: endpoints.collect(), server, options })
    }

    /// Where a verification has its answers from: a new source, which remembers nothing.
    pub(in crate::scenario) fn source(&self) -> Arc<dyn RevocationSource> {
        let hosts = self.options.addresses.keys().cloned().collect();
        let source = OfThisWorld { http: Http::new(self.options.clone()), hosts };
        let shared = SingleFlight::new(Arc::new(source), SingleFlightOptions::default());
        Arc::new(Editions::new(Arc::new(shared)))
    }

    /// Sets the clock. Complete CRLs that have deltas are made anew once they are due.
    pub(in crate::scenario) fn set_now(&mut self, now: OffsetDateTime) {
        let Some(server) = &self.server else { return };
        server.set_now(now);
        for crl in self.authorities.iter_mut().filter_map(|endpoints| endpoints.crl.as_mut()) {
            crl.renew(server, now);
        }
    }

    /// Records that the authority at `issuer` has revoked the certificate with this serial number.
    pub(in crate::scenario) fn revoke(
        &self,
        issuer: usize,
        serial: Vec<u8>,
        reason: Reason,
        at: OffsetDateTime,
        invalidity: Option<OffsetDateTime>,
    ) {
        self.authorities[issuer].records.revoke(serial, at, reason.code(), invalidity);
    }

    /// Records that the hold of the certificate with this serial number is over.
    pub(in crate::scenario) fn restore(&self, issuer: usize, serial: Vec<u8>, at: OffsetDateTime) {
        self.authorities[issuer].records.release(serial, at);
    }

    /// Makes the responders of an authority fail as `change` says.
    pub(in crate::scenario) fn change(&self, change: &Respond) {
        let Some(server) = &self.server else { return };
        let endpoints = &self.authorities[change.authority];
        let crl = endpoints.crl.as_ref();
        set_fault(server, crl.map(|crl| crl.path.as_str()), change.crl);
        set_fault(server, crl.and_then(|crl| crl.delta.as_deref()), change.delta);
        set_fault(server, endpoints.ocsp.as_deref(), change.ocsp);
    }

    /// How many requests have come in.
    pub(in crate::scenario) fn requests(&self) -> Requests {
        let Some(server) = &self.server else { return Requests::default() };
        let seen = self.authorities.iter().enumerate().flat_map(|(authority, endpoints)| {
            let crl = endpoints.crl.as_ref();
            let paths = [
                (Endpoint::Crl, crl.map(|crl| &crl.path)),
                (Endpoint::Delta, crl.and_then(|crl| crl.delta.as_ref())),
                (Endpoint::Ocsp, endpoints.ocsp.as_ref()),
            ];
            let count =
                |(endpoint, path): (Endpoint, Option<&String>)| Some(((authority, endpoint), server.requests(path?)));
            paths.into_iter().filter_map(count).collect::<Vec<_>>()
        });
        seen.collect()
    }
}

impl Things {
    /// One server answers for all, by the path: each endpoint needs a path of its own.
    pub(super) fn check_path_is_free(
        &self,
        url: &str,
        given: Option<&Spanned<String>>,
        findings: &mut Findings<'_, '_>,
    ) {
        let path = |url: &str| url.splitn(4, '/').nth(3).map(str::to_owned);
        let crls = self.authorities.iter().filter_map(|authority| authority.crl.as_ref()).map(|crl| &crl.url);
        let ocsp = self.authorities.iter().filter_map(|authority| authority.ocsp.as_ref()).map(|ocsp| &ocsp.url);
        let taken = crls.chain(ocsp).any(|other| path(other) == path(url));
        if let (Some(given), true) = (given, taken) {
            let message = format!("another authority answers at the path of {} already", quote(url));
            findings.error(Rule::Contradiction, &given.range, message, "write another path; the host does not matter");
        }
    }
}

/// The address that certificates name: the one that is given, or `http://KIND.NAME.example/PATH`.
pub(super) fn check_url(
    name: &Spanned<String>,
    given: Option<&Spanned<String>>,
    kind: &str,
    path: &str,
    findings: &mut Findings<'_, '_>,
) -> String {
    if let Some(given) = given {
        return given.value.clone();
    }
    let host = format!("{kind}.{}.example", name.value);
    if !is_host(&host) || name.value.contains('/') {
        let message = format!("{} cannot stand in the address http://{}/", quote(&name.value), quote(&host));
        findings.error(Rule::Name, &name.range, message, "use letters, digits and -, or add url");
    }
    format!("http://{host}/{path}")
}

/// Makes the endpoint at `path` fail so; `None` for `how` leaves it as it is.
pub(super) fn set_fault<D>(server: &Server, path: Option<&str>, how: Option<Option<Fault<D>>>)
where
    Fault<D>: Into<EndpointFault>,
{
    match (path, how) {
        (Some(path), Some(Some(fault))) => server.fail(path, fault),
        (Some(path), Some(None)) => server.mend(path),
        _ => {}
    }
}

/// Where each host that a certificate or a CRL of the world names is reached.
fn addresses(things: &Things, server: Option<&str>) -> BTreeMap<String, String> {
    let mut addresses = BTreeMap::new();
    let urls = things.authorities.iter().map(|authority| &authority.urls);
    let urls = urls.chain(things.keys.iter().map(|key| &key.urls));
    let urls = urls.chain(things.timestamp_authorities.iter().map(|authority| &authority.urls));
    for (host, _) in urls.flat_map(|urls| urls.crl.iter().chain(&urls.ocsp)).filter_map(|url| host_and_path(url)) {
        addresses.insert(host, UNREACHABLE.to_owned());
    }
    let Some(server) = server else { return addresses };
    for authority in &things.authorities {
        let crl = authority.crl.iter().flat_map(|crl| crl.urls());
        let published = crl.chain(authority.ocsp.iter().map(|ocsp| ocsp.url.as_str()));
        for (host, _) in published.filter_map(host_and_path) {
            addresses.insert(host, server.to_owned());
        }
    }
    addresses
}

/// The path of an address of plain HTTP.
pub(super) fn path_of(url: &str) -> Option<String> {
    host_and_path(url).map(|(_, path)| path)
}

/// The host, with its port where that is not 80, and the path of an address of plain HTTP.
fn host_and_path(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http")?;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some((host, url.path().to_owned()))
}
