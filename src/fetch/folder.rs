//! Answers from a folder, for machines without a network: nothing is ever fetched.
//!
//! People fill such a folder with what they have, so several shapes are understood, side by side:
//!
//! - what [`super::RecordingSource`] writes: `crl/HASH.crl` and `ocsp/HASH.ocsp`, or the files without their folder;
//! - notation's cache: `crl/HASH` or `HASH`, where HASH is the hexadecimal SHA-256 of the CRL's address;
//! - `HOST/PATH`, as `wget -x -P DIR URL` leaves a CRL, in DER or PEM;
//! - OCSP answers in DER under any name, found by the certificates that they are about, as
//!   `openssl ocsp -respout FILE` writes them.
//!
//! Of several CRLs for one address and issuer the newest counts, and one that is refused is followed by the next, which is
//! then known not to be the newest.
//!
//! Nothing in it is believed: every answer is verified like one from a server. What a file is, its contents say; what is
//! none of these is passed over.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::cache_file::CacheFile;
use super::candidate::Candidate;
use super::scan::{self, Scan};
use super::{Budget, RevocationSource, file_name};
use crate::address::authority;
use crate::failure::{Code, is_unprintable, quote};
use crate::json;
use crate::limits;
use crate::pem;
use crate::revocation::http_url;
use crate::revocation::peek::{CertificateId, CrlOutline, OcspOutline};
use crate::revocation::{Answer, Arrival, Issuer, Need};
use crate::trouble::{Trouble, TroubleKind};

/// A folder of recorded answers. What it holds is known; the files themselves are read when they are needed.
#[derive(Debug, Default)]
pub struct Folder {
    folder: PathBuf,
    budget: Budget,
    /// CRLs and copies of answers: by their path below the folder, by the name of the file for copies and for notation's
    /// cache, and deltas of notation's cache by the addresses that their base names.
    files: HashMap<String, Vec<Stored>>,
    /// OCSP answers about a certificate, the newest alone, and when it was made.
    about: HashMap<CertificateId, (Option<OffsetDateTime>, Stored)>,
    /// Why there was no answer, by the name of the file that says so.
    troubles: HashMap<String, Trouble>,
    /// When a copied answer came, by the name of the file that says so.
    times: HashMap<String, Arrival>,
    warnings: Vec<String>,
}

/// A file that holds an answer.
#[derive(Debug, Clone)]
struct Stored {
    place: PathBuf,
    form: Form,
    /// What a CRL is, as far as that can be told.
    outline: Option<CrlOutline>,
}

/// How an answer stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    AsItCame,
    Pem,
    /// As the base CRL in a file of notation's cache, or as the delta there.
    CachedBase,
    CachedDelta,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
#[error("{folder} {reason}", folder = quote(&.folder.display().to_string()))]
pub struct FolderError {
    folder: PathBuf,
    reason: String,
}

impl Folder {
    /// Reads the folder, once and in full.
    ///
    /// # Errors
    /// If it cannot be read, or holds far more than recorded answers.
    pub fn read(folder: &Path) -> Result<Folder, FolderError> {
        let wrong = |error: scan::ScanError| FolderError { folder: folder.to_owned(), reason: error.to_string() };
        let scan = Scan::read(folder).map_err(wrong)?;
        let mut found = Folder { folder: folder.to_owned(), ..Folder::default() };
        let mut passed_over = scan.passed_over;
        for (path, place) in scan.files {
            let added = scan::read(&place).and_then(|bytes| found.add(&path, &place, bytes));
            if let Err(why) = added {
                passed_over.push(format!("{path}, which {why}"));
            }
        }
        if let Some(first) = passed_over.first() {
            let others = match passed_over.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let folder = quote(&folder.display().to_string());
            found.warnings.push(format!("of the recorded answers in {folder} {}{others} is passed over", quote(first)));
        }
        Ok(found)
    }

    /// The same; long answers take their memory from `budget`.
    #[must_use]
    pub fn within(self, budget: Budget) -> Folder {
        Folder { budget, ..self }
    }

