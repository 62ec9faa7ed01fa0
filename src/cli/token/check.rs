//! `muster token check`: whether a key in a token signs, and if not, which step fails and what to do.
//!
//! What is tried is what `muster sign` does, by the same code: the module is started, the token found, the login made, the key
//! opened, and one message signed and verified. The message can never be an envelope's. A login is made once; where one
//! more wrong PIN would lock the token, none is made unless the user wants it.

mod model;
mod text;
mod trial;

use std::path::PathBuf;

use clap::{Args, ValueHint};
use time::OffsetDateTime;

use super::Output;
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::inspect;
use crate::failure::quote;
use crate::pki::{Certificate, KeyKind};
use crate::rfc3339::instant;
use crate::sign::SigningChain;
use crate::signer::pkcs11::Uri;
use crate::signer::pkcs11::inventory::{NamedModule, NamedToken, PinFrom};
use crate::signer::pkcs11::token_information::PinState;
use crate::signer::{Environment, Pkcs11, PrivateKey, SignerError};
use model::{Checked, Signs, Step, StepResult, TokenCheck};

pub(in crate::cli) use model::SCHEMA;

/// Find out whether a key in a token signs, step by step
///
/// Does what muster sign does, up to one signature, which is verified and thrown away. What is signed is a random message that is
/// no envelope and starts with "muster token check, nothing is signed by this": a token whose owner has to approve signatures, or
/// to touch it, asks for that once, and once more where only a signature tells which public key is the key's. The PIN is tried
/// once; it comes from pin-source in the URI, or from MUSTER_PKCS11_PIN, or is asked for on the token's own pad.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(in crate::cli) struct TokenCheckArgs {
    /// The key, as muster sign --key takes it; muster token list shows what to write
    #[arg(value_name = "URI")]
    uri: String,

    /// PEM file with the certificates of the key, its own first, the root last
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    certificate_chain: Option<PathBuf>,

    /// Log in although one more wrong PIN locks the token
    #[arg(long)]
    last_try: bool,

    /// How it is shown
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    output: Output,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster token check 'pkcs11:token=release;object=builder?pin-source=file:/run/secrets/pin'
  muster token check --certificate-chain builder.crt 'pkcs11:token=release;id=%01'
";
    let exits = Exit::help_of(&[
        (Exit::Success, "the key signs, and every step that was asked for is ok"),
        (Exit::Failed, "a step fails: muster sign does not sign with this key"),
        (Exit::Usage, "wrong usage, or the URI is not one"),
        (Exit::Undecided, "not tried to the end: a wrong PIN would lock the token, or the chain is needed"),
        (Exit::Interrupted, "interrupted"),
    ]);
    format!("{examples}\n{exits}")
}

/// Checks.
pub(in crate::cli) fn run(args: &TokenCheckArgs) -> Result<Exit, CliError> {
    let console = Console::new(false);
    let mut steps = Steps { found: Vec::new(), shown: (args.output == Output::Text).then_some(console) };
    let ended = check(args, &mut steps);
    let (signs, exit) = match &ended {
        Ok(()) if steps.any(StepResult::Failed) => (Signs::No, Exit::Failed),
        Ok(()) => (Signs::Yes, Exit::Success),
        Err(Stop::Failed) if steps.failed(Step::Uri) => (Signs::No, Exit::Usage),
        Err(Stop::Failed) => (Signs::No, Exit::Failed),
        Err(Stop::LeftOut) => (Signs::Unknown, Exit::Undecided),
    };
    let check = TokenCheck::new(signs, steps.found);
    match args.output {
        Output::Text => console.print(text::end(&check)),
        Output::Json => console.print(inspect::json(&check)?),
    }
    Ok(exit)
}

/// Why no further step is tried. The reason stands in the step.
enum Stop {
    Failed,
    LeftOut,
}

/// What was found so far.
struct Steps {
    found: Vec<Checked>,
    /// Where each step is told as soon as it is done.
    shown: Option<Console>,
}

impl Steps {
    fn say(&mut self, step: Step, result: StepResult, message: String) {
        let checked = Checked { step, result, message: Some(message) };
        if let Some(console) = self.shown {
            console.print(text::line(&checked));
        }
        self.found.push(checked);
    }

