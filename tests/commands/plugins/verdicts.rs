//! What a plugin's answer makes of a signature, and when it is asked at all.

use std::fs;

use muster::failure::Code;
use muster::forge::{Artifact, Attribute, Cbor, CrlDraft, Key, KeyKind, LeafRequest, SignatureForm, Statement};
use muster::pki::Certificate;
use muster::plugin::{Command, Question};
use muster::policy::Validation;
use muster::revocation;
use muster::verify::{CheckResult, Need, Verdict};
use serde_json::{Value, json};

use super::workshop::{
    Case, IDENTITY, MINIMUM, NAME, NOW, PLUGIN, Plugins, REVOCATION, critical, evidence, fine, metadata, print,
};

const BOTH: [&str; 2] = [IDENTITY, REVOCATION];

fn attribute(name: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: "1".to_owned(), critical: false }
}

/// Plugins that answer with `answer`, and have both capabilities.
fn with(answer: &Value) -> Plugins {
    Plugins::answering(&metadata(&BOTH), &print(answer))
}

/// The case is decided at once: no plugin is even looked for.
#[track_caller]
fn decided_without_plugins(case: &Case, verdict: Verdict, code: Code) {
    let outcome = case.decide(&case.evidence());
    assert_eq!(outcome.pending.needs, [], "a plugin was asked");
    assert_eq!((outcome.verdict, outcome.failure.map(|failure| failure.code)), (verdict, Some(code)));
}

#[test]
fn j_name_that_is_no_file_name() {
    for name in ["a/b", "/etc/passwd", "a\\b", "..", ".", "../x", "a\0b", "a b", " a", "a\n", "плагин", "a\u{202e}b"]
    {
        for level in ["strict", "audit"] {
            let case = Case::new().level(level).with(|case| case.attributes = vec![critical(PLUGIN, name)]);
            decided_without_plugins(&case, Verdict::Fail, Code::PluginNameInvalid);
        }
    }
    let long = "x".repeat(129);
    let case = Case::new().with(|case| case.attributes = vec![critical(PLUGIN, &long)]);
    decided_without_plugins(&case, Verdict::Fail, Code::PluginNameInvalid);
}

#[test]
fn j_name_that_is_empty_or_white_space() {
    for name in ["", " ", "\t\n"] {
        let case = Case::new().with(|case| case.attributes = vec![critical(PLUGIN, name)]);
        decided_without_plugins(&case, Verdict::Fail, Code::CriticalMalformed);
    }
}

#[test]
fn j_name_that_is_not_critical() {
    let case = Case::new().with(|case| case.attributes[0].critical = false);
    decided_without_plugins(&case, Verdict::Fail, Code::CriticalMalformed);
}

#[test]
fn j_never_asked_before_integrity_holds() {
    let case = Case::new().level("audit").with(|case| {
        case.change = |draft| draft.signature = SignatureForm::Bytes(vec![1; 64]);
    });
    decided_without_plugins(&case, Verdict::Fail, Code::SignatureInvalid);
}

#[test]
fn j_never_asked_before_the_chain_is_trusted() {
    let stranger = || Case::new().with(|case| case.trusted = false);
    decided_without_plugins(&stranger(), Verdict::Fail, Code::UntrustedChain);
    let logged = stranger().level("audit");
    decided_without_plugins(&logged, Verdict::Error, Code::PluginUnsuitable);
    let message = logged.decide(&logged.evidence()).failure.unwrap().message;
    assert!(message.contains("was not run, since the chain is not trusted"), "{message}");
}

#[test]
fn what_a_decision_lacks_is_the_metadata_first_and_it_is_no_verdict() {
    let case = Case::new();
    let outcome = case.decide(&case.evidence());
    assert_eq!((outcome.verdict, outcome.failure.unwrap().code), (Verdict::Error, Code::PluginFailed));
    let [Need::Plugin(question)] = outcome.pending.needs.as_slice() else { panic!("{:?}", outcome.pending) };
    assert_eq!((question.plugin.as_str(), question.command), (NAME, Command::GetPluginMetadata));
    assert_eq!(question.request, "{}");
}

