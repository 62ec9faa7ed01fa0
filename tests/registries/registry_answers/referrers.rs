//! Who refers to an artifact: A20, A23–A27.

use std::sync::atomic::{AtomicUsize, Ordering};

use muster::digest::Digest;
use muster::limits;
use muster::manifest::{self, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE};
use muster::source::{ArtifactSource, Referrers};
use muster::trouble::{Trouble, TroubleKind};

use super::mock::{Mock, Reply, Request, entry, guarded, index, serve};

const SBOM: &str = "application/spdx+json";
const UNKNOWN: &str = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#;

/// The digest of an index that could be taken for a list of referrers.
pub fn subject() -> Digest {
    Digest::sha256(index(&[signature("part of the subject")]).as_bytes())
}

pub fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

pub fn signature(name: &str) -> String {
    entry(&digest(name).to_string(), "1", SIGNATURE_ARTIFACT_TYPE)
}

pub fn sbom(name: &str) -> String {
    entry(&digest(name).to_string(), "1", SBOM)
}

pub fn ok(entries: &[String]) -> Reply {
    Reply::ok(IMAGE_INDEX, index(entries))
}

pub async fn ask(mock: &Mock) -> Result<Referrers, Trouble> {
    mock.registry().referrers(&mock.repository(), &subject()).await
}

/// A registry that answers the filtered question, the unfiltered one and that for the tag like this, and has the artifact.
async fn registry(filtered: Reply, unfiltered: Reply, tag: Reply) -> Mock {
    serve(move |request| match asked(request) {
        Asked::Tag => tag.clone(),
        Asked::Filtered => filtered.clone(),
        Asked::Unfiltered => unfiltered.clone(),
        Asked::Artifact => artifact(),
    })
    .await
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Filtered,
    Unfiltered,
    Tag,
    Artifact,
}

pub fn asked(request: &Request) -> Asked {
    match request.path().strip_prefix("/v2/team/app/manifests/") {
        Some(name) if name == subject().referrers_tag() => Asked::Tag,
        Some(_) => Asked::Artifact,
        None if request.target.contains("artifactType=application%2Fvnd.cncf.notary.signature") => Asked::Filtered,
        None => Asked::Unfiltered,
    }
}

/// What has the digest of the subject.
pub fn artifact() -> Reply {
    ok(&[signature("part of the subject")])
}

pub fn nothing() -> Reply {
    Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#)
}

/// The digests of what is listed as signatures, and of the others; where there is nothing, why it may not be all.
pub fn found(answer: Result<Referrers, Trouble>) -> Result<(Vec<Digest>, Vec<Digest>), TroubleKind> {
    let digests = |list: Vec<manifest::Descriptor>| list.into_iter().map(|descriptor| descriptor.digest).collect();
    match answer {
        Ok(Referrers { listed, others, doubt: Some(doubt), .. }) if listed.is_empty() && others.is_empty() => {
            Err(doubt.kind)
        }
        Ok(found) => Ok((digests(found.listed), digests(found.others))),
        Err(trouble) => Err(trouble.kind),
    }
}

#[tokio::test]
async fn a20_none_is_said_only_when_the_registry_says_so() {
    guarded(async {
        let none = Ok((Vec::new(), Vec::new()));
        // Some take what follows the repository's name for a part of it, and know no such repository.
        let unknown = || Reply::new(404, UNKNOWN);
        for absent in [Reply::new(404, ""), Reply::new(404, "404 page not found"), nothing(), unknown()] {
            let answer = async |tag: Reply| found(ask(&registry(absent.clone(), absent.clone(), tag).await).await);
            assert_eq!(answer(nothing()).await, none);
            assert_eq!(answer(Reply::new(404, "")).await, none);
            assert_eq!(answer(ok(&[])).await, none);
            // Some registries take the tag for the digest.
            assert_eq!(answer(artifact()).await, none);
            let listed = Ok((vec![digest("s")], Vec::new()));
            assert_eq!(answer(ok(&[signature("s"), sbom("b")])).await, listed);
            assert_eq!(answer(ok(&[sbom("b")])).await, Ok((Vec::new(), vec![digest("b")])));
            assert_eq!(answer(unknown()).await, Err(TroubleKind::NotFound));
            for (tag, kind) in no_lists() {
                if tag != nothing() {
                    assert_eq!(answer(tag).await, Err(kind));
                }
            }
        }
        for (reply, kind) in no_lists() {
            // By the first question, by the second, and by the tag. Where that has a list, the first does not matter.
            let first =
                [registry(reply.clone(), ok(&[]), nothing()).await, registry(reply.clone(), ok(&[]), ok(&[])).await];
            let second = registry(ok(&[]), reply.clone(), ok(&[signature("s")])).await;
            let tag = registry(ok(&[]), ok(&[]), reply.clone()).await;
            for mock in first.iter().chain([&second, &tag]) {
                assert_eq!(found(ask(mock).await), Err(kind), "{reply:?}");
            }
            let mock = registry(reply.clone(), ok(&[]), ok(&[signature("s")])).await;
            let expected = match kind {
                // Who asks for less is not asked for the tag.
                _ if reply == Reply::new(429, "") => Err(kind),
                _ => Ok((vec![digest("s")], vec![])),
            };
            assert_eq!(found(ask(&mock).await), expected, "{reply:?}");
        }
    })
    .await;
}

