//! Recording: an artifact of a registry or a layout becomes a scenario that stands by itself, with everything that it was
//! judged by: layout, trust policy, trust stores, answers about revocation, time, and what came out.
//!
//! Follows the OCI image specification, *Image Layout*. A folder is filled in which nothing is there but recorded answers.
//! Nothing of how the registry was reached is written: no credentials, no addresses. Texts from outside are written as quoted
//! scalars of YAML. It refuses to leave a scenario behind that does not pass: what was recorded is played, and must come out
//! as it was judged.

mod layout;
mod stores;
mod text;

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::run::{CaseStatus, Options};
use super::whole_artifact::{Layers, WholeArtifact};
use super::{Difference, Project, load_in, run, select};
use crate::audit::{Interrupt, Judged};
use crate::policy::TrustPolicy;
use crate::reference::Reference;
use crate::source::ArtifactSource;

/// The file of the scenario, in the folder that is filled.
pub(super) const SCENARIO: &str = "case.yaml";
/// The folder of the layout in it.
const LAYOUT: &str = "layout";
/// The file of the trust policy in it.
const POLICY: &str = "trustpolicy.json";
/// The folder of recorded answers in it.
const ANSWERS: &str = "revocation";
/// The tag of an artifact that was named by its digest alone.
const TAG: &str = "imported";

/// What is recorded, and what it was judged by.
pub struct Record<'a> {
    /// The folder to be filled.
    pub folder: &'a Path,
    /// Where the artifact is.
    pub source: &'a dyn ArtifactSource,
    /// Which artifact; its digest is what was judged.
    pub reference: &'a Reference,
    /// What came out.
    pub judged: &'a Judged,
    /// As of when.
    pub at: OffsetDateTime,
    /// By which policy.
    pub policy: &'a TrustPolicy,
    /// The bytes of its file.
    pub policy_file: &'a [u8],
    /// The folder that holds `x509/`.
    pub trust_store: &'a Path,
    /// Whether layers of images are copied too.
    pub layers: bool,
    /// Muster's own executable file.
    pub program: Option<PathBuf>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// How many manifests.
    pub manifests: usize,
    /// How many of them refer to others: signatures, SBoMs.
    pub referrers: usize,
    /// How many blobs or manifests were left out.
    pub left_out: usize,
}

/// Why nothing was recorded.
#[derive(Debug)]
pub enum NotRecorded {
    /// The artifact cannot be copied, or a file not be written: a sentence.
    Failed(String),
    /// What was recorded comes out otherwise than it was judged.
    Otherwise(Vec<Difference>),
}

impl Record<'_> {
    /// The folder for recorded answers: what is there is recorded along.
    pub fn answers(folder: &Path) -> PathBuf {
        folder.join(ANSWERS)
    }

    /// The file of the scenario in `folder`.
    pub fn scenario(folder: &Path) -> PathBuf {
        folder.join(SCENARIO)
    }

    /// Records it. There must be a runtime with several threads.
    ///
    /// # Errors
    /// Why that is not possible. Files may have been written by then.
    pub async fn write(self) -> Result<Recorded, NotRecorded> {
        let layers = if self.layers { Layers::Kept } else { Layers::LeftOut };
        let collected = WholeArtifact::collect(self.source, self.reference, true, layers).await;
        let whole = collected.map_err(|why| NotRecorded::Failed(format!("the artifact cannot be copied: {why}")))?;
        let tag = self.reference.tag.as_deref().unwrap_or(TAG);
        let failed = |what: &str, error: &dyn Display| NotRecorded::Failed(format!("{what}: {error}"));
        layout::write(&self.folder.join(LAYOUT), &whole, tag).map_err(|error| failed("the layout", &error))?;
        let stores = stores::copy(self.policy, self.trust_store, self.folder).map_err(NotRecorded::Failed)?;
        let policy = self.folder.join(POLICY);
        fs::write(&policy, self.policy_file).map_err(|error| failed("the trust policy", &error))?;
        let answers = keep_answers(&self.folder.join(ANSWERS)).map_err(|error| failed("the answers", &error))?;
        let text = text::scenario(&self, tag, &stores, answers);
        fs::write(self.folder.join(SCENARIO), text).map_err(|error| failed("the scenario", &error))?;
        let referrers = whole.members.iter().filter(|member| member.refers()).count();
        let recorded = Recorded { manifests: whole.members.len(), referrers, left_out: whole.left_out.len() };
        drop(whole);
        self.play().await?;
        Ok(recorded)
    }

    /// Plays what was recorded.
    async fn play(&self) -> Result<(), NotRecorded> {
        let failed = |what: String| NotRecorded::Failed(format!("what was recorded cannot be played: {what}"));
        let file = self.folder.join(SCENARIO);
        let loaded = load_in(&Project::default(), std::slice::from_ref(&file))
            .map_err(|errors| failed(errors.first().map(|error| error.message.clone()).unwrap_or_default()))?;
        let cases = select(&loaded.scenarios, None).map_err(failed)?;
        let options = Options { jobs: 1, program: self.program.clone(), ..Options::default() };
        let mut status = None;
        run(cases, options, &Interrupt::default(), |result| status = Some(result.status)).await;
        match status {
            Some(CaseStatus::Pass) => Ok(()),
            Some(CaseStatus::Fail(differences)) => Err(NotRecorded::Otherwise(differences)),
            Some(CaseStatus::Skipped(reason) | CaseStatus::Error(reason) | CaseStatus::Unfinished(reason)) => {
                Err(failed(reason))
            }
            None => Err(failed("there is no case".to_owned())),
        }
    }
}

/// Whether there are recorded answers; a folder without any is removed.
fn keep_answers(folder: &Path) -> io::Result<bool> {
    let has_answers = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if !has_answers {
        fs::remove_dir(folder)?;
    }
    Ok(has_answers)
}
