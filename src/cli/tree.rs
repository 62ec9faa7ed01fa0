//! Trees as `notation list` and `notation inspect` draw them.

use std::fmt;

use crate::report::printable;

/// A line with what hangs on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    line: String,
    below: Vec<Tree>,
}

impl Tree {
    /// A line, made safe to print.
    pub(super) fn new(line: impl AsRef<str>) -> Tree {
        Tree { line: printable(line.as_ref()).into_owned(), below: Vec::new() }
    }

    /// The line `name: value`.
    pub(super) fn pair(name: &str, value: impl fmt::Display) -> Tree {
        Tree::new(format!("{name}: {value}"))
    }

    /// With what hangs on it.
    pub(super) fn with(mut self, below: impl IntoIterator<Item = Tree>) -> Tree {
        self.below.extend(below);
        self
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, before: &str) -> fmt::Result {
        let last = self.below.len().saturating_sub(1);
        for (position, tree) in self.below.iter().enumerate() {
            let (branch, stem) = if position == last { ("└── ", "    ") } else { ("├── ", "│   ") };
            writeln!(f, "{before}{branch}{}", tree.line)?;
            tree.draw(f, &format!("{before}{stem}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.line)?;
        self.draw(f, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_hangs_together() {
        let tree = Tree::new("root").with([
            Tree::new("a").with([Tree::pair("b", 1), Tree::new("c")]),
            Tree::new("d").with([Tree::new("e\u{1b}\n└── forged")]),
        ]);
        let expected = "root\n├── a\n│   ├── b: 1\n│   └── c\n└── d\n    └── e\\u{1b}\\u{a}└── forged\n";
        assert_eq!(tree.to_string(), expected);
    }
}