/// What a plugin says costs a process, and may be asked of a person: not while the rest is open.
#[test]
fn never_asked_for_its_verdict_while_a_crl_is_missing() {
    let (root, _) = Case::signer();
    let crl = "http://crl.acme.example/root.crl";
    let mut leaf = LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", Key::pooled(KeyKind::P256, 0).unwrap()).unwrap();
    leaf.crl_urls = vec![crl.to_owned()];
    let case = Case::new();
    let mut statement = Statement::new(Artifact::image("app").descriptor().clone(), NOW - time::Duration::DAY);
    statement.attributes = case.attributes.clone();
    let envelope = statement.jws(&root.issue(leaf).unwrap()).unwrap().seal().unwrap();
    let mut evidence = evidence("application/jose+json", envelope);
    // Only the identity is the plugin's.
    let told = metadata(&[IDENTITY]).to_string();
    let question = Question { plugin: NAME.to_owned(), command: Command::GetPluginMetadata, request: "{}".into() };
    evidence.plugins.record(question, Ok(told.into()));
    let needs = case.decide(&evidence).pending.needs;
    let missing = revocation::Need::crl(crl, &Certificate::parse(root.certificate()).unwrap());
    assert_eq!(needs, [Need::Revocation(missing.clone())]);
    let draft = CrlDraft::new(root, NOW - time::Duration::DAY);
    evidence.revocation.record(missing, Ok(revocation::Answer::new(draft.sign(root.key()).unwrap())));
    let needs = case.decide(&evidence).pending.needs;
    assert!(
        matches!(needs.as_slice(), [Need::Plugin(question)] if question.command == Command::VerifySignature),
        "{needs:?}"
    );
}

#[test]
fn never_asked_about_what_fails_anyhow() {
    let expired = Case::new().with(|case| case.expiry = Some(NOW - time::Duration::HOUR));
    decided_without_plugins(&expired, Verdict::Fail, Code::SignatureExpired);
    // Of metadata that was not signed only the capabilities are asked for.
    let plugins = with(&fine(&BOTH, &[]));
    let lacks = Case::new().with(|case| drop(case.user_metadata.insert("a".to_owned(), "b".to_owned())));
    lacks.judge(&plugins).is(Verdict::Fail, Some(Code::UserMetadataMismatch));
    assert_eq!(plugins.started(), 1);
}

#[test]
fn j_metadata_name_mismatch() {
    let mut metadata = metadata(&BOTH);
    metadata["name"] = json!("com.example.other");
    let plugins = Plugins::answering(&metadata, &print(&fine(&BOTH, &[])));
    Case::new().judge(&plugins).undecided(Code::PluginUnsuitable);
}

#[test]
fn j_no_verifier_capability() {
    let plugins = Plugins::answering(&metadata(&["SIGNATURE_GENERATOR.RAW"]), &print(&fine(&BOTH, &[])));
    Case::new().judge(&plugins).undecided(Code::PluginUnsuitable);
    assert_eq!(plugins.started(), 1);
}

#[test]
fn j_minimum_version_that_is_no_version() {
    for version in ["1", "1.0", "v1.0.0", "1.0.0.0", "latest", "01.0.0"] {
        let case = Case::new().with(|case| case.attributes.push(critical(MINIMUM, version)));
        decided_without_plugins(&case, Verdict::Fail, Code::CriticalMalformed);
    }
}

