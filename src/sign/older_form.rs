//! A signature in the manifest from before OCI 1.1, for registries that refuse the one of OCI 1.1 or misread it.
//!
//! Follows *signature-specification*, OCI Signatures: there the media type of the configuration says what the manifest is, as
//! notation 1.3.2 writes it. The envelope and all else stay as they are: what was verified is not made anew.

use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::manifest::{EMPTY_CONFIG, SIGNATURE_ARTIFACT_TYPE};
use crate::source::{Attachment, Content};

/// The same signature in the older form. `None`: it is not in the form of OCI 1.1.
pub(super) fn in_older_form(signature: &Attachment) -> Option<Attachment> {
    let mut manifest: Map<String, Value> = serde_json::from_slice(&signature.manifest.bytes).ok()?;
    manifest.remove("artifactType").filter(|own| own.as_str() == Some(SIGNATURE_ARTIFACT_TYPE))?;
    let config = manifest.get_mut("config").filter(|config| config["mediaType"] == EMPTY_CONFIG)?;
    config["mediaType"] = json!(SIGNATURE_ARTIFACT_TYPE);
    let bytes = Value::Object(manifest).to_string().into_bytes();
    let mut descriptor = signature.manifest.descriptor.clone();
    (descriptor.digest, descriptor.size) = (Digest::sha256(&bytes), bytes.len() as u64);
    let mut blobs = signature.blobs.clone();
    for blob in blobs.iter_mut().filter(|blob| blob.descriptor.media_type == EMPTY_CONFIG) {
        SIGNATURE_ARTIFACT_TYPE.clone_into(&mut blob.descriptor.media_type);
    }
    Some(Attachment { subject: signature.subject, manifest: Content { descriptor, bytes: bytes.into() }, blobs })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::encode::{Artifact, SignatureManifest};
    use crate::manifest::{self, Descriptor, IMAGE_MANIFEST};
    use crate::sign::signature::attachment;

    #[test]
    fn s61_it_is_what_would_have_been_written_at_once() {
        let subject = Descriptor::new(IMAGE_MANIFEST, Digest::sha256(b"artifact"), 8);
        let signed = |form| {
            let notes = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
            let chain = [b"certificate".to_vec()];
            let artifact =
                Artifact::annotated_signature(form, &subject, "application/cose", b"envelope", &chain, notes);
            attachment(artifact, &subject).unwrap()
        };
        let older = in_older_form(&signed(SignatureManifest::ArtifactType)).unwrap();
        let expected = signed(SignatureManifest::ConfigMediaType);
        let read = |signature: &Attachment| manifest::parse(&signature.manifest.bytes, IMAGE_MANIFEST).unwrap();
        assert_eq!(read(&older), read(&expected));
        assert_eq!(older.blobs, expected.blobs);
        assert!(older.manifest.descriptor.digest.matches(&older.manifest.bytes));
        assert_eq!(older.manifest.descriptor.annotations, expected.manifest.descriptor.annotations);
        assert_eq!(older.manifest.descriptor.artifact_type, expected.manifest.descriptor.artifact_type);
        for form in [SignatureManifest::ConfigMediaType, SignatureManifest::Oldest] {
            assert_eq!(in_older_form(&signed(form)), None);
        }
    }
}
