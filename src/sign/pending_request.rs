//! Requests that wait for approvals, kept on disk, so that they outlive the program that made them.
//!
//! A signature that people approve is over the bytes that were asked for, the time of signing among them. So what is needed to make
//! the same envelope again is kept in a file for each request: no secret, readable by its user alone. It is written before the
//! broker is asked, so that a program that is killed at any moment leaves a trace of what may be signed without it, and removed once the
//! signature is published or the request is known to have ended. Per key and artifact one request waits at a time.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use time::{Duration, OffsetDateTime};

use super::approval_key::ApprovalKey;
use super::signature::{AGENT, SignError, SignRequest, UnsignedEnvelope};
use crate::digest::Digest;
use crate::envelope::Format;
use crate::failure::quote;
use crate::limits;
use crate::pki::Chain;
use crate::regular_file;
use crate::signer::tsb::{RequestId, TsbSettings};
use crate::temporary;

/// The folder of such files.
#[derive(Debug, Clone)]
pub struct PendingRequests {
    folder: PathBuf,
}

/// What is kept of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PendingRequest {
    /// The id, once the broker has given one.
    request: Option<String>,
    url: String,
    key: String,
    chain: String,
    message: String,
    name: Option<String>,
    media_type: String,
    digest: String,
    size: u64,
    #[serde(with = "time::serde::rfc3339")]
    signed_at: OffsetDateTime,
    expiry_seconds: Option<i64>,
    user_metadata: BTreeMap<String, String>,
    format: String,
    agent: String,
}

/// Why a request cannot be kept, or continued. One sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PendingRequestError {
    /// The folder or a file in it cannot be used.
    #[error("the file {file} of a request that waits for approvals {reason}")]
    File {
        /// The name of the file, quoted.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such request is kept.
    #[error(
        "no request {request} is kept in {folder}, so that what it is for cannot be prepared again: continue it as the user and on the \
         machine that made it, or take it back with --cancel"
    )]
    Unknown {
        /// The id of the request.
        request: String,
        /// The folder, quoted.
        folder: String,
    },
    /// Another program has just begun to ask for the same.
    #[error("another program asks right now for a signature of the same artifact by the same key, as it says in {0}")]
    Waits(String),
    /// It is for something else.
    #[error("the request {request} is for another {what}: {kept}, and not {given}")]
    Other {
        /// The id of the request.
        request: String,
        /// What is another.
        what: &'static str,
        /// What it is for, quoted.
        kept: String,
        /// What was named, quoted.
        given: String,
    },
}

impl PendingRequests {
    /// In this folder, which is made when something is kept.
    pub fn in_folder(folder: impl Into<PathBuf>) -> PendingRequests {
        PendingRequests { folder: folder.into() }
    }

    /// What is kept of a signature of the artifact `digest` by the key of `settings`, with the name of its file.
    ///
    /// # Errors
    ///
    /// [`PendingRequestError::File`].
    pub fn of(
        &self,
        settings: &TsbSettings,
        digest: &Digest,
    ) -> Result<Option<(PathBuf, PendingRequest)>, PendingRequestError> {
        let path = self.place(settings.url.as_str(), &settings.key, &digest.to_string());
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        Ok(Some((path.clone(), load(&path)?)))
    }

