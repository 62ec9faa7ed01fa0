//! Tokens for tests, sound or broken: every part of one as DER, open to be changed before it is signed.

use der::asn1::ObjectIdentifier;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::digest::Digest;
use crate::forge::{
    Authority, CertificateDraft, ForgeError, Key, KeyKind, LeafRequest, Signer, extended_key_usage, tlv,
};
use crate::pki::Certificate;

pub(super) const MESSAGE: &[u8] = b"the primitive signature";
pub(super) const TIME: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);
pub(super) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

pub(super) const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub(super) const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(super) const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
pub(super) const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.12";
pub(super) const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
pub(super) const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
pub(super) const SHA1: &str = "1.3.14.3.2.26";
pub(super) const SHA256: &str = "2.16.840.1.101.3.4.2.1";

/// The places of the fields of a `TSTInfo`.
pub(super) const POLICY: usize = 1;
pub(super) const IMPRINT: usize = 2;
pub(super) const GEN_TIME: usize = 4;

pub(super) fn oid(dotted: &str) -> Vec<u8> {
    tlv(0x06, ObjectIdentifier::new_unwrap(dotted).as_bytes())
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(0x04, bytes)
}

pub(super) fn attribute(kind: &str, values: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[oid(kind), tlv(0x31, &values.concat())])
}

pub(super) fn generalized(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

pub(super) fn imprint(algorithm: &str, hash: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&[oid(algorithm), vec![5, 0]]), octets(hash)])
}

/// `signing-certificate-v2` of one certificate by SHA-256, with whatever follows the hash.
pub(super) fn names_certificate(hash: &[u8], behind: &[Vec<u8>]) -> Vec<u8> {
    let named = sequence(&[octets(hash), behind.concat()]);
    attribute(SIGNING_CERTIFICATE_V2, &[sequence(&[sequence(&[named])])])
}

/// An `IssuerSerial`.
pub(super) fn issuer_serial(certificate: &Certificate) -> Vec<u8> {
    let name = tlv(0xa4, certificate.issuer_raw());
    sequence(&[sequence(&[name]), tlv(0x02, certificate.serial())])
}

pub(super) fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

/// Root and intermediate of the authority that all these tests trust.
pub(super) fn authority() -> Authority {
    root().intermediate("C=US, ST=WA, O=timekeeper, CN=issuing", key(11)).unwrap()
}

pub(super) fn root() -> Authority {
    Authority::root("C=US, ST=WA, O=timekeeper, CN=root", key(10)).unwrap()
}

/// A certificate that may sign time stamps, changed.
pub(super) fn stamper(
    authority: &Authority,
    key: Key,
    change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
) -> Signer {
    let request = LeafRequest::new("C=US, ST=WA, O=timekeeper, CN=stamper", key).unwrap();
    let stamping = |draft: &mut CertificateDraft| {
        draft.set(extended_key_usage(&[TIME_STAMPING], true)?);
        change(draft)
    };
    authority.issue_with(request, stamping).unwrap()
}

/// A token before it is signed.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) key: Key,
    pub(super) root: Certificate,
    pub(super) version: u8,
    pub(super) content_type: &'static str,
    /// The fields of the `TSTInfo`.
    pub(super) info: Vec<Vec<u8>>,
    /// The certificates, or other choices.
    pub(super) certificates: Vec<Vec<u8>>,
    /// CRLs that the token carries.
    pub(super) crls: Vec<Vec<u8>>,
    pub(super) signer_version: u8,
    pub(super) id: Vec<u8>,
    pub(super) digest_algorithm: &'static str,
    pub(super) signature_algorithm: Vec<u8>,
    /// In the place of the sound ones.
    pub(super) attributes: Option<Vec<Vec<u8>>>,
    /// What stands behind the signature.
    pub(super) unsigned: Vec<u8>,
    pub(super) without_attributes: bool,
    /// The attributes are signed in the order in which they stand, not in that of DER.
    pub(super) signed_as_they_stand: bool,
    /// How often the signer is there.
    pub(super) signers: usize,
}

