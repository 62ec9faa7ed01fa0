//! COSE labels 1–11, 33–35 and 256–260, bent one at a time in either header: what is refused, what is accepted, and why.
//!
//! Each row of the table is a label in one header, with what is expected of five ways to bend it. The test prints the
//! table (`cargo test --test judging envelope_cose::labels -- --nocapture`) and holds every cell against what comes out.

use muster::failure::Code;
use muster::forge::{Cbor, CoseDraft, PAYLOAD_TYPE};

use super::{EXPIRY, SCHEME, names, tagged};
use crate::world::{COSE, cose, verify};

/// In which header the label stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Protected,
    Unprotected,
}

use In::{Protected, Unprotected};

/// What is expected: `None` is accepted.
type Expected = Option<Code>;

const ACCEPTED: Expected = None;
const MALFORMED: Expected = Some(Code::EnvelopeMalformed);
const CRITICAL: Expected = Some(Code::CriticalMalformed);
const UNKNOWN: Expected = Some(Code::CriticalUnknown);
const ALGORITHM: Expected = Some(Code::AlgorithmUnsupported);
const CONTENT_TYPE: Expected = Some(Code::ContentTypeUnsupported);
const CHAIN: Expected = Some(Code::ChainMalformed);

struct Row {
    label: i64,
    header: In,
    /// The types that its value may have, by the names in [`values`]. `*` is any.
    types: &'static [&'static str],
    /// A value of the right type.
    sound: Expected,
    /// A value of any other type.
    wrong: Expected,
    /// A sound value, and the label is listed as critical.
    critical: Expected,
    why: &'static str,
}

const fn row(
    label: i64,
    header: In,
    types: &'static [&'static str],
    expected: [Expected; 3],
    why: &'static str,
) -> Row {
    let [sound, wrong, critical] = expected;
    Row { label, header, types, sound, wrong, critical, why }
}

const BYTES: &[&str] = &["bytes"];
const COUNTERSIGNED: &str = "RFC 9338: a countersignature, which is not verified here";
const NOT_SIGNED: &str =
    "its right type is free where it is not signed; the list of critical labels speaks of signed ones";
const FREE: &str = "RFC 9052, 3.1: its type, and never critical; nothing reads it";
const UNREAD: &str = "registered, its type; nothing reads it, so that it cannot be critical";

