//! The attributes of a protected header in the shape that both formats share.
//!
//! Follows *signature-specification*, Signed Attributes. Nothing here has been judged: a value is kept as it was written,
//! because the signature over it is verified first.

use std::fmt;

use crate::failure::{Failure, quote};

pub(super) const SIGNING_SCHEME: &str = "io.cncf.notary.signingScheme";
pub(super) const SIGNING_TIME: &str = "io.cncf.notary.signingTime";
pub(super) const AUTHENTIC_SIGNING_TIME: &str = "io.cncf.notary.authenticSigningTime";
pub(super) const EXPIRY: &str = "io.cncf.notary.expiry";
pub(super) const VERIFICATION_PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub(super) const VERIFICATION_PLUGIN_MINIMUM_VERSION: &str = "io.cncf.notary.verificationPluginMinVersion";
pub(super) const TIMESTAMP_SIGNATURE: &str = "io.cncf.notary.timestampSignature";
pub(super) const SIGNING_AGENT: &str = "io.cncf.notary.signingAgent";

/// The attributes that are times.
pub(super) const TIMES: [&str; 3] = [SIGNING_TIME, AUTHENTIC_SIGNING_TIME, EXPIRY];

/// The attributes of the specification that a verifier reads itself, without plugin.
pub(super) const SYSTEM: [&str; 4] = [SIGNING_SCHEME, SIGNING_TIME, AUTHENTIC_SIGNING_TIME, EXPIRY];

/// What an attribute is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Label {
    Text(String),
    /// Only in COSE.
    Integer(i128),
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// A time that is text, but was not written as it reads: with escapes. Only in JWS.
    EscapedText,
    Null,
    /// A time as whole seconds since 1970. Only in COSE.
    Seconds(i128),
    /// A time as seconds since 1970, with a fraction. Only in COSE.
    FractionalSeconds(f64),
    /// Something that no rule here asks for: as JSON text, where JSON can say it. No tree is made of what is not
    /// verified yet.
    Other(Option<String>),
}

/// One attribute of a protected header.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    pub(super) label: Label,
    pub(super) value: Value,
}

/// A protected header, as parsed.
#[derive(Debug)]
pub(super) struct Protected {
    /// The content type, if it is there and text.
    pub(super) content_type: Option<String>,
    /// What is listed as critical, or how the list is broken.
    pub(super) critical: Result<Vec<Label>, Failure>,
    /// Everything but algorithm, content type and the list of what is critical. No two have the same label.
    pub(super) attributes: Vec<Attribute>,
}

impl Protected {
    /// The value of the attribute with this name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|attribute| attribute.label.is(name)).map(|attribute| &attribute.value)
    }
}

impl Label {
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Label::Text(text) if text == name)
    }

    pub(super) fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Label {
        Label::Text(name.to_owned())
    }
}

/// Text is quoted and safe to print.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Text(text) => f.write_str(&quote(text)),
            Label::Integer(number) => write!(f, "{number}"),
        }
    }
}
