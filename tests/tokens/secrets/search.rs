//! Searching.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bench::Bench;

/// What must not be found: a PIN or a private key, in each form in which it could be written.
pub(super) struct Secret(Vec<Vec<u8>>);

impl Secret {
    pub(super) fn new(bytes: &[u8]) -> Secret {
        let base64 = STANDARD.encode(bytes);
        let forms = [bytes.to_vec(), hex::encode(bytes).into_bytes(), hex::encode_upper(bytes).into_bytes()];
        // Numbers lie in memory with their lowest byte first. The last characters of base64 depend on what follows.
        let more = [bytes.iter().rev().copied().collect(), base64.as_bytes()[..base64.len() - 4].to_vec()];
        Secret(forms.into_iter().chain(more).collect())
    }

    /// The same of a text: also as JSON, Rust, an address and one string a character write it, and in base64 behind anything else.
    pub(super) fn text(text: &str) -> Secret {
        let mut secret = Secret::new(text.as_bytes());
        let json = serde_json::to_string(text).unwrap();
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters = serde_json::to_string(&letters).unwrap();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let percent = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        let address: String = text.bytes().map(percent).collect();
        let written = [json.trim_matches('"').to_owned(), format!("{text:?}").trim_matches('"').to_owned(), address];
        secret
            .0
            .extend(written.into_iter().chain([letters.trim_matches(['[', ']']).to_owned()]).map(String::into_bytes));
        for before in [1, 2] {
            // What the characters at both ends are depends on what stands around.
            let base64 = STANDARD.encode([&vec![0; before], text.as_bytes()].concat());
            let url = base64.replace('+', "-").replace('/', "_");
            secret.0.extend([base64, url].map(|text| text.as_bytes()[before + 1..text.len() - 4].to_vec()));
        }
        secret.0.sort_unstable();
        secret.0.dedup();
        secret
    }

    pub(super) fn is_in(&self, haystack: &[u8]) -> bool {
        self.0.iter().any(|form| haystack.windows(form.len()).any(|window| window == form))
    }

    /// Asserts that no file below `folder` holds it, nor is named after it.
    #[track_caller]
    pub(super) fn is_nowhere_below(&self, folder: &Path) {
        for file in files_below(folder) {
            assert!(!self.is_in(file.as_os_str().as_encoded_bytes()), "{} is named after a secret", file.display());
            // A file may be gone again.
            let content = fs::read(&file).unwrap_or_default();
            assert!(!self.is_in(&content), "{} holds a secret", file.display());
        }
    }
}

/// All files below `folder`.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(&entry.path())),
            Ok(_) => found.push(entry.path()),
            Err(_) => {}
        }
    }
    found
}

/// Waits until the shim was asked for a signature: with `slow-sign` the program is in the middle of it for two seconds.
#[track_caller]
pub(super) fn wait_for_signing(bench: &Bench<'_>, child: &mut Child) {
    for _ in 0..600 {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before it signed: {ended:?}");
        if fs::read_to_string(bench.log()).is_ok_and(|calls| calls.contains("C_Sign for the signature")) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("no signature was asked for");
}

/// The search finds what it looks for, or it would prove nothing.
#[test]
fn a_secret_is_found_in_each_form() {
    let pin = Secret::new(b"0123456789abcdef");
    for text in
        ["PIN=0123456789abcdef.", "30313233343536373839616263646566", "MDEyMzQ1Njc4OWFiY2RlZg==", "fedcba9876543210"]
    {
        assert!(pin.is_in(text.as_bytes()), "{text}");
    }
    assert!(!pin.is_in(b"0123456789abcde"));
    let text = "pä\"ss w0rd/31337";
    let password = Secret::text(text);
    let before = |before: &str| STANDARD.encode(format!("{before}{text} and more"));
    for form in [text, r#"pä\"ss w0rd/31337"#, "p%C3%A4%22ss%20w0rd%2F31337", &before(""), &before("1"), &before("12")]
    {
        assert!(password.is_in(form.as_bytes()), "{form}");
    }
    assert!(password.is_in(serde_json::to_string(&text.chars().collect::<Vec<char>>()).unwrap().as_bytes()));
    assert!(!password.is_in("pä\"ss w0rd/3133".as_bytes()));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a/b"), "0123456789abcdef").unwrap();
    assert_eq!(files_below(folder.path()), [folder.path().join("a/b")]);
    let found = std::panic::catch_unwind(|| pin.is_nowhere_below(folder.path()));
    assert!(found.is_err());
}
