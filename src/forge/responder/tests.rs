use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::macros::datetime;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use x509_parser::revocation_list::RevokedCertificate;

use super::*;
use crate::forge::asn1::{self, integer, octets, sequence};
use crate::forge::{
    Authority, CertId, CertIdHash, Key, KeyKind, LeafRequest, OcspStatus, Signer, TimestampDefect, Word,
};

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

/// With RSA, which signs the same bytes alike, so that answers can be compared.
fn records() -> IssuerRecords {
    let root = Authority::root("C=US, O=acme, CN=root", Key::pooled(KeyKind::Rsa2048, 1).unwrap()).unwrap();
    let issuing = root.intermediate("C=US, O=acme, CN=issuing", Key::pooled(KeyKind::Rsa2048, 2).unwrap()).unwrap();
    IssuerRecords::new(issuing)
}

fn leaf(records: &IssuerRecords) -> Signer {
    let key = Key::pooled(KeyKind::P256, 0).unwrap();
    records.authority().issue(LeafRequest::new("C=US, O=acme, CN=leaf", key).unwrap()).unwrap()
}

fn tsa(records: &IssuerRecords) -> Signer {
    records.authority().tsa("C=US, O=acme, CN=tsa", Key::pooled(KeyKind::Rsa2048, 3).unwrap()).unwrap()
}

/// What `openssl ocsp -cert leaf -reqout` writes, by hand.
fn ocsp_request(records: &IssuerRecords, serial: &[u8], nonce: bool) -> Vec<u8> {
    let id = CertId::new(CertIdHash::Sha1, records.authority(), serial).unwrap();
    let hash = asn1::algorithm(asn1::SHA1, true).unwrap();
    let serial = super::super::tlv(0x02, &id.serial);
    let id = sequence(&[&hash, &octets(&id.issuer_name), &octets(&id.issuer_key), &serial]);
    let list = sequence(&[&sequence(&[&id])]);
    let nonce = match nonce {
        true => {
            let extension = asn1::extension_value("1.3.6.1.5.5.7.48.1.2", false, &octets(&[7; 16])).unwrap();
            asn1::explicit(2, &sequence(&[&extension]))
        }
        false => Vec::new(),
    };
    sequence(&[&sequence(&[&list, &nonce])])
}

fn timestamp_request(message: &[u8]) -> Vec<u8> {
    let hash = asn1::algorithm(asn1::SHA256, true).unwrap();
    let imprint = sequence(&[&hash, &octets(&asn1::hash(asn1::SHA256, message).unwrap())]);
    sequence(&[&integer(1), &imprint, &integer(77), &asn1::boolean(true)])
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none());
    client.timeout(std::time::Duration::from_secs(2)).build().unwrap()
}

async fn get(responders: &Responders, path: &str) -> (u16, Vec<u8>) {
    let response = client().get(responders.url(path)).send().await.unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
}

async fn post(responders: &Responders, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let response = client().post(responders.url(path)).body(body).send().await.unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
}

fn crl(bytes: &[u8]) -> CertificateRevocationList<'_> {
    let (rest, crl) = CertificateRevocationList::from_der(bytes).unwrap();
    assert!(rest.is_empty());
    crl
}

fn signed_by(crl: &CertificateRevocationList<'_>, authority: &Authority) -> bool {
    let (_, certificate) = X509Certificate::from_der(authority.certificate()).unwrap();
    let key = &certificate.public_key().subject_public_key.data;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(crl.tbs_cert_list.as_ref(), &crl.signature_value.data).is_ok()
}

fn numbers(crl: &CertificateRevocationList<'_>) -> (Option<u64>, usize) {
    let number = crl.crl_number().map(|number| number.iter_u64_digits().next().unwrap());
    (number, crl.iter_revoked_certificates().count())
}

