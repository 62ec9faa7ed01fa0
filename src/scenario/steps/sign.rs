//! `sign`: signs artifacts and pushes the signatures, soundly or with the signer's own defects.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

use super::approval::RawApproval;
use super::content::checked_media_type;
use super::custody;
use super::expected_signing::{ExpectedSigning, RawExpectedSigning};
use super::reader::{Reader, default_artifact, metadata};
use super::registry_state::RegistryState;
use super::seal::{self, SigningDefect};
use super::sign_file::FileToSign;
use super::signing_trouble::SigningTrouble;
use super::timestamp::{RawTimestamp, Stamping};
use super::{Step, Written};
use crate::envelope::SigningScheme as Scheme;
use crate::failure::quote;
use crate::forge::words::words;
use crate::forge::{Artifact, ForgeError, SignatureManifest, Signer};
use crate::manifest::Descriptor;
use crate::scenario::finding::Rule;
use crate::scenario::inventory::some_at_a_time;
use crate::scenario::names::{KEY, variant_or};
use crate::scenario::scalar::{ArtifactName, Span};
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::wanted::Waits;
use crate::scenario::words::Format;
use crate::scenario::world::{Approvals, Capability, Deed, Demand, Needs, World};
use crate::sign::SignError;

/// How many artifacts are signed before their signatures are pushed.
const SIGNED_AT_A_TIME: usize = 512;

words! {
    /// The signing scheme.
    pub(super) SigningScheme {
        /// The signer's own certificate.
        X509 "notary.x509"
        /// A signing authority that vouches for the time.
        SigningAuthority "notary.x509.signingAuthority"
    }
}

words! {
    /// The form of the manifest that ties a signature to its artifact.
    pub(super) ManifestForm {
        /// `config.mediaType` says that it is a signature, as notation 1.x writes it.
        ConfigMediaType "config-media-type"
        /// `artifactType` says that it is a signature.
        ArtifactType "artifact-type"
        /// An artifact manifest, from before OCI 1.1 was final.
        Oldest "artifact-manifest"
    }
}

/// `sign`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawSign {
    /// What is signed; registry.wabbit-networks.io/net-monitor:v1 if left out.
    artifact: Option<Spanned<ArtifactName>>,
    /// In its place: a file that was written, which gets a detached signature.
    file: Option<Spanned<String>>,
    /// The media type as which the file is signed; application/octet-stream if left out.
    media_type: Option<Spanned<String>>,
    /// The key; builder if left out.
    key: Option<Spanned<String>>,
    /// How many signatures; one if left out.
    count: Option<Spanned<u32>>,
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
    user_metadata: OrderedMap<String>,
    /// The form of the signature manifest; config-media-type if left out.
    manifest: Option<ManifestForm>,
    /// The time stamp that it gets.
    timestamp: Option<Spanned<RawTimestamp>>,
    /// A verification plugin that the signature asks for.
    plugin: Option<String>,
    /// The version that the plugin must have at least.
    plugin_min_version: Option<Spanned<String>>,
    /// Further attributes that are signed, all of them critical.
    #[serde(default)]
    attributes: OrderedMap<String>,
    /// How the signer departs from the rules.
    #[serde(default)]
    defects: Vec<SigningDefect>,
    /// Who agrees or refuses meanwhile, where the key has a policy.
    #[serde(default)]
    approvals: Vec<Spanned<RawApproval>>,
    /// After what time the signer gives up, and takes its request back; 1h if left out.
    give_up: Option<Spanned<Span>>,
    /// What must come of it. Where this is left out, a key that does not sign ends the case: it could not be run.
    expect: Option<Spanned<RawExpectedSigning>>,
}

/// Signatures of the artifacts of one name, or of a file.
#[derive(Debug)]
pub(in crate::scenario) struct Sign {
    pub(super) artifact: ArtifactName,
    /// In the place of the artifact.
    pub(super) file: Option<FileToSign>,
    pub(super) signing: Signing,
}

/// How something is signed.
#[derive(Debug, Clone)]
pub(super) struct Signing {
    pub(super) key: usize,
    pub(super) count: u32,
    pub(super) format: Format,
    pub(super) scheme: SigningScheme,
    pub(super) expires: Option<Duration>,
    pub(super) signed_at: Duration,
    pub(super) user_metadata: BTreeMap<String, String>,
    pub(super) manifest: ManifestForm,
    pub(super) timestamp: Option<Stamping>,
    pub(super) plugin: Option<String>,
    pub(super) plugin_min_version: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) defects: Vec<SigningDefect>,
    pub(super) approvals: Vec<Deed>,
    pub(super) give_up: Option<std::time::Duration>,
    pub(super) expect: Option<ExpectedSigning>,
}

/// What came of signing: how many signatures are in the registry now, and what the trouble was where there are fewer than
/// were wanted.
pub(super) struct Signed {
    pub(super) count: u64,
    pub(super) trouble: Option<SigningTrouble>,
    /// What approvers made of the last request, where the key needs approvals.
    pub(super) approvals: Option<Approvals>,
}

