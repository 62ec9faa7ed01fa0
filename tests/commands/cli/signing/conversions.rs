//! The commands that messages name are run: what they make of a file signs, or is certificates in PEM.

use std::path::Path;
use std::process::Command;

use muster::forge::registry::Flavour;

use super::super::workshop::Workshop;
use crate::skip::skip;

#[track_caller]
fn shell(folder: &Path, command: &str) {
    let output = Command::new("sh").args(["-ec", command]).current_dir(folder).env("HOME", folder).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn there_is(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success()
}

/// What makes a file `f` of a kind, what the message calls it, and what is added to the command in the message so that it asks
/// for no passphrase.
type Kind = (&'static str, &'static str, &'static str);

const KEYS: [Kind; 16] = [
    ("openssl pkey -in ec-p256.key -outform DER -out f", "is a private key in DER", ""),
    ("openssl ec -in ec-p256.key -outform DER -out f", "is a private key in DER", ""),
    (
        "openssl pkcs8 -topk8 -in ec-p256.key -outform DER -passout pass:x -out f",
        "is an encrypted private key in DER",
        "-passin pass:x",
    ),
    (
        "openssl pkcs12 -export -inkey ec-p256.key -in ec-p256.crt -passout pass:x -out f",
        "is a PKCS #12 file",
        "-passin pass:x",
    ),
    (
        "openssl pkcs8 -topk8 -in ec-p256.key -passout pass:x -out f",
        "is encrypted, and encrypted keys are not read",
        "-passin pass:x",
    ),
    (
        "openssl ec -in ec-p256.key -aes128 -passout pass:x -out f",
        "is encrypted, and encrypted keys are not read",
        "-passin pass:x",
    ),
    ("printf '\\357\\273\\277' | cat - ec-p256.key > f", "starts with a byte order mark", ""),
    ("iconv -f UTF-8 -t UTF-16 ec-p256.key > f", "is written in UTF-16", ""),
    ("iconv -f UTF-8 -t UTF-16LE ec-p256.key > f", "is written in UTF-16", ""),
    ("iconv -f UTF-8 -t UTF-16BE ec-p256.key > f", "is written in UTF-16", ""),
    ("base64 ec-p256.key > f", "is PEM in base64", ""),
    ("openssl pkey -in ec-p256.key -outform DER | base64 > f", "is base64 without PEM's lines", ""),
    ("awk '{ printf \"%s\\\\n\", $0 }' ec-p256.key > f", "has \\n written out", ""),
    ("awk '{ printf \"%s\\\\r\\\\n\", $0 }' ec-p256.key > f", "has \\n written out", ""),
    ("cp ec-p256.key f && ssh-keygen -q -p -N '' -f f", "is a key of OpenSSH", ""),
    (
        "awk 'BEGIN { printf \"{\\\"private_key\\\":\\\"\" } { printf \"%s\\\\n\", $0 } END { print \"\\\"}\" }' ec-p256.key > f",
        "is JSON with PEM",
        "",
    ),
];

const CHAINS: [Kind; 7] = [
    ("openssl x509 -in ec-p256.crt -outform DER -out f", "is a certificate in DER", ""),
    ("openssl crl2pkcs7 -nocrl -certfile ec-p256.crt -out f", "is a PKCS #7 file", ""),
    ("openssl crl2pkcs7 -nocrl -certfile ec-p256.crt -outform DER -out f", "is a PKCS #7 file in DER", ""),
    ("openssl crl2pkcs7 -nocrl -certfile ec-p256.crt | sed 's/PKCS7/CMS/' > f", "is a CMS file", ""),
    ("openssl x509 -in ec-p256.crt -trustout -addtrust codeSigning -out f", "trust settings", ""),
    ("openssl x509 -in ec-p256.crt | sed 's/ CERT/ X509 CERT/' > f", "under an older label", ""),
    ("openssl x509 -in ec-p256.crt -outform DER | base64 > f", "is base64 without PEM's lines", ""),
];

/// Has the file refused by these words, and runs the command that is named.
#[track_caller]
fn converted(workshop: &Workshop, image: &str, kind: &Kind, arguments: &[&str]) {
    let (make, words, silent) = kind;
    let folder = workshop.path("");
    shell(&folder, &format!("rm -f f f.* && umask 077 && {make}"));
    let run = workshop.expect(2, &[&["sign"], arguments, &[image]].concat());
    assert!(run.stderr.contains(words), "{make}: {run}");
    // The command stands in the last round brackets but that with names of suffixes, and those of the shell are inside.
    let start =
        run.stderr.match_indices(" (").map(|(at, _)| at + 2).find(|at| !run.stderr[*at..].starts_with('.')).unwrap();
    let mut depth = 1;
    let end = run.stderr[start..].char_indices().find(|(_, character)| {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    let command = &run.stderr[start..start + end.unwrap().0];
    let command = command.replace("for example by ", "");
    shell(&folder, &format!("{command} {silent}"));
}

#[test]
fn the_command_in_a_message_makes_a_key_that_signs() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    for kind in &KEYS {
        let program = ["ssh-keygen", "jq", "iconv", "openssl"].into_iter().find(|program| match *program {
            "jq" => kind.1.contains("JSON"),
            program => kind.0.contains(program),
        });
        if let Some(program) = program.filter(|program| !there_is(program)) {
            skip("the_command_in_a_message_makes_a_key_that_signs", &format!("{program} is not installed"));
            continue;
        }
        if kind.1.contains("JSON") {
            shell(&workshop.path(""), kind.0);
            let run = workshop.expect(2, &["sign", "--key", "f", "--certificate-chain", "ec-p256.crt", &image]);
            assert!(run.stderr.contains(kind.1) && run.stderr.contains("jq -r .private_key f > f.pem"), "{run}");
            shell(&workshop.path(""), "jq -r .private_key f > f.pem");
        } else {
            converted(&workshop, &image, kind, &["--key", "f", "--certificate-chain", "ec-p256.crt"]);
        }
        workshop.expect(0, &["sign", "--key", "f.pem", "--certificate-chain", "ec-p256.crt", &image]);
    }
    // Of PKCS #12 the chain comes out as well.
    converted(&workshop, &image, &KEYS[3], &["--key", "f", "--certificate-chain", "f"]);
    workshop.expect(0, &["sign", "--key", "f.pem", "--certificate-chain", "f.pem", &image]);
    workshop.expect(0, &["verify", &image]);
}

#[test]
fn the_command_in_a_message_makes_certificates_in_pem() {
    if !there_is("openssl") {
        return skip("the_command_in_a_message_makes_certificates_in_pem", "openssl is not installed");
    }
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    for kind in &CHAINS {
        converted(&workshop, &image, kind, &["--key", "ec-p256.key", "--certificate-chain", "f"]);
        let (_, words, _) = kind;
        if words.contains("PKCS #7") || words.contains("CMS") {
            workshop.expect(0, &["sign", "--key", "ec-p256.key", "--certificate-chain", "f.pem", &image]);
        } else {
            // One certificate is no chain; it is read.
            let run = workshop.expect(2, &["sign", "--key", "ec-p256.key", "--certificate-chain", "f.pem", &image]);
            assert!(run.stderr.contains("the certificate chain signs no artifacts"), "{words}: {run}");
        }
    }
}

/// The name of the file stands in the command as a shell takes it; where its folder cannot be written to, what is made is made here.
#[test]
fn the_command_in_a_message_can_be_typed_whatever_the_file_is_called() {
    if !there_is("openssl") {
        return skip("the_command_in_a_message_can_be_typed_whatever_the_file_is_called", "openssl is not installed");
    }
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    let folder = workshop.path("");
    std::fs::create_dir(folder.join("my keys")).unwrap();
    for (name, command) in [
        ("my keys/it's; $HOME", r"(openssl pkey -in 'my keys/it'\''s; $HOME' -out 'my keys/it'\''s; $HOME.pem')"),
        ("-key", "(openssl pkey -in ./-key -out ./-key.pem)"),
    ] {
        let made = "openssl pkcs8 -topk8 -in ec-p256.key -passout pass:x -out f && mv f \"$0\"";
        let path = folder.join(name);
        let status = Command::new("sh").args(["-c", made]).arg(&path).current_dir(&folder).status().unwrap();
        assert!(status.success());
        let option = format!("--key={name}");
        let run = workshop.expect(2, &["sign", &option, "--certificate-chain", "ec-p256.crt", &image]);
        assert!(run.stderr.contains(command), "{run}");
        shell(&folder, &format!("{} -passin pass:x", command.trim_matches(['(', ')'])));
        let option = format!("--key={name}.pem");
        workshop.expect(0, &["sign", &option, "--certificate-chain", "ec-p256.crt", &image]);
    }
}
