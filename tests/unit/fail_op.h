/*
 * Operations of format/ when memory fails: each allocation in turn, and outputs that cannot grow
 * from any length on. What fails says EVS_E_NOMEM and leaves its output as long as it was.
 */
#ifndef EVS_TESTS_FAIL_OP_H
#define EVS_TESTS_FAIL_OP_H

#include "format/bytes.h"
#include "format/error.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <stdlib.h>

/* Something that appends to `out`, or only reads; 0 or a code. */
typedef int op_fn(struct evs_buf *out);

/* Each allocation of `op` in turn; then, when it writes, an output of each length that cannot grow.
 */
static inline void check(const char *name, op_fn *op)
{
	struct evs_buf out = { 0 };
	size_t len = 0;
	bool hit = true;
	int rc;

	for (long n = 1; hit; n++) {
		fail_begin("memory", n, 0);
		rc = op(&out);
		hit = fail_end();
		t_check(name, hit ? rc == EVS_E_NOMEM || rc == 0 : rc == 0);
		t_check(name, rc == 0 || out.len == 0);
		len = out.len;
		evs_buf_release(&out);
	}
	for (size_t cap = 1; cap <= len; cap++) {
		out = (struct evs_buf){ .p = malloc(cap), .cap = cap };
		if (!out.p)
			abort();
		fail_begin("memory", 1, 0);
		fail.fixed = (void *const *)(void *)&out.p;
		rc = op(&out);
		(void)fail_end();
		t_check(name, cap == len || rc == EVS_E_NOMEM || out.len == len);
		evs_buf_release(&out);
	}
}

#endif
