//! When a 404 says that there is no signature, and when it does not: A20.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use muster::limits;
use muster::manifest::IMAGE_INDEX;
use muster::source::ArtifactSource;
use muster::trouble::TroubleKind;

use super::mock::{Mock, Reply, guarded, index, serve};
use super::referrers::{Asked, artifact, ask, asked, digest, found, nothing, ok, sbom, signature, subject};

/// A registry with the API, or with the list under the tag, that answers the first `faults` of these questions with 404.
async fn passing(has_api: bool, faulty: Asked, faults: usize) -> Mock {
    let left = AtomicUsize::new(faults);
    serve(move |request| {
        let asked = asked(request);
        let befallen = asked == faulty
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        match asked {
            _ if befallen => nothing(),
            Asked::Artifact => artifact(),
            Asked::Filtered | Asked::Unfiltered if has_api => ok(&[signature("s")]),
            Asked::Tag if !has_api => ok(&[signature("s")]),
            _ => nothing(),
        }
    })
    .await
}

#[tokio::test]
async fn a20_a_404_that_passes_is_not_believed() {
    guarded(async {
        let signed = Ok((vec![digest("s")], vec![]));
        for faults in 0..limits::NO_REFERRERS_API_ANSWERS {
            let mock = passing(true, Asked::Filtered, faults).await;
            assert_eq!(found(ask(&mock).await), signed, "{faults} answers of 404 for the list");
            assert_eq!(mock.seen().len(), faults + 1);
        }
        for faults in 0..limits::NO_REFERRERS_TAG_ANSWERS {
            let mock = passing(false, Asked::Tag, faults).await;
            assert_eq!(found(ask(&mock).await), signed, "{faults} answers of 404 for the tag");
        }
        // Who has been seen to say it without reason is heard longer.
        let mock = passing(false, Asked::Tag, usize::MAX).await;
        assert_eq!(found(ask(&mock).await), Ok((vec![], vec![])));
        let tagged = format!("/v2/team/app/manifests/{}", subject().referrers_tag());
        assert_eq!(mock.count(&tagged), limits::NO_REFERRERS_TAG_ANSWERS);
        let first = AtomicUsize::new(0);
        let mock = serve(move |request| match asked(request) {
            Asked::Artifact if first.fetch_add(1, Ordering::Relaxed) > 0 => artifact(),
            _ => nothing(),
        })
        .await;
        let registry = mock.registry();
        assert!(registry.manifest(&mock.repository().at(subject())).await.unwrap().is_some());
        assert_eq!(found(registry.referrers(&mock.repository(), &subject()).await), Ok((vec![], vec![])));
        assert_eq!(mock.count(&tagged), limits::UNSTEADY_NOT_FOUND_ANSWERS);
    })
    .await;
}

#[tokio::test]
async fn a20_a_registry_that_has_lost_everything_says_nothing_of_signatures() {
    guarded(async {
        for reply in [nothing(), Reply::new(404, ""), Reply::new(404, "<html>").header("Content-Type", "text/html")] {
            let mock = serve(move |_| reply.clone()).await;
            assert_eq!(found(ask(&mock).await), Err(TroubleKind::ContentMissing));
        }
    })
    .await;
}

#[tokio::test]
async fn a20_a_registry_that_listed_once_has_the_api() {
    guarded(async {
        for later in [nothing(), Reply::new(405, ""), Reply::ok("text/html", "<html>")] {
            let first = AtomicUsize::new(0);
            let mock = serve(move |request| match asked(request) {
                Asked::Filtered if first.fetch_add(1, Ordering::Relaxed) == 0 => ok(&[signature("s")]),
                Asked::Tag => ok(&[signature("old")]),
                Asked::Artifact => artifact(),
                _ => later.clone(),
            })
            .await;
            let (registry, repository) = (mock.registry(), mock.repository());
            assert_eq!(found(registry.referrers(&repository, &subject()).await), Ok((vec![digest("s")], vec![])));
            for _ in 0..2 {
                assert_eq!(found(registry.referrers(&repository, &subject()).await), Err(TroubleKind::AnswerInvalid));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a20_a_list_after_many_404s_is_told_and_then_believed() {
    guarded(async {
        let asked_for = AtomicUsize::new(0);
        let mock = serve(move |request| match asked(request) {
            Asked::Filtered if asked_for.fetch_add(1, Ordering::Relaxed) > limits::NO_REFERRERS_API_ANSWERS => {
                ok(&[signature("s")])
            }
            Asked::Artifact => artifact(),
            _ => nothing(),
        })
        .await;
        let (registry, repository) = (mock.registry(), mock.repository());
        // Once by all the 404s, and once more by a single one.
        for _ in 0..2 {
            assert_eq!(found(registry.referrers(&repository, &subject()).await), Ok((vec![], vec![])));
        }
        let trouble = registry.referrers(&repository, &subject()).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
        assert!(trouble.message.contains("may be wrong"), "{trouble}");
        assert_eq!(found(registry.referrers(&repository, &subject()).await), Ok((vec![digest("s")], vec![])));
    })
    .await;
}

#[tokio::test]
async fn a20_the_api_is_looked_for_once_in_a_repository() {
    guarded(async {
        let mock = passing(false, Asked::Filtered, 0).await;
        let (registry, repository) = (mock.registry(), mock.repository());
        for _ in 0..10 {
            assert_eq!(found(registry.referrers(&repository, &subject()).await), Ok((vec![digest("s")], vec![])));
        }
        assert_eq!(mock.count("/v2/team/app/referrers/"), limits::NO_REFERRERS_API_ANSWERS + 9);
        // All at once, each for itself.
        let (registry, subject) = (mock.registry(), subject());
        let all = join_all((0..10).map(|_| registry.referrers(&repository, &subject))).await;
        assert!(all.into_iter().all(|answer| found(answer) == Ok((vec![digest("s")], vec![]))));
    })
    .await;
}

#[tokio::test]
async fn a20_a_list_that_says_it_is_filtered_need_not_name_the_type() {
    guarded(async {
        let untyped = |entry: String| entry.split(",\"artifactType\"").next().unwrap().to_owned() + "}";
        let entries = [untyped(signature("s")), sbom("b"), untyped(signature("t"))];
        let by_header = |value: &str| ok(&entries).header("OCI-Filters-Applied", value);
        let body = index(&entries).replacen(
            '{',
            r#"{"annotations":{"org.opencontainers.referrers.filtersApplied":"artifactType"},"#,
            1,
        );
        let signatures = Ok((vec![digest("s"), digest("t")], vec![]));
        let all = Ok((vec![], vec![digest("s"), digest("b"), digest("t")]));
        for (reply, expected) in [
            (by_header("artifactType"), &signatures),
            (by_header("annotation, artifactType"), &signatures),
            (Reply::ok(IMAGE_INDEX, body), &signatures),
            (by_header("annotation"), &all),
            (by_header("artifacttype"), &all),
            (ok(&entries), &all),
        ] {
            let mock = serve(move |request| match asked(request) {
                Asked::Filtered => reply.clone(),
                // Unasked, nothing is filtered, whatever the registry says.
                Asked::Unfiltered => ok(&[]).header("OCI-Filters-Applied", "artifactType"),
                _ => nothing(),
            })
            .await;
            assert_eq!(&found(ask(&mock).await), expected);
        }
    })
    .await;
}
