//! What stands in `approvalToBeSigned`, in an encoding of ours.
//!
//! The vendor's, which is not documented, binds an approval to the key, the payload and the time of the HSM. This one binds it
//! besides to the request and to what is asked, so that no approval counts for anything else. It is a line that says what it is,
//! and then six fields, each behind its length in four bytes, the highest first.

use time::OffsetDateTime;

const FIRST_LINE: &[u8] = b"muster: an approval of what follows, version 1\n";

/// What an approver agrees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalContent {
    /// `sign`, `block`, `unblock` or `modify`.
    pub operation: String,
    /// The id of the request.
    pub request: String,
    /// The label of the key.
    pub key: String,
    /// The gateway's time at which the request was made, in whole seconds.
    pub made: OffsetDateTime,
    /// The algorithm of the signature, empty if it is about none.
    pub algorithm: String,
    /// The message that is to be signed; for `modify` the policy that the key is to have, in JSON.
    pub payload: Vec<u8>,
}

impl ApprovalContent {
    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        let time = self.made.unix_timestamp().to_be_bytes();
        let fields: [&[u8]; 6] = [
            self.operation.as_bytes(),
            self.request.as_bytes(),
            self.key.as_bytes(),
            &time,
            self.algorithm.as_bytes(),
            &self.payload,
        ];
        let mut bytes = FIRST_LINE.to_vec();
        for field in fields {
            bytes.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        bytes
    }

    /// Reads such bytes; nothing may follow. None if they are another broker's.
    pub fn read(bytes: &[u8]) -> Option<ApprovalContent> {
        let mut rest = bytes.strip_prefix(FIRST_LINE)?;
        let mut field = || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let (field, behind) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            rest = behind;
            Some(field)
        };
        let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
        let content = ApprovalContent {
            operation: text(field()?)?,
            request: text(field()?)?,
            key: text(field()?)?,
            made: OffsetDateTime::from_unix_timestamp(i64::from_be_bytes(field()?.try_into().ok()?)).ok()?,
            algorithm: text(field()?)?,
            payload: field()?.to_vec(),
        };
        rest.is_empty().then_some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> ApprovalContent {
        ApprovalContent {
            operation: "sign".into(),
            request: "4e8731d8".into(),
            key: "release".into(),
            made: OffsetDateTime::from_unix_timestamp(1_592_988_887).unwrap(),
            algorithm: "SHA256_WITH_RSA_PSS".into(),
            payload: b"payload".to_vec(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(ApprovalContent::read(&content().encode()), Some(content()));
    }

    #[test]
    fn nothing_may_be_missing_or_follow() {
        let bytes = content().encode();
        for end in 0..bytes.len() {
            assert_eq!(ApprovalContent::read(&bytes[..end]), None);
        }
        assert_eq!(ApprovalContent::read(&[&bytes[..], b"x"].concat()), None);
        assert_eq!(ApprovalContent::read(b"\x01\x02"), None);
    }

    #[test]
    fn every_field_is_bound() {
        let bytes = content().encode();
        for other in [
            ApprovalContent { operation: "block".into(), ..content() },
            ApprovalContent { request: "4e8731d9".into(), ..content() },
            ApprovalContent { key: "releas".into(), request: "4e8731d8e".into(), ..content() },
            ApprovalContent { made: content().made + time::Duration::SECOND, ..content() },
            ApprovalContent { algorithm: "SHA256_WITH_ECDSA".into(), ..content() },
            ApprovalContent { payload: b"other".to_vec(), ..content() },
        ] {
            assert_ne!(bytes, other.encode());
        }
    }
}
