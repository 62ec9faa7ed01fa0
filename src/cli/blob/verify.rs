//! `muster blob verify`: the gate for files, a stand-in for `notation blob verify`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};

use super::detached;
use crate::audit::{BlobRequest, Judged};
use crate::cli::args::{OutputArgs, RevocationArgs, TrustInputArgs, parse_pair};
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::plugins::PluginArgs;
use crate::cli::session::{self, Session};
use crate::cli::verify::{NotationOutput, user_metadata};
use crate::cli::{artifact, interrupt};
use crate::digest::Digest;
use crate::envelope::Format;
use crate::report::v1::{Artifact, Subject};
use crate::report::{Outputs, Problem};

/// Verify a file by its signature, as `notation blob verify` does
///
/// Says on standard output whether the file is verified and on standard error why it is not.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
#[command(mut_arg("policy", |arg| arg.help("Trust policy for blobs [default: trustpolicy.blob.json in the configuration]")))]
pub(in crate::cli) struct BlobVerifyArgs {
    /// The file to be verified
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: PathBuf,

    /// The file with its signature
    #[arg(long, value_name = "SIGNATURE", value_hint = ValueHint::FilePath)]
    signature: PathBuf,

    /// Format of the signature [default: by the file's name, which ends in .jws.sig or .cose.sig]
    #[arg(long, value_name = "FORMAT")]
    signature_format: Option<Format>,

    /// Require that the file was signed as this media type
    #[arg(long, value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    media_type: Option<String>,

    /// Require that the signature carries this metadata
    #[arg(short = 'm', long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    user_metadata: Vec<(String, String)>,

    #[command(flatten)]
    trust: BlobTrustArgs,

    #[command(flatten)]
    plugins: PluginArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// Tell every validation on standard error
    #[arg(short, long, help_heading = "Output")]
    verbose: bool,

    /// Like --verbose, and tell by what is judged
    #[arg(short, long, help_heading = "Output")]
    debug: bool,
}

/// What judges a blob.
#[derive(Debug, Args)]
#[command(next_help_heading = "Trust")]
struct BlobTrustArgs {
    /// Name of the statement that is to judge [default: the statement with globalPolicy]
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    policy_name: Option<String>,

    #[command(flatten)]
    inputs: TrustInputArgs,

    #[command(flatten)]
    revocation: RevocationArgs,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster blob verify --signature net-monitor.tar.gz.jws.sig net-monitor.tar.gz
  muster blob verify --policy-name releases --media-type application/gzip \\
      --signature net-monitor.tar.gz.cose.sig net-monitor.tar.gz
";
    format!("{examples}\n{}", Exit::help())
}

/// Reads the name of a statement. A blank name is refused: no statement has one, and it does not mean the default.
fn parse_name(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("expected the name of a statement") } else { Ok(text.to_owned()) }
}

/// Verifies.
pub(super) fn run(args: BlobVerifyArgs) -> Result<Exit, CliError> {
    let console = Console::new(args.output.quiet);
    let verbose = args.verbose || args.debug;
    let name = args.blob.display().to_string();
    let format = detached::format(&args.signature, args.signature_format).map_err(CliError::Usage)?;
    let user_metadata = user_metadata(&args.user_metadata).map_err(CliError::Usage)?;
    let BlobTrustArgs { policy_name, inputs, revocation } = args.trust;
    let session = Session::open(&inputs, &revocation, &args.plugins, vec![name.clone()], console, |builder| {
        builder.user_metadata(user_metadata)
    })?;
    if args.debug {
        session::print_trust_inputs(&session.header, console);
    }
    let mut request = BlobRequest::new(args.blob, args.signature, format);
    request.media_type = args.media_type;
    request.statement = policy_name;
    let mut outputs = Outputs::open(args.output.output, Console::look())?;
    let (mut finished, mut partial) = (Ok(()), false);
    let judging = async {
        let verified = session.verifier.verify_blob(request);
        let Some((outcome, evidence)) = interrupt::stop_on_signal(verified, session.programs.stop()).await else {
            partial = true;
            finished = outputs.begin(&session.header);
            return Ok::<_, CliError>(());
        };
        session.programs.stop().await;
        let digest = evidence.map(|evidence| evidence.digest);
        // Without a digest it is called by its path, as notation calls it.
        let judged = Judged::of_blob(name, outcome);
        let stdout_is_free = !outputs.use_stdout();
        let output = NotationOutput { console, judged: &judged, by_tag: false, layout: None, stdout_is_free };
        if verbose {
            output.print_signatures();
        }
        output.print_result();
        // Also where no report could be begun: the exit code follows from what was counted.
        let begun = outputs.begin(&session.header);
        finished = begun.and(outputs.artifact(&reported(&judged, digest)));
        Ok(())
    };
    let judged = artifact::run(judging);
    session.print_warnings(console);
    judged?;
    let (summary, ended) = outputs.end(1, partial);
    match finished.and(ended) {
        Ok(()) | Err(Problem::Closed) => Ok(Exit::of(&summary)),
        Err(problem) => Err(problem.into()),
    }
}

/// What a report says of the blob: its path with its digest.
fn reported(judged: &Judged, digest: Option<Digest>) -> Artifact<'_> {
    let subject = Subject {
        artifact: digest.map(|digest| format!("{}@{digest}", judged.reference).into()),
        ..Subject::called(judged.reference.as_str())
    };
    Artifact::new(subject, &judged.outcome)
}
