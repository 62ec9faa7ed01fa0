//! Trust store directories: everything that may lie in one, by a named test each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod disk;

use std::fs;
use std::path::Path;

use disk::*;
use muster::forge::{Authority, Key, KeyKind, LeafRequest, Signer, Validity, tlv};
use muster::limits;
use muster::pki::Certificate;
use muster::trust_store::{StoreName, StoreProblem, StoreType, TrustStores};
use time::macros::datetime;

#[test]
fn h01_missing_store() {
    let disk = Disk::new().with("root.pem", pem(&root()));
    let missing = |name: &str, words: &[&str]| is_missing(disk.root(), &name.parse().unwrap(), words);
    missing("ca:other", &["no trust store ca:other", "x509/ca/other"]);
    missing("ca:wabit", &["did you mean \"ca:wabbit\"?"]);
    missing("tsa:wabbit", &["no trust store tsa:wabbit"]);
    let empty = tempfile::tempdir().unwrap();
    is_missing(empty.path(), &disk.name, &["holds no directory x509"]);
    is_missing(&empty.path().join("nowhere"), &disk.name, &["holds no directory x509"]);
    // The two ways to name the wrong directory.
    is_missing(&disk.root().join("x509"), &disk.name, &["the directory that holds x509, not x509 itself"]);
    let config = tempfile::tempdir().unwrap();
    fs::create_dir_all(config.path().join("truststore/x509/ca/wabbit")).unwrap();
    is_missing(config.path(), &disk.name, &["the trust store to name is", "truststore\""]);
    // A store nobody loaded is missing too, and a problem of one store is none of another.
    let name: StoreName = "ca:other".parse().unwrap();
    let stores = TrustStores::load(disk.root(), [&name, &disk.name]);
    assert!(stores.get(&disk.name).is_ok());
    assert_eq!(stores.problems().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["ca:other"]);
    assert!(matches!(disk.load().get(&name), Err(StoreProblem::Missing(_))));
}

#[test]
fn h02_empty_store() {
    Disk::new().is_invalid(&["ca:wabbit", "x509/ca/wabbit", "holds no certificate"]);
}

#[cfg(unix)]
#[test]
fn h03_symbolic_links() {
    use std::os::unix::fs::symlink;
    let real = Disk::new().with("root.pem", pem(&root()));

    let store = Disk::new();
    fs::remove_dir(store.directory()).unwrap();
    symlink(real.directory(), store.directory()).unwrap();
    store.is_invalid(&["a symbolic link, not a directory"]);

    let file = Disk::new().with("good.pem", pem(&root()));
    symlink(real.directory().join("root.pem"), file.directory().join("link.pem")).unwrap();
    file.is_invalid(&["link.pem", "a symbolic link, not a regular file"]);

    let dangling = Disk::new().with("good.pem", pem(&root()));
    symlink("nowhere", dangling.directory().join("link.pem")).unwrap();
    dangling.is_invalid(&["link.pem", "a symbolic link"]);

    let inner = Disk::new().with("good.pem", pem(&root()));
    symlink(real.root(), inner.directory().join("link")).unwrap();
    inner.is_invalid(&["a symbolic link"]);

    // Above the store's own directory, links are followed, as notation does.
    let parent = tempfile::tempdir().unwrap();
    symlink(real.root(), parent.path().join("store")).unwrap();
    assert!(TrustStores::load(&parent.path().join("store"), [&real.name]).get(&real.name).is_ok());
}

#[test]
fn h04_file_where_a_directory_is_expected() {
    let disk = Disk::new();
    fs::remove_dir(disk.directory()).unwrap();
    fs::write(disk.directory(), pem(&root())).unwrap();
    disk.is_invalid(&["a regular file, not a directory"]);
    let kind = disk.directory().parent().unwrap().to_owned();
    fs::remove_dir_all(&kind).unwrap();
    fs::write(kind, "x").unwrap();
    disk.is_invalid(&["cannot be read"]);
}

#[test]
fn h05_sub_directory_is_passed_over_with_a_warning() {
    let disk = Disk::new().with("root.pem", pem(&root()));
    fs::create_dir(disk.directory().join("old")).unwrap();
    fs::write(disk.directory().join("old/other.pem"), pem(&other_root())).unwrap();
    assert_eq!(disk.loads(), 1);
    let stores = disk.load();
    let [warning] = stores.warnings() else { panic!("{:?}", stores.warnings()) };
    assert_eq!(warning.code, "trust-store-subdirectory");
    assert!(warning.file.ends_with("old"), "{warning}");
    fs::remove_file(disk.directory().join("root.pem")).unwrap();
    disk.is_invalid(&["holds no certificate"]);
}

