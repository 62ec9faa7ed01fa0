//! What a trust policy means, in words.
//!
//! Follows *trust-store-trust-policy*, Trust Policy. For each statement: what it is for, which signers it trusts, what is done about each validation, when time stamps are looked at, and what a reader may not expect of it.
//! All of it follows from the policy alone: trust stores are not looked into.

use comfy_table::{ContentArrangement, Table, TableStyle, presets};

use super::document::Kind;
use super::level::{Level, VerifyTimestamp};
use super::scope::GLOBAL;
use super::validation::{Action, Validation};
use super::{BlobTrustPolicy, Statement, TrustPolicy};
use crate::failure::quote;
use crate::trust_store::StoreType;

/// How many entries of a list are shown.
const SHOWN: usize = 10;

/// A trust policy in words. Everything in it is fit for printing.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The statements, in the order of the file.
    pub statements: Vec<StatementExplanation>,
    /// What holds for the document as a whole, one sentence each.
    pub notes: Vec<String>,
}

/// A statement in words.
#[derive(Debug, Clone)]
pub struct StatementExplanation {
    /// The name of the statement, quoted.
    pub name: String,
    /// The line on which it starts.
    pub line: usize,
    /// The level of the statement: `strict`, …, or `custom, from strict`.
    pub level: String,
    /// The repositories or the blobs it is for.
    pub applies_to: String,
    /// The signers it trusts, one sentence each.
    pub signers: Vec<String>,
    /// The five validations in their order: what is done about each, and what that means.
    pub validations: Vec<(Validation, Action, &'static str)>,
    /// When time stamps are looked at.
    pub time_stamps: String,
    /// What a reader may not expect, one sentence each.
    pub notes: Vec<&'static str>,
}

/// Says what `policy` means, in lines of at most `width` characters where words allow it.
pub fn explain(policy: &TrustPolicy, width: usize) -> String {
    Explanation::of(policy).render(width)
}

/// Says what a policy for blobs means, in lines of at most `width` characters where words allow it.
pub fn explain_blob(policy: &BlobTrustPolicy, width: usize) -> String {
    Explanation::of_blob(policy).render(width)
}

impl Explanation {
    /// What `policy` means.
    pub fn of(policy: &TrustPolicy) -> Explanation {
        let mut notes = Vec::new();
        let global = policy.statements().iter().find(|statement| statement.is_global());
        notes.push(match global {
            Some(global) => format!(
                "exactly one statement applies to a repository: the one that names it, else {}; no other is tried when it fails",
                quote(&global.name)
            ),
            None => "no statement is for \"*\": every artifact in a repository that none names fails".to_owned(),
        });
        notes.push(
            "scopes are compared letter by letter: \"a.io/b\" covers neither \"a.io/b/c\" nor \"a.io:443/b\", and nothing is put before a short name; a repository that a statement names in another spelling fails"
                .to_owned(),
        );
        Explanation { statements: StatementExplanation::all(policy.statements(), Kind::Oci), notes }
    }

    /// What a policy for blobs means.
    pub fn of_blob(policy: &BlobTrustPolicy) -> Explanation {
        let global = policy.statements().iter().find(|statement| statement.is_global());
        let notes = vec![
            match global {
                Some(global) => {
                    format!("where no statement is named with --policy-name, {} applies", quote(&global.name))
                }
                None => "no statement has globalPolicy: every blob fails for which none is named with --policy-name"
                    .to_owned(),
            },
            "names are compared letter by letter, and no other statement is tried when the named one fails".to_owned(),
        ];
        Explanation { statements: StatementExplanation::all(policy.statements(), Kind::Blob), notes }
    }

    /// The explanation as text, in lines of at most `width` characters where words allow it.
    pub fn render(&self, width: usize) -> String {
        let mut text = String::new();
        for statement in &self.statements {
            text += &format!("Statement {} (level {}, line {})\n", statement.name, statement.level, statement.line);
            text += &statement.render(width);
            text.push('\n');
        }
        text += &self.matrix(width);
        let mut notes = table(width, presets::NOTHING);
        notes.add_rows(self.notes.iter().map(|note| [" note", note.as_str()]));
        text.push('\n');
        text += &lines(&notes);
        text
    }

