//! Lists of repositories and tags, and strict JSON in all answers: A31, A34.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use muster::digest::Digest;
use muster::limits;
use muster::manifest::IMAGE_INDEX;
use muster::source::{ArtifactSource, Extent, ListTrouble, TagEntry};
use muster::trouble::{Trouble, TroubleKind};

use super::mock::{Mock, Reply, guarded, serve};

async fn tags(mock: &Mock) -> Vec<Result<String, Trouble>> {
    let said = |entry: TagEntry| match entry {
        TagEntry::Tag(tag) => tag,
        other => panic!("{other:?}"),
    };
    entries(mock).await.into_iter().map(|entry| entry.map(said).map_err(|error| error.trouble)).collect()
}

async fn entries(mock: &Mock) -> Vec<Result<TagEntry, ListTrouble>> {
    let (registry, repository) = (mock.registry(), mock.repository());
    registry.tags(&repository).collect().await
}

fn names(found: Vec<Result<String, Trouble>>) -> Result<Vec<String>, TroubleKind> {
    found.into_iter().map(|name| name.map_err(|trouble| trouble.kind)).collect()
}

#[tokio::test]
async fn a31_json_that_two_readers_could_read_differently_is_refused() {
    guarded(async {
        let deep = format!("{{\"tags\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let open = "[".repeat((4 << 20) - 1);
        for body in [
            r#"{"tags":["a"],"tags":["b"]}"#,
            r#"{"tags":["a"],"Tags":["b"]}"#,
            "{\"tags\":[\"\\ud800\"]}",
            "{\"tags\":[NaN]}",
            "{\"tags\":[1e400]}",
            "\u{feff}{\"tags\":[\"a\"]}",
            r#"{"tags":["a"]} {}"#,
            r#"{"tags":"a"}"#,
            "{}",
            "[]",
            "<html>",
            "",
            deep.as_str(),
            open.as_str(),
        ] {
            let start: String = body.chars().take(40).collect();
            let reply = Reply::ok("application/json", body);
            let mock = serve(move |_| reply.clone()).await;
            assert_eq!(names(tags(&mock).await), Err(TroubleKind::AnswerInvalid), "{start}");

            let body = body.replace("tags", "manifests").replace("Tags", "Manifests");
            let mock = serve(move |_| Reply::ok(IMAGE_INDEX, body.clone())).await;
            let found = mock.registry().referrers(&mock.repository(), &Digest::sha256(b"a")).await;
            assert_eq!(found.unwrap_err().kind, TroubleKind::AnswerInvalid, "{start}");
        }
    })
    .await;
}

#[tokio::test]
async fn a34_lists_are_given_out_once_in_any_order_over_all_pages() {
    guarded(async {
        let pages = [
            (r#"{"name":"team/app","tags":["v2","v10","v1"]}"#, Some("</v2/team/app/tags/list?p=1>; rel=\"next\"")),
            (r#"{"name":"team/app","tags":null}"#, Some("</v2/team/app/tags/list?p=2>; rel=next")),
            (r#"{"tags":["v1","v3","v2"]}"#, Some("<?p=3>; rel=next")),
            (r#"{"tags":[]}"#, None),
        ];
        let mock = serve(move |request| {
            let page = request.target.split("?p=").nth(1).map_or(0, |page| page.parse::<usize>().unwrap());
            let reply = Reply::ok("application/json; charset=utf-8", pages[page].0);
            match pages[page].1 {
                Some(link) => reply.header("Link", link),
                None => reply,
            }
        })
        .await;
        assert_eq!(names(tags(&mock).await), Ok(["v2", "v10", "v1", "v3"].map(str::to_owned).to_vec()));
        assert_eq!(mock.seen().len(), 4);

        // A registry that ignores n and last says no link, and is asked once.
        let mock = serve(|_| Reply::ok("application/json", r#"{"repositories":["a","b/c"]}"#)).await;
        let registry = mock.registry();
        let found: Vec<_> = registry.repositories().map(|found| found.unwrap().to_string()).collect().await;
        assert_eq!(found, [format!("{}/a", mock.host), format!("{}/b/c", mock.host)]);
        assert_eq!(mock.seen().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a34_r10_a_name_against_the_grammar_is_escaped_and_the_list_goes_on() {
    guarded(async {
        for name in [r"\u001b[31mred", "../../etc", "a b", "-x", ".x", "", r"a\u0000", r"\u202ev1", "a/b", "a@sha256:0"]
        {
            let body = format!(r#"{{"tags":["v1","{name}","v2"]}}"#);
            let mock = serve(move |request| match request.target.ends_with("?p=2") {
                false => Reply::ok("application/json", body.clone()).header("Link", "<?p=2>; rel=next"),
                true => Reply::ok("application/json", body.replace("v2", "v3")),
            })
            .await;
            let found = tags(&mock).await;
            // Once, though it stands on both pages.
            assert_eq!(found.len(), 4, "{found:?}");
            assert_eq!([0, 2, 3].map(|at| found[at].as_deref()), [Ok("v1"), Ok("v2"), Ok("v3")]);
            let trouble = found[1].as_ref().unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
            assert!(!trouble.message.chars().any(|c| c.is_control() || c == '\u{202e}'), "{trouble:?}");
        }
        for name in ["Team/app", "../x", "a//b", "a/", "a?b", r"a\u001b"] {
            let body = format!(r#"{{"repositories":["{name}"]}}"#);
            let mock = serve(move |_| Reply::ok("application/json", body.clone())).await;
            let found: Vec<_> = mock.registry().repositories().collect().await;
            assert_eq!(found.len(), 1);
            let ListTrouble { trouble, extent } = found[0].as_ref().unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{name}");
            assert!(matches!(extent, Extent::Entry(Some(_))), "{extent:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a34_a_million_tags_stream_page_by_page() {
    guarded(async {
        const PAGES: usize = 200;
        const PER_PAGE: usize = 5000;
        let mock = serve(|request| {
            let page = request.target.split("?p=").nth(1).map_or(0, |page| page.parse::<usize>().unwrap());
            let tags: Vec<_> = (0..PER_PAGE).map(|tag| format!("\"v{:07}\"", page * PER_PAGE + tag)).collect();
            let reply = Reply::ok("application/json", format!(r#"{{"tags":[{}]}}"#, tags.join(",")));
            if page + 1 < PAGES { reply.header("Link", &format!("<?p={}>; rel=next", page + 1)) } else { reply }
        })
        .await;
        let (registry, repository) = (mock.registry(), mock.repository());
        // Nothing is fetched ahead of who reads.
        let first: Vec<_> = registry.tags(&repository).take(10).collect().await;
        assert_eq!((first.len(), mock.seen().len()), (10, 1));
        let count = registry.tags(&repository).fold(0, async |count, tag| count + tag.map_or(0, |_| 1)).await;
        assert_eq!(count, PAGES * PER_PAGE);
    })
    .await;
}

#[tokio::test]
async fn a34_pages_without_end_and_pages_too_long_are_refused() {
    guarded(async {
        let page = AtomicUsize::new(0);
        let mock = serve(move |_| {
            let next = format!("<?p={}>; rel=next", page.fetch_add(1, Ordering::Relaxed) + 1);
            Reply::ok("application/json", r#"{"tags":[]}"#).header("Link", &next)
        })
        .await;
        assert_eq!(names(tags(&mock).await), Err(TroubleKind::AnswerTooLarge));
        assert_eq!(mock.seen().len(), limits::LIST_PAGES);

        let mock =
            serve(|_| Reply::ok("application/json", r#"{"tags":["a"]}"#).header("Link", "<?n=1000>; rel=next")).await;
        let found = entries(&mock).await;
        assert_eq!((found.len(), &found[0]), (2, &Ok(TagEntry::Tag("a".to_owned()))));
        let ListTrouble { trouble, extent } = found[1].as_ref().unwrap_err();
        assert_eq!((trouble.kind, extent), (TroubleKind::AnswerInvalid, &Extent::Rest(1)));
        // What follows the last name was asked for as well.
        assert_eq!(mock.seen().len(), 2);

        let mock = serve(|_| Reply::ok("application/json", r#"{"tags":["a"]}"#).measured(limits::LIST_BYTES + 1)).await;
        assert_eq!(names(tags(&mock).await), Err(TroubleKind::AnswerTooLarge));

        for (status, kind) in
            [(404, TroubleKind::NotFound), (403, TroubleKind::AccessDenied), (500, TroubleKind::Unreachable)]
        {
            let mock = serve(move |_| Reply::new(status, "")).await;
            assert_eq!(names(tags(&mock).await), Err(kind));
        }
    })
    .await;
}

#[tokio::test]
async fn a34_what_is_no_list_is_asked_for_once_more() {
    guarded(async {
        let whole = r#"{"tags":["a"]}"#;
        let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
        for rubbish in [
            Reply::ok("text/html", page),
            Reply::ok("application/json", ""),
            Reply::ok("application/json", &whole[..8]),
            Reply::ok("application/json", &whole[..8]).unmeasured(),
            Reply::ok("application/json", "{}"),
            Reply::ok("application/json", whole).header("Content-Encoding", "gzip"),
            Reply::new(404, ""),
        ] {
            for (times, expected) in [(1, Ok(vec!["a".to_owned()])), (usize::MAX, Err(TroubleKind::AnswerInvalid))] {
                let (rubbish, asked) = (rubbish.clone(), AtomicUsize::new(0));
                let is_absent = rubbish == Reply::new(404, "");
                let mock = serve(move |_| match asked.fetch_add(1, Ordering::Relaxed) < times {
                    true => rubbish.clone(),
                    false => Reply::ok("application/json", whole),
                })
                .await;
                let expected = if is_absent { expected.map_err(|_| TroubleKind::NotFound) } else { expected };
                assert_eq!(names(tags(&mock).await), expected);
                assert_eq!(mock.seen().len(), 2);
            }
        }
        let mock = serve(move |_| Reply::ok("text/html; charset=utf-8", page)).await;
        let trouble = tags(&mock).await.pop().unwrap().unwrap_err();
        assert!(trouble.message.contains("text/html"), "{trouble}");
    })
    .await;
}

#[tokio::test]
async fn a34_a_full_page_without_a_link_goes_on_after_its_last_name() {
    guarded(async {
        const PAGE: usize = 1000;
        for (count, asked) in [(19, 1), (99, 1), (PAGE - 1, 2), (PAGE, 2), (2 * PAGE + 200, 4), (3 * PAGE, 4)] {
            let mock = serve(move |request| {
                let last = request.target.split("last=v").nth(1).map_or(0, |last| last.parse::<usize>().unwrap() + 1);
                let tags: Vec<_> = (last..count.min(last + PAGE)).map(|tag| format!("\"v{tag:05}\"")).collect();
                Reply::ok("application/json", format!(r#"{{"tags":[{}]}}"#, tags.join(",")))
            })
            .await;
            assert_eq!(names(tags(&mock).await).unwrap().len(), count);
            assert_eq!(mock.seen().len(), asked);
        }
        // Who does not know how to go on says the same again, and is not asked for ever.
        let tags_of_all: Vec<_> = (0..2 * PAGE).map(|tag| format!("\"v{tag}\"")).collect();
        let body = format!(r#"{{"tags":[{}]}}"#, tags_of_all.join(","));
        let mock = serve(move |_| Reply::ok("application/json", body.clone())).await;
        assert_eq!((names(tags(&mock).await).unwrap().len(), mock.seen().len()), (2 * PAGE, 2));
    })
    .await;
}