#[cfg(unix)]
#[test]
fn h06_special_files_are_not_opened() {
    let pipe = Disk::new().with("root.pem", pem(&root()));
    assert!(std::process::Command::new("mkfifo").arg(pipe.directory().join("pipe")).status().unwrap().success());
    pipe.is_invalid(&["pipe", "a named pipe, not a regular file"]);

    let socket = Disk::new().with("root.pem", pem(&root()));
    let _listener = std::os::unix::net::UnixListener::bind(socket.directory().join("s")).unwrap();
    socket.is_invalid(&["a socket"]);

    // A device cannot be made here without privileges; /dev/null stands where the store should.
    let name = StoreName::new(StoreType::Ca, "null").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("x509")).unwrap();
    std::os::unix::fs::symlink("/dev", folder.path().join("x509/ca")).unwrap();
    let stores = TrustStores::load(folder.path(), [&name]);
    assert!(stores.get(&name).unwrap_err().to_string().contains("a device, not a directory"));
}

#[test]
fn h07_dot_files_fail_the_store_by_name() {
    Disk::new()
        .with("root.pem", pem(&root()))
        .with(".DS_Store", b"\0\0\0\x01Bud1")
        .is_invalid(&[".DS_Store", "no certificate"]);
    // What counts is the content, not the name.
    assert_eq!(Disk::new().with(".root", pem(&root())).loads(), 1);
}

#[test]
fn h08_pem_with_other_text_around() {
    let text = format!(
        "subject=CN = r\u{f6}ot\r\n\r\n{}\nissuer=x\n{}end",
        pem(&root()),
        pem(&other_root()).replace('\n', "\r\n")
    );
    assert_eq!(Disk::new().with("bundle.crt", text).loads(), 2);
    let mut latin = b"Stra\xdfe\n".to_vec();
    latin.extend(pem(&root()).bytes());
    assert_eq!(Disk::new().with("latin.txt", latin).loads(), 1);
}

#[test]
fn h09_pem_with_another_label() {
    for label in ["TRUSTED CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS", "CERTIFICATE REQUEST", "PUBLIC KEY", ""] {
        Disk::new().with("root.pem", block(label, &root())).is_invalid(&["root.pem", "only CERTIFICATE"]);
    }
    Disk::new().with("root.pem", pem(&root()) + &block("X509 CRL", &root())).is_invalid(&["X509 CRL"]);
}

#[test]
fn h10_private_key_beside_the_certificate() {
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
        let text = pem(&root()) + &block(label, b"secret");
        Disk::new().with("both.pem", text).is_invalid(&["both.pem", "holds a private key", "remove the key"]);
    }
    let key = tlv(0x30, &[tlv(2, &[0]), tlv(0x30, &[]), tlv(4, b"secret")].concat());
    Disk::new().with("key.der", key).is_invalid(&["key.der", "a private key"]);
}

#[test]
fn h11_empty_file() {
    Disk::new().with("good.pem", pem(&root())).with("zero.pem", "").is_invalid(&["zero.pem", "is empty"]);
    Disk::new().with("blank.pem", "\n\n").is_invalid(&["blank.pem", "neither PEM nor DER"]);
}

#[test]
fn h12_der_one_or_several() {
    assert_eq!(Disk::new().with("root.cer", root()).loads(), 1);
    assert_eq!(Disk::new().with("roots.cer", [root(), other_root()].concat()).loads(), 2);
}

#[test]
fn h13_der_with_something_after_it() {
    let whole = root();
    for tail in [&b"x"[..], b"\n", b"\0", &whole[..100], b"\x30\x00", b"\x30\x80\0\0"] {
        Disk::new().with("root.der", [&whole, tail].concat()).is_invalid(&["root.der"]);
    }
    Disk::new().with("root.der", &whole[..whole.len() - 1]).is_invalid(&["root.der"]);
    Disk::new().with("root.pem", pem(&[&whole[..], b"\0"].concat())).is_invalid(&["root.pem", "cannot be read"]);
    let spoilt: Vec<u8> = whole.iter().map(|byte| byte ^ 0x55).collect();
    Disk::new().with("noise", spoilt).is_invalid(&["noise", "neither PEM nor DER"]);
}

