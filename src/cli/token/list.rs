//! `muster token list`: the modules of this machine, their tokens, and the keys in them with the URI to write for each.
//!
//! Modules are opened one by one, and one that cannot be used hides no other. A module is foreign code in this process: one that
//! hangs is ended by Ctrl-C, and its name stands in the last line. A PIN is tried once in a run and at one token, since tokens
//! lock after a few wrong ones: at the only token that the command line leaves to choose.

mod login;
mod model;
mod text;

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Output;
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::inspect;
use crate::failure::quote;
use crate::signer::Environment;
use crate::signer::pkcs11::inventory::{Inventory, SeenSlot};
use crate::signer::pkcs11::module_places::ModulePlace;
use login::Login;
use model::{Module, ModuleResult, Token, TokenList};

pub(in crate::cli) use model::SCHEMA;

/// List the tokens of this machine, with the URI to write for each key
///
/// Without --module and MUSTER_PKCS11_MODULE the modules are those of p11-kit's configuration, and those in usual places.
/// Private keys are mostly seen after a login only: name one token, and give its PIN. It is tried once.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(in crate::cli) struct TokenListArgs {
    /// PKCS #11 module to open; may be given several times [default: $MUSTER_PKCS11_MODULE, else those of this machine]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    module: Vec<PathBuf>,

    /// Only tokens with this label
    #[arg(long, value_name = "LABEL", help_heading = "Token")]
    token: Option<String>,

    /// Only tokens with this serial number
    #[arg(long, value_name = "NUMBER", help_heading = "Token")]
    serial: Option<String>,

    /// File with the PIN as its only line, also as file:/PATH [default: the PIN in $MUSTER_PKCS11_PIN]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Token")]
    pin_source: Option<PathBuf>,

    /// Log in to a token of which one more wrong PIN locks it
    #[arg(long, help_heading = "Token")]
    last_try: bool,

    /// How it is shown
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    output: Output,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster token list
  muster token list --module /usr/lib/softhsm/libsofthsm2.so --token ci --pin-source /run/secrets/pin
  muster token list -o json | jq -r '.modules[].slots[].token.keys[]?.uri'
";
    let exits = Exit::help_of(&[
        (
            Exit::Success,
            "the tokens are listed, or there are none; a module that cannot be used is listed with the reason",
        ),
        (Exit::Usage, "wrong usage"),
        (Exit::Undecided, "every module that was opened fails, or the token refuses the login"),
        (Exit::Nothing, "no module is there, or no token is as --token and --serial say"),
        (Exit::Interrupted, "interrupted"),
    ]);
    format!("{examples}\n{exits}")
}

/// Lists.
pub(in crate::cli) fn run(args: &TokenListArgs) -> Result<Exit, CliError> {
    let console = Console::new(false);
    let environment = Environment::of_process();
    let places = places(args, &environment)?;
    let mut login = Login::new(args, &environment)?;
    let mut modules = Vec::new();
    for place in &places {
        if args.output == Output::Text {
            // Before it is opened: a module that hangs or takes the process with it is known by name.
            console.print(text::heading(place));
        }
        let module = module(place, places.len(), args, &mut login, console);
        if args.output == Output::Text {
            console.print(text::below(&module, args.names_a_token()));
        }
        modules.push(module);
    }
    let list = TokenList::new(modules);
    if args.output == Output::Json {
        console.print(inspect::json(&list)?);
    }
    ended(&list, args, &login)
}

/// The modules to open.
fn places(args: &TokenListArgs, environment: &Environment) -> Result<Vec<ModulePlace>, CliError> {
    if let Some(relative) = args.module.iter().find(|path| !path.is_absolute()) {
        let relative = quote(&relative.display().to_string());
        return Err(CliError::Usage(format!("--module {relative} is not absolute: write it from the root on")));
    }
    let places: Vec<ModulePlace> = match (args.module.as_slice(), environment.module()) {
        ([], Some(module)) => vec![ModulePlace::of_user(module.clone(), Environment::MODULE)],
        ([], None) => ModulePlace::of_system(|name| std::env::var_os(name)),
        (modules, _) => modules.iter().map(|path| ModulePlace::of_user(path.clone(), "--module")).collect(),
    };
    if places.is_empty() {
        let message = "there is no PKCS #11 module in the usual places: install the vendor's, or name it with --module";
        return Err(CliError::Nothing(message.to_owned()));
    }
    Ok(places)
}

