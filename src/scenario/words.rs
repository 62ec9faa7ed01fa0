//! The closed vocabularies of scenario files: every word that may stand where a choice is asked for.

use crate::forge::registry::{Flavour, RouteKind};
use crate::forge::{KeyKind, Scheme, SignatureManifest};

/// A closed vocabulary: an enumeration of words with what each means.
macro_rules! words {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$note:meta])* $variant:ident $text:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, schemars::JsonSchema)]
        $vis enum $name { $($(#[$note])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every word.
            #[allow(dead_code, reason = "not every vocabulary is listed")]
            $vis const ALL: [$name; [$($text),*].len()] = [$($name::$variant),*];

            /// The word in the file.
            #[allow(dead_code, reason = "not every vocabulary is written back")]
            $vis fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }
    };
}

pub(super) use words;

words! {
    /// A kind of key, and with it the algorithm.
    pub(super) Algorithm {
        /// RSASSA-PSS with 2048 bits.
        Rsa2048 "rsa-2048"
        /// RSASSA-PSS with 3072 bits.
        Rsa3072 "rsa-3072"
        /// RSASSA-PSS with 4096 bits.
        Rsa4096 "rsa-4096"
        /// ECDSA on P-256.
        P256 "ec-p256"
        /// ECDSA on P-384.
        P384 "ec-p384"
        /// ECDSA on P-521.
        P521 "ec-p521"
    }
}

words! {
    /// The format of a signature envelope.
    pub(super) Format {
        /// JSON.
        Jws "jws"
        /// CBOR.
        Cose "cose"
    }
}

words! {
    /// Where a key lives.
    pub Keystore {
        /// In the process, as from a key file.
        File "file"
        /// In a throw-away SoftHSM token.
        SoftHsm "softhsm"
    }
}

words! {
    /// The signing scheme.
    pub(super) SigningScheme {
        /// The signer's own certificate.
        X509 "notary.x509"
        /// A signing authority that vouches for the time.
        SigningAuthority "notary.x509.signingAuthority"
    }
}

words! {
    /// What answers as a registry.
    pub(super) RegistryWord {
        /// A registry inside the process.
        Embedded "embedded"
        /// A container of the ORAS registry in which many met signatures first.
        Oras "oras"
        /// A container of the image that `image` names.
        Container "container"
        /// The registry that `address` names.
        External "external"
    }
}

words! {
    /// How the embedded registry behaves.
    pub(super) FlavourWord {
        /// OCI distribution specification 1.1.
        Current "current"
        /// Before 1.1: no referrers API.
        WithoutReferrers "without-referrers"
        /// The release candidate of 1.1, which does not list signatures of the newer form.
        ReleaseCandidate "release-candidate"
    }
}

words! {
    /// The form of the manifest that ties a signature to its artifact.
    pub(super) ManifestForm {
        /// `config.mediaType` says that it is a signature, as notation 1.x writes it.
        ConfigMediaType "config-media-type"
        /// `artifactType` says that it is a signature.
        ArtifactType "artifact-type"
        /// An artifact manifest, from before OCI 1.1 was final.
        Oldest "artifact-manifest"
    }
}

words! {
    /// How the certificate of an authority departs from the rules.
    pub(super) AuthorityDefect {
        /// Its basic constraints do not say that it is an authority.
        NotAnAuthority "not-an-authority"
        /// Its key usage does not include keyCertSign.
        NoCertSign "no-cert-sign"
        /// Its basic constraints are not critical.
        BasicConstraintsNotCritical "basic-constraints-not-critical"
        /// It has no key usage.
        NoKeyUsage "no-key-usage"
        /// Its key usage is not critical.
        KeyUsageNotCritical "key-usage-not-critical"
        /// It allows no authority below itself.
        PathLengthZero "path-length-zero"
        /// Its key usage does not include cRLSign.
        NoCrlSign "no-crl-sign"
    }
}

