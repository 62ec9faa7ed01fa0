//! Answers from a folder, in every shape that people have them in; and the folder that a run leaves behind.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::Digest;
use muster::fetch::{Cache, Dated, Folder, Offline, RecordingSource, RevocationSource};
use muster::revocation::{Answer, Arrival, Issuer, Need};
use muster::trouble::TroubleKind;

use super::answers::{LATER, NOW, Script, crl, crl_of, need, need_of, ocsp_answer, ocsp_need, warnings};
use super::cache::{URL, file};

const RESPONDER: &str = "http://ocsp.acme-rockets.io";

fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

async fn answer(folder: &Path, need: &Need) -> Option<Vec<u8>> {
    let folder = Folder::read(folder).unwrap();
    assert_eq!(folder.warnings(), [""; 0]);
    match folder.answer(need).await {
        Ok(answer) => Some(answer.bytes().to_vec()),
        Err(trouble) => {
            assert_eq!(trouble.kind, TroubleKind::NotFound);
            None
        }
    }
}

#[tokio::test]
async fn crls_of_notations_cache_serve_even_out_of_date() {
    let name = Digest::sha256(URL.as_bytes()).hex();
    let delta_url = "http://a.io/delta.crl";
    let (base, delta) = (crl(1, super::answers::EARLIER, &[delta_url]), crl(2, NOW, &[]));
    for place in [format!("crl/{name}"), name] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &place, file(&base, Some(&delta)));
        assert_eq!(answer(folder.path(), &need(URL)).await, Some(base.clone()), "{place}");
        assert_eq!(answer(folder.path(), &need(delta_url)).await, Some(delta.clone()), "{place}");
        assert_eq!(answer(folder.path(), &need("http://a.io/other")).await, None, "{place}");
    }
}

#[tokio::test]
async fn crls_lie_where_wget_left_them() {
    let bytes = crl(1, LATER, &[]);
    for (url, place) in [
        ("http://crl.acme-rockets.io/pki/root.crl", "crl.acme-rockets.io/pki/root.crl"),
        ("http://CRL.acme-rockets.io:80/a.der", "crl.acme-rockets.io/a.der"),
        ("http://127.0.0.1:8080/root.crl", "127.0.0.1:8080/root.crl"),
        ("http://a.io/", "a.io/index.html"),
        ("http://a.io/get?ca=1&x=2", "a.io/get?ca=1&x=2"),
        ("http://a.io/get?ca=b%20c", "a.io/get?ca=b c"),
        ("http://a.io/Acme%20Root.crl", "a.io/Acme Root.crl"),
        ("http://a.io/Acme%20Root.crl", "a.io/Acme%20Root.crl"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), place, &bytes);
        assert_eq!(answer(folder.path(), &need(url)).await, Some(bytes.clone()), "{url}");
    }
}

#[tokio::test]
async fn an_address_never_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "secret.crl", crl(1, LATER, &[]));
    put(folder.path(), "in/a.io/x.crl", crl(1, LATER, &[]));
    for url in
        ["http://a.io/../../secret.crl", "http://a.io/..%2f..%2fsecret.crl", "http://a.io/%2e%2e/%2e%2e/secret.crl"]
    {
        assert_eq!(answer(&folder.path().join("in"), &need(url)).await, None, "{url}");
    }
}

#[tokio::test]
async fn a_crl_in_pem_is_taken_for_what_it_says() {
    let bytes = crl(1, LATER, &[]);
    let pem = format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", STANDARD.encode(&bytes));
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.io/x.crl", pem);
    assert_eq!(answer(folder.path(), &need("http://a.io/x.crl")).await, Some(bytes));
}