#[test]
fn j_minimum_version() {
    for (version, enough) in [
        ("1.2.3", true),
        ("1.2.3-rc.1", true),
        ("1.2.3+build", true),
        ("0.9.0", true),
        ("1.2.4", false),
        ("1.2.4-rc.1", false),
        ("1.10.0", false),
        ("2.0.0", false),
    ] {
        let plugins = with(&fine(&BOTH, &[]));
        let judged = Case::new().with(|case| case.attributes.push(critical(MINIMUM, version))).judge(&plugins);
        match enough {
            true => judged.is(Verdict::Pass, None),
            false => judged.undecided(Code::PluginUnsuitable),
        };
    }
}

#[test]
fn j_minimum_version_without_plugin() {
    let case = Case::new().with(|case| case.attributes = vec![critical(MINIMUM, "1.0.0")]);
    decided_without_plugins(&case, Verdict::Fail, Code::CriticalMalformed);
}

#[test]
fn j_contract_version() {
    let mut metadata = metadata(&BOTH);
    metadata["supportedContractVersions"] = json!(["2.0"]);
    let plugins = Plugins::answering(&metadata, &print(&fine(&BOTH, &[])));
    Case::new().judge(&plugins).undecided(Code::PluginUnsuitable);
}

#[test]
fn j_metadata_that_lacks_something() {
    for member in ["description", "url", "capabilities"] {
        let mut metadata = metadata(&BOTH);
        metadata.as_object_mut().unwrap().remove(member);
        let plugins = Plugins::answering(&metadata, &print(&fine(&BOTH, &[])));
        Case::new().judge(&plugins).undecided(Code::PluginFailed);
    }
}

#[test]
fn j_attribute_that_was_not_processed() {
    for is_critical in [true, false] {
        let case = || {
            Case::new().with(|case| {
                let new = |name| Attribute { critical: is_critical, ..attribute(name) };
                case.attributes.extend([new("com.example.a"), new("com.example.b")]);
            })
        };
        for processed in [&[][..], &["com.example.a"], &["com.example.B"]] {
            let judged = case().judge(&with(&fine(&BOTH, processed)));
            judged.is(Verdict::Fail, Some(Code::AttributeUnprocessed));
        }
        case().judge(&with(&fine(&BOTH, &["com.example.b", "com.example.a"]))).is(Verdict::Pass, None);
    }
    // Whatever the level.
    let case = Case::new().level("audit").with(|case| case.attributes.push(attribute("com.example.a")));
    case.judge(&with(&fine(&BOTH, &[]))).is(Verdict::Fail, Some(Code::AttributeUnprocessed));
}

#[test]
fn j_more_processed_than_there_is_changes_nothing() {
    let judged = Case::new().judge(&with(&fine(&BOTH, &["com.example.never"])));
    judged.is(Verdict::Pass, None);
}

#[test]
fn j_capability_missing_in_the_answer() {
    for present in BOTH {
        for level in ["strict", "audit"] {
            let judged = Case::new().level(level).judge(&with(&fine(&[present], &[])));
            judged.undecided(Code::PluginFailed);
        }
    }
    let judged = Case::new().judge(&with(&json!({})));
    judged.undecided(Code::PluginFailed);
}

#[test]
fn a_failing_plugin_is_undecided_at_every_level() {
    for level in ["strict", "permissive", "audit"] {
        let plugins = Plugins::answering(&metadata(&BOTH), "exit 1");
        Case::new().level(level).judge(&plugins).undecided(Code::PluginFailed);
        Case::new().level(level).judge(&Plugins::new()).undecided(Code::PluginMissing);
    }
}

#[test]
fn without_the_plugin_nobody_knows_who_is_trusted() {
    // The host alone would refuse this identity, which is the plugin's to understand.
    let others = Case::new().with(|case| case.policy["trustedIdentities"] = json!(["arn:aws:signer:profile"]));
    let judged = others.judge(&Plugins::new());
    judged.undecided(Code::PluginMissing);
    assert_eq!(judged.row(), "pass not-reached pass pass not-reached");
}

