use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn of(bytes: &[u8], wanted: Wanted) -> Option<String> {
    of_bytes(bytes, &Named::new(Path::new("a.key")), wanted)
}

#[track_caller]
fn says(bytes: &[u8], wanted: Wanted, words: &str) {
    let said = of(bytes, wanted).unwrap_or_else(|| panic!("nothing is said of what should be: {words}"));
    assert!(said.contains(words), "{said}");
}

fn key_in_der(curve: &'static EcdsaSigningAlgorithm) -> Vec<u8> {
    EcdsaKeyPair::generate(curve).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
}

#[test]
fn names_stand_in_commands_as_a_shell_takes_them() {
    let named = |path: &str| {
        let Named { file, made, .. } = Named::new(Path::new(path));
        (file, made)
    };
    let pair = |file: &str, made: &str| (file.to_owned(), made.to_owned());
    assert_eq!(named("keys/a.p12"), pair("keys/a.p12", "keys/a.p12.pem"));
    assert_eq!(named("my key; rm -rf ~"), pair("'my key; rm -rf ~'", "'my key; rm -rf ~.pem'"));
    assert_eq!(named("it's"), pair(r"'it'\''s'", r"'it'\''s.pem'"));
    assert_eq!(named("-a"), pair("./-a", "./-a.pem"));
    let decryption = "openssl pkey -in 'my keys/it'\\''s' -out 'my keys/it'\\''s.pem'";
    assert_eq!(Named::new(Path::new("my keys/it's")).decryption(), decryption);
    for path in ["-", "a\u{1b}[31m", "a\nb", "/dev/fd/63", "/proc/self/fd/0", ""] {
        assert_eq!(named(path), pair("FILE", "FILE.pem"), "{path:?}");
    }
}

#[test]
fn s32_marks_and_utf_16_are_named_with_a_command() {
    let text = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n";
    for wanted in [Wanted::Key, Wanted::Chain] {
        let marked = format!("\u{feff}{text}");
        says(marked.as_bytes(), wanted, "starts with a byte order mark");
        says(marked.as_bytes(), wanted, "(tail -c +4 a.key > a.key.pem)");
        let utf16 = |mark: &[u8], to: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.iter().copied().chain(text.encode_utf16().flat_map(to)).collect()
        };
        says(&utf16(&[0xff, 0xfe], u16::to_le_bytes), wanted, "(iconv -f UTF-16 -t UTF-8 a.key > a.key.pem)");
        says(&utf16(&[0xfe, 0xff], u16::to_be_bytes), wanted, "iconv -f UTF-16 -t");
        says(&utf16(&[], u16::to_le_bytes), wanted, "iconv -f UTF-16LE -t");
        says(&utf16(&[], u16::to_be_bytes), wanted, "iconv -f UTF-16BE -t");
    }
    // Before other text it does no harm.
    assert_eq!(of(format!("\u{feff}Bag Attributes\n{text}").as_bytes(), Wanted::Key), None);
    assert_eq!(of(text.as_bytes(), Wanted::Key), None);
}

/// As in a comment or in the attributes that tools write before a block.
#[test]
fn text_around_a_block_decides_nothing() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n";
    for text in [
        "[leaf]",
        "{ key }",
        "ssh-keygen made this",
        "sops: no",
        "\u{160}ifra",
        "untrusted comment: x",
        "AGE-SECRET-KEY-X",
        "apiVersion: v1\nkind: Secret",
        "client-key-data: x",
        "pkcs11: x",
        "$ANSIBLE_VAULT;",
        "PuTTY-User-Key-File-3:",
    ] {
        for content in [format!("{text}\n{pem}"), format!("{pem}{text}\n")] {
            let blocks = blocks(content.as_bytes(), &Named::new(Path::new("a")), Wanted::Key);
            assert_eq!(blocks.unwrap().len(), 1, "{text}");
        }
    }
}

