//! One throw-away token, and the keys in it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand;
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, CertificateType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::super::{ForgeError, Key, KeyKind};
use super::SoftHsmError;
use super::encoded_key::{self, EncodedKey};
use crate::signer::pkcs11::uri::percent_encoded;
use crate::signer::pkcs11::{in_words, start};

/// Where a key is put: what its two halves are called, either of which may be empty, and whether the public half comes with it.
#[derive(Debug, Clone, Copy)]
pub struct KeyPlace<'a> {
    /// `CKA_LABEL`.
    pub label: &'a str,
    /// `CKA_ID`.
    pub id: &'a [u8],
    /// Whether the token gets a public key object, too.
    pub public_half: bool,
}

/// A throw-away token of SoftHSM.
pub struct SoftToken {
    module: Pkcs11,
    module_path: PathBuf,
    slot: Slot,
    label: String,
    pin: AuthPin,
    pin_file: PathBuf,
    /// Where SoftHSM keeps it, and where it is kept while it is pulled.
    files: (PathBuf, PathBuf),
}

impl SoftToken {
    pub(super) fn make(module_path: &Path, folder: &Path, label: &str) -> Result<SoftToken, SoftHsmError> {
        // SoftHSM offers one empty slot at a time: two threads would take the same.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        if label.is_empty() || label.len() > 32 {
            return Err(SoftHsmError::Token("a label has 1 to 32 bytes".to_owned()));
        }
        let module = start(module_path)?;
        if slot_with(&module, Some(label))?.is_some() {
            return Err(SoftHsmError::Token("there is one of that label already".to_owned()));
        }
        let none = || SoftHsmError::Token("there is no empty slot".to_owned());
        let (officers, users) = (random()?, random()?);
        let officers_pin = AuthPin::from(hex::encode(officers));
        let digits = hex::encode(users);
        let pin_file = write_secret(folder, &digits).map_err(|error| SoftHsmError::Folder(error.to_string()))?;
        let pin = AuthPin::from(digits);
        let empty = slot_with(&module, None)?.ok_or_else(none)?;
        let tokens = folder.join("tokens");
        let unreadable = |error: io::Error| SoftHsmError::Folder(error.to_string());
        let before = entries(&tokens).map_err(unreadable)?;
        module.init_token(empty, &officers_pin, label).map_err(refused)?;
        let made = entries(&tokens).map_err(unreadable)?.difference(&before).next().cloned().ok_or_else(none)?;
        let files = (tokens.join(&made), folder.join("pulled").join(&made));
        // The token now has another slot.
        let slot = slot_with(&module, Some(label))?.ok_or_else(none)?;
        let session = module.open_rw_session(slot).map_err(refused)?;
        session.login(UserType::So, Some(&officers_pin)).map_err(refused)?;
        session.init_pin(&pin).map_err(refused)?;
        session.logout().map_err(refused)?;
        Ok(SoftToken {
            module,
            module_path: module_path.to_owned(),
            slot,
            label: label.to_owned(),
            pin,
            pin_file,
            files,
        })
    }

    /// Has the token make a key of `kind` called `label`, and hands back its URI.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Key`] if the token refuses.
    pub fn generate(&self, kind: KeyKind, label: &str) -> Result<String, SoftHsmError> {
        let id = random()?;
        let (mechanism, form) = encoded_key::to_generate(kind).map_err(|error| SoftHsmError::Key(error.to_string()))?;
        let public = [form, public_attributes(label, &id)].concat();
        let session = self.logged_in()?;
        session.generate_key_pair(&mechanism, &public, &private_attributes(label, &id)).map_err(refused_key)?;
        Ok(self.uri(label, &id))
    }

    /// Puts `key` into the token as `label`, and hands back its URI.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Key`] if it is not in memory, or the token refuses.
    pub fn import(&self, key: &Key, label: &str) -> Result<String, SoftHsmError> {
        self.import_at(key, &KeyPlace { label, id: &random()?, public_half: true })
    }

    /// Puts `key` into the token as `place` says, and hands back its URI.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Key`] if it is not in memory, or the token refuses.
    pub fn import_at(&self, key: &Key, place: &KeyPlace<'_>) -> Result<String, SoftHsmError> {
        let KeyPlace { label, id, public_half } = *place;
        let EncodedKey { public, private } =
            EncodedKey::new(key).map_err(|error: ForgeError| SoftHsmError::Key(error.to_string()))?;
        let session = self.logged_in()?;
        if public_half {
            session.create_object(&[public, public_attributes(label, id)].concat()).map_err(refused_key)?;
        }
        session.create_object(&[private, private_attributes(label, id)].concat()).map_err(refused_key)?;
        Ok(self.uri(label, id))
    }

    /// Puts a certificate, in DER, into the token, with no more than PKCS #11 wants of one.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Certificate`] if the token refuses.
    pub fn store(&self, certificate: &[u8]) -> Result<(), SoftHsmError> {
        let template = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Token(true),
            Attribute::Private(false),
            // An empty name: PKCS #11 wants a subject, and none that reads certificates looks at it.
            Attribute::Subject(vec![0x30, 0]),
            Attribute::Value(certificate.to_vec()),
        ];
        let refused = |error: Error| SoftHsmError::Certificate(in_words(&error));
        self.logged_in()?.create_object(&template).map(|_| ()).map_err(refused)
    }

    /// `uri`, which this token has handed back, with a PIN that the token refuses.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Folder`] if the file with that PIN cannot be written.
    pub fn with_wrong_pin(&self, uri: &str) -> Result<String, SoftHsmError> {
        let folder = self.pin_file.parent().unwrap_or(Path::new("/"));
        let wrong = write_secret(folder, "not the PIN").map_err(|error| SoftHsmError::Folder(error.to_string()))?;
        Ok(uri.replace(&encoded(&self.pin_file), &encoded(&wrong)))
    }

    /// Destroys every private key in the token, as another program does that is logged in to it.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::Key`] if the token refuses.
    pub fn destroy_keys(&self) -> Result<(), SoftHsmError> {
        let session = self.logged_in()?;
        let keys = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).map_err(refused_key)?;
        keys.into_iter().try_for_each(|key| session.destroy_object(key)).map_err(refused_key)
    }

    /// Takes the token away: its files are no longer where SoftHSM has them.
    ///
    /// # Errors
    ///
    /// The files cannot be moved.
    pub fn pull(&self) -> io::Result<()> {
        let (there, away) = &self.files;
        away.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(there, away)
    }

    /// Puts the token back.
    ///
    /// # Errors
    ///
    /// The files cannot be moved.
    pub fn plug_in(&self) -> io::Result<()> {
        let (there, away) = &self.files;
        fs::rename(away, there)
    }

    /// Whether SoftHSM finds it. One that was looked for while it was pulled is not found again, as long as the process lives.
    pub fn is_found(&self) -> bool {
        self.logged_in().is_ok()
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The file that holds the PIN.
    pub fn pin_file(&self) -> &Path {
        &self.pin_file
    }

    /// Makes a session for writing. It does not outlive the call, so that the token is logged out as it was before.
    fn logged_in(&self) -> Result<Session, SoftHsmError> {
        let session = self.module.open_rw_session(self.slot).map_err(refused_key)?;
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(refused_key(error)),
        }
    }

    fn uri(&self, label: &str, id: &[u8]) -> String {
        format!(
            "pkcs11:token={};object={};id={}?module-path={}&pin-source=file:{}",
            percent_encoded(self.label.as_bytes()),
            percent_encoded(label.as_bytes()),
            percent_encoded(id),
            encoded(&self.module_path),
            encoded(&self.pin_file)
        )
    }
}

