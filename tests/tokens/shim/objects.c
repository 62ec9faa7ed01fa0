/* Objects: which are found, and what is read of them. */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

static Number number_of(Number session, Number object, Number type) {
    Number value = (Number) UNAVAILABLE_LENGTH;
    Attribute attribute = { type, &value, sizeof value };
    real->GetAttributeValue(session, object, &attribute, 1);
    return value;
}

static bool is_hidden(Number session, Number object) {
    if (has(ALL_AFTER_LOGIN) && !is_logged_in()) return true;
    Number class = number_of(session, object, CKA_CLASS);
    return (has(NO_PUBLIC_KEYS) && class == CLASS_PUBLIC_KEY) || (has(NO_CERTIFICATES) && class == CLASS_CERTIFICATE);
}

/* A label as "label-padded" shows it has this many bytes. */
enum { LABEL_LENGTH = 32 };

Answer spoiled_FindObjectsInit(Number session, Attribute *template, Number count) {
    Attribute wanted[16];
    Number kept = 0;
    if (count > sizeof wanted / sizeof *wanted) return ARGUMENTS_BAD;
    static Number no_class = 0x8000beef;
    static const Attribute nothing = { CKA_CLASS, &no_class, sizeof no_class };
    for (Number i = 0; i < count; i++) {
        if (has(FOUND_BY_CLASS_ONLY) && template[i].type != CKA_CLASS) return ATTRIBUTE_TYPE_INVALID;
        if (has(FOUND_BY_CLASS_AND_REST_IGNORED) && template[i].type != CKA_CLASS) continue;
        wanted[kept] = template[i];
        if (has(LABEL_PADDED) && template[i].type == CKA_LABEL) {
            const char *label = template[i].value;
            if (template[i].length == LABEL_LENGTH) {
                while (wanted[kept].length > 0 && label[wanted[kept].length - 1] == ' ') wanted[kept].length--;
            } else {
                wanted[kept] = nothing;
            }
        }
        if (template[i].type == CKA_LABEL && has(NO_KEY_LABEL)) wanted[kept] = nothing;
        if (template[i].type == CKA_ID && has(NO_ID)) wanted[kept] = nothing;
        kept++;
    }
    return real->FindObjectsInit(session, wanted, kept);
}

Answer spoiled_FindObjects(Number session, Number *objects, Number most, Number *count) {
    if (has(FOUND_ONE_BY_ONE) && most > 1) most = 1;
    *count = 0;
    while (*count < most) {
        Number object, found = 0;
        Answer answer = real->FindObjects(session, &object, 1, &found);
        if (answer != OK) return answer;
        if (found == 0) break;
        if (!is_hidden(session, object)) objects[(*count)++] = object;
    }
    return OK;
}

/* Another public key of the same kind, for "public-of-another". */
static Number another_public_key(Number session, Number object) {
    Session *own = session_of(session);
    Number class = CLASS_PUBLIC_KEY, kind = number_of(session, object, CKA_KEY_TYPE), searching, found = 0, other;
    if (!own || real->OpenSession(own->slot, SESSION_SERIAL, NULL, NULL, &searching) != OK) return object;
    Attribute wanted[] = { { CKA_CLASS, &class, sizeof class }, { CKA_KEY_TYPE, &kind, sizeof kind } };
    if (real->FindObjectsInit(searching, wanted, 2) == OK) {
        while (real->FindObjects(searching, &other, 1, &found) == OK && found == 1 && other == object) continue;
        real->FindObjectsFinal(searching);
    }
    real->CloseSession(searching);
    return found == 1 ? other : object;
}

static Answer unavailable(Attribute *attribute, Answer answer) {
    attribute->length = (Number) UNAVAILABLE_LENGTH;
    return answer;
}

/* Answers `value` for the attribute, as C_GetAttributeValue answers one. */
static Answer state(Attribute *attribute, const void *value, Number length) {
    Number room = attribute->length;
    attribute->length = length;
    if (!attribute->value) return OK;
    if (room < length) return unavailable(attribute, BUFFER_TOO_SMALL);
    memcpy(attribute->value, value, length);
    return OK;
}

/* What the real module says, into `value`. */
static Number stated(Number session, Number object, Number type, Byte *value, Number room) {
    Attribute attribute = { type, value, room };
    return real->GetAttributeValue(session, object, &attribute, 1) == OK ? attribute.length : 0;
}

static Answer public_point(Number session, Number object, Attribute *attribute) {
    Byte value[256], spelled[256];
    const Byte *point;
    Number length = stated(session, object, CKA_EC_POINT, value, sizeof value);
    if (length < 3) return real->GetAttributeValue(session, object, attribute, 1);
    length = uncompressed(value, length, &point);
    if (has(POINT_BARE)) return state(attribute, point, length);
    if (has(POINT_BIT_STRING)) return state(attribute, spelled, as_bit_string(point, length, spelled));
    Byte half[128];
    length = compressed(point, length, half);
    return state(attribute, spelled, as_octet_string(half, length, spelled));
}