#[test]
fn a_plugin_decides_in_the_place_of_muster_and_the_outcome_says_so() {
    let mut case = Case::new().with(|case| case.policy["trustedIdentities"] = json!(["arn:aws:signer:profile"]));
    let judged = case.judge(&with(&fine(&BOTH, &[])));
    judged.is(Verdict::Pass, None);
    assert_eq!(judged.row(), "pass pass pass pass pass");
    let by = "com.example.checker 1.2.3";
    for (validation, plugin) in [
        (Validation::Integrity, None),
        (Validation::Authenticity, Some(by)),
        (Validation::Expiry, None),
        (Validation::AuthenticTimestamp, None),
        (Validation::Revocation, Some(by)),
    ] {
        assert_eq!(judged.check(validation).plugin.as_deref(), plugin, "{validation:?}");
    }
    // A plugin that does not say so does not.
    let only = Plugins::answering(&metadata(&[REVOCATION]), &print(&fine(&BOTH, &[])));
    let judged = case.judge(&only);
    judged.is(Verdict::Fail, Some(Code::IdentityMismatch));
    assert_eq!((only.started(), judged.check(Validation::Authenticity).plugin.as_deref()), (1, None));
    case = Case::new();
    let judged = case.judge(&Plugins::answering(&metadata(&[REVOCATION]), &print(&fine(&[REVOCATION], &[]))));
    judged.is(Verdict::Pass, None);
    assert_eq!(judged.check(Validation::Authenticity).plugin, None);
}

#[test]
fn what_a_plugin_refuses_counts_as_the_level_says() {
    let refusing = |capability: &str| {
        let mut answer = fine(&BOTH, &[]);
        answer["verificationResults"][capability] = json!({ "success": false, "reason": "no\u{1b}" });
        with(&answer)
    };
    let (fail, warn) = (Verdict::Fail, Verdict::Warn);
    for (level, capability, code, verdict) in [
        ("strict", IDENTITY, Code::PluginIdentityRefused, fail),
        ("permissive", IDENTITY, Code::PluginIdentityRefused, fail),
        ("audit", IDENTITY, Code::PluginIdentityRefused, warn),
        ("strict", REVOCATION, Code::PluginRevocationRefused, fail),
        ("permissive", REVOCATION, Code::PluginRevocationRefused, warn),
        ("audit", REVOCATION, Code::PluginRevocationRefused, warn),
    ] {
        let judged = Case::new().level(level).judge(&refusing(capability));
        let message = judged.is(verdict, Some(code));
        assert!(message.ends_with("\"no\\u{1b}\""), "{message}");
        let validation = if capability == IDENTITY { Validation::Authenticity } else { Validation::Revocation };
        assert!(matches!(judged.check(validation).result, CheckResult::Fail(_)));
    }
}

#[test]
fn revocation_that_the_policy_skips_is_not_asked_for() {
    let skip = || {
        Case::new().with(|case| {
            case.policy["signatureVerification"] = json!({ "level": "strict", "override": { "revocation": "skip" } });
        })
    };
    let plugins = with(&fine(&[IDENTITY], &[]));
    let judged = skip().judge(&plugins);
    judged.is(Verdict::Pass, None);
    assert_eq!(judged.row(), "pass pass pass pass skip");
    assert_eq!(request(&plugins)["trustPolicy"]["signatureVerification"], json!([IDENTITY]));
    // Nothing remains to be asked, and so nothing is processed.
    let only = || Plugins::answering(&metadata(&[REVOCATION]), "exit 1");
    skip().judge(&only()).is(Verdict::Pass, None);
    let unprocessed = skip().with(|case| case.attributes.push(attribute("com.example.a")));
    unprocessed.judge(&only()).is(Verdict::Fail, Some(Code::AttributeUnprocessed));
}

