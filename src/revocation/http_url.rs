//! Addresses as certificates and CRLs write them: what may be asked, and when two are the same.
//!
//! Follows RFC 3986 and RFC 5280, section 7.4. Two addresses are the same when they are in normal form: letters of scheme and
//! host in lower case, the usual port left out, `%41` for what it stands for, dots in the path resolved. A blank and other
//! characters that no address has are sent as `%20` and the like, as the reference implementation does. It refuses what a
//! parser made for browsers would repair in silence: a backslash is no slash, `http:host` has no host, and neither blanks in
//! front nor control characters are taken away.

use url::Url;

const SCHEME: &str = "http://";

/// The address that `text` is.
///
/// # Errors
/// Why it may not be asked, as the end of a sentence: "it …".
pub(crate) fn parse(text: &str) -> Result<Url, &'static str> {
    const NONE: &str = "is not an absolute http URL";
    if text.chars().any(char::is_control) {
        return Err(NONE);
    }
    if !text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME)) {
        let other =
            text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme) && !scheme.eq_ignore_ascii_case("http"));
        return Err(if other { "has another scheme; only addresses that start with http:// are asked" } else { NONE });
    }
    let (_, behind) = text.split_at(SCHEME.len());
    let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
    let (authority, rest) = behind.split_at(end);
    if authority.is_empty() || authority.contains(['\\', ' ', '%', '"', '<', '>', '^', '`', '{', '|', '}']) {
        return Err(NONE);
    }
    let rest = escaped(rest, false).ok_or("has a percent sign that is not followed by two hexadecimal digits")?;
    let mut url = Url::parse(&format!("{SCHEME}{authority}{rest}")).map_err(|_| NONE)?;
    url.set_fragment(None);
    Ok(url)
}

/// Whether two addresses are the same. What is not an HTTP address is compared letter by letter.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one == other || matches!((normal(one), normal(other)), (Some(one), Some(other)) if one == other)
}

fn normal(text: &str) -> Option<Url> {
    let url = parse(text).ok()?;
    let rest = escaped(url.as_str().get(SCHEME.len()..)?, true)?;
    Url::parse(&format!("{SCHEME}{rest}")).ok()
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `text` with everything escaped that no address has; in `normal_form`, escapes are in capitals and stand only where they
/// are needed. `None` if there is half an escape.
fn escaped(text: &str, normal_form: bool) -> Option<String> {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        let (byte, escaped) = match byte {
            b'%' => {
                let (digits, after) = behind.split_at_checked(2)?;
                let [byte] = hex::decode(digits).ok()?[..] else { return None };
                if !normal_form {
                    normal.push('%');
                    continue;
                }
                rest = after;
                (byte, true)
            }
            byte => (*byte, false),
        };
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // Delimiters mean something else when they are escaped.
        let delimiter = b":/?#[]@!$&'()*+,;=".contains(&byte);
        if unreserved || (delimiter && !escaped) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_same_in_normal_form() {
        for (one, other) in [
            ("http://crl.test/a.crl", "HTTP://CRL.Test/a.crl"),
            ("http://crl.test/a.crl", "http://crl.test:80/a.crl"),
            ("http://crl.test/a.crl", "http://crl.test/%61.%63rl"),
            ("http://crl.test/a%2fb", "http://crl.test/a%2Fb"),
            ("http://crl.test/a b", "http://crl.test/a%20b"),
            ("http://crl.test/ü", "http://crl.test/%c3%bc"),
            ("http://crl.test/a\\b", "http://crl.test/a%5Cb"),
            ("http://crl.test", "http://crl.test/"),
            ("http://crl.test/x/../a", "http://crl.test/a"),
            ("http://crl.test/a#b", "http://crl.test/a"),
            ("ldap://x", "ldap://x"),
        ] {
            assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("http://crl.test/a.crl", "http://crl.test/A.crl"),
            ("http://crl.test/a/b", "http://crl.test/a%2Fb"),
            ("http://crl.test/a/b", "http://crl.test/a\\b"),
            ("http://crl.test/a", "http://crl.test:81/a"),
            ("http://crl.test/a", "http://crl.test/a/"),
            ("http://crl.test/a?b", "http://crl.test/a%3Fb"),
            ("http://crl.test/a", "https://crl.test/a"),
            ("LDAP://x", "ldap://x"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_blank_is_sent_escaped_and_a_backslash_is_no_slash() {
        for (text, sent) in [
            ("http://crl.test/a b.crl", "http://crl.test/a%20b.crl"),
            ("http://crl.test/a.crl ", "http://crl.test/a.crl%20"),
            ("http://crl.test/a\\b\\..\\c", "http://crl.test/a%5Cb%5C..%5Cc"),
            ("http://crl.test/a?b c", "http://crl.test/a?b%20c"),
            ("http://crl.test/ä", "http://crl.test/%C3%A4"),
            ("http://crl.test/%7Ea", "http://crl.test/%7Ea"),
        ] {
            assert_eq!(parse(text).map(String::from), Ok(sent.to_owned()), "{text}");
        }
        for text in [
            "",
            " http://crl.test/",
            "\thttp://crl.test/",
            "http://crl.test/a\tb",
            "http:\\\\crl.test\\a",
            "http://crl.test\\a",
            "http://crl.test\\@evil.test/",
            "http:crl.test/a",
            "http:/crl.test/a",
            "http:///crl.test/a",
            "http://",
            "http://?a",
            "http://crl test/a",
            "http://crl%2etest/a",
            "http://crl.test:99999/",
            "http://crl.test/%zz",
            "http://crl.test/%4",
            "crl.test/a",
            "//crl.test/a",
            "https://crl.test/a",
            "ldap:///cn=x",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
