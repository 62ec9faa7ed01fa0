/*
 * A PKCS #11 module that hands everything to a real one, MUSTER_SHIM_REAL, and has the manners that MUSTER_SHIM_MANNERS names:
 * those of tokens that tests cannot have. It follows PKCS #11 2.40 but for these manners, and holds no key of its own.
 *
 * Each function is entered through here: a module that knows no threads ("cant-lock") answers CKR_GENERAL_ERROR when a second
 * thread enters while the first is still inside, so that a caller which lets that happen is found out.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shim.h"

Functions *real;

static atomic_int inside;

static Answer enter(const char *function) {
    if (atomic_fetch_add(&inside, 1) > 0 && has(KNOWS_NO_THREADS)) {
        note("%s: a second thread is inside", function);
        return GENERAL_ERROR;
    }
    if (has(KNOWS_NO_THREADS)) {
        /* Long enough inside that two threads meet. */
        struct timespec moment = { 0, 100 * 1000 };
        nanosleep(&moment, NULL);
    }
    return OK;
}

static void leave(void) { atomic_fetch_sub(&inside, 1); }

#define ENTERED(name, parameters, next)            \
    static Answer entered_##name parameters {      \
        Answer answer = enter("C_" #name);         \
        take_turn();                               \
        if (answer == OK) answer = next;           \
        give_up_turn();                            \
        leave();                                   \
        return answer;                             \
    }
#define PASSED(name, parameters, arguments) ENTERED(name, parameters, real->name arguments)
#define SPOILED(name, parameters, arguments) ENTERED(name, parameters, spoiled_##name arguments)
#define NEEDLESS(name) \
    static Answer entered_##name(void) { return FUNCTION_NOT_SUPPORTED; }
FUNCTIONS(PASSED, SPOILED, NEEDLESS)
#undef PASSED
#undef SPOILED
#undef NEEDLESS

static Functions shim = {
    .version = { 2, 40 },
#define FILLED(name, parameters, arguments) .name = entered_##name,
#define FILLED_NEEDLESS(name) .name = entered_##name,
    FUNCTIONS(FILLED, FILLED, FILLED_NEEDLESS)
#undef FILLED
#undef FILLED_NEEDLESS
};

Answer spoiled_Initialize(void *arguments) {
    const InitializeArguments *how = arguments;
    note("C_Initialize flags %lu", how ? how->flags : 0ul);
    if (has(DOES_NOT_START)) return DEVICE_ERROR;
    if (has(KNOWS_NO_THREADS) && how && (how->flags & OS_LOCKING_OK)) return CANT_LOCK;
    if (has(STARTED_ALREADY)) {
        InitializeArguments threads = { .flags = OS_LOCKING_OK };
        real->Initialize(&threads);
        return CRYPTOKI_ALREADY_INITIALIZED;
    }
    return real->Initialize(arguments);
}

Answer spoiled_GetFunctionList(Functions **list) {
    *list = &shim;
    return OK;
}

/* What a program that loads the module asks for first. */
Answer C_GetFunctionList(Functions **list) {
    if (!real) {
        read_manners();
        const char *path = getenv("MUSTER_SHIM_REAL");
        void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (!module) {
            fprintf(stderr, "MUSTER_SHIM_REAL names no module that can be loaded: %s\n", path ? dlerror() : "it is not set");
            return GENERAL_ERROR;
        }
        Answer (*get)(Functions **) = NULL;
        *(void **) &get = dlsym(module, "C_GetFunctionList");
        Answer answer = get ? get(&real) : GENERAL_ERROR;
        if (answer != OK) return answer;
        if (has(FUNCTIONS_MISSING)) {
            shim.GetMechanismList = NULL;
            shim.GetMechanismInfo = NULL;
            shim.GetSessionInfo = NULL;
            shim.SignUpdate = NULL;
            shim.SignFinal = NULL;
        }
    }
    return spoiled_GetFunctionList(list);
}
