//! The value of `--registry`.

use crate::forge::registry::Flavour;
use crate::reference::{is_host, is_path};
use crate::scenario::RegistryKind;

/// Reads `embedded`, `oras`, `container=IMAGE` or `external=HOST[/PATH]`.
pub(super) fn parse(text: &str) -> Result<RegistryKind, &'static str> {
    match text.split_once('=') {
        None if text == "embedded" => Ok(RegistryKind::Embedded(Flavour::Current)),
        None if text == "oras" => Ok(RegistryKind::Oras),
        Some(("container", image)) if !image.is_empty() => Ok(RegistryKind::Container(image.to_owned())),
        Some(("external", place)) if is_place(place) => Ok(RegistryKind::External(place.to_owned())),
        _ => Err("expected embedded, oras, container=IMAGE or external=HOST[/PATH]"),
    }
}

/// Whether `text` is a registry, or a path in one.
fn is_place(text: &str) -> bool {
    match text.split_once('/') {
        Some((host, path)) => is_host(host) && is_path(path),
        None => is_host(text),
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
        assert_eq!(parse("external=a.io/b/c"), Ok(RegistryKind::External("a.io/b/c".to_owned())));
        for text in ["", "docker", "container", "container=", "external=a/", "external=a/B", "external"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
