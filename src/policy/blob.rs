//! Trust policies for blobs: files that lie anywhere, with signatures beside them.
//!
//! Follows *trust-store-trust-policy*, Blob Trust Policy (documents of version 1.0, `trustpolicy.blob.json`). A statement
//! is chosen by its name; where none is named, the one with `globalPolicy` applies. Names are compared letter by letter.

use std::path::Path;

use super::document::{Document, Kind};
use super::statement::Statement;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;

/// A trust policy document for blobs that is valid, and never changes.
#[derive(Debug, Clone)]
pub struct BlobTrustPolicy {
    document: Document,
}

impl BlobTrustPolicy {
    /// Reads the document at `path`: a regular file, no symbolic link.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(path: &Path) -> Result<BlobTrustPolicy, Vec<Diagnostic>> {
        Ok(BlobTrustPolicy { document: Document::load(path, Kind::Blob)? })
    }

    /// Reads a document; `file` is what diagnostics call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(bytes: &[u8], file: &str) -> Result<BlobTrustPolicy, Vec<Diagnostic>> {
        Ok(BlobTrustPolicy { document: Document::parse(bytes, file, Kind::Blob)? })
    }

    /// The statements, in the order of the file; at least one. None has scopes.
    pub fn statements(&self) -> &[Statement] {
        &self.document.statements
    }

    /// The statement of this name; without a name the one with `globalPolicy`, if there is one. No statement has a blank name.
    pub fn statement(&self, name: Option<&str>) -> Option<&Statement> {
        self.statements().iter().find(|statement| match name {
            Some(name) => !name.trim().is_empty() && statement.name == name,
            None => statement.is_global(),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(statements: &str) -> Result<BlobTrustPolicy, Vec<Diagnostic>> {
        BlobTrustPolicy::parse(format!(r#"{{"version":"1.0","trustPolicies":[{statements}]}}"#).as_bytes(), "p")
    }

    const TRUST: &str = r#""trustStores":["ca:a"],"trustedIdentities":["*"]"#;

    fn statement(name: &str, more: &str) -> String {
        format!(r#"{{"name":"{name}",{more}"signatureVerification":{{"level":"strict"}},{TRUST}}}"#)
    }

    #[test]
    fn a_statement_is_chosen_by_its_name_or_is_the_global_one() {
        let policy = [
            statement("one", ""),
            statement("two", r#""globalPolicy":true,"#),
            statement("Two", r#""globalPolicy":false,"#),
            statement(" ", ""),
        ];
        let policy = parse(&policy.join(",")).unwrap();
        for (asked, expected) in [
            (Some("one"), Some("one")),
            (Some("two"), Some("two")),
            (Some("Two"), Some("Two")),
            (None, Some("two")),
            (Some("TWO"), None),
            (Some("two "), None),
            (Some(" "), None),
            (Some(""), None),
            (Some("*"), None),
        ] {
            assert_eq!(policy.statement(asked).map(|found| found.name.as_str()), expected, "{asked:?}");
        }
        assert!(policy.statements().iter().all(|statement| statement.scopes.is_empty()));
        assert!(parse(&statement("one", "")).unwrap().statement(None).is_none());
    }

    #[test]
    fn documents_that_are_wrong_say_where() {
        let global = r#""globalPolicy":true,"#;
        let skip = |more: &str| format!(r#"{{"name":"s",{more}"signatureVerification":{{"level":"skip"}}}}"#);
        for (statements, code, marked) in [
            (statement("a", r#""registryScopes":["*"],"#), "foreign-member", r#""registryScopes""#),
            (statement("a", r#""globalPolicy":"true","#), "wrong-type", "\"true\""),
            (statement("a", r#""globalPolicy":null,"#), "wrong-type", "null"),
            (statement("a", r#""GlobalPolicy":true,"#), "member-case", r#""GlobalPolicy""#),
            (statement("a", r#""globalPolicy":true,"globalPolicy":false,"#), "duplicate-member", r#""globalPolicy""#),
            ([statement("a", global), statement("b", global)].join(","), "global-policy-duplicate", "true"),
            ([statement("a", ""), statement("a", "")].join(","), "statement-name-duplicate", "\"a\""),
            (statement("", ""), "statement-name-missing", "\"\""),
            (skip(global), "skip-global", "true"),
            (skip(r#""trustStores":["ca:a"],"#), "skip-with-trust", r#"["ca:a"]"#),
            (statement("a", "").replace("strict", "Strict"), "verification-level", r#""Strict""#),
            (statement("a", "").replace("ca:a", "ca:.."), "trust-store-invalid-name", r#""ca:..""#),
            (statement("a", "").replace(r#""*""#, r#""x""#), "trusted-identity-invalid", "\"x\""),
            (statement("a", "").replace(r#"["*"]"#, "[]"), "trusted-identities-missing", "[]"),
            (String::new(), "no-statements", "[]"),
        ] {
            let errors = parse(&statements).map(|_| ()).unwrap_err();
            assert_eq!(errors.len(), 1, "{statements}: {errors:?}");
            let (error, text) = (&errors[0], format!(r#"{{"version":"1.0","trustPolicies":[{statements}]}}"#));
            assert_eq!(error.code, code, "{statements}");
            assert!(error.help.is_some(), "{statements}");
            let place = &text[error.span.unwrap().offset..];
            assert!(place.starts_with(marked), "{statements}: {place}");
        }
        assert!(parse(&skip("")).is_ok());
        assert!(parse(&skip(r#""globalPolicy":false,"#)).is_ok());
    }
}