static Answer certificate(Number session, Number object, Attribute *attribute) {
    static const Byte garbage[] = { 0x01, 0x00, 0x1f, 0x8b, 0x08 };
    if (has(CERTIFICATES_GARBAGE)) return state(attribute, garbage, sizeof garbage);
    Byte value[8192] = { 0 };
    Number length = stated(session, object, CKA_VALUE, value, sizeof value - 256);
    return state(attribute, value, length + 100);
}

static Answer padded_label(Number session, Number object, Attribute *attribute) {
    Byte value[256];
    Number length = stated(session, object, CKA_LABEL, value, sizeof value);
    while (length < LABEL_LENGTH) value[length++] = ' ';
    return state(attribute, value, length);
}

/* One attribute, of an object of `class`. */
static Answer read_attribute(Number session, Number object, Number class, Attribute *attribute) {
    static const Byte yes = 1, no = 0;
    bool private = class == CLASS_PRIVATE_KEY, public = class == CLASS_PUBLIC_KEY;
    switch (attribute->type) {
    case CKA_LABEL:
        if (has(NO_KEY_LABEL)) return state(attribute, "", 0);
        if (has(LABEL_PADDED)) return padded_label(session, object, attribute);
        break;
    case CKA_ID:
        if (has(NO_ID)) return state(attribute, "", 0);
        break;
    case CKA_SIGN:
        if (private && has(SIGN_UNKNOWN)) return unavailable(attribute, ATTRIBUTE_TYPE_INVALID);
        if (private && has(SIGN_FALSE)) return state(attribute, &no, 1);
        break;
    case CKA_ALWAYS_AUTHENTICATE:
        if (has(NO_ALWAYS_AUTHENTICATE) || has(ALWAYS_AUTHENTICATES_UNTOLD)) {
            return unavailable(attribute, ATTRIBUTE_TYPE_INVALID);
        }
        if (private && has(ALWAYS_AUTHENTICATES)) return state(attribute, &yes, 1);
        break;
    case CKA_PUBLIC_KEY_INFO:
        if (private && has(SPKI_GARBAGE)) return state(attribute, "\x04\x41\x04garbage", 10);
        /* Modules of 2.20 know no such attribute. */
        return unavailable(attribute, ATTRIBUTE_TYPE_INVALID);
    case CKA_MODULUS:
    case CKA_PUBLIC_EXPONENT:
        if (private && has(ATTRIBUTES_SENSITIVE)) return unavailable(attribute, ATTRIBUTE_SENSITIVE);
        break;
    case CKA_EC_PARAMS:
        if (private && has(ATTRIBUTES_SENSITIVE)) return unavailable(attribute, ATTRIBUTE_SENSITIVE);
        if (public && has(CURVE_NAMED)) return state(attribute, "\x13\x0aprime256v1", 12);
        if (public && has(CURVE_EXPLICIT)) return state(attribute, P256_EXPLICIT, P256_EXPLICIT_LENGTH);
        break;
    case CKA_EC_POINT:
        if (public && (has(POINT_BARE) || has(POINT_BIT_STRING) || has(POINT_COMPRESSED))) {
            return public_point(session, object, attribute);
        }
        break;
    case CKA_VALUE:
        if (class == CLASS_CERTIFICATE && (has(CERTIFICATES_GARBAGE) || has(CERTIFICATES_PADDED))) {
            return certificate(session, object, attribute);
        }
        break;
    }
    return real->GetAttributeValue(session, object, attribute, 1);
}

/* Whether a module that is strict knows this attribute of objects of `class`. */
static bool is_known(Number type, Number class) {
    if (type == CKA_ALWAYS_AUTHENTICATE || type == CKA_PUBLIC_KEY_INFO) return false;
    return class == CLASS_PUBLIC_KEY || (type != CKA_EC_PARAMS && type != CKA_EC_POINT);
}

Answer spoiled_GetAttributeValue(Number session, Number object, Attribute *template, Number count) {
    Number class = number_of(session, object, CKA_CLASS);
    for (Number i = 0; i < count; i++) {
        if (has(ATTRIBUTES_STRICT) && !is_known(template[i].type, class)) return ATTRIBUTE_TYPE_INVALID;
        if (has(ATTRIBUTE_FAILS) && template[i].type == CKA_ALWAYS_AUTHENTICATE) return FUNCTION_FAILED;
    }
    if (has(PUBLIC_OF_ANOTHER) && class == CLASS_PUBLIC_KEY) {
        bool names = count > 0 && (template[0].type == CKA_LABEL || template[0].type == CKA_ID);
        if (!names) object = another_public_key(session, object);
    }
    /* All are answered, and the last refusal is the answer to the whole, as the standard has it. */
    Answer answer = OK;
    for (Number i = 0; i < count; i++) {
        Answer one = read_attribute(session, object, class, &template[i]);
        if (one != OK) answer = one;
    }
    return answer;
}
