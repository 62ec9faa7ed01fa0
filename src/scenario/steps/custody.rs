//! Signatures as `muster sign` makes them: by a key of a custodian, one after the other, each in its registry before the next one
//! is made.
//!
//! What the key does not sign ends it: those before are in the registry whole, and of those after it there is nothing.

use std::sync::Arc;
use std::time::Instant;

use super::sign::{Sign, Signed};
use super::signing_trouble::SigningTrouble;
use crate::envelope;
use crate::forge::{Artifact, Blob};
use crate::manifest::Descriptor;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::words::Format;
use crate::scenario::world::{ApprovalRun, Custodian, GatewayKey, Unsigned, World};
use crate::sign::SignRequest;
use crate::source::{Attachment, Content};

/// Signs as `step` says, with a key that `custodian` holds.
pub(super) async fn sign(step: &Sign, custodian: &Custodian, world: &mut World) -> Result<Signed, String> {
    let Sign { artifact: name, signing, .. } = step;
    if let Custodian::Gateway(key) = custodian {
        return sign_by_approvals(step, key, world).await;
    }
    let subjects = world.all_subjects(name)?;
    let mut signed = Signed { count: 0, trouble: None, approvals: None };
    let began = Instant::now();
    let opened = custodian.open(&world.plugins, world.clock).await?;
    world.signing += began.elapsed();
    let key = match opened {
        Ok(key) => Arc::new(key),
        Err(error) => return Ok(Signed { trouble: Some(SigningTrouble::of(&error)), ..signed }),
    };
    for (position, subject) in subjects.iter().enumerate() {
        for _ in 0..signing.count {
            let began = Instant::now();
            let made = key.sign(request(step, subject, world)).await?;
            world.signing += began.elapsed();
            let artifact = match made {
                Ok(attachment) => artifact(attachment),
                Err(error) => return Ok(Signed { trouble: Some(SigningTrouble::of(&error)), ..signed }),
            };
            publish(name, position, artifact, world).await?;
            signed.count += 1;
        }
    }
    Ok(signed)
}

/// The same with a key that needs approvals: while it waits for them, time passes.
async fn sign_by_approvals(step: &Sign, key: &GatewayKey, world: &mut World) -> Result<Signed, String> {
    let Sign { artifact: name, signing, .. } = step;
    let mut signed = Signed { count: 0, trouble: None, approvals: None };
    for (position, subject) in world.all_subjects(name)?.iter().enumerate() {
        for _ in 0..signing.count {
            let began = Instant::now();
            let run = ApprovalRun {
                request: request(step, subject, world),
                artifact: name.to_string(),
                deeds: &signing.approvals,
                give_up: signing.give_up,
                now: world.clock,
            };
            let (made, approvals, ended) = key.sign(run).await?;
            world.signing += began.elapsed();
            // What else goes by the scenario's clock goes on with it.
            world.clock = ended;
            world.responders.set_now(ended);
            signed.approvals = Some(approvals);
            match made {
                Ok(attachment) => publish(name, position, artifact(attachment), world).await?,
                Err(unsigned) => {
                    signed.trouble = Some(match unsigned {
                        Unsigned::Broker(error) => SigningTrouble::of_broker(&error),
                        Unsigned::Other(error) => SigningTrouble::of(&error),
                    });
                    return Ok(signed);
                }
            }
            signed.count += 1;
        }
    }
    Ok(signed)
}

/// Pushes a signature of the artifact at `position`.
async fn publish(name: &ArtifactName, position: usize, artifact: Artifact, world: &mut World) -> Result<(), String> {
    let (registry, repository) = world.place(name)?;
    registry.push(&repository, None, &artifact).await?;
    let artifact = registry.shared(&repository, artifact.into());
    if let Some(item) = world.inventory.get_mut(name).get_mut(position) {
        item.add_signature(name.part.as_deref(), artifact);
    }
    Ok(())
}

fn request(step: &Sign, subject: &Descriptor, world: &World) -> SignRequest {
    let signing = &step.signing;
    let mut request = SignRequest::new(subject.clone(), world.clock + signing.signed_at);
    request.expiry = signing.expires;
    request.user_metadata = signing.user_metadata.clone();
    request.format = match signing.format {
        Format::Jws => envelope::Format::Jws,
        Format::Cose => envelope::Format::Cose,
    };
    request.form = signing.manifest.form();
    request
}

/// What is to be written, as the forge keeps it.
fn artifact(attachment: Attachment) -> Artifact {
    let blob = |Content { descriptor, bytes }: Content| Blob { descriptor, bytes };
    Artifact { manifest: blob(attachment.manifest), blobs: attachment.blobs.into_iter().map(blob).collect() }
}
