//! `muster test --import`: an artifact of a registry or a layout, with its signatures and by what it is judged, becomes a
//! scenario.
//!
//! It is judged once, as `muster verify` would, and copied; then what was copied is played. Only if it comes out as it was
//! judged does the folder get its name. Whatever is there already stays as it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};

use crate::audit::{Judged, Sources, Target};
use crate::cli::args::{RevocationArgs, TrustInputArgs};
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::plugins::PluginArgs;
use crate::cli::policy::{self, PolicyKind as _};
use crate::cli::session::Session;
use crate::cli::{registry_access, target, trust_inputs};
use crate::failure::quote;
use crate::policy::TrustPolicy;
use crate::reference::{Reference, Repository};
use crate::report::printable;
use crate::scenario::{NotRecorded, Record, Recorded};
use crate::temporary::Folder;
use crate::verify::Verdict;
use crate::{limits, regular_file};

use super::TestArgs;

/// How a real artifact becomes a scenario.
#[derive(Debug, Args)]
#[command(next_help_heading = "Import")]
pub(in crate::cli) struct ImportArgs {
    /// Copy this artifact once, with its signatures and what else refers to it, and write a scenario that expects what is
    /// judged of it now
    ///
    /// The scenario stands by itself, in a folder of its own: layout, trust policy (--policy, else that of the configuration),
    /// the trust stores that this names, CRLs and OCSP answers, and the time. Layers of images are left out.
    #[arg(long, value_name = "REF", conflicts_with_all = ["paths", "run", "slow", "list", "root", "registry", "keystore",
        "keep", "fail_fast", "jobs", "accept", "deny", "output"])]
    pub(super) import: Option<String>,

    /// Folder in which the scenario gets its own folder [default: scenarios/imported]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, requires = "import")]
    pub(super) to: Option<PathBuf>,

    /// Name of the folder [default: from the repository and the tag]
    #[arg(long, value_name = "NAME", value_parser = parse_name, requires = "import")]
    pub(super) name: Option<String>,

    /// Copy the layers of images too, those of at most 4 MiB; without them the scenario is played on embedded registries only
    #[arg(long, requires = "import")]
    pub(super) layers: bool,

    /// Repository to which the artifact of an OCI layout belongs, whatever the layout says
    #[arg(long, value_name = "HOST/REPOSITORY", value_parser = target::scope, requires = "import")]
    pub(super) scope: Option<Repository>,

    /// Folder of notation's configuration, with trust policy and trust store
    /// [default: $NOTATION_CONFIG, else `notation` in the user's configuration folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "import")]
    pub(super) config: Option<PathBuf>,

    /// Folder that holds the trust stores' x509/ [default: truststore in the configuration]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "import")]
    pub(super) trust_store: Option<PathBuf>,
}

/// Reads the name of a folder.
fn parse_name(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    match text.is_empty() || text.starts_with('.') || !text.bytes().all(plain) {
        true => Err(format!("{} is no name of a folder here: use letters, digits, _ . and -", quote(text))),
        false => Ok(text.to_owned()),
    }
}

