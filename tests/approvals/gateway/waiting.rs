//! Two hundred requests that wait at once, and approvals that come in any order: none is lost, and none signed without its quorum.

use std::collections::BTreeMap;

use muster::signer::approver::TaskKind;
use muster::tsb::RequestStatus;

use super::bench::*;

const REQUESTS: usize = 200;
const PEOPLE: usize = 4;
const QUORUM: usize = 2;

/// The numbers of a known generator (Park and Miller), so that a failure can be played again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % end
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_requests_wait_at_once() {
    let people: Vec<usize> = (1..=PEOPLE).collect();
    let quorum = u32::try_from(QUORUM).unwrap();
    let bench = Bench::new(Some(policy(vec![token(0, 3600, vec![group(quorum, &people)])])));
    let mut numbers = Numbers(20_261_129);
    let mut ids = Vec::new();
    for number in 0..REQUESTS {
        ids.push(bench.ask(format!("payload {number}").as_bytes()).await);
    }
    // Each request is approved by some of them, each at some second, of which some are too late.
    let mut deeds: Vec<(i64, usize, usize)> = Vec::new();
    for request in 0..REQUESTS {
        for &who in &people {
            if numbers.below(10) < 6 {
                deeds.push((i64::try_from(1 + numbers.below(4000)).unwrap(), request, who));
            }
        }
    }
    deeds.sort_by_key(|&(second, request, who)| (second, (request * 7919 + who * 104_729) % 1009));
    let mut tasks = BTreeMap::new();
    for &who in &people {
        let listed = person(who).tasks(&bench.broker(), TaskKind::Sign, bench.gateway.now(), None).await.unwrap();
        assert_eq!(listed.len(), REQUESTS, "none is lost");
        for task in listed {
            let request = task.id.split('.').next().unwrap().to_owned();
            tasks.insert((request, who), task);
        }
    }
    let mut agreed: Vec<Vec<(i64, usize)>> = vec![Vec::new(); REQUESTS];
    for (second, request, who) in deeds {
        bench.at(second);
        let task = &tasks[&(ids[request].clone(), who)];
        let counted = person(who).approve(&bench.broker(), task).await;
        let wanted = second <= 3600 && agreed[request].len() < QUORUM;
        assert_eq!(counted.is_ok(), wanted, "request {request}, person {who}, second {second}: {counted:?}");
        if wanted {
            agreed[request].push((second, who));
        }
    }
    bench.at(4001);
    let (mut signed, mut expired) = (0, 0);
    for (number, id) in ids.iter().enumerate() {
        let state = bench.state(id).await;
        let record = bench.gateway.request(id).unwrap();
        let mut by: Vec<(i64, String)> =
            agreed[number].iter().map(|&(second, who)| (second, person(who).public_key())).collect();
        by.sort();
        assert_eq!(state.approved_by, by.into_iter().map(|(_, key)| key).collect::<Vec<_>>());
        if agreed[number].len() == QUORUM {
            assert_eq!(state.status, RequestStatus::Executed);
            assert!(bench.is_signed(&state, format!("payload {number}").as_bytes()));
            let last = agreed[number].iter().map(|&(second, _)| second).max().unwrap();
            assert_eq!(record.ended, Some(START + time::Duration::seconds(last)));
            signed += 1;
        } else {
            assert_eq!((state.status, state.result), (RequestStatus::Expired, None));
            assert_eq!(record.ended, Some(START + time::Duration::seconds(3601)));
            expired += 1;
        }
    }
    println!("{REQUESTS} requests waited at once: {signed} signed with their quorum, {expired} expired");
    assert!(signed > 100 && expired > 20, "both have to be seen");
}
