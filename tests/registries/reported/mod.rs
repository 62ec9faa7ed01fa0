//! What people reported of verifiers of Notary Project signatures: inputs that came out wrong somewhere, played on the
//! program.
//!
//! `cases/` has a folder each: an OCI layout, a trust policy, the trust stores. What must come out stands here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod server;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use server::Referrers;

/// All of it was made shortly before.
const AT: &str = "2026-11-28T12:00:00Z";

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registries/reported/cases").join(case)
}

fn muster(case: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.env_clear().env("HOME", "/nonexistent").current_dir(folder(case)).args(arguments).output().unwrap()
}

/// What an audit found.
struct Found {
    exit: Option<i32>,
    report: Value,
}

fn audit(case: &str, target: &str, arguments: &[&str]) -> Found {
    let mut all = vec!["audit", target, "--policy", "policy.json", "--trust-store", "truststore", "-o", "json"];
    all.extend(arguments);
    if !arguments.contains(&"--at") {
        all.extend(["--at", AT]);
    }
    let output = muster(case, &all);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Found { exit: output.status.code(), report: serde_json::from_slice(&output.stdout).expect(&errors) }
}

/// An audit of the layout as the repository `local/layout`.
fn audit_layout(case: &str, arguments: &[&str]) -> Found {
    let mut all = vec!["--scope", "local/layout"];
    all.extend(arguments);
    audit(case, "oci:layout", &all)
}

impl Found {
    /// Of each row in order: the reference, the platform behind `#`, the code or else the result.
    fn rows(&self) -> Vec<String> {
        let row = |artifact: &Value| {
            let text = |name: &str| artifact[name].as_str().map(str::to_owned);
            let platform = text("platform").map(|platform| format!("#{platform}")).unwrap_or_default();
            let said = text("code").or(text("result")).unwrap();
            format!("{}{platform} {said}", text("reference").unwrap())
        };
        self.report["artifacts"].as_array().unwrap().iter().map(row).collect()
    }

    #[track_caller]
    fn assert(&self, exit: i32, rows: &[&str]) {
        assert_eq!((self.rows(), self.exit), (rows.iter().map(|row| (*row).to_owned()).collect(), Some(exit)));
    }

    fn message(&self, row: usize) -> &str {
        self.report["artifacts"][row]["message"].as_str().unwrap()
    }
}

#[test]
fn build_attestations_are_no_images() {
    let covered = audit_layout("audit-buildx-attestations", &[]);
    covered.assert(0, &["local/layout:v1 pass"]);
    // What calls itself an attestation and has the layers of an image is judged where each manifest is asked for.
    let each = audit_layout("audit-buildx-attestations", &["--platform", "all"]);
    let platforms = ["local/layout:v1 pass", "local/layout:v1#linux/amd64 pass", "local/layout:v1#linux/arm64 pass"];
    each.assert(1, &[platforms[0], platforms[1], platforms[2], "local/layout:v1#unknown/unknown unsigned"]);
}

#[test]
fn tags_that_cosign_made_are_no_artifacts() {
    audit_layout("audit-cosign-tags", &[]).assert(0, &["local/layout:v1 pass"]);
}

#[test]
fn a_list_of_referrers_without_artifact_types_is_no_artifact() {
    audit_layout("audit-fallback-tag-without-artifacttype", &[]).assert(0, &["local/layout:v1 pass"]);
}

#[test]
fn a_signed_index_covers_its_platforms_unless_each_is_asked_for() {
    audit_layout("audit-index-only-signed", &[]).assert(0, &["local/layout:v1 pass"]);
    let each = audit_layout("audit-index-only-signed", &["--platform", "all"]);
    let unsigned = ["local/layout:v1#linux/amd64 unsigned", "local/layout:v1#linux/arm64 unsigned"];
    each.assert(1, &["local/layout:v1 pass", unsigned[0], unsigned[1]]);
}

#[test]
fn indexes_within_indexes_are_looked_into_where_each_platform_is_asked_for() {
    audit_layout("audit-nested-index", &[]).assert(0, &["local/layout:v1 pass"]);
    let each = audit_layout("audit-nested-index", &["--platform", "all"]);
    assert_eq!(each.exit, Some(1));
    let unsigned = each.rows().into_iter().filter(|row| row.contains("#linux/") && row.ends_with(" unsigned")).count();
    assert_eq!(unsigned, 2, "{:?}", each.rows());
}