/// Answers that are no list, and say nothing of whether there is one.
fn no_lists() -> Vec<(Reply, TroubleKind)> {
    let refused = [
        (400, TroubleKind::AnswerInvalid),
        (401, TroubleKind::AccessDenied),
        (403, TroubleKind::AccessDenied),
        (405, TroubleKind::AnswerInvalid),
        (406, TroubleKind::AnswerInvalid),
        (410, TroubleKind::AnswerInvalid),
        (429, TroubleKind::RateLimited),
        (451, TroubleKind::AnswerInvalid),
        (500, TroubleKind::Unreachable),
        (501, TroubleKind::Unreachable),
        (503, TroubleKind::Unreachable),
        (504, TroubleKind::TimedOut),
    ];
    let body = index(&[]);
    let own = format!(r#""mediaType":"{IMAGE_INDEX}","#);
    let rubbish = [
        Reply::ok("text/html", "<html>"),
        Reply::ok("application/json", "{}"),
        // Served as what it is not, it does not say itself what it is.
        Reply::ok("application/json", body.replacen(&own, "", 1)),
        Reply::ok("application/xml", body.clone()),
        Reply::new(200, body.clone()),
        Reply::ok(IMAGE_INDEX, ""),
        Reply::ok(IMAGE_INDEX, body[..body.len() / 2].to_owned()),
        Reply::ok(IMAGE_INDEX, body[..body.len() / 2].to_owned()).unmeasured(),
        Reply::ok(IMAGE_INDEX, "<html>"),
        Reply::ok(IMAGE_MANIFEST, "{}"),
        Reply::ok(IMAGE_INDEX, body).header("Content-Encoding", "gzip"),
        Reply::new(302, "").header("Location", "ftp://login.example.com/"),
    ];
    let refused = refused.into_iter().map(|(status, kind)| (Reply::new(status, ""), kind));
    let rubbish = rubbish.into_iter().map(|reply| (reply, TroubleKind::AnswerInvalid));
    refused.chain(rubbish).collect()
}

#[tokio::test]
async fn a20_signatures_that_are_not_listed_as_such_are_looked_for() {
    guarded(async {
        let absent = || Reply::new(404, "");
        for (filtered, unfiltered, tag, expected) in [
            (ok(&[signature("s")]), ok(&[sbom("b")]), ok(&[signature("t")]), (vec!["s"], vec![])),
            (ok(&[]), ok(&[sbom("b")]), absent(), (vec![], vec!["b"])),
            // What notation's question does not find is not listed, whatever it is called elsewhere.
            (ok(&[]), ok(&[]), ok(&[signature("t")]), (vec![], vec!["t"])),
            (ok(&[]), ok(&[signature("s")]), absent(), (vec![], vec!["s"])),
            (ok(&[sbom("b")]), ok(&[sbom("b"), sbom("c")]), ok(&[sbom("c"), sbom("d")]), (vec![], vec!["b", "c", "d"])),
            (ok(&[]), ok(&[]), absent(), (vec![], vec![])),
        ] {
            let mock = registry(filtered, unfiltered, tag).await;
            let digests = |names: Vec<&str>| names.into_iter().map(digest).collect::<Vec<_>>();
            assert_eq!(found(ask(&mock).await), Ok((digests(expected.0), digests(expected.1))));
        }
    })
    .await;
}

#[tokio::test]
async fn a23_a_list_is_filtered_here_whatever_the_registry_says_it_did() {
    guarded(async {
        let filtered = ok(&[sbom("b"), signature("s"), sbom("c")]).header("OCI-Filters-Applied", "artifactType");
        let mock = registry(filtered, ok(&[]), Reply::new(404, "")).await;
        assert_eq!(found(ask(&mock).await), Ok((vec![digest("s")], vec![])));
        assert_eq!(mock.seen().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a24_pages_that_go_round_or_never_end_are_refused() {
    guarded(async {
        // To itself, round in three, and on and on.
        for (step, pages, kind, asked) in [
            (0, usize::MAX, TroubleKind::AnswerInvalid, 2),
            (1, 3, TroubleKind::AnswerInvalid, 4),
            (1, usize::MAX, TroubleKind::AnswerTooLarge, limits::REFERRERS_PAGES),
        ] {
            let mock = serve(move |request| {
                let page = request.target.split("?p=").nth(1).map_or(0, |page| page.parse::<usize>().unwrap());
                ok(&[]).header("Link", &format!("<?p={}>; rel=next", (page + step) % pages))
            })
            .await;
            assert_eq!(found(ask(&mock).await), Err(kind));
            assert_eq!(mock.seen().len(), asked);
        }
        // Pages that grow: each in bounds, their sum not.
        let page = AtomicUsize::new(0);
        let mock = serve(move |_| {
            let page = page.fetch_add(1, Ordering::Relaxed);
            let padding = " ".repeat(usize::try_from(limits::PAGE_BYTES).unwrap() - 1000);
            let body = index(&[signature(&page.to_string())]) + &padding;
            Reply::ok(IMAGE_INDEX, body).header("Link", &format!("<?p={page}>; rel=next"))
        })
        .await;
        assert_eq!(found(ask(&mock).await), Err(TroubleKind::AnswerTooLarge));
        assert!(mock.seen().len() < 10);
    })
    .await;
}

#[tokio::test]
async fn a24_signatures_on_later_pages_are_found() {
    guarded(async {
        let mock = serve(|request| match request.target.contains("p=") {
            false => ok(&[signature("1")]).header("Link", "<?p=2>; rel=\"next\""),
            true => ok(&[signature("2"), signature("1")]),
        })
        .await;
        assert_eq!(found(ask(&mock).await), Ok((vec![digest("1"), digest("2")], vec![])));

        // A page that is missing is not the end of the list.
        let mock = serve(|request| match request.target.contains("p=") {
            false => ok(&[signature("1")]).header("Link", "<?p=2>; rel=\"next\""),
            true => Reply::new(404, ""),
        })
        .await;
        assert_eq!(found(ask(&mock).await), Err(TroubleKind::AnswerInvalid));
    })
    .await;
}

#[tokio::test]
async fn a25_links_lead_to_the_registry_or_nowhere() {
    guarded(async {
        let elsewhere = serve(|_| ok(&[signature("evil")])).await;
        let long = format!("<?p={}>; rel=next", "x".repeat(100 << 10));
        for link in [
            format!("<http://{}/v2/team/app/referrers/x>; rel=next", elsewhere.host),
            format!("<//{}/v2/team/app/referrers/x>; rel=next", elsewhere.host),
            "/v2/x>; rel=next".to_owned(),
            "</v2/x; rel=next".to_owned(),
            "</v2/x>; rel=\"next".to_owned(),
            long,
        ] {
            let shown: String = link.chars().take(80).collect();
            let mock = serve(move |_| ok(&[signature("s")]).header("Link", &link)).await;
            assert_eq!(found(ask(&mock).await), Err(TroubleKind::AnswerInvalid), "{shown}");
            assert_eq!(mock.seen().len(), 1);
        }
        assert_eq!(elsewhere.seen().len(), 0, "a link led off the registry");
        // A header of 1 MB ends before it is read.
        let long = format!("<?p={}>; rel=next", "x".repeat(1 << 20));
        let mock = serve(move |_| ok(&[]).header("Link", &long)).await;
        assert_eq!(found(ask(&mock).await), Err(TroubleKind::Unreachable));
        let mock = serve(|_| ok(&[signature("s")]).header("Link", "</v2/x>; rel=\"prev\"").header("Link", "<y>")).await;
        assert_eq!(found(ask(&mock).await), Ok((vec![digest("s")], vec![])));
    })
    .await;
}

#[tokio::test]
async fn a26_a_million_entries_are_too_many_and_a_full_page_is_not() {
    guarded(async {
        let line = signature("s");
        let million = index(&vec![line.clone(); 1_000_000]);
        let mock = serve(move |_| Reply::ok(IMAGE_INDEX, million.clone()).unmeasured()).await;
        assert_eq!(found(ask(&mock).await), Err(TroubleKind::AnswerTooLarge));

        let count = usize::try_from(limits::PAGE_BYTES).unwrap() / (line.len() + 1) - 1;
        let full: Vec<_> = (0..count).map(|name| signature(&name.to_string())).collect();
        let mock = serve(move |_| ok(&full)).await;
        assert_eq!(ask(&mock).await.unwrap().listed.len(), count);
    })
    .await;
}

#[tokio::test]
async fn a27_the_same_signature_listed_often_is_one() {
    guarded(async {
        let mut entries = vec![signature("s"); 1000];
        entries.push(signature("t"));
        let mock = serve(move |_| ok(&entries)).await;
        assert_eq!(found(ask(&mock).await), Ok((vec![digest("s"), digest("t")], vec![])));
    })
    .await;
}
