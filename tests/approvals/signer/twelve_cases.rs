//! Twelve cases of approvals, each with the status of the request, the signer's error, the signatures there are, and the verdict: over `muster
//! sign` and over the plugin, by a key in memory and by one in SoftHSM.

use muster::forge::gateway::{GatewayFault, RequestRecord};
use muster::forge::softhsm::{SoftHsm, SoftHsmError};
use muster::forge::{Key, KeyKind};
use muster::signer::{self, Environment};
use muster::tsb::{KeyPolicy, RequestStatus};

use super::bench::{Bench, Way};
use crate::gateway::bench::{group, person, policy, token, two_of_three};

/// What a case ends with.
struct Expected {
    status: RequestStatus,
    /// The code of the contract; none where it is signed.
    code: Option<&'static str>,
    /// What the signer says, in part.
    says: &'static str,
}

const SIGNED: Expected = Expected { status: RequestStatus::Executed, code: None, says: "" };
const EXPIRED: Expected = Expected { status: RequestStatus::Expired, code: Some("TIMEOUT"), says: "has expired" };

#[track_caller]
fn case(
    number: u32,
    key: &Key,
    policy: KeyPolicy,
    timeout: &str,
    play: impl Fn(&Bench, &RequestRecord),
    expected: &Expected,
) {
    for way in [Way::Command, Way::Plugin] {
        let bench = Bench::new(key, Some(policy.clone()));
        let ended = bench.run(way, timeout, |request| play(&bench, request));
        let what = format!("case {number}, {way:?}: {ended:?}");
        let request = bench.requested();
        assert_eq!(request.status, expected.status, "{what}");
        assert_eq!(ended.success, expected.code.is_none(), "{what}");
        if way == Way::Plugin {
            assert_eq!(ended.code.as_deref(), expected.code, "{what}");
        }
        assert!(ended.said.contains(expected.says), "{what}");
        let signed = expected.code.is_none();
        assert_eq!(bench.verdict(), (usize::from(signed), signed), "{what}");
        assert_eq!(bench.kept(), 0, "what has ended is not kept: {what}");
        // What approvers were shown.
        let metadata = String::from_utf8(request.metadata.unwrap()).unwrap();
        let digest = muster::forge::Artifact::image("app").descriptor().digest.to_string();
        assert!(metadata.contains(&digest), "{what}: {metadata}");
        assert_eq!(metadata.contains("reference"), way == Way::Command, "{what}: {metadata}");
    }
}