    fn ok(&mut self, step: Step, message: impl Into<String>) {
        self.say(step, StepResult::Ok, message.into());
    }

    fn fail(&mut self, step: Step, message: impl Into<String>) -> Stop {
        self.say(step, StepResult::Failed, message.into());
        Stop::Failed
    }

    fn any(&self, result: StepResult) -> bool {
        self.found.iter().any(|checked| checked.result == result)
    }

    fn failed(&self, step: Step) -> bool {
        self.found.iter().any(|checked| checked.step == step && checked.result == StepResult::Failed)
    }
}

fn check(args: &TokenCheckArgs, steps: &mut Steps) -> Result<(), Stop> {
    let environment = Environment::of_process();
    let uri: Uri = args.uri.parse().map_err(|error: SignerError| steps.fail(Step::Uri, error.to_string()))?;
    steps.ok(Step::Uri, format!("the key {}, in the token {}", uri.key_in_words(), uri.token_in_words()));
    let chain = chain(args, steps);
    let module = NamedModule::open(&uri, &environment).map_err(|error| steps.fail(Step::Module, error.to_string()))?;
    steps.ok(Step::Module, module_in_words(&module));
    let token = module.token(&uri).map_err(|error| steps.fail(Step::Token, error.to_string()))?;
    steps.ok(Step::Token, token.information.to_string());
    drop(module);
    let pin = login_is_safe(args, &token, &uri, &environment, steps)?;
    let leaf = chain.as_ref().map(|chain| chain.chain().leaf());
    let key = match Pkcs11::open_for(&uri, &environment, leaf) {
        Ok(key) => key,
        Err(error) => return Err(opening_failed(&error, pin, args.certificate_chain.is_some(), steps)),
    };
    pin_was_read(pin, key.warnings(), steps);
    opened(&key, &token, chain.as_ref(), steps);
    signature(&key, &token, steps)?;
    if let Some(chain) = &chain {
        match chain.check_belongs_to(key.verifying_key()) {
            Ok(()) => steps.ok(Step::ChainOfKey, "its first certificate is for this key"),
            Err(error) => drop(steps.fail(Step::ChainOfKey, error.to_string())),
        }
    } else {
        let how = "name the key's certificates by --certificate-chain to have it checked that they are for this key";
        steps.say(Step::ChainOfKey, StepResult::LeftOut, how.to_owned());
    }
    certificates(&key, steps);
    Ok(())
}

/// The chain that the user names, if it could sign: it is read, may sign code, and is valid now.
fn chain(args: &TokenCheckArgs, steps: &mut Steps) -> Option<SigningChain> {
    let Some(path) = &args.certificate_chain else {
        let how = "name it by --certificate-chain, as for muster sign, to have it checked";
        steps.say(Step::Chain, StepResult::LeftOut, how.to_owned());
        return None;
    };
    match SigningChain::load(path, OffsetDateTime::now_utc()) {
        Ok(chain) => {
            let leaf = chain.chain().leaf();
            let (subject, until) = (quote(leaf.subject_text()), instant(leaf.not_after()));
            steps.ok(Step::Chain, format!("certifies {subject} for signing code, and is valid until {until}"));
            Some(chain)
        }
        Err(error) => {
            // What is wrong with the token is worth knowing all the same.
            steps.fail(Step::Chain, error.to_string());
            None
        }
    }
}

fn module_in_words(module: &NamedModule) -> String {
    let path = quote(&module.path().display().to_string());
    match module.library() {
        Ok(library) => {
            let (description, manufacturer) = (quote(&library.description), quote(&library.manufacturer));
            let ((major, minor), (of, standard)) = (library.version, library.cryptoki);
            format!("{path} is {description} of {manufacturer}, version {major}.{minor}, PKCS #11 {of}.{standard}")
        }
        Err(answer) => format!("{path} does not say what it is ({answer})"),
    }
}

/// What is to be said of a PIN file once it was read.
struct PinFile {
    result: StepResult,
    message: String,
}

