//! Tampering: what can be done to a signature with write access to its registry, and without its key.
//!
//! Envelopes are taken apart and put together with plain JSON and CBOR libraries, not with the parsers that verify them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use crate::forge::words::words;
use crate::forge::{Artifact, Blob};
use crate::limits;
use crate::manifest::Descriptor;

words! {
    /// What is done to a signature in the registry.
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

/// What `with` of a tampering names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Key,
    Artifact,
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

    /// Whether it changes the manifest, and not the envelope.
    pub(super) fn is_of_manifests(self) -> bool {
        matches!(
            self,
            Tampering::MoveTo
                | Tampering::WrongMediaType
                | Tampering::SecondLayer
                | Tampering::Oversize
                | Tampering::RemoveEnvelope
        )
    }
}

/// What an operator needs beside the signature.
#[derive(Debug, Clone)]
pub(super) enum Material<'a> {
    Nothing,
    /// A certificate chain.
    Chain(&'a [Vec<u8>]),
    /// Another signature.
    Signature(Artifact),
    /// Another artifact.
    Subject(Descriptor),
}

/// The signature `artifact`, changed. The manifest is made anew, since content has the name of its digest.
///
/// # Errors
/// Why it cannot be changed so.
pub(super) fn tampered(artifact: &Artifact, operator: Tampering, material: &Material<'_>) -> Result<Artifact, String> {
    let envelope = envelope(artifact)?;
    let change = |change: &dyn Fn(&mut dyn Envelope) -> Result<(), String>| {
        let bytes = with_envelope(&envelope, &mut |envelope: &mut dyn Envelope| change(envelope))?;
        replaced(artifact, Blob::new(&envelope.descriptor.media_type, bytes), |_| {})
    };
    match (operator, material) {
        (Tampering::FlipPayload, _) => change(&|envelope| {
            let mut payload = envelope.payload()?;
            flip_last_digit(&mut payload)?;
            envelope.set_payload(payload)
        }),
        (Tampering::FlipProtected, _) => change(&|envelope| envelope.flip_protected()),
        (Tampering::FlipSignature, _) => change(&|envelope| envelope.flip_signature()),
        (Tampering::FlipChain, _) => change(&|envelope| {
            let mut chain = envelope.chain()?;
            let last = chain.first_mut().and_then(|leaf| leaf.last_mut()).ok_or("there is no certificate")?;
            *last ^= 1;
            envelope.set_chain(chain)
        }),
        (Tampering::DropRoot, _) => change(&|envelope| {
            let mut chain = envelope.chain()?;
            chain.pop();
            envelope.set_chain(chain)
        }),
        (Tampering::ReverseChain, _) => change(&|envelope| {
            let mut chain = envelope.chain()?;
            chain.reverse();
            envelope.set_chain(chain)
        }),
        (Tampering::SwapChain, Material::Chain(chain)) => change(&|envelope| envelope.set_chain(chain.to_vec())),
        (Tampering::ReplacePayload, Material::Signature(other)) => {
            let other = self::envelope(other)?;
            let mut payload = Vec::new();
            with_envelope(&other, &mut |envelope: &mut dyn Envelope| {
                payload = envelope.payload()?;
                Ok(())
            })?;
            change(&|envelope| envelope.set_payload(payload.clone()))
        }
        (Tampering::ReplaceEnvelope, Material::Signature(other)) => {
            replaced(artifact, self::envelope(other)?.clone(), |_| {})
        }
        (Tampering::MoveTo, Material::Subject(subject)) => replaced(artifact, envelope.clone(), |manifest| {
            manifest["subject"] =
                json!({ "mediaType": subject.media_type, "digest": subject.digest, "size": subject.size });
        }),
        (Tampering::Truncate, _) => {
            let half = envelope.bytes.slice(..envelope.bytes.len() / 2);
            replaced(artifact, Blob::new(&envelope.descriptor.media_type, half), |_| {})
        }
        (Tampering::WrongMediaType, _) => {
            replaced(artifact, Blob::new("application/octet-stream", envelope.bytes.clone()), |_| {})
        }
        (Tampering::SecondLayer, _) => replaced(artifact, envelope.clone(), |manifest| {
            if let Some(layers) = layers(manifest) {
                layers.extend(layers.first().cloned());
            }
        }),
        (Tampering::Oversize, _) => replaced(artifact, envelope.clone(), |manifest| {
            if let Some(layer) = layers(manifest).and_then(|layers| layers.first_mut()) {
                layer["size"] = json!(limits::ENVELOPE_BYTES + 1);
            }
        }),
        (operator, _) => Err(format!("{} changes no envelope", operator.as_str())),
    }
}

