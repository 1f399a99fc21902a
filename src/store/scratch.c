/*
 * Bytes set aside on disk. See store.h.
 */
#include "src/store/store.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <stdlib.h>

static const char name[] = "a temporary file";

struct evs_scratch {
	int fd;
	uint64_t end;
};

int evs_scratch_open(struct evs_scratch **out, struct evs_diag *diag)
{
	struct evs_scratch *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return evs_fail_nomem(diag);
	rc = evs_io_open_scratch(&s->fd, diag);
	if (rc < 0) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

int evs_scratch_append(struct evs_scratch *s, const void *p, size_t n, uint64_t *off,
		       struct evs_diag *diag)
{
	int rc = evs_io_pwrite(s->fd, p, n, s->end, name, diag);

	*off = s->end;
	s->end += n;
	return rc;
}

int evs_scratch_read(struct evs_scratch *s, void *p, size_t n, uint64_t off, struct evs_diag *diag)
{
	return evs_io_pread(s->fd, p, n, off, name, diag);
}

void evs_scratch_close(struct evs_scratch *s)
{
	if (!s)
		return;
	evs_io_close(s->fd);
	free(s);
}
