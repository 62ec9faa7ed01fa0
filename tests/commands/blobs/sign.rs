//! `muster blob sign`.

use muster::digest::{Algorithm, Digest};
use muster::envelope::{self, Format};
use muster::forge::KeyKind;
use muster::pki::ChainCache;

use super::world::{BLOB, OCTETS, World, ending};

#[test]
fn every_key_signs_in_both_formats_with_the_digest_of_its_hash() {
    let world = World::new();
    for kind in KeyKind::ALL {
        for format in [Format::Jws, Format::Cose] {
            let (key, ending) = (kind.word(), ending(format));
            let sign = ["blob", "sign", "-k", key, "--signature-format", ending, "--force", "blob.bin"];
            let run = world.expect(0, &sign);
            let file = format!("blob.bin.{ending}.sig");
            let expected = format!("Successfully signed blob.bin\nSignature file written to {file}\n");
            assert_eq!(run.stdout, expected);

            let bytes = std::fs::read(world.path(&file)).unwrap();
            let target = envelope::verify(format.media_type(), &bytes, &ChainCache::new()).unwrap().payload.target;
            let algorithm = match kind {
                KeyKind::Rsa2048 | KeyKind::P256 => Algorithm::Sha256,
                KeyKind::Rsa3072 | KeyKind::P384 => Algorithm::Sha384,
                KeyKind::Rsa4096 | KeyKind::P521 => Algorithm::Sha512,
            };
            assert_eq!(target.digest, Digest::of(algorithm, BLOB), "{key}");
            assert_eq!((target.size, target.media_type.as_str()), (BLOB.len() as u64, OCTETS));
            assert!(target.annotations.is_empty() && target.artifact_type.is_none());

            let verified = world.expect(0, &["blob", "verify", "--signature", &file, "blob.bin"]);
            assert_eq!(verified.stdout, "Successfully verified signature for blob.bin\n");
            world.write("blob.bin", b"net-monitor, version 2");
            world.expect(1, &["blob", "verify", "--signature", &file, "blob.bin"]);
            world.write("blob.bin", BLOB);
        }
    }
}

#[test]
fn what_was_signed_of_a_blob_is_asked_for_when_it_is_verified() {
    let world = World::new();
    let sign = ["blob", "sign", "--media-type", "text/x", "-m", "build=7", "--expiry", "1h", "blob.bin"];
    world.expect(0, &sign);
    let verify = |code: i32, more: &[&str]| {
        world.expect(code, &[&["blob", "verify", "--signature", "blob.bin.jws.sig", "blob.bin"], more].concat()).stderr
    };
    verify(0, &[]);
    verify(0, &["--media-type", "text/x", "-m", "build=7"]);
    assert!(verify(1, &["--media-type", "text/y"]).contains("payload-mismatch"));
    assert!(verify(1, &["--media-type", "TEXT/x"]).contains("payload-mismatch"));
    assert!(verify(1, &["-m", "build=8"]).contains("user-metadata-mismatch"));
    assert!(verify(1, &["--at", "2100-01-01"]).contains("signature-expired"));
}

#[test]
fn a_signature_is_replaced_only_when_asked() {
    let world = World::new();
    world.write("blob.bin.jws.sig", b"precious");
    let run = world.expect(2, &["blob", "sign", "blob.bin"]);
    assert!(run.stderr.contains("error: blob.bin.jws.sig is there already: --force replaces it"), "{}", run.stderr);
    assert_eq!(std::fs::read(world.path("blob.bin.jws.sig")).unwrap(), b"precious");
    world.expect(0, &["blob", "sign", "--force", "blob.bin"]);
    world.expect(0, &["blob", "verify", "--signature", "blob.bin.jws.sig", "blob.bin"]);
    // The other format has another name.
    world.expect(0, &["blob", "sign", "--signature-format", "cose", "blob.bin"]);
}

