/*
 * Starting threads. See thread.h.
 */
#include "src/thread.h"

#include <assert.h>
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

bool evs_helper_init(struct evs_helper *h)
{
	*h = (struct evs_helper){ 0 };
	if (pthread_mutex_init(&h->lock, NULL) != 0)
		return false;
	if (pthread_cond_init(&h->turn, NULL) != 0) {
		(void)pthread_mutex_destroy(&h->lock);
		return false;
	}
	h->ready = true;
	return true;
}

static void *helper_main(void *arg)
{
	struct evs_helper *h = arg;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->quit) {
		if (!h->run) {
			(void)pthread_cond_wait(&h->turn, &h->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&h->lock);
		h->run(h->arg); /* nobody changes it meanwhile */
		(void)pthread_mutex_lock(&h->lock);
		h->run = NULL;
		(void)pthread_mutex_unlock(&h->lock); /* or who is woken waits for it at once */
		(void)pthread_cond_signal(&h->turn);
		(void)pthread_mutex_lock(&h->lock);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

bool evs_helper_start(struct evs_helper *h, void (*run)(void *arg), void *arg)
{
	assert(h->ready && !h->run);
	if (!h->running && !evs_thread_start(&h->thread, helper_main, h))
		return false;
	h->running = true;
	(void)pthread_mutex_lock(&h->lock);
	h->arg = arg;
	h->run = run;
	(void)pthread_mutex_unlock(&h->lock);
	(void)pthread_cond_signal(&h->turn);
	return true;
}

bool evs_helper_busy(struct evs_helper *h)
{
	bool busy;

	(void)pthread_mutex_lock(&h->lock);
	busy = h->run != NULL;
	(void)pthread_mutex_unlock(&h->lock);
	return busy;
}

void evs_helper_wait(struct evs_helper *h)
{
	(void)pthread_mutex_lock(&h->lock);
	while (h->run)
		(void)pthread_cond_wait(&h->turn, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
}

void evs_helper_release(struct evs_helper *h)
{
	if (!h->ready)
		return;
	if (h->running) {
		(void)pthread_mutex_lock(&h->lock);
		h->quit = true;
		(void)pthread_cond_signal(&h->turn);
		(void)pthread_mutex_unlock(&h->lock);
		(void)pthread_join(h->thread, NULL);
	}
	(void)pthread_cond_destroy(&h->turn);
	(void)pthread_mutex_destroy(&h->lock);
	*h = (struct evs_helper){ 0 };
}
