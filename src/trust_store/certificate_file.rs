//! The certificates in one file of a trust store.
//!
//! Follows *trust-store-trust-policy*, Trust Store: PEM with any number of certificates, or DER, one certificate or
//! several one after the other. Anything else in the file makes the whole file wrong.

use der::{Encode as _, Reader as _, SliceReader};

use super::pem;
use crate::pki::Certificate;

/// The object identifiers of PKCS #7 contents (1.2.840.113549.1.7.x) start so, with tag and length.
const PKCS7: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
/// The version that starts a PKCS #12 file, and the sequence after it.
const PKCS12: &[u8] = &[0x02, 0x01, 0x03, 0x30];
/// The version that starts a private key in PKCS #1 or PKCS #8.
const KEY: &[u8] = &[0x02, 0x01, 0x00];

/// The certificates in a file, at least one.
///
/// # Errors
/// Why the file is refused; reads on after its name.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, String> {
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    let contents = if pem::is_pem(bytes) { pem::certificates(bytes)? } else { concatenated(bytes)? };
    let several = contents.len() > 1;
    let parse = |(der, number): (&Vec<u8>, usize)| {
        let which = if several { format!("certificate {number} of the file: ") } else { String::new() };
        Certificate::parse(der).map_err(|failure| format!("cannot be read: {which}{failure}"))
    };
    contents.iter().zip(1..).map(parse).collect()
}

/// Cuts a file into the DER values it is made of.
fn concatenated(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if bytes.first() != Some(&0x30) {
        return Err("is no certificate, neither PEM nor DER".to_owned());
    }
    let mut reader = SliceReader::new(bytes).map_err(|error| format!("cannot be read: {error}"))?;
    let mut values = Vec::new();
    while !reader.is_finished() {
        let position = u32::from(reader.position());
        let value = reader.tlv_bytes();
        let value = value.map_err(|_| format!("has something at byte {position} that is no DER certificate"))?;
        if let Some(kind) = other_kind(value) {
            return Err(format!("is {kind}, not a certificate"));
        }
        values.push(value.to_vec());
    }
    Ok(values)
}

/// What a file is that people take for a certificate.
fn other_kind(value: &[u8]) -> Option<&'static str> {
    let header = SliceReader::new(value).ok()?.peek_header().ok()?;
    let start = usize::try_from(header.encoded_len().ok()?).ok()?;
    let kinds = [(PKCS7, "a PKCS #7 file"), (PKCS12, "a PKCS #12 file"), (KEY, "a private key")];
    let content = value.get(start..)?;
    kinds.into_iter().find(|(beginning, _)| content.starts_with(beginning)).map(|(_, kind)| kind)
}
