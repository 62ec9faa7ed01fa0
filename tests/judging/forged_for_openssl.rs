//! What the forge makes by default, judged by a foreign reader: OpenSSL's program. Without it these tests are skipped and
//! say so; with `MUSTER_TESTS_SKIP_NOTHING=1` they fail instead.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster::forge::responder::{IssuerRecords, OcspDefect, Responders};
use muster::forge::{
    Authority, CertId, CertIdHash, CrlDraft, CrlEntry, Key, KeyKind, LeafRequest, OcspDraft, OcspRequest, OcspStatus,
    ResponderId, Signer, SigningCertificate, SingleDraft, TimestampDefect, TimestampDraft, TimestampRequest,
    TimestampStatus, pem,
};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

/// A folder in which OpenSSL works.
struct Workshop(TempDir);

impl Workshop {
    /// `None` after having said that `test` is skipped.
    fn open(test: &str) -> Option<Workshop> {
        if Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
            return Some(Workshop(tempfile::tempdir().unwrap()));
        }
        crate::skip::skip(test, "there is no openssl");
        None
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn certificates(&self, name: &str, certificates: &[Vec<u8>]) -> PathBuf {
        let pems: Vec<Vec<u8>> = certificates.iter().map(|der| pem("CERTIFICATE", der)).collect();
        self.put(name, &pems.concat())
    }

    fn openssl(&self, arguments: &str) -> (bool, String) {
        let output: Output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(self.0.path()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.success(), said)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(Path::new(self.0.path()).join(name)).unwrap()
    }
}

const KINDS: [KeyKind; 4] = [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::P256, KeyKind::P521];

fn now() -> OffsetDateTime {
    datetime!(2026-11-24 12:00 UTC)
}

fn key(kind: KeyKind, slot: usize) -> Key {
    Key::pooled(kind, slot).unwrap()
}

fn root() -> Authority {
    Authority::root("C=US, ST=WA, O=acme, CN=root", key(KeyKind::P256, 1)).unwrap()
}

fn authority(kind: KeyKind) -> Authority {
    root().intermediate("C=US, ST=WA, O=acme, CN=issuing", key(kind, 2)).unwrap()
}

fn leaf(authority: &Authority) -> Signer {
    authority.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", key(KeyKind::P256, 0)).unwrap()).unwrap()
}

#[test]
fn crls_are_sound() {
    let Some(shop) = Workshop::open("crls_are_sound") else { return };
    for kind in KINDS {
        let authority = authority(kind);
        let leaf = leaf(&authority);
        let mut draft = CrlDraft::new(&authority, now())
            .with(CrlEntry::new(leaf.serial(), now()).because(1).invalid_since(datetime!(2026-01-01 0:00 UTC)));
        draft.freshest = vec!["http://crl.example/delta.crl".to_owned()];
        draft.number = Some(4097);
        shop.put("a.crl", &draft.sign(authority.key()).unwrap());
        shop.certificates("ca.pem", authority.chain());
        let (_, said) = shop.openssl("crl -inform DER -in a.crl -CAfile ca.pem -noout -text");
        for part in ["verify OK", "Key Compromise", "Invalidity Date", "X509v3 CRL Number", "4097", "delta.crl"] {
            assert!(said.contains(part), "{kind:?} {part}: {said}");
        }
        let other = draft.sign(&key(KeyKind::P256, 7)).unwrap();
        shop.put("b.crl", &other);
        let (_, said) = shop.openssl("crl -inform DER -in b.crl -CAfile ca.pem -noout");
        assert!(!said.contains("verify OK"), "{kind:?}: {said}");
    }
}

#[test]
fn a_crl_revokes_for_openssl() {
    let Some(shop) = Workshop::open("a_crl_revokes_for_openssl") else { return };
    let authority = authority(KeyKind::P256);
    let leaf = leaf(&authority);
    shop.certificates("ca.pem", authority.chain());
    shop.certificates("leaf.pem", &leaf.chain[..1]);
    let at = now().unix_timestamp();
    let base = CrlDraft::new(&authority, now());
    for (draft, revoked) in [(base.clone(), false), (base.with(CrlEntry::new(leaf.serial(), now())), true)] {
        let crl = draft.sign(authority.key()).unwrap();
        shop.put("crl.pem", &pem("X509 CRL", &crl));
        let (ok, said) = shop.openssl(&format!(
            "verify -attime {at} -crl_check -partial_chain -trusted ca.pem -CRLfile crl.pem leaf.pem"
        ));
        assert_eq!((ok, said.contains("certificate revoked")), (!revoked, revoked), "{said}");
    }
}

