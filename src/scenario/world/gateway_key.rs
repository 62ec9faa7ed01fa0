//! A key behind the world's gateway: it signs when enough approvers agree, as it would behind the vendor's broker.
//!
//! The signer is that of `muster sign` ([`crate::signer::tsb`]), on the scenario's clock; the gateway alone holds the key.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::runtime::Handle;

use super::approval_timeline::{ApprovalTimeline, Approvals, Deed, Setting, Tasks};
use super::approver::Person;
use crate::forge::gateway::Gateway;
use crate::limits;
use crate::pki::{Certificate, Chain};
use crate::sign::{self, KeyError, SignError, SignRequest, SigningChain, SigningKey};
use crate::signer::tsb::{
    ApprovalClock as _, ApprovalMetadata, Submission, TsbEnvironment, TsbError, TsbKey, TsbSettings,
};
use crate::signer::{PrivateKey, SignerError, VerifyingKey};
use crate::source::Attachment;

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
