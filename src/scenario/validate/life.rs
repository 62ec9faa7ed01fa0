//! Steps of what answers beside registries: revoking, restoring, answering otherwise, and time stamps.

use time::Duration;

use super::responders::fault;
use super::steps::Reader;
use super::{AUTHORITY, unknown};
use crate::failure::quote;
use crate::forge::Word;
use crate::forge::responder::Fault;
use crate::scenario::finding::Rule;
use crate::scenario::placed::Placed;
use crate::scenario::plan::{Action, Anchor, Responding, Stamping};
use crate::scenario::raw::{Fails, RawRespond, RawRestore, RawRevoke, RawTimestamp};
use crate::scenario::responder_words::Reason;

impl Reader<'_, '_, '_> {
    pub(super) fn revoke(&mut self, raw: &RawRevoke) -> Option<Action> {
        let (certificate, issuer) = self.issued(&raw.certificate)?;
        let reason = raw.reason.unwrap_or(Reason::Unstated);
        if reason == Reason::Hold {
            self.on_hold.insert(certificate);
        }
        let at = raw.at.map_or(Duration::ZERO, |span| span.0);
        Some(Action::Revoke { certificate, issuer, reason, at, invalidity: raw.invalidity.map(|span| span.0) })
    }

    pub(super) fn restore(&mut self, raw: &RawRestore) -> Option<Action> {
        let (certificate, issuer) = self.issued(&raw.certificate)?;
        if !self.on_hold.remove(&certificate) {
            let message = format!("{} was not put on hold before", quote(&raw.certificate.value));
            let help = "revoke it with reason: hold first; what is revoked for another reason stays so";
            self.findings.error(Rule::Contradiction, &raw.certificate.range, message, help);
        }
        Some(Action::Restore { certificate, issuer })
    }

    pub(super) fn respond(&mut self, raw: &RawRespond) -> Option<Action> {
        let authority = match &raw.authority {
            Some(name) => self.world.authority_or_tell(name, self.findings)?,
            None => self.world.authority(AUTHORITY)?,
        };
        let plan = &self.world.authorities[authority];
        let delta = plan.crl.as_ref().is_some_and(|crl| crl.delta.is_some());
        Some(Action::Respond(Responding {
            authority,
            crl: self.fails(raw.crl.as_ref(), plan.crl.is_some(), "publishes no CRL"),
            delta: self.fails(raw.delta.as_ref(), delta, "publishes no delta CRL"),
            ocsp: self.fails(raw.ocsp.as_ref(), plan.ocsp.is_some(), "has no OCSP responder"),
        }))
    }

    fn fails<D: Word>(
        &mut self,
        word: Option<&Placed<Fails<D>>>,
        there: bool,
        otherwise: &str,
    ) -> Option<Option<Fault<D>>> {
        let word = word?;
        if !there {
            let message = format!("the authority {otherwise}");
            self.findings.error(Rule::Contradiction, &word.range, message, "give it one, or remove this");
        }
        fault(word, self.findings)
    }

    pub(super) fn stamping(&mut self, raw: &Placed<RawTimestamp>) -> Option<Stamping> {
        let (name, range) = match &raw.value {
            RawTimestamp::By(name) => (name, &raw.range),
            RawTimestamp::Told(told) => (&told.by.value, &told.by.range),
        };
        let Some(by) = self.world.timestamp_authority(name) else {
            let known = self.world.timestamp_authorities.iter().map(|authority| authority.name.as_str());
            unknown("time stamping authority", name, range, known, self.findings);
            return None;
        };
        Some(match &raw.value {
            RawTimestamp::By(_) => Stamping { by, at: Duration::ZERO, defects: Vec::new(), instead: None },
            RawTimestamp::Told(told) => {
                let at = told.at.map_or(Duration::ZERO, |span| span.0);
                Stamping { by, at, defects: told.defects.clone(), instead: told.instead }
            }
        })
    }

    /// Whose certificate it is, which somebody has issued who can revoke it and be heard.
    fn issued(&mut self, name: &Placed<String>) -> Option<(Anchor, usize)> {
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
