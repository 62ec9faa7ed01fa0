//! Bytes made wrong, alike for certificates, CRLs, OCSP answers and time stamps.

/// The last bit of a signature, or of what ends with one, turned.
pub(super) fn last_bit_turned(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    bytes
}

pub(super) fn with_trailing_bytes(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend_from_slice(b"more");
    bytes
}
