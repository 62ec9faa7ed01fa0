//! A cache that cannot be used: never fatal, and said once.

use std::path::Path;
use std::time::Duration;

use muster::fetch::{Cache, RevocationSource};
use muster::revocation::Accepted;

use super::answers::{LATER, NOW, Script, accepted, accepted_after, crl, crl_of, need, need_of, warnings};
use super::cache::{URL, file, place, put};
#[cfg(unix)]
use crate::skip;

/// Asks twice for a CRL that the cache cannot serve: the server's comes, with so many warnings.
async fn is_missed(folder: &Path, expected: usize) {
    let script = Script::with([(need(URL), crl(9, LATER, &[])), (need("http://a.io/"), crl(9, LATER, &[]))]);
    let (warn, heard) = warnings();
    let cache = Cache::new(script.clone(), folder, NOW, warn);
    for url in [URL, URL, "http://a.io/"] {
        let answer = tokio::time::timeout(Duration::from_secs(60), cache.answer(&need(url))).await.unwrap().unwrap();
        assert_eq!(answer.bytes(), &crl(9, LATER, &[]));
    }
    let heard = heard.lock().unwrap().clone();
    assert_eq!((script.asked(), heard.len()), (3, expected), "{heard:?}");
}

/// The same, and what came can be kept in its place.
async fn is_replaced(folder: &Path, expected: usize) {
    is_missed(folder, expected).await;
    let (warn, heard) = warnings();
    Cache::new(Script::with([]), folder, NOW, warn).store_verified(&accepted(URL, &crl(9, LATER, &[]), None)).await;
    assert_eq!(std::fs::read(place(folder, URL)).unwrap(), file(&crl(9, LATER, &[]), None));
    assert!(std::fs::symlink_metadata(place(folder, URL)).unwrap().is_file());
    assert_eq!(heard.lock().unwrap().len(), 0);
}

async fn content_is_missed(content: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, content);
    put(folder.path(), "http://a.io/", content);
    is_replaced(folder.path(), 1).await;
}

#[tokio::test]
async fn f15_a_corrupt_file_is_a_miss() {
    let good = file(&crl(1, LATER, &[]), None);
    let text = String::from_utf8(good.clone()).unwrap();
    for content in [
        "nonsense".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"baseCRL":null}"#.to_owned(),
        r#"{"baseCRL":""}"#.to_owned(),
        r#"{"baseCRL":"AAAA"}"#.to_owned(),
        r#"{"baseCRL":"*"}"#.to_owned(),
        text.replace("baseCRL", "basecrl"),
        text.replace('{', r#"{"baseCRL":"AAAA","#),
        text.replace('}', r#","deltaCRL":"AAAA"}"#),
        text.replace('}', r#","deltaCRL":7}"#),
        format!("{text}{text}"),
    ] {
        content_is_missed(content.as_bytes()).await;
    }
    content_is_missed(&[good, vec![0xff]].concat()).await;
}

#[tokio::test]
async fn f15_a_truncated_file_is_a_miss() {
    let good = file(&crl(1, LATER, &[]), None);
    for length in [1, 10, 20, good.len() - 2, good.len() - 1] {
        content_is_missed(&good[..length]).await;
    }
}

#[tokio::test]
async fn f15_an_empty_file_is_a_miss() {
    content_is_missed(b"").await;
}

#[tokio::test]
async fn f15_a_huge_file_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, b"");
    // Sparse: it takes no room.
    let huge = std::fs::OpenOptions::new().write(true).open(place(folder.path(), URL)).unwrap();
    huge.set_len(1 << 40).unwrap();
    is_replaced(folder.path(), 1).await;
}

#[tokio::test]
async fn f15_a_folder_in_its_place_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(place(folder.path(), URL)).unwrap();
    is_missed(folder.path(), 1).await;
}

#[cfg(unix)]
#[tokio::test]
async fn f15_a_link_is_a_miss() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = elsewhere.path().join("target");
    let content = file(&crl(1, LATER, &[]), None);
    std::fs::write(&target, &content).unwrap();
    std::fs::create_dir_all(folder.path().join("crl")).unwrap();
    std::os::unix::fs::symlink(&target, place(folder.path(), URL)).unwrap();
    is_replaced(folder.path(), 1).await;
    assert_eq!(std::fs::read(&target).unwrap(), content, "it was written through the link");
}

