//! Collecting: from a reference to the evidence of its artifact.
//!
//! Follows *signature-specification*, OCI Signatures and Signature discovery. A listed manifest that is no signature, or
//! one of another artifact, is passed over and does not count against the limit. One that names the artifact by its digest
//! and says something untrue of it is a malformed signature. A signature whose manifest or envelope cannot be fetched stays
//! in the evidence as trouble: nothing is known of it.
//!
//! Manifests are looked at first, all of them, and only then are envelopes fetched: no task holds one while waiting for
//! the other, and an artifact with a hundred signatures holds as many envelopes as are in work.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, future, stream};

use crate::digest::Digest;
use crate::evidence::{Discovery, Envelope, EnvelopeProblem, Evidence, ForeignSignature, Signature, Signatures};
use crate::failure::{Code, Failure, quote};
use crate::limits;
use crate::manifest::{self, Descriptor};
use crate::plugin::Answers;
use crate::reference::Repository;
use crate::revocation::Recorded;
use crate::source::{ArtifactSource, Manifest, Referrers};
use crate::trouble::{Trouble, TroubleKind};

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
    let place = Place { source, repository, subject: &subject };
    // All of them are held, as long as the caller likes: copies, for which the run's budget does not answer.
    let keep = |signature: Signature| future::ready(kept(&signature)).boxed();
    let again =
        |first: &Signature, manifest| first.envelope.is_ok().then(|| Signature { manifest, ..Signature::clone(first) });
    let signatures = each_signature(&place, max_signatures, &keep, again).await;
    Evidence {
        repository: repository.to_string(),
        signatures,
        subject,
        revocation: Recorded::default(),
        plugins: Answers::default(),
    }
}

/// What `each` makes of the signatures of `subject`, in the order in which they are listed, at most `max`, whether there
/// are more, and why there may be. They are fetched a few at a time, and not held.
pub async fn each_signature_of<T: Send>(
    source: &dyn ArtifactSource,
    repository: &Repository,
    subject: &Descriptor,
    max: usize,
    each: impl Fn(Signature) -> T + Sync,
) -> Result<Signatures<T>, Trouble> {
    let place = Place { source, repository, subject };
    each_signature(&place, max, &|signature| future::ready(each(signature)).boxed(), |_, _| None).await
}

/// The same signature, with bytes of its own.
pub(super) fn kept(signature: &Signature) -> Signature {
    let Signature { manifest, discovery, envelope } = signature;
    let envelope = envelope.as_ref().map_err(Clone::clone).map(|envelope| Envelope {
        media_type: envelope.media_type.clone(),
        bytes: Bytes::copy_from_slice(&envelope.bytes),
    });
    Signature { manifest: *manifest, discovery: *discovery, envelope }
}

/// Where signatures of which artifact are looked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) source: &'a dyn ArtifactSource,
    pub(super) repository: &'a Repository,
    pub(super) subject: &'a Descriptor,
}

