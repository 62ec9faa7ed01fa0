/* Signatures: when they are refused, how they are written, how their size is told. */
#include <string.h>
#include <unistd.h>

#include "shim.h"

enum { LONGEST_SIGNATURE = 2048 };

static bool is_ecdsa(Number type) { return type == CKM_ECDSA || hashes_for(type); }

static bool is_pss(Number type) {
    return type == CKM_RSA_PKCS_PSS || (type >= CKM_SHA256_RSA_PKCS_PSS && type <= CKM_SHA512_RSA_PKCS_PSS);
}

static bool is_bare(Number type) { return type == CKM_ECDSA || type == CKM_RSA_PKCS_PSS; }

static Answer initialize(Number session, const Mechanism *mechanism, Number key) {
    if (hashes_for(mechanism->type)) {
        Mechanism bare = { CKM_ECDSA, NULL, 0 };
        return real->SignInit(session, &bare, key);
    }
    Mechanism wanted = *mechanism;
    PssParameters parameters;
    if (has(SALT_OF_20) && is_pss(wanted.type) && wanted.length == sizeof parameters) {
        memcpy(&parameters, wanted.parameter, sizeof parameters);
        parameters.salt = 20;
        wanted.parameter = &parameters;
    }
    return real->SignInit(session, &wanted, key);
}

Answer spoiled_SignInit(Number session, Mechanism *mechanism, Number key) {
    note("C_SignInit mechanism 0x%lx", mechanism->type);
    Session *own = session_of(session);
    if (!own) return SESSION_HANDLE_INVALID;
    if (own->signing) return OPERATION_ACTIVE;
    if (login_is_lost()) return USER_NOT_LOGGED_IN;
    if (has(KEY_NOT_PERMITTED)) return KEY_FUNCTION_NOT_PERMITTED;
    if (is_refused(mechanism->type)) return MECHANISM_INVALID;
    if (has(PSS_PARAMETERS_REFUSED) && is_pss(mechanism->type)) return MECHANISM_PARAM_INVALID;
    if (!begins_to_sign(own)) return OPERATION_ACTIVE;
    own->mechanism = mechanism->type;
    own->authenticated = false;
    own->message_length = 0;
    Answer answer = initialize(session, mechanism, key);
    if (answer != OK) own->signing = false;
    return answer;
}

/* Ends the operation of the real module, which has no other way out of it in 2.40. */
static Answer refuse(Session *own, Answer answer) {
    Byte scratch[LONGEST_SIGNATURE], digest[32] = { 0 };
    Number length = sizeof scratch;
    real->Sign(own->handle, digest, sizeof digest, scratch, &length);
    own->signing = false;
    return answer;
}

static Answer hash(const Session *own, Byte *data, Number length, Byte *digest, Number *digest_length) {
    Mechanism mechanism = { CKM_SHA512, NULL, 0 };
    if (own->mechanism == CKM_ECDSA_SHA256) mechanism.type = CKM_SHA256;
    if (own->mechanism == CKM_ECDSA_SHA384) mechanism.type = CKM_SHA384;
    /* In a session of its own, since this one signs. */
    Number hashing;
    Answer answer = real->OpenSession(own->slot, SESSION_SERIAL, NULL, NULL, &hashing);
    if (answer != OK) return answer;
    answer = real->DigestInit(hashing, &mechanism);
    if (answer == OK) answer = real->Digest(hashing, data, length, digest, digest_length);
    real->CloseSession(hashing);
    return answer;
}

/* The signature as the real module gives it. */
static Answer sign(const Session *own, Byte *data, Number length, Byte *signature, Number *signature_length) {
    Byte digest[64];
    Number digest_length = sizeof digest;
    if (hashes_for(own->mechanism)) {
        Answer answer = hash(own, data, length, digest, &digest_length);
        if (answer != OK) return answer;
        data = digest;
        length = digest_length;
    }
    return real->Sign(own->handle, data, length, signature, signature_length);
}

