//! Going from page to page of a list by its `Link` headers (RFC 8288), as the OCI distribution specification says.
//!
//! Only a link to the registry itself is followed, none twice, and no more than there may be pages. Registries behind a
//! proxy write the name by which it knows them, or `http:` before their own, into the link: its path and query are asked of
//! this registry then, if the path is the list's own, and no other host is ever asked. Parameters of the request (`n`,
//! `last`) are never counted on: some registries ignore them.

use std::collections::HashSet;

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use crate::digest::Digest;
use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::{Answer, is_token_byte};
use super::detour::{Kind, Other};

/// The longest `Link` headers of one answer that are read, in bytes.
const LINK_BYTES: usize = 16 << 10;

/// The way through the pages of one list.
#[derive(Debug)]
pub(super) struct Pages {
    registry: Url,
    /// The path of the list.
    path: String,
    most: usize,
    /// Hashes of the addresses that were asked for.
    visited: HashSet<Digest>,
}

impl Pages {
    /// A way that starts at `first` and has at most `most` pages.
    pub(super) fn new(registry: &Url, first: &Url, most: usize) -> Pages {
        let path = first.path().to_owned();
        Pages { registry: registry.clone(), path, most, visited: HashSet::from([hash(first)]) }
    }

    /// The page that follows `answer`. `None`: it is the last.
    pub(super) fn next(&mut self, answer: &Answer) -> Result<Option<Url>, Trouble> {
        let Some(Link { next, text }) = linked(answer)? else { return Ok(None) };
        let here = if next.origin() == self.registry.origin() { Some(next) } else { self.here(&next) };
        let why = "which is not on this registry, and of another path than the list";
        let next = here.ok_or_else(|| refused(answer, &text, why))?;
        self.visit(answer, next).map(Some)
    }

    /// The ways to the page that follows `answer`, a page of a list of names. `None`: it is the last.
    pub(super) fn ways(&self, answer: &Answer) -> Result<Option<Ways>, Trouble> {
        let Some(Link { next, text }) = linked(answer)? else { return Ok(None) };
        let is_here = next.origin() == self.registry.origin();
        let is_own = next.path() == self.path || (is_here && next.path() == answer.url.path());
        let here = if is_here { Some(next.clone()) } else { self.here(&next) };
        Ok(Some(match here {
            Some(here) if is_own || here.path() == self.path => Ways::Link(here),
            here => {
                let own = next.query().filter(|_| is_web(&next)).map(|query| {
                    let mut own = self.registry.clone();
                    own.set_path(&self.path);
                    own.set_query(Some(query));
                    Other { kind: Kind::OwnPath, url: own }
                });
                let other = here.map(|url| Other { kind: Kind::OtherPath, url });
                let why = "which is of another path than the list";
                Ways::Others(own.into_iter().chain(other).collect(), refused(answer, &text, why))
            }
        }))
    }

    /// The address on this registry that is meant by one elsewhere: the same path and query on the same host over TLS, or
    /// the list's own path, with whatever a proxy takes away before it, with that query.
    fn here(&self, elsewhere: &Url) -> Option<Url> {
        let mut here = self.registry.clone();
        let web = is_web(elsewhere);
        let is_own = elsewhere.host() == self.registry.host() && elsewhere.port() == self.registry.port();
        match elsewhere.path() {
            path if web && is_own => here.set_path(path),
            path if web && path.ends_with(&self.path) => here.set_path(&self.path),
            _ => return None,
        }
        here.set_query(elsewhere.query());
        Some(here)
    }

    /// Goes on to the page `next` after `answer`.
    pub(super) fn visit(&mut self, answer: &Answer, next: Url) -> Result<Url, Trouble> {
        if self.visited.len() >= self.most {
            let message = format!("{} has more than {} pages", answer.request(), self.most);
            return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
        }
        if !self.visited.insert(hash(&next)) {
            return Err(answer.invalid(format!("leads to {}, which was there before", quote(next.path()))));
        }
        Ok(next)
    }
}

/// What a page of a list says of the next.
#[derive(Debug)]
pub(super) enum Ways {
    /// A link to more of the list.
    Link(Url),
    /// A link to something else, and what may be meant by it.
    Others(Vec<Other>, Trouble),
}

/// The link to the next page: where it leads, and as it was written.
struct Link {
    next: Url,
    text: String,
}

fn linked(answer: &Answer) -> Result<Option<Link>, Trouble> {
    let Some(text) = next_link(&answer.headers).map_err(|why| answer.invalid(why))? else { return Ok(None) };
    let mut next = answer.url.join(&text).map_err(|_| refused(answer, &text, "which is not a valid URL"))?;
    next.set_fragment(None);
    if !next.username().is_empty() || next.password().is_some() {
        return Err(refused(answer, &text, "with a name or a password in it"));
    }
    Ok(Some(Link { next, text }))
}

/// Whether an answer names a next page.
pub(super) fn names_next(answer: &Answer) -> bool {
    matches!(linked(answer), Ok(Some(_)))
}

fn refused(answer: &Answer, link: &str, why: &str) -> Trouble {
    answer.invalid(format!("names {} as the next page, {why}", quote(link)))
}

