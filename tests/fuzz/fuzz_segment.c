/*
 * Fuzz: a whole segment file. It is walked frame by frame and through its tree, scanned and
 * printed, and appended to; see mutate_segment.h for how the fuzzer changes one.
 *
 * Whatever the bytes: no row is missed without being named; where the walk finds nothing wrong, the
 * tree gives the same groups with the same values; a writer that refuses the file leaves it as it
 * is; after an append to a sound file, or one with a tail, everything that was there is there, and
 * the new row behind it.
 */
#include "src/store/segment_write.h"
#include "tests/fuzz/mutate_segment.h"
#include "tests/fuzz/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#define MAX_GROUPS 512u
#define MAX_VALUES ((uint64_t)1 << 22) /* more in one group shows nothing new and is slow */

/* What one way through the file gave. */
struct seen {
	struct {
		uint64_t off, first_row, rows, values;
	} group[MAX_GROUPS];
	unsigned n;
	/* delivered; told to be lost. A forged file may speak of 2^64 rows */
	unsigned __int128 rows, lost;
	unsigned told, told_rot; /* all that was told; without tails */
	bool unread;		 /* values of a group were not asked for */
	int rc;
};

static char path[128];

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return mutate_segment(data, size, max, seed);
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct seen *s = arg;

	must(d->path && d->what && *d->what);
	s->told++;
	s->told_rot += !d->torn;
	s->lost += d->rows;
}

static uint64_t hash_array(const struct evs_array *a, uint64_t h)
{
	h = XXH3_64bits_withSeed(&a->rows, sizeof(a->rows), h);
	for (uint32_t i = 0; a->nulls && i < a->rows; i++)
		h = h * 3 + evs_array_is_null(a, i);
	if (a->phys < EVS_BYTES)
		return a->rows ? XXH3_64bits_withSeed(a->data, (size_t)a->rows * a->width, h) : h;
	if (a->offs)
		h = XXH3_64bits_withSeed(a->offs, ((size_t)a->rows + 1) * 4, h);
	if (a->phys == EVS_BYTES)
		return a->rows && a->offs[a->rows]
			       ? XXH3_64bits_withSeed(a->data, (size_t)a->offs[a->rows], h)
			       : h;
	for (unsigned i = 0; i < a->nchild; i++)
		h = hash_array(&a->child[i], h);
	return h;
}

/* The schema that groups speak of, as long as they speak of the same one. */
struct schema {
	struct evs_table *table; /* NULL: none that can be had */
	uint64_t off;
	bool known;
};

static const struct evs_table *schema_at(struct schema *m, struct evs_segment *s, uint64_t off)
{
	char *text = NULL;
	size_t len;

	if (m->known && m->off == off)
		return m->table;
	evs_table_free(m->table);
	*m = (struct schema){ .off = off, .known = true };
	if (evs_segment_schema(s, off, &text, &len, NULL) == 0)
		(void)evs_table_parse(&m->table, text, len, NULL);
	free(text);
	return m->table;
}

/* All values of the current group, as far as they can be had; where none are asked for, *unread. */
static uint64_t hash_values(struct evs_segment *s, const struct evs_group *g,
			    const struct evs_table *t, bool *unread)
{
	struct evs_diag diag = { 0 };
	uint64_t h = 0;

	if (!t || t->ncols != g->columns || (uint64_t)g->rows * t->ncols > MAX_VALUES) {
		*unread = true;
		return 0;
	}
	for (uint16_t i = 0; i < t->ncols; i++) {
		struct evs_array a = { 0 };
		int rc = evs_type_array(&t->cols[i].type, &a);

		if (rc == 0)
			rc = evs_segment_column(s, i, &a, &diag);
		must(rc < 0 ? diag.what[0] != 0 : a.rows == g->rows);
		h = rc < 0 ? h * 5 + (uint64_t)-rc : hash_array(&a, h);
		if (rc < 0)
			evs_segment_lost(s, &diag);
		evs_array_release(&a);
	}
	return h;
}

