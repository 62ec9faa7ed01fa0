use futures_util::FutureExt as _;

use super::*;

const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

fn gate(widest: usize, rate: Option<&str>) -> Arc<Gate> {
    let rate = rate.map(|rate| rate.parse().unwrap());
    Arc::new(Gate::new("a.io".to_owned(), true, widest, rate, PAUSE))
}

/// A pass if one is given at once.
fn at_once(gate: &Arc<Gate>) -> Option<Result<Pass, Fault>> {
    tokio::task::unconstrained(gate.pass()).now_or_never()
}

/// As many passes as are given at once.
fn passes(gate: &Arc<Gate>) -> Vec<Pass> {
    std::iter::from_fn(|| at_once(gate)).map(Result::unwrap).collect()
}

fn note(pass: &Pass, mood: Mood) -> Result<(), Fault> {
    pass.note(mood, || "answered with 429".to_owned())
}

fn refused(asked: Option<u64>) -> Mood {
    Mood::Refused(asked.map(Duration::from_millis))
}

#[tokio::test]
async fn all_requests_wait_as_long_as_one_is_told_to() {
    let gate = gate(16, None);
    let first = passes(&gate);
    assert_eq!(first.len(), 16);
    let started = Instant::now();
    // All that were in flight are refused: that is one refusal.
    first.iter().for_each(|pass| note(pass, refused(Some(60))).unwrap());
    drop(first);
    let next = gate.pass().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(60));
    let held = gate.held();
    assert!(held >= Duration::from_millis(55) && held <= started.elapsed(), "{held:?}");
    let few = passes(&gate);
    assert_eq!(few.len(), 3);
    // Then more with each that goes well.
    drop((next, few));
    for _ in 0..16 * 16 {
        note(&gate.pass().await.unwrap(), Mood::Good).unwrap();
    }
    assert_eq!(passes(&gate).len(), 16);
    // Others in flight are no reason to put anything off.
    assert!(gate.held() - held < Duration::from_millis(5), "{:?}", gate.held());
}

#[tokio::test]
async fn a_host_that_wants_to_be_left_alone_for_hours_is_given_up() {
    let gate = gate(2, None);
    let (pass, waiting) = (passes(&gate), gate.pass());
    let fault = note(&pass[0], refused(Some(21_600_000))).unwrap_err();
    assert_eq!(fault.trouble.kind, TroubleKind::RateLimited);
    assert!(!fault.is_passing() && !fault.refused);
    let until = OffsetDateTime::now_utc() + Duration::from_secs(21_600);
    let said = fault.trouble.message.split_once(" until ").unwrap().1;
    let (said, what) = said.split_once(": ").unwrap();
    let said = OffsetDateTime::parse(said, &Rfc3339).unwrap();
    assert!((said - until).abs() < time::Duration::seconds(60), "{said}");
    assert_eq!(what, "answered with 429");
    // At once, and with the same words.
    for found in [waiting.await, at_once(&gate).unwrap()] {
        assert_eq!(found.unwrap_err().trouble.message, fault.trouble.message);
    }
}

#[tokio::test]
async fn without_a_time_the_pause_doubles_to_the_longest() {
    let gate = gate(4, None);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let pass = gate.pass().await.unwrap();
        note(&pass, refused(None)).unwrap();
        let state = gate.locked();
        pauses.push(state.opens.unwrap() - state.closed.unwrap());
    }
    assert_eq!(pauses.iter().map(Duration::as_millis).collect::<Vec<_>>(), [20, 40, 80, 160, 200, 200]);
    let pass = gate.pass().await.unwrap();
    note(&pass, Mood::Good).unwrap();
    note(&gate.pass().await.unwrap(), refused(None)).unwrap();
    let state = gate.locked();
    assert_eq!(state.opens.unwrap() - state.closed.unwrap(), Duration::from_millis(20));
}

#[tokio::test]
async fn who_refuses_shortly_but_for_ever_is_given_up() {
    let gate = gate(4, None);
    for _ in 0..6 {
        let pass = Pass { gate: Arc::clone(&gate), sent: Instant::now(), counts: false };
        if note(&pass, refused(Some(60_000))).is_err() {
            let given_up = gate.locked().given_up.clone().unwrap().0;
            assert!(given_up.duration_since(Instant::now()) > limits::LONGEST_HOLD - Duration::from_secs(5));
            return;
        }
    }
    panic!("it was asked for more than {:?}", limits::LONGEST_HOLD);
}

