//! The table of codes: everything that can be wrong with a signature or an artifact, once.
//!
//! Each line names the code, its class, the section of the Notary Project's specifications (or the OCI distribution
//! specification) it comes from, and what its reader can do. A code is a promise: it is never renamed and never reused.

use std::fmt;

/// What a code says about the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The rules say no.
    Fail,
    /// The rules could not be applied: trouble on the way, or something not supported yet. Never counted as a bad
    /// signature, never as unsigned.
    Undecided,
}

macro_rules! codes {
    ($($variant:ident $text:literal $class:ident $section:literal $remedy:literal)*) => {
        /// A stable reason. See the table in this file for all of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`, by ", $section, ".")] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The stable word: `signature-expired`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// Whether the rules say no, or could not be applied.
            pub fn class(self) -> Class {
                match self { $(Code::$variant => Class::$class),* }
            }

            /// The section of the specification.
            pub fn section(self) -> &'static str {
                match self { $(Code::$variant => $section),* }
            }

            /// What the reader can do about it.
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$variant => $remedy),* }
            }
        }
    };
}

codes! {
    // The artifact as a whole
    Unsigned "unsigned" Fail "signing-and-verification-workflow, OCI artifact verification"
        "sign it, or give its repository a statement of level skip"
    NoApplicablePolicy "no-applicable-policy" Fail "trust-store-trust-policy, Selecting a trust policy"
        "name the repository in a statement's registryScopes, in the spelling of the reference, or add a statement for *; for a blob, name one with --policy-name"
    SignatureNotDiscoverable "signature-not-discoverable" Fail "signature-specification, Signature discovery"
        "a signature is there, but the registry does not list it by artifactType, so that notation would not find it: sign with the older form (config.mediaType), or move to a registry that speaks OCI 1.1"
    SignatureLimitReached "signature-limit-reached" Fail "signing-and-verification-workflow, OCI artifact verification"
        "remove signatures that are not needed, or raise --max-signatures"
    UserMetadataMismatch "user-metadata-mismatch" Fail "signature-specification, Payload"
        "ask for the metadata that was signed, or sign again with it"

    // Integrity: the envelope
    EnvelopeFormatUnsupported "envelope-format-unsupported" Fail "signature-specification, Signature Envelope"
        "sign with notation in format jws or cose"
    SignatureManifestMalformed "signature-manifest-malformed" Fail "signature-specification, OCI Signatures"
        "remove the broken signature manifest and sign again"
    EnvelopeMalformed "envelope-malformed" Fail "signature-envelope-jws; signature-envelope-cose"
        "remove the broken signature and sign again"
    EnvelopeTooLarge "envelope-too-large" Fail "signature-specification, Signature Envelope"
        "remove the signature: no honest envelope is that large"
    ContentTypeUnsupported "content-type-unsupported" Fail "signature-specification, Payload"
        "sign with a tool that follows the specification: the content type is application/vnd.cncf.notary.payload.v1+json"
    AlgorithmUnsupported "algorithm-unsupported" Fail "signature-specification, Signature Algorithm Requirements"
        "sign with RSASSA-PSS (2048, 3072, 4096) or ECDSA (P-256, P-384, P-521)"
    AlgorithmMismatch "algorithm-mismatch" Fail "signature-specification, Signature Algorithm Requirements"
        "sign again with the algorithm that belongs to the key"
    SignatureInvalid "signature-invalid" Fail "signing-and-verification-workflow, Verify integrity"
        "treat the signature as forged or damaged; sign again if the artifact is yours"
    CriticalMalformed "critical-malformed" Fail "signature-specification, Signed Attributes"
        "sign with a tool that lists as critical what the specification demands, and nothing else that is its own"
    CriticalUnknown "critical-unknown" Fail "signature-specification, Signed Attributes"
        "verify with a tool that knows the attribute, or sign without it"
    SigningSchemeUnsupported "signing-scheme-unsupported" Fail "signing-scheme"
        "sign under notary.x509 or notary.x509.signingAuthority"
    SigningTimeMalformed "signing-time-malformed" Fail "signature-specification, Signed Attributes"
        "sign again: the signing time of the scheme is missing, doubled or not a time"
    ExpiryMalformed "expiry-malformed" Fail "signature-specification, Signed Attributes"
        "sign again with an expiry after the signing time"
    PayloadMalformed "payload-malformed" Fail "signature-specification, Payload"
        "sign again: the payload is not a description of an artifact"
    PayloadMismatch "payload-mismatch" Fail "signing-and-verification-workflow, Verify integrity"
        "the signature was made for another artifact: remove it here"

    // Integrity: the certificate chain
    ChainMalformed "chain-malformed" Fail "signature-specification, Unsigned Attributes"
        "sign again with the complete chain, leaf first, root last"
    CertificateMalformed "certificate-malformed" Fail "signature-specification, Certificate Requirements"
        "have the certificate issued again as DER by RFC 5280"
    ChainInvalid "chain-invalid" Fail "signature-specification, Certificate Requirements"
        "sign again with the complete chain, leaf first, each certificate issued by the next, a self-signed root last"
    CertificateProfile "certificate-profile" Fail "signature-specification, Certificate Requirements"
        "have the certificate issued again by the rules for code signing"
    KeyUnsupported "key-unsupported" Fail "signature-specification, Signature Algorithm Requirements"
        "sign with an RSA key of 2048, 3072 or 4096 bits, or on P-256, P-384 or P-521; an authority may also have an RSA key of 2048 to 8192 bits, or Ed25519"

    // Authenticity
    TrustStoreMissing "trust-store-missing" Fail "trust-store-trust-policy, Trust Store"
        "create the named store, or correct its name in the trust policy"
    TrustStoreInvalid "trust-store-invalid" Undecided "trust-store-trust-policy, Trust Store"
        "mend the named file of the store: certificates only, PEM or DER"
    TrustStoreNotApplicable "trust-store-not-applicable" Fail "trust-store-trust-policy, Trust Store"
        "name a store of the type that the signing scheme needs: ca for notary.x509, signingAuthority for notary.x509.signingAuthority"
    UntrustedChain "untrusted-chain" Fail "signing-and-verification-workflow, Verify authenticity"
        "add the signer's root to a store that the statement names, if it deserves trust"
    IdentityMismatch "identity-mismatch" Fail "trust-store-trust-policy, Trusted Identities Constraints"
        "add the signer's subject to trustedIdentities, if it deserves trust"
    IdentityUnmatchable "identity-unmatchable" Fail "trust-store-trust-policy, Trusted Identities Constraints"
        "use a signing certificate with C, ST and O, each attribute once, and none that notation cannot name; or trust any identity of the store with *"

    // Expiry
    SignatureExpired "signature-expired" Fail "signing-and-verification-workflow, Verify expiry"
        "sign again"

    // Authentic timestamp
    CertificateExpired "certificate-expired" Fail "signing-and-verification-workflow, Verify authentic timestamp"
        "sign again with a valid certificate, and with a time stamp next time"
    CertificateNotYetValid "certificate-not-yet-valid" Fail "signing-and-verification-workflow, Verify authentic timestamp"
        "check the clock, or wait until the certificate is valid"
    TimestampMissing "timestamp-missing" Fail "signing-and-verification-workflow, Verify authentic timestamp"
        "sign again with a time stamp (muster sign --timestamp-url), or have the statement ask for one only afterCertExpiry"
    TimestampMalformed "timestamp-malformed" Fail "signature-specification, Unsigned Attributes; RFC 3161"
        "sign again: the time stamp is not a token that RFC 3161 describes"
    TimestampInvalid "timestamp-invalid" Fail "signing-and-verification-workflow, Verify authentic timestamp; RFC 3161"
        "sign again: the time stamp is not one of this signature, or is forged or damaged"
    TimestampUntrusted "timestamp-untrusted" Fail "signing-and-verification-workflow, Verify authentic timestamp"
        "add the time stamping authority's root to a store of type tsa that the statement names, if it deserves trust"
    TimestampCertificate "timestamp-certificate" Fail "signature-specification, Certificate Requirements"
        "use a time stamping authority whose certificates obey the rules for time stamping"
    TimestampRevoked "timestamp-revoked" Fail "signing-and-verification-workflow, Certificate Revocation Evaluation"
        "sign again with a time stamp of an authority that is not revoked"
    TimestampRevocationUnknown "timestamp-revocation-unknown" Fail "signing-and-verification-workflow, Certificate Revocation Evaluation"
        "see what the time stamping authority's CRLs and OCSP responders answer, and run again"
    TimestampFromFuture "timestamp-from-future" Fail "signing-and-verification-workflow, Verify authentic timestamp"
        "check the clock of this machine, and that of the time stamping authority"

    // Revocation
    Revoked "revoked" Fail "signing-and-verification-workflow, Certificate Revocation Evaluation"
        "do not use the artifact before another signer has signed it: the certificate was revoked by who issued it"
    RevocationUnknown "revocation-unknown" Fail "signing-and-verification-workflow, Certificate Revocation Evaluation"
        "see what the CRLs and OCSP responders that the certificate names answer; supply good answers with --revocation-from"
    RevocationUnavailable "revocation-unavailable" Undecided "signing-and-verification-workflow, Certificate Revocation Evaluation"
        "check the network, then run again; without network supply answers with --revocation-from"

    // Plugins
    PluginMissing "plugin-missing" Undecided "plugin-extensibility, Plugin lifecycle management"
        "install the plugin that the signature asks for (notation plugin install), or mend its file"
    PluginFailed "plugin-failed" Undecided "plugin-extensibility, Plugin contract"
        "see the message of the plugin, mend its configuration, and run again"
    PluginUnsuitable "plugin-unsuitable" Undecided "plugin-extensibility, Verification Extensibility"
        "install the version of the plugin that the signature asks for, able to verify"
    PluginNameInvalid "plugin-name-invalid" Fail "plugin-extensibility, Plugin lifecycle management"
        "treat the signature as hostile: a plugin is named by a plain file name"
    PluginIdentityRefused "plugin-identity-refused" Fail "plugin-extensibility, Verification Extensibility"
        "see the plugin's reason; add the signer to trustedIdentities, if it deserves trust"
    PluginRevocationRefused "plugin-revocation-refused" Fail "plugin-extensibility, Verification Extensibility"
        "see the plugin's reason: it takes the signature for revoked"
    AttributeUnprocessed "attribute-unprocessed" Fail "plugin-extensibility, Verification Extensibility"
        "verify with a plugin that knows the attribute, or sign without it"

    // Trouble on the way
    NotFound "not-found" Undecided "OCI distribution specification, Pulling manifests"
        "check what was named: there is no such repository, tag, digest or file; what a registry lists may be gone"
    RepositoryUnknown "repository-unknown" Undecided "trust-store-trust-policy, Registry Scopes Constraints"
        "say with --scope HOST/REPOSITORY which repository the artifacts of the layout belong to, or name them in it by full references"
    Unreachable "unreachable" Undecided "OCI distribution specification"
        "check the network, then run again"
    AccessDenied "access-denied" Undecided "OCI distribution specification"
        "log in to the registry (docker, podman or notation login, or NOTATION_USERNAME and NOTATION_PASSWORD), as someone who may read this repository"
    TimedOut "timed-out" Undecided "OCI distribution specification"
        "run again, with fewer --jobs if the registry is slow"
    RateLimited "rate-limited" Undecided "RFC 6585, section 4, 429 Too Many Requests"
        "run again at the time that the message says; log in, which most registries let ask more often, or ask less with --rate HOST=N/s"
    AnswerInvalid "answer-invalid" Undecided "OCI distribution specification"
        "the registry's answer, or what is in the layout, contradicts the request or itself: look at the registry, the proxy before it, or the layout"
    AnswerTooLarge "answer-too-large" Undecided "OCI distribution specification"
        "the registry sent more than is read: look at what it holds for this artifact"
    ContentMissing "content-missing" Undecided "OCI distribution specification, Pulling blobs"
        "content that a manifest names is not there: copy the artifact again with its referrers"
    FileUnusable "file-unusable" Undecided "none: files of this machine"
        "look at the named file or folder: what it is, and whether you may read it, or write into it"

    // Our own
    InternalFault "internal-fault" Undecided "none: a defect of Muster"
        "report it, with the artifact if you may"
}

