//! What the summary counts, and how the table stays short.

use super::*;
use crate::report::v1::Effort;

/// Rows of a run: the repository, the tag, the number that its digest is made of, and the outcome.
type Line<'a> = (&'a str, String, usize, Outcome);

fn unsigned() -> Outcome {
    let failure = Failure::new(Code::Unsigned, "the artifact has no signature");
    outcome(Verdict::Fail, Some(failure), Vec::new())
}

fn passed() -> Outcome {
    outcome(Verdict::Pass, None, vec![signature(Verdict::Pass, CheckResult::Pass, CheckResult::Pass)])
}

fn lines<'a>(lines: &'a [Line<'a>]) -> Vec<Artifact<'a>> {
    let artifact = |(repository, tag, number, outcome): &'a Line<'a>| {
        let digest = Digest::sha256(&number.to_be_bytes());
        let subject = Subject {
            artifact: Some(format!("{repository}@{digest}").into()),
            ..Subject::called(format!("{repository}:{tag}"))
        };
        Artifact::new(subject, outcome)
    };
    lines.iter().map(artifact).collect()
}

/// A place that could not be looked at.
fn place<'a>(name: &'a str, outcome: &'a Outcome) -> Artifact<'a> {
    Artifact::new(Subject { place: true, ..Subject::called(name) }, outcome)
}

fn table(artifacts: &[Artifact<'_>], look: Look) -> String {
    let mut table = (Format::named("table").unwrap().artifacts)(look);
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    let header = Header { at: header().started, ..header() };
    table.begin(&mut out, &header).unwrap();
    for artifact in artifacts {
        tally.add(artifact);
        table.artifact(&mut out, artifact).unwrap();
    }
    table.end(&mut out, &tally.summary(artifacts.len() as u64, false)).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn tags_digests_and_repositories_are_counted_apart() {
    let rows: Vec<Line<'_>> = vec![
        ("a.io/few", "v1".to_owned(), 1, passed()),
        ("a.io/few", "latest".to_owned(), 1, passed()),
        ("a.io/bad", "v1".to_owned(), 2, unsigned()),
        ("a.io/bad", "v2".to_owned(), 3, unsigned()),
        ("a.io/also", "v1".to_owned(), 1, unsigned()),
    ];
    let trouble = Failure::new(Code::AccessDenied, "the registry denies access");
    let denied = outcome(Verdict::Error, Some(trouble), Vec::new());
    let mut artifacts = lines(&rows);
    artifacts.push(place("a.io/secret", &denied));
    let summary = summary(&artifacts);
    assert_eq!((summary.tags, summary.digests, summary.more_digests, summary.places), (5, 3, false, 1));
    assert_eq!(
        summary.to_string(),
        "5 artifacts judged: 2 pass, 3 fail; 1 error of a place that could not be looked at in full"
    );
    assert_eq!(summary.remarks(), ["5 tags, 3 digests"]);
    let codes: Vec<_> = summary.codes.iter().map(|reason| (reason.code, reason.artifacts)).collect();
    assert_eq!(codes, [("unsigned", 3), ("access-denied", 1)]);
    let repositories: Vec<_> =
        summary.repositories.iter().map(|one| (one.repository.as_str(), one.results.fail, one.results.error)).collect();
    assert_eq!(repositories, [("a.io/bad", 2, 0), ("a.io/also", 1, 0), ("a.io/secret", 0, 1), ("a.io/few", 0, 0)]);
    // The same in JSON, by the schema.
    let document = serde_json::to_value(&summary).unwrap();
    assert_eq!(
        document["repositories"][0],
        serde_json::json!({
            "repository": "a.io/bad", "pass": 0, "warn": 0, "fail": 2, "skip": 0, "error": 0,
        })
    );
    assert_eq!(document["codes"][0]["results"]["fail"], 3);
}

/// What is attached is called by the tag of what it is attached to, and has none itself.
#[test]
fn what_is_attached_is_no_tag() {
    let rows: Vec<Line<'_>> =
        vec![("a.io/b", "v1".to_owned(), 1, passed()), ("a.io/b", "v1".to_owned(), 2, unsigned())];
    let mut artifacts = lines(&rows);
    artifacts[1].attached_to = artifacts[0].artifact.clone();
    let summary = summary(&artifacts);
    assert_eq!((summary.tags, summary.digests), (1, 2));
}

#[test]
fn a_registry_that_could_not_be_listed_is_no_artifact() {
    let unreachable = Failure::new(Code::Unreachable, "no connection");
    let outcome = outcome(Verdict::Error, Some(unreachable), Vec::new());
    let summary = summary(&[place("a.io", &outcome)]);
    assert_eq!(summary.to_string(), "0 artifacts judged; 1 error of a place that could not be looked at in full");
    // What counted for the exit code before still does.
    assert_eq!(summary.results.error, 1);
}

#[test]
fn repositories_beyond_the_bound_are_counted_together() {
    let mut tally = Tally::default();
    let outcome = unsigned();
    for number in 0..crate::limits::REPORT_REPOSITORIES + 7 {
        let name = format!("a.io/{number}");
        tally.add(&place(&name, &outcome));
    }
    let summary = tally.summary(0, false);
    assert_eq!(summary.repositories.len(), crate::limits::REPORT_REPOSITORIES);
    assert_eq!(summary.other_repositories.fail, 7);
}

#[test]
fn many_rows_of_one_kind_are_told_as_a_number() {
    let mut rows: Vec<Line<'_>> =
        (0..50).map(|number| ("a.io/bad", format!("v{number}"), number, unsigned())).collect();
    rows.insert(25, ("a.io/bad", "good".to_owned(), 99, passed()));
    rows.extend((0..20).map(|number| ("a.io/other", format!("v{number}"), number, unsigned())));
    let artifacts = lines(&rows);
    let text = table(&artifacts, Look::default());
    let shown = |of: &str| text.lines().filter(|line| line.starts_with("fail   unsigned") && line.contains(of)).count();
    assert_eq!((shown("a.io/bad:"), shown("a.io/other:")), (20, 20), "{text}");
    assert!(text.contains("a.io/bad:good@"), "what passes is never left out: {text}");
    assert!(
        text.contains(
            "fail   unsigned                    … 30 more in a.io/bad\nfail   unsigned                    a.io/other:v0"
        ),
        "{text}"
    );
    assert!(text.contains("\nleft out here: 30 rows; json and ndjson hold them all\n"), "{text}");
    assert!(text.contains("71 artifacts judged: 1 pass, 70 fail\n71 tags, 51 digests\n"), "{text}");
    assert!(
        text.contains("\n   pass   fail  repository\n      1     50  a.io/bad\n      -     20  a.io/other\n"),
        "{text}"
    );
}

#[test]
fn only_the_rows_that_are_wanted_are_shown() {
    let late = Failure::new(Code::SignatureExpired, "the signature expired");
    let rows: Vec<Line<'_>> = vec![
        ("a.io/b", "v1".to_owned(), 1, passed()),
        ("a.io/b", "v2".to_owned(), 2, unsigned()),
        ("a.io/b", "v3".to_owned(), 3, outcome(Verdict::Warn, Some(late), Vec::new())),
    ];
    let artifacts = lines(&rows);
    let shown = |only: &[&str]| {
        let only = only.iter().map(|word| word.parse().unwrap()).collect();
        let text = table(&artifacts, Look { only, ..Look::default() });
        assert!(text.contains("3 artifacts judged: 1 pass, 1 warn, 1 fail"), "the summary is of all: {text}");
        ["v1", "v2", "v3"].into_iter().filter(|tag| text.contains(&format!("a.io/b:{tag}@"))).collect::<Vec<_>>()
    };
    assert_eq!(shown(&[]), ["v1", "v2", "v3"]);
    assert_eq!(shown(&["fail"]), ["v2"]);
    assert_eq!(shown(&["fail", "warn"]), ["v2", "v3"]);
    assert_eq!(shown(&["signature-expired"]), ["v3"]);
    assert_eq!(shown(&["error"]), [""; 0]);
}

#[test]
fn a_sentence_is_said_once_for_rows_in_a_row() {
    let missing = || {
        let failure = Failure::new(Code::TrustStoreMissing, "there is no store ca:wabbit in \"/etc/truststore\"");
        outcome(Verdict::Fail, Some(failure), Vec::new())
    };
    let mut rows: Vec<Line<'_>> = (0..3).map(|number| ("a.io/b", format!("v{number}"), number, missing())).collect();
    rows.push(("a.io/b", "good".to_owned(), 4, passed()));
    rows.push(("a.io/b", "last".to_owned(), 5, missing()));
    let artifacts = lines(&rows);
    let text = table(&artifacts, Look::default());
    assert_eq!(text.matches("there is no store").count(), 2, "{text}");
}

#[test]
fn lines_fit_a_narrow_terminal() {
    let long = Failure::new(
        Code::IdentityMismatch,
        "the signer \"CN=SecureBuilder,O=wabbit-networks.io,C=US\" is not one of the identities that the statement \"wabbit\" trusts",
    );
    let two = || signature(Verdict::Fail, CheckResult::Fail(long.clone()), CheckResult::NotReached);
    let rows: Vec<Line<'_>> = vec![
        ("a.io/net-monitor", "v1".to_owned(), 1, passed()),
        ("a.io/net-monitor", "v2".to_owned(), 2, outcome(Verdict::Fail, Some(long.clone()), vec![two(), two()])),
    ];
    let artifacts = lines(&rows);
    let text = table(&artifacts, Look { width: Some(80), ..Look::default() });
    let rows = text.split("\n\n").next().unwrap();
    assert!(rows.lines().all(|line| line.chars().count() <= 80), "{rows}");
    assert!(rows.contains("a.io/net-monitor:v1@sha256:") && rows.contains('…'), "{rows}");
    // Where there is room, or no terminal, nothing is cut.
    for width in [None, Some(400)] {
        let text = table(&artifacts, Look { width, ..Look::default() });
        assert!(text.contains(&format!("a.io/net-monitor:v1@{}", Digest::sha256(&1_usize.to_be_bytes()))), "{text}");
    }
}