words! {
    /// How the certificate of a signer departs from the rules.
    pub(super) CertificateDefect {
        /// It is an authority's.
        IsAnAuthority "is-an-authority"
        /// It has no key usage.
        NoKeyUsage "no-key-usage"
        /// Its key usage is not for signatures.
        WrongKeyUsage "wrong-key-usage"
        /// Its extended key usage is for TLS servers.
        ServerAuth "server-auth"
        /// It has bytes behind its end.
        TrailingBytes "trailing-bytes"
        /// It certifies an Ed25519 key.
        UnsupportedKey "unsupported-key"
        /// Its extended key usage is for signing code, and then for TLS servers.
        ServerAuthToo "server-auth-too"
        /// Its key usage is for signatures, and for keys that are sent.
        KeyEnciphermentToo "key-encipherment-too"
        /// Its key usage is not critical.
        KeyUsageNotCritical "key-usage-not-critical"
        /// Its issuer's signature is wrong.
        ForgedIssuer "forged-issuer"
    }
}

words! {
    /// How a signer departs from the rules. The signature itself is made over it.
    pub(super) SigningDefect {
        /// `alg` is that of another key.
        WrongAlgorithm "wrong-algorithm"
        /// `alg` is none of the six.
        UnknownAlgorithm "unknown-algorithm"
        /// An attribute is critical that no verifier knows.
        UnknownCriticalAttribute "unknown-critical-attribute"
        /// There is no list of critical attributes.
        NoCriticalList "no-critical-list"
        /// An attribute is listed as critical twice.
        CriticalTwice "critical-twice"
        /// The expiry is listed as critical, and there is none.
        CriticalNotThere "critical-not-there"
        /// The algorithm is listed as critical, which RFC 7515 and RFC 9052 forbid.
        CriticalAlgorithm "critical-algorithm"
        /// The expiry is not listed as critical.
        ExpiryNotCritical "expiry-not-critical"
        /// The signing time stands in the unprotected header too.
        InBothHeaders "in-both-headers"
        /// There is a time of the other signing scheme.
        OtherSchemesTime "other-schemes-time"
        /// There is an expiry whose name is written in capitals: in JWS a slip, in COSE an attribute that nobody knows.
        MisspeltExpiry "misspelt-expiry"
        /// The descriptor in the payload has annotations whose name begins with a capital.
        PayloadMisspelt "payload-misspelt"
        /// The content type is another.
        WrongContentType "wrong-content-type"
        /// The signing scheme is none of the two.
        UnknownScheme "unknown-scheme"
        /// There is no signing time.
        NoSigningTime "no-signing-time"
        /// The expiry lies before the signing time.
        ExpiryBeforeSigning "expiry-before-signing"
        /// The payload is no JSON.
        PayloadNotJson "payload-not-json"
        /// Two members of the descriptor in the payload have names that differ only in case.
        PayloadNamesInTwoCases "payload-names-in-two-cases"
        /// So have two members of an unknown member of that descriptor.
        PayloadInnerNamesInTwoCases "payload-inner-names-in-two-cases"
        /// The payload names another digest.
        PayloadDigest "payload-digest"
        /// The payload names another media type.
        PayloadMediaType "payload-media-type"
        /// The payload names another size.
        PayloadSize "payload-size"
        /// There is no certificate chain.
        NoChain "no-chain"
        /// Another key signs than the chain's.
        AnotherKey "another-key"
    }
}

words! {
    /// What somebody who can write to the registry does to a signature.
    pub(super) Tampering {
        /// Turns a bit of the payload.
        FlipPayload "flip-payload"
        /// Turns a bit of the protected header, so that it stays readable.
        FlipProtected "flip-protected"
        /// Turns a bit of the signature.
        FlipSignature "flip-signature"
        /// Turns a bit of the signer's certificate.
        FlipChain "flip-chain"
        /// Takes the root out of the chain.
        DropRoot "drop-root"
        /// Turns the chain around.
        ReverseChain "reverse-chain"
        /// Puts the chain of the key `with` in its place.
        SwapChain "swap-chain"
        /// Puts the payload of a signature of the artifact `with` in its place.
        ReplacePayload "replace-payload"
        /// Puts a signature of the artifact `with` in its place.
        ReplaceEnvelope "replace-envelope"
        /// Ties the signature to the artifact `with` instead.
        MoveTo "move-to"
        /// Cuts the envelope in half.
        Truncate "truncate"
        /// States another media type for the envelope.
        WrongMediaType "wrong-media-type"
        /// Adds a second layer to the signature manifest.
        SecondLayer "second-layer"
        /// States a length of the envelope that no honest one has.
        Oversize "oversize"
        /// Takes the envelope away and leaves the manifest.
        RemoveEnvelope "remove-envelope"
    }
}

