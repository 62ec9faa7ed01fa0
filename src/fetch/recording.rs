//! Copies of all answers of a run, so that it can be judged again where there is no network.
//!
//! Writes a folder that [`super::Folder`] reads: a file an answer, as it came, one that says when it came where that counts,
//! and where none came one that says why. What was known beside an answer, since it may be newer, is copied in notation's
//! form. Nothing in it was verified; it is verified when it is used. It refuses to write through links.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::cache_file::CacheFile;
use super::candidate::Candidate;
use super::{RevocationSource, Warn, file_name};
use crate::digest::Digest;
use crate::failure::{Code, quote};
use crate::revocation::Edition;
use crate::revocation::Kept;
use crate::revocation::peek::CrlOutline;
use crate::revocation::{Accepted, Answer, Arrival, Need};
use crate::rfc3339::instant_in_utc;
use crate::temporary::Noted;
use crate::trouble::Trouble;

/// A source whose answers are copied to a folder.
pub struct RecordingSource {
    source: Arc<dyn RevocationSource>,
    folder: PathBuf,
    warn: Warn,
    warned: AtomicBool,
    /// What was copied last, by the file's name.
    copied: Mutex<HashMap<String, Option<Standing>>>,
}

impl RecordingSource {
    /// Copies what `source` answers to `folder`, which is made at once: a run that needs no answer leaves an empty one behind,
    /// which a [`super::Folder`] reads as well. What is wrong with it goes to `warn`, once.
    pub fn new(source: Arc<dyn RevocationSource>, folder: &Path, warn: Warn) -> RecordingSource {
        let (folder, copied) = (folder.to_owned(), Mutex::default());
        let recording = RecordingSource { source, folder, warn, warned: AtomicBool::new(false), copied };
        if let Err(error) = fs::create_dir_all(&recording.folder) {
            recording.warn_once(&error);
        }
        recording
    }

    fn warn_once(&self, error: &io::Error) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let folder = quote(&self.folder.display().to_string());
            (self.warn)(format!("answers cannot be copied to {folder}, so what is there is not complete: {error}"));
        }
    }

    /// Copies `result`; a failure in place of an answer only if that answer was `refused`.
    async fn copy(&self, need: &Need, result: &Result<Answer, Trouble>, refused: bool) {
        let (kind, name, ending) = file_name::of(need);
        let new = result.as_ref().ok().map(Standing::of);
        let mut beside = false;
        {
            let mut copied = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
            match (copied.get(&name), &new) {
                (Some(Some(before)), Some(new)) if before.digest == new.digest => return,
                // What is newer stays: to be repeated, the run needs both.
                (Some(Some(before)), Some(new)) if new.is_before(before) => beside = true,
                (Some(_), None) if !refused => return,
                _ => drop(copied.insert(name.clone(), new)),
            }
        }
        let (folder, result) = (self.folder.join(kind), result.clone());
        let write = move || -> io::Result<()> {
            fs::create_dir_all(&folder)?;
            let file = |ending: &str| folder.join(format!("{name}.{ending}"));
            let version = |digest: &Digest| file(&digest.hex()[..16]);
            match result {
                Ok(answer) if beside => {
                    let kept = CacheFile { base: answer.bytes().clone(), delta: None };
                    write(&version(answer.digest()), |file| kept.encode(file))
                }
                Ok(answer) => {
                    write(&file(ending), |file| file.write_all(answer.bytes()))?;
                    // What is older changes nothing when the run is repeated.
                    let matters = |kept: &&Kept| {
                        Candidate::new(kept.base.clone(), kept.delta.clone())
                            .is_some_and(|kept| kept.may_outdate(&answer))
                    };
                    for Kept { base, delta } in answer.kept().iter().filter(|kept| kept.base != answer).filter(matters)
                    {
                        let delta = delta.as_ref().map(|delta| delta.bytes().clone());
                        let kept = CacheFile { base: base.bytes().clone(), delta };
                        write(&version(base.digest()), |file| kept.encode(file))?;
                    }
                    if let Some(Arrival { run, at }) = answer.arrival() {
                        let text = format!("{} {}\n", instant_in_utc(run), instant_in_utc(at));
                        write(&file(file_name::TIME), |file| file.write_all(text.as_bytes()))?;
                    }
                    remove(&file(file_name::TROUBLE))
                }
                Err(why) => {
                    let text = serde_json::json!({ "kind": Code::from(why.kind).to_string(), "message": why.message });
                    write(&file(file_name::TROUBLE), |file| file.write_all(text.to_string().as_bytes()))?;
                    remove(&file(file_name::TIME))?;
                    remove(&file(ending))
                }
            }
        };
        let written = tokio::task::spawn_blocking(write).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = written {
            self.warn_once(&error);
        }
    }
}

/// What was copied.
struct Standing {
    digest: Digest,
    edition: Option<Edition>,
}

impl Standing {
    fn of(answer: &Answer) -> Standing {
        let edition = CrlOutline::read(answer.bytes()).map(|outline| outline.edition);
        Standing { digest: *answer.digest(), edition }
    }

    fn is_before(&self, other: &Standing) -> bool {
        matches!((&self.edition, &other.edition), (Some(one), Some(other)) if one.is_before(other))
    }
}

/// Makes what `content` writes the file at `path`, whatever was there.
fn write(path: &Path, content: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = tempfile::Builder::new();
    file.prefix(".muster-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // To be carried elsewhere, and no secret: the user's umask decides.
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let (mut file, _noted) = Noted::made(|| file.tempfile_in(folder), tempfile::NamedTempFile::path)?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    content(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[async_trait]
impl RevocationSource for RecordingSource {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        let result = self.source.answer(need).await;
        self.copy(need, &result, false).await;
        result
    }

    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let result = self.source.refetch(need, refused).await?;
        self.copy(need, &result, true).await;
        Some(result)
    }

    fn present(&self) -> Option<Arrival> {
        self.source.present()
    }

    async fn store_verified(&self, crl: &Accepted) {
        self.source.store_verified(crl).await;
    }
}
