//! What answers beside registries: who publishes CRLs where, which certificate names what, time stamping authorities and
//! plugins.

use time::Duration;

use super::world::{AUTHORITY_TIME, KEY_TIME, World, check_subject, organization};
use super::{check_name, world::unplaced};
use crate::failure::quote;
use crate::forge::plugin::{PluginBehaviour, PluginVerdict, Processed};
use crate::forge::responder::Fault;
use crate::forge::{Validity, Word};
use crate::policy::did_you_mean;
use crate::reference::is_host;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::placed::Placed;
use crate::scenario::plan::{Addresses, CrlPlan, DeltaPlan, OcspPlan, PluginPlan, TimestampAuthorityPlan};
use crate::scenario::plugin_words::Capability;
use crate::scenario::raw::{Detail, Fails, RawAuthority, RawCrl, RawOcsp, RawPlugin, RawTimestampAuthority};
use crate::scenario::scalar::Span;
use crate::scenario::words::Algorithm;

/// How long a CRL is valid unless it says otherwise.
const CRL_TIME: Duration = Duration::days(7);
/// How far the clock of a time stamping authority may be off unless it says otherwise.
const ACCURACY: Duration = Duration::SECOND;

impl World {
    /// The addresses that a certificate of this issuer names: those that are given, or the issuer's.
    pub(in crate::scenario) fn names(
        &self,
        issuer: Option<usize>,
        crl: Option<&[String]>,
        ocsp: Option<&[String]>,
    ) -> Addresses {
        let issuer = issuer.map(|issuer| &self.authorities[issuer]);
        let of_crl = || issuer.and_then(|issuer| issuer.crl.as_ref()).map(|crl| crl.url.clone());
        let of_ocsp = || issuer.and_then(|issuer| issuer.ocsp.as_ref()).map(|ocsp| ocsp.url.clone());
        Addresses {
            crl: crl.map_or_else(|| of_crl().into_iter().collect(), <[String]>::to_vec),
            ocsp: ocsp.map_or_else(|| of_ocsp().into_iter().collect(), <[String]>::to_vec),
        }
    }

    /// The authority at the top of the chain of the one at `position`.
    pub(in crate::scenario) fn root(&self, position: usize) -> usize {
        let mut top = position;
        // An issuer stands before those whom it certifies.
        while let Some(issuer) = self.authorities.get(top).and_then(|authority| authority.issuer) {
            top = issuer;
        }
        top
    }

    /// The time stamping authority called so.
    pub(in crate::scenario) fn timestamp_authority(&self, name: &str) -> Option<usize> {
        self.timestamp_authorities.iter().position(|authority| authority.name == name)
    }

