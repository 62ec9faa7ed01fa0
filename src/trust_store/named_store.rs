//! One named store: certificates that are trusted as they are, byte for byte.
//!
//! Follows *trust-store-trust-policy*, Trust Store: each certificate is a certificate authority or signed by itself; in a
//! `tsa` store each is the root of a chain. Whether a certificate is valid now is not asked here.

use std::collections::HashSet;
use std::path::Path;

use super::name::{StoreName, StoreType};
use super::problem::StoreProblem;
use super::{certificate_file, directory};
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::failure::quote;
use crate::pki::Certificate;
use crate::{limits, named_file};

/// The certificates of a store, at least one, each once.
#[derive(Debug, Clone)]
pub struct NamedStore {
    certificates: Vec<Certificate>,
    ders: HashSet<Box<[u8]>>,
}

impl NamedStore {
    /// A store of `certificates`; one that is there twice is kept once.
    ///
    /// # Errors
    /// If there is none, or one that does not belong into a store of `kind`.
    pub(super) fn new(kind: StoreType, certificates: Vec<Certificate>) -> Result<NamedStore, StoreProblem> {
        if certificates.is_empty() {
            return Err(StoreProblem::invalid("it holds no certificate".to_owned()));
        }
        if let Some(reason) = certificates.iter().find_map(|certificate| misfit(kind, certificate)) {
            return Err(StoreProblem::invalid(reason));
        }
        let mut store = NamedStore { certificates: Vec::new(), ders: HashSet::new() };
        for certificate in certificates {
            if store.ders.insert(certificate.der().into()) {
                store.certificates.push(certificate);
            }
        }
        Ok(store)
    }

    /// The certificates of one file that a user named, by the rules that hold for stores of `kind`. It may be a link or a pipe.
    ///
    /// # Errors
    /// The reason why the store cannot be used; the sentence names the file.
    pub fn from_file(kind: StoreType, path: &Path) -> Result<NamedStore, StoreProblem> {
        let told = |reason: &str| format!("the file {} {reason}", quote(&path.display().to_string()));
        let refused = |reason: &str| StoreProblem::invalid(told(reason));
        let file = named_file::read(path, limits::TRUST_STORE_FILE_BYTES)
            .map_err(|problem| StoreProblem::of_file(told(&problem.to_string()), &problem))?;
        let certificates = certificate_file::certificates(&file.bytes).map_err(|reason| refused(&reason))?;
        if let Some(reason) = certificates.iter().find_map(|certificate| misfit(kind, certificate)) {
            return Err(refused(&format!("cannot be used: {reason}")));
        }
        NamedStore::new(kind, certificates)
    }

    /// The certificates of the store `name` in a folder of any name, by the rules that hold for stores. No link in it is
    /// followed; what is passed over is told to `warnings`.
    ///
    /// # Errors
    /// The reason why the store cannot be used; the sentence names the file.
    pub fn from_folder(
        name: &StoreName,
        folder: &Path,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<NamedStore, StoreProblem> {
        directory::read(folder, name, warnings)
    }

    /// Whether this very certificate is in the store.
    pub fn contains(&self, der: &[u8]) -> bool {
        self.ders.contains(der)
    }

    /// The certificates.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The digests of the certificates, in an order that does not depend on the files.
    pub(super) fn digests(&self) -> Vec<Digest> {
        let mut digests: Vec<_> =
            self.certificates.iter().map(|certificate| Digest::sha256(certificate.der())).collect();
        digests.sort_unstable();
        digests
    }
}

/// Why a certificate does not belong into a store of `kind`, as a sentence.
pub(super) fn misfit(kind: StoreType, certificate: &Certificate) -> Option<String> {
    let subject = quote(certificate.subject_text());
    match kind {
        StoreType::Ca | StoreType::SigningAuthority => (!certificate.is_ca() && !certificate.signed_by_itself())
            .then(|| format!("the certificate {subject} is neither a certificate authority nor signed by itself")),
        StoreType::Tsa => certificate
            .check_issued_by(certificate)
            .err()
            .map(|failure| format!("the certificate {subject} is not a root, as a tsa store demands: {failure}")),
    }
}
