//! `muster approve`: an approver looks at what a signer asks for, and agrees or refuses.
//!
//! What is shown first is read from the bytes that the approval signs; what the signer merely says comes after it and is called so.
//! Where both name a digest and the digests differ, nothing is approved. All of it is a stranger's text, and is escaped. The key is a
//! file, and no secret stands in an argument.

mod request;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::{artifact, gateway};
use crate::failure::quote;
use crate::limits;
use crate::named_file;
use crate::pem;
use crate::signer::approver::{Approver, ApproverError, ApproverKey, ApproversBroker, TaskKind};
use crate::signer::{fits_header, forbid_core_dumps, name_of_secret, open_to_others};

use request::Asked;

/// Approve or refuse what a key with approvals is asked to sign
///
/// Shows what the approval is for, and asks before it is given.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ApproveArgs {
    /// Id of the request
    #[arg(value_name = "REQUEST", required_unless_present = "list")]
    request: Option<String>,

    /// PEM file with the approver's private key (RSA, EC or Ed25519, unencrypted), - for standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: PathBuf,

    /// PEM file with the approver's certificate, for brokers that know approvers by it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    certificate: Option<PathBuf>,

    /// Refuse it (with `muster gateway`; the vendor's call is not known)
    #[arg(long, conflicts_with = "list")]
    reject: bool,

    /// Do not ask
    #[arg(short, long, conflicts_with = "list")]
    yes: bool,

    /// List what is asked of this approver, and approve nothing
    #[arg(short, long)]
    list: bool,

    /// Address of the broker [default: http://127.0.0.1:7403, where `muster gateway` listens]
    #[arg(long, value_name = "URL", help_heading = "Broker")]
    url: Option<String>,

    /// File with an API key of approvers
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Broker")]
    api_key_file: Option<PathBuf>,

    /// File with a bearer token
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Broker")]
    token_file: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  muster approve --list --key alice.key
  muster approve 4e8731d8-9c3d-4f5e-8a41-6b1c0a7f2d10 --key alice.key
  muster approve 4e8731d8-9c3d-4f5e-8a41-6b1c0a7f2d10 --key alice.key --reject --yes

Exit codes:
  0    approved, refused or listed
  1    not approved: it was not wanted, it does not count any more, or what is told is not what would be signed
  2    wrong usage, or a key that cannot be used
  3    the broker cannot be asked
  130  interrupted";

/// Looks, asks, and tells the broker.
pub(super) fn run(args: &ApproveArgs) -> Result<Exit, CliError> {
    forbid_core_dumps();
    let console = Console::new(false);
    let key = ApproverKey::open(&args.key).map_err(|error| CliError::Usage(error.to_string()))?;
    key.warnings().iter().for_each(|warning| console.warning(warning));
    let approver = match &args.certificate {
        Some(path) => Approver::with_certificate(key, certificate(path)?),
        None => Approver::new(key),
    };
    let here = format!("http://127.0.0.1:{}", gateway::PORT);
    let mut broker = ApproversBroker::new(args.url.as_deref().unwrap_or(&here)).map_err(broken)?;
    if let Some(path) = &args.api_key_file {
        broker = broker.with_api_key(&secret("API key", path, console)?);
    }
    if let Some(path) = &args.token_file {
        broker = broker.with_bearer(&secret("token", path, console)?);
    }
    artifact::run(async {
        match &args.request {
            Some(request) if !args.list => decide(args, request, &approver, &broker, console).await,
            request => list(request.as_deref(), &approver, &broker, console).await,
        }
    })
}

/// Everything that is asked of the approver, of all requests or of one, and whether there is more.
async fn asked(
    approver: &Approver,
    broker: &ApproversBroker,
    request: Option<&str>,
) -> Result<(Vec<Asked>, bool), CliError> {
    let (mut all, mut more) = (Vec::new(), false);
    for kind in TaskKind::ALL {
        let found = match approver.all_tasks(broker, kind, OffsetDateTime::now_utc(), request).await {
            // Not every broker has keys that are blocked or changed by approvals.
            Err(ApproverError::Refused { status: 404, .. }) if kind != TaskKind::Sign => continue,
            found => found.map_err(broken)?,
        };
        all.extend(found.tasks.into_iter().map(|task| Asked::of(kind, task)));
        more |= found.more;
    }
    Ok((all, more))
}

