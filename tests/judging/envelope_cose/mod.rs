//! Bad COSE envelopes, rows C01–C22 of `docs/bad-inputs.md`: each is refused with its code, and what it departs from
//! passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod attributes;
mod labels;
mod signature;
mod structure;

use muster::failure::Code;
use muster::forge::{Cbor, CoseDraft, KeyKind};

use crate::world::{COSE, authority_statement, cose_cases, refused, signer};

const SCHEME: &str = "io.cncf.notary.signingScheme";

const TIME: &str = "io.cncf.notary.signingTime";

const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";

const EXPIRY: &str = "io.cncf.notary.expiry";

const TOKEN: &str = "io.cncf.notary.timestampSignature";

/// A sound envelope under the signing authority's scheme.
fn authority() -> CoseDraft {
    authority_statement().cose(&signer(KeyKind::P256)).unwrap()
}

fn tagged(tag: u64, item: Cbor) -> Cbor {
    Cbor::Tagged(tag, Box::new(item))
}

fn names(names: &[&str]) -> Cbor {
    Cbor::Array(names.iter().map(|name| Cbor::text(name)).collect())
}

/// Sets one protected label to each value: all are refused with `code`.
#[track_caller]
fn label_refused(draft: &CoseDraft, label: &Cbor, values: Vec<Cbor>, code: Code) {
    cose_cases(draft, &[]);
    for value in values {
        let mut draft = draft.clone();
        draft.set(label.clone(), value.clone());
        refused(COSE, &draft.seal().unwrap(), code, &format!("{label:?}: {value:?}"));
    }
}
