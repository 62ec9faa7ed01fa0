//! What a file is that is no key or certificate chain in PEM, and the command that makes PEM of it.
//!
//! People name what they have: PKCS #12 of a certificate authority, a key of OpenSSH, a secret of Kubernetes. None of that is
//! read, since the reference implementation reads PEM alone; each is called by its name, with a command that was tried and
//! the name of the file in it. Nothing is decrypted here, nothing that a file says is shown, and nothing decides whether it is
//! read: what is read is read before.

mod algorithm;
mod der;
mod label;
mod text;

use std::path::Path;

use crate::failure::is_unprintable;
use crate::pem;

pub(super) use algorithm::of_key as kind_of_key;
pub(super) use label::of_block;

/// What was to be in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Key,
    Chain,
}

/// The name of a file as a shell takes it, and a name for what is made of it.
#[derive(Debug)]
pub(super) struct Named {
    file: String,
    made: String,
}

impl Named {
    pub(super) fn new(path: &Path) -> Named {
        let name = path.display().to_string();
        let special = ["/dev/", "/proc/", "-"].iter().any(|start| name.starts_with(start));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+@%:=,-".contains(&byte);
        if special
            || name.is_empty()
            || name.len() > 200
            || name.contains(['\'', '\u{fffd}'])
            || name.contains(is_unprintable)
        {
            Named { file: "FILE".to_owned(), made: "FILE.pem".to_owned() }
        } else if name.bytes().all(plain) {
            Named { made: format!("{name}.pem"), file: name }
        } else {
            Named { file: format!("'{name}'"), made: format!("'{name}.pem'") }
        }
    }
}

/// What `bytes` are if no PEM block can be taken out of them, or none that every reader would find. Reads on after the
/// name of the file.
pub(super) fn of_bytes(bytes: &[u8], named: &Named, wanted: Wanted) -> Option<String> {
    if bytes.trim_ascii().is_empty() {
        return Some(if bytes.is_empty() { "is empty" } else { "holds nothing but blanks" }.to_owned());
    }
    let Named { file, made } = named;
    if pem::is_utf16(bytes) {
        let form = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
            [0, ..] => "UTF-16BE",
            _ => "UTF-16LE",
        };
        return Some(format!("is written in UTF-16: convert it (iconv -f {form} -t UTF-8 {file} > {made})"));
    }
    if let Some(behind) = bytes.strip_prefix(pem::BYTE_ORDER_MARK)
        && behind.starts_with(b"-----BEGIN")
    {
        return Some(format!(
            "starts with a byte order mark, behind which other programs do not find the first block: take it out \
             (tail -c +4 {file} > {made})"
        ));
    }
    if let Some(kind) = der::Kind::of(bytes) {
        return Some(kind.sentence(named, wanted));
    }
    text::of(bytes, named, wanted)
}

/// What a key is of which only the chain was to be read, or the other way round; reads on after the name of the file.
fn other_half(what: &str, wanted: Wanted) -> String {
    match wanted {
        Wanted::Key => format!("is {what} and holds no private key: name the file that has the key"),
        Wanted::Chain => format!("is {what} and holds no certificates: name the file that has them"),
    }
}

#[cfg(test)]
mod tests;