/// What one of `modules` modules shows.
fn module(
    place: &ModulePlace,
    modules: usize,
    args: &TokenListArgs,
    login: &mut Login<'_>,
    console: Console,
) -> Module {
    if let Some(aside) = place.aside {
        return Module::without(place, ModuleResult::PassedOver, aside.to_owned());
    }
    let inventory = match Inventory::open(&place.path) {
        Ok(inventory) => inventory,
        Err(error) => return Module::without(place, ModuleResult::Unusable, error.to_string()),
    };
    let slots = match inventory.slots() {
        Ok(slots) => slots,
        Err(answer) => {
            let message = format!("the module names no slots ({answer})");
            return Module::without(place, ModuleResult::Unusable, message);
        }
    };
    let mut module = Module::opened(place, inventory.library().ok());
    module.more_slots = slots.more;
    let choice = login.choice(&slots.first, modules);
    for slot in slots.first.iter().filter(|slot| args.selects(slot)) {
        module.slots.push(model::Slot::new(slot, |token| {
            contents(token, slot, &slots.first, &inventory, choice, login, console)
        }));
    }
    module
}

/// Fills in what lies in a token.
fn contents(
    token: &mut Token,
    slot: &SeenSlot,
    all: &[SeenSlot],
    inventory: &Inventory,
    choice: Option<u64>,
    login: &mut Login<'_>,
    console: Console,
) {
    if slot.made_token().is_some() {
        token.mechanisms = inventory.mechanisms(slot);
    }
    match login.to(slot, choice) {
        Err(note) => token.message = note,
        Ok(()) => match inventory.contents_after_login(slot, all, login.pin_file(), login.environment()) {
            Ok(contents) => {
                token.logged_in = true;
                contents.warnings.iter().for_each(|warning| console.warning(warning));
                return token.fill(contents, login.pin_file());
            }
            Err(error) => {
                token.failed = true;
                token.message = Some(error.to_string());
                login.refuse(error.to_string());
            }
        },
    }
    // Where there is no login, or it fails, what is seen without one is shown.
    match inventory.public_contents(slot, all) {
        Ok(contents) => token.fill(contents, login.pin_file()),
        // An empty slot opens no session, and its flag says why.
        Err(_) if slot.made_token().is_none() || token.failed => {}
        Err(error) => {
            token.failed = true;
            token.message = Some(error.to_string());
        }
    }
}

impl TokenListArgs {
    /// Whether the token in `slot` is one of those that are asked for.
    fn selects(&self, slot: &SeenSlot) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        match &slot.token {
            Ok(token) => fits(&self.token, &token.label) && fits(&self.serial, &token.serial),
            Err(_) => !self.names_a_token(),
        }
    }

    fn names_a_token(&self) -> bool {
        self.token.is_some() || self.serial.is_some()
    }
}

/// How the run ended.
fn ended(list: &TokenList, args: &TokenListArgs, login: &Login<'_>) -> Result<Exit, CliError> {
    let opened = || list.modules.iter().filter(|module| module.result == ModuleResult::Opened);
    let tokens = || opened().flat_map(|module| &module.slots).filter_map(|slot| slot.token.as_ref());
    if list.modules.iter().all(|module| module.result == ModuleResult::PassedOver) {
        return Err(CliError::Nothing("no module is there that is to be opened: name one with --module".to_owned()));
    }
    if opened().next().is_none() {
        return Err(CliError::Undecided("no module could be used: the reasons stand beside them".to_owned()));
    }
    if let Some(reason) = login.refused() {
        return Err(CliError::Undecided(reason.to_owned()));
    }
    if args.names_a_token() && tokens().next().is_none() {
        let message = "no token is as --token and --serial say: muster token list without them shows which there are";
        return Err(CliError::Nothing(message.to_owned()));
    }
    Ok(Exit::Success)
}
