//! What answers beside registries: CRLs, OCSP responders, time stamping authorities.

use schemars::JsonSchema;
use serde::Deserialize;

use super::form::Fails;
use crate::forge::TsaCertificateDefect;
use crate::forge::responder::{CrlDefect, OcspDefect};
use crate::scenario::placed::Placed;
use crate::scenario::responder_words::DeltaNamedBy;
use crate::scenario::scalar::Span;
use crate::scenario::words::Algorithm;

/// A CRL that an authority publishes, made anew with every request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawCrl {
    /// What certificates name in the place of `http://crl.NAME.example/NAME.crl`. Over plain HTTP it is published there.
    #[serde(default)]
    pub(in crate::scenario) url: Option<Placed<String>>,
    /// Whether there is a delta CRL, which tells what was recorded since the complete one was issued, and what names it;
    /// there is none if left out. The complete one is then issued again only when it is due.
    #[serde(default)]
    pub(in crate::scenario) delta: Option<DeltaNamedBy>,
    /// How long after it was issued the next one is due; 7d if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_for: Option<Placed<Span>>,
    /// How it fails, until a step says otherwise; sound if left out.
    #[serde(default)]
    pub(in crate::scenario) fails: Option<Placed<Fails<CrlDefect>>>,
    /// How its delta fails, until a step says otherwise; sound if left out.
    #[serde(default)]
    pub(in crate::scenario) delta_fails: Option<Placed<Fails<CrlDefect>>>,
}

/// An OCSP responder of an authority.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawOcsp {
    /// What certificates name in the place of `http://ocsp.NAME.example/NAME`. Over plain HTTP it answers there.
    #[serde(default)]
    pub(in crate::scenario) url: Option<Placed<String>>,
    /// How it fails, until a step says otherwise; sound if left out: the authority itself signs. `delegate` is sound too.
    #[serde(default)]
    pub(in crate::scenario) fails: Option<Placed<Fails<OcspDefect>>>,
}

/// A time stamping authority: a signer of time stamps with its certificate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawTimestampAuthority {
    /// The authority that certifies it; `NAME-root` if left out, which is made if there is none.
    #[serde(default)]
    pub(in crate::scenario) issuer: Option<Placed<String>>,
    /// The name in its certificate.
    #[serde(default)]
    pub(in crate::scenario) subject: Option<Placed<String>>,
    /// Its algorithm; ec-p256 if left out.
    #[serde(default)]
    pub(in crate::scenario) algorithm: Option<Algorithm>,
    /// When its certificate begins to be valid, from the beginning of the scenario; a year before if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_from: Option<Span>,
    /// When its certificate ends, from the beginning of the scenario; after ten years if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_until: Option<Placed<Span>>,
    /// How far its clock may be off, as its time stamps say; 1s if left out.
    #[serde(default)]
    pub(in crate::scenario) accuracy: Option<Placed<Span>>,
    /// Where its certificate says that CRLs are published; where its issuer publishes them if left out.
    #[serde(default)]
    pub(in crate::scenario) crl: Option<Vec<String>>,
    /// Where its certificate says that OCSP responders answer; where its issuer's answers if left out.
    #[serde(default)]
    pub(in crate::scenario) ocsp: Option<Vec<String>>,
    /// How its certificate departs from the rules.
    #[serde(default)]
    pub(in crate::scenario) defects: Vec<TsaCertificateDefect>,
}

/// How many requests the responders of an authority are to see.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRequests {
    /// For its CRL.
    #[serde(default)]
    pub(in crate::scenario) crl: Option<Placed<u64>>,
    /// For its delta CRL.
    #[serde(default)]
    pub(in crate::scenario) delta: Option<Placed<u64>>,
    /// For OCSP answers.
    #[serde(default)]
    pub(in crate::scenario) ocsp: Option<Placed<u64>>,
}
