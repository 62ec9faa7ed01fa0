//! OCSP: who may answer, about what, and which answer settles it.

use aws_lc_rs::digest;
use time::macros::datetime;
use x509_cert::ext::pkix::KeyUsages;

use super::answers::*;
use super::*;
use crate::forge::{CertificateDraft, ExtensionKind, ForgeError, Validity, extended_key_usage, key_usage};

const MAY: OffsetDateTime = datetime!(2026-05-01 0:00 UTC);

fn world() -> World {
    World::new(&[], &[OCSP])
}

fn given(change: impl FnOnce(&mut OcspReply)) -> World {
    let world = world();
    let reply = world.ocsp().with(change).sign();
    world.respond(OCSP, reply)
}

fn single(change: impl FnOnce(&mut Single)) -> World {
    given(|reply| change(&mut reply.singles[0]))
}

#[test]
fn the_request_is_always_the_same() {
    let world = world();
    let request = world.request();
    assert_eq!(world.evaluate().needs, [Need::Ocsp { responder: OCSP.to_owned(), request: request.clone() }]);
    world.assert(Status::Unavailable, "has not been asked yet");
    let id = id_by(SHA_1, &world.chain[1], world.leaf().serial());
    assert_eq!(request, sequence(&[sequence(&[sequence(&[sequence(&[id])])])]));
}

#[test]
fn the_issuer_answers_by_name_or_by_key() {
    given(|_| ()).assert(Status::Good, "");
    let root = authority();
    given(|reply| reply.responder = by_key(root.certificate())).assert(Status::Good, "");
    given(|reply| reply.singles[0].status = status_revoked(MAY, Some(1))).assert(revoked(MAY), "keyCompromise");
    given(|reply| reply.singles[0].status = status_revoked(MAY, None)).assert(revoked(MAY), "no reason given");
    given(|reply| reply.singles[0].status = status_revoked(MAY, Some(8))).assert(revoked(MAY), "");
    for kind in KeyKind::ALL {
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", Key::pooled(kind, 0).unwrap()).unwrap();
        let world = World::of(root, &[], &[OCSP]);
        let reply = world.ocsp().sign();
        world.respond(OCSP, reply).assert(Status::Good, "");
    }
}

type Change = fn(&mut CertificateDraft) -> Result<(), ForgeError>;

fn delegate_of(authority: &Authority, purpose: &str, change: Change) -> Signer {
    let request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=responder", key(3)).unwrap();
    authority.issue_with(LeafRequest { purposes: vec![purpose.to_owned()], ..request }, change).unwrap()
}

const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

