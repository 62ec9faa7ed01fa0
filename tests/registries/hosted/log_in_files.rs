//! Where the program finds what docker, podman and notation logged in with, and the programs that keep it.

use std::path::Path;

use muster::forge::{Artifact, write_script};

use super::front::Front;
use crate::artifacts::shelf::Shelf;
use crate::registry_answers::mock::Reply;

/// ivy:secret
const ENTRY: &str = r#"{"auth":"aXZ5OnNlY3JldA=="}"#;
const IVY: &str = "Basic aXZ5OnNlY3JldA==";

/// A signed artifact behind a log-in of ivy, or of anybody who fetches a token where `public` says so.
fn guarded_by(shelf: &mut Shelf, public: bool) -> Front {
    let v1 = Artifact::image("v1");
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    let before = move |request: &crate::registry_answers::mock::Request| {
        let host = request.header("host").unwrap();
        let challenge = match public {
            true => format!("Bearer realm=\"http://{host}/token\""),
            false => "Basic realm=\"r\"".to_owned(),
        };
        match request.header("authorization") {
            _ if request.path() == "/token" => Some(Reply::new(200, r#"{"token":"anybody"}"#)),
            Some(IVY | "Bearer anybody") => None,
            _ => Some(Reply::new(401, "").header("WWW-Authenticate", &challenge)),
        }
    };
    Front::new(|registry| shelf.put_into(registry, "team/app"), before, |_, reply| reply)
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A folder of credential helpers, and a `PATH` that begins with it.
fn helpers(shelf: &Shelf, programs: &[(&str, &str)]) -> String {
    let folder = shelf.path("helpers");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, does) in programs {
        write_script(&folder.join(format!("docker-credential-{name}")), &format!("#!/bin/sh\n{does}\n")).unwrap();
    }
    format!("{}:/usr/bin:/bin", folder.display())
}

#[test]
fn r18_podmans_files_and_gitlabs_variable_serve() {
    let mut shelf = Shelf::new();
    let front = guarded_by(&mut shelf, false);
    let target = format!("{}/team/app", front.host());
    let config = format!(r#"{{"auths":{{"{}":{ENTRY}}}}}"#, front.host());
    write(&shelf.path("run/containers/auth.json"), &config);
    write(&shelf.path("home/.config/containers/auth.json"), &config);
    let file = shelf.path("run/containers/auth.json").display().to_string();
    let (run, home) = (shelf.path("run").display().to_string(), shelf.path("home").display().to_string());
    for environment in [
        [("XDG_RUNTIME_DIR", run.as_str())],
        [("REGISTRY_AUTH_FILE", &file)],
        [("DOCKER_AUTH_CONFIG", &config)],
        [("HOME", &home)],
    ] {
        let ran = shelf.run_in(&["audit", &target], &environment);
        assert_eq!(ran.code, Some(0), "{environment:?}: {}{}", ran.stdout, ran.stderr);
    }
    let ran = shelf.run_in(&["audit", &target], &[]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.contains("no credentials are known for this registry"), "{}", ran.stdout);
}

#[test]
fn r20_what_notation_login_writes_serves() {
    let mut shelf = Shelf::new();
    let front = guarded_by(&mut shelf, false);
    let target = format!("{}/team/app", front.host());
    // What it is asked for is what it is told.
    let says = format!(
        r#"read asked; [ "$1 $asked" = "get {}" ] && echo '{{"Username":"ivy","Secret":"secret"}}'"#,
        front.host()
    );
    let path = helpers(&shelf, &[("fixed", &says)]);
    for config in
        [r#"{"credsStore":"fixed"}"#.to_owned(), format!(r#"{{"credHelpers":{{"{}":"fixed"}}}}"#, front.host())]
    {
        write(&shelf.path("config/config.json"), &config);
        for command in [["audit", &target], ["verify", &format!("{target}:v1")]] {
            let ran = shelf.run_in(&command, &[("PATH", &path)]);
            assert_eq!(ran.code, Some(0), "{config}: {}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn r50_a_helper_that_knows_nothing_is_no_trouble_and_one_that_fails_is_named() {
    let mut shelf = Shelf::new();
    let front = guarded_by(&mut shelf, true);
    let target = format!("{}/team/app", front.host());
    let path = helpers(
        &shelf,
        &[
            ("native", "cat > /dev/null; echo 'credentials not found in native keychain'; exit 1"),
            ("empty", r#"printf '{"ServerURL":"","Username":"","Secret":""}'"#),
            ("pass", "echo 'pass store is uninitialized: hunter2'; exit 1"),
            ("endless", "while :; do echo hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2; done"),
        ],
    );
    for (helper, expected) in
        [("native", Ok(())), ("empty", Ok(())), ("pass", Err("failed")), ("endless", Err("more than"))]
    {
        write(&shelf.path("docker/config.json"), &format!(r#"{{"credsStore":"{helper}"}}"#));
        let docker = shelf.path("docker").display().to_string();
        let ran = shelf.run_in(&["audit", &target], &[("PATH", &path), ("DOCKER_CONFIG", &docker)]);
        match expected {
            Ok(()) => assert_eq!(ran.code, Some(0), "{helper}: {}{}", ran.stdout, ran.stderr),
            Err(why) => {
                assert_eq!(ran.code, Some(3), "{helper}: {}{}", ran.stdout, ran.stderr);
                let named = format!("docker-credential-{helper}");
                assert!(ran.stdout.contains(&named) && ran.stdout.contains(why), "{}", ran.stdout);
                assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"), "{}", ran.stdout);
            }
        }
    }
}
