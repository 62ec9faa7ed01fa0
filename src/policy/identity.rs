//! Trusted identities: which signers of a trust store a statement accepts.
//!
//! Follows *trust-store-trust-policy*, Trusted Identities Constraints: `*` alone, or entries `x509.subject: ` with a
//! distinguished name, of which no two overlap. An entry matches when all its attributes stand in the subject of the
//! signing certificate. An entry with another prefix is left to verification plugins; it never matches here.

use super::finding::{Findings, Rule, did_you_mean};
use super::overlap::{TooManySets, overlaps};
use super::raw::Text;
use crate::failure::{Code, Failure, quote};
use crate::pki::{DistinguishedName, Rdns};

const ANY: &str = "*";
const SUBJECT: &str = "x509.subject";
const SUBJECT_HELP: &str = "write \"x509.subject: C=US, ST=WA, O=example.com\", or \"*\" alone for any signer";

/// The signers that a statement accepts.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    any: bool,
    subjects: Vec<Subject>,
    others: Vec<String>,
    written: Vec<String>,
}

/// One `x509.subject` entry.
#[derive(Debug, Clone)]
struct Subject {
    text: String,
    name: DistinguishedName,
}

impl Identities {
    /// Whether any signer of the named stores is accepted.
    pub fn any(&self) -> bool {
        self.any
    }

    /// The distinguished names accepted, as written.
    pub fn subjects(&self) -> impl ExactSizeIterator<Item = &str> {
        self.subjects.iter().map(|subject| subject.text.as_str())
    }

    /// Entries with a prefix that only a plugin could understand, as written.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// Every entry as written, in the order of the policy.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether a certificate with the subject `leaf` is accepted.
    ///
    /// # Errors
    /// `identity-mismatch`: no entry matches; `identity-unmatchable`: no entry can match this subject, for its form.
    pub fn check(&self, leaf: &Rdns) -> Result<(), Failure> {
        if self.any {
            return Ok(());
        }
        if self.subjects.is_empty() {
            let message = "the statement names no x509.subject identity: only a verification plugin could accept a \
                           signer, and none decides here";
            return Err(Failure::new(Code::IdentityMismatch, message));
        }
        let name = leaf.to_name().map_err(|reason| {
            let message = format!("the signer's subject {} {reason}", quote(&leaf.text()));
            Failure::new(Code::IdentityUnmatchable, message)
        })?;
        if self.subjects.iter().any(|subject| subject.name.is_subset_of(&name)) {
            return Ok(());
        }
        let trusted = match self.subjects.as_slice() {
            [only] => format!("the trusted identity {}", quote(&only.text)),
            many => format!("any of the {} trusted identities", many.len()),
        };
        let message = format!("the signer's subject {} does not match {trusted}", quote(&leaf.text()));
        Err(Failure::new(Code::IdentityMismatch, message))
    }

