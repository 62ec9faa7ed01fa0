//! The plugins of this machine, run.
//!
//! Nothing is remembered here: see [`for_one_run`](super::for_one_run). At most [`limits::PLUGIN_PROCESSES`] run at a time.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Semaphore, watch};

use super::directory::PluginDirectory;
use super::{PluginHost, ending, process};
use crate::limits;
use crate::plugin::{Command, PluginName, Question};
use crate::trouble::{Trouble, TroubleKind};

/// Runs plugins as programs.
#[derive(Debug)]
pub struct ProcessHost {
    directory: PluginDirectory,
    deadline: Duration,
    places: Semaphore,
    stopped: watch::Sender<bool>,
}

impl ProcessHost {
    /// The plugins in `directory`, each of whose commands may take `deadline`, and to tell its metadata at most
    /// [`limits::PLUGIN_TIMEOUT`]. Nothing is looked for before it is asked.
    pub fn new(directory: PluginDirectory, deadline: Duration) -> ProcessHost {
        ProcessHost {
            directory,
            deadline,
            places: Semaphore::new(limits::PLUGIN_PROCESSES as usize),
            stopped: watch::Sender::new(false),
        }
    }

    /// Ends all that run, and whatever is asked from now on. Returns when they have ended.
    pub async fn stop(&self) {
        self.stopped.send_replace(true);
        // Those that run are killed shortly after they were asked to end.
        let all = self.places.acquire_many(limits::PLUGIN_PROCESSES);
        let _ = tokio::time::timeout(2 * limits::PLUGIN_TERM_GRACE, all).await;
    }

    async fn run(&self, question: &Question) -> Result<Bytes, Trouble> {
        let (plugin, command) = (crate::failure::quote(&question.plugin), question.command.as_str());
        let failed = |what: String| {
            Trouble::new(TroubleKind::PluginFailed, format!("the plugin {plugin}, asked for {command}, {what}"))
        };
        // The caller has checked the name; nothing is looked for on disk by one that was not.
        let name = PluginName::new(&question.plugin)
            .map_err(|error| Trouble::new(TroubleKind::PluginMissing, error.to_string()))?;
        let _place = self.places.acquire().await.map_err(|_| failed("could not be run".to_owned()))?;
        if *self.stopped.borrow() {
            return Err(failed("was not run, since the run has ended".to_owned()));
        }
        let program = self.directory.executable(&name)?;
        let deadline = match question.command {
            Command::GetPluginMetadata => self.deadline.min(limits::PLUGIN_TIMEOUT),
            _ => self.deadline,
        };
        let mut stopped = self.stopped.subscribe();
        let stopped = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
        let left = process::run(name.as_str(), &program, command, &question.request, deadline, stopped).await;
        let secrets = || super::secrets(name.as_str(), &question.settings());
        left.map_err(|lost| lost.to_string()).and_then(|left| ending::of(left, secrets)).map_err(failed)
    }
}

#[async_trait]
impl PluginHost for ProcessHost {
    async fn ask(&self, question: &Question) -> Result<Bytes, Trouble> {
        self.run(question).await
    }
}
