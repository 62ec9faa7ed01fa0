//! Copies of all answers of a run, so that it can be judged again where there is no network.
//!
//! Writes a folder that [`super::Folder`] reads: a file an answer, as it came, and where none came a file that says why.
//! Nothing in it was verified; it is verified when it is used. It refuses to write through links.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{AcceptedCrl, Answer, Need, RevocationSource, Warn, place};
use crate::digest::Digest;
use crate::failure::{Code, quote};
use crate::source::Trouble;

/// A source whose answers are copied to a folder.
pub struct Copying {
    source: Arc<dyn RevocationSource>,
    folder: PathBuf,
    warn: Warn,
    warned: AtomicBool,
    /// What was copied last, by the file's name.
    copied: Mutex<HashMap<String, Option<Digest>>>,
}

impl Copying {
    /// Copies what `source` answers to `folder`, which is made when there is something to copy. What is wrong with it goes
    /// to `warn`, once.
    pub fn new(source: Arc<dyn RevocationSource>, folder: &Path, warn: Warn) -> Copying {
        let (folder, copied) = (folder.to_owned(), Mutex::default());
        Copying { source, folder, warn, warned: AtomicBool::new(false), copied }
    }

    /// Copies `result`; a failure in place of an answer only if that answer was `refused`.
    async fn copy(&self, need: &Need, result: &Result<Answer, Trouble>, refused: bool) {
        let (kind, name, ending) = place::of(need);
        let stands = result.as_ref().ok().map(|answer| *answer.digest());
        {
            let mut copied = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
            if copied.get(&name).is_some_and(|before| *before == stands || (stands.is_none() && !refused)) {
                return;
            }
            copied.insert(name.clone(), stands);
        }
        let (folder, result) = (self.folder.join(kind), result.clone());
        let write = move || -> io::Result<()> {
            fs::create_dir_all(&folder)?;
            let (answer, trouble) =
                (folder.join(format!("{name}.{ending}")), folder.join(format!("{name}.{}", place::TROUBLE)));
            match result {
                Ok(bytes) => {
                    write(&answer, bytes.bytes())?;
                    remove(&trouble)
                }
                Err(why) => {
                    let text = serde_json::json!({ "kind": Code::from(why.kind).to_string(), "message": why.message });
                    write(&trouble, text.to_string().as_bytes())?;
                    remove(&answer)
                }
            }
        };
        let written = tokio::task::spawn_blocking(write).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = written
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            let folder = quote(&self.folder.display().to_string());
            (self.warn)(format!("answers cannot be copied to {folder}, so what is there is not complete: {error}"));
        }
    }
}

/// Makes `bytes` the file at `path`, whatever was there.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new();
    file.prefix(".muster-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // To be carried elsewhere, and no secret: the user's umask decides.
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = file.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[async_trait]
impl RevocationSource for Copying {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        let result = self.source.answer(need).await;
        self.copy(need, &result, false).await;
        result
    }

    async fn again(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let result = self.source.again(need, refused).await?;
        self.copy(need, &result, true).await;
        Some(result)
    }

    async fn keep(&self, crl: &AcceptedCrl) {
        self.source.keep(crl).await;
    }
}