#[test]
fn f18_a_delegate_must_be_certified_by_the_issuer_for_this() {
    let by = |delegate: Signer, responder: fn(&[u8]) -> Vec<u8>| {
        let world = world();
        let reply = world.ocsp().by(&delegate).with(|reply| reply.responder = responder(&delegate.chain[0])).sign();
        world.respond(OCSP, reply)
    };
    let root = authority();
    let delegate = |change: Change| delegate_of(&root, OCSP_SIGNING, change);
    by(delegate(|_| Ok(())), by_key).assert(Status::Good, "");
    by(delegate(|_| Ok(())), by_name).assert(Status::Good, "");

    // A code signer, the leaf itself, and one for anything.
    for purpose in ["1.3.6.1.5.5.7.3.3", "2.5.29.37.0"] {
        by(delegate_of(&root, purpose, |_| Ok(())), by_key).assert(Status::Unknown, "not for signing OCSP answers");
    }
    by(root.issue(leaf(&[], &[OCSP])).unwrap(), by_key).assert(Status::Unknown, "not for signing OCSP answers");
    let without = delegate(|draft| {
        draft.remove(ExtensionKind::ExtendedKeyUsage);
        Ok(())
    });
    by(without, by_key).assert(Status::Unknown, "not for signing OCSP answers");
    let unfit = delegate(|draft| {
        draft.set(key_usage(KeyUsages::KeyEncipherment, true)?);
        Ok(())
    });
    by(unfit, by_key).assert(Status::Unknown, "digitalSignature");
    let both = delegate(|draft| {
        draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.3", OCSP_SIGNING], false)?);
        draft.remove(ExtensionKind::KeyUsage);
        Ok(())
    });
    by(both, by_key).assert(Status::Good, "");

    let second = Duration::seconds(1);
    for (from, to, status) in
        [(NOW, NOW, Status::Good), (MAY, NOW - second, Status::Unknown), (NOW + second, NOW + second, Status::Unknown)]
    {
        let request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=responder", key(3)).unwrap();
        let validity = Validity { not_before: from, not_after: to };
        let request = LeafRequest { purposes: vec![OCSP_SIGNING.to_owned()], validity, ..request };
        by(root.issue(request).unwrap(), by_key).assert(status, if status == Status::Good { "" } else { "valid from" });
    }

    // Issued by another authority, though under the same name; by a certificate below the issuer; by itself.
    let impostor = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(5)).unwrap();
    by(delegate_of(&impostor, OCSP_SIGNING, |_| Ok(())), by_key).assert(Status::Unknown, "does not verify");
    let below = root.intermediate("C=US, ST=WA, O=wabbit, CN=Below", key(1)).unwrap();
    by(delegate_of(&below, OCSP_SIGNING, |_| Ok(())), by_key).assert(Status::Unknown, "under another name");
    let own = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=responder", key(3)).unwrap();
    let own = Signer::self_signed(LeafRequest { purposes: vec![OCSP_SIGNING.to_owned()], ..own }).unwrap();
    by(own, by_key).assert(Status::Unknown, "under another name");
}

#[test]
fn f18_whom_an_answer_names_must_have_signed_it() {
    let root = authority();
    let delegate = delegate_of(&root, OCSP_SIGNING, |_| Ok(()));
    let other = delegate_of(&root, "1.3.6.1.5.5.7.3.3", |_| Ok(()));
    given(|reply| reply.key = key(5)).assert(Status::Unknown, "does not verify");
    given(|reply| reply.responder = by_key(&delegate.chain[0])).assert(Status::Unknown, "neither the issuer");
    let world = world();
    let signed = world.ocsp().by(&delegate);
    let with = |reply: OcspReply| world.clone().respond(OCSP, reply.sign());
    with(signed.clone()).assert(Status::Good, "");
    with(signed.clone().with(|reply| reply.certificates.clear())).assert(Status::Unknown, "neither the issuer");
    with(signed.clone().with(|reply| reply.responder = by_name(root.certificate()))).assert(Status::Unknown, "verify");
    with(signed.clone().with(|reply| reply.key = key(5))).assert(Status::Unknown, "does not verify");
    // Others may lie beside it, even ones that cannot be read.
    with(signed.clone().with(|reply| reply.certificates.insert(0, tlv(0x30, &[])))).assert(Status::Good, "");
    with(signed.clone().with(|reply| reply.certificates.insert(0, other.chain[0].clone()))).assert(Status::Good, "");
    with(signed.with(|reply| reply.responder = tlv(0xa3, &octets(b"x")))).assert(Status::Unknown, "who made it");
    let sha1 = sequence(&[oid("1.2.840.10045.4.1")]);
    given(|reply| reply.algorithm = sha1).assert(Status::Unknown, "SHA-1");
}

