//! `revoke`: revokes a certificate in the CRL and by the OCSP responder of its issuer.

use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

use super::reader::Reader;
use super::{Step, Written};
use crate::failure::quote;
use crate::forge::words::words;
use crate::scenario::finding::Rule;
use crate::scenario::scalar::Span;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Holder, World};

words! {
    /// Why a certificate is revoked.
    pub(in crate::scenario) Reason {
        /// No reason is stated.
        Unstated "unstated"
        /// It is not said which (0).
        Unspecified "unspecified"
        /// Others may have the key (1).
        KeyCompromise "key-compromise"
        /// Others may have the authority's key (2).
        AuthorityCompromise "authority-compromise"
        /// Its holder has gone elsewhere (3).
        AffiliationChanged "affiliation-changed"
        /// Another has taken its place (4).
        Superseded "superseded"
        /// It is no longer needed (5).
        CessationOfOperation "cessation-of-operation"
        /// For the time being (6).
        Hold "hold"
        /// It is good again (8): for delta CRLs.
        RemoveFromCrl "remove-from-crl"
        /// It may no longer do what it could (9).
        PrivilegeWithdrawn "privilege-withdrawn"
    }
}

/// `revoke`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRevoke {
    /// Whose certificate: of a key, an authority, a time stamping authority.
    certificate: Spanned<String>,
    /// Why; unstated if left out.
    reason: Option<Reason>,
    /// Since when, from the time of the step; now if left out.
    at: Option<Span>,
    /// Since when the certificate is no longer good, from the time of the step; not stated if left out.
    invalidity: Option<Span>,
}

/// A certificate that its issuer revokes; times are relative to the time of the step.
#[derive(Debug)]
pub(in crate::scenario) struct Revoke {
    certificate: Holder,
    issuer: usize,
    reason: Reason,
    at: Duration,
    invalidity: Option<Duration>,
}

impl Written for RawRevoke {
    type Checked = Revoke;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Revoke> {
        let (certificate, issuer) = reader.issued(&self.certificate)?;
        let reason = self.reason.unwrap_or(Reason::Unstated);
        if reason == Reason::Hold {
            reader.on_hold.insert(certificate);
        }
        let at = self.at.map_or(Duration::ZERO, |span| span.0);
        Some(Revoke { certificate, issuer, reason, at, invalidity: self.invalidity.map(|span| span.0) })
    }
}

impl Step for Revoke {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        let (serial, now) = (world.holders.serial(self.certificate), world.clock);
        let invalidity = self.invalidity.map(|span| now + span);
        world.responders.revoke(self.issuer, serial, self.reason, now + self.at, invalidity);
        Ok(())
    }
}

impl Reader<'_, '_, '_> {
    /// The certificate of this name and its issuer, which must publish a CRL or answer OCSP requests.
    pub(super) fn issued(&mut self, name: &Spanned<String>) -> Option<(Holder, usize)> {
        let certificate = self.things.holder(name, self.findings)?;
        let Some(issuer) = self.things.issuer(certificate) else {
            let message = format!("{} certifies itself, so that no authority can revoke it", quote(&name.value));
            self.findings.error(
                Rule::Contradiction,
                &name.range,
                message,
                "give it an issuer, or take it out of the store",
            );
            return None;
        };
        let plan = &self.things.authorities[issuer];
        if plan.crl.is_none() && plan.ocsp.is_none() {
            let message = format!("the authority {} publishes no CRL and answers no OCSP", quote(&plan.name));
            let help = format!("no verifier would learn of it: add crl: true or ocsp: true to {}", plan.name);
            self.findings.error(Rule::Contradiction, &name.range, message, help);
        }
        Some((certificate, issuer))
    }
}

impl Reason {
    /// The CRLReason of RFC 5280; `None` where it is left out.
    pub(in crate::scenario) fn code(self) -> Option<u8> {
        match self {
            Reason::Unstated => None,
            Reason::Unspecified => Some(0),
            Reason::KeyCompromise => Some(1),
            Reason::AuthorityCompromise => Some(2),
            Reason::AffiliationChanged => Some(3),
            Reason::Superseded => Some(4),
            Reason::CessationOfOperation => Some(5),
            Reason::Hold => Some(6),
            Reason::RemoveFromCrl => Some(8),
            Reason::PrivilegeWithdrawn => Some(9),
        }
    }
}
