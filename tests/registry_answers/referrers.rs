//! Who refers to an artifact: A20, A23–A27.

use std::sync::atomic::{AtomicUsize, Ordering};

use muster::digest::Digest;
use muster::limits;
use muster::manifest::{self, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE};
use muster::source::{ArtifactSource, Referrers, Trouble, TroubleKind};

use crate::mock::{Mock, Reply, entry, guarded, index, serve};

const SBOM: &str = "application/spdx+json";
const UNKNOWN: &str = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#;

fn subject() -> Digest {
    Digest::sha256(b"subject")
}

fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

fn signature(name: &str) -> String {
    entry(&digest(name).to_string(), "1", SIGNATURE_ARTIFACT_TYPE)
}

fn sbom(name: &str) -> String {
    entry(&digest(name).to_string(), "1", SBOM)
}

fn ok(entries: &[String]) -> Reply {
    Reply::ok(IMAGE_INDEX, index(entries))
}

async fn ask(mock: &Mock) -> Result<Referrers, Trouble> {
    mock.registry().referrers(&mock.repository(), &subject()).await
}

/// A registry that answers the filtered question, the unfiltered one and that for the tag like this.
async fn registry(filtered: Reply, unfiltered: Reply, tag: Reply) -> Mock {
    serve(move |request| {
        let tagged = format!("/v2/team/app/manifests/{}", subject().referrers_tag());
        let reply = match request.path() {
            path if path == tagged => &tag,
            _ if request.target.contains("artifactType=application%2Fvnd.cncf.notary.signature") => &filtered,
            _ => &unfiltered,
        };
        reply.clone()
    })
    .await
}

fn found(answer: Result<Referrers, Trouble>) -> Result<(Vec<Digest>, Vec<Digest>), TroubleKind> {
    let digests = |list: Vec<manifest::Descriptor>| list.into_iter().map(|descriptor| descriptor.digest).collect();
    answer.map(|found| (digests(found.listed), digests(found.others))).map_err(|trouble| trouble.kind)
}

#[tokio::test]
async fn a20_none_is_said_only_when_the_registry_says_so() {
    guarded(async {
        let nothing = || Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#);
        let none = Ok((Vec::new(), Vec::new()));
        let api_absent = [
            Reply::new(404, ""),
            Reply::new(404, "404 page not found"),
            nothing(),
            Reply::ok("text/html", "<html>"),
            Reply::ok("application/json", "{}"),
        ];
        for absent in api_absent {
            let answer = |tag: Reply| {
                let absent = absent.clone();
                async { found(ask(&registry(absent.clone(), absent, tag).await).await) }
            };
            assert_eq!(answer(nothing()).await, none);
            assert_eq!(answer(Reply::new(404, "")).await, none);
            assert_eq!(answer(ok(&[])).await, none);
            let listed = Ok((vec![digest("s")], Vec::new()));
            assert_eq!(answer(ok(&[signature("s"), sbom("b")])).await, listed);
            assert_eq!(answer(ok(&[sbom("b")])).await, Ok((Vec::new(), vec![digest("b")])));
            assert_eq!(answer(Reply::new(404, UNKNOWN)).await, Err(TroubleKind::NotFound));
            assert_eq!(answer(Reply::new(403, "")).await, Err(TroubleKind::AccessDenied));
            assert_eq!(answer(Reply::new(429, "")).await, Err(TroubleKind::Unreachable));
            assert_eq!(answer(Reply::new(500, "")).await, Err(TroubleKind::Unreachable));
            assert_eq!(answer(Reply::ok("text/html", "<html>")).await, Err(TroubleKind::AnswerInvalid));
            assert_eq!(answer(Reply::ok(IMAGE_MANIFEST, "{}")).await, Err(TroubleKind::AnswerInvalid));
        }
        for (reply, kind) in [
            (Reply::new(404, UNKNOWN), TroubleKind::NotFound),
            (Reply::new(401, ""), TroubleKind::AccessDenied),
            (Reply::new(403, ""), TroubleKind::AccessDenied),
            (Reply::new(429, ""), TroubleKind::Unreachable),
            (Reply::new(503, ""), TroubleKind::Unreachable),
            (Reply::new(400, ""), TroubleKind::AnswerInvalid),
            // Whether this is a list is not known.
            (Reply::new(200, index(&[])), TroubleKind::AnswerInvalid),
        ] {
            // By the first question, by the second, and by the tag.
            for mock in [
                registry(reply.clone(), ok(&[]), nothing()).await,
                registry(ok(&[]), reply.clone(), nothing()).await,
                registry(ok(&[]), ok(&[]), reply.clone()).await,
            ] {
                assert_eq!(found(ask(&mock).await), Err(kind));
            }
        }
    })
    .await;
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
            "/v2/x; rel=next".to_owned(),
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
