//! The plugins of this user, and the options about them that several commands share.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;

use super::args::parse_pair;
use super::config_folder::{self, System};
use crate::duration;
use crate::failure::quote;
use crate::limits;
use crate::plugin::PluginConfig;
use crate::plugin_host::{PluginDirectory, ProcessHost};

/// What verification plugins are told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plugins")]
pub(super) struct PluginArgs {
    /// Setting for verification plugins; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub(super) plugin_config: Vec<(String, String)>,

    /// How long one command of a plugin may take, for example 90s or 5m [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse_time)]
    pub(super) plugin_timeout: Option<Duration>,
}

impl PluginArgs {
    /// The plugins, none of which is looked for before a signature asks for it.
    pub(super) fn programs(&self) -> ProcessHost {
        programs(self.plugin_timeout.unwrap_or(limits::PLUGIN_TIMEOUT))
    }
}

/// The plugins of this user, each of whose commands may take `deadline`.
pub(super) fn programs(deadline: Duration) -> ProcessHost {
    let directory = match config_folder::libexec(System::HERE, |name| std::env::var_os(name)) {
        Ok(libexec) => PluginDirectory::new(libexec),
        Err(_) => PluginDirectory::unknown(
            "there is no folder for plugins: name the one that holds them in $NOTATION_LIBEXEC",
        ),
    };
    ProcessHost::new(directory, deadline)
}

/// The settings that `pairs` make over `settings`. The error is one sentence.
pub(super) fn settings(settings: &PluginConfig, pairs: &[(String, String)]) -> Result<PluginConfig, String> {
    let mut given = BTreeMap::new();
    for (key, value) in pairs {
        if given.insert(key.clone(), value.clone()).is_some_and(|before| before != *value) {
            return Err(format!("--plugin-config has two values of {}", quote(key)));
        }
    }
    let mut merged = settings.clone();
    merged.extend(given);
    Ok(merged)
}

/// Reads how long something may take.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let time = duration::parse(text).map_err(|error| error.to_string())?;
    if time.is_zero() {
        return Err("some time is needed: expected a length of time such as 90s".to_owned());
    }
    Duration::try_from(time).map_err(|_| "a length of time is written without -, such as 90s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_command_line_win() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let listed = PluginConfig::from([pair("a", "1"), pair("b", "2")]);
        let merged = settings(&listed, &[pair("b", "3"), pair("c", "4"), pair("c", "4")]).unwrap();
        assert_eq!(merged, PluginConfig::from([pair("a", "1"), pair("b", "3"), pair("c", "4")]));
        assert!(settings(&listed, &[pair("c", "4"), pair("c", "5")]).unwrap_err().contains("two values of \"c\""));
    }

    #[test]
    fn times_are_durations_with_units() {
        assert_eq!(parse_time("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("1.5s"), Ok(Duration::from_millis(1500)));
        for text in ["", "0s", "30", "-1s"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
