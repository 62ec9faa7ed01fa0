//! What is there and not known: accepted, and named in a note. A few names are kept and the rest is counted, so that a
//! stranger's envelope of nothing but unknown members costs nothing.

use crate::failure::quote;

const NAMED: usize = 5;

/// Names that are not known.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// The first few, ready to print.
    named: Vec<String>,
    more: usize,
}

impl Unknown {
    /// Adds a name as it was written.
    pub(super) fn add(&mut self, name: &str) {
        match self.named.len() {
            NAMED => self.more += 1,
            _ => self.named.push(quote(name)),
        }
    }

    /// Adds a number.
    pub(super) fn add_number(&mut self, number: i128) {
        match self.named.len() {
            NAMED => self.more += 1,
            _ => self.named.push(number.to_string()),
        }
    }

    /// A note that names them, if there are any: `the header has members that are not known: "a", "b"`.
    pub(super) fn note(&self, what: &str) -> Option<String> {
        let more = if self.more == 0 { String::new() } else { format!(" and {} more", self.more) };
        (!self.named.is_empty()).then(|| format!("{what} not known: {}{more}", self.named.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_a_few_and_count_the_rest() {
        let mut unknown = Unknown::default();
        assert_eq!(unknown.note("x has members that are"), None);
        unknown.add("a\u{1b}");
        assert_eq!(
            unknown.note("x has members that are").as_deref(),
            Some("x has members that are not known: \"a\\u{1b}\"")
        );
        (0..6).for_each(|number| unknown.add_number(number));
        assert_eq!(
            unknown.note("x has members that are").as_deref(),
            Some("x has members that are not known: \"a\\u{1b}\", 0, 1, 2, 3 and 2 more")
        );
    }
}
