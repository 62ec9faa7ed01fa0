//! The evidence of an artifact: everything about it that came from outside, as plain data.
//!
//! What is here was hashed against its digest when it was collected, and nothing else has been believed of it. The same
//! evidence can be decided on again under another policy or at another time, without any network.

use bytes::Bytes;

use crate::digest::Digest;
use crate::failure::Failure;
use crate::manifest::Descriptor;
use crate::plugin;
use crate::revocation::Recorded;
use crate::trouble::Trouble;

/// What was collected for one artifact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Evidence {
    /// The repository by whose name the trust policy is asked: `host/path`, as written.
    pub repository: String,
    /// The artifact itself: media type as served, digest, measured size.
    pub subject: Descriptor,
    /// The signatures in the order in which the source lists them, each digest once, or why they could not be listed.
    pub signatures: Result<Signatures, Trouble>,
    /// What CRLs and OCSP responders answered. Only what a decision asked for is fetched, so that this is empty at first.
    pub revocation: Recorded,
    /// What verification plugins answered; empty at first, too.
    pub plugins: plugin::Answers,
}

/// What was collected for one blob and the signature beside it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BlobEvidence {
    /// The digest of the blob, measured with the hash that belongs to the signing key.
    pub digest: Digest,
    /// The size of the blob in bytes, measured.
    pub size: u64,
    /// The media type that the blob must have been signed as; `None` if any will do.
    pub media_type: Option<String>,
    /// The signature, or why it could not be read. Its `manifest` is the SHA-256 digest of the envelope, since a blob has no signature manifest.
    pub signature: Result<Signature, Trouble>,
    /// What CRLs and OCSP responders answered; empty at first.
    pub revocation: Recorded,
    /// What verification plugins answered; empty at first, too.
    pub plugins: plugin::Answers,
}

impl Evidence {
    /// Evidence of the artifact `subject` in `repository`, in which no answers are recorded yet.
    pub fn new(
        repository: impl Into<String>,
        subject: Descriptor,
        signatures: Result<Signatures, Trouble>,
    ) -> Evidence {
        Evidence {
            repository: repository.into(),
            subject,
            signatures,
            revocation: Recorded::default(),
            plugins: plugin::Answers::default(),
        }
    }

    /// About how many bytes it takes beside itself: most of them are envelopes and CRLs. What it shares counts in full.
    pub(crate) fn weight(&self) -> usize {
        let envelope = |signature: &Signature| match &signature.envelope {
            Ok(envelope) => envelope.media_type.len() + envelope.bytes.len(),
            Err(EnvelopeProblem::Malformed(failure)) => failure.message.len(),
            Err(EnvelopeProblem::Trouble(trouble)) => trouble.message.len(),
        };
        let signatures = match &self.signatures {
            Ok(signatures) => signatures.found.iter().map(|one| size_of::<Signature>() + envelope(one)).sum(),
            Err(trouble) => trouble.message.len(),
        };
        signatures + self.revocation.weight() + self.plugins.weight()
    }
}

impl BlobEvidence {
    /// Evidence of a blob, which may have been signed as any media type; no answers are recorded yet.
    pub fn new(digest: Digest, size: u64, signature: Result<Signature, Trouble>) -> BlobEvidence {
        BlobEvidence {
            digest,
            size,
            media_type: None,
            signature,
            revocation: Recorded::default(),
            plugins: plugin::Answers::default(),
        }
    }
}

/// The signatures of an artifact, or what was made of each.
#[derive(Debug, Clone)]
pub struct Signatures<T = Signature> {
    /// Those that were fetched, at most as many as the limit says.
    pub found: Vec<T>,
    /// Whether there were more than the limit, left alone.
    pub more: bool,
    /// Why these may not be all: where none of them passes, another one might.
    pub doubt: Option<Trouble>,
    /// A signature of another system, if one was seen while none of the Notary Project was found.
    pub foreign: Option<ForeignSignature>,
}

/// A signature of another system than the Notary Project's. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignSignature {
    /// What it is called in a sentence: `a cosign signature`.
    pub called: &'static str,
    /// The digest of its manifest.
    pub manifest: Digest,
}

impl<T> Default for Signatures<T> {
    fn default() -> Signatures<T> {
        Signatures { found: Vec::new(), more: false, doubt: None, foreign: None }
    }
}

/// One signature of an artifact.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The digest of the signature manifest.
    pub manifest: Digest,
    /// Whether notation's way of asking (by artifact type) lists it.
    pub discovery: Discovery,
    /// The envelope, or why it is missing.
    pub envelope: Result<Envelope, EnvelopeProblem>,
}

/// How a signature was found. What becomes of one that was just written is `sign::Discovery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discovery {
    /// As notation finds it.
    Listed,
    /// Only by looking at every referrer: notation would not see it.
    Hidden,
}

/// The bytes of a signature envelope, unverified.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The media type that the signature manifest states for it.
    pub media_type: String,
    /// The envelope.
    pub bytes: Bytes,
}

/// Why the envelope of a listed signature is not there.
#[derive(Debug, Clone)]
pub enum EnvelopeProblem {
    /// The signature manifest itself breaks the rules: that is the signature's fault.
    Malformed(Failure),
    /// It could not be fetched: that says nothing about the signature.
    Trouble(Trouble),
}
