//! The check of `expect`: words become results and codes, and what can never come out together is refused.

use super::findings::{Endpoint, ExpectedRequests, ExpectedStatus, StatusWord};
use super::form::{RawChecks, RawExpect, RawSignature, RawSignatures, ResultWord};
use super::{CheckWord, Expectation, ExpectedCheck, ExpectedSignature, ExpectedSignatures};
use crate::failure::{Class, Code, quote};
use crate::policy::{Validation, did_you_mean};
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::names::unknown;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Holder, Things, Whose};
use crate::verify::Verdict;

/// The word for no time stamping authority.
const NONE: &str = "none";

/// Checks an expectation.
pub(in crate::scenario) fn check(raw: &RawExpect, things: &Things, findings: &mut Findings<'_, '_>) -> Expectation {
    let code = raw.code.as_ref().and_then(|word| read_code(word, findings));
    check_code(raw, code.as_ref(), findings);
    let expectation = Expectation {
        result: raw.result.with(raw.result.value.verdict()),
        code,
        statement: raw.statement.clone(),
        checks: checks(&raw.checks, findings),
        revocation: statuses(raw, things, findings),
        timestamp: raw.timestamp.as_ref().and_then(|name| stamp(name, things, findings)),
        requests: requests(raw, things, findings),
        artifacts: raw.artifacts.clone(),
        signatures: raw.signatures.as_ref().map(|raw| signatures(raw, findings)),
        manifests: raw
            .manifests
            .0
            .iter()
            .map(|(platform, manifest)| (platform.clone(), check_manifest(manifest, things, findings)))
            .collect(),
    };
    check_contradictions(&expectation, findings);
    expectation
}

/// Of a manifest of an index; what endpoints see is told of the whole.
fn check_manifest(raw: &RawExpect, things: &Things, findings: &mut Findings<'_, '_>) -> Expectation {
    if let Some((name, _)) = raw.requests.0.first() {
        let message = "requests are counted over the whole verification".to_owned();
        findings.error(Rule::Contradiction, &name.range, message, "move requests up, beside manifests");
    }
    if let Some(count) = &raw.artifacts {
        let message = "artifacts are counted over the whole verification".to_owned();
        findings.error(Rule::Contradiction, &count.range, message, "move artifacts up, beside manifests");
    }
    check(raw, things, findings)
}

/// What is expected of certificates.
fn statuses(raw: &RawExpect, things: &Things, findings: &mut Findings<'_, '_>) -> Vec<ExpectedStatus> {
    let mut statuses = Vec::new();
    for (name, word) in &raw.revocation.0 {
        let named = || things.holder(name, findings).map(Whose::Holder);
        let whose = Whose::by_subject(&name.value).or_else(named);
        let status = StatusWord::ALL.iter().copied().find(|status| status.as_str() == word.value);
        let Some(status) = status else {
            let known: Vec<&str> = StatusWord::ALL.iter().map(|status| status.as_str()).collect();
            let message = format!("{} is nothing that is known of certificates", quote(&word.value));
            findings.error(Rule::WordUnknown, &word.range, message, did_you_mean(&word.value, &known));
            continue;
        };
        let bad = matches!(status, StatusWord::Revoked | StatusWord::Unknown | StatusWord::Unavailable);
        if bad && raw.result.value == ResultWord::Pass {
            let message = format!("with the result pass, no certificate is {}", status.as_str());
            findings.error(Rule::Contradiction, &word.range, message, "correct one of them");
        }
        let name = name.value.clone();
        statuses.extend(whose.map(|whose| ExpectedStatus { name, whose, status: word.with(status) }));
    }
    statuses
}