impl Code {
    /// The code that is written `word`.
    pub fn named(word: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == word)
    }

    /// The code whose word is nearest to `word`, if one is near enough to be what was meant.
    pub fn nearest(word: &str) -> Option<Code> {
        const NEAR: f64 = 0.85;
        let word = word.to_lowercase();
        let near = Code::ALL.iter().map(|code| (strsim::jaro_winkler(code.as_str(), &word), *code));
        let near = near.filter(|(alike, _)| *alike >= NEAR);
        near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, code)| code)
    }
}

/// Codes of earlier versions that nothing has any more. None of them ever comes back with another meaning.
pub const RETIRED: [&str; 3] = ["timestamp-unsupported", "revocation-unsupported", "plugin-unsupported"];

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_kebab_words() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(RETIRED.iter().all(|retired| !words.contains(retired)));
        for word in words {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{word}");
            assert_eq!(Code::named(word).map(Code::as_str), Some(word));
            assert_eq!(Code::nearest(word).map(Code::as_str), Some(word));
        }
    }

    #[test]
    fn the_nearest_code_is_what_was_meant() {
        for (word, meant) in [
            ("notfound", Some(Code::NotFound)),
            ("not_found", Some(Code::NotFound)),
            ("acces-denied", Some(Code::AccessDenied)),
            ("Unsigned", Some(Code::Unsigned)),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!((Code::named(word), Code::nearest(word)), (None, meant), "{word}");
        }
    }
}
