//! What is tried again, how often and after which pause.
//!
//! A fault that may pass is tried again with exponentially growing, jittered pauses. Being told to come back later is no
//! fault of that kind: the [gate](super::gate) before the host stays closed for as long as it says, the request goes again
//! when it opens, and neither counts among the tries.

use std::time::{Duration, SystemTime};

use backon::ExponentialBuilder;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::http_client::asked_pause;
use crate::limits;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::{Answer, Said};
use super::gate::Mood;

/// How long Muster waits for what. The default is what [`limits`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long an answer may stay silent.
    pub idle: Duration,
    /// How long after its first try a request that met silence may still be tried again.
    pub silence: Duration,
    /// How long one request may take in all, from when it is sent.
    pub request: Duration,
    /// How long after its first try a request may still be tried again.
    pub retry: Duration,
    /// How often a request is tried again.
    pub retries: usize,
    /// The shortest and the longest pause before trying again.
    pub pause: (Duration, Duration),
    /// How long credentials that were looked up in vain are not looked up again.
    pub login: Duration,
    /// For how long at least an index of the referrers tag schema has to stay as it is after it was written, and for how long
    /// it is written again in all while others write to it. Zero for the first says that there are no others.
    pub settle: (Duration, Duration),
    /// For how long a registry is asked for a signature that it does not list yet.
    pub listing: Duration,
}

impl Default for Timings {
    fn default() -> Timings {
        Timings {
            connect: limits::CONNECT_TIMEOUT,
            idle: limits::IDLE_TIMEOUT,
            silence: limits::SILENCE_TIMEOUT,
            request: limits::REQUEST_TIMEOUT,
            retry: limits::RETRY_TIMEOUT,
            retries: limits::RETRIES,
            pause: limits::RETRY_PAUSE,
            login: limits::LOGIN_PAUSE,
            settle: (limits::INDEX_SETTLED, limits::INDEX_TIMEOUT),
            listing: limits::LISTING_TIMEOUT,
        }
    }
}

impl Timings {
    /// The pauses between tries; jitter adds up to as much again, and [`Fault::pause`] cuts that to the longest.
    pub(super) fn backoff(&self) -> ExponentialBuilder {
        let (shortest, longest) = self.pause;
        ExponentialBuilder::default()
            .with_min_delay(shortest)
            .with_max_delay(longest)
            .with_max_times(self.retries)
            .with_jitter()
    }
}

/// Why a try failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) trouble: Trouble,
    again: Again,
    /// Whether the server answered, and not that it is too busy: another question may get a better answer.
    pub(super) answered: bool,
    /// Whether the server wants to be asked later: the gate before it knows until when.
    pub(super) refused: bool,
    /// Whether it is trouble with an address of another server to which the registry sent, and which is not that of what was
    /// asked for there.
    pub(super) astray: bool,
    /// What the answer says, where there is one whose status is the fault.
    pub(super) said: Option<Box<Said>>,
}

/// How often it is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    /// The answer contradicts the request or itself. It may have been damaged in transit: one more try.
    Once,
    /// The fault most likely stays as it is.
    Twice,
    /// As often as the timings say, but not for as long.
    Silence,
    /// As often as the timings say.
    Often,
}

/// The tries so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries {
    pub(super) all: usize,
    /// The tries whose answer contradicted the request or itself.
    pub(super) contradictions: usize,
}

impl Fault {
    fn new(kind: TroubleKind, message: impl Into<String>, again: Again) -> Fault {
        Fault {
            trouble: Trouble::new(kind, message),
            again,
            answered: false,
            refused: false,
            astray: false,
            said: None,
        }
    }

    /// A fault that may pass.
    pub(super) fn passing(kind: TroubleKind, message: impl Into<String>) -> Fault {
        Fault::new(kind, message, Again::Often)
    }

    /// A fault that most likely stays, such as an address where no server listens: a typing mistake is reported soon.
    pub(super) fn stubborn(kind: TroubleKind, message: impl Into<String>) -> Fault {
        Fault::new(kind, message, Again::Twice)
    }

    /// No answer in time.
    pub(super) fn silence(message: impl Into<String>) -> Fault {
        Fault::new(TroubleKind::TimedOut, message, Again::Silence)
    }

