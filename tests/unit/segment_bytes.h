/*
 * The segment of segment_rows.h read as a whole, and its bytes, to be damaged and put back.
 */
#ifndef EVS_TESTS_SEGMENT_BYTES_H
#define EVS_TESTS_SEGMENT_BYTES_H

#include "src/store/segment_read.h"
#include "tests/unit/segment_rows.h"

struct told {
	unsigned times, torn;
	uint64_t rows;
	char what[256]; /* the last one */
};

static inline void on_told(void *arg, const struct evs_damage *d)
{
	struct told *t = arg;

	t->times++;
	t->torn += d->torn;
	t->rows += d->rows;
	snprintf(t->what, sizeof(t->what), "%s", d->what);
}

/* Beside the two of enum evs_walk: pruned, and nothing checked before it is needed. */
#define PUT_OFF 2u
#define WAYS	3u

/* Rows that come, or an error. Damaged columns are told, too. */
static inline int64_t read_all(unsigned how, struct told *told)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_array n, text;
	struct evs_diag d = { 0 };
	int64_t rows = 0;
	uint64_t off;
	int rc;

	*told = (struct told){ 0 };
	rc = how == PUT_OFF ? evs_segment_open_with(&s, NULL, true, path, on_told, told, NULL)
			    : evs_segment_open(&s, path, on_told, told, NULL);
	if (rc < 0)
		return rc;
	evs_segment_rewind(s, how ? EVS_WALK_PRUNED : EVS_WALK_ALL, INT64_MIN, INT64_MAX);
	evs_array_init(&n, EVS_INT, 8, true);
	evs_array_init(&text, EVS_BYTES, 0, false);
	while ((rc = evs_segment_next(s, &g, &off, &d)) == 1) {
		rc = evs_segment_column(s, 1, &n, &d);
		if (rc == 0)
			rc = evs_segment_column(s, 2, &text, &d);
		if (rc == EVS_E_FORMAT)
			evs_segment_lost(s, &d);
		else if (rc < 0)
			break;
		else
			rows += g->rows;
	}
	evs_array_release(&n);
	evs_array_release(&text);
	evs_segment_close(s);
	return rc < 0 ? rc : rows;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

static uint8_t *bytes;
static size_t len;

static inline void load(void)
{
	FILE *f = fopen(path, "rb");

	len = size_of(path);
	free(bytes);
	bytes = malloc(len);
	if (!f || !bytes || fread(bytes, 1, len, f) != len || fclose(f) != 0)
		abort();
}

static inline void store(size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static inline uint64_t salt_of(void)
{
	struct evs_segment *s = NULL;
	uint64_t salt;

	if (evs_segment_open(&s, path, NULL, NULL, NULL) < 0)
		abort();
	salt = evs_segment_head(s)->salt;
	evs_segment_close(s);
	return salt;
}

/* Offset of the nth frame of a type, from 0, in `bytes`. */
static inline size_t frame_at(enum evs_frame_type type, unsigned nth)
{
	uint64_t salt = salt_of();
	struct evs_frame fr;
	const char *why;

	for (size_t at = 0; at + EVS_FRAME_HEAD_SIZE <= len; at += 8)
		if (evs_frame_decode(&fr, bytes + at, salt, at, &why) == 0 && fr.type == type &&
		    !nth--)
			return at;
	abort();
}

/* Where the nth commit ends. */
static inline size_t end_of(unsigned nth)
{
	size_t at = frame_at(EVS_FRAME_COMMIT, nth);

	return at + (size_t)evs_frame_span(evs_get64(bytes + at + 8));
}

/* Commits of `rows` rows each, with long texts when there are few. */
static inline void commits(unsigned n, uint32_t rows, size_t text)
{
	away();
	for (unsigned i = 0; i < n; i++)
		T_CHECK(append(i * rows, rows, rows, text) == 0);
	load();
}

#endif
