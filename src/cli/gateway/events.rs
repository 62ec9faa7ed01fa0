//! What happens at a gateway, told in lines by a thread of its own: a reader of standard error who is slow, or has stopped reading,
//! keeps no signature and no approval waiting.

use std::cell::Cell;
use std::io;
use std::sync::mpsc::{self, TrySendError};
use std::thread;

use crate::forge::gateway::{GatewayEvent, Watcher};
use crate::rfc3339::instant_in_utc;

/// How many lines wait for the reader; what happens meanwhile is counted, and not told.
const LINES_WAITING: usize = 10_000;

/// Gives the watcher of a gateway, of whom `write` is handed every line.
///
/// # Errors
///
/// The system starts no thread.
pub(super) fn told_by(write: impl FnMut(String) + Send + 'static) -> io::Result<Watcher> {
    watcher(write, LINES_WAITING)
}

fn watcher(mut write: impl FnMut(String) + Send + 'static, waiting: usize) -> io::Result<Watcher> {
    let (queue, lines) = mpsc::sync_channel::<String>(waiting);
    thread::Builder::new().name("events".to_owned()).spawn(move || lines.into_iter().for_each(&mut write))?;
    let left_out = Cell::new(0_u64);
    Ok(Box::new(move |event: &GatewayEvent| {
        let mut line = format!("{}  {}", instant_in_utc(event.at), event.text);
        if left_out.get() > 0 {
            line.push_str(&format!(" (before it {} events were not told, since no line was read)", left_out.get()));
        }
        match queue.try_send(line) {
            Ok(()) => left_out.set(0),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => left_out.set(left_out.get() + 1),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use time::OffsetDateTime;

    #[test]
    fn what_is_not_read_is_counted_and_not_waited_for() {
        let (written, lines) = channel();
        let (go_on, reads) = channel::<()>();
        let write = move |line| {
            written.send(line).unwrap();
            // Until the end of the test, when it goes on without being told to.
            let _ = reads.recv();
        };
        let told = watcher(write, 2).unwrap();
        let tell = |text: &str| told(&GatewayEvent { at: OffsetDateTime::UNIX_EPOCH, text: text.to_owned() });
        tell("first");
        // The thread holds the first, so that two more have room.
        assert_eq!(lines.recv().unwrap(), "1970-01-01T00:00:00Z  first");
        ["second", "third", "fourth", "fifth"].into_iter().for_each(&tell);
        go_on.send(()).unwrap();
        assert!(lines.recv().unwrap().ends_with("second"));
        tell("sixth");
        drop(go_on);
        assert!(lines.recv().unwrap().ends_with("third"));
        assert!(lines.recv().unwrap().ends_with("sixth (before it 2 events were not told, since no line was read)"));
    }
}