/// The envelope of a signature: its last blob.
pub(super) fn envelope(artifact: &Artifact) -> Result<Blob, String> {
    artifact.blobs.last().cloned().ok_or_else(|| "the signature has no envelope".to_owned())
}

/// The list of a signature manifest that names the envelope.
fn layers(manifest: &mut Json) -> Option<&mut Vec<Json>> {
    let member = if manifest.get("layers").is_some() { "layers" } else { "blobs" };
    manifest.get_mut(member).and_then(Json::as_array_mut)
}

/// The signature with another envelope, and what else is to be different in its manifest.
fn replaced(artifact: &Artifact, envelope: Blob, change: impl FnOnce(&mut Json)) -> Result<Artifact, String> {
    let mut manifest: Json = serde_json::from_slice(&artifact.manifest.bytes)
        .map_err(|error| format!("the manifest is no JSON: {error}"))?;
    if let Some(layer) = layers(&mut manifest).and_then(|layers| layers.first_mut()) {
        let descriptor = &envelope.descriptor;
        *layer = json!({ "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size });
    }
    change(&mut manifest);
    let mut blobs = artifact.blobs.clone();
    blobs.pop();
    blobs.push(envelope);
    let old = artifact.descriptor();
    let mut manifest = Blob::new(&old.media_type, manifest.to_string());
    manifest.descriptor.artifact_type = old.artifact_type.clone();
    Ok(Artifact { manifest, blobs })
}

/// An envelope taken apart.
trait Envelope {
    fn payload(&self) -> Result<Vec<u8>, String>;
    fn set_payload(&mut self, payload: Vec<u8>) -> Result<(), String>;
    fn chain(&self) -> Result<Vec<Vec<u8>>, String>;
    fn set_chain(&mut self, chain: Vec<Vec<u8>>) -> Result<(), String>;
    fn flip_protected(&mut self) -> Result<(), String>;
    fn flip_signature(&mut self) -> Result<(), String>;
    fn bytes(&self) -> Result<Vec<u8>, String>;
}

fn with_envelope(
    envelope: &Blob,
    change: &mut dyn FnMut(&mut dyn Envelope) -> Result<(), String>,
) -> Result<Vec<u8>, String> {
    if envelope.descriptor.media_type == "application/cose" {
        let value = ciborium::from_reader(&*envelope.bytes).map_err(|error| format!("no CBOR: {error}"))?;
        let mut cose = Cose(value);
        change(&mut cose)?;
        cose.bytes()
    } else {
        let value = serde_json::from_slice(&envelope.bytes).map_err(|error| format!("no JSON: {error}"))?;
        let mut jws = Jws(value);
        change(&mut jws)?;
        jws.bytes()
    }
}

struct Jws(Json);

impl Jws {
    fn text(&self, member: &str) -> Result<Vec<u8>, String> {
        let text = self.0.get(member).and_then(Json::as_str).ok_or_else(|| format!("the envelope has no {member}"))?;
        URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("{member} is no base64url: {error}"))
    }

    fn set(&mut self, member: &str, bytes: &[u8]) {
        self.0[member] = json!(URL_SAFE_NO_PAD.encode(bytes));
    }
}

impl Envelope for Jws {
    fn payload(&self) -> Result<Vec<u8>, String> {
        self.text("payload")
    }

    fn set_payload(&mut self, payload: Vec<u8>) -> Result<(), String> {
        self.set("payload", &payload);
        Ok(())
    }

    fn chain(&self) -> Result<Vec<Vec<u8>>, String> {
        let chain = self.0.pointer("/header/x5c").and_then(Json::as_array).ok_or("the envelope has no chain")?;
        let decode = |text: &Json| STANDARD.decode(text.as_str().unwrap_or_default()).map_err(|e| e.to_string());
        chain.iter().map(decode).collect()
    }

    fn set_chain(&mut self, chain: Vec<Vec<u8>>) -> Result<(), String> {
        let chain: Vec<String> = chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
        self.0["header"]["x5c"] = json!(chain);
        Ok(())
    }

    fn flip_protected(&mut self) -> Result<(), String> {
        let mut header = self.text("protected")?;
        // The last digit of a time, before its Z: another time, and a header that can still be read.
        let at = header.windows(2).rposition(|two| two == b"Z\"").ok_or("the protected header has no time")?;
        let digit = at.checked_sub(1).and_then(|at| header.get_mut(at)).ok_or("the protected header has no time")?;
        *digit ^= 1;
        self.set("protected", &header);
        Ok(())
    }

    fn flip_signature(&mut self) -> Result<(), String> {
        let mut signature = self.text("signature")?;
        flip_middle(&mut signature);
        self.set("signature", &signature);
        Ok(())
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.to_string().into_bytes())
    }
}

