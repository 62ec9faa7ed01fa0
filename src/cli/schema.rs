//! `muster schema`: prints a JSON Schema.

use clap::{Args, ValueEnum};

use super::console::Console;
use super::exit::Exit;
#[cfg(feature = "pkcs11")]
use super::token;
use crate::report;
#[cfg(feature = "testbench")]
use crate::scenario;

const TRUST_POLICY: &str = include_str!("../../schemas/trustpolicy.oci.v1.schema.json");
const BLOB_TRUST_POLICY: &str = include_str!("../../schemas/trustpolicy.blob.v1.schema.json");

/// Print the JSON Schema of a file format
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  muster schema report > report.v1.schema.json")]
pub(super) struct SchemaArgs {
    /// Which format
    name: Name,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// What `--output json` writes; a line of ndjson is `#/$defs/Artifact` in it
    Report,
    /// What notation keeps in trustpolicy.oci.json; for editors
    Trustpolicy,
    /// What notation keeps in trustpolicy.blob.json; for editors
    TrustpolicyBlob,
    /// What `muster token list --output json` writes
    #[cfg(feature = "pkcs11")]
    TokenList,
    /// What `muster token check --output json` writes
    #[cfg(feature = "pkcs11")]
    TokenCheck,
    /// What `muster test` reads; for editors
    #[cfg(feature = "testbench")]
    Scenario,
}

pub(super) fn run(args: &SchemaArgs, console: Console) -> Exit {
    console.print(match args.name {
        Name::Report => report::v1::SCHEMA,
        Name::Trustpolicy => TRUST_POLICY,
        Name::TrustpolicyBlob => BLOB_TRUST_POLICY,
        #[cfg(feature = "pkcs11")]
        Name::TokenList => token::LIST_SCHEMA,
        #[cfg(feature = "pkcs11")]
        Name::TokenCheck => token::CHECK_SCHEMA,
        #[cfg(feature = "testbench")]
        Name::Scenario => scenario::SCHEMA,
    });
    Exit::Success
}
