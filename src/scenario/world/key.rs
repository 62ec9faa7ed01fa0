//! `keys`: signing keys with their certificates, and what those get wrong.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::Deserialize;
use time::OffsetDateTime;
use x509_cert::ext::pkix::KeyUsages;

use super::certificate::{KEY_TIME, RevocationUrls, check_subject};
use super::custodian::Custodian;
use super::gateway_key::GatewayKey;
use super::key_policy::{PolicyPlan, RawKeyPolicy};
use super::keystore::{self, Keystore};
use super::token_key::TokenKey;
use super::{Member, RawScenario, Reading, SetupError, Site, Thing, Things};
use crate::failure::quote;
use crate::forge::words::words;
use crate::forge::{
    CertificateDraft, ExtensionKind, ForgeError, LeafRequest, Signer, Subject, Validity, basic_constraints,
    extended_key_usage, key_usage, tlv,
};
use crate::limits;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::names::{AUTHORITY, KEY, check_name, unknown, variant_or};
use crate::scenario::scalar::Span;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::words::Algorithm;

/// Keys of signers come from other slots than those of authorities, so that none is both.
const SLOTS: usize = 100;
/// The issuer of a key that certifies itself.
const SELF: &str = "self";

words! {
    /// How the certificate of a signer departs from the rules.
    pub(in crate::scenario) CertificateDefect {
        /// It is an authority's.
        IsAnAuthority "is-an-authority"
        /// It has no key usage.
        NoKeyUsage "no-key-usage"
        /// Its key usage is not for signatures.
        WrongKeyUsage "wrong-key-usage"
        /// Its extended key usage is for TLS servers.
        ServerAuth "server-auth"
        /// It has bytes behind its end.
        TrailingBytes "trailing-bytes"
        /// It certifies an Ed25519 key.
        UnsupportedKey "unsupported-key"
        /// Its extended key usage is for signing code, and then for TLS servers.
        ServerAuthToo "server-auth-too"
        /// Its key usage is for signatures, and for keys that are sent.
        KeyEnciphermentToo "key-encipherment-too"
        /// Its key usage is not critical.
        KeyUsageNotCritical "key-usage-not-critical"
        /// Its issuer's signature is wrong.
        ForgedIssuer "forged-issuer"
    }
}

/// A signing key with its certificate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawKey {
    /// The authority that certifies it; `wabbit` if left out, and `self` for the key itself.
    issuer: Option<Spanned<String>>,
    /// The name in its certificate.
    subject: Option<Spanned<String>>,
    /// Its algorithm; ec-p256 if left out.
    algorithm: Option<Algorithm>,
    /// Where it lives; file if left out.
    keystore: Option<Keystore>,
    /// The plugin that holds it, where it lives in one; the only one that signs if left out.
    plugin: Option<Spanned<String>>,
    /// Who has to agree before it signs; without one, it signs at once.
    policy: Option<Spanned<RawKeyPolicy>>,
    /// When its certificate begins to be valid, from the beginning of the scenario; a year before if left out.
    valid_from: Option<Span>,
    /// When its certificate ends, from the beginning of the scenario; after a year if left out.
    valid_until: Option<Spanned<Span>>,
    /// From when on, from the beginning of the scenario, another key signs wherever this one is named. Its certificate is not
    /// revoked by that.
    superseded_at: Option<Spanned<Span>>,
    /// The key that signs from then on, one of `keys` too.
    superseded_by: Option<Spanned<String>>,
    /// Where its certificate says that CRLs are published; where its issuer publishes them if left out.
    crl: Option<Vec<String>>,
    /// Where its certificate says that OCSP responders answer; where its issuer's answers if left out.
    ocsp: Option<Vec<String>>,
    /// How its certificate departs from the rules.
    #[serde(default)]
    defects: Vec<CertificateDefect>,
}

