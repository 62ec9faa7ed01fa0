/* Sessions: how many there may be, and logging in. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "shim.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Session *sessions[256];
enum { ROOM = sizeof sessions / sizeof *sessions };

/* The file whose lock stands for the only session of all processes. */
static int only_one = -1;

static int opened(void) {
    int count = 0;
    for (int i = 0; i < ROOM; i++) count += sessions[i] != NULL;
    return count;
}

Session *session_of(Number handle) {
    Session *found = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < ROOM; i++) {
        if (sessions[i] && sessions[i]->handle == handle) found = sessions[i];
    }
    pthread_mutex_unlock(&lock);
    return found;
}

bool begins_to_sign(Session *session) {
    bool another = false;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < ROOM; i++) another |= sessions[i] && sessions[i] != session && sessions[i]->signing;
    bool may = !another || !has(ONE_OPERATION);
    if (may) session->signing = true;
    pthread_mutex_unlock(&lock);
    return may;
}

/* Called with the lock held. */
static Answer may_open(Number flags) {
    if (has(NO_SESSION_LEFT)) return SESSION_COUNT;
    if (has(ONE_SESSION) && opened() > 0) return SESSION_COUNT;
    if (has(ONLY_WRITING) && !(flags & SESSION_OF_WRITING)) return FUNCTION_FAILED;
    if (has(WRITE_PROTECTED_TOKEN) && (flags & SESSION_OF_WRITING)) return TOKEN_WRITE_PROTECTED;
    if (has(ONE_SESSION_FOR_ALL)) {
        if (opened() > 0) return SESSION_COUNT;
        const char *path = getenv("MUSTER_SHIM_LOCK");
        only_one = path ? open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600) : -1;
        if (only_one < 0) return GENERAL_ERROR;
        if (flock(only_one, LOCK_EX | LOCK_NB) != 0) {
            close(only_one);
            only_one = -1;
            return SESSION_COUNT;
        }
    }
    return OK;
}

static Answer remember(Number handle, Number slot, Number flags) {
    for (int i = 0; i < ROOM; i++) {
        if (!sessions[i]) {
            sessions[i] = calloc(1, sizeof(Session));
            if (!sessions[i]) break;
            sessions[i]->handle = handle;
            sessions[i]->slot = slot;
            sessions[i]->flags = flags;
            return OK;
        }
    }
    return SESSION_COUNT;
}

/* What somebody types on the pad, or an agent knows. */
static Answer log_in_without_asking(Number session) {
    Pin pin = pin_of_token();
    return real->Login(session, USER, pin.bytes, pin.length);
}

Answer spoiled_OpenSession(Number slot, Number flags, void *application, void *notify, Number *session) {
    pthread_mutex_lock(&lock);
    Answer answer = may_open(flags);
    if (answer == OK) answer = real->OpenSession(slot, flags, application, notify, session);
    if (answer == OK) answer = remember(*session, slot, flags);
    if (answer == OK && has(NO_LOGIN)) log_in_without_asking(*session);
    note("C_OpenSession %s: 0x%lx", flags & SESSION_OF_WRITING ? "read-write" : "read-only", answer);
    pthread_mutex_unlock(&lock);
    return answer;
}

/* Called with the lock held. */
static void forget(int i) {
    free(sessions[i]);
    sessions[i] = NULL;
    if (only_one >= 0 && opened() == 0) {
        close(only_one);
        only_one = -1;
    }
}

Answer spoiled_CloseSession(Number session) {
    pthread_mutex_lock(&lock);
    Answer answer = real->CloseSession(session);
    for (int i = 0; i < ROOM; i++) {
        if (sessions[i] && sessions[i]->handle == session) forget(i);
    }
    note("C_CloseSession: 0x%lx", answer);
    pthread_mutex_unlock(&lock);
    return answer;
}

Answer spoiled_CloseAllSessions(Number slot) {
    pthread_mutex_lock(&lock);
    Answer answer = real->CloseAllSessions(slot);
    for (int i = 0; i < ROOM; i++) {
        if (sessions[i] && sessions[i]->slot == slot) forget(i);
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

Answer spoiled_GetSessionInfo(Number session, void *info) {
    return has(NO_SESSION_INFO) ? FUNCTION_NOT_SUPPORTED : real->GetSessionInfo(session, info);
}

/* Logins that were tried. After the first the token forgets who uses it ("login-lost"), until somebody logs in again. */
static atomic_int logins;

bool login_is_lost(void) { return has(LOGIN_FORGOTTEN) && logins == 1; }

bool is_logged_in(void) { return logins > 0; }

/* The PIN for one signature, in between C_SignInit and C_Sign. */
static Answer log_in_for_signature(Number session, const Byte *pin, Number length) {
    Session *own = session_of(session);
    if (!has(ALWAYS_AUTHENTICATES) && !has(ALWAYS_AUTHENTICATES_UNTOLD)) return USER_TYPE_INVALID;
    if (!own || !own->signing) return OPERATION_NOT_INITIALIZED;
    if (has(PIN_PAD)) {
        own->authenticated = !pin;
        return pin ? GENERAL_ERROR : OK;
    }
    if (has(PIN_FOR_SIGNATURES)) return PIN_INCORRECT;
    Pin right = pin_of_token();
    if (!pin || length != right.length || memcmp(pin, right.bytes, length) != 0) return PIN_INCORRECT;
    own->authenticated = true;
    return OK;
}

Answer spoiled_Login(Number session, Number user, Byte *pin, Number length) {
    note("C_Login user %lu, %s", user, !pin ? "the PIN pad" : length ? "a PIN" : "an empty PIN");
    if (user == CONTEXT_SPECIFIC) return log_in_for_signature(session, pin, length);
    if (user != USER) return real->Login(session, user, pin, length);
    logins++;
    if (has(PIN_PAD_CANCELLED)) return FUNCTION_CANCELED;
    if (has(PIN_PAD_WAITS)) {
        /* The user takes his time, and stops nobody else. */
        give_up_turn();
        sleep(2);
        take_turn();
    }
    if (has(PIN_PAD) || has(PIN_PAD_WAITS)) return pin ? (Answer) GENERAL_ERROR : log_in_without_asking(session);
    if (has(PIN_PAD_TAKES_PIN) && !pin) return log_in_without_asking(session);
    if (has(EMPTY_PIN)) return length == 0 ? log_in_without_asking(session) : (Answer) PIN_INCORRECT;
    if (has(NO_LOGIN)) return USER_ALREADY_LOGGED_IN;
    if (has(NO_PIN_YET)) return USER_PIN_NOT_INITIALIZED;
    if (has(PIN_EXPIRED_NOW)) return PIN_EXPIRED;
    if (has(PIN_LOCKED_NOW)) return PIN_LOCKED;
    if (has(PIN_TOO_SHORT)) return PIN_LEN_RANGE;
    if (has(TOO_MANY_USERS)) return USER_TOO_MANY_TYPES;
    if (has(ANOTHER_USER)) return USER_ANOTHER_ALREADY_LOGGED_IN;
    if (has(LOGIN_ONLY_WRITING)) {
        Session *own = session_of(session);
        if (own && !(own->flags & SESSION_OF_WRITING)) return SESSION_READ_ONLY;
    }
    Answer answer = real->Login(session, user, pin, length);
    if (has(LOGGED_IN_ALREADY) && answer == OK) return USER_ALREADY_LOGGED_IN;
    /* The real token never forgot. */
    if (has(LOGIN_FORGOTTEN) && answer == USER_ALREADY_LOGGED_IN) return OK;
    return answer;
}
