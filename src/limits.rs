//! Every bound in one place: how much of anything a stranger may make Muster read, hold or wait for.
//!
//! Values marked *notation* are the reference implementation's: nothing it reads is refused by size alone. The others bound what it leaves open.

use std::time::Duration;

/// The longest manifest read, in bytes. *notation*
pub const MANIFEST_BYTES: u64 = 4 << 20;
/// The longest page of referrers read, in bytes.
pub const PAGE_BYTES: u64 = 4 << 20;
/// The longest page of tags or repositories read, in bytes: some registries put all of a list into one answer.
pub const LIST_BYTES: u64 = 64 << 20;
/// How much of the names of one page is kept in memory until they are asked for, in bytes; a longer page goes to a temporary file.
pub const NAMES_IN_MEMORY_BYTES: usize = 1 << 20;
/// How many pages of referrers one artifact may have.
pub const REFERRERS_PAGES: usize = 100;
/// How many bytes of referrers are read for one artifact, over all pages.
pub const REFERRERS_BYTES: u64 = 4 * PAGE_BYTES;
/// How long a list of referrers may be without waiting until no other list is read that is longer, in bytes.
pub const SHORT_LIST_BYTES: u64 = 256 << 10;
/// How many pages a list of tags or repositories may have.
pub const LIST_PAGES: usize = 10_000;
/// How many names are remembered of all lists of a run together, so that each is given out once though a list is out of order;
/// the first [`LIST_NAMES_AT_A_TIME`] of each list do not count.
pub const LIST_NAMES: usize = 1 << 21;
/// For how many names a list takes room at a time.
pub const LIST_NAMES_AT_A_TIME: usize = 1 << 14;
/// How many repositories are followed that lists of tags name as lying below others, in one target.
pub const REPOSITORIES_BELOW: usize = 10_000;
/// How many times one below the other they may be.
pub const REPOSITORIES_BELOW_DEPTH: usize = 16;
/// How much memory what is read from registries and layouts may take at a time in one run, in bytes.
pub const BYTES_IN_FLIGHT: u64 = 64 << 20;
/// How much memory reading a list of names takes for every byte of it, at most: itself, and what waits to be written.
pub const MEMORY_PER_LISTED_BYTE: u64 = 2;
/// How much memory reading a manifest or a list of manifests takes for every byte of it, at most: its entries, and their texts.
pub const MEMORY_PER_DOCUMENT_BYTE: u64 = 16;
/// How much memory judging an envelope takes for every byte of it, at most: itself, and decoded copies.
pub const MEMORY_PER_ENVELOPE_BYTE: u64 = 4;
/// How long an answer may be that is read without asking for a share of [`BYTES_IN_FLIGHT`], in bytes; honest manifests are.
pub const SMALL_ANSWER_BYTES: u64 = 32 << 10;
/// How long one artifact may take unless the user says otherwise: fetching and judging, but not waiting for its turn in the report.
pub const ARTIFACT_TIMEOUT: Duration = Duration::from_secs(300);
/// How many artifacts may be begun before the first of them is reported: enough that those few whose requests fail time and
/// again keep no others waiting.
pub const ARTIFACTS_AHEAD: usize = 8192;
/// How much memory results may take that wait for their turn in the report, in bytes.
pub const RESULTS_AHEAD_BYTES: usize = 16 << 20;
/// How many results of one artifact (its parts) may wait to be reported.
pub const RESULTS_OF_ONE_AHEAD: usize = 64;
/// How many outcomes a run remembers, so that a digest under many tags is judged once.
pub const OUTCOMES_REMEMBERED: usize = 1024;
/// How often an artifact is judged under different tags before the trouble that was met each time is remembered as well.
pub const TROUBLE_JUDGED: usize = 3;
/// How much memory remembered outcomes may take, in bytes.
pub const OUTCOMES_REMEMBERED_BYTES: usize = 6 << 20;
/// How many entries of a folder are looked at for files that killed runs left there.
pub const FOLDER_ENTRIES_SWEPT: usize = 100_000;
/// How many different digests a report counts; with more it says that there are at least so many.
pub const REPORT_DIGESTS: usize = 1 << 20;
/// How many repositories a report counts one by one.
pub const REPORT_REPOSITORIES: usize = 1 << 14;
/// The longest signature envelope read, in bytes.
pub const ENVELOPE_BYTES: u64 = 4 << 20;
/// How much of a blob is held at a time while it is hashed, in bytes.
pub const BLOB_PIECE_BYTES: usize = 1 << 18;
/// How many signatures of one artifact are judged unless the user says otherwise. *notation*
pub const MAX_SIGNATURES: usize = 100;
/// How many certificates a chain may have.
pub const CHAIN_CERTIFICATES: usize = 10;
/// The longest certificate, in bytes of DER.
pub const CERTIFICATE_BYTES: usize = 64 << 10;
/// How many extensions a certificate may have; honest ones have fewer than twenty.
pub const CERTIFICATE_EXTENSIONS: usize = 64;
/// How many attributes the name of a subject or an issuer may have; honest ones have fewer than fifteen.
pub const NAME_ATTRIBUTES: usize = 64;
/// How many checked chains are remembered in all; a registry has few signers.
pub const CHAINS_REMEMBERED: usize = 4096;
/// How much memory all chains that are remembered may take, in bytes, by a generous estimate.
pub const CHAINS_REMEMBERED_BYTES: usize = 32 << 20;
/// The longest chain remembered, in bytes of DER; honest ones have less than a quarter of it.
pub const CHAIN_REMEMBERED_BYTES: usize = 32 << 10;
/// The longest time stamp token, in bytes; honest ones have less than a hundredth of it, unless they carry CRLs.
pub const TIMESTAMP_BYTES: usize = 1 << 20;
/// How many certificates a time stamp token may carry.
pub const TIMESTAMP_CERTIFICATES: usize = 32;
/// How many signatures of certificates are verified to find the chain of a time stamping authority.
pub const TIMESTAMP_ISSUER_CHECKS: usize = 64;
/// How far a time stamp, a CRL or an OCSP answer may lie ahead: two clocks never agree.
pub const TIMESTAMP_SKEW: Duration = Duration::from_secs(300);
/// How long a time stamp may take in all unless the user says otherwise, every try and the pauses between them included.
pub const TIMESTAMP_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a time stamping authority is asked for one time stamp.
pub const TIMESTAMP_TRIES: usize = 4;
/// The shortest and the longest pause before a time stamping authority is asked again, unless it says when.
pub const TIMESTAMP_PAUSE: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(5));
/// How many redirects the request for a time stamp may follow.
pub const TIMESTAMP_REDIRECTS: usize = 5;
/// The longest file with a certificate chain to sign with, in bytes.
pub const CHAIN_FILE_BYTES: u64 = 1 << 20;
/// The longest file with a private key, in bytes.
pub const KEY_FILE_BYTES: u64 = 64 << 10;
/// How long a named pipe with a key or certificates is waited for that no program has opened for writing.
pub const PIPE_WRITER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a pipe with a key or certificates may take: what writes it may ask people.
pub const PIPE_TIMEOUT: Duration = Duration::from_secs(300);
/// The longest list of signing keys, in bytes.
pub const KEY_LIST_BYTES: u64 = 1 << 20;
/// The longest file with a PIN, in bytes.
pub const PIN_FILE_BYTES: u64 = 1 << 10;
/// How many certificates of a token are read to find the chain of a key.
pub const TOKEN_CERTIFICATES: usize = 256;
/// How many private keys of a token are read: to name them, or to find the one that a chain is for.
pub const TOKEN_KEYS: usize = 256;
/// How many private keys are tried with a chain that may be for each of them, and how many where each signature wants the
/// PIN: the owner may have to type it, or to touch the token.
pub const TOKEN_KEYS_TRIED: (usize, usize) = (4, 2);
/// How long an attribute of an object in a token may be, in bytes: that of a certificate, and room for padding.
pub const TOKEN_ATTRIBUTE_BYTES: usize = 2 * CERTIFICATE_BYTES;
/// How long a token is waited for whose sessions are all taken, or that is busy with something else.
pub const TOKEN_WAIT: Duration = Duration::from_secs(5);
/// The longest file of p11-kit's configuration that names a module, in bytes.
pub const MODULE_FILE_BYTES: u64 = 64 << 10;
/// How many entries of a folder of p11-kit's configuration are looked at.
pub const MODULE_FOLDER_ENTRIES: usize = 256;
/// How many slots of a module are looked at.
pub const MODULE_SLOTS: usize = 256;
/// How many sessions of a token are open at once to sign in parallel.
pub const TOKEN_SESSIONS: usize = 16;
/// The longest request to `notation-muster-pkcs11`, in bytes: the longest envelope in base64 within base64, and settings.
pub const PLUGIN_REQUEST_BYTES: u64 = 16 << 20;
/// How long people have to approve unless the user says otherwise.
pub const TSB_TIMEOUT: Duration = Duration::from_secs(3600);
/// The shortest and the longest time that people may be given.
pub const TSB_TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30 * 86400));
/// The first pause between two questions for a request, unless the user says otherwise.
pub const TSB_POLL: Duration = Duration::from_secs(2);
/// The shortest and the longest first pause.
pub const TSB_POLL_RANGE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));
/// To what pauses grow, unless the first is longer.
pub const TSB_LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause that a broker may ask for: what it asks for beyond is no reason to stay away longer.
pub const TSB_LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(300);
/// The longest label of a key at a broker, in bytes.
pub const TSB_LABEL_BYTES: usize = 256;
/// How many API keys are tried.
pub const TSB_API_KEYS: usize = 16;
/// The longest file with a bearer token, API keys or a password, in bytes.
pub const TSB_SECRET_BYTES: u64 = 64 << 10;
/// The longest file with the names of approvers, in bytes.
pub const TSB_APPROVERS_BYTES: u64 = 1 << 20;
/// How many of those who approved, refused or are missing are told.
pub const TSB_APPROVERS_TOLD: usize = 100;
/// The longest answer of a broker, in bytes.
pub const TSB_ANSWER_BYTES: usize = 1 << 20;
/// How long an answer of a broker may take.
pub const TSB_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last answer may take, when the time for approvals is over.
pub const TSB_LAST_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a broker that takes no requests is asked again.
pub const TSB_SUBMISSION_TIMEOUT: Duration = Duration::from_secs(60);
/// The first pause before it is asked again.
pub const TSB_SUBMISSION_PAUSE: Duration = Duration::from_millis(500);
/// How often it is tried to take a request back.
pub const TSB_WITHDRAWAL_TRIES: usize = 5;
/// How long each answer may take when a request is taken back.
pub const TSB_WITHDRAWAL_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The first pause before it is tried again.
pub const TSB_WITHDRAWAL_PAUSE: Duration = Duration::from_millis(200);
/// How long taking a request back may take when the signer was told to stop: less than a plugin is given for it.
pub const TSB_STOP_TIMEOUT: Duration = Duration::from_millis(700);
/// How long the answer to a request that was just being made is waited for then.
pub const TSB_STOP_SUBMISSION_TIMEOUT: Duration = Duration::from_millis(400);
/// The longest file that is kept of a request that waits for approvals, in bytes: the longest envelope in base64, and more.
pub const TSB_PENDING_REQUEST_BYTES: u64 = 8 << 20;
/// The longest trust policy document, in bytes.
pub const POLICY_BYTES: u64 = 16 << 20;
/// How many files and connections this process asks to have open at most, where the system lets it.
pub const OPEN_FILES: u64 = 1 << 16;
/// How many of them a run of scenarios needs beside its cases.
pub const OPEN_FILES_OF_A_RUN: u64 = 64;
/// How many of them one case needs at most: what answers in it, and both ends of the connections to that.
pub const OPEN_FILES_OF_A_CASE: u64 = 96;
/// The longest scenario file, in bytes.
pub const SCENARIO_BYTES: u64 = 1 << 20;
/// The longest file of a project that a scenario may put into its world, and the longest that it may write, in bytes.
pub const SCENARIO_CONTENT_BYTES: u64 = 64 << 20;
/// How deep a scenario file may nest.
pub const SCENARIO_DEPTH: usize = 16;
/// How many cases one scenario file may expand to.
pub const SCENARIO_CASES: usize = 1000;
/// How many manifests an artifact may have that is brought into a scenario, those that refer to it among them.
pub const IMPORT_MANIFESTS: usize = 2000;
/// How many bytes it may have in all; layers that do not fit are left out.
pub const IMPORT_BYTES: u64 = 64 << 20;
/// The longest blob of it, in bytes; longer ones are left out.
pub const IMPORT_BLOB_BYTES: u64 = 4 << 20;
/// How many artifacts or signatures one step of a scenario may make.
pub const SCENARIO_COUNT: u32 = 100_000;
/// After how many refused PINs a token of a scenario is locked.
pub const SCENARIO_PIN_TRIES: u32 = 3;
/// How long a signer of a scenario waits for an answer of a gateway that is to give none.
pub const SCENARIO_GATEWAY_PATIENCE: Duration = Duration::from_millis(500);
/// How long a slow token of a scenario takes for a signature.
pub const SCENARIO_SLOW_TOKEN: Duration = Duration::from_millis(100);
/// How long what a scenario has pushed to a registry that is not its own may take to be deleted.
pub const SCENARIO_DELETION: Duration = Duration::from_secs(600);
/// The same where the run was told to stop.
pub const SCENARIO_DELETION_WHEN_STOPPED: Duration = Duration::from_millis(1300);
/// How long cases that are broken off are waited for.
pub const SCENARIO_BROKEN_OFF: Duration = Duration::from_millis(200);
/// After what time a case that is still running is named.
pub const SCENARIO_SLOW: Duration = Duration::from_secs(60);
/// The longest file of docker or Testcontainers that is read to find an engine, in bytes.
pub const DOCKER_CONFIG_BYTES: u64 = 1 << 20;
/// How long a container engine may take to say that it is there. All places are asked at once.
pub const ENGINE_ANSWER: Duration = Duration::from_secs(5);
/// How long a container engine may take for a question about an image or a container.
pub const ENGINE_QUESTION: Duration = Duration::from_secs(10);
/// How long an image may take to be pulled.
pub const IMAGE_PULL: Duration = Duration::from_secs(180);
/// How long an engine may take to start a container.
pub const CONTAINER_START: Duration = Duration::from_secs(60);
/// How long none of a container's addresses may be reached, while it runs.
pub const CONTAINER_REACHED: Duration = Duration::from_secs(4);
/// How long a container that is reached may take until it answers as a registry.
pub const CONTAINER_READY: Duration = Duration::from_secs(30);
/// How old a container may be whose run cannot be seen, before it is taken for one that was left behind.
pub const CONTAINER_AGE: Duration = Duration::from_secs(24 * 3600);
/// How long after the end of a run an engine may still make a container that the run has asked for.
pub const CONTAINER_MADE_LATE: Duration = Duration::from_secs(2);
/// How long the containers of a killed run may take to be removed.
pub const CONTAINER_REMOVAL: Duration = Duration::from_secs(60);
/// The same of a run that ends by itself, before what is left is left to the process that outlives it.
pub const CONTAINER_REMOVAL_AT_THE_END: Duration = Duration::from_secs(10);
/// The same of a run that was told to stop, before what is left is left to the process that outlives it.
pub const CONTAINER_REMOVAL_WHEN_STOPPED: Duration = Duration::from_millis(900);
/// How long a container may take to be removed at the end of its case. Later it is removed with all others.
pub const CONTAINER_GONE: Duration = Duration::from_secs(10);
/// How long to wait between two looks at an engine or a container.
pub const CONTAINER_PAUSE: Duration = Duration::from_millis(50);
/// How much of what a container said before it ended is shown, in bytes.
pub const CONTAINER_LAST_WORDS: usize = 400;
/// How many comparisons may be made to find overlapping identities of one statement: identities × sets of attribute types.
pub const IDENTITY_COMPARISONS: usize = 4_000_000;
/// The longest file in a trust store, in bytes.
pub const TRUST_STORE_FILE_BYTES: u64 = 1 << 20;
/// How many files a named store may hold.
pub const TRUST_STORE_FILES: usize = 10_000;
/// The longest all files of a named store may be together, in bytes.
pub const TRUST_STORE_BYTES: u64 = 64 << 20;
/// How deep JSON may nest.
pub const JSON_DEPTH: usize = 64;
/// How deep JSON may nest where no rule reads it: in unknown members that are not signed. *notation*
pub const JSON_SKIPPED_DEPTH: usize = 10_000;
/// How long one element of a long array may be that is read from a file, in bytes; and all that is beside the array.
pub const JSON_ELEMENT_BYTES: usize = 1 << 20;
/// How many members one JSON object may have.
pub const JSON_MEMBERS: usize = 1 << 14;
/// How many members and elements a JSON value may have that no rule reads but that is signed, whatever their depth.
pub const JSON_ITEMS: usize = 1 << 14;
/// How deep CBOR may nest.
pub const CBOR_DEPTH: usize = 16;
/// How many items CBOR may have, whatever their depth.
pub const CBOR_ITEMS: usize = 1 << 14;
/// How many manifests of one image index are counted and judged, those of indexes inside it among them, and how many
/// manifests of a list of referrers are asked whether they refer to what its tag says.
pub const INDEX_MANIFESTS: usize = 1000;
/// How many image indexes inside one are read.
pub const NESTED_INDEXES: usize = 100;
/// How many unsigned artifacts, and how many tags of cosign, are remembered to tell how many of the former it signed.
pub const UNSIGNED_REMEMBERED: usize = 1 << 16;
/// How many manifests that are attached to one artifact, or to what is attached to it, are judged.
pub const REFERRERS_JUDGED: usize = 1000;
/// How far from the artifact they may be: what is attached to an attached one is two away.
pub const REFERRERS_DEPTH: usize = 3;
/// How long a media type may be, in bytes (RFC 6838, section 4.2: twice 127 and a slash).
pub const MEDIA_TYPE_BYTES: usize = 255;
/// How long each word of a platform may be, in bytes.
pub const PLATFORM_WORD_BYTES: usize = 255;
/// How many entries a list in a manifest may have.
pub const MANIFEST_ENTRIES: usize = 1 << 17;
/// How many entries the `index.json` of an OCI layout may have, and how many manifests a layout may list over all its indexes.
pub const LAYOUT_MANIFESTS: usize = 1 << 16;
/// How many repositories the names in a layout may be of.
pub const LAYOUT_REPOSITORIES: usize = 1 << 12;
/// How long the names and types of all that a layout lists may be together, in bytes.
pub const LAYOUT_TEXT_BYTES: usize = 8 << 20;
/// The longest `index.json` of an OCI layout, in bytes; it is read entry by entry.
pub const LAYOUT_INDEX_BYTES: u64 = 64 << 20;
/// What a compressed archive may grow to, in bytes, layers included: they pass through and are not kept.
pub const ARCHIVE_BYTES: u64 = 64 << 30;
/// How much of a compressed archive is kept in a temporary file, in bytes: what may be a manifest or an envelope.
pub const ARCHIVE_KEPT_BYTES: u64 = 1 << 30;
/// How many files of a layout an archive may hold.
pub const ARCHIVE_FILES: usize = 1 << 18;
/// How long the headers of one entry of an archive may be, long names and extensions included, in bytes.
pub const ARCHIVE_HEADER_BYTES: u64 = 1 << 20;
/// The longest answer of a token server, in bytes. *notation*
pub const TOKEN_BYTES: u64 = 128 << 10;
/// The longest file with credentials, in bytes.
pub const CREDENTIAL_FILE_BYTES: u64 = 4 << 20;
/// How much a credential helper may write to standard output, and to standard error, in bytes.
pub const HELPER_OUTPUT_BYTES: u64 = 1 << 20;
/// How long credentials that were looked up in vain are not looked up again.
pub const LOGIN_PAUSE: Duration = Duration::from_secs(60);
/// How many files of a registry's folder of certificates are looked at.
pub const CERTIFICATE_FOLDER_FILES: usize = 100;
/// How much of an error answer is read, in bytes. *notation*
pub const ERROR_BYTES: u64 = 8 << 10;
/// How many 404s in a row, asked one after the other, say that what was asked for is not there.
pub const NOT_FOUND_ANSWERS: usize = 2;
/// The same for the tag of the referrers tag schema, where the registry has no referrers API: the artifact is unsigned then.
pub const NO_REFERRERS_TAG_ANSWERS: usize = 5;
/// The same for the referrers API of a repository; asked once, then remembered.
pub const NO_REFERRERS_API_ANSWERS: usize = 8;
/// The same for everything, from a registry that has answered 404 for what turned out to be there. If one answer in five
/// is a 404 without reason, so many in a row come once in 400,000 times.
pub const UNSTEADY_NOT_FOUND_ANSWERS: usize = 8;
/// How often the upload of one blob is begun at most.
pub const UPLOADS: usize = 3;
/// For how long at least an index of the referrers tag schema has to stay as it is after it was written, before what it lists
/// counts as listed: a client that read it before may still write.
pub const INDEX_SETTLED: Duration = Duration::from_millis(300);
/// How many times as long as the slowest round of reading and writing it has to stay so.
pub const INDEX_SETTLED_ROUNDS: u32 = 6;
/// How long it has to stay so at most.
pub const INDEX_SETTLED_LONGEST: Duration = Duration::from_secs(10);
/// For how long such an index is written again in all while other clients write to it.
pub const INDEX_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is written at most.
pub const INDEX_WRITES: usize = 64;
/// The longest pause before an index that lost what was added to it is written again.
pub const INDEX_PAUSE: Duration = Duration::from_secs(4);
/// How many entries of others that were lost from such an index are asked for and added again, and how many replaced indexes are deleted.
pub const INDEX_OTHERS: usize = 256;
/// For how long a registry is asked for a signature that it does not list yet.
pub const LISTING_TIMEOUT: Duration = Duration::from_secs(30);
/// How many repositories are remembered with what is known of their referrers API; with more, all are forgotten.
pub const REPOSITORIES_REMEMBERED: usize = 1 << 14;
/// How many redirects one request may follow.
pub const REDIRECTS: usize = 10;
/// How often a request is tried again after a passing fault. *notation*
pub const RETRIES: usize = 5;
/// How often a request may be told to be tried again at most, by the user.
pub const MAX_RETRIES: usize = 100;
/// The shortest and the longest pause before trying again, where the host asks for none.
pub const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may stay silent.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(25);
/// How long after its first try a request that meets silence may still be tried again: one that meets nothing else ends
/// after less than a minute.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one request may take in all, every retry apart.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How long after its first try a request may still be tried again.
pub const RETRY_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a tag waits for the answer to the first one of its registry, which says how tags are best asked for.
pub const FIRST_TAG_WAIT: Duration = Duration::from_secs(2);
/// How many manifests that tags were found to name are remembered, so that HEAD is enough for the next tag of one.
pub const MANIFESTS_REMEMBERED: usize = 1024;
/// How much memory remembered manifests of one registry may take, in bytes.
pub const MANIFESTS_REMEMBERED_BYTES: usize = 1 << 20;
/// Requests in flight to one host, and artifacts in work, unless the user says otherwise.
pub const REQUESTS_PER_HOST: usize = 32;
/// How many artifacts may be in work at most, and so how many requests in flight to one host.
pub const MAX_JOBS: usize = 512;
/// For how long a host that wants to be asked later is waited for. One that wants longer is given up until then.
pub const LONGEST_HOLD: Duration = Duration::from_secs(300);
/// For how long a host is given up at most.
pub const LONGEST_GIVEN_UP: Duration = Duration::from_secs(365 * 86_400);
/// How many requests to a host that wants to be asked later may wait without counting among those in work.
pub const HELD_AHEAD: usize = 1024;
/// How often what a request shows may be renewed because it has ended meanwhile.
pub const RENEWALS: usize = 3;
/// After how long what a request shows may have ended: token servers give out tokens for a minute.
pub const TICKET_AGE: Duration = Duration::from_secs(30);
/// How often one request may be refused by a host that wants to be asked later.
pub const REFUSALS: usize = 20;
/// For how much longer than its time one artifact may take because hosts want to be asked later, or less often.
pub const HELD_TIMEOUT: Duration = Duration::from_secs(3600);
/// By how much a request may go before its time, so that a clock that ticks does not make a fast rate slow.
pub const RATE_TICK: Duration = Duration::from_millis(20);
/// How often a request is sent whose answers are all late.
pub const SENT_AT_ONCE: u32 = 4;
/// How many hosts are remembered with how they want to be asked; with more, those that are not in use are forgotten.
pub const HOSTS_REMEMBERED: usize = 256;
/// How many times as long as half of a host's answers one must take to be late, so that its request is sent once more.
pub const LATE_TIMES: f64 = 8.0;
/// How long an answer must take at least to be late.
pub const LATE_LEAST: Duration = Duration::from_millis(50);
/// How often a decision is taken anew with answers that it needed: OCSP, then CRLs, then their deltas, then plugins.
pub const MAX_DECISION_ROUNDS: usize = 8;
/// The longest CRL, base or delta, in bytes; the reference implementation refuses one of exactly 32 MiB. *notation*
pub const CRL_BYTES: u64 = (32 << 20) - 1;
/// The longest OCSP answer, in bytes; what is longer is refused and not cut. *notation*
pub const OCSP_BYTES: u64 = 20_480;
/// How long fetching a CRL may take in all: connection, redirects and body. *notation*
pub const CRL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an OCSP answer may take in all. *notation*
pub const OCSP_TIMEOUT: Duration = Duration::from_secs(2);
/// An OCSP request shorter than this in base64, escaped or not, is part of the address; a longer one is posted. *notation*
pub const OCSP_ADDRESS_CHARACTERS: usize = 255;
/// How many redirects the request for a CRL or an OCSP answer may follow.
pub const REVOCATION_REDIRECTS: usize = 5;
/// Requests for CRLs and OCSP answers in flight to one host.
pub const REVOCATION_REQUESTS_PER_HOST: usize = 16;
/// Requests for CRLs and OCSP answers in flight in all.
pub const REVOCATION_REQUESTS: usize = 64;
/// How many hosts that answer about revocation are kept account of; the idle are forgotten first.
pub const REVOCATION_HOSTS: usize = 1024;
/// How many CRLs and OCSP answers, failures among them, a run remembers.
pub const ANSWERS_REMEMBERED: usize = 1 << 16;
/// Of how many answers a run remembers how new they were.
pub const EDITIONS_REMEMBERED: usize = 1 << 16;
/// How long all that are remembered may be together, in bytes: one of the longest, or many short ones.
pub const ANSWERS_REMEMBERED_BYTES: u64 = 32 << 20;
/// An answer up to this length needs no permit of [`LONG_ANSWERS_BYTES`]; it is held by the bounds on requests.
pub const SHORT_ANSWER_BYTES: u64 = 256 << 10;
/// How much memory the long answers of a run may take together, in bytes, wherever they are held.
pub const LONG_ANSWERS_BYTES: u64 = 96 << 20;
/// How long a long answer waits for its part of that memory.
pub const LONG_ANSWER_WAIT: Duration = Duration::from_secs(30);
/// How long a run remembers that a CRL or an OCSP answer could not be fetched, before it tries once more.
pub const FAILURE_REMEMBERED: Duration = Duration::from_secs(60);
/// The longest file of a cached CRL, in bytes: a base and a delta in base64.
pub const CRL_CACHE_FILE_BYTES: u64 = 96 << 20;
/// How many files a folder of recorded answers may hold.
pub const RECORDED_FILES: usize = 1 << 16;
/// How deep the folders in a folder of recorded answers may nest.
pub const RECORDED_DEPTH: usize = 16;
/// How long all files in a folder of recorded answers may be together, in bytes.
pub const RECORDED_BYTES: u64 = 1 << 30;
/// How long the name of a plugin may be, in bytes.
pub const PLUGIN_NAME: usize = 128;
/// How long the version of a plugin may be, in bytes.
pub const PLUGIN_VERSION: usize = 128;
/// How much of what a plugin says of its failure is shown, and how much of the metadata of its error, in bytes.
pub const PLUGIN_MESSAGE: usize = 600;
/// How much a plugin may write to standard output, and to standard error, in bytes.
pub const PLUGIN_OUTPUT_BYTES: u64 = 4 << 20;
/// How long a plugin may take to tell its metadata, and unless the user says otherwise to verify.
pub const PLUGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a plugin may take to sign unless the user says otherwise: people may have to approve.
pub const PLUGIN_SIGNING_TIMEOUT: Duration = Duration::from_secs(3600);
/// How long a plugin that was asked to end is given to do so before it is killed: it may have to withdraw a request.
pub const PLUGIN_TERM_GRACE: Duration = Duration::from_millis(1200);
/// How long after a plugin has ended its pipes are read, if something that it left behind holds them.
pub const PLUGIN_PIPE_GRACE: Duration = Duration::from_millis(500);
/// How many processes of plugins run at a time.
pub const PLUGIN_PROCESSES: u32 = 8;
/// How many answers of plugins are remembered.
pub const PLUGIN_ANSWERS: usize = 4096;
/// How many bytes of blobs an embedded registry holds in memory; further ones go to a temporary file without a name.
pub const EMBEDDED_BLOBS_IN_MEMORY_BYTES: usize = 64 << 20;
/// The longest request that an embedded responder of a scenario reads, in bytes.
pub const RESPONDER_REQUEST_BYTES: usize = 1 << 20;
/// How many requests an embedded responder of a scenario remembers, beside counting them all.
pub const RESPONDER_REQUESTS_KEPT: usize = 10_000;
/// How many responders, and how many CRLs, one certificate may name; and how many delta CRLs one CRL.
pub const REVOCATION_SERVERS: usize = 16;
/// How many certificates of an OCSP answer are tried as the one that signed it.
pub const OCSP_ANSWER_CERTIFICATES: usize = 10;
/// How many CRLs and how many OCSP answers are remembered once they were read.
pub const ANSWERS_READ: usize = 4096;
/// How long the remembered CRLs, or the remembered OCSP answers, may be together, in bytes: one of the longest, or many
/// short ones. They are the same bytes as those of [`ANSWERS_REMEMBERED_BYTES`], not copies.
pub const ANSWERS_READ_BYTES: usize = 32 << 20;
/// How many extensions a CRL, an entry of one, or an OCSP answer may have; honest ones have less than ten.
pub const ANSWER_EXTENSIONS: usize = 32;
/// How long the number of a CRL may be, in bytes (RFC 5280, section 5.2.3).
pub const CRL_NUMBER_BYTES: usize = 20;
/// How long an answer to an approver may be, in bytes: every task brings what is to be signed.
pub const APPROVER_ANSWER_BYTES: u64 = 64 << 20;
/// How long an answer to an approver may take.
pub const APPROVER_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest request that the gateway of the test bench reads, in bytes.
pub const GATEWAY_REQUEST_BYTES: usize = 2 << 20;
/// How many connections it holds at a time; more wait.
pub const GATEWAY_CONNECTIONS: usize = 512;
/// How many requests it remembers; with more, it takes none.
pub const GATEWAY_REQUESTS: usize = 10_000;
/// How long what they ask to be signed may be together, in bytes.
pub const GATEWAY_PAYLOAD_BYTES: usize = 256 << 20;
/// How many approvals and refusals that did not count it remembers of a request; of all, as many as requests.
pub const GATEWAY_REFUSALS: usize = 256;
/// How many tokens, groups and approvers the policy of one of its keys may have together.
pub const GATEWAY_POLICY_ENTRIES: usize = 1000;
/// How many tasks it hands out at a time.
pub const GATEWAY_TASKS: usize = 1000;
/// How long a request may take to arrive whole.
pub const GATEWAY_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a timelock or a timeout of one of its keys may be, in seconds: a hundred years.
pub const GATEWAY_LONGEST_TIMEOUT: u64 = 100 * 365 * 86_400;
/// The longest file with a token or API keys of that gateway, in bytes.
pub const GATEWAY_SECRETS_BYTES: u64 = 1 << 20;
