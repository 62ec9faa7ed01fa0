//! Signing in a scenario: a statement about an artifact, sealed in an envelope, sound or with the signer's own defects.

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::sign::Signing;
use super::timestamp::{StampedInstead, Stamping};
use crate::digest::Digest;
use crate::forge::words::words;
use crate::forge::{
    Accuracy, Artifact, Attribute, Cbor, CoseDraft, ForgeError, JwsDraft, Key, KeyKind, SignatureForm, Signer,
    Statement, TimestampDraft, TimestampStatus, tlv,
};
use crate::manifest::Descriptor;
use crate::scenario::words::Format;

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
        /// There is an expiry whose name is written in capitals: in JWS a slip, in COSE an attribute that no verifier knows.
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

/// The slot of the key that signs in the place of another's.
const IMPOSTOR: usize = 999;
/// How long a token is that is not read to its end, in bytes.
const OVERSIZE: usize = 1 << 20;

/// A signature of `subject` at `now`, with its manifest. `tsa_signer` is who makes its time stamp, if it is to have one, and
/// how far their clock may be off.
pub(super) fn sign(
    signing: &Signing,
    signer: &Signer,
    tsa_signer: Option<&(Signer, Duration)>,
    subject: &Descriptor,
    now: OffsetDateTime,
) -> Result<Artifact, ForgeError> {
    let stamped = signing.timestamp.as_ref().zip(tsa_signer);
    let statement = statement(signing, subject, now);
    let envelope = match signing.format {
        Format::Jws => {
            let mut draft = statement.jws(signer)?;
            signing.defects.iter().try_for_each(|defect| apply_jws(&mut draft, *defect))?;
            if let Some((stamping, tsa_signer)) = stamped {
                let payload = draft.payload.clone();
                draft = draft.stamped(|signature| stamp(stamping, tsa_signer, signature, &payload, now))?;
            }
            draft.seal()?
        }
        Format::Cose => {
            let mut draft = statement.cose(signer)?;
            signing.defects.iter().try_for_each(|defect| apply_cose(&mut draft, *defect))?;
            if let Some((stamping, tsa_signer)) = stamped {
                let payload = draft.payload.clone();
                draft = draft.stamped(|signature| stamp(stamping, tsa_signer, signature, &payload, now))?;
            }
            draft.seal()?
        }
    };
    Ok(Artifact::signature(signing.manifest.form(), subject, signing.format.media_type(), &envelope, signer))
}

/// A time stamp of `signature`, or what stands in its place.
fn stamp(
    stamping: &Stamping,
    (tsa_signer, accuracy): &(Signer, Duration),
    signature: &[u8],
    payload: &[u8],
    now: OffsetDateTime,
) -> Result<Vec<u8>, ForgeError> {
    let message = if stamping.instead == Some(StampedInstead::StampOfPayload) { payload } else { signature };
    let mut draft = TimestampDraft::over(tsa_signer, message, now + stamping.at);
    draft.accuracy = Some(Accuracy::seconds(accuracy.whole_seconds()));
    for defect in &stamping.defects {
        draft = draft.broken(*defect);
    }
    match stamping.instead {
        Some(StampedInstead::Nonsense) => Ok(b"no token".to_vec()),
        Some(StampedInstead::Oversize) => Ok(tlv(0x30, &vec![0; OVERSIZE])),
        Some(StampedInstead::WholeAnswer) => draft.response(TimestampStatus::Granted),
        Some(StampedInstead::StampOfPayload) | None => draft.sign(),
    }
}

