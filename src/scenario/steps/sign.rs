//! `sign`: signs artifacts and pushes the signatures, soundly or with the signer's own defects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

use super::reader::{Reader, metadata};
use super::timestamp::{RawTimestamp, Stamping};
use super::{Step, Written, seal};
use crate::forge::{Artifact, Signer};
use crate::manifest::Descriptor;
use crate::scenario::inventory::{AT_A_TIME, Referrer};
use crate::scenario::placed::{Entries, Placed};
use crate::scenario::scalar::{ArtifactName, Span};
use crate::scenario::validate::{KEY, variant_or};
use crate::scenario::words::{Format, ManifestForm, SigningDefect, SigningScheme};
use crate::scenario::world::World;

/// `sign`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawSign {
    /// What is signed; registry.wabbit-networks.io/net-monitor:v1 if left out.
    artifact: Option<Placed<ArtifactName>>,
    /// The key; builder if left out.
    key: Option<Placed<String>>,
    /// How many signatures; one if left out.
    count: Option<Placed<u32>>,
    /// The format of the envelope; jws if left out.
    format: Option<Format>,
    /// The signing scheme; notary.x509 if left out.
    scheme: Option<SigningScheme>,
    /// How long after the signing time it expires; never if left out.
    expires: Option<Span>,
    /// The signing time that it states, from the time of the step.
    signed_at: Option<Span>,
    /// User metadata.
    #[serde(default)]
    user_metadata: Entries<String>,
    /// The form of the signature manifest; config-media-type if left out.
    manifest: Option<ManifestForm>,
    /// The time stamp that it gets.
    timestamp: Option<Placed<RawTimestamp>>,
    /// A verification plugin that the signature asks for.
    #[serde(default)]
    plugin: Option<String>,
    /// The version that the plugin must have at least.
    plugin_min_version: Option<Placed<String>>,
    /// Further attributes that are signed, all of them critical.
    #[serde(default)]
    attributes: Entries<String>,
    /// How the signer departs from the rules.
    #[serde(default)]
    defects: Vec<SigningDefect>,
}

/// Signatures of the artifacts of one name.
#[derive(Debug)]
pub(in crate::scenario) struct Sign {
    pub(in crate::scenario) artifact: ArtifactName,
    pub(in crate::scenario) signing: Signing,
}

/// How something is signed.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Signing {
    pub(super) key: usize,
    pub(super) count: u32,
    pub(super) format: Format,
    pub(super) scheme: SigningScheme,
    pub(super) expires: Option<Duration>,
    pub(super) signed_at: Duration,
    pub(super) user_metadata: BTreeMap<String, String>,
    pub(in crate::scenario) manifest: ManifestForm,
    pub(super) timestamp: Option<Stamping>,
    pub(super) plugin: Option<String>,
    pub(super) plugin_min_version: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) defects: Vec<SigningDefect>,
}

impl RawSign {
    /// The artifact, where it is named.
    pub(super) fn artifact(&self) -> Option<&Placed<ArtifactName>> {
        self.artifact.as_ref()
    }

    /// How it is signed, whatever it is.
    pub(super) fn signing(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Signing> {
        let key = match &self.key {
            Some(name) => reader.key(&name.value, &name.range)?,
            None => reader.key(KEY, &(0..0))?,
        };
        Some(Signing {
            key,
            count: reader.count(self.count.as_ref()),
            format: variant_or(self.format, reader.variant.format, Format::Jws),
            scheme: self.scheme.unwrap_or(SigningScheme::X509),
            expires: self.expires.map(|span| span.0),
            signed_at: self.signed_at.map_or(Duration::ZERO, |span| span.0),
            user_metadata: metadata(&self.user_metadata),
            manifest: self.manifest.unwrap_or(ManifestForm::ConfigMediaType),
            timestamp: match &self.timestamp {
                Some(timestamp) => Some(Stamping::check(timestamp, reader)?),
                None => None,
            },
            plugin: self.plugin.clone(),
            plugin_min_version: self.plugin_min_version.as_ref().map(|version| version.value.clone()),
            attributes: metadata(&self.attributes),
            defects: self.defects.clone(),
        })
    }
}

impl Written for RawSign {
    type Checked = Sign;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Sign> {
        let artifact = reader.existing(self.artifact.as_ref())?;
        Some(Sign { artifact, signing: self.signing(reader)? })
    }
}

impl Step for Sign {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        let Sign { artifact: name, signing } = self;
        let subjects: Vec<Descriptor> = world.subjects(name)?;
        let (cast, now, signing) = (Arc::clone(&world.cast), world.clock, signing.clone());
        let accuracy = signing.timestamp.as_ref().map(|stamping| world.accuracies[stamping.by]);
        let work = move || -> Result<Vec<Vec<Artifact>>, String> {
            let signer: &Signer = &cast.signers[signing.key];
            let stamper = signing
                .timestamp
                .as_ref()
                .zip(accuracy)
                .map(|(stamping, accuracy)| (&cast.stampers[stamping.by], accuracy));
            let sign = |subject: &Descriptor| {
                seal::sign(&signing, signer, stamper, subject, now).map_err(|error| format!("cannot sign: {error}"))
            };
            // In parallel, on as many threads as there are processors: a token has several sessions.
            subjects.par_iter().map(|subject| (0..signing.count).map(|_| sign(subject)).collect()).collect()
        };
        let began = Instant::now();
        let signatures = tokio::task::spawn_blocking(work).await.map_err(|_| "signing broke down".to_owned())??;
        world.signing = began.elapsed();
        for (item, signatures) in world.inventory.get_mut(name).iter_mut().zip(&signatures) {
            let Some(subject) = item.part(name.part.as_deref()).map(|part| part.descriptor().digest) else { continue };
            let made =
                signatures.iter().map(|artifact| Referrer { subject, artifact: artifact.clone(), is_signature: true });
            item.referrers.extend(made);
        }
        let (registry, repository) = world.place(name)?;
        let repository = repository.as_str();
        let pushes = signatures.iter().map(|signatures| async move {
            // One after the other, so that the registry lists them in this order.
            for signature in signatures {
                registry.push(repository, None, signature).await?;
            }
            Ok(())
        });
        stream::iter(pushes.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).try_collect::<()>().await
    }
}
