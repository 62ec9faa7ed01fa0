//! The key: a request is made, waited for, continued after a restart, and taken back.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::application_key::ApplicationKey;
use super::approvers::ApproverNames;
use super::broker::{Broker, Miss, Refusal, Taken};
use super::clock::ApprovalClock;
use super::metadata::ApprovalMetadata;
use super::progress::RequestProgress;
use super::request_id::RequestId;
use super::secrets::Secrets;
use super::withdrawal::{Withdrawn, withdraw};
use super::{TsbEnvironment, TsbError, TsbSettings};
use crate::failure::quote;
use crate::limits;
use crate::pki::{Certificate, KeyKind};
use crate::signer::{VerifyingKey, signature_form};
use crate::tsb::{
    RequestState, RequestStatus, SIGN, SYNCHRONOUS_SIGN, SignRequest, SignRequestBody, SignatureType,
    signature_algorithm,
};

/// Is told how far a request has come, whenever the broker was asked.
pub type Told<'a> = &'a (dyn Fn(&RequestProgress) + Send + Sync);

/// A key behind a broker, with the certificate of its public half.
pub struct TsbKey {
    broker: Broker,
    label: String,
    without_approvals: bool,
    key_password: Option<Zeroizing<String>>,
    application: Option<ApplicationKey>,
    names: ApproverNames,
    verifying: VerifyingKey,
    timeout: Duration,
    poll: Duration,
    stop: watch::Sender<bool>,
}

/// What comes of asking for a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// A request, which people may have to approve.
    Request(RequestId),
    /// The signature at once. It has been verified.
    Signature(Vec<u8>),
}

/// The answer to either call: brokers without approvals answer `POST /v1/sign` as `POST /v1/synchronousSign`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submitted {
    #[serde(default)]
    sign_request_id: Option<String>,
    #[serde(default)]
    signature: Option<String>,
}

impl TsbKey {
    /// The key that `settings` name, whose certificate is `leaf`. Nothing is asked of the broker yet.
    ///
    /// # Errors
    ///
    /// [`TsbError::Setting`]: which file or secret cannot be used.
    pub fn open(settings: &TsbSettings, environment: &TsbEnvironment, leaf: &Certificate) -> Result<TsbKey, TsbError> {
        let secrets = Secrets::read(settings, environment)?;
        let broker = Broker::open(settings, &secrets)?;
        let names = settings.approvers.as_deref().map(ApproverNames::load).transpose()?.unwrap_or_default();
        let application = settings.application_key.as_deref().map(ApplicationKey::load).transpose()?;
        let verifying = VerifyingKey::of_certificate(leaf)
            .map_err(|reason| TsbError::Setting(format!("the key of the first certificate signs nothing: {reason}")))?;
        Ok(TsbKey {
            broker,
            label: settings.key.clone(),
            without_approvals: settings.without_approvals,
            key_password: secrets.key_password,
            application,
            names,
            verifying,
            timeout: settings.timeout,
            poll: settings.poll,
            stop: watch::Sender::new(false),
        })
    }

    /// With another time in which each answer of the broker has to be there.
    pub fn patient_for(self, patience: Duration) -> TsbKey {
        TsbKey { broker: self.broker.patient_for(patience), ..self }
    }

    /// The public half of the key.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// How long approvals are waited for.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The broker and the label of the key, for people.
    pub fn describes(&self) -> String {
        format!("the key {} at the broker {}", quote(&self.label), self.broker.name())
    }

    /// Tells the signer to stop: whatever waits takes its request back, and ends.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// How far a request has come, asked once.
    ///
    /// # Errors
    ///
    /// Why that is not known.
    pub async fn look(&self, id: &RequestId) -> Result<RequestState, TsbError> {
        const WHAT: &str = "the question for the request";
        self.broker.state_of(id, limits::TSB_ANSWER_TIMEOUT).await.map_err(|miss| match miss {
            Miss::Passing { reason, .. } => TsbError::Unreachable { broker: self.broker.name(), reason },
            Miss::Lasting(Refusal { status: Some(StatusCode::NOT_FOUND), said }) => {
                TsbError::RequestUnknown { broker: self.broker.name(), request: id.to_string(), said }
            }
            Miss::Lasting(refusal) => lasting(&self.broker, WHAT, &self.label, refusal),
        })
    }

