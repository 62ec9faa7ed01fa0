/*
 * Processes take turns at the real module, where MUSTER_SHIM_TURNS names a file to lock: SoftHSM empties the file of a token
 * before it locks and writes it, at every login, and a process that starts just then sees no token.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>

#include "shim.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static int inside;

/* The first thread that enters takes the turn for all of the process. */
void take_turn(void) {
    const char *path = getenv("MUSTER_SHIM_TURNS");
    if (!path) return;
    pthread_mutex_lock(&lock);
    if (file < 0) file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 && inside++ == 0) flock(file, LOCK_EX);
    pthread_mutex_unlock(&lock);
}

/* The last thread that leaves gives it up. */
void give_up_turn(void) {
    if (!getenv("MUSTER_SHIM_TURNS")) return;
    pthread_mutex_lock(&lock);
    if (file >= 0 && --inside == 0) flock(file, LOCK_UN);
    pthread_mutex_unlock(&lock);
}
