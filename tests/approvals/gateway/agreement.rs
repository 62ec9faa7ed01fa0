//! The rule against a model of it, over stories drawn at random; and the model told to be wrong, in each of many ways, against the
//! rule: every one is found out.

use std::sync::Arc;

use muster::forge::gateway::{ApproverId, Course, Group, Rule, Token};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::model::{Act, ModelToken, Mutant, Seen, Story, play};

const DRAWS: usize = 10_000;
const PEOPLE: u32 = 6;
/// Who is in no group: their number is above those of all members.
const OUTSIDERS: u32 = 2;

fn who(number: u32) -> ApproverId {
    ApproverId(Arc::from(format!("person {number}")))
}

/// Plays a story on the gateway's rule, which is only looked at when something is done, and at the end.
fn played(story: &Story) -> Seen {
    let group = |&(quorum, people): &(u32, u16)| Group {
        quorum,
        members: (0..PEOPLE).filter(|number| people >> number & 1 == 1).map(who).collect(),
    };
    let token = |token: &ModelToken| Token {
        timelock: token.timelock,
        timeout: (token.timeout > 0).then_some(token.timeout),
        groups: token.groups.iter().map(group).collect(),
    };
    let rule = Rule { tokens: story.tokens.iter().map(token).collect() };
    let mut course = Course::new(rule, story.blocked);
    let mut acts = Vec::new();
    for &(second, act) in &story.acts {
        let counted = match act {
            Act::Approve(number) => course.approve(&who(number), second).is_ok(),
            Act::Reject(number) => course.reject(&who(number), second).is_ok(),
            Act::Cancel => course.cancel(second).is_ok(),
            Act::Block | Act::Unblock => {
                course.set_blocked(act == Act::Block, second);
                true
            }
        };
        acts.push((counted, course.standing(second).status));
    }
    let last = course.standing(story.end);
    Seen { acts, last: last.status, since: last.ended }
}

fn stories() -> impl Strategy<Value = Story> {
    let group = (0_u32..4, 1_u16..1 << PEOPLE).prop_map(|(quorum, people)| {
        // Most are not met by nobody, and can be met.
        let quorum = if quorum == 0 && people % 5 > 0 { 1 } else { quorum };
        (quorum.min(people.count_ones() + u32::from(people % 31 == 0)), people)
    });
    let groups = prop_oneof![9 => vec(group, 1..4), 1 => Just(Vec::new())];
    let times = (prop_oneof![3 => Just(0_u64), 2 => 1_u64..12], prop_oneof![1 => Just(0_u64), 4 => 1_u64..25]);
    let token = (times, groups).prop_map(|((timelock, timeout), groups)| ModelToken { timelock, timeout, groups });
    let tokens = prop_oneof![1 => Just(Vec::new()), 19 => vec(token, 1..4)];
    let act = prop_oneof![
        12 => (0..PEOPLE + OUTSIDERS).prop_map(Act::Approve),
        5 => (0..PEOPLE + OUTSIDERS).prop_map(Act::Reject),
        1 => Just(Act::Cancel),
        1 => Just(Act::Block),
        1 => Just(Act::Unblock),
    ];
    let acts = vec((0_u64..30, act), 0..16);
    (tokens, prop::bool::weighted(0.08), acts, 0_u64..32).prop_map(|(tokens, blocked, mut acts, end)| {
        acts.sort_by_key(|(second, _)| *second);
        let last = acts.last().map_or(0, |(second, _)| *second);
        Story { tokens, blocked, acts, end: end.max(last) }
    })
}

/// The same stories in every run.
fn drawn() -> Vec<Story> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[29; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = stories();
    (0..DRAWS).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn the_rule_and_its_model_agree() {
    let mut endings = std::collections::BTreeMap::new();
    for story in drawn() {
        let seen = played(&story);
        assert_eq!(seen, play(&story, None), "{story:#?}");
        *endings.entry(seen.last.as_str()).or_insert(0) += 1;
    }
    println!("{DRAWS} stories, which end so: {endings:?}");
    assert_eq!(endings.len(), 7, "every ending has to be drawn: {endings:?}");
}

#[test]
fn every_way_to_be_wrong_is_found_out() {
    let stories: Vec<(Story, Seen)> = drawn().into_iter().map(|story| (story.clone(), played(&story))).collect();
    let mut escaped = Vec::new();
    for &mutant in Mutant::ALL {
        match stories.iter().position(|(story, seen)| play(story, Some(mutant)) != *seen) {
            Some(story) => println!("{mutant}: found out by story {}", story + 1),
            None => escaped.push(mutant),
        }
    }
    println!("{} of {} mutants are caught", Mutant::ALL.len() - escaped.len(), Mutant::ALL.len());
    assert!(escaped.is_empty(), "not caught: {escaped:?}");
    assert!(Mutant::ALL.len() >= 20);
}
