//! What is shown of a signature, as a tree and as JSON with notation's names.

mod stamp;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::tree::Tree;
use crate::digest::Digest;
use crate::envelope::{self, ExtendedAttribute, PAYLOAD_MEDIA_TYPE, SigningScheme, VerifiedEnvelope};
use crate::evidence::{Discovery, EnvelopeProblem, Signature};
use crate::failure::{Failure, quote};
use crate::manifest::Descriptor;
use crate::pki::{Certificate, ChainCache};
use crate::plugin::signing_algorithm;
use crate::rfc3339::instant_in_utc;
use stamp::Stamp;

/// All that is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inspection {
    /// The artifact's.
    pub(super) media_type: String,
    pub(super) signatures: Vec<Shown>,
}

/// One signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Shown {
    digest: String,
    /// The envelope's.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    /// Whether notation's way of asking finds it; `None` for a detached signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<bool>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content {
    Sound(Box<Sound>),
    Broken { error: Wrong },
}

/// Why there is nothing to show.
#[derive(Debug, Serialize)]
struct Wrong {
    code: &'static str,
    message: String,
    /// Whether the signature could not be fetched, so that nothing is known of it.
    #[serde(skip)]
    unknown: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sound {
    signature_algorithm: &'static str,
    signed_attributes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    user_defined_attributes: BTreeMap<String, String>,
    unsigned_attributes: Unsigned,
    certificates: Vec<Issued>,
    signed_artifact: Target,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unsigned {
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_signature: Option<Stamp>,
}

#[derive(Debug, Serialize)]
struct Issued {
    #[serde(rename = "SHA256Fingerprint")]
    fingerprint: String,
    #[serde(rename = "issuedTo")]
    to: String,
    #[serde(rename = "issuedBy")]
    by: String,
    expiry: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    media_type: String,
    digest: String,
    size: u64,
}

/// The names of attributes: in JSON, and in a tree.
const ATTRIBUTES: [(&str, &str); 5] = [
    ("contentType", "content type"),
    ("signingScheme", "signing scheme"),
    ("signingTime", "signing time"),
    ("authenticSigningTime", "authentic signing time"),
    ("expiry", "expiry"),
];

impl Shown {
    /// What `signature` says, which was found as one of `artifact`; `None` for one that lies beside a blob.
    pub(in crate::cli) fn of(signature: &Signature, artifact: Option<&Descriptor>, chains: &ChainCache) -> Shown {
        let broken = |failure: &Failure, unknown| Content::Broken {
            error: Wrong { code: failure.code.as_str(), message: failure.message.clone(), unknown },
        };
        let content = match &signature.envelope {
            Ok(sealed) => match envelope::verify(&sealed.media_type, &sealed.bytes, chains) {
                Ok(verified) => Content::Sound(Box::new(Sound::of(verified, artifact))),
                Err(failure) => broken(&failure, false),
            },
            Err(EnvelopeProblem::Malformed(failure)) => broken(failure, false),
            Err(EnvelopeProblem::Trouble(trouble)) => broken(&Failure::from(trouble.clone()), true),
        };
        Shown {
            digest: signature.manifest.to_string(),
            media_type: signature.envelope.as_ref().ok().map(|sealed| sealed.media_type.clone()),
            listed: artifact.map(|_| signature.discovery == Discovery::Listed),
            content,
        }
    }

    /// The exit code that it deserves.
    pub(in crate::cli) fn exit(&self) -> Exit {
        match &self.content {
            Content::Sound(_) => Exit::Success,
            Content::Broken { error } if error.unknown => Exit::Undecided,
            Content::Broken { .. } => Exit::Failed,
        }
    }

    /// As a tree; the first line is the digest.
    pub(in crate::cli) fn tree(&self) -> Tree {
        let mut below = Vec::new();
        below.extend(self.media_type.as_ref().map(|media_type| Tree::pair("media type", media_type)));
        if self.listed == Some(false) {
            below.push(Tree::pair(
                "note",
                "the registry does not list it as a signature, and notation does not find it",
            ));
        }
        match &self.content {
            Content::Sound(sound) => below.extend(sound.trees()),
            Content::Broken { error } => {
                below.push(Tree::pair("error", format_args!("{}: {}", error.code, error.message)))
            }
        }
        Tree::new(&self.digest).with(below)
    }
}

impl Sound {
    fn of(verified: VerifiedEnvelope, artifact: Option<&Descriptor>) -> Sound {
        let VerifiedEnvelope { payload, signer, chain, mut notes, .. } = verified;
        let mut signed = BTreeMap::from([
            ("contentType".to_owned(), PAYLOAD_MEDIA_TYPE.to_owned()),
            ("signingScheme".to_owned(), signer.scheme.as_str().to_owned()),
        ]);
        let time = match signer.scheme {
            SigningScheme::X509 => "signingTime",
            SigningScheme::SigningAuthority => "authenticSigningTime",
        };
        signed.insert(time.to_owned(), instant_in_utc(signer.signing_time));
        signed.extend(signer.expiry.map(|expiry| ("expiry".to_owned(), instant_in_utc(expiry))));
        if let Some(plugin) = signer.verification_plugin {
            signed.insert("io.cncf.notary.verificationPlugin".to_owned(), plugin.name);
            let version = plugin.minimum_version;
            signed.extend(version.map(|version| ("io.cncf.notary.verificationPluginMinVersion".to_owned(), version)));
        }
        for ExtendedAttribute { name, text, .. } in signer.extended_attributes {
            // A stranger's name must not pass for one of the specification's.
            let taken = ATTRIBUTES.iter().any(|(json, word)| [*json, *word].contains(&name.as_str()));
            let name = if taken { quote(&name) } else { name };
            signed.insert(name, text.unwrap_or_else(|| "(not text)".to_owned()));
        }
        let stamp = signer.timestamp_token.as_ref().map(|token| Stamp::of(token, &signer.signature));
        let unsigned = Unsigned { signing_agent: signer.signing_agent, timestamp_signature: stamp };

        let target = payload.target;
        let is_of = |artifact: &Descriptor| {
            (&target.media_type, target.digest, target.size) == (&artifact.media_type, artifact.digest, artifact.size)
        };
        if artifact.is_some_and(|artifact| !is_of(artifact)) {
            notes.push("what was signed is another artifact than this".to_owned());
        }
        let certificates = chain.certificates();
        Sound {
            signature_algorithm: signing_algorithm(chain.signing_key().kind()),
            signed_attributes: signed,
            user_defined_attributes: target.annotations,
            unsigned_attributes: unsigned,
            certificates: certificates.iter().map(|held| Issued::of(held, held.issuer_text())).collect(),
            signed_artifact: Target {
                media_type: target.media_type,
                digest: target.digest.to_string(),
                size: target.size,
            },
            notes,
        }
    }

    fn trees(&self) -> Vec<Tree> {
        let word = |name: &str| {
            let known = ATTRIBUTES.iter().find(|(json, _)| *json == name);
            known.map_or_else(|| name.to_owned(), |(_, word)| (*word).to_owned())
        };
        let pairs = |what: &str, pairs: Vec<Tree>| (!pairs.is_empty()).then(|| Tree::new(what).with(pairs));
        let signed = self.signed_attributes.iter().map(|(name, value)| Tree::pair(&word(name), value)).collect();
        let user = self.user_defined_attributes.iter().map(|(name, value)| Tree::pair(name, value)).collect();
        let Unsigned { signing_agent, timestamp_signature } = &self.unsigned_attributes;
        let agent = signing_agent.iter().map(|agent| Tree::pair("signing agent", agent));
        let unsigned = agent.chain(timestamp_signature.iter().map(Stamp::tree)).collect();
        let target = &self.signed_artifact;
        let mut trees = vec![Tree::pair("signature algorithm", self.signature_algorithm)];
        trees.extend(pairs("signed attributes", signed));
        trees.extend(pairs("user defined attributes", user));
        trees.extend(pairs("unsigned attributes", unsigned));
        trees.push(Tree::new("certificates").with(self.certificates.iter().map(Issued::tree)));
        trees.push(Tree::new("signed artifact").with([
            Tree::pair("media type", &target.media_type),
            Tree::pair("digest", &target.digest),
            Tree::pair("size", target.size),
        ]));
        trees.extend(self.notes.iter().map(|note| Tree::pair("note", note)));
        trees
    }
}

impl Issued {
    fn of(certificate: &Certificate, issuer: String) -> Issued {
        Issued {
            fingerprint: Digest::sha256(certificate.der()).hex(),
            to: certificate.subject_text().to_owned(),
            by: issuer,
            expiry: instant_in_utc(certificate.not_after()),
        }
    }

    fn tree(&self) -> Tree {
        Tree::pair("SHA256 fingerprint", &self.fingerprint).with([
            Tree::pair("issued to", &self.to),
            Tree::pair("issued by", &self.by),
            Tree::pair("expiry", &self.expiry),
        ])
    }
}