#[test]
fn ocsp_answers_are_sound() {
    let Some(shop) = Workshop::open("ocsp_answers_are_sound") else { return };
    for kind in KINDS {
        let authority = authority(kind);
        let leaf = leaf(&authority);
        shop.certificates("root.pem", root().chain());
        shop.certificates("ca.pem", &authority.chain()[..1]);
        shop.certificates("leaf.pem", &leaf.chain[..1]);
        let delegate = authority.ocsp_delegate("C=US, ST=WA, O=acme, CN=responder", key(kind, 3)).unwrap();
        for (hash, word) in [(CertIdHash::Sha1, "sha1"), (CertIdHash::Sha256, "sha256")] {
            let (ok, said) = shop.openssl(&format!("ocsp -issuer ca.pem -{word} -cert leaf.pem -reqout request.der"));
            assert!(ok, "{said}");
            let request = OcspRequest::read(&shop.read("request.der")).unwrap();
            let id = CertId::new(hash, &authority, leaf.serial()).unwrap();
            assert_eq!(request.certificates, std::slice::from_ref(&id));
            assert!(request.nonce.is_some() && id.is_of(&authority) && !id.is_of(&root()));
            let revoked = OcspStatus::Revoked { at: now(), reason: Some(1), invalidity: Some(now()) };
            for (status, says) in [
                (OcspStatus::Good, "Cert Status: good"),
                (OcspStatus::Unknown, "Cert Status: unknown"),
                (revoked, "keyCompromise"),
            ] {
                let real_now = OffsetDateTime::now_utc();
                let single = SingleDraft::new(id.clone(), status, real_now);
                let mut by_delegate = OcspDraft::by(&delegate, real_now).with(single.clone());
                by_delegate.responder = ResponderId::Key;
                for mut draft in [OcspDraft::by_issuer(&authority, real_now).with(single), by_delegate] {
                    draft.nonce = request.nonce.clone();
                    shop.put("answer.der", &draft.sign().unwrap());
                    let (_, said) = shop.openssl(
                        "ocsp -respin answer.der -reqin request.der -resp_text -CAfile root.pem -verify_other ca.pem",
                    );
                    assert!(said.contains("Response verify OK") && said.contains(says), "{kind:?} {says}: {said}");
                    assert!(!said.contains("WARNING") && !said.contains("Nonce Verify error"), "{said}");
                }
            }
        }
        let stranger = leaf_of_stranger(&authority);
        let single = SingleDraft::new(
            CertId::new(CertIdHash::Sha1, &authority, leaf.serial()).unwrap(),
            OcspStatus::Good,
            now(),
        );
        shop.put("answer.der", &OcspDraft::by(&stranger, now()).with(single).sign().unwrap());
        let (_, said) = shop.openssl("ocsp -respin answer.der -issuer ca.pem -cert leaf.pem -CAfile root.pem");
        assert!(!said.contains("Response verify OK"), "{said}");
    }
}

