//! The URI to write for a key, as short as it can be and still be the key's alone.
//!
//! Follows RFC 7512: what is neither a letter, a digit nor one of `-._~` is percent-encoded, ids byte by byte. A token is named
//! by its label; where others have the same, by its serial number as well, and only then by its slot, since slots are
//! renumbered. A label with bytes that are no UTF-8 is written only where there is no serial number.

use std::path::Path;

use super::super::token_information::TokenInformation;
use super::super::uri::percent_encoded;
use super::SeenSlot;

/// What names one token of a module: the start of URIs, and their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenSpelling {
    path: String,
    query: String,
}

/// What of a key can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeyName<'a> {
    pub(super) label: &'a [u8],
    pub(super) id: &'a [u8],
}

/// What names the token in `slot` among those in `others`, behind the module at `module`. `None` if it has neither a label nor
/// a serial number that can be written.
pub(super) fn of_token(slot: &SeenSlot, others: &[SeenSlot], module: &Path) -> Option<TokenSpelling> {
    let token = slot.token.as_ref().ok()?;
    let mut alike: Vec<&TokenInformation> = others.iter().filter_map(SeenSlot::made_token).collect();
    let mut attributes = Vec::new();
    let label: fn(&TokenInformation) -> &str = |token| &token.label;
    let serial: fn(&TokenInformation) -> &str = |token| &token.serial;
    for (name, of) in preferred([("token", label), ("serial", serial)], token) {
        let text = of(token);
        if attributes.is_empty() || alike.len() > 1 && alike.iter().any(|other| of(other) != text) {
            attributes.push(format!("{name}={}", percent_encoded(text.as_bytes())));
            alike.retain(|other| of(other) == text);
        }
    }
    if attributes.is_empty() {
        return None;
    }
    if alike.len() > 1 {
        attributes.push(format!("slot-id={}", slot.id));
    }
    let query = format!("?module-path={}", path_in_uri(module));
    Some(TokenSpelling { path: format!("pkcs11:{}", attributes.join(";")), query })
}

