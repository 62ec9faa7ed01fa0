//! Which key signs: one that notation knows by name, one that is named here with its certificates, or one behind a plugin.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::{Args, ValueHint};
use time::OffsetDateTime;

use super::approvals::{self, ApprovalArgs, ApprovedKey};
use crate::cli::args::parse_pair;
use crate::cli::config_folder::ConfigFolder;
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{artifact, interrupt, plugins};
use crate::failure::quote;
use crate::limits;
use crate::pki::{Chain, KeyKind};
use crate::plugin::PluginConfig;
use crate::plugin_host::ProcessHost;
use crate::rfc3339::instant_in_utc;
use crate::sign::{
    self, KeyList, KeyPlace, PluginKey, PluginKeyError, SignError, SignRequest, SigningKey, TimestampAuthority,
    UnfinishedEnvelope,
};
use crate::signer::tsb::{self, Paths, RequestId, TsbSettings};
use crate::signer::{self, Environment, forbid_core_dumps};
use crate::source::Attachment;
use crate::timestamp::Token;
use crate::trouble::TroubleKind;
use crate::tsb_plugin;

/// Which key signs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Key")]
pub(in crate::cli) struct KeyArgs {
    /// Name of a key in signingkeys.json of the configuration, whatever the name looks like; with --certificate-chain the path of a
    /// PEM file, - for standard input, or a pkcs11: URI, whose PIN comes from its pin-source or from MUSTER_PKCS11_PIN. Also
    /// tsb:LABEL?url=https://…, a key that people have to approve behind a broker
    /// [default: the default of that list]
    #[arg(short, long, value_name = "KEY")]
    key: Option<String>,

    /// PEM file with the certificates of --key, its own first, the root last; it may be the file of the key too, or - for standard
    /// input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    certificate_chain: Option<PathBuf>,

    /// Folder of notation's configuration, with signingkeys.json
    /// [default: $NOTATION_CONFIG, else `notation` in the user's configuration folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    config: Option<PathBuf>,

    /// Sign with a key behind this plugin
    #[arg(long, value_name = "NAME", requires = "id", conflicts_with_all = ["key", "certificate_chain"])]
    plugin: Option<String>,

    /// The key, in the words of --plugin
    #[arg(long, value_name = "ID", requires = "plugin")]
    id: Option<String>,

    /// Setting for the plugin, before those in signingkeys.json; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    plugin_config: Vec<(String, String)>,

    /// How long one command of the plugin may take, since people may have to approve [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = plugins::parse_time)]
    plugin_timeout: Option<Duration>,

    #[command(flatten)]
    approvals: ApprovalArgs,
}

/// As for the reference implementation: the kind of the key says with which hash a blob is measured.
pub(in crate::cli) const NO_ENVELOPES_OF_BLOBS: &str = "the plugin makes whole envelopes and does not tell the kind of its \
    key, which decides how a file is hashed: files are signed by plugins with the capability SIGNATURE_GENERATOR.RAW";

/// A key that signs.
pub(in crate::cli) enum SomeKey {
    Here(Box<SigningKey>),
    Approved(Arc<ApprovedKey>),
    Plugin(PluginKey),
}

impl KeyArgs {
    /// Where the key is. The error is one sentence.
    pub(in crate::cli) fn place(&self, console: Console) -> Result<KeyPlace, String> {
        let mut place = match (&self.key, &self.certificate_chain, &self.plugin, &self.id) {
            (_, _, Some(plugin), Some(id)) => {
                KeyPlace::Plugin { name: plugin.clone(), id: id.clone(), config: PluginConfig::new() }
            }
            (Some(key), ..) if tsb::is_broker(key) => {
                let mut settings = TsbSettings::from_uri(key).map_err(|error| error.to_string())?;
                settings.certificate_chain = self.certificate_chain.clone().or(settings.certificate_chain);
                KeyPlace::Broker(Box::new(settings))
            }
            (Some(key), Some(certificates), ..) => {
                self.check_files(key, certificates)?;
                KeyPlace::Files { key: key.clone(), certificates: certificates.clone() }
            }
            (name, ..) => {
                let place = self.listed(name.as_deref())?;
                if let Some(name) = name.as_deref().filter(|name| Path::new(name).is_file()) {
                    console.warning(format_args!(
                        "the key {0} of signingkeys.json signs, and not the file {0}: to sign with the file, name its \
                         certificates with --certificate-chain",
                        quote(signer::without_pin(name))
                    ));
                }
                place
            }
        };
        match &mut place {
            KeyPlace::Plugin { config, .. } => *config = plugins::settings(config, &self.plugin_config)?,
            _ if !self.plugin_config.is_empty() => {
                return Err("--plugin-config is for a key behind a plugin, and this one is not".to_owned());
            }
            _ => {}
        }
        let place = of_broker(place)?;
        if self.approvals.is_given() && !matches!(place, KeyPlace::Broker(_)) {
            return Err(
                "--request and --no-wait are for a key that people have to approve, and this one is not".to_owned()
            );
        }
        Ok(place)
    }