#[cfg(unix)]
#[tokio::test]
async fn f15_a_fifo_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("crl")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(place(folder.path(), URL)).status().unwrap();
    assert!(made.success());
    is_replaced(folder.path(), 1).await;
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(unix)]
#[tokio::test]
async fn f15_an_unreadable_file_is_a_miss() {
    use std::os::unix::fs::PermissionsExt as _;
    if is_root() {
        // Where nothing may be skipped the tests run as root, for the next one.
        return skip::say("f15_an_unreadable_file_is_a_miss", "root reads every file, whatever its permissions");
    }
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, &file(&crl(1, LATER, &[]), None));
    std::fs::set_permissions(place(folder.path(), URL), std::fs::Permissions::from_mode(0o000)).unwrap();
    is_replaced(folder.path(), 1).await;
}

#[cfg(unix)]
#[tokio::test]
async fn f15_another_users_file_is_a_miss() {
    if !is_root() {
        return skip::skip("f15_another_users_file_is_a_miss", "only root can give a file to another user");
    }
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, &file(&crl(1, LATER, &[]), None));
    std::os::unix::fs::chown(place(folder.path(), URL), Some(65_534), None).unwrap();
    is_replaced(folder.path(), 1).await;
}

#[tokio::test]
async fn f15_a_cache_that_cannot_be_written_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: what a disk that is full or not writable does, and nobody's rights matter.
    let blocked = folder.path().join("notation");
    std::fs::write(&blocked, b"").unwrap();
    let (warn, heard) = warnings();
    let cache = Cache::new(Script::with([(need(URL), crl(9, LATER, &[]))]), &blocked, NOW, warn);
    cache.answer(&need(URL)).await.unwrap();
    for url in [URL, "http://a.io/", "http://b.io/"] {
        cache.store_verified(&accepted(url, &crl(9, LATER, &[]), None)).await;
    }
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.iter().filter(|warning| warning.contains("cannot be kept")).count(), 1, "{heard:?}");
    assert!(heard.len() <= 2, "{heard:?}");
}

#[tokio::test]
async fn f15_what_cannot_be_put_in_its_place_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // The file is written and then cannot be renamed, as between file systems.
    let inside = place(folder.path(), URL).join("inside");
    std::fs::create_dir_all(&inside).unwrap();
    let (warn, heard) = warnings();
    Cache::new(Script::with([]), folder.path(), NOW, warn)
        .store_verified(&accepted(URL, &crl(9, LATER, &[]), None))
        .await;
    assert_eq!(heard.lock().unwrap().len(), 1);
    assert!(inside.exists());
    assert_eq!(std::fs::read_dir(folder.path().join("crl")).unwrap().count(), 1);
}

#[test]
fn f15_many_write_at_once_and_every_reader_sees_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, &file(&crl(1, LATER, &[]), None));
    let path = folder.path().to_owned();
    let writers: Vec<_> = (2..6)
        .map(|number| {
            let path = path.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for _ in 0..50 {
                        // A run of its own each time.
                        let (warn, heard) = warnings();
                        let script = Script::with([]);
                        let cache = Cache::new(script.clone(), &path, NOW, warn);
                        let all: Vec<Vec<u8>> = (1..6).map(|number| crl(number, LATER, &[])).collect();
                        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
                        cache
                            .store_verified(&accepted_after(&all, accepted(URL, &crl(number, LATER, &[]), None)))
                            .await;
                        let fresh = Cache::new(script, &path, NOW, warnings().0);
                        assert!(fresh.answer(&need(URL)).await.is_ok(), "a file in pieces was seen");
                        assert_eq!(heard.lock().unwrap().len(), 0);
                    }
                });
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(std::fs::read_dir(folder.path().join("crl")).unwrap().count(), 1, "a temporary file was left");
}

