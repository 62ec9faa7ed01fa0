//! Holders of certificates in a world: its authorities, signers and time stamping authorities, with their keys.

use time::{Duration, OffsetDateTime};

use super::Things;
use crate::forge::{Authority, Signer};
use crate::pki::Certificate;
use crate::scenario::finding::Findings;
use crate::scenario::names::unknown;
use crate::scenario::spanned::Spanned;

/// Holders of certificates, each at the position that [`Things`] give it.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Holders {
    pub(in crate::scenario) authorities: Vec<Authority>,
    pub(in crate::scenario) signers: Vec<Signer>,
    /// Of each signer, from when on another one signs in its place, and which.
    pub(super) superseded: Vec<Option<(OffsetDateTime, usize)>>,
    /// Time stamping authorities, and how far their clocks may be off, as they say.
    pub(in crate::scenario) tsa_signers: Vec<(Signer, Duration)>,
    /// The subjects of their certificates as reports write them.
    subjects: Vec<(Holder, String)>,
}

/// One holder of a certificate, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::scenario) enum Holder {
    Authority(usize),
    Key(usize),
    TimestampAuthority(usize),
}

/// Whose certificate is meant: that of a holder of this world, or one that was brought in, by its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) enum Whose {
    Holder(Holder),
    Subject(String),
}

impl Whose {
    /// The subject of the certificate as reports write it; `None` where it cannot be read.
    pub(in crate::scenario) fn subject(&self, holders: &Holders) -> Option<String> {
        match self {
            Whose::Holder(holder) => holders.subject(*holder),
            Whose::Subject(subject) => Some(subject.clone()),
        }
    }

    /// What is written as the subject of a certificate: no name of a thing has an equals sign in it.
    pub(in crate::scenario) fn by_subject(written: &str) -> Option<Whose> {
        written.contains('=').then(|| Whose::Subject(written.to_owned()))
    }
}

impl Holders {
    /// Holders that are complete: the subjects of their certificates are known.
    pub(super) fn with_subjects(mut self) -> Holders {
        let authorities = (0..self.authorities.len()).map(Holder::Authority);
        let keys = (0..self.signers.len()).map(Holder::Key);
        let tsa_signers = (0..self.tsa_signers.len()).map(Holder::TimestampAuthority);
        let subject = |holder| {
            let certificate = Certificate::parse(self.certificate(holder)).ok()?;
            Some((holder, certificate.subject_text().to_owned()))
        };
        self.subjects = authorities.chain(keys).chain(tsa_signers).filter_map(subject).collect();
        self
    }

    /// Who signs at `now` where the key at `position` is named: itself, or the one that has superseded it by then. Keys are
    /// superseded one after the other, so that this ends.
    pub(in crate::scenario) fn signer(&self, position: usize, now: OffsetDateTime) -> &Signer {
        &self.signers[self.acting(position, now)]
    }

    /// The same, by its position.
    pub(in crate::scenario) fn acting(&self, mut position: usize, now: OffsetDateTime) -> usize {
        while let Some((at, by)) = self.superseded[position]
            && at <= now
        {
            position = by;
        }
        position
    }

    /// The certificate, in DER.
    pub(in crate::scenario) fn certificate(&self, holder: Holder) -> &[u8] {
        match holder {
            Holder::Authority(position) => self.authorities[position].certificate(),
            Holder::Key(position) => self.signers[position].certificate(),
            Holder::TimestampAuthority(position) => self.tsa_signers[position].0.certificate(),
        }
    }

    /// The content of the serial number of the certificate.
    pub(in crate::scenario) fn serial(&self, holder: Holder) -> Vec<u8> {
        match holder {
            Holder::Authority(position) => self.authorities[position].signer().serial(),
            Holder::Key(position) => self.signers[position].serial(),
            Holder::TimestampAuthority(position) => self.tsa_signers[position].0.serial(),
        }
    }

    /// The subject of the certificate as reports write it; `None` where it cannot be read.
    pub(in crate::scenario) fn subject(&self, holder: Holder) -> Option<String> {
        self.subjects.iter().find(|(known, _)| *known == holder).map(|(_, subject)| subject.clone())
    }
}

impl Things {
    /// The holder of this name, an authority before a key before a time stamping authority; where there is none, `findings` is told.
    pub(in crate::scenario) fn holder(
        &self,
        name: &Spanned<String>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Holder> {
        let authority = self.authority(&name.value).map(Holder::Authority);
        let key = || self.key(&name.value).map(Holder::Key);
        let stamps = || self.timestamp_authority(&name.value).map(Holder::TimestampAuthority);
        let found = authority.or_else(key).or_else(stamps);
        if found.is_none() {
            let known = self.authorities.iter().map(|authority| authority.name.as_str());
            let known = known.chain(self.keys.iter().map(|key| key.name.as_str()));
            let known = known.chain(self.timestamp_authorities.iter().map(|authority| authority.name.as_str()));
            unknown("authority or key", &name.value, &name.range, known, findings);
        }
        found
    }

    /// The issuer of the holder's certificate; `None` where it certifies itself.
    pub(in crate::scenario) fn issuer(&self, holder: Holder) -> Option<usize> {
        match holder {
            Holder::Authority(position) => self.authorities[position].issuer,
            Holder::Key(position) => self.keys[position].issuer,
            Holder::TimestampAuthority(position) => Some(self.timestamp_authorities[position].issuer),
        }
    }
}