/// A signing key with every name resolved; `issuer` is `None` where it certifies itself.
#[derive(Debug)]
pub(in crate::scenario) struct KeyPlan {
    pub(in crate::scenario) name: String,
    subject: String,
    pub(in crate::scenario) issuer: Option<usize>,
    algorithm: Algorithm,
    pub(in crate::scenario) keystore: Keystore,
    /// The plugin that holds it.
    pub(super) plugin: Option<String>,
    policy: Option<PolicyPlan>,
    validity: Validity,
    /// From when on another key signs in its place, and which.
    superseded: Option<(OffsetDateTime, usize)>,
    pub(super) urls: RevocationUrls,
    defects: Vec<CertificateDefect>,
}

impl Member for OrderedMap<RawKey> {
    type Thing = KeyPlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        if !self.has(KEY) {
            reading.add_key(&Spanned::nowhere(KEY.to_owned()), &RawKey::default());
        }
        for (name, key) in &self.0 {
            reading.add_key(name, key);
        }
        // A successor may stand behind.
        for (name, key) in &self.0 {
            reading.check_successor(name, key);
        }
        for (name, key) in &self.0 {
            reading.check_order(name, key);
        }
    }
}

impl Things {
    /// The position of the key of this name.
    pub(in crate::scenario) fn key(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.name == name)
    }
}

impl KeyPlan {
    /// Whether it signs only when enough people agree.
    pub(in crate::scenario) fn has_policy(&self) -> bool {
        self.policy.is_some()
    }
}

impl Reading<'_, '_, '_> {
    fn add_key(&mut self, name: &Spanned<String>, raw: &RawKey) {
        let Reading { scenario, variant, things, findings, .. } = self;
        check_name(name, "a key", findings);
        let issuer = match &raw.issuer {
            None => things.authority(AUTHORITY),
            Some(issuer) if issuer.value == SELF => None,
            Some(issuer) => things.authority_or_tell(issuer, findings),
        };
        let subject = match &raw.subject {
            Some(subject) => check_subject(subject, findings),
            None if name.value == KEY => {
                "C=US, ST=WA, L=Seattle, O=wabbit-networks.io, OU=Security Tools, CN=SecureBuilder".to_owned()
            }
            None => format!("C=US, ST=WA, L=Seattle, O={}, CN={}", things.organization(issuer), name.value),
        };
        let keystore = variant_or(raw.keystore, variant.keystore, Keystore::File);
        let plugin = match keystore {
            Keystore::Plugin => holder(scenario, raw.plugin.as_ref(), &name.range, things, findings),
            Keystore::File | Keystore::SoftHsm => None,
        };
        if let Some(policy) = raw.policy.as_ref().filter(|_| keystore == Keystore::Plugin) {
            let message = "a key behind a plugin has no policy here".to_owned();
            findings.error(
                Rule::Contradiction,
                &policy.range,
                message,
                "remove policy, or keep it in a file or a token",
            );
        }
        // Under a matrix of keystores, it may be behind the plugin in another case.
        if let Some(named) = raw.plugin.as_ref().filter(|_| keystore != Keystore::Plugin)
            && (raw.keystore.is_some() || variant.keystore.is_none())
        {
            let message = "the key is behind no plugin".to_owned();
            findings.error(Rule::Contradiction, &named.range, message, "add keystore: plugin, or remove plugin");
        }
        let key = KeyPlan {
            name: name.value.clone(),
            subject,
            issuer,
            algorithm: variant_or(raw.algorithm, variant.algorithm, Algorithm::P256),
            keystore,
            plugin,
            policy: raw.policy.as_ref().map(|policy| PolicyPlan::check(policy, things, findings)),
            validity: things.validity(raw.valid_from, raw.valid_until.as_ref(), KEY_TIME, &name.range, findings),
            superseded: None,
            urls: things.revocation_urls(issuer, raw.crl.as_deref(), raw.ocsp.as_deref()),
            defects: raw.defects.clone(),
        };
        things.keys.push(key);
    }

    /// Resolves which key signs in the place of another one, and from when on.
    fn check_successor(&mut self, name: &Spanned<String>, raw: &RawKey) {
        let Reading { things, findings, .. } = self;
        let (at, by) = match (&raw.superseded_at, &raw.superseded_by) {
            (None, None) => return,
            (Some(at), Some(by)) => (at, by),
            (Some(at), None) => {
                let message = format!("it is not said which key supersedes {}", quote(&name.value));
                findings.error(Rule::Validity, &at.range, message, "add supersededBy");
                return;
            }
            (None, Some(by)) => {
                let message = format!("it is not said when {} is superseded", quote(&name.value));
                findings.error(Rule::Validity, &by.range, message, "add supersededAt");
                return;
            }
        };
        let Some(successor) = things.key(&by.value) else {
            let known = things.keys.iter().map(|key| key.name.as_str());
            unknown("key", &by.value, &by.range, known, findings);
            return;
        };
        let at = things.now + at.value.0;
        if let Some(key) = things.keys.iter_mut().find(|key| key.name == name.value) {
            key.superseded = Some((at, successor));
        }
    }

    /// A key that takes over is superseded itself only later: so it signs at some time, and no two keys supersede each other.
    fn check_order(&mut self, name: &Spanned<String>, raw: &RawKey) {
        let Reading { things, findings, .. } = self;
        let Some(superseded) = things.key(&name.value).map(|key| things.keys[key].superseded) else { return };
        if let (Some((at, successor)), Some(by)) = (superseded, &raw.superseded_by)
            && things.keys[successor].superseded.is_some_and(|(later, _)| later <= at)
        {
            let message =
                format!("{} is superseded before it could supersede {}", quote(&by.value), quote(&name.value));
            let help = "put its supersededAt behind the one here, and let no key supersede itself";
            findings.error(Rule::Validity, &by.range, message, help);
        }
    }
}

