//! The examples of the library, run as they stand: each prints what its first lines say.

use std::process::Command;

use super::{root, rust_files};

/// What the comment at the top of an example says that it prints.
fn promised(example: &str) -> String {
    example.lines().filter_map(|line| line.strip_prefix("//!     ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn examples_print_what_they_say() {
    let examples = rust_files(&root().join("examples"));
    assert_eq!(examples.len(), 3, "{examples:?}");
    for example in examples {
        let text = std::fs::read_to_string(&example).unwrap();
        let name = example.file_stem().unwrap();
        let run = Command::new(env!("CARGO"))
            .args(["run", "--locked", "--offline", "--quiet", "--example"])
            .arg(name)
            .current_dir(root())
            .output()
            .unwrap();
        assert!(run.status.success(), "{name:?}: {}", String::from_utf8_lossy(&run.stderr));
        assert!(!promised(&text).is_empty(), "{name:?} does not say what it prints");
        assert_eq!(String::from_utf8(run.stdout).unwrap(), promised(&text), "{name:?}");
    }
}
