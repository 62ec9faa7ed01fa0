/*
 * As much of PKCS #11 2.40 as the shim needs, in its own words: types, the numbers it reads or answers, and the list of
 * functions. On 64-bit Unix, where the structures have their natural alignment.
 */
#ifndef MUSTER_SHIM_PKCS11_H
#define MUSTER_SHIM_PKCS11_H

#include <stdint.h>

typedef unsigned long Number;
typedef Number Answer;
typedef unsigned char Byte;

typedef struct { Byte major, minor; } Version;
typedef struct { Number type; void *value; Number length; } Attribute;
typedef struct { Number type; void *parameter; Number length; } Mechanism;
typedef struct { Number least, most, flags; } MechanismInfo;
typedef struct { void *create, *destroy, *lock, *unlock; Number flags; void *reserved; } InitializeArguments;
typedef struct { Number hash, mask, salt; } PssParameters;
typedef struct {
    char label[32], manufacturer[32], model[16], serial[16];
    Number flags, most_sessions, sessions, most_writing, writing, longest_pin, shortest_pin;
    Number public_total, public_free, private_total, private_free;
    Version hardware, firmware;
    char time[16];
} TokenInfo;

enum { UNAVAILABLE_LENGTH = -1 };

/* What functions answer. */
enum {
    OK = 0x00,
    SLOT_ID_INVALID = 0x03,
    GENERAL_ERROR = 0x05,
    FUNCTION_FAILED = 0x06,
    ARGUMENTS_BAD = 0x07,
    CANT_LOCK = 0x0a,
    ATTRIBUTE_SENSITIVE = 0x11,
    ATTRIBUTE_TYPE_INVALID = 0x12,
    DATA_LEN_RANGE = 0x21,
    DEVICE_ERROR = 0x30,
    DEVICE_REMOVED = 0x32,
    FUNCTION_CANCELED = 0x50,
    FUNCTION_NOT_SUPPORTED = 0x54,
    KEY_FUNCTION_NOT_PERMITTED = 0x68,
    MECHANISM_INVALID = 0x70,
    MECHANISM_PARAM_INVALID = 0x71,
    OPERATION_ACTIVE = 0x90,
    OPERATION_NOT_INITIALIZED = 0x91,
    PIN_INCORRECT = 0xa0,
    PIN_LEN_RANGE = 0xa2,
    PIN_EXPIRED = 0xa3,
    PIN_LOCKED = 0xa4,
    SESSION_COUNT = 0xb1,
    SESSION_HANDLE_INVALID = 0xb3,
    SESSION_READ_ONLY = 0xb5,
    TEMPLATE_INCONSISTENT = 0xd1,
    TOKEN_NOT_PRESENT = 0xe0,
    TOKEN_NOT_RECOGNIZED = 0xe1,
    TOKEN_WRITE_PROTECTED = 0xe2,
    USER_ALREADY_LOGGED_IN = 0x100,
    USER_NOT_LOGGED_IN = 0x101,
    USER_PIN_NOT_INITIALIZED = 0x102,
    USER_TYPE_INVALID = 0x103,
    USER_ANOTHER_ALREADY_LOGGED_IN = 0x104,
    USER_TOO_MANY_TYPES = 0x105,
    BUFFER_TOO_SMALL = 0x150,
    CRYPTOKI_ALREADY_INITIALIZED = 0x191,
    FUNCTION_REJECTED = 0x200,
};
#define VENDOR_CODE 0x80000042ul

/* Flags: of C_Initialize, of tokens, of sessions. */
enum { OS_LOCKING_OK = 0x02 };
enum {
    WRITE_PROTECTED = 0x02,
    LOGIN_REQUIRED = 0x04,
    USER_PIN_INITIALIZED = 0x08,
    PROTECTED_AUTHENTICATION_PATH = 0x100,
    TOKEN_INITIALIZED = 0x400,
    USER_PIN_COUNT_LOW = 0x10000,
    USER_PIN_FINAL_TRY = 0x20000,
};
enum { SESSION_OF_WRITING = 0x02, SESSION_SERIAL = 0x04 };

enum { SECURITY_OFFICER = 0, USER = 1, CONTEXT_SPECIFIC = 2 };

enum { CLASS_CERTIFICATE = 1, CLASS_PUBLIC_KEY = 2, CLASS_PRIVATE_KEY = 3 };

enum {
    CKA_CLASS = 0x000,
    CKA_LABEL = 0x003,
    CKA_VALUE = 0x011,
    CKA_KEY_TYPE = 0x100,
    CKA_ID = 0x102,
    CKA_SIGN = 0x108,
    CKA_MODULUS = 0x120,
    CKA_PUBLIC_EXPONENT = 0x122,
    CKA_PUBLIC_KEY_INFO = 0x129,
    CKA_EC_PARAMS = 0x180,
    CKA_EC_POINT = 0x181,
    CKA_ALWAYS_AUTHENTICATE = 0x202,
};

enum {
    CKM_RSA_PKCS_PSS = 0x0d,
    CKM_SHA256_RSA_PKCS_PSS = 0x43,
    CKM_SHA384_RSA_PKCS_PSS = 0x44,
    CKM_SHA512_RSA_PKCS_PSS = 0x45,
    CKM_SHA256 = 0x250,
    CKM_SHA384 = 0x260,
    CKM_SHA512 = 0x270,
    CKM_ECDSA = 0x1041,
    CKM_ECDSA_SHA256 = 0x1044,
    CKM_ECDSA_SHA384 = 0x1045,
    CKM_ECDSA_SHA512 = 0x1046,
};

#endif