    /// Takes the request `id` back, with the settings of the key at `place`.
    pub(super) fn cancel(&self, place: KeyPlace, id: &RequestId, console: Console) -> Result<Exit, CliError> {
        let KeyPlace::Broker(settings) = place else {
            let reason = "--cancel is for a key that people have to approve, and this one is not: name it with --key";
            return Err(CliError::Usage(reason.to_owned()));
        };
        forbid_core_dumps();
        artifact::run(approvals::cancel(&settings, id, console))
    }

    /// Opens the key at `place`, to sign at `at`, and does `work` with it; a signal while a plugin may be asked ends the plugin, and the work.
    pub(in crate::cli) fn work<E: Into<CliError>>(
        &self,
        place: KeyPlace,
        at: OffsetDateTime,
        console: Console,
        work: impl AsyncFnOnce(&SomeKey) -> Result<Exit, E>,
    ) -> Result<Exit, CliError> {
        forbid_core_dumps();
        let programs = self.programs(&place);
        let is_approved = matches!(place, KeyPlace::Broker(_));
        let approved: OnceLock<Arc<ApprovedKey>> = OnceLock::new();
        let open_and_work = async {
            let key = SomeKey::open(place, programs.clone(), &self.approvals, at, console).await?;
            if let SomeKey::Approved(key) = &key {
                let _ = approved.set(Arc::clone(key));
            }
            work(&key).await.map_err(Into::into)
        };
        match &programs {
            None if is_approved => artifact::run(async {
                let stop = async {
                    let Some(key) = approved.get() else { return };
                    key.key().key().stop();
                    // The work ends by itself, once the request is taken back.
                    std::future::pending().await
                };
                interrupt::stop_on_signal(open_and_work, stop).await.unwrap_or(Ok(Exit::Interrupted))
            }),
            None => artifact::run(open_and_work),
            Some(programs) => artifact::run(async {
                interrupt::stop_on_signal(open_and_work, programs.stop()).await.unwrap_or(Ok(Exit::Interrupted))
            }),
        }
    }

    /// The plugins, if `place` is behind one.
    fn programs(&self, place: &KeyPlace) -> Option<Arc<ProcessHost>> {
        let time = self.plugin_timeout.unwrap_or(limits::PLUGIN_SIGNING_TIMEOUT);
        matches!(place, KeyPlace::Plugin { .. }).then(|| Arc::new(plugins::programs(time)))
    }

