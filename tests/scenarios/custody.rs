//! Signing that fails on purpose: what is refused in a file, and that an expectation which is not met is told with its place.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;

use muster::audit::Interrupt;
use muster::scenario::{self, CaseStatus, Options};

use crate::scenario_files::refused;

const END: &str = "verify: [{ expect: { result: pass } }]\n";

/// A scenario with these things and steps.
fn with(things: &str, steps: &str) -> String {
    format!("title: x\n{things}steps:\n  - push: {{}}\n{steps}{END}")
}

const PLUGIN: &str = "plugins: { p: { capabilities: [signature-generator-raw] } }\n";

#[test]
fn what_is_expected_of_signing_is_read_strictly() {
    let step = |step: &str| with("", &format!("  - {step}\n"));
    refused(step("sign: { expect: { error: token-gon } }"), "unknown-word", (4, 30), "did you mean \"token-gone\"?");
    refused(step("sign: { expect: { eror: token-gone } }"), "unknown-key", (4, 23), "did you mean \"error\"?");
    refused(step("sign: { expect: { signatures: many } }"), "wrong-type", (4, 35), "");
    refused(step("sign: { expect: signed }"), "wrong-type", (4, 21), "");
}

#[test]
fn a_token_in_trouble_is_one_that_there_is() {
    let step = |step: &str| with("", &format!("  - {step}\n"));
    refused(step("token: { is: pulled }"), "contradiction", (4, 5), "add keystore: softhsm to it");
    let softhsm = |step: &str| with("keys: { k: { keystore: softhsm } }\n", &format!("  - {step}\n"));
    refused(softhsm("token: { key: builder, is: pulled }"), "contradiction", (5, 19), "is in no token");
    refused(softhsm("token: { key: kk, is: pulled }"), "unknown-name", (5, 19), "did you mean \"k\"?");
    refused(softhsm("token: { key: k, is: puled }"), "unknown-word", (5, 26), "did you mean \"pulled\"?");
    refused(softhsm("token: { key: k }"), "missing-key", (5, 14), "add \"is\"");
    refused(softhsm("token: { key: k, is: wrong-pin, after: 2 }"), "contradiction", (5, 44), "remove after");
}

#[test]
fn a_plugin_that_holds_a_key_is_one_that_there_is() {
    let key = |plugins: &str, keys: &str| with(&format!("{plugins}keys: {{ {keys} }}\n"), "");
    refused(key("", "k: { keystore: plugin }"), "contradiction", (2, 9), "no plugin signs");
    refused(key(PLUGIN, "k: { keystore: plugin, plugin: pp }"), "unknown-name", (3, 40), "did you mean \"p\"?");
    refused(key(PLUGIN, "k: { plugin: p }"), "contradiction", (3, 22), "add keystore: plugin");
    let two = "plugins: { p: { capabilities: [signature-generator-raw] }, q: { capabilities: [signature-generator-envelope] } }\n";
    refused(key(two, "k: { keystore: plugin }"), "contradiction", (3, 9), "name it by plugin");
    refused(
        key(PLUGIN, "k: { keystore: plugin }, l: { keystore: plugin }"),
        "contradiction",
        (3, 34),
        "holds the key \"k\"",
    );
    let verifies = "plugins: { p: { signingDefect: no-root } }\n";
    refused(key(verifies, "k: {}"), "contradiction", (2, 32), "the plugin does not sign");
}

/// What `muster sign` does not do is asked only of keys with which the forge signs.
#[test]
fn a_key_that_signs_as_for_muster_sign_has_no_defects() {
    let things = format!("{PLUGIN}keys: {{ k: {{ keystore: plugin }} }}\ntimestampAuthorities: {{ t: {{}} }}\n");
    for (member, says) in [
        ("defects: [no-chain]", "without defects"),
        ("attributes: { a: b }", "without attributes"),
        ("plugin: p", "without a verification plugin"),
        ("timestamp: t", "without a timestamp"),
        ("scheme: notary.x509.signingAuthority", "without the scheme"),
        ("manifest: artifact-manifest", "without the manifest"),
    ] {
        let step = format!("  - sign: {{ key: k, {member} }}\n");
        refused(with(&things, &step), "contradiction", (7, 18), says);
    }
    let troubled = with(
        "keys: { builder: { keystore: softhsm } }\n",
        "  - sign: { defects: [no-chain] }\n  - token: { is: slow }\n",
    );
    refused(troubled, "contradiction", (5, 5), "without defects");
}

