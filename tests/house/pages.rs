//! The pages that people read: each command in them is run, or parsed at least; each flag and target that they name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::{readme, root};

/// Commands that are not run here, by how they begin, and why not. Those of Muster are parsed all the same.
const NOT_RUN: [(&str, &str); 18] = [
    ("tests/all", "runs this test"),
    ("INSTA_UPDATE=always cargo test", "rewrites snapshots"),
    ("MUSTER_FUZZ_SECONDS=60", "fuzzes for minutes"),
    ("MUSTER_UPDATE=1 cargo test", "chooses seeds anew"),
    ("cargo tree", "measures with a placeholder"),
    ("cargo install", "builds a release"),
    ("cargo build --release", "builds a release"),
    ("cargo run --release -- test", "tests/scenarios runs all scenarios"),
    ("muster audit registry.example.com", "needs a registry"),
    ("muster verify registry.example.com", "needs a registry"),
    ("muster sign --config demo", "needs a registry"),
    ("muster sign --key 'tsb:", "needs a broker; tests/approvals has one"),
    ("muster gateway", "tests/approvals runs it, until it is told to stop"),
    ("muster approve", "tests/approvals runs it, with its gateway"),
    ("muster token", "opens the modules of this machine"),
    ("mkdir", "is for the reader's machine"),
    ("cp target/release", "is for the reader's machine"),
    ("notation ", "needs notation"),
];

/// The pages, by their paths.
pub(crate) fn pages() -> Vec<(PathBuf, String)> {
    let mut pages: Vec<_> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "scenarios/README.md", "fuzz/README.md"]
        .map(|name| root().join(name))
        .into();
    pages.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages.into_iter().map(|page| (page.clone(), fs::read_to_string(page).unwrap())).collect()
}

/// The commands in the blocks of a page: indented lines, and lines behind `$` in a console. Long ones go on after `\`.
fn block_commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut fence: Option<&str> = None;
    let mut goes_on = false;
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            fence = if fence.is_none() { Some(kind) } else { None };
            continue;
        }
        let command = match fence {
            None => line.strip_prefix("    "),
            Some("console") => line.strip_prefix("$ "),
            Some(_) => None,
        };
        let Some(command) = command.map(str::trim) else { continue };
        let (command, more) = command.strip_suffix('\\').map_or((command, false), |start| (start.trim_end(), true));
        match found.last_mut().filter(|_| goes_on) {
            Some(begun) => *begun += &format!(" {command}"),
            None => found.push(command.to_owned()),
        }
        goes_on = more;
    }
    found
}

