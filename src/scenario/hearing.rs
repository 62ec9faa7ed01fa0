//! Hearings: what a verification was judged by, kept so that it can be judged again by another trust policy.
//!
//! No registry is asked a second time: the evidence is decided on as it was collected. So it can be told which cases
//! would notice a change of a policy.

use std::sync::Arc;

use time::OffsetDateTime;

use super::expectation::Difference;
use super::judge::compare;
use super::plan::{Plan, Verification};
use super::run::{Ending, Options, Selected, Times, play};
use super::world::World;
use crate::audit::Judged;
use crate::evidence::Evidence;
use crate::forge::Containers;
use crate::plugin::PluginConfig;
use crate::policy::TrustPolicy;
use crate::trust_store::{StoreName, StoreType, TrustStores};
use crate::verify::{self, Memory, Rules};

/// One verification of a case, with everything that it was judged by.
#[derive(Debug)]
pub struct Hearing {
    verification: Verification,
    line: usize,
    at: OffsetDateTime,
    stores: TrustStores,
    memory: Memory,
    heard: Vec<Heard>,
}

/// An artifact and what became of it; its evidence where it could be resolved.
pub(super) type Heard = (Judged, Option<Box<Evidence>>);

/// Plays a case with the parts that it names: how it ended, and its verifications as far as it came.
pub async fn hear(selected: &Selected) -> (Ending, Vec<Hearing>) {
    let mut hearings = Vec::new();
    let containers = Arc::new(Containers::default());
    let (ending, _) =
        play(selected, &Options::default(), &containers, &mut Times::default(), Some(&mut hearings)).await;
    (ending, hearings)
}

impl Hearing {
    /// The name of stores that no scenario makes: in a hearing each holds every root and every signer that certifies
    /// itself, trusted or not. A policy that names one trusts every authority in the world.
    pub const STRANGERS: &str = "strangers";

    /// The policy that the scenario judges by.
    pub fn policy(&self) -> &Arc<TrustPolicy> {
        &self.verification.policy
    }

    /// The line of the verification in the file.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Judges again, by `policy`: how what comes out differs from what the scenario expects. The stores that can be used
    /// are those that the scenario's own policy names, and those of strangers.
    pub fn judge_by(&self, policy: &TrustPolicy) -> Vec<Difference> {
        let user_metadata = &self.verification.user_metadata;
        let plugin_config = &PluginConfig::default();
        let rules = Rules { policy, stores: &self.stores, user_metadata, plugin_config, memory: &self.memory };
        let again = |(judged, evidence): &Heard| match evidence {
            Some(evidence) => Judged { outcome: verify::decide(evidence, &rules, self.at), ..judged.clone() },
            None => judged.clone(),
        };
        let judged: Vec<Judged> = self.heard.iter().map(again).collect();
        compare(&judged, &self.verification)
    }

    /// What `world` would judge `verification`, which stands on `line`, by.
    pub(super) async fn hold(
        world: &World,
        plan: &Plan,
        verification: &Verification,
        line: usize,
    ) -> Result<Hearing, String> {
        let heard = world.hear(verification).await?;
        let strangers = strangers(world, plan).map_err(|error| format!("the stores of strangers: {error}"))?;
        let named = verification.policy.statements().iter().flat_map(|statement| &statement.trust_stores);
        let stores = TrustStores::load(world.stores.path(), named.chain(&strangers));
        let memory = Memory::default();
        Ok(Hearing { verification: verification.clone(), line, at: world.clock, stores, memory, heard })
    }
}

/// Writes the stores of strangers.
fn strangers(world: &World, plan: &Plan) -> std::io::Result<Vec<StoreName>> {
    let roots = plan.authorities.iter().zip(&world.cast.authorities).filter(|(plan, _)| plan.issuer.is_none());
    let roots = roots.map(|(_, authority)| authority.certificate());
    let signers = plan.keys.iter().zip(&world.cast.signers).filter(|(plan, _)| plan.issuer.is_none());
    let signers = signers.filter_map(|(_, signer)| signer.chain.first().map(Vec::as_slice));
    let certificates: Vec<&[u8]> = roots.chain(signers).collect();
    let mut names = Vec::new();
    for kind in StoreType::ALL {
        let name = StoreName::new(kind, Hearing::STRANGERS).map_err(std::io::Error::other)?;
        let directory = world.stores.path().join("x509").join(kind.as_str()).join(name.name());
        std::fs::create_dir_all(&directory)?;
        for (number, certificate) in certificates.iter().enumerate() {
            std::fs::write(directory.join(format!("{number}.crt")), certificate)?;
        }
        names.push(name);
    }
    Ok(names)
}