/// Whose time stamp is expected; inside, `None` where there must be none.
fn stamp(name: &Spanned<String>, things: &Things, findings: &mut Findings<'_, '_>) -> Option<Spanned<Option<Whose>>> {
    if name.value == NONE {
        return Some(name.with(None));
    }
    if let Some(whose) = Whose::by_subject(&name.value) {
        return Some(name.with(Some(whose)));
    }
    let found = things.timestamp_authority(&name.value);
    if found.is_none() {
        let known = things.timestamp_authorities.iter().map(|authority| authority.name.as_str()).chain([NONE]);
        unknown("time stamping authority", &name.value, &name.range, known, findings);
    }
    found.map(|authority| name.with(Some(Whose::Holder(Holder::TimestampAuthority(authority)))))
}

/// How many requests are expected.
fn requests(raw: &RawExpect, things: &Things, findings: &mut Findings<'_, '_>) -> Vec<ExpectedRequests> {
    let mut expected = Vec::new();
    for (name, counts) in &raw.requests.0 {
        let Some(authority) = things.authority_or_tell(name, findings) else { continue };
        if counts.crl.is_none() && counts.delta.is_none() && counts.ocsp.is_none() {
            let message = format!("no number of requests is expected of {}", quote(&name.value));
            findings.error(Rule::Contradiction, &name.range, message, "add crl, delta or ocsp");
        }
        let plan = &things.authorities[authority];
        let delta = plan.crl.as_ref().is_some_and(|crl| crl.delta.is_some());
        let endpoints = [
            (Endpoint::Crl, &counts.crl, plan.crl.is_some()),
            (Endpoint::Delta, &counts.delta, delta),
            (Endpoint::Ocsp, &counts.ocsp, plan.ocsp.is_some()),
        ];
        for (endpoint, count, there) in endpoints {
            let Some(count) = count else { continue };
            if !there {
                let message = format!("{} has nothing that answers as {}", quote(&name.value), endpoint.as_str());
                findings.error(Rule::Contradiction, &count.range, message, "give it one, or remove this");
            }
            expected.push(ExpectedRequests { name: name.value.clone(), authority, endpoint, count: count.clone() });
        }
    }
    expected
}

fn check_code(raw: &RawExpect, code: Option<&Spanned<Code>>, findings: &mut Findings<'_, '_>) {
    let word = raw.result.value.as_str();
    // What is only logged may be of either class.
    let classes: &[Class] = match raw.result.value {
        ResultWord::Pass | ResultWord::Skip => &[],
        ResultWord::Warn => &[Class::Fail, Class::Undecided],
        ResultWord::Fail => &[Class::Fail],
        ResultWord::Error => &[Class::Undecided],
    };
    match (classes, &raw.code, code) {
        ([_, ..], None, _) => {
            let message = format!("the result {word} is expected, but not why");
            findings.error(
                Rule::Contradiction,
                &raw.result.range,
                message,
                "add code: the case must not pass for another reason",
            );
        }
        ([], Some(given), _) => {
            let message = format!("the result {word} has no code");
            findings.error(Rule::Contradiction, &given.range, message, "remove code, or expect another result");
        }
        ([_, ..], _, Some(code)) if !classes.contains(&code.value.class()) => {
            let right = if code.value.class() == Class::Fail { "fail" } else { "error" };
            let message = format!("the code {} never gives the result {word}", code.value);
            findings.error(
                Rule::Contradiction,
                &code.range,
                message,
                format!("expect the result {right}, or another code"),
            );
        }
        _ => {}
    }
}

fn check_contradictions(expectation: &Expectation, findings: &mut Findings<'_, '_>) {
    let none = matches!(expectation.signatures.as_ref().map(|s| &s.value), Some(ExpectedSignatures::Count(0)));
    if let (Some(check), true) = (expectation.checks.first(), none) {
        let message = "no signature is expected, and so no validation of one".to_owned();
        findings.error(Rule::Contradiction, &check.result.range, message, "remove checks, or expect a signature");
    }
    if expectation.result.value == Verdict::Pass && none {
        let message = "nothing passes without a signature".to_owned();
        findings.error(
            Rule::Contradiction,
            &expectation.result.range,
            message,
            "expect a signature, or another result",
        );
    }
    check_checks(expectation.result.value, &expectation.checks, findings);
}

