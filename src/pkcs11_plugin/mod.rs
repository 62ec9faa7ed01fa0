//! `notation-muster-pkcs11`: a plugin that lets notation, and every other host of its plugins, sign with keys in PKCS #11
//! tokens.
//!
//! Follows *plugin-extensibility*, contract 1.0, capability `SIGNATURE_GENERATOR.RAW`: the host asks `get-plugin-metadata`,
//! `describe-key` and `generate-signature`, each of a process of its own, in JSON on standard input; the answer goes to
//! standard output, or the reason why there is none to standard error with exit code 1, and nothing else goes to either.
//! The key id is a PKCS #11 URI. The module is loaded for the two commands that need it, and for nothing else.
//!
//! Nothing here makes or changes keys, asks the user anything, or takes a PIN in clear: it is in a file, or in the
//! environment. A chain that a verifier would refuse is refused before the token signs. How long a token may take is for the
//! host to decide, which ends the process when it has waited enough. What a [`PrivateKey`](crate::signer::PrivateKey) would warn of
//! is not said, since the contract has no place for it.

mod answer;
mod certificates;
mod error;
mod key;
mod request;
mod settings;
mod streams;

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::panic;
use std::process::ExitCode;

use time::OffsetDateTime;

use crate::plugin::Command;
use crate::signer::{Environment, forbid_core_dumps};
use error::Refusal;
use streams::Streams;

/// The name of the plugin, which is that of its folder.
pub const NAME: &str = "muster-pkcs11";

const EXPLANATION: &str = "\
notation-muster-pkcs11 is a plugin of notation, which starts it to sign with keys in PKCS #11 tokens: hardware security
modules, smart cards, SoftHSM. It is not meant to be started by hand.

Install it by copying it to the folder of notation's plugins, where `notation plugin list` shows it:

    mkdir -p ~/.config/notation/plugins/muster-pkcs11
    cp notation-muster-pkcs11 ~/.config/notation/plugins/muster-pkcs11/

Register a key by its PKCS #11 URI (labels of the token and of the key), then sign with it:

    notation key add --plugin muster-pkcs11 --id 'pkcs11:token=ci;object=release' \\
        --plugin-config module=/usr/lib/softhsm/libsofthsm2.so \\
        --plugin-config pin-source=/home/me/.pin \\
        --plugin-config certificate-chain=/home/me/release-chain.pem release
    notation sign --key release registry.example.com/app@sha256:...

Settings (--plugin-config), all of them absolute paths:

    certificate-chain   PEM file with the certificates of the key, its own first, the root last; without it they are
                        taken from the token, if it holds all of them
    module              the PKCS #11 module; else module-path in the URI, else MUSTER_PKCS11_MODULE
    pin-source          file with the PIN as its only line; else pin-source in the URI, else MUSTER_PKCS11_PIN

A PIN is never a setting itself, since others can read settings.
";

/// Runs the program `notation-muster-pkcs11` with the arguments, the environment and the streams of this process. The exit
/// code is 0 with an answer, 1 without, and 2 if nothing was asked.
pub fn run() -> ExitCode {
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = match words.as_slice() {
        [] => io::stderr().write_all(EXPLANATION.as_bytes()).map(|()| ExitCode::from(2)),
        ["--help" | "-h"] => io::stdout().write_all(EXPLANATION.as_bytes()).map(|()| ExitCode::SUCCESS),
        ["--version" | "-V"] => {
            writeln!(io::stdout(), "notation-muster-pkcs11 {}", env!("CARGO_PKG_VERSION")).map(|()| ExitCode::SUCCESS)
        }
        words => serve(words),
    };
    said.unwrap_or(ExitCode::FAILURE)
}

/// Answers the host.
fn serve(words: &[&str]) -> io::Result<ExitCode> {
    let mut streams = Streams::keep()?;
    // A defect of this program is one more reason, told in the same way.
    panic::set_hook(Box::new(|_| {}));
    let answered = panic::catch_unwind(|| answered(words));
    let answered = answered.unwrap_or_else(|_| Err(Refusal::general("this is a defect of the plugin: report it")));
    let said = answered.and_then(|answer| {
        let unwritten = |error: io::Error| Refusal::general(format!("the answer cannot be written: {error}"));
        streams.answer(&answer).map_err(unwritten)
    });
    match said {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(refusal) => streams.refuse(&refusal.response()).map(|()| ExitCode::FAILURE),
    }
}

fn answered(words: &[&str]) -> Result<Vec<u8>, Refusal> {
    let command = match words {
        [word] => answer::command(word)?,
        _ => return Err(Refusal::validation("a plugin is started with one word, its command")),
    };
    let input = io::stdin();
    let request = match (input.is_terminal(), command) {
        (false, _) => request::read(input.lock())?,
        // Its request may be empty, and the user at the terminal wants to see the answer.
        (true, Command::GetPluginMetadata) => Vec::new(),
        (true, _) => {
            return Err(Refusal::validation(
                "the request is expected on standard input, in JSON: let notation write it",
            ));
        }
    };
    forbid_core_dumps();
    answer::answer(command, &request, &Environment::of_process(), OffsetDateTime::now_utc())
}
