//! The known ways in which the certificate of a time stamping authority is wrong (*signature-specification*, Certificate
//! Requirements; RFC 3161, section 2.3).

use time::macros::datetime;
use x509_cert::ext::pkix::KeyUsages;

use super::extension::{CODE_SIGNING, TIME_STAMPING};
use super::words::words;
use super::{CertificateDraft, ExtensionKind, ForgeError, Validity, basic_constraints, extended_key_usage, key_usage};

const ANY_PURPOSE: &str = "2.5.29.37.0";

words! {
    /// How the certificate of a time stamping authority departs from the rules; for [`super::Authority::tsa_with`].
    pub TsaCertificateDefect {
        /// It states no purpose.
        NoPurpose "no-purpose"
        /// Its purpose is not critical.
        PurposeNotCritical "purpose-not-critical"
        /// It is for signing code as well.
        FurtherPurpose "further-purpose"
        /// It is for signing code.
        CodeSigning "code-signing"
        /// It is for every purpose.
        AnyPurpose "any-purpose"
        /// It has no key usage.
        NoKeyUsage "no-key-usage"
        /// Its key usage is not for signatures.
        WrongKeyUsage "wrong-key-usage"
        /// It is an authority's.
        IsAnAuthority "is-an-authority"
        /// It was valid until the end of 2020.
        Expired "expired"
        /// It becomes valid in 2059.
        NotYetValid "not-yet-valid"
    }
}

impl TsaCertificateDefect {
    /// Breaks `draft`.
    ///
    /// # Errors
    ///
    /// If an extension cannot be written.
    pub fn apply(self, draft: &mut CertificateDraft) -> Result<(), ForgeError> {
        use TsaCertificateDefect as D;
        match self {
            D::NoPurpose => draft.remove(ExtensionKind::ExtendedKeyUsage),
            D::PurposeNotCritical => draft.set(extended_key_usage(&[TIME_STAMPING], false)?),
            D::FurtherPurpose => draft.set(extended_key_usage(&[TIME_STAMPING, CODE_SIGNING], true)?),
            D::CodeSigning => draft.set(extended_key_usage(&[CODE_SIGNING], true)?),
            D::AnyPurpose => draft.set(extended_key_usage(&[ANY_PURPOSE], true)?),
            D::NoKeyUsage => draft.remove(ExtensionKind::KeyUsage),
            D::WrongKeyUsage => draft.set(key_usage(KeyUsages::KeyEncipherment, true)?),
            D::IsAnAuthority => {
                draft.set(basic_constraints(true, None, true)?);
                draft.set(key_usage(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign, true)?);
            }
            D::Expired => draft.set_validity(Validity {
                not_before: datetime!(2020-01-01 0:00 UTC),
                not_after: datetime!(2020-12-31 23:59:59 UTC),
            })?,
            D::NotYetValid => draft.set_validity(Validity {
                not_before: datetime!(2059-01-01 0:00 UTC),
                not_after: datetime!(2060-01-01 0:00 UTC),
            })?,
        }
        Ok(())
    }
}