    /// Has `message` signed, the bytes that an envelope wants signed, whole and unhashed. The signature is verified, and in the
    /// form of envelopes.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub async fn sign(
        &self,
        message: &[u8],
        metadata: &ApprovalMetadata,
        clock: &dyn ApprovalClock,
        told: Told<'_>,
    ) -> Result<Vec<u8>, TsbError> {
        let started = clock.now();
        match self.submit(message, metadata, clock).await? {
            Submission::Signature(signature) => Ok(signature),
            Submission::Request(id) => self.wait_until(&id, message, started + self.timeout, clock, told).await,
        }
    }

    /// Asks for a signature, and does not wait for approvals.
    ///
    /// # Errors
    ///
    /// Why there is neither a request nor a signature.
    pub async fn submit(
        &self,
        message: &[u8],
        metadata: &ApprovalMetadata,
        clock: &dyn ApprovalClock,
    ) -> Result<Submission, TsbError> {
        let path = if self.without_approvals { SYNCHRONOUS_SIGN } else { SIGN };
        let body = self.body(message, metadata, clock.now())?;
        let until = clock.now() + limits::TSB_SUBMISSION_TIMEOUT.min(self.timeout);
        let mut pause = limits::TSB_SUBMISSION_PAUSE;
        // A request whose id is not known here may still be approved.
        let unknown = |reason| match self.without_approvals {
            // Such a signature is made at once or never: nothing is left that could be approved.
            true => TsbError::Unreachable { broker: self.broker.name(), reason },
            false => TsbError::SubmissionUnknown { broker: self.broker.name(), key: quote(&self.label), reason },
        };
        let submitted: Submitted = loop {
            if *self.stop.borrow() {
                return Err(TsbError::StoppedBefore);
            }
            let asked = self.broker.ask(Method::POST, path, Some(&body), limits::TSB_ANSWER_TIMEOUT);
            let Some(asked) = self.hurried(asked).await else {
                return Err(unknown("the signer was told to stop, and the broker did not answer in time".to_owned()));
            };
            let miss = match asked {
                Ok(submitted) => break submitted,
                Err(miss) => miss,
            };
            let (reason, asked, taken) = match miss {
                Miss::Passing { reason, asked, taken } => (reason, asked, taken),
                Miss::Lasting(Refusal { status: None, said }) if !self.without_approvals => {
                    return Err(unknown(format!("its answer cannot be used, {said}")));
                }
                Miss::Lasting(refusal) => return Err(lasting(&self.broker, "to sign", &self.label, refusal)),
            };
            match taken {
                Taken::Perhaps => return Err(unknown(reason)),
                Taken::Refused => {
                    return Err(TsbError::Refused {
                        broker: self.broker.name(),
                        what: "to sign".to_owned(),
                        said: reason,
                    });
                }
                Taken::No | Taken::TooMany => {}
            }
            let next = pause.max(asked.unwrap_or_default());
            if clock.now() + next > until {
                return Err(match taken {
                    Taken::TooMany => TsbError::Throttled(self.broker.name()),
                    _ => TsbError::Unreachable { broker: self.broker.name(), reason },
                });
            }
            self.unless_stopped(clock.wait(next)).await.ok_or(TsbError::StoppedBefore)?;
            pause = (pause * 2).min(limits::TSB_LONGEST_PAUSE);
        };
        match (submitted.signature, submitted.sign_request_id) {
            (Some(signature), _) => Ok(Submission::Signature(self.verified(None, message, &signature)?)),
            (None, Some(id)) => {
                let id =
                    id.parse().map_err(|_| unknown(format!("{} is no id of a request", self.broker.repeated(&id))))?;
                Ok(Submission::Request(id))
            }
            (None, None) => Err(unknown("in its answer is neither the id of a request nor a signature".to_owned())),
        }
    }

    /// Waits for the request `id`, which is for a signature of `message`: for as long as the settings say from now on, then takes
    /// it back. Who continues a request after a restart calls this.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub async fn wait(
        &self,
        id: &RequestId,
        message: &[u8],
        clock: &dyn ApprovalClock,
        told: Told<'_>,
    ) -> Result<Vec<u8>, TsbError> {
        self.wait_until(id, message, clock.now() + self.timeout, clock, told).await
    }

    /// The same until `deadline`.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub async fn wait_until(
        &self,
        id: &RequestId,
        message: &[u8],
        deadline: OffsetDateTime,
        clock: &dyn ApprovalClock,
        told: Told<'_>,
    ) -> Result<Vec<u8>, TsbError> {
        let left = |clock: &dyn ApprovalClock| Duration::try_from(deadline - clock.now()).unwrap_or_default();
        let mut progress = RequestProgress::begun(id, left(clock));
        let mut pause = self.poll;
        loop {
            let within = left(clock).max(limits::TSB_LAST_ANSWER_TIMEOUT);
            let Some(asked) = self.unless_stopped(self.broker.state_of(id, within)).await else {
                return Err(self.stopped(progress, clock).await);
            };
            let mut wished = Duration::ZERO;
            match asked {
                Ok(state) => {
                    let before = (progress.status, progress.approved.len(), progress.rejected.len());
                    progress.update(&state, &self.names);
                    progress.left = left(clock);
                    told(&progress);
                    if state.status.is_final() {
                        return self.ended(state, progress, message);
                    }
                    if before != (progress.status, progress.approved.len(), progress.rejected.len()) {
                        // Others may follow soon.
                        pause = self.poll;
                    }
                }
                Err(Miss::Passing { reason, asked, .. }) => {
                    wished = asked.unwrap_or_default();
                    progress.trouble = Some(reason);
                    progress.left = left(clock);
                    told(&progress);
                }
                Err(Miss::Lasting(refusal)) => return Err(self.lost(progress, refusal, clock).await),
            }
            let left = left(clock);
            if left.is_zero() {
                return self.late(progress, message, clock).await;
            }
            if self.unless_stopped(clock.wait(pause.max(wished).min(left))).await.is_none() {
                return Err(self.stopped(progress, clock).await);
            }
            pause = pause.mul_f64(GROWTH).min(limits::TSB_LONGEST_PAUSE.max(self.poll));
        }
    }

    /// Takes the request back, and tells what became of it.
    pub async fn cancel(&self, id: &RequestId, clock: &dyn ApprovalClock) -> Withdrawn {
        withdraw(&self.broker, id, clock).await
    }

    fn body(
        &self,
        message: &[u8],
        metadata: &ApprovalMetadata,
        now: OffsetDateTime,
    ) -> Result<Zeroizing<Vec<u8>>, TsbError> {
        let kind = self.verifying.kind();
        let metadata = (!self.without_approvals).then(|| metadata.written(now));
        let metadata_signature = match (&self.application, &metadata) {
            (Some(key), Some(metadata)) => Some(key.sign(metadata)?),
            _ => None,
        };
        let password = self.key_password.as_ref();
        let sign_request = SignRequest {
            payload: STANDARD.encode(message),
            payload_type: "UNSPECIFIED".to_owned(),
            sign_key_name: self.label.clone(),
            key_password: password.map(|password| password.chars().map(String::from).collect()),
            meta_data: metadata.map(|metadata| STANDARD.encode(metadata)),
            meta_data_signature: metadata_signature,
            signature_algorithm: signature_algorithm(kind).to_owned(),
            signature_type: is_ec(kind).then_some(SignatureType::Raw),
        };
        let unwritten = |error: serde_json::Error| TsbError::Setting(format!("the request cannot be written: {error}"));
        let compact = Zeroizing::new(serde_json::to_vec(&sign_request).map_err(unwritten)?);
        let request_signature = self.application.as_ref().map(|key| key.of_request(&compact)).transpose()?;
        let body = SignRequestBody { sign_request, request_signature };
        serde_json::to_vec(&body).map(Zeroizing::new).map_err(unwritten)
    }

    /// What a request that has ended is worth.
    fn ended(&self, state: RequestState, progress: RequestProgress, message: &[u8]) -> Result<Vec<u8>, TsbError> {
        let progress = Box::new(progress);
        match state.status {
            RequestStatus::Executed => match state.result.as_deref().filter(|result| !result.is_empty()) {
                Some(result) => self.verified(Some(&progress.id), message, result),
                None => {
                    Err(TsbError::SignatureMissing { broker: self.broker.name(), request: progress.id.to_string() })
                }
            },
            RequestStatus::Expired => Err(TsbError::Expired(progress)),
            RequestStatus::Rejected => Err(TsbError::Rejected(progress)),
            RequestStatus::Cancelled => Err(TsbError::Cancelled(progress)),
            RequestStatus::Failed | RequestStatus::Pending | RequestStatus::Approved => Err(TsbError::Failed(progress)),
        }
    }

    /// The signature in the form of envelopes, if it is this key's over `message`.
    fn verified(&self, id: Option<&RequestId>, message: &[u8], result: &str) -> Result<Vec<u8>, TsbError> {
        let given = STANDARD.decode(result).ok();
        let signature = given.and_then(|given| signature_form::verified(&self.verifying, message, given));
        signature.ok_or_else(|| TsbError::SignatureInvalid {
            broker: self.broker.name(),
            key: quote(&self.label),
            request: id.map(RequestId::to_string),
        })
    }

    /// The signer's own time is over: the request is taken back. If the key has signed just before, the signature is used, since
    /// enough people had approved it.
    async fn late(
        &self,
        progress: RequestProgress,
        message: &[u8],
        clock: &dyn ApprovalClock,
    ) -> Result<Vec<u8>, TsbError> {
        match withdraw(&self.broker, &progress.id, clock).await {
            Withdrawn::Ended(state) => {
                let mut progress = progress;
                progress.update(&state, &self.names);
                self.ended(state, progress, message)
            }
            withdrawn => {
                let mut progress = progress;
                if withdrawn == Withdrawn::Cancelled {
                    progress.status = RequestStatus::Cancelled;
                }
                let withdrawn = withdrawn.told(&progress.id);
                Err(TsbError::Deadline { progress: Box::new(progress), withdrawn })
            }
        }
    }

    async fn stopped(&self, mut progress: RequestProgress, clock: &dyn ApprovalClock) -> TsbError {
        // A signal leaves little time.
        let withdrawn = withdraw(&self.broker, &progress.id, clock);
        let withdrawn = tokio::time::timeout(limits::TSB_STOP_TIMEOUT, withdrawn).await;
        let withdrawn =
            withdrawn.unwrap_or_else(|_| Withdrawn::Unknown("the broker did not answer in time".to_owned()));
        let cancelled = matches!(withdrawn, Withdrawn::Cancelled | Withdrawn::Gone);
        self.take_up(&mut progress, &withdrawn);
        TsbError::Stopped { withdrawn: withdrawn.told(&progress.id), progress: Box::new(progress), cancelled }
    }

    /// Has `progress` say what became of a request that was taken back.
    fn take_up(&self, progress: &mut RequestProgress, withdrawn: &Withdrawn) {
        match withdrawn {
            Withdrawn::Cancelled => progress.status = RequestStatus::Cancelled,
            Withdrawn::Ended(state) => progress.update(state, &self.names),
            Withdrawn::Gone | Withdrawn::Unknown(_) => {}
        }
    }

    /// The broker tells nothing of the request any more: it is taken back, as far as the broker lets it be.
    async fn lost(&self, mut progress: RequestProgress, refusal: Refusal, clock: &dyn ApprovalClock) -> TsbError {
        // Also where it is said not to be there: what is in between may have said so.
        let withdrawn = withdraw(&self.broker, &progress.id, clock).await;
        let reason = if refusal.status == Some(StatusCode::NOT_FOUND) {
            TsbError::RequestUnknown {
                broker: self.broker.name(),
                request: progress.id.to_string(),
                said: refusal.said,
            }
        } else {
            lasting(&self.broker, "the question for the request", &self.label, refusal)
        };
        if withdrawn == Withdrawn::Gone && matches!(reason, TsbError::RequestUnknown { .. }) {
            return reason;
        }
        self.take_up(&mut progress, &withdrawn);
        let withdrawn = withdrawn.told(&progress.id);
        TsbError::Lost { progress: Box::new(progress), reason: Box::new(reason), withdrawn }
    }

    /// Does `work`, which is to have an end, and soon if the signer is told to stop; `None` if it has none by then.
    async fn hurried<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        match self.unless_stopped(&mut work).await {
            Some(done) => Some(done),
            None => tokio::time::timeout(limits::TSB_STOP_SUBMISSION_TIMEOUT, work).await.ok(),
        }
    }

    /// Does `work` unless the signer is told to stop.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            // The sender lives as long as the key.
            _ = stop.wait_for(|stop| *stop) => None,
            done = work => Some(done),
        }
    }
}

