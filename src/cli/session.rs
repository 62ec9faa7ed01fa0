//! What `audit`, `verify` and `blob verify` judge by, put together once: trust policy, trust stores, time, where CRLs and OCSP
//! answers come from, plugins.

use std::sync::Arc;

use time::OffsetDateTime;

use super::args::{RevocationArgs, TrustInputArgs};
use super::console::Console;
use super::error::CliError;
use super::plugins::{self, PluginArgs};
use super::policy::PolicyKind;
use super::revocation::Answers;
use super::trust_inputs::TrustInputs;
use crate::failure::quote;
use crate::plugin::PluginConfig;
use crate::plugin_host::{PluginHost, ProcessHost};
use crate::report::v1::{Header, Tool};
use crate::rfc3339::instant_in_utc;
use crate::verifier::{Verifier, VerifierBuilder};

/// What a command judges by. `P` is the kind of trust policy.
pub(super) struct Session<P> {
    pub(super) verifier: Verifier<P>,
    /// The same as reports say it.
    pub(super) header: Header,
    answers: Answers,
    pub(super) programs: Arc<ProcessHost>,
}

impl<P: PolicyKind> Session<P> {
    /// Loads everything that the options name, for the targets `written` on the command line; `configure` sets what only this
    /// command has options for. Nothing is fetched and no plugin is looked for yet.
    pub(super) fn open(
        trust: &TrustInputArgs,
        revocation: &RevocationArgs,
        plugins: &PluginArgs,
        written: Vec<String>,
        console: Console,
        configure: impl FnOnce(VerifierBuilder<P>) -> VerifierBuilder<P>,
    ) -> Result<Session<P>, CliError> {
        let now = OffsetDateTime::now_utc();
        // To the second, so that the time in the report is the very time that was judged by.
        let now = now.replace_nanosecond(0).unwrap_or(now);
        let at = trust.at.map_or(now, |at| at.from(now));
        let plugin_config =
            plugins::settings(&PluginConfig::default(), &plugins.plugin_config).map_err(CliError::Usage)?;
        let programs = Arc::new(plugins.programs());
        let TrustInputs { policy, stores, policy_input, stores_input } = TrustInputs::<P>::load(trust, console)?;
        let answers = Answers::open(revocation, at, trust.at.is_none(), console)?;
        let builder = Verifier::builder(policy, stores)
            .at(at)
            .revocation_of_one_run(Arc::clone(&answers.source))
            .plugins(Arc::clone(&programs) as Arc<dyn PluginHost>)
            .plugin_config(plugin_config);
        let header = Header {
            version: "1",
            tool: Tool { name: "muster", version: env!("CARGO_PKG_VERSION") },
            at: instant_in_utc(at),
            started: instant_in_utc(now),
            policy: policy_input,
            trust_store: stores_input,
            targets: written,
            layout_names: false,
        };
        Ok(Session { verifier: configure(builder).build(), header, answers, programs })
    }
}

impl<P> Session<P> {
    /// Prints the warnings that came up while CRLs and OCSP answers were fetched and kept.
    pub(super) fn print_warnings(&self, console: Console) {
        self.answers.print_warnings(console);
    }
}

/// Prints the time, the trust policy and the trust stores of a run on standard error.
pub(super) fn print_trust_inputs(header: &Header, console: Console) {
    console.detail(format_args!("judging as of {}", header.at));
    for (what, input) in [("trust policy", &header.policy), ("trust stores", &header.trust_store)] {
        console.detail(format_args!("{what} {} {}", quote(&input.path), input.digest));
    }
}