#[tokio::test]
async fn ocsp_answers_are_found_by_their_certificates() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "leaf.ocsp", ocsp_answer(&[1, 2], 5));
    put(folder.path(), "deep/er/newer.resp", ocsp_answer(&[2], 9));
    put(folder.path(), "older.der", ocsp_answer(&[2, 3], 7));
    for (serial, expected) in [
        (1, Some(ocsp_answer(&[1, 2], 5))),
        (2, Some(ocsp_answer(&[2], 9))),
        (3, Some(ocsp_answer(&[2, 3], 7))),
        (4, None),
    ] {
        assert_eq!(answer(folder.path(), &ocsp_need(RESPONDER, serial)).await, expected, "{serial}");
    }
    let nonsense = Need::Ocsp { responder: RESPONDER.to_owned(), request: vec![1, 2, 3].into() };
    assert_eq!(answer(folder.path(), &nonsense).await, None);
}

/// Made by OpenSSL 3: `openssl ocsp -reqout … -no_nonce`, `openssl ocsp -respout …`, and `openssl ca -gencrl` with a
/// `freshestCRL`.
#[tokio::test]
async fn what_openssl_writes_is_understood() {
    let request = include_bytes!("../../data/revocation/openssl-request.der");
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "leaf.ocsp", include_bytes!("../../data/revocation/openssl.ocsp"));
    let asked = Need::Ocsp { responder: RESPONDER.to_owned(), request: request.to_vec().into() };
    let expected = include_bytes!("../../data/revocation/openssl.ocsp").to_vec();
    assert_eq!(answer(folder.path(), &asked).await, Some(expected));

    let (base, delta) = (include_bytes!("../../data/revocation/openssl.crl"), crl(2, LATER, &[]));
    let (_, parsed) = x509_parser::parse_x509_crl(base).unwrap();
    let of_openssl = |url: &str| {
        let name = bytes::Bytes::copy_from_slice(parsed.issuer().as_raw());
        Need::Crl { url: url.to_owned(), issuer: Issuer { name, key: Digest::sha256(b"key") } }
    };
    for (delta, hit) in [(Some(&delta[..]), true), (None, false)] {
        put(folder.path(), &format!("crl/{}", Digest::sha256(URL.as_bytes()).hex()), file(base, delta));
        let cache = Cache::new(Arc::new(Offline), folder.path(), NOW, warnings().0);
        assert_eq!(cache.answer(&of_openssl(URL)).await.is_ok(), hit);
        assert_eq!(cache.answer(&of_openssl("http://a.io/d.crl")).await.is_ok(), hit);
        assert!(cache.answer(&need(URL)).await.is_err(), "it is another issuer's");
    }
}

#[tokio::test]
async fn what_is_missing_is_said_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let source = Folder::read(folder.path()).unwrap();
    let (crl, ocsp) = (need(URL), ocsp_need(RESPONDER, 1));
    for (need, words) in [(crl, ["no answer in", URL, "wget -x"]), (ocsp, ["no answer in", RESPONDER, "-respout"])] {
        let trouble = source.answer(&need).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::NotFound);
        assert!(words.iter().all(|word| trouble.message.contains(word)), "{trouble}");
    }
}

#[test]
fn what_is_no_answer_is_passed_over_and_said_once() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "README", "notes");
    put(folder.path(), ".hidden/x.ocsp", "nonsense");
    assert_eq!(Folder::read(folder.path()).unwrap().warnings(), [""; 0]);
    put(folder.path(), "a.ocsp", "nonsense");
    put(folder.path(), "b.crl", "");
    put(folder.path(), "c.ocsp", crl(1, LATER, &[]));
    put(folder.path(), "crl/d", "{}");
    put(folder.path(), "crl/e.trouble", r#"{"kind":"pass","message":"x"}"#);
    let warnings = Folder::read(folder.path()).unwrap().warnings().to_vec();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("a.ocsp") && warnings[0].contains("4 more"), "{warnings:?}");
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(outside.path(), "x.crl", crl(1, LATER, &[]));
    std::os::unix::fs::symlink(outside.path().join("x.crl"), folder.path().join("x.crl")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join("pipe.ocsp")).status().unwrap().success());
    let warnings = Folder::read(folder.path()).unwrap().warnings().to_vec();
    assert!(warnings[0].contains("2 more"), "{warnings:?}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Folder::read(&folder.path().join("absent")).unwrap_err().to_string();
    assert!(error.contains("absent") && error.contains("cannot be read"), "{error}");
}