    /// What its user should know; safe to print.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn add(&mut self, path: &str, place: &Path, bytes: Vec<u8>) -> Result<(), String> {
        let (name, ending) = path.rsplit_once('.').unwrap_or((path, ""));
        let copy = copied_name(path);
        match (ending, &copy) {
            (file_name::TROUBLE, _) => {
                self.troubles.insert(last_part(name).to_owned(), trouble(&bytes)?);
                return Ok(());
            }
            (file_name::TIME, Some(copy)) => {
                self.times.insert(copy.clone(), arrival(&bytes)?);
                return Ok(());
            }
            ("crl" | "ocsp", Some(copy)) => {
                // As it came, nonsense included: the server's nonsense is part of the report that is to be repeated.
                self.add_ocsp(place, &bytes);
                self.add_file(copy.clone(), place, Form::AsItCame, &bytes);
                return Ok(());
            }
            _ => {}
        }
        match bytes.first() {
            Some(b'{') => return self.add_cached(path, place, &bytes),
            Some(0x30) => {}
            _ if pem::is_pem(&bytes) => {
                self.add_file(path.to_owned(), place, Form::Pem, &crl_in_pem(&bytes)?);
                return Ok(());
            }
            // Most likely the user's notes.
            _ if !matches!(ending, "ocsp" | "resp" | "der" | "crl") => return Ok(()),
            _ => return Err("is neither DER nor PEM".to_owned()),
        }
        if !self.add_ocsp(place, &bytes) && matches!(ending, "ocsp" | "resp") {
            return Err("is no OCSP answer".to_owned());
        }
        self.add_file(path.to_owned(), place, Form::AsItCame, &bytes);
        Ok(())
    }

    fn add_file(&mut self, key: String, place: &Path, form: Form, bytes: &[u8]) {
        let stored = Stored { place: place.to_owned(), form, outline: CrlOutline::read(bytes) };
        self.files.entry(key).or_default().push(stored);
    }

    /// Adds what is an OCSP answer to those that are found by their certificates; whether it is one.
    fn add_ocsp(&mut self, place: &Path, bytes: &[u8]) -> bool {
        let Some(OcspOutline { produced, certificates }) = OcspOutline::read(bytes) else { return false };
        let stored = Stored { place: place.to_owned(), form: Form::AsItCame, outline: None };
        for certificate in certificates {
            let newest = self.about.entry(certificate).or_insert_with(|| (produced, stored.clone()));
            if newest.0 < produced {
                *newest = (produced, stored.clone());
            }
        }
        true
    }

    fn add_cached(&mut self, path: &str, place: &Path, bytes: &[u8]) -> Result<(), String> {
        let file = CacheFile::decode(bytes).map_err(|error| format!("is no cached CRL: {error}"))?;
        if let (Some(delta), Some(outline)) = (&file.delta, CrlOutline::read(&file.base)) {
            for address in outline.freshest.into_iter().take(limits::REVOCATION_SERVERS) {
                self.add_file(address, place, Form::CachedDelta, delta);
            }
        }
        let key = copied_name(path).unwrap_or_else(|| last_part(path).to_owned());
        self.add_file(key, place, Form::CachedBase, &file.base);
        Ok(())
    }

    /// The CRLs that may be what is asked for: those that say that they are the issuer's first, and of them the newest.
    fn crls(&self, url: &str, issuer: &Issuer) -> Vec<&Stored> {
        let keys =
            [file_name::crl_of(url, issuer), file_name::crl(url), url.to_owned()].into_iter().chain(downloads(url));
        let mut found: Vec<&Stored> = keys.flat_map(|key| self.files.get(&key).into_iter().flatten()).collect();
        let edition = |stored: &Stored| {
            let outline = stored.outline.as_ref().filter(|outline| outline.is_by(issuer));
            outline.map(|outline| outline.edition.clone())
        };
        found.sort_by_cached_key(|stored| Reverse(edition(stored)));
        found
    }

    /// The answer to `need` that comes first, or the one after those that end with `refused`.
    async fn find(&self, need: &Need, refused: Option<&Answer>) -> Option<Answer> {
        let (_, name, _) = file_name::of(need);
        match need {
            Need::Crl { url, issuer } => {
                let mut kept = Vec::new();
                let mut passed = refused.is_none();
                for stored in self.crls(url, issuer) {
                    let Some(candidate) = self.load(stored).await else { continue };
                    let is_refused = refused.is_some_and(|refused| *refused == candidate);
                    if passed && !is_refused {
                        let answer = candidate.besides(kept);
                        return Some(self.dated(&name, answer));
                    }
                    passed |= is_refused;
                    kept.extend(Candidate::new(candidate, None).map(|candidate| candidate.kept()));
                }
                None
            }
            Need::Ocsp { request, .. } => {
                if refused.is_some() {
                    return None;
                }
                let copy = self.files.get(&name).and_then(|stored| stored.first());
                let stored = match copy {
                    Some(stored) => stored,
                    None => {
                        let asked = CertificateId::of_request(request)?;
                        asked.iter().find_map(|certificate| self.about.get(certificate)).map(|(_, stored)| stored)?
                    }
                };
                let answer = self.load(stored).await?;
                Some(self.dated(&name, answer))
            }
        }
    }

    fn dated(&self, name: &str, answer: Answer) -> Answer {
        match self.times.get(name) {
            Some(arrival) => answer.arrived(*arrival),
            None => answer,
        }
    }

    /// Reads a file that was there when the folder was looked through.
    async fn load(&self, stored: &Stored) -> Option<Answer> {
        let length = fs::metadata(&stored.place).ok()?.len();
        let permit = if Budget::is_long(length) { Some(self.budget.permit(length).await?) } else { None };
        let Stored { place, form, .. } = stored.clone();
        let read = move || -> Option<Bytes> {
            let bytes = scan::read(&place).ok()?;
            match form {
                Form::AsItCame => Some(bytes.into()),
                Form::Pem => crl_in_pem(&bytes).ok(),
                Form::CachedBase => Some(CacheFile::decode(&bytes).ok()?.base),
                Form::CachedDelta => CacheFile::decode(&bytes).ok()?.delta,
            }
        };
        let answer = Answer::new(tokio::task::spawn_blocking(read).await.ok()??);
        Some(match permit {
            Some(permit) => answer.holding(Arc::new(permit)),
            None => answer,
        })
    }
}

