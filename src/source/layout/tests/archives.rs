//! Archives that a stranger made to lead elsewhere, to fill memory, or to be read in two ways.

use super::super::archive::Bounds;
use super::*;
use crate::digest::Algorithm;

#[test]
fn names_in_an_archive_lead_nowhere_else() {
    for name in ["/index.json", "../index.json", "x/../index.json", "index.json/", "INDEX.JSON", "a/index.json"] {
        let mut files = Sketch::default().all();
        files[1].0 = name.to_owned();
        assert_eq!(refused(&tar_of(&files)).kind, TroubleKind::AnswerInvalid, "{name}");
        // Beside the real one they do no harm.
        files.push(("index.json".to_owned(), br#"{"manifests":[]}"#.to_vec()));
        assert!(open_archive(&tar_of(&files)).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn links_and_repetitions_in_an_archive_are_refused() {
    use tar::EntryType;

    let content = Descriptor::new("a/b", Digest::sha256(b"content"), 7);
    let name = format!("blobs/sha256/{}", content.digest.hex());
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo] {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in Sketch::default().all() {
            append(&mut builder, &name, EntryType::Regular, &bytes);
        }
        append(&mut builder, &name, kind, b"");
        let tar = builder.into_inner().unwrap();
        for bytes in [gzip(&tar), tar] {
            let layout = open_archive(&bytes).unwrap();
            let trouble = layout.blob(&repository("a.io/b"), &content, 100).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{kind:?}: {trouble}");
        }
    }
    let mut files = Sketch::default().all();
    files.push((name.clone(), b"content".to_vec()));
    files.push((name, b"CONTENT".to_vec()));
    let layout = open_archive(&tar_of(&files)).unwrap();
    let trouble = layout.blob(&repository("a.io/b"), &content, 100).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
    files.push(files[1].clone());
    assert_eq!(refused(&tar_of(&files)).kind, TroubleKind::AnswerInvalid);
}

#[test]
fn archives_that_break_off_or_are_none_are_trouble() {
    let mut files = Sketch::default().all();
    files.push((format!("blobs/sha256/{}", Digest::sha256(b"x").hex()), vec![b'x'; 5000]));
    let tar = tar_of(&files);
    // Inside the content of the last file, and inside its header.
    for end in [tar.len() - 1024 - 3000, 4 * 512 + 100] {
        assert_eq!(refused(&tar[..end]).kind, TroubleKind::AnswerInvalid, "cut at {end}");
    }
    let compressed = gzip(&tar);
    for end in [3, compressed.len() / 2, compressed.len() - 1] {
        assert_eq!(open_archive(&compressed[..end]).unwrap_err().kind, TroubleKind::AnswerInvalid, "cut at {end}");
    }
    let mut damaged = compressed.clone();
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    assert_eq!(open_archive(&damaged).unwrap_err().kind, TroubleKind::AnswerInvalid);
    for bytes in [&b""[..], b"\x1f\x8b", b"(\xb5/\xfd compressed otherwise", &[0; 1024], &[0xff; 2048]] {
        assert_eq!(open_archive(bytes).unwrap_err().kind, TroubleKind::AnswerInvalid, "{bytes:?}");
    }
}

#[test]
fn a_compressed_archive_may_not_grow_without_bound() {
    let mut files = Sketch::default().all();
    files.push(("layers-somewhere-else".to_owned(), vec![0; 3 << 20]));
    for number in 0..4 {
        let json = format!("{{{}", " ".repeat((1 << 20) - 1)).into_bytes();
        files.push((format!("blobs/sha256/{}", Digest::sha256(&[number]).hex()), json));
        // Looks like nothing that is read, and is not kept.
        files.push((format!("blobs/sha256/{}", Digest::sha256(&[number, 0]).hex()), vec![0; 1 << 19]));
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&gzip(&tar_of(&files))).unwrap();
    let usual = Bounds { total: 10 << 20, kept: 5 << 20, headers: 1 << 20, files: limits::MANIFEST_ENTRIES };
    assert!(Archive::open_within(file.path(), usual).is_ok());
    for bounds in [Bounds { total: 8 << 20, ..usual }, Bounds { kept: 3 << 20, ..usual }] {
        let trouble = Archive::open_within(file.path(), bounds).unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerTooLarge, "{bounds:?}");
    }
}

#[test]
fn many_empty_files_may_not_fill_memory() {
    let mut files = Sketch::default().all();
    files.extend((0..10_u8).map(|n| (format!("blobs/sha256/{}", Digest::sha256(&[n]).hex()), Vec::new())));
    let tar = tar_of(&files);
    for bytes in [tar.clone(), gzip(&tar)] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let bounds = |files| Bounds { total: 8 << 20, kept: 5 << 20, headers: 1 << 20, files };
        assert!(Archive::open_within(file.path(), bounds(12)).is_ok());
        let trouble = Archive::open_within(file.path(), bounds(11)).unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerTooLarge);
    }
}

#[test]
fn a_long_name_may_not_fill_memory() {
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        let mut builder = tar::Builder::new(Vec::new());
        append(&mut builder, "long", kind, &vec![b'x'; 2 << 20]);
        append(&mut builder, "short", tar::EntryType::Regular, b"");
        let tar = builder.into_inner().unwrap();
        assert_eq!(refused(&tar).kind, TroubleKind::AnswerTooLarge, "{kind:?}");
    }
}

