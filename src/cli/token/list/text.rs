//! The list for people: a tree a module, each line of which is safe to print.

use super::model::{Certificate, Key, Module, Signs, Slot, Token};
use crate::cli::tree::Tree;
use crate::failure::quote;
use crate::signer::pkcs11::module_places::{ModulePlace, NamedBy};

/// The first line of a module.
pub(super) fn heading(place: &ModulePlace) -> Tree {
    let named_by = match &place.named_by {
        NamedBy::User(what) => format!("named by {what}"),
        NamedBy::P11Kit(file) => format!("named by {}", file.display()),
        NamedBy::Custom => "in a usual place".to_owned(),
    };
    Tree::new(format!("{} ({named_by})", place.path.display()))
}

/// The lines below it; `some_only` says that not all tokens were asked for.
pub(super) fn below(module: &Module, some_only: bool) -> String {
    let message = module.message.iter().map(Tree::new);
    let library = module.library.iter().map(|library| {
        let (description, manufacturer) = (quote(&library.description), quote(&library.manufacturer));
        Tree::new(format!(
            "library {description} of {manufacturer}, version {}, PKCS #11 {}",
            library.version, library.cryptoki
        ))
    });
    let slots = module.slots.iter().map(slot);
    let opened = module.message.is_none();
    let none = if some_only { "no token that was asked for is in its slots" } else { "no token is in its slots" };
    let none = (opened && module.slots.is_empty()).then(|| Tree::new(none));
    let more = module.more_slots.then(|| Tree::new("more slots are not looked at"));
    let tree = Tree::default().with(message.chain(library).chain(slots).chain(none).chain(more)).to_string();
    // The first line is there already.
    tree.trim_start_matches('\n').to_owned() + "\n"
}

fn slot(slot: &Slot) -> Tree {
    let place = match slot.description.as_deref().filter(|description| !description.is_empty()) {
        Some(description) => format!("slot {} ({})", slot.id, quote(description)),
        None => format!("slot {}", slot.id),
    };
    match &slot.token {
        Some(token) => self::token(token, &place),
        None => Tree::new(place).with(slot.message.iter().map(Tree::new)),
    }
}

fn token(token: &Token, place: &str) -> Tree {
    let (label, model, manufacturer) = (quote(&token.label), quote(&token.model), quote(&token.manufacturer));
    let head = format!("token {label}: {model} of {manufacturer}, serial {}, in {place}", quote(&token.serial));
    let flags = token.flags_in_words.iter().map(Tree::new);
    let mechanisms = token.mechanisms.iter().map(|mechanisms| match mechanisms.as_slice() {
        [] => Tree::new("it lists no mechanism that signs envelopes"),
        _ => Tree::pair("mechanisms", mechanisms.join(", ")),
    });
    let message = token.message.iter().map(Tree::new);
    let keys = token.keys.iter().map(key);
    let none = (token.logged_in && token.keys.is_empty()).then(|| Tree::new("no key is in it"));
    let more = token.more_keys.then(|| Tree::new("more objects are in it than are read"));
    let others = token.other_certificates.iter().map(|other| certificate("another certificate", other));
    Tree::new(head).with(flags.chain(mechanisms).chain(message).chain(keys).chain(none).chain(more).chain(others))
}

fn key(key: &Key) -> Tree {
    let id = if key.id.is_empty() { "no id".to_owned() } else { format!("id {}", key.id) };
    let kind = key.kind.as_deref().unwrap_or("of an unknown kind");
    let reason = key.reason.as_deref().unwrap_or_default();
    let signs = match key.signs {
        Signs::Yes => "can sign".to_owned(),
        Signs::No => format!("cannot sign: {reason}"),
        Signs::Unknown => format!("may sign: {reason}"),
    };
    let always = key.always_authenticate.then(|| Tree::new("it wants the PIN at every signature"));
    let uri =
        Tree::new(key.uri.as_deref().unwrap_or("nothing names it: give it a label or an id with the vendor's tools"));
    let certificates = key.certificates.iter().map(|own| certificate("certificate", own));
    Tree::new(format!("key {} ({id}): {kind}, {signs}", quote(&key.label)))
        .with(always.into_iter().chain([uri]).chain(certificates))
}

fn certificate(what: &str, certificate: &Certificate) -> Tree {
    Tree::new(format!("{what} of {}, valid until {}", quote(&certificate.subject), certificate.not_after))
}
