//! The verification plugin that a signature names: whether it may take part, what it takes over, and what it said.
//!
//! Follows *plugin-extensibility*, Verification Extensibility. It is asked for its metadata once the chain is trusted, and
//! for its verdict last, when no enforced validation has failed and nothing else is open. A plugin that says so decides the
//! trusted identity or the revocation in Muster's place. It must have processed every signed attribute that the specification
//! does not name, critical or not; those that it says to have processed beyond them change nothing. A signature that names a
//! plugin never passes without its answer.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use semver::Version;

use super::Need;
use super::context::Context;
use super::outcome::{Check, CheckResult};
use super::pending::Gathered;
use crate::envelope::{ExtendedAttribute, PAYLOAD_MEDIA_TYPE, VerificationPlugin, VerifiedEnvelope};
use crate::failure::{Code, Failure, quote};
use crate::plugin::{
    CONTRACT_VERSION, Command, CriticalAttributes, NO_EXPIRY, PluginConfig, PluginMetadata, PluginName,
    PluginTrustPolicy, Question, Secrets, VERIFIER_REVOCATION_CHECK, VERIFIER_TRUSTED_IDENTITY, VerificationResult,
    VerifiedSignature, VerifySignatureRequest, VerifySignatureResponse, question, read_answer,
};
use crate::policy::{Action, Validation};
use crate::rfc3339::instant_in_utc;

/// The role of a plugin in verifying a signature.
#[derive(Debug)]
pub(super) enum PluginRole {
    /// The signature names no plugin.
    None,
    /// The plugin must take part and cannot, or has not answered yet.
    Unusable(Failure),
    /// The plugin takes part.
    Usable(PluginMetadata),
}

impl PluginRole {
    /// The role of the plugin that `envelope` names; `trusted` says that the chain leads to a trust store. Without that no
    /// plugin is looked for, since any signer could name one.
    pub(super) fn of(
        envelope: &VerifiedEnvelope,
        context: &Context<'_>,
        trusted: bool,
        pending: &mut Gathered,
    ) -> PluginRole {
        match &envelope.signer.verification_plugin {
            None => PluginRole::None,
            Some(wanted) => {
                introduced(wanted, context, trusted, pending).map_or_else(PluginRole::Unusable, PluginRole::Usable)
            }
        }
    }

    /// Whether `validation`, or a part of it, is not Muster's to decide: the plugin takes it over, or could do so if it were
    /// there.
    pub(super) fn takes(&self, validation: Validation) -> bool {
        match (self, capability(validation)) {
            (_, None) | (PluginRole::None, _) => false,
            (PluginRole::Unusable(_), Some(_)) => true,
            (PluginRole::Usable(plugin), Some(capability)) => plugin.can(capability),
        }
    }

    /// Asks the plugin, when everything else is decided, and notes in `checks` what it decides.
    ///
    /// # Errors
    ///
    /// Why the signature does not pass though no validation says so.
    pub(super) fn conclude(
        &self,
        envelope: &VerifiedEnvelope,
        context: &Context<'_>,
        checks: &mut [Check],
        pending: &mut Gathered,
    ) -> Result<(), Failure> {
        let plugin = match self {
            PluginRole::None => return Ok(()),
            PluginRole::Unusable(failure) => return Err(failure.clone()),
            PluginRole::Usable(plugin) => plugin,
        };
        let asked: Vec<Validation> = [Validation::Authenticity, Validation::Revocation]
            .into_iter()
            .filter(|validation| self.takes(*validation) && context.statement.action(*validation) != Action::Skip)
            .collect();
        let attributes = attributes(envelope)?;
        let answer = if asked.is_empty() {
            // There is nothing to ask, as for the reference implementation; so nothing has been processed either.
            VerifySignatureResponse { verification_results: Default::default(), processed_attributes: Vec::new() }
        } else {
            let question = ask(&plugin.name, envelope, &attributes, &asked, context);
            if !pending.is_empty() && context.answers.plugins.get(&question).is_none() {
                return Err(not_asked(&plugin.name));
            }
            let bytes = answered(&plugin.name, question, context, pending)?;
            read_answer(bytes).map_err(|reason| failed(&plugin.name, &reason))?
        };
        let result = |validation| capability(validation).and_then(|asked| answer.verification_results.get(asked));
        if !asked.iter().all(|validation| result(*validation).is_some()) {
            return Err(failed(&plugin.name, "says nothing of a capability that it was asked for"));
        }
        for check in checks.iter_mut().filter(|check| asked.contains(&check.validation)) {
            if let Some(result) = result(check.validation) {
                check.result = decide(check.validation, result, &plugin.name, &context.options.plugin_config);
                check.plugin = Some(format!("{} {}", plugin.name, plugin.version));
            }
        }
        let processed: HashSet<&String> = answer.processed_attributes.iter().collect();
        match attributes.iter().find(|attribute| !processed.contains(&attribute.name)) {
            None => Ok(()),
            Some(ignored) => {
                let (name, plugin) = (quote(&ignored.name), &plugin.name);
                let message = format!("the plugin \"{plugin}\" has not processed the signed attribute {name}");
                Err(Failure::new(Code::AttributeUnprocessed, message))
            }
        }
    }
}

/// The capability by which a plugin decides `validation`.
fn capability(validation: Validation) -> Option<&'static str> {
    match validation {
        Validation::Authenticity => Some(VERIFIER_TRUSTED_IDENTITY),
        Validation::Revocation => Some(VERIFIER_REVOCATION_CHECK),
        Validation::Integrity | Validation::Expiry | Validation::AuthenticTimestamp => None,
    }
}

