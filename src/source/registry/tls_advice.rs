//! What to do about a connection that TLS, or the want of it, ends.
//!
//! The TLS library's verdicts are known by their words, which tests hold on to; nginx answers in HTML what others say in the
//! handshake.

/// The advice about an error of the TLS library, by its words. `shown`: whether a client certificate was shown.
pub(super) fn of_error(words: &str, shown: bool) -> Option<&'static str> {
    let alert = |name: &str| words.contains(&format!("received fatal alert: {name}"));
    if alert("CertificateRequired") && !shown {
        return Some(WANTS_CERTIFICATE);
    }
    if ["BadCertificate", "HandshakeFailure"].into_iter().any(alert) && !shown {
        return Some(
            "it may be that the registry wants a client certificate: --cert-file and --key-file, or NAME.cert and NAME.key \
             in certs.d of docker or podman",
        );
    }
    let refusals = [
        "CertificateRequired",
        "BadCertificate",
        "UnknownCA",
        "CertificateUnknown",
        "CertificateRevoked",
        "CertificateExpired",
        "UnsupportedCertificate",
        "AccessDenied",
        "DecryptError",
    ];
    if shown && refusals.into_iter().any(alert) {
        return Some("the registry does not take the client certificate that it was shown");
    }
    if words.contains("invalid peer certificate: UnknownIssuer") {
        return Some(
            "no authority that is trusted here made the server's certificate: name its file by --ca-file, or put it into \
             certs.d/HOST as docker and podman have it",
        );
    }
    if words.contains("corrupt message of type InvalidContentType") {
        return Some("the server speaks no TLS there: --plain-http, if the registry is to be trusted without");
    }
    None
}

/// The advice about an answer by its body, where a web server says in HTML or plain text that TLS is missing something.
pub(super) fn of_body(body: &[u8]) -> Option<&'static str> {
    let body = String::from_utf8_lossy(body);
    if body.contains("No required SSL certificate was sent") {
        return Some(WANTS_CERTIFICATE);
    }
    if body.contains("The SSL certificate error") {
        return Some("the registry does not take the client certificate that it was shown");
    }
    let plain = ["sent an HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port"];
    plain.into_iter().any(|words| body.contains(words)).then_some("the server speaks TLS: leave --plain-http out")
}

const WANTS_CERTIFICATE: &str = "the registry wants a client certificate: --cert-file and --key-file, or NAME.cert and \
                                 NAME.key in certs.d/HOST as docker and podman have it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_web_servers_say_in_a_page_what_is_missing() {
        for (body, expected) in [
            ("<html><h1>400 Bad Request</h1><center>No required SSL certificate was sent</center>", "--cert-file"),
            ("<center>The SSL certificate error</center>", "client certificate"),
            ("Client sent an HTTP request to an HTTPS server.\n", "--plain-http"),
            ("<center>The plain HTTP request was sent to HTTPS port</center>", "--plain-http"),
        ] {
            assert!(of_body(body.as_bytes()).unwrap().contains(expected), "{body}");
        }
        assert_eq!(of_body(b"{}"), None);
    }

    #[test]
    fn a_certificate_that_was_shown_is_not_asked_for() {
        let alert = "received fatal alert: UnknownCA";
        assert!(of_error(alert, true).unwrap().contains("does not take"));
        assert_eq!(of_error(alert, false), None);
        assert!(of_error("received fatal alert: CertificateRequired", false).unwrap().contains("--key-file"));
        assert_eq!(of_error("connection refused", false), None);
    }
}
