//! docker's contexts: named engines, of which one is the current (`docker context use`).
//!
//! They lie below docker's folder (`$DOCKER_CONFIG`, else `~/.docker`): the name of the current one in `config.json`, each
//! in `contexts/meta/SHA-256 OF ITS NAME/meta.json`, and what it needs for TLS in `contexts/tls/…/docker`. Docker
//! Desktop, colima and Rancher Desktop leave their engines there. Nothing is written.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::docker_host::DockerHost;
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::regular_file::{self, FileProblem};

/// The context that is no file: the engine that is found without contexts.
const DEFAULT: &str = "default";

/// An engine by a context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DockerContext {
    pub(super) host: DockerHost,
    /// The folder of `ca.pem`, `cert.pem` and `key.pem`, where the context has one.
    pub(super) certificates: Option<PathBuf>,
}

/// What is used of docker's `config.json`.
#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext", default)]
    current_context: Option<String>,
}

/// What is used of a context's `meta.json`.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// The name of the current context in docker's `folder`; `None` where it is the one without a file.
///
/// # Errors
/// `config.json` is there, and cannot be read.
pub(super) fn current(folder: &Path) -> Result<Option<String>, String> {
    let file = folder.join("config.json");
    let bytes = match regular_file::read_linked(&file, limits::DOCKER_CONFIG_BYTES) {
        Ok(bytes) => bytes,
        Err(FileProblem::Missing) => return Ok(None),
        Err(problem) => return Err(format!("{}, which says the current context: {problem}", file.display())),
    };
    let config: Config = serde_json::from_slice(&bytes).map_err(|error| {
        format!("{}, which says the current context, is not read: {}", file.display(), quote(&error.to_string()))
    })?;
    Ok(config.current_context.filter(|name| is_named(name)))
}

/// Whether a name is that of a context with a file.
pub(super) fn is_named(name: &str) -> bool {
    !name.is_empty() && name != DEFAULT
}

/// Reads the context `name` in docker's `folder`.
///
/// # Errors
/// There is none of this name, or it does not say how its engine is reached.
pub(super) fn read(folder: &Path, name: &str) -> Result<DockerContext, String> {
    let hash = Digest::sha256(name.as_bytes()).hex();
    let file = folder.join("contexts/meta").join(&hash).join("meta.json");
    let bytes = match regular_file::read_linked(&file, limits::DOCKER_CONFIG_BYTES) {
        Ok(bytes) => bytes,
        Err(FileProblem::Missing) => {
            return Err(format!(
                "does not exist: {} is not there; docker context ls lists those that do, docker context use default leaves it",
                file.display()
            ));
        }
        Err(problem) => return Err(format!("cannot be read: {}: {problem}", file.display())),
    };
    let meta: Meta = serde_json::from_slice(&bytes)
        .map_err(|error| format!("cannot be read: {}: {}", file.display(), quote(&error.to_string())))?;
    let endpoint = meta.endpoints.docker.ok_or_else(|| format!("has no endpoint docker in {}", file.display()))?;
    let certificates = folder.join("contexts/tls").join(hash).join("docker");
    let certificates = certificates.is_dir().then_some(certificates);
    if endpoint.host.is_empty() {
        return Err(format!("has an endpoint docker without Host in {}", file.display()));
    }
    let host = DockerHost::parse(&endpoint.host, certificates.is_some());
    let host = host.map_err(|reason| format!("has a Host in {} that {reason}", file.display()))?;
    if host.is_tls() && endpoint.skip_tls_verify {
        return Err("asks for TLS without verification (skip-tls-verify), which is not done here: give it the engine's ca, cert \
                    and key by docker context update"
            .to_owned());
    }
    Ok(DockerContext { host, certificates })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn context(folder: &Path, name: &str, meta: &str) -> PathBuf {
        let hash = Digest::sha256(name.as_bytes()).hex();
        let at = folder.join("contexts/meta").join(&hash);
        fs::create_dir_all(&at).unwrap();
        fs::write(at.join("meta.json"), meta).unwrap();
        folder.join("contexts/tls").join(hash).join("docker")
    }

    #[test]
    fn s70_a_context_says_where_its_engine_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(current(folder), Ok(None), "there is no config.json");
        fs::write(folder.join("config.json"), r#"{"auths":{},"currentContext":"colima"}"#).unwrap();
        assert_eq!(current(folder), Ok(Some("colima".to_owned())));
        // As `docker context create` writes it; the folder is the SHA-256 of the name.
        let meta = r#"{"Name":"colima","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///home/a/.colima/docker.sock","SkipTLSVerify":false}}}"#;
        context(folder, "colima", meta);
        let hashed = "f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16";
        assert!(folder.join("contexts/meta").join(hashed).is_dir());
        let read = read(folder, "colima").unwrap();
        assert_eq!((read.host.to_string().as_str(), read.certificates), ("unix:///home/a/.colima/docker.sock", None));
        fs::write(folder.join("config.json"), r#"{"currentContext":"default"}"#).unwrap();
        assert_eq!(current(folder), Ok(None), "the default is no context of its own");
    }

    #[test]
    fn s70_a_context_with_tls_data_is_spoken_to_by_tls() {
        let folder = tempfile::tempdir().unwrap();
        let tls = context(folder.path(), "far", r#"{"Endpoints":{"docker":{"Host":"tcp://engine"}}}"#);
        fs::create_dir_all(&tls).unwrap();
        let read = read(folder.path(), "far").unwrap();
        assert_eq!((read.host.to_string().as_str(), read.certificates), ("tcp://engine:2376", Some(tls)));
        assert!(read.host.is_tls());
    }

    #[test]
    fn s70_a_context_that_cannot_be_used_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let reason = |meta: &str| {
            context(folder, "x", meta);
            read(folder, "x").unwrap_err()
        };
        assert!(reason("{").contains("cannot be read"));
        assert!(reason("{}").contains("has no endpoint docker"));
        assert!(reason(r#"{"Endpoints":{"docker":{}}}"#).contains("without Host"));
        assert!(reason(r#"{"Endpoints":{"docker":{"Host":"ssh://a@b"}}}"#).contains("run muster on \"b\""));
        let unverified = r#"{"Endpoints":{"docker":{"Host":"https://b","SkipTLSVerify":true}}}"#;
        assert!(reason(unverified).contains("skip-tls-verify"));
        assert!(read(folder, "gone").unwrap_err().contains("docker context ls"));
        fs::write(folder.join("config.json"), "{").unwrap();
        assert!(current(folder).unwrap_err().contains("config.json"));
    }
}
