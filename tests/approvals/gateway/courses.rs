//! How requests fare: each ending of the table of cases, by the status that a signer sees.

use muster::forge::gateway::Operation;
use muster::signer::approver::{ApproverError, TaskKind};
use muster::tsb::undocumented::{BLOCK, MODIFY, UNBLOCK};
use muster::tsb::{self, KeyPolicy, KeyStatus, RequestStatus};
use serde_json::{Value, json};

use super::bench::*;

#[tokio::test]
async fn two_of_three_in_time_is_executed() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    let state = bench.state(&id).await;
    assert_eq!(state.status, RequestStatus::Pending);
    assert_eq!((state.approved_by.len(), state.not_yet_approved_by.len()), (0, 3));
    assert_eq!(state.result, None);
    bench.at(10);
    bench.approve(1, &id).await.unwrap();
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
    bench.at(3600);
    bench.approve(3, &id).await.unwrap();
    let state = bench.state(&id).await;
    assert_eq!(state.status, RequestStatus::Executed);
    assert_eq!(state.approved_by, [person(1).public_key(), person(3).public_key()]);
    assert_eq!(state.execution_time.as_deref(), Some("2026-11-29T13:00:00Z"));
    assert!(bench.is_signed(&state, b"payload") && !bench.is_signed(&state, b"other"));
    let [record] = bench.gateway.requests().try_into().unwrap();
    let names: Vec<_> = record.approved.iter().map(|deed| deed.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["person-1", "person-3"]);
    assert_eq!(record.metadata.as_deref(), Some(&br#"{"app":"test"}"#[..]));
}

#[tokio::test]
async fn a_second_late_is_refused_though_nobody_asked_meanwhile() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    bench.at(3600);
    bench.approve(1, &id).await.unwrap();
    let second = person(2);
    let task = bench.task(&second, &id).await;
    bench.at(3601);
    assert_eq!(reason(second.approve(&bench.broker(), &task).await), "ended");
    let state = bench.state(&id).await;
    assert_eq!((state.status, state.result), (RequestStatus::Expired, None));
    let record = bench.gateway.request(&id).unwrap();
    assert_eq!(record.refused[0].name.as_deref(), Some("person-2"));
    assert_eq!(record.ended.unwrap() - record.made, time::Duration::seconds(3601));
}

#[tokio::test]
async fn the_same_approver_counts_once() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    let who = person(1);
    let task = bench.task(&who, &id).await;
    who.approve(&bench.broker(), &task).await.unwrap();
    assert_eq!(reason(who.approve(&bench.broker(), &task).await), "approved-already");
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
    let none = who.tasks(&bench.broker(), TaskKind::Sign, bench.gateway.now(), None).await.unwrap();
    assert_eq!(none, []);
}

#[tokio::test]
async fn refusals_reject_once_no_quorum_is_left() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    for (number, status) in [(1, RequestStatus::Pending), (2, RequestStatus::Rejected)] {
        let who = person(number);
        let task = bench.task(&who, &id).await;
        who.reject(&bench.broker(), &task).await.unwrap();
        assert_eq!(bench.status(&id).await, status);
    }
    let state = bench.state(&id).await;
    assert_eq!(state.rejected_by, [person(1).public_key(), person(2).public_key()]);
    assert_eq!(state.not_yet_approved_by, [""; 0]);
}

#[tokio::test]
async fn a_timelock_is_waited_for_and_ends_by_itself() {
    let bench = Bench::new(Some(policy(vec![token(600, 3600, vec![group(1, &[1])])])));
    let id = bench.ask(b"payload").await;
    bench.approve(1, &id).await.unwrap();
    bench.at(599);
    let state = bench.state(&id).await;
    assert_eq!((state.status, state.execution_time, state.result), (RequestStatus::Approved, None, None));
    bench.at(5000);
    let state = bench.state(&id).await;
    assert_eq!(state.status, RequestStatus::Executed);
    assert_eq!(state.execution_time.as_deref(), Some("2026-11-29T12:10:00Z"));
    assert!(bench.is_signed(&state, b"payload"));
}

