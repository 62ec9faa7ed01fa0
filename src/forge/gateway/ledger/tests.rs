use serde_json::json;
use time::OffsetDateTime;

use super::*;
use crate::forge::gateway::{GatewayClock, signer_calls};
use crate::forge::{Key, KeyKind};

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(Clock::new(GatewayClock::Moved(OffsetDateTime::UNIX_EPOCH)), false, None);
    let policy = serde_json::from_value(json!({"ruleUse": {"tokens": [{"timeout": 60, "groups": []}]}})).unwrap();
    ledger.add_key("release", Key::pooled(KeyKind::P256, 1).unwrap(), None, Some(&policy)).unwrap();
    ledger
}

fn ask(ledger: &mut Ledger, metadata_signature: &str) {
    let body = json!({"signRequest": {"payload": "AAAA", "metaData": "AAAA", "metaDataSignature": metadata_signature,
        "signKeyName": "release", "signatureAlgorithm": "SHA256_WITH_ECDSA"}});
    signer_calls::sign(ledger, body.to_string().as_bytes()).unwrap();
}

#[test]
fn everything_that_a_signer_has_held_counts() {
    let mut ledger = ledger();
    ask(&mut ledger, "");
    assert_eq!(ledger.payload_bytes, 3 + 4);
    ask(&mut ledger, &"A".repeat(1000));
    assert_eq!(ledger.payload_bytes, 2 * (3 + 4) + 1000);
}

#[test]
fn so_many_refusals_of_strangers_are_remembered() {
    let mut ledger = ledger();
    let refused = |ledger: &mut Ledger, place| {
        let at = OffsetDateTime::UNIX_EPOCH;
        ledger.remember(place, RefusedDeed { approver: None, name: None, at, reason: "not-listed" });
    };
    let requests = limits::GATEWAY_REQUESTS / limits::GATEWAY_REFUSALS + 2;
    for place in 0..requests {
        ask(&mut ledger, "");
        (0..=limits::GATEWAY_REFUSALS).for_each(|_| refused(&mut ledger, place));
    }
    assert_eq!(ledger.requests[0].refused.len(), limits::GATEWAY_REFUSALS);
    let all: usize = ledger.requests.iter().map(|request| request.refused.len()).sum();
    assert_eq!(all, limits::GATEWAY_REQUESTS);
}

#[test]
fn many_changes_that_fall_due_in_one_second_do_not_begin_within_each_other() {
    let mut ledger = ledger();
    let later = json!({"ruleModify": {"tokens": [{"timelock": 60, "groups": []}]}});
    let policy = serde_json::from_value(later.clone()).unwrap();
    ledger.add_key("changed", Key::pooled(KeyKind::P256, 1).unwrap(), None, Some(&policy)).unwrap();
    let body = json!({"modifyRequest": {"modifyKeyName": "changed", "policy": later}}).to_string();
    // So many that they would not fit on the stack of a thread, each within the one before.
    for _ in 0..5000 {
        signer_calls::modify(&mut ledger, body.as_bytes()).unwrap();
    }
    ledger.set_time(OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(2));
    let executed = ledger.requests.iter().filter(|request| request.outcome == Some(RequestStatus::Executed)).count();
    assert_eq!(executed, 1);
}
