//! The known ways in which a token is wrong.

use time::Duration;

use super::super::altered::{last_bit_turned, with_trailing_bytes};
use super::super::asn1::{self, generalized_text};
use super::super::extension::UNKNOWN;
use super::super::words::words;
use super::{Accuracy, AttributeForm, BASELINE_POLICY, Imprint, SignerIdentifier, SigningCertificate, TimestampDraft};

words! {
    /// How a token departs from the rules. Some of these are sound all the same, and must be accepted.
    pub TimestampDefect {
        /// The SignedData is of version 1.
        Version "version"
        /// The content is said to be of another type.
        ContentType "content-type"
        /// The SignedData has no signer.
        NoSigner "no-signer"
        /// Two signed.
        TwoSigners "two-signers"
        /// The signer is named by the identifier of the key, in a SignerInfo of version 3.
        SubjectKeyIdentifier "subject-key-identifier"
        /// No attributes are signed.
        NoSignedAttributes "no-signed-attributes"
        /// The attribute with the digest is missing.
        NoMessageDigest "no-message-digest"
        /// The attribute with the digest has that of another content.
        WrongMessageDigest "wrong-message-digest"
        /// The attribute with the digest is there twice.
        TwoMessageDigests "two-message-digests"
        /// The attribute with the digest has two values.
        MessageDigestOfTwoValues "message-digest-of-two-values"
        /// The attribute with the content's type is missing.
        NoContentTypeAttribute "no-content-type-attribute"
        /// The attribute with the content's type has another.
        WrongContentTypeAttribute "wrong-content-type-attribute"
        /// The attribute with the content's type is there twice.
        TwoContentTypeAttributes "two-content-type-attributes"
        /// The attributes stand in another order than the one of DER, in which they are signed; that is sound.
        AttributesOutOfOrder "attributes-out-of-order"
        /// The attributes stand in another order than the one of DER, and are signed so.
        AttributesSignedOutOfOrder "attributes-signed-out-of-order"
        /// The signer's certificate is named in the older attribute only.
        SigningCertificateV1 "signing-certificate-v1"
        /// The signer's certificate is not named.
        NoSigningCertificate "no-signing-certificate"
        /// The signer's certificate is named by the digest of another.
        WrongCertificateHash "wrong-certificate-hash"
        /// The signer's certificate is named with another serial number.
        WrongCertificateSerial "wrong-certificate-serial"
        /// The signer's certificate is named with another issuer.
        WrongCertificateIssuer "wrong-certificate-issuer"
        /// The attribute with the signing time lies before the certificates are valid.
        SigningTimeOutside "signing-time-outside"
        /// Something else was stamped.
        OtherMessage "other-message"
        /// The imprint is of SHA-1.
        ImprintSha1 "imprint-sha1"
        /// The imprint is of an unknown hash.
        ImprintUnknown "imprint-unknown"
        /// The TSTInfo is of version 2.
        InfoVersion "info-version"
        /// There is no time.
        NoTime "no-time"
        /// The time has a fraction; that is sound.
        FractionalTime "fractional-time"
        /// The time does not say that it is UTC.
        LocalTime "local-time"
        /// The time is in the year 10000.
        Year10000 "year-10000"
        /// The time lies a day ahead.
        FutureTime "future-time"
        /// The accuracy is negative.
        NegativeAccuracy "negative-accuracy"
        /// The accuracy has a thousand milliseconds.
        ThousandMillis "thousand-millis"
        /// The accuracy is 2^31 seconds.
        HugeAccuracy "huge-accuracy"
        /// No accuracy is stated; that is sound.
        NoAccuracy "no-accuracy"
        /// No accuracy is stated, under the policy by which it is a second; that is sound.
        BaselinePolicy "baseline-policy"
        /// Only the certificate of the authority itself goes along.
        NoIntermediate "no-intermediate"
        /// No certificates go along.
        NoCertificates "no-certificates"
        /// The root goes along as well; that is sound.
        WithRoot "with-root"
        /// The TSTInfo has an unknown critical extension.
        UnknownCriticalExtension "unknown-critical-extension"
        /// The outermost value is of indefinite length.
        IndefiniteLength "indefinite-length"
        /// There is nothing but ten thousand values, each inside the one before.
        DepthBomb "depth-bomb"
        /// Bytes follow the token.
        TrailingBytes "trailing-bytes"
        /// A bit of the signature is turned.
        WrongSignature "wrong-signature"
        /// A bit of the TSTInfo is turned after it was signed.
        AlteredInfo "altered-info"
        /// The nonce is another.
        WrongNonce "wrong-nonce"
        /// There is no nonce.
        NoNonce "no-nonce"
    }
}