fn is_web(url: &Url) -> bool {
    ["http", "https"].contains(&url.scheme())
}

fn hash(url: &Url) -> Digest {
    Digest::sha256(url.as_str().as_bytes())
}

/// The target of the link whose relation is `next`. The error goes on after "the answer to … ".
fn next_link(headers: &HeaderMap) -> Result<Option<String>, String> {
    let values: Vec<_> = headers.get_all(LINK).iter().collect();
    if values.iter().map(|value| value.len()).sum::<usize>() > LINK_BYTES {
        return Err(format!("has more than {LINK_BYTES} bytes of links"));
    }
    let mut next: Option<String> = None;
    for value in values {
        let text = value.to_str().map_err(|_| "has a link that is not text".to_owned())?;
        for (target, relation) in links(text).ok_or_else(|| format!("has the malformed link {}", quote(text)))? {
            if !relation.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next")) {
                continue;
            }
            if next.as_ref().is_some_and(|first| *first != target) {
                return Err("has two different links to the next page".to_owned());
            }
            next = Some(target);
        }
    }
    Ok(next)
}

/// The links of one header as target and relation. `None`: it breaks the grammar, but for angle brackets, which old zot
/// leaves out.
fn links(text: &str) -> Option<Vec<(String, String)>> {
    let mut links = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (target, after) = match rest.strip_prefix('<') {
            Some(rest) => rest.split_once('>')?,
            None => rest.split_at(rest.find(';').filter(|end| !rest[..*end].contains(['<', '>', '"', ' ', '\t']))?),
        };
        let mut relation: Option<String> = None;
        rest = blank(after);
        while let Some(after) = rest.strip_prefix(';') {
            let (name, value, after) = parameter(blank(after))?;
            // Of several relations the first counts (section 3.3).
            if name.eq_ignore_ascii_case("rel") && relation.is_none() {
                relation = Some(value);
            }
            rest = blank(after);
        }
        links.push((target.to_owned(), relation.unwrap_or_default()));
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start_matches([' ', '\t', ',']);
        }
    }
    Some(links)
}

