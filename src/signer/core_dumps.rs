//! No core of a process that holds a PIN or a private key.
//!
//! When a process crashes, in a vendor's module for instance, or is told to (SIGABRT, SIGQUIT), the system may write all of its
//! memory to a file or hand it to a crash reporter, and a PIN, a private key, or what a module keeps of them is in there. Wiping
//! what is Muster's own would not do: modules hold the PIN as long as they are logged in. So the system is told to write none.
//!
//! On Linux the process is made undumpable (`PR_SET_DUMPABLE`), which holds for crash reporters too, to which the limit on the
//! size of cores does not apply, and keeps other processes of the same user from reading its memory. On other Unix systems that
//! limit is set to 0, as it is on Linux, where a sandbox may refuse the other. Programs that are started from here are dumpable
//! again, but inherit the limit. Nothing is done on Windows. What a system refuses is left as it was: a key that cannot be hidden
//! from a crash is no reason not to sign.
//!
//! This holds for the whole process. So it is not done by the library on its own; programs that open keys do it.

/// Tells the system to write no core of this process from now on, as far as it listens: by a limit of no bytes, and on Linux by
/// not being dumpable. A program calls it before it opens a key.
pub fn forbid_core_dumps() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        // Only what this process would do: who is to have the right to raise it again keeps that.
        let none = Rlimit { current: Some(0), maximum: getrlimit(Resource::Core).maximum };
        let _ = setrlimit(Resource::Core, none);
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn the_process_is_undumpable_and_its_limit_is_zero() {
        super::forbid_core_dumps();
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