#[tokio::test]
async fn failures_among_good_answers_change_nothing_and_many_in_a_row_do() {
    let gate = gate(32, None);
    for number in 0..1000 {
        let mood = if number % 5 < 2 { Mood::Failing } else { Mood::Good };
        note(&gate.pass().await.unwrap(), mood).unwrap();
    }
    assert_eq!(passes(&gate).len(), 32);
    for _ in 0..OVERLOADED {
        note(&gate.pass().await.unwrap(), Mood::Failing).unwrap();
    }
    assert_eq!(passes(&gate).len(), 8);
}

#[tokio::test]
async fn a_rate_keeps_requests_apart() {
    let gate = gate(32, Some("100/s"));
    let started = Instant::now();
    for _ in 0..11 {
        gate.pass().await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(80), "{:?}", started.elapsed());
    assert!(gate.held() >= Duration::from_millis(60), "{:?}", gate.held());
}

#[tokio::test]
async fn what_waits_for_a_late_answer_makes_room_for_another() {
    let gate = gate(2, None);
    let mut passes = passes(&gate);
    assert_eq!(passes.len(), 2);
    passes[0].step_aside();
    let third = at_once(&gate);
    assert!(third.is_some() && at_once(&gate).is_none());
    drop((passes, third));
    assert_eq!(super::tests::passes(&gate).len(), 2);
}

#[test]
fn hosts_that_are_not_in_use_are_forgotten_but_not_those_that_forbid_requests() {
    let gates = Gates::default();
    let new = || Gate::new("a.io".to_owned(), false, 1, None, PAUSE);
    let used = gates.of("used", new);
    let _in_flight = at_once(&used);
    gates.of("closed", new).locked().opens = Some(Instant::now());
    for number in 0..2 * limits::HOSTS_REMEMBERED {
        gates.of(&number.to_string(), new);
    }
    assert!(gates.0.lock().unwrap().len() <= limits::HOSTS_REMEMBERED);
    assert!(Arc::ptr_eq(&gates.of("used", new), &used));
    assert!(gates.of("closed", new).locked().opens.is_some());
}

#[tokio::test]
async fn what_registries_say_is_not_forgotten_for_the_hosts_that_they_send_to() {
    let gates = Gates::default();
    let host = |host: &str, named| gates.of(host, || Gate::new(host.to_owned(), named, 4, None, PAUSE));
    let registry = host("a.io", true);
    note(&registry.pass().await.unwrap(), refused(Some(60_000))).unwrap();
    for number in 0..2 * limits::HOSTS_REMEMBERED {
        let other = host(&format!("{number}.io"), false);
        note(&other.pass().await.unwrap(), refused(Some(21_600_000))).unwrap_err();
    }
    assert!(Arc::ptr_eq(&registry, &host("a.io", true)) && registry.is_held());
    assert!(gates.0.lock().unwrap().len() <= limits::HOSTS_REMEMBERED);
}

#[tokio::test]
async fn who_waits_for_a_closed_gate_does_not_count_as_in_work() {
    let (gate, waiting) = (gate(4, None), Waiting::default());
    assert!(gate.stand_aside(&waiting).is_none());
    note(&gate.pass().await.unwrap(), refused(Some(60))).unwrap();
    let aside: Vec<_> = (0..limits::HELD_AHEAD + 9).filter_map(|_| gate.stand_aside(&waiting)).collect();
    assert_eq!((aside.len(), waiting.requests()), (limits::HELD_AHEAD, limits::HELD_AHEAD));
    drop(aside);
    assert_eq!(waiting.requests(), 0);
    gate.pass().await.unwrap();
    assert!(gate.stand_aside(&waiting).is_none());
}

#[tokio::test]
async fn who_waits_because_the_host_takes_fewer_is_held() {
    let gate = gate(4, None);
    note(&gate.pass().await.unwrap(), refused(Some(1))).unwrap();
    let only = gate.pass().await.unwrap();
    let held = gate.held();
    let waits = tokio::time::timeout(Duration::from_millis(50), gate.pass()).await;
    assert!(waits.is_err() && gate.held() - held >= Duration::from_millis(45), "{:?}", gate.held());
    drop(only);
}
