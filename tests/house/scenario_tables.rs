//! The tables of steps and of the things of the world in `scenarios/README.md` are those of the schema, which is made from
//! the types. With `MUSTER_UPDATE=1` they are written anew.

use std::fs;

use serde_json::Value;

use crate::root;

const PAGE: &str = "scenarios/README.md";

/// The text with the table between the comments that begin with `<!-- name:` and `<!-- end of name`.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let (before, rest) = page.split_once(&format!("<!-- {name}:")).unwrap();
    let (comment, rest) = rest.split_once("-->\n").unwrap();
    let (_, after) = rest.split_once(&format!("<!-- end of {name} -->")).unwrap();
    format!("{before}<!-- {name}:{comment}-->\n\n{table}\n<!-- end of {name} -->{after}")
}

/// What `part` refers to, or itself.
fn resolved<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    part["$ref"].as_str().map_or(part, |name| &schema["$defs"][name.rsplit('/').next().unwrap()])
}

/// A description, as a cell of a table.
fn description(part: &Value) -> String {
    let text = part["description"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|")
}

/// The members that may be written, those first that must be; or an example, where there is one value and no members.
fn members(part: &Value) -> String {
    let Some(properties) = part["properties"].as_object() else {
        return format!("none: a value, such as `{}`", part["examples"][0].as_str().unwrap());
    };
    let is_required = |name: &str| part["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let (required, optional): (Vec<_>, Vec<_>) = properties.keys().partition(|name| is_required(name));
    let required = required.into_iter().map(|name| format!("**`{name}`**"));
    required.chain(optional.into_iter().map(|name| format!("`{name}`"))).collect::<Vec<_>>().join(", ")
}

fn steps(schema: &Value) -> String {
    let mut table = "| step | what it does | members |\n|---|---|---|\n".to_owned();
    for step in schema["$defs"]["RawStep"]["oneOf"].as_array().unwrap() {
        let written = step["properties"].as_object().unwrap();
        assert_eq!(written.len(), 1, "a step has one name: {step}");
        for (name, form) in written {
            let form = resolved(schema, form);
            table += &format!("| `{name}` | {} | {} |\n", description(step), members(form));
        }
    }
    table
}

/// Things of the world are what the file names: members that hold one form by name, or by type and name.
fn things(schema: &Value) -> String {
    let mut table = "| member | what it holds | members |\n|---|---|---|\n".to_owned();
    // A matrix holds nothing by name.
    for (name, member) in schema["properties"].as_object().unwrap().iter().filter(|(name, _)| *name != "matrix") {
        let by_name = &member["additionalProperties"];
        let form = if by_name.is_object() { resolved(schema, by_name) } else { resolved(schema, member) };
        if form != member && form["properties"].is_object() {
            table += &format!("| `{name}` | {} | {} |\n", description(member), members(form));
        }
    }
    table
}

#[test]
fn the_tables_of_the_page_are_those_of_the_schema() {
    let schema: Value = serde_json::from_str(muster::scenario::SCHEMA).unwrap();
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (steps, things) = (steps(&schema), things(&schema));
    assert!(steps.lines().count() > 12 && things.lines().count() > 7, "{steps}{things}");
    let today = with_table(&with_table(&page, "steps", &steps), "things", &things);
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        fs::write(path, today).unwrap();
    } else {
        assert!(page == today, "{PAGE} is out of date: run this test with MUSTER_UPDATE=1, read the change");
    }
}

#[test]
fn a_table_takes_the_place_of_the_one_before() {
    let page = "a\n<!-- steps: made -->\nold\n<!-- end of steps -->\nb\n";
    let once = with_table(page, "steps", "| new |\n");
    assert_eq!(once, "a\n<!-- steps: made -->\n\n| new |\n\n<!-- end of steps -->\nb\n");
    assert_eq!(with_table(&once, "steps", "| new |\n"), once);
}
