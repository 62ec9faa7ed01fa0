//! `restore`: lifts the hold of a certificate, the one revocation that can be undone (RFC 5280, section 5.3.1).

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Holder, World};

/// `restore`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRestore {
    /// Whose certificate, which was put on hold.
    certificate: Spanned<String>,
}

/// A certificate that is no longer on hold.
#[derive(Debug)]
pub(in crate::scenario) struct Restore {
    certificate: Holder,
    issuer: usize,
}

impl Written for RawRestore {
    type Checked = Restore;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Restore> {
        let (certificate, issuer) = reader.issued(&self.certificate)?;
        if !reader.on_hold.remove(&certificate) {
            let message = format!("{} was not put on hold before", quote(&self.certificate.value));
            let help = "revoke it with reason: hold first; what is revoked for another reason stays so";
            reader.findings.error(Rule::Contradiction, &self.certificate.range, message, help);
        }
        Some(Restore { certificate, issuer })
    }
}

impl Step for Restore {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        world.responders.restore(self.issuer, world.holders.serial(self.certificate), world.clock);
        Ok(())
    }
}
