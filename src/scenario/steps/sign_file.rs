//! `sign` of a file: a detached signature beside it, as `muster blob sign` makes one, soundly or with the signer's own defects.
//!
//! Follows *signing-and-verification-workflow*, Blob signing. The file is measured as that command does, with the hash that
//! belongs to the key.

use std::sync::Arc;
use std::time::Instant;

use super::seal;
use super::sign::Signing;
use crate::audit::measure_blob;
use crate::manifest::Descriptor;
use crate::scenario::world::World;

/// A file that is to be signed.
#[derive(Debug)]
pub(super) struct FileToSign {
    pub(super) name: String,
    pub(super) media_type: String,
}

impl FileToSign {
    /// As what it is signed where nothing else is said.
    pub(super) const MEDIA_TYPE: &str = "application/octet-stream";

    /// Signs it.
    pub(super) async fn sign(&self, signing: &Signing, world: &mut World) -> Result<(), String> {
        let (holders, now, signing) = (Arc::clone(&world.holders), world.clock, signing.clone());
        let (path, media_type) = (world.files.path(&self.name), self.media_type.clone());
        let work = move || {
            let signer = holders.signer(signing.key, now);
            let tsa_signer = signing.timestamp.as_ref().map(|stamping| &holders.tsa_signers[stamping.by]);
            let (digest, size) =
                measure_blob(&path, signer.key.kind().hash()).map_err(|trouble| format!("cannot sign: {trouble}"))?;
            let subject = Descriptor::new(&media_type, digest, size);
            let sign = |_| {
                seal::sign(&signing, signer, tsa_signer, &subject, now).map_err(|error| format!("cannot sign: {error}"))
            };
            (0..signing.count).map(sign).collect::<Result<Vec<_>, String>>()
        };
        let began = Instant::now();
        let signatures = tokio::task::spawn_blocking(work).await.map_err(|_| "signing broke down".to_owned())??;
        world.signing = began.elapsed();
        signatures.into_iter().try_for_each(|signature| world.files.add_signature(&self.name, signature))
    }
}
