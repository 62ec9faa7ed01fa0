//! The names of the certificate's subject and of its issuer: `subjectAltName` and `issuerAltName`.
//!
//! Follows RFC 5280, sections 4.2.1.6 and 4.2.1.7.

use super::uri;
use crate::pki::der::{self, Element};
use crate::pki::general_name::NameForm;

/// Some of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pki) struct NameForms(u16);

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

/// Reads the names of the certificate's subject or issuer: a URI must be absolute, an address of IPv6 not one of IPv4.
pub(super) fn alternative_names(value: Element<'_>) -> Option<NameForms> {
    let names = value.children(der::SEQUENCE).ok()?;
    let mut forms = NameForms::default();
    for name in &names {
        let form = NameForm::read(*name)?;
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

pub(super) fn is_ipv4_in_ipv6(address: &[u8]) -> bool {
    matches!(address, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, rest @ ..] if rest.len() == 4)
}
