/*
 * Two stores with a stream of the same name are archived to one place at the same time: whoever
 * comes second finds the copy of the first in place, leaves it alone, and drops nothing.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/append_store.h"

#include <fcntl.h>

static char archive[128], copy[160], making[160];
static bool armed;

int __real_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...);

static const char first[] = "the copy of the one that was first";

static void put_first(void)
{
	int fd = open(making, O_WRONLY | O_TRUNC);

	T_CHECK(fd >= 0 && write(fd, first, sizeof(first)) == sizeof(first) && close(fd) == 0);
	T_CHECK(rename(making, copy) == 0);
}

/* The first one ends between our opening of what it has made and our having the lock of it. */
int __wrap_fcntl(int fd, int cmd, ...)
{
	struct stat a, b;
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (armed && stat(making, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino) {
		armed = false;
		put_first();
	}
	return __real_fcntl(fd, cmd, arg);
}

static unsigned told;

static void on_problem(void *arg, const struct evs_diag *d)
{
	(void)arg;
	told += strstr(d->what, "is another file than the one to be archived") != NULL;
}

int main(void)
{
	const char *const paths[] = { stream };
	struct evs_append_stats stats;
	struct evs_expire_stats gone;
	struct evs_diag d = { 0 };
	char bytes[sizeof(first) + 1];
	uint64_t early;
	int fd;

	begin();
	fresh("n Int64) ORDER BY n PARTITION BY toMonday(ts)");
	snprintf(archive, sizeof(archive), "%s/old", dir);
	snprintf(copy, sizeof(copy), "%s/ev/_/2024-01-01.evs", archive);
	snprintf(making, sizeof(making), "%s/ev/_/.2024-01-01.evs.new", archive);
	put("{\"ts\":\"2024-01-02T00:00:00Z\",\"n\":1}\n");
	check_whole("a row", NULL, 1, &early, &stats);
	armed = true;
	T_CHECK(evs_expire(paths, 1,
			   &(struct evs_expire_opts){ .older_than = "2024-06-01",
						      .archive = archive,
						      .on_problem = on_problem },
			   &gone, &d) == 0);
	T_CHECK(!armed && told == 1 && gone.partitions == 0 && gone.left == 1);
	fd = open(copy, O_RDONLY);
	t_check("the first copy is as it was", read(fd, bytes, sizeof(bytes)) == sizeof(first) &&
						       !memcmp(bytes, first, sizeof(first)));
	T_CHECK(close(fd) == 0 && access(making, F_OK) != 0);
	return end();
}
