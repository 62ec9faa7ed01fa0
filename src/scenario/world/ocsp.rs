//! `ocsp` of an authority: the OCSP responder that answers for it (RFC 6960), and how it fails.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Things;
use super::needs::Needs;
use super::responders::{check_url, path_of, set_fault};
use crate::forge::responder::{Delivery, Fault, IssuerRecords, OcspDefect, Responders};
use crate::scenario::finding::Findings;
use crate::scenario::form::{Detail, Fails};
use crate::scenario::spanned::Spanned;

/// An OCSP responder of an authority.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawOcsp {
    /// What certificates name in the place of `http://ocsp.NAME.example/NAME`. Over plain HTTP it answers there.
    url: Option<Spanned<String>>,
    /// How it fails, until a step says otherwise; sound if left out: the authority itself signs. `delegate` is sound too.
    fails: Option<Spanned<Fails<OcspDefect>>>,
}

/// An OCSP responder.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct OcspPlan {
    /// What certificates name.
    pub(super) url: String,
    fails: Option<Fault<OcspDefect>>,
}

impl Things {
    /// The OCSP responder of the authority `name`; `None` where it has none.
    pub(super) fn check_ocsp(
        &self,
        name: &Spanned<String>,
        raw: &Detail<RawOcsp>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<OcspPlan> {
        let raw = raw.0.as_ref()?;
        let url = check_url(name, raw.url.as_ref(), "ocsp", &name.value, findings);
        self.check_path_is_free(&url, raw.url.as_ref(), findings);
        let fails = raw.fails.as_ref().and_then(|word| Fails::read_spanned(word, findings)).flatten();
        Some(OcspPlan { url, fails })
    }
}

impl OcspPlan {
    /// What it needs of the world.
    pub(super) fn prepare(&self, needs: &mut Needs<'_>) {
        needs.slow_responders |= self.fails == Some(Fault::Delivery(Delivery::Slow));
    }

    /// Lets it answer, and says at which path; `None` where its address is not one of plain HTTP.
    pub(super) fn publish(&self, responders: &Responders, records: &IssuerRecords) -> Option<String> {
        let path = path_of(&self.url)?;
        responders.ocsp(&path, records);
        set_fault(responders, Some(&path), Some(self.fails));
        Some(path)
    }
}
