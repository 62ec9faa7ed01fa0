//! Why there is no signer, or no signature.

/// Every reason, each told apart from the others and with the way to mend it. Texts from outside have been escaped; no
/// message holds a PIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The key file cannot be used.
    #[error("the key file {file} {reason}")]
    KeyFile {
        /// The name of the key file, quoted.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key file is encrypted.
    #[error(
        "the key file {file} is encrypted, and encrypted keys are not read: decrypt it into a folder that only you can read \
         ({command}), or keep the key in a token and name it by a pkcs11: URI"
    )]
    KeyEncrypted {
        /// The name of the key file, quoted.
        file: String,
        /// What decrypts it.
        command: String,
    },
    /// The key is of a kind that signs no envelopes.
    #[error(
        "the key {key} cannot sign: {reason}; keys are RSA of 2048, 3072 or 4096 bits, or EC on P-256, P-384 or P-521"
    )]
    KeyUnsupported {
        /// Where the key is.
        key: String,
        /// What the key is, or what it lacks.
        reason: String,
    },
    /// A key in a token is asked for, and the Cargo feature `pkcs11` is left out.
    #[error("this muster was built without keys in tokens: build it with --features pkcs11")]
    TokensLeftOut,
    /// The PKCS #11 URI is not one, or asks for what is refused.
    #[error("the PKCS #11 URI {0}")]
    Uri(String),
    /// Nothing says which module to load.
    #[error(
        "no PKCS #11 module is named: add ?module-path=/path/of/the/module.so to the URI, or set MUSTER_PKCS11_MODULE"
    )]
    ModuleNotNamed,
    /// There is no such module.
    #[error(
        "the PKCS #11 module {0} does not exist: install it, or correct module-path in the URI or MUSTER_PKCS11_MODULE"
    )]
    ModuleMissing(String),
    /// The module cannot be loaded or does not start.
    #[error("the PKCS #11 module {module} {reason}")]
    ModuleUnusable {
        /// The path of the module, quoted.
        module: String,
        /// What failed, and what to look at.
        reason: String,
    },
    /// No token is as the URI says.
    #[error("there is no token {wanted}; {present}")]
    TokenNotFound {
        /// What the URI says of it.
        wanted: String,
        /// Which tokens there are.
        present: String,
    },
    /// Several tokens are as the URI says.
    #[error("{count} tokens are {wanted}, {present}: {way}")]
    SeveralTokens {
        /// What the URI says of it.
        wanted: String,
        /// How many there are.
        count: usize,
        /// Which they are, with what tells them apart.
        present: String,
        /// What to add to the URI.
        way: String,
    },
    /// The token requires a PIN, and no PIN was given.
    #[error("the token {0} wants a PIN: add ?pin-source=file:/path/of/the/pin to the URI, or set MUSTER_PKCS11_PIN")]
    PinMissing(String),
    /// The file that holds the PIN cannot be used.
    #[error("the PIN file {file} {reason}")]
    PinFile {
        /// The name of the PIN file, quoted.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The token refuses the PIN.
    #[error(
        "the token {token} refuses the PIN as wrong: correct it in {source_of_pin} before trying again, since tokens lock after a few wrong tries{tries}"
    )]
    PinWrong {
        /// The token, quoted.
        token: String,
        /// Where the PIN came from.
        source_of_pin: String,
        /// How many tries are left, if the token tells: empty, or the rest of the sentence.
        tries: String,
    },
    /// The token refuses the login for another reason than the PIN.
    #[error("the token {token} refuses the login ({answer}): {reason}")]
    LoginRefused {
        /// The token, quoted.
        token: String,
        /// What the module answered.
        answer: String,
        /// What that means, and what to do.
        reason: String,
    },
    /// The token takes no PIN any more, or not yet.
    #[error("the PIN of the token {token} {reason}")]
    PinUnusable {
        /// The token, quoted.
        token: String,
        /// Locked, expired or never set, and what to do.
        reason: String,
    },
    /// No private key is as the URI says.
    #[error("the token {token} has no private key {wanted}; {present}")]
    KeyNotFound {
        /// The token, quoted.
        token: String,
        /// What the URI says of it.
        wanted: String,
        /// Which private keys there are.
        present: String,
    },
    /// Several private keys are as the URI says.
    #[error("the token {token} has {count} private keys {wanted}, {present}: name one by its id=… in the URI")]
    SeveralKeys {
        /// The token, quoted.
        token: String,
        /// What the URI says of it.
        wanted: String,
        /// How many there are.
        count: usize,
        /// Which they are, and how each is written in a URI.
        present: String,
    },
    /// The certificate at hand is for another key.
    #[error(
        "the certificate chain has no certificate for the key {0}: name the chain that was issued for this key, or the key \
         that it was issued for"
    )]
    CertificateOfAnother(String),
    /// The public half of a private key cannot be found.
    #[error("the public half of the key {key} cannot be obtained: {reason}")]
    PublicKeyNotFound {
        /// The key.
        key: String,
        /// What was looked for.
        reason: String,
    },
    /// The token went away while it was in use: pulled, restarted, logged out, or the key was deleted.
    #[error(
        "the token {token} is gone or has logged out ({answer}), and nothing more is signed: see to it, and run again"
    )]
    TokenGone {
        /// The token, quoted.
        token: String,
        /// What the module answered.
        answer: String,
    },
    /// The token gives no session.
    #[error(
        "the token {0} gives no session, as others hold all it has: end other programs that use it, or raise its limit"
    )]
    SessionLimit(String),
    /// The key makes no signature in any way that is known here.
    #[error("the key {key} makes no signature ({answer}): {reason}")]
    SignatureRefused {
        /// The key.
        key: String,
        /// What the module answered.
        answer: String,
        /// What is missing, and what to do.
        reason: String,
    },
    /// The token refuses for a reason of its own.
    #[error("the token {token} refuses: {answer}")]
    Token {
        /// The token, quoted.
        token: String,
        /// What the module answered.
        answer: String,
    },
    /// The key in memory could not sign.
    #[error("the key {0} could not sign")]
    NotSigned(String),
    /// A signature was made and does not verify.
    #[error(
        "the key {0} made a signature that does not verify with its public half, and it is thrown away: the public key or \
         the certificate that goes with the private key is another's, or what signs is broken, or takes another salt than \
         it is told"
    )]
    SignatureInvalid(String),
    /// The certificates in the token cannot be used.
    #[error("the certificates beside the key {key} cannot be used: {reason}; name a file with the chain instead")]
    Certificates {
        /// The key.
        key: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The file with the certificate chain cannot be used.
    #[error("the certificate chain {file} {reason}")]
    Chain {
        /// The name of the chain's file, quoted.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
}
