//! COSE envelopes: tagged COSE_Sign1.
//!
//! Follows *signature-envelope-cose* and RFC 9052. Refused, besides what `cbor` refuses: other tags or none, a detached
//! payload, an empty protected header, a label in both headers, registered parameters that are not what is registered, and
//! (with the reference implementation, against RFC 9360) a certificate chain that is a single byte string. The signature is
//! over the protected header as received; it is never encoded again.

use std::collections::HashSet;

use ciborium::Value as Cbor;
use coset::{ProtectedHeader, SignatureContext, sig_structure_data};

use super::algorithm::{self, Algorithm};
use super::attribute::{Attribute, Label, Protected, SIGNING_AGENT, TIMESTAMP_SIGNATURE, Value};
use super::format::Format;
use super::header_parameter::{self, Header};
use super::signer_info::Unsigned;
use super::unknown::Unknown;
use super::{UnverifiedEnvelope, cbor, chain_malformed, check_certificate_length, check_chain_length, malformed};
use crate::failure::{Code, Failure, quote};

/// COSE_Sign1 (tag 18) of an array of four, in the one encoding that the reference implementation reads.
const START: [u8; 2] = [0xd2, 0x84];

const ALGORITHM: Label = Label::Integer(1);
const CRITICAL: Label = Label::Integer(2);
const CONTENT_TYPE: Label = Label::Integer(3);
const X5CHAIN: Label = Label::Integer(33);

/// The tag of a time as seconds since 1970.
const EPOCH: u64 = 1;

/// Reads the structure of an envelope. Errors are [`Code::EnvelopeMalformed`] or, for label 33, [`Code::ChainMalformed`];
/// what the protected header says is kept for later.
pub(super) fn parse(bytes: &[u8]) -> Result<UnverifiedEnvelope, Failure> {
    let Some(items) = bytes.strip_prefix(&START) else {
        return Err(malformed("the envelope is not a COSE_Sign1 structure: tag 18 and an array of four items"));
    };
    cbor::check(bytes).map_err(|error| fault("the envelope", error))?;
    match cbor::leading_byte_string(items) {
        None => return Err(malformed("the protected header is not a byte string")),
        Some([]) => return Err(malformed("the protected header is empty")),
        Some(protected) => cbor::check(protected).map_err(|error| fault("the protected header", error))?,
    }
    let Cbor::Tag(_, items) = decode(bytes)? else { return Err(malformed("the envelope is not tagged")) };
    let items = items.into_array().ok().and_then(|items| <[Cbor; 4]>::try_from(items).ok());
    let Some([Cbor::Bytes(protected), unprotected, payload, signature]) = items else {
        return Err(malformed("the envelope is not an array of four items that starts with a byte string"));
    };
    let header = read_map("the protected header", decode(&protected)?)?;
    let unprotected = read_map("the unprotected header", unprotected)?;
    refuse_common(&header, &unprotected)?;
    header_parameter::check(&header, &unprotected)?;
    let payload = match payload {
        Cbor::Bytes(payload) => payload,
        Cbor::Null => return Err(malformed("the payload is detached")),
        _ => return Err(malformed("the payload is not a byte string")),
    };
    let signature = match signature {
        Cbor::Bytes(signature) if !signature.is_empty() => signature,
        _ => return Err(malformed("the signature is empty or not a byte string")),
    };

    let mut notes = Vec::new();
    let (chain, timestamp_token, signing_agent) = read_unprotected(unprotected, &mut notes)?;
    Ok(UnverifiedEnvelope {
        format: Format::Cose,
        algorithm: read_algorithm(&header),
        signed: signed_bytes(protected, &payload),
        payload,
        protected: read_protected(header),
        chain,
        unsigned: Unsigned { signature, timestamp_token, signing_agent },
        notes,
    })
}

/// Sig_structure of RFC 9052, section 4.4, with nothing supplied from outside.
fn signed_bytes(protected: Vec<u8>, payload: &[u8]) -> Vec<u8> {
    let received = ProtectedHeader { original_data: Some(protected), ..ProtectedHeader::default() };
    sig_structure_data(SignatureContext::CoseSign1, received, None, &[], payload)
}

fn read_map(what: &str, value: Cbor) -> Result<Header, Failure> {
    let Cbor::Map(entries) = value else { return Err(malformed(format!("{what} is not a map"))) };
    let labelled = entries.into_iter().map(|(key, value)| match key {
        Cbor::Integer(number) => Ok((Label::Integer(number.into()), value)),
        Cbor::Text(text) => Ok((Label::Text(text), value)),
        _ => Err(malformed(format!("{what} has a label that is neither an integer nor text"))),
    });
    labelled.collect()
}

/// RFC 9052, section 3: no label stands in both headers.
fn refuse_common(protected: &Header, unprotected: &Header) -> Result<(), Failure> {
    let labels: HashSet<&Label> = protected.iter().map(|(label, _)| label).collect();
    match unprotected.iter().find(|(label, _)| labels.contains(label)) {
        Some((label, _)) => Err(malformed(format!("the label {label} is in both headers"))),
        None => Ok(()),
    }
}

