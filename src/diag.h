/*
 * Filling in a caller's `struct evs_diag` (evseg.h). Every function accepts diag == NULL and
 * returns `err`, so that a failure is one line: return evs_fail(diag, EVS_E_SCHEMA, "...", ...).
 */
#ifndef EVS_SRC_DIAG_H
#define EVS_SRC_DIAG_H

#include "evseg.h"
#include "format/error.h"

int evs_fail(struct evs_diag *d, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* With errno: "what: strerror". `path` may be NULL. Returns EVS_E_SYS (EVS_E_NOMEM for ENOMEM). */
int evs_fail_sys(struct evs_diag *d, int sys, const char *path, const char *what);

/* With a path. */
int evs_fail_path(struct evs_diag *d, int err, const char *path, const char *what);

/* With a place in a text: line and column are 1-based. */
int evs_fail_at(struct evs_diag *d, int err, uint32_t line, uint32_t col, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* After a failure: the offending word, any bytes; cut to what fits. */
void evs_fail_word(struct evs_diag *d, const char *word, size_t len);

/* With a place in a segment. `rule` is a constant from format/. */
int evs_fail_off(struct evs_diag *d, int err, const char *path, uint64_t off, const char *rule);

int evs_fail_nomem(struct evs_diag *d);

/* What was kept of a failure that is one after all. `to` may be NULL. */
void evs_fail_copy(struct evs_diag *to, const struct evs_diag *from);

#endif
