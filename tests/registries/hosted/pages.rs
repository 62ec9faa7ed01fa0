//! How registries divide lists into pages: links that name other hosts, links on every page and on none, pages that are cut,
//! and pages that cannot be read.

use std::sync::Arc;

use serde_json::json;

use super::front::Front;
use super::lists::{assert_rows, audit_app, listed, numbered, parameter, put_tagged, refused, signed, unchanged};
use crate::artifacts::shelf::Shelf;
use crate::registry_answers::mock::{Reply, Request};

#[test]
fn r12_a_next_link_that_names_a_backend_is_asked_of_this_registry() {
    for backend in ["http://pulpcore-api:24817", "//10.1.2.3", "https://art.acme.test/artifactory/api/docker/hub"] {
        let shelf = signed();
        let paging = Paging::new(["a", "b", "c", "d", "e"].iter().map(|name| format!("team/{name}")), 2);
        let names = paging.names.clone();
        let front = Front::new(
            |registry| names.iter().for_each(|name| shelf.put_into(registry, name)),
            move |request| {
                (request.path() == "/v2/_catalog").then(|| {
                    let (names, more) = paging.page(request);
                    let reply = listed(&json!({ "repositories": names }));
                    let link = format!("<{backend}/v2/_catalog?last={}>; rel=\"next\"", names[names.len() - 1]);
                    if more { reply.header("Link", &link) } else { reply }
                })
            },
            unchanged,
        );
        let (code, report) = shelf.report(&["audit", front.host()]);
        assert_eq!(code, Some(0), "{report}");
        assert_rows(&report, &[("pass", 5)]);
        assert_eq!(front.count("GET", "/v2/_catalog"), 3);
    }
}

/// What a registry that pages as it likes answers.
struct Paging {
    names: Vec<String>,
    /// The longest page.
    page: usize,
    /// Whether it heeds `n` and `last`.
    heeds: (bool, bool),
}

impl Paging {
    fn new(names: impl Iterator<Item = String>, page: usize) -> Paging {
        Paging { names: names.collect(), page, heeds: (true, true) }
    }

    /// The names of a page, and whether there are more.
    fn page(&self, request: &Request) -> (&[String], bool) {
        let asked = parameter(request, "n").filter(|_| self.heeds.0).map(|n| n.parse().unwrap());
        let size = asked.unwrap_or(usize::MAX).min(self.page);
        let last = parameter(request, "last").filter(|_| self.heeds.1).unwrap_or_default();
        let rest = &self.names[self.names.partition_point(|name| name.as_str() <= last)..];
        (&rest[..size.min(rest.len())], rest.len() > size)
    }

    fn answer(&self, request: &Request) -> Reply {
        listed(&json!({ "tags": self.page(request).0 }))
    }
}

