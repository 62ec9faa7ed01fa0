//! The parts of an ASN.1 SEQUENCE, taken one after the other.
//!
//! CRLs and OCSP answers are read with this and with [`crate::pki::der`] alone: the parsers at hand drop what they find left
//! over, hold a CRL many times in memory, or do not give back the bytes that were signed.

use ::der::Decode;
use ::der::asn1::{GeneralizedTime, UtcTime};
use time::OffsetDateTime;

use super::answer_error::AnswerError;
use crate::pki::der::{self, DerError, Element, Values};

/// The parts of a sequence that have not been taken yet. They are found one by one: a stranger may have put a million there.
pub(super) struct Fields<'a> {
    rest: Values<'a>,
}

const SHAPE: DerError = DerError("does not have the parts that RFC 5280 or RFC 6960 describes");

impl<'a> Fields<'a> {
    /// The parts of `element`, which must have this `tag`.
    pub(super) fn of(element: Element<'a>, tag: u8) -> Result<Fields<'a>, AnswerError> {
        Ok(Fields { rest: element.values(tag)? })
    }

    /// The next part, whatever it is.
    pub(super) fn any(&mut self) -> Result<Element<'a>, AnswerError> {
        Ok(self.next_if(|_| true).ok_or(SHAPE)?)
    }

    /// The next part, which must have this `tag`.
    pub(super) fn required(&mut self, tag: u8) -> Result<Element<'a>, AnswerError> {
        Ok(self.optional(tag).ok_or(SHAPE)?)
    }

    /// The next part, if it has this `tag`.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next_if(|element| element.tag == tag)
    }

    /// What stands inside the next part, if that has this `tag`: one value exactly.
    pub(super) fn explicit(&mut self, tag: u8) -> Result<Option<Element<'a>>, AnswerError> {
        self.optional(tag).map(|wrapper| only_child(wrapper, tag)).transpose()
    }

    /// The next part, if it is a time.
    pub(super) fn optional_time(&mut self) -> Result<Option<OffsetDateTime>, AnswerError> {
        let time = self.next_if(|element| matches!(element.tag, der::UTC_TIME | der::GENERALIZED_TIME));
        time.map(read_time).transpose()
    }

    /// The next part, which must be a time.
    pub(super) fn time(&mut self) -> Result<OffsetDateTime, AnswerError> {
        Ok(self.optional_time()?.ok_or(SHAPE)?)
    }

    /// There must be no more parts.
    pub(super) fn end(&self) -> Result<(), AnswerError> {
        if self.rest.clone().next().is_none() { Ok(()) } else { Err(SHAPE.into()) }
    }

    /// What cannot be read stays where it is, so that nothing after it can be taken either.
    fn next_if(&mut self, wanted: impl FnOnce(&Element<'a>) -> bool) -> Option<Element<'a>> {
        let mut after = self.rest.clone();
        let element = after.next()?.ok().filter(wanted)?;
        self.rest = after;
        Some(element)
    }
}

/// The one value inside `wrapper`, which has this `tag`.
pub(super) fn only_child<'a>(wrapper: Element<'a>, tag: u8) -> Result<Element<'a>, AnswerError> {
    let mut fields = Fields::of(wrapper, tag)?;
    let child = fields.any()?;
    fields.end()?;
    Ok(child)
}

/// A time in whole seconds of UTC, of either type.
pub(super) fn read_time(element: Element<'_>) -> Result<OffsetDateTime, AnswerError> {
    let since_1970 = match element.tag {
        der::UTC_TIME => UtcTime::from_der(element.whole).map(|time| time.to_unix_duration()),
        der::GENERALIZED_TIME => GeneralizedTime::from_der(element.whole).map(|time| time.to_unix_duration()),
        _ => return Err(SHAPE.into()),
    };
    let seconds = since_1970.ok().and_then(|duration| i64::try_from(duration.as_secs()).ok());
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.ok_or_else(|| AnswerError::from("has a time that does not exist, or is not in whole seconds of UTC"))
}

/// A time that must be a GeneralizedTime.
pub(super) fn read_generalized_time(element: Element<'_>) -> Result<OffsetDateTime, AnswerError> {
    if element.tag != der::GENERALIZED_TIME {
        return Err(SHAPE.into());
    }
    read_time(element)
}

/// A reason (RFC 5280, section 5.3.1), by its number. Numbers that are not defined are reasons too.
pub(super) fn read_reason(element: Element<'_>) -> Result<u8, AnswerError> {
    match (element.tag, element.contents) {
        (der::ENUMERATED, [reason @ 0..=0x7f]) => Ok(*reason),
        _ => Err(AnswerError::from("has a malformed revocation reason")),
    }
}

/// What a reason says, for messages.
pub(super) fn reason_text(reason: Option<u8>) -> &'static str {
    match reason {
        None | Some(0) => "no reason given",
        Some(1) => "keyCompromise",
        Some(2) => "cACompromise",
        Some(3) => "affiliationChanged",
        Some(4) => "superseded",
        Some(5) => "cessationOfOperation",
        Some(6) => "certificateHold",
        Some(8) => "removeFromCRL",
        Some(9) => "privilegeWithdrawn",
        Some(10) => "aACompromise",
        Some(_) => "a reason that is not defined",
    }
}
