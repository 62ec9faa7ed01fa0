//! Runs the program in an environment that holds nothing but what a test puts there.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program, about to be run.
pub(crate) struct Program {
    command: Command,
    input: Vec<u8>,
}

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Muster with `arguments`, in the root of the crate, without a configuration folder.
pub(crate) fn muster(arguments: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    let kept = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "LLVM_PROFILE_FILE"];
    let kept = kept.into_iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
    command.env_clear().envs(kept).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("HOME", "/nonexistent").env("APPDATA", "/nonexistent");
    Program { command, input: Vec::new() }
}

impl Program {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Program {
        self.command.current_dir(folder);
        self
    }

    /// In a process that may have `files` open.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_few_files(self, files: u32) -> Program {
        let mut limited = Command::new("sh");
        limited.env_clear().envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        limited.current_dir(self.command.get_current_dir().unwrap());
        limited.args(["-c", &format!("ulimit -n {files}; exec \"$@\""), "sh"]);
        limited.arg(self.command.get_program()).args(self.command.get_args());
        Program { command: limited, input: self.input }
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Program {
        self.input = input.into();
        self
    }

    /// Starts it, with its input written.
    pub(crate) fn start(mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // The program may end without having read its input.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        child
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Finished {
        let child = self.start();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit code {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [("standard output", &self.stdout), ("standard error", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}
