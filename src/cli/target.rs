//! Targets as they are written on the command line and in lists.
//!
//! `host` · `host/prefix/` · `host/repository` · `host/repository:tag` · `host/repository@digest` · `oci:DIR[:ref]` ·
//! `oci-archive:FILE[:ref]` (skopeo's words). Nothing is expanded: `docker.io/x` stays that.

use std::path::PathBuf;

use crate::audit::{Target, TargetKind};
use crate::failure::quote;
use crate::reference::{Reference, ReferenceError, Repository, check_host, without_host};
use crate::report::printable;

/// Why a text is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TargetError {
    /// Nothing there.
    #[error("a target is empty")]
    Empty,
    /// Planned.
    #[error("corpus: targets are not built yet; give a registry, a repository, a reference, {}", prefixes())]
    Corpus,
    /// `user:password@host`: not repeated, since it may hold a secret.
    #[error("a target starts with the registry's host, without a name or password before it; there is --username")]
    Credentials,
    /// A path of the file system where a host is expected.
    #[error("{} looks like a path; write {}", quote(.0), purposes())]
    Path(String),
    /// `oci:` without a path, or one that no system has.
    #[error("{} names no OCI layout: write {}", quote(.0), TargetKind::written("[:ref]").join(" or "))]
    Layout(String),
    /// A glob where a namespace is meant.
    #[error("a target is no glob: write {} for every repository below it, and use --include to choose among them", quote(.0))]
    Glob(String),
    /// No reference either.
    #[error("{} is no target: {reason}", quote(text))]
    Reference {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: ReferenceError,
    },
}

/// The prefixes of all kinds: `oci: or oci-archive:`.
fn prefixes() -> String {
    TargetKind::all().map(|kind| format!("{}:", kind.prefix)).collect::<Vec<_>>().join(" or ")
}

