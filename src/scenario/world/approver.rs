//! `approvers`: people who agree or refuse that a key signs, each with a key of their own.
//!
//! How a policy lists them is the vendor's ("Create Policy Based Key"): by public key, by certificate, or by a name that the broker
//! knows. One whom no policy lists is an outsider.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Member, Reading, SetupError, Site, Thing, Things};
use crate::forge::words::words;
use crate::forge::{ForgeError, Key, LeafRequest, Signer};
use crate::scenario::names::check_name;
use crate::scenario::spanned::OrderedMap;
use crate::scenario::words::Algorithm;
use crate::signer::approver::{Approver, ApproverKey};
use crate::tsb;

/// Keys of approvers come from other slots than those of signers, so that none is both.
const SLOTS: usize = 300;

words! {
    /// How policies list an approver.
    pub(in crate::scenario) ApproverForm {
        /// By their public key.
        PublicKey "public-key"
        /// By the certificate of their key.
        Certificate "certificate"
        /// By the name under which the broker has their certificate.
        Onboarded "onboarded"
    }
}

/// An approver.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawApprover {
    /// The algorithm of their key; ec-p256 if left out.
    algorithm: Option<Algorithm>,
    /// How policies list them; public-key if left out.
    listed: Option<ApproverForm>,
}

/// An approver with every default filled in.
#[derive(Debug)]
pub(in crate::scenario) struct ApproverPlan {
    pub(in crate::scenario) name: String,
    algorithm: Algorithm,
    form: ApproverForm,
}

/// An approver of a world.
#[derive(Debug)]
pub(in crate::scenario) struct Person {
    pub(in crate::scenario) name: String,
    pub(super) approver: Approver,
    /// As policies list them.
    pub(super) entry: tsb::Approver,
}

impl Member for OrderedMap<RawApprover> {
    type Thing = ApproverPlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        for (name, raw) in &self.0 {
            check_name(name, "an approver", reading.findings);
            reading.things.approvers.push(ApproverPlan {
                name: name.value.clone(),
                algorithm: raw.algorithm.unwrap_or(Algorithm::P256),
                form: raw.listed.unwrap_or(ApproverForm::PublicKey),
            });
        }
    }
}

impl Things {
    /// The position of the approver of this name.
    pub(in crate::scenario) fn approver(&self, name: &str) -> Option<usize> {
        self.approvers.iter().position(|approver| approver.name == name)
    }
}

impl Thing for ApproverPlan {
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let failed = |error: ForgeError| SetupError::Failed(format!("the approver {}: {error}", self.name));
        let key = Key::pooled(self.algorithm.kind(), SLOTS + site.people.len()).map_err(failed)?;
        let own = key.pkcs8().ok().and_then(|pkcs8| ApproverKey::from_pkcs8(&pkcs8));
        let own = own.ok_or_else(|| failed(ForgeError::Key))?;
        let name = Some(self.name.clone());
        let (approver, entry) = match self.form {
            ApproverForm::PublicKey => {
                let value = STANDARD.encode(key.public_key());
                (Approver::new(own), tsb::Approver::PublicKey { name, value })
            }
            ApproverForm::Certificate | ApproverForm::Onboarded => {
                let subject = format!("C=US, ST=WA, L=Seattle, O=approvers.example, CN={}", self.name);
                let request = LeafRequest::new(&subject, key).map_err(failed)?;
                let made = Signer::self_signed_with(request, |_| Ok(())).map_err(failed)?;
                let certificate = made.certificate().to_vec();
                let entry = if self.form == ApproverForm::Onboarded {
                    let known = site.gateway()?.onboard(&self.name, &certificate);
                    known.map_err(|error| SetupError::Failed(error.to_string()))?;
                    tsb::Approver::OnboardedApproverCertificate { name: self.name.clone() }
                } else {
                    tsb::Approver::Certificate { name, value: STANDARD.encode(&certificate) }
                };
                (Approver::with_certificate(own, certificate), entry)
            }
        };
        site.people.push(Arc::new(Person { name: self.name.clone(), approver, entry }));
        Ok(())
    }
}
