//! `revoke`: revokes a certificate in the CRL and by the OCSP responder of its issuer.

use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

use super::reader::Reader;
use super::{Step, Written};
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::placed::Placed;
use crate::scenario::plan::Anchor;
use crate::scenario::responder_words::Reason;
use crate::scenario::scalar::Span;
use crate::scenario::world::World;

/// `revoke`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRevoke {
    /// Whose certificate: of a key, an authority, a time stamping authority.
    certificate: Placed<String>,
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
    certificate: Anchor,
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
        let (serial, now) = (world.cast.serial(self.certificate), world.clock);
        let invalidity = self.invalidity.map(|span| now + span);
        world.responding.revoke(self.issuer, serial, self.reason, now + self.at, invalidity);
        Ok(())
    }
}

impl Reader<'_, '_, '_> {
    /// The certificate of this name and its issuer, which must publish a CRL or answer OCSP requests.
    pub(super) fn issued(&mut self, name: &Placed<String>) -> Option<(Anchor, usize)> {
        let certificate = self.world.holder(name, self.findings)?;
        let issuer = match certificate {
            Anchor::Authority(position) => self.world.authorities[position].issuer,
            Anchor::Key(position) => self.world.keys[position].issuer,
            Anchor::TimestampAuthority(position) => Some(self.world.timestamp_authorities[position].issuer),
        };
        let Some(issuer) = issuer else {
            let message = format!("{} certifies itself, so that nobody can revoke it", quote(&name.value));
            self.findings.error(
                Rule::Contradiction,
                &name.range,
                message,
                "give it an issuer, or take it out of the store",
            );
            return None;
        };
        let plan = &self.world.authorities[issuer];
        if plan.crl.is_none() && plan.ocsp.is_none() {
            let message = format!("the authority {} publishes no CRL and answers no OCSP", quote(&plan.name));
            let help = format!("nobody would hear of it: add crl: true or ocsp: true to {}", plan.name);
            self.findings.error(Rule::Contradiction, &name.range, message, help);
        }
        Some((certificate, issuer))
    }
}
