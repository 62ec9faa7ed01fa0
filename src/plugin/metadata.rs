//! What a plugin says of itself, checked.
//!
//! Follows *plugin-extensibility*, get-plugin-metadata: everything is there and not empty, the name is that of the directory,
//! version 1.0 of the contract is spoken, and the version is one of semantic versioning.

use semver::Version;

use super::{CONTRACT_VERSION, Metadata, MetadataRequest, PluginConfig, PluginName, Question, answer, question};
use crate::failure::{Code, Failure, quote};
use crate::plugin::Command;

/// A plugin that speaks the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginMetadata {
    /// The name of the plugin.
    pub name: PluginName,
    /// The version of the plugin.
    pub version: Version,
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
        let version = Version::parse(&metadata.version).map_err(|error| {
            unsuitable(format!(
                "has the version {}, which is not a semantic version: {error}",
                quote(&metadata.version)
            ))
        })?;
        Ok(PluginMetadata { name: name.clone(), version, capabilities: metadata.capabilities })
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
        assert_eq!(plugin.version.to_string(), "1.2.3-rc.1");
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
        for (member, value) in [
            ("name", json!("P")),
            ("supportedContractVersions", json!(["1", "1.0.0", "2.0"])),
            ("version", json!("1.0")),
            ("version", json!("v1.0.0")),
        ] {
            assert_eq!(
                read(|metadata| metadata[member] = value.clone()),
                Err(Code::PluginUnsuitable),
                "{member} {value}"
            );
        }
    }
}