#[tokio::test]
async fn f06_an_older_crl_is_never_written_over_a_newer_one() {
    let delta = "http://a.io/delta.crl";
    for (before, after, written) in [
        ((crl(7, LATER, &[]), None), (crl(5, LATER, &[]), None), false),
        ((crl(7, LATER, &[]), None), (crl(8, LATER, &[]), None), true),
        // Kept long ago, and due since.
        ((crl(7, super::answers::EARLIER, &[]), None), (crl(0, LATER, &[]), None), false),
        ((crl(7, super::answers::EARLIER, &[]), None), (crl(7, LATER, &[]), None), true),
        (
            (crl(7, LATER, &[delta]), Some(crl(9, LATER, &[]))),
            (crl(7, LATER, &[delta]), Some(crl(8, LATER, &[]))),
            false,
        ),
        (
            (crl(7, LATER, &[delta]), Some(crl(8, LATER, &[]))),
            (crl(7, LATER, &[delta]), Some(crl(9, LATER, &[]))),
            true,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let [before, after] = [before, after].map(|(base, delta)| (file(&base, delta.as_deref()), base, delta));
        put(folder.path(), URL, &before.0);
        let cache = Cache::new(Script::with([]), folder.path(), NOW, warnings().0);
        cache.store_verified(&accepted_after(&[&before.1], accepted(URL, &after.1, after.2.as_deref()))).await;
        let stands = std::fs::read(place(folder.path(), URL)).unwrap();
        assert_eq!(stands == after.0, written);
        assert_eq!(stands == before.0, !written);
        assert_eq!(std::fs::read_dir(folder.path().join("crl")).unwrap().count(), 1);
    }
}

/// A tenant whose certificates name another's address takes nothing from the other.
#[tokio::test]
async fn f06_what_one_issuer_refuses_or_keeps_changes_nothing_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let ours = crl(7, LATER, &[]);
    put(folder.path(), URL, &file(&ours, None));
    let theirs = crl_of("Tenant", 99, Some(LATER), &[]);
    let script = Script::with([(need_of("Tenant", URL), theirs.clone()), (need(URL), crl(5, LATER, &[]))]);
    let cache = Cache::new(script.clone(), folder.path(), NOW, warnings().0);
    let tenant = cache.answer(&need_of("Tenant", URL)).await.unwrap();
    assert_eq!((tenant.bytes(), script.asked()), (&bytes::Bytes::from(theirs.clone()), 1));
    cache.refetch(&need_of("Tenant", URL), &tenant).await;
    cache
        .store_verified(&Accepted { need: need_of("Tenant", URL), answer: tenant, delta: None, before: Vec::new() })
        .await;
    // Ours stands where it was, and serves.
    assert_eq!(std::fs::read(place(folder.path(), URL)).unwrap(), file(&ours, None));
    let fresh = Cache::new(script.clone(), folder.path(), NOW, warnings().0);
    for cache in [&cache, &fresh] {
        assert_eq!(cache.answer(&need(URL)).await.unwrap().bytes(), &ours);
        assert_eq!(script.asked(), 1);
    }
    // And the tenant's is kept beside it.
    assert_eq!(fresh.answer(&need_of("Tenant", URL)).await.unwrap().bytes(), &theirs);
    assert_eq!(script.asked(), 1);
}

/// Another key's, or an older one that is too long to be verified along with the new one.
#[tokio::test]
async fn f06_what_is_not_known_to_be_the_issuers_stays_and_the_new_one_lies_beside_it() {
    for (there, new) in [(3, 5), (9, 5)] {
        let folder = tempfile::tempdir().unwrap();
        let there = file(&crl(there, super::answers::EARLIER, &[]), None);
        put(folder.path(), URL, &there);
        let new = crl(new, LATER, &[]);
        Cache::new(Script::with([]), folder.path(), NOW, warnings().0).store_verified(&accepted(URL, &new, None)).await;
        assert_eq!(std::fs::read(place(folder.path(), URL)).unwrap(), there);
        let fresh = Cache::new(Script::with([]), folder.path(), NOW, warnings().0);
        assert_eq!(fresh.answer(&need(URL)).await.unwrap().bytes(), &new);
    }
}

#[tokio::test]
async fn f06_a_run_as_of_another_time_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(Script::with([]), folder.path(), NOW, warnings().0).read_only();
    cache.store_verified(&accepted(URL, &crl(9, LATER, &[]), None)).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    put(folder.path(), URL, &file(&crl(7, LATER, &[]), None));
    assert_eq!(cache.answer(&need(URL)).await.unwrap().bytes(), &crl(7, LATER, &[]));
}