    /// What can be said of the files of a key before they are read.
    fn check_files(&self, key: &str, certificates: &Path) -> Result<(), String> {
        let piped = key == signer::STANDARD_INPUT;
        if piped && certificates.as_os_str() == signer::STANDARD_INPUT {
            return Err(
                "--key and --certificate-chain cannot both be read from standard input: name a file with - for one of \
                        them only (a file that holds both may be named for each)"
                    .to_owned(),
            );
        }
        // A name of the list that was given as if it were a file is not called a file that does not exist.
        if piped || signer::is_token(key) || Path::new(key).symlink_metadata().is_ok() {
            return Ok(());
        }
        match self.list().map(|list| list.key(Some(key)).is_ok()) {
            Ok(true) => Err(format!(
                "there is no file {0}, and signingkeys.json has a key {0}: sign with it by --key {0} without --certificate-chain",
                quote(signer::without_pin(key))
            )),
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<KeyList, String> {
        let config = ConfigFolder::here(self.config.as_deref()).map_err(|error| error.to_string())?;
        KeyList::load(&config.signing_keys()).map_err(|error| error.to_string())
    }

    /// The key of this name in `signingkeys.json`, or the default. Names are free, as for the reference implementation: one
    /// may look like a path or a URI.
    fn listed(&self, name: Option<&str>) -> Result<KeyPlace, String> {
        let list = self.list();
        let found = list.as_ref().map_err(Clone::clone);
        let found =
            found.and_then(|list| list.key(name).map(|key| key.place.clone()).map_err(|error| error.to_string()));
        found.map_err(|error| match name {
            Some(signer::STANDARD_INPUT) => "--key - reads the key from standard input, so that --certificate-chain has to name its \
                                     certificates"
                .to_owned(),
            // Its query may hold a PIN.
            Some(name) if signer::is_token(name) => {
                format!("{error}; if it is a PKCS #11 URI, name the certificates of its key with --certificate-chain")
            }
            Some(name) if name.contains(['/', '\\']) || Path::new(name).exists() => format!(
                "{error}; if {} is a key itself, name its certificates with --certificate-chain",
                quote(signer::without_pin(name))
            ),
            Some(name) if list.is_err() => format!(
                "{error}; without --certificate-chain {} is the name of a key there: if it is a key file, name its certificates with --certificate-chain",
                quote(signer::without_pin(name))
            ),
            Some(_) => error,
            None if list.is_err() => format!(
                "{error}; name a key file or a pkcs11: URI with --key, and its certificates with --certificate-chain"
            ),
            None => error,
        })
    }
}

impl SomeKey {
    /// Opens the key at `place`, to sign at `at`.
    async fn open(
        place: KeyPlace,
        programs: Option<Arc<ProcessHost>>,
        approvals: &ApprovalArgs,
        at: OffsetDateTime,
        console: Console,
    ) -> Result<SomeKey, CliError> {
        match (place, programs) {
            (KeyPlace::Broker(settings), _) => {
                let key = ApprovedKey::open(*settings, approvals.clone(), at, console).await?;
                Ok(SomeKey::Approved(Arc::new(key)))
            }
            (KeyPlace::Plugin { name, id, config }, Some(programs)) => {
                let key = PluginKey::open(programs, &name, &id, config).await;
                key.map(SomeKey::Plugin).map_err(|error| match &error {
                    PluginKeyError::Trouble(trouble) if trouble.kind == TroubleKind::PluginFailed => {
                        CliError::Undecided(error.to_string())
                    }
                    _ => CliError::Usage(error.to_string()),
                })
            }
            (KeyPlace::Plugin { .. }, None) => Err(CliError::Usage("no plugins are run here".to_owned())),
            (KeyPlace::Files { key, certificates }, _) => {
                let key = SigningKey::open(&key, &certificates, &Environment::of_process(), at);
                let key = key.map_err(|error| CliError::Usage(error.to_string()))?;
                key.warnings().iter().for_each(|warning| console.warning(warning));
                Ok(SomeKey::Here(Box::new(key)))
            }
        }
    }

    /// What kind of key it is; `None` for a plugin that makes whole envelopes and does not tell.
    pub(in crate::cli) fn kind(&self) -> Option<KeyKind> {
        match self {
            SomeKey::Here(key) => Some(key.chain().signing_key().kind()),
            SomeKey::Approved(key) => Some(key.key().chain().signing_key().kind()),
            SomeKey::Plugin(key) => key.kind(),
        }
    }

    /// Signs `request`, and has it time stamped if that is wanted; `told` is where that is told. The error is one sentence.
    pub(in crate::cli) async fn sign(
        &self,
        request: &SignRequest,
        timestamps: Option<&TimestampAuthority>,
        told: Option<Console>,
    ) -> Result<Attachment, String> {
        let unfinished = match (self.begin(request).await?, self, timestamps) {
            (Some(unfinished), ..) => unfinished,
            (None, SomeKey::Plugin(key), None) => return key.sign(request).await.map_err(fault),
            (None, ..) => {
                return Err("the plugin makes whole envelopes, into which no time stamp can be put: sign without \
                            --timestamp-url, or have the plugin ask for the time stamp"
                    .to_owned());
            }
        };
        let token = stamp(&unfinished, timestamps, told).await?;
        unfinished.finish(token.as_ref()).map_err(fault)
    }

    /// The same of a blob, whose signature has no manifest: the envelope alone.
    pub(in crate::cli) async fn sign_envelope(
        &self,
        request: &SignRequest,
        timestamps: Option<&TimestampAuthority>,
        told: Option<Console>,
    ) -> Result<Vec<u8>, String> {
        let unfinished = self.begin(request).await?.ok_or(NO_ENVELOPES_OF_BLOBS)?;
        let token = stamp(&unfinished, timestamps, told).await?;
        unfinished.envelope(token.as_ref()).map_err(fault)
    }

    /// Signs `request`; `None` for a plugin that makes whole envelopes.
    async fn begin<'a>(&self, request: &'a SignRequest) -> Result<Option<UnfinishedEnvelope<'a>>, String> {
        match self {
            SomeKey::Here(key) => sign::begin(key, request).map(Some).map_err(fault),
            SomeKey::Approved(key) => key.begin(request).await.map(Some),
            SomeKey::Plugin(key) => key.begin(request).await.map_err(fault),
        }
    }

