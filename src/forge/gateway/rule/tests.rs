use super::*;

fn who(name: &str) -> ApproverId {
    ApproverId(Arc::from(name))
}

fn group(quorum: u32, names: &[&str]) -> Group {
    Group { quorum, members: names.iter().map(|name| who(name)).collect() }
}

fn token(timelock: u64, timeout: u64, groups: &[Group]) -> Token {
    Token { timelock, timeout: (timeout > 0).then_some(timeout), groups: groups.to_vec() }
}

fn course(tokens: &[Token]) -> Course {
    Course::new(Rule { tokens: tokens.to_vec() }, false)
}

fn status(course: &mut Course, age: u64) -> RequestStatus {
    course.standing(age).status
}

#[test]
fn two_of_three_in_time() {
    let mut course = course(&[token(0, 60, &[group(2, &["a", "b", "c"])])]);
    assert_eq!(course.approve(&who("a"), 5), Ok(()));
    assert_eq!(course.standing(6), Standing { status: RequestStatus::Pending, ended: None, next: Some(61) });
    assert_eq!(course.approve(&who("a"), 6), Err(Refused::ApprovedAlready));
    assert_eq!(course.approve(&who("x"), 6), Err(Refused::NotListed));
    assert_eq!(course.approve(&who("c"), 60), Ok(()));
    assert_eq!(course.standing(900), Standing { status: RequestStatus::Executed, ended: Some(60), next: None });
}

#[test]
fn one_second_late_is_late_though_nobody_asked_in_between() {
    let mut course = course(&[token(0, 60, &[group(2, &["a", "b"])])]);
    course.approve(&who("a"), 60).unwrap();
    assert_eq!(course.approve(&who("b"), 61), Err(Refused::Ended(RequestStatus::Expired)));
    assert_eq!(course.standing(500).ended, Some(61));
}

#[test]
fn a_timelock_holds_back_what_is_approved() {
    let mut course = course(&[token(120, 600, &[group(1, &["a", "b"])])]);
    course.approve(&who("a"), 10).unwrap();
    assert_eq!(course.standing(119), Standing { status: RequestStatus::Approved, ended: None, next: Some(120) });
    assert_eq!(course.standing(130).ended, Some(120));
    assert_eq!(course.cancel(131), Err(Refused::Ended(RequestStatus::Executed)));
}

#[test]
fn tokens_are_alternatives_and_groups_are_not() {
    let first = token(0, 60, &[group(1, &["a"]), group(1, &["b"])]);
    let second = token(0, 120, &[group(1, &["c"])]);
    let mut both = course(&[first.clone(), second]);
    both.approve(&who("a"), 1).unwrap();
    assert_eq!(status(&mut both, 61), RequestStatus::Pending);
    assert_eq!(both.approve(&who("b"), 61), Err(Refused::TooLate));
    both.approve(&who("c"), 120).unwrap();
    assert_eq!(status(&mut both, 120), RequestStatus::Executed);
    let mut one = course(&[first]);
    one.approve(&who("a"), 1).unwrap();
    assert_eq!(status(&mut one, 61), RequestStatus::Expired);
}

#[test]
fn one_approver_counts_in_every_group() {
    let mut course = course(&[token(0, 0, &[group(1, &["a", "b"]), group(1, &["a", "c"])])]);
    course.approve(&who("a"), 1_000_000).unwrap();
    assert_eq!(status(&mut course, 1_000_000), RequestStatus::Executed);
}

#[test]
fn refusals_end_it_when_no_quorum_is_left() {
    let mut course = course(&[token(0, 0, &[group(2, &["a", "b", "c"])])]);
    course.reject(&who("a"), 3).unwrap();
    assert_eq!(status(&mut course, 4), RequestStatus::Pending);
    assert_eq!(course.approve(&who("a"), 4), Err(Refused::RejectedAlready));
    course.reject(&who("b"), 5).unwrap();
    assert_eq!(course.standing(9).ended, Some(5));
    assert_eq!(status(&mut course, 9), RequestStatus::Rejected);
}

#[test]
fn refused_and_run_out() {
    let tokens = [token(0, 60, &[group(1, &["a"])]), token(0, 120, &[group(1, &["b"])])];
    let mut refused_first = course(&tokens);
    refused_first.reject(&who("b"), 30).unwrap();
    assert_eq!(refused_first.standing(300).ended, Some(61));
    assert_eq!(status(&mut refused_first, 300), RequestStatus::Rejected);
    let mut all_run_out = course(&tokens);
    all_run_out.reject(&who("a"), 30).unwrap();
    assert_eq!(all_run_out.standing(300).ended, Some(121));
    assert_eq!(status(&mut all_run_out, 300), RequestStatus::Expired);
}

