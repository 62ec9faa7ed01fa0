//! `muster test` in a project of one's own: where policies are found, by which policy is judged, and what else may lie in its
//! folders.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

const POLICY: &str = r#"{"version":"1.0","trustPolicies":[{"name":"own","registryScopes":["registry.wabbit-networks.io/net-monitor"],"signatureVerification":{"level":"strict"},"trustStores":["ca:wabbit-networks"],"trustedIdentities":["*"]}]}"#;

/// A scenario that is judged by `policy`.
fn scenario(policy: &str) -> String {
    format!(
        "title: x\nsteps:\n  - push: {{}}\n  - sign: {{}}\nverify:\n  - policy: {policy}\n    expect: {{ result: pass, statement: own }}\n"
    )
}

/// A project as people have them: scenarios in a folder of any name, a policy beside it.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [("proj/scen/ok.yaml", scenario("../pol/p.json")), ("proj/pol/p.json", POLICY.to_owned())] {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

fn muster(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.arg("test").args(arguments).current_dir(folder).env("HOME", "/nonexistent").output().unwrap()
}

#[track_caller]
fn ends(arguments: &[&str], folder: &Path, code: i32) -> String {
    let output = muster(arguments, folder);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

#[test]
fn a_policy_of_the_own_project_is_found() {
    let folder = project();
    let proj = folder.path().join("proj");
    // The working directory is the root where nothing says otherwise.
    ends(&["scen"], &proj, 0);
    ends(&["."], &proj, 0);
    ends(&["scen/ok.yaml"], &proj, 0);
    let refused = ends(&["ok.yaml"], &proj.join("scen"), 2);
    assert!(
        refused.contains("leads out of the project, whose root is") && refused.contains("the working directory"),
        "{refused}"
    );
    assert!(refused.contains("--root DIR"), "{refused}");
    ends(&["ok.yaml", "--root", ".."], &proj.join("scen"), 0);
    ends(&["scen", "--root", "pol"], &proj, 2);
    ends(&["scen", "--root", "none"], &proj, 2);
    for mark in [".git", "muster.toml"] {
        let mark = proj.join(mark);
        std::fs::create_dir(&mark).unwrap();
        ends(&["ok.yaml"], &proj.join("scen"), 0);
        ends(&["proj/scen"], folder.path(), 0);
        std::fs::remove_dir(&mark).unwrap();
    }
}

/// What a stranger's scenario may not read: anything above the root, by whatever way.
#[cfg(unix)]
#[test]
fn a_scenario_reads_nothing_outside_its_project() {
    let folder = project();
    let proj = folder.path().join("proj");
    std::fs::create_dir(proj.join(".git")).unwrap();
    std::fs::write(folder.path().join("secret.json"), POLICY).unwrap();
    std::os::unix::fs::symlink("../secret.json", proj.join("link.json")).unwrap();
    std::os::unix::fs::symlink("..", proj.join("up")).unwrap();
    std::fs::create_dir(proj.join("nested")).unwrap();
    for policy in
        ["../../secret.json", "../link.json", "../up/secret.json", "../nested/../../secret.json", "/etc/passwd"]
    {
        std::fs::write(proj.join("scen/ok.yaml"), scenario(policy)).unwrap();
        // A working directory further up is no invitation.
        for (path, from) in [("scen", &*proj), ("proj/scen/ok.yaml", folder.path())] {
            let refused = ends(&[path], from, 2);
            assert!(refused.contains("error[policy-path]"), "{policy}: {refused}");
        }
    }
}

#[test]
fn one_policy_judges_in_the_place_of_all_others() {
    let folder = project();
    let (proj, elsewhere) = (folder.path().join("proj"), tempfile::tempdir().unwrap());
    std::fs::write(proj.join("scen/ok.yaml"), scenario("{ name: own }")).unwrap();
    std::fs::write(proj.join("scen/gone.yaml"), scenario("../pol/gone.json").replace("own", "other")).unwrap();
    ends(&["scen"], &proj, 2);
    let policy = elsewhere.path().join("trustpolicy.json");
    std::fs::write(&policy, POLICY.replace("\"own\"", "\"other\"")).unwrap();
    let policy = policy.to_str().unwrap();
    let said = ends(&["scen", "--policy", policy], &proj, 1);
    assert!(said.contains("statement") && said.contains("2 cases: 1 passed, 1 failed"), "{said}");
    std::fs::write(policy, POLICY.replace("wabbit-networks.io/net", "wabbit-networks.io/other")).unwrap();
    let said = ends(&["scen", "--policy", policy, "--run", "ok"], &proj, 1);
    assert!(said.contains("no-applicable-policy"), "{said}");
    std::fs::write(policy, "{}").unwrap();
    ends(&["scen", "--policy", policy], &proj, 2);
    ends(&["scen", "--policy", policy, "--accept"], &proj, 2);
    ends(&["scen", "--policy", "none.json"], &proj, 2);
}

/// A folder of a project holds other files, too; one that is named must be a scenario, and a slip in one is no reason to pass
/// it over.
#[test]
fn what_is_no_scenario_is_passed_over_in_folders() {
    let folder = project();
    let proj = folder.path().join("proj");
    for (file, text) in [
        ("package.json", r#"{"name":"x","version":"1.0.0","scripts":{}}"#),
        ("azure-pipelines.yml", "trigger: [main]\nsteps:\n  - script: make\n"),
        ("values.yaml", "replicas: {{ .Values.x }}\n"),
        ("empty.yaml", ""),
    ] {
        std::fs::write(proj.join(file), text).unwrap();
    }
    // The policy that the scenario names belongs to it.
    let said = ends(&["."], &proj, 0);
    let expected =
        "passed over 4 files that are no scenarios: ./azure-pipelines.yml, ./empty.yaml, ./package.json and 1 more";
    assert!(said.contains(expected), "{said}");
    assert!(!ends(&[".", "-q"], &proj, 0).contains("passed over"));
    for named in ["package.json", "pol/p.json", "empty.yaml", "azure-pipelines.yml"] {
        ends(&["scen", named], &proj, 2);
    }
    let said = ends(&["pol"], &proj, 4);
    assert!(said.contains("passed over 1 file that is no scenario: pol/p.json"), "{said}");
    std::fs::write(proj.join("scen/slip.yaml"), "title: x\nverfy:\n  - expect: { result: pass }\n").unwrap();
    let said = ends(&["."], &proj, 2);
    assert!(said.contains("did you mean \"verify\"?") && said.contains("slip.yaml"), "{said}");
}

/// What is meant as a scenario and is none is an error, whatever is wrong with it: it would be a test that no one runs.
#[test]
fn what_is_meant_as_a_scenario_is_never_passed_over() {
    let folder = project();
    let proj = folder.path().join("proj");
    let long = format!("title: x\nverify:\n  - expect: {{ result: pass }}\n# {}\n", "x".repeat(2 << 20));
    for (name, text, said) in [
        ("a.yaml", long.as_str(), "scen/a.yaml"),
        ("b.yaml", "name: x\nsteps:\n  - push: {}\nexpect: []\n", "there is no key \"name\""),
        ("c.yaml", "verify:\n  - expect: { result: pass }\n", "scen/c.yaml"),
        ("d.yaml", "- title: x\n  verify: []\n", "scen/d.yaml"),
        ("E.YAML", "titel: x\nverify: []\n", "there is no key \"titel\""),
    ] {
        let file = proj.join("scen").join(name);
        std::fs::write(&file, text).unwrap();
        let refused = ends(&["scen"], &proj, 2);
        assert!(refused.contains(said), "{name}: {refused}");
        std::fs::remove_file(&file).unwrap();
    }
    // A long file of something else is passed over.
    std::fs::write(proj.join("scen/data.json"), format!("[\"{}\"]", "x".repeat(2 << 20))).unwrap();
    assert!(ends(&["scen"], &proj, 0).contains("passed over"));
}
