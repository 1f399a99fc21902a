/*
 * Every call to the operating system that touches files, the clock or randomness. Nothing else in
 * the library makes one (`make check-layers` holds it), so that the crash and fault harnesses know
 * where to look.
 *
 * All functions retry EINTR and short transfers. They return 0 or a negative code with diag filled
 * (EVS_E_SYS and errno, or as said), unless noted.
 */
#ifndef EVS_STORE_IO_H
#define EVS_STORE_IO_H

#include "evseg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evs_io_stat {
	uint64_t dev, ino, size;
	int64_t mtime; /* ns */
	bool is_dir, is_file;
	uint32_t mode, uid, gid; /* who may do what: 0 .. 0777 */
};

static inline bool evs_io_same_file(const struct evs_io_stat *a, const struct evs_io_stat *b)
{
	return a->ino == b->ino && a->dev == b->dev;
}

int evs_io_open_read(int *fd, const char *path, struct evs_diag *diag);
int evs_io_open_write(int *fd, const char *path, bool create,
		      struct evs_diag *diag);				  /* read and write */
int evs_io_open_append(int *fd, const char *path, struct evs_diag *diag); /* created when absent */
int evs_io_open_unnamed(int *fd, const char *dir,
			struct evs_diag *diag);		 /* read, write; gone when closed */
int evs_io_open_scratch(int *fd, struct evs_diag *diag); /* the same, in $TMPDIR or /tmp */
void evs_io_close(int fd);				 /* -1 is fine */
int evs_io_dup(int fd); /* another descriptor of the same file, or -1 */

int evs_io_fstat(int fd, const char *path, struct evs_io_stat *st, struct evs_diag *diag);
/* 1 when there is nothing at `path`. */
int evs_io_stat(const char *path, struct evs_io_stat *st, struct evs_diag *diag);

/* Reads exactly n bytes; EVS_E_FORMAT when the file ends before. `path` is for messages. */
int evs_io_pread(int fd, void *buf, size_t n, uint64_t off, const char *path,
		 struct evs_diag *diag);
/* Reads up to n bytes, fewer only at the end of the file; `*got` tells. */
int evs_io_pread_some(int fd, void *buf, size_t n, uint64_t off, size_t *got, const char *path,
		      struct evs_diag *diag);
int evs_io_pwrite(int fd, const void *buf, size_t n, uint64_t off, const char *path,
		  struct evs_diag *diag);
int evs_io_write(int fd, const void *buf, size_t n, const char *path, struct evs_diag *diag);
/* Who may do what with the file at `path` may do so with this one; its owner is kept where we may
 * give files away. Nothing when there is none. */
int evs_io_like(int fd, const char *path, struct evs_diag *diag);
int evs_io_truncate(int fd, uint64_t size, const char *path, struct evs_diag *diag);
int evs_io_sync(int fd, const char *path, struct evs_diag *diag); /* fdatasync */
int evs_io_sync_dir(const char *dir, struct evs_diag *diag);
/* The folder that `path` lies in. */
int evs_io_sync_parent(const char *path, struct evs_diag *diag);
int evs_io_rename(const char *from, const char *to, struct evs_diag *diag);
int evs_io_unlink(const char *path, struct evs_diag *diag); /* absent is fine */
/* 1 when it was made now, 0 when it was there. */
int evs_io_mkdir(const char *path, struct evs_diag *diag);
/* 0 when it is gone, 1 when something is in it. */
int evs_io_rmdir(const char *path, struct evs_diag *diag);

/*
 * Exclusive lock on the whole file, held until the descriptor is closed. EVS_E_LOCKED when another
 * holds it and `how` (NULL: wait for ever) says so. Open-file-description locks, so threads exclude
 * each other too.
 */
struct evs_wait {
	bool never;
	bool (*stop)(void *arg); /* or NULL; asked while waiting, from any thread */
	void *arg;
};
int evs_io_lock(int fd, const struct evs_wait *how, const char *path, struct evs_diag *diag);
/* Shared with others who hold it so. An exclusive lock becomes a shared one without a gap. */
int evs_io_lock_shared(int fd, const struct evs_wait *how, const char *path, struct evs_diag *diag);
/* Is somebody writing? Takes no lock. */
bool evs_io_is_locked(int fd);

/* Read a whole small file, at most `max` bytes; malloc'd, zero-terminated. 1 when it is absent. */
int evs_io_read_file(const char *path, size_t max, char **text, size_t *len, struct evs_diag *diag);
/* Temporary name, sync, rename, sync of the folder. Writers of one file must exclude each other. */
int evs_io_write_file(const char *path, const void *text, size_t len, struct evs_diag *diag);
/* `path` without symbolic links, "." and ".."; malloc'd. */
int evs_io_realpath(const char *path, char **out, struct evs_diag *diag);

/* Names in a folder, without "." and ".."; sorted bytewise; free with evs_io_list_free(). */
struct evs_io_entry {
	char *name;
	bool is_dir;
};
int evs_io_list(const char *dir, struct evs_io_entry **out, size_t *n, struct evs_diag *diag);
void evs_io_list_free(struct evs_io_entry *e, size_t n);

int64_t evs_io_now(void);	/* wall clock, ns since 1970 */
int64_t evs_io_monotonic(void); /* ns */
/* At most 256 bytes. */
int evs_io_random(void *buf, size_t n, struct evs_diag *diag);

#endif