#[tokio::test]
async fn what_a_run_copied_is_answered_again() {
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().join("copies");
    // Two responders say different things of the same certificate, and one server is away.
    let (here, there) = (ocsp_need(RESPONDER, 1), ocsp_need("http://other.io", 1));
    let away = need("http://a.io/\u{202e}away.crl");
    let script = Script::with([
        (need(URL), b"not even a CRL".to_vec()),
        (here.clone(), ocsp_answer(&[1], 1)),
        (there.clone(), ocsp_answer(&[1], 2)),
    ]);
    let (warn, heard) = warnings();
    let copying = RecordingSource::new(script.clone(), &copies, warn);
    assert!(Folder::read(&copies).is_ok(), "there is no folder before there is an answer");
    let asked = [need(URL), here, there, away, ocsp_need("http://away.io", 2)];
    let mut answered = Vec::new();
    for need in &asked {
        answered.push(copying.answer(need).await);
        copying.answer(need).await.ok();
    }
    assert_eq!(heard.lock().unwrap().len(), 0);
    let replayed = Folder::read(&copies).unwrap();
    assert_eq!(replayed.warnings(), [""; 0]);
    for (need, before) in asked.iter().zip(answered) {
        assert_eq!(replayed.answer(need).await, before, "{need}");
    }
}

#[tokio::test]
async fn an_answer_takes_the_place_of_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    RecordingSource::new(Arc::new(Offline), folder.path(), warnings().0).answer(&need(URL)).await.unwrap_err();
    assert!(Folder::read(folder.path()).unwrap().answer(&need(URL)).await.unwrap_err().message.contains("not asked"));
    let script = Script::with([(need(URL), crl(1, LATER, &[]))]);
    let copying = RecordingSource::new(script.clone(), folder.path(), warnings().0);
    copying.answer(&need(URL)).await.unwrap();
    script.answers.lock().unwrap().clear();
    copying.answer(&need(URL)).await.unwrap_err();
    assert_eq!(answer(folder.path(), &need(URL)).await, Some(crl(1, LATER, &[])));
    assert_eq!(std::fs::read_dir(folder.path().join("crl")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_failure_takes_the_place_of_what_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (cached, copies) = (folder.path().join("cached"), folder.path().join("copies"));
    put(&cached, &format!("crl/{}", Digest::sha256(URL.as_bytes()).hex()), file(&crl(1, LATER, &[]), None));
    let cache = Cache::new(Script::with([]), &cached, NOW, warnings().0);
    let copying = RecordingSource::new(Arc::new(cache), &copies, warnings().0);
    let spoilt = copying.answer(&need(URL)).await.unwrap();
    assert_eq!(answer(&copies, &need(URL)).await, Some(spoilt.bytes().to_vec()));
    let away = copying.refetch(&need(URL), &spoilt).await.unwrap();
    assert_eq!(Folder::read(&copies).unwrap().answer(&need(URL)).await, away);
    assert_eq!(away.unwrap_err().kind, TroubleKind::Unreachable);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "file", "");
    let (warn, heard) = warnings();
    let copying = RecordingSource::new(Arc::new(Offline), &folder.path().join("file"), warn);
    for url in ["http://a.io/", "http://b.io/"] {
        copying.answer(&need(url)).await.unwrap_err();
    }
    let heard = heard.lock().unwrap().clone();
    assert!(heard.len() == 1 && heard[0].contains("not complete"), "{heard:?}");
}

