//! What is found while a trust policy is read: the kinds of findings, and the collection of all of them: errors, warnings and notes.
//!
//! Reading goes on after the first error, so that one run shows everything there is to mend; only the number shown is
//! bounded.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Severity, SourceText};

/// How many errors, and how many warnings, one document may show.
const SHOWN: usize = 100;

/// The longest word for which a known one is suggested, in bytes.
const LONGEST_COMPARED: usize = 64;

macro_rules! rules {
    ($($rule:ident $code:literal)*) => {
        /// A rule that a trust policy document may break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Rule { $($rule),* }

        impl Rule {
            /// Every rule.
            #[cfg(test)]
            pub(super) const ALL: &[Rule] = &[$(Rule::$rule),*];

            /// The stable word in diagnostics.
            pub(super) fn code(self) -> &'static str {
                match self { $(Rule::$rule => $code),* }
            }
        }
    };
}

rules! {
    // The file and its JSON
    File "unreadable-file"
    Encoding "not-utf-8"
    Syntax "json-syntax"
    Nesting "json-nesting"
    MemberRepeated "duplicate-member"
    MemberCase "member-case"
    MemberUnknown "unknown-member"
    MemberForeign "foreign-member"
    Type "wrong-type"
    // The document
    Version "unsupported-version"
    NoStatements "no-statements"
    NameMissing "statement-name-missing"
    NameRepeated "statement-name-duplicate"
    // registryScopes
    ScopesMissing "registry-scopes-missing"
    Scope "registry-scope-invalid"
    ScopeWildcard "registry-scope-wildcard"
    ScopeRepeated "registry-scope-duplicate"
    ScopeUseless "registry-scope-useless"
    // globalPolicy
    GlobalRepeated "global-policy-duplicate"
    // signatureVerification
    Level "verification-level"
    OverrideUnknown "override-unknown"
    OverrideForbidden "override-forbidden"
    VerifyTimestamp "verify-timestamp"
    TimestampUnused "verify-timestamp-unused"
    SkipWithTrust "skip-with-trust"
    SkipGlobal "skip-global"
    // trustStores
    StoresMissing "trust-stores-missing"
    Store "trust-store-invalid-name"
    StoreRepeated "trust-store-duplicate"
    StoresForTimestampsOnly "trust-stores-tsa-only"
    // trustedIdentities
    IdentitiesMissing "trusted-identities-missing"
    Identity "trusted-identity-invalid"
    IdentityWildcard "trusted-identity-wildcard"
    IdentityOverlap "trusted-identity-overlap"
    IdentitiesTooMany "trusted-identities-too-many"
    IdentityUseless "trusted-identity-useless"
    IdentityOfPlugin "trusted-identity-of-plugin"
    // This list
    More "more-findings"
}

/// Everything found in one document.
pub(super) struct Findings<'s, 'a> {
    source: &'s SourceText<'a>,
    errors: Shown,
    warnings: Shown,
    notes: Shown,
}

#[derive(Default)]
struct Shown {
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

impl Shown {
    fn add(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.diagnostics.len() < SHOWN {
            self.diagnostics.push(diagnostic());
        } else {
            self.more += 1;
        }
    }

    /// All of them, in the order of the file.
    fn sorted(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span.map(|span| span.offset));
        if let (Some(last), true) = (self.diagnostics.last().cloned(), self.more > 0) {
            let message = format!("{} more like these are not shown", self.more);
            self.diagnostics.push(Diagnostic {
                code: Rule::More.code(),
                message,
                help: None,
                span: None,
                excerpt: None,
                ..last
            });
        }
        self.diagnostics
    }
}

impl<'s, 'a> Findings<'s, 'a> {
    /// Nothing found yet in `source`.
    pub(super) fn new(source: &'s SourceText<'a>) -> Findings<'s, 'a> {
        Findings { source, errors: Shown::default(), warnings: Shown::default(), notes: Shown::default() }
    }

    /// Notes that `rule` is broken at `range`; `message` is what is wrong, `help` how to mend it.
    pub(super) fn error(&mut self, rule: Rule, range: &Range<usize>, message: String, help: impl Into<String>) {
        let source = self.source;
        self.errors.add(|| source.error(rule.code(), range.clone(), message).with_help(help));
    }

    /// The same for what is allowed but probably not meant.
    pub(super) fn warning(&mut self, rule: Rule, range: &Range<usize>, message: String, help: impl Into<String>) {
        let source = self.source;
        self.warnings.add(|| source.warning(rule.code(), range.clone(), message).with_help(help));
    }

    /// The same for what is as it should be, and that a reader may take for a mistake.
    pub(super) fn note(&mut self, rule: Rule, range: &Range<usize>, message: String, help: impl Into<String>) {
        let source = self.source;
        self.notes.add(|| {
            let note = source.warning(rule.code(), range.clone(), message).with_help(help);
            Diagnostic { severity: Severity::Note, ..note }
        });
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, range: &Range<usize>) -> usize {
        self.source.line(range.start)
    }

    /// The warnings and then the notes if there are no errors, else the errors; each in the order of the file.
    pub(super) fn finish(self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let errors = self.errors.sorted();
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut found = self.warnings.sorted();
        found.extend(self.notes.sorted());
        Ok(found)
    }
}

/// Whether `found` may be a slip for the word `known`.
#[cfg(feature = "testbench")]
pub(crate) fn is_near(found: &str, known: &str) -> bool {
    found.len() <= LONGEST_COMPARED && distance(found.trim(), known) <= tolerated(known)
}

fn distance(found: &str, known: &str) -> usize {
    strsim::damerau_levenshtein(&found.to_lowercase(), &known.to_lowercase())
}

/// How far from a word a slip may be.
fn tolerated(word: &str) -> usize {
    (word.len() / 3).max(1)
}

/// Help that offers the known word nearest to `found`, or else all of them.
pub(crate) fn did_you_mean(found: &str, known: &[&str]) -> String {
    // Nothing so long is near a known word, and comparing takes time and room by its length.
    let comparable = if found.len() > LONGEST_COMPARED { "" } else { found };
    let near = known
        .iter()
        .map(|word| (distance(comparable.trim(), word), word))
        .filter(|(distance, word)| *distance <= tolerated(word))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, word)) => format!("did you mean {word:?}?"),
        None => {
            let words: Vec<_> = known.iter().map(|word| format!("{word:?}")).collect();
            format!("expected one of {}", words.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_kebab_words() {
        let codes: HashSet<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'8')));
    }

    #[test]
    fn offers_the_nearest_word() {
        let known = ["strict", "permissive", "audit", "skip"];
        for (found, offer) in [("Strict", "strict"), ("premissive", "permissive"), ("aduit", "audit"), ("skp", "skip")]
        {
            assert_eq!(did_you_mean(found, &known), format!("did you mean {offer:?}?"));
        }
        assert!(did_you_mean("none", &known).starts_with("expected one of \"strict\", "));
        assert!(did_you_mean(&"x".repeat(100), &known).starts_with("expected one of"));
    }

    #[test]
    fn shows_a_bounded_number_in_the_order_of_the_file() {
        let source = SourceText::new("p", "abc");
        let mut findings = Findings::new(&source);
        for number in 0..250 {
            findings.error(Rule::Type, &(2 - number % 3..3), String::new(), "");
        }
        let errors = findings.finish().unwrap_err();
        assert_eq!(errors.len(), SHOWN + 1);
        assert!(
            errors.windows(2).take(SHOWN - 1).all(|two| two[0].span.unwrap().offset <= two[1].span.unwrap().offset)
        );
        assert_eq!(errors[SHOWN].message, "150 more like these are not shown");
    }
}