#[test]
fn files_in_binary_are_named() {
    let key = key_in_der(&signature::ECDSA_P256_SHA256_FIXED_SIGNING);
    says(&key, Wanted::Key, "(openssl pkey -inform DER -in a.key -out a.key.pem)");
    says(&key, Wanted::Chain, "is a private key in DER and holds no certificates");
    for (bytes, wanted, words) in [
        (&b"\x30\x80\x02\x01\x03\x30\x80"[..], Wanted::Key, "PKCS #12"),
        (
            b"\x30\x07\x02\x01\x03\x30\x02\x05\x00",
            Wanted::Chain,
            "and name a.key.pem for the key and for its certificates",
        ),
        (b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", Wanted::Chain, "openssl pkcs7 -inform DER"),
        (b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", Wanted::Key, "holds no private key"),
        (b"\x30\x06\x30\x02\x05\x00\x04\x00", Wanted::Key, "is an encrypted private key in DER"),
        (b"\x30\x06\x30\x02\x05\x00\x03\x00", Wanted::Key, "is a public key in DER"),
        (b"\xfe\xed\xfe\xed\x00\x00\x00\x02", Wanted::Key, "keytool -importkeystore -srckeystore a.key"),
        (b"\xce\xce\xce\xce\x00\x00\x00\x02", Wanted::Chain, "is a keystore of Java"),
        (b"\0GITCRYPT\0abc", Wanted::Key, "git-crypt unlock"),
        (b"\x95\x01\xd8\x04", Wanted::Key, "is of OpenPGP"),
    ] {
        says(bytes, wanted, words);
    }
    // Nothing is guessed of other bytes, however they are cut.
    for bytes in
        [&b"\x30"[..], b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01", b"\x1f\x8b\x08", b"\x30\x00"]
    {
        assert_eq!(of(bytes, Wanted::Key), None, "{bytes:x?}");
    }
    for end in 0..key.len() {
        let _ = of(&key[..end], Wanted::Key);
    }
}

#[test]
fn files_of_text_are_named() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n";
    let key = STANDARD.encode(key_in_der(&signature::ECDSA_P384_SHA384_FIXED_SIGNING));
    let in_base64 = STANDARD.encode(pem);
    for (text, words) in [
        ("PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\n", "puttygen a.key -O private-openssh -o a.key.pem"),
        ("ssh-ed25519 AAAA me@here\n", "is a public key of SSH and holds no private key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\n", "is a public key of SSH"),
        ("# created: 2026\n# public key: age1x\nAGE-SECRET-KEY-1X\n", "is a key of age"),
        ("age-encryption.org/v1\n-> X25519", "age -d -o a.key.pem a.key"),
        ("$ANSIBLE_VAULT;1.1;AES256\n61", "ansible-vault decrypt --output a.key.pem a.key"),
        ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("untrusted comment: minisign\n", "minisign"),
        ("pkcs11:token=a;object=b\n", "give that itself"),
        ("{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"x\"}", "is a key as JSON (JWK)"),
        ("{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMA==\\n\"}", "jq -r .private_key a.key > a.key.pem"),
        ("{\"sops\": {}, \"data\": \"x\"}", "sops -d a.key"),
        ("[]", "is JSON, not PEM"),
        ("apiVersion: v1\nkind: Secret\ndata:\n  tls.key: LS0t\n", "is a manifest of Kubernetes"),
        ("apiVersion: v1\nkind: Config\nusers:\n- user:\n    client-key-data: LS0t\n", "is a kubeconfig"),
        ("data: ENC[AES256_GCM]\nsops:\n    age: []\n", "sops -d a.key"),
        (&in_base64, "is PEM in base64: decode it (base64 -d a.key > a.key.pem)"),
        (&key, "(base64 -d a.key | openssl pkey -inform DER -out a.key.pem)"),
        (&pem.replace('\n', "\\n"), "printf '%b\\n' \"$(cat a.key)\" > a.key.pem"),
        (&pem.replace('\n', " "), "lost its line ends"),
        (&pem.replace('\n', ""), "lost its line ends"),
    ] {
        says(text.as_bytes(), Wanted::Key, words);
        let said = of(text.as_bytes(), Wanted::Key).unwrap();
        assert!(!said.contains(char::is_control) && !said.contains(&key[..20]), "{said}");
    }
    for text in ["", " \n"] {
        assert!(of(text.as_bytes(), Wanted::Chain).is_some());
    }
    for text in ["text", "a: b\n", pem, "Bag Attributes\n"] {
        assert_eq!(of(text.as_bytes(), Wanted::Key), None, "{text}");
    }
}

#[test]
fn blocks_of_other_kinds_are_named() {
    let named = Named::new(Path::new("a.pem"));
    let said = |label: &str, content: &str, wanted| {
        let text = format!("x\n-----BEGIN {label}-----\n{content}\n-----END {label}-----\n");
        of_block(&crate::pem::blocks(text.as_bytes()).unwrap()[0], &named, wanted)
    };
    for (label, wanted, words) in [
        ("X509 CERTIFICATE", Wanted::Chain, "line 2: write it anew (openssl x509 -in a.pem -out a.pem.pem)"),
        ("TRUSTED CERTIFICATE", Wanted::Chain, "(openssl x509 -in a.pem -out a.pem.pem)"),
        ("PKCS7", Wanted::Chain, "(openssl pkcs7 -in a.pem -print_certs -out a.pem.pem)"),
        ("PKCS7", Wanted::Key, "holds no private key"),
        ("CMS", Wanted::Chain, "| openssl pkcs7 -print_certs"),
        ("NEW CERTIFICATE REQUEST", Wanted::Key, "is a certificate request and holds no private key"),
        ("CERTIFICATE REQUEST", Wanted::Chain, "have the certificate issued"),
        ("PUBLIC KEY", Wanted::Key, "name the file of the private key"),
        ("PGP PRIVATE KEY BLOCK", Wanted::Key, "is of OpenPGP"),
        ("ENCRYPTED COSIGN PRIVATE KEY", Wanted::Key, "is a key of cosign"),
        ("ENCRYPTED SIGSTORE PRIVATE KEY", Wanted::Key, "is a key of cosign"),
        ("AGE ENCRYPTED FILE", Wanted::Key, "age -d -o"),
        ("TSS2 PRIVATE KEY", Wanted::Key, "tpm2-pkcs11"),
        ("DSA PRIVATE KEY", Wanted::Key, "block \"DSA PRIVATE KEY\", line 2"),
        ("\u{1b}[31m", Wanted::Key, "block \"\\u{1b}[31m\""),
    ] {
        let said = said(label, "", wanted);
        assert!(said.contains(words), "{label}: {said}");
    }
    let openssh = |kind: &str| {
        let text = |text: &[u8]| [&(text.len() as u32).to_be_bytes(), text].concat();
        let public = text(&text(kind.as_bytes()));
        let key =
            [&b"openssh-key-v1\0"[..], &text(b"none"), &text(b"none"), &text(b""), &[0, 0, 0, 1], &public].concat();
        said("OPENSSH PRIVATE KEY", &STANDARD.encode(key), Wanted::Key)
    };
    let converted = "(install -m 600 a.pem a.pem.pem && ssh-keygen -p -N '' -m PKCS8 -f a.pem.pem)";
    assert!(openssh("ecdsa-sha2-nistp256").contains(converted) && openssh("ssh-rsa").contains(converted));
    assert!(openssh("ssh-ed25519").contains("of a kind that signs no envelopes"));
    for broken in ["", "AAAA", "b3BlbnNzaC1rZXktdjEA", "b3BlbnNzaC1rZXktdjEA/////w=="] {
        assert!(said("OPENSSH PRIVATE KEY", broken, Wanted::Key).contains(converted), "{broken}");
    }
}

#[test]
fn keys_that_sign_no_envelopes_are_called_by_their_kind() {
    let kind = |content: &[u8]| kind_of_key(content, &Named::new(Path::new("a.key")));
    let ed25519 = signature::Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    assert_eq!(kind(ed25519.as_ref()).as_deref(), Some("an Ed25519 key"));
    let secp256k1 = key_in_der(&signature::ECDSA_P256K1_SHA256_ASN1_SIGNING);
    assert_eq!(kind(&secp256k1).as_deref(), Some("a key on secp256k1"));
    let tlv = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let rsa = |first: u8, bytes: usize| {
        let modulus = [&[0, first][..], &vec![1; bytes - 1]].concat();
        let numbers = [&tlv(2, &[0])[..], &tlv(2, &modulus), &tlv(2, &[3]), &tlv(2, &[1])].concat();
        tlv(0x30, &numbers)
    };
    assert_eq!(kind(&rsa(0x80, 96)).as_deref(), Some("an RSA key of 768 bits"));
    assert_eq!(kind(&rsa(0x01, 97)).as_deref(), Some("an RSA key of 769 bits"));
    let written_out = [&tlv(2, &[1])[..], &tlv(4, &[1; 32]), &tlv(0xa0, &tlv(0x30, &[]))].concat();
    assert!(
        kind(&tlv(0x30, &written_out))
            .unwrap()
            .contains("(openssl pkey -in a.key -ec_param_enc named_curve -out a.key.pem)")
    );
    assert_eq!(kind(b""), None);
    assert_eq!(kind(&tlv(0x30, &tlv(2, &[0]))), None);
}
