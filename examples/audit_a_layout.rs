//! Audits everything in an OCI layout: one line for each artifact that does not pass, and a sum.
//!
//! It prints:
//!
//!     fail 127.0.0.1:5601/interop/expired-cose:v1 signature-expired
//!     fail 127.0.0.1:5601/interop/expired-jws:v1 signature-expired
//!     fail 127.0.0.1:5601/interop/shortlived-timestamped-jws:v1 certificate-expired
//!     fail 127.0.0.1:5601/interop/acme-jws:v1 untrusted-chain
//!     fail 127.0.0.1:5601/interop/shortlived-timestamped-cose:v1 certificate-expired
//!     fail 127.0.0.1:5601/interop/escapes-cose:v1 untrusted-chain
//!     fail 127.0.0.1:5601/interop/selfsigned-jws:v1 untrusted-chain
//!     fail 127.0.0.1:5601/interop/unsigned:v1 unsigned
//!     fail 127.0.0.1:5601/interop/rogue-jws:v1 untrusted-chain
//!     fail 127.0.0.1:5601/interop/shortlived-jws:v1 certificate-expired
//!     19 pass, 10 fail, 0 undecided
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use muster::Verifier;
use muster::audit::{Sources, Target};
use muster::source::registry::RegistryOptions;
use time::macros::datetime;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let verifier = Verifier::load(&corpus.join("policies/strict-any.json"), &corpus.join("truststore"))?
        .at(datetime!(2026-11-23 12:00 UTC))
        .build();

    // A registry is audited in the same way, by `Target::Registry` with its host.
    let layout = Target::layout(corpus.join("layout"));
    let sources = Arc::new(Sources::new(RegistryOptions::default(), None));
    let mut audit = verifier.audit(sources, vec![layout]);
    while let Some(judged) = audit.next().await {
        if let Some(failure) = judged.outcome.failure {
            println!("{} {} {}", judged.outcome.verdict.as_str(), judged.reference, failure.code);
        }
    }
    let tally = audit.tally();
    println!("{} pass, {} fail, {} undecided", tally.pass + tally.warn, tally.fail, tally.error);
    Ok(())
}