    /// What is done about each validation, statement by statement, as a table.
    pub fn matrix(&self, width: usize) -> String {
        let mut matrix = table(width, presets::UTF8_BORDERS_ONLY);
        let words = Validation::ALL.map(Validation::as_str);
        matrix.set_header(std::iter::once("statement").chain(words));
        for statement in &self.statements {
            let actions = statement.validations.iter().map(|(_, action, _)| action.as_str());
            matrix.add_row(std::iter::once(statement.name.as_str()).chain(actions));
        }
        lines(&matrix)
    }
}

impl StatementExplanation {
    fn all(statements: &[Statement], kind: Kind) -> Vec<StatementExplanation> {
        statements.iter().map(|statement| StatementExplanation::of(statement, kind)).collect()
    }

    fn of(statement: &Statement, kind: Kind) -> StatementExplanation {
        let level = match statement.level_text() {
            "custom" => format!("custom, from {}", statement.level.as_str()),
            level => level.to_owned(),
        };
        let validations = Validation::ALL.map(|validation| {
            let action = statement.action(validation);
            (validation, action, meaning(validation, action))
        });
        StatementExplanation {
            name: quote(&statement.name),
            line: statement.line,
            level,
            applies_to: match kind {
                Kind::Oci => repositories(statement),
                Kind::Blob => blobs(statement).to_owned(),
            },
            signers: signers(statement),
            validations: validations.to_vec(),
            time_stamps: time_stamps(statement),
            notes: notes(statement, kind),
        }
    }

    fn render(&self, width: usize) -> String {
        let mut rows = table(width, presets::NOTHING);
        rows.add_row([" for", self.applies_to.as_str()]);
        rows.add_rows(self.signers.iter().map(|signer| [" trusts", signer.as_str()]));
        for (validation, action, meaning) in &self.validations {
            rows.add_row([format!(" {}", validation.as_str()), format!("{}: {meaning}", action.as_str())]);
        }
        rows.add_row([" time stamps", self.time_stamps.as_str()]);
        rows.add_rows(self.notes.iter().map(|note| [" note", note]));
        lines(&rows)
    }
}

fn repositories(statement: &Statement) -> String {
    if statement.is_global() {
        return format!("every repository that no other statement names ({GLOBAL:?})");
    }
    let shown = statement.scopes.iter().take(SHOWN).cloned();
    listed(shown, statement.scopes.len())
}

fn blobs(statement: &Statement) -> &'static str {
    if statement.is_global() {
        "every blob for which no statement is named, and those for which this one is"
    } else {
        "blobs for which it is named with --policy-name"
    }
}

fn listed(shown: impl Iterator<Item = String>, all: usize) -> String {
    let more = all.saturating_sub(SHOWN);
    let list = shown.collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{list}, and {more} more") } else { list }
}

fn signers(statement: &Statement) -> Vec<String> {
    if statement.is_skip() {
        return vec!["anyone, signed or not: nothing is looked at".to_owned()];
    }
    let identities = &statement.identities;
    let whose = if identities.any() {
        "whatever the signer's subject".to_owned()
    } else {
        let shown = identities.subjects().take(SHOWN).map(|subject| {
            let name = subject.split_once(':').map_or(subject, |(_, name)| name);
            quote(name.trim())
        });
        let list = listed(shown, identities.subjects().len());
        let by_subject = match identities.subjects().len() {
            0 => None,
            1 => Some(format!("if the signer's subject has all attributes of {list}")),
            _ => Some(format!("if the signer's subject has all attributes of one of {list}")),
        };
        let others = identities.others();
        let by_plugin = (!others.is_empty()).then(|| {
            let list = listed(others.iter().take(SHOWN).map(|other| quote(other)), others.len());
            format!("if the verification plugin that the signature names accepts the signer by {list}")
        });
        match (by_subject, by_plugin) {
            (Some(subject), Some(plugin)) => format!("{subject}, or {plugin}"),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => "but no signer, since no identity can match".to_owned(),
        }
    };
    [(StoreType::Ca, "notary.x509"), (StoreType::SigningAuthority, "notary.x509.signingAuthority")]
        .into_iter()
        .filter(|(kind, _)| statement.has_store_of(*kind))
        .map(|(kind, scheme)| {
            let stores: Vec<_> = stores(statement, kind).collect();
            let stores = stores.join(" or ");
            format!("signatures of the scheme {scheme} with a certificate of {stores} in their chain, {whose}")
        })
        .collect()
}