type Attribute = (&'static str, fn(&TokenInformation) -> &str);

/// The attributes that say something of `token`, those whose text is whole first.
fn preferred(attributes: [Attribute; 2], token: &TokenInformation) -> Vec<Attribute> {
    let said = attributes.into_iter().filter(|(_, of)| !of(token).is_empty());
    let (whole, broken): (Vec<_>, Vec<_>) = said.partition(|(_, of)| !of(token).contains(char::REPLACEMENT_CHARACTER));
    whole.into_iter().chain(broken).collect()
}

impl TokenSpelling {
    /// The URI of the key called `name` among `all` keys of the token, itself included. `None` if it has neither a label nor
    /// an id.
    pub(super) fn of_key(&self, name: KeyName<'_>, all: &[KeyName<'_>]) -> Option<String> {
        let alone = |same: &dyn Fn(&KeyName<'_>) -> bool| all.iter().filter(|other| same(other)).count() < 2;
        let label = (!name.label.is_empty()).then(|| format!("object={}", percent_encoded(name.label)));
        let id = (!name.id.is_empty()).then(|| format!("id={}", percent_encoded(name.id)));
        let attributes = match (label, id) {
            (Some(label), _) if alone(&|other| other.label == name.label) => label,
            (_, Some(id)) if alone(&|other| other.id == name.id) => id,
            (Some(label), Some(id)) => format!("{label};{id}"),
            (label, id) => label.or(id)?,
        };
        Some(format!("{};{attributes}{}", self.path, self.query))
    }
}

/// `path` as the query of a URI has it, its slashes as they are.
pub(crate) fn path_in_uri(path: &Path) -> String {
    let parts = path.as_os_str().as_encoded_bytes().split(|byte| *byte == b'/');
    parts.map(percent_encoded).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use cryptoki::slot::Slot;

    use super::super::super::Uri;
    use super::super::super::token_information::token;
    use super::*;

    fn slot(id: u64, label: &str, serial: &str) -> SeenSlot {
        let token = Ok(token(label, serial, id));
        SeenSlot { slot: Slot::try_from(id).unwrap(), id, description: None, token }
    }

    fn start(slot: &SeenSlot, others: &[SeenSlot]) -> Option<String> {
        Some(of_token(slot, others, Path::new("/m.so"))?.path)
    }

    #[test]
    fn a_token_is_named_by_as_little_as_tells_it_apart() {
        let mut all = vec![
            slot(1, "a", "1"),
            slot(2, "b", "1"),
            slot(3, "b", "2"),
            slot(4, "c", "3"),
            slot(5, "c", "3"),
            slot(6, "", "4"),
            slot(7, "d\u{fffd}", ""),
            slot(8, "e\u{fffd}", "1"),
            slot(9, "", ""),
        ];
        let expected = [
            Some("pkcs11:token=a"),
            Some("pkcs11:token=b;serial=1"),
            Some("pkcs11:token=b;serial=2"),
            Some("pkcs11:token=c;slot-id=4"),
            Some("pkcs11:token=c;slot-id=5"),
            Some("pkcs11:serial=4"),
            Some("pkcs11:token=d%EF%BF%BD"),
            Some("pkcs11:serial=1;token=e%EF%BF%BD"),
            None,
        ];
        let empty = token("", "1", 10);
        all.push(SeenSlot { token: Ok(TokenInformation { initialized: false, ..empty }), ..slot(10, "", "") });
        for (slot, expected) in all.iter().zip(expected) {
            assert_eq!(start(slot, &all).as_deref(), expected, "{slot:?}");
        }
    }

    #[test]
    fn a_key_is_named_by_as_little_as_tells_it_apart() {
        let name = |label: &'static str, id: &'static [u8]| KeyName { label: label.as_bytes(), id };
        let all = [name("a", b"\x01"), name("b", b"\x02"), name("b", b"\x03"), name("c", b"\x04"), name("c", b"\x04")];
        let token = TokenSpelling { path: "pkcs11:token=t".to_owned(), query: "?module-path=/m.so".to_owned() };
        let of = |name| token.of_key(name, &all);
        assert_eq!(of(all[0]).unwrap(), "pkcs11:token=t;object=a?module-path=/m.so");
        assert_eq!(of(all[1]).unwrap(), "pkcs11:token=t;id=%02?module-path=/m.so");
        assert_eq!(of(all[3]).unwrap(), "pkcs11:token=t;object=c;id=%04?module-path=/m.so");
        assert_eq!(of(name("", b"\x09")).unwrap(), "pkcs11:token=t;id=%09?module-path=/m.so");
        assert_eq!(of(name("", b"")), None);
        let bytes = KeyName { label: b"\xfc", id: b"\x07" };
        assert_eq!(of(bytes).unwrap(), "pkcs11:token=t;object=%FC?module-path=/m.so");
    }

    #[test]
    fn what_is_written_is_read_again_as_what_it_was() {
        let label = "M\u{fc}ller & S\u{f6}hne; 100% = \u{1b}[2J?/#\"";
        let slot = slot(1, label, "0 /1");
        let id: Vec<u8> = (0..=255).collect();
        let spelling = of_token(&slot, std::slice::from_ref(&slot), Path::new("/opt/a b/m\u{fc}&.so")).unwrap();
        let with_label = spelling.of_key(KeyName { label: label.as_bytes(), id: b"" }, &[]).unwrap();
        let with_id = spelling.of_key(KeyName { label: b"", id: &id }, &[]).unwrap();
        assert!(with_label.bytes().chain(with_id.bytes()).all(|byte| byte.is_ascii_graphic()));
        let (by_label, by_id): (Uri, Uri) = (with_label.parse().unwrap(), with_id.parse().unwrap());
        assert_eq!(by_label.module_path.as_deref(), Some(Path::new("/opt/a b/m\u{fc}&.so")));
        assert_eq!(by_id.id, Some(id));
        assert_eq!(by_label.token.as_deref(), Some(label));
        assert_eq!(by_label.object.as_deref(), Some(label.as_bytes()));
    }
}
