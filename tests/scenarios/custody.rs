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
