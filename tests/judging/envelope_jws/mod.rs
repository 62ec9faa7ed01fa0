//! Bad JWS envelopes, rows B01–B28 of `docs/bad-inputs.md`: each is refused with its code, and what it departs from
//! passes.
//!
//! B25 and B26, and of B20 the expiry that is now, concern the decision and are tested there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod attributes;
mod content;
mod serialization;
mod signature;

use muster::failure::Code;
use muster::forge::{JwsDraft, KeyKind};

use crate::world::{JWS, authority_statement, jws, jws_cases, refused, signer, statement};

const SCHEME: &str = "io.cncf.notary.signingScheme";

const TIME: &str = "io.cncf.notary.signingTime";

const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";

const EXPIRY: &str = "io.cncf.notary.expiry";

const PLUGIN: &str = "io.cncf.notary.verificationPlugin";

/// A sound envelope under the signing authority's scheme.
fn authority() -> JwsDraft {
    authority_statement().jws(&signer(KeyKind::P256)).unwrap()
}

/// Sets one protected member to each JSON text: all are refused with `code`.
#[track_caller]
fn member_refused(draft: &JwsDraft, name: &str, values: &[&str], code: Code) {
    jws_cases(draft, &[]);
    for value in values {
        let mut draft = draft.clone();
        draft.protected.set(name, *value);
        refused(JWS, &draft.seal().unwrap(), code, &format!("{name}: {value}"));
    }
}

/// Replaces the payload by each text: all are refused with `code`.
#[track_caller]
fn payload_refused(payloads: &[String], code: Code) {
    jws_cases(&jws(), &[]);
    for payload in payloads {
        let mut draft = jws();
        draft.payload = payload.clone().into_bytes();
        refused(JWS, &draft.seal().unwrap(), code, payload);
    }
}

/// The payload of the sound envelope with `from` replaced by `to`.
fn payload(from: &str, to: &str) -> String {
    let payload = String::from_utf8(statement().payload()).unwrap();
    assert!(payload.contains(from), "{payload}");
    payload.replace(from, to)
}