fn is_ec(kind: KeyKind) -> bool {
    matches!(kind, KeyKind::P256 | KeyKind::P384 | KeyKind::P521)
}

/// By how much a pause grows.
const GROWTH: f64 = 1.5;

impl fmt::Debug for TsbKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TsbKey({} of {:?})", quote(&self.label), self.broker)
    }
}

/// The label of a key as one segment of a path.
pub(super) fn label_in_path(label: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    label.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What a refusal that lasts means.
pub(super) fn lasting(broker: &Broker, what: &str, key: &str, refusal: Refusal) -> TsbError {
    let (broker, said, what) = (broker.name(), refusal.said, what.to_owned());
    match refusal.status {
        None => TsbError::Answer { broker, what, reason: said },
        Some(StatusCode::UNAUTHORIZED) => {
            let remedy = "give a token or an API key that is accepted, by token-file or MUSTER_TSB_TOKEN, api-key-file or \
                          MUSTER_TSB_API_KEY";
            TsbError::Denied { broker, what, said, remedy: remedy.to_owned() }
        }
        Some(StatusCode::FORBIDDEN) => {
            let remedy = "ask those who run the broker whether the key is blocked, and whether this signer may use it";
            TsbError::Denied { broker, what, said, remedy: remedy.to_owned() }
        }
        Some(StatusCode::NOT_FOUND) => TsbError::KeyUnknown { broker, key: quote(key), said },
        Some(_) => TsbError::Refused { broker, what, said },
    }
}
