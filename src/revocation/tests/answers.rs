//! CRLs and OCSP answers to judge: sound by default, every part open.

use aws_lc_rs::digest;
use time::macros::datetime;

use super::*;
use crate::forge::asn1;
pub(in crate::revocation) use crate::forge::asn1::{bits, generalized_time as time, integer, octets, sequence};

pub(in crate::revocation) fn oid(dotted: &str) -> Vec<u8> {
    asn1::oid(dotted).unwrap()
}

pub(in crate::revocation) fn extension(dotted: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    asn1::extension_value(dotted, critical, value).unwrap()
}

/// The algorithm by which `key` signs.
pub(in crate::revocation) fn algorithm(key: &Key) -> Vec<u8> {
    let (dotted, null) = key.kind().certificate_algorithm();
    asn1::algorithm(dotted, null).unwrap()
}

/// One entry of a CRL.
#[derive(Clone)]
pub(in crate::revocation) struct Entry {
    pub(in crate::revocation) serial: Vec<u8>,
    pub(in crate::revocation) at: OffsetDateTime,
    pub(in crate::revocation) reason: Option<u8>,
    pub(in crate::revocation) invalid_from: Option<OffsetDateTime>,
    pub(in crate::revocation) extra: Vec<Vec<u8>>,
}

impl Entry {
    pub(in crate::revocation) fn new(serial: &[u8], at: OffsetDateTime, reason: Option<u8>) -> Entry {
        Entry { serial: serial.to_vec(), at, reason, invalid_from: None, extra: Vec::new() }
    }

    fn der(&self) -> Vec<u8> {
        let mut extensions = self.extra.clone();
        extensions.extend(self.reason.map(|reason| extension("2.5.29.21", false, &tlv(0x0a, &[reason]))));
        extensions.extend(self.invalid_from.map(|from| extension("2.5.29.24", false, &time(from))));
        let extensions = if extensions.is_empty() { Vec::new() } else { sequence(&extensions) };
        sequence(&[tlv(0x02, &self.serial), time(self.at), extensions])
    }
}

/// A CRL before it is signed.
#[derive(Clone)]
pub(in crate::revocation) struct CrlAnswer {
    pub(in crate::revocation) key: Key,
    pub(in crate::revocation) issuer: Vec<u8>,
    pub(in crate::revocation) version: Vec<u8>,
    pub(in crate::revocation) algorithm: Vec<u8>,
    pub(in crate::revocation) this_update: OffsetDateTime,
    pub(in crate::revocation) next_update: Option<OffsetDateTime>,
    pub(in crate::revocation) number: Option<i16>,
    pub(in crate::revocation) base: Option<i16>,
    pub(in crate::revocation) freshest: Option<Vec<String>>,
    pub(in crate::revocation) entries: Vec<Entry>,
    pub(in crate::revocation) extra: Vec<Vec<u8>>,
}

impl CrlAnswer {
    pub(in crate::revocation) fn new(authority: &Authority) -> CrlAnswer {
        CrlAnswer {
            key: authority.key().clone(),
            issuer: Certificate::parse(authority.certificate()).unwrap().subject_raw().to_vec(),
            version: integer(1),
            algorithm: algorithm(authority.key()),
            this_update: NOW - Duration::days(1),
            next_update: Some(NOW + Duration::days(1)),
            number: Some(5),
            base: None,
            freshest: None,
            entries: vec![Entry::new(&[0x7f], datetime!(2026-01-01 0:00 UTC), Some(1))],
            extra: Vec::new(),
        }
    }

    pub(in crate::revocation) fn with(mut self, change: impl FnOnce(&mut CrlAnswer)) -> CrlAnswer {
        change(&mut self);
        self
    }

    pub(in crate::revocation) fn listing(self, entries: Vec<Entry>) -> CrlAnswer {
        CrlAnswer { entries, ..self }
    }

    pub(in crate::revocation) fn sign(&self) -> Vec<u8> {
        let entries: Vec<_> = self.entries.iter().map(Entry::der).collect();
        self.sign_with_list(if entries.is_empty() { Vec::new() } else { sequence(&entries) })
    }

    /// The same with a list of entries that is encoded already.
    pub(in crate::revocation) fn sign_with_list(&self, list: Vec<u8>) -> Vec<u8> {
        let mut extensions = self.extra.clone();
        extensions.extend(self.number.map(|number| extension("2.5.29.20", false, &integer(number))));
        extensions.extend(self.base.map(|base| extension("2.5.29.27", true, &integer(base))));
        extensions.extend(self.freshest.as_ref().map(|urls| extension("2.5.29.46", false, &points(urls))));
        let extensions = if extensions.is_empty() { Vec::new() } else { tlv(0xa0, &sequence(&extensions)) };
        let tbs = sequence(&[
            self.version.clone(),
            self.algorithm.clone(),
            self.issuer.clone(),
            time(self.this_update),
            self.next_update.map(time).unwrap_or_default(),
            list,
            extensions,
        ]);
        let signature = self.key.sign_certificate(&tbs).unwrap();
        sequence(&[tbs, self.algorithm.clone(), bits(&signature)])
    }
}

/// Distribution points, each with one address.
pub(in crate::revocation) fn points(urls: &[String]) -> Vec<u8> {
    let point = |url: &String| sequence(&[tlv(0xa0, &tlv(0xa0, &tlv(0x86, url.as_bytes())))]);
    sequence(&urls.iter().map(point).collect::<Vec<_>>())
}

