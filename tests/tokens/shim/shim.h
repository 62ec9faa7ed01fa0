/* What the files of the shim share. */
#ifndef MUSTER_SHIM_H
#define MUSTER_SHIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "manners.h"
#include "pkcs11.h"

typedef struct Functions Functions;

#include "functions.h"

struct Functions {
    Version version;
#define MEMBER(name, parameters, arguments) Answer(*name) parameters;
#define NEEDLESS_MEMBER(name) Answer (*name)(void);
    FUNCTIONS(MEMBER, MEMBER, NEEDLESS_MEMBER)
#undef MEMBER
#undef NEEDLESS_MEMBER
};

/* The module that everything is handed to. */
extern Functions *real;

#define NOTHING(name)
#define UNDECLARED(name, parameters, arguments)
#define DECLARED(name, parameters, arguments) Answer spoiled_##name parameters;
FUNCTIONS(UNDECLARED, DECLARED, NOTHING)
#undef DECLARED
#undef UNDECLARED
#undef NOTHING

/* manners.c: whether a manner is switched on; what is wrong with the environment ends the process. */
void read_manners(void);
bool has(Manner manner);

/* journal.c: writes a line to the file MUSTER_SHIM_LOG, if that is set. Never a PIN. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* turns.c: processes take turns at the real module. */
void take_turn(void);
void give_up_turn(void);

/* The PIN of the real token, from the file MUSTER_SHIM_PIN_FILE, for what plays a PIN pad or an agent. */
typedef struct { Byte bytes[256]; Number length; } Pin;
Pin pin_of_token(void);

/* sessions.c: what the shim remembers of a session; NULL for one that it does not know. */
typedef struct {
    Number handle, slot, flags;
    atomic_bool signing; /* C_SignInit was answered with OK, and no signature since */
    bool authenticated;  /* the PIN was given for this very signature */
    Number mechanism;
    Byte message[65536]; /* what C_SignUpdate has handed over */
    Number message_length;
} Session;
Session *session_of(Number handle);
/* Marks the session as one that signs; false if another does, and the token does one thing at a time. */
bool begins_to_sign(Session *session);
bool login_is_lost(void);
bool is_logged_in(void);

/* slots.c: whether C_SignInit refuses a mechanism, and whether the shim hashes for one that the real module lacks. */
bool is_refused(Number mechanism);
bool hashes_for(Number mechanism);

/* encodings.c: other spellings of keys and signatures. Each writes to `to` and answers the length. */
Number uncompressed(const Byte *octet_string, Number length, const Byte **point);
Number as_octet_string(const Byte *content, Number length, Byte *to);
Number as_bit_string(const Byte *content, Number length, Byte *to);
Number compressed(const Byte *point, Number length, Byte *to);
Number as_sequence(const Byte *signature, Number length, Byte *to);
Number without_zeros(const Byte *signature, Number length, Byte *to);
Number in_whole_words(const Byte *signature, Number length, Byte *to);
extern const Byte P256_EXPLICIT[];
extern const Number P256_EXPLICIT_LENGTH;

#endif