#[tokio::test]
async fn what_is_cancelled_stays_unsigned_and_what_has_ended_is_not_cancelled() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    let tasks = [bench.task(&person(1), &id).await, bench.task(&person(2), &id).await];
    let path = format!("{}/{id}", tsb::REQUEST);
    assert_eq!(bench.delete(&path).await.0, 200);
    for (number, task) in [1, 2].into_iter().zip(&tasks) {
        assert_eq!(reason(person(number).approve(&bench.broker(), task).await), "ended");
    }
    let state = bench.state(&id).await;
    assert_eq!((state.status, state.result), (RequestStatus::Cancelled, None));
    let (status, answer) = bench.delete(&path).await;
    assert_eq!((status, answer["reason"].as_str()), (409, Some("ended")));
}

#[tokio::test]
async fn keys_without_a_policy_sign_at_once_and_others_do_not() {
    let bench = Bench::new(None);
    let (status, answer) = bench.post(tsb::SYNCHRONOUS_SIGN, &sign_request("release", b"payload")).await;
    assert_eq!(status, 200, "{answer}");
    let id = bench.ask(b"payload").await;
    assert_eq!(bench.status(&id).await, RequestStatus::Executed);
    let guarded = Bench::new(Some(two_of_three()));
    let (status, answer) = guarded.post(tsb::SYNCHRONOUS_SIGN, &sign_request("release", b"payload")).await;
    assert_eq!((status, answer["reason"].as_str()), (403, Some("approvals-needed")));
    let empty = Bench::new(Some(KeyPolicy::default()));
    let id = empty.ask(b"payload").await;
    assert_eq!(empty.status(&id).await, RequestStatus::Executed);
}

fn with_owners() -> KeyPolicy {
    let owners = rule(vec![token(0, 3600, vec![group(1, &[8, 9])])]);
    KeyPolicy { rule_block: owners.clone(), rule_unblock: owners.clone(), rule_modify: owners, ..two_of_three() }
}

async fn change(bench: &Bench, path: &str, body: &Value, member: &str, kind: TaskKind, owner: usize) -> String {
    let (status, answer) = bench.post(path, body).await;
    assert_eq!(status, 201, "{answer}");
    let id = answer[member].as_str().unwrap().to_owned();
    let owner = person(owner);
    let tasks = owner.tasks(&bench.broker(), kind, bench.gateway.now(), Some(&id)).await.unwrap();
    owner.approve(&bench.broker(), &tasks[0]).await.unwrap();
    assert_eq!(bench.status(&id).await, RequestStatus::Executed);
    id
}

#[tokio::test]
async fn a_key_is_blocked_and_unblocked_by_its_own_rules() {
    let bench = Bench::new(Some(with_owners()));
    let waiting = bench.ask(b"waiting").await;
    let block = json!({"blockRequest": {"blockKeyName": "release"}});
    change(&bench, BLOCK, &block, "blockKeyRequestId", TaskKind::Block, 9).await;
    assert_eq!(bench.gateway.is_blocked("release"), Some(true));
    let (status, answer) = bench.post(tsb::SIGN, &sign_request("release", b"payload")).await;
    assert_eq!((status, answer["reason"].as_str()), (403, Some("key-blocked")));
    bench.approve(1, &waiting).await.unwrap();
    bench.approve(2, &waiting).await.unwrap();
    let state = bench.state(&waiting).await;
    assert_eq!((state.status, state.result), (RequestStatus::Failed, None), "approved while the key was blocked");
    let unblock = json!({"unblockRequest": {"unblockKeyName": "release"}});
    change(&bench, UNBLOCK, &unblock, "unblockKeyRequestId", TaskKind::Unblock, 8).await;
    let id = bench.ask(b"payload").await;
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
}

