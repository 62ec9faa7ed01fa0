//! A front without habits: what it stands before is audited as if it were not there.

use super::front::Front;
use crate::artifacts::shelf::{Shelf, results};
use crate::registry_answers::mock::{Reply, Request};
use muster::forge::Artifact;

/// The same answer, as somebody who looked at it hands it on.
fn written_anew(_: &Request, reply: Reply) -> Reply {
    let body = reply.body().to_vec();
    if reply.is(200) { reply.without("Date").with_body(body) } else { reply }
}

#[test]
fn a_front_without_habits_changes_nothing() {
    let mut shelf = Shelf::new();
    let v1 = Artifact::image("v1");
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, written_anew);
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(results(&report).into_values().collect::<Vec<_>>(), ["pass"]);
    assert_eq!(front.count("GET", "/v2/team/app/tags/list"), 1);
}
