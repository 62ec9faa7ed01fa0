//! What CRLs and OCSP answers have in common: something signed, the algorithm, and the signature.

use x509_parser::prelude::FromDer;
use x509_parser::x509::AlgorithmIdentifier;

use super::answer_error::AnswerError;
use super::fields::Fields;
use crate::failure::quote;
use crate::pki::der::{self, Element};
use crate::pki::{Certificate, SignatureAlgorithm};

/// Something signed. The signature is verified over its bytes as they came, never over an encoding of what was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    /// What is signed.
    pub(super) content: Element<'a>,
    /// The `AlgorithmIdentifier`, which is not signed.
    pub(super) algorithm: Element<'a>,
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Takes the three parts from `fields`.
    pub(super) fn read(fields: &mut Fields<'a>) -> Result<Signed<'a>, AnswerError> {
        let content = fields.required(der::SEQUENCE)?;
        let algorithm = fields.required(der::SEQUENCE)?;
        match fields.required(der::BIT_STRING)?.contents {
            [0, signature @ ..] => Ok(Signed { content, algorithm, signature }),
            _ => Err(AnswerError::from("has a signature that is not a whole number of bytes")),
        }
    }

    /// Checks that the key of `signer` made the signature, and nothing else.
    pub(super) fn check(&self, signer: &Certificate) -> Result<(), AnswerError> {
        let algorithm = self.algorithm().map_err(|reason| AnswerError::from(format!("is signed {reason}")))?;
        algorithm.verify(signer.subject_key(), self.content.whole, self.signature).map_err(|_| {
            let signer = quote(signer.subject_text());
            AnswerError::from(format!("has a signature that does not verify with the key of {signer}"))
        })
    }

    fn algorithm(&self) -> Result<SignatureAlgorithm, String> {
        let unreadable = || "with an algorithm that cannot be read".to_owned();
        let parameters = self.parameters().map_err(|_| unreadable())?;
        let algorithm = match AlgorithmIdentifier::from_der(self.algorithm.whole) {
            Ok(([], identifier)) => SignatureAlgorithm::from_identifier(&identifier)?,
            _ => return Err(unreadable()),
        };
        // What is not signed must leave no choice either: RFC 4055, section 5, and RFC 5758, section 3.2.
        let sound = match algorithm {
            SignatureAlgorithm::RsaPkcs1(_) => parameters.is_none_or(|parameters| parameters == [der::NULL, 0]),
            SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519 => parameters.is_none(),
            SignatureAlgorithm::RsaPss(_) => true,
        };
        if sound { Ok(algorithm) } else { Err("with an algorithm that has parameters where it has none".to_owned()) }
    }

    /// What follows the object identifier. The library takes other types for one, and overlooks what is too much.
    fn parameters(&self) -> Result<Option<&'a [u8]>, AnswerError> {
        let mut fields = Fields::of(self.algorithm, der::SEQUENCE)?;
        fields.required(der::OBJECT_IDENTIFIER)?;
        let parameters = fields.any().ok();
        fields.end()?;
        Ok(parameters.map(|parameters| parameters.whole))
    }
}
