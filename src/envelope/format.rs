//! The two envelope formats and the media types that name them.
//!
//! Follows *signature-specification*, Signature Envelope. The media type of the signature manifest's layer alone decides
//! which parser reads the bytes: they are never sniffed, and a media type with a parameter is another media type.

use crate::failure::{Code, Failure, quote};

/// A signature envelope format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JWS in flattened JSON serialization.
    Jws,
    /// A tagged COSE_Sign1 structure.
    Cose,
}

impl Format {
    /// The media type: `application/jose+json` or `application/cose`.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Jws => "application/jose+json",
            Format::Cose => "application/cose",
        }
    }

    /// The format of exactly this media type, or [`Code::EnvelopeFormatUnsupported`].
    pub fn of_media_type(media_type: &str) -> Result<Format, Failure> {
        let format = [Format::Jws, Format::Cose].into_iter().find(|format| format.media_type() == media_type);
        format.ok_or_else(|| {
            let message =
                format!("the envelope's media type {} is not one of the two that are known", quote(media_type));
            Failure::new(Code::EnvelopeFormatUnsupported, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b27_media_types_are_exact() {
        for format in [Format::Jws, Format::Cose] {
            assert_eq!(Format::of_media_type(format.media_type()), Ok(format));
        }
        for other in [
            "",
            "application/jose+json; charset=utf-8",
            "application/jose+json;",
            "Application/JOSE+JSON",
            " application/cose",
            "application/cose; cose-type=\"cose-sign1\"",
            "application/jose",
            "application/json",
        ] {
            assert_eq!(Format::of_media_type(other).unwrap_err().code, Code::EnvelopeFormatUnsupported, "{other:?}");
        }
    }
}
