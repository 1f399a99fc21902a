/*
 * A second thread, with a stack that does not count much against the memory that is promised.
 */
#ifndef EVS_SRC_THREAD_H
#define EVS_SRC_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Start run(arg). False: it could not be started, and the caller has to do the work itself. */
bool evs_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
