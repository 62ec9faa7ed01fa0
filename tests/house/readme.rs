//! The README and `docs/` hold what the program prints, and the tables that the program knows.

use std::process::{Command, Output};

use muster::cli::Exit;

const README: &str = include_str!("../../README.md");
const REPORTS: &str = include_str!("../../docs/reports.md");

/// The words of a command, as a shell takes them.
pub(crate) fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split_whitespace().map(|word| word.trim_matches('\''))
}

/// The audit under the picture in the README, without `cargo run`.
pub(crate) fn audit_of_the_readme() -> &'static str {
    let command = README.lines().find(|line| line.starts_with("    cargo run --release -- audit")).unwrap();
    command.split_once(" -- ").unwrap().1
}

fn muster(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(words(arguments))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .output()
        .unwrap()
}

/// `printed` with what a run took, which differs from run to run, as the pages show it.
pub(crate) fn steady(printed: &str) -> String {
    let steady = |line: &str| {
        let number = line.strip_prefix("in ").and_then(|rest| rest.chars().next());
        match number.is_some_and(|first| first.is_ascii_digit()) {
            true if line.contains("artifacts/s") => "in 0.1 s, 290 artifacts/s".to_owned(),
            true => "in 0.1 s".to_owned(),
            false => line.to_owned(),
        }
    };
    printed.split('\n').map(steady).collect::<Vec<_>>().join("\n")
}

fn block<'a>(opening: &str, text: &'a str) -> &'a str {
    text.split_once(opening).unwrap().1.split_once("\n```").unwrap().0.trim_start_matches('\n')
}

#[test]
fn the_audit_prints_what_the_page_on_reports_shows() {
    let command = REPORTS.lines().find_map(|line| line.strip_prefix("    muster ")).unwrap();
    let printed = steady(&String::from_utf8(muster(command).stdout).unwrap());
    let mut rest = printed.as_str();
    for part in block("```text", REPORTS).split("…\n") {
        let (_, after) = rest.split_once(part.trim_end()).unwrap_or_else(|| panic!("{part}\nis not in\n{rest}"));
        rest = after;
    }
    assert_eq!(rest.trim(), "", "the page ends where the output ends");
    assert!(audit_of_the_readme().starts_with(command), "the README's audit is this one, of four artifacts");
}

#[test]
fn every_exit_code_comes_from_its_command_line() {
    let mut seen = Vec::new();
    for example in block("```console", REPORTS).split("$ muster ").skip(1) {
        let (command, shown) = example.split_once('\n').unwrap();
        let (stdout, code) = shown.split_once("[exit code ").unwrap();
        let code: i32 = code.trim_end().trim_end_matches(']').parse().unwrap();
        let output = muster(command);
        assert_eq!(steady(&String::from_utf8(output.stdout).unwrap()), stdout, "muster {command}");
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