/* The same signature as this module spells it; answers the length. */
static Number spell(const Session *own, const Byte *signature, Number length, Byte *to) {
    if (is_ecdsa(own->mechanism)) {
        if (has(SIGNATURE_DER)) return as_sequence(signature, length, to);
        if (has(SIGNATURE_SHORT)) return without_zeros(signature, length, to);
        if (has(SIGNATURE_LONG)) return in_whole_words(signature, length, to);
    }
    memcpy(to, signature, length);
    if (has(SIGNATURE_WRONG)) to[length / 2] ^= 1;
    return length;
}

/* How long a signature can become, as it is spelled. */
static Answer longest(const Session *own, Number *length) {
    Byte digest[32] = { 0 };
    Answer answer = real->Sign(own->handle, digest, sizeof digest, NULL, length);
    if (answer == OK && is_ecdsa(own->mechanism) && (has(SIGNATURE_DER) || has(SIGNATURE_LONG))) *length += 16;
    return answer;
}

static Answer tell_size(Session *own, Number *length) {
    if (has(SIZE_NOT_ANSWERED)) return refuse(own, ARGUMENTS_BAD);
    Answer answer = longest(own, length);
    if (answer != OK) return answer;
    if (has(SIZE_ENDS_SIGNING)) return refuse(own, OK);
    if (has(SIZE_TOO_SMALL)) *length -= 8;
    if (has(SIZE_ABSURD)) *length = (Number) UNAVAILABLE_LENGTH;
    if (has(SIZE_TOO_LARGE)) *length = LONGEST_SIGNATURE * 2;
    return OK;
}

static Answer refusal(const Session *own) {
    if (has(REFUSED_LATE) && is_bare(own->mechanism)) return MECHANISM_INVALID;
    if ((has(ALWAYS_AUTHENTICATES) || has(ALWAYS_AUTHENTICATES_UNTOLD)) && !own->authenticated) return USER_NOT_LOGGED_IN;
    if (has(NOT_TOUCHED)) return FUNCTION_REJECTED;
    if (has(SIGNING_FAILS)) return FUNCTION_FAILED;
    if (has(VENDORS_CODE)) return VENDOR_CODE;
    if (has(PULLED_OUT)) return DEVICE_REMOVED;
    return OK;
}

Answer spoiled_Sign(Number session, Byte *data, Number length, Byte *signature, Number *signature_length) {
    note("C_Sign %s", signature ? "for the signature" : "for the size");
    Session *own = session_of(session);
    if (!own) return SESSION_HANDLE_INVALID;
    if (!own->signing) return OPERATION_NOT_INITIALIZED;
    if (!signature) return tell_size(own, signature_length);
    Answer answer = refusal(own);
    if (answer != OK) return refuse(own, answer);
    Number room = *signature_length;
    answer = longest(own, signature_length);
    if (answer != OK) return answer;
    if (room < *signature_length) return BUFFER_TOO_SMALL;
    if (has(SIGNING_TAKES_TIME)) {
        give_up_turn();
        sleep(2);
        take_turn();
    }
    Byte whole[LONGEST_SIGNATURE];
    Number whole_length = sizeof whole;
    answer = sign(own, data, length, whole, &whole_length);
    own->signing = false;
    if (answer == OK) *signature_length = spell(own, whole, whole_length, signature);
    return answer;
}

/* In parts only with mechanisms that hash, as the standard has it. */
Answer spoiled_SignUpdate(Number session, Byte *data, Number length) {
    Session *own = session_of(session);
    if (!own || !own->signing) return OPERATION_NOT_INITIALIZED;
    if (is_bare(own->mechanism)) return refuse(own, FUNCTION_NOT_SUPPORTED);
    if (length > sizeof own->message - own->message_length) return refuse(own, DATA_LEN_RANGE);
    memcpy(own->message + own->message_length, data, length);
    own->message_length += length;
    return OK;
}

Answer spoiled_SignFinal(Number session, Byte *signature, Number *signature_length) {
    Session *own = session_of(session);
    if (!own || !own->signing) return OPERATION_NOT_INITIALIZED;
    return spoiled_Sign(session, own->message, own->message_length, signature, signature_length);
}