#[test]
fn h14_pkcs7_and_pkcs12() {
    let signed_data = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let pkcs7 = tlv(0x30, &[&signed_data[..], &tlv(0xa0, &root())].concat());
    Disk::new().with("chain.p7b", pkcs7).is_invalid(&["chain.p7b", "a PKCS #7 file"]);
    let pkcs12 = tlv(0x30, &[tlv(2, &[3]), tlv(0x30, &signed_data)].concat());
    Disk::new().with("id.p12", pkcs12).is_invalid(&["id.p12", "a PKCS #12 file"]);
}

#[test]
fn h15_certificate_issued_to_a_signer() {
    Disk::new().with("leaf.pem", pem(&issued_leaf())).is_invalid(&["leaf.pem", "neither a certificate authority"]);
    let text = pem(&root()) + &pem(&issued_leaf());
    Disk::new().with("chain.pem", text).is_invalid(&["chain.pem", "CN=leaf"]);
    Disk::of("signingAuthority:x").with("leaf.pem", pem(&issued_leaf())).is_invalid(&["leaf.pem"]);
    // A signer that vouches for itself may be trusted by name, and so may an intermediate authority.
    let alone = Signer::self_signed(request()).unwrap().chain.remove(0);
    assert_eq!(Disk::new().with("alone.pem", pem(&alone)).loads(), 1);
    let middle =
        AUTHORITIES[0].intermediate("C=US, ST=WA, O=w, CN=middle", Key::pooled(KeyKind::P256, 3).unwrap()).unwrap();
    assert_eq!(Disk::new().with("middle.pem", pem(middle.certificate())).loads(), 1);
    // It must really vouch for itself: the name alone does not do.
    let forged = Signer::self_signed_with(request(), |draft| {
        draft.signature = Some(vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]);
        Ok(())
    });
    Disk::new().with("forged.pem", pem(&forged.unwrap().chain[0])).is_invalid(&["neither"]);
}

#[test]
fn h16_expired_root_is_loaded() {
    let expired = Signer::self_signed(LeafRequest {
        validity: Validity { not_before: datetime!(2001-01-01 0:00 UTC), not_after: datetime!(2002-01-01 0:00 UTC) },
        ..request()
    });
    assert_eq!(Disk::new().with("old.pem", pem(&expired.unwrap().chain[0])).loads(), 1);
}

#[test]
fn h17_duplicate_certificates_are_one() {
    let disk = Disk::new().with("a.pem", pem(&root()).repeat(3)).with("b.der", root());
    assert_eq!(disk.loads(), 1);
    let alone = Disk::new().with("c.pem", pem(&root()));
    assert_eq!(disk.load().digest(), alone.load().digest());
}

#[test]
fn h18_too_many_files_and_too_long_ones() {
    let disk = Disk::new();
    for number in 0..=limits::TRUST_STORE_FILES {
        fs::write(disk.directory().join(number.to_string()), "").unwrap();
    }
    disk.is_invalid(&["more than 10000 files"]);
    let disk = Disk::new().with("root.pem", pem(&root()));
    fs::File::create(disk.directory().join("big")).unwrap().set_len(1 << 30).unwrap();
    disk.is_invalid(&["big", "longer than the 1048576 bytes"]);
    // Many long files together.
    let padded = pem(&root()) + &"x".repeat(usize::try_from(limits::TRUST_STORE_FILE_BYTES).unwrap() - 2000);
    let disk = Disk::new();
    for number in 0..=limits::TRUST_STORE_BYTES / limits::TRUST_STORE_FILE_BYTES + 1 {
        fs::write(disk.directory().join(number.to_string()), &padded).unwrap();
    }
    let problem = disk.load().get(&disk.name).unwrap_err().to_string();
    assert!(problem.contains("the store is longer than 67108864 bytes"), "{problem}");
}

#[test]
fn h19_names_that_lead_elsewhere() {
    for name in [".", "..", "../x", "a/..", ""] {
        assert!(StoreName::new(StoreType::Ca, name).is_err(), "{name:?}");
    }
    assert_eq!(Disk::of("ca:...").with("root.pem", pem(&root())).loads(), 1);
}

#[test]
fn h20_names_with_other_characters() {
    for name in ["a\0b", "a/b", "a\\b", "é", "a b", "a:b", "a\nb", "\u{202e}a", "%2e%2e"] {
        assert!(StoreName::new(StoreType::Ca, name).is_err(), "{name:?}");
    }
}

#[cfg(unix)]
#[test]
fn h20_file_names_are_shown_escaped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let disk = Disk::new();
    fs::write(disk.directory().join(OsStr::from_bytes(b"\x1b[31m\xff")), "x").unwrap();
    let problem = disk.load().get(&disk.name).unwrap_err().to_string();
    assert!(!problem.contains('\u{1b}') && problem.contains("\\u{1b}[31m"), "{problem}");
}

