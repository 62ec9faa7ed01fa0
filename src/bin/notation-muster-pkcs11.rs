//! The signing plugin `muster-pkcs11` of notation: keys in PKCS #11 tokens.

use std::process::ExitCode;

fn main() -> ExitCode {
    muster::pkcs11_plugin::run()
}
