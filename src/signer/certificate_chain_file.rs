//! The certificates that go with a key: PEM, the signer's own first, then each the issuer of the one before it.
//!
//! Follows *signature-specification*, Certificate Chain, and the reference implementation in that a private key may stand in
//! the same file, wherever in it; it is passed over. Other blocks are refused, since a chain without them would be another than
//! the one that was meant. It is checked here that the chain belongs to the key; whether it
//! may sign code is for [`crate::pki::Chain`] to say.

use std::path::Path;

use super::foreign::{self, Named, Wanted};
use super::{SignerError, VerifyingKey, secret_file};
use crate::limits;
use crate::pem::Block;
use crate::pki::Certificate;

/// A chain that was read from a file.
#[derive(Debug, Clone)]
pub struct CertificateChainFile {
    /// The name of the file, quoted.
    file: String,
    certificates: Vec<Certificate>,
}

impl CertificateChainFile {
    /// Reads the chain: from the file or the pipe that `path` leads to, and for `-` from standard input.
    ///
    /// # Errors
    ///
    /// [`SignerError::Chain`] if there is no such file, or it holds no certificate, too many, or anything else but a key.
    pub fn load(path: &Path) -> Result<CertificateChainFile, SignerError> {
        let (file, named) = (secret_file::name(path), Named::new(path));
        let refused = |reason: String| SignerError::Chain { file: file.clone(), reason };
        let read = secret_file::read_or_standard_input(path, limits::CHAIN_FILE_BYTES);
        let read = read.map_err(|problem| refused(problem.to_string()))?;
        let certificates = certificates(&read.bytes, &named).map_err(refused)?;
        Ok(CertificateChainFile { file, certificates })
    }

    /// Checks that the chain at `path` is not in the pipe from which `key` is to be read.
    ///
    /// # Errors
    ///
    /// [`SignerError::Chain`] if it is.
    pub fn check_apart(path: &Path, key: &Path) -> Result<(), SignerError> {
        if !secret_file::is_one_pipe(path, key) {
            return Ok(());
        }
        let reason = "is the pipe from which the key is read, and a pipe is read once: write it to a file that only you can \
                      read, and name that for both";
        Err(SignerError::Chain { file: secret_file::name(path), reason: reason.to_owned() })
    }

    /// The certificates, at least one, the signer's own first.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Checks that the first certificate is for `key`.
    ///
    /// # Errors
    ///
    /// [`SignerError::Chain`] if it is not.
    pub fn check_belongs_to(&self, key: &VerifyingKey) -> Result<(), SignerError> {
        let holds = |certificate: &&Certificate| certificate.subject_key() == key.subject_key();
        if self.certificates.first().is_some_and(|leaf| holds(&leaf)) {
            return Ok(());
        }
        let reason = match self.certificates.iter().position(|certificate| holds(&certificate)) {
            Some(position) => format!(
                "has the signer's certificate in the place {}: put it first, and after each its issuer, the root last",
                position + 1
            ),
            None => "has no certificate for the key that signs: name the chain that was issued for this key".to_owned(),
        };
        Err(SignerError::Chain { file: self.file.clone(), reason })
    }
}

fn certificates(bytes: &[u8], named: &Named) -> Result<Vec<Certificate>, String> {
    let mut blocks = foreign::blocks(bytes, named, Wanted::Chain)?;
    let key = blocks.iter().any(is_key);
    blocks.retain(|block| !is_key(block));
    if blocks.is_empty() {
        let found = if key { "a private key and no certificate" } else { "no certificate in PEM" };
        return Err(format!("holds {found} (-----BEGIN CERTIFICATE-----)"));
    }
    if blocks.len() > limits::CHAIN_CERTIFICATES {
        let (count, most) = (blocks.len(), limits::CHAIN_CERTIFICATES);
        return Err(format!("holds {count} certificates, more than the {most} that a chain may have"));
    }
    let mut certificates = Vec::with_capacity(blocks.len());
    for (block, number) in blocks.iter().zip(1..) {
        if block.label != "CERTIFICATE" {
            return Err(foreign::of_block(block, named, Wanted::Chain));
        }
        let certificate = Certificate::parse(&block.content()?);
        certificates.push(certificate.map_err(|failure| format!("cannot be read: certificate {number}: {failure}"))?);
    }
    Ok(certificates)
}