    pub(in crate::scenario) fn crl(
        &self,
        name: &Placed<String>,
        raw: &Detail<RawCrl>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<CrlPlan> {
        let raw = raw.0.as_ref()?;
        let url = address(name, raw.url.as_ref(), "crl", &format!("{}.crl", name.value), findings);
        self.check_free(&url, raw.url.as_ref(), findings);
        if let (Some(fails), None) = (&raw.delta_fails, raw.delta) {
            let message = format!("{} publishes no delta CRL", quote(&name.value));
            findings.error(Rule::Contradiction, &fails.range, message, "add delta: crl");
        }
        let delta = raw.delta.map(|named_by| DeltaPlan {
            url: format!("http://crl.{0}.example/{0}-delta.crl", name.value),
            named_by,
            fails: raw.delta_fails.as_ref().and_then(|word| fault(word, findings)).flatten(),
        });
        Some(CrlPlan {
            delta,
            url,
            valid_for: positive(raw.valid_for.as_ref(), CRL_TIME, findings),
            fails: raw.fails.as_ref().and_then(|word| fault(word, findings)).flatten(),
        })
    }

    pub(in crate::scenario) fn ocsp(
        &self,
        name: &Placed<String>,
        raw: &Detail<RawOcsp>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<OcspPlan> {
        let raw = raw.0.as_ref()?;
        let url = address(name, raw.url.as_ref(), "ocsp", &name.value, findings);
        self.check_free(&url, raw.url.as_ref(), findings);
        Some(OcspPlan { url, fails: raw.fails.as_ref().and_then(|word| fault(word, findings)).flatten() })
    }

    /// One server answers for all, by the path: each of its own.
    fn check_free(&self, url: &str, given: Option<&Placed<String>>, findings: &mut Findings<'_, '_>) {
        let path = |url: &str| url.splitn(4, '/').nth(3).map(str::to_owned);
        let crls = self.authorities.iter().filter_map(|authority| authority.crl.as_ref()).map(|crl| &crl.url);
        let ocsp = self.authorities.iter().filter_map(|authority| authority.ocsp.as_ref()).map(|ocsp| &ocsp.url);
        let taken = crls.chain(ocsp).any(|other| path(other) == path(url));
        if let (Some(given), true) = (given, taken) {
            let message = format!("another authority answers at the path of {} already", quote(url));
            findings.error(Rule::Contradiction, &given.range, message, "write another path; the host does not matter");
        }
    }

    pub(in crate::scenario) fn add_timestamp_authority(
        &mut self,
        name: &Placed<String>,
        raw: &RawTimestampAuthority,
        findings: &mut Findings<'_, '_>,
    ) {
        check_name(name, "a time stamping authority", findings);
        let issuer = match &raw.issuer {
            Some(issuer) => self.authority_or_tell(issuer, findings),
            None => Some(self.own_root(&name.value, findings)),
        };
        let Some(issuer) = issuer else { return };
        let subject = match &raw.subject {
            Some(subject) => check_subject(subject, findings),
            None => {
                let organization = organization(&self.authorities[issuer].subject);
                let organization = organization.as_deref().unwrap_or("nobody");
                format!("C=US, ST=WA, L=Seattle, O={organization}, CN={} TSA", name.value)
            }
        };
        // Certificates of time stamping authorities outlive those of signers: that is what time stamps are for.
        let Validity { not_after, .. } =
            self.validity(None, raw.valid_until.as_ref(), AUTHORITY_TIME, &name.range, findings);
        let not_before = self.now + raw.valid_from.map_or(-KEY_TIME, |span| span.0);
        let authority = TimestampAuthorityPlan {
            name: name.value.clone(),
            subject,
            issuer,
            algorithm: raw.algorithm.unwrap_or(Algorithm::P256),
            validity: Validity { not_before, not_after },
            accuracy: positive(raw.accuracy.as_ref(), ACCURACY, findings),
            names: self.names(Some(issuer), raw.crl.as_deref(), raw.ocsp.as_deref()),
            defects: raw.defects.clone(),
        };
        self.timestamp_authorities.push(authority);
    }

    /// The authority `NAME-root`, made if there is none.
    fn own_root(&mut self, name: &str, findings: &mut Findings<'_, '_>) -> usize {
        let root = format!("{name}-root");
        if let Some(known) = self.authority(&root) {
            return known;
        }
        self.add_authority(&unplaced(&root), &RawAuthority::default(), findings);
        self.authorities.len() - 1
    }

    pub(in crate::scenario) fn add_plugin(
        &mut self,
        name: &Placed<String>,
        raw: &RawPlugin,
        findings: &mut Findings<'_, '_>,
    ) {
        check_name(name, "a plugin", findings);
        if name.value.contains('/') || name.value.starts_with('.') {
            let message = format!("{} is no file name of a plugin", quote(&name.value));
            findings.error(Rule::Name, &name.range, message, "write com.example.plugin");
        }
        let all = || vec![Capability::TrustedIdentity, Capability::RevocationCheck];
        let capabilities = raw.capabilities.clone().unwrap_or_else(all);
        for (said, what) in [(&raw.refuses, "refuses"), (&raw.omits, "omits")] {
            if let Some(other) = said.iter().find(|said| !capabilities.contains(said)) {
                let message = format!("it {what} {}, which it cannot do", other.as_str());
                findings.error(Rule::Contradiction, &name.range, message, "add it to capabilities, or remove it there");
            }
        }
        let verdict = |capability| match (raw.omits.contains(&capability), raw.refuses.contains(&capability)) {
            (true, _) => PluginVerdict::Missing,
            (_, true) => PluginVerdict::Failure,
            _ => PluginVerdict::Success,
        };
        let usual = PluginBehaviour::default();
        let behaviour = PluginBehaviour {
            name: raw.name.clone(),
            version: raw.version.clone().unwrap_or(usual.version),
            contract_versions: raw.contract_versions.clone().unwrap_or(usual.contract_versions),
            capabilities: capabilities.iter().map(|capability| capability.contract().to_owned()).collect(),
            identity: verdict(Capability::TrustedIdentity),
            revocation: verdict(Capability::RevocationCheck),
            processed: if raw.processes.is_some() { Processed::Listed } else { Processed::All },
            attributes: raw.processes.clone().unwrap_or_default(),
            settings: raw.settings.0.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect(),
            defect: raw.defect,
            defect_in: raw.defect_in.clone(),
            ..PluginBehaviour::default()
        };
        self.plugins.push(PluginPlan { name: name.value.clone(), behaviour, file: raw.file });
    }
}

/// What a word of the forge says; `None` where it is none, of which is told.
pub(in crate::scenario) fn fault<D: Word>(
    word: &Placed<Fails<D>>,
    findings: &mut Findings<'_, '_>,
) -> Option<Option<Fault<D>>> {
    let read = word.value.read();
    if read.is_none() {
        let message = format!("{} is not a word that may stand here", quote(&word.value.0));
        findings.error(Rule::WordUnknown, &word.range, message, did_you_mean(&word.value.0, &Fails::<D>::words()));
    }
    read
}

/// The address that certificates name.
fn address(
    name: &Placed<String>,
    given: Option<&Placed<String>>,
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

fn positive(given: Option<&Placed<Span>>, usual: Duration, findings: &mut Findings<'_, '_>) -> Duration {
    let Some(given) = given else { return usual };
    if given.value.0 <= Duration::ZERO {
        let message = "this length of time is not longer than nothing".to_owned();
        findings.error(Rule::Value, &given.range, message, "write 7d");
    }
    given.value.0
}
