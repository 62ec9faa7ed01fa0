//! The value of `--registry`.

use crate::forge::registry::Flavour;
use crate::reference::is_host;
use crate::scenario::RegistryKind;

/// Reads `embedded`, `oras`, `container=IMAGE` or `external=HOST`.
pub(super) fn parse(text: &str) -> Result<RegistryKind, &'static str> {
    match text.split_once('=') {
        None if text == "embedded" => Ok(RegistryKind::Embedded(Flavour::Current)),
        None if text == "oras" => Ok(RegistryKind::Oras),
        Some(("container", image)) if !image.is_empty() => Ok(RegistryKind::Container(image.to_owned())),
        Some(("external", host)) if is_host(host) => Ok(RegistryKind::External(host.to_owned())),
        _ => Err("expected embedded, oras, container=IMAGE or external=HOST"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_kinds() {
        assert_eq!(parse("embedded"), Ok(RegistryKind::Embedded(Flavour::Current)));
        assert_eq!(parse("oras"), Ok(RegistryKind::Oras));
        assert_eq!(parse("container=a/b:1"), Ok(RegistryKind::Container("a/b:1".to_owned())));
        assert_eq!(parse("external=localhost:5000"), Ok(RegistryKind::External("localhost:5000".to_owned())));
        for text in ["", "docker", "container", "container=", "external=a/b", "external"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