fn read_algorithm(header: &Header) -> Result<Algorithm, Failure> {
    match header.iter().find(|(label, _)| *label == ALGORITHM) {
        Some((_, Cbor::Integer(number))) => match i64::try_from(*number) {
            Ok(number) => Algorithm::of_cose(number),
            Err(_) => Err(algorithm::unsupported("the algorithm is out of range")),
        },
        Some(_) => Err(algorithm::unsupported("the algorithm is not an integer")),
        None => Err(algorithm::unsupported("the algorithm is missing in the protected header")),
    }
}

fn read_protected(header: Header) -> Protected {
    let mut content_type = None;
    let mut critical = Err(critical_malformed("crit is missing"));
    let mut attributes = Vec::new();
    for (label, value) in header {
        match (label, value) {
            (ALGORITHM, _) => {}
            (CRITICAL, value) => critical = read_critical(value),
            (CONTENT_TYPE, value) => content_type = value.into_text().ok(),
            (label, value) => attributes.push(Attribute { label, value: read_value(value) }),
        }
    }
    Protected { content_type, critical, attributes }
}

fn read_value(value: Cbor) -> Value {
    match value {
        Cbor::Text(text) => Value::Text(text),
        Cbor::Null => Value::Null,
        Cbor::Tag(EPOCH, time) => match *time {
            Cbor::Integer(seconds) => Value::Seconds(seconds.into()),
            Cbor::Float(seconds) => Value::FractionalSeconds(seconds),
            _ => Value::Other(None),
        },
        Cbor::Bool(bool) => Value::Other(Some(bool.to_string())),
        Cbor::Integer(number) => Value::Other(Some(i128::from(number).to_string())),
        _ => Value::Other(None),
    }
}

fn read_critical(value: Cbor) -> Result<Vec<Label>, Failure> {
    let Cbor::Array(labels) = value else { return Err(critical_malformed("crit is not an array")) };
    if labels.is_empty() {
        return Err(critical_malformed("crit is empty"));
    }
    let labels = labels.into_iter().map(|label| match label {
        Cbor::Integer(number) => Ok(Label::Integer(number.into())),
        Cbor::Text(text) => Ok(Label::Text(text)),
        _ => Err(critical_malformed("crit has a label that is neither an integer nor text")),
    });
    labels.collect()
}

type Unprotected = (Vec<Vec<u8>>, Option<Vec<u8>>, Option<String>);

/// Chain, time stamp token and signing agent. A token or an agent of the wrong type counts as absent, as for the reference
/// implementation; neither is signed.
fn read_unprotected(header: Header, notes: &mut Vec<String>) -> Result<Unprotected, Failure> {
    let (mut chain, mut token, mut agent) = (None, None, None);
    let mut unknown = Unknown::default();
    for (label, value) in header {
        match value {
            value if label == X5CHAIN => chain = Some(read_chain(value)?),
            Cbor::Bytes(bytes) if label.is(TIMESTAMP_SIGNATURE) => token = (!bytes.is_empty()).then_some(bytes),
            Cbor::Text(text) if label.is(SIGNING_AGENT) => agent = Some(text),
            _ if label.is_one_of(&[TIMESTAMP_SIGNATURE, SIGNING_AGENT]) => {
                notes.push(format!("{label} has the wrong type and is left alone"));
            }
            _ => match label {
                Label::Text(text) => unknown.add(&text),
                Label::Integer(number) => unknown.add_number(number),
            },
        }
    }
    notes.extend(unknown.note("the unprotected header has labels that are"));
    let chain = chain.ok_or_else(|| chain_malformed("the unprotected header has no certificate chain (label 33)"))?;
    Ok((chain, token, agent))
}

fn read_chain(value: Cbor) -> Result<Vec<Vec<u8>>, Failure> {
    let Cbor::Array(certificates) = value else { return Err(chain_malformed("the certificate chain is not an array")) };
    check_chain_length(certificates.len())?;
    let certificates = certificates.into_iter().map(|certificate| match certificate {
        Cbor::Bytes(der) => check_certificate_length(der.len()).map(|()| der),
        _ => Err(chain_malformed("the certificate chain has an element that is not a byte string")),
    });
    certificates.collect()
}

/// Decodes what [`cbor::check`] has let pass.
fn decode(bytes: &[u8]) -> Result<Cbor, Failure> {
    ciborium::from_reader(bytes)
        .map_err(|error| malformed(format!("the CBOR is malformed: {}", quote(&error.to_string()))))
}

fn critical_malformed(message: &str) -> Failure {
    Failure::new(Code::CriticalMalformed, message)
}

fn fault(what: &str, error: cbor::CborError) -> Failure {
    malformed(format!("{what} is malformed: {error}"))
}

#[cfg(test)]
mod tests;