/// Several shapes side by side: the newest of the issuer's counts, and what follows it is known not to be the newest.
#[tokio::test]
async fn of_several_crls_for_one_address_the_newest_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "crl.acme-rockets.io/root.crl", crl(5, LATER, &[]));
    put(folder.path(), &format!("crl/{}", Digest::sha256(URL.as_bytes()).hex()), file(&crl(7, LATER, &[]), None));
    put(folder.path(), &format!("{}.crl", Digest::sha256(URL.as_bytes()).hex()), crl(6, LATER, &[]));
    let source = Folder::read(folder.path()).unwrap();
    let mut answer = source.answer(&need(URL)).await.unwrap();
    for number in [7, 6, 5] {
        assert_eq!(answer.bytes(), &crl(number, LATER, &[]));
        // Asked twice, it says the same.
        let [once, again] = [source.refetch(&need(URL), &answer).await, source.refetch(&need(URL), &answer).await];
        assert_eq!(once, again);
        match once {
            Some(next) => answer = next.unwrap(),
            None => assert_eq!(number, 5),
        }
    }
    // Another issuer's need is not answered with it first.
    put(folder.path(), "crl/x", "notes");
    let other = need_of("Other", URL);
    put(folder.path(), "crl.acme-rockets.io/root.crl", crl_of("Other", 1, Some(LATER), &[]));
    let source = Folder::read(folder.path()).unwrap();
    assert_eq!(source.answer(&other).await.unwrap().bytes(), &crl_of("Other", 1, Some(LATER), &[]));
}

/// What earlier versions recorded has neither the issuer nor the time in its names.
#[tokio::test]
async fn recordings_of_earlier_versions_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let [here, away] = [URL, "http://a.io/away.crl"].map(|url| Digest::sha256(url.as_bytes()).hex());
    put(folder.path(), &format!("crl/{here}.crl"), crl(1, LATER, &[]));
    put(folder.path(), &format!("crl/{away}.trouble"), r#"{"kind":"timed-out","message":"no answer in time"}"#);
    assert_eq!(answer(folder.path(), &need(URL)).await, Some(crl(1, LATER, &[])));
    let source = Folder::read(folder.path()).unwrap();
    assert_eq!(source.answer(&need(URL)).await.unwrap().arrival(), None);
    assert_eq!(source.answer(&need("http://a.io/away.crl")).await.unwrap_err().kind, TroubleKind::TimedOut);
}

#[tokio::test]
async fn a_recording_says_when_each_answer_came() {
    let folder = tempfile::tempdir().unwrap();
    let (crl_need, ocsp) = (need(URL), ocsp_need(RESPONDER, 1));
    let script = Script::with([(crl_need.clone(), crl(1, LATER, &[])), (ocsp.clone(), ocsp_answer(&[1], 1))]);
    let copying = RecordingSource::new(Arc::new(Dated::new(script, NOW)), folder.path(), warnings().0);
    let source = {
        let mut before = Vec::new();
        for need in [&crl_need, &ocsp] {
            before.push(copying.answer(need).await.unwrap().arrival().unwrap());
        }
        let source = Folder::read(folder.path()).unwrap();
        assert_eq!(source.warnings(), [""; 0]);
        for (need, before) in [&crl_need, &ocsp].into_iter().zip(before) {
            assert_eq!(before.run, NOW);
            assert_eq!(source.answer(need).await.unwrap().arrival(), Some(before));
        }
        source
    };
    assert_eq!(source.answer(&need("http://a.io/")).await.ok().and_then(|answer| answer.arrival()), None::<Arrival>);
}

/// A run that was served an older CRL after a newer one is repeated with both.
#[tokio::test]
async fn a_recording_keeps_the_newer_crl_beside_the_older() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::with([(need(URL), crl(7, LATER, &[]))]);
    let copying = RecordingSource::new(script.clone(), folder.path(), warnings().0);
    copying.answer(&need(URL)).await.unwrap();
    script.answers.lock().unwrap().insert(need(URL), crl(5, LATER, &[]));
    copying.answer(&need(URL)).await.unwrap();
    let source = Folder::read(folder.path()).unwrap();
    let newest = source.answer(&need(URL)).await.unwrap();
    assert_eq!(newest.bytes(), &crl(7, LATER, &[]));
    let next = source.refetch(&need(URL), &newest).await.unwrap().unwrap();
    assert_eq!(next, Answer::new(crl(5, LATER, &[])));
}
