//! Verifies one artifact of an OCI layout by a trust policy, as a gate would before it lets an image run.
//!
//! It prints:
//!
//!     127.0.0.1:5601/interop/jws-p256:v1 may run
//!     127.0.0.1:5601/interop/expired-jws:v1 is stopped: signature-expired
//!     127.0.0.1:5601/interop/unsigned:v1 is stopped: unsigned
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use muster::Verifier;
use muster::source::layout::Layout;
use time::macros::datetime;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let verifier = Verifier::load(&corpus.join("policies/strict-any.json"), &corpus.join("truststore"))?
        // Without this line: now.
        .at(datetime!(2026-11-23 12:00 UTC))
        .build();

    let layout = Arc::new(Layout::open_directory(&corpus.join("layout"))?);
    for name in ["jws-p256", "expired-jws", "unsigned"] {
        let reference = format!("127.0.0.1:5601/interop/{name}:v1").parse()?;
        let verified = verifier.verify(layout.clone(), &reference).await;
        match verified.artifact.outcome.failure {
            Some(failure) if !verified.passes() => println!("{reference} is stopped: {}", failure.code),
            _ => println!("{reference} may run"),
        }
    }
    Ok(())
}
