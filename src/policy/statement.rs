//! Statements: for some repositories, which signers are trusted and what is done about each validation.
//!
//! Follows *trust-store-trust-policy*, Trust Policy. A [`Statement`] exists only in a document that is valid as a whole.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::document::Kind;
use super::finding::{Findings, Rule, did_you_mean};
use super::identity::Identities;
use super::level::{Level, VerifyTimestamp};
use super::raw::{Member, RawStatement, RawVerification, Spanned, Text};
use super::scope::{GLOBAL, ScopeTable};
use super::validation::{Action, Validation};
use crate::failure::quote;
use crate::trust_store::{StoreName, StoreType};

/// What one statement of a trust policy says.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The name of the statement, unique in the document. Quote it before it is printed.
    pub name: String,
    /// The line of the document on which it starts, from 1.
    pub line: usize,
    /// The repositories it is for, or `*` alone; none in a policy for blobs.
    pub scopes: Vec<String>,
    /// The level it names.
    pub level: Level,
    /// When time stamps are looked at, if it names a `tsa` store.
    pub verify_timestamp: VerifyTimestamp,
    /// The stores it trusts, each once, in its order; none at level skip.
    pub trust_stores: Vec<StoreName>,
    /// The signers it trusts; none at level skip.
    pub identities: Identities,
    overrides: Vec<(Validation, Action)>,
    /// Whether the statement is for every blob for which no statement is named.
    global_policy: bool,
}

impl Statement {
    /// What is done about `validation`.
    pub fn action(&self, validation: Validation) -> Action {
        let overridden = self.overrides.iter().find(|(known, _)| *known == validation);
        overridden.map_or(self.level.action(validation), |(_, action)| *action)
    }

    /// What the statement overrides, in the order in which it is written.
    pub fn overrides(&self) -> &[(Validation, Action)] {
        &self.overrides
    }

    /// The level as reports name it: `strict`, `permissive`, `audit`, `skip`, or `custom` where something is overridden.
    pub fn level_text(&self) -> &'static str {
        if self.overrides.is_empty() { self.level.as_str() } else { "custom" }
    }

    /// Whether some signature could be judged by this statement if only those stores could be used that `usable` says: one
    /// of a signing scheme whose stores it names, all of which can be. A signature under `notary.x509` may demand a time
    /// stamp as well. What is not enforced needs no store, and level skip needs nothing.
    pub fn can_judge_with(&self, usable: impl Fn(&StoreName) -> bool) -> bool {
        let enforced = |validation| self.action(validation) == Action::Enforce;
        let all = |kind| self.trust_stores.iter().filter(|name| name.kind() == kind).all(&usable);
        let trusts = |kind| !enforced(Validation::Authenticity) || self.has_store_of(kind) && all(kind);
        let stamped = self.verify_timestamp == VerifyTimestamp::Always && enforced(Validation::AuthenticTimestamp);
        let by_signers = trusts(StoreType::Ca) && (!stamped || all(StoreType::Tsa));
        self.is_skip() || by_signers || trusts(StoreType::SigningAuthority)
    }

    /// Whether the level is `skip`: no signature is verified.
    pub fn is_skip(&self) -> bool {
        self.level == Level::Skip
    }

    /// Whether the statement is for every repository that no other statement names, or for every blob for which none is
    /// named.
    pub fn is_global(&self) -> bool {
        self.global_policy || self.scopes.iter().any(|scope| scope == GLOBAL)
    }

    /// Whether the statement names a store of `kind`.
    pub fn has_store_of(&self, kind: StoreType) -> bool {
        self.trust_stores.iter().any(|store| store.kind() == kind)
    }
}

/// Checks the statements of a document one after the other, against each other where the rules say so.
pub(super) struct StatementCheck<'t> {
    kind: Kind,
    names: HashMap<&'t str, Range<usize>>,
    scopes: ScopeTable<'t>,
    /// The line of the first statement with `globalPolicy`.
    global: Option<usize>,
}

