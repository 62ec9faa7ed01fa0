//! What `muster token list --output json` writes. Members may be added within version 1; none is renamed or removed.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::rfc3339::instant;
use crate::signer::pkcs11::inventory::{self, Contents, Fitness, Flag, SeenKey, SeenSlot, path_in_uri};
use crate::signer::pkcs11::module_places::{ModulePlace, NamedBy};
use crate::signer::pkcs11::token_information::TokenInformation;

/// The JSON Schema of this version: a [`TokenList`].
pub(in crate::cli) const SCHEMA: &str = include_str!("../../../../schemas/token-list.v1.schema.json");

/// The modules of a machine with their tokens and keys.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenList {
    /// The version of this format: always `"1"`.
    #[schemars(extend("const" = "1"))]
    version: &'static str,
    /// The modules, in the order in which they were opened.
    pub(super) modules: Vec<Module>,
}

/// A PKCS #11 module.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Module {
    /// The path of the module, or of the file that says how p11-kit starts it.
    pub(super) path: String,
    /// Who names it.
    pub(super) named_by: Namer,
    /// The file of p11-kit's configuration that names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) named_in: Option<String>,
    /// What came of it.
    pub(super) result: ModuleResult,
    /// Why it was not opened.
    pub(super) message: Option<String>,
    /// What it says of itself.
    pub(super) library: Option<Library>,
    /// Its slots that have a token, of which `--token` and `--serial` may have left some out.
    pub(super) slots: Vec<Slot>,
    /// `true` where it has more slots than are looked at.
    pub(super) more_slots: bool,
}

/// Who names a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Namer {
    /// The command line, or the environment.
    User,
    /// p11-kit's configuration.
    P11Kit,
    /// It lies in a usual place.
    UsualPlace,
}

/// What came of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModuleResult {
    /// It was opened.
    Opened,
    /// It cannot be used.
    Unusable,
    /// It is not for this program, and was not opened.
    PassedOver,
}

/// What a module says of itself.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Library {
    /// What it is.
    pub(super) description: String,
    /// Who made it.
    pub(super) manufacturer: String,
    /// Its version.
    pub(super) version: String,
    /// The version of PKCS #11 that it follows.
    pub(super) cryptoki: String,
}

/// A slot with a token.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Slot {
    /// Its number.
    pub(super) id: u64,
    /// What it is.
    pub(super) description: Option<String>,
    /// What the module answered when it was asked for the token.
    pub(super) message: Option<String>,
    /// The token.
    pub(super) token: Option<Token>,
}

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    /// Its label.
    pub(super) label: String,
    /// Who made it.
    pub(super) manufacturer: String,
    /// What it is.
    pub(super) model: String,
    /// Its serial number.
    pub(super) serial: String,
    /// Its peculiarities: `not-initialized`, `no-login`, `pin-pad`, `pin-never-set`, `pin-count-low`, `pin-final-try`,
    /// `pin-locked`, `write-protected`.
    pub(super) flags: Vec<&'static str>,
    /// The same in words.
    #[serde(skip)]
    pub(super) flags_in_words: Vec<&'static str>,
    /// The mechanisms it lists that sign envelopes; `null` if it does not tell.
    pub(super) mechanisms: Option<Vec<String>>,
    /// Whether its private keys were looked for after a login.
    pub(super) logged_in: bool,
    /// Whether it could not be read; `message` says why.
    pub(super) failed: bool,
    /// Why there was no login, or why it could not be read.
    pub(super) message: Option<String>,
    /// Its keys.
    pub(super) keys: Vec<Key>,
    /// `true` where it holds more objects than are read.
    pub(super) more_keys: bool,
    /// The certificates that are for none of these keys.
    pub(super) other_certificates: Vec<Certificate>,
}

/// A key.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key {
    /// Its label.
    pub(super) label: String,
    /// Its id, in hexadecimal.
    pub(super) id: String,
    /// Which kind of key it is.
    pub(super) kind: Option<String>,
    /// The URI to write; `null` if nothing names the key or its token.
    pub(super) uri: Option<String>,
    /// Whether the private key was seen itself.
    pub(super) private_key_seen: bool,
    /// Whether it wants the PIN at every signature.
    pub(super) always_authenticate: bool,
    /// Whether it can sign envelopes, as far as the token tells.
    pub(super) signs: Signs,
    /// Why it cannot, or why that is not known.
    pub(super) reason: Option<String>,
    /// The certificates that are for it.
    pub(super) certificates: Vec<Certificate>,
}

