//! One blob with the signature beside it: read, and judged like any artifact.
//!
//! A blob may be larger than memory: it is hashed piece by piece, once, with the hash that its signature calls for. The
//! signature is read first. What cannot be read is trouble, and never a bad signature; symbolic links are followed, since
//! what is judged is content and not a place.

use std::fs::File;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use super::answers::{AnswerSources, decide_with_answers, take_verified_crls};
use super::judged::{internal_fault, undecided};
use super::plan::Plan;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::envelope::Format;
use crate::evidence::{BlobEvidence, Discovery, Envelope, Signature};
use crate::failure::quote;
use crate::limits;
use crate::pki::ChainCache;
use crate::plugin::Answers;
use crate::policy::BlobTrustPolicy;
use crate::regular_file::{self, FileProblem};
use crate::revocation::Recorded;
use crate::trouble::{Trouble, TroubleKind};
use crate::verify::{self, Outcome};

/// Which blob is judged, by which signature.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BlobRequest {
    /// The blob.
    pub blob: PathBuf,
    /// The file with its signature.
    pub signature: PathBuf,
    /// The format of the signature: it is never guessed from the content.
    pub format: Format,
    /// The media type that the blob must have been signed as; `None` if any will do.
    pub media_type: Option<String>,
    /// The name of the policy's statement; `None` for the one with `globalPolicy`.
    pub statement: Option<String>,
}

impl BlobRequest {
    /// The blob at `blob` with the signature at `signature`, of any media type, by the statement with `globalPolicy`.
    pub fn new(blob: impl Into<PathBuf>, signature: impl Into<PathBuf>, format: Format) -> BlobRequest {
        BlobRequest { blob: blob.into(), signature: signature.into(), format, media_type: None, statement: None }
    }
}

/// Judges a blob. The evidence is `None` if the blob could not be read.
pub(crate) async fn judge_blob(
    request: BlobRequest,
    plan: &Plan<BlobTrustPolicy>,
    at: OffsetDateTime,
    sources: &AnswerSources,
) -> (Outcome, Option<BlobEvidence>) {
    let request = Arc::new(request);
    // On a thread of its own: the caller may be told to stop while a long file is hashed.
    let (shared, caches) = (Arc::clone(&request), Arc::clone(&plan.options.caches));
    let collected = tokio::task::spawn_blocking(move || collect(&shared, &caches.chains)).await;
    let evidence = match collected {
        Ok(Ok(evidence)) => evidence,
        Ok(Err(trouble)) => return (undecided(trouble.into()), None),
        Err(_) => return (internal_fault(), None),
    };
    let decide = async |evidence: BlobEvidence| {
        let name = request.statement.as_deref();
        // A panic would be a defect of ours, and no verdict.
        let decision = AssertUnwindSafe(|| verify::decide_blob(&evidence, name, &plan.policy, &plan.options, at));
        (catch_unwind(decision).unwrap_or_else(|_| internal_fault()), evidence)
    };
    let (mut outcome, evidence) = decide_with_answers(evidence, sources, decide).await;
    sources.store_verified(&take_verified_crls(&mut outcome)).await;
    (outcome, Some(evidence))
}

fn collect(request: &BlobRequest, chains: &ChainCache) -> Result<BlobEvidence, Trouble> {
    let signature = detached_signature(&request.signature, request.format);
    let envelope = signature.as_ref().ok().and_then(|signature| signature.envelope.as_ref().ok());
    let algorithm = envelope.and_then(|envelope| verify::hash_of_blob(envelope, chains));
    // One that no sound signature speaks of is named by the usual digest.
    let (digest, size) = measure_blob(&request.blob, algorithm.unwrap_or(Algorithm::Sha256))?;
    Ok(BlobEvidence {
        digest,
        size,
        media_type: request.media_type.clone(),
        signature,
        revocation: Recorded::default(),
        plugins: Answers::default(),
    })
}

/// Reads the detached signature at `path`, which is in `format`.
///
/// # Errors
///
/// Why it cannot be read. One that is too long is no trouble: that is the signature's fault, and for the judge to say.
pub fn detached_signature(path: &Path, format: Format) -> Result<Signature, Trouble> {
    let failed = |problem| trouble("signature", path, &problem);
    let file = regular_file::open_linked(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let limit = limits::ENVELOPE_BYTES.saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| failed(FileProblem::Unreadable(error)))?;
    Ok(Signature {
        manifest: Digest::sha256(&bytes),
        discovery: Discovery::Listed,
        envelope: Ok(Envelope { media_type: format.media_type().to_owned(), bytes: bytes.into() }),
    })
}

/// The digest and the size in bytes of the blob at `path`, which is read once and not kept.
///
/// # Errors
///
/// Why it cannot be read.
pub fn measure_blob(path: &Path, algorithm: Algorithm) -> Result<(Digest, u64), Trouble> {
    let failed = |problem| trouble("blob", path, &problem);
    let file = regular_file::open_linked(path).map_err(failed)?;
    measure(file, algorithm).map_err(|error| failed(FileProblem::Unreadable(error)))
}

fn measure(mut file: File, algorithm: Algorithm) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new(algorithm);
    let mut piece = vec![0; limits::BLOB_PIECE_BYTES];
    let mut size = 0_u64;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(read) => {
                hasher.update(&piece[..read]);
                size = size.saturating_add(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn trouble(what: &str, path: &Path, problem: &FileProblem) -> Trouble {
    let kind = match problem {
        FileProblem::Missing => TroubleKind::NotFound,
        _ => TroubleKind::FileUnusable,
    };
    Trouble::new(kind, format!("the {what} {} {problem}", quote(&path.display().to_string())))
}
