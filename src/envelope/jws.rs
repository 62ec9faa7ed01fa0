//! JWS envelopes: flattened JSON serialization.
//!
//! Follows *signature-envelope-jws* and RFC 7515. Refused: the general and the compact serialization, members that are
//! repeated or spelt in another case (in the protected header and the payload at every depth; elsewhere where a rule reads
//! them), a header that is in both headers, and base64 with padding where none belongs, line breaks, or bits that say
//! nothing. Members that no signature covers and no rule reads are skipped, whatever they hold. The signature is over the
//! base64 text that was received. Nothing of an envelope is held as a tree.

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::value::RawValue;

use super::algorithm::{self, Algorithm};
use super::attribute::{
    AUTHENTIC_SIGNING_TIME, Attribute, EXPIRY, Label, Protected, SIGNING_AGENT, SIGNING_SCHEME, SIGNING_TIME, TIMES,
    TIMESTAMP_SIGNATURE, VERIFICATION_PLUGIN, VERIFICATION_PLUGIN_MINIMUM_VERSION, Value,
};
use super::format::Format;
use super::signer_info::Unsigned;
use super::unknown::Unknown;
use super::{UnverifiedEnvelope, chain_malformed, check_certificate_length, check_chain_length, malformed};
use crate::failure::{Code, Failure, quote};
use crate::json::{self, JsonError, Members};
use crate::limits;

const ENVELOPE_MEMBERS: [&str; 4] = ["payload", "protected", "header", "signature"];
/// The member by which an envelope is in general serialization.
const GENERAL: &str = "signatures";
const UNPROTECTED_MEMBERS: [&str; 3] = ["x5c", TIMESTAMP_SIGNATURE, SIGNING_AGENT];
const PROTECTED_MEMBERS: [&str; 9] = [
    "alg",
    "cty",
    "crit",
    SIGNING_SCHEME,
    SIGNING_TIME,
    AUTHENTIC_SIGNING_TIME,
    EXPIRY,
    VERIFICATION_PLUGIN,
    VERIFICATION_PLUGIN_MINIMUM_VERSION,
];

/// Reads the structure of an envelope. Errors are [`Code::EnvelopeMalformed`] or, for `x5c`, [`Code::ChainMalformed`];
/// what the protected header says is kept for later.
pub(super) fn parse(bytes: &[u8]) -> Result<UnverifiedEnvelope, Failure> {
    let mut unknown = Unknown::default();
    let known = |name: &str| name == GENERAL || json::is_one_of_ignoring_case(name, &ENVELOPE_MEMBERS);
    let envelope = json::text(bytes).and_then(|text| json::known_members(text, known, |name| unknown.add(name)));
    let envelope = envelope.map_err(|error| fault("the envelope", &error))?;
    refuse_variants("the envelope", &envelope, &ENVELOPE_MEMBERS)?;
    if envelope.get(GENERAL).is_some() {
        return Err(malformed("the envelope is in general serialization; signatures use the flattened one"));
    }
    let mut notes = Vec::from_iter(unknown.note("the envelope has members that are"));

    let protected_text = text(&envelope, "protected")?;
    let payload_text = text(&envelope, "payload")?;
    let protected_bytes = base64url("protected", &protected_text)?;
    let payload = base64url("payload", &payload_text)?;
    let signature = base64url("signature", &text(&envelope, "signature")?)?;
    if signature.is_empty() {
        return Err(malformed("the signature is empty"));
    }

    let protected = json::text(&protected_bytes).and_then(|text| json::check(text).and_then(|()| json::members(text)));
    let protected = protected.map_err(|error| fault("the protected header", &error))?;
    refuse_variants("the protected header", &protected, &PROTECTED_MEMBERS)?;
    let header = envelope.get("header").ok_or_else(|| chain_malformed("the envelope has no header with a chain"))?;
    let header = read_unprotected(header.get(), &protected, &mut notes)?;

    Ok(UnverifiedEnvelope {
        format: Format::Jws,
        algorithm: read_algorithm(&protected),
        signed: [protected_text.as_bytes(), payload_text.as_bytes()].join(&b'.'),
        payload,
        protected: read_protected(&protected),
        chain: read_chain(&header)?,
        unsigned: Unsigned {
            signature,
            timestamp_token: read_token(&header)?,
            signing_agent: optional_text(&header, SIGNING_AGENT)?,
        },
        notes,
    })
}

fn read_algorithm(protected: &Members<'_>) -> Result<Algorithm, Failure> {
    let algorithm = protected.get("alg").ok_or_else(|| algorithm::unsupported("the algorithm is missing"))?;
    match json::string(algorithm) {
        Ok(name) => Algorithm::of_jws(&name),
        Err(error) => Err(algorithm::unsupported(format!("the algorithm is malformed: {error}"))),
    }
}

fn read_protected(protected: &Members<'_>) -> Protected {
    let mut attributes = Vec::new();
    for (name, value) in protected.iter() {
        let nothing = name == EXPIRY && json::is_null(value);
        if !nothing && !matches!(name, "alg" | "cty" | "crit") {
            attributes.push(Attribute { label: Label::from(name), value: read_value(name, value) });
        }
    }
    let content_type = protected.get("cty").and_then(|value| json::string(value).ok()).map(Cow::into_owned);
    Protected { content_type, critical: read_critical(protected), attributes }
}