fn statement(signing: &Signing, subject: &Descriptor, now: OffsetDateTime) -> Statement {
    let target = Descriptor { annotations: signing.user_metadata.clone(), ..subject.clone() };
    let signed_at = now + signing.signed_at;
    let mut statement = Statement::new(target, signed_at);
    statement.scheme = signing.scheme.scheme();
    statement.expiry = signing.expires.map(|span| signed_at + span);
    if let Some(plugin) = &signing.plugin {
        statement.attributes.push(critical("io.cncf.notary.verificationPlugin", plugin));
    }
    if let Some(version) = &signing.plugin_min_version {
        statement.attributes.push(critical("io.cncf.notary.verificationPluginMinVersion", version));
    }
    for (name, value) in &signing.attributes {
        statement.attributes.push(critical(name, value));
    }
    for defect in &signing.defects {
        match defect {
            SigningDefect::UnknownCriticalAttribute => {
                statement.attributes.push(critical("com.example.unheard-of", "yes"));
            }
            SigningDefect::ExpiryBeforeSigning => statement.expiry = Some(signed_at - Duration::HOUR),
            SigningDefect::PayloadDigest => statement.target.digest = Digest::sha256(b"something else"),
            SigningDefect::PayloadMediaType => statement.target.media_type = "application/octet-stream".to_owned(),
            SigningDefect::PayloadSize => statement.target.size += 1,
            _ => {}
        }
    }
    statement
}

fn critical(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned(), critical: true }
}

const SCHEME: &str = "io.cncf.notary.signingScheme";
const SIGNING_TIME: &str = "io.cncf.notary.signingTime";
const AUTHENTIC_SIGNING_TIME: &str = "io.cncf.notary.authenticSigningTime";
const EXPIRY: &str = "io.cncf.notary.expiry";

/// What a defect makes of the list of critical attributes.
fn apply_critical<T: PartialEq>(critical: &mut Vec<T>, text: fn(&str) -> T, algorithm: T, defect: SigningDefect) {
    match defect {
        SigningDefect::CriticalTwice => critical.push(text(SCHEME)),
        SigningDefect::CriticalNotThere => critical.push(text(EXPIRY)),
        SigningDefect::CriticalAlgorithm => critical.push(algorithm),
        SigningDefect::ExpiryNotCritical => critical.retain(|name| *name != text(EXPIRY)),
        _ => {}
    }
}

fn apply_jws(draft: &mut JwsDraft, defect: SigningDefect) -> Result<(), ForgeError> {
    let text = |text: &str| json!(text).to_string();
    match defect {
        SigningDefect::WrongAlgorithm => draft.protected.set("alg", text(other(&draft.key).jws_algorithm())),
        SigningDefect::UnknownAlgorithm => draft.protected.set("alg", text("HS256")),
        SigningDefect::NoCriticalList => draft.protected.remove("crit"),
        SigningDefect::WrongContentType => draft.protected.set("cty", text("text/plain")),
        SigningDefect::UnknownScheme => draft.protected.set(SCHEME, text("notary.unheard-of")),
        SigningDefect::NoSigningTime => draft.protected.remove(SIGNING_TIME),
        SigningDefect::NoChain => draft.header.remove("x5c"),
        SigningDefect::AnotherKey => draft.signature = SignatureForm::By(impostor(&draft.key)?),
        SigningDefect::CriticalTwice
        | SigningDefect::CriticalNotThere
        | SigningDefect::CriticalAlgorithm
        | SigningDefect::ExpiryNotCritical => {
            let listed = draft.protected.get("crit").unwrap_or_default();
            let mut critical: Vec<serde_json::Value> = serde_json::from_str(listed).unwrap_or_default();
            apply_critical(&mut critical, |name| json!(name), json!("alg"), defect);
            draft.protected.set("crit", serde_json::Value::from(critical).to_string());
        }
        SigningDefect::InBothHeaders => {
            let time = draft.protected.get(SIGNING_TIME).unwrap_or_default().to_owned();
            draft.header.set(SIGNING_TIME, time);
        }
        SigningDefect::OtherSchemesTime => {
            let time = draft.protected.get(SIGNING_TIME).unwrap_or_default().to_owned();
            draft.protected.set(AUTHENTIC_SIGNING_TIME, time);
        }
        SigningDefect::MisspeltExpiry => draft.protected.set(&EXPIRY.to_uppercase(), text("2999-01-01T00:00:00Z")),
        _ => apply_payload(&mut draft.payload, defect),
    }
    Ok(())
}

