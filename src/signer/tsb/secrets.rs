//! The files that settings name, and the secrets in them: read once, wiped from memory after use, in no message.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use super::{TsbEnvironment, TsbError, TsbSettings};
use crate::failure::quote;
use crate::limits;
use crate::named_file;
use crate::signer::secret_file;

/// What a signer shows to the broker.
pub(super) struct Secrets {
    pub(super) token: Option<Zeroizing<String>>,
    /// In the order in which they are tried.
    pub(super) api_keys: Vec<Zeroizing<String>>,
    pub(super) key_password: Option<Zeroizing<String>>,
}

impl Secrets {
    /// Reads the files, and takes from the environment what no file has.
    pub(super) fn read(settings: &TsbSettings, environment: &TsbEnvironment) -> Result<Secrets, TsbError> {
        let read = |name: &str, file: &Option<std::path::PathBuf>, otherwise: &Option<Zeroizing<String>>| match file {
            Some(path) => secret_text(name, path).map(Some),
            None => Ok(otherwise.clone()),
        };
        let token = read("token-file", &settings.token_file, &environment.token)?;
        // As it is sent, and looked for in what a broker says.
        let token = token.map(|token| Zeroizing::new(token.trim_ascii().to_owned()));
        let keys = read("api-key-file", &settings.api_key_file, &environment.api_keys)?;
        let api_keys: Vec<Zeroizing<String>> = keys
            .map(|keys| keys.split_whitespace().map(|key| Zeroizing::new(key.to_owned())).collect())
            .unwrap_or_default();
        if api_keys.len() > limits::TSB_API_KEYS {
            return Err(TsbError::Setting(format!(
                "there are {} API keys, more than the {} that are tried: leave those of the role keyOperationToken",
                api_keys.len(),
                limits::TSB_API_KEYS
            )));
        }
        let key_password = read("key-password-file", &settings.key_password_file, &environment.key_password)?;
        Ok(Secrets { token, api_keys, key_password })
    }

    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Zeroizing<String>> {
        self.token.iter().chain(&self.api_keys).chain(&self.key_password)
    }
}

/// What the owner of the files with secrets that `settings` name should know, each one sentence: others may read them.
pub fn open_to_others(settings: &TsbSettings) -> Vec<String> {
    let files = [
        ("token-file", &settings.token_file),
        ("api-key-file", &settings.api_key_file),
        ("key-password-file", &settings.key_password_file),
        ("client-key", &settings.client_key),
        ("application-key", &settings.application_key),
    ];
    let named = files.into_iter().filter_map(|(name, file)| file.as_deref().map(|file| (name, file)));
    // A pipe has one reader, and a file that is missing is told when it is read.
    let open = named.filter(|(_, file)| {
        fs::metadata(file).is_ok_and(|found| found.is_file() && named_file::open_to_others(&found))
    });
    open.map(|(name, file)| {
        let file = quote(&file.display().to_string());
        secret_file::open_to_others(&format!("file {file} of the setting {name}"))
    })
    .collect()
}

/// What the file of the setting `name` holds, of at most `limit` bytes.
pub(super) fn setting_file(name: &str, path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, TsbError> {
    let read = secret_file::read(path, limit);
    read.map(|file| file.bytes).map_err(|problem| {
        TsbError::Setting(format!("the file {} of the setting {name} {problem}", quote(&path.display().to_string())))
    })
}

/// The text in the file of a secret, without the end of its last line.
fn secret_text(name: &str, path: &Path) -> Result<Zeroizing<String>, TsbError> {
    let refused = |reason: &str| {
        TsbError::Setting(format!("the file {} of the setting {name} {reason}", secret_file::name_of_secret(path)))
    };
    let file = secret_file::read(path, limits::TSB_SECRET_BYTES).map_err(|problem| refused(&problem.to_string()))?;
    let text = std::str::from_utf8(&file.bytes).map_err(|_| refused("is not text"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(refused("is empty"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn secrets_that_others_may_read_are_warned_of() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mut settings = TsbSettings::new("https://b", "k").unwrap();
        let file = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, "s3cret").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Some(path)
        };
        settings.token_file = file("token", 0o640);
        settings.api_key_file = file("keys", 0o600);
        settings.client_key = file("key", 0o604);
        settings.application_key = Some(folder.path().join("none"));
        let warnings = open_to_others(&settings);
        assert!(warnings.len() == 2 && warnings[0].contains("token-file") && warnings[1].contains("client-key"));
    }

    #[test]
    fn a_file_wins_over_the_environment_and_no_secret_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let mut settings = TsbSettings::new("https://b", "k").unwrap();
        let environment = TsbEnvironment::default().with_token(" of the environment\n").with_api_keys("a b\nc");
        let read = |settings: &TsbSettings| Secrets::read(settings, &environment);
        let secrets = read(&settings).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(secrets.token.as_deref().map(String::as_str), Some("of the environment"));
        assert_eq!(secrets.api_keys.len(), 3);
        settings.token_file = Some(path.clone());
        let refusal = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            read(&settings).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refusal(b"of the file\r\n"), "");
        for (content, words) in [(b"".as_slice(), "is empty"), (b"\n", "is empty"), (b"s3cret\xff", "is not text")] {
            let refusal = refusal(content);
            assert!(
                refusal.contains(words) && refusal.contains("token-file") && !refusal.contains("s3cret"),
                "{refusal}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert!(read(&settings).err().is_some_and(|error| error.to_string().contains("does not exist")));
        settings.token_file = Some("s3cret".into());
        let refusal = read(&settings).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refusal.contains("token-file does not exist") && !refusal.contains("s3cret"), "{refusal}");
    }
}
