//! The small world that benches judge: one signer under a chain of three certificates, and as many signed artifacts as
//! are asked for.
#![allow(dead_code, clippy::unwrap_used, reason = "benches: every bench uses its part of the world")]

use std::collections::HashMap;
use std::path::Path;

use muster::evidence::{Discovery, Envelope, Evidence, Signature, Signatures};
use muster::forge::registry::EmbeddedRegistry;
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, SignatureManifest, Signer, Statement};
use muster::pki::Certificate;
use muster::policy::TrustPolicy;
use muster::trust_store::{StoreName, StoreType, TrustStores};
use time::OffsetDateTime;
use time::macros::datetime;

/// When everything is signed and judged.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub(crate) const REPOSITORY: &str = "registry.wabbit-networks.io/net-monitor";

/// The envelope formats.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Jws,
    Cose,
}

impl Format {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Format::Jws => "application/jose+json",
            Format::Cose => "application/cose",
        }
    }
}

/// A signer under a root and an intermediate authority.
pub(crate) fn signer(kind: KeyKind) -> Signer {
    let name = |name: &str| format!("C=US, ST=WA, L=Seattle, O=wabbit-networks.io, CN={name}");
    let root = Authority::root(&name("Root"), Key::pooled(kind, 0).unwrap()).unwrap();
    let issuing = root.intermediate(&name("Issuing"), Key::pooled(kind, 1).unwrap()).unwrap();
    issuing.issue(LeafRequest::new(&name("SecureBuilder"), Key::pooled(kind, 2).unwrap()).unwrap()).unwrap()
}

pub(crate) fn envelope(image: &Artifact, signer: &Signer, format: Format) -> Vec<u8> {
    let statement = Statement::new(image.descriptor().clone(), NOW);
    match format {
        Format::Jws => statement.jws(signer).unwrap().seal().unwrap(),
        Format::Cose => statement.cose(signer).unwrap().seal().unwrap(),
    }
}

/// The evidence of one image with one signature.
pub(crate) fn evidence(name: &str, signer: &Signer, format: Format) -> Evidence {
    let image = Artifact::image(name);
    let bytes = envelope(&image, signer, format).into();
    let signature = Signature {
        manifest: image.descriptor().digest,
        discovery: Discovery::Listed,
        envelope: Ok(Envelope { media_type: format.media_type().to_owned(), bytes }),
    };
    Evidence::new(
        REPOSITORY,
        image.descriptor().clone(),
        Ok(Signatures { found: vec![signature], more: false, doubt: None, foreign: None }),
    )
}

/// A strict policy for every repository, with the named identity.
pub(crate) fn policy() -> TrustPolicy {
    let text = r#"{"version":"1.0","trustPolicies":[{"name":"wabbit","registryScopes":["*"],
        "signatureVerification":{"level":"strict"},"trustStores":["ca:wabbit-networks"],
        "trustedIdentities":["x509.subject: C=US, ST=WA, L=Seattle, O=wabbit-networks.io"]}]}"#;
    TrustPolicy::parse(text.as_bytes(), "policy.json").unwrap()
}

/// The store that the policy names, with the signer's root.
pub(crate) fn stores(signer: &Signer) -> TrustStores {
    let root = Certificate::parse(signer.chain.last().unwrap()).unwrap();
    let name = StoreName::new(StoreType::Ca, "wabbit-networks").unwrap();
    TrustStores::from_certificates(HashMap::from([(name, vec![root])]))
}

/// An image and its signature, to be put into a registry.
pub(crate) fn signed_image(name: &str, signer: &Signer, format: Format) -> (Artifact, Artifact) {
    let image = Artifact::image(name);
    let envelope = envelope(&image, signer, format);
    let form = SignatureManifest::ArtifactType;
    let signature = Artifact::signature(form, image.descriptor(), format.media_type(), &envelope, signer);
    (image, signature)
}

/// Tags of one repository.
const TAGS: usize = 100;

/// Puts so many signed images into a registry, a hundred in a repository.
pub(crate) fn fill(registry: &EmbeddedRegistry, signer: &Signer, number: usize) {
    for n in 0..number {
        let repository = format!("team/app-{:04}", n / TAGS);
        let (image, signature) = signed_image(&format!("app-{n}"), signer, Format::Jws);
        for (artifact, tag) in [(image, Some(format!("v{}", n % TAGS))), (signature, None)] {
            for blob in artifact.blobs {
                registry.put_blob(&repository, blob.bytes).unwrap();
            }
            let media_type = &artifact.manifest.descriptor.media_type;
            registry.put_manifest(&repository, tag.as_deref(), media_type, artifact.manifest.bytes).unwrap();
        }
    }
}

/// Writes the trust policy and the trust store by which an audit of those images passes.
pub(crate) fn write_rules(folder: &Path, root: &[u8]) {
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"wabbit","registryScopes":["*"],
        "signatureVerification":{"level":"strict"},"trustStores":["ca:wabbit-networks"],"trustedIdentities":["*"]}]}"#;
    std::fs::write(folder.join("policy.json"), policy).unwrap();
    let store = folder.join("x509/ca/wabbit-networks");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::write(store.join("root.crt"), root).unwrap();
}
