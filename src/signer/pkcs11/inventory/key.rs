//! Keys, put together from the objects of a token: which private key, public key and certificates belong to each other, and
//! whether the key can sign envelopes.
//!
//! Objects belong together that have the same public key, or else the same id, or the same label where there are no ids.
//! Without a login tokens mostly hide their private keys: then a public key or a certificate stands for its pair.

use time::OffsetDateTime;

use super::super::mechanisms::{self, Mechanisms, Way};
use super::super::private_key::{Family, PrivateKeyObject};
use super::super::public_half;
use super::Cut;
use super::objects::{CertificateObject, Name, NamedPublicKey, Objects};
use super::spelling::{KeyName, TokenSpelling};
use crate::failure::Failure;
use crate::pki::{Certificate, PublicKey, SubjectKey};

/// A key in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenKey {
    /// Its label; bytes that are no text have become U+FFFD.
    pub(crate) label: String,
    /// Its id.
    pub(crate) id: Vec<u8>,
    /// What kind of key it is: `EC P-256`, or `RSA` where no more is known.
    pub(crate) kind: Option<String>,
    /// The URI to write. `None` if nothing names the key or its token.
    pub(crate) uri: Option<String>,
    /// Whether the private key itself is seen.
    pub(crate) private_is_seen: bool,
    /// Whether it wants the PIN at every signature.
    pub(crate) always_authenticate: bool,
    /// Whether it can sign envelopes.
    pub(crate) fitness: Fitness,
    /// The certificates that are for it.
    pub(crate) certificates: Vec<SeenCertificate>,
}

/// Whether a key can sign envelopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fitness {
    /// As far as the token tells; only a signature shows.
    Signs,
    /// It cannot, and why: one clause whose subject is the key.
    No(String),
    /// That is not known, and why: a whole clause.
    Unknown(String),
}

/// A certificate in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenCertificate {
    /// Whose it is.
    pub(crate) subject: String,
    /// The last second in which it is valid.
    pub(crate) not_after: OffsetDateTime,
}

/// The keys that `objects` make, and the certificates that are for none of them.
pub(super) fn pairs(
    objects: Objects,
    mechanisms: &Mechanisms,
    token: Option<&TokenSpelling>,
) -> (Cut<SeenKey>, Vec<SeenCertificate>) {
    let Objects { private_keys, mut public_keys, mut certificates, more, logged_in } = objects;
    // Where a token wants no login, or hides nothing, what is not seen is not there.
    let private_ones_are_seen = logged_in || !private_keys.is_empty();
    let mut pairs = Vec::new();
    for private in private_keys {
        pairs.push(Pair::of_private(private, &mut public_keys, &mut certificates));
    }
    while !public_keys.is_empty() {
        pairs.push(Pair::of_public(public_keys.remove(0), &mut certificates));
    }
    if !private_ones_are_seen {
        // A certificate with an id has a key beside it, if it is not one of the authorities above it.
        let (keys, others) = certificates
            .into_iter()
            .partition::<Vec<_>, _>(|object| !object.name.id.is_empty() && !object.certificate.is_ca());
        certificates = others;
        pairs.extend(keys.into_iter().map(Pair::of_certificate));
    }
    let names: Vec<Name> = pairs.iter().map(|pair| pair.name.clone()).collect();
    let all: Vec<KeyName<'_>> = names.iter().map(Name::as_written).collect();
    let first = pairs.into_iter().zip(&all);
    let first = first.map(|(pair, name)| {
        pair.seen(token.and_then(|token| token.of_key(*name, &all)), mechanisms, private_ones_are_seen)
    });
    let first = first.collect();
    (Cut { first, more }, certificates.iter().map(|object| seen(&object.certificate)).collect())
}

impl Name {
    fn as_written(&self) -> KeyName<'_> {
        KeyName { label: &self.label, id: &self.id }
    }

    /// Whether objects of these names belong together, as far as names tell.
    fn ties(&self, other: &Name) -> bool {
        if self.id.is_empty() && other.id.is_empty() {
            !self.label.is_empty() && self.label == other.label
        } else {
            self.id == other.id
        }
    }
}

/// What belongs together.
#[derive(Default)]
struct Pair {
    name: Name,
    private: Option<PrivateKeyObject>,
    key: Option<SubjectKey>,
    /// Why the public half that the private key states itself signs no envelopes.
    refused: Option<String>,
    certificates: Vec<Certificate>,
}

