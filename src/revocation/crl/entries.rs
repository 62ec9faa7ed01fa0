//! The entries of a CRL, found by serial number.
//!
//! Follows RFC 5280, section 5.3. A list may have a million entries and is asked about once a signature, so where each one
//! begins is kept, four bytes an entry, in the order of serial numbers. Every entry is read once before any is believed.

use bytes::Bytes;
use time::OffsetDateTime;

use crate::pki::der::{self, Element};
use crate::revocation::answer_error::AnswerError;
use crate::revocation::extension::{Extension, oid};
use crate::revocation::fields::{Fields, read_generalized_time, read_reason};

/// All entries of a list.
#[derive(Debug)]
pub(super) struct Entries {
    /// The whole CRL.
    bytes: Bytes,
    /// Where the entries begin in it, by serial number.
    index: Box<[u32]>,
}

/// One entry: a serial number that was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) revoked_at: OffsetDateTime,
    /// The reason, by its number.
    pub(super) reason: Option<u8>,
    /// Since when the certificate is thought to be bad.
    pub(super) invalid_from: Option<OffsetDateTime>,
}

impl Entries {
    /// Reads `list`, which is part of `bytes`, if there is one.
    pub(super) fn read(bytes: &Bytes, list: Option<Element<'_>>) -> Result<Entries, AnswerError> {
        let mut index = Vec::new();
        if let Some(list) = list {
            for element in list.values(der::SEQUENCE)? {
                let element = element?;
                Entry::read(element)?;
                let offset = element.whole.as_ptr().addr() - bytes.as_ptr().addr();
                index.push(u32::try_from(offset).map_err(|_| AnswerError::from("is too long to be read"))?);
            }
        }
        let serial = |offset: &u32| serial_at(bytes, *offset);
        if !index.is_sorted_by_key(serial) {
            index.sort_unstable_by(|one, other| serial(one).cmp(serial(other)));
        }
        Ok(Entries { bytes: bytes.clone(), index: index.into_boxed_slice() })
    }

    /// The entries for a serial number, given by the contents of its INTEGER.
    pub(super) fn of(&self, serial: &[u8]) -> Vec<Entry> {
        let start = self.index.partition_point(|offset| serial_at(&self.bytes, *offset) < serial);
        let (_, rest) = self.index.split_at(start);
        let same = rest.iter().take_while(|offset| serial_at(&self.bytes, **offset) == serial);
        same.filter_map(|offset| Entry::read(element_at(&self.bytes, *offset)?).ok()).collect()
    }
}

fn element_at(bytes: &[u8], offset: u32) -> Option<Element<'_>> {
    der::first(bytes.get(offset as usize..)?).ok()
}

/// The serial number of the entry at `offset`, which has been read before.
fn serial_at(bytes: &[u8], offset: u32) -> &[u8] {
    let serial = element_at(bytes, offset).and_then(|entry| entry.values(der::SEQUENCE).ok()?.next()?.ok());
    serial.map_or(&[], |serial| serial.contents)
}

impl Entry {
    fn read(element: Element<'_>) -> Result<Entry, AnswerError> {
        let mut fields = Fields::of(element, der::SEQUENCE)?;
        fields.required(der::INTEGER)?;
        let mut entry = Entry { revoked_at: fields.time()?, reason: None, invalid_from: None };
        let extensions = fields.optional(der::SEQUENCE);
        fields.end()?;
        for extension in extensions.map(Extension::read_all).transpose()?.unwrap_or_default() {
            match extension.oid {
                oid::REASON => entry.reason = Some(read_reason(extension.value()?)?),
                oid::INVALIDITY_DATE => entry.invalid_from = Some(read_generalized_time(extension.value()?)?),
                _ => extension.pass_over()?,
            }
        }
        Ok(entry)
    }
}