impl Draft {
    /// A sound token of `signer`, whose root is trusted.
    pub(super) fn of(signer: &Signer) -> Draft {
        let leaf = Certificate::parse(&signer.chain[0]).unwrap();
        let (root, carried) = signer.chain.split_last().unwrap();
        let (algorithm, null) = signer.key.kind().certificate_algorithm();
        let parameters = if null { vec![5, 0] } else { Vec::new() };
        Draft {
            key: signer.key.clone(),
            root: Certificate::parse(root).unwrap(),
            version: 3,
            content_type: TST_INFO,
            info: vec![
                vec![2, 1, 1],
                oid("1.2.3.4.1"),
                imprint(SHA256, Digest::sha256(MESSAGE).bytes()),
                vec![2, 1, 7],
                generalized("20260601120000Z"),
            ],
            certificates: carried.iter().rev().cloned().collect(),
            crls: Vec::new(),
            signer_version: 1,
            id: sequence(&[leaf.issuer_raw().to_vec(), tlv(0x02, leaf.serial())]),
            digest_algorithm: SHA256,
            signature_algorithm: sequence(&[oid(algorithm), parameters]),
            attributes: None,
            unsigned: Vec::new(),
            without_attributes: false,
            signed_as_they_stand: false,
            signers: 1,
        }
    }

    /// A sound token: an EC key, an intermediate, no accuracy.
    pub(super) fn sound() -> Draft {
        Draft::of(&stamper(&authority(), key(12), |_| Ok(())))
    }

    pub(super) fn content(&self) -> Vec<u8> {
        sequence(&self.info)
    }

    pub(super) fn leaf(&self) -> Certificate {
        let parsed = |der: &Vec<u8>| Certificate::parse(der).unwrap();
        self.certificates.iter().map(parsed).find(|certificate| !certificate.is_ca()).unwrap()
    }

    /// contentType, messageDigest and signing-certificate-v2.
    pub(super) fn sound_attributes(&self) -> Vec<Vec<u8>> {
        let digest = Digest::sha256(&self.content());
        vec![
            attribute(CONTENT_TYPE, &[oid(TST_INFO)]),
            attribute(MESSAGE_DIGEST, &[octets(digest.bytes())]),
            names_certificate(self.leaf().fingerprint().bytes(), &[]),
        ]
    }

    /// Signs: the token.
    pub(super) fn seal(&self) -> Vec<u8> {
        let attributes = self.attributes.clone().unwrap_or_else(|| self.sound_attributes());
        let mut sorted = attributes.clone();
        if !self.signed_as_they_stand {
            sorted.sort();
        }
        let attributes = attributes.concat();
        let signed = if self.without_attributes { self.content() } else { tlv(0x31, &sorted.concat()) };
        let signature = self.key.sign_certificate(&signed).unwrap();
        let attributes = if self.without_attributes { Vec::new() } else { tlv(0xa0, &attributes) };
        let digest_algorithm = sequence(&[oid(self.digest_algorithm), vec![5, 0]]);
        let signer = sequence(&[
            vec![2, 1, self.signer_version],
            self.id.clone(),
            digest_algorithm.clone(),
            attributes,
            self.signature_algorithm.clone(),
            octets(&signature),
            self.unsigned.clone(),
        ]);
        let data = sequence(&[
            vec![2, 1, self.version],
            tlv(0x31, &digest_algorithm),
            sequence(&[oid(self.content_type), tlv(0xa0, &octets(&self.content()))]),
            tlv(0xa0, &self.certificates.concat()),
            if self.crls.is_empty() { Vec::new() } else { tlv(0xa1, &self.crls.concat()) },
            tlv(0x31, &signer.repeat(self.signers)),
        ]);
        sequence(&[oid("1.2.840.113549.1.7.2"), tlv(0xa0, &data)])
    }
}
