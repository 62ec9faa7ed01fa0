//! Asking a token for its objects and their attributes, so that every module answers.
//!
//! Objects are asked for one at a time: some modules give fewer than they were asked for and have more. Attributes are
//! asked for one by one, their length first: some modules answer a question about several with an error for all where they
//! do not know one, and leave in place what was there before. What a module does not know is unknown and never "no". All
//! lists and values have bounds.

use std::num::NonZeroUsize;

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeInfo, AttributeType, ObjectHandle};
use cryptoki::session::Session;

use super::answer;
use crate::limits;

/// Objects that were found.
pub(super) struct Found {
    pub(super) handles: Vec<ObjectHandle>,
    /// Whether there are more than were asked for.
    pub(super) more: bool,
}

/// At most `most` of the objects that have all of `template`.
pub(super) fn find(session: &Session, template: &[Attribute], most: usize) -> Result<Found, Error> {
    let mut found = Found { handles: Vec::new(), more: false };
    for handle in session.iter_objects_with_cache_size(template, NonZeroUsize::MIN)? {
        let handle = handle?;
        if found.handles.len() == most {
            found.more = true;
            break;
        }
        found.handles.push(handle);
    }
    Ok(found)
}

/// The same; a search that the module refuses finds nothing, as some search by few attributes only.
///
/// # Errors
///
/// Only if the token is gone.
pub(super) fn find_or_none(session: &Session, template: &[Attribute], most: usize) -> Result<Found, Error> {
    match find(session, template, most) {
        Err(error) if !answer::is_gone(&error) => Ok(Found { handles: Vec::new(), more: false }),
        found => found,
    }
}

/// The attribute of the object, if the module knows it, and if it holds something and not more than
/// [`limits::TOKEN_ATTRIBUTE_BYTES`].
///
/// # Errors
///
/// Only if the token is gone: any other answer means that the attribute is not known.
pub(super) fn read(
    session: &Session,
    object: ObjectHandle,
    attribute: AttributeType,
) -> Result<Option<Attribute>, Error> {
    let unknown = |error: Error| if answer::is_gone(&error) { Err(error) } else { Ok(None) };
    let held = match session.get_attribute_info(object, &[attribute]) {
        Ok(held) => held,
        Err(error) => return unknown(error),
    };
    match held.first() {
        Some(AttributeInfo::Available(1..=limits::TOKEN_ATTRIBUTE_BYTES)) => {}
        _ => return Ok(None),
    }
    match session.get_attributes(object, &[attribute]) {
        Ok(attributes) => Ok(attributes.into_iter().next()),
        Err(error) => unknown(error),
    }
}
