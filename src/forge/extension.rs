//! Extensions of certificates (RFC 5280, section 4.2), critical or not.

use aws_lc_rs::digest;
use der::asn1::{BitString, Ia5String, Null, ObjectIdentifier, OctetString};
use der::flagset::FlagSet;
use der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
    ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::ForgeError;

/// The identifier of an unregistered extension.
pub(super) const UNKNOWN: &str = "1.3.6.1.4.1.99999.9";
/// The purpose of time stamping (RFC 3161, section 2.3).
pub(super) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// The purpose of signing code (RFC 5280, section 4.2.1.12).
pub(super) const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";

/// Extensions that drafts carry by default, to replace or remove them by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionKind {
    /// basicConstraints.
    BasicConstraints,
    /// keyUsage.
    KeyUsage,
    /// extKeyUsage.
    ExtendedKeyUsage,
    /// subjectKeyIdentifier.
    SubjectKeyIdentifier,
    /// authorityKeyIdentifier.
    AuthorityKeyIdentifier,
    /// cRLDistributionPoints.
    CrlDistributionPoints,
    /// authorityInfoAccess.
    AuthorityInformationAccess,
    /// freshestCRL.
    FreshestCrl,
    /// id-pkix-ocsp-nocheck.
    OcspNocheck,
}

impl ExtensionKind {
    /// The object identifier.
    pub fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            ExtensionKind::BasicConstraints => "2.5.29.19",
            ExtensionKind::KeyUsage => "2.5.29.15",
            ExtensionKind::ExtendedKeyUsage => "2.5.29.37",
            ExtensionKind::SubjectKeyIdentifier => "2.5.29.14",
            ExtensionKind::AuthorityKeyIdentifier => "2.5.29.35",
            ExtensionKind::CrlDistributionPoints => "2.5.29.31",
            ExtensionKind::AuthorityInformationAccess => "1.3.6.1.5.5.7.1.1",
            ExtensionKind::FreshestCrl => "2.5.29.46",
            ExtensionKind::OcspNocheck => "1.3.6.1.5.5.7.48.1.5",
        })
    }
}

/// Any extension: a dotted object identifier and its value in DER.
pub fn extension(oid: &str, critical: bool, value: &[u8]) -> Result<Extension, ForgeError> {
    let extn_id = ObjectIdentifier::new(oid).map_err(|_| ForgeError::Der(der::ErrorKind::Failed.into()))?;
    Ok(Extension { extn_id, critical, extn_value: OctetString::new(value)? })
}

fn encoded(kind: ExtensionKind, critical: bool, value: &impl Encode) -> Result<Extension, ForgeError> {
    Ok(Extension { extn_id: kind.oid(), critical, extn_value: OctetString::new(value.to_der()?)? })
}

/// Whether the certificate is an authority's, and how many authorities may follow below it.
pub fn basic_constraints(ca: bool, path_length: Option<u8>, critical: bool) -> Result<Extension, ForgeError> {
    let value = BasicConstraints { ca, path_len_constraint: path_length };
    encoded(ExtensionKind::BasicConstraints, critical, &value)
}

/// What the key may be used for.
pub fn key_usage(usages: impl Into<FlagSet<KeyUsages>>, critical: bool) -> Result<Extension, ForgeError> {
    encoded(ExtensionKind::KeyUsage, critical, &KeyUsage(usages.into()))
}

/// The extended key usages, as dotted object identifiers.
pub fn extended_key_usage(purposes: &[&str], critical: bool) -> Result<Extension, ForgeError> {
    let purposes: Result<Vec<_>, _> = purposes.iter().map(|oid| ObjectIdentifier::new(oid)).collect();
    let purposes = purposes.map_err(|_| ForgeError::Der(der::ErrorKind::Failed.into()))?;
    encoded(ExtensionKind::ExtendedKeyUsage, critical, &ExtendedKeyUsage(purposes))
}

/// Where CRLs are published.
pub fn crl_distribution_points(urls: &[String]) -> Result<Extension, ForgeError> {
    encoded(ExtensionKind::CrlDistributionPoints, false, &points(urls)?)
}

/// Where deltas to the CRLs are published.
pub fn freshest_crl(urls: &[String]) -> Result<Extension, ForgeError> {
    encoded(ExtensionKind::FreshestCrl, false, &points(urls)?)
}

/// That an OCSP responder's certificate need not be checked for revocation (RFC 6960, section 4.2.2.2.1).
pub fn ocsp_nocheck() -> Result<Extension, ForgeError> {
    encoded(ExtensionKind::OcspNocheck, false, &Null)
}

/// A distribution point for each address.
pub(super) fn points(urls: &[String]) -> Result<CrlDistributionPoints, ForgeError> {
    let points = urls.iter().map(|url| {
        let names = DistributionPointName::FullName(vec![address(url)?]);
        Ok(DistributionPoint { distribution_point: Some(names), reasons: None, crl_issuer: None })
    });
    Ok(CrlDistributionPoints(points.collect::<Result<Vec<_>, ForgeError>>()?))
}

/// Where OCSP responders answer.
pub fn ocsp_responders(urls: &[String]) -> Result<Extension, ForgeError> {
    let access_method = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
    let access = urls.iter().map(|url| Ok(AccessDescription { access_method, access_location: address(url)? }));
    let access = access.collect::<Result<Vec<_>, ForgeError>>()?;
    encoded(ExtensionKind::AuthorityInformationAccess, false, &AuthorityInfoAccessSyntax(access))
}

fn address(url: &str) -> Result<GeneralName, ForgeError> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(url)?))
}

/// The identifier of the key itself (RFC 7093, method 1); `public_key` is a SubjectPublicKeyInfo.
pub fn subject_key_identifier(public_key: &[u8]) -> Result<Extension, ForgeError> {
    encoded(ExtensionKind::SubjectKeyIdentifier, false, &SubjectKeyIdentifier(key_identifier(public_key)?))
}

/// The identifier of the issuer's key; `public_key` is a SubjectPublicKeyInfo.
pub fn authority_key_identifier(public_key: &[u8]) -> Result<Extension, ForgeError> {
    let value = AuthorityKeyIdentifier {
        key_identifier: Some(key_identifier(public_key)?),
        ..AuthorityKeyIdentifier::default()
    };
    encoded(ExtensionKind::AuthorityKeyIdentifier, false, &value)
}

fn key_identifier(public_key: &[u8]) -> Result<OctetString, ForgeError> {
    let info = SubjectPublicKeyInfoOwned::from_der(public_key)?;
    let bits: &BitString = &info.subject_public_key;
    Ok(OctetString::new(&digest::digest(&digest::SHA256, bits.raw_bytes()).as_ref()[..20])?)
}