/// A value of the protected header, which has been checked to the bottom.
fn read_value(name: &str, value: &RawValue) -> Value {
    if json::is_null(value) {
        return Value::Null;
    }
    match json::string(value) {
        // The reference implementation reads times from the text as it stands, and takes this one for none.
        Ok(_) if TIMES.contains(&name) && value.get().contains('\\') => Value::EscapedText,
        Ok(text) => Value::Text(text.into_owned()),
        Err(_) => Value::Other(Some(value.get().to_owned())),
    }
}

fn read_critical(protected: &Members<'_>) -> Result<Vec<Label>, Failure> {
    let critical_malformed = |message: String| Failure::new(Code::CriticalMalformed, message);
    let list = protected.get("crit").ok_or_else(|| critical_malformed("crit is missing".to_owned()))?;
    let names = json::array_of_at_most(limits::JSON_MEMBERS, list).and_then(|elements| {
        let names =
            elements.into_iter().map(|element| json::string(element).map(|name| Label::Text(name.into_owned())));
        names.collect::<Result<Vec<Label>, JsonError>>()
    });
    match names {
        Ok(names) if names.is_empty() => Err(critical_malformed("crit is empty".to_owned())),
        Ok(names) => Ok(names),
        Err(error) => Err(critical_malformed(format!("crit is malformed: {error}"))),
    }
}

fn read_chain(header: &Members<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let x5c_fault = |error: JsonError| chain_malformed(format!("x5c is malformed: {error}"));
    let x5c = header.get("x5c").ok_or_else(|| chain_malformed("the unprotected header has no x5c"))?;
    let certificates = json::array_of_at_most(limits::CHAIN_CERTIFICATES, x5c).map_err(x5c_fault)?;
    check_chain_length(certificates.len())?;
    let mut chain = Vec::with_capacity(certificates.len());
    for certificate in certificates {
        let encoded = json::string(certificate).map_err(x5c_fault)?;
        check_certificate_length((encoded.len() / 4 * 3).saturating_sub(2))?;
        let decoded = BASE64_STANDARD.decode(encoded.as_bytes());
        chain.push(decoded.map_err(|_| chain_malformed("x5c has a certificate that is not strict base64"))?);
    }
    Ok(chain)
}

/// The time stamp token; an absent, `null` or empty value counts as no token.
fn read_token(header: &Members<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(encoded) = optional_text(header, TIMESTAMP_SIGNATURE)? else { return Ok(None) };
    let token = BASE64_STANDARD.decode(encoded.as_bytes());
    let token = token.map_err(|_| malformed(format!("{} is not strict base64", quote(TIMESTAMP_SIGNATURE))))?;
    Ok((!token.is_empty()).then_some(token))
}

fn optional_text(header: &Members<'_>, name: &str) -> Result<Option<String>, Failure> {
    match header.get(name) {
        None => Ok(None),
        Some(value) if json::is_null(value) => Ok(None),
        Some(value) => {
            json::string(value).map(|text| Some(text.into_owned())).map_err(|error| fault(&quote(name), &error))
        }
    }
}

fn text<'a>(envelope: &Members<'a>, name: &str) -> Result<Cow<'a, str>, Failure> {
    let value = envelope.get(name).ok_or_else(|| malformed(format!("the envelope has no {name}")))?;
    json::string(value).map_err(|error| fault(name, &error))
}

fn base64url(name: &str, encoded: &str) -> Result<Vec<u8>, Failure> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded);
    decoded.map_err(|_| malformed(format!("{name} is not strict base64url without padding")))
}

fn refuse_variants(what: &str, members: &Members<'_>, known: &[&str]) -> Result<(), Failure> {
    match members.case_variant_of(known) {
        Some(variant) => Err(malformed(format!("{what} has the misspelt member {}", quote(variant)))),
        None => Ok(()),
    }
}

/// The members of the unprotected header that a rule reads. RFC 7515, section 7.2.1: none may stand in the protected header
/// too, known or not.
fn read_unprotected<'a>(
    text: &'a str,
    protected: &Members<'_>,
    notes: &mut Vec<String>,
) -> Result<Members<'a>, Failure> {
    let names: HashSet<&str> = protected.iter().map(|(name, _)| name).collect();
    let (mut unknown, mut common) = (Unknown::default(), None);
    let known = |name: &str| json::is_one_of_ignoring_case(name, &UNPROTECTED_MEMBERS);
    let header = json::known_members(text, known, |name| match names.get(name) {
        Some(&name) => common = Some(name),
        None => unknown.add(name),
    });
    let header = header.map_err(|error| fault("the unprotected header", &error))?;
    refuse_variants("the unprotected header", &header, &UNPROTECTED_MEMBERS)?;
    let common = common.or_else(|| header.iter().find_map(|(name, _)| names.get(name).copied()));
    if let Some(name) = common {
        return Err(malformed(format!("{} is in both headers", quote(name))));
    }
    notes.extend(unknown.note("the unprotected header has members that are"));
    Ok(header)
}

fn fault(what: &str, error: &JsonError) -> Failure {
    malformed(format!("{what} is malformed: {error}"))
}

#[cfg(test)]
mod tests;
