//! Every trust policy that a shipped scenario uses is changed in one point at a time, and some scenario must notice.
//!
//! Evidence is collected once a case. What is mutated is only the policy by which it is decided on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod exceptions;
mod mutation;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use exceptions::EXCEPTIONS;
use futures_util::{StreamExt as _, stream};
use muster::audit::Interrupt;
use muster::diagnostic::Diagnostic;
use muster::policy::{BlobTrustPolicy, Statement, TrustPolicy};
use muster::scenario::{self, CaseStatus, Options, PolicyInForce, RecordedVerification};
use mutation::{Mutation, document, mutations};

/// How many cases are played at a time.
const AT_A_TIME: usize = 4;

/// With the program, which plugins are made of.
fn options() -> Options {
    Options { program: Some(env!("CARGO_BIN_EXE_muster").into()), ..Options::default() }
}

/// A policy, and everything that is judged by it.
struct Used {
    policy: PolicyInForce,
    recorded: Vec<(String, RecordedVerification)>,
}

/// What became of a mutation.
enum Fate {
    /// The document is refused, as it must be, for this reason.
    Refused(String),
    /// The document is refused, and should be one.
    Malformed(String),
    /// These cases come out otherwise.
    Noticed(BTreeSet<String>),
    /// It changes nothing, for this reason.
    Excepted(&'static str),
    /// No case notices.
    Missed,
    /// It is excepted, and these cases notice.
    Wrong(&'static str, BTreeSet<String>),
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_of_a_policy_is_noticed() {
    let (used, cases, skipped) = play().await;
    let files = files();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut excepted = vec![0; EXCEPTIONS.len()];
    let mut wrong = Vec::new();
    let mut recorded = 0;
    for (written, used) in &used {
        let name = files.get(written).cloned().unwrap_or_else(|| describe(used));
        recorded += used.recorded.len();
        println!("\n{name}  ({} verifications)", used.recorded.len());
        let unmutated = parse(&used.policy, written).unwrap();
        let by_it = noticing(used, &unmutated);
        assert!(by_it.is_empty(), "{name} was not written back as it is: {by_it:?}");
        for mutation in mutations(&used.policy) {
            let fate = fate(used, &mutation, &mut excepted);
            let (word, more) = match &fate {
                Fate::Refused(reason) => ("refused", reason.clone()),
                Fate::Noticed(cases) => ("noticed", listed(cases)),
                Fate::Excepted(reason) => ("excepted", (*reason).to_owned()),
                Fate::Malformed(reason) => ("MALFORMED", reason.clone()),
                Fate::Missed => ("MISSED", String::new()),
                Fate::Wrong(reason, cases) => ("WRONGLY EXCEPTED", format!("{reason}: {}", listed(cases))),
            };
            *counts.entry(word).or_default() += 1;
            let row = format!("{}: {}", mutation.statement.name, mutation.change);
            println!("  {row:<60} {word:<9} {more}");
            if matches!(fate, Fate::Malformed(_) | Fate::Missed | Fate::Wrong(..)) {
                wrong.push(format!("{name}: {row}: {word} {more}"));
            }
        }
    }
    for (exception, count) in EXCEPTIONS.iter().zip(excepted) {
        assert!(count > 0, "nothing is excepted because {:?}", exception.reason);
    }
    let fates: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let total: usize = counts.values().sum();
    // Not captured, so that it can be seen of every run.
    let summary = format!(
        "{} policies, {recorded} verifications of {cases} cases ({skipped} skipped), {total} mutations: {}",
        used.len(),
        fates.join(", ")
    );
    writeln!(std::io::stderr(), "\npolicy mutations: {summary}").unwrap();
    assert!(used.len() >= 10 && total >= 100, "too little was mutated");
    let of_blobs = used.values().filter(|used| matches!(used.policy, PolicyInForce::Blobs(_))).count();
    assert!(of_blobs >= 2, "{of_blobs} policies for blobs were mutated");
    assert!(wrong.is_empty(), "{} mutations are not as they should be:\n{}", wrong.len(), wrong.join("\n"));
}

/// Plays every shipped case once: the policies by what they say, the number of cases, and how many were skipped.
async fn play() -> (BTreeMap<String, Used>, usize, usize) {
    let scenarios = scenario::load(&[PathBuf::from("scenarios")]).unwrap();
    let mut cases = scenario::select(&scenarios, None).unwrap();
    // Of a real artifact one case alone is there, by a policy that was made for many.
    cases.retain(|selected| !selected.case.id.starts_with("imported/"));
    // What other parts a case is played on changes nothing of what its policies decide.
    let elsewhere = |case: &scenario::Selected| {
        case.case.id.contains("oras")
            || scenario::needs_softhsm(std::slice::from_ref(case), &scenario::Options::default())
    };
    cases.retain(|case| !elsewhere(case));
    let all = cases.len();
    let play = |selected: scenario::Selected| {
        tokio::spawn(async move {
            let (status, recorded) = scenario::run_and_record(&selected, &options()).await;
            (selected.case.id, status, recorded)
        })
    };
    let mut played = stream::iter(cases).map(play).buffered(AT_A_TIME);
    let (mut used, mut skipped) = (BTreeMap::new(), 0);
    while let Some(played) = played.next().await {
        let (id, status, recorded) = played.unwrap();
        match status {
            CaseStatus::Pass => assert!(!recorded.is_empty(), "{id}: nothing was run"),
            CaseStatus::Skipped(_) => skipped += 1,
            status => panic!("{id}: {status:?}"),
        }
        for record in recorded {
            let policy = record.policy().clone();
            let written = document(&policy).to_string();
            let used = used.entry(written).or_insert_with(|| Used { policy, recorded: Vec::new() });
            used.recorded.push((id.clone(), record));
        }
    }
    (used, all, skipped)
}

fn fate(used: &Used, mutation: &Mutation, excepted: &mut [usize]) -> Fate {
    let policy = match parse(&used.policy, &mutation.document.to_string()) {
        Ok(policy) => policy,
        Err(errors) => {
            let error = errors.first().unwrap();
            let expected = mutation.change.refusal(&mutation.statement) == Some(error.code);
            let reason = format!("{}: {}", error.code, error.message);
            return if expected { Fate::Refused(reason) } else { Fate::Malformed(reason) };
        }
    };
    let noticed = noticing(used, &policy);
    let exception = EXCEPTIONS.iter().position(|exception| (exception.covers)(mutation));
    match exception {
        Some(position) => {
            excepted[position] += 1;
            let reason = EXCEPTIONS[position].reason;
            if noticed.is_empty() { Fate::Excepted(reason) } else { Fate::Wrong(reason, noticed) }
        }
        None if noticed.is_empty() => Fate::Missed,
        None => Fate::Noticed(noticed),
    }
}

/// The cases whose expectations are not met when everything that the policy judges is judged by `policy`.
fn noticing(used: &Used, policy: &PolicyInForce) -> BTreeSet<String> {
    let noticing = used.recorded.iter().filter(|(_, record)| !record.judge_by(policy).is_empty());
    noticing.map(|(id, _)| id.clone()).collect()
}

fn listed(cases: &BTreeSet<String>) -> String {
    let first: Vec<&str> = cases.iter().take(3).map(String::as_str).collect();
    let more = if cases.len() > first.len() { " …" } else { "" };
    format!("by {}: {}{more}", cases.len(), first.join(", "))
}

/// The policy that a document is, of the same kind as `like`.
fn parse(like: &PolicyInForce, document: &str) -> Result<PolicyInForce, Vec<Diagnostic>> {
    let bytes = document.as_bytes();
    match like {
        PolicyInForce::Artifacts(_) => {
            TrustPolicy::parse(bytes, "the policy").map(|p| PolicyInForce::Artifacts(p.into()))
        }
        PolicyInForce::Blobs(_) => BlobTrustPolicy::parse(bytes, "the policy").map(|p| PolicyInForce::Blobs(p.into())),
    }
}

/// The policies in files, by what they say.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir("policies").unwrap() {
        let path = entry.unwrap().path();
        let of_artifacts = TrustPolicy::load(&path).map(|policy| PolicyInForce::Artifacts(policy.into()));
        let policy =
            of_artifacts.unwrap_or_else(|_| PolicyInForce::Blobs(BlobTrustPolicy::load(&path).unwrap().into()));
        files.insert(document(&policy).to_string(), path.display().to_string());
    }
    files
}

/// A policy that stands in scenarios: what it says, and where it does first.
fn describe(used: &Used) -> String {
    let statement = |statement: &Statement| {
        let overrides = statement.overrides().iter().map(|(what, how)| format!(" {}={}", what.as_str(), how.as_str()));
        let stores: Vec<String> = statement.trust_stores.iter().map(ToString::to_string).collect();
        let identities: Vec<&str> = statement.identities.subjects().collect();
        format!(
            "{} {}{} {} [{}] [{}]",
            statement.scopes.join(" "),
            statement.level.as_str(),
            overrides.collect::<String>(),
            statement.verify_timestamp.as_str(),
            stores.join(" "),
            identities.join(" | ")
        )
    };
    let (id, record) = &used.recorded[0];
    let statements: Vec<String> = used.policy.statements().iter().map(statement).collect();
    format!("{} — {id}, line {}", statements.join("; "), record.line())
}

/// A case that expects what does not come out.
const DISAPPOINTED: &str = "
title: An expectation that is not met
steps:
  - push: {}
  - sign: { expires: 1h }
  - advance: 2h
  - verify: { expect: { result: pass, signatures: 2 } }
verify:
  - policy: { signatureVerification: { level: permissive } }
    expect: { result: warn, code: signature-expired }
";

#[tokio::test]
async fn a_hearing_differs_where_running_does() {
    let scenario = scenario::parse(DISAPPOINTED.as_bytes(), &PathBuf::from("disappointed.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let (run, recorded) = scenario::run_and_record(&cases[0], &options()).await;
    let mut ran = None;
    let options = scenario::Options::default();
    scenario::run(cases, options, &Interrupt::default(), |result| ran = Some(result.status)).await;
    let what = |status: &CaseStatus| match status {
        CaseStatus::Fail(differences) => {
            differences.iter().map(|d| (d.what.clone(), d.expected.clone(), d.found.clone(), d.line)).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(what(&run), what(&ran.unwrap()));
    assert_eq!(what(&run).len(), 3, "{run:?}");

    let [strict, permissive] = recorded.as_slice() else { panic!("{recorded:?}") };
    assert!(permissive.judge_by(permissive.policy()).is_empty());
    assert!(!permissive.judge_by(strict.policy()).is_empty(), "a change of the policy is noticed");
}

/// Stores that change, a policy that is rolled out, and a file: each verification is judged again by what was in force at its time.
const CHANGING: &str = "
title: Stores and policies that change
authorities:
  other: {}
steps:
  - push: {}
  - sign: {}
  - write: { file: a, content: a }
  - sign: { file: a }
  - verify: { expect: { result: pass } }
  - verify: { file: a, expect: { result: pass } }
  - trust: { store: ca:wabbit-networks, add: [other], remove: [wabbit] }
  - verify: { expect: { result: fail, code: untrusted-chain } }
  - verify: { file: a, expect: { result: fail, code: untrusted-chain } }
  - policy: { signatureVerification: { level: audit } }
  - blobPolicy: { signatureVerification: { level: audit } }
  - verify: { expect: { result: warn, code: untrusted-chain } }
verify:
  - file: a
    expect: { result: warn, code: untrusted-chain }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_is_judged_again_by_the_stores_and_the_policy_of_its_time() {
    let scenario = scenario::parse(CHANGING.as_bytes(), &PathBuf::from("changing.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let (status, recorded) = scenario::run_and_record(&cases[0], &options()).await;
    assert_eq!(status, CaseStatus::Pass);
    let [image, file, image_later, file_later, image_last, file_last] = recorded.as_slice() else {
        panic!("{recorded:?}")
    };
    for record in &recorded {
        assert!(record.judge_by(record.policy()).is_empty(), "line {}", record.line());
    }
    let notices =
        |record: &RecordedVerification, other: &RecordedVerification| !record.judge_by(other.policy()).is_empty();
    // The same policy, which is strict: the store alone makes the difference.
    assert!(!notices(image_later, image) && !notices(file_later, file));
    assert!(notices(image_later, image_last) && notices(file_later, file_last));
    assert!(notices(image_last, image) && notices(file_last, file));
    assert!(!notices(file, image_last), "a policy of the other kind changes nothing");
}
