use time::macros::datetime;

use super::*;
use crate::digest::Digest;
use crate::envelope::SigningScheme;
use crate::forge;
use crate::manifest::Descriptor;

fn statement() -> Statement {
    Statement {
        target: Descriptor::new("application/x", Digest::sha256(b"x"), 1),
        scheme: SigningScheme::X509,
        signing_time: datetime!(2026-11-23 12:00 UTC),
        expiry: Some(datetime!(2026-11-24 12:00 UTC)),
        attributes: vec![Attribute { name: "a".to_owned(), value: "b".to_owned(), critical: true }],
        signing_agent: Some("agent".to_owned()),
    }
}

#[test]
fn the_headers_of_a_jws_are_written_in_this_order() {
    let mut jws = Jws::new(&statement(), KeyKind::P256).unwrap();
    jws::set_chain(&mut jws.header, &[vec![1], vec![2]]);
    jws::set_timestamp(&mut jws.header, &[3]);
    let protected = concat!(
        r#"{"alg":"ES256","cty":"application/vnd.cncf.notary.payload.v1+json","#,
        r#""io.cncf.notary.signingScheme":"notary.x509","io.cncf.notary.signingTime":"2026-11-23T12:00:00Z","#,
        r#""io.cncf.notary.expiry":"2026-11-24T12:00:00Z","a":"b","#,
        r#""crit":["io.cncf.notary.signingScheme","io.cncf.notary.expiry","a"]}"#
    );
    assert_eq!(jws.protected.text(), protected);
    let header = concat!(
        r#"{"x5c":["AQ==","Ag=="],"io.cncf.notary.signingAgent":"agent","#,
        r#""io.cncf.notary.timestampSignature":"Aw=="}"#
    );
    assert_eq!(jws.header.text(), header);
}

#[test]
fn a_finished_envelope_equals_the_sound_one_of_the_forge() {
    let key = forge::Key::pooled(forge::KeyKind::P384, 0).unwrap();
    let chain = vec![vec![1; 300], vec![2; 30]];
    let signer = forge::Signer { key, chain: chain.clone() };
    let statement = statement();

    let mut draft = statement.jws(&signer).unwrap();
    let prepared = Prepared::new(Format::Jws, &statement, KeyKind::P384).unwrap();
    assert_eq!(prepared.to_be_signed(), draft.signed_bytes());
    let finished = prepared.finish(draft.fix_signature().unwrap(), &chain);
    assert_eq!(finished.envelope(), draft.seal().unwrap());
    draft.set_timestamp(b"token");
    assert_eq!(finished.with_timestamp(b"token").envelope(), draft.seal().unwrap());

    let mut draft = statement.cose(&signer).unwrap();
    let prepared = Prepared::new(Format::Cose, &statement, KeyKind::P384).unwrap();
    assert_eq!(prepared.to_be_signed(), draft.signed_bytes());
    let finished = prepared.finish(draft.fix_signature().unwrap(), &chain);
    assert_eq!(finished.envelope(), draft.seal().unwrap());
    draft.set_timestamp(b"token");
    assert_eq!(finished.with_timestamp(b"token").envelope(), draft.seal().unwrap());
}