/// Finds the signatures and hands each to `each` as soon as it is fetched, so that no more envelopes are held than are in
/// work. What `each` makes of them comes in the order in which they are listed, at most `max`, and with it why there may be
/// more. For a further signature with the same envelope, `again` is asked first what it comes to.
pub(super) async fn each_signature<'a, T>(
    place: &Place<'_>,
    max: usize,
    each: &(dyn Fn(Signature) -> BoxFuture<'a, T> + Sync),
    again: impl Fn(&T, Digest) -> Option<T>,
) -> Result<Signatures<T>, Trouble> {
    let Referrers { listed, others, mut doubt, held } =
        place.source.referrers(place.repository, &place.subject.digest).await?;
    let seen: HashSet<Digest> = listed.iter().map(|descriptor| descriptor.digest).collect();
    let [listed, others] = [listed, others].map(|list| looked_at(list, max));
    // What is left of the lists is short.
    drop(held);
    let mut found = look(place, listed, Discovery::Listed, max).await?;
    if found.candidates.is_empty() && !found.more {
        let others = match seen.is_empty() {
            true => others,
            // What was listed as a signature is none: then one may be listed as something else.
            false => {
                let all = place.source.all_referrers(place.repository, &place.subject.digest).await?;
                doubt = doubt.or(all.doubt);
                let rest = [all.listed, all.others].into_iter().flatten();
                looked_at(rest.filter(|descriptor| !seen.contains(&descriptor.digest)).collect(), max)
            }
        };
        let foreign = found.foreign;
        found = look(place, others, Discovery::Hidden, max).await?;
        found.foreign = foreign.or(found.foreign);
    }
    if let Some(doubt) = &doubt
        && found.candidates.is_empty()
        && !found.more
    {
        return Err(doubt.clone());
    }
    let mut first = HashMap::new();
    let is_first = |(number, candidate): (usize, &Candidate)| match &candidate.envelope {
        Ok(layer) => *first.entry((layer.digest, layer.size, layer.media_type.clone())).or_insert(number),
        Err(_) => number,
    };
    let firsts: Vec<usize> = found.candidates.iter().enumerate().map(is_first).collect();
    let judge = async |candidate: Candidate| each(fetch(place, candidate).await).await;
    let alone = found.candidates.iter().zip(&firsts).enumerate().filter(|(number, (_, first))| number == *first);
    let judged: Vec<_> =
        alone.map(|(number, (candidate, _))| judge(candidate.clone()).map(move |judged| (number, judged))).collect();
    let mut done: HashMap<usize, T> = stream::iter(judged).buffered(AT_A_TIME).collect().await;
    let mut all = Vec::with_capacity(found.candidates.len());
    for (number, candidate) in found.candidates.into_iter().enumerate() {
        let judged = match done.remove(&number) {
            Some(judged) => judged,
            None => match all.get(firsts[number]).and_then(|first| again(first, candidate.manifest)) {
                Some(judged) => judged,
                None => judge(candidate).await,
            },
        };
        all.push(judged);
    }
    Ok(Signatures { found: all, more: found.more, doubt, foreign: found.foreign })
}

/// A listed manifest that is a signature, or may be one.
#[derive(Debug, Clone)]
struct Candidate {
    manifest: Digest,
    discovery: Discovery,
    /// Where its envelope is, or why it has no envelope.
    envelope: Result<Descriptor, EnvelopeProblem>,
}

/// The signatures among listed manifests.
struct Found {
    candidates: Vec<Candidate>,
    /// Whether there are more than the limit, left alone.
    more: bool,
    /// The first signature of another system.
    foreign: Option<ForeignSignature>,
}

/// What a listed manifest is.
enum Look {
    /// A signature, or what may be one.
    Candidate(Candidate),
    /// A signature of another system.
    Foreign(ForeignSignature),
    /// Nothing that is looked for.
    Other,
}

/// The listed manifests that are looked at, each once, and whether there are more.
fn looked_at(mut listed: Vec<Descriptor>, max: usize) -> (Vec<Descriptor>, bool) {
    let mut seen = HashSet::new();
    listed.retain(|descriptor| seen.insert(descriptor.digest));
    let most = max.saturating_mul(LISTED_PER_SIGNATURE);
    let beyond = listed.len() > most;
    listed.truncate(most);
    listed.shrink_to_fit();
    (listed, beyond)
}

async fn look(
    place: &Place<'_>,
    (unique, beyond): (Vec<Descriptor>, bool),
    discovery: Discovery,
    max: usize,
) -> Result<Found, Trouble> {
    let (mut candidates, mut foreign) = (Vec::new(), None);
    let mut looks = stream::iter(unique).map(|descriptor| look_at(place, descriptor, discovery)).buffered(AT_A_TIME);
    while let Some(look) = looks.next().await {
        match look? {
            Look::Candidate(_) if candidates.len() == max => {
                return Ok(Found { candidates, more: true, foreign });
            }
            Look::Candidate(candidate) => candidates.push(candidate),
            Look::Foreign(signature) => {
                foreign.get_or_insert(signature);
            }
            Look::Other => {}
        }
    }
    Ok(Found { candidates, more: beyond, foreign })
}