/// What stands between backticks in the running text of a page.
pub(crate) fn inline_code(text: &str) -> Vec<String> {
    let outside: Vec<&str> = text.split("\n```").step_by(2).collect();
    let code = outside.iter().flat_map(|part| part.split('`').skip(1).step_by(2));
    code.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The arguments of a command of Muster.
fn arguments(command: &str) -> Option<&str> {
    command.strip_prefix("muster ").or_else(|| command.strip_prefix("cargo run --release -- "))
}

/// Somebody's home, with a configuration of notation.
fn home() -> TempDir {
    let home = TempDir::new().unwrap();
    let config = home.path().join(".config/notation");
    fs::create_dir_all(&config).unwrap();
    let policy = root().join("tests/interop/policies/strict-identity.json");
    fs::copy(policy, config.join("trustpolicy.json")).unwrap();
    home
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    let arguments = arguments.iter().map(|argument| argument.replace('~', &home.display().to_string()));
    let mut muster = Command::new(env!("CARGO_BIN_EXE_muster"));
    muster.args(arguments).current_dir(root()).env_clear().env("HOME", home).output().unwrap()
}

/// Why the program does not take these arguments, if it does not. `--help` behind them keeps it from doing anything.
fn refusal(home: &Path, arguments: &[&str]) -> Option<String> {
    let output = run(home, &[arguments, &["--help"]].concat());
    (!output.status.success()).then(|| format!("muster {}: {}", arguments.join(" "), text(&output.stderr)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).unwrap()
}

#[test]
fn every_command_is_run_or_cannot_be() {
    let home = home();
    let mut used: BTreeSet<&(&str, &str)> = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut ran = 0;
    for (page, content) in pages() {
        for command in block_commands(&content) {
            let not_run = NOT_RUN.iter().find(|(start, _)| command.starts_with(start));
            used.extend(not_run);
            let Some(arguments) = arguments(&command) else {
                if not_run.is_none() {
                    wrong.push(format!("{}: neither run nor listed: {command}", page.display()));
                }
                continue;
            };
            let arguments: Vec<&str> = readme::words(arguments).collect();
            wrong.extend(refusal(home.path(), &arguments).map(|refusal| format!("{}: {refusal}", page.display())));
            // What a console shows is compared with the page in `readme`.
            if not_run.is_none() && !content.contains(&format!("$ {command}")) {
                let output = run(home.path(), &arguments);
                ran += 1;
                if !matches!(output.status.code(), Some(0 | 1)) || output.stdout.is_empty() {
                    wrong.push(format!("{}: {command}: {}", page.display(), text(&output.stderr)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = NOT_RUN.iter().filter(|row| !used.contains(*row)).collect();
    assert!(unused.is_empty(), "no page has these commands: {unused:?}");
    assert!(ran >= 3, "{ran}");
}

/// The commands of the program and of each of its commands, and all that their help texts say.
fn help_texts(home: &Path, command: &[String], texts: &mut String) {
    let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let help = text(&run(home, &arguments).stdout);
    let commands = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap().to_owned();
        help_texts(home, &[command, &[name]].concat(), texts);
    }
    texts.push_str(&help);
}

/// The words of a help text, with the flags among them.
fn words_of_help(help: &str) -> BTreeSet<&str> {
    help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect()
}

/// The commands of Muster that this code names, word by word: `muster a b|c` names `a b` and `a c`.
fn named_commands(code: &str) -> Vec<Vec<String>> {
    let Some(rest) = code.strip_prefix("muster ") else { return Vec::new() };
    let is_word = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'|');
    let words = rest.split(' ').take_while(|word| !word.starts_with('-') && is_word(word));
    let words: Vec<String> = words.map(str::to_owned).collect();
    // `muster COMMAND --flag` is any of them.
    if words.is_empty() && !rest.starts_with('-') {
        return Vec::new();
    }
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let alternatives = last.split('|').map(|last| [before, &[last.to_owned()]].concat());
    alternatives.map(|command| command.into_iter().filter(|word| !word.is_empty()).collect()).collect()
}

#[test]
fn every_command_and_flag_in_the_text_is_the_programs() {
    let home = home();
    let mut help = String::new();
    help_texts(home.path(), &[], &mut help);
    let known = words_of_help(&help);
    assert!(known.contains("--no-revocation-cache") && known.contains("--policy-name"), "{known:?}");

    let foreign = ["cargo ", "openssl ", "wget ", "notation ", "git ", "rustup "];
    let (mut commands, mut flags) = (0, 0);
    let mut wrong = Vec::new();
    for (page, content) in pages() {
        for code in inline_code(&content).iter().filter(|code| !foreign.iter().any(|start| code.starts_with(start))) {
            // The help of the commands that stand beside a flag; of all where none does.
            let mut helps = Vec::new();
            for command in named_commands(code) {
                commands += 1;
                let command: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
                let output = run(home.path(), &command);
                if !output.status.success() {
                    let refusal = text(&output.stderr);
                    wrong.push(format!("{}: muster {}: {refusal}", page.display(), command.join(" ")));
                }
                helps.push((format!("muster {}", command.join(" ")), text(&output.stdout)));
            }
            if helps.is_empty() {
                helps.push(("any --help".to_owned(), help.clone()));
            }
            let is_flag =
                |word: &&str| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic));
            for flag in code.split(['=', ' ', '[', '…', '|']).filter(is_flag) {
                flags += 1;
                let lacking = helps.iter().filter(|(_, help)| !words_of_help(help).contains(flag));
                if !["--features", "--message-format"].contains(&flag) {
                    wrong.extend(lacking.map(|(which, _)| format!("{}: {which} has no {flag}", page.display())));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands > 15 && flags > 15, "{commands} {flags}");
}

/// `--test house`, `--bench decide`: the target is one that there is.
#[test]
fn every_target_of_cargo_that_is_named_exists() {
    let mut seen = 0;
    for (page, content) in pages() {
        let code = block_commands(&content).into_iter().chain(inline_code(&content));
        for command in code.filter(|code| code.contains("cargo ")) {
            let words: Vec<&str> = command.split_whitespace().collect();
            for pair in words.windows(2).filter(|pair| !pair[1].starts_with('-')) {
                let (folder, name) = match pair[0] {
                    "--test" => ("tests", pair[1]),
                    "--bench" => ("benches", pair[1]),
                    "--example" => ("examples", pair[1]),
                    "--bin" => ("src/bin", pair[1]),
                    _ => continue,
                };
                let exists = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs")];
                let is_placeholder = name.bytes().all(|byte| byte.is_ascii_uppercase());
                assert!(
                    is_placeholder || exists.iter().any(|file| root().join(file).exists()),
                    "{}: {command}: there is no {name}",
                    page.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn commands_in_the_text_are_taken_apart() {
    assert_eq!(named_commands("muster policy check|show FILE --x"), [["policy", "check"], ["policy", "show"]]);
    assert_eq!(named_commands("muster test --accept"), [["test"]]);
    assert_eq!(named_commands("muster --version"), [[""; 0]]);
    assert!(named_commands("muster COMMAND --help").is_empty() && named_commands("cargo test --test").is_empty());
}

#[test]
fn commands_are_told_from_other_text() {
    let text = "Text `muster a\n--b` and\n\n    one two \\\n        --three\n\n```console\n$ four\noutput\n```\n\n```yaml\n    five: 5\n```\n\
                \n    six\n";
    assert_eq!(block_commands(text), ["one two --three", "four", "six"]);
    assert_eq!(inline_code(text), ["muster a --b"]);
}