/// A front whose repository `team/app` has these tags, and lists them as `answer` says.
fn listing(shelf: &Shelf, tags: &[String], answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Front {
    Front::new(
        |registry| put_tagged(shelf, registry, "team/app", tags.iter().cloned()),
        move |request| request.path().ends_with("/tags/list").then(|| answer(request)),
        unchanged,
    )
}

#[test]
fn r55_a_link_on_every_page_ends_at_the_empty_one() {
    let shelf = signed();
    let paging = Paging::new(numbered(0, 8), 3);
    let front = listing(&shelf, &paging.names.clone(), move |request| match paging.page(request).0 {
        [] => listed(&json!({ "name": "team/app", "tags": null })),
        names => {
            let link = format!("<{}?last={}&n=1000>; rel=\"next\"", request.path(), names[names.len() - 1]);
            paging.answer(request).header("Link", &link)
        }
    });
    let (code, report) = audit_app(&shelf, &front, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_rows(&report, &[("pass", 8)]);
    assert_eq!(front.count("GET", "/v2/team/app/tags/list"), 4);
}

#[test]
fn r56_a_page_that_may_be_cut_is_asked_on_though_no_link_says_so() {
    // How many tags, the longest page, whether n and last are heeded, the requests.
    for (count, page, heeds, requests) in [
        (1200, 5000, (true, true), 3),
        (250, 100, (true, true), 4),
        (250, 100, (false, true), 4),
        (130, 64, (false, true), 4),
        (60, 20, (true, true), 4),
        (19, 5000, (false, false), 1),
        (37, 5000, (false, false), 1),
        (1201, 5000, (false, false), 1),
        (1000, 5000, (false, true), 2),
        // It heeds neither: what it says at once is all that it has. With exactly as many as were asked for that is found out.
        (100, 5000, (false, false), 3),
        (1000, 5000, (false, false), 4),
        // It does not know how to go on, and without a number it says everything.
        (1203, 5000, (true, false), 4),
    ] {
        let shelf = signed();
        let paging = Paging { heeds, ..Paging::new(numbered(0, count), page) };
        let front = listing(&shelf, &paging.names.clone(), move |request| paging.answer(request));
        let (code, report) = audit_app(&shelf, &front, &["--include", &format!("**:{}", "t*")]);
        assert_eq!(code, Some(0), "{count} {page} {heeds:?}: {}", report["summary"]);
        assert_rows(&report, &[("pass", count)]);
        let asked = front.count("GET", "/v2/team/app/tags/list");
        assert_eq!(asked, requests, "{count} {page} {heeds:?}");
    }
}

#[test]
fn r56_a_thousand_of_more_tags_are_never_all() {
    // It gives no more than a thousand, whatever it is asked.
    let answers: [fn(&Paging, &Request) -> Reply; 2] = [
        |paging, request| paging.answer(request),
        |paging, request| match parameter(request, "last") {
            Some(_) => refused(400, "UNSUPPORTED"),
            None => paging.answer(request),
        },
    ];
    for answer in answers {
        let shelf = signed();
        let paging = Paging { heeds: (true, false), ..Paging::new(numbered(0, 1200), 1000) };
        let front = listing(&shelf, &paging.names.clone(), move |request| answer(&paging, request));
        let (code, report) = audit_app(&shelf, &front, &[]);
        assert_eq!(code, Some(3));
        assert_rows(&report, &[("pass", 1000), ("answer-invalid", 1)]);
        let summary = &report["summary"];
        assert_eq!(summary["incompleteLists"]["tags"], json!({ "lists": 1, "atLeast": 0 }));
        assert_eq!((&summary["partial"], &summary["interrupted"]), (&json!(true), &json!(false)));
    }
}

#[test]
fn r56_a_total_that_the_registry_states_is_held_against_what_came() {
    let shelf = signed();
    let paging = Arc::new(Paging::new(numbered(0, 12), 7));
    let answers = Arc::clone(&paging);
    let front = listing(&shelf, &paging.names, move |request| answers.answer(request).header("X-Total-Count", "12"));
    let (code, report) = audit_app(&shelf, &front, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_rows(&report, &[("pass", 12)]);
    let answers = Arc::clone(&paging);
    let front = listing(&shelf, &paging.names, move |request| answers.answer(request).header("X-Total-Count", "1593"));
    let ran = shelf.run(&["audit", &format!("{}/team/app", front.host())]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.ends_with("1 tag list is incomplete: 1,581 or more tags not seen\n"), "{}", ran.stdout);
}

#[test]
fn r64_what_stands_in_a_link_comes_back_byte_for_byte() {
    let shelf = signed();
    let tokens = ["aGk+L3g9PQ==", "gAAAAABg%2Fx%3D", "a%252Fb", "x%20y", "caf%C3%A9"];
    let repositories: Vec<String> = ('a'..='f').map(|name| format!("team/{name}")).collect();
    let names = repositories.clone();
    let front = Front::new(
        |registry| repositories.iter().for_each(|name| shelf.put_into(registry, name)),
        move |request| {
            (request.path() == "/v2/_catalog").then(|| {
                let page = match parameter(request, "last") {
                    None => 0,
                    Some(last) => match tokens.iter().position(|token| *token == last) {
                        Some(token) => token + 1,
                        None => return refused(400, "BAD"),
                    },
                };
                let reply = listed(&json!({ "repositories": [names[page]] }));
                match tokens.get(page) {
                    Some(token) => reply.header("Link", &format!("</v2/_catalog?last={token}&n=1>; rel=\"next\"")),
                    None => reply,
                }
            })
        },
        unchanged,
    );
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(code, Some(0), "{report}");
    assert_rows(&report, &[("pass", 6)]);
    assert_eq!(front.count("GET", "/v2/_catalog"), 6);
}

#[test]
fn a_next_page_that_cannot_be_had_is_asked_for_by_the_last_name() {
    // What the registry answers to its own links, and in place of them.
    let links: [(&str, Option<Reply>); 4] = [
        ("/v2/team/app/tags/list?token=abc", Some(refused(400, "INVALID"))),
        ("/v2/team/app/tags/list?token=abc", Some(Reply::new(404, "no such page"))),
        ("/elsewhere/team/app/tags/list?token=abc", None),
        ("http://backend.internal/elsewhere?token=abc", None),
    ];
    for (link, answer) in links {
        let shelf = signed();
        let paging = Paging::new(numbered(0, 8), 3);
        let front = listing(&shelf, &paging.names.clone(), move |request| match &answer {
            Some(answer) if request.target.contains("token") => answer.clone(),
            _ if request.target.contains("token") => Reply::new(404, ""),
            _ => {
                let reply = paging.answer(request);
                if paging.page(request).1 { reply.header("Link", &format!("<{link}>; rel=\"next\"")) } else { reply }
            }
        });
        let (code, report) = audit_app(&shelf, &front, &[]);
        assert_eq!(code, Some(0), "{link}: {report}");
        assert_rows(&report, &[("pass", 8)]);
    }
}

#[test]
fn a_link_of_another_path_is_asked_of_the_list_itself_with_its_query() {
    // Where the path that is named leads: nowhere, or to the list of another repository.
    for other in [Reply::new(404, ""), listed(&json!({ "tags": ["x1", "x2"] })), refused(400, "INVALID")] {
        for link in ["/v2/app/tags/list", "/repository/docker/v2/team/app/tags/list", "http://10.1.2.3/app/tags/list"] {
            let shelf = signed();
            let names: Vec<String> = numbered(0, 8).collect();
            let all = names.clone();
            let other = other.clone();
            let front = Front::new(
                |registry| put_tagged(&shelf, registry, "team/app", names.iter().cloned()),
                move |request| match request.path() {
                    // What follows is counted, and the name of a tag is no number.
                    "/v2/team/app/tags/list" => {
                        let from: usize = parameter(request, "last").and_then(|last| last.parse().ok()).unwrap_or(0);
                        let page = &all[from..all.len().min(from + 3)];
                        let next = from + page.len();
                        let reply = listed(&json!({ "tags": page }));
                        let link = format!("<{link}?last={next}&n=3>; rel=\"next\"");
                        Some(if next < all.len() { reply.header("Link", &link) } else { reply })
                    }
                    path if path.ends_with("/tags/list") => Some(other.clone()),
                    _ => None,
                },
                unchanged,
            );
            let (code, report) = audit_app(&shelf, &front, &[]);
            assert_eq!(code, Some(0), "{link}: {report}");
            assert_rows(&report, &[("pass", 8)]);
            assert_eq!(front.count("GET", "/v2/team/app/tags/list"), 3, "{link}");
        }
    }
}

#[test]
fn a_page_after_a_tag_that_is_gone_is_asked_for_by_the_tag_before_it() {
    // With links and without, once in the middle and once at the end.
    for (links, gone) in [(true, "t00002"), (false, "t00024"), (true, "t00007"), (false, "t00049")] {
        let shelf = signed();
        let (count, page) = if links { (8, 3) } else { (50, 25) };
        let paging = Paging::new(numbered(0, count), page);
        let front = listing(&shelf, &paging.names.clone(), move |request| match parameter(request, "last") {
            Some(last) if last == gone => Reply::new(404, ""),
            last => {
                let (names, more) = paging.page(request);
                let reply = paging.answer(request);
                let last = names.last().map(String::as_str).or(last).unwrap_or_default();
                let link = format!("<{}?last={last}>; rel=\"next\"", request.path());
                if links && (more || last == gone) { reply.header("Link", &link) } else { reply }
            }
        });
        let (code, report) = audit_app(&shelf, &front, &[]);
        assert_eq!(code, Some(0), "{gone}: {}", report["summary"]);
        assert_rows(&report, &[("pass", count)]);
    }
}

#[test]
fn a_page_size_at_which_the_registry_fails_is_asked_for_smaller() {
    for status in [500, 504] {
        let shelf = signed();
        let paging = Paging::new(numbered(0, 12), 5000);
        let front = listing(&shelf, &paging.names.clone(), move |request| match parameter(request, "n") {
            Some("1000") => Reply::new(status, "too much"),
            _ => paging.answer(request),
        });
        let (code, report) = audit_app(&shelf, &front, &["--retries", "1"]);
        assert_eq!(code, Some(0), "{report}");
        assert_rows(&report, &[("pass", 12)]);
    }
    // A registry that fails whatever it is asked is not asked often.
    let shelf = signed();
    let front = listing(&shelf, &[], move |_| Reply::new(500, "broken"));
    let (code, report) = audit_app(&shelf, &front, &["--retries", "1"]);
    assert_eq!(code, Some(3), "{report}");
    assert_eq!(front.count("GET", "/v2/team/app/tags/list"), 4);
}

#[test]
fn a_number_of_names_that_is_refused_on_a_later_page_is_left_out() {
    let shelf = signed();
    let paging = Paging::new(numbered(0, 8), 3);
    let front = listing(&shelf, &paging.names.clone(), move |request| {
        if parameter(request, "last").is_some() && parameter(request, "n").is_some() {
            return refused(400, "PAGINATION_NUMBER_INVALID");
        }
        let (names, more) = paging.page(request);
        let link = format!("<{}?last={}&n=1000>; rel=\"next\"", request.path(), names[names.len() - 1]);
        if more { paging.answer(request).header("Link", &link) } else { paging.answer(request) }
    });
    let (code, report) = audit_app(&shelf, &front, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_rows(&report, &[("pass", 8)]);
}

#[test]
fn a_list_that_ends_at_a_usual_limit_is_whole_only_if_that_can_be_known() {
    // How many tags, and whether a link says of a page that there is more.
    for (count, links, code) in [(250, false, 3), (100, false, 3), (100, true, 0), (1000, true, 0)] {
        let shelf = signed();
        let most = if count == 250 { 100 } else { count };
        let paging = Paging { heeds: (true, false), ..Paging::new(numbered(0, count), most) };
        let front = listing(&shelf, &paging.names.clone(), move |request| {
            let link = format!("<{}?token=1>; rel=\"next\"", request.path());
            let reply = paging.answer(request);
            if links && paging.page(request).1 { reply.header("Link", &link) } else { reply }
        });
        let (found, report) = audit_app(&shelf, &front, &["--include", "**:t*"]);
        assert_eq!(found, Some(code), "{count} {links}: {}", report["summary"]);
        assert_eq!(report["summary"]["partial"], code == 3);
    }
}

#[test]
fn a_page_of_a_few_more_than_were_asked_for_is_not_the_last() {
    let shelf = signed();
    let names: Vec<String> = numbered(0, 1500).collect();
    let all = names.clone();
    let front = listing(&shelf, &names, move |request| {
        let after = parameter(request, "last").unwrap_or_default();
        let page: Vec<_> = all.iter().filter(|name| name.as_str() > after).take(1005).collect();
        listed(&json!({ "tags": page }))
    });
    let (code, report) = audit_app(&shelf, &front, &["--include", "**:t*9"]);
    assert_eq!(code, Some(0), "{}", report["summary"]);
    assert_rows(&report, &[("pass", 150)]);
}

#[test]
fn a_list_in_another_order_than_the_registry_counts_in_is_never_taken_for_whole() {
    // In the order of numbers, a hundred at a time; and what follows a name follows it in the order of letters.
    let shelf = signed();
    let names: Vec<String> = (1..=150).rev().map(|number| format!("t{number}")).collect();
    let all = names.clone();
    let front = listing(&shelf, &names, move |request| {
        let after = parameter(request, "last").unwrap_or_default();
        let page: Vec<_> = all.iter().filter(|name| name.as_str() > after).take(100).collect();
        listed(&json!({ "tags": page }))
    });
    let (code, report) = audit_app(&shelf, &front, &[]);
    assert_eq!(code, Some(3), "{}", report["summary"]);
    assert_eq!(report["summary"]["incompleteLists"]["tags"], json!({ "lists": 1, "atLeast": 0 }));
}

#[test]
fn a_list_that_breaks_off_is_said_on_the_last_line() {
    let shelf = signed();
    let paging = Arc::new(Paging::new(numbered(0, 8), 3));
    let answers = Arc::clone(&paging);
    let names = paging.names.clone();
    let front = Front::new(
        |registry| {
            put_tagged(&shelf, registry, "team/app", names.iter().cloned());
            put_tagged(&shelf, registry, "team/lib", names.iter().cloned());
            shelf.put_into(registry, "team/whole");
        },
        move |request| {
            let cut = ["/v2/team/app/tags/list", "/v2/team/lib/tags/list"].contains(&request.path());
            cut.then(|| match parameter(request, "last") {
                Some(_) => refused(403, "DENIED"),
                None => answers.answer(request).header("Link", &format!("<{}?last=t00002>; rel=next", request.path())),
            })
        },
        unchanged,
    );
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(code, Some(3));
    assert_rows(&report, &[("pass", 7), ("access-denied", 2)]);
    let summary = &report["summary"];
    assert_eq!(summary["incompleteLists"]["tags"], json!({ "lists": 2, "atLeast": 2 }));
    assert_eq!((&summary["partial"], &summary["interrupted"]), (&json!(true), &json!(false)));
    let message = report["artifacts"].to_string();
    assert!(message.contains("page 2 of the list of tags is missing, and what follows it: "), "{message}");
    let last = "the report is partial: 2 tag lists are incomplete: 2 or more tags not seen\n";
    let table = shelf.run(&["audit", front.host()]);
    assert!(table.stdout.to_lowercase().ends_with(&last.replace("the report", "this report")), "{}", table.stdout);
    // Whoever sees no summary is told as well.
    for output in ["-ondjson", "-ojson=report.json"] {
        let ran = shelf.run(&["audit", front.host(), output]);
        assert!(ran.stderr.ends_with(last), "{output}: {}", ran.stderr);
    }
}
