//! The cast of a scenario: its authorities and signers, with the certificates that they hold.

use x509_cert::ext::pkix::KeyUsages;

use super::keystore::{self, NoKey};
use super::plan::{Addresses, Anchor, AuthorityPlan, CrlPlan, DeltaPlan, KeyPlan, Plan, TimestampAuthorityPlan};
use super::responder_words::DeltaNamedBy;
use super::words::{AuthorityDefect, CertificateDefect, Keystore};
use crate::forge::{
    Authority, CertificateDraft, ExtensionKind, ForgeError, LeafRequest, Signer, Subject, basic_constraints,
    crl_distribution_points, extended_key_usage, freshest_crl, key_usage, ocsp_responders, tlv,
};
use crate::pki::Certificate;

/// Keys of signers come from other slots than those of authorities, so that none is both.
const SIGNERS: usize = 100;
/// Where the keys of time stamping authorities come from.
const STAMPERS: usize = 200;

/// Everybody who holds a key.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) authorities: Vec<Authority>,
    pub(super) signers: Vec<Signer>,
    pub(super) stampers: Vec<Signer>,
    /// Subjects as certificates are reported by, in the order of what is above.
    subjects: Vec<(Anchor, String)>,
}

impl Cast {
    /// Makes keys and certificates. `keystore` is where signing keys live in place of what the plan says.
    pub(super) fn make(plan: &Plan, keystore: Option<Keystore>) -> Result<Cast, NoKey> {
        let mut cast =
            Cast { authorities: Vec::new(), signers: Vec::new(), stampers: Vec::new(), subjects: Vec::new() };
        for authority in &plan.authorities {
            let made = cast.authority(plan, authority)?;
            cast.authorities.push(made);
        }
        for key in &plan.keys {
            let signer = cast.signer(plan, key, keystore.unwrap_or(key.keystore))?;
            cast.signers.push(signer);
        }
        for authority in &plan.timestamp_authorities {
            let stamper = cast.stamper(plan, authority)?;
            cast.stampers.push(stamper);
        }
        cast.subjects = cast.read_subjects();
        Ok(cast)
    }

    /// The certificate of somebody, in DER.
    pub(super) fn certificate(&self, anchor: Anchor) -> &[u8] {
        match anchor {
            Anchor::Authority(position) => self.authorities[position].certificate(),
            Anchor::Key(position) => self.signers[position].certificate(),
            Anchor::TimestampAuthority(position) => self.stampers[position].certificate(),
        }
    }

    /// The content of the serial number of somebody's certificate.
    pub(super) fn serial(&self, anchor: Anchor) -> Vec<u8> {
        match anchor {
            Anchor::Authority(position) => self.authorities[position].signer().serial(),
            Anchor::Key(position) => self.signers[position].serial(),
            Anchor::TimestampAuthority(position) => self.stampers[position].serial(),
        }
    }

    /// The subject of somebody's certificate as reports write it; `None` where it cannot be read.
    pub(super) fn subject(&self, anchor: Anchor) -> Option<String> {
        self.subjects.iter().find(|(known, _)| *known == anchor).map(|(_, subject)| subject.clone())
    }

    fn read_subjects(&self) -> Vec<(Anchor, String)> {
        let authorities = (0..self.authorities.len()).map(Anchor::Authority);
        let keys = (0..self.signers.len()).map(Anchor::Key);
        let stampers = (0..self.stampers.len()).map(Anchor::TimestampAuthority);
        let subject = |anchor| {
            let certificate = Certificate::parse(self.certificate(anchor)).ok()?;
            Some((anchor, certificate.subject_text().to_owned()))
        };
        authorities.chain(keys).chain(stampers).filter_map(subject).collect()
    }

    fn authority(&self, world: &Plan, plan: &AuthorityPlan) -> Result<Authority, NoKey> {
        let slot = plan.key_of.unwrap_or(self.authorities.len());
        let key = keystore::key(Keystore::File, plan.algorithm, slot)?;
        let change = |draft: &mut CertificateDraft| {
            draft.set_validity(plan.validity)?;
            write_addresses(draft, &plan.names, issuer_crl(world, plan.issuer))?;
            plan.defects.iter().try_for_each(|defect| spoil_authority(draft, *defect))
        };
        let made = match plan.issuer {
            Some(issuer) => self.authorities[issuer].intermediate_with(&plan.subject, key, change),
            None => Authority::root_with(&plan.subject, key, change),
        };
        made.map_err(|error| failed(&plan.name, &error))
    }

