//! What is found while a scenario file is read. Reading goes on after the first error wherever it can.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, SourceText};

macro_rules! rules {
    ($($rule:ident $code:literal)*) => {
        /// A rule that a scenario file may break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Rule { $($rule),* }

        impl Rule {
            /// The stable word in diagnostics.
            pub(super) fn code(self) -> &'static str {
                match self { $(Rule::$rule => $code),* }
            }
        }
    };
}

rules! {
    // The file and its YAML
    File "unreadable-file"
    Encoding "not-utf-8"
    Syntax "yaml-syntax"
    Limit "yaml-limit"
    KeyRepeated "duplicate-key"
    MergeKey "merge-key"
    KeyUnknown "unknown-key"
    KeyMissing "missing-key"
    WordUnknown "unknown-word"
    Type "wrong-type"
    Value "invalid-value"
    // Its parts
    Title "title-missing"
    Matrix "matrix"
    Name "invalid-name"
    NameUnknown "unknown-name"
    Subject "invalid-subject"
    Validity "invalid-validity"
    Registry "registry-kind"
    Store "invalid-store"
    // What happens in it
    Artifact "unknown-artifact"
    FileUnknown "unknown-file"
    ArtifactRepeated "duplicate-artifact"
    Count "invalid-count"
    Tampering "tampering"
    // What must come out
    NoExpectations "no-expectations"
    Contradiction "contradiction"
    Policy "invalid-policy"
    PolicyPath "policy-path"
    // What it brings in
    FilePath "file-path"
    Layout "invalid-layout"
    Recorded "recorded-answers"
}

/// Everything found in one file.
#[derive(Debug)]
pub(super) struct Findings<'s, 'a> {
    source: &'s SourceText<'a>,
    errors: Vec<Diagnostic>,
}

impl<'s, 'a> Findings<'s, 'a> {
    pub(super) fn new(source: &'s SourceText<'a>) -> Findings<'s, 'a> {
        Findings { source, errors: Vec::new() }
    }

    /// Notes that `rule` is broken at `range`; `message` is what is wrong, `help` how to mend it.
    pub(super) fn error(&mut self, rule: Rule, range: &Range<usize>, message: String, help: impl Into<String>) {
        let error = self.source.error(rule.code(), range.clone(), message).with_help(help);
        // The same is found again in every variant of the matrix.
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Notes what was found in another file.
    pub(super) fn add(&mut self, diagnostics: Vec<Diagnostic>) {
        for diagnostic in diagnostics {
            if !self.errors.contains(&diagnostic) {
                self.errors.push(diagnostic);
            }
        }
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, range: &Range<usize>) -> usize {
        self.source.line(range.start)
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// All of them, in the order of the file.
    pub(super) fn into_errors(mut self) -> Vec<Diagnostic> {
        self.errors.sort_by_key(|error| error.span.map(|span| span.offset));
        self.errors
    }
}
