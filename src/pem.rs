//! PEM: the blocks of a text file.
//!
//! Follows RFC 7468 for the blocks themselves. Text around them is allowed, as tools put it there. Blocks that are not
//! closed and base64 that is not exactly so are refused: what cannot be read as written is an error and never skipped.
//! That includes files that are not in ASCII or UTF-8 and blocks behind a byte order mark: other tools pass over such a block,
//! so that one file would mean different certificates to different readers. Which kinds of block may be in a file is for the caller to say. Contents are wiped from memory when they are dropped,
//! since they may be private keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(crate) const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// What some editors put before text in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Where the text of a block is put, in bytes: enough for every private key, so that none is copied while the room grows.
const ROOM: usize = 8 << 10;

/// One block, from its BEGIN line to its END line.
#[derive(Debug)]
pub(crate) struct Block {
    /// The label of its BEGIN line, such as `CERTIFICATE`.
    pub(crate) label: String,
    /// The number of its BEGIN line, from 1.
    pub(crate) line: usize,
    /// The lines between, without their ends.
    text: Zeroizing<String>,
}

impl Block {
    /// Whether it starts with headers, as OpenSSL writes them before an encrypted key (RFC 1421, `Proc-Type`).
    pub(crate) fn has_headers(&self) -> bool {
        self.text.starts_with("Proc-Type:")
    }

    /// What its base64 stands for.
    ///
    /// # Errors
    /// If it is not exactly base64; reads on after the file's name.
    pub(crate) fn content(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        // Large enough from the start, so that no copy is left behind where the content grew out of.
        let mut content = Zeroizing::new(Vec::with_capacity(self.text.len()));
        match STANDARD.decode_vec(&*self.text, &mut content) {
            Ok(()) => Ok(content),
            Err(_) => Err(format!("has a block that is not base64, line {}", self.line)),
        }
    }
}

/// Whether `bytes` have a PEM block in them, or are text in which one would have to be looked for in another way.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    is_utf16(bytes) || lines(bytes).any(|line| starts(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line), BEGIN))
}

/// Whether `bytes` are text in UTF-16, with a byte order mark or without. No DER value starts like that.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    let is_text = |byte: u8| byte.is_ascii() && byte != 0 && byte != 0x30;
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [one, 0, two, 0, ..] | [0, one, 0, two, ..] => is_text(*one) && is_text(*two),
        _ => false,
    }
}

/// Every block, in order.
///
/// # Errors
/// Why the file is refused; reads on after its name.
pub(crate) fn blocks(bytes: &[u8]) -> Result<Vec<Block>, String> {
    if is_utf16(bytes) {
        return Err("is written in UTF-16: save it as ASCII, or UTF-8 without a byte order mark".to_owned());
    }
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (line, number) in lines(bytes).zip(1..) {
        open = match open {
            None if starts(line, BEGIN) => {
                let label = label(line, BEGIN).ok_or_else(|| format!("has a malformed BEGIN line, line {number}"))?;
                Some(Block { label, line: number, text: Zeroizing::new(String::with_capacity(bytes.len().min(ROOM))) })
            }
            None if line.strip_prefix(BYTE_ORDER_MARK).is_some_and(|line| starts(line, BEGIN)) => {
                return Err(format!(
                    "has a byte order mark before a BEGIN line, line {number}: save it as ASCII, or UTF-8 without the mark"
                ));
            }
            None if starts(line, END) => return Err(format!("has an END line without a BEGIN line, line {number}")),
            None => None,
            Some(block) if starts(line, END) => {
                if label(line, END).as_ref() != Some(&block.label) {
                    return Err(format!("has an END line that does not fit its BEGIN line, line {number}"));
                }
                found.push(block);
                None
            }
            Some(mut block) => {
                let text = std::str::from_utf8(line).map_err(|_| format!("has no base64 on line {number}"))?;
                block.text.push_str(text.trim_ascii());
                Some(block)
            }
        };
    }
    match open {
        Some(block) => Err(format!("has a block that does not end, line {}", block.line)),
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

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN X-----\nMAAw\nAA==\n-----END X-----\n";

    #[test]
    fn tells_blocks_apart() {
        let text = format!("a: b\n{BLOCK}\n-----BEGIN Y Z-----\r\nProc-Type: 4,ENCRYPTED\r\n-----END Y Z-----\r\n");
        let found = blocks(text.as_bytes()).unwrap();
        let [first, second] = found.as_slice() else { panic!("{} blocks", found.len()) };
        assert_eq!((first.label.as_str(), first.line, first.has_headers()), ("X", 2, false));
        assert_eq!(first.content().unwrap().as_slice(), [0x30, 0, 0x30, 0]);
        assert_eq!((second.label.as_str(), second.line, second.has_headers()), ("Y Z", 7, true));
        assert!(second.content().unwrap_err().contains("not base64, line 7"));
    }

    /// Editors and shells of Windows write such files. notation and OpenSSL pass over the block behind a mark.
    #[test]
    fn byte_order_marks_and_utf_16_are_named() {
        let refusal = |bytes: &[u8]| {
            assert!(is_pem(bytes));
            blocks(bytes).unwrap_err()
        };
        let marked = [BYTE_ORDER_MARK, BLOCK.as_bytes()].concat();
        assert!(refusal(&marked).starts_with("has a byte order mark before a BEGIN line, line 1: save it as"));
        assert!(refusal(&[BLOCK.as_bytes(), &marked].concat()).contains("line 5"));
        let little: Vec<u8> = BLOCK.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = BLOCK.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for text in [&[&[0xff, 0xfe], &little[..]].concat(), &[&[0xfe, 0xff], &big[..]].concat(), &little, &big] {
            assert!(refusal(text).starts_with("is written in UTF-16: save it as"));
        }
        // A mark before other text does no harm: the block is where every reader finds it.
        let text = [BYTE_ORDER_MARK, b"subject: x\n", BLOCK.as_bytes()].concat();
        assert_eq!(blocks(&text).unwrap().len(), 1);
        assert!(!is_pem(&[0x30, 0, 0x30, 0]) && !is_pem(&[0x30, 0x82, 1, 0]) && !is_pem(b""));
    }

    #[test]
    fn a_block_ends_as_it_began() {
        for (text, words) in [
            (BLOCK.replace("END X", "END Y"), "does not fit its BEGIN line, line 4"),
            (BLOCK.replace("-----END X-----\n", ""), "does not end, line 1"),
            (BLOCK.replace("-----END X", "-----BEGIN X"), "does not end, line 1"),
            (format!("{BLOCK}-----END X-----"), "without a BEGIN line, line 5"),
            (BLOCK.replace("BEGIN X-----", "BEGIN X"), "malformed BEGIN line, line 1"),
        ] {
            assert!(blocks(text.as_bytes()).unwrap_err().contains(words), "{text}");
        }
    }
}