/// Checks that a login that fails would not lock the token, and says where the PIN comes from. A file is read when the key is
/// opened, and what is to be said of it is handed back.
fn login_is_safe(
    args: &TokenCheckArgs,
    token: &NamedToken,
    uri: &Uri,
    environment: &Environment,
    steps: &mut Steps,
) -> Result<Option<PinFile>, Stop> {
    let from = match token.pin_from(uri, environment) {
        Some(PinFrom::Nowhere) => {
            steps.ok(Step::Pin, "none is wanted");
            return Ok(None);
        }
        Some(PinFrom::File(path)) => format!("from the file {}", quote(&path.display().to_string())),
        Some(PinFrom::Environment) => format!("from {}", Environment::PIN),
        Some(PinFrom::Pad) => "given on the token's own pad".to_owned(),
        // Opening says what is missing.
        None => return Ok(None),
    };
    let (result, message) = match token.information.pin {
        PinState::LastTry if !args.last_try => {
            let message = "one more wrong PIN locks the token, so that no login was tried: make sure of the PIN, then \
                           add --last-try";
            steps.ok(Step::Pin, from);
            steps.say(Step::Login, StepResult::LeftOut, message.to_owned());
            return Err(Stop::LeftOut);
        }
        PinState::FewTriesLeft | PinState::LastTry => {
            (StepResult::Warning, format!("{from}; a wrong PIN was given since the last right one"))
        }
        PinState::Untouched | PinState::Locked => (StepResult::Ok, from),
    };
    if uri.pin_file.is_some() {
        return Ok(Some(PinFile { result, message }));
    }
    steps.say(Step::Pin, result, message);
    Ok(None)
}

/// Says of a PIN file that it was read, and what its owner should know.
fn pin_was_read(pin: Option<PinFile>, warnings: &[String], steps: &mut Steps) {
    let Some(PinFile { result, message }) = pin else { return };
    if warnings.is_empty() {
        steps.say(Step::Pin, result, message);
    } else {
        steps.say(Step::Pin, StepResult::Warning, format!("{message}; {}", warnings.join("; ")));
    }
}

/// Says at which step the key could not be opened.
fn opening_failed(error: &SignerError, pin: Option<PinFile>, has_chain: bool, steps: &mut Steps) -> Stop {
    let step = step_of(error);
    // What comes before it went well, or it would have been the one.
    if step > Step::Pin {
        pin_was_read(pin, &[], steps);
    }
    if step > Step::Login {
        steps.ok(Step::Login, "the token takes it");
    }
    if step > Step::Key {
        steps.ok(Step::Key, "it is there, and may sign");
    }
    let chain_would_tell = matches!(error, SignerError::PublicKeyNotFound { .. } | SignerError::SeveralKeys { .. });
    if chain_would_tell && !has_chain {
        // muster sign is always given the chain.
        steps.say(step, StepResult::LeftOut, error.to_string());
        return Stop::LeftOut;
    }
    steps.fail(step, error.to_string())
}

/// The step at which opening a key fails with `error`.
fn step_of(error: &SignerError) -> Step {
    match error {
        SignerError::Uri(_) | SignerError::TokensLeftOut => Step::Uri,
        SignerError::ModuleNotNamed | SignerError::ModuleMissing(_) | SignerError::ModuleUnusable { .. } => {
            Step::Module
        }
        SignerError::TokenNotFound { .. } | SignerError::SeveralTokens { .. } => Step::Token,
        SignerError::PinMissing(_) | SignerError::PinFile { .. } => Step::Pin,
        SignerError::PinWrong { .. }
        | SignerError::PinUnusable { .. }
        | SignerError::LoginRefused { .. }
        | SignerError::SessionLimit(_) => Step::Login,
        SignerError::PublicKeyNotFound { .. } => Step::PublicHalf,
        SignerError::NotSigned(_) | SignerError::SignatureInvalid(_) => Step::Signature,
        SignerError::Certificates { .. } => Step::Certificates,
        SignerError::Chain { .. } | SignerError::CertificateOfAnother(_) => Step::ChainOfKey,
        SignerError::SignatureRefused { answer, .. } if answer.contains(": CKR_MECHANISM_") => Step::Mechanism,
        SignerError::SignatureRefused { .. } => Step::Signature,
        SignerError::Token { answer, .. } | SignerError::TokenGone { answer, .. } => step_of_answer(answer),
        SignerError::KeyNotFound { .. }
        | SignerError::SeveralKeys { .. }
        | SignerError::KeyUnsupported { .. }
        | SignerError::KeyFile { .. }
        | SignerError::KeyEncrypted { .. } => Step::Key,
    }
}

