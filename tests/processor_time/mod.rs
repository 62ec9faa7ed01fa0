//! How much work something is, for tests of bounds: the processor time of the thread. Unlike the time on the wall it does
//! not grow while other tests and other programs run beside.

use std::time::Duration;

/// Does `work`, called `what`, and asserts that this thread computed for less than `limit` meanwhile.
#[track_caller]
pub(crate) fn within<T>(limit: Duration, what: &str, work: impl FnOnce() -> T) -> T {
    let begun = spent();
    let made = work();
    match begun.zip(spent()) {
        Some((begun, ended)) => assert!(ended - begun < limit, "{what} took {:?} of computing", ended - begun),
        None => crate::skip::skip(what, "this system does not tell how much a thread has computed"),
    }
    made
}

/// What Linux says that this thread has computed so far; the other systems say it in other ways.
fn spent() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