async fn list(
    request: Option<&str>,
    approver: &Approver,
    broker: &ApproversBroker,
    console: Console,
) -> Result<Exit, CliError> {
    let (asked, more) = asked(approver, broker, request).await?;
    if more {
        console.warning("more is asked of this approver than is listed");
    }
    if asked.is_empty() {
        console.note("nothing is asked of this approver now");
    }
    let text: String = asked.iter().map(Asked::line).collect();
    console.print(text);
    Ok(Exit::Success)
}

async fn decide(
    args: &ApproveArgs,
    request: &str,
    approver: &Approver,
    broker: &ApproversBroker,
    console: Console,
) -> Result<Exit, CliError> {
    let (asked, _) = asked(approver, broker, Some(request)).await?;
    if asked.len() > 1 {
        return Err(CliError::Failed(format!(
            "the broker gives {} tasks about the request {}, where there can be one: nothing is approved",
            asked.len(),
            quote(request)
        )));
    }
    let [asked] = asked.as_slice() else {
        return Err(CliError::Failed(format!(
            "nothing is asked of this approver about the request {}: it has ended, they have approved or refused already, or \
             the rule does not list their key",
            quote(request)
        )));
    };
    if !asked.is_of(request) {
        return Err(CliError::Failed(format!(
            "the broker gives a task of another request than {}, and nothing is approved",
            quote(request)
        )));
    }
    console.print(asked.text());
    if !args.reject
        && let Some(contradiction) = asked.contradiction()
    {
        return Err(CliError::Failed(format!("{contradiction}: nothing is approved")));
    }
    if !args.yes && !confirmed(args.reject)? {
        return Err(CliError::Failed(if args.reject { "not refused" } else { "not approved" }.to_owned()));
    }
    let told = if args.reject {
        approver.reject(broker, asked.task()).await
    } else {
        approver.approve(broker, asked.task()).await
    };
    told.map_err(|error| match error {
        ApproverError::Refused { status: 400..=499, .. } => CliError::Failed(error.to_string()),
        error => broken(error),
    })?;
    console.print(if args.reject { "Refused.\n" } else { "Approved.\n" });
    Ok(Exit::Success)
}

/// Asks who sits at the terminal.
fn confirmed(reject: bool) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage("there is no terminal to be asked at: add --yes to answer beforehand".to_owned()));
    }
    let _ = write!(anstream::stderr(), "{} it? [y/N] ", if reject { "Refuse" } else { "Approve" });
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn broken(error: ApproverError) -> CliError {
    match error {
        ApproverError::Key(_) | ApproverError::Address(_) => CliError::Usage(error.to_string()),
        error => CliError::Undecided(error.to_string()),
    }
}

fn secret(what: &str, path: &std::path::Path, console: Console) -> Result<Zeroizing<String>, CliError> {
    let name = name_of_secret(path);
    let file = named_file::read(path, limits::GATEWAY_SECRETS_BYTES)
        .map_err(|problem| CliError::Usage(format!("the file of the {what} {name} {problem}")))?;
    if file.open_to_others {
        console.warning(open_to_others(&format!("file of the {what} {name}")));
    }
    let text = std::str::from_utf8(&file.bytes).ok().map(str::trim);
    text.filter(|text| fits_header(text))
        .map(|text| Zeroizing::new(text.to_owned()))
        .ok_or_else(|| CliError::Usage(format!("the file of the {what} {name} does not hold one on a line")))
}

fn certificate(path: &std::path::Path) -> Result<Vec<u8>, CliError> {
    let name = quote(&path.display().to_string());
    let wrong = |reason: String| CliError::Usage(format!("the certificate {name} {reason}"));
    let file = named_file::read(path, limits::TRUST_STORE_FILE_BYTES).map_err(|problem| wrong(problem.to_string()))?;
    let blocks = pem::blocks(&file.bytes).map_err(wrong)?;
    let block = blocks.iter().find(|block| block.label == "CERTIFICATE");
    let block = block.ok_or_else(|| wrong("holds no certificate in PEM".to_owned()))?;
    Ok(block.content().map_err(wrong)?.to_vec())
}
