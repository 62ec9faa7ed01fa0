//! What a registry has of the signatures of an artifact: how many it lists, and whether they are whole.
//!
//! It is asked as an audit asks it (OCI distribution specification, *Listing Referrers*). Of an embedded registry it is also looked up
//! whether it has a manifest of that subject that it does not list.

use std::collections::HashSet;

use crate::audit::Target;
use crate::digest::Digest;
use crate::limits;
use crate::manifest::{self, Descriptor};
use crate::reference::Repository;
use crate::scenario::inventory::some_at_a_time;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::world::World;
use crate::source::ArtifactSource;
use crate::trouble::Trouble;

/// The signatures of all artifacts of one name.
#[derive(Debug, Default)]
pub(super) struct RegistryState {
    /// How many are listed.
    pub(super) listed: u64,
    /// What is there in part only; each a noun.
    pub(super) broken: Vec<String>,
}

impl RegistryState {
    /// What the registry has now of the artifacts called `name`.
    pub(super) async fn of(world: &World, name: &ArtifactName) -> Result<RegistryState, String> {
        let (registry, path) = world.place(name)?;
        let repository = &name.reference.repository;
        let subjects = world.all_subjects(name)?;
        let path = path.as_str();
        let looks = subjects.into_iter().map(|subject| async move {
            let target = Target::Artifact(repository.at(subject.digest));
            let source = world.sources.artifact(&target).await.map_err(said)?.source;
            let mut state = of_subject(source.as_ref(), repository, &subject.digest).await.map_err(said)?;
            if let Some(registry) = &registry.embedded {
                let all = source.all_referrers(repository, &subject.digest).await.map_err(said)?;
                let listed: HashSet<Digest> = all.listed.iter().chain(&all.others).map(|found| found.digest).collect();
                let stray = registry.referring(path, &subject.digest).into_iter().filter(|held| !listed.contains(held));
                state.broken.extend(stray.map(|digest| format!("the manifest {digest}, which is not listed")));
            }
            Ok::<RegistryState, String>(state)
        });
        let add = |mut sum: RegistryState, state: RegistryState| {
            sum.listed += state.listed;
            sum.broken.extend(state.broken);
            sum
        };
        Ok(some_at_a_time(looks).await?.into_iter().fold(RegistryState::default(), add))
    }
}

fn said(trouble: Trouble) -> String {
    trouble.message
}

async fn of_subject(
    source: &dyn ArtifactSource,
    repository: &Repository,
    subject: &Digest,
) -> Result<RegistryState, Trouble> {
    let listed = source.referrers(repository, subject).await?.listed;
    let mut state = RegistryState { listed: listed.len() as u64, broken: Vec::new() };
    for signature in &listed {
        let digest = signature.digest;
        match source.listed_manifest(repository, &digest).await? {
            None => state.broken.push(format!("the list, which names the signature {digest} that is not there")),
            Some(held) => {
                let layers = layers(&held.bytes, &held.descriptor.media_type);
                // Who waits for a share of what may be held at a time holds none.
                drop(held);
                for layer in layers {
                    if source.blob(repository, &layer, limits::ENVELOPE_BYTES).await?.is_none() {
                        state
                            .broken
                            .push(format!("the signature {digest}, whose envelope {} is not there", layer.digest));
                    }
                }
            }
        }
    }
    Ok(state)
}

/// What a signature manifest names beside its configuration.
fn layers(bytes: &[u8], media_type: &str) -> Vec<Descriptor> {
    match manifest::parse(bytes, media_type) {
        Ok(manifest::ManifestKind::Image(image)) => image.layers,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::forge::Containers;
    use crate::manifest::IMAGE_INDEX;
    use crate::scenario::play::play;
    use crate::scenario::run::{Options, PhaseTimings, select};

    /// The world after these steps.
    async fn world(flavour: &str, steps: &str) -> World {
        let text = format!(
            "title: x\nregistries: {{ registry.wabbit-networks.io: {{ flavour: {flavour} }} }}\nsteps:\n{steps}\
             verify: [{{ expect: {{ result: pass }} }}]\n"
        );
        let scenario = crate::scenario::load::parse(text.as_bytes(), Path::new("scenarios/t/c.yaml")).unwrap();
        let cases = select(&[scenario], None).unwrap();
        let containers = Arc::new(Containers::watched_by(None));
        let mut times = PhaseTimings::default();
        let (_, world) = play(&cases[0], &Options::default(), &containers, None, &mut times, None).await;
        world.unwrap()
    }

    async fn state(world: &World) -> (u64, Vec<String>) {
        let name = crate::scenario::names::ARTIFACT.parse().unwrap();
        let state = RegistryState::of(world, &name).await.unwrap();
        (state.listed, state.broken)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn signatures_are_counted_whatever_the_registry_is_like() {
        for flavour in ["current", "release-candidate", "without-referrers"] {
            let signed = world(flavour, "  - push: { count: 2 }\n  - sign: { count: 3 }\n").await;
            assert_eq!(state(&signed).await, (6, Vec::new()), "{flavour}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_half_there_is_told() {
        let steps = "  - push: {}\n  - sign: { count: 2 }\n  - tamper: { do: remove-envelope }\n";
        let (listed, broken) = state(&world("current", steps).await).await;
        assert_eq!((listed, broken.len()), (2, 1), "{broken:?}");
        assert!(broken[0].starts_with("the signature sha256:") && broken[0].ends_with(" is not there"), "{broken:?}");

        // This flavour lists no index that has a subject.
        let unsigned = world("release-candidate", "  - push: {}\n").await;
        let name: ArtifactName = crate::scenario::names::ARTIFACT.parse().unwrap();
        let subject = unsigned.all_subjects(&name).unwrap().remove(0);
        let (registry, path) = unsigned.place(&name).unwrap();
        let Descriptor { media_type, digest, size, .. } = subject;
        let stray = serde_json::json!({
            "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [],
            "subject": { "mediaType": media_type, "digest": digest, "size": size },
        });
        let embedded = registry.embedded.as_ref().unwrap();
        embedded.put_manifest(&path, None, IMAGE_INDEX, stray.to_string().into_bytes()).unwrap();
        let (listed, broken) = state(&unsigned).await;
        assert_eq!((listed, broken.len()), (0, 1), "{broken:?}");
        assert!(broken[0].ends_with(", which is not listed"), "{broken:?}");
    }
}