/// The step at which a module gives `answer`, which starts with the name of the function.
fn step_of_answer(answer: &str) -> Step {
    let function = answer.split(':').next().unwrap_or_default();
    match function {
        "C_FindObjectsInit" | "C_FindObjects" | "C_GetAttributeValue" => Step::Key,
        "C_SignInit" | "C_Sign" | "C_SignUpdate" | "C_SignFinal" => Step::Signature,
        _ => Step::Login,
    }
}

/// What was found of the key.
fn opened(key: &Pkcs11, token: &NamedToken, chain: Option<&SigningChain>, steps: &mut Steps) {
    steps.ok(Step::Login, if token.information.login_required { "the token takes it" } else { "none is wanted" });
    let Some(found) = key.found() else { return };
    let always = if found.always_authenticate { ", and wants the PIN at every signature" } else { "" };
    let kind = key.verifying_key().kind();
    steps.ok(Step::Key, format!("{}, {}{always}", found.key, kind.as_str()));
    let place = match (found.states_public_half, chain) {
        (true, _) => "the private key states it",
        (false, Some(_)) => "the certificate chain has it; a signature proves that it is the key's",
        (false, None) => "a public key or a certificate beside it in the token has it",
    };
    steps.ok(Step::PublicHalf, place);
}

/// Has a message signed that is no envelope's.
fn signature(key: &Pkcs11, token: &NamedToken, steps: &mut Steps) -> Result<(), Stop> {
    let kind = key.verifying_key().kind();
    let Some(message) = trial::message() else {
        return Err(steps.fail(Step::Signature, "the system gives no random numbers: nothing was tried"));
    };
    match key.sign(&message) {
        // It has been verified, or it would not have been handed out.
        Ok(_) => {
            mechanism(key.mechanism().as_deref(), kind, token, steps);
            steps.ok(Step::Signature, "a random message that is no envelope was signed, and the signature verifies");
            Ok(())
        }
        Err(error) => {
            let step = match step_of(&error) {
                step @ (Step::Mechanism | Step::ChainOfKey) => step,
                // Whatever else is said of it, it was the signature that failed.
                _ => Step::Signature,
            };
            if step != Step::Mechanism {
                mechanism(None, kind, token, steps);
            }
            Err(steps.fail(step, error.to_string()))
        }
    }
}

/// Which mechanism signed, and which the token lists.
fn mechanism(used: Option<&str>, kind: KeyKind, token: &NamedToken, steps: &mut Steps) {
    let listed = match token.mechanisms(kind) {
        Some((listed, missing)) if missing.is_empty() => format!("the token lists {}", listed.join(" and ")),
        Some((listed, missing)) if listed.is_empty() => format!("the token lists neither {}", missing.join(" nor ")),
        Some((listed, missing)) => {
            format!("the token lists {}, and not {}", listed.join(" and "), missing.join(" and "))
        }
        None => "the token does not list its mechanisms".to_owned(),
    };
    steps.ok(
        Step::Mechanism,
        match used {
            Some(used) => format!("{used} is used; {listed}"),
            None => listed,
        },
    );
}

/// The certificates in the token that are for the key.
fn certificates(key: &Pkcs11, steps: &mut Steps) {
    let read = match key.certificates() {
        Ok(read) => read,
        Err(error) => return steps.say(Step::Certificates, StepResult::Warning, error.to_string()),
    };
    let certificates = read.iter().filter_map(|der| Certificate::parse(der).ok());
    let own = certificates.filter(|certificate| certificate.subject_key() == key.verifying_key().subject_key());
    let subjects: Vec<String> = own.map(|certificate| quote(certificate.subject_text())).collect();
    let message = match (read.len(), subjects.as_slice()) {
        (0, _) => "none is in the token: muster sign and the plugin of notation want a file with the chain".to_owned(),
        (count, []) => format!("none of the {count} in the token is for this key"),
        (count, subjects) => format!("of the {count} in the token, for this key: {}", subjects.join(", ")),
    };
    steps.ok(Step::Certificates, message);
}