impl TimestampDefect {
    /// Breaks `draft`.
    pub fn apply(self, draft: &mut TimestampDraft) {
        use TimestampDefect as D;
        match self {
            D::Version => draft.version = 1,
            D::ContentType => draft.content_type = "1.2.840.113549.1.7.1".to_owned(),
            D::NoSigner => draft.signers = 0,
            D::TwoSigners => draft.signers = 2,
            D::SubjectKeyIdentifier => draft.signer_identifier = SignerIdentifier::SubjectKey,
            D::NoSignedAttributes => draft.signed_attributes = false,
            D::NoMessageDigest => draft.digest_attribute = AttributeForm::Missing,
            D::WrongMessageDigest => draft.digest_attribute = AttributeForm::Wrong,
            D::TwoMessageDigests => draft.digest_attribute = AttributeForm::Doubled,
            D::MessageDigestOfTwoValues => draft.digest_attribute = AttributeForm::TwoValues,
            D::NoContentTypeAttribute => draft.content_type_attribute = AttributeForm::Missing,
            D::WrongContentTypeAttribute => draft.content_type_attribute = AttributeForm::Wrong,
            D::TwoContentTypeAttributes => draft.content_type_attribute = AttributeForm::Doubled,
            D::AttributesOutOfOrder => draft.alter_signed_attributes = Some(reversed),
            D::AttributesSignedOutOfOrder => draft.alter_attributes = Some(reversed),
            D::SigningCertificateV1 => draft.signing_certificate = SigningCertificate::V1,
            D::NoSigningCertificate => draft.signing_certificate = SigningCertificate::Absent,
            D::WrongCertificateHash => draft.signing_certificate = SigningCertificate::WrongHash,
            D::WrongCertificateSerial => draft.signing_certificate = SigningCertificate::WrongSerial,
            D::WrongCertificateIssuer => draft.signing_certificate = SigningCertificate::WrongIssuer,
            D::SigningTimeOutside => draft.signing_time = Some(time::macros::datetime!(1990-01-01 0:00 UTC)),
            D::OtherMessage => draft.imprint = Imprint::by(&draft.imprint.hash, b"another message"),
            D::ImprintSha1 => {
                draft.imprint = Imprint { hash: asn1::SHA1.to_owned(), digest: cut(&draft.imprint.digest, 20) };
            }
            D::ImprintUnknown => draft.imprint.hash = UNKNOWN.to_owned(),
            D::InfoVersion => draft.info_version = 2,
            D::NoTime => draft.gen_time_text = Some(String::new()),
            D::FractionalTime => draft.gen_time_text = Some(in_whole_seconds(draft) + ".25Z"),
            D::LocalTime => draft.gen_time_text = Some(in_whole_seconds(draft)),
            D::Year10000 => draft.gen_time_text = Some("100000101000000Z".to_owned()),
            D::FutureTime => draft.gen_time = draft.gen_time.saturating_add(Duration::DAY),
            D::NegativeAccuracy => draft.accuracy = Some(Accuracy::seconds(-1)),
            D::ThousandMillis => {
                draft.accuracy = Some(Accuracy { seconds: Some(1), millis: Some(1000), micros: None });
            }
            D::HugeAccuracy => draft.accuracy = Some(Accuracy::seconds(1 << 31)),
            D::NoAccuracy => draft.accuracy = None,
            D::BaselinePolicy => {
                draft.accuracy = None;
                draft.policy = BASELINE_POLICY.to_owned();
            }
            D::NoIntermediate => draft.certificates.truncate(1),
            D::NoCertificates => draft.certificates.clear(),
            D::WithRoot => draft.certificates = draft.authority.chain.clone(),
            D::UnknownCriticalExtension => draft.extra.push((UNKNOWN.to_owned(), true, asn1::null())),
            D::IndefiniteLength => draft.indefinite = true,
            D::DepthBomb => draft.alter = Some(nested),
            D::TrailingBytes => draft.alter = Some(with_trailing_bytes),
            D::WrongSignature => draft.alter_signature = Some(last_bit_turned),
            D::AlteredInfo => draft.alter = Some(info_altered),
            D::WrongNonce => draft.nonce = Some(vec![0x5e]),
            D::NoNonce => draft.nonce = None,
        }
    }
}

/// A SET with its values in reverse order.
fn reversed(set: Vec<u8>) -> Vec<u8> {
    match asn1::read(&set) {
        Some((read, _)) => {
            let values: Vec<&[u8]> = read.inside().into_iter().rev().map(|value| value.whole).collect();
            super::super::tlv(asn1::SET, &values.concat())
        }
        None => set,
    }
}

fn cut(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.get(..length).unwrap_or(bytes).to_vec()
}

/// The time without its `Z`.
fn in_whole_seconds(draft: &TimestampDraft) -> String {
    let mut text = generalized_text(draft.gen_time);
    text.pop();
    text
}

/// Turns a bit of the last figure of the time, which stays one: the only text of the form `…Z` behind tag and length.
fn info_altered(mut token: Vec<u8>) -> Vec<u8> {
    let time = token.windows(17).position(|bytes| bytes.starts_with(&[0x18, 15]) && bytes.ends_with(b"Z"));
    if let Some(figure) = time.and_then(|start| token.get_mut(start + 15)) {
        *figure ^= 1;
    }
    token
}

/// Values of definite length inside each other; each head says in four bytes how long the rest is.
fn nested(_: Vec<u8>) -> Vec<u8> {
    const DEPTH: u32 = 10_000;
    const HEAD: u32 = 6;
    let heads = (0..DEPTH).rev().flat_map(|below| {
        let [a, b, c, d] = (below * HEAD).to_be_bytes();
        [asn1::SEQUENCE, 0x84, a, b, c, d]
    });
    heads.collect()
}
