//! What signing plugins have in common: how a host asks, and how it is answered.
//!
//! Follows *plugin-extensibility*, contract 1.0, capability `SIGNATURE_GENERATOR.RAW`: the host asks `get-plugin-metadata`,
//! `describe-key` and `generate-signature`, each of a process of its own, in JSON on standard input; the answer goes to
//! standard output, or the reason why there is none to standard error with exit code 1, and nothing else goes to either.
//! What signs is for the plugins to say: `Keys`.

mod answer;
mod error;
mod request;
mod streams;

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::panic;
use std::process::ExitCode;

use time::OffsetDateTime;

use crate::pki::{Chain, KeyKind};
use crate::plugin::{Command, PluginConfig};
use crate::signer::forbid_core_dumps;
use streams::Streams;

#[cfg(test)]
pub(crate) use answer::answer;
pub(crate) use answer::check_kind;
#[cfg(test)]
pub(crate) use error::ErrorCode;
pub(crate) use error::Refusal;

/// What a plugin is.
pub(crate) struct About {
    /// Its name, which is that of its folder.
    pub(crate) name: &'static str,
    /// The name of the program.
    pub(crate) program: &'static str,
    /// What it does, in a line.
    pub(crate) description: &'static str,
    /// What people are told who start it by hand.
    pub(crate) explanation: &'static str,
}

/// What a host wants signed.
pub(crate) struct Wanted<'a> {
    /// The key, in the plugin's words.
    pub(crate) key_id: &'a str,
    /// The settings.
    pub(crate) config: &'a PluginConfig,
    /// Of which kind the host takes the key to be.
    pub(crate) kind: KeyKind,
    /// The bytes to be signed, whole and unhashed.
    pub(crate) payload: &'a [u8],
}

/// A signature that was verified, with the chain of the key that made it.
pub(crate) struct Signed {
    /// The signature, in the form of envelopes.
    pub(crate) signature: Vec<u8>,
    /// The chain.
    pub(crate) chain: Chain,
}

/// The keys of a plugin. None is ever made.
pub(crate) trait Keys {
    /// The kind of a key.
    fn describe(&self, key_id: &str, config: &PluginConfig, now: OffsetDateTime) -> Result<KeyKind, Refusal>;

    /// Signs.
    fn sign(&self, wanted: &Wanted<'_>, now: OffsetDateTime) -> Result<Signed, Refusal>;
}

/// Makes the keys of a plugin, once they are needed.
pub(crate) type MakeKeys = fn() -> Box<dyn Keys>;

/// Runs a plugin with the arguments, the environment and the streams of this process. The exit code is 0 with an answer, 1
/// without, and 2 if nothing was asked.
pub(crate) fn run(about: &About, keys: MakeKeys) -> ExitCode {
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = match words.as_slice() {
        [] => io::stderr().write_all(about.explanation.as_bytes()).map(|()| ExitCode::from(2)),
        ["--help" | "-h"] => io::stdout().write_all(about.explanation.as_bytes()).map(|()| ExitCode::SUCCESS),
        ["--version" | "-V"] => {
            writeln!(io::stdout(), "{} {}", about.program, env!("CARGO_PKG_VERSION")).map(|()| ExitCode::SUCCESS)
        }
        words => serve(words, about, keys),
    };
    said.unwrap_or(ExitCode::FAILURE)
}

/// Answers the host.
fn serve(words: &[&str], about: &About, keys: MakeKeys) -> io::Result<ExitCode> {
    // Before anything is read: settings that are refused may hold secrets too.
    forbid_core_dumps();
    let mut streams = Streams::keep()?;
    // A defect of this program is one more reason, told in the same way.
    panic::set_hook(Box::new(|_| {}));
    let answered = panic::catch_unwind(|| answered(words, about, keys));
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

fn answered(words: &[&str], about: &About, keys: MakeKeys) -> Result<Vec<u8>, Refusal> {
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
    answer::answer(command, &request, about, keys().as_ref(), OffsetDateTime::now_utc())
}
