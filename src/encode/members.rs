//! JSON objects as they are written: members in a fixed order, each value given as JSON text.

use serde_json::json;

/// The members of a JSON object in order; each value is JSON text, written as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(pub Vec<(String, String)>);

impl Members {
    /// Replaces the member `name`, or adds it.
    pub fn set(&mut self, name: &str, json: impl Into<String>) {
        match self.0.iter_mut().find(|(old, _)| old == name) {
            Some((_, value)) => *value = json.into(),
            None => self.add(name, json),
        }
    }

    /// Adds a member, even if there is one of that name.
    pub fn add(&mut self, name: &str, json: impl Into<String>) {
        self.0.push((name.to_owned(), json.into()));
    }

    /// Removes the members of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(old, _)| old != name);
    }

    /// The JSON text of the first member of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(old, _)| old == name).map(|(_, value)| value.as_str())
    }

    /// The object as JSON text.
    pub fn text(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        format!("{{{}}}", members.join(","))
    }
}