#[test]
fn signatures_go_where_they_are_told() {
    let world = World::new();
    std::fs::create_dir_all(world.path("in/out")).unwrap();
    std::fs::copy(world.path("blob.bin"), world.path("in/blob")).unwrap();
    world.expect(0, &["blob", "sign", "--signature-directory", "in/out", "in/blob"]);
    world.expect(0, &["blob", "verify", "--signature", "in/out/blob.jws.sig", "in/blob"]);
    // Beside the file by default: `blob.jws.sig` in the working directory could be of any file called so.
    let run = world.expect(0, &["blob", "sign", "in/blob"]);
    assert!(run.stdout.ends_with("Signature file written to in/blob.jws.sig\n"), "{}", run.stdout);
    assert!(world.path("in/blob.jws.sig").is_file() && !world.path("blob.jws.sig").exists());
    world.expect(0, &["blob", "sign", "--signature-directory", ".", "in/blob"]);
    world.expect(0, &["blob", "verify", "--signature", "blob.jws.sig", "in/blob"]);
    #[cfg(unix)]
    {
        // Beside the path that was given, whatever it leads to.
        std::os::unix::fs::symlink("in/blob", world.path("link")).unwrap();
        world.expect(0, &["blob", "sign", "./link"]);
        assert!(world.path("link.jws.sig").is_file());
    }
    let absolute = world.path("in/blob");
    world.expect(2, &["blob", "sign", absolute.to_str().unwrap()]);
    world.expect(0, &["blob", "sign", "--force", absolute.to_str().unwrap()]);
    let run = world.expect(3, &["blob", "sign", "--signature-directory", "nowhere", "in/blob"]);
    assert!(
        run.stderr.contains("is not signed: the signature nowhere/blob.jws.sig cannot be written"),
        "{}",
        run.stderr
    );
    std::fs::create_dir(world.path("in/out/b.jws.sig")).unwrap();
    std::fs::copy(world.path("blob.bin"), world.path("b")).unwrap();
    world.expect(3, &["blob", "sign", "--force", "--signature-directory", "in/out", "b"]);
    let left = std::fs::read_dir(world.path("in/out")).unwrap().count();
    assert_eq!(left, 2, "something was left behind");
}

#[test]
fn what_cannot_be_signed_is_said_and_nothing_is_written() {
    let world = World::new();
    std::fs::create_dir(world.path("folder")).unwrap();
    for (code, arguments, words) in [
        (3, &["missing"][..], "is not signed: the blob \"missing\" does not exist"),
        (3, &["folder"], "the blob \"folder\" is a directory"),
        (2, &[".."], "is not the name of a file"),
        (2, &["-k", "none", "blob.bin"], "has no key \"none\""),
        (2, &["-m", "io.cncf.notary.x=1", "blob.bin"], "reserved"),
        (2, &["--media-type", "", "blob.bin"], "--media-type"),
        (2, &["--expiry", "0h", "blob.bin"], "--expiry"),
        (2, &["--signature-format", "pem", "blob.bin"], "--signature-format"),
        (2, &[], "FILE"),
        (2, &["blob.bin", "more"], "more"),
    ] {
        let run = world.expect(code, &[&["blob", "sign"], arguments].concat());
        assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{arguments:?}: {}", run.stderr);
    }
    let written = std::fs::read_dir(world.path(""))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("sig"));
    assert_eq!(written.count(), 0);
}

#[test]
fn an_empty_blob_and_one_of_several_pieces_are_signed() {
    let world = World::new();
    let long: Vec<u8> = (0..700_001_u32).map(|n| (n % 251) as u8).collect();
    for (name, content) in [("empty", Vec::new()), ("long", long)] {
        world.write(name, &content);
        world.expect(0, &["blob", "sign", "-k", "ec-p384", name]);
        let signature = format!("{name}.jws.sig");
        world.expect(0, &["blob", "verify", "--signature", &signature, name]);
        world.write(name, &[content.as_slice(), b"\0"].concat());
        world.expect(1, &["blob", "verify", "--signature", &signature, name]);
    }
}
