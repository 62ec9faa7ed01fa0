//! `registries`: what answers as a registry at the host that references write.
//!
//! Starting one, and the choice between kinds, is in `running_registry`.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::running_registry::RunningRegistry;
use super::{Member, Reading, SetupError, Site, Thing};
use crate::failure::quote;
use crate::forge::registry::Flavour;
use crate::forge::words::words;
use crate::reference::{check_host, is_host};
use crate::scenario::finding::Rule;
use crate::scenario::names::{REGISTRY, variant_or};
use crate::scenario::spanned::{OrderedMap, Spanned};

words! {
    /// What answers as a registry.
    pub(in crate::scenario) RegistryWord {
        /// A registry inside the process.
        Embedded "embedded"
        /// A container of the ORAS registry in which many met signatures first.
        Oras "oras"
        /// A container of the image that `image` names.
        Container "container"
        /// The registry that `address` names.
        External "external"
    }
}

words! {
    /// How the embedded registry behaves.
    pub(in crate::scenario) FlavourWord {
        /// OCI distribution specification 1.1.
        Current "current"
        /// Before 1.1: no referrers API.
        WithoutReferrers "without-referrers"
        /// The release candidate of 1.1, which does not list signatures of the newer form.
        ReleaseCandidate "release-candidate"
    }
}

/// A registry.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRegistry {
    /// What answers; embedded if left out.
    kind: Option<Spanned<RegistryWord>>,
    /// How an embedded registry behaves; current if left out.
    flavour: Option<Spanned<FlavourWord>>,
    /// How many requests a token serves at an embedded registry; without it, no token is needed.
    tokens: Option<Spanned<u32>>,
    /// How many names or referrers a list of an embedded registry holds at most, whatever is asked for; the rest is on the
    /// pages that follow. All if left out.
    page: Option<Spanned<u32>>,
    /// The image, for the kind container.
    image: Option<Spanned<String>>,
    /// The host with its port, for the kind external.
    address: Option<Spanned<String>>,
}

/// A registry by the host that references write.
#[derive(Debug)]
pub(in crate::scenario) struct RegistryPlan {
    pub(in crate::scenario) host: String,
    pub(in crate::scenario) kind: RegistryKind,
    pub(super) manners: Manners,
}

/// What of an embedded registry a scenario may choose beside its flavour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Manners {
    /// How many requests a token serves, where tokens are needed.
    pub(super) tokens: Option<usize>,
    /// How many names or referrers a list holds.
    pub(super) page: Option<usize>,
}

/// What answers as a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryKind {
    /// A registry inside the process.
    Embedded(Flavour),
    /// A container of the ORAS registry.
    Oras,
    /// A container of this image.
    Container(String),
    /// A part of the registry at this host, `HOST` or `HOST/PATH`, that is made for the run and deleted after it.
    External(String),
}

impl FlavourWord {
    /// The registry's own word for it.
    fn flavour(self) -> Flavour {
        match self {
            FlavourWord::Current => Flavour::Current,
            FlavourWord::WithoutReferrers => Flavour::WithoutReferrers,
            FlavourWord::ReleaseCandidate => Flavour::ReleaseCandidate,
        }
    }
}

impl Member for OrderedMap<RawRegistry> {
    type Thing = RegistryPlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        if !self.has(REGISTRY) {
            reading.add_registry(&Spanned::nowhere(REGISTRY.to_owned()), &RawRegistry::default());
        }
        for (host, registry) in &self.0 {
            reading.add_registry(host, registry);
        }
    }
}

impl Reading<'_, '_, '_> {
    fn add_registry(&mut self, host: &Spanned<String>, raw: &RawRegistry) {
        let Reading { variant, things, findings, .. } = self;
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
        for (number, member) in [(&raw.tokens, "tokens"), (&raw.page, "page")] {
            let Some(number) = number else { continue };
            if kind != RegistryWord::Embedded {
                only(Some(&number.range), false, member);
            }
        }
        for number in [&raw.tokens, &raw.page].into_iter().flatten().filter(|number| number.value == 0) {
            let message = "nothing could be asked of this registry".to_owned();
            findings.error(Rule::Count, &number.range, message, "write 1 or more, or remove it");
        }
        let text =
            |given: &Option<Spanned<String>>| given.as_ref().map(|given| given.value.clone()).unwrap_or_default();
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
        let number = |number: &Option<Spanned<u32>>| number.as_ref().map(|number| number.value as usize);
        let manners = Manners { tokens: number(&raw.tokens), page: number(&raw.page) };
        things.registries.push(RegistryPlan { host: host.value.clone(), kind, manners });
    }
}

impl Thing for RegistryPlan {
    /// Starts it. Blocks; there must be a runtime to wait with.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let registry = RunningRegistry::start(self, site.needs, site.overrides)?;
        site.registries.push(registry);
        Ok(())
    }
}