impl fmt::Debug for SoftToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftToken({:?})", self.label)
    }
}

/// A path as it is written in a URI.
fn encoded(path: &Path) -> String {
    percent_encoded(path.to_string_lossy().as_bytes())
}

/// The names of what is in a folder.
fn entries(folder: &Path) -> io::Result<HashSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// The slot of the token called `label`, or one with no token yet. A token that was pulled may not say what it is.
fn slot_with(module: &Pkcs11, label: Option<&str>) -> Result<Option<Slot>, SoftHsmError> {
    for slot in module.get_slots_with_token().map_err(refused)? {
        let Ok(info) = module.get_token_info(slot) else { continue };
        if info.token_initialized() == label.is_some() && label.is_none_or(|label| info.label() == label) {
            return Ok(Some(slot));
        }
    }
    Ok(None)
}

fn public_attributes(label: &str, id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ]
}

fn private_attributes(label: &str, id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ]
}

fn random() -> Result<[u8; 8], SoftHsmError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| SoftHsmError::Token("the system gives no random numbers".to_owned()))?;
    Ok(bytes)
}

/// Writes a file that only its owner may read, as temporary files are made.
fn write_secret(folder: &Path, secret: &str) -> io::Result<PathBuf> {
    let mut file = tempfile::Builder::new().prefix("pin-").tempfile_in(folder)?;
    file.write_all(secret.as_bytes())?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}

fn refused(error: Error) -> SoftHsmError {
    SoftHsmError::Token(in_words(&error))
}

fn refused_key(error: Error) -> SoftHsmError {
    SoftHsmError::Key(in_words(&error))
}