fn apply_cose(draft: &mut CoseDraft, defect: SigningDefect) -> Result<(), ForgeError> {
    match defect {
        SigningDefect::WrongAlgorithm => {
            let algorithm = other(&draft.key).cose_algorithm();
            draft.set(CoseDraft::ALGORITHM, Cbor::Integer(algorithm));
        }
        // RSASSA-PKCS1-v1_5 with SHA-256.
        SigningDefect::UnknownAlgorithm => draft.set(CoseDraft::ALGORITHM, Cbor::Integer(-257)),
        SigningDefect::NoCriticalList => draft.remove(&CoseDraft::CRITICAL),
        SigningDefect::WrongContentType => draft.set(CoseDraft::CONTENT_TYPE, Cbor::text("text/plain")),
        SigningDefect::UnknownScheme => draft.set(Cbor::text(SCHEME), Cbor::text("notary.unheard-of")),
        SigningDefect::NoSigningTime => draft.remove(&Cbor::text(SIGNING_TIME)),
        SigningDefect::NoChain => draft.unprotected.retain(|(label, _)| *label != CoseDraft::CHAIN),
        SigningDefect::AnotherKey => draft.signature = SignatureForm::By(impostor(&draft.key)?),
        SigningDefect::CriticalTwice
        | SigningDefect::CriticalNotThere
        | SigningDefect::CriticalAlgorithm
        | SigningDefect::ExpiryNotCritical => {
            let listed = draft.protected.iter_mut().find(|(label, _)| *label == CoseDraft::CRITICAL);
            if let Some((_, Cbor::Array(critical))) = listed {
                apply_critical(critical, Cbor::text, CoseDraft::ALGORITHM, defect);
            }
        }
        SigningDefect::InBothHeaders => {
            if let Some(time) = value_of(draft, SIGNING_TIME) {
                draft.set_unprotected(Cbor::text(SIGNING_TIME), time);
            }
        }
        SigningDefect::OtherSchemesTime => {
            if let Some(time) = value_of(draft, SIGNING_TIME) {
                draft.set(Cbor::text(AUTHENTIC_SIGNING_TIME), time);
            }
        }
        SigningDefect::MisspeltExpiry => draft.set(Cbor::text(&EXPIRY.to_uppercase()), Cbor::text("never")),
        _ => apply_payload(&mut draft.payload, defect),
    }
    Ok(())
}

/// The value of a protected attribute.
fn value_of(draft: &CoseDraft, name: &str) -> Option<Cbor> {
    draft.protected.iter().find(|(label, _)| *label == Cbor::text(name)).map(|(_, value)| value.clone())
}

/// What is wrong with a payload as such, whatever the format of the envelope.
fn apply_payload(payload: &mut Vec<u8>, defect: SigningDefect) {
    match defect {
        SigningDefect::PayloadNotJson => *payload = b"no JSON".to_vec(),
        SigningDefect::PayloadMisspelt => add_to_descriptor(payload, r#""Annotations":{"a":"b"}"#),
        SigningDefect::PayloadNamesInTwoCases => add_to_descriptor(payload, r#""note":1,"Note":2"#),
        SigningDefect::PayloadInnerNamesInTwoCases => add_to_descriptor(payload, r#""note":{"a":1,"A":2}"#),
        _ => {}
    }
}

/// Adds members at the end of the descriptor, which is all that a payload holds.
fn add_to_descriptor(payload: &mut Vec<u8>, members: &str) {
    payload.truncate(payload.len().saturating_sub(2));
    payload.extend_from_slice(format!(",{members}}}}}").as_bytes());
}

/// A kind of key that `key` is not.
fn other(key: &Key) -> KeyKind {
    if key.kind() == KeyKind::P384 { KeyKind::P256 } else { KeyKind::P384 }
}

fn impostor(key: &Key) -> Result<Key, ForgeError> {
    Key::pooled(key.kind(), IMPOSTOR)
}