impl<'t> StatementCheck<'t> {
    /// Nothing checked yet of a document of this kind.
    pub(super) fn new(kind: Kind) -> StatementCheck<'t> {
        StatementCheck { kind, names: HashMap::new(), scopes: ScopeTable::default(), global: None }
    }

    /// The statement at `position` (from 1). What is wrong goes to `findings`; then the result means nothing.
    pub(super) fn check(
        &mut self,
        raw: &'t RawStatement<'t>,
        position: usize,
        findings: &mut Findings<'_, '_>,
    ) -> Statement {
        let named = raw.name.given().filter(|name| !name.value.is_empty());
        let label = named.map_or(format!("statement {position}"), |name| format!("statement {}", quote(&name.value)));
        let place = named.map_or(&raw.range, |name| &name.range);
        self.check_name(raw, &label, findings);
        let settings = Settings::read(raw, &label, place, findings);
        let (scopes, global_policy) = match self.kind {
            Kind::Oci => (self.scopes.check(raw, &label, place, findings), false),
            Kind::Blob => (Vec::new(), self.check_global(raw, &label, findings)),
        };
        let mut statement = Statement {
            name: named.map(|name| name.value.as_ref().to_owned()).unwrap_or_default(),
            line: findings.line(&raw.range),
            scopes,
            level: settings.level.unwrap_or(Level::Strict),
            verify_timestamp: settings.verify_timestamp.unwrap_or_default(),
            trust_stores: Vec::new(),
            identities: Identities::default(),
            overrides: settings.overrides,
            global_policy,
        };
        match settings.level {
            Some(Level::Skip) => check_skip(raw, &statement, &label, findings),
            _ => {
                statement.trust_stores = check_stores(raw, &label, place, findings);
                statement.identities = check_identities(raw, &label, place, findings);
                warn_of_time_stamps(raw, &statement, &label, findings);
            }
        }
        statement
    }

    fn check_global(&mut self, raw: &RawStatement<'_>, label: &str, findings: &mut Findings<'_, '_>) -> bool {
        let Some(global) = raw.global.given().filter(|global| global.value) else { return false };
        if let Some(line) = self.global {
            let message = format!("{label} has globalPolicy, as the statement on line {line} has");
            findings.error(Rule::GlobalRepeated, &global.range, message, "leave it in one statement");
        } else {
            self.global = Some(findings.line(&raw.range));
        }
        true
    }

    fn check_name(&mut self, raw: &'t RawStatement<'t>, label: &str, findings: &mut Findings<'_, '_>) {
        const HELP: &str = "give every statement a name of its own";
        match &raw.name {
            Member::Wrong => {}
            Member::Given(name) if !name.value.is_empty() => {
                if let Some(first) = self.names.get(name.value.as_ref()) {
                    let message = format!("{label} has the name of the statement on line {}", findings.line(first));
                    findings.error(Rule::NameRepeated, &name.range, message, HELP);
                } else {
                    self.names.insert(&name.value, name.range.clone());
                }
            }
            missing => {
                let place = missing.given().map_or(&raw.range, |name| &name.range);
                findings.error(Rule::NameMissing, place, format!("{label} has no name"), HELP);
            }
        }
    }
}

/// What `signatureVerification` says. `level` is `None` when it is missing or wrong, which has been reported.
#[derive(Default)]
struct Settings {
    level: Option<Level>,
    overrides: Vec<(Validation, Action)>,
    verify_timestamp: Option<VerifyTimestamp>,
}

