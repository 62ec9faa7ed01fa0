//! Where keys and chains lie, what they are called, and how long signatures are good for.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use muster::forge::registry::Flavour;
use serde_json::{Value, json};

use super::super::workshop::Workshop;

fn workshop() -> (Workshop, String) {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    (workshop, image)
}

/// Signs with the files that `arguments` name, and expects one signature more, which verifies.
#[track_caller]
fn signs(workshop: &Workshop, image: &str, arguments: &[&str]) -> String {
    let before = workshop.listed(&[image]).len();
    let run = workshop.expect(0, &[&["sign"], arguments, &[image]].concat());
    assert_eq!(workshop.listed(&[image]).len(), before + 1);
    workshop.expect(0, &["verify", image]);
    run.stderr
}

fn list_one(workshop: &Workshop, name: &str, key: &Path, chain: &Path) {
    let list = json!({ "default": name, "keys": [{ "name": name, "keyPath": key, "certPath": chain }] });
    workshop.list_keys(&list.to_string());
}

/// As kubelet writes a volume: the files are links into a folder that is itself a link, and is exchanged as a whole.
fn mounted(workshop: &Workshop) {
    let folder = workshop.path("secret");
    fs::create_dir_all(folder.join("..2026_11_29")).unwrap();
    symlink("..2026_11_29", folder.join("..data")).unwrap();
    for (name, from) in [("tls.key", "ec-p256.key"), ("tls.crt", "ec-p256.crt")] {
        fs::copy(workshop.path(from), folder.join("..2026_11_29").join(name)).unwrap();
        symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
    }
}

#[test]
fn s30_key_chain_and_list_may_be_links_as_kubernetes_mounts_them() {
    let (workshop, image) = workshop();
    mounted(&workshop);
    signs(&workshop, &image, &["--key", "secret/tls.key", "--certificate-chain", "secret/tls.crt"]);
    list_one(&workshop, "k", &workshop.path("secret/tls.key"), &workshop.path("secret/tls.crt"));
    signs(&workshop, &image, &[]);
    fs::rename(workshop.path("config/signingkeys.json"), workshop.path("mounted.json")).unwrap();
    symlink(workshop.path("mounted.json"), workshop.path("config/signingkeys.json")).unwrap();
    signs(&workshop, &image, &[]);
    // The volume is exchanged, and what it held is gone.
    fs::remove_file(workshop.path("secret/..data")).unwrap();
    let run = workshop.expect(2, &["sign", &image]);
    assert!(run.stderr.contains("is a symbolic link, and \"..data/tls.crt\", where it leads, does not exist"), "{run}");
}

#[test]
fn s31_one_file_is_key_and_chain() {
    let (workshop, image) = workshop();
    let [key, chain] = ["ec-p256.key", "ec-p256.crt"].map(|name| fs::read_to_string(workshop.path(name)).unwrap());
    let bag = "Bag Attributes\n    localKeyID: 54 69 6D\nsubject=C = US, CN = ec-p256\n\n";
    for content in [format!("{key}{chain}"), format!("{bag}{chain}{bag}Key Attributes: <No Attributes>\n{key}")] {
        let both = workshop.path("both.pem");
        fs::write(&both, content).unwrap();
        fs::set_permissions(&both, fs::Permissions::from_mode(0o600)).unwrap();
        list_one(&workshop, "k", &both, &both);
        assert_eq!(signs(&workshop, &image, &[]), "");
        signs(&workshop, &image, &["--key", "both.pem", "--certificate-chain", "both.pem"]);
    }
}

#[test]
fn s32_a_byte_order_mark_is_named_with_the_command_that_takes_it_out() {
    let (workshop, image) = workshop();
    for (name, arguments) in [
        ("ec-p256.key", ["--key", "marked.pem", "--certificate-chain", "ec-p256.crt"]),
        ("ec-p256.crt", ["--key", "ec-p256.key", "--certificate-chain", "marked.pem"]),
    ] {
        let content = fs::read_to_string(workshop.path(name)).unwrap();
        fs::write(workshop.path("marked.pem"), format!("\u{feff}{content}")).unwrap();
        let run = workshop.expect(2, &[&["sign"][..], &arguments, &[&image]].concat());
        assert!(run.stderr.contains("byte order mark") && run.stderr.contains("tail -c +4 marked.pem"), "{run}");
    }
    assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
}

