//! What approvers do while a signer waits, and the clock that it waits on.
//!
//! The signer's waiting is what moves the clock. On the way each deed is done at its exact second, over HTTP, by the client that
//! approvers have; the gateway's clock is moved before each. So everything comes out the same each time, and takes no time of the
//! wall's.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::approver::Person;
use crate::forge::gateway::{Gateway, Operation, RequestRecord};
use crate::scenario::scalar::{ArtifactName, later};
use crate::signer::approver::{ApproverError, ApproversBroker, TaskKind};
use crate::signer::tsb::ApprovalClock;
use crate::tsb::ApprovalTask;

/// Something that is done while a signer waits.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Deed {
    /// How long after the request.
    pub(in crate::scenario) after: time::Duration,
    pub(in crate::scenario) what: DeedKind,
}

/// What is done.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum DeedKind {
    /// An approver, by position, agrees; where an artifact is named, to what was asked of it before, in the place of this.
    Approve(usize, Option<ArtifactName>),
    /// An approver refuses.
    Reject(usize),
    /// The key is blocked.
    Block,
}

/// The tasks of approvers, by the artifact that they are about: what may be approved in the place of something else.
pub(super) type Tasks = BTreeMap<(usize, String), ApprovalTask>;

/// Deeds that are due, on a clock.
pub(super) struct ApprovalTimeline {
    gateway: Gateway,
    broker: ApproversBroker,
    people: Arc<Vec<Arc<Person>>>,
    /// The label of the key.
    key: String,
    /// What is asked of it.
    operation: Operation,
    /// The artifact that is signed.
    artifact: String,
    began: OffsetDateTime,
    now: StdMutex<OffsetDateTime>,
    course: Mutex<Course>,
}

/// How far it has come.
#[derive(Default)]
struct Course {
    due: VecDeque<Deed>,
    /// How many requests there were before.
    before: usize,
    /// The id of the request, once it is there.
    request: Option<String>,
    tasks: Tasks,
    refused: Vec<(String, String)>,
    /// Why something could not be done at all.
    broken: Option<String>,
}

/// What came of it.
pub(in crate::scenario) struct Approvals {
    /// The request as the gateway has it; `None` where it took none.
    pub(in crate::scenario) request: Option<RequestRecord>,
    /// Whose approval or refusal did not count, and the gateway's word for why.
    pub(in crate::scenario) refused: Vec<(String, String)>,
    /// When it ended.
    pub(super) ended: OffsetDateTime,
    pub(super) tasks: Tasks,
}

/// What a timeline is set up with.
pub(super) struct Setting {
    pub(super) gateway: Gateway,
    pub(super) people: Arc<Vec<Arc<Person>>>,
    pub(super) key: String,
    pub(super) operation: Operation,
    /// The artifact that is signed; what else is asked where none is.
    pub(super) artifact: String,
    /// Tasks of requests before.
    pub(super) tasks: Tasks,
}

impl ApprovalTimeline {
    /// Deeds that begin at `began`.
    pub(super) fn new(setting: Setting, deeds: &[Deed], began: OffsetDateTime) -> Result<ApprovalTimeline, String> {
        let Setting { gateway, people, key, operation, artifact, tasks } = setting;
        let broker = ApproversBroker::new(gateway.url()).map_err(|error| error.to_string())?;
        let mut due = deeds.to_vec();
        // Those of one second stay in the order of the file.
        due.sort_by_key(|deed| deed.after);
        // Every time on the way is one: the steps before may have gone far.
        later(began, due.last().map_or(time::Duration::ZERO, |last| last.after))?;
        gateway.set_time(began);
        let before = gateway.requests().len();
        let course = Course { due: due.into(), before, tasks, ..Course::default() };
        let (now, course) = (StdMutex::new(began), Mutex::new(course));
        Ok(ApprovalTimeline { gateway, broker, people, key, operation, artifact, began, now, course })
    }

    /// Does what is left after the signer has ended, and tells what came of everything.
    pub(super) async fn finish(&self) -> Result<Approvals, String> {
        let last = self.course.lock().await.due.back().map(|deed| self.began + deed.after);
        let until = last.unwrap_or(self.began).max(self.now());
        self.go_on_until(until).await;
        let mut course = self.course.lock().await;
        if let Some(reason) = course.broken.take() {
            return Err(reason);
        }
        let mut request = course.request.as_ref().and_then(|id| self.gateway.request(id));
        for deed in request.iter_mut().flat_map(|request| &mut request.approved) {
            // The gateway calls them as the policy does that the key has now, which may know them no more.
            let person = self.people.iter().find(|person| person.approver.public_key() == *deed.approver.0);
            deed.name = person.map(|person| person.name.clone());
        }
        Ok(Approvals {
            request,
            refused: std::mem::take(&mut course.refused),
            ended: self.now(),
            tasks: std::mem::take(&mut course.tasks),
        })
    }