#[async_trait]
impl RevocationSource for Folder {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        if let Some(answer) = self.find(need, None).await {
            return Ok(answer);
        }
        let (_, name, _) = file_name::of(need);
        // Recordings of earlier versions name the address alone.
        let trouble = self.troubles.get(&name).or_else(|| self.troubles.get(&file_name::crl(need.url())));
        if let Some(trouble) = trouble {
            return Err(trouble.clone());
        }
        let folder = quote(&self.folder.display().to_string());
        let supply = match need {
            Need::Crl { .. } => "fetch it with wget -x -P",
            Need::Ocsp { .. } => "supply it with openssl ocsp -respout, or by a run with --revocation-to, in",
        };
        let message = format!("no answer in {folder} for {need}; {supply} that folder");
        Err(Trouble::new(TroubleKind::NotFound, message))
    }

    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        self.find(need, Some(refused)).await.map(Ok)
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The name that [`file_name::of`] has made, if the file has one of those, with any ending.
fn copied_name(path: &str) -> Option<String> {
    let name = last_part(path);
    let (name, _) = name.split_once('.').unwrap_or((name, ""));
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_copy = match name.split_once('-') {
        Some((address, issuer)) => is_hash(address) && is_hash(issuer),
        None => is_hash(name),
    };
    is_copy.then(|| name.to_owned())
}

/// What a file says about when an answer came: two times, as of which the run judged and when the answer was there.
fn arrival(bytes: &[u8]) -> Result<Arrival, String> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let time = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let read = text.trim_end().split_once(' ').and_then(|(run, at)| Some(Arrival { run: time(run)?, at: time(at)? }));
    read.ok_or_else(|| "does not say when an answer came".to_owned())
}

/// Where wget leaves what it fetched from `url`: with the path as it stands there, and with its escapes resolved.
fn downloads(url: &str) -> Vec<String> {
    let Ok(url) = http_url::parse(url) else { return Vec::new() };
    let mut path = format!("{}{}", authority(&url), url.path());
    if path.ends_with('/') {
        path += "index.html";
    }
    if let Some(query) = url.query() {
        path = format!("{path}?{query}");
    }
    let resolved = unescaped(&path);
    let mut paths = vec![path];
    paths.extend(resolved.filter(|resolved| *resolved != paths[0]));
    paths
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escape = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        rest = if escape.is_some() { &behind[2..] } else { behind };
        bytes.extend(escape.unwrap_or_else(|| vec![*first]));
    }
    String::from_utf8(bytes).ok()
}

/// The one CRL in a PEM file.
fn crl_in_pem(bytes: &[u8]) -> Result<Bytes, String> {
    match pem::blocks(bytes)?.as_slice() {
        [block] if block.label == "X509 CRL" => Ok(Bytes::copy_from_slice(&block.content()?)),
        _ => Err("is PEM, but not one X509 CRL".to_owned()),
    }
}

/// What a file says about why there was no answer.
fn trouble(bytes: &[u8]) -> Result<Trouble, String> {
    const KINDS: [TroubleKind; 6] = [
        TroubleKind::NotFound,
        TroubleKind::Unreachable,
        TroubleKind::AccessDenied,
        TroubleKind::TimedOut,
        TroubleKind::AnswerInvalid,
        TroubleKind::AnswerTooLarge,
    ];
    let text = json::text(bytes).map_err(|error| error.to_string())?;
    let members = json::members(text).map_err(|error| error.to_string())?;
    let member = |name| members.get(name).and_then(|value| json::string(value).ok()).unwrap_or_default();
    let kind = KINDS.into_iter().find(|kind| Code::from(*kind).to_string() == member("kind"));
    let message = member("message");
    match kind {
        Some(kind) if !message.is_empty() && !message.chars().any(is_unprintable) => Ok(Trouble::new(kind, message)),
        _ => Err("does not say why there was no answer".to_owned()),
    }
}
