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
use crate::scenario::words::Format;
use crate::scenario::world::{Custodian, World};
use crate::sign::SignRequest;
use crate::source::{Attachment, Content};

/// Signs as `step` says, with a key that `custodian` holds.
pub(super) async fn sign(step: &Sign, custodian: &Custodian, world: &mut World) -> Result<Signed, String> {
    let Sign { artifact: name, signing } = step;
    let subjects = world.subjects(name)?;
    let mut signed = Signed { count: 0, trouble: None };
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
            let (registry, repository) = world.place(name)?;
            registry.push(&repository, None, &artifact).await?;
            if let Some(item) = world.inventory.get_mut(name).get_mut(position) {
                item.add_signature(name.part.as_deref(), artifact);
            }
            signed.count += 1;
        }
    }
    Ok(signed)
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
    let blob = |Content { descriptor, bytes }: Content| Blob { descriptor, bytes: bytes.into() };
    Artifact { manifest: blob(attachment.manifest), blobs: attachment.blobs.into_iter().map(blob).collect() }
}
