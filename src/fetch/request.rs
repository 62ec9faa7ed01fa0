//! What is sent for a need, and to whom.
//!
//! Follows RFC 5280, section 4.2.1.13, and RFC 6960, appendix A. An address stands in a certificate, so it is spoken to
//! over plain HTTP only, as the reference implementation does: what comes back is signed, and TLS would need certificates
//! whose revocation had to be checked first. It refuses other schemes, credentials in an address, link-local addresses (a
//! cloud's metadata service answers there to every client inside the cloud), and redirects to this machine. Where a name
//! leads is seen when it is resolved ([`crate::source::Resolver`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use url::{Host, Url};

use std::net::IpAddr;

use crate::address::{Place, place};
use crate::address::{is_loopback, is_of_this_network};
use crate::failure::quote;
use crate::limits;
use crate::revocation::Need;
use crate::revocation::http_url;
use crate::trouble::{Trouble, TroubleKind};

/// The media type of what is posted.
pub(super) const OCSP_REQUEST: &str = "application/ocsp-request";

/// A request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) url: Url,
    /// What is posted; otherwise it is got.
    pub(super) body: Option<Bytes>,
    /// Whether a redirect led to another host than the one that the certificate names.
    pub(super) sent_on: bool,
}

impl Request {
    /// The request for `need`.
    pub(super) fn new(need: &Need) -> Result<Request, Trouble> {
        let refused = |why: &str| Trouble::new(TroubleKind::AnswerInvalid, format!("{need} is not asked: {why}"));
        let mut url = http_url::parse(need.url()).map_err(|why| refused(&format!("its address {why}")))?;
        check(&url).map_err(refused)?;
        let Need::Ocsp { request, .. } = need else { return Ok(Request { url, body: None, sent_on: false }) };
        let encoded = STANDARD.encode(request);
        let escaped = encoded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        // The reference implementation's rule: both forms count.
        if encoded.len().max(escaped.len()) >= limits::OCSP_ADDRESS_CHARACTERS {
            return Ok(Request { url, body: Some(request.clone()), sent_on: false });
        }
        let path = format!("{}/{escaped}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Request { url, body: None, sent_on: false })
    }

    /// The request that a redirect with this status and `location` asks for, or `None` if the answer is no redirect.
    ///
    /// # Errors
    /// Why it is not followed, as the end of a sentence: "… was redirected to …, which …".
    pub(super) fn redirected(&self, status: u16, location: &str) -> Option<Result<Request, &'static str>> {
        // What is posted goes elsewhere only where it stays the same request.
        if !matches!((status, &self.body), (301..=303, None) | (307 | 308, _)) {
            return None;
        }
        Some(self.moved(location))
    }

    fn moved(&self, location: &str) -> Result<Request, &'static str> {
        let mut url =
            self.url.join(location).ok().filter(|_| !location.is_empty()).ok_or("which is not a valid URL")?;
        check(&url).map_err(|_| "which is not asked")?;
        if url.host() != self.url.host() && is_of_this_network(&url) && !(is_loopback(&self.url) && is_loopback(&url)) {
            return Err("an address that means another host on every machine");
        }
        url.set_fragment(None);
        let sent_on = self.sent_on || url.host() != self.url.host();
        Ok(Request { url, body: self.body.clone(), sent_on })
    }
}

/// Whether an address may be asked; if not, why.
fn check(url: &Url) -> Result<(), &'static str> {
    if url.scheme() != "http" {
        return Err("only addresses that begin with http:// are");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its address has credentials in it");
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
        Some(Host::Domain(name)) if !name.is_empty() => None,
        _ => return Err("its address has no host"),
    };
    if address.is_some_and(|address| place(address) == Place::LinkLocal) {
        return Err("its address is link-local, where only this machine's own network answers");
    }
    Ok(())
}

