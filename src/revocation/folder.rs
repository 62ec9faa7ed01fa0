//! Answers from a folder, for machines without a network: nothing is ever fetched.
//!
//! People fill such a folder with what they have, so several shapes are understood, side by side:
//!
//! - what [`super::Copying`] writes: `crl/HASH.crl` and `ocsp/HASH.ocsp`, or the files without their folder;
//! - notation's cache: `crl/HASH` or `HASH`, where HASH is the hexadecimal SHA-256 of the CRL's address;
//! - `HOST/PATH`, as `wget -x -P DIR URL` leaves a CRL, in DER or PEM;
//! - OCSP answers in DER under any name, found by the certificates that they are about, as
//!   `openssl ocsp -respout FILE` writes them.
//!
//! Nothing in it is believed: every answer is verified like one from a server. What a file is, its contents say; what is
//! none of these is passed over.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use super::cache_file::CacheFile;
use super::outline::{CertificateId, CrlOutline, OcspOutline};
use super::scan::Scan;
use super::{Answer, Need, RevocationSource, place};
use crate::failure::{Code, is_unprintable, quote};
use crate::json;
use crate::pem;
use crate::source::registry::authority;
use crate::source::{Trouble, TroubleKind};

/// A folder of recorded answers.
#[derive(Debug, Default)]
pub struct Folder {
    folder: PathBuf,
    /// CRLs and OCSP answers by their path below the folder.
    files: HashMap<String, Answer>,
    /// Base CRLs of notation's cache by the name of their file.
    cached: HashMap<String, Answer>,
    /// Deltas of notation's cache by the addresses that their base names.
    deltas: HashMap<String, Answer>,
    /// The newest OCSP answer about a certificate, and when it was made.
    about: HashMap<CertificateId, (Vec<u8>, Answer)>,
    /// Why there was no answer, by the path of the file that says so.
    troubles: HashMap<String, Trouble>,
    warnings: Vec<String>,
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
        let scan =
            Scan::read(folder).map_err(|error| FolderError { folder: folder.to_owned(), reason: error.to_string() })?;
        let mut found = Folder { folder: folder.to_owned(), ..Folder::default() };
        let mut passed_over = scan.passed_over;
        for (path, bytes) in scan.files {
            if let Err(why) = found.add(&path, bytes) {
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

    /// What its user should know; safe to print.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), String> {
        let (name, ending) = path.rsplit_once('.').unwrap_or((path, ""));
        if ending == place::TROUBLE {
            self.troubles.insert(name.to_owned(), trouble(&bytes)?);
            return Ok(());
        }
        if is_copy(name, ending) {
            // As it came, nonsense included: the server's nonsense is part of the report that is to be repeated.
            self.add_ocsp(&bytes);
            self.files.insert(path.to_owned(), Answer::new(bytes));
            return Ok(());
        }
        match bytes.first() {
            Some(b'{') => return self.add_cached(path, &bytes),
            Some(0x30) => {}
            _ if pem::is_pem(&bytes) => {
                self.files.insert(path.to_owned(), Answer::new(crl_in_pem(&bytes)?));
                return Ok(());
            }
            // Most likely somebody's notes.
            _ if !matches!(ending, "ocsp" | "resp" | "der" | "crl") => return Ok(()),
            _ => return Err("is neither DER nor PEM".to_owned()),
        }
        if !self.add_ocsp(&bytes) && matches!(ending, "ocsp" | "resp") {
            return Err("is no OCSP answer".to_owned());
        }
        self.files.insert(path.to_owned(), Answer::new(bytes));
        Ok(())
    }

    /// Adds what is an OCSP answer to those that are found by their certificates; whether it is one.
    fn add_ocsp(&mut self, bytes: &[u8]) -> bool {
        let Some(OcspOutline { produced, certificates }) = OcspOutline::read(bytes) else { return false };
        let answer = Answer::new(bytes.to_vec());
        for certificate in certificates {
            let newest = self.about.entry(certificate).or_insert_with(|| (produced.clone(), answer.clone()));
            if newest.0 < produced {
                *newest = (produced.clone(), answer.clone());
            }
        }
        true
    }

    fn add_cached(&mut self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let file = CacheFile::decode(bytes).map_err(|error| format!("is no cached CRL: {error}"))?;
        if let (Some(delta), Some(outline)) = (file.delta, CrlOutline::read(&file.base)) {
            let delta = Answer::new(delta);
            self.deltas.extend(outline.freshest.into_iter().map(|address| (address, delta.clone())));
        }
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        self.cached.insert(name.to_owned(), Answer::new(file.base));
        Ok(())
    }

    fn find(&self, need: &Need) -> Option<&Answer> {
        let (kind, name, ending) = place::of(need);
        let copy = format!("{name}.{ending}");
        let copied = self.files.get(&format!("{kind}/{copy}")).or_else(|| self.files.get(&copy));
        copied.or_else(|| match need {
            Need::Crl(url) => {
                let downloaded = || downloads(url).iter().find_map(|path| self.files.get(path));
                self.cached.get(&name).or_else(|| self.deltas.get(url)).or_else(downloaded)
            }
            Need::Ocsp { request, .. } => {
                let asked = CertificateId::of_request(request)?;
                asked.iter().find_map(|certificate| self.about.get(certificate)).map(|(_, answer)| answer)
            }
        })
    }
}

#[async_trait]
impl RevocationSource for Folder {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        if let Some(answer) = self.find(need) {
            return Ok(answer.clone());
        }
        let (kind, name, _) = place::of(need);
        let trouble = self.troubles.get(&format!("{kind}/{name}")).or_else(|| self.troubles.get(&name));
        if let Some(trouble) = trouble {
            return Err(trouble.clone());
        }
        let folder = quote(&self.folder.display().to_string());
        let supply = match need {
            Need::Crl(_) => "fetch it with wget -x -P",
            Need::Ocsp { .. } => "supply it with openssl ocsp -respout, or by a run with --revocation-to, in",
        };
        let message = format!("no answer in {folder} for {need}; {supply} that folder");
        Err(Trouble::new(TroubleKind::NotFound, message))
    }
}

/// Whether a file without its `ending` has a name as [`place::of`] makes them.
fn is_copy(name: &str, ending: &str) -> bool {
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    matches!(ending, "crl" | "ocsp") && name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Where wget leaves what it fetched from `url`: with the path as it stands there, and with its escapes resolved.
fn downloads(url: &str) -> Vec<String> {
    let Ok(url) = Url::parse(url.trim()) else { return Vec::new() };
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