    /// The request of this id.
    ///
    /// # Errors
    ///
    /// [`PendingRequestError::Unknown`]; files that cannot be read are passed over.
    pub fn find(&self, id: &RequestId) -> Result<PendingRequest, PendingRequestError> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
        let mut kept = files.filter_map(|path| load(&path).ok());
        kept.find(|kept| kept.request.as_deref() == Some(id.as_str())).ok_or_else(|| PendingRequestError::Unknown {
            request: id.to_string(),
            folder: quote(&self.folder.display().to_string()),
        })
    }

    /// Keeps `kept`, of whose artifact and key nothing may be kept yet: of several programs that want the same, one alone asks.
    ///
    /// # Errors
    ///
    /// [`PendingRequestError::Waits`], [`PendingRequestError::File`].
    pub fn begin(&self, kept: &PendingRequest) -> Result<(), PendingRequestError> {
        let path = self.place(&kept.url, &kept.key, &kept.digest);
        let persist = |file: NamedTempFile| file.persist_noclobber(&path).map(|_| ()).map_err(|error| error.error);
        write(&self.folder, kept, persist).map_err(|error| match error.kind() {
            // Not where a file is in the place of the folder.
            io::ErrorKind::AlreadyExists if path.symlink_metadata().is_ok() => {
                PendingRequestError::Waits(quote(&path.display().to_string()))
            }
            _ => file_error(&path, format!("cannot be written: {error}")),
        })
    }

    /// Keeps `kept`, in place of what was kept of the same key and artifact.
    ///
    /// # Errors
    ///
    /// [`PendingRequestError::File`].
    pub fn keep(&self, kept: &PendingRequest) -> Result<(), PendingRequestError> {
        let path = self.place(&kept.url, &kept.key, &kept.digest);
        let persist = |file: NamedTempFile| file.persist(&path).map(|_| ()).map_err(|error| error.error);
        write(&self.folder, kept, persist).map_err(|error| file_error(&path, format!("cannot be written: {error}")))
    }

    /// Forgets `kept`. What is gone already is no fault, and what another program has kept in its place since stays.
    ///
    /// # Errors
    ///
    /// [`PendingRequestError::File`].
    pub fn forget(&self, kept: &PendingRequest) -> Result<(), PendingRequestError> {
        let path = self.place(&kept.url, &kept.key, &kept.digest);
        if load(&path).is_ok_and(|other| !other.is_of_same_request(kept)) {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file_error(&path, format!("cannot be removed: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn place(&self, url: &str, key: &str, digest: &str) -> PathBuf {
        let all = Digest::sha256(format!("{url}\n{key}\n{digest}").as_bytes()).to_string();
        let hex = all.rsplit(':').next().unwrap_or_default();
        self.folder.join(format!("{}.json", hex.get(..32).unwrap_or(hex)))
    }
}

impl PendingRequest {
    /// What is to be kept of `request`, of which `unsigned` is made, before the broker is asked.
    pub fn new(key: &ApprovalKey, request: &SignRequest, unsigned: &UnsignedEnvelope<'_>) -> PendingRequest {
        PendingRequest {
            request: None,
            url: key.settings().url.to_string(),
            key: key.settings().key.clone(),
            chain: digest_of(key.chain()),
            message: STANDARD.encode(unsigned.message()),
            name: request.name.clone(),
            media_type: request.target.media_type.clone(),
            digest: request.target.digest.to_string(),
            size: request.target.size,
            signed_at: request.at,
            expiry_seconds: request.expiry.map(Duration::whole_seconds),
            user_metadata: request.user_metadata.clone(),
            format: request.format.media_type().to_owned(),
            agent: request.agent.clone().unwrap_or_else(|| AGENT.to_owned()),
        }
    }

    /// The same with the id that the broker gave.
    pub fn with_id(self, id: &RequestId) -> PendingRequest {
        PendingRequest { request: Some(id.to_string()), ..self }
    }

    /// The id, once the broker has given one.
    pub fn id(&self) -> Option<RequestId> {
        self.request.as_deref().and_then(|id| id.parse().ok())
    }

    /// Whether it was made at the broker of `settings`.
    pub fn is_at(&self, settings: &TsbSettings) -> bool {
        self.url == settings.url.as_str()
    }

    /// Where it was made.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether both are of one request; the id may not be known to one of them yet.
    fn is_of_same_request(&self, other: &PendingRequest) -> bool {
        let ids = (&self.request, &other.request);
        self.message == other.message && matches!(ids, (None, _) | (_, None)) || ids.0 == ids.1 && ids.0.is_some()
    }

    /// Makes `request` what was asked for: its time, expiry, user metadata and format. The artifact, the key and its chain have to be
    /// those for which it was asked.
    ///
    /// # Errors
    ///
    /// [`PendingRequestError::Other`]: what is not.
    pub fn restore(&self, key: &ApprovalKey, request: &mut SignRequest) -> Result<(), PendingRequestError> {
        let other = |what, kept: &str, given: &str| PendingRequestError::Other {
            request: self.request.clone().unwrap_or_default(),
            what,
            kept: quote(kept),
            given: quote(given),
        };
        let settings = key.settings();
        for (what, kept, given) in [
            ("artifact", self.digest.as_str(), request.target.digest.to_string().as_str()),
            ("media type", &self.media_type, &request.target.media_type),
            ("broker", &self.url, settings.url.as_str()),
            ("key", &self.key, &settings.key),
            ("certificate chain", &self.chain, &digest_of(key.chain())),
        ] {
            if kept != given {
                return Err(other(what, kept, given));
            }
        }
        let formats = [Format::Jws, Format::Cose];
        let format = formats.into_iter().find(|format| format.media_type() == self.format);
        request.format = format.ok_or_else(|| other("format", &self.format, request.format.media_type()))?;
        request.at = self.signed_at;
        request.expiry = self.expiry_seconds.map(Duration::seconds);
        request.user_metadata.clone_from(&self.user_metadata);
        request.agent = Some(self.agent.clone());
        Ok(())
    }

    /// Checks that `unsigned` is what was asked for, byte by byte.
    ///
    /// # Errors
    ///
    /// [`SignError::NotRepeatable`].
    pub fn check(&self, unsigned: &UnsignedEnvelope<'_>) -> Result<(), SignError> {
        let same = STANDARD.decode(&self.message).is_ok_and(|message| message == unsigned.message());
        if same { Ok(()) } else { Err(SignError::NotRepeatable) }
    }
}

fn digest_of(chain: &Chain) -> String {
    let ders: Vec<&[u8]> = chain.certificates().iter().map(|held| held.der()).collect();
    Digest::sha256(&ders.concat()).to_string()
}

fn file_error(path: &Path, reason: String) -> PendingRequestError {
    PendingRequestError::File { file: quote(&path.display().to_string()), reason }
}

fn load(path: &Path) -> Result<PendingRequest, PendingRequestError> {
    let bytes = regular_file::read(path, limits::TSB_PENDING_REQUEST_BYTES)
        .map_err(|problem| file_error(path, format!("{problem}: remove it, once the broker has no such request")))?;
    serde_json::from_slice(&bytes).map_err(|_| {
        file_error(
            path,
            "is none that this version of muster has written: remove it, once the broker has no such request"
                .to_owned(),
        )
    })
}

/// Writes the file so that it is there whole or not at all, for its user alone; `persist` puts it in its place.
fn write(
    folder: &Path,
    kept: &PendingRequest,
    persist: impl FnOnce(NamedTempFile) -> io::Result<()>,
) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let (mut file, _noted) = temporary::unfinished_in(folder)?;
    // For its user alone, before anything is in it.
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    // What programs left that were killed while they wrote.
    temporary::sweep(&file);
    io::Write::write_all(&mut file, &serde_json::to_vec(kept)?)?;
    file.as_file().sync_all()?;
    persist(file)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::forge::{Authority, Key, KeyKind, LeafRequest, pem};
    use crate::manifest::Descriptor;
    use crate::signer::tsb::TsbEnvironment;

    fn key(folder: &Path, label: &str, slot: usize) -> ApprovalKey {
        let pooled = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", pooled(1)).unwrap();
        let signer = root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", pooled(slot)).unwrap()).unwrap();
        let chain = folder.join(format!("{label}-{slot}.crt"));
        fs::write(&chain, signer.chain.iter().flat_map(|der| pem("CERTIFICATE", der)).collect::<Vec<u8>>()).unwrap();
        let mut settings = TsbSettings::new("http://127.0.0.1:1", label).unwrap();
        settings.certificate_chain = Some(chain);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ApprovalKey::open(settings, &TsbEnvironment::default(), request().at)).unwrap()
    }

    fn request() -> SignRequest {
        let target = Descriptor::new("application/x", Digest::sha256(b"x"), 1);
        let mut request = SignRequest::new(target, datetime!(2026-11-29 12:00 UTC));
        request.user_metadata.insert("a".to_owned(), "b".to_owned());
        request.expiry = Some(Duration::DAY);
        request.format = Format::Cose;
        request
    }

    #[test]
    fn the_same_bytes_are_made_again_and_for_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let release = key(folder.path(), "release", 0);
        let requests = PendingRequests::in_folder(folder.path().join("state/requests"));
        let first = request();
        let unsigned = UnsignedEnvelope::prepare(release.chain(), &first).unwrap();
        let id: RequestId = "4e8731d8".parse().unwrap();
        let kept = PendingRequest::new(&release, &first, &unsigned);
        requests.keep(&kept).unwrap();
        assert_eq!(requests.of(release.settings(), &first.target.digest).unwrap().unwrap().1.id(), None);
        requests.keep(&kept.clone().with_id(&id)).unwrap();
        let found = requests.find(&id).unwrap();
        assert_eq!(found, kept.clone().with_id(&id));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let (path, _) = requests.of(release.settings(), &first.target.digest).unwrap().unwrap();
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }

        let mut later = SignRequest::new(first.target.clone(), first.at + Duration::HOUR);
        found.restore(&release, &mut later).unwrap();
        let again = UnsignedEnvelope::prepare(release.chain(), &later).unwrap();
        assert_eq!(again.message(), unsigned.message());
        assert_eq!(found.check(&again), Ok(()));
        later.at += Duration::SECOND;
        let other = UnsignedEnvelope::prepare(release.chain(), &later).unwrap();
        assert_eq!(found.check(&other), Err(SignError::NotRepeatable));

        let refused = |key: &ApprovalKey, change: fn(&mut SignRequest)| {
            let mut request = request();
            change(&mut request);
            found.restore(key, &mut request).unwrap_err().to_string()
        };
        let words = refused(&release, |request| request.target.digest = Digest::sha256(b"y"));
        assert!(words.contains("for another artifact"), "{words}");
        let words = refused(&key(folder.path(), "other", 0), |_| {});
        assert!(words.contains("for another key"), "{words}");
        let words = refused(&key(folder.path(), "release", 2), |_| {});
        assert!(words.contains("for another certificate chain"), "{words}");

        // Of two programs that want the same one asks, and what it keeps is not forgotten by another.
        assert!(matches!(requests.begin(&kept), Err(PendingRequestError::Waits(_))));
        requests.forget(&found.clone().with_id(&"another".parse().unwrap())).unwrap();
        assert_eq!(requests.find(&id).as_ref(), Ok(&found));
        requests.forget(&found).unwrap();
        requests.forget(&found).unwrap();
        requests.begin(&found).unwrap();
        requests.forget(&kept).unwrap();
        assert!(matches!(requests.find(&id), Err(PendingRequestError::Unknown { .. })));
    }
}
