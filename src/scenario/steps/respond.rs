//! `respond`: makes the CRLs or the OCSP responder of an authority fail, or answer soundly again.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::forge::Word;
use crate::forge::responder::{CrlDefect, Delivery, Fault, OcspDefect};
use crate::scenario::finding::Rule;
use crate::scenario::form::Fails;
use crate::scenario::names::AUTHORITY;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Needs, World};

/// `respond`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRespond {
    /// The authority; wabbit if left out.
    authority: Option<Spanned<String>>,
    /// How its CRL fails from now on; as before if left out.
    crl: Option<Spanned<Fails<CrlDefect>>>,
    /// How its delta CRL fails from now on; as before if left out.
    delta: Option<Spanned<Fails<CrlDefect>>>,
    /// How its OCSP responder fails from now on; as before if left out.
    ocsp: Option<Spanned<Fails<OcspDefect>>>,
}

/// How the responders of an authority fail from now on; `None` inside is not at all, outside is as before.
#[derive(Debug)]
pub(in crate::scenario) struct Respond {
    pub(in crate::scenario) authority: usize,
    pub(in crate::scenario) crl: Option<Option<Fault<CrlDefect>>>,
    pub(in crate::scenario) delta: Option<Option<Fault<CrlDefect>>>,
    pub(in crate::scenario) ocsp: Option<Option<Fault<OcspDefect>>>,
}

impl Written for RawRespond {
    type Checked = Respond;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Respond> {
        if self.crl.is_none() && self.delta.is_none() && self.ocsp.is_none() {
            let message = "this changes nothing".to_owned();
            reader.findings.error(Rule::Contradiction, &reader.place_of::<()>(None), message, "add crl, delta or ocsp");
        }
        let things = reader.things;
        let authority = match &self.authority {
            Some(name) => things.authority_or_tell(name, reader.findings)?,
            None => things.authority(AUTHORITY)?,
        };
        let plan = &things.authorities[authority];
        let delta = plan.crl.as_ref().is_some_and(|crl| crl.delta.is_some());
        Some(Respond {
            authority,
            crl: fails(self.crl.as_ref(), plan.crl.is_some(), "publishes no CRL", reader),
            delta: fails(self.delta.as_ref(), delta, "publishes no delta CRL", reader),
            ocsp: fails(self.ocsp.as_ref(), plan.ocsp.is_some(), "has no OCSP responder", reader),
        })
    }
}

impl Step for Respond {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        let crl = Some(Some(Fault::Delivery(Delivery::Slow)));
        let ocsp = Some(Some(Fault::Delivery(Delivery::Slow)));
        needs.slow_responders |= self.crl == crl || self.delta == crl || self.ocsp == ocsp;
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        world.responders.change(self);
        Ok(())
    }
}

fn fails<D: Word>(
    word: Option<&Spanned<Fails<D>>>,
    there: bool,
    otherwise: &str,
    reader: &mut Reader<'_, '_, '_>,
) -> Option<Option<Fault<D>>> {
    let word = word?;
    if !there {
        let message = format!("the authority {otherwise}");
        reader.findings.error(Rule::Contradiction, &word.range, message, "give it one, or remove this");
    }
    Fails::read_spanned(word, reader.findings)
}
