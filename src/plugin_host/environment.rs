//! What a plugin finds around it: the environment of Muster without the secrets that are Muster's own.
//!
//! A plugin needs variables that cannot be listed beforehand: those by which it reaches its key service (`AWS_…`,
//! `AZURE_…`, `VAULT_…`), proxies, `PATH`, `HOME`, the locale. So everything is handed on but what was meant for Muster or
//! for a registry: the credentials of registries, and whatever begins with `MUSTER_`, such as the PIN of a token. Only the
//! plugins that are Muster's own, [`OWN`], get the latter, each without what is for the other. The working directory stays the user's, as the settings of a
//! plugin may name files relative to it.

use std::ffi::OsString;

/// Muster's own plugins, for keys in PKCS #11 tokens and behind brokers, each with how the variables begin that are not for it.
const OWN: [(&str, &str); 2] = [("muster-pkcs11", "MUSTER_TSB_"), ("muster-tsb", "MUSTER_PKCS11_")];
/// What the variables of Muster begin with.
const PREFIX: &str = "MUSTER_";
/// Credentials for registries, or where they are.
const REGISTRY: [&str; 7] = [
    "NOTATION_USERNAME",
    "NOTATION_PASSWORD",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CONFIG",
    "REGISTRY_AUTH_FILE",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
];

/// What of `environment` the plugin `name` may see.
pub(super) fn of_plugin(
    name: &str,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    let of_other = OWN.iter().find(|(own, _)| *own == name).map(|(_, of_other)| *of_other);
    environment.filter(move |(variable, _)| {
        // Some systems do not tell variables apart by case.
        let variable = variable.to_string_lossy().to_ascii_uppercase();
        let is_kept = !variable.starts_with(PREFIX) || of_other.is_some_and(|other| !variable.starts_with(other));
        is_kept && !REGISTRY.contains(&variable.as_str())
    })
}

/// What of the environment of this process the plugin `name` may see and is text, to find secrets in it.
pub(super) fn texts(name: &str) -> impl Iterator<Item = (String, String)> {
    of_plugin(name, std::env::vars_os())
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(plugin: &str) -> Vec<String> {
        let variables = [
            "PATH",
            "HOME",
            "LC_ALL",
            "https_proxy",
            "AWS_SECRET_ACCESS_KEY",
            "NOTATION_LIBEXEC",
            "NOTATION_USERNAME",
            "NOTATION_PASSWORD",
            "notation_password",
            "MUSTER_PKCS11_PIN",
            "MUSTER_TSB_TOKEN",
            "DOCKER_CONFIG",
            "DOCKER_AUTH_CONFIG",
        ];
        let environment = variables.map(|name| (OsString::from(name), OsString::from("x")));
        of_plugin(plugin, environment.into_iter()).map(|(name, _)| name.into_string().unwrap()).collect()
    }

    #[test]
    fn secrets_of_others_stay_here() {
        let kept = ["PATH", "HOME", "LC_ALL", "https_proxy", "AWS_SECRET_ACCESS_KEY", "NOTATION_LIBEXEC"];
        assert_eq!(seen("azure-kv"), kept);
        assert_eq!(seen("muster-pkcs11"), [&kept[..], &["MUSTER_PKCS11_PIN"]].concat());
        assert_eq!(seen("muster-tsb"), [&kept[..], &["MUSTER_TSB_TOKEN"]].concat());
    }
}
