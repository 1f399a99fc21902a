/*
 * The spool: what goes in comes out, segment by segment and in order of arrival, from memory and
 * from the temporary file; many segments, large ones, large rows; and again after a reset.
 */
#include "src/store/spool.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <string.h>

static struct evs_table *table;
static struct evs_array *cols; /* ts, n, text, _extra, and the spool's two */
static uint16_t ncols;
static struct evs_helper *helper; /* or NULL */

static void add(struct evs_spool *s, uint32_t seg, uint64_t n, size_t text)
{
	static char fill[1 << 20];

	memset(fill, (int)('a' + n % 26), text);
	if (evs_array_append_int(&cols[0], n) < 0 || evs_array_append_int(&cols[1], n) < 0 ||
	    evs_array_append_bytes(&cols[2], fill, text) < 0 ||
	    evs_array_append_null(&cols[3]) < 0 || evs_array_append_int(&cols[4], text) < 0 ||
	    evs_array_append_int(&cols[5], n) < 0 || evs_spool_add(s, cols, 1, &seg, NULL) < 0)
		abort();
	for (uint16_t c = 0; c < ncols; c++)
		evs_array_reset(&cols[c]);
}

static uint32_t segment(struct evs_spool *s, uint32_t k)
{
	char tenant[32];
	uint32_t id = 0;
	int n = snprintf(tenant, sizeof(tenant), "tenant-%u", k / 2);

	if (evs_spool_segment(s, tenant, (size_t)n, k & 1, &id) < 0)
		abort();
	return id;
}

/* Read all; row i went to segment i % nsegs and is `text` + i % 7 bytes long. */
static void read_all(const char *name, struct evs_spool *s, uint32_t nsegs, uint64_t rows,
		     size_t text, bool skip)
{
	struct evs_spool_reader *r = NULL;
	uint64_t seen = 0, turns = 0;
	bool ok = true;

	t_eq_u64(name, evs_spool_rows(s), rows);
	t_eq_u64(name, evs_spool_segments(s), nsegs);
	t_check(name,
		evs_spool_begin_read(s, helper, NULL) == 0 && evs_spool_reader_new(&r, s) == 0);
	for (uint32_t g = 0; g < nsegs; g++) {
		const struct evs_array *src;
		uint64_t want = g;
		uint32_t *idx, n;
		bool more = true;

		/* A segment that cannot be written is not read. */
		if (skip && g % 3 == 1)
			continue;
		while (more && evs_spool_read(s, r, g, &src, &idx, &n, &more, NULL) == 1) {
			turns++;
			for (uint32_t i = 0; i < n; i++, want += nsegs, seen++) {
				size_t len;
				const uint8_t *p = evs_array_bytes(&src[2], idx[i], &len);

				ok &= evs_array_int(&src[1], idx[i]) == want &&
				      evs_array_int(&src[5], idx[i]) == want &&
				      len == text + want % 7 &&
				      (!len || p[len - 1] == 'a' + want % 26) &&
				      evs_array_is_null(&src[3], idx[i]);
			}
		}
		ok &= want >= rows && want < rows + nsegs;
	}
	t_check(name, ok && (skip || seen == rows) && turns >= (skip ? 1 : nsegs));
	evs_spool_reader_free(r);
	t_check(name, evs_spool_reset(s, NULL) == 0 && evs_spool_rows(s) == 0 &&
			      evs_spool_segments(s) == 0);
}

static void fill(struct evs_spool *s, uint32_t nsegs, uint64_t rows, size_t text, unsigned spills)
{
	for (uint64_t i = 0; i < rows; i++) {
		add(s, segment(s, (uint32_t)(i % nsegs)), i, text + i % 7);
		if (spills && i % (rows / spills + 1) == rows / spills &&
		    evs_spool_spill(s, helper, NULL) < 0)
			abort();
	}
}

