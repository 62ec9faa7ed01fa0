//! `timestampAuthorities`: signers of time stamps (RFC 3161) with their certificates, and what those get wrong.

use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

use super::certificate::{AUTHORITY_TIME, KEY_TIME, RevocationUrls, check_subject, positive};
use super::keystore::{self, Keystore};
use super::{Member, Reading, SetupError, Site, Thing, Things};
use crate::forge::{CertificateDraft, ForgeError, LeafRequest, TsaCertificateDefect, Validity};
use crate::scenario::names::check_name;
use crate::scenario::scalar::Span;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::words::Algorithm;

/// Where the keys of time stamping authorities come from.
const SLOTS: usize = 200;
/// How far the clock of a time stamping authority may be off unless it says otherwise.
const ACCURACY: Duration = Duration::SECOND;

/// A time stamping authority: a signer of time stamps with its certificate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawTimestampAuthority {
    /// The authority that certifies it; `NAME-root` if left out, which is made if there is none.
    pub(super) issuer: Option<Spanned<String>>,
    /// The name in its certificate.
    subject: Option<Spanned<String>>,
    /// Its algorithm; ec-p256 if left out.
    algorithm: Option<Algorithm>,
    /// When its certificate begins to be valid, from the beginning of the scenario; a year before if left out.
    valid_from: Option<Span>,
    /// When its certificate ends, from the beginning of the scenario; after ten years if left out.
    valid_until: Option<Spanned<Span>>,
    /// How far its clock may be off, as its time stamps say; 1s if left out.
    accuracy: Option<Spanned<Span>>,
    /// Where its certificate says that CRLs are published; where its issuer publishes them if left out.
    crl: Option<Vec<String>>,
    /// Where its certificate says that OCSP responders answer; where its issuer's answers if left out.
    ocsp: Option<Vec<String>>,
    /// How its certificate departs from the rules.
    #[serde(default)]
    defects: Vec<TsaCertificateDefect>,
}

/// A time stamping authority with every name resolved.
#[derive(Debug)]
pub(in crate::scenario) struct TimestampAuthorityPlan {
    pub(in crate::scenario) name: String,
    subject: String,
    pub(in crate::scenario) issuer: usize,
    algorithm: Algorithm,
    validity: Validity,
    accuracy: Duration,
    pub(super) urls: RevocationUrls,
    defects: Vec<TsaCertificateDefect>,
}

impl Member for OrderedMap<RawTimestampAuthority> {
    type Thing = TimestampAuthorityPlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        for (name, authority) in &self.0 {
            reading.add_timestamp_authority(name, authority);
        }
    }
}

impl Things {
    /// The position of the time stamping authority of this name.
    pub(in crate::scenario) fn timestamp_authority(&self, name: &str) -> Option<usize> {
        self.timestamp_authorities.iter().position(|authority| authority.name == name)
    }
}

/// The root of the time stamping authority `name` where it states no issuer.
pub(super) fn own_root(name: &str) -> String {
    format!("{name}-root")
}

impl Reading<'_, '_, '_> {
    fn add_timestamp_authority(&mut self, name: &Spanned<String>, raw: &RawTimestampAuthority) {
        let Reading { things, findings, .. } = self;
        check_name(name, "a time stamping authority", findings);
        let issuer = match &raw.issuer {
            Some(issuer) => things.authority_or_tell(issuer, findings),
            None => Some(things.root_called(&own_root(&name.value), findings)),
        };
        let Some(issuer) = issuer else { return };
        let subject = match &raw.subject {
            Some(subject) => check_subject(subject, findings),
            None => {
                format!("C=US, ST=WA, L=Seattle, O={}, CN={} TSA", things.organization(Some(issuer)), name.value)
            }
        };
        // Certificates of time stamping authorities outlive those of signers: that is what time stamps are for.
        let Validity { not_after, .. } =
            things.validity(None, raw.valid_until.as_ref(), AUTHORITY_TIME, &name.range, findings);
        let not_before = things.now + raw.valid_from.map_or(-KEY_TIME, |span| span.0);
        let authority = TimestampAuthorityPlan {
            name: name.value.clone(),
            subject,
            issuer,
            algorithm: raw.algorithm.unwrap_or(Algorithm::P256),
            validity: Validity { not_before, not_after },
            accuracy: positive(raw.accuracy.as_ref(), ACCURACY, findings),
            urls: things.revocation_urls(Some(issuer), raw.crl.as_deref(), raw.ocsp.as_deref()),
            defects: raw.defects.clone(),
        };
        things.timestamp_authorities.push(authority);
    }
}

impl Thing for TimestampAuthorityPlan {
    /// Makes key and certificate.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let key = keystore::key(Keystore::File, self.algorithm, SLOTS + site.holders.tsa_signers.len())?;
        let failed = |error: ForgeError| SetupError::certificate(&self.name, &error);
        let mut request = LeafRequest::new(&self.subject, key).map_err(failed)?;
        request.validity = self.validity;
        let change = |draft: &mut CertificateDraft| {
            self.urls.write(draft, site.things.crl_of(Some(self.issuer)))?;
            self.defects.iter().try_for_each(|defect| defect.apply(draft))
        };
        let made = site.holders.authorities[self.issuer].tsa_with(request, change).map_err(failed)?;
        site.holders.tsa_signers.push((made, self.accuracy));
        Ok(())
    }
}
