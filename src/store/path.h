/*
 * Names of files and folders (spec/store.md 2) and how paths given by users become segments.
 */
#ifndef EVS_STORE_PATH_H
#define EVS_STORE_PATH_H

#include "src/schema/schema.h"
#include "src/store/io.h"

#define EVS_PATH_MAX   1024u /* bytes of a path that the library handles, terminator included */
#define EVS_NAME_BYTES 220u  /* of an escaped name */

/*
 * Escape a tenant or stream name for use as a file name. `out` has room for EVS_NAME_BYTES + 1.
 * Different names give different results (longer than the limit: by hash), none leaves its folder
 * or meets a file of ours.
 */
void evs_name_escape(const char *name, size_t len, char *out);

/* Back again, into out (as long as the name at most), its length in *n. False when the name was too
 * long to be kept. */
bool evs_name_unescape(const char *name, size_t len, char *out, size_t *n);

/* dir/name into out[EVS_PATH_MAX]; EVS_E_LIMIT when too long. */
int evs_path_join(char *out, const char *dir, const char *name, struct evs_diag *diag);

/* The last part of a path: what stands behind its last slash. */
const char *evs_path_name(const char *path);

/* `up` folders above `path`, into out[EVS_PATH_MAX]; false when that is too long. */
bool evs_path_above(char *out, const char *path, unsigned up);

/* "2024-01-01.evs" of the partition that begins at `lo` (seconds; years 0 to 9999). Room for 24. */
void evs_segment_name(int64_t lo, char *out);
/* Back again; false when the name is not of that form. */
bool evs_segment_name_parse(const char *name, int64_t *lo);

enum evs_path_kind { EVS_PATH_STORE = 1, EVS_PATH_STREAM, EVS_PATH_TENANT, EVS_PATH_SEGMENT };

/* What `path` is: a stream holds schema.sql, a tenant's parent does or it holds segments.
 * EVS_E_USAGE for neither, EVS_E_SYS when it cannot be looked at. */
int evs_path_kind(const char *path, enum evs_path_kind *kind, struct evs_diag *diag);

/* The streams of a store, as paths; malloc'd array of malloc'd strings. */
int evs_store_streams(const char *store, char ***out, size_t *n, struct evs_diag *diag);
void evs_strings_free(char **s, size_t n);

/*
 * Make the stream's folder, and the store's around it when that is missing too, and make their
 * names durable: whoever sees a schema.sql may rely on its folders (spec/store.md 9).
 */
int evs_stream_make(const char *stream, bool *new_store, struct evs_diag *diag);

/* Lock by which writers of schema.sql exclude each other (spec/store.md 9); waits. Ends with
 * evs_io_close(*fd). */
int evs_stream_lock(const char *stream, const struct evs_wait *how, int *fd, struct evs_diag *diag);

/* Text of a stream's schema.sql, malloc'd and zero-terminated; 1 when there is none. */
int evs_stream_schema(const char *stream, char **text, size_t *len, struct evs_diag *diag);

/* Parsed schema.sql of a stream folder; 1 when there is none. */
int evs_stream_table(const char *stream, struct evs_table **out, struct evs_diag *diag);

#endif
