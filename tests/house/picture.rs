//! `docs/audit.svg`, the picture in the README: what the program prints to a terminal, made from what it prints today.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use quick_xml::events::Event;

use crate::{readme, root};

const PICTURE: &str = "docs/audit.svg";
/// How wide the terminal is, in characters. Longer lines are wrapped, as a terminal does.
const COLUMNS: usize = 104;
/// The size of a character and the margin, in pixels.
const CHARACTER: (f64, usize) = (7.83, 18);
const MARGIN: usize = 14;

/// A stretch of text in one style: what stands in `class` of the picture.
type Stretch = (String, &'static str);

/// The styles that the program uses, by the numbers of their escape sequences.
const STYLES: [(&str, &str); 4] = [("1;31", "red"), ("1;32", "green"), ("1;33", "yellow"), ("1;36", "cyan")];

/// Takes the escape sequences out of a line of the terminal. Numbers add up until `ESC[0m`.
fn stretches(line: &str) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut numbers: Vec<&str> = Vec::new();
    for (position, part) in line.split("\x1b[").enumerate() {
        let text = if position == 0 {
            part
        } else {
            let (sequence, text) = part.split_once('m').unwrap();
            match sequence {
                "0" => numbers.clear(),
                more => numbers.extend(more.split(';')),
            }
            text
        };
        if text.is_empty() {
            continue;
        }
        let sum = numbers.join(";");
        let style = STYLES.iter().find(|(known, _)| *known == sum).map(|(_, class)| *class);
        assert!(style.is_some() || sum.is_empty(), "the picture has no style for ESC[{sum}m");
        found.push((text.to_owned(), style.unwrap_or_default()));
    }
    found
}

/// Cuts a line where the terminal ends.
fn wrapped(line: Vec<Stretch>) -> Vec<Vec<Stretch>> {
    let mut rows = vec![Vec::new()];
    let mut column = 0;
    for (text, class) in line {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if column == COLUMNS {
                rows.push(Vec::new());
                column = 0;
            }
            let here = rest.char_indices().nth(COLUMNS - column).map_or(rest.len(), |(end, _)| end);
            let (head, tail) = rest.split_at(here);
            column += head.chars().count();
            rows.last_mut().unwrap().push((head.to_owned(), class));
            rest = tail;
        }
    }
    rows
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture of a terminal in which `printed` stands.
fn svg(printed: &str) -> String {
    let rows: Vec<(bool, Vec<Stretch>)> = printed
        .lines()
        .flat_map(|line| wrapped(stretches(line)).into_iter().enumerate().map(|(part, row)| (part > 0, row)))
        .collect();
    let (width, height) = CHARACTER;
    let (wide, high) = ((COLUMNS as f64 * width) as usize + 2 * MARGIN, rows.len() * height + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\">\n\
         <style>\n\
         text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; fill: #d4d4d4; white-space: pre }}\n\
         .red {{ fill: #f14c4c; font-weight: bold }}\n.green {{ fill: #23d18b; font-weight: bold }}\n\
         .yellow {{ fill: #e5e510; font-weight: bold }}\n.cyan {{ fill: #29b8db; font-weight: bold }}\n\
         </style>\n<rect width=\"{wide}\" height=\"{high}\" rx=\"8\" fill=\"#1e1e1e\"/>\n"
    );
    for (number, (continued, row)) in rows.iter().enumerate() {
        let id = if *continued { " data-continued=\"\"" } else { "" };
        write!(out, "<text x=\"{MARGIN}\" y=\"{}\" xml:space=\"preserve\"{id}>", MARGIN + number * height + 13)
            .unwrap();
        for (text, class) in row {
            match *class {
                "" => out.push_str(&escaped(text)),
                class => write!(out, "<tspan class=\"{class}\">{}</tspan>", escaped(text)).unwrap(),
            }
        }
        out.push_str("</text>\n");
    }
    out + "</svg>\n"
}

/// The lines of text in a picture, read as XML.
fn text_of(svg: &str) -> String {
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut lines: Vec<String> = Vec::new();
    let mut inside = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == "text" => {
                inside = true;
                let attributes = tag.attributes().map(|attribute| attribute.unwrap().key.as_ref().to_owned());
                if !attributes.into_iter().any(|name| name == "data-continued") {
                    lines.push(String::new());
                }
            }
            Event::End(tag) if tag.name().as_ref() == "text" => inside = false,
            Event::Text(text) if inside => lines.last_mut().unwrap().push_str(&text),
            Event::GeneralRef(name) if inside => lines.last_mut().unwrap().push(match name.as_ref() {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                other => panic!("{other:?}"),
            }),
            Event::Eof => return lines.join("\n") + "\n",
            _ => {}
        }
    }
}

/// What the command under the picture prints to standard output, coloured or not.
fn printed(color: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["--color", color])
        .args(readme::words(readme::audit_of_the_readme()))
        .current_dir(root())
        .env_clear()
        .output()
        .unwrap();
    readme::steady(&String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_picture_shows_what_the_program_prints() {
    let today = svg(&printed("always"));
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        fs::write(root().join(PICTURE), &today).unwrap();
    }
    let shown = fs::read_to_string(root().join(PICTURE)).unwrap();
    assert_eq!(text_of(&shown), printed("never"), "{PICTURE} is out of date: run this test with MUSTER_UPDATE=1");
    assert_eq!(shown, today, "{PICTURE} is out of date: run this test with MUSTER_UPDATE=1, and look at it");
    assert_eq!(shown.matches("<tspan class=").count(), 4, "four findings");
}

#[test]
fn a_picture_holds_the_text_and_the_colours_of_a_terminal() {
    let long = "x".repeat(COLUMNS + 1);
    let picture = svg(&format!("a \x1b[1m\x1b[31mfail\x1b[0m <b> & \"c\"\n\n\x1b[1;32m{long}\x1b[0m\n"));
    assert_eq!(text_of(&picture), format!("a fail <b> & \"c\"\n\n{long}\n"));
    assert!(picture.contains(">a <tspan class=\"red\">fail</tspan> &lt;b&gt; &amp; \"c\"</text>"), "{picture}");
    assert!(picture.contains(" data-continued=\"\"><tspan class=\"green\">x</tspan></text>"), "{picture}");
    assert_eq!(picture.matches("<text ").count(), 4);
}
