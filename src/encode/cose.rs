//! The sound parts of a COSE envelope (*signature-envelope-cose*; RFC 9052, COSE_Sign1), and how they are joined.

use time::OffsetDateTime;

use super::{Cbor, EncodeError, PAYLOAD_TYPE, Statement, statement};
use crate::envelope::SigningScheme;
use crate::pki::KeyKind;

/// The label of the algorithm.
pub const ALGORITHM: Cbor = Cbor::Integer(1);
/// The label of the list of critical labels.
pub const CRITICAL: Cbor = Cbor::Integer(2);
/// The label of the content type.
pub const CONTENT_TYPE: Cbor = Cbor::Integer(3);
/// The label of the certificate chain.
pub const CHAIN: Cbor = Cbor::Integer(33);

/// The tag of COSE_Sign1.
pub const TAG: u64 = 18;

/// The label of the unprotected header that holds a time-stamp token.
const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";

/// The pairs of a header, in the order in which they are written.
pub type Header = Vec<(Cbor, Cbor)>;

/// The `alg` of a COSE message that a key of `kind` signs.
pub fn algorithm(kind: KeyKind) -> i64 {
    match kind {
        KeyKind::Rsa2048 => -37,
        KeyKind::Rsa3072 => -38,
        KeyKind::Rsa4096 => -39,
        KeyKind::P256 => -7,
        KeyKind::P384 => -35,
        KeyKind::P521 => -36,
    }
}

/// The headers and the payload of a COSE message.
#[derive(Debug, Clone)]
pub struct Cose {
    /// The protected header.
    pub protected: Header,
    /// The payload.
    pub payload: Vec<u8>,
    /// The unprotected header.
    pub unprotected: Header,
}

impl Cose {
    /// A COSE message of `statement` for a key of `kind`, whose certificates are still missing.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Time`].
    pub fn new(statement: &Statement, kind: KeyKind) -> Result<Cose, EncodeError> {
        let scheme = Cbor::text("io.cncf.notary.signingScheme");
        let mut critical = vec![scheme.clone()];
        let mut protected = vec![
            (ALGORITHM, Cbor::Integer(algorithm(kind))),
            (CONTENT_TYPE, Cbor::text(PAYLOAD_TYPE)),
            (scheme, Cbor::text(statement::word(statement.scheme))),
        ];
        match statement.scheme {
            SigningScheme::X509 => {
                protected.push((Cbor::text("io.cncf.notary.signingTime"), time(statement.signing_time)));
            }
            SigningScheme::SigningAuthority => {
                let label = Cbor::text("io.cncf.notary.authenticSigningTime");
                critical.push(label.clone());
                protected.push((label, time(statement.signing_time)));
            }
        }
        if let Some(expiry) = statement.expiry {
            let label = Cbor::text("io.cncf.notary.expiry");
            critical.push(label.clone());
            protected.push((label, time(expiry)));
        }
        for attribute in &statement.attributes {
            let label = Cbor::text(&attribute.name);
            if attribute.critical {
                critical.push(label.clone());
            }
            protected.push((label, Cbor::text(&attribute.value)));
        }
        protected.insert(1, (CRITICAL, Cbor::Array(critical)));

        let mut unprotected = vec![(CHAIN, Cbor::Array(Vec::new()))];
        if let Some(agent) = &statement.signing_agent {
            unprotected.push((Cbor::text("io.cncf.notary.signingAgent"), Cbor::text(agent)));
        }
        Ok(Cose { protected, payload: statement.payload(), unprotected })
    }

    /// The bytes that are signed.
    pub fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(&self.protected_item(), &Cbor::Bytes(self.payload.clone()))
    }

    /// The bytes of the envelope with this signature.
    pub fn envelope(&self, signature: &[u8]) -> Vec<u8> {
        let items = vec![
            self.protected_item(),
            Cbor::Map(self.unprotected.clone()),
            Cbor::Bytes(self.payload.clone()),
            Cbor::Bytes(signature.to_vec()),
        ];
        Cbor::Tagged(TAG, Box::new(Cbor::Array(items))).encode()
    }

    fn protected_item(&self) -> Cbor {
        Cbor::Bytes(Cbor::Map(self.protected.clone()).encode())
    }
}

/// The structure that is signed (RFC 9052, section 4.4), around the items of the protected header and of the payload.
pub fn sig_structure(protected: &Cbor, payload: &Cbor) -> Vec<u8> {
    Cbor::Array(vec![Cbor::text("Signature1"), protected.clone(), Cbor::Bytes(Vec::new()), payload.clone()]).encode()
}

/// Replaces the value of a label, or adds it.
pub fn set(header: &mut Header, label: Cbor, value: Cbor) {
    match header.iter_mut().find(|(old, _)| *old == label) {
        Some((_, old)) => *old = value,
        None => header.push((label, value)),
    }
}

/// Replaces the certificates in the unprotected header.
pub fn set_chain(unprotected: &mut Header, chain: &[Vec<u8>]) {
    let chain = Cbor::Array(chain.iter().map(|certificate| Cbor::Bytes(certificate.clone())).collect());
    set(unprotected, CHAIN, chain);
}

/// Puts a time-stamp token into the unprotected header.
pub fn set_timestamp(unprotected: &mut Header, token: &[u8]) {
    set(unprotected, Cbor::text(TIMESTAMP), Cbor::Bytes(token.to_vec()));
}

/// A time as the specification wants it: tag 1, whole seconds.
fn time(time: OffsetDateTime) -> Cbor {
    Cbor::Tagged(1, Box::new(Cbor::Integer(time.unix_timestamp())))
}