#[test]
fn a_table_in_a_file_says_what_it_is_about() {
    let artifacts = lines(&[]);
    let text = table(&artifacts, Look { alone: true, ..Look::default() });
    let policy = Digest::sha256(b"policy");
    assert!(text.starts_with("muster 0.1.0, 2026-11-21T10:00:00Z\ntargets       registry.io\n"), "{text}");
    assert!(text.contains(&format!("\ntrust policy  trustpolicy.json {policy}\n")), "{text}");
    assert!(!text.contains("judged as of"), "{text}");
    assert!(!table(&artifacts, Look::default()).contains("trustpolicy.json"));
}

#[test]
fn what_a_run_took_is_told_at_the_end() {
    let mut tally = Tally::default();
    let outcome = passed();
    let rows = [("a.io/b", "v1".to_owned(), 1, outcome)];
    lines(&rows).iter().for_each(|artifact| tally.add(artifact));
    tally.effort = Some(Effort {
        started: "2026-11-21T10:00:00Z".to_owned(),
        ended: "2026-11-21T10:00:02Z".to_owned(),
        milliseconds: 2000,
        requests: 1204,
        bytes: 2_000_000,
        retries: 0,
        refusals: 3,
    });
    let summary = tally.summary(1, false);
    let mut out = Vec::new();
    reporter("table", false).end(&mut out, &summary).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("\nin 2.0 s, 0.5 artifacts/s, 1,204 requests, 2.0 MB, 3 refused\n"), "{text}");
    let document = serde_json::to_value(&summary).unwrap();
    assert_eq!((&document["effort"]["refusals"], &document["effort"]["milliseconds"]), (&3.into(), &2000.into()));
}
