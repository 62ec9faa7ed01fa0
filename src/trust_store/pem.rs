//! PEM: the certificates in a text file.
//!
//! Follows RFC 7468 for the blocks themselves. Text around them is allowed, as tools put it there. Refused are blocks of
//! any other kind than `CERTIFICATE`, blocks that are not closed, and base64 that is not exactly so: what cannot be read
//! as written is an error and never skipped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::failure::quote;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const CERTIFICATE: &str = "CERTIFICATE";

/// Whether `bytes` have a PEM block in them.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    lines(bytes).any(|line| starts(line, BEGIN))
}

/// The content of every block, in order.
///
/// # Errors
/// Why the file is refused; reads on after its name.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (line, number) in lines(bytes).zip(1..) {
        block = match block {
            None if starts(line, BEGIN) => {
                let label = label(line, BEGIN).ok_or_else(|| format!("has a malformed BEGIN line, line {number}"))?;
                check_label(&label, number)?;
                Some((number, String::new()))
            }
            None if starts(line, END) => return Err(format!("has an END line without a BEGIN line, line {number}")),
            None => None,
            Some((begin, content)) if starts(line, END) => {
                if label(line, END).as_deref() != Some(CERTIFICATE) {
                    return Err(format!("has an END line that does not fit its BEGIN line, line {number}"));
                }
                let content = STANDARD.decode(&content);
                let der = content.map_err(|_| format!("has a block that is not base64, line {begin}"))?;
                found.push(der);
                None
            }
            Some((begin, mut content)) => {
                let text = std::str::from_utf8(line).map_err(|_| format!("has no base64 on line {number}"))?;
                content.push_str(text.trim_ascii());
                Some((begin, content))
            }
        };
    }
    match block {
        Some((begin, _)) => Err(format!("has a block that does not end, line {begin}")),
        None => Ok(found),
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n')
}

/// Whether a line is meant as a boundary, indented or not.
fn starts(line: &[u8], boundary: &str) -> bool {
    line.trim_ascii_start().starts_with(boundary.as_bytes())
}

/// The label of a boundary line that starts in the first column.
fn label(line: &[u8], boundary: &str) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.trim_ascii_end();
    line.strip_prefix(boundary)?.strip_suffix(DASHES).map(str::to_owned)
}

fn check_label(label: &str, line: usize) -> Result<(), String> {
    if label == CERTIFICATE {
        return Ok(());
    }
    Err(if label.ends_with("PRIVATE KEY") {
        format!("holds a private key, line {line}: remove the key from the trust store, and keep it secret elsewhere")
    } else {
        format!("has a block {}, line {line}: only CERTIFICATE blocks are read", quote(label))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nMAAw\nAA==\n-----END CERTIFICATE-----\n";

    #[test]
    fn reads_blocks_between_other_text() {
        let text = format!("subject: x\n{BLOCK}\r\n\u{e4}\n{}rest", BLOCK.replace('\n', "\r\n"));
        assert!(is_pem(text.as_bytes()));
        assert_eq!(certificates(text.as_bytes()).unwrap(), [[0x30, 0, 0x30, 0], [0x30, 0, 0x30, 0]]);
        assert!(!is_pem(b"MAAw") && certificates(b"MAAw").unwrap().is_empty());
    }

    #[test]
    fn refuses_what_it_cannot_read_as_written() {
        for (text, words) in [
            (BLOCK.replace("CERTIFICATE", "RSA PRIVATE KEY"), "private key, line 1"),
            (BLOCK.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "TRUSTED CERTIFICATE"),
            (BLOCK.replace("CERTIFICATE", "PKCS7"), "PKCS7"),
            (BLOCK.replace("CERTIFICATE", "certificate"), "only CERTIFICATE"),
            (BLOCK.replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE"), "malformed BEGIN"),
            (BLOCK.replace("-----BEGIN", " -----BEGIN"), "malformed BEGIN"),
            (BLOCK.replace("END CERTIFICATE", "END X"), "does not fit"),
            (BLOCK.replace("-----END CERTIFICATE-----\n", ""), "does not end, line 1"),
            (BLOCK.replace("-----BEGIN CERTIFICATE-----\n", ""), "without a BEGIN"),
            (BLOCK.replace("AA==", "AA="), "not base64"),
            (BLOCK.replace("AA==", "AB=="), "not base64"),
            (BLOCK.replace("MAAw", "MA-w"), "not base64"),
            (BLOCK.replace("MAAw", "Proc-Type: 4,ENCRYPTED"), "not base64"),
            (format!("x\n{BLOCK}{}", BLOCK.replace("CERTIFICATE", "EC PRIVATE KEY")), "private key, line 6"),
        ] {
            let refusal = certificates(text.as_bytes()).expect_err(&text);
            assert!(refusal.contains(words), "{text}: {refusal}");
        }
    }
}