/// Whether a key can sign envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Signs {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// The token does not tell.
    Unknown,
}

/// A certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificate {
    /// Whose it is.
    pub(super) subject: String,
    /// The last second in which it is valid, in RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub(super) not_after: String,
}

impl TokenList {
    pub(super) fn new(modules: Vec<Module>) -> TokenList {
        TokenList { version: "1", modules }
    }
}

impl Module {
    /// One that was opened, with nothing of its slots yet.
    pub(super) fn opened(place: &ModulePlace, library: Option<inventory::Library>) -> Module {
        let dotted = |(major, minor): (u8, u8)| format!("{major}.{minor}");
        let library = library.map(|library| Library {
            description: library.description,
            manufacturer: library.manufacturer,
            version: dotted(library.version),
            cryptoki: dotted(library.cryptoki),
        });
        let path = |path: &Path| path.display().to_string();
        let (named_by, named_in) = match &place.named_by {
            NamedBy::User(_) => (Namer::User, None),
            NamedBy::P11Kit(file) => (Namer::P11Kit, Some(path(file))),
            NamedBy::Custom => (Namer::UsualPlace, None),
        };
        let (path, result) = (path(&place.path), ModuleResult::Opened);
        Module { path, named_by, named_in, result, message: None, library, slots: Vec::new(), more_slots: false }
    }

    /// One that was not opened, and why.
    pub(super) fn without(place: &ModulePlace, result: ModuleResult, reason: String) -> Module {
        Module { result, message: Some(reason), ..Module::opened(place, None) }
    }
}

impl Slot {
    /// The slot, whose token `fill` fills.
    pub(super) fn new(slot: &SeenSlot, fill: impl FnOnce(&mut Token)) -> Slot {
        let (token, message) = match &slot.token {
            Ok(seen) => {
                let mut token = Token::new(seen);
                fill(&mut token);
                (Some(token), None)
            }
            Err(answer) => (None, Some(format!("the module does not say what is in it ({answer})"))),
        };
        Slot { id: slot.id, description: slot.description.clone(), message, token }
    }
}

impl Token {
    fn new(seen: &TokenInformation) -> Token {
        let flags = Flag::of(seen);
        Token {
            label: seen.label.clone(),
            manufacturer: seen.manufacturer.clone(),
            model: seen.model.clone(),
            serial: seen.serial.clone(),
            flags: flags.iter().map(|flag| flag.word()).collect(),
            flags_in_words: flags.iter().map(|flag| flag.meaning()).collect(),
            mechanisms: None,
            logged_in: false,
            failed: false,
            message: None,
            keys: Vec::new(),
            more_keys: false,
            other_certificates: Vec::new(),
        }
    }

    /// Fills in its keys; their URIs name the file that holds the PIN, if there is one.
    pub(super) fn fill(&mut self, contents: Contents, pin_file: Option<&Path>) {
        let query = pin_file.map_or_else(String::new, |path| format!("&pin-source=file:{}", path_in_uri(path)));
        self.keys = contents.keys.first.into_iter().map(|key| Key::new(key, &query)).collect();
        self.more_keys = contents.keys.more;
        self.other_certificates = contents.other_certificates.into_iter().map(Certificate::new).collect();
    }
}

impl Key {
    fn new(key: SeenKey, query: &str) -> Key {
        let (signs, reason) = match key.fitness {
            Fitness::Signs => (Signs::Yes, None),
            Fitness::No(reason) => (Signs::No, Some(reason)),
            Fitness::Unknown(reason) => (Signs::Unknown, Some(reason)),
        };
        Key {
            label: key.label,
            id: hex::encode(key.id),
            kind: key.kind,
            uri: key.uri.map(|uri| uri + query),
            private_key_seen: key.private_is_seen,
            always_authenticate: key.always_authenticate,
            signs,
            reason,
            certificates: key.certificates.into_iter().map(Certificate::new).collect(),
        }
    }
}

impl Certificate {
    fn new(certificate: inventory::SeenCertificate) -> Certificate {
        Certificate { subject: certificate.subject, not_after: instant(certificate.not_after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_the_models() {
        crate::cli::token::tests::assert_schema::<TokenList>(
            "token-list",
            "Muster's list of tokens, version 1",
            SCHEMA,
        );
    }
}
