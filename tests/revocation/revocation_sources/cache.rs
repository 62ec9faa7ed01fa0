//! CRLs in notation's cache: its form, when one serves, and what happens when it should not have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::Digest;
use muster::fetch::{Cache, RevocationSource, SingleFlight, SingleFlightOptions};
use muster::revocation::Answer;
use time::OffsetDateTime;

use super::answers::{EARLIER, LATER, NOW, Script, accepted, accepted_after, crl, crl_of, need, ocsp_need, warnings};

pub(crate) const URL: &str = "http://crl.acme-rockets.io/root.crl";
const DELTA: &str = "http://crl.acme-rockets.io/delta.crl";

/// Where notation keeps the CRL at `url`.
pub(crate) fn place(folder: &Path, url: &str) -> PathBuf {
    folder.join("crl").join(Digest::sha256(url.as_bytes()).hex())
}

/// Puts a file where notation would.
pub(crate) fn put(folder: &Path, url: &str, content: &[u8]) {
    std::fs::create_dir_all(folder.join("crl")).unwrap();
    std::fs::write(place(folder, url), content).unwrap();
}

/// The file of a base and its delta, as notation writes it.
pub(crate) fn file(base: &[u8], delta: Option<&[u8]>) -> Vec<u8> {
    let mut text = format!("{{\"baseCRL\":\"{}\"", STANDARD.encode(base));
    if let Some(delta) = delta {
        text += &format!(",\"deltaCRL\":\"{}\"", STANDARD.encode(delta));
    }
    (text + "}").into_bytes()
}

/// A cache in `folder` over a server that has other CRLs; and the server.
fn cache_at(folder: &Path, at: OffsetDateTime) -> (Cache, Arc<Script>) {
    let script = Script::with([(need(URL), crl(9, LATER, &[])), (need(DELTA), crl(9, LATER, &[]))]);
    let (warn, heard) = warnings();
    drop(heard);
    (Cache::new(script.clone(), folder, at, warn), script)
}

async fn is_hit(folder: &Path) -> bool {
    let (cache, script) = cache_at(folder, NOW);
    let answer = cache.answer(&need(URL)).await.unwrap();
    assert_eq!(script.asked() == 0, answer.bytes() != &crl(9, LATER, &[]));
    script.asked() == 0
}

#[tokio::test]
async fn files_are_named_and_written_as_notation_does() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/notation");
    let (cache, _) = cache_at(&root, NOW);
    let (base, delta) = (crl(1, LATER, &[]), crl(2, LATER, &[]));
    cache.store_verified(&accepted(URL, &base, None)).await;
    cache.store_verified(&accepted("http://a.io/", &base, Some(&delta))).await;
    let read = |name: &str| std::fs::read_to_string(root.join("crl").join(name)).unwrap();
    let [base, delta] = [base, delta].map(|bytes| STANDARD.encode(bytes));
    let usual = read("8b747672f26e7553374fd79f167cb4ef15fab164b040f7afba486725fb164eba");
    assert_eq!(usual, format!(r#"{{"baseCRL":"{base}"}}"#));
    let with_delta = read(&Digest::sha256(b"http://a.io/").hex());
    assert_eq!(with_delta, format!(r#"{{"baseCRL":"{base}","deltaCRL":"{delta}"}}"#));
    assert_eq!(std::fs::read_dir(root.join("crl")).unwrap().count(), 2, "something was left over");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&root), mode(&root.join("crl"))), (0o700, 0o700));
        assert_eq!(mode(&place(&root, URL)), 0o600);
    }
}

#[tokio::test]
async fn a_cached_crl_serves_until_its_next_update() {
    let folder = tempfile::tempdir().unwrap();
    let none = crl_of("Acme", 1, None, &[]);
    for (base, delta, hit) in [
        (crl(1, LATER, &[]), None, true),
        (crl(1, NOW, &[]), None, true),
        (crl(1, EARLIER, &[]), None, false),
        (none.clone(), None, false),
        (crl(1, LATER, &[DELTA]), None, false),
        (crl(1, LATER, &[DELTA]), Some(crl(2, NOW, &[])), true),
        (crl(1, LATER, &[DELTA]), Some(crl(2, EARLIER, &[])), false),
        (crl(1, LATER, &[DELTA]), Some(none), false),
        (crl(1, EARLIER, &[DELTA]), Some(crl(2, LATER, &[])), false),
    ] {
        put(folder.path(), URL, &file(&base, delta.as_deref()));
        assert_eq!(is_hit(folder.path()).await, hit, "{base:02x?} {delta:02x?}");
    }
}

