//! Signature manifests (*signature-specification*, OCI Signatures): which manifest is one, and where its envelope is.
//!
//! Three forms are read: the artifact type in the manifest (OCI 1.1), the artifact type as the configuration's media
//! type (before), and OCI's artifact manifest (the first release candidates). Whose signature it is, is not asked here:
//! `subject` is a claim, and only the signed payload decides.

use super::{Descriptor, ManifestKind};
use crate::failure::{Code, Failure};

/// The artifact type of Notary Project signatures.
pub const SIGNATURE_ARTIFACT_TYPE: &str = "application/vnd.cncf.notary.signature";

/// Whether a manifest says that it is a Notary Project signature.
pub fn is_signature(manifest: &ManifestKind) -> bool {
    match manifest {
        ManifestKind::Image(_) | ManifestKind::Artifact(_) => manifest.artifact_type() == Some(SIGNATURE_ARTIFACT_TYPE),
        ManifestKind::Index(_) | ManifestKind::Other => false,
    }
}

/// The descriptor of a signature manifest's envelope: its only layer, or its only blob.
///
/// The failure is [`Code::SignatureManifestMalformed`]: the signature's own fault.
pub fn signature_envelope(manifest: &ManifestKind) -> Result<Descriptor, Failure> {
    let malformed = |message: String| Failure::new(Code::SignatureManifestMalformed, message);
    if !is_signature(manifest) {
        return Err(malformed(format!(
            "the manifest is not a signature's: its artifact type is not {SIGNATURE_ARTIFACT_TYPE}"
        )));
    }
    let (what, list) = match manifest {
        ManifestKind::Image(manifest) => ("layer", &manifest.layers),
        ManifestKind::Artifact(manifest) => ("blob", &manifest.blobs),
        ManifestKind::Index(_) | ManifestKind::Other => {
            return Err(malformed("the manifest of a signature is an image manifest".to_owned()));
        }
    };
    match list.as_slice() {
        [envelope] => Ok(envelope.clone()),
        _ => Err(malformed(format!("a signature manifest has exactly one {what}, this one has {}", list.len()))),
    }
}
