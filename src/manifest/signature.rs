//! Signature manifests (*signature-specification*, OCI Signatures): which manifest is one, and where its envelope is.
//!
//! Three forms are read: the artifact type in the manifest (OCI 1.1), the artifact type as the configuration's media
//! type (before), and OCI's artifact manifest (the first release candidates). Whose signature it is, is not decided here:
//! `subject` is a claim, and only the signed payload decides. But a claim that is untrue in itself is refused.

use super::{Descriptor, ManifestKind};
use crate::failure::{Code, Failure, quote};

/// The artifact type of Notary Project signatures.
pub const SIGNATURE_ARTIFACT_TYPE: &str = "application/vnd.cncf.notary.signature";

/// Signatures of other systems: what their artifact types begin with, and what one is called in a sentence.
const FOREIGN_SIGNATURES: [(&str, &str); 3] = [
    ("application/vnd.dev.sigstore.bundle", "a Sigstore bundle"),
    ("application/vnd.dev.cosign.artifact.sig", "a cosign signature"),
    ("application/vnd.dev.cosign.simplesigning", "a cosign signature"),
];

/// What a manifest is called that says it is a signature of another system. It is a claim: nothing of it is verified.
pub fn foreign_signature(manifest: &ManifestKind) -> Option<&'static str> {
    let artifact_type = manifest.artifact_type()?;
    let foreign = FOREIGN_SIGNATURES.iter().find(|(start, _)| artifact_type.starts_with(start));
    foreign.map(|(_, called)| *called)
}

/// Whether a manifest says that it is a Notary Project signature.
pub fn is_signature(manifest: &ManifestKind) -> bool {
    match manifest {
        ManifestKind::Image(_) | ManifestKind::Artifact(_) => manifest.artifact_type() == Some(SIGNATURE_ARTIFACT_TYPE),
        ManifestKind::Index(_) | ManifestKind::Other => false,
    }
}

/// Checks the `subject` of a signature manifest, which names `artifact` by its digest: media type and size must be the
/// artifact's too. A layout, to notation, has no signature here at all, and a registry lists one.
///
/// The failure is [`Code::SignatureManifestMalformed`]: the signature's own fault.
pub fn check_subject(subject: &Descriptor, artifact: &Descriptor) -> Result<(), Failure> {
    let differs = |what: &str, stated: String, found: String| {
        let message =
            format!("the subject of the signature manifest has the {what} {stated}, the artifact's is {found}");
        Err(Failure::new(Code::SignatureManifestMalformed, message))
    };
    if subject.media_type != artifact.media_type {
        return differs("media type", quote(&subject.media_type), quote(&artifact.media_type));
    }
    if subject.size != artifact.size {
        return differs("size", subject.size.to_string(), artifact.size.to_string());
    }
    Ok(())
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
