//! What the signer says about the signature, checked.
//!
//! Follows *signature-specification*, Signed Attributes and Unsigned Attributes, and *signing-scheme*: which time must be
//! there and which must not. Whether a time lies in a certificate's validity, or an expiry behind now, is for the
//! verifier: nothing here knows a clock.

use time::OffsetDateTime;

use super::attribute::{
    AUTHENTIC_SIGNING_TIME, Attribute, EXPIRY, Label, Protected, SIGNING_SCHEME, SIGNING_TIME, SYSTEM,
    VERIFICATION_PLUGIN, VERIFICATION_PLUGIN_MINIMUM_VERSION, Value,
};
use super::format::Format;
use super::unknown::Unknown;
use super::{critical, instant};
use crate::failure::{Code, Failure, quote};
use crate::timestamp::Token;

/// By which rules the signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningScheme {
    /// `notary.x509`: the signer holds the key, and the signing time is a claim.
    X509,
    /// `notary.x509.signingAuthority`: an authority signs for others, and its time is believed.
    SigningAuthority,
}

impl SigningScheme {
    /// The word of the specification: `notary.x509`.
    pub fn as_str(self) -> &'static str {
        match self {
            SigningScheme::X509 => "notary.x509",
            SigningScheme::SigningAuthority => "notary.x509.signingAuthority",
        }
    }
}

/// The attributes of a verified signature.
#[derive(Debug, Clone)]
pub struct SignerInfo {
    /// The signing scheme.
    pub scheme: SigningScheme,
    /// When the artifact was signed: claimed by the signer under [`SigningScheme::X509`], stated by the authority under
    /// [`SigningScheme::SigningAuthority`]. See [`SignerInfo::authentic_signing_time`].
    pub signing_time: OffsetDateTime,
    /// From when on the signature is expired; later than `signing_time`.
    pub expiry: Option<OffsetDateTime>,
    /// The plugin that must take part in the verification.
    pub verification_plugin: Option<VerificationPlugin>,
    /// Signed attributes that the specification does not name. A critical one is only here when a plugin is named.
    pub extended_attributes: Vec<ExtendedAttribute>,
    /// The primitive signature, which a time stamp is over.
    pub signature: Vec<u8>,
    /// The RFC 3161 token, not signed and not checked. Never there under [`SigningScheme::SigningAuthority`].
    pub timestamp_token: Option<Token>,
    /// What made the signature; not signed, untrusted text.
    pub signing_agent: Option<String>,
}

/// A verification plugin that a signature names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationPlugin {
    /// The name of the plugin; untrusted text, and not checked to be a file name.
    pub name: String,
    /// The lowest version that will do; untrusted text.
    pub minimum_version: Option<String>,
}

/// A signed attribute that the specification does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedAttribute {
    /// The name of the attribute, or its number in decimal digits; untrusted text.
    pub name: String,
    /// Whether that is a number, which only COSE has.
    pub numbered: bool,
    /// The value when that is text, untrusted.
    pub text: Option<String>,
    /// The value as JSON text, untrusted: any in JWS; in COSE text, integers, booleans and null. `None` for anything
    /// else.
    pub json: Option<String>,
    /// Whether a verifier that does not know the attribute must refuse the signature.
    pub critical: bool,
}

/// What an envelope carries besides the signed attributes.
#[derive(Debug)]
pub(super) struct Unsigned {
    pub(super) signature: Vec<u8>,
    pub(super) timestamp_token: Option<Vec<u8>>,
    pub(super) signing_agent: Option<String>,
}

impl SignerInfo {
    /// The signing time if it may be believed: only under [`SigningScheme::SigningAuthority`].
    pub fn authentic_signing_time(&self) -> Option<OffsetDateTime> {
        (self.scheme == SigningScheme::SigningAuthority).then_some(self.signing_time)
    }

    /// Checks the attributes of a header whose signature has been verified: scheme, then what is critical, then times.
    pub(super) fn read(
        format: Format,
        protected: Protected,
        unsigned: Unsigned,
        notes: &mut Vec<String>,
    ) -> Result<SignerInfo, Failure> {
        let scheme = scheme(&protected)?;
        critical::check(format, scheme, &protected)?;
        let signing_time = signing_time(format, scheme, &protected, notes)?;
        let expiry = expiry(format, signing_time, &protected, notes)?;
        let verification_plugin = plugin(&protected)?;
        let extended_attributes = extended(protected);
        let mut unknown = Unknown::default();
        extended_attributes.iter().for_each(|attribute| unknown.add(&attribute.name));
        notes.extend(unknown.note("the protected header has attributes that are"));
        let mut timestamp_token = unsigned.timestamp_token;
        if scheme == SigningScheme::SigningAuthority && timestamp_token.take().is_some() {
            notes.push(format!("a time stamp has no meaning under {} and is left alone", scheme.as_str()));
        }
        Ok(SignerInfo {
            scheme,
            signing_time,
            expiry,
            verification_plugin,
            extended_attributes,
            signature: unsigned.signature,
            timestamp_token: timestamp_token.map(Token),
            signing_agent: unsigned.signing_agent,
        })
    }
}