#[tokio::test]
async fn a_crl_follows_the_records_and_the_clock() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    responders.crl("/ca.crl", &records, CrlOptions::default(), None);
    let (status, empty) = get(&responders, "/ca.crl").await;
    assert_eq!((status, numbers(&crl(&empty)).1), (200, 0));
    assert_eq!(get(&responders, "/ca.crl").await.1, empty);

    let leaf = leaf(&records);
    records.revoke(leaf.serial(), NOW, Some(1), None);
    responders.set_now(NOW + time::Duration::HOUR);
    let (_, bytes) = get(&responders, "/ca.crl").await;
    let read = crl(&bytes);
    assert!(signed_by(&read, records.authority()) && numbers(&read).0 > numbers(&crl(&empty)).0);
    assert_eq!(read.last_update().timestamp(), NOW.unix_timestamp() + 3600);
    assert_eq!(read.next_update().unwrap().timestamp(), NOW.unix_timestamp() + 3600 + 7 * 86_400);
    let entries: Vec<&RevokedCertificate<'_>> = read.iter_revoked_certificates().collect();
    let (_, certificate) = X509Certificate::from_der(leaf.certificate()).unwrap();
    assert_eq!(entries[0].raw_serial(), certificate.raw_serial());
    assert_eq!(responders.requests("/ca.crl"), 3);
}

#[tokio::test]
async fn a_hold_comes_and_goes() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    let options = CrlOptions { delta: Some(responders.url("/delta.crl")), ..CrlOptions::default() };
    records.hold(vec![5], NOW);
    responders.crl("/ca.crl", &records, options, Some("/delta.crl"));
    let (_, base) = get(&responders, "/ca.crl").await;
    let (_, delta) = get(&responders, "/delta.crl").await;
    let (base_number, held) = numbers(&crl(&base));
    assert_eq!((held, numbers(&crl(&delta)).1), (1, 0));
    assert!(numbers(&crl(&delta)).0 > base_number);

    records.release(vec![5], NOW);
    records.revoke(vec![6], NOW, None, None);
    assert_eq!(get(&responders, "/ca.crl").await.1, base, "the complete CRL has not been renewed");
    let (_, delta) = get(&responders, "/delta.crl").await;
    let reasons: Vec<_> = crl(&delta).iter_revoked_certificates().map(|e| e.reason_code().map(|r| r.1.0)).collect();
    assert_eq!(reasons, [Some(8), None]);
    assert_eq!(records.status(&[5]), OcspStatus::Good);
    let old = numbers(&crl(&delta)).0;

    responders.renew("/ca.crl");
    let (_, base) = get(&responders, "/ca.crl").await;
    let (number, revoked) = numbers(&crl(&base));
    assert_eq!(revoked, 1);
    assert!(number > old, "{number:?} {old:?}");
    assert_eq!(numbers(&crl(&get(&responders, "/delta.crl").await.1)).1, 0);
}

#[tokio::test]
async fn a_crl_that_nobody_renews_grows_old() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    responders.crl("/ca.crl", &records, CrlOptions { until_renewed: true, ..CrlOptions::default() }, None);
    let (_, old) = get(&responders, "/ca.crl").await;
    records.revoke(vec![6], NOW, None, None);
    responders.set_now(NOW + time::Duration::WEEK * 2);
    assert_eq!(get(&responders, "/ca.crl").await.1, old);
    responders.renew("/ca.crl");
    let (_, new) = get(&responders, "/ca.crl").await;
    assert_eq!(crl(&new).last_update().timestamp(), responders.now().unix_timestamp());
    assert_eq!((numbers(&crl(&old)).1, numbers(&crl(&new)).1), (0, 1));
}

#[tokio::test]
async fn requests_in_paths_may_have_slashes() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    responders.ocsp("/", &records);
    responders.ocsp("/deep/ocsp/", &records);
    // A serial number whose base64 has slashes in each place.
    let request = ocsp_request(&records, &[0x3f; 20], false).into_iter().chain([0xff; 9]).collect::<Vec<u8>>();
    let text = STANDARD.encode(&request);
    assert!(text.contains("//"), "{text}");
    for (path, endpoint) in [("/", "/"), ("/deep/ocsp/", "/deep/ocsp/")] {
        assert_eq!(get(&responders, &format!("{path}{text}")).await.0, 200);
        let last = responders.received().pop().unwrap();
        assert_eq!((last.endpoint.as_deref(), last.content), (Some(endpoint), request.clone()));
    }
}

