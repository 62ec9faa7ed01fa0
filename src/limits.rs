//! Every bound in one place: how much of anything a stranger may make Muster read, hold or wait for.
//!
//! Values marked *notation* are the reference implementation's, so that nothing it reads is refused here by size alone;
//! the others bound what it leaves open.

use std::time::Duration;

/// The longest manifest read, in bytes. *notation*
pub const MANIFEST_BYTES: u64 = 4 << 20;
/// The longest page of referrers, tags or repositories read, in bytes.
pub const PAGE_BYTES: u64 = 4 << 20;
/// How many pages of referrers one artifact may have.
pub const REFERRERS_PAGES: usize = 100;
/// The longest signature envelope read, in bytes.
pub const ENVELOPE_BYTES: u64 = 4 << 20;
/// How many signatures of one artifact are judged unless the user says otherwise. *notation*
pub const SIGNATURES: usize = 100;
/// How many certificates a chain may have.
pub const CHAIN_CERTIFICATES: usize = 10;
/// The longest certificate, in bytes of DER.
pub const CERTIFICATE_BYTES: usize = 64 << 10;
/// The longest trust policy document, in bytes.
pub const POLICY_BYTES: u64 = 16 << 20;
/// The longest file in a trust store, in bytes.
pub const TRUST_STORE_FILE_BYTES: u64 = 1 << 20;
/// How many files a named store may hold.
pub const TRUST_STORE_FILES: usize = 10_000;
/// How deep JSON may nest.
pub const JSON_DEPTH: usize = 64;
/// How deep CBOR may nest.
pub const CBOR_DEPTH: usize = 16;
/// How many entries an image index may have that is judged with its manifests.
pub const INDEX_MANIFESTS: usize = 1000;
/// The longest `index.json` of an OCI layout, in bytes.
pub const LAYOUT_INDEX_BYTES: u64 = 256 << 20;
/// The longest answer of a token server, in bytes. *notation*
pub const TOKEN_BYTES: u64 = 128 << 10;
/// How much of an error answer is read, in bytes. *notation*
pub const ERROR_BYTES: u64 = 8 << 10;
/// How many redirects one request may follow.
pub const REDIRECTS: usize = 10;
/// How often a request is tried again after a passing fault. *notation*
pub const RETRIES: usize = 5;
/// The shortest and the longest pause before trying again; what `Retry-After` asks for is cut to the longest.
pub const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// How long a connection may take to be made.
pub const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long an answer may stay silent.
pub const IDLE_TIME: Duration = Duration::from_secs(30);
/// How long one request may take in all, every retry apart.
pub const REQUEST_TIME: Duration = Duration::from_secs(120);
/// Requests in flight to one host.
pub const REQUESTS_PER_HOST: usize = 32;