/// Whether a signature with this result can have these validations.
fn check_checks(verdict: Verdict, checks: &[ExpectedCheck], findings: &mut Findings<'_, '_>) {
    for check in checks {
        let class = match check.result.value {
            CheckWord::Fail => Some(Class::Fail),
            CheckWord::Error => Some(Class::Undecided),
            CheckWord::Code(code) => Some(code.class()),
            _ => None,
        };
        let impossible = match verdict {
            Verdict::Pass => class.is_some() || check.result.value == CheckWord::NotReached,
            Verdict::Warn => check.result.value == CheckWord::NotReached,
            Verdict::Skip => true,
            Verdict::Fail | Verdict::Error => false,
        };
        if impossible {
            let message = format!(
                "with the result {}, {} is never {}",
                verdict.as_str(),
                check.validation.as_str(),
                check.result.value.as_str()
            );
            findings.error(Rule::Contradiction, &check.result.range, message, "correct one of them");
        }
        if check.validation == Validation::Integrity
            && matches!(check.result.value, CheckWord::Skip | CheckWord::NotReached)
        {
            let message = "integrity is always validated first".to_owned();
            findings.error(Rule::Contradiction, &check.result.range, message, "write pass, fail, error or a code");
        }
    }
}

fn checks(raw: &RawChecks, findings: &mut Findings<'_, '_>) -> Vec<ExpectedCheck> {
    let members = [&raw.integrity, &raw.authenticity, &raw.expiry, &raw.authentic_timestamp, &raw.revocation];
    let given =
        Validation::ALL.into_iter().zip(members).filter_map(|(validation, word)| Some((validation, word.as_ref()?)));
    let mut checks = Vec::new();
    for (validation, word) in given {
        let result = CheckWord::RESULTS.into_iter().find(|result| result.as_str() == word.value);
        let code = || Code::ALL.iter().find(|code| code.as_str() == word.value).map(|code| CheckWord::Code(*code));
        match result.or_else(code) {
            Some(value) => {
                checks.push(ExpectedCheck { validation, result: word.with(value) });
            }
            None => {
                let known: Vec<&str> =
                    CheckWord::RESULTS.iter().map(|r| r.as_str()).chain(Code::ALL.iter().map(|c| c.as_str())).collect();
                let near = did_you_mean(&word.value, &known);
                let help = if near.starts_with("did") {
                    near
                } else {
                    "write pass, fail, skip, not-reached, error or a code".to_owned()
                };
                let message = format!("{} is no result of a validation and no code", quote(&word.value));
                findings.error(Rule::WordUnknown, &word.range, message, help);
            }
        }
    }
    checks
}

fn signatures(raw: &Spanned<RawSignatures>, findings: &mut Findings<'_, '_>) -> Spanned<ExpectedSignatures> {
    let value = match &raw.value {
        RawSignatures::Count(count) => ExpectedSignatures::Count(usize::try_from(*count).unwrap_or(usize::MAX)),
        RawSignatures::Each(each) => {
            ExpectedSignatures::Each(each.iter().map(|signature| read_signature(signature, findings)).collect())
        }
    };
    raw.with(value)
}

fn read_signature(raw: &RawSignature, findings: &mut Findings<'_, '_>) -> ExpectedSignature {
    let signature = ExpectedSignature { result: raw.result.value.verdict(), checks: checks(&raw.checks, findings) };
    check_checks(signature.result, &signature.checks, findings);
    signature
}

fn read_code(word: &Spanned<String>, findings: &mut Findings<'_, '_>) -> Option<Spanned<Code>> {
    let code = Code::ALL.iter().find(|code| code.as_str() == word.value);
    if code.is_none() {
        let known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let near = did_you_mean(&word.value, &known);
        let help = if near.starts_with("did") { near } else { "docs/codes.md lists them all".to_owned() };
        findings.error(Rule::WordUnknown, &word.range, format!("there is no code {}", quote(&word.value)), help);
    }
    code.map(|code| word.with(*code))
}
