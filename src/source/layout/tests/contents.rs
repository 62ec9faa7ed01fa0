//! What a layout holds, and which repository it belongs to.

use futures_util::TryStreamExt;

use super::*;

fn tag(name: &str) -> TagEntry {
    TagEntry::Tag(name.to_owned())
}

/// All artifacts of a layout with a signature count, through the source's own interface.
async fn artifacts_and_signatures(layout: &Layout) -> (usize, usize) {
    let mut signatures = 0;
    for entry in layout.entries() {
        let repository = entry.repository.as_ref().unwrap();
        let by_name: Reference = entry.reference.as_ref().unwrap().parse().unwrap();
        let named = layout.manifest(&by_name).await.unwrap().unwrap();
        let found = layout.manifest(&repository.at(entry.descriptor.digest)).await.unwrap().unwrap();
        assert_eq!(named.bytes, found.bytes);
        let referrers = layout.referrers(repository, &entry.descriptor.digest).await.unwrap();
        assert!(referrers.others.is_empty());
        for signature in &referrers.listed {
            let found = layout.manifest(&repository.at(signature.digest)).await.unwrap().unwrap();
            let read = manifest::parse(&found.bytes, &found.descriptor.media_type).unwrap();
            let envelope = manifest::signature_envelope(&read).unwrap();
            assert!(layout.blob(repository, &envelope, limits::ENVELOPE_BYTES).await.unwrap().is_some());
            signatures += 1;
        }
    }
    (layout.entries().len(), signatures)
}

#[tokio::test]
async fn the_interop_layout_has_29_artifacts_and_31_signatures() {
    let directory = Layout::open_directory(&interop()).unwrap();
    assert_eq!(artifacts_and_signatures(&directory).await, (29, 31));
    let first = &directory.entries()[0];
    assert_eq!(first.reference.as_deref(), Some("127.0.0.1:5601/interop/expired-then-fresh:v1"));
    assert_eq!(first.repository, Some(repository("127.0.0.1:5601/interop/expired-then-fresh")));
    let repositories: Vec<_> = directory.repositories().try_collect().await.unwrap();
    assert_eq!((repositories.len(), &repositories[0]), (29, first.repository.as_ref().unwrap()));
    assert_eq!(directory.tags(&repositories[0]).try_collect::<Vec<_>>().await.unwrap(), [tag("v1")]);

    for prefix in ["", "./", "././"] {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_dir_all(if prefix.is_empty() { "." } else { prefix }, interop()).unwrap();
        let tar = builder.into_inner().unwrap();
        let plain = open_archive(&tar).unwrap();
        assert_eq!(artifacts_and_signatures(&plain).await, (29, 31));
        assert_eq!(plain.entries(), directory.entries());
        let compressed = open_archive(&gzip(&tar)).unwrap();
        assert_eq!(artifacts_and_signatures(&compressed).await, (29, 31));
        assert_eq!(compressed.entries(), directory.entries());
    }
}

