//! What has to come of each manner. `tests/tokens/shim/manners.h` says which products behave so.

/// What has to come of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A signature that verifies.
    Signs,
    /// No signature, and these words.
    Refuses(&'static str),
}

use Outcome::{Refuses, Signs};

/// How the PIN is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    File,
    Nothing,
}

/// One manner. An EC key has the label `release-ec` and the id `e1`, an RSA key `release-rsa` and `e2`, in the token `ci`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) manner: &'static str,
    pub(super) ec: Outcome,
    pub(super) rsa: Outcome,
    /// How the token is described in the URI, where `token=ci` would not find it; `{serial}` stands for its serial number.
    pub(super) token: &'static str,
    /// Whether the key is named by its id instead of its label.
    pub(super) by_id: bool,
    pub(super) pin: Given,
    /// Whether the plugin takes the certificates from the token.
    pub(super) chain_in_token: bool,
}

const fn row(manner: &'static str, ec: Outcome, rsa: Outcome) -> Row {
    Row { manner, ec, rsa, token: "token=ci", by_id: false, pin: Given::File, chain_in_token: false }
}

const fn signs(manner: &'static str) -> Row {
    row(manner, Signs, Signs)
}

const fn refuses(manner: &'static str, words: &'static str) -> Row {
    row(manner, Refuses(words), Refuses(words))
}

impl Row {
    const fn token(self, token: &'static str) -> Row {
        Row { token, ..self }
    }

    const fn by_id(self) -> Row {
        Row { by_id: true, ..self }
    }

    const fn without_pin(self) -> Row {
        Row { pin: Given::Nothing, ..self }
    }

    const fn chain_in_token(self) -> Row {
        Row { chain_in_token: true, ..self }
    }
}

/// The table.
pub(super) const TABLE: &[Row] = &[
    // starting, and threads
    signs(""),
    signs("cant-lock"),
    signs("already-initialized"),
    refuses("no-daemon", "does not start (C_Initialize: CKR_DEVICE_ERROR)"),
    signs("null-functions"),
    // slots and tokens
    signs("slotlist-first"),
    signs("empty-slot"),
    signs("unknown-card"),
    refuses("slots-absurd", "names no slots (an answer that makes no sense)"),
    signs("broken-slot"),
    signs("slots-grow"),
    signs("nul-padded"),
    signs("no-label").token("serial={serial}"),
    signs("latin1-label").token("token=Schl%FCssel"),
    signs("same-serial"),
    signs("no-serial"),
    signs("no-initialized-flag"),
    signs("write-protected"),
    signs("session-counts-unknown"),
    signs("pin-final"),
    signs("pin-count-low"),
    // mechanisms
    signs("hashing-only"),
    signs("listed-but-refused"),
    signs("refused-late"),
    row("no-mechanism", Refuses("CKM_ECDSA"), Refuses("CKM_RSA_PKCS_PSS")),
    row("pss-refused", Signs, Refuses("CKM_RSA_PKCS_PSS")),
    signs("no-mechanism-list"),
    signs("empty-mechanism-list"),
    signs("no-mechanism-info"),
    // sessions
    signs("one-session"),
    signs("one-session-for-all"),
    refuses("no-session-left", "session"),
    signs("rw-only"),
    signs("login-rw-only"),
    signs("one-operation"),
    signs("no-session-info"),
    // logging in
    signs("pinpad").without_pin(),
    signs("pinpad-takes-pin"),
    signs("pinpad-takes-pin").without_pin(),
    refuses("pinpad-cancelled", "CKR_FUNCTION_CANCELED").without_pin(),
    signs("pinpad-waits").without_pin(),
    signs("no-login"),
    signs("no-login").without_pin(),
    signs("login-not-said"),
    refuses("empty-pin", "refuses the PIN as wrong"),
    refuses("no-user-pin", "was never set"),
    refuses("pin-expired", "has expired"),
    refuses("pin-locked", "is locked"),
    refuses("pin-length", "refuses the PIN as wrong"),
    refuses("too-many-types", "CKR_USER_TOO_MANY_TYPES"),
    refuses("another", "CKR_USER_ANOTHER_ALREADY_LOGGED_IN"),
    signs("already-logged-in"),
    signs("login-lost"),
    signs("always-auth"),
    signs("always-auth,pinpad").without_pin(),
    signs("always-auth,one-session"),
    signs("always-auth-untold"),
    refuses("always-auth,signature-pin", "another PIN for that, which only a PIN pad can give"),
    signs("always-auth,signature-pin,pinpad").without_pin(),
    refuses("always-auth,size-hint-short", "CKR_BUFFER_TOO_SMALL): its module does not answer"),
    row("always-auth,no-mechanism", Refuses("the mechanism CKM_ECDSA"), Refuses("the mechanism CKM_RSA_PKCS_PSS")),
    // objects
    signs("attr-strict"),
    signs("attr-failed"),
    signs("no-always-auth-attribute"),
    signs("attr-sensitive"),
    signs("no-sign-attribute"),
    refuses("sign-false", "CKA_SIGN"),
    signs("spki-garbage"),
    signs("no-id"),
    signs("no-key-label").by_id(),
    signs("label-padded"),
    signs("raw-point"),
    signs("bitstring-point"),
    signs("compressed-point"),
    signs("named-params"),
    signs("explicit-params"),
    signs("one-at-a-time"),
    signs("find-class-only"),
    signs("find-ignores"),
    signs("no-public"),
    signs("no-public").chain_in_token(),
    signs("no-certificates"),
    signs("all-after-login"),
    signs("public-of-another"),
    signs("padded-certificates").chain_in_token(),
    refuses("garbage-certificates", "no certificate for the key").chain_in_token(),
    // signing
    refuses("no-null-sign", "CKR_ARGUMENTS_BAD"),
    refuses("null-ends", "CKR_OPERATION_NOT_INITIALIZED"),
    refuses("size-hint-short", "CKR_BUFFER_TOO_SMALL"),
    signs("size-hint-long"),
    refuses("size-absurd", "an answer that makes no sense"),
    signs("der-signature"),
    signs("short-rs"),
    signs("long-rs"),
    refuses("wrong-signature", "does not verify"),
    row("pss-salt", Signs, Refuses("does not verify")),
    refuses("key-not-permitted", "CKR_KEY_FUNCTION_NOT_PERMITTED"),
    refuses("not-touched", "CKR_FUNCTION_REJECTED"),
    signs("slow-sign"),
    refuses("sign-fails", "CKR_FUNCTION_FAILED"),
    refuses("vendor-code", "0x80000042"),
    refuses("pulled-out", "CKR_DEVICE_REMOVED"),
    // several at once
    signs("nul-padded,attr-strict,rw-only,no-public,hashing-only,always-auth,cant-lock"),
];
