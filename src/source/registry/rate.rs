//! How many requests a second the user lets Muster send to a host.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// The most requests that are sent in a second, a minute or an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time from one request to the next.
    apart: Duration,
}

/// The rates of a command line: by host, and for all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates {
    hosts: BTreeMap<String, Rate>,
    others: Option<Rate>,
}

impl Rate {
    /// The time from one request to the next.
    pub(super) fn apart(self) -> Duration {
        self.apart
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    /// Reads `N/s`, `N/m` or `N/h`.
    fn from_str(text: &str) -> Result<Rate, &'static str> {
        let expected = "expected a number of requests and a time, such as 10/s, 90/m or 600/h";
        let (number, unit) = text.split_once('/').ok_or(expected)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(expected),
        };
        let number: u32 = number.parse().ok().filter(|number| *number > 0).ok_or(expected)?;
        Ok(Rate { apart: Duration::from_secs(seconds) / number })
    }
}

impl Rates {
    /// Lets no more requests go to `host` than `rate` says; `None` is every host that has no rate of its own.
    pub fn add(&mut self, host: Option<&str>, rate: Rate) {
        match host {
            Some(host) => drop(self.hosts.insert(host.to_ascii_lowercase(), rate)),
            None => self.others = Some(rate),
        }
    }

    /// The rate of a host that goes by several names: the first that has a rate of its own decides.
    pub(super) fn of(&self, names: &[&str]) -> Option<Rate> {
        let own = names.iter().find_map(|name| self.hosts.get(&name.to_ascii_lowercase()));
        own.copied().or(self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_requests_in_a_time() {
        let apart = |text: &str| text.parse::<Rate>().map(Rate::apart);
        assert_eq!(apart("10/s"), Ok(Duration::from_millis(100)));
        assert_eq!(apart("90/m"), Ok(Duration::from_secs(60) / 90));
        assert_eq!(apart("600/h"), Ok(Duration::from_secs(6)));
        for text in ["", "10", "10/", "/s", "0/s", "-1/s", "1.5/s", "10/d", "10/ s", "10/s/s", "99999999999/s"] {
            assert!(apart(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_host_has_its_own_rate_or_that_of_all_others() {
        let [slow, fast] = ["1/s", "100/s"].map(|text| text.parse::<Rate>().unwrap());
        let mut rates = Rates::default();
        assert_eq!(rates.of(&["a.io"]), None);
        rates.add(Some("Docker.io"), slow);
        assert_eq!(rates.of(&["docker.io", "registry-1.docker.io"]), Some(slow));
        assert_eq!(rates.of(&["a.io"]), None);
        rates.add(None, fast);
        assert_eq!(rates.of(&["registry-1.docker.io", "docker.io"]), Some(slow));
        assert_eq!(rates.of(&["a.io"]), Some(fast));
    }
}