/// Imports what `written` names.
pub(super) fn run(written: &str, args: &TestArgs, console: Console) -> Result<Exit, CliError> {
    let import = &args.import;
    let target = target::single(written, false).map_err(CliError::Usage)?;
    target::check_gate(std::slice::from_ref(&target), import.scope.as_ref()).map_err(CliError::Usage)?;
    let options = registry_access::options(
        &args.access,
        import.config.as_deref(),
        limits::REQUESTS_PER_HOST,
        std::slice::from_ref(&target),
        io::stdin(),
    )
    .map_err(CliError::Usage)?;
    let trust = TrustInputArgs {
        config: import.config.clone(),
        policy: args.policy.clone(),
        trust_store: import.trust_store.clone(),
        at: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Start)?;
    let sources = Arc::new(Sources::new(options, import.scope.clone()));
    let ended = runtime.block_on(async {
        let selected = sources.artifact(&target).await?;
        let reference = pinned(&selected.reference, selected.source.as_ref()).await?;
        let place = Place::new(import, &reference)?;
        let (session, judged) = judge(&trust, &place, written, &target, &reference, &sources, console).await?;
        let (policy_file, trust_store) = trust_inputs::places(&trust, TrustPolicy::usual_file)?;
        let bytes = regular_file::read_linked(&policy_file, limits::POLICY_BYTES)
            .map_err(|problem| CliError::Usage(format!("the trust policy {problem}")))?;
        let record = Record {
            folder: &place.unfinished,
            source: selected.source.as_ref(),
            reference: &reference,
            judged: &judged,
            at: session.at,
            policy: &policy::load(&policy_file, console)?,
            policy_file: &bytes,
            trust_store: &trust_store,
            layers: import.layers,
            program: std::env::current_exe().ok(),
        };
        let recorded = record.write().await.map_err(|why| refused(why, &judged))?;
        session.session.print_warnings(console);
        place.finish()?;
        tell(&place, &recorded, &judged, console);
        Ok(Exit::Success)
    });
    // A credential helper that hangs must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// The reference with the digest that it names now.
async fn pinned(reference: &Reference, source: &dyn crate::source::ArtifactSource) -> Result<Reference, CliError> {
    let found = source.manifest(reference).await?;
    let manifest = found.ok_or_else(|| CliError::Undecided(format!("there is no {reference}")))?;
    Ok(Reference { digest: Some(manifest.descriptor.digest), ..reference.clone() })
}

/// What judged, and as of when.
struct Judging {
    session: Session<TrustPolicy>,
    at: time::OffsetDateTime,
}

/// Judges the artifact as `muster verify` does, and keeps every answer about revocation.
async fn judge(
    trust: &TrustInputArgs,
    place: &Place,
    written: &str,
    target: &Target,
    reference: &Reference,
    sources: &Arc<Sources>,
    console: Console,
) -> Result<(Judging, Judged), CliError> {
    let answers = Record::answers(&place.unfinished);
    let revocation = RevocationArgs { revocation_from: None, revocation_to: Some(answers), no_revocation_cache: false };
    let plugins = PluginArgs { plugin_config: Vec::new(), plugin_timeout: None };
    let session =
        Session::<TrustPolicy>::open(trust, &revocation, &plugins, vec![written.to_owned()], console, |builder| {
            builder
        })?;
    let at = time::OffsetDateTime::parse(&session.header.at, &time::format_description::well_known::Rfc3339)
        .map_err(|_| CliError::Undecided("the time of the judgement cannot be read".to_owned()))?;
    // What a tag names may change at any time: what is copied is what is judged.
    let target = match target {
        Target::Artifact(_) => Target::Artifact(reference.clone()),
        in_files => in_files.clone(),
    };
    let mut audit = session.verifier.audit(Arc::clone(sources), vec![target]);
    let mut judged = None;
    while let Some(result) = audit.next().await {
        judged = judged.or(Some(result).filter(|result| result.part_of.is_none() && result.attached_to.is_none()));
    }
    drop(audit);
    session.programs.stop().await;
    let judged = judged.ok_or_else(|| CliError::Nothing("nothing was judged".to_owned()))?;
    // What is in the way here and now (a plugin that is not installed, content that is not there) is nothing to expect.
    if judged.digest != reference.digest || judged.outcome.verdict == Verdict::Error {
        let failure = judged.outcome.failure.as_ref();
        let why = failure.map(|failure| format!(": {}: {failure}", failure.code)).unwrap_or_default();
        return Err(CliError::Undecided(format!(
            "{} could not be decided, so that there is nothing for a scenario to expect{why}",
            printable(&reference.to_string())
        )));
    }
    Ok((Judging { session, at }, judged))
}

/// Where the scenario is written.
struct Place {
    /// Its folder, once it is finished.
    folder: PathBuf,
    /// Where it is until then: inside of a temporary folder beside it.
    unfinished: PathBuf,
    _around: Folder,
}

impl Place {
    /// The place that the command line names. It is refused where anything is there.
    fn new(import: &ImportArgs, reference: &Reference) -> Result<Place, CliError> {
        let beside = import.to.clone().unwrap_or_else(|| Path::new("scenarios").join("imported"));
        let name = import.name.clone().unwrap_or_else(|| usual_name(reference));
        let folder = beside.join(&name);
        refuse_existing(&folder)?;
        let failed = |error: io::Error| CliError::Usage(format!("{}: {error}", quote(&beside.display().to_string())));
        fs::create_dir_all(&beside).map_err(failed)?;
        let around = Folder::unfinished_in(&beside).map_err(failed)?;
        let unfinished = around.make(Path::new(&name)).map_err(failed)?;
        Ok(Place { folder, unfinished, _around: around })
    }

    /// Gives the folder its name, whole as it is.
    fn finish(&self) -> Result<(), CliError> {
        refuse_existing(&self.folder)?;
        let folder = quote(&self.folder.display().to_string());
        fs::rename(&self.unfinished, &self.folder)
            .map_err(|error| CliError::Undecided(format!("the scenario cannot be put at {folder}: {error}")))
    }
}

fn refuse_existing(folder: &Path) -> Result<(), CliError> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CliError::Usage(format!("{}: {error}", quote(&folder.display().to_string())))),
        Ok(_) => Err(CliError::Usage(format!(
            "{} is there already, and nothing is written over: choose another --name or --to",
            quote(&folder.display().to_string())
        ))),
    }
}

/// The last part of the repository with the tag, or the beginning of the digest.
fn usual_name(reference: &Reference) -> String {
    let path = reference.repository.path();
    let last = path.rsplit('/').next().unwrap_or(path);
    let digest = || reference.digest.map(|digest| digest.hex().chars().take(12).collect::<String>());
    match reference.tag.clone().or_else(digest) {
        Some(tag) => format!("{last}-{tag}"),
        None => last.to_owned(),
    }
}

/// Why there is no scenario.
fn refused(why: NotRecorded, judged: &Judged) -> CliError {
    match why {
        NotRecorded::Failed(message) => CliError::Undecided(message),
        NotRecorded::Otherwise(differences) => {
            let found = differences.iter().map(|difference| {
                let (expected, found) = (&difference.expected, &difference.found);
                format!("{} was {expected}, and is {found} when it is played", difference.what)
            });
            let found: Vec<String> = found.collect();
            CliError::Undecided(format!(
                "what was copied of {} does not come out as it was judged, so nothing is kept: {}",
                printable(&judged.reference),
                found.join("; ")
            ))
        }
    }
}

fn tell(place: &Place, recorded: &Recorded, judged: &Judged, console: Console) {
    let outcome = &judged.outcome;
    let code = outcome.failure.as_ref().filter(|_| outcome.verdict != Verdict::Pass);
    let code = code.map(|failure| format!(" ({})", failure.code)).unwrap_or_default();
    let scenario = Record::scenario(&place.folder);
    console.print(format_args!("{}\n", printable(&scenario.display().to_string())));
    let Recorded { manifests, referrers, left_out } = recorded;
    console.note(format_args!(
        "recorded {} with {manifests} manifests, of which {referrers} refer to others; it expects {}{code}",
        printable(&judged.reference),
        outcome.verdict.as_str()
    ));
    if *left_out > 0 {
        console.note(format_args!(
            "{left_out} layers or other contents were left out, so the scenario is played on embedded registries only"
        ));
    }
}