fn scheme(protected: &Protected) -> Result<SigningScheme, Failure> {
    let unsupported = |message: String| Err(Failure::new(Code::SigningSchemeUnsupported, message));
    match protected.get(SIGNING_SCHEME) {
        Some(Value::Text(text)) => {
            let known = [SigningScheme::X509, SigningScheme::SigningAuthority];
            match known.into_iter().find(|scheme| scheme.as_str() == text) {
                Some(scheme) => Ok(scheme),
                None => unsupported(format!("the signing scheme {} is not one of the two that are known", quote(text))),
            }
        }
        Some(_) => unsupported("the signing scheme is not text".to_owned()),
        None => unsupported("the signing scheme is missing".to_owned()),
    }
}

fn signing_time(
    format: Format,
    scheme: SigningScheme,
    protected: &Protected,
    notes: &mut Vec<String>,
) -> Result<OffsetDateTime, Failure> {
    let malformed = |message: String| Failure::new(Code::SigningTimeMalformed, message);
    let (wanted, unwanted, what) = match scheme {
        SigningScheme::X509 => (SIGNING_TIME, AUTHENTIC_SIGNING_TIME, "the signing time"),
        SigningScheme::SigningAuthority => (AUTHENTIC_SIGNING_TIME, SIGNING_TIME, "the authentic signing time"),
    };
    if protected.get(unwanted).is_some() {
        return Err(malformed(format!("{} must not be there under {}", quote(unwanted), scheme.as_str())));
    }
    let Some(value) = protected.get(wanted) else {
        return Err(malformed(format!("{} is missing under {}", quote(wanted), scheme.as_str())));
    };
    time(format, what, value, notes).map_err(malformed)
}

fn expiry(
    format: Format,
    signing_time: OffsetDateTime,
    protected: &Protected,
    notes: &mut Vec<String>,
) -> Result<Option<OffsetDateTime>, Failure> {
    let malformed = |message: String| Failure::new(Code::ExpiryMalformed, message);
    let Some(value) = protected.get(EXPIRY) else { return Ok(None) };
    let expiry = time(format, "the expiry", value, notes).map_err(malformed)?;
    if expiry <= signing_time {
        return Err(malformed(format!("the expiry {expiry} is not after the signing time {signing_time}")));
    }
    Ok(Some(expiry))
}

fn time(format: Format, what: &str, value: &Value, notes: &mut Vec<String>) -> Result<OffsetDateTime, String> {
    let instant = instant::read(format, value).map_err(|fault| format!("{what} {fault}"))?;
    if instant.fractional {
        notes.push(format!("{what} has a fraction of a second, which the specification does not allow"));
    }
    Ok(instant.at)
}

fn plugin(protected: &Protected) -> Result<Option<VerificationPlugin>, Failure> {
    let text = |name: &str| match protected.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(Failure::new(Code::CriticalMalformed, format!("{} is empty or not text", quote(name)))),
    };
    let minimum_version = text(VERIFICATION_PLUGIN_MINIMUM_VERSION)?;
    Ok(text(VERIFICATION_PLUGIN)?.map(|name| VerificationPlugin { name, minimum_version }))
}

fn extended(protected: Protected) -> Vec<ExtendedAttribute> {
    let Protected { critical, attributes, .. } = protected;
    let critical: std::collections::HashSet<Label> = critical.into_iter().flatten().collect();
    let known = |label: &Label| {
        label.is_one_of(&SYSTEM) || label.is_one_of(&[VERIFICATION_PLUGIN, VERIFICATION_PLUGIN_MINIMUM_VERSION])
    };
    let extended = attributes.into_iter().filter(|attribute| !known(&attribute.label));
    extended
        .map(|Attribute { label, value }| {
            let is_critical = critical.contains(&label);
            let (name, numbered) = match label {
                Label::Text(name) => (name, false),
                Label::Integer(number) => (number.to_string(), true),
            };
            let (text, json) = match value {
                Value::Text(text) => {
                    let json = serde_json::Value::from(text.as_str()).to_string();
                    (Some(text), Some(json))
                }
                Value::Null => (None, Some("null".to_owned())),
                Value::Other(json) => (None, json),
                Value::EscapedText | Value::Seconds(_) | Value::FractionalSeconds(_) => (None, None),
            };
            ExtendedAttribute { name, numbered, text, json, critical: is_critical }
        })
        .collect()
}

#[cfg(test)]
mod tests;
