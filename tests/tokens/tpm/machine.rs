//! The machine: a process of swtpm with its state in a temporary folder, which ends with the test.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::again;
use crate::skip::skip;

const FOLDER: &str = "MUSTER_TESTS_TPM_FOLDER";
const STORE: &str = "TPM2_PKCS11_STORE";
const ADDRESS: &str = "TPM2_PKCS11_TCTI";
/// Without it every call is reported on standard error.
const LOG_LEVEL: &str = "TPM2_PKCS11_LOG_LEVEL";

/// What belongs to one TPM.
pub(crate) struct Machine {
    module: PathBuf,
    folder: PathBuf,
    pin_file: PathBuf,
    port: Option<u16>,
}

impl Machine {
    fn new(module: PathBuf, folder: PathBuf, port: Option<u16>) -> Machine {
        Machine { module, pin_file: folder.join("pin"), folder, port }
    }

    pub(crate) fn module(&self) -> &Path {
        &self.module
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn pin_file(&self) -> &Path {
        &self.pin_file
    }

    /// The URI of the key called `label`.
    pub(crate) fn uri(&self, label: &str) -> String {
        let (module, pin) = (self.module.display(), self.pin_file.display());
        format!("pkcs11:token=tpm;object={label}?module-path={module}&pin-source=file:{pin}")
    }

    /// What a process wants in its environment to find this TPM.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let port = self.port.unwrap();
        vec![
            (FOLDER, self.folder.clone()),
            (STORE, self.folder.join("store")),
            (ADDRESS, PathBuf::from(format!("swtpm:host=127.0.0.1,port={port}"))),
            (LOG_LEVEL, PathBuf::from("0")),
            ("TSS2_LOG", PathBuf::from("all+NONE")),
        ]
    }
}

/// Does `inside` in a process of its own that may load the module, then `outside` in this one: the TPM takes one connection at
/// a time, and a process that has loaded the module keeps it.
#[track_caller]
pub(crate) fn with_tpm(name: &str, inside: impl FnOnce(&Machine), outside: impl FnOnce(&Machine)) {
    let Some(module) = module() else {
        return skip(
            name,
            "tpm2-pkcs11 is not installed (Debian: apt-get install libtpm2-pkcs11-1 libtss2-tcti-swtpm0)",
        );
    };
    if let Some(folder) = std::env::var_os(FOLDER) {
        return inside(&Machine::new(module, folder.into(), None));
    }
    let folder = tempfile::Builder::new().prefix("muster-tpm-").tempdir().unwrap();
    let running = match Running::start(&folder) {
        Ok(running) => running,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return skip(name, "swtpm is not installed (Debian: apt-get install swtpm)");
        }
        Err(error) => panic!("swtpm does not start: {error}"),
    };
    let machine = Machine::new(module, folder.path().to_owned(), Some(running.port));
    fs::create_dir(folder.path().join("store")).unwrap();
    let mut secret = [0; 8];
    aws_lc_rs::rand::fill(&mut secret).unwrap();
    fs::write(&machine.pin_file, hex::encode(secret)).unwrap();
    crate::bench::close_to_others(&machine.pin_file);
    again(name, machine.environment().into_iter().map(|(name, value)| (name.into(), OsString::from(value))).collect());
    outside(&machine);
}

fn module() -> Option<PathBuf> {
    let named = std::env::var_os("MUSTER_TPM2_PKCS11_MODULE").map(PathBuf::from);
    let usual = [
        "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1",
        "/usr/lib/aarch64-linux-gnu/libtpm2_pkcs11.so.1",
        "/usr/lib64/pkcs11/libtpm2_pkcs11.so",
        "/usr/lib/pkcs11/libtpm2_pkcs11.so",
    ];
    named.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists())
}

/// A process of swtpm, ended when this is dropped, and by the system if the test is killed.
struct Running {
    process: Child,
    port: u16,
}

impl Running {
    fn start(folder: &TempDir) -> io::Result<Running> {
        let state = folder.path().join("state");
        fs::create_dir(&state)?;
        // The module wants the port after the first for control. Others may take them in between: then again.
        for _ in 0..20 {
            let (port, control) = free_ports()?;
            let channel = |port: u16| format!("type=tcp,port={port},bindaddr=127.0.0.1");
            let mut command = if Path::new("/usr/bin/setpriv").exists() {
                let mut command = Command::new("/usr/bin/setpriv");
                command.args(["--pdeathsig", "KILL", "swtpm"]);
                command
            } else {
                Command::new("swtpm")
            };
            command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"]);
            command.args(["--server", &channel(port), "--ctrl", &channel(control)]);
            command.arg("--tpmstate").arg(format!("dir={}", state.display()));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut running = Running { process: command.spawn()?, port };
            if running.listens(control) {
                return Ok(running);
            }
            // What setpriv cannot start.
            if running.process.wait()?.code() == Some(127) {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        Err(io::Error::other("no two ports in a row are free"))
    }

    /// Waits for the control channel, or for the end of the process. The other channel is not tried, as it takes one connection.
    fn listens(&mut self, control: u16) -> bool {
        for _ in 0..200 {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, control)).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        false
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_ports() -> io::Result<(u16, u16)> {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        if let Some(next) = port.checked_add(1)
            && TcpListener::bind((Ipv4Addr::LOCALHOST, next)).is_ok()
        {
            return Ok((port, next));
        }
    }
}