impl SigningScheme {
    /// The scheme as the forge writes it.
    pub(super) fn scheme(self) -> Scheme {
        match self {
            SigningScheme::X509 => Scheme::X509,
            SigningScheme::SigningAuthority => Scheme::SigningAuthority,
        }
    }
}

impl ManifestForm {
    /// The manifest as the forge makes it.
    pub(super) fn form(self) -> SignatureManifest {
        match self {
            ManifestForm::ConfigMediaType => SignatureManifest::ConfigMediaType,
            ManifestForm::ArtifactType => SignatureManifest::ArtifactType,
            ManifestForm::Oldest => SignatureManifest::Oldest,
        }
    }
}

impl RawSign {
    /// The artifact, where it is named.
    pub(super) fn artifact(&self) -> Option<&Spanned<ArtifactName>> {
        self.artifact.as_ref()
    }

    /// Where a file is named, or its media type.
    pub(super) fn names_file(&self) -> Option<&Range<usize>> {
        self.file.as_ref().or(self.media_type.as_ref()).map(|member| &member.range)
    }

    /// The file that is signed, if one is; it is noted that it has more signatures then.
    fn file_to_sign(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Option<FileToSign>> {
        let Some(file) = &self.file else {
            if let Some(media_type) = &self.media_type {
                let message = "an artifact has the media type of its manifest".to_owned();
                reader.findings.error(
                    Rule::Contradiction,
                    &media_type.range,
                    message,
                    "remove mediaType, or name a file",
                );
                return None;
            }
            return Some(None);
        };
        if let Some(artifact) = &self.artifact {
            let message = "an artifact is signed, or a file".to_owned();
            reader.findings.error(Rule::Contradiction, &artifact.range, message, "remove artifact or file");
        }
        if self.manifest.is_some() {
            let message = "the detached signature of a file has no manifest".to_owned();
            reader.findings.error(Rule::Contradiction, &file.range, message, "remove manifest");
        }
        if let Some(expect) = &self.expect {
            let message = "what comes of signing is expected of artifacts only".to_owned();
            reader.findings.error(Rule::Contradiction, &expect.range, message, "remove expect, or sign an artifact");
        }
        let name = reader.file(file)?;
        let media_type = checked_media_type(self.media_type.as_ref(), FileToSign::MEDIA_TYPE, reader)?;
        reader.add_signatures(&name, self.count.as_ref().map_or(1, |count| count.value));
        Some(Some(FileToSign { name, media_type }))
    }

    /// How it is signed, whatever it is.
    pub(super) fn signing(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Signing> {
        let key = match &self.key {
            Some(name) => reader.key(&name.value, &name.range)?,
            None => reader.key(KEY, &reader.place_of(self.key.as_ref()))?,
        };
        // Whichever of them signs at the time.
        for acting in reader.things.acting_keys(key) {
            if reader.has_custodian(acting) {
                self.check_custody(acting, reader);
            }
        }
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
            approvals: self.approvals(key, reader),
            give_up: self.give_up.as_ref().and_then(|give_up| give_up.value.0.try_into().ok()),
            expect: self.expect.as_ref().map(|expect| ExpectedSigning::check(expect, key, reader)),
        })
    }

    /// What happens while the signer waits. A key without a policy waits for no approvals.
    fn approvals(&self, key: usize, reader: &mut Reader<'_, '_, '_>) -> Vec<Deed> {
        let stated = self.approvals.first().map(|approval| approval.range.clone());
        let stated = stated.or_else(|| self.give_up.as_ref().map(|give_up| give_up.range.clone()));
        let waits = reader.things.acting_keys(key).into_iter().any(|key| reader.things.keys[key].has_policy());
        if let Some(range) = stated.filter(|_| !waits) {
            let message = format!("the key {} needs no approvals", quote(&reader.things.keys[key].name));
            reader.findings.error(Rule::Contradiction, &range, message, "give it a policy, or remove this");
        }
        if let Some(give_up) = self.give_up.as_ref().filter(|give_up| give_up.value.0 < Duration::SECOND) {
            let message = "the signer would give up at once".to_owned();
            reader.findings.error(Rule::Value, &give_up.range, message, "write 1s or more");
        }
        self.approvals.iter().filter_map(|approval| approval.value.check(reader)).collect()
    }

    /// That nothing is asked of a key that signs as for `muster sign` which that does not do.
    fn check_custody(&self, key: usize, reader: &mut Reader<'_, '_, '_>) {
        let asked = [
            (self.scheme == Some(SigningScheme::SigningAuthority), "the scheme notary.x509.signingAuthority"),
            (self.manifest == Some(ManifestForm::Oldest), "the manifest artifact-manifest"),
            (self.timestamp.is_some(), "a timestamp"),
            (self.plugin.is_some() || self.plugin_min_version.is_some(), "a verification plugin"),
            (!self.attributes.0.is_empty(), "attributes"),
            (!self.defects.is_empty(), "defects"),
            (self.file.is_some(), "a file"),
        ];
        let name = quote(&reader.things.keys[key].name);
        for (_, what) in asked.into_iter().filter(|(is_asked, _)| *is_asked) {
            let message = format!("the key {name} signs as it does for muster sign, without {what} here");
            let help = "remove that, or sign with a key in a file or a token without trouble";
            reader.findings.error(Rule::Contradiction, &reader.place_of(self.key.as_ref()), message, help);
        }
    }
}

