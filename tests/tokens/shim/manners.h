/*
 * The manners that can be switched on, each with the modules that are known for it by what their users report, or "standard"
 * where PKCS #11 allows it and no product is known. MUSTER_SHIM_MANNERS names some of them with commas between.
 * tests/tokens/manners/table.rs says what has to come of each.
 */
#define MANNERS(M) \
    /* starting, and threads */ \
    M(KNOWS_NO_THREADS, "cant-lock", "OpenSC before 0.20, small vendors' middleware") \
    M(STARTED_ALREADY, "already-initialized", "modules behind an engine or an agent in the same process") \
    M(DOES_NOT_START, "no-daemon", "AWS CloudHSM without its client, OpenSC without pcscd") \
    M(FUNCTIONS_MISSING, "null-functions", "stripped middleware: pointers that are NULL") \
    /* slots and tokens */ \
    M(SLOTS_LISTED_FIRST, "slotlist-first", "YubiHSM, p11-kit: slots are known only after C_GetSlotList") \
    M(EMPTY_SLOT, "empty-slot", "readers without a card that are listed as if they had one") \
    M(SLOTS_ABSURD, "slots-absurd", "a faulty driver: CK_UNAVAILABLE_INFORMATION as the number of slots") \
    M(UNKNOWN_CARD, "unknown-card", "OpenSC with a card of another kind in a second reader") \
    M(BROKEN_SLOT, "broken-slot", "a network HSM of several of which one is down") \
    M(SLOTS_BECOME_MORE, "slots-grow", "a reader that is plugged in between two calls") \
    M(NUL_PADDED, "nul-padded", "tpm2-pkcs11 and others: texts end with NUL, not with blanks") \
    M(NO_LABEL, "no-label", "tokens that were never named") \
    M(LATIN1_LABEL, "latin1-label", "Windows middleware: a label in Latin-1") \
    M(SAME_SERIAL, "same-serial", "virtual tokens, clones of one HSM") \
    M(NO_SERIAL, "no-serial", "virtual tokens") \
    M(NOT_SAID_TO_BE_INITIALIZED, "no-initialized-flag", "YubiHSM, read-only cards") \
    M(WRITE_PROTECTED_TOKEN, "write-protected", "qualified signature cards: sessions only for reading") \
    M(SESSIONS_UNKNOWN, "session-counts-unknown", "modules of networks: CK_UNAVAILABLE_INFORMATION") \
    M(PIN_NEARLY_LOCKED, "pin-final", "any token after wrong PINs: CKF_USER_PIN_FINAL_TRY") \
    M(PIN_COUNT_LOW, "pin-count-low", "any token after a wrong PIN: CKF_USER_PIN_COUNT_LOW") \
    /* mechanisms */ \
    M(HASHES_ITSELF, "hashing-only", "Google Cloud KMS, some TPMs: only mechanisms that hash") \
    M(LISTED_AND_REFUSED, "listed-but-refused", "HSMs in FIPS mode: bare CKM_ECDSA and CKM_RSA_PKCS_PSS are listed") \
    M(REFUSED_LATE, "refused-late", "proxies that ask the device only at C_Sign") \
    M(NONE_FITS, "no-mechanism", "cards of RSA PKCS #1 v1.5, or whose key may not sign so") \
    M(PSS_PARAMETERS_REFUSED, "pss-refused", "OpenSC with older cards: CKR_MECHANISM_PARAM_INVALID") \
    M(MECHANISMS_NOT_LISTED, "no-mechanism-list", "middleware that does not answer C_GetMechanismList") \
    M(MECHANISM_LIST_EMPTY, "empty-mechanism-list", "middleware that lists nothing before a login") \
    M(NO_MECHANISM_INFO, "no-mechanism-info", "middleware that does not answer C_GetMechanismInfo") \
    /* sessions */ \
    M(ONE_SESSION, "one-session", "cards, and HSMs with one session a client") \
    M(ONE_SESSION_FOR_ALL, "one-session-for-all", "cards opened exclusively: one session for all processes") \
    M(NO_SESSION_LEFT, "no-session-left", "an HSM whose sessions others hold") \
    M(ONLY_WRITING, "rw-only", "AWS CloudHSM client 5.1: read-only sessions fail with CKR_FUNCTION_FAILED") \
    M(LOGIN_ONLY_WRITING, "login-rw-only", "middleware that logs in only in a read-write session") \
    M(ONE_OPERATION, "one-operation", "cards: CKR_OPERATION_ACTIVE while another session signs") \
    M(NO_SESSION_INFO, "no-session-info", "middleware that does not answer C_GetSessionInfo") \
    /* logging in */ \
    M(PIN_PAD, "pinpad", "readers with a pad (an OMNIKEY driver answers a PIN with CKR_GENERAL_ERROR)") \
    M(PIN_PAD_TAKES_PIN, "pinpad-takes-pin", "OpenSC with a pad: a PIN that is given is taken as well") \
    M(PIN_PAD_CANCELLED, "pinpad-cancelled", "readers with a pad whose cancel key is pressed") \
    M(PIN_PAD_WAITS, "pinpad-waits", "readers with a pad, while they wait for their user") \
    M(NO_LOGIN, "no-login", "tokens whose keys are open, or unlocked by an agent") \
    M(LOGIN_NOT_SAID, "login-not-said", "middleware without CKF_LOGIN_REQUIRED whose private keys are hidden still") \
    M(EMPTY_PIN, "empty-pin", "agents that log in by themselves: an empty PIN") \
    M(NO_PIN_YET, "no-user-pin", "any token whose PIN was never set") \
    M(PIN_EXPIRED_NOW, "pin-expired", "Luna, cards with a transport PIN") \
    M(PIN_LOCKED_NOW, "pin-locked", "any token after too many wrong PINs") \
    M(PIN_TOO_SHORT, "pin-length", "PIV: CKR_PIN_LEN_RANGE") \
    M(TOO_MANY_USERS, "too-many-types", "standard: CKR_USER_TOO_MANY_TYPES") \
    M(ANOTHER_USER, "another", "tokens with the officer logged in: CKR_USER_ANOTHER_ALREADY_LOGGED_IN") \
    M(LOGGED_IN_ALREADY, "already-logged-in", "p11-kit, agents: CKR_USER_ALREADY_LOGGED_IN") \
    M(LOGIN_FORGOTTEN, "login-lost", "HSMs that end a login after idle time: CKR_USER_NOT_LOGGED_IN") \
    M(ALWAYS_AUTHENTICATES, "always-auth", "YubiKey PIV slot 9c, qualified signature cards") \
    M(PIN_FOR_SIGNATURES, "signature-pin", "qualified signature cards: another PIN for signatures than for the login") \
    M(ALWAYS_AUTHENTICATES_UNTOLD, "always-auth-untold", "PIV behind modules that do not know the attribute") \
    /* objects */ \
    M(ATTRIBUTES_STRICT, "attr-strict", "CloudHSM, vendors' middleware: one unknown attribute refuses all") \
    M(ATTRIBUTE_FAILS, "attr-failed", "middleware: CKR_FUNCTION_FAILED for CKA_ALWAYS_AUTHENTICATE") \
    M(NO_ALWAYS_AUTHENTICATE, "no-always-auth-attribute", "PKCS #11 2.01 modules") \
    M(ATTRIBUTES_SENSITIVE, "attr-sensitive", "HSMs: public numbers of private keys are CKR_ATTRIBUTE_SENSITIVE") \
    M(SIGN_UNKNOWN, "no-sign-attribute", "middleware that does not know CKA_SIGN") \
    M(SIGN_FALSE, "sign-false", "keys made for decryption") \
    M(SPKI_GARBAGE, "spki-garbage", "modules with something else in CKA_PUBLIC_KEY_INFO") \
    M(NO_ID, "no-id", "keys made by hand") \
    M(NO_KEY_LABEL, "no-key-label", "keys made by hand") \
    M(LABEL_PADDED, "label-padded", "middleware that pads labels of objects with blanks") \
    M(POINT_BARE, "raw-point", "CloudHSM and older modules: CKA_EC_POINT without OCTET STRING") \
    M(POINT_BIT_STRING, "bitstring-point", "Nitrokey's older module: CKA_EC_POINT as BIT STRING") \
    M(POINT_COMPRESSED, "compressed-point", "TPM-like modules: a compressed point") \
    M(CURVE_NAMED, "named-params", "standard 2.40: the curve as a PrintableString") \
    M(CURVE_EXPLICIT, "explicit-params", "Java-made keys: all parameters of the curve") \
    M(FOUND_ONE_BY_ONE, "one-at-a-time", "modules that find one object a call") \
    M(FOUND_BY_CLASS_ONLY, "find-class-only", "middleware that refuses other attributes in a search") \
    M(FOUND_BY_CLASS_AND_REST_IGNORED, "find-ignores", "middleware that ignores label and id in a search") \
    M(NO_PUBLIC_KEYS, "no-public", "cards, AWS CloudHSM keys imported alone") \
    M(NO_CERTIFICATES, "no-certificates", "HSMs that keep no certificates") \
    M(ALL_AFTER_LOGIN, "all-after-login", "HSMs: no object at all is shown before the login") \
    M(PUBLIC_OF_ANOTHER, "public-of-another", "tokens whose public key and private key do not belong together") \
    M(CERTIFICATES_PADDED, "padded-certificates", "cards: CKA_VALUE is as long as the file on the card") \
    M(CERTIFICATES_GARBAGE, "garbage-certificates", "cards with a compressed or an empty certificate file") \
    /* signing */ \
    M(SIZE_NOT_ANSWERED, "no-null-sign", "middleware: C_Sign without a buffer is CKR_ARGUMENTS_BAD and ends all") \
    M(SIZE_ENDS_SIGNING, "null-ends", "middleware: the question for the size ends the operation") \
    M(SIZE_TOO_SMALL, "size-hint-short", "middleware that answers a size that is too small") \
    M(SIZE_ABSURD, "size-absurd", "a faulty driver: CK_UNAVAILABLE_INFORMATION as the size of a signature") \
    M(SIZE_TOO_LARGE, "size-hint-long", "modules that answer the size of their buffer") \
    M(SIGNATURE_DER, "der-signature", "Java-made modules: ECDSA as a SEQUENCE") \
    M(SIGNATURE_SHORT, "short-rs", "modules that write r and s without leading zeros") \
    M(SIGNATURE_LONG, "long-rs", "modules that write r and s in whole words of the machine") \
    M(SIGNATURE_WRONG, "wrong-signature", "a faulty device: one bit of the signature is another") \
    M(SALT_OF_20, "pss-salt", "devices with a salt of 20 bytes, whatever is asked for") \
    M(KEY_NOT_PERMITTED, "key-not-permitted", "keys whose policy forbids it: CKR_KEY_FUNCTION_NOT_PERMITTED") \
    M(NOT_TOUCHED, "not-touched", "keys that want a touch: CKR_FUNCTION_REJECTED") \
    M(SIGNING_TAKES_TIME, "slow-sign", "keys that want a touch or an approval, HSMs far away: a signature takes seconds") \
    M(SIGNING_FAILS, "sign-fails", "any: CKR_FUNCTION_FAILED") \
    M(VENDORS_CODE, "vendor-code", "any: a code of the vendor's own") \
    M(PULLED_OUT, "pulled-out", "any: CKR_DEVICE_REMOVED in the middle")

typedef enum {
#define NUMBERED(number, name, seen) number,
    MANNERS(NUMBERED)
#undef NUMBERED
    MANNERS_COUNT
} Manner;
