/*
 * The lock on a segment (spec/store.md 4): of writers, and of whoever takes its name away or puts
 * another file in its place.
 */
#include "src/diag.h"
#include "src/store/store.h"

int evs_segment_lock(int *fd, const char *path, const struct evs_wait *how, struct evs_diag *diag)
{
	struct evs_io_stat mine, there;
	int rc = evs_io_open_write(fd, path, false, diag);

	if (rc < 0)
		return evs_io_stat(path, &there, NULL) == 1 ? 1 : rc; /* expired this moment? */
	rc = evs_io_lock(*fd, how, path, diag);
	if (rc == 0)
		rc = evs_io_fstat(*fd, path, &mine, diag);
	if (rc == 0)
		rc = evs_io_stat(path, &there, diag);
	return rc != 0 ? rc : !evs_io_same_file(&there, &mine);
}
