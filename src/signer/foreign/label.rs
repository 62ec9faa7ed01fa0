//! PEM blocks of other kinds than keys and certificates, by their labels.
//!
//! Follows RFC 7468 where it names a label, and the programs that write the others.

use super::{Named, Wanted, other_half};
use crate::failure::quote;
use crate::pem::Block;

/// Keys of OpenPGP have no certificates in X.509.
pub(super) const OPENPGP: &str = "is of OpenPGP, whose keys have no certificates as notation's signatures need them: make a key \
    (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out …) and have a certificate issued for it";

/// What a block is that is neither a key nor a certificate; reads on after the name of the file.
pub(in crate::signer) fn of_block(block: &Block, named: &Named, wanted: Wanted) -> String {
    let Named { file, made, .. } = named;
    let line = block.line;
    match block.label.as_str() {
        "X509 CERTIFICATE" => format!(
            "has a certificate under an older label, X509 CERTIFICATE, line {line}: write it anew \
             (openssl x509 -in {file} -out {made})"
        ),
        "TRUSTED CERTIFICATE" => format!(
            "has a certificate with OpenSSL's trust settings, TRUSTED CERTIFICATE, line {line}: write it without them \
             (openssl x509 -in {file} -out {made})"
        ),
        "PKCS7" | "PKCS #7 SIGNED DATA" if wanted == Wanted::Chain => format!(
            "is a PKCS #7 file: take its certificates out (openssl pkcs7 -in {file} -print_certs -out {made})"
        ),
        "CMS" if wanted == Wanted::Chain => format!(
            "is a CMS file: take its certificates out \
             (sed 's/ CMS-/ PKCS7-/' {file} | openssl pkcs7 -print_certs -out {made})"
        ),
        "PKCS7" | "PKCS #7 SIGNED DATA" => other_half("a PKCS #7 file", wanted),
        "CMS" => other_half("a CMS file", wanted),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => match wanted {
            Wanted::Key => other_half("a certificate request", wanted),
            Wanted::Chain => "is a certificate request: have the certificate issued, and name that".to_owned(),
        },
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PUBLIC KEY" | "DSA PUBLIC KEY" => {
            format!("has a public key, line {line}: {}", match wanted {
                Wanted::Key => "name the file of the private key that belongs to it",
                Wanted::Chain => "name the file of the certificates that were issued for it",
            })
        }
        "OPENSSH PRIVATE KEY" if wanted == Wanted::Key => of_openssh(block, named),
        "ENCRYPTED COSIGN PRIVATE KEY" | "ENCRYPTED SIGSTORE PRIVATE KEY" => {
            "is a key of cosign, encrypted in a form that cosign alone reads and does not convert: make a key \
             (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out …) and have a certificate issued for it"
                .to_owned()
        }
        "AGE ENCRYPTED FILE" => {
            format!("is encrypted by age: decrypt it into a folder that only you can read (age -d -o {made} {file})")
        }
        "TSS2 PRIVATE KEY" | "TSS2 KEY BLOB" => "is a key that a TPM alone can use: import it into tpm2-pkcs11 and name it by a \
             pkcs11: URI"
            .to_owned(),
        label if label.starts_with("PGP ") => OPENPGP.to_owned(),
        label => {
            let wants = match wanted {
                Wanted::Key => "a key file holds one private key, and may hold its certificates",
                Wanted::Chain => "CERTIFICATE blocks are read, and the private key may stand beside them",
            };
            format!("has a block {}, line {line}: {wants}", quote(label))
        }
    }
}

/// A key in OpenSSH's own form; of a kind that signs no envelopes, conversion does not help.
fn of_openssh(block: &Block, named: &Named) -> String {
    let Named { file, made, .. } = named;
    match openssh_type(&block.content().unwrap_or_default()).as_deref() {
        Some("ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "ssh-dss" | "sk-ecdsa-sha2-nistp256@openssh.com") => {
            "is a key of OpenSSH of a kind that signs no envelopes (Ed25519, DSA, or in a security key): make another \
             (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out …) and have a certificate issued for it"
                .to_owned()
        }
        _ => format!("is a key of OpenSSH: convert a copy of it (install -m 600 {file} {made} && ssh-keygen -p -N '' -m PKCS8 -f {made})"),
    }
}

/// The type of the key, which stands in its public half: after the cipher, the key derivation and its settings, and the
/// number of keys.
fn openssh_type(content: &[u8]) -> Option<String> {
    let mut rest = content.strip_prefix(b"openssh-key-v1\0")?;
    for _ in 0..3 {
        rest = text(rest)?.1;
    }
    let (public, _) = text(rest.get(4..)?)?;
    String::from_utf8(text(public)?.0.to_vec()).ok()
}

/// Bytes with their length before them, and what is behind them.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}
