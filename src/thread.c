/*
 * Starting threads. See thread.h.
 */
#include "src/thread.h"

#include <stddef.h>

#define THREAD_STACK ((size_t)1 << 20) /* the ordinary one is of 8 MiB */

bool evs_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	bool ok;

	if (pthread_attr_init(&attr) != 0)
		return false;
	ok = pthread_attr_setstacksize(&attr, THREAD_STACK) == 0 &&
	     pthread_create(thread, &attr, run, arg) == 0;
	(void)pthread_attr_destroy(&attr);
	return ok;
}
