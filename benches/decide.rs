//! What a decision costs beside the one public-key operation that it cannot do without, what choosing a statement among
//! 10,000 scopes costs, and how long a batch of 1,000 artifacts takes from memory.
//!
//! Run with `cargo bench --bench decide`.
#![allow(missing_docs, clippy::unwrap_used, reason = "benches")]

mod world;

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::signature as raw;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use muster::forge::KeyKind;
use muster::policy::TrustPolicy;
use muster::verify::{Caches, Options, Verdict, decide};
use rayon::prelude::*;
use world::{Format, NOW};

fn algorithm(kind: KeyKind) -> &'static dyn raw::VerificationAlgorithm {
    match kind {
        KeyKind::Rsa2048 => &raw::RSA_PSS_2048_8192_SHA256,
        KeyKind::Rsa3072 => &raw::RSA_PSS_2048_8192_SHA384,
        KeyKind::Rsa4096 => &raw::RSA_PSS_2048_8192_SHA512,
        KeyKind::P256 => &raw::ECDSA_P256_SHA256_FIXED,
        KeyKind::P384 => &raw::ECDSA_P384_SHA384_FIXED,
        KeyKind::P521 => &raw::ECDSA_P521_SHA512_FIXED,
    }
}

/// One decision (one signer, chain of three, the chain known from before) beside the bare operation on the same bytes.
fn decisions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for kind in KeyKind::ALL {
        let signer = world::signer(kind);
        let (policy, options) = (world::policy(), Options::new(world::stores(&signer)));

        let image = world::evidence("net-monitor", &signer, Format::Jws);
        let envelope = &image.signatures.as_ref().unwrap().found[0].envelope.as_ref().unwrap().bytes;
        let parsed: serde_json::Value = serde_json::from_slice(envelope).unwrap();
        let text = |member: &str| parsed[member].as_str().unwrap();
        let message = format!("{}.{}", text("protected"), text("payload"));
        let signature = BASE64_URL_SAFE_NO_PAD.decode(text("signature")).unwrap();
        let key = raw::ParsedPublicKey::new(algorithm(kind), signer.key.public_key()).unwrap();
        group.bench_function(BenchmarkId::new("bare", kind.word()), |bencher| {
            bencher.iter(|| key.verify_sig(black_box(message.as_bytes()), black_box(&signature)).unwrap());
        });

        for format in [Format::Jws, Format::Cose] {
            let evidence = world::evidence("net-monitor", &signer, format);
            assert_eq!(decide(&evidence, &policy, &options, NOW).verdict, Verdict::Pass);
            let id = BenchmarkId::new(format!("decide-{format:?}").to_lowercase(), kind.word());
            group.bench_function(id, |bencher| bencher.iter(|| decide(black_box(&evidence), &policy, &options, NOW)));
        }
    }
    group.finish();
}

fn selection(criterion: &mut Criterion) {
    let scopes: Vec<String> = (0..10_000).map(|n| format!("registry.wabbit-networks.io/team-{n}/app")).collect();
    let text = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "wabbit", "registryScopes": scopes, "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:wabbit-networks"], "trustedIdentities": ["*"] }] });
    let policy = TrustPolicy::parse(text.to_string().as_bytes(), "policy.json").unwrap();
    let mut group = criterion.benchmark_group("policy");
    group.bench_function("select-of-10000", |bencher| {
        bencher.iter(|| policy.statement_for(black_box("registry.wabbit-networks.io/team-7777/app")).unwrap());
    });
    group.bench_function("select-none-of-10000", |bencher| {
        bencher.iter(|| policy.statement_for(black_box("registry.wabbit-networks.io/team-x/app")).is_none());
    });
    group.finish();
}

fn batch(criterion: &mut Criterion) {
    const ARTIFACTS: usize = 1000;
    let signer = world::signer(KeyKind::P256);
    let (policy, mut options) = (world::policy(), Options::new(world::stores(&signer)));
    let evidence: Vec<_> = (0..ARTIFACTS).map(|n| world::evidence(&format!("app-{n}"), &signer, Format::Jws)).collect();
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(ARTIFACTS as u64)).sample_size(10);
    group.bench_function("1000-artifacts", |bencher| {
        bencher.iter(|| {
            options.caches = Arc::new(Caches::default());
            let passed =
                evidence.par_iter().filter(|e| decide(e, &policy, &options, NOW).verdict == Verdict::Pass).count();
            assert_eq!(passed, ARTIFACTS);
        });
    });
    group.finish();
}

criterion_group!(benches, decisions, selection, batch);
criterion_main!(benches);