struct Cose(ciborium::Value);

impl Cose {
    fn items(&self) -> Result<&Vec<ciborium::Value>, String> {
        let (_, message) = self.0.as_tag().ok_or("the envelope has no tag")?;
        message.as_array().ok_or_else(|| "the envelope is no array".to_owned())
    }

    fn item(&mut self, position: usize) -> Result<&mut ciborium::Value, String> {
        let (_, message) = self.0.as_tag_mut().ok_or("the envelope has no tag")?;
        let items = message.as_array_mut().ok_or("the envelope is no array")?;
        items.get_mut(position).ok_or_else(|| "the envelope is too short".to_owned())
    }

    fn octets(&mut self, position: usize) -> Result<&mut Vec<u8>, String> {
        self.item(position)?.as_bytes_mut().ok_or_else(|| "the envelope is not made of bytes".to_owned())
    }

    fn chain_label(label: &ciborium::Value) -> bool {
        label.as_integer().is_some_and(|label| label == 33.into())
    }
}

impl Envelope for Cose {
    fn payload(&self) -> Result<Vec<u8>, String> {
        let payload = self.items()?.get(2).and_then(ciborium::Value::as_bytes);
        payload.cloned().ok_or_else(|| "the envelope has no payload".to_owned())
    }

    fn set_payload(&mut self, payload: Vec<u8>) -> Result<(), String> {
        *self.octets(2)? = payload;
        Ok(())
    }

    fn chain(&self) -> Result<Vec<Vec<u8>>, String> {
        let header = self.items()?.get(1).and_then(ciborium::Value::as_map).ok_or("the envelope has no header")?;
        let chain = header.iter().find(|(label, _)| Cose::chain_label(label)).map(|(_, chain)| chain);
        let chain = chain.and_then(ciborium::Value::as_array).ok_or("the envelope has no chain")?;
        Ok(chain.iter().filter_map(ciborium::Value::as_bytes).cloned().collect())
    }

    fn set_chain(&mut self, chain: Vec<Vec<u8>>) -> Result<(), String> {
        let header = self.item(1)?.as_map_mut().ok_or("the envelope has no header")?;
        let place = header.iter_mut().find(|(label, _)| Cose::chain_label(label));
        let (_, place) = place.ok_or("the envelope has no chain")?;
        *place = ciborium::Value::Array(chain.into_iter().map(ciborium::Value::Bytes).collect());
        Ok(())
    }

    fn flip_protected(&mut self) -> Result<(), String> {
        let header = self.octets(0)?;
        // A time: tag 1 before an integer of four bytes.
        let at = header.windows(2).rposition(|two| two == [0xc1, 0x1a]).ok_or("the protected header has no time")?;
        let last = header.get_mut(at + 5).ok_or("the protected header has no time")?;
        *last ^= 1;
        Ok(())
    }

    fn flip_signature(&mut self) -> Result<(), String> {
        flip_middle(self.octets(3)?);
        Ok(())
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        ciborium::into_writer(&self.0, &mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

fn flip_middle(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
}

/// Turns the last bit of the last digit: JSON stays JSON, and says another number.
fn flip_last_digit(text: &mut [u8]) -> Result<(), String> {
    let digit = text.iter_mut().rfind(|byte| byte.is_ascii_digit()).ok_or("the payload has no digit")?;
    *digit ^= 1;
    Ok(())
}