fn cases(key: &Key) {
    case(
        1,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.at(60);
            bench.approve(&person(1), &request.id).unwrap();
            bench.at(120);
            bench.approve(&person(2), &request.id).unwrap();
        },
        &SIGNED,
    );
    case(
        2,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.approve(&person(1), &request.id).unwrap();
            bench.at(3601);
        },
        &EXPIRED,
    );
    case(
        3,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.approve(&person(1), &request.id).unwrap();
            bench.at(3601);
            assert!(bench.approve(&person(2), &request.id).is_err(), "one second late");
        },
        &EXPIRED,
    );
    case(
        4,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.approve(&person(1), &request.id).unwrap();
            assert!(bench.approve(&person(9), &request.id).is_err(), "an outsider");
            bench.at(3601);
        },
        &EXPIRED,
    );
    case(
        5,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.approve(&person(1), &request.id).unwrap();
            assert!(bench.approve(&person(1), &request.id).is_err(), "twice");
            bench.at(3601);
        },
        &EXPIRED,
    );
    let rejected = Expected {
        status: RequestStatus::Rejected,
        code: Some("ACCESS_DENIED"),
        says: "was rejected: approved by none",
    };
    case(
        6,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.reject(1, &request.id);
            bench.reject(2, &request.id);
        },
        &rejected,
    );
    case(
        7,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            // The approval of another request, whose payload is another, does not count for this one.
            assert!(bench.replay(&person(2), &request.id).is_err(), "a replay");
            bench.approve(&person(1), &request.id).unwrap();
            bench.at(3601);
        },
        &EXPIRED,
    );
    case(
        8,
        key,
        policy(vec![token(600, 3600, vec![group(1, &[1])])]),
        "60s",
        |bench, request| {
            bench.approve(&person(1), &request.id).unwrap();
            assert_eq!(bench.gateway.request(&request.id).unwrap().status, RequestStatus::Approved);
            bench.at(600);
        },
        &SIGNED,
    );
    let late = Expected {
        status: RequestStatus::Cancelled,
        code: Some("TIMEOUT"),
        says: "approvals that come later sign nothing",
    };
    case(
        9,
        key,
        two_of_three(),
        "1s",
        |bench, request| {
            for _ in 0..1200 {
                if bench.gateway.request(&request.id).unwrap().status == RequestStatus::Cancelled {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            assert!(bench.approve(&person(1), &request.id).is_err(), "too late");
        },
        &late,
    );
    let or =
        policy(vec![token(0, 3600, vec![group(2, &[1, 2])]), token(0, 3600, vec![group(1, &[3]), group(1, &[4])])]);
    case(
        10,
        key,
        or.clone(),
        "60s",
        |bench, request| {
            for number in [1, 3, 4] {
                bench.approve(&person(number), &request.id).unwrap();
            }
        },
        &SIGNED,
    );
    case(
        10,
        key,
        or,
        "60s",
        |bench, request| {
            for number in [1, 3] {
                bench.approve(&person(number), &request.id).unwrap();
            }
            bench.at(3601);
        },
        &EXPIRED,
    );
    for way in [Way::Command, Way::Plugin] {
        let bench = Bench::new(key, Some(two_of_three()));
        bench.gateway.set_blocked("release", true).unwrap();
        let ended = bench.refused(way);
        assert!(!ended.success && ended.said.contains("status 403"), "case 11: {ended:?}");
        assert_eq!(ended.code.as_deref(), (way == Way::Plugin).then_some("ACCESS_DENIED"), "case 11: {ended:?}");
        assert_eq!((bench.gateway.requests().len(), bench.verdict(), bench.kept()), (0, (0, false), 0), "case 11");
    }
    let thrown_away = Expected { status: RequestStatus::Executed, code: Some("ERROR"), says: "does not verify" };
    case(
        12,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.gateway.misbehave(GatewayFault::AnotherKey, None);
            bench.approve(&person(1), &request.id).unwrap();
            bench.approve(&person(2), &request.id).unwrap();
        },
        &thrown_away,
    );
    // The same signature in its other form is converted, and used.
    case(
        12,
        key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.gateway.misbehave(GatewayFault::OtherForm, None);
            bench.approve(&person(1), &request.id).unwrap();
            bench.approve(&person(2), &request.id).unwrap();
        },
        &SIGNED,
    );
}

#[test]
fn by_a_key_in_memory() {
    cases(&Key::pooled(KeyKind::P256, 0).unwrap());
    // The salt is RSA's alone.
    let key = Key::pooled(KeyKind::Rsa2048, 0).unwrap();
    let thrown_away = Expected { status: RequestStatus::Executed, code: Some("ERROR"), says: "does not verify" };
    case(
        12,
        &key,
        two_of_three(),
        "60s",
        |bench, request| {
            bench.gateway.misbehave(GatewayFault::WrongSalt, None);
            bench.approve(&person(1), &request.id).unwrap();
            bench.approve(&person(2), &request.id).unwrap();
        },
        &thrown_away,
    );
}

#[test]
fn by_a_key_in_softhsm() {
    const NAME: &str = "signer::twelve_cases::by_a_key_in_softhsm";
    if let Some(hsm) = SoftHsm::of_process().unwrap() {
        let token = hsm.token("approvals").unwrap();
        let uri = token.import(&Key::pooled(KeyKind::P256, 0).unwrap(), "release").unwrap();
        let environment = Environment::default().with_module(hsm.module());
        return cases(&Key::held_by(signer::open(&uri, &environment).unwrap().signer));
    }
    let hsm = match SoftHsm::prepare() {
        Ok(hsm) => hsm,
        Err(error @ SoftHsmError::NotInstalled) => return crate::skip::skip(NAME, &error.to_string()),
        Err(error) => panic!("{error}"),
    };
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args([NAME, "--exact", "--nocapture"]).envs(hsm.environment());
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