#[test]
fn f19_an_answer_must_speak_of_this_certificate() {
    let world = world();
    let (issuer, serial) = (&world.chain[1], world.leaf().serial());
    let id = |id: Vec<u8>| single(|single| single.id = id);
    id(id_by(SHA_1, issuer, serial)).assert(Status::Good, "");
    for (dotted, hash) in [
        ("2.16.840.1.101.3.4.2.1", &digest::SHA256),
        ("2.16.840.1.101.3.4.2.2", &digest::SHA384),
        ("2.16.840.1.101.3.4.2.3", &digest::SHA512),
    ] {
        id(id_by((dotted, hash), issuer, serial)).assert(Status::Good, "");
    }
    let elsewhere = "does not speak of the certificate";
    id(id_by(("2.16.840.1.101.3.4.2.1", SHA_1.1), issuer, serial)).assert(Status::Unknown, elsewhere);
    id(id_by(("1.2.840.113549.2.5", SHA_1.1), issuer, serial)).assert(Status::Unknown, elsewhere);
    id(id_by(SHA_1, issuer, &[0x7f])).assert(Status::Unknown, elsewhere);
    id(id_by(SHA_1, issuer, &[serial, &[0]].concat())).assert(Status::Unknown, elsewhere);
    let stranger = parsed(&[Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(5)).unwrap().certificate().to_vec()]);
    id(id_by(SHA_1, &stranger[0], serial)).assert(Status::Unknown, elsewhere);
    let renamed = parsed(&[Authority::root("C=US, ST=WA, O=other, CN=Root", key(0)).unwrap().certificate().to_vec()]);
    id(id_by(SHA_1, &renamed[0], serial)).assert(Status::Unknown, elsewhere);
    given(|reply| reply.singles.clear()).assert(Status::Unknown, elsewhere);
}

#[test]
fn f20_an_answer_must_be_current() {
    let second = Duration::seconds(1);
    single(|single| single.next_update = Some(NOW)).assert(Status::Good, "");
    single(|single| single.this_update = NOW).assert(Status::Good, "");
    single(|single| single.next_update = None).assert(Status::Unknown, "when the next one is due");
    single(|single| single.next_update = Some(NOW - second)).assert(Status::Unknown, "out of date");
    single(|single| single.this_update = NOW + Duration::minutes(6)).assert(Status::Unknown, "from the future");
}

#[test]
fn f21_a_crl_decides_where_ocsp_does_not_know() {
    world().respond(OCSP, world().ocsp().saying(UNKNOWN).sign()).assert(Status::Unknown, "does not know it");
    let world = World::new(&[CRL], &[OCSP]);
    assert_eq!(world.evaluate().needs.len(), 1, "the CRL is not asked before OCSP has failed");
    let good = world.crl().sign();
    let bad = world.crl().listing(vec![Entry::new(world.leaf().serial(), MAY, None)]).sign();
    let unknown = world.ocsp().saying(UNKNOWN).sign();
    for world in [
        world.clone().respond(OCSP, unknown),
        world.clone().respond(OCSP, vec![0]),
        world.clone().fail(OCSP, TroubleKind::TimedOut),
        world.clone().fail(OCSP, TroubleKind::NotFound),
    ] {
        assert_eq!(world.evaluate().needs, [world.need(CRL)]);
        world.assert(Status::Unavailable, "the CRL at \"http://crl.test/ca.crl\" has not been asked yet");
        world.clone().serve(CRL, good.clone()).assert(Status::Good, "");
        world.clone().serve(CRL, bad.clone()).assert(revoked(MAY), "");
        world.clone().serve(CRL, vec![0]).assert(Status::Unknown, "the CRL");
        world.clone().fail(CRL, TroubleKind::Unreachable).assert(Status::Unavailable, "the CRL");
        let methods: Vec<_> = world.status().servers.iter().map(|server| server.method).collect();
        assert_eq!(methods, [Method::Ocsp, Method::Crl]);
    }
    // What OCSP says for certain needs no CRL, and is not changed by one.
    let settled = world.clone().respond(OCSP, world.ocsp().sign()).serve(CRL, bad);
    settled.assert(Status::Good, "");
    assert_eq!(settled.evaluate().needs, []);
    assert!(settled.evaluate().accepted.iter().all(|accepted| matches!(accepted.need, Need::Ocsp { .. })));
    world.clone().respond(OCSP, world.ocsp().saying(status_revoked(MAY, None)).sign()).assert(revoked(MAY), "");
}

