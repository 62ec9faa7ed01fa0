//! PEM: the certificates in a text file.
//!
//! Blocks of any other kind than `CERTIFICATE` are refused, above all private keys.

use crate::failure::quote;
use crate::pem::{Block, blocks};

pub(super) use crate::pem::is_pem;

/// The content of every block, in order.
///
/// # Errors
/// Why the file is refused; reads on after its name.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let content = |block: &Block| {
        check_label(block)?;
        Ok(block.content()?.to_vec())
    };
    blocks(bytes)?.iter().map(content).collect()
}

fn check_label(Block { label, line, .. }: &Block) -> Result<(), String> {
    if label == "CERTIFICATE" {
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