#[test]
fn h21_case_decides_on_every_file_system() {
    let disk = Disk::of("ca:Wabbit").with("root.pem", pem(&root()));
    let lower: StoreName = "ca:wabbit".parse().unwrap();
    is_missing(disk.root(), &lower, &["no trust store ca:wabbit", "did you mean \"ca:Wabbit\"?"]);
    assert_eq!(disk.loads(), 1);
}

#[test]
fn h22_store_changed_during_the_run() {
    let disk = Disk::new().with("root.pem", pem(&root()));
    let stores = disk.load();
    let digest = stores.digest();
    fs::remove_dir_all(disk.directory()).unwrap();
    fs::create_dir(disk.directory()).unwrap();
    let disk = disk.with("other.pem", pem(&other_root()));
    assert!(stores.get(&disk.name).unwrap().contains(&root()));
    assert!(!stores.get(&disk.name).unwrap().contains(&other_root()));
    assert_eq!(stores.digest(), digest);
    assert_ne!(disk.load().digest(), digest);
    disk.loads();
}

#[test]
fn h23_tsa_store_holds_roots_only() {
    let tsa = |der: &[u8]| Disk::of("tsa:timekeeper").with("tsa.pem", pem(der));
    assert_eq!(tsa(&root()).loads(), 1);
    tsa(&issued_leaf()).is_invalid(&["tsa.pem", "not a root"]);
    let middle =
        AUTHORITIES[0].intermediate("C=US, ST=WA, O=w, CN=middle", Key::pooled(KeyKind::P256, 3).unwrap()).unwrap();
    tsa(middle.certificate()).is_invalid(&["tsa.pem", "not a root"]);
    tsa(&Signer::self_signed(request()).unwrap().chain[0]).is_invalid(&["tsa.pem", "not a root"]);
}

#[test]
fn h24_a_store_of_another_type_is_another_store() {
    let disk = Disk::of("ca:wabbit").with("root.pem", pem(&root()));
    let stores = disk.load();
    assert!(stores.get(&disk.name).unwrap().contains(&root()));
    assert!(stores.get(&"signingAuthority:wabbit".parse().unwrap()).is_err());
    is_missing(disk.root(), &"signingAuthority:wabbit".parse().unwrap(), &["no trust store signingAuthority:wabbit"]);
}

#[test]
fn trust_is_in_the_very_certificate() {
    let disk = Disk::new().with("root.pem", pem(&root()));
    let stores = disk.load();
    let store = stores.get(&disk.name).unwrap();
    assert!(store.contains(&root()));
    // The same name and key, issued again.
    let again =
        Authority::root_with(ROOT, Key::pooled(KeyKind::P256, 0).unwrap(), |draft| draft.set_serial(&[9])).unwrap();
    assert!(!store.contains(again.certificate()));
    assert!(!store.contains(&other_root()) && !store.contains(&[]) && !store.contains(&root()[1..]));
}

#[test]
fn stores_of_certificates_follow_the_same_rules() {
    let name = |text: &str| text.parse::<StoreName>().unwrap();
    let parsed = |der: Vec<u8>| vec![Certificate::parse(&der).unwrap()];
    let stores = TrustStores::from_certificates([
        (name("ca:a"), parsed(root())),
        (name("ca:leaf"), parsed(issued_leaf())),
        (name("tsa:alone"), parsed(Signer::self_signed(request()).unwrap().chain.remove(0))),
        (name("ca:empty"), Vec::new()),
    ]);
    assert!(stores.get(&name("ca:a")).unwrap().contains(&root()));
    let problems: Vec<_> = stores.problems().map(|(name, _)| name.to_string()).collect();
    assert_eq!(problems, ["ca:empty", "ca:leaf", "tsa:alone"]);
}

#[test]
fn the_stores_of_the_interop_corpus_load() {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/truststore"));
    let names =
        ["ca:wabbit-networks", "ca:acme-rockets", "ca:self-signed", "signingAuthority:wabbit-sa", "tsa:timekeeper"];
    let names = names.map(|name| name.parse::<StoreName>().unwrap());
    let stores = TrustStores::load(corpus, &names);
    assert_eq!(stores.problems().count(), 0, "{:?}", stores.problems().next());
    let counts: Vec<_> = names.iter().map(|name| stores.get(name).unwrap().certificates().len()).collect();
    assert_eq!(counts, [7, 1, 1, 6, 1]);
    let reversed = TrustStores::load(corpus, names.iter().rev());
    assert_eq!(stores.digest(), reversed.digest());
}