#[test]
fn f22_the_first_valid_answer_of_two_responders_ends_it() {
    let world = World::new(&[], &[OCSP, OTHER_OCSP]);
    let good = world.ocsp().sign();
    let needs = |world: &World| world.evaluate().needs.iter().map(|need| need.url().to_owned()).collect::<Vec<_>>();
    assert_eq!(needs(&world), [OCSP]);
    for failed in [
        world.clone().fail(OCSP, TroubleKind::Unreachable),
        world.clone().fail(OCSP, TroubleKind::AnswerInvalid),
        world.clone().respond(OCSP, bare_status(3)),
    ] {
        assert_eq!(needs(&failed), [OTHER_OCSP]);
        failed.assert(Status::Unavailable, "not been asked yet");
        failed.respond(OTHER_OCSP, good.clone()).assert(Status::Good, "");
    }
    let unknown = world.clone().respond(OCSP, world.ocsp().saying(UNKNOWN).sign());
    assert_eq!(needs(&unknown), Vec::<String>::new());
    unknown.respond(OTHER_OCSP, good).assert(Status::Unknown, "does not know it");
    // None gives a valid answer: one that may still come is trouble, not an answer.
    let down = world.fail(OCSP, TroubleKind::Unreachable);
    down.clone().respond(OTHER_OCSP, vec![0]).assert(Status::Unavailable, "ocsp.test/one");
    down.fail(OTHER_OCSP, TroubleKind::AccessDenied).assert(Status::Unavailable, "ocsp.test/one");
}

#[test]
fn f17_an_address_that_is_none_is_not_asked() {
    for url in ["ocsp.test", "http://[", "https://ocsp.test/", "ldap://ocsp.test", "http://ocsp.test:x/", ""] {
        let world = World::new(&[], &[url]);
        assert_eq!(world.evaluate().needs, [], "{url}");
        world.assert(Status::Unknown, "cannot be fetched");
        assert_eq!(World::new(&[], &[url, OCSP]).evaluate().needs.len(), 1, "{url}");
        let world = World::new(&[CRL], &[url]);
        assert_eq!(world.evaluate().needs, [world.need(CRL)], "{url}");
    }
}

#[test]
fn f23_a_revocation_after_the_signature_counts_only_without_an_authentic_time() {
    let mut world = single(|single| {
        single.status = status_revoked(MAY, Some(1));
        single.extensions = vec![extension("2.5.29.24", false, &time(MAY))];
    });
    world.assert(revoked(MAY), "");
    world.authentic = Some(MAY);
    world.assert(revoked(MAY), "");
    world.authentic = Some(MAY - Duration::seconds(1));
    world.assert(Status::Good, "");
    // The time of the revocation itself does not count.
    let mut world = single(|single| single.status = status_revoked(MAY, Some(1)));
    world.authentic = Some(MAY - Duration::days(1));
    world.assert(revoked(MAY), "");
}

#[test]
fn f24_answers_that_are_none() {
    for (status, expected, message) in [
        (0, Status::Unknown, "is empty"),
        (1, Status::Unknown, "malformed"),
        (2, Status::Unavailable, "internal error"),
        (3, Status::Unavailable, "try again later"),
        (4, Status::Unknown, "does not exist"),
        (5, Status::Unknown, "must be signed"),
        (6, Status::Unknown, "not authorized"),
    ] {
        world().respond(OCSP, bare_status(status)).assert(expected, message);
    }
    let world = world();
    let sound = world.ocsp().sign();
    let serve = |bytes: &[u8]| world.clone().respond(OCSP, bytes.to_vec());
    serve(&[0; 20_481]).assert(Status::Unknown, "no more than 20480");
    serve(&[&sound[..], &[0]].concat()).assert(Status::Unknown, "behind its end");
    serve(&sound[..sound.len() - 1]).assert(Status::Unknown, "ends in the middle");
    serve(b"").assert(Status::Unknown, "");
    serve(b"<html>").assert(Status::Unknown, "");
    serve(&wrapped(b"")).assert(Status::Unknown, "");
    // Bytes behind what is inside.
    let basic = sequence(&[tlv(0x30, &[]), tlv(0x30, &[]), bits(&[])]);
    serve(&wrapped(&[&basic[..], &[5, 0]].concat())).assert(Status::Unknown, "behind its end");
    single(|single| single.status = tlv(0x83, &[])).assert(Status::Unknown, "does not exist");
    single(|single| single.status = tlv(0x80, &[0])).assert(Status::Unknown, "does not exist");
}