#[tokio::test]
async fn who_approves_signatures_does_not_approve_changes_of_the_key() {
    let bench = Bench::new(Some(with_owners()));
    let block = json!({"blockRequest": {"blockKeyName": "release"}});
    let id = bench.post(BLOCK, &block).await.1["blockKeyRequestId"].as_str().unwrap().to_owned();
    for kind in TaskKind::ALL {
        assert_eq!(person(1).tasks(&bench.broker(), kind, bench.gateway.now(), None).await.unwrap(), []);
    }
    // An owner's task, by the signature of one who is none.
    let owner = person(8);
    let task = owner.tasks(&bench.broker(), TaskKind::Block, bench.gateway.now(), Some(&id)).await.unwrap().remove(0);
    let refused: Result<(), ApproverError> = person(1).approve(&bench.broker(), &task).await;
    assert_eq!(reason(refused), "not-listed");
    assert_eq!(bench.gateway.is_blocked("release"), Some(false));
    assert_eq!(bench.gateway.request(&id).unwrap().operation, Operation::Block);
}

#[tokio::test]
async fn another_policy_is_in_force_at_once_and_ends_what_was_asked_before() {
    let bench = Bench::new(Some(with_owners()));
    let waiting = bench.ask(b"waiting").await;
    bench.approve(1, &waiting).await.unwrap();
    let policy = policy(vec![token(0, 60, vec![group(1, &[5])])]);
    let modify = json!({"modifyRequest": {"modifyKeyName": "release", "policy": policy}});
    change(&bench, MODIFY, &modify, "modifyKeyRequestId", TaskKind::Modify, 8).await;
    assert_eq!(bench.status(&waiting).await, RequestStatus::Failed);
    let id = bench.ask(b"payload").await;
    bench.approve(5, &id).await.unwrap();
    assert_eq!(bench.status(&id).await, RequestStatus::Executed);
    let unmeetable = json!({"modifyRequest": {"modifyKeyName": "release", "policy":
        {"ruleUse": {"tokens": [{"name": "t", "timelock": 0, "timeout": 61, "groups": []}]}, "keyStatus": {"blocked": false}}}});
    let (status, answer) = bench.post(MODIFY, &unmeetable).await;
    assert_eq!(status, 400, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("multiple of 60"));
}

#[tokio::test]
async fn of_two_changes_that_fall_due_in_one_second_the_earlier_ends_the_later() {
    let later = rule(vec![token(600, 0, Vec::new())]);
    let bench = Bench::new(Some(KeyPolicy { rule_use: later.clone(), rule_modify: later, ..KeyPolicy::default() }));
    let modify = json!({"modifyRequest": {"modifyKeyName": "release", "policy": two_of_three()}});
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(bench.post(MODIFY, &modify).await.1["modifyKeyRequestId"].as_str().unwrap().to_owned());
    }
    let signed = bench.ask(b"payload").await;
    bench.at(700);
    assert_eq!(bench.status(&ids[0]).await, RequestStatus::Executed);
    assert_eq!(bench.status(&ids[1]).await, RequestStatus::Failed);
    let state = bench.state(&signed).await;
    assert_eq!((state.status, state.result), (RequestStatus::Failed, None), "the rule was no longer in force");
    let failure = bench.gateway.request(&signed).unwrap().failure;
    assert_eq!(failure.as_deref(), Some("its key was given another policy"));
}

#[tokio::test]
async fn a_key_that_is_blocked_in_the_same_second_signs_nothing() {
    let later = rule(vec![token(600, 0, Vec::new())]);
    let bench = Bench::new(Some(KeyPolicy { rule_use: later.clone(), rule_block: later, ..KeyPolicy::default() }));
    assert_eq!(bench.post(BLOCK, &json!({"blockRequest": {"blockKeyName": "release"}})).await.0, 201);
    let id = bench.ask(b"payload").await;
    bench.at(700);
    assert_eq!(bench.gateway.is_blocked("release"), Some(true));
    let state = bench.state(&id).await;
    assert_eq!((state.status, state.result), (RequestStatus::Failed, None));
    assert_eq!(bench.gateway.request(&id).unwrap().failure.as_deref(), Some("its key is blocked"));
}

#[tokio::test]
async fn a_key_that_begins_blocked_takes_nothing() {
    let policy = KeyPolicy { key_status: KeyStatus { blocked: true }, ..with_owners() };
    let bench = Bench::new(Some(policy));
    assert_eq!(bench.post(tsb::SIGN, &sign_request("release", b"payload")).await.0, 403);
    assert_eq!(bench.gateway.requests(), []);
}
