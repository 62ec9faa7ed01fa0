//! Tags of cosign: what it keeps there are documents, in an image whose configuration is that of any image.
//!
//! That a layer is called a document proves nothing: there are tools that look at a layer's content only, and run an image
//! whatever its layers are called. No tool runs an image one of whose layers it cannot unpack. So the beginning of the first is
//! looked at, and the tag is cosign's only if that is no archive.

use super::passed_over::is_absent;
use super::selected::Selected;
use crate::digest::Digest;
use crate::trouble::{Trouble, TroubleKind};

/// What begins as these do is a compressed archive: gzip, bzip2, xz, zstd.
const COMPRESSED: [&[u8]; 4] = [&[0x1f, 0x8b], b"BZh", &[0xfd, b'7', b'z', b'X', b'Z', 0], &[0x28, 0xb5, 0x2f, 0xfd]];
/// How long the header of a file in a tar archive is, and where its checksum stands.
const TAR_HEADER: usize = 512;
const TAR_CHECKSUM: std::ops::Range<usize> = 148..156;

/// Whether the first layer is no archive, so that no tool can unpack it.
pub(super) async fn holds_documents(selected: &Selected, first_layer: Digest) -> Result<bool, Trouble> {
    match selected.source.beginning(&selected.reference.repository, &first_layer).await {
        Ok(Some(bytes)) => Ok(!is_archive(&bytes)),
        // What is not there cannot be run.
        Ok(None) => Ok(true),
        Err(trouble) if is_absent(&trouble) => Ok(true),
        // It was not looked at.
        Err(trouble) if trouble.kind == TroubleKind::AnswerTooLarge => Ok(false),
        Err(trouble) => {
            let message = format!("whether it is what cosign keeps under such a tag is not known: {}", trouble.message);
            Err(Trouble::new(trouble.kind, message))
        }
    }
}

/// Whether something that begins so may be an archive of files, compressed or not.
fn is_archive(bytes: &[u8]) -> bool {
    // Frames of zstd that are skipped may come first.
    let is_skipped = matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
    COMPRESSED.iter().any(|magic| bytes.starts_with(magic)) || is_skipped || begins_with_tar_header(bytes)
}

/// Whether the first block has the checksum of a header; an archive without files begins with zeros.
fn begins_with_tar_header(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..TAR_HEADER) else { return false };
    if header.iter().all(|byte| *byte == 0) {
        return true;
    }
    let stated = String::from_utf8_lossy(&header[TAR_CHECKSUM]).into_owned();
    let stated = stated.trim_matches(|letter| letter == ' ' || letter == '\0');
    let Ok(stated) = i64::from_str_radix(stated, 8) else { return false };
    let counted = |number: usize, byte: u8| if TAR_CHECKSUM.contains(&number) { b' ' } else { byte };
    let bytes = || header.iter().enumerate().map(|(number, byte)| counted(number, *byte));
    // Some writers took bytes for signed numbers.
    stated == bytes().map(i64::from).sum::<i64>() || stated == bytes().map(|byte| i64::from(byte as i8)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_known_by_how_they_begin() {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o755);
        tar.append_data(&mut header, "bin/sh", &b"hi"[..]).unwrap();
        let tar = tar.into_inner().unwrap();
        let mut damaged = tar.clone();
        damaged[0] ^= 1;
        let long = format!("{{\"critical\":\"{}\"}}", "x".repeat(1000));
        for (bytes, expected) in [
            (&tar[..], true),
            (&[0; 1024], true),
            (&[0x1f, 0x8b, 8], true),
            (b"BZh91AY", true),
            (&[0x28, 0xb5, 0x2f, 0xfd, 0], true),
            (&[0x53, 0x2a, 0x4d, 0x18, 0], true),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0, 0], true),
            (&damaged, false),
            (&tar[..511], false),
            (b"", false),
            (b"{}", false),
            (b"SPDXVersion: SPDX-2.3", false),
            (long.as_bytes(), false),
        ] {
            assert_eq!(is_archive(bytes), expected, "{:?}", &bytes[..bytes.len().min(20)]);
        }
    }
}