impl Settings {
    fn read(raw: &RawStatement<'_>, label: &str, place: &Range<usize>, findings: &mut Findings<'_, '_>) -> Settings {
        let verification = match &raw.verification {
            Member::Wrong => return Settings::default(),
            Member::Missing => {
                let help = "add \"signatureVerification\": {\"level\": \"strict\"}";
                findings.error(Rule::Level, place, format!("{label} has no signatureVerification"), help);
                return Settings::default();
            }
            Member::Given(verification) => verification,
        };
        let level = read_level(verification, label, findings);
        let overrides = match verification.overrides.given() {
            Some(pairs) if level == Some(Level::Skip) && !pairs.value.is_empty() => {
                let message = format!("{label} overrides level skip, at which nothing is validated");
                let help = "remove the override, or choose another level";
                findings.error(Rule::OverrideForbidden, &pairs.range, message, help);
                Vec::new()
            }
            Some(pairs) => {
                pairs.value.iter().filter_map(|(what, action)| read_override(what, action, label, findings)).collect()
            }
            None => Vec::new(),
        };
        let verify_timestamp = verification.verify_timestamp.given().and_then(|word| {
            // notation takes the empty word for one that is missing.
            let known = VerifyTimestamp::ALL.into_iter().find(|known| known.as_str() == word.value);
            if known.is_none() && !word.value.is_empty() {
                let message = format!("{label}: verifyTimestamp cannot be {}", quote(&word.value));
                let help = did_you_mean(&word.value, &VerifyTimestamp::ALL.map(VerifyTimestamp::as_str));
                findings.error(Rule::VerifyTimestamp, &word.range, message, help);
            }
            known
        });
        Settings { level, overrides, verify_timestamp }
    }
}

fn read_level(raw: &RawVerification<'_>, label: &str, findings: &mut Findings<'_, '_>) -> Option<Level> {
    let words = Level::ALL.map(Level::as_str);
    match &raw.level {
        Member::Wrong => None,
        Member::Given(word) if !word.value.is_empty() => {
            let level = Level::ALL.into_iter().find(|level| level.as_str() == word.value);
            if level.is_none() {
                let message = format!("{label}: there is no level {}", quote(&word.value));
                findings.error(Rule::Level, &word.range, message, did_you_mean(&word.value, &words));
            }
            level
        }
        missing => {
            let place = missing.given().map_or(&raw.range, |word| &word.range);
            let message = format!("{label}: signatureVerification has no level");
            findings.error(Rule::Level, place, message, did_you_mean("", &words));
            None
        }
    }
}

fn read_override(
    what: &Text<'_>,
    how: &Text<'_>,
    label: &str,
    findings: &mut Findings<'_, '_>,
) -> Option<(Validation, Action)> {
    let words = Validation::ALL.map(Validation::as_str);
    let validation = Validation::ALL.into_iter().find(|validation| validation.as_str() == what.value);
    if validation.is_none() {
        let message = format!("{label}: there is no validation {} to override", quote(&what.value));
        let overridable: Vec<_> = words.into_iter().filter(|word| *word != Validation::Integrity.as_str()).collect();
        findings.error(Rule::OverrideUnknown, &what.range, message, did_you_mean(&what.value, &overridable));
    }
    if validation == Some(Validation::Integrity) {
        let message = format!("{label}: integrity cannot be overridden");
        findings.error(Rule::OverrideForbidden, &what.range, message, "remove it: integrity is always enforced");
    }
    let actions = [Action::Enforce, Action::Log, Action::Skip];
    let action = actions.into_iter().find(|action| action.as_str() == how.value);
    if action.is_none() {
        let message = format!("{label}: there is no action {}", quote(&how.value));
        let help = did_you_mean(&how.value, &actions.map(Action::as_str));
        findings.error(Rule::OverrideUnknown, &how.range, message, help);
    }
    let (validation, action) = (validation?, action?);
    if action == Action::Skip && !matches!(validation, Validation::Revocation | Validation::Integrity) {
        let message = format!("{label}: {} cannot be skipped", validation.as_str());
        findings.error(Rule::OverrideForbidden, &how.range, message, "use \"log\"; only revocation can be skipped");
    }
    Some((validation, action))
}

