//! The README and `docs/` hold what the program prints, and the tables that the program knows.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

use muster::cli::Exit;

const README: &str = include_str!("../../README.md");
const REPORTS: &str = include_str!("../../docs/reports.md");

fn muster(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments.split_whitespace().map(|argument| argument.trim_matches('\'')))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .unwrap()
}

fn block<'a>(opening: &str, text: &'a str) -> &'a str {
    text.split_once(opening).unwrap().1.split_once("\n```").unwrap().0.trim_start_matches('\n')
}

#[test]
fn the_audit_prints_what_the_readme_shows() {
    let command = README.lines().find(|line| line.starts_with("    cargo run --release -- audit")).unwrap();
    let command = command.split_once(" -- ").unwrap().1;
    let printed = String::from_utf8(muster(command).stdout).unwrap();
    let mut rest = printed.as_str();
    for part in block("```text", README).split("…\n") {
        let (_, after) = rest.split_once(part.trim_end()).unwrap_or_else(|| panic!("{part}\nis not in\n{rest}"));
        rest = after;
    }
    assert_eq!(rest.trim(), "", "the README ends where the output ends");
}

#[test]
fn every_exit_code_comes_from_its_command_line() {
    let mut seen = Vec::new();
    for example in block("```console", REPORTS).split("$ muster ").skip(1) {
        let (command, shown) = example.split_once('\n').unwrap();
        let (stdout, code) = shown.split_once("[exit code ").unwrap();
        let code: i32 = code.trim_end().trim_end_matches(']').parse().unwrap();
        let output = muster(command);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout, "muster {command}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "muster {command}: {errors}");
        assert!(code == 0 || !errors.is_empty(), "muster {command} says nothing");
        seen.push(code);
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[test]
fn the_table_of_exit_codes_is_the_programs() {
    for (exit, meaning) in Exit::TABLE {
        let row = format!("| {} | {meaning} |", exit.code());
        assert!(REPORTS.contains(&row), "{row}");
    }
}

#[test]
fn every_file_that_is_linked_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)).into();
    pages.extend(std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
            let file = page.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(link.starts_with("https://") || file.exists(), "{}: {link}", page.display());
        }
    }
    assert!(pages.len() > 6, "{pages:?}");
}