/// The plugin that holds a key: the one that is named, or else the only one that signs. A plugin holds one key.
fn holder(
    scenario: &RawScenario,
    named: Option<&Spanned<String>>,
    place: &Range<usize>,
    things: &Things,
    findings: &mut Findings<'_, '_>,
) -> Option<String> {
    let signing = || scenario.plugins.0.iter().filter(|(_, plugin)| plugin.signs()).map(|(name, _)| &name.value);
    let (name, range) = match named {
        Some(named) => (&named.value, &named.range),
        None => match (signing().next(), signing().nth(1)) {
            (Some(only), None) => (only, place),
            (None, _) => {
                let message = "no plugin signs".to_owned();
                let help = "add plugins: { com.example.signer: { capabilities: [signature-generator-raw] } }";
                findings.error(Rule::Contradiction, place, message, help);
                return None;
            }
            (Some(_), Some(_)) => {
                let message = "several plugins sign, and nothing says which holds the key".to_owned();
                findings.error(Rule::Contradiction, place, message, "name it by plugin");
                return None;
            }
        },
    };
    // One that says of itself that it does not sign may be asked to all the same.
    if !scenario.plugins.has(name) {
        let known = scenario.plugins.0.iter().map(|(known, _)| known.value.as_str());
        unknown("plugin", name, range, known, findings);
        return None;
    }
    if let Some(other) = things.keys.iter().find(|key| key.plugin.as_ref() == Some(name)) {
        let message = format!("the plugin {} holds the key {} already", quote(name), quote(&other.name));
        findings.error(Rule::Contradiction, range, message, "a plugin holds one key: give this one another plugin");
    }
    Some(name.clone())
}

impl Things {
    /// The key, and those that supersede it one after the other.
    pub(in crate::scenario) fn acting_keys(&self, key: usize) -> Vec<usize> {
        let mut acting = vec![key];
        // A key that supersedes itself is told elsewhere.
        while let Some((_, by)) = acting.last().and_then(|last| self.keys[*last].superseded)
            && !acting.contains(&by)
        {
            acting.push(by);
        }
        acting
    }
}

