//! Build caches in the form of an image index, as buildkit writes them: what they list are blobs.
//!
//! That an entry calls itself a layer proves nothing: there are tools that take the first entry without a platform, fetch it as
//! a manifest, and run it. So the registry is asked for each as a manifest, and the index is a cache only if none is one.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::passed_over::is_absent;
use super::selected::Selected;
use crate::digest::Digest;
use crate::limits;
use crate::trouble::{Trouble, TroubleKind};

/// How many entries are asked for at a time.
const AT_A_TIME: usize = 8;

/// Whether nothing that is `listed` is a manifest.
pub(super) async fn lists_no_manifest(selected: &Selected, listed: Vec<Digest>) -> Result<bool, Trouble> {
    let unknown = |trouble: Trouble| {
        let message = format!("whether it is the build cache that it seems to be is not known: {}", trouble.message);
        Trouble::new(trouble.kind, message)
    };
    if listed.len() > limits::INDEX_MANIFESTS {
        let message = format!("it lists more than {} blobs", limits::INDEX_MANIFESTS);
        return Err(unknown(Trouble::new(TroubleKind::AnswerTooLarge, message)));
    }
    let asked = listed.into_iter().map(async |digest| is_manifest(selected, digest).await);
    let mut asked = stream::iter(asked).buffered(AT_A_TIME);
    while let Some(is_manifest) = asked.next().await {
        if is_manifest.map_err(unknown)? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_manifest(selected: &Selected, digest: Digest) -> Result<bool, Trouble> {
    match selected.source.listed_manifest(&selected.reference.repository, &digest).await {
        Ok(None) => Ok(false),
        // A layout has everything under its digest.
        Ok(Some(found)) => Ok(looks_like_manifest(&found.bytes)),
        Err(trouble) if is_absent(&trouble) => Ok(false),
        // Nothing so long is read as a manifest.
        Err(trouble) if trouble.kind == TroubleKind::AnswerTooLarge => Ok(false),
        Err(trouble) => Err(trouble),
    }
}

/// Whether some reader may take this for a manifest: it is JSON with a member that only manifests have, or JSON that cannot be
/// read to its end.
fn looks_like_manifest(bytes: &Bytes) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Members {
        config: Option<IgnoredAny>,
        manifests: Option<IgnoredAny>,
        blobs: Option<IgnoredAny>,
        fs_layers: Option<IgnoredAny>,
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return false;
    }
    serde_json::from_slice::<Members>(bytes).map_or(true, |members| {
        let Members { config, manifests, blobs, fs_layers } = members;
        [config, manifests, blobs, fs_layers].iter().any(Option::is_some)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_reader_takes_for_a_manifest_is_none() {
        for (bytes, expected) in [
            (&b"\x1f\x8b\x08"[..], false),
            (b"", false),
            (br#"{"layers":[{"blob":"sha256:00","parent":-1}],"records":[]}"#, false),
            (br#"{"schemaVersion":2,"config":{},"layers":[]}"#, true),
            (br#" {"manifests":[]}"#, true),
            (br#"{"config":{},"config":{}}"#, true),
            (b"{", true),
        ] {
            assert_eq!(looks_like_manifest(&Bytes::from_static(bytes)), expected, "{bytes:?}");
        }
    }
}