fn check_skip(raw: &RawStatement<'_>, statement: &Statement, label: &str, findings: &mut Findings<'_, '_>) {
    for (member, list) in [("trustStores", &raw.stores), ("trustedIdentities", &raw.identities)] {
        if let Some(list) = list.given().filter(|list| !list.value.is_empty()) {
            let message = format!("{label} has {member} and the level skip, at which nothing is validated");
            findings.error(Rule::SkipWithTrust, &list.range, message, "remove them, or choose another level");
        }
    }
    if let (true, Some(scopes)) = (statement.is_global(), raw.scopes.given()) {
        let message = format!("{label} skips every repository that no other statement names");
        let help = "name the repositories that need no signature, or choose level audit";
        findings.error(Rule::SkipGlobal, &scopes.range, message, help);
    }
    if let (true, Some(global)) = (statement.is_global(), raw.global.given()) {
        let message = format!("{label} skips every blob for which no statement is named");
        let help = "remove globalPolicy, so that the statement has to be named, or choose level audit";
        findings.error(Rule::SkipGlobal, &global.range, message, help);
    }
}

/// The list, if it has entries. One that is missing or empty is reported.
fn entries<'r, 't>(
    list: &'r Member<Spanned<Vec<Text<'t>>>>,
    rule: Rule,
    message: String,
    place: &Range<usize>,
    help: &str,
    findings: &mut Findings<'_, '_>,
) -> &'r [Text<'t>] {
    match list {
        Member::Wrong => &[],
        Member::Given(list) if !list.value.is_empty() => &list.value,
        missing => {
            let place = missing.given().map_or(place, |list| &list.range);
            findings.error(rule, place, message, help);
            &[]
        }
    }
}

fn check_stores(
    raw: &RawStatement<'_>,
    label: &str,
    place: &Range<usize>,
    findings: &mut Findings<'_, '_>,
) -> Vec<StoreName> {
    const HELP: &str = "name stores as \"ca:name\", \"signingAuthority:name\" or \"tsa:name\"";
    let message = format!("{label} has no trustStores");
    let listed = entries(&raw.stores, Rule::StoresMissing, message, place, HELP, findings);
    let mut seen = HashSet::new();
    let mut stores = Vec::with_capacity(listed.len());
    for entry in listed {
        match entry.value.parse::<StoreName>() {
            Err(error) => findings.error(Rule::Store, &entry.range, format!("{label}: {error}"), HELP),
            Ok(store) if seen.insert(store.clone()) => stores.push(store),
            Ok(store) => {
                let message = format!("{label} names the store {store} twice");
                findings.warning(Rule::StoreRepeated, &entry.range, message, "once is enough");
            }
        }
    }
    if let (Some(first), true) = (listed.first(), stores.iter().all(|store| store.kind() == StoreType::Tsa)) {
        let message = format!("{label} names only tsa stores, so no signer is trusted and authenticity never holds");
        let help = "add a ca store, or a signingAuthority store, with the signers' certificates";
        findings.warning(Rule::StoresForTimestampsOnly, &first.range, message, help);
    }
    stores
}

fn check_identities(
    raw: &RawStatement<'_>,
    label: &str,
    place: &Range<usize>,
    findings: &mut Findings<'_, '_>,
) -> Identities {
    const HELP: &str = "add \"x509.subject: C=…, ST=…, O=…\" entries, or \"*\" alone for any signer of the stores";
    let message = format!("{label} has no trustedIdentities");
    let listed = entries(&raw.identities, Rule::IdentitiesMissing, message, place, HELP, findings);
    Identities::read(listed, label, findings)
}

fn warn_of_time_stamps(raw: &RawStatement<'_>, statement: &Statement, label: &str, findings: &mut Findings<'_, '_>) {
    let word = raw.verification.given().and_then(|verification| verification.verify_timestamp.given());
    let Some(word) = word.filter(|word| word.value != Cow::Borrowed("")) else { return };
    if !statement.has_store_of(StoreType::Tsa) {
        let message =
            format!("{label} says when to verify time stamps, but names no tsa store: they are never looked at");
        let help = "add a tsa store to trustStores, or remove verifyTimestamp";
        findings.warning(Rule::TimestampUnused, &word.range, message, help);
    }
}
