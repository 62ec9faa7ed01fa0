//! Where the CRLs and OCSP answers of a run come from, and where they go.

use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::args::RevocationArgs;
use super::console::Console;
use super::error::CliError;
use super::user_folder;
use crate::failure::quote;
use crate::fetch::{Budget, Cache, Folder, Http, HttpOptions, RecordingSource, RevocationSource, Warn, for_one_run};

/// The source, and what it has to say when the run is over.
pub(super) struct Answers {
    pub(super) source: Arc<dyn RevocationSource>,
    warnings: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    /// Sets up what `args` ask for. `now` says that the run judges as of its own beginning, which is `at`. Nothing is fetched
    /// yet, and nothing made but the folder for copies.
    pub(super) fn open(
        args: &RevocationArgs,
        at: OffsetDateTime,
        now: bool,
        console: Console,
    ) -> Result<Answers, CliError> {
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let warn: Warn = {
            let warnings = Arc::clone(&warnings);
            Arc::new(move |warning| warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning))
        };
        let budget = Budget::default();
        let mut source: Arc<dyn RevocationSource> = match &args.revocation_from {
            Some(folder) => {
                let folder = Folder::read(folder).map_err(|error| CliError::Usage(error.to_string()))?.within(budget);
                folder.warnings().iter().for_each(|warning| console.warning(warning));
                Arc::new(folder)
            }
            None => {
                let options = HttpOptions { budget: budget.clone(), ..HttpOptions::default() };
                let source: Arc<dyn RevocationSource> = Arc::new(Http::new(options));
                match user_folder::CACHE.here().filter(|_| !args.no_revocation_cache) {
                    Some(folder) => {
                        let cache = Cache::new(source, &folder, at, Arc::clone(&warn)).within(budget);
                        // What was current at another time must not take the place of what is current now.
                        Arc::new(if now { cache } else { cache.read_only() })
                    }
                    None => source,
                }
            }
        };
        source = for_one_run(source, now.then_some(at));
        if let Some(folder) = &args.revocation_to {
            if folder.exists() && !folder.is_dir() {
                let folder = quote(&folder.display().to_string());
                return Err(CliError::Usage(format!("{folder} is not a folder, so no answers can be copied there")));
            }
            source = Arc::new(RecordingSource::new(source, folder, warn));
        }
        Ok(Answers { source, warnings })
    }

    /// Says what the source had to say.
    pub(super) fn print_warnings(&self, console: Console) {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.iter().for_each(|warning| console.warning(warning));
    }
}
