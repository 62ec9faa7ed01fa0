//! Signing with a key that people have to approve: what waits is shown, kept, continued after a restart, and taken back.
//!
//! What is asked for is kept before the broker is asked ([`PendingRequests`]), and forgotten once the signature is written or the
//! request has ended. While it is kept, no second request is made for the same artifact and key.

use std::sync::{Mutex, PoisonError};

use clap::Args;
use time::OffsetDateTime;

use super::waiting::WaitingLine;
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::user_folder;
use crate::failure::quote;
use crate::sign::{
    ApprovalKey, ApprovalKeyError, PendingRequest, PendingRequests, SignRequest, UnfinishedEnvelope, UnsignedEnvelope,
};
use crate::signer::tsb::{
    ApprovalMetadata, RequestId, Submission, TsbEnvironment, TsbError, TsbErrorKind, TsbSettings, WallClock, Withdrawn,
    cancel_request, open_to_others,
};
use crate::tsb::RequestStatus;

/// How a request that people have to approve is gone about.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Approvals")]
pub(in crate::cli) struct ApprovalArgs {
    /// Continue this request, which was made before for the same artifact by the same key
    #[arg(long, value_name = "ID", conflicts_with_all = ["expiry", "user_metadata", "signature_format"])]
    request: Option<RequestId>,

    /// Ask for the approvals, tell the id of the request, and end with 3 without waiting
    #[arg(long, conflicts_with = "request")]
    no_wait: bool,
}

impl ApprovalArgs {
    /// Whether any of it is asked for.
    pub(super) fn is_given(&self) -> bool {
        self.no_wait || self.request.is_some()
    }
}

/// A key that people have to approve, and what is kept of its requests.
pub(in crate::cli) struct ApprovedKey {
    key: ApprovalKey,
    args: ApprovalArgs,
    requests: Option<PendingRequests>,
    /// What is kept of the request at hand.
    kept: Mutex<Option<PendingRequest>>,
    console: Console,
}

fn kept_requests() -> Option<PendingRequests> {
    user_folder::STATE.here().map(|folder| PendingRequests::in_folder(folder.join("requests")))
}

impl ApprovedKey {
    pub(super) async fn open(
        settings: TsbSettings,
        args: ApprovalArgs,
        at: OffsetDateTime,
        console: Console,
    ) -> Result<ApprovedKey, CliError> {
        open_to_others(&settings).iter().for_each(|warning| console.warning(warning));
        let key =
            ApprovalKey::open(settings, &TsbEnvironment::of_process(), at).await.map_err(|error| match &error {
                ApprovalKeyError::Tsb(trouble) if trouble.kind() != TsbErrorKind::Validation => {
                    CliError::Undecided(error.to_string())
                }
                _ => CliError::Usage(error.to_string()),
            })?;
        Ok(ApprovedKey { key, args, requests: kept_requests(), kept: Mutex::default(), console })
    }

    pub(super) fn key(&self) -> &ApprovalKey {
        &self.key
    }

    /// Makes `request` what it was when its approvals were asked for, if that is to be continued.
    pub(super) fn restore(&self, request: &mut SignRequest) -> Result<(), String> {
        let Some(id) = &self.args.request else { return Ok(()) };
        let requests = self.requests.as_ref().ok_or_else(|| NO_FOLDER.to_owned())?;
        let kept = requests.find(id).map_err(|error| error.to_string())?;
        kept.restore(&self.key, request).map_err(|error| error.to_string())?;
        self.set_kept(Some(kept));
        Ok(())
    }