#[tokio::test]
async fn ocsp_is_answered_by_post_and_by_get() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    responders.ocsp("/ocsp", &records);
    let leaf = leaf(&records);
    let request = ocsp_request(&records, &leaf.serial(), false);
    let (status, good) = post(&responders, "/ocsp", request.clone()).await;
    assert_eq!(status, 200);
    let text = STANDARD.encode(&request);
    let escaped = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3d");
    for text in [text, escaped] {
        assert_eq!(get(&responders, &format!("/ocsp/{text}")).await, (200, good.clone()));
    }
    assert_eq!(get(&responders, "/ocsp").await.0, 405);
    records.revoke(leaf.serial(), NOW, Some(1), None);
    assert_ne!(post(&responders, "/ocsp", request.clone()).await.1, good);
    assert_eq!((responders.requests("/ocsp"), responders.all_requests()), (5, 5));
    let received = responders.received();
    assert!(received.iter().take(3).all(|received| received.content == request));
    let methods: Vec<&str> = received.iter().map(|received| received.method.as_str()).collect();
    assert_eq!(methods, ["POST", "GET", "GET", "GET", "POST"]);
    assert_eq!(post(&responders, "/ocsp", b"nonsense".to_vec()).await.1, [0x30, 3, 0x0a, 1, 1]);
    assert_eq!(get(&responders, "/elsewhere").await.0, 404);
    assert_eq!(responders.requests("/elsewhere"), 1);
}

#[tokio::test]
async fn a_time_stamping_authority_stamps_by_the_clock() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    responders.tsa("/tsa", &tsa(&records));
    let (status, answer) = post(&responders, "/tsa", timestamp_request(b"signature")).await;
    assert_eq!(status, 200);
    let has = |answer: &[u8], part: &[u8]| answer.windows(part.len()).any(|window| window == part);
    assert!(has(&answer, b"\x18\x0f20261124120000Z") && has(&answer, &[2, 1, 77]));
    assert_eq!(answer[4..9], [0x30, 3, 2, 1, 0], "granted");
    responders.fail("/tsa", Delivery::Refused);
    let (status, refused) = post(&responders, "/tsa", timestamp_request(b"signature")).await;
    assert_eq!((status, refused[2..7].to_vec()), (200, vec![0x30, 8, 2, 1, 2]));
    assert_eq!(get(&responders, "/tsa").await.0, 405);
}

#[tokio::test]
async fn answers_fail_to_arrive_in_every_way() {
    let records = records();
    let responders = Responders::start(NOW).unwrap();
    responders.crl("/ca.crl", &records, CrlOptions::default(), None);
    let (_, sound) = get(&responders, "/ca.crl").await;
    for delivery in Delivery::ALL {
        responders.fail("/ca.crl", *delivery);
        let response = client().get(responders.url("/ca.crl")).send().await;
        let (status, location, body) = match response {
            Ok(response) => {
                let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
                (response.status().as_u16(), location, response.bytes().await.ok().map(|body| body.to_vec()))
            }
            Err(error) => {
                assert!(error.is_timeout(), "{delivery:?}: {error:?}");
                (0, None, None)
            }
        };
        let expected = match delivery {
            Delivery::Unavailable => (503, None),
            Delivery::TooManyRequests => (429, None),
            Delivery::Missing => (404, None),
            Delivery::Refused => (403, None),
            Delivery::Slow => (0, None),
            Delivery::Redirect => (307, Some("/ca.crl?redirected".to_owned())),
            Delivery::RedirectLoop => (307, Some("/ca.crl".to_owned())),
            Delivery::RedirectToFile => (307, Some("file:///etc/hostname".to_owned())),
            Delivery::RedirectToLinkLocal => (307, Some("http://169.254.169.254/latest/meta-data/".to_owned())),
            _ => (200, None),
        };
        assert_eq!((status, location), expected, "{delivery:?}");
        match delivery {
            Delivery::Truncated => assert_eq!(body, None),
            Delivery::Half => assert_eq!(body.unwrap(), sound[..sound.len() / 2]),
            Delivery::Empty => assert_eq!(body.unwrap(), b""),
            Delivery::Garbage => assert!(body.unwrap().starts_with(b"<!doctype")),
            Delivery::Oversized => assert_eq!(body.unwrap().len(), (32 << 20) + 1),
            _ => {}
        }
    }
    responders.fail("/ca.crl", Delivery::Redirect);
    assert_eq!(get(&responders, "/ca.crl?redirected").await, (200, sound.clone()));
    responders.redirect("/ca.crl", "ftp://example");
    assert_eq!(get(&responders, "/ca.crl").await.0, 307);
    responders.mend("/ca.crl");
    responders.fail_next("/ca.crl", 2, Delivery::Unavailable);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&responders, "/ca.crl").await.0);
    }
    assert_eq!(statuses, [503, 503, 200]);
    responders.publish("/any", b"anything".as_slice());
    assert_eq!(get(&responders, "/any").await, (200, b"anything".to_vec()));
}