#[test]
fn s33_key_and_chain_are_read_from_pipes_and_standard_input() {
    let (workshop, image) = workshop();
    let read = |name: &str| fs::read(workshop.path(name)).unwrap();
    let sign = |arguments: &[&str], input: Vec<u8>| {
        let run = workshop.muster(&[&["sign"], arguments, &[image.as_str()]].concat()).input(input).run();
        (run.code, run.stderr)
    };
    let signed = (Some(0), String::new());
    assert_eq!(sign(&["--key", "-", "--certificate-chain", "ec-p256.crt"], read("ec-p256.key")), signed);
    assert_eq!(sign(&["--key", "/dev/stdin", "--certificate-chain", "ec-p256.crt"], read("ec-p256.key")), signed);
    assert_eq!(sign(&["--key", "ec-p256.key", "--certificate-chain", "-"], read("ec-p256.crt")), signed);
    // A file of this name is named by its path.
    fs::copy(workshop.path("ec-p256.key"), workshop.path("-")).unwrap();
    assert_eq!(sign(&["--key", "./-", "--certificate-chain", "ec-p256.crt"], Vec::new()), signed);
    for (arguments, input, words) in [
        (
            &["--key", "-", "--certificate-chain", "-"][..],
            read("ec-p256.key"),
            "cannot both be read from standard input",
        ),
        (&["--key", "-"], read("ec-p256.key"), "--key - reads the key from standard input"),
        (&["--key", "-", "--certificate-chain", "ec-p256.crt"], Vec::new(), "the key file on standard input is empty"),
        (
            &["--key", "-", "--certificate-chain", "ec-p256.crt"],
            read("ec-p256.crt"),
            "holds certificates and no private key",
        ),
        (&["--key", "-", "--certificate-chain", "ec-p256.crt"], vec![b'x'; 1 << 20], "longer than the 65536 bytes"),
    ] {
        let (code, stderr) = sign(arguments, input);
        assert!(code == Some(2) && stderr.contains(words), "{arguments:?}: {stderr}");
    }
    // A pipe is read once.
    let both = [read("ec-p256.key"), read("ec-p256.crt")].concat();
    for arguments in [
        ["--key", "-", "--certificate-chain", "/dev/stdin"],
        ["--key", "/dev/stdin", "--certificate-chain", "/dev/fd/0"],
    ] {
        let (code, stderr) = sign(&arguments, both.clone());
        assert!(
            code == Some(2) && stderr.contains("is the pipe from which the key is read"),
            "{arguments:?}: {stderr}"
        );
    }
    // A named pipe, and what a shell makes of `<(…)`.
    let script =
        "mkfifo pipe && { cat ec-p256.key > pipe & } && \"$1\" sign --key pipe --certificate-chain ec-p256.crt \"$2\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_muster"), &image]).current_dir(workshop.path(""));
    let output = shell.env("NOTATION_CONFIG", "config").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(workshop.listed(&[&image]).len(), 5);
}

#[test]
fn s37_a_key_is_found_by_its_name_whatever_it_looks_like() {
    let (workshop, image) = workshop();
    let (key, chain) = (workshop.path("ec-p256.key"), workshop.path("ec-p256.crt"));
    for name in ["acme/release", "pkcs11:hsm1", "./release", "C:\\release", "release key", "a=b", "\u{fc}"] {
        list_one(&workshop, name, &key, &chain);
        assert_eq!(signs(&workshop, &image, &["--key", name]), "");
    }
    // A file of the same name is another key: the list counts, and it is said.
    list_one(&workshop, "ec-p384.key", &key, &chain);
    let told = signs(&workshop, &image, &["--key", "ec-p384.key"]);
    assert!(told.contains("warning: the key \"ec-p384.key\" of signingkeys.json signs, and not the file"), "{told}");
    for (arguments, words) in [
        (&["--key", "acme/other"][..], "has no key \"acme/other\"; it has \"ec-p384.key\""),
        (&["--key", "pkcs11:token=a?pin-value=1234"], "if it is a PKCS #11 URI, name the certificates of its key"),
        (&["--key", "ec-p521.key"], "if \"ec-p521.key\" is a key itself, name its certificates"),
        (
            &["--key", "nowhere.key", "--certificate-chain", "ec-p256.crt"],
            "the key file \"nowhere.key\" does not exist",
        ),
    ] {
        let run = workshop.expect(2, &[&["sign"], arguments, &[&image]].concat());
        assert!(run.stderr.contains(words) && !run.stderr.contains("1234"), "{run}");
    }
    list_one(&workshop, "release", &key, &chain);
    let run = workshop.expect(2, &["sign", "--key", "release", "--certificate-chain", "ec-p256.crt", &image]);
    assert!(
        run.stderr.contains("signingkeys.json has a key \"release\": sign with it by --key \"release\" without"),
        "{run}"
    );
}

#[test]
fn s38_an_expiry_is_taken_as_go_writes_it() {
    let (workshop, image) = workshop();
    for (text, seconds) in
        [("1.5h", 5400), (".5h", 1800), ("+1h1.5m", 3690), ("90000ms", 90), ("30d", 2_592_000), ("2w", 1_209_600)]
    {
        let before = workshop.listed(&[&image]);
        workshop.expect(0, &["sign", "-e", text, &image]);
        let shown: Value =
            serde_json::from_str(&workshop.expect(0, &["inspect", "-o", "json", &image]).stdout).unwrap();
        let signatures = shown["signatures"].as_array().unwrap();
        let new = signatures.iter().find(|signature| !before.iter().any(|old| signature["digest"] == **old)).unwrap();
        let time = |name: &str| {
            let text = new["signedAttributes"][name].as_str().unwrap();
            time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
        };
        assert_eq!((time("expiry") - time("signingTime")).whole_seconds(), seconds, "{text}");
    }
    for (text, words) in [
        ("1.5s", "counted in whole seconds"),
        ("100ms", "counted in whole seconds"),
        ("-1h", "before the signature"),
        ("0", "expires at once"),
        ("0h", "expires at once"),
        ("1y", "such as 30d, 12h, 1.5h"),
        ("1h 5m", "such as 30d, 12h, 1.5h"),
    ] {
        let run = workshop.expect(2, &["sign", "-e", text, &image]);
        assert!(run.stderr.contains(words), "{text}: {run}");
    }
    // Whatever else takes a length of time reads it alike.
    for flags in [["--timeout", "1.5m"], ["--plugin-timeout", "0.5h"]] {
        workshop.expect(0, &[&["verify"], &flags[..], &[&image]].concat());
    }
    workshop.expect(1, &["verify", "--at", "+1000.5d", &image]);
}
