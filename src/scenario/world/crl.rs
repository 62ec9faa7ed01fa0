//! `crl` of an authority: the CRL that it publishes (RFC 5280, section 5), complete or with a delta, and how it fails.

use schemars::JsonSchema;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::Things;
use super::certificate::positive;
use super::needs::Needs;
use super::responders::{check_url, path_of, set_fault};
use crate::failure::quote;
use crate::forge::responder::{CrlDefect, CrlOptions, Delivery, Fault, IssuerRecords, Responders};
use crate::forge::words::words;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::form::{Detail, Fails};
use crate::scenario::scalar::Span;
use crate::scenario::spanned::Spanned;

/// How long a CRL is valid unless it says otherwise.
const CRL_TIME: Duration = Duration::days(7);

words! {
    /// What names a delta CRL.
    pub(in crate::scenario) DeltaNamedBy {
        /// The complete CRL.
        Crl "crl"
        /// The certificates, and not the complete CRL.
        Certificates "certificates"
    }
}

/// A CRL that an authority publishes, made anew with every request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawCrl {
    /// What certificates name in the place of `http://crl.NAME.example/NAME.crl`. Over plain HTTP it is published there.
    url: Option<Spanned<String>>,
    /// Whether there is a delta CRL, which tells what was recorded since the complete one was issued, and what names it;
    /// there is none if left out. The complete one is then issued again only when it is due.
    delta: Option<DeltaNamedBy>,
    /// How long after it was issued the next one is due; 7d if left out.
    valid_for: Option<Spanned<Span>>,
    /// How it fails, until a step says otherwise; sound if left out.
    fails: Option<Spanned<Fails<CrlDefect>>>,
    /// How its delta fails, until a step says otherwise; sound if left out.
    delta_fails: Option<Spanned<Fails<CrlDefect>>>,
}

/// A CRL, and how it is published.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct CrlPlan {
    /// What certificates name.
    pub(super) url: String,
    pub(in crate::scenario) delta: Option<DeltaPlan>,
    valid_for: Duration,
    fails: Option<Fault<CrlDefect>>,
}

/// A delta CRL.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct DeltaPlan {
    pub(super) url: String,
    pub(super) named_by: DeltaNamedBy,
    fails: Option<Fault<CrlDefect>>,
}

/// A CRL that is published.
pub(super) struct Published {
    pub(super) path: String,
    pub(super) delta: Option<String>,
    lifetime: Duration,
    /// When the complete one is due again, if it is made only then.
    due: Option<OffsetDateTime>,
}

impl Things {
    /// The CRL of the authority `name`; `None` where it publishes none.
    pub(super) fn check_crl(
        &self,
        name: &Spanned<String>,
        raw: &Detail<RawCrl>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<CrlPlan> {
        let raw = raw.0.as_ref()?;
        let url = check_url(name, raw.url.as_ref(), "crl", &format!("{}.crl", name.value), findings);
        self.check_path_is_free(&url, raw.url.as_ref(), findings);
        if let (Some(fails), None) = (&raw.delta_fails, raw.delta) {
            let message = format!("{} publishes no delta CRL", quote(&name.value));
            findings.error(Rule::Contradiction, &fails.range, message, "add delta: crl");
        }
        let delta = raw.delta.map(|named_by| DeltaPlan {
            url: format!("http://crl.{0}.example/{0}-delta.crl", name.value),
            named_by,
            fails: raw.delta_fails.as_ref().and_then(|word| Fails::read_spanned(word, findings)).flatten(),
        });
        Some(CrlPlan {
            delta,
            url,
            valid_for: positive(raw.valid_for.as_ref(), CRL_TIME, findings),
            fails: raw.fails.as_ref().and_then(|word| Fails::read_spanned(word, findings)).flatten(),
        })
    }
}

impl CrlPlan {
    /// Every address of it and of its delta.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        [Some(&self.url), self.delta.as_ref().map(|delta| &delta.url)].into_iter().flatten().map(String::as_str)
    }

    /// What it needs of the world.
    pub(super) fn prepare(&self, needs: &mut Needs<'_>) {
        let slow = Some(Fault::Delivery(Delivery::Slow));
        needs.slow_responders |= self.fails == slow || self.delta.as_ref().is_some_and(|delta| delta.fails == slow);
    }

    /// Publishes it from `now` on; `None` where its address is not one of plain HTTP.
    pub(super) fn publish(
        &self,
        responders: &Responders,
        records: &IssuerRecords,
        now: OffsetDateTime,
    ) -> Option<Published> {
        let path = path_of(&self.url)?;
        let delta = self.delta.as_ref().and_then(|delta| path_of(&delta.url));
        let named = self.delta.as_ref().filter(|delta| delta.named_by == DeltaNamedBy::Crl);
        let options =
            CrlOptions { lifetime: self.valid_for, delta: named.map(|delta| delta.url.clone()), until_renewed: false };
        let due = named.is_some().then(|| now + self.valid_for);
        responders.crl(&path, records, options, delta.as_deref());
        set_fault(responders, Some(&path), Some(self.fails));
        set_fault(responders, delta.as_deref(), self.delta.as_ref().map(|delta| delta.fails));
        Some(Published { path, delta, lifetime: self.valid_for, due })
    }
}

impl Published {
    /// Makes a complete CRL that has a delta anew, once it is due.
    pub(super) fn renew(&mut self, responders: &Responders, now: OffsetDateTime) {
        if self.due.is_some_and(|due| due <= now) {
            responders.renew(&self.path);
            self.due = Some(now + self.lifetime);
        }
    }
}
