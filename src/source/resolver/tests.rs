use std::collections::HashMap;
use std::sync::Mutex;

use super::*;

/// Answers each name with one list of addresses after the other; the last stays.
#[derive(Debug, Default)]
struct Fake(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

impl Fake {
    fn of(names: &[(&str, &[&[&str]])]) -> Arc<dyn Resolver> {
        let lists = |lists: &[&[&str]]| {
            lists.iter().rev().map(|list| list.iter().map(|text| text.parse().unwrap()).collect()).collect()
        };
        let names = names.iter().map(|(name, answers)| ((*name).to_owned(), lists(answers)));
        Arc::new(Fake(Mutex::new(names.collect())))
    }
}

#[async_trait]
impl Resolver for Fake {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.0.lock().unwrap();
        let answers = names.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
        Ok(if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() })
    }
}

const HERE: &[&str] = &[
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "0.1.2.3",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:0.0.0.0",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
];
const LINK: &[&str] = &[
    "169.254.169.254",
    "169.254.1.1",
    "fe80::1",
    "febf::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
];
const ELSEWHERE: &[&str] = &[
    "10.0.0.1",
    "172.17.0.2",
    "192.168.1.4",
    "100.64.0.1",
    "203.0.113.7",
    "2001:db8::1",
    "fd12::1",
    "::ffff:10.0.0.1",
];

async fn found(names: &Names, host: &str) -> Result<Vec<String>, bool> {
    match names.addresses(host).await {
        Ok(found) => Ok(found.iter().map(ToString::to_string).collect()),
        Err(error) => Err(error.is::<LeadsHere>()),
    }
}

fn registry(base: &str, resolver: &Arc<dyn Resolver>) -> Arc<Names> {
    Names::of_registry(&Url::parse(base).unwrap(), resolver)
}

#[tokio::test]
async fn names_are_judged_by_the_addresses_they_lead_to() {
    for (list, of_certificates) in [(HERE, true), (LINK, false), (ELSEWHERE, true)] {
        for address in list {
            let resolver = Fake::of(&[("a.io", &[&["10.0.0.1"]]), ("cdn.io", &[&[address]])]);
            let is_elsewhere = ELSEWHERE.contains(address);
            let names = registry("https://a.io/", &resolver);
            assert_eq!(found(&names, "a.io").await.unwrap(), ["10.0.0.1"]);
            assert_eq!(found(&names, "cdn.io").await.is_ok(), is_elsewhere, "{address} from a registry");
            assert_eq!(found(&Names::of_redirects(&resolver), "cdn.io").await.is_ok(), is_elsewhere, "{address}");
            assert_eq!(found(&Names::of_certificates(&resolver), "cdn.io").await.is_ok(), of_certificates, "{address}");
        }
    }
}

#[tokio::test]
async fn of_several_addresses_those_that_are_allowed_are_left() {
    let resolver = Fake::of(&[("a.io", &[&["10.0.0.1"]]), ("cdn.io", &[&["127.0.0.1", "10.0.0.2", "fe80::1"]])]);
    let names = registry("https://a.io/", &resolver);
    assert_eq!(found(&names, "cdn.io").await.unwrap(), ["10.0.0.2"]);
    assert_eq!(found(&Names::of_certificates(&resolver), "cdn.io").await.unwrap(), ["127.0.0.1", "10.0.0.2"]);
    assert_eq!(found(&names, "nowhere.io").await, Err(false));
}

#[tokio::test]
async fn from_a_registry_on_this_machine_others_on_it_may_be_reached_and_nothing_link_local() {
    for base in ["http://127.0.0.1:5000/", "http://[::1]:5000/", "http://registry.local:5000/"] {
        let resolver = Fake::of(&[
            ("registry.local", &[&["127.0.0.1", "::1"]]),
            ("cdn.local", &[&["127.0.0.1"]]),
            ("metadata.io", &[&["169.254.169.254"]]),
        ]);
        let names = registry(base, &resolver);
        let _ = found(&names, "registry.local").await;
        assert!(found(&names, "cdn.local").await.is_ok(), "{base}");
        assert_eq!(found(&names, "metadata.io").await, Err(true), "{base}");
    }
}

#[tokio::test]
async fn a_registry_is_where_its_user_has_it_and_does_not_move_here() {
    let link: &[&[&str]] = &[&["169.254.1.1"]];
    let resolver = Fake::of(&[("nas.local", link), ("other.local", link)]);
    let names = registry("https://nas.local/", &resolver);
    assert!(found(&names, "nas.local").await.is_ok());
    assert_eq!(found(&names, "other.local").await, Err(true));

    // The second answer of the same name, as in DNS rebinding.
    for later in ["127.0.0.1", "169.254.169.254", "::1"] {
        let resolver = Fake::of(&[("a.io", &[&["203.0.113.7"], &[later]])]);
        let names = registry("https://a.io/", &resolver);
        assert!(found(&names, "a.io").await.is_ok());
        assert_eq!(found(&names, "a.io").await, Err(true), "{later}");
    }
    // A registry that has not been asked yet vouches for nothing.
    let resolver = Fake::of(&[("a.io", &[&["127.0.0.1"]]), ("cdn.io", &[&["127.0.0.1"]])]);
    assert_eq!(found(&registry("https://a.io/", &resolver), "cdn.io").await, Err(true));
}

#[tokio::test]
async fn proxies_are_the_users_choice() {
    let told = proxies(|name| match name {
        "HTTPS_PROXY" => Some("http://user:pw@proxy.local:3128".to_owned()),
        "http_proxy" => Some("localhost:3128".to_owned()),
        "all_proxy" => Some("socks5://[::1]:1080".to_owned()),
        "ALL_PROXY" => Some(String::new()),
        _ => None,
    });
    assert_eq!(told, ["localhost", "proxy.local", "[::1]"]);
    let resolver = Fake::of(&[("proxy.local", &[&["127.0.0.1"]]), ("cdn.io", &[&["127.0.0.1"]])]);
    let names = Names { resolver, reach: Reach::SentOn, proxies: told };
    assert!(found(&names, "proxy.local").await.is_ok());
    assert_eq!(found(&names, "cdn.io").await, Err(true));
}
