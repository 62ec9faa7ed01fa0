//! A case: a scenario in one variant, with every name resolved and every default filled in. It cannot be wrong, only
//! impossible here (a registry that cannot be started, a keystore that is not there).

use std::path::PathBuf;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::plugin_words::FileDefect;
use super::responder_words::DeltaNamedBy;
use super::steps::{Action, PlacedAction, Verification};
use super::words::{Algorithm, AuthorityDefect, CertificateDefect, Keystore};
use crate::forge::plugin::PluginBehaviour;
use crate::forge::registry::Flavour;
use crate::forge::responder::{CrlDefect, Fault, OcspDefect};
use crate::forge::{TsaCertificateDefect, Validity};
use crate::trust_store::StoreName;

/// A scenario file that has been read.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file, as it was found.
    pub file: PathBuf,
    /// What it is called: the path below `scenarios/`, without the ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The section of the specification that says so.
    pub spec: Option<String>,
    /// Whether it takes so long that it is run only for those who ask for it.
    pub slow: bool,
    /// Its cases, at least one.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name of the scenario, and in brackets what the matrix chose.
    pub id: String,
    pub(super) plan: Arc<Plan>,
}

impl Case {
    /// The codes that it expects somewhere.
    pub fn expected_codes(&self) -> impl Iterator<Item = crate::failure::Code> + '_ {
        self.plan.verifications().flat_map(|verify| verify.expect.codes())
    }
}

/// Everything that a case does.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) now: OffsetDateTime,
    pub(super) authorities: Vec<AuthorityPlan>,
    pub(super) keys: Vec<KeyPlan>,
    pub(super) timestamp_authorities: Vec<TimestampAuthorityPlan>,
    pub(super) plugins: Vec<PluginPlan>,
    pub(super) registries: Vec<RegistryPlan>,
    pub(super) stores: Vec<StorePlan>,
    pub(super) steps: Vec<PlacedAction>,
}

impl Plan {
    pub(super) fn verifications(&self) -> impl Iterator<Item = &Verification> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Verify(verify) => Some(verify),
            _ => None,
        })
    }
}

/// An authority. Its issuer stands before it.
#[derive(Debug)]
pub(super) struct AuthorityPlan {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) issuer: Option<usize>,
    pub(super) algorithm: Algorithm,
    /// The authority whose key it has, if it has none of its own.
    pub(super) key_of: Option<usize>,
    pub(super) validity: Validity,
    /// What its own certificate names.
    pub(super) names: Addresses,
    /// The CRL that it publishes.
    pub(super) crl: Option<CrlPlan>,
    /// The OCSP responder that answers for it.
    pub(super) ocsp: Option<OcspPlan>,
    pub(super) defects: Vec<AuthorityDefect>,
}

/// Where a certificate says that its revocation can be asked about.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    pub(super) crl: Vec<String>,
    pub(super) ocsp: Vec<String>,
}

/// A CRL, and how it is published.
#[derive(Debug, Clone)]
pub(super) struct CrlPlan {
    /// What certificates name.
    pub(super) url: String,
    pub(super) delta: Option<DeltaPlan>,
    pub(super) valid_for: Duration,
    pub(super) fails: Option<Fault<CrlDefect>>,
}

/// A delta CRL.
#[derive(Debug, Clone)]
pub(super) struct DeltaPlan {
    pub(super) url: String,
    pub(super) named_by: DeltaNamedBy,
    pub(super) fails: Option<Fault<CrlDefect>>,
}

/// An OCSP responder.
#[derive(Debug, Clone)]
pub(super) struct OcspPlan {
    /// What certificates name.
    pub(super) url: String,
    pub(super) fails: Option<Fault<OcspDefect>>,
}

/// A time stamping authority.
#[derive(Debug)]
pub(super) struct TimestampAuthorityPlan {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) issuer: usize,
    pub(super) algorithm: Algorithm,
    pub(super) validity: Validity,
    pub(super) accuracy: Duration,
    pub(super) names: Addresses,
    pub(super) defects: Vec<TsaCertificateDefect>,
}

/// A verification plugin.
#[derive(Debug)]
pub(super) struct PluginPlan {
    pub(super) name: String,
    pub(super) behaviour: PluginBehaviour,
    pub(super) file: Option<FileDefect>,
}

/// A signing key; `issuer` is `None` where it certifies itself.
#[derive(Debug)]
pub(super) struct KeyPlan {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) issuer: Option<usize>,
    pub(super) algorithm: Algorithm,
    pub(super) keystore: Keystore,
    pub(super) validity: Validity,
    pub(super) names: Addresses,
    pub(super) defects: Vec<CertificateDefect>,
}

/// A registry by the host that references write.
#[derive(Debug)]
pub(super) struct RegistryPlan {
    pub(super) host: String,
    pub(super) kind: RegistryKind,
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
    /// The registry at this host.
    External(String),
}

/// A trust store.
#[derive(Debug)]
pub(super) struct StorePlan {
    pub(super) name: StoreName,
    pub(super) content: StoreContent,
}

/// What a trust store holds.
#[derive(Debug)]
pub(super) enum StoreContent {
    Certificates(Vec<Anchor>),
    Missing,
    Broken,
}

/// Whose certificate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Anchor {
    Authority(usize),
    Key(usize),
    TimestampAuthority(usize),
}
