//! Collecting: from a reference to the evidence of its artifact.
//!
//! Follows *signature-specification*, OCI Signatures and Signature discovery. A listed manifest that is no signature, or
//! one of another artifact, is passed over and does not count against the limit. One that names the artifact by its digest
//! and says something untrue of it is a malformed signature. A signature whose manifest or envelope cannot be fetched stays
//! in the evidence as trouble: nothing is known of it.

use std::collections::HashSet;

use futures_util::StreamExt;
use futures_util::stream;

use crate::evidence::{Discovery, Envelope, EnvelopeProblem, Evidence, Signature, Signatures};
use crate::failure::{Code, Failure, quote};
use crate::limits;
use crate::manifest::{self, Descriptor};
use crate::plugin::Answers;
use crate::reference::Repository;
use crate::revocation::Recorded;
use crate::source::{ArtifactSource, Manifest, Trouble, TroubleKind};

/// How many signatures of one artifact are fetched at a time.
const AT_A_TIME: usize = 8;
/// How many listed manifests are looked at for every signature that the limit allows.
const LISTED_PER_SIGNATURE: usize = 10;

/// Collects the evidence of `subject`, with at most `max_signatures` signatures.
pub async fn evidence(
    source: &dyn ArtifactSource,
    repository: &Repository,
    subject: Descriptor,
    max_signatures: usize,
) -> Evidence {
    let signatures = signatures(source, repository, &subject, max_signatures).await;
    Evidence {
        repository: repository.to_string(),
        subject,
        signatures,
        revocation: Recorded::default(),
        plugins: Answers::default(),
    }
}

async fn signatures(
    source: &dyn ArtifactSource,
    repository: &Repository,
    subject: &Descriptor,
    max: usize,
) -> Result<Signatures, Trouble> {
    let referrers = source.referrers(repository, &subject.digest).await?;
    let place = Place { source, repository, subject };
    let listed = gather(&place, referrers.listed, Discovery::Listed, max).await?;
    if !listed.found.is_empty() || listed.more {
        return Ok(listed);
    }
    let hidden = gather(&place, referrers.others, Discovery::Hidden, max).await?;
    match referrers.doubt {
        Some(doubt) if hidden.found.is_empty() && !hidden.more => Err(doubt),
        _ => Ok(hidden),
    }
}

struct Place<'a> {
    source: &'a dyn ArtifactSource,
    repository: &'a Repository,
    subject: &'a Descriptor,
}

async fn gather(
    place: &Place<'_>,
    candidates: Vec<Descriptor>,
    discovery: Discovery,
    max: usize,
) -> Result<Signatures, Trouble> {
    let mut seen = HashSet::new();
    let mut unique = candidates;
    unique.retain(|descriptor| seen.insert(descriptor.digest));
    let looked_at = max.saturating_mul(LISTED_PER_SIGNATURE);
    let beyond = unique.len() > looked_at;
    unique.truncate(looked_at);

    let mut signatures = Signatures { found: Vec::new(), more: false };
    let mut fetched = stream::iter(unique).map(|descriptor| fetch(place, descriptor, discovery)).buffered(AT_A_TIME);
    while let Some(signature) = fetched.next().await {
        let Some(signature) = signature? else { continue };
        if signatures.found.len() == max {
            signatures.more = true;
            return Ok(signatures);
        }
        signatures.found.push(signature);
    }
    signatures.more = beyond;
    Ok(signatures)
}