/// One parameter, with what follows it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = token(text);
    if name.is_empty() {
        // An empty parameter, as in `<…>;`, is allowed.
        return Some(("", String::new(), rest));
    }
    let Some(rest) = blank(rest).strip_prefix('=') else { return Some((name, String::new(), rest)) };
    let rest = blank(rest);
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, rest) = token(rest);
        return Some((name, value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((name, value, &quoted[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

fn token(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !is_token_byte(byte)).unwrap_or(text.len()))
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use reqwest::StatusCode;

    fn answer(url: &str, links: &[&str]) -> Answer {
        Answer {
            method: reqwest::Method::GET,
            url: Url::parse(url).unwrap(),
            status: StatusCode::OK,
            headers: links.iter().map(|link| (LINK, link.parse().unwrap())).collect(),
            body: Bytes::new(),
        }
    }

    fn next(links: &[&str]) -> Result<Option<String>, Trouble> {
        let first = Url::parse("http://localhost:5000/v2/_catalog?n=2").unwrap();
        let mut pages = Pages::new(&first.join("/").unwrap(), &first, 3);
        pages.next(&answer(first.as_str(), links)).map(|next| next.map(String::from))
    }

    #[test]
    fn follows_the_link_to_the_next_page() {
        let expected = Ok(Some("http://localhost:5000/v2/_catalog?n=2&last=b".to_owned()));
        for links in [
            &["</v2/_catalog?n=2&last=b>; rel=\"next\""][..],
            &["<http://localhost:5000/v2/_catalog?n=2&last=b>;rel=next"],
            &["/v2/_catalog?n=2&last=b; rel=\"next\""],
            &["<?n=2&last=b>; title=\"a, <b>; rel=x\"; REL=\"last Next\";"],
            &["</first>; rel=prev, </v2/_catalog?n=2&last=b>; rel=next"],
            &["</first>; rel=\"prev\"", ", </v2/_catalog?n=2&last=b#x> ; rel = \"next\""],
            &["</v2/_catalog?n=2&last=b>; rel=next; rel=prev, <x>; rel=prev; rel=next"],
        ] {
            assert_eq!(next(links), expected, "{links:?}");
        }
        for links in [&[][..], &[""], &["</x>; rel=\"prev\""], &["</x>"], &["</x>; rel=nextish"], &["</x>; rel"]] {
            assert_eq!(next(links), Ok(None), "{links:?}");
        }
    }

    #[test]
    fn a25_leaves_the_registry_for_no_link_and_refuses_malformed_ones() {
        let long = format!("</{}>; rel=next", "x".repeat(1 << 20));
        for links in [
            &["<http://evil.io/v2/team/tags/list>; rel=next"][..],
            &["<//evil.io/>; rel=next"],
            &["<http://evil.io/v2/_catalog/more>; rel=next"],
            &["<http://user:pw@localhost:5000/v2/_catalog>; rel=next"],
            &["<http://user@evil.io/v2/_catalog>; rel=next"],
            &["<ftp://localhost:5000/v2/_catalog>; rel=next"],
            &["<file:///etc/passwd>; rel=next"],
            &["/v2/_catalog?last=b"],
            &["/v2/_catalog?last=b> ; rel=next"],
            &["/v2/_catalog ?last=b; rel=next"],
            &["</v2/_catalog?last=b; rel=next"],
            &["</v2/_catalog?last=b>; rel=\"next"],
            &["</v2/_catalog?last=b>; rel=\"next\\"],
            &["</v2/_catalog?last=b> rel=next"],
            &["</a>; rel=next, </b>; rel=next"],
            &["</a>; rel=next", "</b>; rel=next"],
            &[long.as_str()],
        ] {
            assert_eq!(next(links).map_err(|trouble| trouble.kind), Err(TroubleKind::AnswerInvalid), "{links:?}");
        }
    }

    #[test]
    fn r12_r30_a_link_that_names_a_backend_is_asked_of_this_registry() {
        for (link, expected) in [
            (
                "http://pulpcore-api:24817/v2/_catalog?n=2&last=a%2Fb",
                "http://localhost:5000/v2/_catalog?n=2&last=a%2Fb",
            ),
            ("//10.0.0.7/v2/_catalog?last=b", "http://localhost:5000/v2/_catalog?last=b"),
            ("https://localhost:5000/v2/_catalog?last=b", "http://localhost:5000/v2/_catalog?last=b"),
            ("https://localhost:5000/elsewhere?last=b", "http://localhost:5000/elsewhere?last=b"),
            ("http://localhost:5001/v2/_catalog?last=b", "http://localhost:5000/v2/_catalog?last=b"),
            ("https://art.io/api/docker/hub/v2/_catalog?last=b", "http://localhost:5000/v2/_catalog?last=b"),
        ] {
            assert_eq!(next(&[&format!("<{link}>; rel=next")]), Ok(Some(expected.to_owned())), "{link}");
        }
        let first = Url::parse("https://registry.io/v2/_catalog").unwrap();
        let link = answer(first.as_str(), &["<http://registry.io/v2/_catalog?last=b>; rel=next"]);
        let found = Pages::new(&first.join("/").unwrap(), &first, 3).next(&link).unwrap().unwrap();
        assert_eq!(found.as_str(), "https://registry.io/v2/_catalog?last=b");
    }

    #[test]
    fn a_link_of_another_path_may_mean_the_list_itself() {
        let first = Url::parse("http://localhost:5000/v2/docker/app/tags/list?n=2").unwrap();
        let pages = Pages::new(&first.join("/").unwrap(), &first, 3);
        let ways = |link: &str| match pages.ways(&answer(first.as_str(), &[&format!("<{link}>; rel=next")])) {
            Ok(Some(Ways::Link(url))) => vec![(Kind::Link, url.to_string())],
            Ok(Some(Ways::Others(others, _))) => {
                others.into_iter().map(|other| (other.kind, other.url.into())).collect()
            }
            other => panic!("{other:?}"),
        };
        let own = |query: &str| format!("http://localhost:5000/v2/docker/app/tags/list?{query}");
        for link in ["/v2/docker/app/tags/list?last=5", "?last=5", "http://localhost/v2/docker/app/tags/list?last=5"] {
            assert_eq!(ways(link), [(Kind::Link, own("last=5"))], "{link}");
        }
        for link in ["/v2/app/tags/list?last=5&n=2", "https://localhost:5000/v2/app/tags/list?last=5&n=2"] {
            let other = (Kind::OtherPath, "http://localhost:5000/v2/app/tags/list?last=5&n=2".to_owned());
            assert_eq!(ways(link), [(Kind::OwnPath, own("last=5&n=2")), other], "{link}");
        }
        // No other host is asked, whatever it names.
        assert_eq!(ways("http://evil.io/v2/app/tags/list?last=a%2fb"), [(Kind::OwnPath, own("last=a%2fb"))]);
        assert_eq!(ways("ftp://evil.io/v2/app/tags/list?last=a"), []);
        assert_eq!(ways("http://evil.io/"), []);
    }

    #[test]
    fn a24_goes_to_no_page_twice_and_to_no_more_than_allowed() {
        let at = |page: usize| format!("http://localhost:5000/v2/_catalog?page={page}");
        let link = |page: usize| format!("</v2/_catalog?page={page}>; rel=next");
        let walk = |turns: &[usize]| {
            let first = Url::parse(&at(0)).unwrap();
            let mut pages = Pages::new(&first.join("/").unwrap(), &first, 3);
            let mut page = 0;
            for turn in turns {
                pages.next(&answer(&at(page), &[&link(*turn)])).map_err(|trouble| trouble.kind)?;
                page = *turn;
            }
            Ok(())
        };
        assert_eq!(walk(&[0]), Err(TroubleKind::AnswerInvalid));
        assert_eq!(walk(&[1, 0]), Err(TroubleKind::AnswerInvalid));
        assert_eq!(walk(&[1, 2]), Ok(()));
        assert_eq!(walk(&[1, 2, 3]), Err(TroubleKind::AnswerTooLarge));
    }
}
