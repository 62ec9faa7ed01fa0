/// Compares a schema with what the model is, or writes it anew.
pub(super) fn assert_schema<T: schemars::JsonSchema>(name: &str, title: &str, schema: &str) {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut generated = serde_json::to_value(generator.into_root_schema_for::<T>()).unwrap();
    generated["$id"] = format!("{name}.v1.schema.json").into();
    generated["title"] = title.into();
    let generated = serde_json::to_string_pretty(&generated).unwrap() + "\n";
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.v1.schema.json"));
        std::fs::write(path, generated).unwrap();
    } else {
        assert_eq!(generated, schema, "the model has changed: run the tests with MUSTER_UPDATE=1, read the change");
    }
}