    /// Makes `request` what it was when approvals were asked for, if they are to be waited for again. The error is one sentence.
    pub(in crate::cli) fn restore(&self, request: &mut SignRequest) -> Result<(), String> {
        match self {
            SomeKey::Approved(key) => key.restore(request),
            SomeKey::Here(_) | SomeKey::Plugin(_) => Ok(()),
        }
    }

    /// Says that the signature is where it belongs.
    pub(in crate::cli) fn published(&self) {
        if let SomeKey::Approved(key) = self {
            key.published();
        }
    }

    /// Prints the kind of key and its certificates, or the plugin, on standard error.
    pub(in crate::cli) fn print(&self, console: Console) {
        let certified = |chain: &Chain| {
            console.detail(format_args!("with a key of the kind {}", chain.signing_key().kind().as_str()));
            for certificate in chain.certificates() {
                console.detail(format_args!("certified by {}", certificate.subject_text()));
            }
        };
        match self {
            SomeKey::Here(key) => certified(key.chain()),
            SomeKey::Approved(key) => {
                console.detail(format_args!("with {}", key.key().key().describes()));
                certified(key.key().chain());
            }
            SomeKey::Plugin(key) => console.detail(format_args!("with {}", key.describes())),
        }
    }
}

/// Keys behind a broker, in whichever way they are written: the plugin is not started for what is done here.
fn of_broker(place: KeyPlace) -> Result<KeyPlace, String> {
    let settings = match place {
        KeyPlace::Plugin { name, id, config } if name == tsb_plugin::NAME => {
            let entries = config.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            TsbSettings::read(&id, entries, Paths::Absolute)
        }
        KeyPlace::Files { key, certificates } if tsb::is_broker(&key) => {
            TsbSettings::from_uri(&key).map(|settings| settings.certified_by(certificates))
        }
        place => return Ok(place),
    };
    settings.map(|settings| KeyPlace::Broker(Box::new(settings))).map_err(|error| error.to_string())
}

fn fault(error: SignError) -> String {
    error.to_string()
}

/// The time stamp of the signature, if an authority is to be asked for one.
async fn stamp(
    unfinished: &UnfinishedEnvelope<'_>,
    timestamps: Option<&TimestampAuthority>,
    told: Option<Console>,
) -> Result<Option<Token>, String> {
    let Some(authority) = timestamps else { return Ok(None) };
    let stamped = authority.stamp(unfinished.signature(), unfinished.chain()).await;
    let (token, stamp) = stamped.map_err(|error| error.to_string())?;
    if let Some(console) = told {
        let (time, subject) = (instant_in_utc(stamp.gen_time), stamp.authority().subject_text());
        console.detail(format_args!("time stamped at {time} by {subject}"));
    }
    Ok(Some(token))
}