/// The plugin, if it is one that may take part: what the signature says of it is checked before it is asked for anything.
fn introduced(
    wanted: &VerificationPlugin,
    context: &Context<'_>,
    trusted: bool,
    pending: &mut Gathered,
) -> Result<PluginMetadata, Failure> {
    let name = PluginName::new(&wanted.name)
        .map_err(|error| Failure::new(Code::PluginNameInvalid, format!("the verification plugin {error}")))?;
    let minimum = wanted.minimum_version.as_deref().map(|text| {
        Version::parse(text).map_err(|error| {
            let message =
                format!("the lowest version of the plugin, {}, is not a semantic version: {error}", quote(text));
            Failure::new(Code::CriticalMalformed, message)
        })
    });
    let minimum = minimum.transpose()?;
    let unsuitable = |what: String| Failure::new(Code::PluginUnsuitable, format!("the plugin \"{name}\" {what}"));
    if !trusted {
        return Err(unsuitable(
            "that the signature asks for was not run, since the chain is not trusted: only signers of the trust stores \
             may have a plugin run"
                .to_owned(),
        ));
    }
    let question = PluginMetadata::question(&name, &context.options.plugin_config);
    let plugin = PluginMetadata::read(&name, answered(&name, question, context, pending)?)?;
    let version = plugin.semantic_version()?;
    if let Some(minimum) = minimum.filter(|minimum| version.cmp_precedence(minimum).is_lt()) {
        return Err(unsuitable(format!("has the version {version}, and the signature asks for {minimum} or higher")));
    }
    if ![VERIFIER_TRUSTED_IDENTITY, VERIFIER_REVOCATION_CHECK].into_iter().any(|capability| plugin.can(capability)) {
        return Err(unsuitable("cannot verify: it has neither of the capabilities SIGNATURE_VERIFIER".to_owned()));
    }
    Ok(plugin)
}

/// The signed attributes that the plugin has to process, by name. One that cannot be handed to it fails the signature.
fn attributes(envelope: &VerifiedEnvelope) -> Result<Vec<&ExtendedAttribute>, Failure> {
    let mut attributes: Vec<&ExtendedAttribute> = envelope.signer.extended_attributes.iter().collect();
    if let Some(odd) = attributes.iter().find(|attribute| attribute.numbered || attribute.json.is_none()) {
        let what = if odd.numbered { "has a number for a name" } else { "has a value that is no JSON" };
        let message = format!("the signed attribute {} {what}, so that no plugin can process it", quote(&odd.name));
        return Err(Failure::new(Code::AttributeUnprocessed, message));
    }
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(attributes)
}

/// The question for the plugin's verdict.
fn ask(
    name: &PluginName,
    envelope: &VerifiedEnvelope,
    attributes: &[&ExtendedAttribute],
    asked: &[Validation],
    context: &Context<'_>,
) -> Question {
    let signer = &envelope.signer;
    // What was checked to be JSON is JSON.
    let json = |text: &String| serde_json::from_str(text).ok();
    let value = |attribute: &&ExtendedAttribute| {
        (attribute.name.clone(), attribute.json.as_ref().and_then(json).unwrap_or_default())
    };
    let request = VerifySignatureRequest {
        contract_version: CONTRACT_VERSION.to_owned(),
        signature: VerifiedSignature {
            critical_attributes: CriticalAttributes {
                content_type: PAYLOAD_MEDIA_TYPE.to_owned(),
                signing_scheme: signer.scheme.as_str().to_owned(),
                expiry: Some(signer.expiry.map_or_else(|| NO_EXPIRY.to_owned(), instant_in_utc)),
                authentic_signing_time: signer.authentic_signing_time().map(instant_in_utc),
                extended_attributes: attributes.iter().map(value).collect(),
            },
            unprocessed_attributes: attributes.iter().map(|attribute| attribute.name.clone()).collect(),
            certificate_chain: envelope.chain.certificates().iter().map(|held| STANDARD.encode(held.der())).collect(),
        },
        trust_policy: PluginTrustPolicy {
            trusted_identities: context.statement.identities.written().to_vec(),
            signature_verification: asked.iter().filter_map(|asked| capability(*asked)).map(str::to_owned).collect(),
        },
        plugin_config: context.options.plugin_config.clone(),
    };
    question(name, Command::VerifySignature, &request)
}

/// What the plugin answered, as far as the evidence knows; what it does not know is pending.
fn answered<'a>(
    name: &PluginName,
    question: Question,
    context: &Context<'a>,
    pending: &mut Gathered,
) -> Result<&'a [u8], Failure> {
    match context.answers.plugins.get(&question) {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(trouble)) => Err(trouble.clone().into()),
        None => {
            pending.need(Need::Plugin(question));
            Err(not_asked(name))
        }
    }
}

fn decide(
    validation: Validation,
    result: &VerificationResult,
    name: &PluginName,
    settings: &PluginConfig,
) -> CheckResult {
    if result.success {
        return CheckResult::Pass;
    }
    let (code, what) = match validation {
        Validation::Revocation => (Code::PluginRevocationRefused, "takes the signature for revoked"),
        _ => (Code::PluginIdentityRefused, "does not trust the signer"),
    };
    let reason = result.reason.as_deref().filter(|reason| !reason.is_empty());
    let reason =
        reason.map_or("it gives no reason".to_owned(), |reason| quote(&Secrets::of(settings, []).concealed(reason)));
    CheckResult::from(Failure::new(code, format!("the plugin \"{name}\" {what}: {reason}")))
}

fn failed(name: &PluginName, what: &str) -> Failure {
    Failure::new(Code::PluginFailed, format!("the answer of the plugin \"{name}\" to verify-signature {what}"))
}

fn not_asked(name: &PluginName) -> Failure {
    Failure::new(Code::PluginFailed, format!("the plugin \"{name}\" that the signature asks for has not been asked"))
}