/// What is said of the redirect that is not followed.
pub(super) fn refused_redirect(need: &Need, location: &str, why: &str) -> Trouble {
    Trouble::new(TroubleKind::AnswerInvalid, format!("{need} was redirected to {}, {why}", quote(location)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ocsp(responder: &str, length: usize) -> Result<Request, Trouble> {
        Request::new(&Need::Ocsp { responder: responder.to_owned(), request: Bytes::from(vec![0xff; length]) })
    }

    fn crl(url: &str) -> Need {
        let issuer = crate::revocation::Issuer { name: Bytes::new(), key: crate::digest::Digest::sha256(b"") };
        Need::Crl { url: url.to_owned(), issuer }
    }

    #[test]
    fn short_ocsp_requests_are_part_of_the_address() {
        for (responder, expected) in [
            ("http://ocsp.acme-rockets.io", "http://ocsp.acme-rockets.io/%2F%2F%2F%2F%2Fw%3D%3D"),
            ("http://ocsp.acme-rockets.io/", "http://ocsp.acme-rockets.io/%2F%2F%2F%2F%2Fw%3D%3D"),
            (
                "http://ocsp.acme-rockets.io:8080/a//?b=c#d",
                "http://ocsp.acme-rockets.io:8080/a/%2F%2F%2F%2F%2Fw%3D%3D?b=c",
            ),
        ] {
            let request = ocsp(responder, 4).unwrap();
            assert_eq!((request.url.as_str(), request.body), (expected, None));
        }
        // 63 bytes are 84 characters, and 252 when every one is escaped; 66 are 88 and 264.
        assert!(ocsp("http://a.io", 63).unwrap().body.is_none());
        assert!(ocsp("http://a.io", 66).unwrap().body.is_some());
        let plain = Need::Ocsp { responder: "http://a.io".to_owned(), request: Bytes::from(vec![0; 189]) };
        assert!(Request::new(&plain).unwrap().body.is_none(), "252 characters, none of them escaped");
        let plain = Need::Ocsp { responder: "http://a.io".to_owned(), request: Bytes::from(vec![0; 192]) };
        assert_eq!(Request::new(&plain).unwrap().body.map(|body| body.len()), Some(192), "256 characters");
    }

    #[test]
    fn f12_only_plain_http_is_asked() {
        for url in ["http://a.io/x.crl", "HTTP://A.io/x.crl", "hTtP://a.io/x.crl", "http://a.io:80/x.crl#y"] {
            assert_eq!(Request::new(&crl(url)).unwrap().url.as_str(), "http://a.io/x.crl");
        }
        for url in [
            "https://a.io/x.crl",
            "ldap://a.io/cn=x",
            "ldap:///cn=x",
            "ftp://a.io/x.crl",
            "file:///etc/passwd",
            "http:",
            "http://",
            "",
            "x.crl",
            "http://user@a.io/x.crl",
            "http://a.io:99999/",
            "http://169.254.169.254/latest",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.1.1]/",
            "http://2852039166/",
            " http://a.io/x.crl",
            "http:\\\\a.io\\x.crl",
        ] {
            let trouble = Request::new(&crl(url)).unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{url}");
        }
    }

    #[test]
    fn f13_redirects_stay_on_plain_http_and_off_this_network() {
        let from = |url: &str| Request::new(&crl(url)).unwrap();
        let crl = from("http://a.io/x.crl");
        for (to, expected) in [("/y", "http://a.io/y"), ("http://b.io:81/z?q#f", "http://b.io:81/z?q")] {
            assert_eq!(crl.redirected(302, to).unwrap().unwrap().url.as_str(), expected);
        }
        for to in [
            "",
            "https://a.io/x",
            "file:///etc/passwd",
            "ldap://a.io",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:169.254.169.254]/",
            "http://[fe80::1]/",
            "http://127.0.0.1/",
            "http://localhost/",
            "http://0.0.0.0/",
            "http://u:p@b.io/",
            "//",
        ] {
            assert!(crl.redirected(302, to).unwrap().is_err(), "{to}");
        }
        assert!(from("http://127.0.0.1:80/x").redirected(302, "http://127.0.0.1:81/y").unwrap().is_ok());
        assert!(from("http://127.0.0.1/x").redirected(302, "http://169.254.169.254/").unwrap().is_err());
    }

    #[test]
    fn what_is_posted_is_redirected_only_as_it_is() {
        let post = ocsp("http://a.io", 400).unwrap();
        for (status, followed) in [(301, false), (302, false), (303, false), (307, true), (308, true), (304, false)] {
            assert_eq!(post.redirected(status, "/y").is_some(), followed, "{status}");
        }
        assert_eq!(post.redirected(307, "/y").unwrap().unwrap().body, post.body);
    }
}
