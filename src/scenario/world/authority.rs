//! `authorities`: certification authorities, roots and intermediate ones, with what their certificates get wrong.

use schemars::JsonSchema;
use serde::Deserialize;
use x509_cert::ext::pkix::KeyUsages;

use super::certificate::{AUTHORITY_TIME, RevocationUrls, check_subject};
use super::crl::{CrlPlan, RawCrl};
use super::holders::Holders;
use super::keystore::{self, Keystore};
use super::ocsp::{OcspPlan, RawOcsp};
use super::{Member, Reading, SetupError, Site, Thing, Things};
use crate::failure::quote;
use crate::forge::words::words;
use crate::forge::{Authority, CertificateDraft, ExtensionKind, ForgeError, Validity, basic_constraints, key_usage};
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::form::Detail;
use crate::scenario::names::{AUTHORITY, check_name, unknown};
use crate::scenario::scalar::Span;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::words::Algorithm;

words! {
    /// How the certificate of an authority departs from the rules.
    pub(in crate::scenario) AuthorityDefect {
        /// Its basic constraints do not say that it is an authority.
        NotAnAuthority "not-an-authority"
        /// Its key usage does not include keyCertSign.
        NoCertSign "no-cert-sign"
        /// Its basic constraints are not critical.
        BasicConstraintsNotCritical "basic-constraints-not-critical"
        /// It has no key usage.
        NoKeyUsage "no-key-usage"
        /// Its key usage is not critical.
        KeyUsageNotCritical "key-usage-not-critical"
        /// It allows no authority below itself.
        PathLengthZero "path-length-zero"
        /// Its key usage does not include cRLSign.
        NoCrlSign "no-crl-sign"
    }
}

/// An authority; a root unless it has an issuer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawAuthority {
    /// Its name, as `C=US, ST=WA, O=acme, CN=root`.
    subject: Option<Spanned<String>>,
    /// The authority whose name it bears without being it.
    lookalike_of: Option<Spanned<String>>,
    /// The authority whose name, key and algorithm it has, in a certificate of its own.
    renewal_of: Option<Spanned<String>>,
    /// The authority that certifies it, which stands before it.
    issuer: Option<Spanned<String>>,
    /// Its algorithm; ec-p256 if left out.
    algorithm: Option<Algorithm>,
    /// When its certificate begins to be valid, from the beginning of the scenario; ten years before if left out.
    valid_from: Option<Span>,
    /// When its certificate ends, from the beginning of the scenario; after ten years if left out.
    valid_until: Option<Spanned<Span>>,
    /// Publishes a CRL: what it issues names `http://crl.NAME.example/NAME.crl`.
    crl: Option<Detail<RawCrl>>,
    /// Answers OCSP: what it issues names `http://ocsp.NAME.example/NAME`.
    ocsp: Option<Detail<RawOcsp>>,
    /// How its certificate departs from the rules.
    #[serde(default)]
    defects: Vec<AuthorityDefect>,
}

/// An authority with every name resolved. Its issuer stands before it.
#[derive(Debug)]
pub(in crate::scenario) struct AuthorityPlan {
    pub(in crate::scenario) name: String,
    pub(super) subject: String,
    pub(in crate::scenario) issuer: Option<usize>,
    algorithm: Algorithm,
    /// The authority whose key it has, if it has none of its own.
    key_of: Option<usize>,
    validity: Validity,
    /// What its own certificate names.
    pub(super) urls: RevocationUrls,
    /// The CRL that it publishes.
    pub(in crate::scenario) crl: Option<CrlPlan>,
    /// The OCSP responder that answers for it.
    pub(in crate::scenario) ocsp: Option<OcspPlan>,
    defects: Vec<AuthorityDefect>,
}

impl Member for OrderedMap<RawAuthority> {
    type Thing = AuthorityPlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        if !self.has(AUTHORITY) {
            reading.things.add_usual_authority(AUTHORITY, reading.findings);
        }
        for (name, authority) in &self.0 {
            reading.things.add_authority(name, authority, &|other| self.has(other), reading.findings);
        }
    }
}

impl Things {
    /// The position of the authority of this name.
    pub(in crate::scenario) fn authority(&self, name: &str) -> Option<usize> {
        self.authorities.iter().position(|authority| authority.name == name)
    }