    /// Has approvers asked as soon as the request is made.
    pub(super) async fn request_made(&self) {
        self.look_for_request(&mut *self.course.lock().await).await;
    }

    /// Lets the time pass until `until`.
    async fn go_on_until(&self, until: OffsetDateTime) {
        let mut course = self.course.lock().await;
        self.look_for_request(&mut course).await;
        while let Some(deed) = course.due.front().filter(|deed| self.began + deed.after <= until).cloned() {
            course.due.pop_front();
            self.set_now(self.began + deed.after);
            self.perform(&mut course, &deed.what).await;
        }
        self.set_now(until);
    }

    /// Has every approver fetch their task as soon as there is one, so that they can answer it late as well.
    async fn look_for_request(&self, course: &mut Course) {
        if course.request.is_some() {
            return;
        }
        let requests = self.gateway.requests();
        let own = requests.iter().skip(course.before);
        let mut own = own.filter(|request| request.key == self.key && request.operation == self.operation);
        let Some(request) = own.next() else { return };
        let kind = match self.operation {
            Operation::Sign => TaskKind::Sign,
            Operation::Block => TaskKind::Block,
            Operation::Unblock => TaskKind::Unblock,
            Operation::Modify => TaskKind::Modify,
        };
        for (position, person) in self.people.iter().enumerate() {
            let asked = person.approver.tasks(&self.broker, kind, self.now(), Some(&request.id)).await;
            match asked {
                Ok(tasks) => {
                    let own = tasks.into_iter().next().map(|task| ((position, self.artifact.clone()), task));
                    course.tasks.extend(own);
                }
                // Whom no policy lists is asked nothing.
                Err(ApproverError::Refused { .. }) => {}
                Err(error) => {
                    course.broken.get_or_insert(error.to_string());
                }
            }
        }
        course.request = Some(request.id.clone());
    }

    async fn perform(&self, course: &mut Course, deed: &DeedKind) {
        let by = match deed {
            DeedKind::Block => {
                if let Err(error) = self.gateway.set_blocked(&self.key, true) {
                    course.broken.get_or_insert(error.to_string());
                }
                return;
            }
            DeedKind::Approve(by, _) | DeedKind::Reject(by) => *by,
        };
        let person = &self.people[by];
        if course.request.is_none() {
            course.refused.push((person.name.clone(), "no-request".to_owned()));
            return;
        }
        // An outsider has no task of their own, and answers that of another.
        let own = course.tasks.get(&(by, self.artifact.clone()));
        let of_this =
            || course.tasks.iter().find(|((_, artifact), _)| *artifact == self.artifact).map(|(_, task)| task);
        let Some(task) = own.or_else(of_this).cloned() else {
            course.broken.get_or_insert("the gateway asks no approver for this request".to_owned());
            return;
        };
        let told = match deed {
            DeedKind::Reject(_) => person.approver.reject(&self.broker, &task).await,
            DeedKind::Approve(_, Some(other)) => {
                let Some(other) = course.tasks.get(&(by, other.to_string())) else {
                    let reason = format!("{} was never asked for an approval of {other} by this key", person.name);
                    course.broken.get_or_insert(reason);
                    return;
                };
                let task = ApprovalTask { approval_to_be_signed: other.approval_to_be_signed.clone(), ..task };
                person.approver.approve(&self.broker, &task).await
            }
            DeedKind::Approve(..) | DeedKind::Block => person.approver.approve(&self.broker, &task).await,
        };
        match told {
            Ok(()) => {}
            Err(ApproverError::Refused { reason, .. }) => {
                // A word of the gateway, in quotation marks as a stranger's.
                course.refused.push((person.name.clone(), reason.trim_matches('"').to_owned()));
            }
            Err(error) => {
                course.broken.get_or_insert(error.to_string());
            }
        }
    }

    fn set_now(&self, now: OffsetDateTime) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.gateway.set_time(now);
    }
}

impl fmt::Debug for ApprovalTimeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApprovalTimeline({}, {})", self.key, self.now())
    }
}

#[async_trait]
impl ApprovalClock for ApprovalTimeline {
    fn now(&self) -> OffsetDateTime {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self, time: Duration) {
        let until = self.now() + time;
        self.go_on_until(until).await;
    }
}
