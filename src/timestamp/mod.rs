//! Time stamp countersignatures: RFC 3161 tokens over the signature of an envelope.
//!
//! Follows *signature-specification*, Unsigned Attributes, `io.cncf.notary.timestampSignature`. The token is carried as it
//! came; reading one is not supported yet, so that a policy that demands one leaves the artifact undecided.

/// A time stamp token as the envelope carries it: DER, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(pub Vec<u8>);
