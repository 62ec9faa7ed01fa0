//! The world: authorities, keys, registries and trust stores by name, with what is there by default.

use std::collections::HashSet;
use std::ops::Range;

use time::{Duration, OffsetDateTime};

use super::{AUTHORITY, KEY, NOW, REGISTRY, Variant, check_name, unknown, variant_or};
use crate::failure::quote;
use crate::forge::{Subject, Validity};
use crate::reference::{check_host, is_host};
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::placed::{Entries, Placed};
use crate::scenario::plan::{
    Anchor, AuthorityPlan, KeyPlan, PluginPlan, RegistryKind, RegistryPlan, StoreContent, StorePlan,
    TimestampAuthorityPlan,
};
use crate::scenario::raw::{RawAuthority, RawKey, RawRegistry, RawScenario, RawStore};
use crate::scenario::scalar::Span;
use crate::scenario::words::{Algorithm, FlavourWord, Keystore, RegistryWord};
use crate::trust_store::{StoreName, StoreType};

/// How long an authority is valid before and after the beginning, unless it says otherwise.
pub(super) const AUTHORITY_TIME: Duration = Duration::days(3650);
/// How long a signer is valid before and after the beginning, unless it says otherwise.
pub(super) const KEY_TIME: Duration = Duration::days(365);
/// The issuer of a key that certifies itself.
const SELF: &str = "self";

/// The world at the beginning.
pub(in crate::scenario) struct World {
    pub(in crate::scenario) now: OffsetDateTime,
    pub(in crate::scenario) authorities: Vec<AuthorityPlan>,
    pub(in crate::scenario) keys: Vec<KeyPlan>,
    pub(in crate::scenario) timestamp_authorities: Vec<TimestampAuthorityPlan>,
    pub(in crate::scenario) plugins: Vec<PluginPlan>,
    pub(in crate::scenario) registries: Vec<RegistryPlan>,
    pub(in crate::scenario) stores: Vec<StorePlan>,
}

impl World {
    /// Checks it; of what is wrong, `findings` is told.
    pub(in crate::scenario) fn check(raw: &RawScenario, variant: Variant, findings: &mut Findings<'_, '_>) -> World {
        let now = raw.now.as_ref().map_or(NOW, |now| now.value.0);
        let mut world = World {
            now,
            authorities: Vec::new(),
            keys: Vec::new(),
            timestamp_authorities: Vec::new(),
            plugins: Vec::new(),
            registries: Vec::new(),
            stores: Vec::new(),
        };
        if !has(&raw.authorities, AUTHORITY) {
            world.add_authority(&unplaced(AUTHORITY), &RawAuthority::default(), findings);
        }
        for (name, authority) in &raw.authorities.0 {
            world.add_authority(name, authority, findings);
        }
        if !has(&raw.keys, KEY) {
            world.add_key(&unplaced(KEY), &RawKey::default(), variant, findings);
        }
        for (name, key) in &raw.keys.0 {
            world.add_key(name, key, variant, findings);
        }
        for (name, authority) in &raw.timestamp_authorities.0 {
            world.add_timestamp_authority(name, authority, findings);
        }
        for (name, plugin) in &raw.plugins.0 {
            world.add_plugin(name, plugin, findings);
        }
        if !has(&raw.registries, REGISTRY) {
            world.add_registry(&unplaced(REGISTRY), &RawRegistry::default(), variant, findings);
        }
        for (host, registry) in &raw.registries.0 {
            world.add_registry(host, registry, variant, findings);
        }
        world.add_stores(raw, findings);
        world
    }

