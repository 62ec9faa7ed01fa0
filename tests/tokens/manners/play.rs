//! Plays the table.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use muster::forge::KeyKind;

use super::table::{Given, Outcome, Row, TABLE};
use crate::bench::{Attempt, Bench, Done, Pin};
use crate::process::with_shim;
use crate::shim;

/// One attempt of a row: an outcome that has to come of one program with one kind of key.
struct Case {
    row: &'static Row,
    kind: KeyKind,
    by_plugin: bool,
}

impl Case {
    fn all() -> Vec<Case> {
        let of_row = |row| {
            [(KeyKind::P256, false), (KeyKind::Rsa2048, false), (KeyKind::P256, true), (KeyKind::Rsa2048, true)]
                .map(|(kind, by_plugin)| Case { row, kind, by_plugin })
        };
        // `muster sign` takes no certificates from a token.
        let plays = |case: &Case| case.by_plugin || !case.row.chain_in_token;
        TABLE.iter().flat_map(of_row).filter(plays).collect()
    }

    fn expected(&self) -> Outcome {
        match self.kind {
            KeyKind::P256 => self.row.ec,
            _ => self.row.rsa,
        }
    }

    fn attempt<'a>(&'a self, bench: &Bench<'_>) -> Attempt<'a> {
        let (label, id) = match self.kind {
            KeyKind::P256 => ("release-ec", "e1"),
            _ => ("release-rsa", "e2"),
        };
        let key = if self.row.by_id { format!("id=%{id}") } else { format!("object={label}") };
        let token = self.row.token.replace("{serial}", bench.serial());
        let mut attempt = bench.attempt(self.row.manner, &format!("{token};{key}"), self.kind);
        if self.row.pin == Given::Nothing {
            attempt.pin = Pin::None;
        }
        if self.row.chain_in_token {
            attempt.chain = None;
        }
        attempt
    }

    fn play(&self, bench: &Bench<'_>) -> Done {
        let attempt = self.attempt(bench);
        if self.by_plugin { bench.plugin(&attempt) } else { bench.sign(&attempt) }
    }

    fn named(&self) -> String {
        let program = if self.by_plugin { "notation-muster-pkcs11" } else { "muster sign" };
        let pin = if self.row.pin == Given::Nothing { " (no PIN given)" } else { "" };
        let chain = if self.row.chain_in_token { " (certificates in the token)" } else { "" };
        let manner = if self.row.manner.is_empty() { "none" } else { self.row.manner };
        format!("{manner}{pin}{chain} | {} | {program}", if self.kind == KeyKind::P256 { "EC" } else { "RSA" })
    }

    /// What is wrong with what came of it.
    fn fault(&self, done: &Done) -> Option<String> {
        let said = || done.said.trim().replace('\n', " / ");
        match self.expected() {
            Outcome::Signs if !done.signed => Some(format!("does not sign: {}", said())),
            Outcome::Refuses(words) if done.signed => Some(format!("signs, though it should say {words:?}")),
            Outcome::Refuses(words) if !done.said.contains(words) => {
                Some(format!("does not say {words:?}: {}", said()))
            }
            _ => None,
        }
    }
}

#[test]
fn every_manner_signs_or_says_why_not() {
    with_shim("manners::play::every_manner_signs_or_says_why_not", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (kind, label, id) in [(KeyKind::P256, "release-ec", b"\xe1"), (KeyKind::Rsa2048, "release-rsa", b"\xe2")] {
            bench.put(kind, 0, label, id);
            bench.put(kind, 3, &format!("other-{label}"), &[id[0] + 2]);
            bench.certificates(kind, 0).iter().take(1).for_each(|leaf| bench.token().store(leaf).unwrap());
            bench.chain(kind, 0);
        }
        bench.certificates(KeyKind::P256, 0).iter().skip(1).for_each(|above| bench.token().store(above).unwrap());

        let (cases, next, lines) = (Case::all(), AtomicUsize::new(0), Mutex::new(Vec::new()));
        let (pin, only) = (bench.pin(), std::env::var("MUSTER_MANNER").ok());
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(2, |count| count.get().min(8)) {
                scope.spawn(|| {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if only.as_ref().is_some_and(|only| case.row.manner != only) {
                            continue;
                        }
                        let done = case.play(&bench);
                        let mut fault = case.fault(&done);
                        if done.said.contains(&pin) {
                            fault = Some("shows the PIN".to_owned());
                        }
                        let outcome = match case.expected() {
                            Outcome::Signs => "signs".to_owned(),
                            Outcome::Refuses(words) => format!("refuses: {words}"),
                        };
                        let shown = if done.signed { "" } else { done.said.trim() };
                        let line = format!("| {} | {outcome} | {}", case.named(), shown.replace('\n', " / "));
                        lines.lock().unwrap().push((line, fault.map(|fault| format!("{}: {fault}", case.named()))));
                    }
                });
            }
        });
        let mut lines = lines.into_inner().unwrap();
        lines.sort();
        lines.iter().for_each(|(line, _)| println!("{line}"));
        let faults: Vec<_> = lines.into_iter().filter_map(|(_, fault)| fault).collect();
        assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
    });
}

/// A manner without a row would be tried by nothing, and a row without a manner ends the shim.
#[test]
fn every_manner_of_the_shim_has_a_row() {
    let rows: Vec<_> = TABLE.iter().flat_map(|row| row.manner.split(',')).collect();
    let without: Vec<_> = shim::manners().iter().map(|(name, _)| *name).filter(|name| !rows.contains(name)).collect();
    assert!(without.is_empty(), "{without:?} have no row in tests/tokens/manners/table.rs");
    assert!(shim::manners().len() > 30);
}
