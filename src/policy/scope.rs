//! Registry scopes: which repositories a statement is for.
//!
//! Follows *trust-store-trust-policy*, Registry Scopes Constraints: repositories spelled out in full, each in one
//! statement only, or `*` alone, in one statement only. Matching is by equal spelling; nothing is normalised
//! (`near_miss` says what becomes of the rest).

use std::collections::HashMap;
use std::ops::Range;

use super::finding::{Findings, Rule};
use super::raw::{Member, RawStatement, Text};
use crate::failure::quote;
use crate::reference::{ReferenceError, Repository, is_host};

/// The scope for every repository that no other statement names.
pub(super) const GLOBAL: &str = "*";

/// Where every scope of a document stands.
#[derive(Default)]
pub(super) struct ScopeTable<'t> {
    seen: HashMap<&'t str, (String, Range<usize>)>,
}

impl<'t> ScopeTable<'t> {
    /// Checks the scopes of one statement, called `label` in messages, and returns those that hold.
    pub(super) fn check(
        &mut self,
        statement: &'t RawStatement<'t>,
        label: &str,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Vec<String> {
        let scopes = match &statement.scopes {
            Member::Wrong => return Vec::new(),
            Member::Given(scopes) if !scopes.value.is_empty() => &scopes.value,
            missing => {
                let place = missing.given().map_or(place, |scopes| &scopes.range);
                let help = "name repositories as \"registry.example.com/team/app\", or \"*\" alone for all others";
                findings.error(Rule::ScopesMissing, place, format!("{label} has no registryScopes"), help);
                return Vec::new();
            }
        };
        let mut valid = Vec::with_capacity(scopes.len());
        for scope in scopes {
            if scope.value == GLOBAL && scopes.len() > 1 {
                let message = format!("{label} has the scope \"*\" beside others");
                let help = "leave \"*\" alone, or remove it; a statement of its own may have it";
                findings.error(Rule::ScopeWildcard, &scope.range, message, help);
                continue;
            }
            if let Some((message, help)) = refusal(&scope.value) {
                findings.error(Rule::Scope, &scope.range, format!("{label}: {message}"), help);
                continue;
            }
            warn_of_form(scope, label, findings);
            if self.is_new(scope, label, findings) {
                valid.push(scope.value.as_ref().to_owned());
            }
        }
        valid
    }

    fn is_new(&mut self, scope: &'t Text<'t>, label: &str, findings: &mut Findings<'_, '_>) -> bool {
        let Some((owner, place)) = self.seen.get(scope.value.as_ref()) else {
            self.seen.insert(&scope.value, (label.to_owned(), scope.range.clone()));
            return true;
        };
        let line = findings.line(place);
        let message = format!("{label}: the scope {} already stands in {owner}, on line {line}", quote(&scope.value));
        findings.error(Rule::ScopeRepeated, &scope.range, message, "leave it in one statement, once");
        false
    }
}

/// Says that references have the host of a scope in another form: notation takes such scopes.
fn warn_of_form(scope: &Text<'_>, label: &str, findings: &mut Findings<'_, '_>) {
    let Err(ReferenceError::HostForm { written, normal }) = scope.value.parse::<Repository>() else { return };
    let message = format!(
        "{label}: no reference has the scope {}: {} is another spelling of the host {normal}",
        quote(&scope.value),
        quote(&written)
    );
    let help = format!("write {normal} in its place: a reference is taken with the host in this form only");
    findings.warning(Rule::ScopeUseless, &scope.range, message, help);
}

/// Why `scope` is no scope, and what to write.
fn refusal(scope: &str) -> Option<(String, &'static str)> {
    const REPOSITORY: &str =
        "write the repository with its registry and nothing else: \"registry.example.com/team/app\"";
    if scope == GLOBAL {
        return None;
    }
    let quoted = quote(scope);
    if scope.contains('*') {
        let help = "name each repository; \"*\" alone stands for all that no statement names";
        return Some((format!("the scope {quoted} has a wildcard in it"), help));
    }
    let reason = match scope.parse::<Repository>() {
        // A host that notation refuses in a scope would make the document useless to it.
        _ if scope.starts_with('[') => "an IPv6 address cannot stand in a scope".to_owned(),
        Ok(_) => return None,
        // notation takes these. No reference has them, which is warned of.
        Err(ReferenceError::HostForm { written, .. }) if is_host(&written) => return None,
        Err(_) if scope.is_empty() => "it is empty".to_owned(),
        Err(_) if scope.contains('@') => "it has a digest or a user name".to_owned(),
        Err(ReferenceError::Scheme) => "it has a scheme".to_owned(),
        Err(ReferenceError::HostMissing) => "it has no path after a registry's host".to_owned(),
        Err(_) if scope.rsplit('/').next().is_some_and(|last| last.contains(':')) => "it has a tag".to_owned(),
        Err(error) => error.to_string(),
    };
    Some((format!("the scope {quoted} is not a repository: {reason}"), REPOSITORY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_is_wrong_with_the_scope() {
        for (scope, words) in [
            ("", "empty"),
            ("a.io", "no path"),
            ("a.io/*", "wildcard"),
            ("a.io/b:v1", "tag"),
            ("a.io/b@sha256:00", "digest"),
            ("https://a.io/b", "scheme"),
            ("[::1]:5000/b", "IPv6"),
            ("a.io:99999/b", "65535"),
            ("a.io/B", "lower-case"),
            ("a.io/b/", "repository name"),
            (" a.io/b", "host"),
        ] {
            let (message, help) = refusal(scope).unwrap_or_else(|| panic!("{scope:?} was taken"));
            assert!(message.contains(words) && !help.is_empty(), "{scope:?}: {message}");
        }
        for scope in ["*", "a.io/b", "A.io:5000/b/c", "software/net-monitor"] {
            assert!(refusal(scope).is_none(), "{scope:?} was refused");
        }
    }
}
