//! The cast of a scenario: its authorities and signers, with the certificates that they hold.

use x509_cert::ext::pkix::KeyUsages;

use super::keystore::{self, NoKey};
use super::plan::{Anchor, AuthorityPlan, KeyPlan, Plan};
use super::words::{AuthorityDefect, CertificateDefect, Keystore};
use crate::forge::{
    Authority, CertificateDraft, ExtensionKind, ForgeError, LeafRequest, Signer, Subject, basic_constraints,
    extended_key_usage, key_usage, tlv,
};

/// Keys of signers come from other slots than those of authorities, so that none is both.
const SIGNERS: usize = 100;

/// Everybody who holds a key.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) authorities: Vec<Authority>,
    pub(super) signers: Vec<Signer>,
}

impl Cast {
    /// Makes keys and certificates. `keystore` is where signing keys live in place of what the plan says.
    pub(super) fn make(plan: &Plan, keystore: Option<Keystore>) -> Result<Cast, NoKey> {
        let mut cast = Cast { authorities: Vec::new(), signers: Vec::new() };
        for authority in &plan.authorities {
            let made = cast.authority(authority)?;
            cast.authorities.push(made);
        }
        for key in &plan.keys {
            let signer = cast.signer(key, keystore.unwrap_or(key.keystore))?;
            cast.signers.push(signer);
        }
        Ok(cast)
    }

    /// The certificate of somebody, in DER.
    pub(super) fn certificate(&self, anchor: Anchor) -> &[u8] {
        match anchor {
            Anchor::Authority(position) => self.authorities[position].certificate(),
            Anchor::Key(position) => self.signers[position].chain.first().map_or(&[], Vec::as_slice),
        }
    }

    fn authority(&self, plan: &AuthorityPlan) -> Result<Authority, NoKey> {
        let key = keystore::key(Keystore::File, plan.algorithm, self.authorities.len())?;
        let change = |draft: &mut CertificateDraft| {
            draft.set_validity(plan.validity)?;
            plan.defects.iter().try_for_each(|defect| spoil_authority(draft, *defect))
        };
        let made = match plan.issuer {
            Some(issuer) => self.authorities[issuer].intermediate_with(&plan.subject, key, change),
            None => Authority::root_with(&plan.subject, key, change),
        };
        made.map_err(|error| failed(&plan.name, &error))
    }

    fn signer(&self, plan: &KeyPlan, keystore: Keystore) -> Result<Signer, NoKey> {
        let slot = SIGNERS + self.signers.len();
        let key = keystore::key(keystore, plan.algorithm, slot)?;
        // Of a key that certifies itself, the certificate is made like an authority's.
        let certified = if plan.issuer.is_none() { keystore::issuing(&key, keystore, slot)? } else { key.clone() };
        let failed = |error: ForgeError| failed(&plan.name, &error);
        let request = LeafRequest {
            subject: Subject::parse(&plan.subject).map_err(failed)?,
            validity: plan.validity,
            crl_urls: plan.crl.clone(),
            ocsp_urls: plan.ocsp.clone(),
            ..LeafRequest::new(&plan.subject, certified).map_err(failed)?
        };
        let change =
            |draft: &mut CertificateDraft| plan.defects.iter().try_for_each(|defect| spoil_signer(draft, *defect));
        let made = match plan.issuer {
            Some(issuer) => self.authorities[issuer].issue_with(request, change),
            None => Signer::self_signed_with(request, change),
        };
        Ok(Signer { key, ..made.map_err(failed)? })
    }
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
