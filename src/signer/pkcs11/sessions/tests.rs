use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use cryptoki::context::Function;

use super::*;

/// A token that gives `limit` sessions, numbered from 1 (0 was open before), and then says that there are no more.
struct Fake {
    limit: usize,
    opened: AtomicUsize,
    lost: AtomicBool,
    refusal: RvError,
}

impl Source for Fake {
    type Session = usize;

    fn open(&self) -> Result<usize, Error> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        if number < self.limit { Ok(number) } else { Err(error(self.refusal, Function::OpenSession)) }
    }

    fn is_lost(&self, _: &usize) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        None
    }
}

fn error(code: RvError, function: Function) -> Error {
    Error::Pkcs11(code, function)
}

fn sessions(limit: usize, most: usize, refusal: RvError) -> Sessions<Fake> {
    let fake = Fake { limit, opened: AtomicUsize::new(1), lost: AtomicBool::new(false), refusal };
    Sessions::new(fake, "\"ci\"".to_owned(), 0, most)
}

/// Which sessions `count` threads use that all want one at the same time; with as many as there are threads, all at once.
fn used(sessions: &Sessions<Fake>, count: usize, at_once: usize) -> HashSet<usize> {
    let together = Barrier::new(at_once);
    let (sender, numbers) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..count {
            let (sender, together) = (sender.clone(), &together);
            scope.spawn(move || {
                sessions.with(|number| {
                    together.wait();
                    sender.send(*number).unwrap();
                    Ok(())
                })
            });
        }
    });
    drop(sender);
    let numbers: Vec<usize> = numbers.iter().collect();
    assert_eq!(numbers.len(), count, "a caller got no session");
    numbers.into_iter().collect()
}

#[test]
fn as_many_are_opened_as_are_used_at_once() {
    let sessions = sessions(100, 4, RvError::SessionCount);
    for _ in 0..3 {
        assert_eq!(sessions.with(|number| Ok(*number)), Ok(0));
    }
    assert_eq!(used(&sessions, 8, 4), HashSet::from([0, 1, 2, 3]));
    assert_eq!(sessions.lock().open, 4);
}

#[test]
fn a_token_with_fewer_sessions_than_it_said_is_put_up_with() {
    for (limit, at_once) in [(3, 3), (1, 1)] {
        let sessions = sessions(limit, 16, RvError::SessionCount);
        assert_eq!(used(&sessions, 3 * at_once, at_once).len(), at_once);
        let state = sessions.lock();
        assert_eq!((state.open, state.idle.len()), (at_once, at_once));
    }
}

#[test]
fn a_refusal_hurts_only_the_one_who_got_it() {
    let sessions = sessions(1, 16, RvError::FunctionFailed);
    sessions
        .with(|_| {
            let refused = sessions.with(|_| Ok(())).unwrap_err();
            assert!(matches!(refused, SignerError::Token { .. }), "{refused}");
            Ok(())
        })
        .unwrap();
    let failed = sessions.with::<()>(|_| Err(error(RvError::FunctionFailed, Function::Sign))).unwrap_err();
    assert!(matches!(failed, SignerError::Token { .. }), "{failed}");
    sessions.with(|_| Ok(())).unwrap();
}

#[test]
fn those_who_wait_for_a_token_that_is_gone_are_told() {
    for (code, lost) in [(RvError::DeviceRemoved, false), (RvError::GeneralError, true)] {
        let sessions = sessions(1, 1, RvError::SessionCount);
        thread::scope(|scope| {
            let mut waiting = Vec::new();
            let first = sessions.with::<()>(|_| {
                waiting.extend((0..8).map(|_| scope.spawn(|| sessions.with(|_| Ok(())))));
                sessions.source.lost.store(lost, Ordering::Relaxed);
                Err(error(code, Function::Sign))
            });
            let Err(SignerError::TokenGone { token, answer }) = &first else { panic!("{first:?}") };
            assert!(token == "\"ci\"" && answer.starts_with("C_Sign: CKR_"), "{token} {answer}");
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), first);
            }
        });
        assert!(matches!(sessions.with(|_| Ok(())), Err(SignerError::TokenGone { .. })));
    }
}

#[test]
fn a_token_that_is_gone_when_a_session_is_opened_is_gone() {
    let sessions = sessions(1, 16, RvError::TokenNotPresent);
    sessions
        .with(|_| {
            assert!(matches!(sessions.with(|_| Ok(())), Err(SignerError::TokenGone { .. })));
            Ok(())
        })
        .unwrap();
    assert!(matches!(sessions.with(|_| Ok(())), Err(SignerError::TokenGone { .. })));
}

#[test]
fn a_panic_gives_the_session_back() {
    let sessions = sessions(1, 1, RvError::SessionCount);
    thread::scope(|scope| {
        let panicked = scope.spawn(|| sessions.with::<()>(|_| panic!("on purpose"))).join();
        assert!(panicked.is_err());
    });
    sessions.with(|_| Ok(())).unwrap();
}

#[test]
fn a_token_that_does_one_thing_at_a_time_is_given_one() {
    let sessions = sessions(100, 16, RvError::SessionCount);
    let busy = AtomicUsize::new(0);
    let refused = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let done = sessions.with(|_| {
                    let others = busy.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                    busy.fetch_sub(1, Ordering::SeqCst);
                    if others == 0 {
                        return Ok(());
                    }
                    refused.fetch_add(1, Ordering::SeqCst);
                    Err(error(RvError::OperationActive, Function::SignInit))
                });
                assert_eq!(done, Ok(()));
            });
        }
    });
    let refused = refused.load(Ordering::SeqCst);
    let state = sessions.lock();
    assert_eq!(state.one_at_a_time, refused > 0);
    assert_eq!(state.idle.len(), state.open);
}