/// What an OCSP answer says of one certificate.
#[derive(Clone)]
pub(in crate::revocation) struct Single {
    pub(in crate::revocation) id: Vec<u8>,
    pub(in crate::revocation) status: Vec<u8>,
    pub(in crate::revocation) this_update: OffsetDateTime,
    pub(in crate::revocation) next_update: Option<OffsetDateTime>,
    pub(in crate::revocation) extensions: Vec<Vec<u8>>,
}

pub(in crate::revocation) const GOOD: [u8; 2] = [0x80, 0];
pub(in crate::revocation) const UNKNOWN: [u8; 2] = [0x82, 0];

pub(in crate::revocation) fn status_revoked(at: OffsetDateTime, reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|reason| tlv(0xa0, &tlv(0x0a, &[reason]))).unwrap_or_default();
    tlv(0xa1, &[time(at), reason].concat())
}

/// A `CertID` by this hash.
pub(in crate::revocation) fn id_by(
    algorithm: (&str, &'static digest::Algorithm),
    issuer: &Certificate,
    serial: &[u8],
) -> Vec<u8> {
    let hash = |content| octets(digest::digest(algorithm.1, content).as_ref());
    sequence(&[
        sequence(&[oid(algorithm.0), tlv(0x05, &[])]),
        hash(issuer.subject_raw()),
        hash(issuer.key_bits()),
        tlv(0x02, serial),
    ])
}

pub(in crate::revocation) const SHA_1: (&str, &digest::Algorithm) =
    ("1.3.14.3.2.26", &digest::SHA1_FOR_LEGACY_USE_ONLY);

impl Single {
    pub(in crate::revocation) fn new(issuer: &Authority, serial: &[u8]) -> Single {
        let issuer = Certificate::parse(issuer.certificate()).unwrap();
        Single {
            id: id_by(SHA_1, &issuer, serial),
            status: GOOD.to_vec(),
            this_update: NOW - Duration::hours(1),
            next_update: Some(NOW + Duration::hours(1)),
            extensions: Vec::new(),
        }
    }

    fn der(&self) -> Vec<u8> {
        let next = self.next_update.map(|next| tlv(0xa0, &time(next))).unwrap_or_default();
        let extensions = if self.extensions.is_empty() { Vec::new() } else { tlv(0xa1, &sequence(&self.extensions)) };
        sequence(&[self.id.clone(), self.status.clone(), time(self.this_update), next, extensions])
    }
}

/// An OCSP answer before it is signed.
#[derive(Clone)]
pub(in crate::revocation) struct OcspReply {
    pub(in crate::revocation) key: Key,
    pub(in crate::revocation) algorithm: Vec<u8>,
    /// The `ResponderID`.
    pub(in crate::revocation) responder: Vec<u8>,
    pub(in crate::revocation) singles: Vec<Single>,
    pub(in crate::revocation) certificates: Vec<Vec<u8>>,
    pub(in crate::revocation) extensions: Vec<Vec<u8>>,
}

pub(in crate::revocation) fn by_name(certificate: &[u8]) -> Vec<u8> {
    tlv(0xa1, Certificate::parse(certificate).unwrap().subject_raw())
}

pub(in crate::revocation) fn by_key(certificate: &[u8]) -> Vec<u8> {
    let certificate = Certificate::parse(certificate).unwrap();
    tlv(0xa2, &octets(digest::digest(SHA_1.1, certificate.key_bits()).as_ref()))
}

impl OcspReply {
    pub(in crate::revocation) fn new(issuer: &Authority, single: Single) -> OcspReply {
        OcspReply {
            key: issuer.key().clone(),
            algorithm: algorithm(issuer.key()),
            responder: by_name(issuer.certificate()),
            singles: vec![single],
            certificates: Vec::new(),
            extensions: Vec::new(),
        }
    }

    pub(in crate::revocation) fn with(mut self, change: impl FnOnce(&mut OcspReply)) -> OcspReply {
        change(&mut self);
        self
    }

    /// Says this of the certificate.
    pub(in crate::revocation) fn saying(self, status: impl Into<Vec<u8>>) -> OcspReply {
        self.with(|reply| reply.singles[0].status = status.into())
    }

    /// Signed by a delegate with this certificate.
    pub(in crate::revocation) fn by(self, delegate: &Signer) -> OcspReply {
        OcspReply {
            key: delegate.key.clone(),
            algorithm: algorithm(&delegate.key),
            responder: by_key(&delegate.chain[0]),
            certificates: vec![delegate.chain[0].clone()],
            ..self
        }
    }

    pub(in crate::revocation) fn sign(&self) -> Vec<u8> {
        let extensions = if self.extensions.is_empty() { Vec::new() } else { tlv(0xa1, &sequence(&self.extensions)) };
        let tbs = sequence(&[
            self.responder.clone(),
            time(NOW - Duration::hours(1)),
            sequence(&self.singles.iter().map(Single::der).collect::<Vec<_>>()),
            extensions,
        ]);
        let signature = self.key.sign_certificate(&tbs).unwrap();
        let certificates =
            if self.certificates.is_empty() { Vec::new() } else { tlv(0xa0, &sequence(&self.certificates)) };
        wrapped(&sequence(&[tbs, self.algorithm.clone(), bits(&signature), certificates]))
    }
}

/// A successful `OCSPResponse` around a basic one.
pub(in crate::revocation) fn wrapped(basic: &[u8]) -> Vec<u8> {
    let bytes = sequence(&[oid("1.3.6.1.5.5.7.48.1.1"), octets(basic)]);
    sequence(&[tlv(0x0a, &[0]), tlv(0xa0, &bytes)])
}

/// An answer that is nothing but a status.
pub(in crate::revocation) fn bare_status(status: u8) -> Vec<u8> {
    sequence(&[tlv(0x0a, &[status])])
}