/* `put_off`: what is not needed is not checked when the segment is opened. */
static int walk_opened(struct seen *s, bool put_off, enum evs_walk how, int64_t since,
		       int64_t until)
{
	struct evs_segment *seg = NULL;
	struct schema schema = { 0 };
	const struct evs_group *g;
	struct evs_diag diag = { 0 };
	uint64_t off;

	*s = (struct seen){ 0 };
	s->rc = evs_segment_open_with(&seg, NULL, put_off, path, on_damage, s, &diag);
	if (s->rc == 0) {
		evs_segment_rewind(seg, how, since, until);
		while ((s->rc = evs_segment_next(seg, &g, &off, &diag)) == 1) {
			s->rows += g->rows;
			s->unread |= s->n == MAX_GROUPS;
			if (s->n == MAX_GROUPS)
				continue;
			s->group[s->n].off = off;
			s->group[s->n].first_row = g->first_row;
			s->group[s->n].rows = g->rows;
			s->group[s->n++].values = hash_values(
				seg, g, schema_at(&schema, seg, g->schema_off), &s->unread);
		}
		if (evs_segment_tail(seg)->have_commit && s->rc == 0)
			must(since != INT64_MIN ||
			     s->rows + s->lost >= evs_segment_tail(seg)->trailer.rows_total);
	}
	must(s->rc >= 0 || diag.what[0]);
	evs_table_free(schema.table);
	evs_segment_close(seg);
	return s->rc;
}

static int walk(struct seen *s, enum evs_walk how, int64_t since, int64_t until)
{
	return walk_opened(s, false, how, since, until);
}

static bool same_groups(const struct seen *a, const struct seen *b, unsigned n)
{
	return a->n >= n && b->n >= n && !memcmp(a->group, b->group, n * sizeof(a->group[0]));
}

/* ---- through the front door ------------------------------------------------------------------ */

static int count_bytes(void *arg, const void *p, size_t n)
{
	(void)p;
	*(size_t *)arg += n;
	return 0;
}

/* `key`: COLUMN=VALUE, or NULL. */
static void scan(bool timed, const char *key)
{
	const char *const paths[] = { path };
	struct seen told = { 0 };
	struct evs_scan_opts opts = { .on_damage = on_damage,
				      .arg = &told,
				      .has_since = timed,
				      .keys = &key,
				      .nkeys = key ? 1 : 0,
				      .since = 1704277230000000000 };
	struct evs_print_opts print = { .output = EVS_NDJSON };
	struct evs_diag diag = { 0 };
	struct evs_printer *out = NULL;
	struct evs_scan *s = NULL;
	struct evs_batch *batch;
	size_t bytes = 0;
	int rc = evs_scan_open(&s, paths, 1, &opts, &diag);

	if (rc == 0)
		must(evs_print_open(&out, &print, count_bytes, &bytes, NULL) == 0);
	while (rc >= 0 && (rc = evs_scan_next(s, &batch, &diag)) == 1)
		if ((uint64_t)evs_batch_rows(batch) * evs_batch_columns(batch) < MAX_VALUES)
			rc = evs_print_batch(out, batch, 1000, &diag);
	must(rc >= 0 || diag.what[0]);
	evs_print_close(out);
	evs_scan_close(s);
}

/* ---- appending ------------------------------------------------------------------------------- */

static const char schema[] = "CREATE TABLE ev (ts DateTime NOT NULL, n Int64) ORDER BY ts "
			     "PARTITION BY toMonday(ts);\n";