#[test]
fn f24_a_nonce_nobody_asked_for_is_passed_over_unless_it_is_critical() {
    let nonce = |critical| extension("1.3.6.1.5.5.7.48.1.2", critical, &octets(&[1; 16]));
    given(|reply| reply.extensions = vec![nonce(false)]).assert(Status::Good, "");
    given(|reply| reply.extensions = vec![nonce(true)]).assert(Status::Unknown, "not understood");
    single(|single| single.extensions = vec![nonce(true)]).assert(Status::Unknown, "not understood");
    single(|single| single.extensions = vec![nonce(false)]).assert(Status::Good, "");
}

#[test]
fn f24_of_several_words_on_one_certificate_the_worst_counts() {
    let world = world();
    let sound = world.ocsp().singles[0].clone();
    let saying = |status: &[u8]| Single { status: status.to_vec(), ..sound.clone() };
    let stale = Single { next_update: Some(MAY), ..sound.clone() };
    let of_another = Single { id: id_by(SHA_1, &world.chain[1], &[0x7f]), ..saying(&status_revoked(MAY, None)) };
    let bad = saying(&status_revoked(MAY, None));
    for (singles, status) in [
        (vec![sound.clone(), sound.clone()], Status::Good),
        (vec![sound.clone(), saying(&UNKNOWN)], Status::Unknown),
        (vec![saying(&UNKNOWN), bad.clone()], revoked(MAY)),
        (vec![sound.clone(), bad.clone()], revoked(MAY)),
        (vec![sound.clone(), stale.clone()], Status::Unknown),
        (vec![stale, bad], revoked(MAY)),
        (vec![of_another.clone(), sound.clone()], Status::Good),
        (vec![of_another], Status::Unknown),
    ] {
        given(|reply| reply.singles = singles).assert(status, "");
    }
}

#[test]
fn a_serial_number_no_request_can_carry_is_no_crash() {
    let root = authority();
    let signer = root.issue_with(leaf(&[], &[OCSP]), |draft| draft.set_serial(&[0x11; 30])).unwrap();
    let chain = parsed(&signer.chain);
    let found = evaluate(&chain, &Recorded::default(), &AnswerCache::default(), NOW, None);
    assert_eq!((found.certificates[0].status, found.needs), (Status::Unknown, vec![]));
}

/// RFC 6960, section 4.2.1: certificates that help to verify the answer may go along, and the issuer's own is one.
#[test]
fn an_answer_may_carry_the_issuers_own_certificate() {
    let root = authority();
    let below = root.intermediate("C=US, ST=WA, O=wabbit, CN=Below", key(1)).unwrap();
    for issuer in [root, below] {
        let certificate = issuer.certificate().to_vec();
        let world = World::of(issuer, &[], &[OCSP]);
        let reply = world.ocsp().with(|reply| reply.certificates.push(certificate)).sign();
        world.respond(OCSP, reply).assert(Status::Good, "");
    }
}

#[test]
fn an_answer_about_another_issuers_certificate_with_the_same_number_says_nothing() {
    let other = Authority::root("C=US, ST=WA, O=other, CN=Root", key(5)).unwrap();
    let world = world();
    let single = Single::new(&other, world.leaf().serial());
    given(|reply| reply.singles = vec![single]).assert(Status::Unknown, "does not speak of the certificate");
}