static void test_names(struct evs_spool *s)
{
	struct evs_spool_segment g;
	uint32_t a = 0, b = 0, c = 0, d = 0;

	T_CHECK(evs_spool_segment(s, "x", 1, 7, &a) == 0 &&
		evs_spool_segment(s, "x", 1, 8, &b) == 0);
	T_CHECK(evs_spool_segment(s, "x\0", 2, 7, &c) == 0 &&
		evs_spool_segment(s, "", 0, 7, &d) == 0);
	T_CHECK(a != b && a != c && a != d && c != d);
	T_CHECK(evs_spool_segment(s, "x", 1, 7, &d) == 0 && d == a);
	evs_spool_segment_get(s, c, &g);
	T_CHECK(g.tenant_len == 2 && !memcmp(g.tenant, "x\0", 2) && g.lo == 7 && g.rows == 0);
	T_CHECK(evs_spool_reset(s, NULL) == 0);
}

/* Long names of many tenants do not pile up without end. */
static void test_bound(struct evs_spool *s)
{
	static char name[4096];
	uint32_t id, n = 0;

	while (n < 100000 && !evs_spool_must_flush(s)) {
		memcpy(name, &n, sizeof(n));
		if (evs_spool_segment(s, name, sizeof(name), 0, &id) < 0)
			break;
		n++;
	}
	t_check("the names are bounded", n > 100 && n < 5000);
	T_CHECK(evs_spool_reset(s, NULL) == 0 && !evs_spool_must_flush(s));
}

/* With a helper or without. */
static void test_ways(struct evs_spool *s)
{
	static const struct {
		const char *name;
		uint32_t nsegs;
		uint64_t rows;
		size_t text;
		unsigned spills;
		bool skip;
	} ways[] = {
		{ "memory", 10, 1000, 5, 0, false },
		{ "file", 10, 1000, 5, 3, false },
		{ "file, by two threads if there are", 3, 20000, 5, 2, false },
		{ "the same, some segments left out", 10, 20000, 50, 3, true },
		{ "file, some segments left out", 10, 1000, 5, 3, true },
		{ "many segments", 5000, 40000, 0, 20, false },
		{ "large segments, in turns", 2, 300, 100000, 7, false },
		{ "large rows", 3, 9, 900000, 2, false },
		{ "many spills", 1, 700, 1, 250, false },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		fill(s, ways[i].nsegs, ways[i].rows, ways[i].text, ways[i].spills);
		T_CHECK(!evs_spool_must_flush(s) || evs_spool_rows(s) == 700);
		read_all(ways[i].name, s, ways[i].nsegs, ways[i].rows, ways[i].text, ways[i].skip);
	}
}

int main(void)
{
	static const char text[] =
		"CREATE TABLE x (ts DateTime, n Int64, text String) ORDER BY ts;";
	struct evs_helper other = { 0 };
	struct evs_spool *s = NULL;

	if (evs_table_parse(&table, text, sizeof(text) - 1, NULL) < 0)
		abort();
	ncols = (uint16_t)(table->ncols + EVS_SPOOL_OWN);
	cols = calloc(ncols, sizeof(*cols));
	if (!cols || ncols != 6)
		abort();
	for (uint16_t c = 0; c < table->ncols; c++)
		if (evs_type_array(&table->cols[c].type, &cols[c]) < 0)
			abort();
	evs_array_init(&cols[4], EVS_INT, 4, false);
	evs_array_init(&cols[5], EVS_INT, 8, false);
	if (evs_spool_new(&s, table, "/tmp", 1u << 20, NULL) < 0)
		abort();

	test_names(s);
	test_ways(s);
	if (!evs_helper_init(&other))
		abort();
	helper = &other;
	test_ways(s);
	evs_helper_release(&other);
	helper = NULL;
	test_bound(s);
	fill(s, 7, 50, 3, 0);
	read_all("memory again", s, 7, 50, 3, false);

	evs_spool_free(s);
	for (uint16_t c = 0; c < ncols; c++)
		evs_array_release(&cols[c]);
	free(cols);
	evs_table_free(table);
	return t_done();
}
