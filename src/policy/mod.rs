//! Trust policies: who may sign what, and how much of it is enforced.
//!
//! Follows *trust-store-trust-policy*, Trust Policy (documents of version 1.0, for OCI artifacts and for blobs). A document
//! is read in steps, each with a type of its own: bytes, a tree with places (`syntax`), members by name (`raw`), and at
//! last a [`TrustPolicy`] or a [`BlobTrustPolicy`], which cannot be wrong. Everything that is wrong with a document is
//! reported in one go, each with file, line and column. Where this is stricter than notation,
//! `docs/stricter-than-notation.md` says so.
//!
//! Refused on purpose: documents of any other version, one kind of document for the other, and files that are not
//! regular files.

mod blob;
mod document;
#[cfg(feature = "cli")]
mod explain;
mod finding;
mod identity;
mod level;
mod near_miss;
mod overlap;
mod raw;
mod scope;
mod statement;
mod syntax;
mod validation;

use std::collections::HashMap;
use std::path::Path;

pub use blob::BlobTrustPolicy;
#[cfg(feature = "cli")]
pub use explain::{Explanation, StatementExplanation, explain, explain_blob};
pub use identity::Identities;
pub use level::{Level, VerifyTimestamp};
pub use statement::Statement;
pub use validation::{Action, Validation};

use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::failure::quote;
pub(crate) use document::Document;
use document::Kind;
pub(crate) use finding::did_you_mean;
#[cfg(feature = "testbench")]
pub(crate) use finding::is_near;
use near_miss::Places;

/// The only version there is.
const VERSION: &str = "1.0";

/// A trust policy document for OCI artifacts that is valid, and never changes.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    document: Document,
    by_scope: HashMap<String, usize>,
    global: Option<usize>,
    places: Places,
}

impl TrustPolicy {
    /// Reads the document at `path`: a regular file, no symbolic link.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(path: &Path) -> Result<TrustPolicy, Vec<Diagnostic>> {
        Ok(TrustPolicy::new(Document::load(path, Kind::Oci)?))
    }

    /// Reads a document; `file` is what diagnostics call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(bytes: &[u8], file: &str) -> Result<TrustPolicy, Vec<Diagnostic>> {
        Ok(TrustPolicy::new(Document::parse(bytes, file, Kind::Oci)?))
    }

    fn new(document: Document) -> TrustPolicy {
        let scopes = |(position, statement): (usize, &Statement)| {
            statement.scopes.iter().map(move |scope| (scope.clone(), position)).collect::<Vec<_>>()
        };
        let mut by_scope: HashMap<String, usize> = document.statements.iter().enumerate().flat_map(scopes).collect();
        let global = by_scope.remove(scope::GLOBAL);
        let places = Places::of(document.statements.iter().flat_map(|statement| &statement.scopes));
        TrustPolicy { document, by_scope, global, places }
    }

    /// The statements, in the order of the file; at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.document.statements
    }

    /// The statement for a repository (`host/path`, spelled as in the reference): the one that names it, else the one
    /// for `*`, else none. A repository that a statement names in another spelling has none, lest it be judged by `*`.
    pub fn statement_for(&self, repository: &str) -> Option<&Statement> {
        let position = match self.by_scope.get(repository) {
            Some(position) => *position,
            None => self.global.filter(|_| self.places.near(repository).is_none())?,
        };
        self.document.statements.get(position)
    }

    /// Why no statement is for a repository, in one sentence without a full stop: which scope is nearly it.
    pub fn why_none_for(&self, repository: &str) -> String {
        let none = format!("no statement of the trust policy applies to {}", quote(repository));
        if let Some(scope) = self.places.near(repository) {
            let global = if self.global.is_some() { ", not even the one for \"*\"" } else { "" };
            return format!(
                "{none}{global}: the policy names {}, and scopes are compared as text: write the repository in one way \
                 in both",
                quote(scope)
            );
        }
        match self.places.above(repository) {
            Some(scope) => format!(
                "{none}: the policy names {}, and a scope covers no repository below it: name each",
                quote(scope)
            ),
            None => none,
        }
    }

    /// What either kind of policy has.
    #[cfg(feature = "cli")]
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// The digest of the file.
    pub fn digest(&self) -> Digest {
        self.document.digest
    }

    /// What is allowed in the document but probably not meant, in the order of the file.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.document.warnings
    }
}