static int put_row(struct evs_seg_writer *w)
{
	static struct evs_encoder *enc;
	const struct evs_encoder_opts opts = { .zstd_level = 1, .packed_below = 4096 };
	struct evs_array cols[3];
	struct evs_seg_rows rows = { .cols = cols, .ncols = 3, .time_min = 0, .time_max = 0 };
	struct evs_diag diag = { 0 };
	int rc;

	must(enc || evs_encoder_new(&enc, &opts) == 0);
	evs_array_init(&cols[0], EVS_INT, 4, false);
	evs_array_init(&cols[1], EVS_INT, 8, true);
	evs_array_init(&cols[2], EVS_BYTES, 0, false);
	must(!evs_array_append_int(&cols[0], 0) && !evs_array_append_int(&cols[1], 7) &&
	     !evs_array_append_null(&cols[2]));
	rc = evs_segw_group(w, enc, &rows, &diag);
	if (rc == 0)
		rc = evs_segw_commit(w, "source", 1, 1, &diag);
	must(rc >= 0 || diag.what[0]);
	for (unsigned i = 0; i < 3; i++)
		evs_array_release(&cols[i]);
	return rc;
}

/* A row more, by a writer that believes what HEAD says. 1 when nothing was to be done. */
static int append(const char *dir)
{
	struct evs_seg_spec spec = { .dir = dir, .name = "2024-01-01.evs", .source = "source" };
	struct evs_segment *seg = NULL;
	struct evs_seg_writer w;
	struct evs_diag diag = { 0 };
	const struct evs_head *h;
	int rc;

	if (evs_segment_open(&seg, path, NULL, NULL, NULL) < 0)
		return 1;
	h = evs_segment_head(seg);
	spec.stream = "ev";
	spec.tenant = h->tenant;
	spec.tenant_len = h->tenant_len;
	spec.lo = h->part_lo;
	spec.hi = h->part_hi;
	spec.schema = schema;
	spec.schema_len = sizeof(schema) - 1;
	rc = evs_segw_open(&w, &spec, &diag);
	must(rc >= 0 || diag.what[0]);
	if (rc == 0)
		rc = put_row(&w);
	evs_segw_close(&w);
	evs_segment_close(seg);
	return rc;
}

static void check_append(const char *dir, const struct seen *before, const uint8_t *data,
			 size_t size)
{
	static struct seen after, pruned;
	int rc = append(dir);

	if (rc != 0) {
		must(scratch_holds(path, data, size));
		return;
	}
	must(walk(&after, EVS_WALK_ALL, INT64_MIN, INT64_MAX) == 0);
	if (before->told_rot)
		return; /* a forged frame may reach over what follows: it is lost, and named, as
			   walk() demands */
	must(after.n == MAX_GROUPS || after.n == before->n + 1);
	must(same_groups(before, &after, before->n) && !after.told);
	must(walk(&pruned, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX) == 0 && !pruned.told &&
	     pruned.n == after.n && same_groups(&after, &pruned, after.n));
}

static void check_mend(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);

	must(copy != NULL);
	memcpy(copy, data, size);
	mend_sums(copy, size);
	must(!memcmp(copy, data, size));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen all, pruned;
	const char *dir;

	if (size > (size_t)1 << 20)
		return 0;
	dir = scratch();
	snprintf(path, sizeof(path), "%s/2024-01-01.evs", dir);
	scratch_write(path, data, size);
	walk(&all, EVS_WALK_ALL, INT64_MIN, INT64_MAX);
	walk(&pruned, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	must(all.rc == pruned.rc);
	if (all.rc == 0 && !all.told) {
		if (!all.unread)
			check_mend(data, size);
		must(!pruned.told && all.n == pruned.n && same_groups(&all, &pruned, all.n));
	}
	walk_opened(&pruned, true, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	/* A group of a newer format in the newest append refuses the segment at once, and itself
	 * when it is met. */
	must(all.rc == pruned.rc || (all.rc == EVS_E_VERSION && pruned.rc == 0 && pruned.told));
	if (all.rc == 0 && !all.told)
		must(!pruned.told && all.n == pruned.n && same_groups(&all, &pruned, all.n));
	walk(&pruned, EVS_WALK_PRUNED, 1704277230000000000, 1704277240000000000);
	must(all.rc == pruned.rc);
	scan(false, NULL);
	scan(true, NULL);
	scan(false, size % 2 ? "id=7" : "n=1");
	check_append(dir, &all, data, size);
	return 0;
}
