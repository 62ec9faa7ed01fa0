//! The protocol (RFC 3161, sections 2.4.1 and 2.4.2): requests as they are read, answers as they are written.

use super::super::asn1::{self, integer, sequence};
use super::super::{ForgeError, tlv};
use super::{Imprint, TimestampDraft};

/// What a time stamping authority was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRequest {
    /// What is to be stamped.
    pub imprint: Imprint,
    /// The policy that is asked for, as a dotted object identifier.
    pub policy: Option<String>,
    /// The content of the nonce's INTEGER.
    pub nonce: Option<Vec<u8>>,
    /// Whether certificates are wanted.
    pub certificates: bool,
}

impl TimestampRequest {
    /// Reads a request; `None` if `der` is not a `TimeStampReq`.
    pub fn read(der: &[u8]) -> Option<TimestampRequest> {
        let (request, _) = asn1::read(der)?;
        let fields = request.inside();
        let [_version, imprint, rest @ ..] = fields.as_slice() else { return None };
        let imprint = imprint.inside();
        let [hash, digest] = imprint.as_slice() else { return None };
        let hash = hash.inside().first()?.dotted()?;
        let mut read = TimestampRequest {
            imprint: Imprint { hash, digest: digest.content.to_vec() },
            policy: None,
            nonce: None,
            certificates: false,
        };
        for field in rest {
            match field.tag {
                asn1::OID => read.policy = field.dotted(),
                asn1::INTEGER => read.nonce = Some(field.content.to_vec()),
                asn1::BOOLEAN => read.certificates = field.content.iter().any(|&byte| byte != 0),
                _ => {}
            }
        }
        Some(read)
    }
}

/// How an authority answers, by RFC 3161's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampStatus {
    /// The token follows.
    #[default]
    Granted,
    /// A token follows that differs from what was asked for.
    GrantedWithMods,
    /// There is no token, for the reason of this bit: 0 badAlg, 2 badRequest, 14 timeNotAvailable, 25 systemFailure.
    Rejected(u8),
    /// There is no token yet.
    Waiting,
}

impl TimestampStatus {
    /// The answer, with `token` where this status has one.
    pub fn response(self, token: &[u8]) -> Vec<u8> {
        let (status, failure, token): (u8, Vec<u8>, &[u8]) = match self {
            TimestampStatus::Granted => (0, Vec::new(), token),
            TimestampStatus::GrantedWithMods => (1, Vec::new(), token),
            TimestampStatus::Rejected(bit) => (2, failure(bit), &[]),
            TimestampStatus::Waiting => (3, Vec::new(), &[]),
        };
        let status = sequence(&[&integer(status), &failure]);
        sequence(&[&status, token])
    }
}

/// PKIFailureInfo with one bit set.
fn failure(bit: u8) -> Vec<u8> {
    let mut content = vec![7 - bit % 8];
    content.resize(usize::from(bit / 8) + 1, 0);
    content.push(0x80 >> (bit % 8));
    tlv(0x03, &content)
}

impl TimestampDraft {
    /// The answer of the protocol: the token where `status` has one.
    pub fn response(&self, status: TimestampStatus) -> Result<Vec<u8>, ForgeError> {
        Ok(status.response(&self.sign()?))
    }
}
