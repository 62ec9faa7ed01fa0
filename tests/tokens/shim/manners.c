/* Which manners are switched on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

static const char *const NAMES[] = {
#define NAMED(number, name, seen) name,
    MANNERS(NAMED)
#undef NAMED
};

static bool on[MANNERS_COUNT];

static void switch_on(const char *name) {
    for (int manner = 0; manner < MANNERS_COUNT; manner++) {
        if (strcmp(NAMES[manner], name) == 0) {
            on[manner] = true;
            return;
        }
    }
    /* A test with a misspelt manner would pass for the wrong reason. */
    fprintf(stderr, "the shim has no manner \"%s\"\n", name);
    abort();
}

void read_manners(void) {
    const char *value = getenv("MUSTER_SHIM_MANNERS");
    char *names = strdup(value ? value : ""), *rest = names, *name;
    while (names && (name = strsep(&rest, ",")) != NULL) {
        if (*name) switch_on(name);
    }
    free(names);
}

bool has(Manner manner) { return on[manner]; }
