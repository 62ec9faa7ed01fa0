//! The JSON Schema of scenario files, for editors. It is made from the types that read them.

/// The JSON Schema of scenario files, version 1.
pub const SCHEMA: &str = include_str!("../../schemas/scenario.v1.schema.json");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemars::Schema;
    use schemars::generate::SchemaSettings;
    use schemars::transform::RecursiveTransform;
    use serde_json::Value;

    use super::SCHEMA;
    use crate::scenario::world::RawScenario;

    /// What may be left out is left out, and not `null`.
    fn without_null(schema: &mut Schema) {
        let Some(members) = schema.as_object_mut() else { return };
        if let Some(Value::Array(types)) = members.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                members.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(words)) = members.get_mut("enum") {
            words.retain(|word| !word.is_null());
        }
        if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
            choices.retain(|choice| choice["type"] != "null");
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                members.remove("anyOf");
                members.extend(only.into_iter().filter(|(key, _)| key != "description"));
            }
        }
    }

    #[test]
    fn the_schema_is_the_types() {
        let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
        let mut generated = settings.into_generator().into_root_schema_for::<RawScenario>();
        generated.insert("title".to_owned(), "A scenario of Muster, version 1".into());
        let generated = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        if std::env::var_os("MUSTER_UPDATE").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/scenario.v1.schema.json");
            std::fs::write(path, generated).unwrap();
        } else {
            assert_eq!(
                generated, SCHEMA,
                "the types have changed: run the tests with MUSTER_UPDATE=1, read the change"
            );
        }
    }

    #[test]
    fn shipped_scenarios_are_valid_and_slips_are_not() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut checked = 0;
        for scenario in crate::scenario::load(&["scenarios".into()]).unwrap() {
            let text = std::fs::read_to_string(&scenario.file).unwrap();
            let value: Value = serde_saphyr::from_str(&text).unwrap();
            if let Some(error) = validator.iter_errors(&value).next() {
                panic!("{}: {error}", scenario.file.display());
            }
            checked += 1;
        }
        assert!(checked > 0);
        for slip in [
            "{}",
            "{ title: x, verfy: [] }",
            "{ title: x, steps: [{ push: {}, sign: {} }] }",
            "{ title: x, steps: [{ sign: { format: jwt } }] }",
            "{ title: x, verify: [{ expect: { result: maybe } }] }",
            "{ title: x, verify: [{ expect: {} }] }",
            "{ title: x, now: yesterday }",
            "{ title: x, slow: often }",
            "{ title: x, now: null }",
            "{ title: x, matrix: null }",
            "{ title: x, verify: [{ expect: { result: pass, signatures: null } }] }",
            "{ title: x, steps: [{ sign: { expect: { refused: null } } }] }",
            "{ title: x, trustStores: { ca: { x: [] } } }",
            "{ title: x, trustStores: { ca: { x: gone } } }",
        ] {
            let value: Value = serde_saphyr::from_str(slip).unwrap();
            assert!(!validator.is_valid(&value), "{slip}");
        }
    }
}