#[tokio::test]
async fn layers_of_a_compressed_archive_are_passed_over() {
    let layer = vec![7; (limits::ENVELOPE_BYTES + 1) as usize];
    let mut sketch = Sketch::default();
    let descriptor = Descriptor::new("a/b", sketch.blob(&layer), layer.len() as u64);
    let artifact = sketch.artifact("behind it");
    sketch.list(&artifact, Some("a.io/b:v1"));
    let tar = tar_of(&sketch.all());
    let any = repository("a.io/b");
    let plain = open_archive(&tar).unwrap();
    assert!(plain.blob(&any, &descriptor, u64::MAX).await.unwrap().is_some());
    let compressed = open_archive(&gzip(&tar)).unwrap();
    let trouble = compressed.blob(&any, &descriptor, u64::MAX).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::AnswerTooLarge);
    assert!(compressed.manifest(&any.tagged("v1").unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn an_envelope_is_read_of_a_compressed_archive_whatever_it_looks_like() {
    let mut sketch = Sketch::default();
    let artifact = sketch.artifact("signed");
    let envelope = "junk".repeat(1000);
    let signature = sketch.signature(&artifact, &envelope);
    sketch.list(&artifact, Some("a.io/b:v1"));
    sketch.list(&signature, None);
    let other = "other".repeat(1000);
    let other = Descriptor::new("a/b", sketch.blob(other.as_bytes()), other.len() as u64);
    let layout = open_archive(&gzip(&tar_of(&sketch.all()))).unwrap();
    let any = repository("a.io/b");
    let layer = Descriptor::new("application/cose", Digest::sha256(envelope.as_bytes()), envelope.len() as u64);
    assert_eq!(layout.blob(&any, &layer, 1 << 20).await.unwrap().unwrap(), envelope.as_bytes());
    assert_eq!(layout.blob(&any, &other, 1 << 20).await.unwrap_err().kind, TroubleKind::AnswerTooLarge);
}

#[tokio::test]
async fn long_names_are_read_in_full() {
    let content = Descriptor::new("a/b", Digest::of(Algorithm::Sha512, b"content"), 7);
    let mut builder = tar::Builder::new(Vec::new());
    let mut files = Sketch::default().all();
    files.push((format!("blobs/sha512/{}", content.digest.hex()), b"content".to_vec()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    for bytes in [gzip(&tar), tar] {
        let found = open_archive(&bytes).unwrap().blob(&repository("a.io/b"), &content, 100).await.unwrap();
        assert_eq!(found.unwrap(), "content");
    }
}