    /// A fault that stays.
    pub(super) fn lasting(kind: TroubleKind, message: impl Into<String>) -> Fault {
        Fault::new(kind, message, Again::Never)
    }

    /// An answer that contradicts the request or itself, or is not what such an answer is. It is asked for once more.
    pub(super) fn contradiction(message: impl Into<String>) -> Fault {
        Fault { answered: true, ..Fault::new(TroubleKind::AnswerInvalid, message, Again::Once) }
    }

    /// The same fault, met at an address to which the registry sent, and which may be another than that of what was asked for.
    pub(super) fn at(self, astray: bool) -> Fault {
        Fault { astray, ..self }
    }

    /// Trouble with the content of an answer.
    pub(super) fn of_content(trouble: Trouble) -> Fault {
        match trouble.kind {
            TroubleKind::AnswerInvalid => Fault::contradiction(trouble.message),
            _ => trouble.into(),
        }
    }

    /// The fault that an answer with this status is.
    pub(super) fn of_answer(answer: &Answer) -> Fault {
        let said = Some(Box::new(answer.said()));
        if let Mood::Refused(_) = mood(answer.status, &answer.headers) {
            return Fault { refused: true, said, ..Fault::lasting(TroubleKind::RateLimited, answer.sentence()) };
        }
        let (kind, again) = match answer.status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => (TroubleKind::TimedOut, Again::Often),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (TroubleKind::AccessDenied, Again::Never),
            StatusCode::NOT_FOUND => (TroubleKind::NotFound, Again::Never),
            // The server works, and does not know how.
            StatusCode::NOT_IMPLEMENTED => (TroubleKind::Unreachable, Again::Never),
            // Nothing more goes into its storage, or none of this user's.
            StatusCode::INSUFFICIENT_STORAGE => (TroubleKind::AnswerInvalid, Again::Never),
            status if status.is_server_error() => (TroubleKind::Unreachable, Again::Often),
            _ => (TroubleKind::AnswerInvalid, Again::Never),
        };
        Fault { answered: true, said, ..Fault::new(kind, answer.sentence(), again) }
    }

    /// The same where what was answered is no reason to try something else.
    pub(super) fn unsaid(self) -> Fault {
        Fault { said: None, ..self }
    }

    /// Whether another try may go better.
    pub(super) fn is_passing(&self) -> bool {
        self.again != Again::Never
    }

    /// Whether the answer contradicted the request or itself.
    pub(super) fn is_contradiction(&self) -> bool {
        self.again == Again::Once
    }

    /// Whether to try again after these tries, which took so long.
    pub(super) fn is_worth_another(&self, tries: Tries, took: Duration, timings: &Timings) -> bool {
        match self.again {
            Again::Never => false,
            Again::Once => tries.contradictions <= 1,
            Again::Twice => tries.all <= 2,
            Again::Silence => took < timings.silence,
            Again::Often => took < timings.retry,
        }
    }
}

impl From<Trouble> for Fault {
    /// Trouble found in a complete answer does not pass.
    fn from(trouble: Trouble) -> Fault {
        Fault { answered: true, ..Fault::lasting(trouble.kind, trouble.message) }
    }
}

