/*
 * Setting bytes aside that a crash left at the end of a file (spec/store.md 5, 6). Private to the store room.
 */
#ifndef EVS_STORE_ASIDE_H
#define EVS_STORE_ASIDE_H

#include "evseg.h"
#include "src/store/path.h"

/*
 * Copy [from, size) of the file into a new one beside it, `path`.tail-FROM with `suffix` behind it, make that durable, then
 * cut the file at `from`, and make that durable, too. The name of the copy comes into `aside` (EVS_PATH_MAX bytes). Under the file's lock.
 *
 * 0, EVS_E_SYS, EVS_E_NOMEM, EVS_E_LIMIT (path too long); the file is whole as long as the copy is not.
 */
int evs_set_aside(int fd, const char *path, uint64_t from, uint64_t size, const char *suffix,
		  char *aside, struct evs_diag *diag);

#endif