fn request(plugins: &Plugins) -> Value {
    let text = fs::read(plugins.path(&format!("plugins/{NAME}/request-verify-signature"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn the_request_is_the_contract_s() {
    use base64::Engine as _;
    let case = Case::new().with(|case| {
        case.attributes.extend([critical("com.example.b", "<2>"), attribute("com.example.a")]);
        case.attributes.push(critical(MINIMUM, "1.0.0"));
        case.change = |draft| draft.protected.add("com.example.tree", r#"{"deep":[1,true,null]}"#);
        case.expiry = Some(NOW + time::Duration::DAY);
        case.config.insert("k".to_owned(), "v".to_owned());
    });
    let plugins = with(&fine(&BOTH, &["com.example.a", "com.example.b", "com.example.tree"]));
    case.judge(&plugins).is(Verdict::Pass, None);
    let chain: Vec<_> =
        Case::signer().1.chain.iter().map(|der| base64::engine::general_purpose::STANDARD.encode(der)).collect();
    let expected = json!({
        "contractVersion": "1.0",
        "signature": {
            "criticalAttributes": {
                "contentType": "application/vnd.cncf.notary.payload.v1+json",
                "signingScheme": "notary.x509",
                "expiry": "2026-11-24T12:00:00Z",
                "extendedAttributes": {
                    "com.example.a": "1", "com.example.b": "<2>", "com.example.tree": { "deep": [1, true, null] },
                },
            },
            "unprocessedAttributes": ["com.example.a", "com.example.b", "com.example.tree"],
            "certificateChain": chain,
        },
        "trustPolicy": {
            "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"],
            "signatureVerification": BOTH,
        },
        "pluginConfig": { "k": "v" },
    });
    assert_eq!(request(&plugins), expected);
}

#[test]
fn a_signature_without_expiry_is_shown_to_plugins_as_notation_shows_it() {
    let plugins = with(&fine(&BOTH, &[]));
    Case::new().judge(&plugins).is(Verdict::Pass, None);
    let attributes = &request(&plugins)["signature"]["criticalAttributes"];
    // Plugins in Go read a time, plugins in other languages compare the text.
    assert_eq!(attributes["expiry"], "0001-01-01T00:00:00Z");
    assert!(attributes.get("authenticSigningTime").is_none() && attributes.get("extendedAttributes").is_none());
}

#[test]
fn cose_attributes_that_no_plugin_can_process_fail() {
    let mut statement = Statement::new(muster::forge::Artifact::image("app").descriptor().clone(), NOW);
    statement.attributes = vec![critical(PLUGIN, NAME)];
    let draft = statement.cose(&Case::signer().1).unwrap();
    let judged = |label: Cbor, value: Cbor, processed: &[&str], is_critical: bool| {
        let mut draft = draft.clone();
        draft.set(label.clone(), value);
        if is_critical {
            let critical = draft.protected.iter_mut().find(|(known, _)| *known == muster::forge::CoseDraft::CRITICAL);
            let Some((_, Cbor::Array(labels))) = critical else { panic!("no crit") };
            labels.push(label);
        }
        let plugins = with(&fine(&BOTH, processed));
        let host = plugins.programs(std::time::Duration::from_secs(20));
        let outcome = Case::new().settle(evidence("application/cose", draft.seal().unwrap()), &*host);
        (outcome.verdict, outcome.failure.map(|failure| failure.code))
    };
    let unprocessed = (Verdict::Fail, Some(Code::AttributeUnprocessed));
    for is_critical in [true, false] {
        assert_eq!(judged(Cbor::Integer(77), Cbor::text("x"), &["77"], is_critical), unprocessed);
        assert_eq!(judged(Cbor::text("a"), Cbor::Bytes(vec![1]), &["a"], is_critical), unprocessed);
        assert_eq!(judged(Cbor::text("a"), Cbor::Integer(-5), &["a"], is_critical), (Verdict::Pass, None));
        assert_eq!(judged(Cbor::text("a"), Cbor::text("x"), &["a"], is_critical), (Verdict::Pass, None));
        assert_eq!(judged(Cbor::text("a"), Cbor::text("x"), &[], is_critical), unprocessed);
    }
}
