//! The message that `muster token check` has signed: one that can never be an envelope's.
//!
//! A signature is good for whatever has the bytes that were signed. What an envelope has signed is, in JWS (RFC 7515, section
//! 5.1), base64url and dots, without a blank; in COSE (RFC 9052, section 4.4) a CBOR array, whose first byte is 0x84. The message
//! starts with words and blanks, so that it is neither, nor anything else that begins with a DER SEQUENCE (0x30): a certificate, a
//! CRL, an OCSP answer, a time stamp. Random bytes follow, so that no two trials sign the same.

use aws_lc_rs::rand;

const START: &str = "muster token check, nothing is signed by this: ";

/// A message to have signed; `None` if the system gives no random numbers.
pub(super) fn message() -> Option<Vec<u8>> {
    let mut random = [0; 32];
    rand::fill(&mut random).ok()?;
    Some(format!("{START}{}", hex::encode(random)).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_no_envelopes() {
        let (one, other) = (message().unwrap(), message().unwrap());
        assert_ne!(one, other);
        for message in [one, other] {
            assert!(message.starts_with(b"muster token check, nothing is signed by this"));
            let of_jws = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            assert!(!message.iter().all(of_jws));
            // An array of four elements in CBOR; a SEQUENCE in DER.
            assert!(![0x84, 0x30].contains(&message[0]));
        }
    }
}
