//! What the program says: results on standard output, everything about them on standard error.
//!
//! What goes to standard error is escaped here once more, since arguments and file names are in it.
//!
//! A reader that has gone away is not an error: what cannot be written is dropped, and the exit code still counts.

use std::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

use crate::diagnostic::Diagnostic;
use crate::report::{Look, printable};

/// The two streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    quiet: bool,
}

impl Console {
    /// The streams, with notes left out if `quiet`.
    pub(super) fn new(quiet: bool) -> Console {
        Console { quiet }
    }

    /// Decides once for both streams whether there is colour. Without a choice it is what the terminal and the
    /// environment (`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`) say.
    pub(super) fn choose_color(choice: ColorChoice) {
        match choice {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }

    /// Whether standard output shows colour.
    pub(super) fn colors_stdout() -> bool {
        anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
    }

    /// How a report looks that goes to standard output.
    pub(super) fn look() -> Look {
        Look { color: Console::colors_stdout(), width: terminal_width(), ..Look::default() }
    }

    /// Writes `text` to standard output, as it is.
    pub(super) fn print(self, text: impl fmt::Display) {
        let mut out = anstream::stdout();
        let _ = write!(out, "{text}").and_then(|()| out.flush());
    }

    /// An error: the reason for an exit code that is not 0.
    pub(super) fn error(self, message: impl fmt::Display) {
        self.say("error", AnsiColor::Red.on_default().bold(), message);
    }

    /// A warning: something that the user should change.
    pub(super) fn warning(self, message: impl fmt::Display) {
        self.say("warning", AnsiColor::Yellow.on_default().bold(), message);
    }

    /// A note, for those who want to know.
    pub(super) fn note(self, message: impl fmt::Display) {
        if !self.quiet {
            self.say("note", AnsiColor::Cyan.on_default().bold(), message);
        }
    }

    /// A line of detail that was asked for.
    pub(super) fn detail(self, message: impl fmt::Display) {
        let _ = writeln!(anstream::stderr(), "{}", printable(&message.to_string()));
    }

    /// What is wrong with a file, and where.
    pub(super) fn diagnose(self, diagnostic: &Diagnostic) {
        let color = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let _ = writeln!(anstream::stderr(), "{}", diagnostic.render(color).trim_end());
    }

    fn say(self, word: &str, style: Style, message: impl fmt::Display) {
        let _ = writeln!(anstream::stderr(), "{style}{word}{style:#}: {}", printable(&message.to_string()));
    }
}

/// How many characters a line of the terminal has to which standard output goes.
#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    // It fails where standard output is no terminal.
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Elsewhere lines are as long as they are.
#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}