#[tokio::test]
async fn a_delta_comes_with_its_base() {
    let folder = tempfile::tempdir().unwrap();
    let (base, delta) = (crl(1, LATER, &["http://a.io/other", DELTA]), crl(2, LATER, &[]));
    put(folder.path(), URL, &file(&base, Some(&delta)));
    let (cache, script) = cache_at(folder.path(), NOW);
    assert_eq!(cache.answer(&need(URL)).await.unwrap().bytes(), &base);
    assert_eq!(cache.answer(&need(DELTA)).await.unwrap().bytes(), &delta);
    assert_eq!(script.asked(), 0);
    // By itself it is nobody's: the base's server was asked.
    let (cache, script) = cache_at(folder.path(), NOW);
    assert_eq!(cache.answer(&need(DELTA)).await.unwrap().bytes(), &crl(9, LATER, &[]));
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn nothing_is_made_before_there_is_something_to_keep() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("notation");
    let (cache, _) = cache_at(&root, NOW);
    cache.answer(&need(URL)).await.unwrap();
    assert!(!root.exists());
}

#[tokio::test]
async fn ocsp_answers_are_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ocsp_need(URL, 1);
    put(folder.path(), URL, &file(&crl(1, LATER, &[]), None));
    let script = Script::with([(asked.clone(), vec![1])]);
    let cache = Cache::new(script.clone(), folder.path(), NOW, warnings().0);
    for _ in 0..2 {
        assert_eq!(&cache.answer(&asked).await.unwrap().bytes()[..], [1]);
    }
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn a_crl_is_written_once_and_not_again_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let base = crl(1, LATER, &[]);
    // In a form of its own, so that writing it anew would show.
    let spaced = [b" ".to_vec(), file(&base, None)].concat();
    put(folder.path(), URL, &spaced);
    let (cache, _) = cache_at(folder.path(), NOW);
    cache.answer(&need(URL)).await.unwrap();
    cache.store_verified(&accepted(URL, &base, None)).await;
    assert_eq!(std::fs::read(place(folder.path(), URL)).unwrap(), spaced);
    cache.store_verified(&accepted_after(&[&base], accepted(URL, &crl(2, LATER, &[]), None))).await;
    assert_eq!(std::fs::read(place(folder.path(), URL)).unwrap(), file(&crl(2, LATER, &[]), None));
    cache.store_verified(&accepted(URL, &crl(3, LATER, &[]), None)).await;
    assert_eq!(std::fs::read(place(folder.path(), URL)).unwrap(), file(&crl(2, LATER, &[]), None));
}

#[tokio::test]
async fn f16_what_is_refused_is_fetched_after_all() {
    let folder = tempfile::tempdir().unwrap();
    let (base, delta) = (crl(1, LATER, &[DELTA]), crl(2, LATER, &[]));
    put(folder.path(), URL, &file(&base, Some(&delta)));
    let (cache, script) = cache_at(folder.path(), NOW);
    let source = SingleFlight::new(Arc::new(cache), SingleFlightOptions::default());
    let poisoned = source.answer(&need(URL)).await.unwrap();
    assert_eq!(poisoned.bytes(), &base);
    for _ in 0..3 {
        let anew = source.refetch(&need(URL), &poisoned).await.unwrap().unwrap();
        assert_eq!(anew.bytes(), &crl(9, LATER, &[]));
        assert_eq!(source.answer(&need(URL)).await.unwrap(), anew);
        // The server's own is all there is.
        assert_eq!(source.refetch(&need(URL), &anew).await, None);
    }
    assert_eq!(script.asked(), 1);
    // The delta that lay beside the spoilt base is not used either.
    assert_eq!(source.answer(&need(DELTA)).await.unwrap().bytes(), &crl(9, LATER, &[]));
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn f16_a_refused_delta_is_fetched_after_all() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, &file(&crl(1, LATER, &[DELTA]), Some(&crl(2, LATER, &[]))));
    let (cache, script) = cache_at(folder.path(), NOW);
    let source = SingleFlight::new(Arc::new(cache), SingleFlightOptions::default());
    source.answer(&need(URL)).await.unwrap();
    let poisoned = source.answer(&need(DELTA)).await.unwrap();
    let anew = source.refetch(&need(DELTA), &poisoned).await.unwrap().unwrap();
    assert_eq!((anew.bytes(), script.asked()), (&bytes::Bytes::from(crl(9, LATER, &[])), 1));
}

#[tokio::test]
async fn f16_where_the_server_is_away_too_nothing_is_known() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), URL, &file(&crl(1, LATER, &[]), None));
    let cache = Cache::new(Script::with([]), folder.path(), NOW, warnings().0);
    let source = SingleFlight::new(Arc::new(cache), SingleFlightOptions::default());
    let poisoned = source.answer(&need(URL)).await.unwrap();
    assert_eq!(source.refetch(&need(URL), &poisoned).await.unwrap().unwrap_err().message, "nobody is there");
    assert_eq!(source.answer(&need(URL)).await.unwrap_err().message, "nobody is there");
}

#[tokio::test]
async fn f16_what_came_from_the_server_is_not_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, script) = cache_at(folder.path(), NOW);
    let source = SingleFlight::new(Arc::new(cache), SingleFlightOptions::default());
    let answer = source.answer(&need(URL)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(source.refetch(&need(URL), &answer).await, None);
    }
    assert_eq!(source.refetch(&need("http://a.io/unheard-of"), &Answer::new(vec![1])).await, None);
    assert_eq!((script.asked(), source.fetches()), (1, 1));
}
