/*
 * See store.h. A copy that a crash cut short stays, and the next one gets another name: nothing is
 * thrown away.
 */
#include "src/diag.h"
#include "src/store/store.h"

#include <stdio.h>
#include <stdlib.h>

#define PIECE (64u << 10)

/* A name that is not taken. */
static int choose_name(char *aside, const char *path, uint64_t from, const char *suffix,
		       struct evs_diag *diag)
{
	struct evs_io_stat st;
	int rc;

	for (unsigned i = 0; i < 1000; i++) {
		int n = snprintf(aside, EVS_PATH_MAX, "%s.tail-%llu%s%.0u%s", path,
				 (unsigned long long)from, i ? "-" : "", i, suffix);

		if ((size_t)n >= EVS_PATH_MAX)
			return evs_fail(diag, EVS_E_LIMIT, "path too long");
		rc = evs_io_stat(aside, &st, diag);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return evs_fail_path(diag, EVS_E_LIMIT, path, "has a thousand tails set aside already");
}

static int copy(int to, int fd, const char *path, uint64_t from, uint64_t size, const char *aside,
		struct evs_diag *diag)
{
	uint8_t *piece = malloc(PIECE);
	int rc = piece ? 0 : evs_fail_nomem(diag);

	for (uint64_t done = from; rc == 0 && done < size; done += PIECE) {
		size_t take = size - done < PIECE ? (size_t)(size - done) : PIECE;

		rc = evs_io_pread(fd, piece, take, done, path, diag);
		if (rc == 0)
			rc = evs_io_pwrite(to, piece, take, done - from, aside, diag);
	}
	free(piece);
	return rc;
}

int evs_set_aside(int fd, const char *path, uint64_t from, uint64_t size, const char *suffix,
		  char *aside, struct evs_diag *diag)
{
	int to = -1, rc = choose_name(aside, path, from, suffix, diag);

	if (rc == 0)
		rc = evs_io_open_write(&to, aside, true, diag);
	if (rc == 0)
		rc = evs_io_like(to, path, diag);
	if (rc == 0)
		rc = copy(to, fd, path, from, size, aside, diag);
	if (rc == 0)
		rc = evs_io_sync(to, aside, diag);
	evs_io_close(to);
	if (rc == 0)
		rc = evs_io_sync_parent(aside, diag);
	if (rc == 0)
		rc = evs_io_truncate(fd, from, path, diag);
	return rc == 0 ? evs_io_sync(fd, path, diag) : rc;
}