fn differences(text: &str) -> Vec<(String, String, String, usize)> {
    let scenario = scenario::parse(text.as_bytes(), Path::new("scenarios/topic/case.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = Options { program: Some(env!("CARGO_BIN_EXE_muster").into()), ..Options::default() };
    let (mut endings, interrupt) = (Vec::new(), Interrupt::default());
    runtime.block_on(scenario::run(cases, options, &interrupt, |result| endings.push(result.status)));
    match endings.remove(0) {
        CaseStatus::Pass => Vec::new(),
        CaseStatus::Fail(differences) => {
            let told = |d: scenario::Difference| (d.what, d.expected, d.found, d.line);
            differences.into_iter().map(told).collect()
        }
        status => panic!("{status:?}"),
    }
}

#[test]
fn an_expectation_of_signing_that_is_not_met_is_told_with_its_place() {
    let signed = |expect: &str| differences(&with("", &format!("  - sign: {{ expect: {expect} }}\n")));
    assert_eq!(signed("{ signatures: 1 }"), []);
    assert_eq!(signed("{ signatures: 2 }"), [("signatures".into(), "2".into(), "1".into(), 4)]);
    assert_eq!(signed("{ error: token-gone }"), [("error".into(), "token-gone".into(), "signed".into(), 4)]);
    let broken = PLUGIN.replace("raw]", "raw], signingDefect: no-root");
    let things = format!("{broken}keys: {{ builder: {{ keystore: plugin }} }}\n");
    let unsigned = |expect: &str| {
        let text = with(&things, &format!("  - sign: {{ expect: {expect} }}\n"));
        differences(&text.replace("result: pass", "result: fail, code: unsigned"))
    };
    assert_eq!(unsigned("{ error: chain-invalid, signatures: 0 }"), []);
    for (expect, expected) in [("{}", "signed"), ("{ error: plugin-failed }", "plugin-failed")] {
        let found = unsigned(expect);
        assert_eq!((found.len(), found[0].0.as_str(), found[0].1.as_str()), (1, "error", expected), "{found:?}");
        assert!(found[0].2.starts_with("chain-invalid (the plugin \"p\": the certificate chain"), "{found:?}");
    }
}

/// A step that expects nothing and fails is no failed expectation.
#[test]
fn signing_that_fails_unexpectedly_could_not_be_run() {
    let broken = PLUGIN.replace("raw]", "raw], signingDefect: no-root");
    let text = with(&format!("{broken}keys: {{ builder: {{ keystore: plugin }} }}\n"), "  - sign: {}\n");
    let scenario = scenario::parse(text.as_bytes(), Path::new("scenarios/topic/case.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = Options { program: Some(env!("CARGO_BIN_EXE_muster").into()), ..Options::default() };
    let (mut endings, interrupt) = (Vec::new(), Interrupt::default());
    runtime.block_on(scenario::run(cases, options, &interrupt, |result| endings.push(result.status)));
    let CaseStatus::Error(reason) = &endings[0] else { panic!("{endings:?}") };
    assert!(reason.starts_with("line 6: cannot sign: the plugin \"p\""), "{reason}");
}

const PEOPLE: &str = "approvers: { alice: {}, bob: {}, mallory: {} }\n";

#[test]
fn a_policy_is_one_that_can_be_met() {
    let key = |policy: &str| with(&format!("{PEOPLE}keys: {{ k: {{ policy: {{ {policy} }} }} }}\n"), "");
    for (policy, code, column, says) in [
        ("quorum: 3, approvers: [alice, bob]", "invalid-count", 32, "3 of 2 approvers cannot agree"),
        ("quorum: 0, approvers: [alice]", "invalid-count", 32, "write 1 or more"),
        ("quorum: 1, approvers: [alise]", "unknown-name", 47, "did you mean \"alice\"?"),
        ("quorum: 2, approvers: [alice, alice]", "contradiction", 54, "alice is listed twice"),
        ("approvers: [alice]", "contradiction", 22, "does not say how many"),
        ("quorum: 1, approvers: [alice], timeout: 90s", "invalid-value", 64, "whole minutes"),
        ("quorum: 1, approvers: [alice], timelock: 2h, timeout: 1h", "contradiction", 65, "shorten it"),
        ("quorum: 1, approvers: [alice], tokens: []", "contradiction", 22, "not in both ways"),
        ("tokens: []", "contradiction", 22, "add a token"),
        ("tokens: [{ groups: [] }]", "contradiction", 22, "add a group"),
        ("tokens: [{ groups: [{ quorum: 1, approvers: [] }] }]", "invalid-count", 54, "1 of 0 approvers"),
        ("quorun: 1", "unknown-key", 24, "did you mean \"quorum\"?"),
    ] {
        refused(key(policy), code, (3, column), says);
    }
    let behind =
        format!("{PEOPLE}{PLUGIN}keys: {{ k: {{ keystore: plugin, policy: {{ quorum: 1, approvers: [alice] }} }} }}\n");
    refused(with(&behind, ""), "contradiction", (4, 40), "a key behind a plugin has no policy");
}

#[test]
fn approvals_are_of_people_and_for_keys_that_need_them() {
    let things = format!(
        "{PEOPLE}keys: {{ k: {{ policy: {{ quorum: 1, approvers: [alice] }} }}, t: {{ keystore: softhsm }} }}\n"
    );
    let step = |step: &str| with(&things, &format!("  - {step}\n"));
    for (text, code, column, says) in [
        ("sign: { key: k, approvals: [{ by: alise, after: 1m }] }", "unknown-name", 39, "did you mean \"alice\"?"),
        (
            "sign: { key: k, approvals: [{ by: alice, after: -1m }] }",
            "invalid-value",
            53,
            "cannot come before the request",
        ),
        ("sign: { key: k, approvals: [{ by: alice }] }", "missing-key", 35, "add \"after\""),
        ("sign: { key: k, approvals: [{ after: 1m }] }", "contradiction", 42, "write { by: alice"),
        (
            "sign: { key: k, approvals: [{ by: bob, block: true, after: 1m }] }",
            "contradiction",
            64,
            "it blocks the key",
        ),
        ("sign: { key: k, approvals: [{ by: bob, of: x.io/a:b, after: 1m }] }", "unknown-name", 48, "registry"),
        ("sign: { key: k, giveUp: 0s }", "invalid-value", 29, "write 1s or more"),
        ("sign: { giveUp: 5m }", "contradiction", 21, "needs no approvals"),
        ("sign: { approvals: [{ by: bob, after: 1m }] }", "contradiction", 25, "give it a policy"),
        ("sign: { expect: { request: executed } }", "contradiction", 32, "give it a policy"),
        ("sign: { key: k, expect: { request: done } }", "unknown-word", 40, "\"done\" is not a word"),
        ("sign: { key: k, expect: { approvedBy: [alise] } }", "unknown-name", 43, "did you mean \"alice\"?"),
        ("sign: { key: k, expect: { refused: { bop: ended } } }", "unknown-name", 42, "did you mean \"bob\"?"),
        ("gateway: { answer: der }", "contradiction", 5, "is behind no gateway"),
        ("gateway: { key: k }", "contradiction", 5, "add answer or blocked"),
        ("gateway: { key: k, blocked: true, times: 1 }", "contradiction", 46, "add answer"),
        ("gateway: { key: k, answer: der, times: 0 }", "invalid-count", 44, "write 1 or more"),
        ("gateway: { key: k, answer: dre }", "unknown-word", 32, "did you mean \"der\"?"),
        ("token: { key: k, is: slow }", "contradiction", 19, "is in no token"),
        ("changeKey: { ask: block, expect: { request: executed } }", "contradiction", 5, "is behind no gateway"),
        ("changeKey: { key: k, ask: modify, expect: { request: executed } }", "contradiction", 31, "add policy"),
        (
            "changeKey: { key: k, ask: block, policy: { quorum: 1, approvers: [bob] }, expect: { request: executed } }",
            "contradiction",
            46,
            "keeps its policy",
        ),
        (
            "changeKey: { key: k, ask: modify, policy: { quorum: 2, approvers: [bob] }, expect: { request: executed } }",
            "invalid-count",
            57,
            "2 of 1 approvers",
        ),
        ("changeKey: { key: k, ask: block, expect: {} }", "missing-key", 46, "add \"request\""),
    ] {
        refused(step(text), code, (6, column), says);
    }
}

/// Every part of what is expected of approvals is looked at.
#[test]
fn an_expectation_of_approvals_that_is_not_met_is_told() {
    let things = format!("{PEOPLE}keys: {{ builder: {{ policy: {{ quorum: 2, approvers: [alice, bob] }} }} }}\n");
    let approvals = "{ by: mallory, after: 1m }, { by: bob, after: 2m }, { by: alice, after: 3m }";
    let played = |expect: &str| {
        differences(&with(&things, &format!("  - sign: {{ approvals: [{approvals}], expect: {expect} }}\n")))
    };
    let met = "{ request: executed, approvedBy: [bob, alice], refused: { mallory: not-listed }, signatures: 1 }";
    assert_eq!(played(met), []);
    for (wrong, what, expected, found) in [
        ("{ request: expired }", "request", "expired", "executed"),
        ("{ error: timeout }", "error", "timeout", "signed"),
        ("{ approvedBy: [alice, bob] }", "approvedBy", "alice, bob", "bob, alice"),
        ("{ approvedBy: [] }", "approvedBy", "none", "bob, alice"),
        ("{ refused: {} }", "refused", "none", "mallory: not-listed"),
        ("{ refused: { mallory: ended } }", "refused", "mallory: ended", "mallory: not-listed"),
    ] {
        assert_eq!(played(wrong), [(what.into(), expected.into(), found.into(), 6)], "{wrong}");
    }
}

/// A key that needs none may be superseded by one that does, and what comes of the approvals is expected as always.
#[test]
fn approvals_are_expected_of_the_key_that_signs_then() {
    let things = format!(
        "{PEOPLE}keys: {{ builder: {{ supersededAt: 1d, supersededBy: later }}, later: {{ policy: {{ quorum: 1, approvers: [alice] }} }} }}\n"
    );
    let steps = |at: &str| {
        format!(
            "  - advance: {at}\n  - sign: {{ approvals: [{{ by: alice, after: 1m }}], expect: {{ request: executed, approvedBy: [alice] }} }}\n"
        )
    };
    assert_eq!(differences(&with(&things, &steps("1d"))), []);
    let wrong = [("request", "executed", "none"), ("approvedBy", "alice", "none")];
    let wrong = wrong.map(|(what, expected, found)| (what.into(), expected.into(), found.into(), 7));
    assert_eq!(differences(&with(&things, &steps("86399s"))), wrong);
}