#[tokio::test]
async fn names_and_scope_say_which_repository() {
    let mut sketch = Sketch::default();
    let [full, plain, odd, bare, unnamed] = ["full", "plain", "odd", "bare", "unnamed"].map(|c| sketch.artifact(c));
    sketch.list(&full, Some("a.io/b:v1"));
    sketch.list(&plain, Some("v2"));
    sketch.list(&odd, Some("no tag"));
    sketch.list(&bare, Some("a.io/c"));
    sketch.list(&unnamed, None);
    // Said twice, and said without the name: no artifact more.
    sketch.list(&full, Some("a.io/b:v1"));
    sketch.list(&full, None);
    let folder = sketch.directory();
    let layout = Layout::open_directory(folder.path()).unwrap();
    let b = repository("a.io/b");
    let seen = |layout: &Layout| -> Vec<(Option<String>, Option<String>, Digest)> {
        let entries = layout.entries().iter().cloned();
        entries.map(|e| (e.reference, e.repository.map(|r| r.to_string()), e.descriptor.digest)).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        seen(&layout),
        [
            (text("a.io/b:v1"), text("a.io/b"), full.digest),
            (None, None, plain.digest),
            (None, None, odd.digest),
            (text("a.io/c"), text("a.io/c"), bare.digest),
            (None, None, unnamed.digest),
        ]
    );
    let names: Vec<_> = layout.entries().iter().map(|entry| entry.name.as_deref()).collect();
    assert_eq!(names, [Some("a.io/b:v1"), Some("v2"), Some("no tag"), Some("a.io/c"), None]);
    assert_eq!(layout.repositories().try_collect::<Vec<_>>().await.unwrap(), [b.clone(), repository("a.io/c")]);
    let found = layout.manifest(&"a.io/c".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.descriptor, bare);
    // Content that a name puts elsewhere is not this repository's; content without a name belongs to any.
    assert!(layout.manifest(&b.at(bare.digest)).await.unwrap().is_none());
    assert!(layout.manifest(&b.at(unnamed.digest)).await.unwrap().is_some());
    assert!(layout.manifest(&repository("x.io/y").at(unnamed.digest)).await.unwrap().is_none());
    assert!(layout.manifest(&b.at(Digest::sha256(b"nothing"))).await.unwrap().is_none());
    assert!(layout.manifest(&b.tagged("v2").unwrap()).await.unwrap().is_none());

    let scope = repository("z.io/scope");
    let layout = layout.scoped(&scope);
    assert_eq!(
        seen(&layout),
        [
            (text("z.io/scope:v1"), text("z.io/scope"), full.digest),
            (text("z.io/scope:v2"), text("z.io/scope"), plain.digest),
            (None, text("z.io/scope"), odd.digest),
            (text("z.io/scope"), text("z.io/scope"), bare.digest),
            (None, text("z.io/scope"), unnamed.digest),
        ]
    );
    // The maker of the layout has no say in which statement applies once the caller has named the repository.
    assert_eq!(layout.repositories().try_collect::<Vec<_>>().await.unwrap(), std::slice::from_ref(&scope));
    assert_eq!(layout.tags(&scope).try_collect::<Vec<_>>().await.unwrap(), [tag("v1"), tag("v2")]);
    let found = layout.manifest(&scope.tagged("v2").unwrap()).await.unwrap().unwrap();
    assert_eq!(found.descriptor, plain);
    assert!(layout.manifest(&scope.at(full.digest)).await.unwrap().is_some());
    assert!(layout.manifest(&b.tagged("v1").unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_for_two_manifests_names_none() {
    let mut sketch = Sketch::default();
    let (one, two) = (sketch.artifact("one"), sketch.artifact("two"));
    sketch.list(&one, Some("a.io/b:v1"));
    sketch.list(&two, Some("a.io/b:v1"));
    // A name whose digest is another manifest's is not believed.
    sketch.list(&one, Some(&format!("a.io/c@{}", two.digest)));
    let layout = sketch.open();
    assert_eq!(layout.entries().len(), 3);
    assert_eq!(layout.entries()[2].repository, None);
    let trouble = layout.manifest(&"a.io/b:v1".parse().unwrap()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
}

#[tokio::test]
async fn signatures_are_found_wherever_they_are_listed() {
    let mut sketch = Sketch::default();
    let image = sketch.artifact("image");
    let platform = sketch.artifact("platform");
    let absent = Descriptor::new(IMAGE_MANIFEST, Digest::sha256(b"another platform"), 100);
    let (first, second, third) =
        (sketch.signature(&image, "1"), sketch.signature(&image, "2"), sketch.signature(&platform, "3"));
    let multi = sketch.index(&[&platform, &absent]);
    let tagged = sketch.index(&[&second, &platform]);
    sketch.list(&image, Some("a.io/b:v1"));
    sketch.list(&multi, Some("a.io/b:multi"));
    sketch.list(&first, None);
    sketch.list(&first, None);
    sketch.list(&third, None);
    sketch.list(&tagged, Some(&format!("a.io/b:{}", image.digest.referrers_tag())));
    let folder = sketch.directory();
    let layout = Layout::open_directory(folder.path()).unwrap();
    let b = repository("a.io/b");
    let signatures = async |subject: &Descriptor| -> Vec<Digest> {
        let referrers = layout.referrers(&b, &subject.digest).await.unwrap();
        assert!(referrers.listed.iter().all(|d| d.artifact_type.as_deref() == Some(SIGNATURE_ARTIFACT_TYPE)));
        referrers.listed.into_iter().map(|d| d.digest).collect()
    };
    assert_eq!(signatures(&image).await, [first.digest, second.digest]);
    // A21: the list of another manifest's referrers does not make it a referrer of that.
    assert_eq!(signatures(&platform).await, [third.digest]);
    assert_eq!(signatures(&multi).await, []);
    let selected: Vec<_> = layout.entries().iter().map(|entry| entry.descriptor.digest).collect();
    // Whether an index is the list of referrers that its name says, is for the audit to find out.
    assert_eq!(selected, [image.digest, multi.digest, tagged.digest]);
    assert!(layout.manifest(&b.at(platform.digest)).await.unwrap().is_some());
    let trouble = layout.manifest(&b.at(absent.digest)).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::ContentMissing);
}

#[tokio::test]
async fn a_signature_that_cannot_be_read_leaves_no_artifact_unsigned() {
    let cases: [(&str, Option<TroubleKind>); 4] = [
        ("", Some(TroubleKind::ContentMissing)),
        (r#","artifactType":"application/vnd.cncf.notary.signature""#, Some(TroubleKind::ContentMissing)),
        (r#","artifactType":"application/spdx+json""#, None),
        (r#","annotations":{"org.opencontainers.image.ref.name":"v9"}"#, None),
    ];
    for (more, expected) in cases {
        let mut sketch = Sketch::default();
        let (signed, other) = (sketch.artifact("signed"), sketch.artifact("other"));
        let (there, gone) = (sketch.signature(&signed, "there"), sketch.signature(&other, "gone"));
        sketch.remove(&gone.digest);
        sketch.list(&signed, Some("a.io/b:v1"));
        sketch.list(&other, Some("a.io/b:v2"));
        sketch.list(&there, None);
        sketch.list_with(&gone, more);
        let layout = sketch.open();
        let b = repository("a.io/b");
        assert_eq!(layout.referrers(&b, &signed.digest).await.unwrap().listed.len(), 1, "{more}");
        let kind = layout.referrers(&b, &other.digest).await.map(|found| found.listed.len()).map_err(|t| t.kind);
        assert_eq!(kind, expected.map_or(Ok(0), Err), "{more}");
    }
}

/// An entry is a stranger's word: only what can be read says that it is no image.
#[test]
fn what_says_that_it_is_a_signature_and_cannot_be_read_is_looked_at() {
    let mut sketch = Sketch::default();
    let image = sketch.artifact("image");
    sketch.list(&image, Some("a.io/b:v1"));
    let doubled = br#"{"schemaVersion":2,"schemaVersion":2,"layers":[]}"#;
    let disguised = Descriptor::new(IMAGE_MANIFEST, sketch.blob(doubled), doubled.len() as u64);
    let claim = r#","artifactType":"application/vnd.cncf.notary.signature""#;
    sketch.list_with(&disguised, claim);
    let layout = sketch.open();
    let selected: Vec<_> = layout.entries().iter().map(|entry| entry.descriptor.digest).collect();
    assert_eq!((selected, layout.referring()), (vec![image.digest, disguised.digest], 0));
    // What is not there cannot be run.
    sketch.remove(&disguised.digest);
    let layout = sketch.open();
    assert_eq!((layout.entries().len(), layout.referring()), (1, 1));
}

#[test]
fn a26_no_more_manifests_are_followed_than_a_layout_may_list() {
    let mut sketch = Sketch::default();
    let images: Vec<_> = (0..6).map(|number| sketch.artifact(&number.to_string())).collect();
    // Each lists all of them: the lists together are far longer than what is in them.
    let indexes: Vec<_> = (1..=6).map(|count| sketch.index(&images[..count].iter().collect::<Vec<_>>())).collect();
    indexes.iter().for_each(|index| sketch.list(index, None));
    let folder = sketch.directory();
    let mut files = Files::Directory(Directory::open(folder.path()).unwrap());
    assert!(Catalogue::read_within(&mut files, 12).is_ok());
    assert_eq!(Catalogue::read_within(&mut files, 11).unwrap_err().kind, TroubleKind::AnswerTooLarge);
}

#[tokio::test]
async fn blobs_are_what_their_descriptors_say_or_trouble() {
    let mut sketch = Sketch::default();
    let there = Descriptor::new("a/b", sketch.blob(b"0123456789"), 10);
    let other = Descriptor::new("a/b", Digest::sha256(b"other"), 10);
    sketch.files.push((format!("blobs/sha256/{}", other.digest.hex()), b"9876543210".to_vec()));
    let absent = Descriptor::new("a/b", Digest::sha256(b"absent"), 6);
    let sized = |size| Descriptor { size, ..there.clone() };
    let any = repository("a.io/b");
    let folder = sketch.directory();
    let tar = tar_of(&sketch.all());
    let layouts = [
        Layout::open_directory(folder.path()).unwrap(),
        open_archive(&tar).unwrap(),
        open_archive(&gzip(&tar)).unwrap(),
    ];
    for layout in layouts {
        let ask = async |descriptor: &Descriptor, limit| {
            layout.blob(&any, descriptor, limit).await.map_err(|trouble| trouble.kind)
        };
        assert_eq!(ask(&there, 10).await.unwrap().unwrap().as_ref(), b"0123456789");
        assert_eq!(ask(&absent, 10).await, Ok(None));
        assert_eq!(ask(&there, 9).await, Err(TroubleKind::AnswerTooLarge));
        assert_eq!(ask(&sized(u64::MAX), 10).await, Err(TroubleKind::AnswerTooLarge));
        for wrong in [0, 5, 11, 100] {
            assert_eq!(ask(&sized(wrong), 100).await, Err(TroubleKind::SizeMisstated));
            let neither = Descriptor { size: wrong, ..other.clone() };
            assert_eq!(ask(&neither, 100).await, Err(TroubleKind::AnswerInvalid));
        }
        assert_eq!(ask(&sized(5), 5).await, Err(TroubleKind::AnswerTooLarge));
        assert_eq!(ask(&other, 100).await, Err(TroubleKind::AnswerInvalid));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_odd_files_in_a_directory_are_refused() {
    use std::os::unix::fs::symlink;

    let mut sketch = Sketch::default();
    let secret = Descriptor::new("a/b", Digest::sha256(b"secret"), 6);
    let artifact = sketch.artifact("x");
    sketch.list(&artifact, Some("a.io/b:v1"));
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::write(outside.path().join(secret.digest.hex()), "secret").unwrap();

    let folder = sketch.directory();
    let blob = folder.path().join("blobs/sha256").join(secret.digest.hex());
    symlink(outside.path().join("secret"), &blob).unwrap();
    let layout = Layout::open_directory(folder.path()).unwrap();
    let any = repository("a.io/b");
    let ask = async || layout.blob(&any, &secret, 100).await.map_err(|trouble| trouble.kind);
    assert_eq!(ask().await, Err(TroubleKind::AnswerInvalid));
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    assert_eq!(ask().await, Err(TroubleKind::AnswerInvalid));
    fs::remove_dir_all(folder.path().join("blobs/sha256")).unwrap();
    symlink(outside.path(), folder.path().join("blobs/sha256")).unwrap();
    assert_eq!(ask().await, Err(TroubleKind::AnswerInvalid));

    let folder = sketch.directory();
    fs::rename(folder.path().join("index.json"), outside.path().join("index.json")).unwrap();
    symlink(outside.path().join("index.json"), folder.path().join("index.json")).unwrap();
    assert_eq!(Layout::open_directory(folder.path()).unwrap_err().kind, TroubleKind::AnswerInvalid);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_hides_no_other() {
    const NAMED: &str = r#""annotations":{"org.opencontainers.image.ref.name":"a.io/b:v0"}"#;
    let digest = Digest::sha256(b"x");
    let fine = format!(r#""mediaType":"{IMAGE_MANIFEST}","digest":"{digest}""#);
    for (entry, name, doubts) in [
        ("7".to_owned(), None, true),
        ("null".to_owned(), None, true),
        ("[]".to_owned(), None, true),
        ("{}".to_owned(), None, true),
        (format!("{{{fine}}}"), None, true),
        (format!(r#"{{{fine},"size":-1}}"#), None, true),
        (format!(r#"{{{fine},"size":1,"size":1}}"#), None, true),
        (format!(r#"{{{fine},"size":"1",{NAMED}}}"#), Some("a.io/b:v0"), false),
        (format!(r#"{{{NAMED},"mediaType":"a/b","digest":"sha256:../../x","size":1}}"#), Some("a.io/b:v0"), false),
        (format!(r#"{{{NAMED},"digest":"{digest}","size":1}}"#), Some("a.io/b:v0"), false),
        (format!(r#"{{{fine},"artifactType":"application/spdx+json"}}"#), None, false),
        (format!(r#"{{{fine},"artifactType":"{SIGNATURE_ARTIFACT_TYPE}",{NAMED}}}"#), Some("a.io/b:v0"), true),
        (format!(r#"{{{fine},"size":1,"annotations":{{"org.opencontainers.image.ref.name":1}}}}"#), None, true),
    ] {
        let mut sketch = Sketch::default();
        let (signed, other) = (sketch.artifact("signed"), sketch.artifact("other"));
        let signature = sketch.signature(&signed, "1");
        sketch.list(&signed, Some("a.io/b:v1"));
        sketch.listed.push(entry.clone());
        sketch.list(&other, Some("a.io/b:v2"));
        sketch.list(&signature, None);
        for layout in [sketch.open(), open_archive(&tar_of(&sketch.all())).unwrap()] {
            assert_eq!(layout.entries().len(), 2, "{entry}");
            let [unreadable] = layout.unreadable() else { panic!("{entry}: {:?}", layout.unreadable()) };
            assert_eq!(
                (unreadable.name.as_deref(), unreadable.trouble.kind),
                (name, TroubleKind::AnswerInvalid),
                "{entry}"
            );
            assert!(unreadable.trouble.message.contains("entry 2 of index.json"), "{}", unreadable.trouble);
            let b = repository("a.io/b");
            let found = layout.referrers(&b, &signed.digest).await.unwrap();
            assert_eq!((found.listed.len(), found.doubt.is_some()), (1, doubts), "{entry}");
            // What may be a signature and cannot be read leaves nothing unsigned.
            assert_eq!(layout.referrers(&b, &other.digest).await.is_err(), doubts, "{entry}");
        }
    }
}

#[tokio::test]
async fn an_image_without_a_name_is_an_artifact_though_it_refers_to_another() {
    let mut sketch = Sketch::default();
    let image = sketch.artifact("image");
    let signature = sketch.signature(&image, "1");
    let subject = described(IMAGE_MANIFEST, image.digest, image.size, "");
    let config = described("application/vnd.oci.image.config.v1+json", Digest::sha256(b"{}"), 2, "");
    let text = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"subject":{subject}}}"#);
    let hidden = Descriptor::new(IMAGE_MANIFEST, sketch.blob(text.as_bytes()), text.len() as u64);
    sketch.list(&image, Some("a.io/b:v1"));
    sketch.list(&signature, None);
    sketch.list(&signature, None);
    sketch.list(&hidden, None);
    let layout = sketch.open().scoped(&repository("a.io/b"));
    let selected: Vec<_> = layout.entries().iter().map(|entry| entry.descriptor.digest).collect();
    assert_eq!((selected, layout.referring()), (vec![image.digest, hidden.digest], 1));
}

#[test]
fn what_is_no_layout_is_not_opened() {
    let nowhere = interop().join("nowhere");
    assert_eq!(Layout::open_directory(&nowhere).unwrap_err().kind, TroubleKind::NotFound);
    assert_eq!(Layout::open_archive(&nowhere).unwrap_err().kind, TroubleKind::NotFound);
    assert_eq!(Layout::open_directory(&interop().join("index.json")).unwrap_err().kind, TroubleKind::FileUnusable);
    assert_eq!(Layout::open_archive(&interop()).unwrap_err().kind, TroubleKind::FileUnusable);
    let good = Sketch::default().all();
    assert!(open_archive(&tar_of(&good)).is_ok());
    let cases: [(&str, Option<&str>); 10] = [
        ("oci-layout", None),
        ("oci-layout", Some(r#"{"imageLayoutVersion":"2.0.0"}"#)),
        ("oci-layout", Some("{}")),
        ("oci-layout", Some("")),
        ("index.json", None),
        ("index.json", Some("[]")),
        ("index.json", Some(r#"{"manifests":[],"manifests":[]}"#)),
        ("index.json", Some("{}")),
        ("index.json", Some(r#"{"manifests":{}}"#)),
        ("index.json", Some(r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#)),
    ];
    for (name, content) in cases {
        let mut files = good.clone();
        files.retain(|(known, _)| known != name);
        files.extend(content.map(|content| (name.to_owned(), content.as_bytes().to_vec())));
        assert_eq!(refused(&tar_of(&files)).kind, TroubleKind::AnswerInvalid, "{name}: {content:?}");
    }
}

#[tokio::test]
async fn an_entry_that_is_too_long_or_too_deep_is_trouble_of_its_own() {
    let mut sketch = Sketch::default();
    let artifact = sketch.artifact("sound");
    sketch.list(&artifact, Some("a.io/b:v1"));
    let folder = sketch.directory();
    let index = std::fs::read_to_string(folder.path().join("index.json")).unwrap();
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(limits::JSON_DEPTH), "]".repeat(limits::JSON_DEPTH));
    let long = format!("{:?}", "x".repeat(limits::JSON_ELEMENT_BYTES));
    for odd in [deep, long] {
        let with = index.replacen(r#""manifests":["#, &format!(r#""manifests":[{odd},"#), 1);
        assert_ne!(with, index);
        std::fs::write(folder.path().join("index.json"), with).unwrap();
        let layout = Layout::open_directory(folder.path()).unwrap();
        assert_eq!((layout.entries().len(), layout.unreadable().len()), (1, 1));
    }
}