fn stores(statement: &Statement, kind: StoreType) -> impl Iterator<Item = String> {
    statement.trust_stores.iter().filter(move |store| store.kind() == kind).map(ToString::to_string)
}

fn time_stamps(statement: &Statement) -> String {
    if statement.is_skip() || !statement.has_store_of(StoreType::Tsa) {
        return "never looked at".to_owned();
    }
    let tsa = stores(statement, StoreType::Tsa).collect::<Vec<_>>().join(" or ");
    match statement.verify_timestamp {
        VerifyTimestamp::Always => format!("demanded of every signature of notary.x509, made by an authority of {tsa}"),
        VerifyTimestamp::AfterCertExpiry => {
            format!("demanded once a certificate of the chain has expired, made by an authority of {tsa}")
        }
    }
}

/// What an action means for a validation.
fn meaning(validation: Validation, action: Action) -> &'static str {
    match (validation, action) {
        (_, Action::Skip) if validation != Validation::Revocation => "not looked at",
        (Validation::Integrity, _) => {
            "the signature must be whole, made by its own certificate's key, and speak of this artifact"
        }
        (Validation::Authenticity, Action::Enforce) => "the signer must be one of those trusted above",
        (Validation::Authenticity, _) => "a signer who is not trusted is reported, and passes",
        (Validation::Expiry, Action::Enforce) => "a signature past its own expiry fails",
        (Validation::Expiry, _) => "a signature past its own expiry is reported, and passes",
        (Validation::AuthenticTimestamp, Action::Enforce) => {
            "the signature must have been made while every certificate of its chain was valid"
        }
        (Validation::AuthenticTimestamp, _) => "a certificate that was not valid is reported, and the signature passes",
        (Validation::Revocation, Action::Enforce) => {
            "a certificate that is revoked, or whose named CRL or OCSP responder cannot tell, fails the signature"
        }
        (Validation::Revocation, Action::Log) => {
            "a certificate that is revoked, or whose named CRL or OCSP responder cannot tell, is reported, and the signature passes"
        }
        (Validation::Revocation, Action::Skip) => "it is not checked whether a certificate was revoked",
    }
}

/// What a reader may not expect of a statement.
fn notes(statement: &Statement, kind: Kind) -> Vec<&'static str> {
    if statement.is_skip() {
        if kind == Kind::Blob {
            return vec!["a blob with a broken or a stranger's signature passes like one without any"];
        }
        return vec!["an artifact with a broken or a stranger's signature passes like one without any"];
    }
    let enforced = |validation| statement.action(validation) == Action::Enforce;
    let has = |kind| statement.has_store_of(kind);
    let mut notes = Vec::new();
    if kind == Kind::Oci && (statement.level == Level::Audit || !enforced(Validation::Authenticity)) {
        notes.push("an artifact without a signature fails all the same: only level skip lets it pass");
    }
    if !enforced(Validation::Authenticity) {
        notes.push("anyone can make a signature that passes: that the signer is not trusted is only reported");
    }
    if statement.identities.any() && enforced(Validation::Authenticity) {
        notes
            .push("every signer to whom an authority of these stores gave a certificate is trusted, whatever the name");
    }
    if !has(StoreType::Ca) && !has(StoreType::SigningAuthority) {
        notes.push("no signer is trusted, since only tsa stores are named");
    } else if !has(StoreType::Ca) && enforced(Validation::Authenticity) {
        notes.push("signatures of the usual scheme notary.x509 never pass, since no ca store is named");
    }
    if enforced(Validation::AuthenticTimestamp) && has(StoreType::Ca) {
        notes.push(match (has(StoreType::Tsa), statement.verify_timestamp) {
            (false, _) => "signatures stop passing when a certificate of their chain expires, whenever they were made",
            (true, VerifyTimestamp::Always) => {
                "a signature without a time stamp fails, even while its certificates are valid"
            }
            (true, VerifyTimestamp::AfterCertExpiry) => {
                "a signature without a time stamp stops passing when a certificate of its chain expires"
            }
        });
    }
    if has(StoreType::Tsa) && !enforced(Validation::Revocation) {
        notes.push("the certificates of a time stamp are still checked for revocation, whatever revocation says");
    }
    notes
}

fn table(width: usize, style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table
}

/// The lines of a table, without blanks at their ends.
fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests;
