//! Faults on demand: they befall the requests they are for, and do what they are called.

use std::time::Duration;

use muster::forge::registry::{Chance, Effect, Fault, Flavour, RouteKind};
use reqwest::{Response, StatusCode};

use super::{code, get, header, start};

#[tokio::test]
async fn faults_befall_the_requests_they_are_for() {
    let registry = start(Flavour::Current);
    let blob = registry.put_blob("a", "0123456789").unwrap();
    let path = format!("/v2/a/blobs/{blob}");
    registry.fail(Fault::next(2, RouteKind::Blob, Effect::Status(429, Some("3".to_owned()))));
    assert_eq!(get(&registry, "/v2/").await.status(), StatusCode::OK);
    for _ in 0..2 {
        let refused = get(&registry, &path).await;
        assert_eq!(header(&refused, "retry-after"), Some("3"));
        assert_eq!(code(refused, StatusCode::TOO_MANY_REQUESTS).await, "TOOMANYREQUESTS");
    }
    registry.fail(Fault::next(1, RouteKind::Blob, Effect::CutBody));
    assert!(get(&registry, &path).await.bytes().await.is_err());
    registry.fail(Fault::next(1, RouteKind::Blob, Effect::CorruptBody));
    assert_eq!(get(&registry, &path).await.text().await.unwrap(), "0123456788");
    registry.fail(Fault::next(1, RouteKind::Blob, Effect::WrongDigest));
    assert_ne!(header(&get(&registry, &path).await, "docker-content-digest"), Some(blob.to_string().as_str()));
    let late = Duration::from_millis(50);
    registry.fail(Fault::next(1, RouteKind::Blob, Effect::Delay(late)));
    let begun = std::time::Instant::now();
    assert_eq!(get(&registry, &path).await.text().await.unwrap(), "0123456789");
    assert!(begun.elapsed() >= late);
    registry.fail(Fault { route: None, every: 3, times: 2, effect: Effect::Status(500, None) });
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(get(&registry, &path).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500, 200, 200]);
    assert_eq!(registry.requests(), 15);
}

#[tokio::test]
async fn faults_by_chance_befall_the_same_requests_whatever_their_order() {
    let registry = start(Flavour::Current);
    let blobs: Vec<_> = (0..100).map(|number| registry.put_blob("a", number.to_string()).unwrap()).collect();
    let chance = |per_mille, seed| Chance { route: Some(RouteKind::Blob), per_mille, seed, effect: Effect::Page(503) };
    let befallen = async |order: &[usize], chance| {
        registry.recover();
        registry.fail_by_chance(chance);
        let mut befallen = Vec::new();
        for number in order {
            let answer = get(&registry, &format!("/v2/a/blobs/{}", blobs[*number])).await;
            assert_eq!(get(&registry, "/v2/").await.status(), StatusCode::OK);
            if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                befallen.push(*number);
            }
        }
        befallen.sort_unstable();
        befallen
    };
    let forwards: Vec<_> = (0..blobs.len()).collect();
    let backwards: Vec<_> = forwards.iter().rev().copied().collect();
    let some = befallen(&forwards, chance(200, 1)).await;
    assert!((10..=35).contains(&some.len()), "{some:?}");
    assert_eq!(befallen(&backwards, chance(200, 1)).await, some);
    assert_ne!(befallen(&forwards, chance(200, 2)).await, some);
    assert!(befallen(&forwards, chance(0, 1)).await.is_empty());
    assert_eq!(befallen(&forwards, chance(1000, 1)).await, forwards);
    registry.recover();
    assert_eq!(get(&registry, &format!("/v2/a/blobs/{}", blobs[0])).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn effects_do_what_they_are_called() {
    let registry = start(Flavour::Current);
    let path = format!("/v2/a/blobs/{}", registry.put_blob("a", "0123456789").unwrap());
    let ask = async |effect| {
        registry.fail(Fault::next(1, RouteKind::Blob, effect));
        get(&registry, &path).await
    };
    let measured = |response: &Response| header(response, "content-length").map(str::to_owned);
    for (effect, length, content) in [
        (Effect::EmptyBody, Some("0"), ""),
        (Effect::CutUnmeasured, None, "01234"),
        (Effect::Halved, Some("5"), "01234"),
        (Effect::Lengthened, Some("12"), "0123456789\n\n"),
        (Effect::ContentType("text/html"), Some("10"), "0123456789"),
    ] {
        let answer = ask(effect).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(measured(&answer).as_deref(), length);
        assert_eq!(answer.text().await.unwrap(), content);
    }
    assert_eq!(header(&ask(Effect::ContentType("text/html")).await, "content-type"), Some("text/html"));
    let packed = ask(Effect::Gzip).await;
    assert_eq!(header(&packed, "content-encoding"), Some("gzip"));
    assert!(packed.bytes().await.unwrap().starts_with(&[0x1f, 0x8b]));
    for effect in [Effect::Page(404), Effect::Page(200), Effect::Login] {
        let answer = ask(effect.clone()).await;
        assert_eq!(answer.status(), if matches!(effect, Effect::Page(404)) { 404 } else { 200 });
        assert!(answer.text().await.unwrap().starts_with("<!DOCTYPE html>"), "{effect:?}");
    }
    registry.fail(Fault::next(1, RouteKind::Blob, Effect::Reset));
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(client.get(format!("http://{}{path}", registry.host())).send().await.is_err());
}