words! {
    /// The requests that a fault befalls.
    pub(super) Route {
        /// For manifests.
        Manifest "manifest"
        /// For blobs.
        Blob "blob"
        /// For lists of referrers.
        Referrers "referrers"
    }
}

words! {
    /// How a registry answers on a bad day.
    pub(super) Answer {
        /// With status 401.
        Unauthorized "unauthorized"
        /// With status 403.
        Forbidden "forbidden"
        /// With status 503.
        Unavailable "unavailable"
        /// Not at all.
        Silence "silence"
        /// With the digest of something else.
        WrongDigest "wrong-digest"
        /// With a byte turned.
        Corrupt "corrupt"
        /// With half of it, after having stated the length of the whole.
        CutOff "cut-off"
    }
}

words! {
    /// The result of an artifact or a signature.
    pub(super) ResultWord {
        /// It passes.
        Pass "pass"
        /// It passes, with failures logged.
        Warn "warn"
        /// It fails.
        Fail "fail"
        /// The policy says not to look.
        Skip "skip"
        /// It cannot be decided.
        Error "error"
    }
}

impl Algorithm {
    /// The forge's word for it.
    pub(super) fn kind(self) -> KeyKind {
        match self {
            Algorithm::Rsa2048 => KeyKind::Rsa2048,
            Algorithm::Rsa3072 => KeyKind::Rsa3072,
            Algorithm::Rsa4096 => KeyKind::Rsa4096,
            Algorithm::P256 => KeyKind::P256,
            Algorithm::P384 => KeyKind::P384,
            Algorithm::P521 => KeyKind::P521,
        }
    }
}

impl Format {
    /// The media type of such an envelope.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Format::Jws => "application/jose+json",
            Format::Cose => "application/cose",
        }
    }
}

impl SigningScheme {
    /// The forge's word for it.
    pub(super) fn scheme(self) -> Scheme {
        match self {
            SigningScheme::X509 => Scheme::X509,
            SigningScheme::SigningAuthority => Scheme::SigningAuthority,
        }
    }
}

impl FlavourWord {
    /// The forge's word for it.
    pub(super) fn flavour(self) -> Flavour {
        match self {
            FlavourWord::Current => Flavour::Current,
            FlavourWord::WithoutReferrers => Flavour::WithoutReferrers,
            FlavourWord::ReleaseCandidate => Flavour::ReleaseCandidate,
        }
    }
}

impl ManifestForm {
    /// The forge's word for it.
    pub(super) fn form(self) -> SignatureManifest {
        match self {
            ManifestForm::ConfigMediaType => SignatureManifest::ConfigMediaType,
            ManifestForm::ArtifactType => SignatureManifest::ArtifactType,
            ManifestForm::Oldest => SignatureManifest::Oldest,
        }
    }
}

impl Route {
    /// The forge's word for it.
    pub(super) fn kind(self) -> RouteKind {
        match self {
            Route::Manifest => RouteKind::Manifest,
            Route::Blob => RouteKind::Blob,
            Route::Referrers => RouteKind::Referrers,
        }
    }
}

impl Tampering {
    /// What `with` has to name for it.
    pub(super) fn needs(self) -> Option<With> {
        match self {
            Tampering::SwapChain => Some(With::Key),
            Tampering::ReplacePayload | Tampering::ReplaceEnvelope | Tampering::MoveTo => Some(With::Artifact),
            _ => None,
        }
    }
}

/// What `with` of a tampering names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Key,
    Artifact,
}
