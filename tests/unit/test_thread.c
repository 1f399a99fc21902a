/*
 * The helper: it does one thing after the other, what it did is seen, and where there is no thread
 * the caller is told.
 */
#include "src/thread.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <errno.h>

static void add(void *arg)
{
	int *n = arg;

	for (int i = 0; i < 1000; i++)
		++*n;
}

static void test_helper(void)
{
	struct evs_helper h = { 0 };
	int n = 0;

	evs_helper_release(&h); /* never made */
	T_CHECK(evs_helper_init(&h));
	evs_helper_release(&h); /* never started */
	T_CHECK(evs_helper_init(&h));
	evs_helper_wait(&h); /* nothing to do */
	for (int i = 0; i < 1000; i++) {
		T_CHECK(evs_helper_start(&h, add, &n));
		evs_helper_wait(&h);
		T_CHECK(!evs_helper_busy(&h));
		n++; /* nobody else is at it */
	}
	T_CHECK(n == 1001000);
	evs_helper_release(&h);
	T_CHECK(!h.ready);
}

static void test_none(void)
{
	static const char *const calls[] = { "pthread_create", "pthread_attr_init",
					     "pthread_attr_setstacksize" };
	struct evs_helper h = { 0 };
	int n = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		T_CHECK(evs_helper_init(&h));
		fail_begin(calls[i], 1, EAGAIN);
		t_check(calls[i], !evs_helper_start(&h, add, &n) && fail_end() && !n);
		evs_helper_release(&h);
	}
	fail_begin("pthread_mutex_init", 1, EAGAIN);
	t_check("no lock", !evs_helper_init(&h) && fail_end());
	evs_helper_release(&h);
}

int main(void)
{
	test_helper();
	test_none();
	return t_done();
}
