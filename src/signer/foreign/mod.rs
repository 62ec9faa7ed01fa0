//! What a file is that is no key or certificate chain in PEM, and the command that makes PEM of it.
//!
//! People name what they have: PKCS #12 of a certificate authority, a key of OpenSSH, a secret of Kubernetes. None of that is
//! read, since the reference implementation reads PEM alone; each is called by its name, with a command that was tried and
//! the name of the file in it. Nothing is decrypted here, nothing that a file says is shown, and only a file without a PEM
//! block that can be read is looked at.

mod algorithm;
mod der;
mod label;
mod text;

use std::path::Path;

use crate::failure::is_unprintable;
use crate::pem::{self, Block};

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
    /// What the names of made files begin with, before a shell takes them.
    beginning: String,
}

impl Named {
    pub(super) fn new(path: &Path) -> Named {
        let mut name = path.display().to_string();
        let special = name == "-" || ["/dev/", "/proc/"].iter().any(|start| name.starts_with(start));
        if special || name.is_empty() || name.len() > 200 || name.contains('\u{fffd}') || name.contains(is_unprintable)
        {
            name = "FILE".to_owned();
        } else if name.starts_with('-') {
            // No flag.
            name.insert_str(0, "./");
        }
        // In a folder that cannot be written to, such as a volume of Kubernetes, nothing is made.
        let beginning = match path.file_name() {
            Some(last) if name != "FILE" && is_unwritable(path.parent()) => format!("./{}", last.display()),
            _ => name.clone(),
        };
        let made = for_shell(&format!("{beginning}.pem"));
        Named { file: for_shell(&name), made, beginning }
    }

    /// The name of another file that is made of it.
    fn made_as(&self, extension: &str) -> String {
        for_shell(&format!("{}.{extension}", self.beginning))
    }

    /// What decrypts a key in PEM.
    pub(super) fn decryption(&self) -> String {
        format!("openssl pkey -in {} -out {}", self.file, self.made)
    }
}

/// A word as a shell takes it.
fn for_shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+@%:=,-".contains(&byte);
    if word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Whether it is known that nothing can be written to a folder.
#[cfg(unix)]
fn is_unwritable(folder: Option<&Path>) -> bool {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    matches!(access(folder, Access::WRITE_OK), Err(Errno::ACCESS | Errno::ROFS | Errno::PERM))
}

#[cfg(not(unix))]
fn is_unwritable(_: Option<&Path>) -> bool {
    false
}

/// The PEM blocks of a file. Where they can be read, whatever stands around them is of no account: tools write comments,
/// names and attributes there.
///
/// # Errors
/// What the file is instead, or what is wrong with its PEM; reads on after its name.
pub(super) fn blocks(bytes: &[u8], named: &Named, wanted: Wanted) -> Result<Vec<Block>, String> {
    match pem::blocks(bytes) {
        Ok(blocks) if !blocks.is_empty() => Ok(blocks),
        other => of_bytes(bytes, named, wanted).map_or(other, Err),
    }
}

/// What `bytes` are if no PEM block can be taken out of them, or none that every reader would find. Reads on after the
/// name of the file.
fn of_bytes(bytes: &[u8], named: &Named, wanted: Wanted) -> Option<String> {
    if bytes.trim_ascii().is_empty() {
        return Some(if bytes.is_empty() { "is empty" } else { "holds nothing but blanks" }.to_owned());
    }
    let Named { file, made, .. } = named;
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
