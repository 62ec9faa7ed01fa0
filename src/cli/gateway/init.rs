//! `muster gateway init`: everything that trying approvals by hand needs, in one folder.
//!
//! The folder is one of notation's configuration (`--config`): a list of keys, a trust policy and a trust store, so that signing and
//! verifying need nothing else. Besides there are the gateway's key with its certificates and policy, and a key for each approver.
//! Nothing that is there is replaced.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::plugins::parse_time;
use crate::failure::quote;
use crate::forge::{Authority, ForgeError, Key, KeyKind, LeafRequest, pem};
use crate::json;
use crate::limits;
use crate::report::printable;
use crate::signer::pkcs11::uri::percent_encoded;
use crate::tsb::{ApprovalRule, Approver, ApproverGroup, KeyPolicy, PolicyToken};

/// The label of the key, and its name in `signingkeys.json`.
pub(super) const LABEL: &str = "release";
/// The file of the gateway's key.
pub(super) const KEY: &str = "release.key";
/// The file of its certificates.
pub(super) const CHAIN: &str = "release.crt";
/// The file of its policy.
pub(super) const POLICY: &str = "policy.json";
/// The folder of approvers' keys.
const APPROVERS: &str = "approvers";
/// Whom the certificate names.
const SUBJECT: &str = "C=US, ST=WA, O=example.org, CN=release";

/// Make a folder with a key, approvers and a policy for `muster gateway`
///
/// The folder holds keys and certificates for trying, a trust store and a trust policy for `muster verify --config DIR`, and an
/// entry for `muster sign --config DIR`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder, which is made
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    folder: PathBuf,

    /// Names of the approvers, who are given a key each
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "alice,bob,carol")]
    approvers: Vec<String>,

    /// How many of them have to agree
    #[arg(long, value_name = "N", default_value_t = 2)]
    quorum: u32,

    /// How long they may take, in whole minutes
    #[arg(long, value_name = "DURATION", value_parser = parse_time, default_value = "1h")]
    timeout: Duration,

    /// Port at which the gateway will listen
    #[arg(long, value_name = "PORT", default_value_t = super::PORT)]
    port: u16,
}

/// Makes the folder.
pub(super) fn run(args: &InitArgs, console: Console) -> Result<Exit, CliError> {
    check(args).map_err(CliError::Usage)?;
    let folder = &args.folder;
    let failed = |error: &dyn std::fmt::Display| {
        CliError::Undecided(format!("the folder {} cannot be made: {error}", quote(&folder.display().to_string())))
    };
    fs::create_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CliError::Usage(format!(
            "{} exists already, and nothing in it is replaced: name a folder that does not",
            quote(&folder.display().to_string())
        )),
        _ => failed(&error),
    })?;
    let files = files(args).map_err(|error| failed(&error))?;
    for (path, content) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(&error))?;
        }
        write(&path, content).map_err(|error| failed(&error))?;
    }
    let list = key_list(args).map_err(|error| failed(&error))?;
    write(&folder.join("signingkeys.json"), &list).map_err(|error| failed(&error))?;
    let shown = printable(&folder.display().to_string()).to_string();
    console.print(format_args!(
        "Made {shown}: the key {LABEL}, of which {} of {} approve signatures, and a trust policy that trusts it.\n\
         Start its gateway:  muster gateway {shown}{}\n",
        args.quorum,
        args.approvers.join(", "),
        if args.port == super::PORT { String::new() } else { format!(" --port {}", args.port) }
    ));
    Ok(Exit::Success)
}

fn check(args: &InitArgs) -> Result<(), String> {
    let plain = |name: &String| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=64).contains(&name.len()) && !name.starts_with(['.', '-']) && name.bytes().all(fits)
    };
    if let Some(name) = args.approvers.iter().find(|name| !plain(name)) {
        return Err(format!("the approver {} needs a name of letters, digits, '-', '_' and '.'", quote(name)));
    }
    let mut names = args.approvers.clone();
    names.sort_unstable();
    names.dedup();
    let count = names.len();
    if count != args.approvers.len() {
        return Err("two approvers have the same name".to_owned());
    }
    if !(1..=100).contains(&count) || args.quorum == 0 || args.quorum as usize > count {
        return Err(format!("of {count} approvers between 1 and {} can have to agree", count.min(100)));
    }
    if args.port == 0 {
        return Err("the port is written into the folder, so that it has to be one: 1 to 65535".to_owned());
    }
    if !args.timeout.as_secs().is_multiple_of(60) || args.timeout.subsec_nanos() > 0 {
        return Err("the timeout has to be whole minutes, as 1h or 30m".to_owned());
    }
    if args.timeout.as_secs() > limits::GATEWAY_LONGEST_TIMEOUT {
        return Err(format!("the timeout may be {} days at most", limits::GATEWAY_LONGEST_TIMEOUT / 86_400));
    }
    Ok(())
}

