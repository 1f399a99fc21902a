/*
 * A second thread, with a stack that does not count much against the memory that is promised.
 */
#ifndef EVS_SRC_THREAD_H
#define EVS_SRC_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Start run(arg). False: it could not be started, and the caller has to do the work itself. */
bool evs_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

/*
 * A thread that does one thing after another for its owner, made when it is first needed. Zeroed
 * until evs_helper_init(). The calls come from one thread.
 */
struct evs_helper {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t turn;  /* there is something to do, or it is done */
	void (*run)(void *arg);
	void *arg;
	bool ready, running, quit;
};

/* False: out of memory. */
bool evs_helper_init(struct evs_helper *h);
void evs_helper_release(struct evs_helper *h); /* it has nothing to do; zeroed is fine */

/* Let it do run(arg). False: there is no thread, and the caller has to do the work itself. Nothing
 * is running. */
bool evs_helper_start(struct evs_helper *h, void (*run)(void *arg), void *arg);

/* Is it at work? It may be done the next moment. */
bool evs_helper_busy(struct evs_helper *h);
/* Until it is done. Everything that it did is seen then. */
void evs_helper_wait(struct evs_helper *h);

#endif