/// What stands beside a chain in the file that holds the key as well.
fn is_key(block: &Block) -> bool {
    let foreign = ["OPENSSH ", "COSIGN ", "SIGSTORE ", "TSS2 "].iter().any(|word| block.label.contains(word));
    block.label == "EC PARAMETERS" || (block.label.ends_with("PRIVATE KEY") && !foreign)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::forge::{Authority, Key, KeyKind, LeafRequest};

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    fn chain() -> Vec<String> {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
        let leaf = root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", key(0)).unwrap()).unwrap();
        leaf.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }

    fn load(content: &str) -> Result<CertificateChainFile, SignerError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.pem");
        fs::write(&path, content).unwrap();
        CertificateChainFile::load(&path)
    }

    #[test]
    fn the_first_certificate_is_for_the_key() {
        let [leaf, root] = <[String; 2]>::try_from(chain()).unwrap();
        let key =
            |slot| VerifyingKey::from_spki(Key::pooled(KeyKind::P256, slot).unwrap().public_key().to_vec()).unwrap();
        let file = load(&format!("subject: leaf\n{leaf}\n{root}")).unwrap();
        assert_eq!(file.certificates().len(), 2);
        assert_eq!(file.check_belongs_to(&key(0)), Ok(()));
        for (slot, words) in [(1, "in the place 2"), (2, "no certificate for the key")] {
            let refusal = file.check_belongs_to(&key(slot)).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    /// As `openssl pkcs12 -nodes` writes it: attributes before each block, the key behind the certificates.
    #[test]
    fn s31_the_key_may_stand_in_the_same_file() {
        let [leaf, root] = <[String; 2]>::try_from(chain()).unwrap();
        let bag = "Bag Attributes\n    localKeyID: 54 69 6D\n    friendlyName: leaf\nsubject=CN = leaf\n\n";
        for key in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let key = pem(key, b"never read");
            let parameters = pem("EC PARAMETERS", b"never read");
            for content in [
                format!("{parameters}{key}{leaf}{root}"),
                format!("{bag}{leaf}{bag}{root}{bag}{key}"),
                format!("{leaf}{key}{root}").replace('\n', " \r\n"),
            ] {
                let subjects: Vec<_> =
                    load(&content).unwrap().certificates().iter().map(|c| c.der().to_vec()).collect();
                assert_eq!(
                    subjects,
                    load(&format!("{leaf}{root}"))
                        .unwrap()
                        .certificates()
                        .iter()
                        .map(|c| c.der().to_vec())
                        .collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn only_certificates_are_in_the_file() {
        let [leaf, root] = <[String; 2]>::try_from(chain()).unwrap();
        for (content, words) in [
            (String::new(), "is empty"),
            ("text".to_owned(), "holds no certificate"),
            (pem("EC PRIVATE KEY", b"x"), "holds a private key and no certificate"),
            (format!("{leaf}{}", pem("PKCS7", b"x")), "is a PKCS #7 file"),
            (format!("{leaf}{}", pem("TRUSTED CERTIFICATE", b"x")), "trust settings, TRUSTED CERTIFICATE, line 4"),
            (format!("{leaf}{}", pem("X509 CRL", b"x")), "block \"X509 CRL\", line 4"),
            (format!("{leaf}{}", pem("CERTIFICATE", b"x")), "certificate 2: "),
            (leaf.repeat(11), "11 certificates, more than the 10"),
            (format!("{leaf}{}", root.replace("-----END CERTIFICATE-----", "")), "does not end"),
        ] {
            match load(&content) {
                Err(SignerError::Chain { reason, .. }) => assert!(reason.contains(words), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
        let refusal = CertificateChainFile::load(Path::new("/nowhere/chain.pem")).unwrap_err().to_string();
        assert_eq!(refusal, "the certificate chain \"/nowhere/chain.pem\" does not exist");
    }
}
