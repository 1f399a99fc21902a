/*
 * A tenant's folder with no segment in it goes, unless a writer is at work in it (spec/store.md
 * 10-8).
 */
#include "src/upkeep/expire.h"

#include <stdio.h>
#include <string.h>

/* `.NAME.new` or `.NAME.compact`: what a writer or evcompact did not finish, or is at work on. */
static bool is_unfinished(const char *name)
{
	char segment[15] = "";
	int64_t lo;

	if (name[0] != '.' || strlen(name) < sizeof(segment))
		return false;
	memcpy(segment, name + 1, sizeof(segment) - 1);
	name += sizeof(segment);
	return evs_segment_name_parse(segment, &lo) &&
	       (!strcmp(name, ".new") || !strcmp(name, ".compact"));
}

/* Whoever makes one holds its lock, and notices that its name has gone. */
static bool remove_unfinished(const char *path)
{
	static const struct evs_wait at_once = { .never = true };
	int fd = -1;
	bool gone =
		evs_segment_lock(&fd, path, &at_once, NULL) == 0 && evs_io_unlink(path, NULL) == 0;

	evs_io_close(fd);
	return gone;
}

/*
 * A writer was making the segment anew, under the eyes of a run of evexpire that was killed, and
 * power failed before its rename was on disk: then the segment is back, and the new one in nobody's
 * way for ever.
 */
void evs_expire_unfinished(const char *segment)
{
	char path[EVS_PATH_MAX];
	const char *name = evs_path_name(segment);
	struct evs_io_stat st;
	int n = snprintf(path, sizeof(path), "%.*s.%s.new", (int)(name - segment), segment, name);

	if ((size_t)n < sizeof(path) && evs_io_stat(segment, &st, NULL) == 0 &&
	    evs_io_stat(path, &st, NULL) == 0)
		(void)remove_unfinished(path);
}

bool evs_expire_folder(const char *segment)
{
	char dir[EVS_PATH_MAX], path[EVS_PATH_MAX];
	struct evs_io_entry *list = NULL;
	bool empty = true;
	size_t n = 0;
	int rc;

	if (!evs_path_above(dir, segment, 1))
		return false;
	rc = evs_io_rmdir(dir, NULL);
	if (rc != 1)
		return rc == 0;
	if (evs_io_list(dir, &list, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n && empty; i++)
		empty = is_unfinished(list[i].name);
	for (size_t i = 0; i < n && empty; i++)
		empty = evs_path_join(path, dir, list[i].name, NULL) == 0 &&
			remove_unfinished(path);
	evs_io_list_free(list, n);
	return empty && evs_io_rmdir(dir, NULL) == 0;
}