/// All files but those that depend on where the folder is.
fn files(args: &InitArgs) -> Result<Vec<(PathBuf, Vec<u8>)>, ForgeError> {
    let mut files = Vec::new();
    let mut approvals = Vec::new();
    for name in &args.approvers {
        let key = Key::generate(KeyKind::P256)?;
        files.push((Path::new(APPROVERS).join(format!("{name}.key")), pem("PRIVATE KEY", &key.pkcs8()?)));
        let value = STANDARD.encode(key.public_key());
        approvals.push(Approver::PublicKey { name: Some(name.clone()), value });
    }
    let group = ApproverGroup { name: "approvers".to_owned(), quorum: args.quorum, approvals };
    let token =
        PolicyToken { name: LABEL.to_owned(), timelock: 0, timeout: args.timeout.as_secs(), groups: vec![group] };
    // A rule that is left out needs no approval: every client could give the key a policy without approvals.
    let rule = Some(ApprovalRule { tokens: vec![token] });
    let policy =
        KeyPolicy { rule_use: rule.clone(), rule_unblock: rule.clone(), rule_modify: rule, ..KeyPolicy::default() };
    files.push((POLICY.into(), written(&policy)));
    let root =
        Authority::root("C=US, ST=WA, O=example.org, CN=Root of a gateway for trying", Key::generate(KeyKind::P256)?)?;
    let key = Key::generate(KeyKind::P256)?;
    let signer = root.issue(LeafRequest::new(SUBJECT, key.clone())?)?;
    files.push((KEY.into(), pem("PRIVATE KEY", &key.pkcs8()?)));
    files.push((CHAIN.into(), signer.chain.iter().flat_map(|der| pem("CERTIFICATE", der)).collect()));
    let store = Path::new("truststore/x509/ca").join(LABEL).join("root.crt");
    files.push((store, pem("CERTIFICATE", root.certificate())));
    let policy = json!({"version": "1.0", "trustPolicies": [{
        "name": LABEL, "registryScopes": ["*"], "signatureVerification": {"level": "strict"},
        "trustStores": [format!("ca:{LABEL}")], "trustedIdentities": [format!("x509.subject: {SUBJECT}")],
    }]});
    files.push(("trustpolicy.json".into(), written(&policy)));
    Ok(files)
}

/// `signingkeys.json`, which names files by their whole paths: it may be used from any folder.
fn key_list(args: &InitArgs) -> io::Result<Vec<u8>> {
    let folder = args.folder.canonicalize()?;
    let place = |name: &str| folder.join(name).display().to_string();
    let uri = format!(
        "tsb:{LABEL}?url=http://127.0.0.1:{}&approvers={}",
        args.port,
        percent_encoded(place(POLICY).as_bytes())
    );
    let list = json!({"default": LABEL, "keys": [{"name": LABEL, "keyPath": uri, "certPath": place(CHAIN)}]});
    Ok(written(&list))
}

/// Makes a file, and a key readable by its owner alone from its first moment.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "key") {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(content)
}

fn written(content: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Into memory, and every map has texts for keys: it cannot fail.
    let _ = json::to_writer_pretty(&mut bytes, content);
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::tsb::TsbSettings;

    #[test]
    fn a_label_is_read_back_as_it_was() {
        for label in ["release", "a b?c'd%+/\u{e9}&", "%41"] {
            let uri = format!("tsb:{}?url=http://127.0.0.1:1", percent_encoded(label.as_bytes()));
            assert!(!uri.contains([' ', '\'']), "{uri}");
            assert_eq!(TsbSettings::from_uri(&uri).unwrap().key, label);
        }
    }
}