    /// Signs, once enough people have approved. The error is one sentence.
    pub(super) async fn begin<'a>(&self, request: &'a SignRequest) -> Result<UnfinishedEnvelope<'a>, String> {
        let unsigned = UnsignedEnvelope::prepare(self.key.chain(), request).map_err(|error| error.to_string())?;
        let signature = match &self.args.request {
            Some(id) => {
                let kept = self.kept();
                if let Some(kept) = &kept {
                    kept.check(&unsigned).map_err(|error| error.to_string())?;
                }
                self.wait(id, unsigned.message()).await
            }
            None => self.ask(request, &unsigned).await,
        };
        match signature {
            Ok(signature) => Ok(unsigned.signed(signature)),
            Err(reason) => {
                if self.key.key().is_stopped() {
                    // Said here, since what the command returns is dropped after a signal.
                    self.console.error(&reason);
                }
                Err(reason)
            }
        }
    }

    /// Asks for approvals and waits for them.
    async fn ask(&self, request: &SignRequest, unsigned: &UnsignedEnvelope<'_>) -> Result<Vec<u8>, String> {
        self.check_none_waits(request).await?;
        let mut kept = PendingRequest::new(&self.key, request, unsigned);
        match &self.requests {
            // What signs at once leaves nothing that waits.
            _ if self.key.settings().without_approvals => {}
            Some(requests) => {
                requests.begin(&kept).map_err(|error| error.to_string())?;
                self.set_kept(Some(kept.clone()));
            }
            None => self.console.warning(NO_FOLDER),
        }
        let metadata = ApprovalMetadata::of(&request.target, request.name.as_deref());
        let submitted = self.key.key().submit(unsigned.message(), &metadata, &WallClock::new()).await;
        let id = match submitted {
            Ok(Submission::Signature(signature)) => {
                // Nothing waits at the broker, whatever becomes of the signature here.
                self.forget();
                return Ok(signature);
            }
            Ok(Submission::Request(id)) => id,
            Err(error) => {
                if !matches!(error, TsbError::SubmissionUnknown { .. } | TsbError::Answer { .. }) {
                    self.forget();
                }
                return Err(error.to_string());
            }
        };
        kept = kept.with_id(&id);
        if let Some(requests) = &self.requests
            && let Err(error) = requests.keep(&kept)
        {
            self.console.warning(error);
        }
        self.set_kept(Some(kept));
        if self.args.no_wait {
            return Err(format!(
                "the request {id} waits for approvals; once there are enough, --request {id} in place of --no-wait gets the signature, and \
                 --cancel {id} takes the request back"
            ));
        }
        self.console.note(format_args!(
            "the request {id} waits for approvals; should this program be killed, --request {id} continues it, and --cancel {id} takes it back"
        ));
        self.wait(&id, unsigned.message()).await
    }

    async fn wait(&self, id: &RequestId, message: &[u8]) -> Result<Vec<u8>, String> {
        let line = WaitingLine::new(self.console);
        let waited = self.key.key().wait(id, message, &WallClock::new(), &|progress| line.show(progress)).await;
        drop(line);
        waited.map_err(|error| {
            if has_ended(&error) {
                self.forget();
            }
            error.to_string()
        })
    }

    /// Checks that no request waits for a signature of the same artifact by the same key.
    async fn check_none_waits(&self, request: &SignRequest) -> Result<(), String> {
        let Some(requests) = &self.requests else { return Ok(()) };
        let kept = requests.of(self.key.settings(), &request.target.digest).map_err(|error| error.to_string())?;
        let Some((path, kept)) = kept else { return Ok(()) };
        let Some(id) = kept.id() else {
            return Err(format!(
                "the broker was asked before to sign it with the same key, and what came of that is not known: another program may be asking \
                 right now; else look for a request that waits at the broker, have it cancelled, and remove {}",
                quote(&path.display().to_string())
            ));
        };
        let ways = format!("--request {id} continues it, and --cancel {id} takes it back");
        let forget = || requests.forget(&kept).map_err(|error| error.to_string());
        match self.key.key().look(&id).await {
            Ok(state) if state.status == RequestStatus::Executed => Err(format!(
                "the key has signed it already, as the request {id} wanted: --request {id} gets the signature"
            )),
            Ok(state) if state.status.is_final() => forget(),
            Err(TsbError::RequestUnknown { .. }) => forget(),
            Ok(state) => {
                Err(format!("the request {id} to sign it with the same key is {}: {ways}", state.status.as_str()))
            }
            Err(error) => Err(format!("the request {id} to sign it with the same key may still wait: {ways}; {error}")),
        }
    }

    /// Says that the signature is where it belongs.
    pub(super) fn published(&self) {
        self.forget();
    }

    fn kept(&self) -> Option<PendingRequest> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_kept(&self, kept: Option<PendingRequest>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    fn forget(&self) {
        if let (Some(requests), Some(kept)) = (&self.requests, self.kept())
            && let Err(error) = requests.forget(&kept)
        {
            self.console.warning(error);
        }
    }
}

const NO_FOLDER: &str = "there is no folder in which requests that wait for approvals are kept, so that none can be continued by \
                         --request: set HOME, or MUSTER_STATE";

/// Whether the request has ended for certain, so that nothing can be signed by it any more.
fn has_ended(error: &TsbError) -> bool {
    match error {
        TsbError::Expired(_) | TsbError::Rejected(_) | TsbError::Cancelled(_) | TsbError::Failed(_) => true,
        TsbError::RequestUnknown { .. } => true,
        // It is executed, and what came of it is of no use.
        TsbError::SignatureMissing { .. } | TsbError::SignatureInvalid { .. } => true,
        // Where the key has signed after all, the signature can still be had.
        TsbError::Deadline { progress, .. } | TsbError::Lost { progress, .. } => {
            progress.status.is_final() && progress.status != RequestStatus::Executed
        }
        TsbError::Stopped { cancelled, .. } => *cancelled,
        _ => false,
    }
}

/// Takes a request back.
pub(super) async fn cancel(settings: &TsbSettings, id: &RequestId, console: Console) -> Result<Exit, CliError> {
    let cancelled = cancel_request(settings, &TsbEnvironment::of_process(), id, &WallClock::new()).await;
    let withdrawn = cancelled.map_err(|error| CliError::Usage(error.to_string()))?;
    let ended = match &withdrawn {
        Withdrawn::Cancelled | Withdrawn::Gone => true,
        Withdrawn::Ended(state) => state.status != RequestStatus::Executed,
        Withdrawn::Unknown(_) => false,
    };
    let mut told = format!("the request {id}: {}", withdrawn.told(id));
    if let (true, Some(requests)) = (ended, kept_requests())
        && let Ok(kept) = requests.find(id)
    {
        if !kept.is_at(settings) {
            // It may wait there still.
            told.push_str(&format!("; it was made at {}, and not here: name the key there", quote(kept.url())));
        } else if let Err(error) = requests.forget(&kept) {
            console.warning(error);
        }
    }
    match withdrawn {
        Withdrawn::Cancelled => {
            console.print(format_args!("Cancelled the request {id}\n"));
            Ok(Exit::Success)
        }
        Withdrawn::Ended(_) | Withdrawn::Gone => Err(CliError::Failed(told)),
        Withdrawn::Unknown(_) => Err(CliError::Undecided(told)),
    }
}