/// The signature that `descriptor` describes; `None` when it is none of this artifact.
async fn fetch(place: &Place<'_>, descriptor: Descriptor, discovery: Discovery) -> Result<Option<Signature>, Trouble> {
    let manifest = descriptor.digest;
    let missing =
        |what| Trouble::new(TroubleKind::ContentMissing, format!("{what} of the referrer {manifest} is not there"));
    let signature = |envelope| Ok(Some(Signature { manifest, discovery, envelope }));

    let found = place.source.manifest(&place.repository.at(manifest)).await;
    let fetched = match found.and_then(|found| check_served(found, &descriptor)) {
        Ok(Some(fetched)) => fetched,
        // Whether it is a signature is not known. Among those that were listed as such it counts as one that could not be
        // fetched; among the others it leaves open whether there is a signature at all.
        Ok(None) if discovery == Discovery::Listed => {
            return signature(Err(EnvelopeProblem::Trouble(missing("the manifest"))));
        }
        Ok(None) => return Err(missing("the manifest")),
        Err(trouble) if discovery == Discovery::Listed => return signature(Err(EnvelopeProblem::Trouble(trouble))),
        Err(trouble) => return Err(trouble),
    };
    let kind = match manifest::parse(&fetched.bytes, &fetched.descriptor.media_type) {
        Ok(kind) => kind,
        Err(_) if discovery == Discovery::Hidden => return Ok(None),
        Err(error) => {
            return signature(Err(EnvelopeProblem::Malformed(Failure::new(
                Code::SignatureManifestMalformed,
                error.to_string(),
            ))));
        }
    };
    let Some(subject) = kind.subject().filter(|subject| subject.digest == place.subject.digest) else {
        return Ok(None);
    };
    if !manifest::is_signature(&kind) {
        return Ok(None);
    }
    if let Err(failure) = manifest::check_subject(subject, place.subject) {
        return signature(Err(EnvelopeProblem::Malformed(failure)));
    }
    // Docker's manifests know neither artifact types nor subjects, and notation takes none for a signature.
    if fetched.descriptor.media_type == manifest::DOCKER_MANIFEST {
        let message = format!("a signature manifest is not of type {}", manifest::DOCKER_MANIFEST);
        return signature(Err(EnvelopeProblem::Malformed(Failure::new(Code::SignatureManifestMalformed, message))));
    }
    let layer = match manifest::signature_envelope(&kind) {
        Ok(layer) => layer,
        Err(failure) => return signature(Err(EnvelopeProblem::Malformed(failure))),
    };
    if layer.size > limits::ENVELOPE_BYTES {
        return signature(Err(EnvelopeProblem::Malformed(Failure::new(
            Code::EnvelopeTooLarge,
            format!("the envelope has {} bytes, more than the {} that are read", layer.size, limits::ENVELOPE_BYTES),
        ))));
    }
    match place.source.blob(place.repository, &layer, limits::ENVELOPE_BYTES).await {
        Ok(Some(bytes)) => signature(Ok(Envelope { media_type: layer.media_type, bytes })),
        Ok(None) => signature(Err(EnvelopeProblem::Trouble(missing("the envelope")))),
        // The bytes are those that the signature manifest names: what it says of them is wrong, and it alone.
        Err(trouble) if trouble.kind == TroubleKind::SizeMisstated => signature(Err(EnvelopeProblem::Malformed(
            Failure::new(Code::SignatureManifestMalformed, format!("of the envelope, {}", trouble.message)),
        ))),
        Err(trouble) => signature(Err(EnvelopeProblem::Trouble(trouble))),
    }
}

/// Refuses a manifest that is not what it was listed as: read by the one type it may be a signature, and by the other it is
/// not even looked into. The list is wrong, not the manifest: that is trouble, as it is with every reader that believes
/// descriptors.
fn check_served(found: Option<Manifest>, listed: &Descriptor) -> Result<Option<Manifest>, Trouble> {
    match &found {
        Some(Manifest { descriptor, .. }) if descriptor.size != listed.size => {
            let message = format!(
                "the referrer {} is listed with {} bytes and has {}",
                listed.digest, listed.size, descriptor.size
            );
            Err(Trouble::new(TroubleKind::AnswerInvalid, message))
        }
        Some(Manifest { descriptor, .. }) if descriptor.media_type != listed.media_type => {
            let [as_listed, served] = [&listed.media_type, &descriptor.media_type].map(|media_type| quote(media_type));
            let message = format!("the referrer {} is listed as {as_listed} and served as {served}", listed.digest);
            Err(Trouble::new(TroubleKind::AnswerInvalid, message))
        }
        _ => Ok(found),
    }
}