#[test]
fn without_a_rule_it_is_executed_at_once_and_a_blocked_key_fails() {
    assert_eq!(course(&[]).standing(0).ended, Some(0));
    assert_eq!(status(&mut course(&[token(0, 60, &[])]), 0), RequestStatus::Executed);
    assert_eq!(status(&mut Course::new(Rule::default(), true), 0), RequestStatus::Failed);
    let mut blocked = course(&[token(60, 0, &[group(1, &["a"])])]);
    blocked.approve(&who("a"), 1).unwrap();
    blocked.set_blocked(true, 2);
    assert_eq!(status(&mut blocked, 100), RequestStatus::Failed);
    let mut again = course(&[token(60, 0, &[group(1, &["a"])])]);
    again.approve(&who("a"), 1).unwrap();
    again.set_blocked(true, 2);
    again.set_blocked(false, 59);
    assert_eq!(status(&mut again, 100), RequestStatus::Executed);
}

#[test]
fn nobody_is_awaited_of_a_token_that_has_run_out() {
    let mut course = course(&[token(0, 60, &[group(1, &["a"])]), token(0, 0, &[group(2, &["b", "c"])])]);
    course.approve(&who("b"), 1).unwrap();
    assert_eq!(course.awaited(), BTreeSet::from([who("a"), who("c")]));
    course.settle(61);
    assert_eq!(course.awaited(), BTreeSet::from([who("c")]));
    course.cancel(62).unwrap();
    assert!(course.awaited().is_empty());
}

#[test]
fn an_age_that_goes_back_changes_nothing_that_has_happened() {
    let mut late = course(&[token(0, 60, &[group(2, &["a", "b"])]), token(0, 0, &[group(1, &["c"])])]);
    assert_eq!(status(&mut late, 61), RequestStatus::Pending);
    assert_eq!(late.approve(&who("a"), 5), Err(Refused::TooLate));
    assert_eq!(late.reject(&who("b"), 0), Err(Refused::TooLate));
    late.approve(&who("c"), 7).unwrap();
    assert_eq!(late.approved().iter().next(), Some((&who("c"), 61)));
    assert_eq!(late.standing(0).ended, Some(61));
    let mut cancelled = course(&[token(0, 60, &[group(1, &["a"])])]);
    cancelled.settle(30);
    cancelled.cancel(3).unwrap();
    assert_eq!(cancelled.ended(), Some(30));
}

#[test]
fn a_rule_that_is_no_longer_in_force_ends_what_falls_due_in_that_second_and_nothing_before() {
    let locked = || {
        let mut course = course(&[token(60, 0, &[group(1, &["a"])])]);
        course.approve(&who("a"), 1).unwrap();
        course
    };
    let (mut same, mut before) = (locked(), locked());
    assert_eq!(same.fail(60), Ok(()));
    assert_eq!(same.standing(90), Standing { status: RequestStatus::Failed, ended: Some(60), next: None });
    assert_eq!(before.fail(61), Err(Refused::Ended(RequestStatus::Executed)));
    assert_eq!(before.ended(), Some(60));
    assert_eq!(before.cancel(61), Err(Refused::Ended(RequestStatus::Executed)));
}

#[test]
fn who_is_awaited_is_one_of_those_who_are() {
    let mut course = course(&[token(0, 60, &[group(2, &["a", "b", "c"])]), token(0, 120, &[group(1, &["d"])])]);
    let agree = |course: &Course| {
        for name in ["a", "b", "c", "d", "x"] {
            assert_eq!(course.awaits(&who(name)), course.awaited().contains(&who(name)), "{name}");
        }
    };
    agree(&course);
    course.approve(&who("a"), 1).unwrap();
    course.reject(&who("b"), 2).unwrap();
    assert_eq!(course.awaited(), BTreeSet::from([who("c"), who("d")]));
    agree(&course);
    course.settle(61);
    assert_eq!(course.awaited(), BTreeSet::from([who("d")]));
    agree(&course);
    course.cancel(62).unwrap();
    assert_eq!(course.awaited(), BTreeSet::new());
    agree(&course);
}
