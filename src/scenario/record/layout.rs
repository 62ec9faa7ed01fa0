//! Writing a whole artifact as an OCI layout (OCI image specification, *Image Layout*): bytes as they are, each file by its
//! digest. The artifact has a tag for its name; what refers to it has none.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::manifest::SIGNATURE_ARTIFACT_TYPE;
use crate::scenario::whole_artifact::{Role, WholeArtifact};

/// Writes `whole` to the new folder `folder`, called `tag` in it.
pub(super) fn write(folder: &Path, whole: &WholeArtifact, tag: &str) -> io::Result<()> {
    fs::create_dir(folder)?;
    let mut listed = Vec::new();
    for member in &whole.members {
        let artifact = &member.artifact;
        for blob in artifact.blobs.iter().chain([&artifact.manifest]) {
            write_blob(folder, &blob.descriptor.digest, &blob.bytes)?;
        }
        let descriptor = artifact.descriptor();
        let mut entry = json!({
            "mediaType": descriptor.media_type,
            "digest": descriptor.digest.to_string(),
            "size": descriptor.size,
        });
        match &member.role {
            // An index lists it.
            Role::Listed(_) => continue,
            Role::Itself => entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag }),
            Role::Refers { is_signature: true, .. } => entry["artifactType"] = json!(SIGNATURE_ARTIFACT_TYPE),
            Role::Refers { artifact_type, .. } => entry["artifactType"] = json!(artifact_type),
        }
        listed.push(entry);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": listed,
    });
    write_json(&folder.join("index.json"), &index)?;
    write_json(&folder.join("oci-layout"), &json!({ "imageLayoutVersion": "1.0.0" }))
}

fn write_blob(folder: &Path, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
    let folder = folder.join("blobs").join(digest.algorithm().name());
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(digest.hex()), bytes)
}

fn write_json(file: &Path, value: &Value) -> io::Result<()> {
    fs::write(file, serde_json::to_string_pretty(value)? + "\n")
}
