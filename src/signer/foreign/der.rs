//! Files in binary: DER of many kinds, and containers that are known by how they begin.
//!
//! Follows RFC 5958 (PKCS #8), 8017 (PKCS #1), 5915 (SEC 1), 7292 (PKCS #12), 5652 (PKCS #7), 2986 (requests) and 5280 as far as
//! their outermost values tell one from another. Nothing is judged: whether a file is what it looks like is for the command
//! that converts it to find out.

use der::{Reader as _, SliceReader, Tag};

use super::{Named, Wanted, other_half};

/// What a file in binary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    EncryptedKey,
    PublicKey,
    Certificate,
    Request,
    Pkcs12,
    Pkcs7,
    JavaKeyStore,
    OpenPgp,
    GitCrypt,
}

/// The object identifiers of PKCS #7 contents (1.2.840.113549.1.7.x) start so, with tag and length.
const PKCS7: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
/// The version of PKCS #12, and the tag behind it.
const PKCS12: &[u8] = &[0x02, 0x01, 0x03, 0x30];

impl Kind {
    /// What `bytes` are, if they are of a known kind.
    pub(super) fn of(bytes: &[u8]) -> Option<Kind> {
        match bytes {
            [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => return Some(Kind::JavaKeyStore),
            [0, b'G', b'I', b'T', b'C', b'R', b'Y', b'P', b'T', 0, ..] => return Some(Kind::GitCrypt),
            // Packets of a secret or a public key in either form (RFC 4880, section 4.2).
            [0x94..=0x9b, ..] | [0xc5 | 0xc6, ..] => return Some(Kind::OpenPgp),
            // Of indefinite length, as some programs write the larger kinds.
            [0x30, 0x80, rest @ ..] => {
                return match rest {
                    _ if rest.starts_with(PKCS7) => Some(Kind::Pkcs7),
                    _ if rest.starts_with(PKCS12) => Some(Kind::Pkcs12),
                    _ => None,
                };
            }
            _ => {}
        }
        Kind::of_values(&values(bytes)?)
    }

    fn of_values(values: &[(Tag, &[u8])]) -> Option<Kind> {
        let tags: Vec<Tag> = values.iter().map(|(tag, _)| *tag).collect();
        Some(match (tags.as_slice(), values) {
            ([Tag::ObjectIdentifier, ..], [(_, oid), ..]) if PKCS7[2..] == oid[..oid.len().min(8)] => Kind::Pkcs7,
            ([Tag::Integer, Tag::Sequence, ..], [(_, [3]), ..]) => Kind::Pkcs12,
            ([Tag::Integer, Tag::Sequence, Tag::OctetString, ..], _) => Kind::Key,
            ([Tag::Integer, Tag::OctetString, ..], _) => Kind::Key,
            ([Tag::Integer, Tag::Integer, Tag::Integer, Tag::Integer, ..], _) => Kind::Key,
            ([Tag::Integer, Tag::Integer], _) | ([Tag::Sequence, Tag::BitString], _) => Kind::PublicKey,
            ([Tag::Sequence, Tag::OctetString], _) => Kind::EncryptedKey,
            ([Tag::Sequence, Tag::Sequence, Tag::BitString], [(_, signed), ..]) => {
                // A request says version, name, key and attributes; a certificate more.
                if inner(signed)?.len() > 4 { Kind::Certificate } else { Kind::Request }
            }
            _ => return None,
        })
    }

    /// What it is and how PEM is made of it; reads on after the name of the file.
    pub(super) fn sentence(self, named: &Named, wanted: Wanted) -> String {
        let Named { file, made, .. } = named;
        match (self, wanted) {
            (Kind::Key, Wanted::Key) => {
                format!(
                    "is a private key in DER, not in PEM: convert it (openssl pkey -inform DER -in {file} -out {made})"
                )
            }
            (Kind::EncryptedKey, Wanted::Key) => format!(
                "is an encrypted private key in DER: decrypt it into a folder that only you can read \
                 (openssl pkcs8 -inform DER -in {file} -out {made}), or keep the key in a token"
            ),
            (Kind::Certificate, Wanted::Chain) => {
                format!(
                    "is a certificate in DER, not in PEM: convert it (openssl x509 -inform DER -in {file} -out {made})"
                )
            }
            (Kind::Pkcs12, _) => format!(
                "is a PKCS #12 file (.p12, .pfx): convert it in a folder that only you can read \
                 (openssl pkcs12 -in {file} -nodes -out {made}), and name {made} for the key and for its certificates"
            ),
            (Kind::Pkcs7, Wanted::Chain) => format!(
                "is a PKCS #7 file in DER: take its certificates out \
                 (openssl pkcs7 -inform DER -in {file} -print_certs -out {made})"
            ),
            (Kind::JavaKeyStore, _) => format!(
                "is a keystore of Java: convert it (keytool -importkeystore -srckeystore {file} -destkeystore {p12} \
                 -deststoretype PKCS12, then openssl pkcs12 -in {p12} -nodes -out {made}), and name {made} for the key and \
                 for its certificates",
                p12 = named.made_as("p12")
            ),
            (Kind::GitCrypt, _) => "is encrypted by git-crypt: decrypt it (git-crypt unlock)".to_owned(),
            (Kind::Key | Kind::EncryptedKey, Wanted::Chain) => other_half("a private key in DER", wanted),
            (Kind::Certificate, Wanted::Key) => other_half("a certificate in DER", wanted),
            (Kind::Pkcs7, Wanted::Key) => other_half("a PKCS #7 file", wanted),
            (Kind::PublicKey, _) => other_half("a public key in DER", wanted),
            (Kind::Request, Wanted::Key) => other_half("a certificate request in DER", wanted),
            (Kind::Request, Wanted::Chain) => {
                "is a certificate request in DER: have the certificate issued, and name that".to_owned()
            }
            (Kind::OpenPgp, _) => super::label::OPENPGP.to_owned(),
        }
    }
}

/// The values in the sequence that `bytes` are.
pub(super) fn values(bytes: &[u8]) -> Option<Vec<(Tag, &[u8])>> {
    match one(&mut SliceReader::new(bytes).ok()?)? {
        (Tag::Sequence, content) => inner(content),
        _ => None,
    }
}

/// The values that stand one after another in `content`, as far as they tell what it is.
pub(super) fn inner(content: &[u8]) -> Option<Vec<(Tag, &[u8])>> {
    const ENOUGH: usize = 12;
    let mut reader = SliceReader::new(content).ok()?;
    let mut values = Vec::new();
    while !reader.is_finished() && values.len() < ENOUGH {
        values.push(one(&mut reader)?);
    }
    Some(values)
}

fn one<'a>(reader: &mut SliceReader<'a>) -> Option<(Tag, &'a [u8])> {
    let header = reader.peek_header().ok()?;
    let value = reader.tlv_bytes().ok()?;
    let length = usize::try_from(header.length).ok()?;
    Some((header.tag, value.get(value.len().checked_sub(length)?..)?))
}
