//! A key behind the world's gateway: it signs when enough approvers agree, as it would behind the vendor's broker.
//!
//! The signer is that of `muster sign` ([`crate::signer::tsb`]), on the scenario's clock; the gateway alone holds the key.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use time::OffsetDateTime;
use tokio::runtime::Handle;

use super::approval_timeline::{ApprovalTimeline, Approvals, Deed, Setting, Tasks};
use super::approver::Person;
use super::key_policy::PolicyPlan;
use crate::forge::gateway::{Gateway, Operation};
use crate::http_client;
use crate::limits;
use crate::pki::{Certificate, Chain};
use crate::sign::{self, KeyError, SignError, SignRequest, SigningChain, SigningKey};
use crate::signer::tsb::{
    ApprovalClock as _, ApprovalMetadata, Submission, TsbEnvironment, TsbError, TsbKey, TsbSettings,
};
use crate::signer::{PrivateKey, SignerError, VerifyingKey};
use crate::source::Attachment;
use crate::tsb::key_change::{
    BlockRequest, BlockRequestBody, ModifyRequest, ModifyRequestBody, UnblockRequest, UnblockRequestBody,
};
use crate::tsb::undocumented::{BLOCK, MODIFY, UNBLOCK};

/// A key with its label at the gateway.
pub(in crate::scenario) struct GatewayKey {
    pub(super) gateway: Gateway,
    pub(super) label: String,
    /// The certificates in DER.
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) people: Arc<Vec<Arc<Person>>>,
    /// How long each answer of the gateway is waited for; as long as by `muster sign` if left out.
    pub(super) patience: Option<Duration>,
    /// What approvers were asked so far.
    pub(super) tasks: Mutex<Tasks>,
}

/// What is to be signed, and what happens meanwhile.
pub(in crate::scenario) struct ApprovalRun<'a> {
    pub(in crate::scenario) request: SignRequest,
    /// The name of the artifact.
    pub(in crate::scenario) artifact: String,
    pub(in crate::scenario) deeds: &'a [Deed],
    /// After what time the signer gives up.
    pub(in crate::scenario) give_up: Option<Duration>,
    pub(in crate::scenario) now: OffsetDateTime,
}

/// What is asked about a key itself.
#[derive(Debug)]
pub(in crate::scenario) enum KeyChange {
    /// That it is blocked.
    Block,
    /// That it is unblocked.
    Unblock,
    /// That it has another policy.
    Modify(PolicyPlan),
}

/// Why there is no signature.
pub(in crate::scenario) enum Unsigned {
    Broker(TsbError),
    Other(SignError),
}

impl GatewayKey {
    /// Blocks or unblocks the key, as its administrator does.
    pub(in crate::scenario) fn set_blocked(&self, blocked: bool) -> Result<(), String> {
        self.gateway.set_blocked(&self.label, blocked).map_err(|error| error.to_string())
    }

