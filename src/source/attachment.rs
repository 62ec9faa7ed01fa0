//! What is written: a manifest that refers to another, with everything that it names itself.
//!
//! Follows the OCI image specification, *Image Manifest*, and the distribution specification, *Pushing Manifests*. A list of
//! manifests that others keep too is extended, never rewritten: whatever is in it stays as it is.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::manifest::{self, Descriptor, IMAGE_INDEX, ManifestKind};

/// Some content with its descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What the content is; digest and size are those of the bytes.
    pub descriptor: Descriptor,
    /// The content.
    pub bytes: Bytes,
}

/// A manifest that refers to another, to be written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The manifest that it refers to.
    pub subject: Digest,
    /// The manifest. Its descriptor is as lists of referrers have it: with artifact type and annotations.
    pub manifest: Content,
    /// What the manifest names: written first, so that the manifest never stands there without them.
    pub blobs: Vec<Content>,
}

/// The index `bytes` with `added` behind what it lists, or `None` if it lists that digest already. The error is one
/// sentence: what is no index is not written over.
pub(super) fn extended(bytes: &[u8], added: &Descriptor) -> Result<Option<Vec<u8>>, String> {
    let ManifestKind::Index(index) = manifest::parse(bytes, IMAGE_INDEX).map_err(|error| error.to_string())? else {
        return Err("it is not an index".to_owned());
    };
    if index.manifests.iter().any(|entry| entry.descriptor.digest == added.digest) {
        return Ok(None);
    }
    let mut index: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match index.entry("manifests").or_insert(Value::Null) {
        Value::Array(manifests) => manifests.push(entry(added)),
        absent => *absent = json!([entry(added)]),
    }
    Ok(Some(Value::Object(index).to_string().into_bytes()))
}

/// The index `bytes` without the entries of this digest, or `None` if it lists none.
pub(super) fn without(bytes: &[u8], digest: &Digest) -> Result<Option<Vec<u8>>, String> {
    let mut index: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Some(Value::Array(manifests)) = index.get_mut("manifests") else { return Ok(None) };
    let before = manifests.len();
    manifests.retain(|entry| entry["digest"] != json!(digest));
    Ok((manifests.len() < before).then(|| Value::Object(index).to_string().into_bytes()))
}

/// An index that lists `only`.
pub(super) fn index_of(only: &Descriptor) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [entry(only)] }).to_string().into_bytes()
}

fn entry(descriptor: &Descriptor) -> Value {
    let Descriptor { media_type, digest, size, artifact_type, annotations } = descriptor;
    let mut entry = json!({ "mediaType": media_type, "digest": digest, "size": size });
    if let Some(artifact_type) = artifact_type {
        entry["artifactType"] = json!(artifact_type);
    }
    if !annotations.is_empty() {
        entry["annotations"] = json!(annotations);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::IMAGE_MANIFEST;

    fn descriptor(name: &str) -> Descriptor {
        let mut descriptor = Descriptor::new(IMAGE_MANIFEST, Digest::sha256(name.as_bytes()), name.len() as u64);
        descriptor.artifact_type = Some("application/x".to_owned());
        descriptor.annotations.insert("name".to_owned(), name.to_owned());
        descriptor
    }

    fn listed(bytes: &[u8]) -> Vec<Descriptor> {
        match manifest::parse(bytes, IMAGE_INDEX).unwrap() {
            ManifestKind::Index(index) => index.manifests.into_iter().map(|entry| entry.descriptor).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_list_grows_by_what_is_new() {
        let (first, second) = (descriptor("first"), descriptor("the second"));
        let index = index_of(&first);
        assert_eq!(listed(&index), std::slice::from_ref(&first));
        assert_eq!(extended(&index, &first), Ok(None));
        let longer = extended(&index, &second).unwrap().unwrap();
        assert_eq!(listed(&longer), [first.clone(), second.clone()]);
        assert_eq!(extended(&longer, &second), Ok(None));
        assert_eq!(without(&longer, &second.digest).unwrap().as_deref().map(listed), Some(vec![first.clone()]));
        assert_eq!(without(&index, &second.digest), Ok(None));
        for empty in [r#"{"schemaVersion":2,"manifests":null}"#, r#"{"schemaVersion":2,"manifests":[]}"#] {
            let list = extended(empty.as_bytes(), &first).unwrap().unwrap();
            assert_eq!(listed(&list), std::slice::from_ref(&first));
        }
    }

    #[test]
    fn what_others_wrote_into_a_list_stays() {
        let digest = Digest::sha256(b"old");
        let index = json!({
            "schemaVersion": 2, "annotations": { "a": "b" }, "subject": { "mediaType": "m/t", "digest": digest, "size": 3 },
            "manifests": [{ "mediaType": "m/t", "digest": digest, "size": 9_007_199_254_740_993_u64, "data": "e30=", "x-own": [1] }],
        });
        let longer = extended(index.to_string().as_bytes(), &descriptor("new")).unwrap().unwrap();
        let mut longer: Value = serde_json::from_slice(&longer).unwrap();
        longer["manifests"].as_array_mut().unwrap().pop();
        assert_eq!(longer, index);
    }

    #[test]
    fn what_is_no_list_is_not_written_over() {
        for bytes in ["", "{}", "[]", r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, r#"{"manifests":[{}]}"#] {
            assert!(extended(bytes.as_bytes(), &descriptor("new")).is_err(), "{bytes} was taken for an index");
        }
    }
}