    /// Checks the identities of one statement, called `label` in messages, and keeps those that hold.
    pub(super) fn read(entries: &[Text<'_>], label: &str, findings: &mut Findings<'_, '_>) -> Identities {
        let mut identities = Identities::default();
        identities.written.extend(entries.iter().map(|entry| entry.value.as_ref().to_owned()));
        let mut places = Vec::new();
        for entry in entries {
            let text = entry.value.as_ref();
            if text == ANY {
                identities.any = true;
                if entries.len() > 1 {
                    let message = format!("{label} trusts the identity \"*\" beside others");
                    let help = "\"*\" trusts any signer: remove it, or the others";
                    findings.error(Rule::IdentityWildcard, &entry.range, message, help);
                }
                continue;
            }
            let mut refuse = |reason: &str| {
                let message = format!("{label}: {} is not an identity: {reason}", quote(text));
                findings.error(Rule::Identity, &entry.range, message, SUBJECT_HELP);
            };
            match text.split_once(':') {
                _ if text.is_empty() => refuse("it is empty"),
                None => refuse("it has no colon after a prefix"),
                Some((SUBJECT, "")) => refuse("it has nothing after the colon"),
                Some((SUBJECT, name)) => match DistinguishedName::parse(name) {
                    Err(reason) => refuse(&reason.to_string()),
                    Ok(name) => {
                        warn_of_types(&name, entry, label, findings);
                        identities.subjects.push(Subject { text: text.to_owned(), name });
                        places.push(entry);
                    }
                },
                Some((prefix, _)) => {
                    say_whose(prefix, entry, label, findings);
                    identities.others.push(text.to_owned());
                }
            }
        }
        identities.report_overlaps(&places, label, findings);
        identities
    }

    fn report_overlaps(&self, places: &[&Text<'_>], label: &str, findings: &mut Findings<'_, '_>) {
        let names: Vec<_> = self.subjects.iter().map(|subject| &subject.name).collect();
        match overlaps(&names) {
            Ok(found) => {
                for (including, included) in found {
                    let (outer, inner) = (places[including], places[included]);
                    let line = findings.line(&outer.range);
                    let message = format!(
                        "{label}: the identity {} overlaps with {} on line {line}",
                        quote(&inner.value),
                        quote(&outer.value)
                    );
                    let help = "remove the narrower one, or add attributes to the wider one";
                    findings.error(Rule::IdentityOverlap, &inner.range, message, help);
                }
            }
            Err(TooManySets(sets)) => {
                let message = format!(
                    "{label}: {} identities with {sets} different sets of attribute types are too many to compare",
                    names.len()
                );
                let place = places.first().map_or(0..0, |first| first.range.clone());
                findings.error(Rule::IdentitiesTooMany, &place, message, "divide them among several statements");
            }
        }
    }
}

/// Says who reads an identity with another prefix than `x509.subject`: a verification plugin, as AWS Signer's reads
/// `arn:aws:signer:…`. One that is nearly `x509.subject` is a mistake in it.
fn say_whose(prefix: &str, entry: &Text<'_>, label: &str, findings: &mut Findings<'_, '_>) {
    let text = quote(&entry.value);
    if did_you_mean(prefix, &[SUBJECT]).starts_with("did you mean") {
        let message = format!("{label}: no signer can match {text}: unknown prefix {}", quote(prefix));
        let help = format!("only {SUBJECT:?} is known, spelled exactly so");
        findings.warning(Rule::IdentityUseless, &entry.range, message, help);
    } else {
        let message = format!("{label}: the identity {text} is read by verification plugins only");
        let help = format!(
            "it counts for signatures that name a plugin which takes the trusted identity over; for all others name \
             an identity with {SUBJECT:?}"
        );
        findings.note(Rule::IdentityOfPlugin, &entry.range, message, help);
    }
}

fn warn_of_types(name: &DistinguishedName, entry: &Text<'_>, label: &str, findings: &mut Findings<'_, '_>) {
    let filled = |kind: &&str| name.attributes().get(*kind).is_some_and(|value| !value.is_empty());
    if let Some(kind) = name.unknown_types().find(filled) {
        let message = format!("{label}: no signer can match {}: {} is never matched", quote(&entry.value), quote(kind));
        let help = "use only C, ST, O, L, OU, CN, STREET, POSTALCODE and SERIALNUMBER, in capitals";
        findings.warning(Rule::IdentityUseless, &entry.range, message, help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::TrustPolicy;

    fn identities(entries: &str) -> Identities {
        let text = format!(
            r#"{{"version": "1.0", "trustPolicies": [{{"name": "n", "registryScopes": ["a.io/b"],
                "signatureVerification": {{"level": "strict"}}, "trustStores": ["ca:x"],
                "trustedIdentities": {entries}}}]}}"#
        );
        TrustPolicy::parse(text.as_bytes(), "p").unwrap().statements()[0].identities.clone()
    }

    /// A subject of these attributes, each in a set of its own, in the order in which they are encoded.
    fn subject(attributes: &[(&str, &str)]) -> Rdns {
        Rdns(attributes.iter().map(|(oid, value)| vec![((*oid).to_owned(), (*value).to_owned())]).collect())
    }

    const LEAF: [(&str, &str); 5] =
        [("2.5.4.6", "US"), ("2.5.4.8", "WA"), ("2.5.4.7", "Seattle"), ("2.5.4.10", "a, Inc"), ("2.5.4.3", "leaf")];

    #[test]
    fn an_identity_matches_when_all_its_attributes_do() {
        for (entries, code) in [
            (r#"["*"]"#, None),
            (r#"["x509.subject: C=US, ST=WA, O=a\\, Inc"]"#, None),
            (r#"["x509.subject: CN=leaf, O=a\\2C Inc, L=Seattle, S=WA, C=US"]"#, None),
            (r#"["x509.subject: C=US, ST=WA, O=a\\, Inc, OU="]"#, None),
            (r#"["x509.subject: C=DE, ST=WA, O=a\\, Inc", "x509.subject: C=US, ST=WA, O=a\\, Inc"]"#, None),
            (r#"["x509.subject: C=US, ST=WA, O=a\\, Inc, L="]"#, Some(Code::IdentityMismatch)),
            (r#"["x509.subject: C=US, ST=WA, O=a\\, inc"]"#, Some(Code::IdentityMismatch)),
            (r#"["x509.subject: C=US, ST=WA, O=a"]"#, Some(Code::IdentityMismatch)),
            (r#"["x509.subject: C=US, ST=WA, O=a\\, Inc, OU=x"]"#, Some(Code::IdentityMismatch)),
            (r#"["x509.subject: C=US, ST=WA, O=a\\, Inc, CN=leaf2"]"#, Some(Code::IdentityMismatch)),
            (r#"["X509.subject: C=US, ST=WA, O=a\\, Inc"]"#, Some(Code::IdentityMismatch)),
        ] {
            let result = identities(entries).check(&subject(&LEAF));
            assert_eq!(result.as_ref().err().map(|failure| failure.code), code, "{entries}: {result:?}");
        }
    }

    #[test]
    fn a_subject_that_no_identity_can_name_is_told_apart() {
        let email = ("1.2.840.113549.1.9.1", "#160361406");
        let twice = ("2.5.4.11", "x");
        for extra in [&[email][..], &[twice, twice]] {
            let leaf = subject(&[&LEAF[..], extra].concat());
            let failure = identities(r#"["x509.subject: C=US, ST=WA, O=a\\, Inc"]"#).check(&leaf).unwrap_err();
            assert_eq!(failure.code, Code::IdentityUnmatchable, "{failure}");
            assert!(identities(r#"["*"]"#).check(&leaf).is_ok());
        }
        let failure = identities(r#"["x509.subject: C=US, ST=WA, O=a"]"#).check(&subject(&LEAF[..2])).unwrap_err();
        assert_eq!(failure.code, Code::IdentityUnmatchable, "{failure}");
    }

    #[test]
    fn a_mismatch_shows_both_sides() {
        let failure = identities(r#"["x509.subject: C=US, ST=WA, O=a"]"#).check(&subject(&LEAF)).unwrap_err();
        assert_eq!(
            failure.message,
            r#"the signer's subject "CN=leaf,O=a\\, Inc,L=Seattle,ST=WA,C=US" does not match the trusted identity "x509.subject: C=US, ST=WA, O=a""#
        );
    }
}