impl Written for RawSign {
    type Checked = Sign;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Sign> {
        let file = self.file_to_sign(reader)?;
        let artifact = match file {
            Some(_) => default_artifact()?,
            None => reader.existing(self.artifact.as_ref())?,
        };
        Some(Sign { artifact, file, signing: self.signing(reader)? })
    }
}

impl Step for Sign {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        if self.file.is_none() && self.signing.manifest == ManifestForm::Oldest {
            let host = self.artifact.reference.repository.host();
            needs.demands.push(Demand { host, what: Capability::ArtifactManifests });
        }
    }

    fn expects(&self) -> bool {
        self.signing.expect.is_some()
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        if let Some(file) = &self.file {
            return file.sign(&self.signing, world).await;
        }
        let Some(expect) = &self.signing.expect else {
            return match self.signed(world).await?.trouble {
                Some(trouble) => Err(format!("cannot sign: {}", trouble.message)),
                None => Ok(()),
            };
        };
        let before = RegistryState::of(world, &self.artifact).await?;
        let signed = self.signed(world).await?;
        let after = RegistryState::of(world, &self.artifact).await?;
        world.differences.extend(expect.differences(&self.artifact, &signed, before, after));
        Ok(())
    }
}

impl Sign {
    /// Signs, as far as the key does.
    async fn signed(&self, world: &mut World) -> Result<Signed, String> {
        match world.custodians.get(&world.holders.acting(self.signing.key, world.clock)).cloned() {
            Some(custodian) => custody::sign(self, &custodian, world).await,
            None => self.forged(world).await,
        }
    }

    /// Signs by the forge: some artifacts at a time, so that what is signed and not pushed yet takes little memory.
    async fn forged(&self, world: &mut World) -> Result<Signed, String> {
        let name = &self.artifact;
        let count = world.inventory.get(name).len();
        let mut signed = Signed { count: 0, trouble: None, approvals: None };
        world.signing = std::time::Duration::ZERO;
        for first in (0..count).step_by(SIGNED_AT_A_TIME) {
            let positions = first..count.min(first + SIGNED_AT_A_TIME);
            let subjects: Vec<Descriptor> = world.subjects(name, positions.clone())?;
            let began = Instant::now();
            let signatures = self.signatures(world, subjects).await?;
            world.signing += began.elapsed();
            let signatures = match signatures {
                Ok(signatures) => signatures,
                Err(ForgeError::Signer(error)) => {
                    return Ok(Signed { trouble: Some(SigningTrouble::of(&SignError::Signer(error))), ..signed });
                }
                Err(error) => return Err(format!("cannot sign: {error}")),
            };
            let (registry, repository) = world.place(name)?;
            let repository = repository.as_str();
            let pushes = signatures.into_iter().map(|signatures| async move {
                let mut pushed = Vec::with_capacity(signatures.len());
                // One after the other, so that the registry lists them in this order.
                for signature in signatures {
                    registry.push(repository, None, &signature).await?;
                    pushed.push(registry.shared(repository, signature.into()));
                }
                Ok(pushed)
            });
            let pushed = some_at_a_time(pushes).await?;
            for (item, signatures) in world.inventory.get_mut(name)[positions].iter_mut().zip(pushed) {
                item.referrers.reserve_exact(signatures.len());
                signed.count += signatures.len() as u64;
                signatures.into_iter().for_each(|signature| item.add_signature(name.part.as_deref(), signature));
            }
        }
        Ok(signed)
    }

    /// The signatures of each of `subjects`; the outer error says that the case was broken off.
    async fn signatures(
        &self,
        world: &World,
        subjects: Vec<Descriptor>,
    ) -> Result<Result<Vec<Vec<Artifact>>, ForgeError>, String> {
        let (holders, now, signing) = (Arc::clone(&world.holders), world.clock, self.signing.clone());
        let waits = Waits::default();
        let wanted = waits.wanted();
        let work = move || {
            let signer: &Signer = holders.signer(signing.key, now);
            let tsa_signer = signing.timestamp.as_ref().map(|stamping| &holders.tsa_signers[stamping.by]);
            let sign = |subject: &Descriptor| {
                wanted.still()?;
                Ok(seal::sign(&signing, signer, tsa_signer, subject, now))
            };
            // In parallel, on as many threads as there are processors: a token has several sessions.
            let made: Result<Vec<Vec<Result<Artifact, ForgeError>>>, String> = subjects
                .par_iter()
                .map(|subject| (0..signing.count).map(|_| sign(subject)).collect::<Result<Vec<_>, String>>())
                .collect();
            made.map(|made| made.into_iter().map(|of_one| of_one.into_iter().collect()).collect())
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| "signing broke down".to_owned())?
    }
}