/// What an answer says of how much the server wants to be asked.
pub(super) fn mood(status: StatusCode, headers: &HeaderMap) -> Mood {
    // No time at all is as good as none said: some proxies send it with every error.
    let asked = || asked_pause(headers, SystemTime::now()).filter(|asked| !asked.is_zero());
    match status {
        StatusCode::TOO_MANY_REQUESTS => Mood::Refused(asked()),
        status if status.is_server_error() => match asked() {
            Some(asked) => Mood::Refused(Some(asked)),
            None => Mood::Failing,
        },
        _ => Mood::Good,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{DATE, HeaderValue, RETRY_AFTER};
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a16_retry_after_is_seconds_or_a_date_and_nothing_else() {
        let now = SystemTime::from(OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap());
        for (text, expected) in [
            ("3", Some(3)),
            ("0", Some(0)),
            ("1000000000", Some(1_000_000_000)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("1e9", None),
            ("-5", None),
            ("", None),
            ("soon", None),
            ("Tue, 14 Nov 2023 22:13:50 GMT", Some(30)),
            ("Tue, 14 Nov 2023 22:13:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(251_702_300_799)),
            ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(asked_pause(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_date_in_retry_after_is_by_the_clock_of_the_server() {
        let now = SystemTime::from(OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap());
        let hour = Duration::from_secs(3600);
        for (here, expected) in [(now, 30), (now + hour, 30), (now - hour, 30)] {
            let headers = [
                (RETRY_AFTER, "Tue, 14 Nov 2023 22:13:50 GMT".parse().unwrap()),
                (DATE, "Tue, 14 Nov 2023 22:13:20 GMT".parse().unwrap()),
            ];
            let asked = asked_pause(&HeaderMap::from_iter(headers), here);
            assert_eq!(asked, Some(Duration::from_secs(expected)));
        }
        // Without a date that can be read, this machine's clock counts.
        let headers =
            [(RETRY_AFTER, "Tue, 14 Nov 2023 22:13:50 GMT".parse().unwrap()), (DATE, "today".parse().unwrap())];
        assert_eq!(asked_pause(&HeaderMap::from_iter(headers), now), Some(Duration::from_secs(30)));
    }

    #[test]
    fn what_most_likely_stays_is_tried_again_less_often() {
        let timings = Timings::default();
        let tries = |fault: Fault, each: u64| {
            let tries = |all| Tries { all, contradictions: if fault.is_contradiction() { all } else { 0 } };
            let took = |all| Duration::from_secs(each * all as u64);
            (1..10).take_while(|all| fault.is_worth_another(tries(*all), took(*all), &timings)).count()
        };
        assert_eq!(tries(Fault::stubborn(TroubleKind::Unreachable, "refused"), 0), 2);
        assert_eq!(tries(Fault::passing(TroubleKind::Unreachable, "reset"), 0), 9);
        assert_eq!(tries(Fault::passing(TroubleKind::Unreachable, "reset"), 100), 2);
        assert_eq!(tries(Fault::lasting(TroubleKind::AnswerInvalid, "nonsense"), 0), 0);
        assert_eq!(tries(Fault::contradiction("another digest"), 0), 1);
        // Silence for as long as may be, twice, is less than a minute.
        assert_eq!(tries(Fault::silence("nothing"), timings.idle.as_secs()), 1);
        assert_eq!(tries(Fault::silence("nothing"), 5), 5);
        // It counts for itself: a connection that broke before is no reason to believe the nonsense after it.
        let later = Tries { all: 4, contradictions: 1 };
        assert!(Fault::contradiction("another digest").is_worth_another(later, Duration::ZERO, &timings));
    }

    #[test]
    fn who_says_when_to_come_back_refuses() {
        let mood = |status: u16, after: Option<&str>| {
            let headers = after.map(|after| (RETRY_AFTER, HeaderValue::from_bytes(after.as_bytes()).unwrap()));
            mood(StatusCode::from_u16(status).unwrap(), &HeaderMap::from_iter(headers))
        };
        let seven = Some(Duration::from_secs(7));
        for (status, after, expected) in [
            (429, None, Mood::Refused(None)),
            (429, Some("7"), Mood::Refused(seven)),
            (429, Some("soon"), Mood::Refused(None)),
            // As GHCR says it.
            (429, Some("880.092\u{b5}s"), Mood::Refused(None)),
            (503, Some("7"), Mood::Refused(seven)),
            (502, Some("7"), Mood::Refused(seven)),
            // Asked again at once, all requests would be refused in no time.
            (429, Some("0"), Mood::Refused(None)),
            (429, Some("Tue, 14 Nov 2023 22:13:50 GMT"), Mood::Refused(None)),
            // As Fastly sends it with each error.
            (503, Some("0"), Mood::Failing),
            (503, None, Mood::Failing),
            (503, Some("soon"), Mood::Failing),
            (500, None, Mood::Failing),
            (200, Some("7"), Mood::Good),
            (404, Some("7"), Mood::Good),
        ] {
            assert_eq!(mood(status, after), expected, "{status} {after:?}");
        }
    }
}
