//! The files of certificates that the user names for TLS: authorities that are trusted besides the system's own, and the
//! certificate that Muster shows to a registry that wants one.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, Identity};
use zeroize::Zeroizing;

use crate::failure::quote;
use crate::limits;
use crate::pem;
use crate::regular_file::{self, FileProblem};
use crate::trouble::{Trouble, TroubleKind};

use super::credentials::Server;
use super::{RegistryOptions, certificate_folders};

/// The certificate of a client with its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and behind it those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key, not encrypted. It may be the same file.
    pub key: PathBuf,
}

/// What TLS is set up with for one registry.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    pub(super) authorities: Vec<Certificate>,
    pub(super) client: Option<(ClientCertificate, Identity)>,
    /// Files of folders that this user may not read.
    pub(super) unreadable: Vec<PathBuf>,
}

/// Reads the files that `options` name, and those for `server` in the folders of docker and podman where `folders` says so. A
/// file that is named and cannot be used is trouble: without it the user would not know why TLS fails.
pub(super) fn load(server: &Server, options: &RegistryOptions, folders: bool) -> Result<Certificates, Trouble> {
    let mut found = Certificates::default();
    let mut client = options.client_certificate.clone();
    let mut files = options.ca_files.clone();
    if folders {
        let here = certificate_folders::of(server, &options.certificate_folders)?;
        files.extend(here.authorities);
        client = client.or(here.client);
        found.unreadable = here.unreadable;
    }
    for file in &files {
        found.authorities.extend(authorities(file)?);
    }
    if let Some(client) = client {
        let identity = identity(&client)?;
        found.client = Some((client, identity));
    }
    Ok(found)
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, Trouble> {
    let found = Certificate::from_pem_bundle(&read(file)?).map_err(|_| unusable(file, "is not PEM"))?;
    if found.is_empty() { Err(unusable(file, "holds no certificate")) } else { Ok(found) }
}

fn identity(client: &ClientCertificate) -> Result<Identity, Trouble> {
    let (certificate, key) = (read(&client.certificate)?, read(&client.key)?);
    let blocks = |file: &Path, bytes: &[u8]| pem::blocks(bytes).map_err(|why| unusable(file, &why));
    if !blocks(&client.certificate, &certificate)?.iter().any(|block| block.label == "CERTIFICATE") {
        return Err(unusable(&client.certificate, "holds no certificate"));
    }
    let keys = blocks(&client.key, &key)?;
    let Some(block) = keys.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
        return Err(unusable(&client.key, "holds no private key"));
    };
    if block.has_headers() || block.label.starts_with("ENCRYPTED") {
        return Err(unusable(&client.key, "is encrypted: the key is needed without a passphrase"));
    }
    let mut both = Zeroizing::new(Vec::with_capacity(certificate.len() + key.len() + 1));
    both.extend_from_slice(&certificate);
    if client.key != client.certificate {
        both.push(b'\n');
        both.extend_from_slice(&key);
    }
    Identity::from_pem(&both).map_err(|_| unusable(&client.key, "is no key for a client certificate"))
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let read = regular_file::read_linked(file, limits::TRUST_STORE_FILE_BYTES);
    read.map(Zeroizing::new).map_err(|problem: FileProblem| unusable(file, &problem.to_string()))
}

/// `why` goes on after the file's name.
pub(super) fn unusable(file: &Path, why: &str) -> Trouble {
    let message = format!("TLS cannot be set up: the file {} {why}", quote(&file.to_string_lossy()));
    Trouble::new(TroubleKind::FileUnusable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(label: &str, bytes: &[u8]) -> String {
        use base64::Engine as _;
        let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    }

    #[test]
    fn says_which_file_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        // Only looked into when a connection is made.
        let certificate = path("certificate", &pem("CERTIFICATE", b"x"));
        let empty = path("empty", "nothing here\n");
        let encrypted = path("encrypted", &pem("ENCRYPTED PRIVATE KEY", b"x"));
        let traditional = path(
            "traditional",
            "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA\n-----END EC PRIVATE KEY-----\n",
        );
        let absent = folder.path().join("absent");
        let client = |certificate: &Path, key: &Path| ClientCertificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let server = Server::new("a.io", 443);
        for (ca_files, client, wrong, why) in [
            (vec![empty.clone()], None, &empty, "holds no certificate"),
            (vec![folder.path().to_owned()], None, &folder.path().to_owned(), "not a regular file"),
            (vec![absent.clone()], None, &absent, "does not exist"),
            (vec![], Some(client(&empty, &empty)), &empty, "holds no certificate"),
            (vec![], Some(client(&certificate, &certificate)), &certificate, "holds no private key"),
            (vec![], Some(client(&certificate, &encrypted)), &encrypted, "without a passphrase"),
            (vec![], Some(client(&certificate, &traditional)), &traditional, "without a passphrase"),
        ] {
            let options = RegistryOptions { ca_files, client_certificate: client, ..RegistryOptions::default() };
            let trouble = load(&server, &options, false).unwrap_err();
            assert!(trouble.message.contains(&*wrong.to_string_lossy()) && trouble.message.contains(why), "{trouble}");
            assert_eq!(trouble.kind, TroubleKind::FileUnusable);
        }
        let options = RegistryOptions { ca_files: vec![certificate], ..RegistryOptions::default() };
        assert_eq!(load(&server, &options, false).unwrap().authorities.len(), 1);
    }
}
