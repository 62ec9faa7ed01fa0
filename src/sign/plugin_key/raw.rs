//! A plugin that signs bytes: `describe-key`, then `generate-signature`. Muster writes the envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use super::super::key::{KeyError, check_validity};
use super::super::signature::{SignError, SignRequest, UnfinishedEnvelope, ders, statement};
use super::{PluginKey, PluginKeyError};
use crate::encode::Prepared;
use crate::failure::quote;
use crate::limits;
use crate::pki::{Chain, KeyKind};
use crate::plugin::{
    CONTRACT_VERSION, Command, DescribeKeyRequest, DescribeKeyResponse, GenerateSignatureRequest,
    GenerateSignatureResponse, hash_algorithm, key_kind, key_spec, signing_algorithm,
};

/// A signature with the certificates of the key that made it, both checked.
struct Signed {
    signature: Vec<u8>,
    chain: Chain,
}

impl PluginKey {
    /// The kind of the key.
    pub(super) async fn describe(&self) -> Result<KeyKind, PluginKeyError> {
        const COMMAND: Command = Command::DescribeKey;
        let request = DescribeKeyRequest {
            contract_version: CONTRACT_VERSION.to_owned(),
            key_id: self.id.clone(),
            plugin_config: self.config.clone(),
        };
        let answer: DescribeKeyResponse = self.ask(COMMAND, &request).await?;
        self.check_id(COMMAND, &answer.key_id)?;
        key_kind(&answer.key_spec).ok_or_else(|| {
            self.wrong(
                COMMAND,
                format!("the key specification {} is not one of the six that sign", quote(&answer.key_spec)),
            )
        })
    }

    /// Has `message` signed by the key, which is of `kind`.
    async fn sign_bytes(&self, kind: KeyKind, message: &[u8], at: OffsetDateTime) -> Result<Signed, PluginKeyError> {
        const COMMAND: Command = Command::GenerateSignature;
        let request = GenerateSignatureRequest {
            contract_version: CONTRACT_VERSION.to_owned(),
            key_id: self.id.clone(),
            key_spec: key_spec(kind).to_owned(),
            hash_algorithm: hash_algorithm(kind).to_owned(),
            payload: STANDARD.encode(message),
            plugin_config: self.config.clone(),
        };
        let answer: GenerateSignatureResponse = self.ask(COMMAND, &request).await?;
        self.check_id(COMMAND, &answer.key_id)?;
        if answer.signing_algorithm != signing_algorithm(kind) {
            let (wanted, stated) = (signing_algorithm(kind), quote(&answer.signing_algorithm));
            let spec = key_spec(kind);
            return Err(self.wrong(COMMAND, format!("a key {spec} signs by {wanted}, and the answer states {stated}")));
        }
        if answer.certificate_chain.len() > limits::CHAIN_CERTIFICATES {
            let most = limits::CHAIN_CERTIFICATES;
            return Err(self.wrong(COMMAND, format!("certificateChain has more than {most} certificates")));
        }
        let chain = answer.certificate_chain.iter().map(|text| self.decoded(COMMAND, "certificateChain", text));
        let ders: Vec<Vec<u8>> = chain.collect::<Result<_, _>>()?;
        let key = |error| PluginKeyError::Key { plugin: quote(self.plugin.name.as_str()), error: Box::new(error) };
        let chain = Chain::parse_code_signing(&ders).map_err(|failure| key(KeyError::Chain(failure)))?;
        check_validity(&chain, at).map_err(key)?;
        if chain.signing_key().kind() != kind {
            let (said, certified) = (kind.as_str(), chain.signing_key().kind().as_str());
            return Err(self.wrong(COMMAND, format!("the key is {said}, and its certificate is for {certified}")));
        }
        let signature = self.decoded(COMMAND, "signature", &answer.signature)?;
        if chain.signing_key().verify(message, &signature).is_err() {
            let form = "it has to be RSASSA-PSS with a salt as long as the hash, or r‖s and not ASN.1";
            let reason = format!("the signature does not verify with the key of the first certificate; {form}");
            return Err(self.wrong(COMMAND, reason));
        }
        Ok(Signed { signature, chain })
    }
}

/// Has what an envelope says signed.
pub(super) async fn begin<'a>(
    key: &PluginKey,
    kind: KeyKind,
    request: &'a SignRequest,
) -> Result<UnfinishedEnvelope<'a>, SignError> {
    let statement = statement(request, &key.agent())?;
    let prepared = Prepared::new(request.format, &statement, kind)?;
    let Signed { signature, chain } = key.sign_bytes(kind, &prepared.to_be_signed(), request.at).await?;
    Ok(UnfinishedEnvelope { request, statement, finished: prepared.finish(signature, &ders(&chain)), chain })
}