/// What to write for what lies in files.
fn purposes() -> String {
    TargetKind::all()
        .map(|kind| format!("{}:{} for {}", kind.prefix, kind.place, kind.purpose))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The help of targets of an audit.
pub(super) fn help() -> String {
    format!(
        "HOST (every repository of the catalog), HOST/PREFIX/ (those below the prefix), HOST/REPOSITORY (every tag), \
         HOST/REPOSITORY:TAG, HOST/REPOSITORY@DIGEST, {}, or @FILE or - for a list, one target a line, with # before \
         comments",
        TargetKind::written("[:REF]").join(", ")
    )
}

/// The help of references, each of which names one artifact, of a gate.
pub(super) fn help_of_one() -> String {
    format!(
        "HOST/REPOSITORY@DIGEST, HOST/REPOSITORY:TAG, {}; in layouts, a REF that is no HOST/REPOSITORY:TAG or \
         HOST/REPOSITORY@DIGEST wants --scope",
        TargetKind::written(":REF").join(" or ")
    )
}

/// Reads one target.
pub(super) fn parse(text: &str) -> Result<Target, TargetError> {
    if text.is_empty() {
        return Err(TargetError::Empty);
    }
    if text.starts_with("corpus:") {
        return Err(TargetError::Corpus);
    }
    if let Some((kind, rest)) = TargetKind::of(text) {
        return in_files(kind, rest);
    }
    if text.starts_with(['.', '/', '~', '\\']) {
        return Err(TargetError::Path(text.to_owned()));
    }
    let address = text.split_once("://").map_or(text, |(_, address)| address);
    let is_short = matches!(without_host(text), ReferenceError::ShortName { .. });
    if address.split('/').next().is_some_and(|host| host.contains('@')) && !is_short {
        return Err(TargetError::Credentials);
    }
    let no_target = |reason| TargetError::Reference { text: text.to_owned(), reason };
    if let Some(namespace) = text.strip_suffix("/*").or_else(|| text.strip_suffix("/**")) {
        return Err(TargetError::Glob(format!("{namespace}/")));
    }
    match text.strip_suffix('/') {
        Some(host) if !host.contains('/') => return registry(host).map_err(no_target),
        Some(namespace) => return namespace_of(namespace).map_err(no_target),
        None if !text.contains('/') => return registry(text).map_err(no_target),
        None => {}
    }
    let reference: Reference = text.parse().map_err(no_target)?;
    reference.check_registry().map_err(no_target)?;
    match reference {
        Reference { repository, tag: None, digest: None } => Ok(Target::Repository(repository)),
        reference => Ok(Target::Artifact(reference)),
    }
}

/// Reads what stands before the slash that ends a namespace.
fn namespace_of(text: &str) -> Result<Target, ReferenceError> {
    let namespace: Repository = text.parse()?;
    let reference = Reference { repository: namespace.clone(), tag: None, digest: None };
    reference.check_registry()?;
    Ok(Target::Namespace(namespace))
}

/// Reads the host of a registry. What Docker takes for an image of its own (`nginx`, `nginx:1`) is more likely that.
fn registry(text: &str) -> Result<Target, ReferenceError> {
    // Registries inside of a cluster have names without a dot, and never a port as low as the version of an image.
    const LOWEST_PORT: u16 = 80;
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    let bare = !text.contains(['.', '[']) && !text.starts_with("localhost");
    let short = bare && port.is_none_or(|port| port.is_ok_and(|port| port < LOWEST_PORT));
    match check_host(text) {
        Ok(()) if !short => Ok(Target::Registry(text.to_owned())),
        Err(error @ ReferenceError::HostForm { .. }) => Err(error),
        _ => Err(without_host(text)),
    }
}

/// Reads a reference, which has to name one artifact; in an OCI layout, without `oci:`, if `oci_layout`.
pub(super) fn single(text: &str, oci_layout: bool) -> Result<Target, String> {
    if text == "-" || text.starts_with('@') {
        return Err(format!("{} is a list, which muster audit takes", quote(text)));
    }
    let target = match TargetKind::named("oci").filter(|_| oci_layout) {
        Some(kind) => in_files(kind, text),
        None => parse(text),
    };
    let several = |more: &str| format!("{} names no single artifact: {more}", quote(text));
    match target.map_err(|error| match error {
        // It could only be a registry, in whatever spelling: often it is a file.
        TargetError::Reference { reason: ReferenceError::HostForm { .. }, .. } if !text.contains('/') => {
            several("write HOST/REPOSITORY:TAG or, better, HOST/REPOSITORY@DIGEST")
        }
        error => error.to_string(),
    })? {
        Target::Registry(_) if matches!(without_host(text), ReferenceError::ShortName { .. }) => {
            Err(TargetError::Reference { text: text.to_owned(), reason: without_host(text) }.to_string())
        }
        target if !target.is_single() => Err(several("add a :tag or, better, a @digest")),
        target => Ok(target),
    }
}

/// Reads what stands after `oci:`, or what notation's `--oci-layout` takes.
fn in_files(kind: &'static TargetKind, text: &str) -> Result<Target, TargetError> {
    let (path, entry) = TargetKind::place_and_entry(text).ok_or_else(|| TargetError::Layout(text.to_owned()))?;
    Ok(Target::Layout { path: PathBuf::from(path), kind, entry: entry.map(str::to_owned) })
}

/// Refuses a target of a gate in a layout for which the user does not say to which repository it belongs: the maker of the
/// layout must not choose the statement by which it is judged. The error is one sentence.
pub(super) fn check_gate(targets: &[Target], scope: Option<&Repository>) -> Result<(), String> {
    match targets.iter().find(|target| target.is_named_inside()) {
        Some(target @ Target::Layout { entry: Some(entry), .. })
            if scope.is_none()
                && let Err(reason @ ReferenceError::HostForm { .. }) = entry.parse::<Reference>() =>
        {
            Err(TargetError::Reference { text: target.to_string(), reason }.to_string())
        }
        Some(target @ Target::Layout { path, kind, .. }) if scope.is_none() => Err(format!(
            "{} does not say which repository it belongs to, and the names inside a layout are not asked: say so with --scope \
             HOST/REPOSITORY, or write {}:{}:HOST/REPOSITORY:TAG",
            quote(&target.to_string()),
            kind.prefix,
            printable(&path.display().to_string())
        )),
        _ => Ok(()),
    }
}

/// Reads the repository by whose name the policy is asked about layouts that name none.
pub(super) fn scope(text: &str) -> Result<Repository, String> {
    text.parse::<Repository>().map_err(|error| format!("{error}; a scope is host/repository"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn in_layout(prefix: &str, path: &str, entry: Option<&str>) -> Target {
        Target::Layout { path: path.into(), kind: TargetKind::named(prefix).unwrap(), entry: entry.map(str::to_owned) }
    }

    #[test]
    fn reads_every_form() {
        let [directory, archive] = ["oci", "oci-archive"];
        let digest = Digest::sha256(b"x").to_string();
        let artifact = |text: &str| (text.to_owned(), Target::Artifact(text.parse().unwrap()));
        let host = |text: &str| (text.to_owned(), Target::Registry(text.to_owned()));
        let layout = |text: &str, form, path, entry| (text.to_owned(), in_layout(form, path, entry));
        for (text, expected) in [
            host("registry.io"),
            host("localhost:5000"),
            host("[::1]:5000"),
            ("docker.io/x".to_owned(), Target::Repository("docker.io/x".parse().unwrap())),
            ("registry.io/".to_owned(), Target::Registry("registry.io".to_owned())),
            ("registry.io:5000/a/b/".to_owned(), Target::Namespace("registry.io:5000/a/b".parse().unwrap())),
            artifact("registry.io/a/b:v1"),
            artifact(&format!("registry.io:443/a@{digest}")),
            artifact(&format!("registry.io/a:v1@{digest}")),
            layout("oci:dir", directory, "dir", None),
            layout("oci:/a/b:v1", directory, "/a/b", Some("v1")),
            layout("oci:d:host:5000/repo:v1", directory, "d", Some("host:5000/repo:v1")),
            layout(&format!("oci:d@{digest}"), directory, "d", Some(&digest)),
            layout(&format!("oci:d:h/r@{digest}"), directory, "d", Some(&format!("h/r@{digest}"))),
            layout(&format!("oci:d:h:5/r:v1@{digest}"), directory, "d", Some(&format!("h:5/r:v1@{digest}"))),
            layout(&format!("oci:d:v1@{digest}"), directory, "d:v1", Some(&digest)),
            layout("oci:a@b/c", directory, "a@b/c", None),
            layout("oci-archive:./f.tar:v1", archive, "./f.tar", Some("v1")),
        ] {
            assert_eq!(parse(&text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_gate_on_a_layout_says_how_to_name_the_repository() {
        for (text, hint) in [
            ("oci:d:v1", "--scope HOST/REPOSITORY, or write oci:d:HOST/REPOSITORY:TAG"),
            ("oci-archive:f.tar:app:v1", "write oci-archive:f.tar:HOST/REPOSITORY:TAG"),
            ("oci:d:LOCALHOST:5000/app:v1", "write localhost:5000, since"),
            ("oci:d:127.1/app:v1", "write 127.0.0.1, since"),
        ] {
            let targets = [parse(text).unwrap()];
            let error = check_gate(&targets, None).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
            assert_eq!(check_gate(&targets, Some(&"a.io/b".parse().unwrap())), Ok(()));
        }
        assert_eq!(check_gate(&[parse("oci:d:a.io/b:v1").unwrap()], None), Ok(()));
    }

    #[test]
    fn refuses_the_rest_and_says_what_to_write() {
        for (text, hint) in [
            ("", "empty"),
            ("corpus:dir", "not built yet"),
            ("./layout", "oci:DIR"),
            ("/srv/layout", "oci:DIR"),
            ("~/layout", "oci:DIR"),
            ("oci:", "oci:DIR[:ref]"),
            ("oci::v1", "oci:DIR[:ref]"),
            ("oci:dir:", "oci:DIR[:ref]"),
            ("oci:a\0b", "oci:DIR[:ref]"),
            ("http://registry.io/a", "--plain-http"),
            ("net-monitor:v1", "docker.io/library/net-monitor:v1"),
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1", "docker.io/library/nginx:1"),
            ("library/nginx", "docker.io/library/nginx"),
            (&format!("nginx@{}", Digest::sha256(b"x")), "docker.io/library/nginx@sha256:"),
            (":1", "starts with the registry's host"),
            ("LOCALHOST:5000", "write localhost:5000"),
            ("LOCALHOST:5000/app", "write localhost:5000"),
            ("127.1/app:v1", "write 127.0.0.1"),
            ("a.io:018493", "write a.io:18493"),
            ("a.io.", "write a.io"),
            ("[0:0::1]/app", "write [::1]"),
            ("registry.io/A", "lower-case"),
            ("registry.io/a:", "not a tag"),
            ("registry.io/a:v1/", "not a repository name"),
            ("registry.io/a//", "not a repository name"),
            ("registry.io/A/", "lower-case"),
            ("library/nginx/", "docker.io/library/nginx"),
            ("registry.io/a/*", "registry.io/a/\" for every repository"),
            ("registry.io/a/**", "registry.io/a/\" for every repository"),
            ("registry.io/a@sha256:00", "hash"),
            ("user:secret@registry.io/a", "--username"),
            ("https://user:secret@registry.io/a", "--username"),
            ("secret@registry.io", "--username"),
            ("registry.io:0/a", "port"),
            ("registry.io:99999/a", "port"),
            ("reg\u{131}stry.io/a", "host"),
            ("registry.io/a\u{1b}[2J", "repository name"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text:?} said {error}");
            assert!(!error.contains('\u{1b}') && !error.contains("secret"), "{error}");
        }
    }
}