    /// The same; where there is none, `findings` is told.
    pub(in crate::scenario) fn authority_or_tell(
        &self,
        name: &Spanned<String>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<usize> {
        let found = self.authority(&name.value);
        if found.is_none() {
            let known = self.authorities.iter().map(|authority| authority.name.as_str());
            unknown("authority", &name.value, &name.range, known, findings);
        }
        found
    }

    /// The position of the root of the chain of the authority at `position`.
    pub(super) fn root(&self, position: usize) -> usize {
        let mut top = position;
        // An issuer stands before those whom it certifies.
        while let Some(issuer) = self.authorities.get(top).and_then(|authority| authority.issuer) {
            top = issuer;
        }
        top
    }

    /// The position of the root authority of this name, which is made with the usual values if there is none.
    pub(super) fn root_called(&mut self, name: &str, findings: &mut Findings<'_, '_>) -> usize {
        if let Some(known) = self.authority(name) {
            return known;
        }
        self.add_usual_authority(name, findings);
        self.authorities.len() - 1
    }

    fn add_usual_authority(&mut self, name: &str, findings: &mut Findings<'_, '_>) {
        self.add_authority(&Spanned::nowhere(name.to_owned()), &RawAuthority::default(), &|_| false, findings);
    }

    /// Adds one; `is_below` says which names stand below it in the file, and cannot be meant.
    fn add_authority(
        &mut self,
        name: &Spanned<String>,
        raw: &RawAuthority,
        is_below: &dyn Fn(&str) -> bool,
        findings: &mut Findings<'_, '_>,
    ) {
        check_name(name, "an authority", findings);
        let mut above = |other: &Option<Spanned<String>>| {
            let other = other.as_ref()?;
            if self.authority(&other.value).is_none() && is_below(&other.value) {
                let message = format!("the authority {} stands below this one", quote(&other.value));
                findings.error(Rule::NameUnknown, &other.range, message, "put it above");
                return None;
            }
            self.authority_or_tell(other, findings)
        };
        let (lookalike, renewed) = (above(&raw.lookalike_of), above(&raw.renewal_of));
        let issuer = above(&raw.issuer);
        if let (Some(_), Some(renewal_of)) = (lookalike, &raw.renewal_of) {
            let message = "an authority that is renewed is no lookalike of another".to_owned();
            findings.error(Rule::Subject, &renewal_of.range, message, "remove lookalikeOf or renewalOf");
        }
        let subject = match (&raw.subject, lookalike.or(renewed)) {
            (Some(subject), None) => check_subject(subject, findings),
            (Some(subject), Some(_)) => {
                let message = "an authority with the name of another has no subject of its own".to_owned();
                findings.error(Rule::Subject, &subject.range, message, "remove subject, or lookalikeOf or renewalOf");
                String::new()
            }
            (None, Some(other)) => self.authorities[other].subject.clone(),
            (None, None) if name.value == AUTHORITY => {
                "C=US, ST=WA, L=Seattle, O=wabbit-networks.io, CN=Wabbit Networks Root".to_owned()
            }
            (None, None) => format!("C=US, ST=WA, L=Seattle, O={0}, CN={0}", name.value),
        };
        let authority = AuthorityPlan {
            name: name.value.clone(),
            subject,
            issuer,
            // A key that is shared has the algorithm that it has.
            algorithm: renewed
                .map_or(raw.algorithm.unwrap_or(Algorithm::P256), |other| self.authorities[other].algorithm),
            key_of: renewed.map(|other| self.authorities[other].key_of.unwrap_or(other)),
            validity: self.validity(raw.valid_from, raw.valid_until.as_ref(), AUTHORITY_TIME, &name.range, findings),
            urls: self.revocation_urls(issuer, None, None),
            crl: raw.crl.as_ref().and_then(|crl| self.check_crl(name, crl, findings)),
            ocsp: raw.ocsp.as_ref().and_then(|ocsp| self.check_ocsp(name, ocsp, findings)),
            defects: raw.defects.clone(),
        };
        self.authorities.push(authority);
    }
}

impl Thing for AuthorityPlan {
    /// Makes key and certificate.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let Holders { authorities, .. } = &mut site.holders;
        let slot = self.key_of.unwrap_or(authorities.len());
        let key = keystore::key(Keystore::File, self.algorithm, slot)?;
        let things = site.things;
        let change = |draft: &mut CertificateDraft| {
            draft.set_validity(self.validity)?;
            self.urls.write(draft, things.crl_of(self.issuer))?;
            self.defects.iter().try_for_each(|defect| apply(*defect, draft))
        };
        let made = match self.issuer {
            Some(issuer) => authorities[issuer].intermediate_with(&self.subject, key, change),
            None => Authority::root_with(&self.subject, key, change),
        };
        authorities.push(made.map_err(|error| SetupError::certificate(&self.name, &error))?);
        Ok(())
    }
}

fn apply(defect: AuthorityDefect, draft: &mut CertificateDraft) -> Result<(), ForgeError> {
    match defect {
        AuthorityDefect::NotAnAuthority => draft.set(basic_constraints(false, None, true)?),
        AuthorityDefect::NoCertSign => draft.set(key_usage(KeyUsages::CRLSign, true)?),
        AuthorityDefect::BasicConstraintsNotCritical => draft.set(basic_constraints(true, None, false)?),
        AuthorityDefect::NoKeyUsage => draft.remove(ExtensionKind::KeyUsage),
        AuthorityDefect::KeyUsageNotCritical => {
            draft.set(key_usage(KeyUsages::KeyCertSign | KeyUsages::CRLSign, false)?);
        }
        AuthorityDefect::NoCrlSign => draft.set(key_usage(KeyUsages::KeyCertSign, true)?),
        AuthorityDefect::PathLengthZero => draft.set(basic_constraints(true, Some(0), true)?),
    }
    Ok(())
}
