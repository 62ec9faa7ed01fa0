//! Help texts, which are documentation: a change to one is a change that users see.

use super::program::muster;

fn snapshot(name: &str, arguments: &[&str]) {
    insta::assert_snapshot!(name, muster(arguments).run());
}

#[test]
fn help_of_every_command() {
    snapshot("help", &["--help"]);
    snapshot("help_verify", &["verify", "--help"]);
    snapshot("help_audit", &["audit", "--help"]);
    snapshot("help_sign", &["sign", "--help"]);
    snapshot("help_list", &["list", "--help"]);
    snapshot("help_inspect", &["inspect", "--help"]);
    snapshot("help_blob", &["blob", "--help"]);
    snapshot("help_blob_sign", &["blob", "sign", "--help"]);
    snapshot("help_blob_verify", &["blob", "verify", "--help"]);
    snapshot("help_blob_inspect", &["blob", "inspect", "--help"]);
    snapshot("help_policy", &["policy", "--help"]);
    snapshot("help_policy_check", &["policy", "check", "--help"]);
    snapshot("help_policy_show", &["policy", "show", "--help"]);
    snapshot("help_test", &["test", "--help"]);
    snapshot("help_gateway", &["gateway", "--help"]);
    snapshot("help_gateway_init", &["gateway", "init", "--help"]);
    snapshot("help_approve", &["approve", "--help"]);
    snapshot("help_token", &["token", "--help"]);
    snapshot("help_token_list", &["token", "list", "--help"]);
    snapshot("help_token_check", &["token", "check", "--help"]);
    snapshot("help_schema", &["schema", "--help"]);
}

#[test]
fn every_command_is_in_these_tests() {
    let help = muster(&["--help"]).run().stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        commands,
        [
            "verify", "audit", "sign", "list", "inspect", "blob", "policy", "test", "gateway", "approve", "token",
            "schema"
        ]
    );
}

#[test]
fn help_never_shows_a_secret_of_the_environment() {
    for command in ["verify", "audit", "sign", "list", "inspect"] {
        let run =
            muster(&[command, "--help"]).env("NOTATION_USERNAME", "s3cret").env("NOTATION_PASSWORD", "s3cret").run();
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains("NOTATION_PASSWORD") && !run.stdout.contains("s3cret"));
    }
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(muster(&["--version"]).run().stdout, concat!("muster ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn schemas_are_printed_as_they_lie_in_the_repository() {
    for (name, file) in [
        ("report", "report.v1.schema.json"),
        ("trustpolicy", "trustpolicy.oci.v1.schema.json"),
        ("trustpolicy-blob", "trustpolicy.blob.v1.schema.json"),
        ("token-list", "token-list.v1.schema.json"),
        ("token-check", "token-check.v1.schema.json"),
        ("scenario", "scenario.v1.schema.json"),
    ] {
        let run = muster(&["schema", name]).run();
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert_eq!(run.stdout, std::fs::read_to_string(format!("schemas/{file}")).unwrap());
    }
}
