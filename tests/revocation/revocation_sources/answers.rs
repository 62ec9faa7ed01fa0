//! CRLs and OCSP messages with a true outline and no true signature, and sources that count.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use muster::digest::Digest;
use muster::fetch::{RevocationSource, Warn};
use muster::forge::tlv;
use muster::revocation::{Accepted, Answer, Issuer, Need};
use muster::trouble::{Trouble, TroubleKind};
use time::OffsetDateTime;
use time::macros::{datetime, format_description};

/// When everything here is judged.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-24 00:00 UTC);
pub(crate) const LATER: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);
pub(crate) const EARLIER: OffsetDateTime = datetime!(2026-11-23 23:59:59 UTC);

/// A CRL of `number`, due to be followed at `next`, whose deltas are at `freshest`.
pub(crate) fn crl(number: u8, next: OffsetDateTime, freshest: &[&str]) -> Vec<u8> {
    crl_of("Acme", number, Some(next), freshest)
}

pub(crate) fn crl_of(issuer: &str, number: u8, next: Option<OffsetDateTime>, freshest: &[&str]) -> Vec<u8> {
    let time = |time: OffsetDateTime| {
        let text = time.format(format_description!("[year repr:last_two][month][day][hour][minute][second]Z")).unwrap();
        tlv(0x17, text.as_bytes())
    };
    let extension = |oid: &[u8], value: Vec<u8>| tlv(0x30, &[tlv(0x06, oid), tlv(0x04, &value)].concat());
    let mut extensions = extension(&[0x55, 0x1d, 20], tlv(0x02, &[number]));
    if !freshest.is_empty() {
        let points = freshest.iter().map(|url| {
            let name = tlv(0xa0, &tlv(0xa0, &tlv(0x86, url.as_bytes())));
            tlv(0x30, &name)
        });
        extensions.extend(extension(&[0x55, 0x1d, 46], tlv(0x30, &points.collect::<Vec<_>>().concat())));
    }
    let algorithm = tlv(0x30, &tlv(0x06, &[0x2a, 0x86, 0x48]));
    let signed = [
        tlv(0x02, &[1]),
        algorithm.clone(),
        tlv(0x30, &tlv(0x0c, issuer.as_bytes())),
        time(datetime!(2026-11-01 00:00 UTC)),
        next.map(time).unwrap_or_default(),
        tlv(0xa0, &tlv(0x30, &extensions)),
    ];
    tlv(0x30, &[tlv(0x30, &signed.concat()), algorithm, tlv(0x03, &[0, 1])].concat())
}

/// `CertID` of the certificate with this serial number, with or without the parameters of its hash.
fn certificate(serial: u8, parameters: bool) -> Vec<u8> {
    let parameters = if parameters { tlv(0x05, &[]) } else { Vec::new() };
    let algorithm = tlv(0x30, &[tlv(0x06, &[0x2b, 0x0e, 0x03, 0x02, 0x1a]), parameters].concat());
    tlv(0x30, &[algorithm, tlv(0x04, &[7; 20]), tlv(0x04, &[8; 20]), tlv(0x02, &[serial])].concat())
}

pub(crate) fn ocsp_request(serial: u8) -> Bytes {
    let one = tlv(0x30, &certificate(serial, true));
    tlv(0x30, &tlv(0x30, &tlv(0x30, &one))).into()
}

pub(crate) fn ocsp_need(responder: &str, serial: u8) -> Need {
    Need::Ocsp { responder: responder.to_owned(), request: ocsp_request(serial) }
}

/// An answer about these certificates, made on this day of the month.
pub(crate) fn ocsp_answer(serials: &[u8], day: u8) -> Vec<u8> {
    let produced = tlv(0x18, format!("202611{day:02}000000Z").as_bytes());
    let singles: Vec<u8> = serials
        .iter()
        .flat_map(|serial| tlv(0x30, &[certificate(*serial, false), tlv(0x80, &[]), produced.clone()].concat()))
        .collect();
    let signed = [tlv(0xa2, &tlv(0x04, &[8; 20])), produced, tlv(0x30, &singles)].concat();
    let basic = tlv(0x30, &[tlv(0x30, &signed), tlv(0x30, &[]), tlv(0x03, &[0, 1])].concat());
    let typed = tlv(0x30, &[tlv(0x06, &[0x2b, 1]), tlv(0x04, &basic)].concat());
    tlv(0x30, &[tlv(0x0a, &[0]), tlv(0xa0, &typed)].concat())
}

/// The CRL of the issuer with this name.
pub(crate) fn need_of(name: &str, url: &str) -> Need {
    let issuer = Issuer { name: tlv(0x30, &tlv(0x0c, name.as_bytes())).into(), key: Digest::sha256(name.as_bytes()) };
    Need::Crl { url: url.to_owned(), issuer }
}

pub(crate) fn need(url: &str) -> Need {
    need_of("Acme", url)
}

/// A source that says what it is told to say, and counts.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) answers: Mutex<HashMap<Need, Vec<u8>>>,
    pub(crate) asked: AtomicUsize,
}

impl Script {
    pub(crate) fn with(answers: impl IntoIterator<Item = (Need, Vec<u8>)>) -> Arc<Script> {
        Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), asked: AtomicUsize::new(0) })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl RevocationSource for Script {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let found = self.answers.lock().unwrap().get(need).cloned();
        found.map(Answer::new).ok_or_else(|| Trouble::new(TroubleKind::Unreachable, "nobody is there"))
    }
}

pub(crate) fn accepted(url: &str, base: &[u8], delta: Option<&[u8]>) -> Accepted {
    let answer = |bytes: &[u8]| Answer::new(bytes.to_vec());
    Accepted { need: need(url), answer: answer(base), delta: delta.map(answer), before: Vec::new() }
}

/// The same, where these were kept from before and the same key has signed them.
pub(crate) fn accepted_after(before: &[&[u8]], accepted: Accepted) -> Accepted {
    Accepted { before: before.iter().map(|crl| Digest::sha256(crl)).collect(), ..accepted }
}

/// Collects what a source warns of.
pub(crate) fn warnings() -> (Warn, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&heard);
    (Arc::new(move |warning| list.lock().unwrap().push(warning)), heard)
}