    fn signer(&self, world: &Plan, plan: &KeyPlan, keystore: Keystore) -> Result<Signer, NoKey> {
        let slot = SIGNERS + self.signers.len();
        let key = keystore::key(keystore, plan.algorithm, slot)?;
        // Of a key that certifies itself, the certificate is made like an authority's.
        let certified = if plan.issuer.is_none() { keystore::issuing(&key, keystore, slot)? } else { key.clone() };
        let failed = |error: ForgeError| failed(&plan.name, &error);
        let request = LeafRequest {
            subject: Subject::parse(&plan.subject).map_err(failed)?,
            validity: plan.validity,
            ..LeafRequest::new(&plan.subject, certified).map_err(failed)?
        };
        let change = |draft: &mut CertificateDraft| {
            write_addresses(draft, &plan.names, issuer_crl(world, plan.issuer))?;
            plan.defects.iter().try_for_each(|defect| spoil_signer(draft, *defect))
        };
        let made = match plan.issuer {
            Some(issuer) => self.authorities[issuer].issue_with(request, change),
            None => Signer::self_signed_with(request, change),
        };
        Ok(Signer { key, ..made.map_err(failed)? })
    }
}

impl Cast {
    fn stamper(&self, world: &Plan, plan: &TimestampAuthorityPlan) -> Result<Signer, NoKey> {
        let key = keystore::key(Keystore::File, plan.algorithm, STAMPERS + self.stampers.len())?;
        let failed = |error: ForgeError| failed(&plan.name, &error);
        let mut request = LeafRequest::new(&plan.subject, key).map_err(failed)?;
        request.validity = plan.validity;
        let change = |draft: &mut CertificateDraft| {
            write_addresses(draft, &plan.names, issuer_crl(world, Some(plan.issuer)))?;
            plan.defects.iter().try_for_each(|defect| defect.apply(draft))
        };
        self.authorities[plan.issuer].tsa_with(request, change).map_err(failed)
    }
}

/// The CRL of the authority at `issuer`.
fn issuer_crl(plan: &Plan, issuer: Option<usize>) -> Option<&CrlPlan> {
    issuer.and_then(|issuer| plan.authorities[issuer].crl.as_ref())
}

/// Writes where revocation can be asked about; `crl` is what the issuer publishes.
fn write_addresses(draft: &mut CertificateDraft, names: &Addresses, crl: Option<&CrlPlan>) -> Result<(), ForgeError> {
    if !names.crl.is_empty() {
        draft.set(crl_distribution_points(&names.crl)?);
    }
    if !names.ocsp.is_empty() {
        draft.set(ocsp_responders(&names.ocsp)?);
    }
    if let Some(DeltaPlan { url, named_by: DeltaNamedBy::Certificates, .. }) = crl.and_then(|crl| crl.delta.as_ref()) {
        draft.set(freshest_crl(std::slice::from_ref(url))?);
    }
    Ok(())
}

fn failed(name: &str, error: &ForgeError) -> NoKey {
    NoKey::Failed(format!("the certificate of {name} cannot be made: {error}"))
}

fn spoil_authority(draft: &mut CertificateDraft, defect: AuthorityDefect) -> Result<(), ForgeError> {
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

fn spoil_signer(draft: &mut CertificateDraft, defect: CertificateDefect) -> Result<(), ForgeError> {
    match defect {
        CertificateDefect::IsAnAuthority => draft.set(basic_constraints(true, None, true)?),
        CertificateDefect::NoKeyUsage => draft.remove(ExtensionKind::KeyUsage),
        CertificateDefect::WrongKeyUsage => draft.set(key_usage(KeyUsages::NonRepudiation, true)?),
        CertificateDefect::ServerAuth => draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.1"], false)?),
        CertificateDefect::ServerAuthToo => {
            draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1"], false)?);
        }
        CertificateDefect::KeyEnciphermentToo => {
            draft.set(key_usage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment, true)?);
        }
        CertificateDefect::KeyUsageNotCritical => draft.set(key_usage(KeyUsages::DigitalSignature, false)?),
        CertificateDefect::TrailingBytes => {
            draft.alter = Some(|mut certificate| {
                certificate.push(0);
                certificate
            });
        }
        CertificateDefect::UnsupportedKey => draft.set_public_key(&ed25519())?,
        CertificateDefect::ForgedIssuer => {
            draft.alter = Some(|mut certificate| {
                if let Some(last) = certificate.last_mut() {
                    *last ^= 1;
                }
                certificate
            });
        }
    }
    Ok(())
}

/// A SubjectPublicKeyInfo of Ed25519 (RFC 8410).
fn ed25519() -> Vec<u8> {
    const OID: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    let mut bits = vec![0];
    bits.extend_from_slice(&[7; 32]);
    tlv(0x30, &[tlv(0x30, OID), tlv(0x03, &bits)].concat())
}
