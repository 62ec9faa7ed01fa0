//! PKCS #11 URIs (RFC 7512), as far as they name a private key to sign with.
//!
//! Read strictly: no attribute twice, none that is unknown (vendors' start with `x-` and are passed over), no character
//! that should have been percent-encoded. A token is named by label or serial number, never by its slot alone, since slots
//! are renumbered; a key by label or id. `pin-value` is refused, because command lines and files of settings are read by
//! others, and so is a `pin-source` that would run a program. No message repeats a value of the query.
//!
//! Texts of a token may end with `%00`, as some tools print what a module pads with NUL: that is passed over. They need not
//! be UTF-8, since not all labels are; what is not stands as U+FFFD here, as it does in what tokens say of themselves.

use std::path::PathBuf;
use std::str::FromStr;

use super::super::{SignerError, is_token};
use crate::failure::quote;

/// Which key to use, in which token, by which module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uri {
    /// The token's label.
    pub token: Option<String>,
    /// The token's serial number.
    pub serial: Option<String>,
    /// The token's manufacturer.
    pub manufacturer: Option<String>,
    /// The token's model.
    pub model: Option<String>,
    /// The module's manufacturer.
    pub library_manufacturer: Option<String>,
    /// The module's description.
    pub library_description: Option<String>,
    /// The module's version, major and minor.
    pub library_version: Option<(u8, u8)>,
    /// The slot's number.
    pub slot_id: Option<u64>,
    /// The slot's description.
    pub slot_description: Option<String>,
    /// The slot's manufacturer.
    pub slot_manufacturer: Option<String>,
    /// The key's label, in whatever encoding the token has it.
    pub object: Option<Vec<u8>>,
    /// The key's id.
    pub id: Option<Vec<u8>>,
    /// The module to load.
    pub module_path: Option<PathBuf>,
    /// The file that holds the PIN.
    pub pin_file: Option<PathBuf>,
}

const SCHEME: &str = "pkcs11:";
const PIN_IN_URI: &str = "holds a PIN, which others can read there: take pin-value out, change the PIN, and give it by \
                          pin-source=file:/path or MUSTER_PKCS11_PIN";

impl Uri {
    /// The token, in words for a message: `with the label "ci"`.
    pub(crate) fn token_in_words(&self) -> String {
        let parts = [
            ("label", &self.token),
            ("serial number", &self.serial),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("slot description", &self.slot_description),
            ("slot manufacturer", &self.slot_manufacturer),
        ];
        let mut words: Vec<String> = parts
            .into_iter()
            .filter_map(|(what, value)| value.as_ref().map(|value| format!("the {what} {}", quote(value))))
            .collect();
        words.extend(self.slot_id.map(|id| format!("the slot {id}")));
        format!("with {}", words.join(" and "))
    }

    /// The key, in words for a message: `with the label "release" and the id 0a`.
    pub(crate) fn key_in_words(&self) -> String {
        let label = self.object.as_ref().map(|label| format!("the label {}", quote(&String::from_utf8_lossy(label))));
        let id = self.id.as_ref().map(|id| format!("the id {}", hex::encode(id)));
        format!("with {}", label.into_iter().chain(id).collect::<Vec<_>>().join(" and "))
    }

    fn set_path_attribute(&mut self, name: &str, value: Vec<u8>) -> Result<(), String> {
        let place = match name {
            "token" => &mut self.token,
            "serial" => &mut self.serial,
            "manufacturer" => &mut self.manufacturer,
            "model" => &mut self.model,
            "library-manufacturer" => &mut self.library_manufacturer,
            "library-description" => &mut self.library_description,
            "slot-description" => &mut self.slot_description,
            "slot-manufacturer" => &mut self.slot_manufacturer,
            "id" => {
                self.id = Some(value);
                return Ok(());
            }
            "object" => {
                self.object = Some(value);
                return Ok(());
            }
            "library-version" => {
                self.library_version = Some(version(&text(name, value)?)?);
                return Ok(());
            }
            "slot-id" => {
                let number = text(name, value)?;
                let digits = number.bytes().all(|byte| byte.is_ascii_digit());
                let number = number.parse().ok().filter(|_| digits);
                self.slot_id = Some(number.ok_or("has a slot-id that is no number")?);
                return Ok(());
            }
            "pin-value" => return Err(PIN_IN_URI.to_owned()),
            "type" if value == b"private" => return Ok(()),
            "type" => return Err("has a type other than private: what signs is a private key".to_owned()),
            _ => return Err(unknown(name)),
        };
        *place = Some(padded_text(name, &value)?);
        Ok(())
    }

