//! The secrets that a signer takes from the environment of the process: a token, API keys, the password of a key.
//!
//! Where a setting names a file with the same secret, the file is what counts.

use std::env;
use std::ffi::OsString;
use std::fmt;

use zeroize::Zeroizing;

/// What the environment holds.
#[derive(Clone, Default)]
pub struct TsbEnvironment {
    pub(super) token: Option<Zeroizing<String>>,
    pub(super) api_keys: Option<Zeroizing<String>>,
    pub(super) key_password: Option<Zeroizing<String>>,
}

impl TsbEnvironment {
    /// The variable with the bearer token.
    pub const TOKEN: &str = "MUSTER_TSB_TOKEN";
    /// The variable with API keys, blanks between them.
    pub const API_KEY: &str = "MUSTER_TSB_API_KEY";
    /// The variable with the password of the key.
    pub const KEY_PASSWORD: &str = "MUSTER_TSB_KEY_PASSWORD";

    /// What the environment of this process says. A variable that is empty, or no text, counts as one that is not set.
    pub fn of_process() -> TsbEnvironment {
        let set = |name: &str| {
            let value = env::var_os(name).map(OsString::into_string).and_then(Result::ok);
            value.filter(|value| !value.is_empty()).map(Zeroizing::new)
        };
        TsbEnvironment {
            token: set(TsbEnvironment::TOKEN),
            api_keys: set(TsbEnvironment::API_KEY),
            key_password: set(TsbEnvironment::KEY_PASSWORD),
        }
    }

    /// With this bearer token.
    pub fn with_token(mut self, token: impl Into<String>) -> TsbEnvironment {
        self.token = Some(Zeroizing::new(token.into()));
        self
    }

    /// With these API keys, blanks between them; each is tried when the one before it is refused.
    pub fn with_api_keys(mut self, keys: impl Into<String>) -> TsbEnvironment {
        self.api_keys = Some(Zeroizing::new(keys.into()));
        self
    }

    /// With this password of the key.
    pub fn with_key_password(mut self, password: impl Into<String>) -> TsbEnvironment {
        self.key_password = Some(Zeroizing::new(password.into()));
        self
    }
}

impl fmt::Debug for TsbEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |secret: &Option<_>| if secret.is_some() { "(secret)" } else { "(none)" };
        f.debug_struct("TsbEnvironment")
            .field("token", &format_args!("{}", shown(&self.token)))
            .field("api_keys", &format_args!("{}", shown(&self.api_keys)))
            .field("key_password", &format_args!("{}", shown(&self.key_password)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let environment =
            TsbEnvironment::default().with_token("s3cret").with_api_keys("s3cret").with_key_password("s3cret");
        assert!(!format!("{environment:?}").contains("s3cret"));
    }
}
