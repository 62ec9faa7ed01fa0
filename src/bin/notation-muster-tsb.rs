//! The signing plugin `muster-tsb` of notation: keys that sign only when enough people approve.

use std::process::ExitCode;

fn main() -> ExitCode {
    muster::tsb_plugin::run()
}
