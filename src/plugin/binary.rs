//! The binary members of the contract: base64 (RFC 4648, section 4, with padding), with or without line ends in it.
//!
//! The reference implementation reads them by Go's decoder, which passes over `\r` and `\n`; tools that wrap what they encode
//! (`base64`, `openssl base64`, MIME libraries) are read by it, and so they are here. Any other character makes it wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What `text` stands for.
///
/// # Errors
/// Why it is not base64; reads on after "… is not base64: ".
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let decoded = if text.contains(['\r', '\n']) {
        STANDARD.decode(text.replace(['\r', '\n'], ""))
    } else {
        STANDARD.decode(text)
    };
    decoded.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_stand_anywhere_and_nothing_else_does() {
        for text in ["AAECAw==", "AAEC\nAw==", "AAEC\r\nAw==\r\n", "\nA\nAECAw=\n=", "AAECAw==\n"] {
            assert_eq!(decode(text), Ok(vec![0, 1, 2, 3]), "{text:?}");
        }
        assert_eq!(decode("\n"), Ok(Vec::new()));
        for text in ["AAEC Aw==", "AAEC\tAw==", "AAECAw", "AAECAw=", "AAEC_w==", "AAEC\\nAw==", "AAECAx==", "?"] {
            assert!(decode(text).is_err(), "{text:?}");
        }
    }
}
