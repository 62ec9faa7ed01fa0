//! The members of one JSON object of a manifest, read by name and type, with messages that say which one is wrong.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use super::{Descriptor, ManifestError};
use crate::failure::quote;
use crate::json::{self, JsonError, Members};
use crate::limits;

/// The members of an object. A member that is `null` counts as absent, as Go's encoders write absent lists so.
pub(super) struct Fields<'a> {
    /// What the object is, for messages: `config`.
    what: &'static str,
    members: Members<'a>,
}

impl<'a> Fields<'a> {
    /// Reads the object `text`. A member that equals one of `known` only when case is ignored is refused; members that
    /// are not known are left alone.
    pub(super) fn read(what: &'static str, text: &'a str, known: &[&str]) -> Result<Fields<'a>, ManifestError> {
        Fields::known(what, json::members(text), known)
    }

    /// Reads an object inside one that has been read.
    pub(super) fn inside(what: &'static str, value: &'a RawValue, known: &[&str]) -> Result<Fields<'a>, ManifestError> {
        Fields::known(what, json::object(value), known)
    }

    /// The same of members that were read already.
    pub(super) fn known(
        what: &'static str,
        members: Result<Members<'a>, JsonError>,
        known: &[&str],
    ) -> Result<Fields<'a>, ManifestError> {
        let members = members.map_err(|error| ManifestError(format!("{what} cannot be read: {error}")))?;
        match members.case_variant_of(known) {
            Some(name) => Err(ManifestError(format!("{what} has the member {} in the wrong case", quote(name)))),
            None => Ok(Fields { what, members }),
        }
    }

    /// Whether there is a member of this name that is not `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.get(name).filter(|value| !json::is_null(value))
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, ManifestError> {
        value.ok_or_else(|| ManifestError(format!("{} has no {name}", self.what)))
    }

    fn mistyped(&self, name: &str, error: impl fmt::Display) -> ManifestError {
        ManifestError(format!("{name} of {} cannot be read: {error}", self.what))
    }

    /// A string, if it is there and not empty: Go's encoders write an absent string as `""`.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ManifestError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = json::string(value).map_err(|error| self.mistyped(name, error))?;
        Ok((!text.is_empty()).then(|| text.into_owned()))
    }

    /// A string that must be there.
    pub(super) fn required_text(&self, name: &str) -> Result<String, ManifestError> {
        self.required(name, self.text(name)?)
    }

    /// A non-negative integer, if it is there.
    pub(super) fn integer(&self, name: &str) -> Result<Option<u64>, ManifestError> {
        self.get(name).map(|value| json::unsigned(value).map_err(|error| self.mistyped(name, error))).transpose()
    }

    /// A size in bytes that must be there: 63 bits, as every reader counts them.
    pub(super) fn required_size(&self, name: &str) -> Result<u64, ManifestError> {
        let size = self.required(name, self.integer(name)?)?;
        match i64::try_from(size) {
            Ok(_) => Ok(size),
            Err(_) => Err(ManifestError(format!("{name} of {} is {size}, which no content has", self.what))),
        }
    }

    /// Checks a list of strings, if it is there; its contents are not kept.
    pub(super) fn texts(&self, name: &str) -> Result<(), ManifestError> {
        let Some(value) = self.get(name) else { return Ok(()) };
        let elements = json::array_of_at_most(limits::MANIFEST_ENTRIES, value);
        let texts =
            elements.and_then(|elements| elements.into_iter().try_for_each(|text| json::string(text).map(drop)));
        texts.map_err(|error| self.mistyped(name, error))
    }

    /// The elements of a list that must be there; `null` is an empty list.
    pub(super) fn list(&self, name: &str) -> Result<Vec<&'a RawValue>, ManifestError> {
        match self.get(name) {
            Some(value) => {
                json::array_of_at_most(limits::MANIFEST_ENTRIES, value).map_err(|error| self.mistyped(name, error))
            }
            None => self.required(name, self.members.get(name)).map(|_null| Vec::new()),
        }
    }

    /// A list of descriptors that must be there.
    pub(super) fn descriptors(&self, name: &'static str) -> Result<Vec<Descriptor>, ManifestError> {
        self.list(name)?.into_iter().map(|value| Descriptor::read(name, value)).collect()
    }

    /// A descriptor, if it is there.
    pub(super) fn descriptor(&self, name: &'static str) -> Result<Option<Descriptor>, ManifestError> {
        self.get(name).map(|value| Descriptor::read(name, value)).transpose()
    }

    /// A descriptor that must be there.
    pub(super) fn required_descriptor(&self, name: &'static str) -> Result<Descriptor, ManifestError> {
        self.required(name, self.descriptor(name)?)
    }

    /// An object inside this one, if it is there.
    pub(super) fn object(&self, name: &'static str, known: &[&str]) -> Result<Option<Fields<'a>>, ManifestError> {
        self.get(name).map(|value| Fields::inside(name, value, known)).transpose()
    }

    /// The annotations: names to texts, each name once. Here names may differ by case alone, as they are data.
    pub(super) fn annotations(&self) -> Result<BTreeMap<String, String>, ManifestError> {
        let Some(value) = self.get("annotations") else { return Ok(BTreeMap::new()) };
        let entries = json::entries(value).map_err(|error| self.mistyped("annotations", error))?;
        let entry =
            |(name, text): (&str, &RawValue)| json::string(text).map(|text| (name.to_owned(), text.into_owned()));
        entries.iter().map(entry).collect::<Result<_, _>>().map_err(|error| self.mistyped("an annotation", error))
    }
}
