//! A host: the folder of plugins, and a process for each question.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PLUGIN: &str = env!("CARGO_BIN_EXE_notation-muster-pkcs11");

/// A host with the plugin installed.
pub(crate) struct Host {
    libexec: TempDir,
    executable: PathBuf,
}

impl Host {
    /// Installs the plugin as its documentation says.
    pub(crate) fn new() -> Host {
        let libexec = tempfile::tempdir().unwrap();
        let folder = libexec.path().join("plugins/muster-pkcs11");
        fs::create_dir_all(&folder).unwrap();
        let executable = folder.join("notation-muster-pkcs11");
        fs::hard_link(PLUGIN, &executable).or_else(|_| fs::copy(PLUGIN, &executable).map(|_| ())).unwrap();
        Host { libexec, executable }
    }

    /// The same, with a copy of the plugin and folders that only their owner can change, whatever the umask was.
    #[cfg(unix)]
    pub(crate) fn closed_to_others(self) -> Host {
        use std::os::unix::fs::PermissionsExt as _;
        muster::forge::copy_program(Path::new(PLUGIN), &self.executable).unwrap();
        for path in self.executable.ancestors().take_while(|path| *path != self.libexec.path()) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        self
    }

    /// The folder that holds `plugins`.
    #[cfg(unix)]
    pub(crate) fn libexec(&self) -> &Path {
        self.libexec.path()
    }

    /// Starts the plugin with `input` on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(&self.executable);
        command.args(arguments).envs(environment.iter().copied()).current_dir("/");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A plugin that needs no request may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// The answer to `request`, and that nothing else is said.
    #[track_caller]
    pub(crate) fn ask(&self, command: &str, request: &Value) -> Value {
        let output = self.run(&[command], request.to_string().as_bytes(), &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""), "{command}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The sentence with which `input` is refused with `code`, and that nothing else is said.
    #[track_caller]
    pub(crate) fn refusal(
        &self,
        arguments: &[&str],
        input: &[u8],
        environment: &[(&str, &str)],
        code: &str,
        what: &str,
    ) -> String {
        let output = self.run(arguments, input, environment);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {errors}");
        assert!(output.stdout.is_empty(), "{what}: {:?}", output.stdout);
        let said: Value = serde_json::from_str(&errors).unwrap_or_else(|error| panic!("{what}: {error}: {errors:?}"));
        assert_eq!(said["errorCode"], code, "{what}: {errors}");
        assert_eq!(said.as_object().unwrap().len(), 2, "{what}: {errors}");
        let message = said["errorMessage"].as_str().unwrap();
        assert!(!message.is_empty() && !message.ends_with('.'), "{what}: {message}");
        assert!(!message.contains(char::is_control), "{what}: {message:?}");
        message.to_owned()
    }
}

/// The request of `describe-key`.
pub(crate) fn describe_key(key_id: &str, config: &Value) -> Value {
    json!({ "contractVersion": "1.0", "keyId": key_id, "pluginConfig": config })
}

/// The request of `generate-signature`.
pub(crate) fn generate_signature(key_id: &str, spec: &str, hash: &str, payload: &[u8], config: &Value) -> Value {
    json!({
        "contractVersion": "1.0", "keyId": key_id, "keySpec": spec, "hashAlgorithm": hash,
        "payload": STANDARD.encode(payload), "pluginConfig": config,
    })
}

/// Base64 in an answer.
#[track_caller]
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}