    /// The gateway.
    pub(in crate::scenario) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Has the key sign, while approvers do what they do. The error outside is that of the test bench.
    pub(in crate::scenario) async fn sign(
        &self,
        run: ApprovalRun<'_>,
    ) -> Result<(Result<Attachment, Unsigned>, Approvals, OffsetDateTime), String> {
        let ApprovalRun { request, artifact, deeds, give_up, now } = run;
        let setting = Setting {
            gateway: self.gateway.clone(),
            people: Arc::clone(&self.people),
            key: self.label.clone(),
            operation: Operation::Sign,
            artifact: artifact.clone(),
            tasks: std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner)),
        };
        let timeline = Arc::new(ApprovalTimeline::new(setting, deeds, now)?);
        let signed = match self.opened(now, give_up) {
            Err(error) => Err(error),
            Ok((key, chain)) => {
                let failure = Arc::new(Mutex::new(None));
                let metadata = ApprovalMetadata::of(&request.target, Some(&artifact));
                let (clock, runtime) = (Arc::clone(&timeline), Handle::current());
                let waiting = Waiting { key, metadata, clock, runtime, failure: Arc::clone(&failure) };
                let key = SigningKey::held_by(Arc::new(waiting), chain);
                let work = tokio::task::spawn_blocking(move || sign::sign(&key, &request));
                let signed = work.await.map_err(|_| "signing with approvals broke down".to_owned())?;
                let failure = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
                signed.map_err(|error| failure.map_or(Unsigned::Other(error), Unsigned::Broker))
            }
        };
        let mut approvals = timeline.finish().await?;
        *self.tasks.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(&mut approvals.tasks);
        let ended = approvals.ended;
        Ok((signed, approvals, ended))
    }

    /// Asks the gateway for `change`, and lets approvers do what they do.
    pub(in crate::scenario) async fn change(
        &self,
        change: &KeyChange,
        deeds: &[Deed],
        now: OffsetDateTime,
    ) -> Result<(Approvals, OffsetDateTime), String> {
        let label = self.label.clone();
        let (metadata, signature) = (None, None);
        let (operation, path, body) = match change {
            KeyChange::Block => {
                let asked = BlockRequest { block_key_name: label, meta_data: metadata, meta_data_signature: signature };
                (Operation::Block, BLOCK, serde_json::to_vec(&BlockRequestBody { block_request: asked }))
            }
            KeyChange::Unblock => {
                let asked =
                    UnblockRequest { unblock_key_name: label, meta_data: metadata, meta_data_signature: signature };
                (Operation::Unblock, UNBLOCK, serde_json::to_vec(&UnblockRequestBody { unblock_request: asked }))
            }
            KeyChange::Modify(policy) => {
                let asked = ModifyRequest {
                    modify_key_name: label,
                    policy: policy.written(&self.people),
                    meta_data: metadata,
                    meta_data_signature: signature,
                };
                (Operation::Modify, MODIFY, serde_json::to_vec(&ModifyRequestBody { modify_request: asked }))
            }
        };
        let body = body.map_err(|error| format!("the request cannot be written: {error}"))?;
        let setting = Setting {
            gateway: self.gateway.clone(),
            people: Arc::clone(&self.people),
            key: self.label.clone(),
            operation,
            artifact: format!("to {} the key", operation.as_str()),
            tasks: Tasks::new(),
        };
        let timeline = ApprovalTimeline::new(setting, deeds, now)?;
        // The signer's client asks for signatures only.
        let client = http_client::builder().no_proxy().tls_certs_only([]).build();
        let client = client.map_err(|error| http_client::causes(&error))?;
        let asked = client.post(format!("{}{path}", self.gateway.url())).header(CONTENT_TYPE, "application/json");
        asked.body(body).send().await.map_err(|error| http_client::causes(&error))?;
        timeline.request_made().await;
        let approvals = timeline.finish().await?;
        let ended = approvals.ended;
        Ok((approvals, ended))
    }

    fn opened(&self, now: OffsetDateTime, give_up: Option<Duration>) -> Result<(TsbKey, Chain), Unsigned> {
        let certificates: Result<Vec<Certificate>, _> = self.chain.iter().map(|der| Certificate::parse(der)).collect();
        let certificates = certificates.map_err(|failure| Unsigned::Other(SignError::Key(KeyError::Chain(failure))))?;
        let chain = SigningChain::checked(certificates, now).map_err(|error| Unsigned::Other(SignError::Key(error)))?;
        let mut settings = TsbSettings::new(self.gateway.url(), &self.label).map_err(Unsigned::Broker)?;
        settings.timeout = give_up.unwrap_or(limits::TSB_TIMEOUT);
        let key = TsbKey::open(&settings, &TsbEnvironment::default(), chain.leaf()).map_err(Unsigned::Broker)?;
        let key = match self.patience {
            Some(patience) => key.patient_for(patience),
            None => key,
        };
        Ok((key, chain))
    }
}

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatewayKey({}, {:?})", self.label, self.gateway)
    }
}

/// A key behind a broker, for what signs without waiting.
struct Waiting {
    key: TsbKey,
    metadata: ApprovalMetadata,
    clock: Arc<ApprovalTimeline>,
    runtime: Handle,
    /// What the broker's reason was.
    failure: Arc<Mutex<Option<TsbError>>>,
}

impl PrivateKey for Waiting {
    fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let clock = self.clock.as_ref();
        let work = async {
            let deadline = clock.now() + self.key.timeout();
            match self.key.submit(message, &self.metadata, clock).await? {
                Submission::Signature(signature) => Ok(signature),
                Submission::Request(id) => {
                    // Before it may end: who was asked can answer too late as well.
                    clock.request_made().await;
                    self.key.wait_until(&id, message, deadline, clock, &|_| {}).await
                }
            }
        };
        let signed = self.runtime.block_on(work);
        signed.map_err(|error| {
            let unsigned = SignerError::NotSigned(error.to_string());
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            unsigned
        })
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waiting({})", self.key.describes())
    }
}