#[test]
fn every_crl_defect_is_one() {
    let records = records();
    records.hold(vec![5], NOW);
    records.release(vec![5], NOW);
    records.revoke(vec![6], NOW, Some(1), None);
    let delta = Some("http://crl.example/delta.crl".to_owned());
    let endpoint = CrlEndpoint::new(records.clone(), CrlOptions { delta, ..CrlOptions::default() }, NOW);
    let is_delta = |defect: CrlDefect| {
        use CrlDefect as D;
        matches!(defect, D::NoDeltaIndicator | D::DeltaBaseAhead | D::DeltaNumberNotHigher)
    };
    records.revoke(vec![7], NOW, Some(4), None);
    let sound = [false, true].map(|delta| endpoint.answer(delta, NOW, None).unwrap());
    assert!(sound.iter().all(|bytes| signed_by(&crl(bytes), records.authority())));
    let mut distinct = std::collections::HashSet::new();
    for &defect in CrlDefect::ALL {
        let bytes = endpoint.answer(is_delta(defect), NOW, Some(defect)).unwrap();
        assert!(!sound.contains(&bytes), "{defect:?}");
        // In one point only: whatever is not about the signature is signed.
        use CrlDefect as D;
        if !matches!(defect, D::Pem | D::TrailingBytes) {
            let signed = signed_by(&crl(&bytes), records.authority());
            assert_eq!(signed, !matches!(defect, D::WrongSigner | D::WrongSignature), "{defect:?}");
        }
        assert!(distinct.insert(bytes), "{defect:?} is like another");
    }
}

#[test]
fn every_ocsp_defect_is_one() {
    let records = records();
    let leaf = leaf(&records);
    records.revoke(leaf.serial(), NOW, Some(1), None);
    let request = ocsp_request(&records, &leaf.serial(), true);
    let answer = |defect| ocsp::answer(&records, &request, NOW, defect).unwrap();
    let sound = answer(None);
    assert_eq!(answer(None), sound);
    let mut distinct = std::collections::HashSet::from([sound]);
    for &defect in OcspDefect::ALL {
        assert!(distinct.insert(answer(Some(defect))), "{defect:?} is like another, or sound");
    }
}

#[test]
fn every_timestamp_defect_is_one() {
    let tsa = tsa(&records());
    let request = timestamp_request(b"signature");
    let answer = |defect| timestamp::answer(&tsa, &request, 1, NOW, defect).unwrap();
    let sound = answer(None);
    assert_eq!(answer(None), sound);
    let mut distinct = std::collections::HashSet::from([sound]);
    for &defect in TimestampDefect::ALL {
        assert!(distinct.insert(answer(Some(defect))), "{defect:?} is like another, or sound");
    }
}

#[test]
fn every_fault_has_a_word_of_its_own() {
    fn check<D: Word + PartialEq + fmt::Debug>() {
        let mut words: Vec<&str> = Fault::<D>::all().map(Fault::as_str).collect();
        for (word, fault) in words.iter().zip(Fault::<D>::all()) {
            assert_eq!(word.parse::<Fault<D>>().unwrap(), fault);
            let read: Fault<D> = serde_json::from_value((*word).into()).unwrap();
            assert_eq!((read, serde_json::to_value(read).unwrap()), (fault, (*word).into()));
            assert!(word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')), "{word}");
        }
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "a word stands for two faults");
        assert!("nonsense".parse::<Fault<D>>().is_err());
        let schema = schemars::schema_for!(Fault<D>);
        assert_eq!(schema.get("enum").unwrap().as_array().unwrap().len(), count);
    }
    check::<CrlDefect>();
    check::<OcspDefect>();
    check::<TimestampDefect>();
}