impl Pair {
    fn of_private(
        private: PrivateKeyObject,
        public_keys: &mut Vec<NamedPublicKey>,
        certificates: &mut Vec<CertificateObject>,
    ) -> Pair {
        let name = Name { id: private.id.clone(), label: private.label.clone() };
        let (own, refused) = match public_half::own(&private) {
            Ok(own) => (own.map(|key| key.subject_key().clone()), None),
            Err(reason) => (None, Some(reason)),
        };
        let mut tied = taken(public_keys, |public| match (&own, &public.key) {
            (Some(own), Some(key)) => own == key,
            _ => name.ties(&public.name),
        });
        // Pairs that share an id are told apart by their labels.
        if tied.len() > 1 && own.is_none() {
            let (alike, others): (Vec<_>, Vec<_>) =
                tied.into_iter().partition(|public| public.name.label == name.label);
            public_keys.extend(others);
            tied = alike;
        }
        let key = own.or_else(|| tied.into_iter().find_map(|public| public.key));
        Pair { name, private: Some(private), key, refused, certificates: Vec::new() }.with(certificates)
    }

    fn of_public(public: NamedPublicKey, certificates: &mut Vec<CertificateObject>) -> Pair {
        Pair { name: public.name, key: public.key, ..Pair::default() }.with(certificates)
    }

    fn of_certificate(object: CertificateObject) -> Pair {
        let key = Some(object.certificate.subject_key().clone());
        Pair { name: object.name, key, certificates: vec![object.certificate], ..Pair::default() }
    }

    /// With the certificates that are for it.
    fn with(mut self, certificates: &mut Vec<CertificateObject>) -> Pair {
        let Pair { name, key, .. } = &self;
        let own = taken(certificates, |object| match key {
            Some(key) => object.certificate.subject_key() == key,
            None => name.ties(&object.name),
        });
        self.certificates = own.into_iter().map(|object| object.certificate).collect();
        // One key in all of them is the key's own; the first signature proves it.
        let first = self.certificates.first().map(Certificate::subject_key);
        let agree = self.certificates.iter().all(|held| Some(held.subject_key()) == first);
        self.key = self.key.or(first.filter(|_| agree).cloned());
        self
    }

    fn seen(self, uri: Option<String>, mechanisms: &Mechanisms, private_ones_are_seen: bool) -> SeenKey {
        let public_key = self.key.as_ref().map(PublicKey::new);
        let kind = match &public_key {
            Some(Ok(key)) => Some(key.kind().as_str().to_owned()),
            _ => self.private.as_ref().and_then(|private| private.family).and_then(family),
        };
        let fitness = self.fitness(public_key.as_ref(), mechanisms, private_ones_are_seen);
        SeenKey {
            label: String::from_utf8_lossy(&self.name.label).into_owned(),
            kind,
            uri,
            private_is_seen: self.private.is_some(),
            always_authenticate: self.private.as_ref().is_some_and(|private| private.always_authenticate == Some(true)),
            fitness,
            certificates: self.certificates.iter().map(seen).collect(),
            id: self.name.id,
        }
    }

    fn fitness(
        &self,
        key: Option<&Result<PublicKey, Failure>>,
        mechanisms: &Mechanisms,
        private_ones_are_seen: bool,
    ) -> Fitness {
        if let Some(Err(failure)) = key {
            return Fitness::No(failure.message.clone());
        }
        let Some(private) = &self.private else {
            return if private_ones_are_seen {
                Fitness::No("it has no private key in this token".to_owned())
            } else {
                Fitness::Unknown("private keys are seen after a login only".to_owned())
            };
        };
        if let Some(reason) = &self.refused {
            return Fitness::No(reason.clone());
        }
        if private.may_sign == Some(false) {
            return Fitness::No("it may not be used to sign (CKA_SIGN is false)".to_owned());
        }
        if private.family == Some(Family::Other) {
            return Fitness::No("it is neither an RSA key nor an EC key".to_owned());
        }
        let Some(Ok(key)) = key else {
            return Fitness::Unknown(
                "its public half is not in the token: name its certificates by --certificate-chain".to_owned(),
            );
        };
        let [raw, hashing] = [Way::OfHash, Way::OfMessage].map(|way| (way, mechanisms.has(key.kind(), way)));
        if let ((raw, Some(false)), (hashing, Some(false))) = (raw, hashing) {
            let [raw, hashing] = [raw, hashing].map(|way| mechanisms::name(key.kind(), way));
            return Fitness::Unknown(format!("the token lists neither {raw} nor {hashing}"));
        }
        Fitness::Signs
    }
}

fn family(family: Family) -> Option<String> {
    match family {
        Family::Rsa => Some("RSA".to_owned()),
        Family::Ec => Some("EC".to_owned()),
        Family::Other => None,
    }
}

fn seen(certificate: &Certificate) -> SeenCertificate {
    SeenCertificate { subject: certificate.subject_text().to_owned(), not_after: certificate.not_after() }
}

/// Takes what `wanted` wants out of `objects`.
fn taken<T>(objects: &mut Vec<T>, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let (taken, left) = std::mem::take(objects).into_iter().partition(|object| wanted(object));
    *objects = left;
    taken
}
