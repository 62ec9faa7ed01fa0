//! What is said of a signature that was pushed: whether a verifier finds it, why not, and what to do.
//!
//! Follows the OCI distribution specification, Listing Referrers and Referrers Tag Schema. A sentence names what lies where,
//! so that it can be looked for or deleted.

use std::time::Duration;

use crate::cli::error::CliError;
use crate::encode::SignatureManifest;
use crate::sign::{Discovery, OlderForm, Published, Waiting};
use crate::source::registry::{ReferrersTag, Unlisted, UnlistedCause};
use crate::trouble::{Trouble, TroubleKind};

/// What is said while it takes longer, of a signature that was pushed to the repository `place`: where it lies, should the user
/// stop here.
pub(super) fn waiting(waiting: Waiting, place: &str) -> String {
    match waiting {
        Waiting::Tag { signature } => format!(
            "the signature was pushed as {place}@{signature}, and is being listed under the referrers tag, where others may \
             write too"
        ),
        Waiting::Listing { signature, at_most } => format!(
            "the signature was pushed as {place}@{signature}, and the registry does not list it yet: it is asked again for \
             up to {} seconds",
            at_most.max(Duration::from_secs(1)).as_secs()
        ),
    }
}

/// What is said of a signature in the older form that was not asked for.
pub(super) fn older_form(why: &OlderForm) -> String {
    match why {
        OlderForm::Refused(trouble) => format!(
            "the registry refuses the signature manifest of OCI 1.1 ({}): the signature is in the form from before, as \
             with --signature-manifest config",
            trouble.message
        ),
        OlderForm::OtherType { first, deleted } => {
            let rest = match deleted {
                true => String::new(),
                false => format!("; {first}, which was pushed before, is of no use there and may be deleted"),
            };
            format!(
                "the registry takes the media type of the configuration for the artifact type: the signature is in the \
                 form from before OCI 1.1, as with --signature-manifest config{rest}"
            )
        }
    }
}

/// The error where nothing was pushed that refers to the artifact. `form` is what the user asked for.
pub(super) fn not_pushed(mut trouble: Trouble, form: Option<SignatureManifest>) -> Trouble {
    let about_manifest = trouble.kind == TroubleKind::AnswerInvalid && trouble.message.contains("/manifests/");
    if about_manifest && form == Some(SignatureManifest::ArtifactType) {
        trouble.message.push_str(
            "; some registries refuse the empty configuration of OCI 1.1: try --signature-manifest config, or leave the \
             option out",
        );
    }
    trouble
}

/// The error where a verifier does not find the signature of the artifact `name`, which was pushed to the repository `place`;
/// `None`: it is found. `form` is what the user asked for.
pub(super) fn undiscovered(
    published: &Published,
    name: &dyn std::fmt::Display,
    place: &str,
    form: Option<SignatureManifest>,
    tag: ReferrersTag,
) -> Option<CliError> {
    let unlisted = published.unlisted.as_ref();
    let at = format!("{place}@{}", published.signature);
    let error = match (&published.discovery, unlisted) {
        (Ok(Discovery::Listed), None) => return None,
        // The list under the tag was to be kept too.
        (Ok(Discovery::Listed), Some(unlisted)) => match unlisted.cause {
            UnlistedCause::Contended if published.has_referrers_api != Some(true) => CliError::Failed(format!(
                "the signature of {name} may not be found: it was pushed as {at}, but {}; sign again when they are \
                 done, or look with muster list whether it stays",
                unlisted.trouble.message
            )),
            // It is seen there, and was not seen to stay.
            _ if published.has_referrers_api != Some(true) => CliError::Failed(format!(
                "the signature of {name} may not be found: it was pushed as {at}, but {}; look with muster list whether \
                 it stays before you sign again",
                why_unlisted(unlisted, place)
            )),
            _ if tag == ReferrersTag::Forced => CliError::Failed(format!(
                "the signature of {name} is listed by the referrers API, but not under {place}:{}, as \
                 --force-referrers-tag wants: {}",
                unlisted.tag,
                why_unlisted(unlisted, place)
            )),
            _ => return None,
        },
        (Ok(Discovery::OtherType), _) => {
            CliError::Failed(format!("the signature of {name} cannot be discovered: {}", other_type(form)))
        }
        (Ok(Discovery::NotListed), None) => CliError::Failed(format!(
            "the signature of {name} cannot be discovered: it was pushed as {at}, but the registry does not list it among \
             those that refer to the artifact. If its lists are cached, it will be found later: look with muster list, and \
             do not sign again before"
        )),
        (Ok(Discovery::NotListed), Some(unlisted)) => CliError::Failed(format!(
            "the signature of {name} cannot be discovered: it was pushed as {at}, but {}, and {}. {}",
            why_unlisted(unlisted, place),
            api(published.has_referrers_api),
            remedy(unlisted, &at)
        )),
        (Err(trouble), None) => CliError::Undecided(format!(
            "whether the signature of {name} can be discovered is not known: it was pushed as {at}, but {trouble}"
        )),
        (Err(trouble), Some(unlisted)) => CliError::Undecided(format!(
            "whether the signature of {name} can be discovered is not known: it was pushed as {at}, but {}, and {trouble}. \
             {}",
            why_unlisted(unlisted, place),
            remedy(unlisted, &at)
        )),
    };
    Some(error)
}

