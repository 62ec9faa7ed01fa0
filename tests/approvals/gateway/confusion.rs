//! Approvals that are not what they seem: each is refused with its reason, and nothing is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::signer::approver::TaskKind;
use muster::tsb::undocumented::{ApprovalContent, REJECT};
use muster::tsb::{self, Approval, ApprovalTask, RequestStatus};
use serde_json::{Value, json};

use super::bench::*;

/// Sends an approval as it is, and gives the word for why it is refused.
async fn refused(bench: &Bench, approval: &Approval) -> String {
    let (status, answer) = bench.post(tsb::APPROVAL, &serde_json::to_value(approval).unwrap()).await;
    assert!((400..500).contains(&status), "{status} {answer}");
    answer["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_signed_for_one_request_counts_for_no_other() {
    let bench = Bench::new(Some(policy(vec![token(0, 3600, vec![group(1, &[1, 2])])])));
    bench.gateway.add_key("other", bench.key.clone(), None, Some(two_of_three())).unwrap();
    let (one, other) = (bench.ask(b"one").await, bench.ask(b"other").await);
    let who = person(1);
    let (task, other_task) = (bench.task(&who, &one).await, bench.task(&who, &other).await);
    let sound = who.approval(&task).unwrap();
    let of_other = who.approval(&other_task).unwrap();
    // The bytes and the signature of one under the id of the other, and every part by itself.
    assert_eq!(refused(&bench, &Approval { id: other_task.id.clone(), ..sound.clone() }).await, "other-content");
    assert_eq!(
        refused(&bench, &Approval { approval_to_be_signed: of_other.approval_to_be_signed.clone(), ..sound.clone() })
            .await,
        "other-content"
    );
    assert_eq!(refused(&bench, &Approval { signature: of_other.signature, ..sound.clone() }).await, "signature");
    // Rightly signed, and over something else than was asked.
    let bytes = STANDARD.decode(&task.approval_to_be_signed).unwrap();
    let content = ApprovalContent::read(&bytes).unwrap();
    assert_eq!(
        (content.key.as_str(), content.request.as_str(), content.payload.as_slice()),
        ("release", &*one, &b"one"[..])
    );
    assert_eq!((content.operation.as_str(), content.algorithm.as_str()), ("sign", "SHA256_WITH_ECDSA"));
    for forged in [
        ApprovalContent { payload: b"another".to_vec(), ..content.clone() },
        ApprovalContent { key: "other".into(), ..content.clone() },
        ApprovalContent { operation: "block".into(), ..content.clone() },
        ApprovalContent { made: content.made + time::Duration::SECOND, ..content.clone() },
        ApprovalContent { algorithm: "SHA384_WITH_ECDSA".into(), ..content.clone() },
    ] {
        let forged = ApprovalTask { approval_to_be_signed: STANDARD.encode(forged.encode()), ..task.clone() };
        assert_eq!(refused(&bench, &who.approval(&forged).unwrap()).await, "other-content");
    }
    for id in [&one, &other] {
        assert_eq!(bench.status(id).await, RequestStatus::Pending);
    }
    assert_eq!(bench.gateway.request(&one).unwrap().refused.len(), 7);
    assert_eq!(bench.gateway.request(&other).unwrap().refused.len(), 1);
}

#[tokio::test]
async fn nobody_approves_for_somebody_else() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    let (first, second, outsider) = (person(1), person(2), person(7));
    let task = bench.task(&first, &id).await;
    assert_eq!(refused(&bench, &second.approval(&task).unwrap()).await, "another-task");
    assert_eq!(refused(&bench, &outsider.approval(&task).unwrap()).await, "not-listed");
    let sound = first.approval(&task).unwrap();
    let as_second = Approval { approver_public_key: Some(second.public_key()), ..sound.clone() };
    assert_eq!(refused(&bench, &as_second).await, "another-task");
    let second_task = bench.task(&second, &id).await;
    assert_eq!(refused(&bench, &Approval { id: second_task.id, ..as_second }).await, "signature");
    assert_eq!(refused(&bench, &Approval { approver_public_key: None, ..sound.clone() }).await, "malformed");
    assert_eq!(
        refused(&bench, &Approval { approver_public_key: Some("AAAA".into()), ..sound.clone() }).await,
        "malformed"
    );
    assert_eq!(
        refused(&bench, &Approval { id: format!("{id}.0000000000000000"), ..sound.clone() }).await,
        "another-task"
    );
    assert_eq!(refused(&bench, &Approval { id: "x".into(), ..sound.clone() }).await, "no-such-task");
    assert_eq!(
        refused(&bench, &Approval { approval_digest_algorithm: "SHA3-256".into(), ..sound.clone() }).await,
        "digest-algorithm"
    );
    assert_eq!(refused(&bench, &Approval { approval_digest_algorithm: "SHA-384".into(), ..sound }).await, "signature");
    assert_eq!(outsider.tasks(&bench.broker(), TaskKind::Sign, START, None).await.unwrap(), []);
    let state = bench.state(&id).await;
    assert_eq!((state.status, state.approved_by), (RequestStatus::Pending, Vec::new()));
}

#[tokio::test]
async fn an_approval_is_no_refusal_and_a_refusal_no_approval() {
    let bench = Bench::new(Some(policy(vec![token(0, 3600, vec![group(1, &[1])])])));
    let id = bench.ask(b"payload").await;
    let who = person(1);
    let task = bench.task(&who, &id).await;
    let approval = who.approval(&task).unwrap();
    let rejection = json!({"id": task.id, "signature": approval.signature, "rejectionDigestAlgorithm": "SHA-256",
        "approverPublicKey": who.public_key()});
    let (status, answer) = bench.post(REJECT, &rejection).await;
    assert_eq!((status, answer["reason"].as_str()), (403, Some("signature")));
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
}

#[tokio::test]
async fn a_task_is_shown_to_who_proves_their_key_by_a_time_of_now() {
    let bench = Bench::new(Some(two_of_three()));
    bench.ask(b"payload").await;
    let who = person(1);
    let broker = bench.broker();
    for (seconds, seen) in [(0, true), (-600, true), (-601, false), (1, false)] {
        let asked = who.tasks(&broker, TaskKind::Sign, START + time::Duration::seconds(seconds), None).await;
        assert_eq!(asked.is_ok(), seen, "{seconds}: {asked:?}");
    }
    let of_another: Value = json!({"timestamp": "2026-11-29T12:00:00+00:00", "timestampSignature": "AAAA",
        "timestampDigestAlgorithm": "SHA-256", "approverPublicKey": who.public_key()});
    let (status, answer) = bench.post(tsb::SIGN_APPROVAL_TASKS, &of_another).await;
    assert_eq!((status, answer["reason"].as_str()), (403, Some("signature")));
}
