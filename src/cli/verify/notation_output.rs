//! The output of `muster verify` for one artifact, in notation's words where scripts may look for them.

use std::path::Path;

use crate::audit::Judged;
use crate::cli::console::Console;
use crate::failure::quote;
use crate::report::printable;
use crate::revocation::{CertificateStatus, Status};
use crate::rfc3339::instant_in_utc;
use crate::verify::{SignatureOutcome, Verdict};

/// The output for one artifact.
pub(in crate::cli) struct NotationOutput<'a> {
    pub(in crate::cli) console: Console,
    pub(in crate::cli) judged: &'a Judged,
    /// Whether the target names it by a tag of a registry and without a digest.
    pub(in crate::cli) by_tag: bool,
    /// The layout that it lies in, if that is the only target.
    pub(in crate::cli) layout: Option<&'a Path>,
    /// Whether no report is written to standard output.
    pub(in crate::cli) stdout_is_free: bool,
}

impl NotationOutput<'_> {
    /// The result: success on standard output, everything else on standard error.
    pub(in crate::cli) fn print_result(&self) {
        let (console, name) = (self.console, self.name());
        let outcome = &self.judged.outcome;
        match outcome.verdict {
            Verdict::Pass | Verdict::Warn => {
                if outcome.verdict == Verdict::Warn {
                    self.print_logged();
                }
                self.warn_of_tag(&name);
                self.print(&format!("Successfully verified signature for {name}"));
            }
            Verdict::Skip => {
                self.warn_of_tag(&name);
                self.print(&format!("Trust policy is configured to skip signature verification for {name}"));
            }
            Verdict::Fail | Verdict::Error => {
                let what = match outcome.verdict {
                    Verdict::Error => "could not be verified: the result is undecided",
                    _ => "is not verified",
                };
                console.error(format_args!("{name} {what}"));
                if let Some(failure) = &outcome.failure {
                    console.detail(format_args!("  {}: {}", failure.code, failure.message));
                    for signature in outcome.signatures.iter().filter(|_| outcome.signatures.len() > 1) {
                        self.print_reason(signature);
                    }
                    console.detail(format_args!("  help: {}", failure.code.remedy()));
                    console.detail(format_args!("  by {}", failure.code.section()));
                }
            }
        }
    }

    /// Every validation of every signature.
    pub(in crate::cli) fn print_signatures(&self) {
        let console = self.console;
        for signature in &self.judged.outcome.signatures {
            let subject = signature.subject.as_deref().map(quote).unwrap_or_default();
            let scheme = signature.scheme.unwrap_or_default();
            console.detail(format_args!("signature {} {scheme} {subject}", signature.manifest).to_string().trim_end());
            if let Some(stamp) = &signature.timestamp {
                let (time, subject) = (instant_in_utc(stamp.at), quote(&stamp.subject));
                let accuracy = match stamp.accuracy.as_seconds_f64() {
                    0.0 => String::new(),
                    seconds => format!(" ± {seconds} s"),
                };
                console.detail(format_args!("  time stamped at {time}{accuracy} by {subject}"));
            }
            for check in &signature.checks {
                let (validation, action) = (check.validation.as_str(), check.action.as_str());
                let by = check.plugin.as_ref().map(|plugin| format!(" by the plugin {plugin}")).unwrap_or_default();
                let result = format!("{}{by}", check.result.as_str());
                match check.result.failure() {
                    Some(failure) => console
                        .detail(format_args!("  {validation} {action} {result} {}: {}", failure.code, failure.message)),
                    None => console.detail(format_args!("  {validation} {action} {result}")),
                }
            }
            signature.revocation.iter().for_each(|found| self.print_certificate(found));
            if let Some(failure) = &signature.failure {
                console.detail(format_args!("  {}: {}", failure.code, failure.message));
            }
        }
    }

    /// The revocation status of a certificate that names CRLs or OCSP responders, and what each of them says.
    fn print_certificate(&self, found: &CertificateStatus) {
        if found.status == Status::NotCheckable {
            return;
        }
        let line = |indent: &str, what: String, status: Status, message: &str| {
            let joint = if message.is_empty() { "" } else { ": " };
            self.console.detail(format_args!("{indent}{what} {}{joint}{message}", status.as_str()));
        };
        // Where servers had a part in it, their own lines say why.
        let why = if found.servers.is_empty() { found.message.as_str() } else { "" };
        line("  ", format!("certificate {}", quote(&found.subject)), found.status, why);
        for server in &found.servers {
            let what = format!("{} {}", server.method.as_str(), quote(&server.url));
            line("    ", what, server.status, &server.message);
        }
    }

    /// What was logged against the signature by which the artifact passes.
    fn print_logged(&self) {
        let passing = self.judged.outcome.signatures.iter().find(|signature| signature.verdict == Verdict::Warn);
        for check in passing.iter().flat_map(|signature| &signature.checks) {
            if let Some(failure) = check.result.failure() {
                self.console.warning(format_args!(
                    "{} was set to \"{}\" and failed with error: {} ({})",
                    check.validation.as_str(),
                    check.action.as_str(),
                    failure.message,
                    failure.code
                ));
            }
        }
    }

    fn print_reason(&self, signature: &SignatureOutcome) {
        let of_checks = || signature.checks.iter().rev().find_map(|check| check.result.failure());
        if let Some(failure) = signature.failure.as_ref().or_else(of_checks) {
            let message = &failure.message;
            self.console.detail(format_args!("  signature {} {}: {message}", signature.manifest, failure.code));
        }
    }

    fn warn_of_tag(&self, name: &str) {
        if self.by_tag {
            let reference = printable(&self.judged.reference);
            self.console.warning(format_args!(
                "{reference} is a tag, which can be moved to another artifact at any time; use the digest from here on: {name}"
            ));
        }
    }

    fn print(&self, sentence: &str) {
        match self.stdout_is_free {
            true => self.console.print(format_args!("{sentence}\n")),
            false => self.console.note(sentence),
        }
    }

    /// What the artifact is called: `host/repository@digest`, or in a layout its place there.
    fn name(&self) -> String {
        let Some(digest) = &self.judged.digest else { return printable(&self.judged.reference).into_owned() };
        let place = self.layout.map(|path| path.display().to_string());
        let place = place.unwrap_or_else(|| self.judged.repository.clone());
        format!("{}@{digest}", printable(&place))
    }
}
