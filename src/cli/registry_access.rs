//! How registries are reached: the registry options of a command line, checked.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::args::{AccessArgs, PatienceArgs};
use super::config_folder::ConfigFolder;
use crate::audit::Target;
use crate::failure::quote;
use crate::regular_file;
use crate::source::registry::{
    ClientCertificate, CredentialFiles, Credentials, Protocol, Rates, RegistryOptions, Secret, Timings,
};

/// The longest password read from standard input, in bytes.
const PASSWORD_BYTES: u64 = 64 << 10;

/// Reads `args` for a run over `targets` with `jobs` in work at a time; `config` is the folder of notation's configuration that
/// was named, and `stdin` is what `--password-stdin` reads. Fails with what is wrong.
pub(super) fn options(
    args: &AccessArgs,
    config: Option<&Path>,
    jobs: usize,
    targets: &[Target],
    stdin: impl Read,
) -> Result<RegistryOptions, String> {
    let hosts: BTreeSet<&str> = targets.iter().filter_map(Target::host).collect();
    let config = ConfigFolder::here(config).ok();
    let typed = credentials(args, stdin)?;
    // What the user types in is meant for one registry, and no other gets to see it.
    if typed.is_some() && hosts.len() > 1 {
        let hosts = Vec::from_iter(hosts).join(", ");
        return Err(format!(
            "a password on the command line or in NOTATION_PASSWORD is for one registry, but the targets are in several \
             ({hosts}); log in to them with docker, podman or notation login instead"
        ));
    }
    let files = [("--ca-file", &args.ca_file), ("--cert-file", &args.cert_file), ("--key-file", &args.key_file)];
    for (flag, file) in files.into_iter().filter_map(|(flag, file)| Some((flag, file.as_ref()?))) {
        // Opened again where it is read: this only says early what is wrong.
        regular_file::open_linked(file)
            .map_err(|problem| format!("{flag}: the file {} {problem}", quote(&file.display().to_string())))?;
    }
    let plain_http_hosts = match &config {
        Some(config) if !hosts.is_empty() => config.insecure_registries()?,
        _ => Vec::new(),
    };
    let stored = || Credentials::Stored(CredentialFiles::of_user(config.as_ref().map(ConfigFolder::path)));
    let client = args.cert_file.clone().zip(args.key_file.clone());
    Ok(RegistryOptions {
        protocol: if args.plain_http { Protocol::PlainHttp } else { Protocol::default() },
        plain_http_hosts,
        ca_files: args.ca_file.iter().cloned().collect(),
        client_certificate: client.map(|(certificate, key)| ClientCertificate { certificate, key }),
        credentials: typed.unwrap_or_else(stored),
        requests_per_host: jobs,
        timings: timings(&args.patience),
        rates: rates(&args.patience),
        ..RegistryOptions::default()
    })
}

fn timings(args: &PatienceArgs) -> Timings {
    let usual = Timings::default();
    let Some(idle) = args.timeout else { return Timings { retries: args.retries.unwrap_or(usual.retries), ..usual } };
    Timings {
        connect: usual.connect.min(idle),
        idle,
        request: usual.request.max(idle),
        retries: args.retries.unwrap_or(usual.retries),
        ..usual
    }
}

fn rates(args: &PatienceArgs) -> Rates {
    let mut rates = Rates::default();
    for (host, rate) in &args.rate {
        rates.add(host.as_deref(), *rate);
    }
    rates
}

/// The credentials on the command line, if there are any.
fn credentials(args: &AccessArgs, stdin: impl Read) -> Result<Option<Credentials>, String> {
    let password = if args.password_stdin { Some(read_password(stdin)?) } else { args.password.clone() };
    let user = args.username.clone().filter(|user| !user.is_empty());
    match (user, password.filter(|password| !password.0.is_empty())) {
        (Some(user), Some(password)) => Ok(Some(Credentials::Password { user, password: Secret::new(password.0) })),
        (Some(_), None) => {
            Err("a password belongs to --username: set NOTATION_PASSWORD, or use --password-stdin".to_owned())
        }
        (None, Some(token)) => Ok(Some(Credentials::IdentityToken(Secret::new(token.0)))),
        (None, None) => Ok(None),
    }
}