impl Thing for KeyPlan {
    /// Makes the key, in its keystore or in the one that the run puts in its place, and its certificate.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let position = site.holders.signers.len();
        let in_trouble = site.needs.troubled_tokens.contains(&position);
        let keystore = match self.keystore.unless(site.overrides.keystore) {
            // A copy of it goes into a token of its own.
            Keystore::SoftHsm if in_trouble => Keystore::File,
            _ if in_trouble => {
                let reason = "the case needs a key in a token, which gets into trouble";
                return Err(SetupError::Unavailable(reason.to_owned()));
            }
            keystore => keystore,
        };
        let slot = SLOTS + site.holders.signers.len();
        let key = keystore::key(keystore, self.algorithm, slot)?;
        // Of a key that certifies itself, the certificate is made like an authority's.
        let certified = if self.issuer.is_none() { keystore::issuing(&key, keystore, slot)? } else { key.clone() };
        let failed = |error: ForgeError| SetupError::certificate(&self.name, &error);
        let request = LeafRequest {
            subject: Subject::parse(&self.subject).map_err(failed)?,
            validity: self.validity,
            ..LeafRequest::new(&self.subject, certified).map_err(failed)?
        };
        let change = |draft: &mut CertificateDraft| {
            self.urls.write(draft, site.things.crl_of(self.issuer))?;
            self.defects.iter().try_for_each(|defect| apply(*defect, draft))
        };
        let made = match self.issuer {
            Some(issuer) => site.holders.authorities[issuer].issue_with(request, change),
            None => Signer::self_signed_with(request, change),
        };
        let signer = Signer { key, ..made.map_err(failed)? };
        if in_trouble {
            site.custodians.insert(position, Custodian::Token(Arc::new(TokenKey::make(&signer)?)));
        }
        if let Some(policy) = &self.policy {
            let gateway = site.gateway()?;
            let policy = policy.written(&site.people);
            let added = gateway.add_key(&self.name, signer.key.clone(), Some(signer.chain.clone()), Some(policy));
            added.map_err(|error| SetupError::Failed(error.to_string()))?;
            let held = GatewayKey {
                gateway,
                label: self.name.clone(),
                chain: signer.chain.clone(),
                people: Arc::new(site.people.clone()),
                patience: site.needs.silent_gateway.then_some(limits::SCENARIO_GATEWAY_PATIENCE),
                tasks: Mutex::default(),
            };
            site.custodians.insert(position, Custodian::Gateway(Arc::new(held)));
        }
        site.holders.signers.push(signer);
        site.holders.superseded.push(self.superseded);
        Ok(())
    }
}

fn apply(defect: CertificateDefect, draft: &mut CertificateDraft) -> Result<(), ForgeError> {
    match defect {
        CertificateDefect::IsAnAuthority => draft.set(basic_constraints(true, None, true)?),
        CertificateDefect::NoKeyUsage => draft.remove(ExtensionKind::KeyUsage),
        CertificateDefect::WrongKeyUsage => draft.set(key_usage(KeyUsages::NonRepudiation, true)?),
        CertificateDefect::ServerAuth => draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.1"], false)?),
        CertificateDefect::ServerAuthToo => {
            draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1"], false)?);
        }
        CertificateDefect::KeyEnciphermentToo => {
            draft.set(key_usage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment, true)?);
        }
        CertificateDefect::KeyUsageNotCritical => draft.set(key_usage(KeyUsages::DigitalSignature, false)?),
        CertificateDefect::TrailingBytes => {
            draft.alter = Some(|mut certificate| {
                certificate.push(0);
                certificate
            });
        }
        CertificateDefect::UnsupportedKey => draft.set_public_key(&ed25519())?,
        CertificateDefect::ForgedIssuer => {
            draft.alter = Some(|mut certificate| {
                if let Some(last) = certificate.last_mut() {
                    *last ^= 1;
                }
                certificate
            });
        }
    }
    Ok(())
}

/// A SubjectPublicKeyInfo of Ed25519 (RFC 8410).
fn ed25519() -> Vec<u8> {
    const OID: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    let mut bits = vec![0];
    bits.extend_from_slice(&[7; 32]);
    tlv(0x30, &[tlv(0x30, OID), tlv(0x03, &bits)].concat())
}