#[test]
fn basic_constraints_of_an_authority_are_critical() {
    audit_layout("ca-basicconstraints-not-critical", &[]).assert(1, &["local/layout:v1 certificate-profile"]);
}

#[test]
fn an_ed25519_authority_may_certify_a_signer() {
    audit_layout("chain-ed25519-ca", &[]).assert(0, &["local/layout:v1 pass"]);
}

#[test]
fn annotations_of_null_are_no_annotations() {
    audit_layout("payload-annotations-null", &[]).assert(0, &["local/layout:v1 pass"]);
}

#[test]
fn a_crl_may_be_some_seconds_ahead() {
    let arguments = ["--revocation-from", "from", "--at", "2026-11-28T09:00:00Z"];
    audit_layout("crl-thisupdate-seconds-ahead", &arguments).assert(0, &["local/layout:v1 pass"]);
}

/// The address stands in the certificate, so its port is given.
fn served_crl(case: &str, port: u16) {
    let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) else {
        return crate::skip::skip(case, &format!("port {port} is in use"));
    };
    server::serve(listener, server::files(folder(case).join("www")));
    audit_layout(case, &["--no-revocation-cache"]).assert(0, &["local/layout:v1 pass"]);
}

#[test]
fn the_scheme_of_a_distribution_point_may_stand_in_capitals() {
    served_crl("crl-idp-scheme-in-capitals", 5975);
}

#[test]
fn a_crl_whose_address_has_blanks_is_fetched() {
    served_crl("crl-url-with-space", 5973);
}

#[test]
fn an_identity_that_a_plugin_matches_gets_no_warning_that_no_signer_can_match() {
    let output = muster("policy-identity-of-a-plugin", &["policy", "check", "policy.json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("warning") && !said.contains("no signer can match"), "{said}");
    assert!(said.contains("plugin"), "{said}");
}

fn audit_registry(case: &str, referrers: Referrers) -> (Found, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let repository = format!("{}/app", listener.local_addr().unwrap());
    server::serve(listener, server::registry(folder(case).join("layout"), referrers));
    (audit(case, &repository, &[]), repository)
}

#[test]
fn a_list_that_was_filtered_needs_no_artifact_types() {
    let (found, repository) = audit_registry("reg-filtered-list-without-artifacttype", Referrers::FilteredWithoutTypes);
    found.assert(0, &[&format!("{repository}:v1 pass")]);
}

#[test]
fn a_subject_under_its_own_referrers_tag_has_no_referrers() {
    let (found, repository) = audit_registry("reg-reftag-is-the-subject", Referrers::TagTakenForDigest);
    found.assert(1, &[&format!("{repository}:v1 unsigned")]);
}

#[test]
fn a_scope_that_is_nearly_the_repository_is_named() {
    let found = audit("scope-near-miss-hint", "oci:layout", &[]);
    let rows = ["docker.io/library/app:1 no-applicable-policy", "registry.example.com/team/app:1 no-applicable-policy"];
    found.assert(1, &rows);
    assert!(found.message(0).contains("index.docker.io/library/app"), "{}", found.message(0));
    assert!(found.message(1).contains("registry.example.com:443/team/app"), "{}", found.message(1));
}

#[test]
fn r49_a_short_name_is_answered_with_the_whole_one() {
    let arguments = ["verify", "nginx:1", "--policy", "policy.json", "--trust-store", "truststore"];
    let output = muster("short-name-message", &arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("docker.io/library/nginx:1"), "{said}");
    assert!(!said.contains("add a :tag"), "{said}");
}

#[test]
fn attributes_of_a_time_stamp_are_hashed_in_their_der_order() {
    audit_layout("tsa-attributes-unsorted-signed-sorted", &[]).assert(0, &["local/layout:v1 pass"]);
}

#[test]
fn a_store_that_is_not_needed_may_be_unusable() {
    audit_layout("tsa-store-not-needed", &[]).assert(0, &["local/layout:v1 pass"]);
}
