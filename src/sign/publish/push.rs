//! A signature on its way into a registry: pushed, listed where that is needed, and looked for.
//!
//! Follows the OCI distribution specification, Pushing Manifests with Subject, Listing Referrers and Referrers Tag Schema. It
//! refuses to take a signature for listed because the registry says so: it looks as an audit does.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::{Discovery, OlderForm, Publication, Published, Waiting, discovery};
use crate::reference::Repository;
use crate::sign::older_form::in_older_form;
use crate::source::registry::{Pushed, ReferrersTag, Registry};
use crate::source::{ArtifactSource, Attachment};
use crate::trouble::{Trouble, TroubleKind};

/// How long is waited before a registry is asked again for what it does not list yet, and how long from there on.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(750), Duration::from_secs(1), Duration::from_secs(2)];
const PAUSE: Duration = Duration::from_secs(3);
/// After how long it is told what is waited for.
const TOLD: Duration = Duration::from_secs(1);

/// A signature on its way into a registry.
pub(super) struct Push<'a> {
    pub(super) registry: &'a Registry,
    pub(super) repository: &'a Repository,
    pub(super) publication: &'a Publication<'a>,
}

impl Push<'_> {
    pub(super) async fn run(&self) -> Result<Published, Trouble> {
        let Push { registry, repository, publication } = self;
        let signature = publication.signature;
        let older = publication.older_form.then(|| in_older_form(signature)).flatten();
        let first = match (registry.push_referrer(repository, signature).await, &older) {
            (Ok(pushed), _) => self.listed(signature, pushed).await,
            (Err(refused), Some(older)) if refused.is_for_form => {
                // If that is refused as well, what was refused first is what is to be told.
                let Ok(pushed) = registry.push_referrer(repository, older).await else { return Err(refused.trouble) };
                let published = self.listed(older, pushed).await;
                return Ok(Published { older_form: Some(OlderForm::Refused(refused.trouble)), ..published });
            }
            (Err(refused), _) => return Err(refused.trouble),
        };
        let Some(older) = older.filter(|_| matches!(first.discovery, Ok(Discovery::OtherType))) else {
            return Ok(first);
        };
        let Ok(pushed) = registry.push_referrer(repository, &older).await else { return Ok(first) };
        let second = self.listed(&older, pushed).await;
        // The other one is of use to no verifier there. An entry under the referrers tag would lead to nothing without it.
        let is_better = matches!(second.discovery, Ok(Discovery::Listed));
        let other = if is_better { &first } else { &second };
        let under_tag = other.unlisted.is_none() && !(pushed.is_listed && publication.tag == ReferrersTag::WhereNeeded);
        let deleted = !under_tag && registry.delete_manifest(repository, &other.signature).await.is_ok();
        if !is_better {
            return Ok(first);
        }
        let why = OlderForm::OtherType { first: first.signature, deleted };
        Ok(Published { older_form: Some(why), ..second })
    }

    /// Has a signature listed that was pushed, and looks for it as an audit does.
    async fn listed(&self, signature: &Attachment, pushed: Pushed) -> Published {
        let Push { registry, repository, publication } = self;
        let digest = signature.manifest.descriptor.digest;
        let tell = |waiting| publication.told.iter().for_each(|told| told(waiting));
        let under_tag = async || {
            let mut listed = pin!(registry.list_referrer(repository, signature, pushed));
            if let Ok(listed) = tokio::time::timeout(5 * TOLD, &mut listed).await {
                return listed;
            }
            tell(Waiting::Tag { signature: digest });
            listed.await
        };
        let mut tagged = match pushed.is_listed && publication.tag == ReferrersTag::WhereNeeded {
            true => None,
            false => Some(under_tag().await),
        };
        let (began, patience) = (Instant::now(), registry.timings().listing);
        let mut pauses = PAUSES.into_iter();
        let mut is_told = false;
        let look = async || {
            let referrers = registry.referrers(repository, &signature.subject).await;
            referrers.and_then(|referrers| discovery(&referrers, &digest))
        };
        let mut discovery = loop {
            let found = look().await;
            let has_api = registry.has_referrers_api(repository);
            match &found {
                Ok(Discovery::NotListed) => {}
                // The registry answers, and with no list. Who is denied the list may have it tomorrow.
                Err(trouble)
                    if trouble.kind == TroubleKind::AnswerInvalid && has_api != Some(true) && tagged.is_none() => {}
                _ => break found,
            }
            // It says that it lists the signature, and has no list: clients look under the tag then.
            if tagged.is_none() && has_api != Some(true) {
                tagged = Some(under_tag().await);
                continue;
            }
            // Nothing will come of waiting where no client lists it.
            let is_refused = matches!(tagged, Some(Err(_)));
            if (is_refused && has_api != Some(true)) || began.elapsed() >= patience {
                break found;
            }
            if !is_told && began.elapsed() > TOLD {
                tell(Waiting::Listing { signature: digest, at_most: patience.saturating_sub(began.elapsed()) });
                is_told = true;
            }
            let pause = pauses.next().unwrap_or(PAUSE);
            tokio::time::sleep(pause.min(patience.saturating_sub(began.elapsed()))).await;
        };
        let mut unlisted = None;
        match tagged {
            // Nothing that comes of it is a reason to say less of a signature that was found.
            Some(Ok(listed)) if discovery == Ok(Discovery::Listed) => {
                unlisted = listed.clear().await.err();
                if unlisted.is_some() {
                    discovery = look().await;
                }
            }
            Some(Err(lost)) => unlisted = Some(lost),
            _ => {}
        }
        Published {
            signature: digest,
            discovery,
            unlisted,
            has_referrers_api: registry.has_referrers_api(repository),
            older_form: None,
        }
    }
}
