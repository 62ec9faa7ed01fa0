//! Files of text without a PEM block: keys in other forms, and PEM that was wrapped in something.
//!
//! What is looked for is how each program begins what it writes, and what deployment tools make of PEM: base64 of it, JSON and
//! YAML around it, its line ends written as `\n` or lost.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::der::Kind;
use super::{Named, Wanted, other_half};
use crate::pem::BEGIN;

/// What `bytes` are, if they are text of a known kind; reads on after the name of the file.
pub(super) fn of(bytes: &[u8], named: &Named, wanted: Wanted) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    wrapped(text, named).or_else(|| of_program(text, named, wanted)).or_else(|| in_base64(text, named, wanted))
}

/// PEM whose line ends are gone, or that stands inside of something else.
fn wrapped(text: &str, named: &Named) -> Option<String> {
    let Named { file, made, .. } = named;
    if text.starts_with(['{', '[']) {
        return Some(in_json(text, named));
    }
    let member = |name: &str| text.lines().any(|line| line.trim_start().starts_with(name));
    if member("sops:") {
        return Some(format!("is encrypted by sops: decrypt the PEM that is in it (sops -d {file} > {made})"));
    }
    if member("client-key-data:") {
        return Some(
            "is a kubeconfig, whose client-key-data logs in to a cluster: name the file of a key that signs".to_owned(),
        );
    }
    if member("apiVersion:") && member("kind: Secret") {
        return Some(
            "is a manifest of Kubernetes, with base64 inside: mount the secret as a file, or take the PEM out of it (kubectl get \
             secret NAME -o jsonpath='{.data.tls\\.key}' | base64 -d)"
                .to_owned(),
        );
    }
    let line = text.lines().find(|line| line.trim_start().starts_with(BEGIN))?;
    if line.contains("-----\\n") || line.contains("-----\\r\\n") {
        return Some(format!(
            "has \\n written out where lines of PEM end: make line ends of them (printf '%b\\n' \"$(cat {file})\" > {made})"
        ));
    }
    line.contains("-----END ").then(|| {
        "is PEM that lost its line ends: put one behind -----BEGIN …-----, one before -----END …-----, and take blanks out of \
         the base64 between"
            .to_owned()
    })
}

fn in_json(text: &str, named: &Named) -> String {
    let Named { file, made, .. } = named;
    if text.contains("\"kty\"") {
        "is a key as JSON (JWK), not in PEM: have it exported as PKCS #8 in PEM by the program that made it".to_owned()
    } else if text.contains("\"sops\"") {
        format!("is encrypted by sops: decrypt the PEM that is in it (sops -d {file} > {made})")
    } else if text.contains(BEGIN) {
        format!("is JSON with PEM in a text of it: take it out, for example by jq -r .private_key {file} > {made}")
    } else {
        "is JSON, not PEM".to_owned()
    }
}

/// Keys as other programs write them.
fn of_program(text: &str, named: &Named, wanted: Wanted) -> Option<String> {
    let Named { file, made, .. } = named;
    let first = text.lines().next().unwrap_or_default();
    let starts = |starts: &[&str]| starts.iter().any(|start| first.starts_with(start));
    Some(if starts(&["PuTTY-User-Key-File-"]) {
        match wanted {
            Wanted::Key => format!("is a key of PuTTY: convert it (puttygen {file} -O private-openssh -o {made})"),
            Wanted::Chain => other_half("a key of PuTTY", wanted),
        }
    } else if starts(&["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2 PUBLIC KEY"]) {
        other_half("a public key of SSH", wanted)
    } else if text.lines().any(|line| line.starts_with("AGE-SECRET-KEY-")) {
        "is a key of age, which decrypts and does not sign".to_owned()
    } else if starts(&["age-encryption.org/"]) {
        format!("is encrypted by age: decrypt it into a folder that only you can read (age -d -o {made} {file})")
    } else if starts(&["$ANSIBLE_VAULT;"]) {
        format!("is encrypted by Ansible: decrypt it (ansible-vault decrypt --output {made} {file})")
    } else if starts(&["version https://git-lfs.github.com/"]) {
        "is what Git LFS leaves in the place of a file: fetch the file (git lfs pull)".to_owned()
    } else if starts(&["untrusted comment:"]) {
        "is a key of minisign or signify, which has no certificate".to_owned()
    } else if starts(&["pkcs11:"]) {
        "holds a PKCS #11 URI: give that itself, and not a file that holds it".to_owned()
    } else {
        return None;
    })
}

/// Base64 without anything around it.
fn in_base64(text: &str, named: &Named, wanted: Wanted) -> Option<String> {
    let Named { file, made, .. } = named;
    // It may be a key.
    let joined = Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
    let decoded = Zeroizing::new(STANDARD.decode(joined.as_bytes()).ok()?);
    if decoded.starts_with(BEGIN.trim_end().as_bytes()) {
        return Some(format!("is PEM in base64: decode it (base64 -d {file} > {made})"));
    }
    let command = match (Kind::of(&decoded)?, wanted) {
        (Kind::Key, Wanted::Key) => format!("base64 -d {file} | openssl pkey -inform DER -out {made}"),
        (Kind::Certificate, Wanted::Chain) => format!("base64 -d {file} | openssl x509 -inform DER -out {made}"),
        (Kind::Pkcs12, _) => format!("base64 -d {file} | openssl pkcs12 -nodes -out {made}"),
        _ => {
            let der = named.made_as("der");
            format!("base64 -d {file} > {der}, then name {der} to be told what it is")
        }
    };
    Some(format!("is base64 without PEM's lines around it: convert it ({command})"))
}
