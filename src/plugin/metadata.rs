//! What a plugin says of itself, checked.
//!
//! Follows *plugin-extensibility*, get-plugin-metadata: everything is there and not empty, the name is that of the directory,
//! version 1.0 of the contract is spoken. The version should be one of semantic versioning, and plugins that sign are called
//! `v0.1.0+unreleased` or `1.0`: as for the reference implementation it has to be one only where signatures are verified
//! ([`PluginMetadata::semantic_version`]), since a signature may ask for a lowest version.

use semver::Version;

use super::{CONTRACT_VERSION, Metadata, MetadataRequest, PluginConfig, PluginName, Question, answer, question};
use crate::failure::{Code, Failure, is_unprintable, quote};
use crate::limits;
use crate::plugin::Command;

/// A plugin that speaks the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginMetadata {
    /// The name of the plugin.
    pub name: PluginName,
    /// The version of the plugin as it tells it: text that can be printed.
    pub version: String,
    capabilities: Vec<String>,
}

impl PluginMetadata {
    /// The question that [`PluginMetadata::read`] reads the answer to.
    pub fn question(name: &PluginName, config: &PluginConfig) -> Question {
        question(name, Command::GetPluginMetadata, &MetadataRequest { plugin_config: config.clone() })
    }

    /// Reads what the plugin `name` said of itself.
    ///
    /// # Errors
    ///
    /// [`Code::PluginFailed`] if it is not what the contract demands; [`Code::PluginUnsuitable`] if it is, and another
    /// plugin or another contract.
    pub fn read(name: &PluginName, bytes: &[u8]) -> Result<PluginMetadata, Failure> {
        let failed =
            |what: String| Failure::new(Code::PluginFailed, format!("the metadata of the plugin \"{name}\" {what}"));
        let unsuitable = |what: String| Failure::new(Code::PluginUnsuitable, format!("the plugin \"{name}\" {what}"));
        let metadata: Metadata = answer::read(bytes).map_err(failed)?;
        if let Some(member) = empty_member(&metadata) {
            return Err(failed(format!("has an empty {member}")));
        }
        if metadata.name != name.as_str() {
            let other = quote(&metadata.name);
            return Err(unsuitable(format!("calls itself {other}: its directory and its file have to have that name")));
        }
        if !metadata.supported_contract_versions.iter().any(|version| version == CONTRACT_VERSION) {
            return Err(unsuitable(format!("does not speak version {CONTRACT_VERSION} of the contract")));
        }
        let version = metadata.version;
        if version.len() > limits::PLUGIN_VERSION || version.contains(is_unprintable) {
            return Err(unsuitable(format!(
                "has the version {}: expected at most {} bytes that can be printed, such as 1.2.3",
                quote(&version),
                limits::PLUGIN_VERSION
            )));
        }
        Ok(PluginMetadata { name: name.clone(), version, capabilities: metadata.capabilities })
    }

    /// The version, to be compared.
    ///
    /// # Errors
    ///
    /// [`Code::PluginUnsuitable`] if it is not one of semantic versioning.
    pub fn semantic_version(&self) -> Result<Version, Failure> {
        Version::parse(&self.version).map_err(|error| {
            let (name, version) = (&self.name, quote(&self.version));
            let what =
                format!("the plugin \"{name}\" has the version {version}, which is not a semantic version: {error}");
            Failure::new(Code::PluginUnsuitable, what)
        })
    }

    /// Whether the plugin says that it can do `capability`.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }
}

fn empty_member(metadata: &Metadata) -> Option<&'static str> {
    let members = [
        ("name", metadata.name.is_empty()),
        ("description", metadata.description.is_empty()),
        ("version", metadata.version.is_empty()),
        ("url", metadata.url.is_empty()),
        ("supportedContractVersions", metadata.supported_contract_versions.is_empty()),
        ("capabilities", metadata.capabilities.is_empty()),
    ];
    members.into_iter().find_map(|(member, empty)| empty.then_some(member))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plugin::{GENERATOR_RAW, VERIFIER_REVOCATION_CHECK};

    fn read(change: impl FnOnce(&mut Value)) -> Result<PluginMetadata, Code> {
        let mut metadata = json!({
            "name": "p", "description": "d", "version": "1.2.3-rc.1", "url": "u",
            "supportedContractVersions": ["0.9", "1.0"], "capabilities": [GENERATOR_RAW, "NEW"], "more": 1,
        });
        change(&mut metadata);
        let read = PluginMetadata::read(&PluginName::new("p").unwrap(), metadata.to_string().as_bytes());
        read.map_err(|failure| failure.code)
    }

    #[test]
    fn a_plugin_introduces_itself() {
        let plugin = read(|_| {}).unwrap();
        assert!(plugin.can(GENERATOR_RAW) && !plugin.can(VERIFIER_REVOCATION_CHECK));
        assert_eq!(plugin.semantic_version().unwrap().to_string(), "1.2.3-rc.1");
    }

    #[test]
    fn s40_a_version_is_semantic_only_where_it_is_compared() {
        for version in ["v0.1.0+unreleased", "v1.2.3", "1.0", "1", "2026.11", "1.0.0.0", "latest", "4.0 beta 2"] {
            let plugin = read(|metadata| metadata["version"] = json!(version)).unwrap();
            assert_eq!(plugin.version, version);
            assert_eq!(plugin.semantic_version().unwrap_err().code, Code::PluginUnsuitable, "{version}");
        }
        for version in ["1\n", "\u{1b}[31m", "1\u{202e}", &"1".repeat(129)] {
            assert_eq!(
                read(|metadata| metadata["version"] = json!(version)),
                Err(Code::PluginUnsuitable),
                "{version:?}"
            );
        }
    }

    #[test]
    fn what_the_contract_demands_is_there() {
        for member in ["name", "description", "version", "url", "supportedContractVersions", "capabilities"] {
            let missing = read(|metadata| drop(metadata.as_object_mut().unwrap().remove(member)));
            assert_eq!(missing, Err(Code::PluginFailed), "{member} missing");
            let empty = |value: &Value| if value.is_string() { json!("") } else { json!([]) };
            assert_eq!(
                read(|metadata| metadata[member] = empty(&metadata[member])),
                Err(Code::PluginFailed),
                "{member}"
            );
            assert_eq!(read(|metadata| metadata[member] = Value::Null), Err(Code::PluginFailed), "{member} null");
        }
        for (member, value) in [("name", json!("P")), ("supportedContractVersions", json!(["1", "1.0.0", "2.0"]))] {
            assert_eq!(
                read(|metadata| metadata[member] = value.clone()),
                Err(Code::PluginUnsuitable),
                "{member} {value}"
            );
        }
    }
}