/// Why the signature is not listed under the referrers tag.
fn why_unlisted(unlisted: &Unlisted, place: &str) -> String {
    let Unlisted { tag, cause, trouble, .. } = unlisted;
    let why = &trouble.message;
    match cause {
        UnlistedCause::Immutable => {
            format!(
                "the list of signatures under the tag {place}:{tag} cannot be replaced, since tags are immutable ({why})"
            )
        }
        UnlistedCause::MayNotMove => format!(
            "the list of signatures under the tag {place}:{tag} cannot be replaced: either tags are immutable, or this \
             account may not overwrite them ({why})"
        ),
        UnlistedCause::Denied => {
            format!("this account may not write the tag {place}:{tag}, which lists signatures ({why})")
        }
        UnlistedCause::Full => format!("there is no room for the tag {place}:{tag}, which lists signatures ({why})"),
        UnlistedCause::NotTaken => {
            format!("the registry does not take the image index that lists signatures, {place}:{tag} ({why})")
        }
        UnlistedCause::NotAnIndex => why.clone(),
        _ => format!("it is not listed under the tag {place}:{tag} ({why})"),
    }
}

/// What is known of the referrers API where the signature is not found.
fn api(has_api: Option<bool>) -> &'static str {
    match has_api {
        Some(true) => "the registry's referrers API does not list it either",
        Some(false) => "the registry has no referrers API",
        None => "the registry does not answer the referrers API with a list",
    }
}

/// What to do. The signature at `at` stays where it is.
fn remedy(unlisted: &Unlisted, at: &str) -> String {
    let again = match unlisted.cause {
        UnlistedCause::Immutable => {
            "Let tags that match sha256-* be overwritten (an exception to the rule that makes tags immutable), and sign again"
        }
        UnlistedCause::MayNotMove => {
            "Let tags that match sha256-* be overwritten, by an exception to the rule that makes tags immutable or by a right \
             of this account, and sign again"
        }
        UnlistedCause::Denied => "Give this account the right to push tags that match sha256-*, and sign again",
        UnlistedCause::Full => "Make room, and sign again",
        UnlistedCause::NotTaken => "Sign in a registry that takes image indexes, or has the referrers API",
        UnlistedCause::NotAnIndex => "Move that tag away, and sign again",
        UnlistedCause::Contended => "Sign again when the others are done",
        UnlistedCause::NotShown => {
            return "If its lists are cached, it will be found later: look with muster list before you sign again"
                .to_owned();
        }
        _ => "Sign again when that has passed",
    };
    format!("{again}; {at} can be deleted by its digest")
}

/// Why a signature is listed as something else, and what to do.
fn other_type(form: Option<SignatureManifest>) -> &'static str {
    match form {
        None => "the registry lists it under another artifact type than a signature's, in either form of the manifest",
        Some(SignatureManifest::ArtifactType) => {
            "the registry takes the media type of its configuration for its artifact type, so that neither notation \
             nor muster verify takes it for a signature there: sign again with --signature-manifest config"
        }
        Some(SignatureManifest::ConfigMediaType | SignatureManifest::Oldest) => {
            "the registry lists it under another artifact type than a signature's"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;
    use crate::digest::Digest;

    fn published(discovery: Discovery, cause: Option<UnlistedCause>, has_referrers_api: Option<bool>) -> Published {
        let unlisted = cause.map(|cause| Unlisted {
            tag: "sha256-00".to_owned(),
            cause,
            trouble: Trouble::new(TroubleKind::AnswerInvalid, "the reason"),
        });
        let signature = Digest::sha256(b"signature");
        Published { signature, discovery: Ok(discovery), unlisted, has_referrers_api, older_form: None }
    }

    #[test]
    fn a_signature_is_found_only_where_it_was_seen_to_stay() {
        use ReferrersTag::{Forced, WhereNeeded};
        use UnlistedCause::{Contended, Failed, Immutable, NotShown};
        for (discovery, cause, api, tag, words) in [
            (Discovery::Listed, None, None, WhereNeeded, None),
            (Discovery::Listed, None, Some(true), Forced, None),
            // The API lists it, whatever became of the tag.
            (Discovery::Listed, Some(Immutable), Some(true), WhereNeeded, None),
            (Discovery::Listed, Some(Immutable), Some(true), Forced, Some("not under registry.example/app:sha256-00")),
            // The tag alone lists it, and it may be lost there.
            (Discovery::Listed, Some(Contended), Some(false), WhereNeeded, Some("may not be found")),
            (Discovery::Listed, Some(Failed), Some(false), WhereNeeded, Some("may not be found")),
            (Discovery::Listed, Some(Failed), None, Forced, Some("may not be found")),
            (Discovery::NotListed, None, Some(true), WhereNeeded, Some("cannot be discovered")),
            (Discovery::NotListed, Some(NotShown), Some(false), WhereNeeded, Some("cannot be discovered")),
            (Discovery::OtherType, None, Some(true), WhereNeeded, Some("cannot be discovered")),
        ] {
            let published = published(discovery, cause, api);
            let error = undiscovered(&published, &"app:v1", "registry.example/app", None, tag);
            let case = format!("{discovery:?} {cause:?} {api:?} {tag:?}");
            assert_eq!(error.is_some(), words.is_some(), "{case}");
            let (Some(error), Some(words)) = (error, words) else { continue };
            assert_eq!(error.exit(), Exit::Failed, "{case}");
            assert!(error.to_string().contains(words), "{case}: {error}");
        }
    }
}