    fn set_query_attribute(&mut self, name: &str, value: Vec<u8>) -> Result<(), String> {
        match name {
            "pin-source" => self.pin_file = Some(pin_file(text(name, value)?)?),
            "module-path" => {
                let path = PathBuf::from(text(name, value)?);
                if !path.is_absolute() {
                    return Err("has a module-path that is not absolute: write it from the root on".to_owned());
                }
                self.module_path = Some(path);
            }
            "pin-value" => return Err(PIN_IN_URI.to_owned()),
            "module-name" => {
                return Err("has a module-name, which means another file on every machine: name the file by \
                            module-path=/path/of/the/module.so"
                    .to_owned());
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    fn parse(uri: &str) -> Result<Uri, String> {
        if !is_token(uri) {
            return Err("does not start with pkcs11:".to_owned());
        }
        let rest = &uri[SCHEME.len()..];
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut parsed = Uri::default();
        for (name, value) in attributes("path", path, ';', is_path_character)? {
            parsed.set_path_attribute(name, value)?;
        }
        if let Some(query) = query {
            for (name, value) in attributes("query", query, '&', is_query_character)? {
                parsed.set_query_attribute(name, value)?;
            }
        }
        if parsed.token.is_none() && parsed.serial.is_none() {
            return Err("names no token: add token=… (its label) or serial=…; a slot alone does not do, as slots are \
                        renumbered"
                .to_owned());
        }
        if parsed.object.is_none() && parsed.id.is_none() {
            return Err("names no key: add object=… (its label) or id=…".to_owned());
        }
        Ok(parsed)
    }
}

impl FromStr for Uri {
    type Err = SignerError;

    /// # Errors
    ///
    /// [`SignerError::Uri`].
    fn from_str(uri: &str) -> Result<Uri, SignerError> {
        Uri::parse(uri).map_err(SignerError::Uri)
    }
}

/// The attributes of one part of a URI with their values decoded, those of vendors left out.
fn attributes<'a>(
    part: &str,
    text: &'a str,
    separator: char,
    allowed: fn(u8) -> bool,
) -> Result<Vec<(&'a str, Vec<u8>)>, String> {
    let mut found: Vec<(&str, Vec<u8>)> = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    for (attribute, number) in text.split(separator).zip(1..) {
        let (name, value) =
            attribute.split_once('=').ok_or_else(|| format!("has no = in attribute {number} of its {part}"))?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(format!("has no proper name in attribute {number} of its {part}"));
        }
        if found.iter().any(|(other, _)| *other == name) {
            return Err(format!("has the attribute {} twice", quote(name)));
        }
        let value = decode(value, allowed).map_err(|problem| {
            let name = quote(name);
            match problem {
                Undecodable::Percent => format!("has a % without two hexadecimal digits in the attribute {name}"),
                // A character of the query may be one of a PIN.
                Undecodable::Plain(character) if part == "path" => format!(
                    "has the character {} in the attribute {name}, which must be percent-encoded: write {}",
                    quote(&character.to_string()),
                    percent_encoded(character.to_string().as_bytes())
                ),
                Undecodable::Plain(_) => {
                    format!("has a character that must be percent-encoded in the attribute {name}")
                }
            }
        })?;
        if value.is_empty() && !is_vendors(name) {
            return Err(format!("has nothing in the attribute {}", quote(name)));
        }
        found.push((name, value));
    }
    found.retain(|(name, _)| !is_vendors(name));
    Ok(found)
}

fn is_vendors(name: &str) -> bool {
    name.starts_with("x-")
}

fn unknown(name: &str) -> String {
    format!(
        "has the unknown attribute {}: attributes of vendors start with x-, all others are those of RFC 7512",
        quote(name)
    )
}

/// Why a value cannot be decoded.
enum Undecodable {
    Percent,
    /// The character has to be encoded.
    Plain(char),
}

/// Undoes percent-encoding.
fn decode(value: &str, allowed: fn(u8) -> bool) -> Result<Vec<u8>, Undecodable> {
    let plain = |character: char| {
        let byte = u8::try_from(character).ok();
        byte.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]@!$'()*+,=".contains(byte) || allowed(*byte))
    };
    let mut decoded = Vec::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character == '%' {
            let digit = |character: Option<char>| character.and_then(|character| character.to_digit(16));
            let (Some(high), Some(low)) = (digit(characters.next()), digit(characters.next())) else {
                return Err(Undecodable::Percent);
            };
            // Two digits make one byte.
            decoded.extend(u8::try_from(high * 16 + low));
        } else {
            decoded.push(plain(character).ok_or(Undecodable::Plain(character))?);
        }
    }
    Ok(decoded)
}

fn is_path_character(byte: u8) -> bool {
    byte == b'&'
}

fn is_query_character(byte: u8) -> bool {
    b"/?|".contains(&byte)
}

fn text(name: &str, value: Vec<u8>) -> Result<String, String> {
    match String::from_utf8(value) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(format!("has no text in the attribute {}", quote(name))),
    }
}

/// A text that a token or a module gives, without the NULs that it may be padded with.
fn padded_text(name: &str, value: &[u8]) -> Result<String, String> {
    let end = value.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = value.get(..end).unwrap_or_default();
    if text.contains(&0) {
        return Err(format!("has %00 within the attribute {}: take out what follows it, and itself", quote(name)));
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// `value` as a URI has it: letters, digits and `-._~` as they are, all else by its bytes.
pub(crate) fn percent_encoded(value: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in value {
        match char::from(*byte) {
            character if character.is_ascii_alphanumeric() || "-._~".contains(character) => encoded.push(character),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn version(text: &str) -> Result<(u8, u8), String> {
    let number = |digits: &str| digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    number(major).zip(number(minor)).ok_or_else(|| "has an invalid library-version".to_owned())
}

/// The path in `file:/path` or `file:///path`.
fn pin_file(source: String) -> Result<PathBuf, String> {
    let path = source.strip_prefix("file:").ok_or(
        "has a pin-source that is no file: write file:/path, or set MUSTER_PKCS11_PIN; programs are not run for a PIN",
    )?;
    let path = match path.strip_prefix("//") {
        Some(path) => path.strip_prefix("localhost").unwrap_or(path),
        None => path,
    };
    let path = PathBuf::from(path);
    if !path.is_absolute() {
        return Err("has a pin-source that is not absolute: write file:/ and the path from the root on".to_owned());
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