/// What the manifest is that `descriptor` describes, seen from this artifact.
async fn look_at(place: &Place<'_>, descriptor: Descriptor, discovery: Discovery) -> Result<Look, Trouble> {
    let manifest = descriptor.digest;
    let missing = || {
        let message = format!("the manifest of the referrer {manifest} is not there");
        Trouble::new(TroubleKind::ContentMissing, message)
    };
    let signature = |envelope| Ok(Look::Candidate(Candidate { manifest, discovery, envelope }));

    let found = place.source.listed_manifest(place.repository, &manifest).await;
    let fetched = match found.and_then(|found| check_served(found, &descriptor, discovery)) {
        Ok(Some(fetched)) => fetched,
        // Whether it is a signature is not known. Among those that were listed as such it counts as one that could not be
        // fetched; among the others it leaves open whether there is a signature at all.
        Ok(None) if discovery == Discovery::Listed => {
            return signature(Err(EnvelopeProblem::Trouble(missing())));
        }
        Ok(None) => return Err(missing()),
        Err(trouble) if discovery == Discovery::Listed => return signature(Err(EnvelopeProblem::Trouble(trouble))),
        Err(trouble) => return Err(trouble),
    };
    let kind = match manifest::parse(&fetched.bytes, &fetched.descriptor.media_type) {
        Ok(kind) => kind,
        Err(_) if discovery == Discovery::Hidden => return Ok(Look::Other),
        Err(error) => {
            return signature(Err(EnvelopeProblem::Malformed(Failure::new(
                Code::SignatureManifestMalformed,
                error.to_string(),
            ))));
        }
    };
    let Some(subject) = kind.subject().filter(|subject| subject.digest == place.subject.digest) else {
        return Ok(Look::Other);
    };
    if !manifest::is_signature(&kind) {
        let foreign = manifest::foreign_signature(&kind).map(|called| ForeignSignature { called, manifest });
        return Ok(foreign.map_or(Look::Other, Look::Foreign));
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
    // Of up to a thousand, only what is needed is held.
    signature(Ok(Descriptor::new(layer.media_type, layer.digest, layer.size)))
}

/// The signature with its envelope.
async fn fetch(place: &Place<'_>, candidate: Candidate) -> Signature {
    let Candidate { manifest, discovery, envelope } = candidate;
    let envelope = match envelope {
        Ok(layer) => match place.source.blob(place.repository, &layer, limits::ENVELOPE_BYTES).await {
            Ok(Some(bytes)) => Ok(Envelope { media_type: layer.media_type, bytes }),
            Ok(None) => {
                let message = format!("the envelope of the referrer {manifest} is not there");
                Err(EnvelopeProblem::Trouble(Trouble::new(TroubleKind::ContentMissing, message)))
            }
            // The bytes are those that the signature manifest names: what it says of them is wrong, and it alone.
            Err(trouble) if trouble.kind == TroubleKind::SizeMisstated => Err(EnvelopeProblem::Malformed(
                Failure::new(Code::SignatureManifestMalformed, format!("of the envelope, {}", trouble.message)),
            )),
            Err(trouble) => Err(EnvelopeProblem::Trouble(trouble)),
        },
        Err(problem) => Err(problem),
    };
    Signature { manifest, discovery, envelope }
}

/// Refuses a manifest that is not what it was listed as: read by the one type it may be a signature, and by the other it is
/// not even looked into. The list is wrong, not the manifest: that is trouble, as it is with every reader that believes
/// descriptors. Some registries list everything with a size that is not the manifest's but that of all its content (Harbor before
/// 2.11): what is not listed as a signature is looked into all the same.
pub(super) fn check_served(
    found: Option<Manifest>,
    listed: &Descriptor,
    discovery: Discovery,
) -> Result<Option<Manifest>, Trouble> {
    match &found {
        Some(Manifest { descriptor, .. }) if descriptor.size != listed.size && discovery == Discovery::Listed => {
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
