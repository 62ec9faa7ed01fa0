//! What is written: a manifest that refers to another, with everything that it names itself.
//!
//! Follows the OCI image specification, *Image Manifest*, and the distribution specification, *Pushing Manifests*. A list of
//! manifests that others keep too is extended, never rewritten: whatever is in it stays as it is.

use std::collections::HashSet;

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
    if entries(bytes)?.iter().any(|(digest, _)| *digest == added.digest) {
        return Ok(None);
    }
    merged(Some(bytes), [entry_of(added).as_str()].into_iter(), &HashSet::new()).map(Some)
}

/// The index `bytes` without the entries of this digest, or `None` if it lists none.
pub(super) fn without(bytes: &[u8], digest: &Digest) -> Result<Option<Vec<u8>>, String> {
    let mut index: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Some(Value::Array(manifests)) = index.get_mut("manifests") else { return Ok(None) };
    let before = manifests.len();
    manifests.retain(|entry| entry["digest"] != json!(digest));
    Ok((manifests.len() < before).then(|| Value::Object(index).to_string().into_bytes()))
}

/// What the index `bytes` lists: each entry as it stands there, by its digest. The error is one sentence.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<(Digest, String)>, String> {
    let ManifestKind::Index(read) = manifest::parse(bytes, IMAGE_INDEX).map_err(|error| error.to_string())? else {
        return Err("it is not an index".to_owned());
    };
    let index: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let texts = index.get("manifests").and_then(Value::as_array).into_iter().flatten().map(Value::to_string);
    Ok(read.manifests.iter().map(|entry| entry.descriptor.digest).zip(texts).collect())
}

/// The index `bytes`, or a new one, with these entries behind what it lists, and without those of the digests `gone`. What
/// it holds besides stays. The error is one sentence.
pub(super) fn merged<'a>(
    bytes: Option<&[u8]>,
    added: impl Iterator<Item = &'a str>,
    gone: &HashSet<Digest>,
) -> Result<Vec<u8>, String> {
    let mut index: Map<String, Value> = match bytes {
        Some(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string())?,
        None => Map::from_iter([("schemaVersion".to_owned(), json!(2)), ("mediaType".to_owned(), json!(IMAGE_INDEX))]),
    };
    let listed = index.entry("manifests").or_insert(Value::Null);
    if !listed.is_array() {
        *listed = json!([]);
    }
    let stays = |entry: &Value| {
        let digest = entry["digest"].as_str().and_then(|digest| digest.parse().ok());
        !digest.is_some_and(|digest: Digest| gone.contains(&digest))
    };
    if let Value::Array(listed) = listed {
        listed.retain(stays);
        for entry in added {
            listed.push(serde_json::from_str(entry).map_err(|error| error.to_string())?);
        }
    }
    Ok(Value::Object(index).to_string().into_bytes())
}

/// Whether all that the index `bytes` lists says of what type it is, and nothing for which platform: it is a list of
/// referrers, and not an image of several platforms. One that lists nothing is that of all subjects without referrers, and one
/// with a subject a referrer itself.
pub(super) fn lists_referrers(bytes: &[u8]) -> bool {
    let Ok(index) = serde_json::from_slice::<Value>(bytes) else { return false };
    let entries = index["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
    !entries.is_empty()
        && index["subject"].is_null()
        && entries.iter().all(|entry| entry["artifactType"].is_string() && entry["platform"].is_null())
}

/// The entry of an index for `descriptor`, as it is written.
pub(super) fn entry_of(descriptor: &Descriptor) -> String {
    let Descriptor { media_type, digest, size, artifact_type, annotations } = descriptor;
    let mut entry = json!({ "mediaType": media_type, "digest": digest, "size": size });
    if let Some(artifact_type) = artifact_type {
        entry["artifactType"] = json!(artifact_type);
    }
    if !annotations.is_empty() {
        entry["annotations"] = json!(annotations);
    }
    entry.to_string()
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

    fn index_of(only: &Descriptor) -> Vec<u8> {
        merged(None, [entry_of(only).as_str()].into_iter(), &HashSet::new()).unwrap()
    }

    #[test]
    fn only_a_list_of_referrers_is_one() {
        let referrer = descriptor("first");
        assert!(lists_referrers(&index_of(&referrer)));
        let mut untyped = referrer.clone();
        untyped.artifact_type = None;
        assert!(!lists_referrers(&index_of(&untyped)));
        let image = json!({ "manifests": [{ "artifactType": "a/b", "platform": { "os": "linux" } }] });
        let empty = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [] });
        let mut attached: Value = serde_json::from_slice(&index_of(&referrer)).unwrap();
        attached["subject"] = json!({ "digest": referrer.digest });
        for other in [image, empty, attached] {
            assert!(!lists_referrers(other.to_string().as_bytes()), "{other}");
        }
        assert!(!lists_referrers(b"no JSON"));
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
    fn s62_lists_are_merged_entry_by_entry() {
        let (first, second, third) = (descriptor("first"), descriptor("second"), descriptor("third"));
        let none = HashSet::new();
        let (second_text, third_text) = (entry_of(&second), entry_of(&third));
        let index = merged(None, [entry_of(&first).as_str()].into_iter(), &none).unwrap();
        assert_eq!(listed(&index), std::slice::from_ref(&first));
        let longer = merged(Some(&index), [second_text.as_str(), &third_text].into_iter(), &none).unwrap();
        assert_eq!(listed(&longer), [first.clone(), second.clone(), third.clone()]);
        let texts = entries(&longer).unwrap();
        assert_eq!(texts[1..], [(second.digest, second_text), (third.digest, third_text)]);
        let shorter = merged(Some(&longer), std::iter::empty(), &HashSet::from([second.digest])).unwrap();
        assert_eq!(listed(&shorter), [first, third]);
        // As others write it, with members that nothing here reads.
        let other = json!({ "schemaVersion": 2, "annotations": { "a": "b" }, "manifests": null, "x-own": [1] });
        let merged = merged(Some(other.to_string().as_bytes()), [entry_of(&second).as_str()].into_iter(), &none);
        let merged: Value = serde_json::from_slice(&merged.unwrap()).unwrap();
        assert_eq!((&merged["annotations"]["a"], &merged["x-own"][0]), (&json!("b"), &json!(1)));
        for bytes in ["", "{}", r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#] {
            assert!(entries(bytes.as_bytes()).is_err(), "{bytes} was taken for an index");
        }
    }

    #[test]
    fn what_is_no_list_is_not_written_over() {
        for bytes in ["", "{}", "[]", r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, r#"{"manifests":[{}]}"#] {
            assert!(extended(bytes.as_bytes(), &descriptor("new")).is_err(), "{bytes} was taken for an index");
        }
    }
}
