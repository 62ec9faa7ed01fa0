//! What a registry means that refuses to have a manifest written.
//!
//! The OCI distribution specification (*Error Codes*) has no code for a tag that must not be moved, nor for a manifest whose
//! kind is not taken, so that each product has statuses and words of its own (`docs/registries.md` has them): ECR
//! `TAG_INVALID` with 400, Harbor `PRECONDITION` with 412, Nexus `BLOB_UPLOAD_INVALID` with a reason in `detail`, others 403,
//! 405 or 409. It is for messages, and for whether another form is tried: nothing is taken for written because of it.

use reqwest::StatusCode;

use super::answer::Said;

/// Words by which registries say that a tag stays where it is.
const IMMUTABLE: [&str; 14] = [
    "immutab",
    "overwrit",
    "write-once",
    "write once",
    "not allow updating",
    "not allow update",
    "cannot be updated",
    "can't be updated",
    "cannot be modified",
    "redeploy",
    "already exists",
    "is locked",
    "write_locked",
    "protected tag",
];

/// Words by which they say that there is no more room.
const FULL: [&str; 3] = ["quota", "insufficient storage", "storage limit"];

/// Why a tag could not be put to another manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagRefusal {
    /// The registry says that it does not move the tag.
    Immutable,
    /// The tag is there already, and moving it is denied: by its immutability, or for want of a right.
    DeniedOnceThere,
    /// The same of a tag that is not there yet.
    Denied,
    /// There is no more room.
    Full,
    /// The registry does not take such a manifest there.
    NotTaken,
    /// Something else.
    Other,
}

/// What it means that a manifest was not put under a tag; `there`: the tag leads somewhere already.
pub(super) fn of_tag(said: Option<&Said>, there: bool) -> TagRefusal {
    let Some(said) = said else { return TagRefusal::Other };
    match said.status {
        StatusCode::INSUFFICIENT_STORAGE => TagRefusal::Full,
        status if !status.is_client_error() => TagRefusal::Other,
        StatusCode::UNAUTHORIZED => TagRefusal::Denied,
        _ if said.has_one_of(&FULL) => TagRefusal::Full,
        _ if there && said.has_one_of(&IMMUTABLE) => TagRefusal::Immutable,
        // There is no other reason for these where a manifest of the same kind lies there already.
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::LOCKED if there => TagRefusal::Immutable,
        StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED if there => TagRefusal::DeniedOnceThere,
        StatusCode::FORBIDDEN => TagRefusal::Denied,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => TagRefusal::Other,
        _ => TagRefusal::NotTaken,
    }
}

/// Whether a manifest was refused for what it is, so that one of another form may be taken.
pub(super) fn is_of_form(said: Option<&Said>) -> bool {
    let statuses = [400, 404, 405, 406, 415, 422];
    said.is_some_and(|said| statuses.contains(&said.status.as_u16()) && !said.has_one_of(&FULL))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::Method;
    use reqwest::header::HeaderMap;
    use url::Url;

    use super::*;
    use crate::source::registry::answer::Answer;

    fn said(status: u16, body: &'static str) -> Said {
        let answer = Answer {
            method: Method::PUT,
            url: Url::parse("http://localhost/v2/app/manifests/sha256-0").unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        };
        answer.said()
    }

    #[test]
    fn s60_a_tag_that_stays_is_known_by_the_words_of_each_product() {
        use TagRefusal::*;
        for (product, status, body, expected) in [
            (
                "ECR",
                400,
                "TAG_INVALID: The image tag 'x' already exists and cannot be overwritten because the repository is immutable.",
                Immutable,
            ),
            (
                "Harbor",
                412,
                r#"{"errors":[{"code":"PRECONDITION","message":"due to 'app:x' configured as immutable."}]}"#,
                Immutable,
            ),
            ("Harbor, older", 403, "DENIED: The tag:app:x is immutable, cannot be overwrite.", Immutable),
            ("Quay", 400, "tag is immutable and cannot be overwritten", Immutable),
            (
                "Nexus",
                400,
                r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","detail":"Repository does not allow updating assets: docker"}]}"#,
                Immutable,
            ),
            ("MSR", 409, "tag=x cannot be overwritten because app is an immutable repository", Immutable),
            ("Alibaba", 403, "The requested tag already exists and cannot be overwritten.", Immutable),
            ("wordless", 412, "", Immutable),
            ("wordless", 409, "", Immutable),
            ("locked", 423, "", Immutable),
            ("zot", 403, r#"{"errors":[{"code":"DENIED"}]}"#, DeniedOnceThere),
            ("ACR", 405, "The operation is disallowed on this registry, repository or image.", DeniedOnceThere),
            ("no right", 401, "immutable", Denied),
            ("Harbor's quota", 412, "exceed the configured upper limit: quota", Full),
            ("full", 507, "", Full),
            ("no index", 400, "manifest invalid", NotTaken),
            ("broken", 500, "immutable", Other),
        ] {
            assert_eq!(of_tag(Some(&said(status, body)), true), expected, "{product} {status} {body}");
        }
        // What is not there is not overwritten.
        assert_eq!(of_tag(Some(&said(403, "")), false), Denied);
        assert_eq!(of_tag(Some(&said(412, "")), false), NotTaken);
        assert_eq!(of_tag(None, true), Other);
    }

    #[test]
    fn s61_a_manifest_is_refused_for_its_form_or_for_something_else() {
        for (status, body, expected) in [
            (400, "MANIFEST_INVALID", true),
            (405, "UNSUPPORTED", true),
            (415, "", true),
            (422, "", true),
            (400, "the quota of the project is exceeded", false),
            (401, "", false),
            (403, "", false),
            (413, "", false),
            (429, "", false),
            (500, "", false),
            (507, "", false),
        ] {
            assert_eq!(is_of_form(Some(&said(status, body))), expected, "{status} {body}");
        }
        assert!(!is_of_form(None));
    }
}
