//! Names in extensions: `GeneralName`.
//!
//! Follows RFC 5280, section 4.2.1.6. Every form is looked at as far as its grammar says: text in ASCII, addresses of four
//! or sixteen bytes, names that are names. Whom a name belongs to is not asked: nothing is trusted for such a name.

use super::uri;
use crate::pki::der::{self, Element};

/// The forms of names, by the number of their tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pki) enum NameForm {
    /// otherName.
    Other,
    /// rfc822Name.
    Email,
    /// dNSName.
    Dns,
    /// x400Address.
    X400,
    /// directoryName.
    Directory,
    /// ediPartyName.
    Edi,
    /// uniformResourceIdentifier.
    Uri,
    /// iPAddress.
    Ip,
    /// registeredID.
    RegisteredId,
}

/// Some of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pki) struct NameForms(u16);

impl NameForm {
    const ALL: [NameForm; 9] = [
        NameForm::Other,
        NameForm::Email,
        NameForm::Dns,
        NameForm::X400,
        NameForm::Directory,
        NameForm::Edi,
        NameForm::Uri,
        NameForm::Ip,
        NameForm::RegisteredId,
    ];

    /// Its name in RFC 5280.
    pub(in crate::pki) fn as_str(self) -> &'static str {
        match self {
            NameForm::Other => "otherName",
            NameForm::Email => "rfc822Name",
            NameForm::Dns => "dNSName",
            NameForm::X400 => "x400Address",
            NameForm::Directory => "directoryName",
            NameForm::Edi => "ediPartyName",
            NameForm::Uri => "uniformResourceIdentifier",
            NameForm::Ip => "iPAddress",
            NameForm::RegisteredId => "registeredID",
        }
    }

    /// The form that a tag stands for. Text, numbers and bytes are one piece, the others are made of parts.
    pub(super) fn of(tag: u8) -> Option<NameForm> {
        let form = *NameForm::ALL.get(usize::from(tag & 0x1f))?;
        let in_parts = matches!(form, NameForm::Other | NameForm::X400 | NameForm::Directory | NameForm::Edi);
        (tag & 0xe0 == if in_parts { 0xa0 } else { 0x80 }).then_some(form)
    }
}

impl NameForms {
    pub(super) fn insert(&mut self, form: NameForm) {
        self.0 |= 1 << form as u16;
    }

    /// Whether `form` is among them.
    pub(in crate::pki) fn has(self, form: NameForm) -> bool {
        self.0 >> form as u16 & 1 == 1
    }

    /// The forms that are among these and among `others`.
    pub(in crate::pki) fn common(self, others: NameForms) -> impl Iterator<Item = NameForm> {
        NameForm::ALL.into_iter().filter(move |form| self.has(*form) && others.has(*form))
    }

    /// The forms among these that are none of `others`.
    pub(in crate::pki) fn without(self, others: &[NameForm]) -> impl Iterator<Item = NameForm> {
        NameForm::ALL.into_iter().filter(move |form| self.has(*form) && !others.contains(form))
    }
}

/// Reads `GeneralNames` whose parts are `names`: at least one. A URI is any text in ASCII.
pub(super) fn names(names: &[Element<'_>]) -> Option<()> {
    names.iter().try_for_each(|name| general_name(*name).map(drop))?;
    (!names.is_empty()).then_some(())
}

/// Reads the names of the certificate's subject or issuer: a URI must be absolute, an address of IPv6 not one of IPv4.
pub(super) fn alternative_names(value: Element<'_>) -> Option<NameForms> {
    let names = value.children(der::SEQUENCE).ok()?;
    let mut forms = NameForms::default();
    for name in &names {
        let form = general_name(*name)?;
        let sound = match form {
            NameForm::Uri => uri::is_absolute(name.contents),
            NameForm::Ip => !is_ipv4_in_ipv6(name.contents),
            _ => true,
        };
        if !sound {
            return None;
        }
        forms.insert(form);
    }
    (!names.is_empty()).then_some(forms)
}

/// Reads one name.
pub(super) fn general_name(name: Element<'_>) -> Option<NameForm> {
    let form = NameForm::of(name.tag)?;
    let sound = match form {
        NameForm::Email | NameForm::Dns | NameForm::Uri => name.contents.is_ascii(),
        NameForm::Ip => matches!(name.contents.len(), 4 | 16),
        NameForm::RegisteredId => der::check_primitive(der::OBJECT_IDENTIFIER, name.contents).is_ok(),
        NameForm::Directory => is_directory_name(name),
        NameForm::Other => is_other_name(name),
        NameForm::Edi => is_edi_party_name(name),
        // A structure of many optional parts that nothing here looks into.
        NameForm::X400 => true,
    };
    sound.then_some(form)
}

pub(super) fn is_ipv4_in_ipv6(address: &[u8]) -> bool {
    matches!(address, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, rest @ ..] if rest.len() == 4)
}

/// `[4]`, whose tag is explicit since a `Name` is a choice.
fn is_directory_name(name: Element<'_>) -> bool {
    let is_attribute = |attribute: &Element<'_>| {
        let parts = attribute.children(der::SEQUENCE).unwrap_or_default();
        matches!(parts.as_slice(), [kind, _] if kind.tag == der::OBJECT_IDENTIFIER)
    };
    let is_set = |set: &Element<'_>| {
        set.children(der::SET).is_ok_and(|attributes| !attributes.is_empty() && attributes.iter().all(is_attribute))
    };
    let parts = name.children(name.tag).unwrap_or_default();
    matches!(parts.as_slice(), [name] if name.children(der::SEQUENCE).is_ok_and(|sets| sets.iter().all(is_set)))
}

/// A type and, under `[0]`, a value of it.
fn is_other_name(name: Element<'_>) -> bool {
    let parts = name.children(name.tag).unwrap_or_default();
    matches!(parts.as_slice(), [kind, value]
        if kind.tag == der::OBJECT_IDENTIFIER && value.children(0xa0).is_ok_and(|value| value.len() == 1))
}

/// Perhaps who assigned the name, under `[0]`, and under `[1]` the name.
fn is_edi_party_name(name: Element<'_>) -> bool {
    let tags: Vec<u8> = name.children(name.tag).unwrap_or_default().iter().map(|part| part.tag).collect();
    matches!(tags.as_slice(), [0xa1] | [0xa0, 0xa1])
}