/// Whatever is no CBOR that is read, and whatever stands twice, is refused in every row: [`Row::check`] says so once.
const TABLE: &[Row] = &[
    row(1, Protected, &["integer"], [ACCEPTED, ALGORITHM, CRITICAL], "the algorithm, by number"),
    row(
        1,
        Unprotected,
        &["integer", "negative", "text", "payload type"],
        [ALGORITHM, MALFORMED, ALGORITHM],
        "counts only where it is signed",
    ),
    row(
        2,
        Protected,
        &["labels"],
        [ACCEPTED, CRITICAL, CRITICAL],
        "RFC 9052, 3.1: a list of labels that are there, not itself",
    ),
    row(2, Unprotected, &[], [CRITICAL, CRITICAL, MALFORMED], "RFC 9052, 3.1: only in the protected header"),
    row(3, Protected, &["payload type"], [ACCEPTED, CONTENT_TYPE, CRITICAL], "the specification's media type"),
    row(
        3,
        Unprotected,
        &["payload type", "text", "integer"],
        [CONTENT_TYPE, MALFORMED, CONTENT_TYPE],
        "counts only where it is signed",
    ),
    row(4, Protected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], FREE),
    row(4, Unprotected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(5, Protected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], FREE),
    row(5, Unprotected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(6, Protected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], FREE),
    row(6, Unprotected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(7, Protected, &[], [MALFORMED, MALFORMED, MALFORMED], COUNTERSIGNED),
    row(7, Unprotected, &[], [MALFORMED, MALFORMED, MALFORMED], COUNTERSIGNED),
    row(
        8,
        Protected,
        &["*"],
        [ACCEPTED, MALFORMED, CRITICAL],
        "not assigned: any type, and RFC 9052, 3.1: never critical",
    ),
    row(8, Unprotected, &["*"], [ACCEPTED, MALFORMED, CRITICAL], "not assigned: any type"),
    row(9, Protected, &[], [MALFORMED, MALFORMED, MALFORMED], COUNTERSIGNED),
    row(9, Unprotected, &[], [MALFORMED, MALFORMED, MALFORMED], COUNTERSIGNED),
    row(10, Protected, BYTES, [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(10, Unprotected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(11, Protected, &[], [MALFORMED, MALFORMED, MALFORMED], COUNTERSIGNED),
    row(11, Unprotected, &[], [MALFORMED, MALFORMED, MALFORMED], COUNTERSIGNED),
    row(
        33,
        Protected,
        &["bytes", "byte strings", "chain"],
        [CHAIN, MALFORMED, CHAIN],
        "the specification: the chain stands in the unprotected header",
    ),
    row(
        33,
        Unprotected,
        &["chain"],
        [ACCEPTED, CHAIN, CRITICAL],
        "the chain; RFC 9360 writes one certificate without array",
    ),
    row(34, Protected, &["hash"], [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(34, Unprotected, &["hash"], [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(35, Protected, &["uri"], [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(35, Unprotected, &["uri"], [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(256, Protected, BYTES, [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(256, Unprotected, BYTES, [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(257, Protected, ARRAYS, [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(257, Unprotected, ARRAYS, [ACCEPTED, MALFORMED, CRITICAL], NOT_SIGNED),
    row(
        258,
        Protected,
        &["integer", "negative"],
        [MALFORMED, MALFORMED, MALFORMED],
        "RFC 9995, 3: not beside a content type",
    ),
    row(258, Unprotected, &[], [MALFORMED, MALFORMED, MALFORMED], "RFC 9995, 3: only in the protected header"),
    row(259, Protected, &["text", "payload type", "integer"], [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(259, Unprotected, &[], [MALFORMED, MALFORMED, MALFORMED], "RFC 9995, 3: only in the protected header"),
    row(260, Protected, &["text", "payload type"], [ACCEPTED, MALFORMED, UNKNOWN], UNREAD),
    row(260, Unprotected, &[], [MALFORMED, MALFORMED, MALFORMED], "RFC 9995, 3: only in the protected header"),
];

const ARRAYS: &[&str] = &["empty array", "byte strings", "chain", "hash", "labels"];

/// A value of every type, and of every shape that a registered label has; each is the right one of some row.
fn values(draft: &CoseDraft) -> Vec<(&'static str, Cbor)> {
    let chain = draft.unprotected.iter().find(|(label, _)| *label == CoseDraft::CHAIN).unwrap().1.clone();
    vec![
        ("integer", Cbor::Integer(7)),
        ("negative", Cbor::Integer(-16)),
        ("bytes", Cbor::Bytes(vec![1])),
        ("text", Cbor::text("text/plain")),
        ("payload type", Cbor::text(PAYLOAD_TYPE)),
        ("empty array", Cbor::Array(vec![])),
        ("byte strings", Cbor::Array(vec![Cbor::Bytes(vec![1]), Cbor::Bytes(vec![2])])),
        ("chain", chain),
        ("hash", Cbor::Array(vec![Cbor::Integer(-16), Cbor::Bytes(vec![1])])),
        ("labels", names(&[SCHEME, EXPIRY])),
        ("uri", tagged(32, Cbor::text("https://example.com/leaf"))),
        ("tagged bytes", tagged(55799, Cbor::Bytes(vec![1]))),
        ("map", Cbor::Map(vec![(Cbor::Integer(1), Cbor::text("x"))])),
        ("false", Cbor::Bool(false)),
        ("null", Cbor::Null),
        ("float", Cbor::Float(7.0)),
        ("time", tagged(1, Cbor::Integer(7))),
    ]
}

/// What is no CBOR that is read, whatever the label.
fn malformed() -> Vec<(&'static str, Cbor)> {
    vec![
        ("undefined", Cbor::Undefined),
        ("bytes of indefinite length", Cbor::Raw(vec![0x5f, 0x41, 1, 0xff])),
        ("a big integer", tagged(2, Cbor::Bytes(vec![1]))),
        ("an integer beyond 64 bits with a sign", Cbor::Raw([&[0x1b], [0xff; 8].as_slice()].concat())),
        ("a time that is text", tagged(1, Cbor::text("x"))),
        ("a map with a key twice", Cbor::Map(vec![(Cbor::Integer(1), Cbor::Null); 2])),
    ]
}

impl Row {
    /// A sound envelope in which the label has been taken out of the other header.
    fn draft(&self) -> CoseDraft {
        let mut draft = cose();
        match self.header {
            Protected => draft.unprotected.retain(|(label, _)| *label != Cbor::Integer(self.label)),
            Unprotected => draft.remove(&Cbor::Integer(self.label)),
        }
        draft
    }

    fn with(&self, mut draft: CoseDraft, value: Cbor) -> CoseDraft {
        match self.header {
            Protected => draft.set(Cbor::Integer(self.label), value),
            Unprotected => draft.set_unprotected(Cbor::Integer(self.label), value),
        }
        draft
    }

    fn check(&self) {
        let draft = self.draft();
        let allowed = |name: &str| self.types.contains(&name) || self.types.contains(&"*");
        let cell = |what: &str, draft: &CoseDraft, expected: Expected| {
            let got = verify(COSE, &draft.seal().unwrap()).map(|_| ()).map_err(|failure| failure.code).err();
            assert_eq!(got, expected, "label {} {:?}: {what} ({})", self.label, self.header, self.why);
        };
        let mut sound = None;
        for (name, value) in values(&cose()) {
            // The type of a chain, of which no certificate is one: that is for other tests.
            if (self.label, self.header, name) == (33, Unprotected, "byte strings") {
                continue;
            }
            // The algorithm is the key's, by number.
            let value = if (self.label, name) == (1, "integer") { Cbor::Integer(-7) } else { value };
            let bent = self.with(draft.clone(), value);
            cell(name, &bent, if allowed(name) { self.sound } else { self.wrong });
            if allowed(name) || self.types.is_empty() {
                sound.get_or_insert(bent);
            }
        }
        for (name, value) in malformed() {
            cell(name, &self.with(draft.clone(), value), MALFORMED);
        }
        let sound = sound.unwrap();
        let mut critical = sound.clone();
        critical.set(
            CoseDraft::CRITICAL,
            Cbor::Array(vec![Cbor::text(SCHEME), Cbor::text(EXPIRY), Cbor::Integer(self.label)]),
        );
        cell("critical", &critical, self.critical);
        let mut twice = sound.clone();
        let pair = (Cbor::Integer(self.label), Cbor::Null);
        match self.header {
            Protected => twice.protected.push(pair.clone()),
            Unprotected => twice.unprotected.push(pair.clone()),
        }
        cell("twice in one header", &twice, MALFORMED);
        let mut both = sound;
        match self.header {
            Protected => both.set_unprotected(pair.0, pair.1),
            Unprotected => both.set(pair.0, pair.1),
        }
        cell("in both headers", &both, MALFORMED);
    }

    fn print(&self) {
        let word = |expected: Expected| expected.map_or("accepted", Code::as_str);
        println!(
            "{:>5}  {:<11}  {:<24}  {:<24}  {:<24}  {}",
            self.label,
            format!("{:?}", self.header),
            word(self.sound),
            word(self.wrong),
            word(self.critical),
            self.why
        );
    }
}

#[test]
fn labels_are_what_is_registered() {
    println!(
        "{:>5}  {:<11}  {:<24}  {:<24}  {:<24}  reason",
        "label", "header", "right type", "another type", "critical"
    );
    for row in TABLE {
        row.print();
    }
    println!("In every row envelope-malformed: no CBOR that is read, twice in one header, in both headers.");
    let labels: Vec<i64> = TABLE.iter().filter(|row| row.header == Protected).map(|row| row.label).collect();
    assert_eq!(labels, (1..=11).chain(33..=35).chain(256..=260).collect::<Vec<i64>>());
    assert_eq!(TABLE.len(), 2 * labels.len());
    TABLE.iter().for_each(Row::check);
}

#[test]
fn labels_that_exclude_each_other() {
    let bytes = || Cbor::Bytes(vec![1]);
    let sound = |label: i64| if label == 258 { Cbor::Integer(-16) } else { bytes() };
    for (one, other) in [(5, 6), (6, 5)] {
        for headers in [[Protected, Protected], [Protected, Unprotected], [Unprotected, Unprotected]] {
            let mut draft = cose();
            for (label, header) in [one, other].into_iter().zip(headers) {
                match header {
                    Protected => draft.set(Cbor::Integer(label), sound(label)),
                    Unprotected => draft.set_unprotected(Cbor::Integer(label), sound(label)),
                }
            }
            let failure = verify(COSE, &draft.seal().unwrap()).map(|_| ()).unwrap_err();
            assert_eq!(failure.code, Code::EnvelopeMalformed, "{one} {other} {headers:?}");
            assert!(failure.message.contains("exclude each other"), "{failure}");
        }
    }
    let mut hashed = cose();
    hashed.set(Cbor::Integer(258), sound(258));
    let failure = verify(COSE, &hashed.seal().unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(failure.message, "the labels 3 and 258 exclude each other");
}

#[test]
fn registered_labels_beyond_the_table_have_their_type() {
    let array = |items: &[Cbor]| Cbor::Array(items.to_vec());
    let bytes = Cbor::Bytes(vec![1]);
    let map = Cbor::Map(vec![(Cbor::Integer(1), Cbor::text("x"))]);
    let hash = array(&[Cbor::text("sha"), bytes.clone()]);
    let message = array(&[bytes.clone(), map.clone(), bytes.clone(), bytes.clone()]);
    for (label, sound, wrong) in [
        (13, tagged(18, message.clone()), map.clone()),
        (13, message.clone(), tagged(61, message)),
        (14, map.clone(), bytes.clone()),
        (15, map.clone(), array(&[])),
        (16, Cbor::text("a/b"), Cbor::text("a")),
        (16, Cbor::Integer(60), Cbor::Integer(-1)),
        (16, Cbor::text("application/x"), Cbor::text(" a/b")),
        (16, Cbor::text("application/x"), Cbor::text("a/b ")),
        (16, Cbor::text("application/x"), Cbor::text("a/b/c")),
        (16, Cbor::text("application/x"), Cbor::text("")),
        (32, bytes.clone(), Cbor::text("x")),
        (32, array(&[bytes.clone(), bytes.clone()]), array(&[])),
        (34, hash.clone(), array(&[bytes.clone(), bytes.clone()])),
        (34, hash.clone(), array(&[Cbor::Integer(1), Cbor::text("x")])),
        (34, hash.clone(), array(&[Cbor::Integer(1), bytes.clone(), bytes.clone()])),
        (35, tagged(32, Cbor::text("a:b")), tagged(33, Cbor::text("YQ"))),
        (261, array(std::slice::from_ref(&hash)), hash),
        (262, array(&[]), map.clone()),
        (263, map.clone(), array(&[])),
        (264, map.clone(), array(&[])),
        (265, map.clone(), bytes.clone()),
        (266, map.clone(), Cbor::Null),
        (267, map.clone(), Cbor::text("x")),
        (268, array(std::slice::from_ref(&bytes)), array(std::slice::from_ref(&map))),
        (394, array(std::slice::from_ref(&bytes)), bytes.clone()),
        (395, Cbor::Integer(1), Cbor::text("x")),
        (396, map.clone(), Cbor::Integer(1)),
    ] {
        for header in [Protected, Unprotected] {
            let row = row(label, header, &[], [None; 3], "");
            for (value, expected) in [(&sound, ACCEPTED), (&wrong, MALFORMED)] {
                let bytes = row.with(cose(), value.clone()).seal().unwrap();
                let got = verify(COSE, &bytes).map(|_| ()).map_err(|failure| failure.code).err();
                assert_eq!(got, expected, "label {label} {header:?}: {value:?}");
            }
        }
    }
    // Where a token stands says what it is over (RFC 9921, section 3).
    for (label, header, expected) in [
        (269, Protected, ACCEPTED),
        (269, Unprotected, MALFORMED),
        (270, Protected, MALFORMED),
        (270, Unprotected, ACCEPTED),
        (12, Protected, MALFORMED),
        (12, Unprotected, MALFORMED),
    ] {
        let bytes = row(label, header, &[], [None; 3], "").with(cose(), bytes.clone()).seal().unwrap();
        let got = verify(COSE, &bytes).map(|_| ()).map_err(|failure| failure.code).err();
        assert_eq!(got, expected, "label {label} {header:?}");
    }
    // What is not registered, or not for good, may be anything: 0 is reserved, -1 is another registry's, 17 is temporary.
    for label in [0, -1, -70_000, 8, 17, 22, 36, 170, 271, 70_000, i64::MAX, i64::MIN] {
        for header in [Protected, Unprotected] {
            for value in [Cbor::Null, bytes.clone(), map.clone(), tagged(55799, Cbor::Null)] {
                let bytes = row(label, header, &[], [None; 3], "").with(cose(), value).seal().unwrap();
                assert!(verify(COSE, &bytes).is_ok(), "label {label} {header:?}");
            }
        }
    }
}

#[test]
fn integer_labels_fit_64_bits_with_a_sign() {
    for head in [0x1b_u8, 0x3b] {
        for (first, expected) in [(0x7f, ACCEPTED), (0x80, MALFORMED), (0xff, MALFORMED)] {
            let label = Cbor::Raw([&[head, first], [0xff; 7].as_slice()].concat());
            for header in [Protected, Unprotected] {
                let mut draft = cose();
                match header {
                    Protected => draft.set(label.clone(), Cbor::Null),
                    Unprotected => draft.set_unprotected(label.clone(), Cbor::Null),
                }
                let got = verify(COSE, &draft.seal().unwrap()).map(|_| ()).map_err(|failure| failure.code).err();
                assert_eq!(got, expected, "{label:?} {header:?}");
            }
        }
    }
}

#[test]
fn tagged_values_are_what_their_tag_says_at_any_depth() {
    let deep = |value: Cbor| Cbor::Map(vec![(Cbor::Integer(1), Cbor::Array(vec![Cbor::Null, value]))]);
    for (tag, sound, untrue) in [
        (0, Cbor::text("2026-01-02T03:04:05Z"), Cbor::text("yesterday")),
        (0, Cbor::text("2026-01-02T03:04:05Z"), Cbor::Integer(1)),
        (1, Cbor::Integer(-1), Cbor::text("1")),
        (1, Cbor::Float(0.5), tagged(1, Cbor::Integer(1))),
        (4, Cbor::Array(vec![Cbor::Integer(-2), Cbor::Integer(27_315)]), Cbor::Array(vec![Cbor::Integer(1)])),
        (5, Cbor::Array(vec![Cbor::Integer(-1), Cbor::Integer(3)]), Cbor::Array(vec![Cbor::Null, Cbor::Null])),
        (24, Cbor::Bytes(vec![0xf6]), Cbor::Bytes(vec![0x9f, 0xff])),
        (24, Cbor::Bytes(vec![0xf6]), Cbor::Null),
        (32, Cbor::text("https://example.com"), Cbor::text("not a URI")),
        (33, Cbor::text("-_8"), Cbor::text("+/8=")),
        (34, Cbor::text("+/8="), Cbor::text("-_8")),
        (35, Cbor::text("a*"), Cbor::Bytes(b"a*".to_vec())),
        (36, Cbor::text("From: x"), Cbor::Map(vec![])),
    ] {
        for value in
            [tagged(tag, sound), deep(tagged(tag, untrue.clone())), tagged(tag, untrue)].into_iter().enumerate()
        {
            let expected = if value.0 == 0 { ACCEPTED } else { MALFORMED };
            for header in [Protected, Unprotected] {
                let mut draft = cose();
                match header {
                    Protected => draft.set(Cbor::text("com.example.note"), value.1.clone()),
                    Unprotected => draft.set_unprotected(Cbor::text("com.example.note"), value.1.clone()),
                }
                let got = verify(COSE, &draft.seal().unwrap()).map(|_| ()).map_err(|failure| failure.code).err();
                assert_eq!(got, expected, "{:?} {header:?}", value.1);
            }
        }
    }
}
