//! Files with detached signatures: their names say in which format they are.
//!
//! Follows *signature-specification*: names end in `.jws.sig` or `.cose.sig`. The content is never asked: a file that two
//! parsers could read must not choose its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::envelope::Format;
use crate::failure::quote;

/// The two formats with the ends of their files' names.
const ENDINGS: [(Format, &str); 2] = [(Format::Jws, ".jws.sig"), (Format::Cose, ".cose.sig")];

/// Where the signature of `blob` is written: in `folder`, else beside the blob, by the path that was given for it even if
/// that is a link. `None` if `blob` has no file name.
pub(super) fn place(blob: &Path, folder: Option<&Path>, format: Format) -> Option<PathBuf> {
    let mut name = blob.file_name()?.to_owned();
    name.extend(ENDINGS.iter().filter(|(known, _)| *known == format).map(|(_, ending)| OsStr::new(*ending)));
    Some(folder.map_or_else(|| blob.with_file_name(&name), |folder| folder.join(&name)))
}

/// The format of the signature in `file`: the one that was `given`, else by the file's name. The error is one sentence.
pub(super) fn format(file: &Path, given: Option<Format>) -> Result<Format, String> {
    if let Some(format) = given {
        return Ok(format);
    }
    let name = file.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let known = ENDINGS.iter().find(|(_, ending)| name.ends_with(ending));
    known.map(|(format, _)| *format).ok_or_else(|| {
        let file = quote(&file.display().to_string());
        format!("the name of the signature {file} ends neither in .jws.sig nor in .cose.sig: name its format with --signature-format")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_the_format() {
        for (name, expected) in [
            ("a.tar.jws.sig", Some(Format::Jws)),
            ("/x/a.cose.sig", Some(Format::Cose)),
            ("a.COSE.Sig", Some(Format::Cose)),
            ("a.jws.sig.cose.sig", Some(Format::Cose)),
            ("a.sig", None),
            ("a.jws", None),
            ("a.jws.sig.bak", None),
            ("ajws.sig", None),
            ("a.jws.sig/", Some(Format::Jws)),
            ("a.jws.sig/x", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(format(Path::new(name), None).ok(), expected, "{name:?}");
            assert_eq!(format(Path::new(name), Some(Format::Jws)), Ok(Format::Jws));
        }
    }

    #[test]
    fn signatures_are_called_after_their_blobs() {
        for (blob, folder, expected) in [
            ("a.tar", Some("."), Some("./a.tar.cose.sig")),
            ("a.tar", None, Some("a.tar.cose.sig")),
            ("/x/y", Some("/s"), Some("/s/y.cose.sig")),
            ("/x/y", None, Some("/x/y.cose.sig")),
            ("../x/y", None, Some("../x/y.cose.sig")),
            ("./y", None, Some("./y.cose.sig")),
            ("-", None, Some("-.cose.sig")),
            ("..", None, None),
            ("..", Some("."), None),
            ("/", None, None),
        ] {
            let place = place(Path::new(blob), folder.map(Path::new), Format::Cose);
            assert_eq!(place, expected.map(PathBuf::from), "{blob}");
            assert!(place.is_none_or(|place| format(&place, None) == Ok(Format::Cose)));
        }
    }
}