fn read_password(stdin: impl Read) -> Result<super::args::Secret, String> {
    let mut line = Vec::new();
    let read = BufReader::new(stdin.take(PASSWORD_BYTES)).read_until(b'\n', &mut line);
    read.map_err(|error| format!("cannot read the password from standard input: {error}"))?;
    let line = String::from_utf8(line).map_err(|_| "the password on standard input is not UTF-8".to_owned())?;
    Ok(super::args::Secret(line.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::args::Secret as Given;
    use crate::cli::target;

    fn args(username: Option<&str>, password: Option<&str>, password_stdin: bool) -> AccessArgs {
        AccessArgs {
            username: username.map(str::to_owned),
            password: password.map(|text| Given(text.to_owned())),
            password_stdin,
            plain_http: false,
            ca_file: None,
            cert_file: None,
            key_file: None,
            patience: PatienceArgs::default(),
        }
    }

    fn read_with(args: &AccessArgs, config: &Path, targets: &[&str], stdin: &str) -> Result<RegistryOptions, String> {
        let targets: Vec<_> = targets.iter().map(|text| target::parse(text).unwrap()).collect();
        options(args, Some(config), 4, &targets, stdin.as_bytes())
    }

    fn read(args: &AccessArgs, targets: &[&str], stdin: &str) -> Result<Credentials, String> {
        read_with(args, Path::new("absent"), targets, stdin).map(|options| options.credentials)
    }

    fn stored() -> Result<Credentials, String> {
        Ok(Credentials::Stored(CredentialFiles::of_user(Some(Path::new("absent")))))
    }

    #[test]
    fn r19_registries_without_tls_are_those_of_notation() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("config.json"), text).unwrap();
        let read = |targets: &[&str]| {
            let options = read_with(&args(None, None, false), folder.path(), targets, "")?;
            Ok::<_, String>(options.plain_http_hosts)
        };
        write(r#"{"insecureRegistries":["a.io:5000","B.io."],"signatureFormat":"jws"}"#);
        assert_eq!(read(&["a.io:5000/b"]).unwrap(), ["a.io:5000", "b.io"]);
        write("{}");
        assert!(read(&["a.io/b"]).unwrap().is_empty());
        write("{");
        assert!(read(&["a.io/b"]).unwrap_err().contains("config.json"));
        // No registry, no matter.
        assert!(read(&["oci:d"]).unwrap().is_empty());
    }

    #[test]
    fn credentials_are_those_of_notation() {
        let password = |password| Ok(Credentials::Password { user: "u".to_owned(), password: Secret::new(password) });
        let token = Ok(Credentials::IdentityToken(Secret::new("t")));
        assert_eq!(read(&args(None, None, false), &[], ""), stored());
        assert_eq!(read(&args(Some(""), Some(""), false), &[], ""), stored());
        assert_eq!(read(&args(Some("u"), Some("p q"), false), &[], ""), password("p q"));
        assert_eq!(read(&args(Some("u"), None, true), &[], "p q \r\nrest"), password("p q "));
        assert_eq!(read(&args(Some("u"), Some("x"), true), &[], "p"), password("p"));
        assert_eq!(read(&args(None, Some("t"), false), &[], ""), token);
        assert!(read(&args(Some("u"), None, false), &[], "").unwrap_err().contains("NOTATION_PASSWORD"));
        assert!(read(&args(Some("u"), None, true), &[], "\n").unwrap_err().contains("NOTATION_PASSWORD"));
    }

    #[test]
    fn a_typed_password_goes_to_one_registry_only() {
        let typed = args(Some("u"), Some("hunter2"), false);
        assert!(read(&typed, &["a.io/b", "a.io/c:v1", "a.io", "oci:d"], "").is_ok());
        let refused = read(&typed, &["a.io/b", "b.io"], "").unwrap_err();
        assert!(refused.contains("a.io, b.io") && !refused.contains("hunter2"), "{refused}");
        assert!(read(&args(None, None, false), &["a.io/b", "b.io"], "").is_ok());
    }
    #[test]
    fn patience_is_what_the_user_says() {
        let patience = |retries, timeout: Option<u64>| {
            timings(&PatienceArgs { retries, timeout: timeout.map(Duration::from_secs), rate: Vec::new() })
        };
        let usual = Timings::default();
        assert_eq!(patience(None, None), usual);
        assert_eq!(patience(Some(0), None), Timings { retries: 0, ..usual });
        let five = Duration::from_secs(5);
        assert_eq!(patience(None, Some(5)), Timings { connect: five, idle: five, ..usual });
        let long = Duration::from_secs(600);
        assert_eq!(patience(Some(9), Some(600)), Timings { idle: long, request: long, retries: 9, ..usual });
    }
}