    /// The key called so.
    pub(in crate::scenario) fn key(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.name == name)
    }

    /// Whose certificate it is that `name` stands for.
    pub(in crate::scenario) fn holder(&self, name: &Placed<String>, findings: &mut Findings<'_, '_>) -> Option<Anchor> {
        let authority = self.authority(&name.value).map(Anchor::Authority);
        let key = || self.key(&name.value).map(Anchor::Key);
        let stamps = || self.timestamp_authority(&name.value).map(Anchor::TimestampAuthority);
        let found = authority.or_else(key).or_else(stamps);
        if found.is_none() {
            let known = self.authorities.iter().map(|authority| authority.name.as_str());
            let known = known.chain(self.keys.iter().map(|key| key.name.as_str()));
            let known = known.chain(self.timestamp_authorities.iter().map(|authority| authority.name.as_str()));
            unknown("authority or key", &name.value, &name.range, known, findings);
        }
        found
    }

    /// The authority called so.
    pub(in crate::scenario) fn authority(&self, name: &str) -> Option<usize> {
        self.authorities.iter().position(|authority| authority.name == name)
    }

    /// The authority called so, or it is said that there is none.
    pub(in crate::scenario) fn authority_or_tell(
        &self,
        name: &Placed<String>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<usize> {
        let found = self.authority(&name.value);
        if found.is_none() {
            let known = self.authorities.iter().map(|authority| authority.name.as_str());
            unknown("authority", &name.value, &name.range, known, findings);
        }
        found
    }

    pub(in crate::scenario) fn add_authority(
        &mut self,
        name: &Placed<String>,
        raw: &RawAuthority,
        findings: &mut Findings<'_, '_>,
    ) {
        check_name(name, "an authority", findings);
        let lookalike = raw.lookalike_of.as_ref().and_then(|name| self.authority_or_tell(name, findings));
        let renewed = raw.renewal_of.as_ref().and_then(|name| self.authority_or_tell(name, findings));
        if let (Some(_), Some(renewal_of)) = (lookalike, &raw.renewal_of) {
            let message = "an authority that is renewed is no lookalike of another".to_owned();
            findings.error(Rule::Subject, &renewal_of.range, message, "remove lookalikeOf or renewalOf");
        }
        let subject = match (&raw.subject, lookalike.or(renewed)) {
            (Some(subject), None) => check_subject(subject, findings),
            (Some(subject), Some(_)) => {
                let message = "an authority with the name of another has no subject of its own".to_owned();
                findings.error(Rule::Subject, &subject.range, message, "remove subject, or lookalikeOf or renewalOf");
                String::new()
            }
            (None, Some(other)) => self.authorities[other].subject.clone(),
            (None, None) if name.value == AUTHORITY => {
                "C=US, ST=WA, L=Seattle, O=wabbit-networks.io, CN=Wabbit Networks Root".to_owned()
            }
            (None, None) => format!("C=US, ST=WA, L=Seattle, O={0}, CN={0}", name.value),
        };
        let issuer = raw.issuer.as_ref().and_then(|name| self.authority_or_tell(name, findings));
        let authority = AuthorityPlan {
            name: name.value.clone(),
            subject,
            issuer,
            // A key that is shared has the algorithm that it has.
            algorithm: renewed
                .map_or(raw.algorithm.unwrap_or(Algorithm::P256), |other| self.authorities[other].algorithm),
            key_of: renewed.map(|other| self.authorities[other].key_of.unwrap_or(other)),
            validity: self.validity(raw.valid_from, raw.valid_until.as_ref(), AUTHORITY_TIME, &name.range, findings),
            names: self.names(issuer, None, None),
            crl: raw.crl.as_ref().and_then(|crl| self.crl(name, crl, findings)),
            ocsp: raw.ocsp.as_ref().and_then(|ocsp| self.ocsp(name, ocsp, findings)),
            defects: raw.defects.clone(),
        };
        self.authorities.push(authority);
    }

    fn add_key(&mut self, name: &Placed<String>, raw: &RawKey, variant: Variant, findings: &mut Findings<'_, '_>) {
        check_name(name, "a key", findings);
        let issuer = match &raw.issuer {
            None => self.authority(AUTHORITY),
            Some(issuer) if issuer.value == SELF => None,
            Some(issuer) => self.authority_or_tell(issuer, findings),
        };
        let subject = match &raw.subject {
            Some(subject) => check_subject(subject, findings),
            None if name.value == KEY => {
                "C=US, ST=WA, L=Seattle, O=wabbit-networks.io, OU=Security Tools, CN=SecureBuilder".to_owned()
            }
            None => {
                let organization = issuer.and_then(|issuer| organization(&self.authorities[issuer].subject));
                format!("C=US, ST=WA, L=Seattle, O={}, CN={}", organization.as_deref().unwrap_or("nobody"), name.value)
            }
        };
        let key = KeyPlan {
            name: name.value.clone(),
            subject,
            issuer,
            algorithm: variant_or(raw.algorithm, variant.algorithm, Algorithm::P256),
            keystore: variant_or(raw.keystore, variant.keystore, Keystore::File),
            validity: self.validity(raw.valid_from, raw.valid_until.as_ref(), KEY_TIME, &name.range, findings),
            names: self.names(issuer, raw.crl.as_deref(), raw.ocsp.as_deref()),
            defects: raw.defects.clone(),
        };
        self.keys.push(key);
    }

    pub(in crate::scenario) fn validity(
        &self,
        from: Option<Span>,
        until: Option<&Placed<Span>>,
        usual: Duration,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Validity {
        let not_before = self.now + from.map_or(-usual, |span| span.0);
        let not_after = self.now + until.map_or(usual, |span| span.value.0);
        if not_after < not_before {
            let range = until.map_or(place, |until| &until.range);
            let message = "the certificate ends before it begins".to_owned();
            findings.error(Rule::Validity, range, message, "put validUntil behind validFrom");
        }
        Validity { not_before, not_after }
    }

    fn add_registry(
        &mut self,
        host: &Placed<String>,
        raw: &RawRegistry,
        variant: Variant,
        findings: &mut Findings<'_, '_>,
    ) {
        if check_host(&host.value).is_err() {
            let message = format!("{} is not a host as references write it", quote(&host.value));
            findings.error(Rule::Registry, &host.range, message, "write registry.acme-rockets.io");
        }
        let kind = variant_or(raw.kind.as_ref().map(|kind| kind.value), variant.registry, RegistryWord::Embedded);
        let mut only = |given: Option<&Range<usize>>, wanted: bool, member: &str| match given {
            Some(range) if !wanted => {
                let message = format!("a registry of the kind {} has no {member}", kind.as_str());
                findings.error(Rule::Registry, range, message, format!("remove {member}, or change kind"));
            }
            None if wanted => {
                let range = raw.kind.as_ref().map_or(&host.range, |kind| &kind.range);
                let message = format!("a registry of the kind {} needs {member}", kind.as_str());
                findings.error(Rule::Registry, range, message, format!("add {member}"));
            }
            _ => {}
        };
        only(raw.image.as_ref().map(|image| &image.range), kind == RegistryWord::Container, "image");
        only(raw.address.as_ref().map(|address| &address.range), kind == RegistryWord::External, "address");
        if let (Some(flavour), false) = (&raw.flavour, kind == RegistryWord::Embedded) {
            only(Some(&flavour.range), false, "flavour");
        }
        let text = |given: &Option<Placed<String>>| given.as_ref().map(|given| given.value.clone()).unwrap_or_default();
        if let Some(address) = raw.address.as_ref().filter(|address| !is_host(&address.value)) {
            let message = format!("{} is not a host", quote(&address.value));
            findings.error(Rule::Registry, &address.range, message, "write a host, with :PORT if need be");
        }
        let kind = match kind {
            RegistryWord::Embedded => {
                let stated = raw.flavour.as_ref().map(|flavour| flavour.value);
                RegistryKind::Embedded(variant_or(stated, variant.flavour, FlavourWord::Current).flavour())
            }
            RegistryWord::Oras => RegistryKind::Oras,
            RegistryWord::Container => RegistryKind::Container(text(&raw.image)),
            RegistryWord::External => RegistryKind::External(text(&raw.address)),
        };
        self.registries.push(RegistryPlan { host: host.value.clone(), kind });
    }

    fn add_stores(&mut self, raw: &RawScenario, findings: &mut Findings<'_, '_>) {
        let stores = &raw.trust_stores;
        if !has(&stores.ca, "wabbit-networks")
            && let (Some(wabbit), Ok(name)) =
                (self.authority(AUTHORITY), StoreName::new(StoreType::Ca, "wabbit-networks"))
        {
            self.stores.push(StorePlan { name, content: StoreContent::Certificates(vec![Anchor::Authority(wabbit)]) });
        }
        for (name, authority) in &raw.timestamp_authorities.0 {
            // One whose issuer is stated is trusted where that is.
            let own = format!("{}-root", name.value);
            if let (None, false, Some(root), Ok(name)) = (
                &authority.issuer,
                has(&stores.tsa, &name.value),
                self.authority(&own),
                StoreName::new(StoreType::Tsa, &name.value),
            ) {
                let root = Anchor::Authority(self.root(root));
                self.stores.push(StorePlan { name, content: StoreContent::Certificates(vec![root]) });
            }
        }
        let typed = [
            (StoreType::Ca, &stores.ca),
            (StoreType::SigningAuthority, &stores.signing_authority),
            (StoreType::Tsa, &stores.tsa),
        ];
        for (kind, entries) in typed {
            for (name, store) in &entries.0 {
                match StoreName::new(kind, &name.value) {
                    Ok(name) => {
                        let content = self.store_content(&store.value, findings);
                        self.stores.push(StorePlan { name, content });
                    }
                    Err(error) => {
                        findings.error(Rule::Store, &name.range, error.to_string(), "use letters, digits, _ . and -");
                    }
                }
            }
        }
    }

    fn store_content(&self, raw: &RawStore, findings: &mut Findings<'_, '_>) -> StoreContent {
        let names = match raw {
            RawStore::Missing => return StoreContent::Missing,
            RawStore::Broken => return StoreContent::Broken,
            RawStore::Holds(names) => names,
        };
        let mut seen = HashSet::new();
        let mut anchors = Vec::new();
        for name in names {
            anchors.extend(self.holder(name, findings));
            if !seen.insert(&name.value) {
                let message = format!("the store holds {} twice", quote(&name.value));
                findings.error(Rule::Store, &name.range, message, "once is enough");
            }
        }
        StoreContent::Certificates(anchors)
    }
}

pub(in crate::scenario) fn has<T>(entries: &Entries<T>, name: &str) -> bool {
    entries.0.iter().any(|(known, _)| known.value == name)
}

pub(in crate::scenario) fn unplaced(name: &str) -> Placed<String> {
    Placed::nowhere(name.to_owned())
}

pub(in crate::scenario) fn check_subject(subject: &Placed<String>, findings: &mut Findings<'_, '_>) -> String {
    if let Err(error) = Subject::parse(&subject.value).and_then(|subject| subject.der()) {
        findings.error(Rule::Subject, &subject.range, error.to_string(), "write it as C=US, ST=WA, O=acme, CN=signer");
    }
    subject.value.clone()
}

/// The value of the first O of a subject, as it can be written into another.
pub(in crate::scenario) fn organization(subject: &str) -> Option<String> {
    let subject = Subject::parse(subject).ok()?;
    let value = subject.rdns.iter().flatten().find(|(kind, _)| kind == "2.5.4.10").map(|(_, value)| value)?;
    Some(value.chars().flat_map(|c| if matches!(c, ',' | '+' | '\\') { vec!['\\', c] } else { vec![c] }).collect())
}
