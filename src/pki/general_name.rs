//! General names: what certificates and CRLs call places and people by (RFC 5280, section 4.2.1.6).
//!
//! Every form is looked at as far as its grammar says: text in ASCII, addresses of four or sixteen bytes, names that are
//! names. Only what is compared or asked later is kept. Whom a name belongs to is not asked: nothing is trusted for such a
//! name. Refused is a form that does not exist, and a value that is not of its form.

use super::der::{self, Element};

/// The forms of names, by the number of their tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameForm {
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

impl NameForm {
    pub(super) const ALL: [NameForm; 9] = [
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

    /// The name of the form in RFC 5280.
    pub(super) fn as_str(self) -> &'static str {
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

    /// Reads a name as far as its form says, and tells the form.
    pub(super) fn read(name: Element<'_>) -> Option<NameForm> {
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
}

/// A general name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName {
    /// uniformResourceIdentifier, as written.
    Uri(String),
    /// directoryName: a `Name` in DER.
    Directory(Box<[u8]>),
    /// dNSName, as written.
    Dns(Box<[u8]>),
    /// Any other kind: the whole value in DER.
    Other(Box<[u8]>),
}

impl GeneralName {
    /// Reads one; `None` if it is not a general name.
    pub(crate) fn read(element: Element<'_>) -> Option<GeneralName> {
        Some(match NameForm::read(element)? {
            NameForm::Uri => GeneralName::Uri(String::from_utf8(element.contents.to_vec()).ok()?),
            NameForm::Directory => GeneralName::Directory(der::only(element.contents).ok()?.whole.into()),
            NameForm::Dns => GeneralName::Dns(element.contents.into()),
            _ => GeneralName::Other(element.whole.into()),
        })
    }

    /// Reads the names inside `list`, which must have this `tag`: at least one.
    pub(crate) fn read_all(list: Element<'_>, tag: u8) -> Option<Vec<GeneralName>> {
        let names: Option<Vec<_>> = list.values(tag).ok()?.map(|name| GeneralName::read(name.ok()?)).collect();
        names.filter(|names| !names.is_empty())
    }

    /// The address, if it is one.
    pub fn uri(&self) -> Option<&str> {
        match self {
            GeneralName::Uri(address) => Some(address),
            _ => None,
        }
    }

    /// How long the name is, in bytes.
    pub(crate) fn length(&self) -> usize {
        match self {
            GeneralName::Uri(address) => address.len(),
            GeneralName::Directory(bytes) | GeneralName::Dns(bytes) | GeneralName::Other(bytes) => bytes.len(),
        }
    }

    /// What kind of name it is, for messages: "a directoryName".
    pub fn kind(&self) -> &'static str {
        match self {
            GeneralName::Uri(_) => "an address",
            GeneralName::Directory(_) => "a directoryName",
            GeneralName::Dns(_) => "a dNSName",
            GeneralName::Other(_) => "a name of another form",
        }
    }
}

/// `[4]`, whose tag is explicit since a `Name` is a choice.
fn is_directory_name(name: Element<'_>) -> bool {
    let is_set = |set: &Element<'_>| set.children(der::SET).is_ok_and(|attributes| are_attributes(&attributes));
    let parts = name.children(name.tag).unwrap_or_default();
    matches!(parts.as_slice(), [name] if name.children(der::SEQUENCE).is_ok_and(|sets| sets.iter().all(is_set)))
}

/// Whether these are the attributes of a relative distinguished name: at least one, each a type and a value. What
/// characters a value may have is not asked, since the world's names do not keep to that.
pub(super) fn are_attributes(attributes: &[Element<'_>]) -> bool {
    let is_attribute = |attribute: &Element<'_>| {
        let parts = attribute.children(der::SEQUENCE).unwrap_or_default();
        matches!(parts.as_slice(), [kind, _] if kind.tag == der::OBJECT_IDENTIFIER)
    };
    !attributes.is_empty() && attributes.iter().all(is_attribute)
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
