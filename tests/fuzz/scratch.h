/*
 * A folder of its own for a target that needs files, in memory where the system has such a place.
 */
#ifndef EVS_TESTS_FUZZ_SCRATCH_H
#define EVS_TESTS_FUZZ_SCRATCH_H

#include "tests/fuzz/must.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_dir[64];

/* Everything in the folder, at any depth, but not itself. */
static inline void scratch_empty(const char *dir)
{
	DIR *d = opendir(dir);
	char path[512];

	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		must(snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < (int)sizeof(path));
		if (unlink(path) < 0) {
			scratch_empty(path);
			rmdir(path);
		}
	}
	if (d)
		closedir(d);
}

static inline void scratch_leave(void)
{
	scratch_empty(scratch_dir);
	rmdir(scratch_dir);
}

/* Made at the first call of a process; empty at every call. */
static inline const char *scratch(void)
{
	static pid_t owner;

	if (owner == getpid()) {
		scratch_empty(scratch_dir);
		return scratch_dir;
	}
	owner = getpid();
	snprintf(scratch_dir, sizeof(scratch_dir), "%s/evs-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(scratch_dir) != NULL);
	atexit(scratch_leave);
	return scratch_dir;
}

static inline void scratch_write(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

/* Does the file hold exactly these bytes? */
static inline bool scratch_holds(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_RDONLY);
	uint8_t *got = malloc(n + 1);
	bool same;

	must(fd >= 0 && got);
	same = read(fd, got, n + 1) == (ssize_t)n && (!n || !memcmp(got, p, n));
	close(fd);
	free(got);
	return same;
}

#endif
