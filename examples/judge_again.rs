//! Collects the evidence of an artifact once, and judges it by other trust policies and at another time, without any network.
//!
//! It prints:
//!
//!     strict-any.json in 2026: pass
//!     strict-any.json in 2086: fail (certificate-expired)
//!     strict-wrong-identity.json in 2026: fail (identity-mismatch)
//!     permissive.json in 2086: warn (certificate-expired)
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use muster::Verifier;
use muster::source::layout::Layout;
use time::OffsetDateTime;
use time::macros::datetime;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let builder = |policy: &str| Verifier::load(&corpus.join("policies").join(policy), &corpus.join("truststore"));

    let layout = Arc::new(Layout::open_directory(&corpus.join("layout"))?);
    let reference = "127.0.0.1:5601/interop/jws-p256:v1".parse()?;
    let now = datetime!(2026-11-23 12:00 UTC);
    let verified = builder("strict-any.json")?.at(now).keep_evidence().build().verify(layout, &reference).await;
    let evidence = verified.artifact.evidence.ok_or("the artifact cannot be resolved")?;

    let much_later: OffsetDateTime = datetime!(2086-11-23 12:00 UTC);
    for (policy, at) in [
        ("strict-any.json", now),
        ("strict-any.json", much_later),
        ("strict-wrong-identity.json", now),
        ("permissive.json", much_later),
    ] {
        let outcome = builder(policy)?.at(at).offline().build().verify_evidence(&evidence);
        let reason = outcome.failure.map_or_else(String::new, |failure| format!(" ({})", failure.code));
        println!("{policy} in {}: {}{reason}", at.year(), outcome.verdict.as_str());
    }
    Ok(())
}
