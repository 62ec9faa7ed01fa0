//! Trust policy documents of either kind, from their bytes to statements that are valid as a whole.
//!
//! Follows *trust-store-trust-policy*, Trust Policy: the documents for OCI artifacts and for blobs differ only in how a
//! statement says what it is for, so that everything else is read and checked by the same code.

use std::path::Path;

use super::finding::{Findings, Rule, did_you_mean};
use super::raw::{Member, RawPolicy};
use super::statement::{Statement, StatementCheck};
use super::{VERSION, syntax};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::digest::Digest;
use crate::failure::quote;
use crate::{limits, regular_file};

/// What the statements of a document are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Artifacts in repositories: `registryScopes`.
    Oci,
    /// Blobs: `globalPolicy`, or by name.
    Blob,
}

/// A document that is valid.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// At least one.
    pub(crate) statements: Vec<Statement>,
    /// The digest of the file.
    pub(crate) digest: Digest,
    /// What is allowed but probably not meant, in the order of the file.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Document {
    /// Reads the document at `path`: a regular file, no symbolic link. The error is everything that is wrong with it, in
    /// the order of the file.
    pub(super) fn load(path: &Path, kind: Kind) -> Result<Document, Vec<Diagnostic>> {
        let file = path.display().to_string();
        let bytes = regular_file::read(path, limits::POLICY_BYTES).map_err(|problem| {
            let message = format!("the trust policy {problem}");
            vec![
                Diagnostic::error(Rule::File.code(), &file, message)
                    .with_help("name a trust policy document by its file"),
            ]
        })?;
        Document::parse(&bytes, &file, kind)
    }

    /// Reads a document; `file` is what diagnostics call it. The error is as for [`Document::load`].
    pub(super) fn parse(bytes: &[u8], file: &str, kind: Kind) -> Result<Document, Vec<Diagnostic>> {
        let text = syntax::text(bytes, file).map_err(|error| vec![*error])?;
        let source = SourceText::new(file, text);
        let tree = syntax::tree(&source).map_err(|error| vec![*error])?;
        let mut findings = Findings::new(&source);
        let statements = match RawPolicy::read(&tree, kind, &mut findings) {
            Some(raw) => check(&raw, kind, &mut findings),
            None => Vec::new(),
        };
        let warnings = findings.finish()?;
        Ok(Document { statements, digest: Digest::sha256(bytes), warnings })
    }
}

fn check(raw: &RawPolicy<'_>, kind: Kind, findings: &mut Findings<'_, '_>) -> Vec<Statement> {
    match &raw.version {
        Member::Wrong => {}
        Member::Given(version) if version.value == VERSION => {}
        Member::Given(version) => {
            let message = format!("{} is not a version of trust policies", quote(&version.value));
            findings.error(Rule::Version, &version.range, message, did_you_mean("", &[VERSION]));
        }
        Member::Missing => {
            let message = "the document has no version".to_owned();
            findings.error(Rule::Version, &raw.range, message, format!("add \"version\": {VERSION:?}"));
        }
    }
    match &raw.statements {
        Member::Wrong => Vec::new(),
        Member::Given(list) if !list.value.is_empty() => {
            let mut checked = StatementCheck::new(kind);
            let numbered = list.value.iter().zip(1..);
            numbered.map(|(statement, position)| checked.check(statement, position, findings)).collect()
        }
        missing => {
            let place = missing.given().map_or(&raw.range, |list| &list.range);
            let message = "the document has no statements".to_owned();
            findings.error(Rule::NoStatements, place, message, "add at least one statement to \"trustPolicies\"");
            Vec::new()
        }
    }
}
