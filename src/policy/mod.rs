//! Trust policies: who may sign what, and how much of it is enforced.
//!
//! Follows *trust-store-trust-policy*, Trust Policy (OCI documents of version 1.0). A document is read in steps, each
//! with a type of its own: bytes, a tree with places (`syntax`), members by name (`raw`), and at last a
//! [`TrustPolicy`], which cannot be wrong. Everything that is wrong with a document is reported in one go, each with
//! file, line and column. Where this is stricter than notation, `docs/stricter-than-notation.md` says so.
//!
//! Refused on purpose: documents of any other version, policies for blobs, and files that are not regular files.

mod explain;
mod finding;
mod identity;
mod level;
mod overlap;
mod raw;
mod scope;
mod statement;
mod syntax;
mod validation;

use std::collections::HashMap;
use std::path::Path;

pub use explain::{Explanation, StatementExplanation, explain};
pub use identity::Identities;
pub use level::{Level, VerifyTimestamp};
pub use statement::Statement;
pub use validation::{Action, Validation};

use crate::diagnostic::{Diagnostic, SourceText};
use crate::digest::Digest;
use crate::failure::quote;
use crate::{limits, regular_file};
pub(crate) use finding::did_you_mean;
use finding::{Findings, Rule};
use raw::{Member, RawPolicy};
use statement::StatementCheck;

/// The only version there is.
const VERSION: &str = "1.0";

/// A trust policy document that is valid, and never changes.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    statements: Vec<Statement>,
    by_scope: HashMap<String, usize>,
    global: Option<usize>,
    digest: Digest,
    warnings: Vec<Diagnostic>,
}

impl TrustPolicy {
    /// Reads the document at `path`: a regular file, no symbolic link.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(path: &Path) -> Result<TrustPolicy, Vec<Diagnostic>> {
        let file = path.display().to_string();
        let bytes = regular_file::read(path, limits::POLICY_BYTES).map_err(|problem| {
            let message = format!("the trust policy {problem}");
            vec![
                Diagnostic::error(Rule::File.code(), &file, message)
                    .with_help("name a trust policy document by its file"),
            ]
        })?;
        TrustPolicy::parse(&bytes, &file)
    }

    /// Reads a document; `file` is what diagnostics call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(bytes: &[u8], file: &str) -> Result<TrustPolicy, Vec<Diagnostic>> {
        let text = syntax::text(bytes, file).map_err(|error| vec![*error])?;
        let source = SourceText::new(file, text);
        let tree = syntax::tree(&source).map_err(|error| vec![*error])?;
        let mut findings = Findings::new(&source);
        let statements = match RawPolicy::read(&tree, &mut findings) {
            Some(raw) => check(&raw, &mut findings),
            None => Vec::new(),
        };
        let warnings = findings.finish()?;

        let scopes = |(position, statement): (usize, &Statement)| {
            statement.scopes.iter().map(move |scope| (scope.clone(), position)).collect::<Vec<_>>()
        };
        let mut by_scope: HashMap<String, usize> = statements.iter().enumerate().flat_map(scopes).collect();
        let global = by_scope.remove(scope::GLOBAL);
        Ok(TrustPolicy { statements, by_scope, global, digest: Digest::sha256(bytes), warnings })
    }

    /// The statements, in the order of the file; at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statement for a repository (`host/path`, spelled as in the reference): the one that names it, else the one
    /// for `*`, else none.
    pub fn statement_for(&self, repository: &str) -> Option<&Statement> {
        let position = self.by_scope.get(repository).copied().or(self.global)?;
        self.statements.get(position)
    }

    /// The digest of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What is allowed in the document but probably not meant, in the order of the file.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}

fn check(raw: &RawPolicy<'_>, findings: &mut Findings<'_, '_>) -> Vec<Statement> {
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
            let mut checked = StatementCheck::default();
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