#[test]
fn responders_answer_openssl() {
    let Some(shop) = Workshop::open("responders_answer_openssl") else { return };
    let authority = authority(KeyKind::P384);
    let leaf = leaf(&authority);
    shop.certificates("root.pem", root().chain());
    shop.certificates("ca.pem", &authority.chain()[..1]);
    shop.certificates("leaf.pem", &leaf.chain[..1]);
    let responders = Responders::start(OffsetDateTime::now_utc()).unwrap();
    let records = IssuerRecords::new(authority);
    responders.ocsp("/ocsp", &records);
    let asked = format!(
        "ocsp -url {} -issuer ca.pem -cert leaf.pem -CAfile root.pem -verify_other ca.pem",
        responders.url("/ocsp")
    );
    let answered = |says: &str| {
        let (_, said) = shop.openssl(&asked);
        assert!(said.contains(says), "{says}: {said}");
        said
    };
    let verified = "Response verify OK";
    assert!(answered(verified).contains("leaf.pem: good"));
    responders.fail("/ocsp", OcspDefect::Delegate);
    assert!(answered(verified).contains("leaf.pem: good"));
    for (defect, says) in [
        (OcspDefect::WrongSignature, "Response Verify Failure"),
        (OcspDefect::WrongSigner, "Response Verify Failure"),
        (OcspDefect::DelegateWithoutPurpose, "Response Verify Failure"),
        (OcspDefect::ExpiredDelegate, "Response Verify Failure"),
        (OcspDefect::DelegateOfAnother, "Response Verify Failure"),
        (OcspDefect::ForgedDelegate, "Response Verify Failure"),
        (OcspDefect::OtherAuthority, "Response Verify Failure"),
        (OcspDefect::WrongNonce, "Nonce Verify error"),
        (OcspDefect::NoNonce, "WARNING: no nonce in response"),
        (OcspDefect::OtherSerial, "No Status found"),
        (OcspDefect::UnknownStatus, "leaf.pem: unknown"),
        (OcspDefect::TryLater, "trylater"),
        (OcspDefect::Unauthorized, "unauthorized"),
        (OcspDefect::Stale, "Status times invalid"),
        (OcspDefect::NotYet, "Status times invalid"),
    ] {
        responders.fail("/ocsp", defect);
        answered(says);
    }
    responders.mend("/ocsp");
    records.revoke(leaf.serial(), OffsetDateTime::now_utc(), Some(1), None);
    assert!(answered(verified).contains("Reason: keyCompromise"));
}

/// Somebody with a certificate of the authority that is not for signing answers.
fn leaf_of_stranger(authority: &Authority) -> Signer {
    authority.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=stranger", key(KeyKind::P256, 9)).unwrap()).unwrap()
}

#[test]
fn tokens_are_sound() {
    let Some(shop) = Workshop::open("tokens_are_sound") else { return };
    shop.put("message", b"a signature");
    shop.certificates("root.pem", root().chain());
    for kind in KINDS {
        let authority = authority(kind);
        let tsa = authority.tsa("C=US, ST=WA, O=acme, CN=tsa", key(kind, 4)).unwrap();
        let verify =
            |shop: &Workshop| shop.openssl("ts -verify -data message -in token.der -token_in -CAfile root.pem");
        let draft = TimestampDraft::over(&tsa, b"a signature", now());
        for (name, change) in CHANGES {
            let mut draft = draft.clone();
            change(&mut draft);
            shop.put("token.der", &draft.sign().unwrap());
            let (ok, said) = verify(&shop);
            assert!(ok && said.contains("Verification: OK"), "{kind:?} {name}: {said}");
        }
        for defect in [TimestampDefect::OtherMessage, TimestampDefect::WrongSignature, TimestampDefect::AlteredInfo] {
            shop.put("token.der", &draft.clone().broken(defect).sign().unwrap());
            let (ok, said) = verify(&shop);
            assert!(!ok, "{kind:?} {defect:?}: {said}");
        }

        let (ok, said) = shop.openssl("ts -query -data message -sha256 -cert -out request.tsq");
        assert!(ok, "{said}");
        let request = TimestampRequest::read(&shop.read("request.tsq")).unwrap();
        assert!(request.certificates && request.nonce.is_some() && request.imprint == draft.imprint);
        let mut draft = TimestampDraft::of(&tsa, request.imprint, now());
        draft.nonce = request.nonce;
        shop.put("answer.tsr", &draft.response(TimestampStatus::Granted).unwrap());
        let (ok, said) = shop.openssl("ts -verify -queryfile request.tsq -in answer.tsr -CAfile root.pem");
        assert!(ok, "{kind:?}: {said}");
        shop.put("answer.tsr", &draft.response(TimestampStatus::Rejected(25)).unwrap());
        let (_, said) = shop.openssl("ts -reply -in answer.tsr -text");
        assert!(said.contains("Rejected") && said.contains("system failure"), "{said}");
    }
}

type Change = (&'static str, fn(&mut TimestampDraft));

/// Ways to make a token that are all sound.
const CHANGES: [Change; 6] = [
    ("as it is", |_| {}),
    ("rsaEncryption", |draft| draft.plain_rsa = true),
    ("without issuer", |draft| draft.signing_certificate = SigningCertificate::V2WithoutIssuer),
    ("SHA-384", |draft| draft.signing_certificate = SigningCertificate::V2Sha384),
    ("with signing time", |draft| draft.signing_time = Some(draft.gen_time)),
    ("with the root", |draft| *draft = draft.clone().broken(TimestampDefect::WithRoot)),
];
