/* What was called, for tests that count it; and the PIN of the real token. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

void note(const char *format, ...) {
    const char *path = getenv("MUSTER_SHIM_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    /* One write a line, so that lines of several threads and processes stay whole. */
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    fputs(line, file);
    fclose(file);
}

Pin pin_of_token(void) {
    Pin pin = { { 0 }, 0 };
    const char *path = getenv("MUSTER_SHIM_PIN_FILE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return pin;
    /* Unbuffered: no second copy of the PIN is left in the memory of the process that is searched for it. */
    setvbuf(file, NULL, _IONBF, 0);
    pin.length = fread(pin.bytes, 1, sizeof pin.bytes, file);
    fclose(file);
    return pin;
}
