/* Slots, what tokens say of themselves, and their mechanisms. */
#include <string.h>

#include "shim.h"

/* A slot that the real module does not have. */
static const Number EXTRA = 0x00ee0001ul;

static bool has_extra_slot(void) { return has(EMPTY_SLOT) || has(UNKNOWN_CARD) || has(BROKEN_SLOT); }

static Answer of_extra_slot(void) {
    return has(EMPTY_SLOT) ? TOKEN_NOT_PRESENT : has(UNKNOWN_CARD) ? TOKEN_NOT_RECOGNIZED : DEVICE_ERROR;
}

static bool slots_listed;

Answer spoiled_GetSlotList(Byte with_token, Number *slots, Number *count) {
    static bool grown;
    if (has(SLOTS_BECOME_MORE) && !grown) {
        Answer answer = real->GetSlotList(with_token, NULL, count);
        if (answer == OK && slots) {
            grown = true;
            return BUFFER_TOO_SMALL;
        }
        if (answer == OK && *count > 0) *count -= 1;
        return answer;
    }
    if (has(SLOTS_ABSURD)) {
        *count = (Number) UNAVAILABLE_LENGTH;
        return OK;
    }
    if (slots) slots_listed = true;
    if (!has_extra_slot()) return real->GetSlotList(with_token, slots, count);
    Number room = *count;
    if (!slots) {
        Answer answer = real->GetSlotList(with_token, NULL, count);
        *count += 1;
        return answer;
    }
    if (room == 0) return BUFFER_TOO_SMALL;
    *count = room - 1;
    Answer answer = real->GetSlotList(with_token, slots + 1, count);
    slots[0] = EXTRA;
    *count += 1;
    return answer;
}

static Answer known(Number slot) {
    if (has(SLOTS_LISTED_FIRST) && !slots_listed) return SLOT_ID_INVALID;
    if (has_extra_slot() && slot == EXTRA) return of_extra_slot();
    return OK;
}

Answer spoiled_GetSlotInfo(Number slot, void *info) {
    Answer answer = known(slot);
    return answer == OK ? real->GetSlotInfo(slot, info) : answer;
}

static void pad_with_nul(char *text, size_t length) {
    while (length > 0 && text[length - 1] == ' ') text[--length] = 0;
}

static void write_text(char *text, size_t length, const char *value) {
    memset(text, ' ', length);
    memcpy(text, value, strlen(value));
}

Answer spoiled_GetTokenInfo(Number slot, TokenInfo *info) {
    Answer answer = known(slot);
    if (answer == OK) answer = real->GetTokenInfo(slot, info);
    if (answer != OK) return answer;
    /* A slot whose token is yet to be made stays what it is. */
    if (!(info->flags & TOKEN_INITIALIZED)) return OK;
    if (has(NO_LABEL)) write_text(info->label, sizeof info->label, "");
    if (has(LATIN1_LABEL)) write_text(info->label, sizeof info->label, "Schl\xfcssel");
    if (has(SAME_SERIAL)) write_text(info->serial, sizeof info->serial, "0000000000000000");
    if (has(NO_SERIAL)) write_text(info->serial, sizeof info->serial, "");
    if (has(NUL_PADDED)) {
        pad_with_nul(info->label, sizeof info->label);
        pad_with_nul(info->manufacturer, sizeof info->manufacturer);
        pad_with_nul(info->model, sizeof info->model);
        pad_with_nul(info->serial, sizeof info->serial);
    }
    if (has(PIN_PAD) || has(PIN_PAD_TAKES_PIN) || has(PIN_PAD_CANCELLED) || has(PIN_PAD_WAITS)) {
        info->flags |= PROTECTED_AUTHENTICATION_PATH;
    }
    if (has(NO_LOGIN) || has(LOGIN_NOT_SAID)) info->flags &= ~(Number) LOGIN_REQUIRED;
    if (has(NO_PIN_YET)) info->flags &= ~(Number) USER_PIN_INITIALIZED;
    if (has(NOT_SAID_TO_BE_INITIALIZED)) info->flags &= ~(Number) TOKEN_INITIALIZED;
    if (has(WRITE_PROTECTED_TOKEN)) info->flags |= WRITE_PROTECTED;
    if (has(PIN_NEARLY_LOCKED)) info->flags |= USER_PIN_FINAL_TRY;
    if (has(PIN_COUNT_LOW)) info->flags |= USER_PIN_COUNT_LOW;
    if (has(SESSIONS_UNKNOWN)) {
        info->most_sessions = info->sessions = info->most_writing = info->writing = (Number) UNAVAILABLE_LENGTH;
    }
    return OK;
}

static bool is_bare(Number type) { return type == CKM_ECDSA || type == CKM_RSA_PKCS_PSS; }

static bool hashes_and_pads(Number type) {
    return type == CKM_SHA256_RSA_PKCS_PSS || type == CKM_SHA384_RSA_PKCS_PSS || type == CKM_SHA512_RSA_PKCS_PSS;
}

static bool hashes_for_ecdsa(Number type) {
    return type == CKM_ECDSA_SHA256 || type == CKM_ECDSA_SHA384 || type == CKM_ECDSA_SHA512;
}

/* Whether the list names a mechanism that the real module has. */
static bool is_listed(Number type) {
    if (has(HASHES_ITSELF)) return !is_bare(type);
    if (has(NONE_FITS)) return !is_bare(type) && !hashes_and_pads(type);
    return true;
}

bool is_refused(Number type) {
    if (has(HASHES_ITSELF) || has(LISTED_AND_REFUSED)) return is_bare(type);
    if (has(NONE_FITS)) return is_bare(type) || hashes_and_pads(type);
    return false;
}

bool hashes_for(Number type) {
    return hashes_for_ecdsa(type) && (has(HASHES_ITSELF) || has(LISTED_AND_REFUSED) || has(REFUSED_LATE));
}

Answer spoiled_GetMechanismList(Number slot, Number *list, Number *count) {
    static const Number added[] = { CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_ECDSA_SHA512 };
    Answer answer = known(slot);
    if (answer != OK) return answer;
    if (has(MECHANISMS_NOT_LISTED)) return FUNCTION_NOT_SUPPORTED;
    if (has(MECHANISM_LIST_EMPTY)) {
        *count = 0;
        return OK;
    }
    Number found[512], length = sizeof found / sizeof *found - 3, kept = 0;
    answer = real->GetMechanismList(slot, found, &length);
    if (answer != OK) return answer;
    for (Number i = 0; i < length; i++) {
        if (is_listed(found[i])) found[kept++] = found[i];
    }
    for (int i = 0; i < 3 && hashes_for(added[i]); i++) found[kept++] = added[i];
    Number room = *count;
    *count = kept;
    if (!list) return OK;
    if (room < kept) return BUFFER_TOO_SMALL;
    memcpy(list, found, kept * sizeof *found);
    return OK;
}

Answer spoiled_GetMechanismInfo(Number slot, Number type, MechanismInfo *info) {
    Answer answer = known(slot);
    if (answer != OK) return answer;
    if (has(NO_MECHANISM_INFO)) return FUNCTION_NOT_SUPPORTED;
    if (!is_listed(type)) return MECHANISM_INVALID;
    return real->GetMechanismInfo(slot, hashes_for(type) ? (Number) CKM_ECDSA : type, info);
}
