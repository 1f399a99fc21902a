/*
 * The model of fuzz_roundtrip.c: which lines were sent, which of them must be in which commit of
 * which segment, and what can be done to the stream meanwhile.
 *
 * Rows are made as `evcat` prints them (roundtrip_lines.h), so what comes out is compared letter by
 * letter.
 */
#ifndef EVS_TESTS_FUZZ_ROUNDTRIP_MODEL_H
#define EVS_TESTS_FUZZ_ROUNDTRIP_MODEL_H

#include "evseg.h"
#include "format/bytes.h"
#include "src/json/json.h"
#include "src/json/number.h"
#include "src/store/path.h"
#include "tests/fuzz/scratch.h"

#define MODEL_LINES    1100u
#define MODEL_SEGMENTS 160u
#define MODEL_FIELDS   16u
#define MODEL_NOW      1710000000000000000

struct model_line {
	size_t begin, len;     /* as sent, in m->sent; the newline is counted */
	size_t want, want_len; /* as it comes back, in m->wanted */
	bool bad;
	unsigned segment;
	int64_t n, ts;
	size_t s, s_len; /* the text that may be sorted by, in m->keys */
	bool pending, stored, gone;
	uint64_t commit; /* that it is stored in */
};

struct model_segment {
	char path[256];
	uint64_t commits;
	uint64_t size,
		size_before; /* of the file, now and before its newest commit; 0: not known */
	bool tail;
};

struct model {
	const uint8_t *in;
	size_t left;
	char store[128], stream[128], ddl[1024];
	bool tenant, source;
	uint8_t unit, key, flush_rows, version;
	struct model_line line[MODEL_LINES];
	unsigned nlines, nbad;
	struct model_segment segment[MODEL_SEGMENTS];
	unsigned nsegments;
	struct evs_buf sent, wanted, keys;
	/* the appender at work */
	struct evs_appender *appender;
	uint64_t in_lines, rejected, duplicate, acked;
	unsigned rejects_sure; /* bad lines whose records must be in the reject file */
};

static inline uint8_t model_byte(struct model *m)
{
	if (!m->left)
		return 0;
	m->left--;
	return *m->in++;
}

static inline uint64_t model_number(struct model *m, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | model_byte(m);
	return v;
}

static inline void model_put(struct evs_buf *b, const char *text)
{
	evs_buf_put(b, text, strlen(text));
}

/* ---- the schema ------------------------------------------------------------------------------ */

enum { MODEL_ADD_X = 1, MODEL_WIDEN_N = 2, MODEL_MORE_K = 4 };

static inline void model_ddl(struct model *m)
{
	static const char *const units[] = { "toMonday(ts)", "toYYYYMM(ts)", "toDate(ts)" };
	static const char *const keys[] = { "(n, ts)", "ts", "tuple()", "(s, n)" };
	int n = snprintf(
		m->ddl, sizeof(m->ddl),
		"CREATE TABLE ev (INDEX i s TYPE bloom_filter, ts DateTime64(3) NOT NULL, who String NOT NULL, "
		"n %s NOT NULL, id Nullable(UUID), u Nullable(UInt64), f Nullable(Float64), "
		"d Nullable(Decimal(18,4)), b Nullable(Bool), s String NOT NULL, "
		"k Nullable(Enum('a' = 1, 'bb' = 2%s)), a Nullable(Array(Nullable(Int16))), "
		"j Nullable(JSON)%s) ENGINE = MergeTree PARTITION BY %s%s%s ORDER BY %s;\n",
		m->version & MODEL_WIDEN_N ? "Int64" : "Int32",
		m->version & MODEL_MORE_K ? ", 'ccc' = 3" : "",
		m->version & MODEL_ADD_X ? ", x Nullable(Int16)" : "", m->tenant ? "(who, " : "",
		units[m->unit], m->tenant ? ")" : "", keys[m->key]);

	must(n > 0 && (size_t)n < sizeof(m->ddl));
}

static inline void model_apply(struct model *m)
{
	struct evs_diag diag = { 0 };

	model_ddl(m);
	must(evs_store_apply(m->store, m->ddl, strlen(m->ddl), NULL, NULL, NULL, NULL, &diag) == 0);
}

/* ---- commits --------------------------------------------------------------------------------- */

static inline uint64_t model_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* The commit holds the first `rows` lines of its segment that were waiting. */
static inline void model_on_ack(void *arg, const struct evs_ack *ack)
{
	struct model *m = arg;
	struct model_segment *seg = NULL;
	uint64_t rows = ack->rows;

	for (unsigned i = 0; i < m->nsegments && !seg; i++)
		if (!strcmp(m->segment[i].path, ack->segment))
			seg = &m->segment[i];
	must(seg && ack->seq == seg->commits + 1);
	seg->commits = ack->seq;
	seg->size_before = seg->size;
	seg->size = model_size(seg->path);
	seg->tail = false;
	for (unsigned i = 0; i < m->nlines && rows; i++) {
		struct model_line *l = &m->line[i];

		if (!l->pending || &m->segment[l->segment] != seg)
			continue;
		l->pending = false;
		l->stored = true;
		l->commit = ack->seq;
		rows--;
	}
	must(rows == 0);
	m->acked += ack->rows;
}

static inline void model_feed(struct model *m, unsigned i)
{
	struct model_line *l = &m->line[i];
	const uint8_t *p = m->sent.p + l->begin;
	size_t cut = l->len / 3;

	m->in_lines++;
	m->rejected += l->bad;
	m->duplicate += l->stored;
	l->pending = !l->bad && !l->stored;
	must(evs_append_feed(m->appender, p, cut, NULL) == 0);
	must(evs_append_feed(m->appender, p + cut, l->len - cut, NULL) == 0);
}

static inline void model_open(struct model *m)
{
	struct evs_append_opts opts = { .now = MODEL_NOW,
					.flush_interval_ms = 1000000000,
					.flush_rows = m->flush_rows,
					.source = m->source ? "the source" : NULL,
					.on_ack = model_on_ack,
					.arg = m };

	m->in_lines = m->rejected = m->duplicate = m->acked = 0;
	must(evs_append_open(&m->appender, m->stream, &opts, NULL) == 0);
	for (unsigned i = 0; m->source && i < m->nlines; i++)
		model_feed(m, i);
}

static inline void model_flush(struct model *m)
{
	must(evs_append_flush(m->appender, false, NULL) == 0);
	for (unsigned i = 0; i < m->nlines; i++)
		must(!m->line[i].pending);
}

/* In order, with everything committed and accounted for; or as when the process is killed. */
static inline void model_close(struct model *m, bool orderly)
{
	struct evs_append_stats s;

	if (orderly) {
		model_flush(m);
		evs_append_stats(m->appender, &s);
		must(s.in == m->in_lines && s.rejected == m->rejected && s.stored == m->acked &&
		     s.duplicate == m->duplicate);
		must(s.in == s.stored + s.duplicate + s.rejected);
		m->rejects_sure = m->source ? m->nbad : m->rejects_sure + (unsigned)m->rejected;
	}
	evs_append_close(m->appender);
	m->appender = NULL;
	for (unsigned i = 0; i < m->nlines; i++) {
		m->line[i].gone |= m->line[i].pending && !m->source;
		m->line[i].pending = false;
	}
}

static inline void model_reopen(struct model *m, bool orderly)
{
	model_close(m, orderly);
	model_open(m);
}

static inline void model_change_schema(struct model *m)
{
	static const uint8_t versions[] = { MODEL_ADD_X, MODEL_WIDEN_N, MODEL_MORE_K };

	m->version |= versions[model_byte(m) % 3];
	model_close(m, true);
	model_apply(m);
	model_open(m);
}

/* The process dies, and of the newest commit of a segment only a part reached the disk: it was not
 * acknowledged. */
static inline void model_lose_commit(struct model *m, struct model_segment *seg, uint16_t where,
				     bool zeros)
{
	uint64_t room =
		seg->size - 64 - seg->size_before; /* a first trailer that is whole counts */
	uint64_t at = seg->size_before + (zeros ? 8 : 0) + where % (room - 8);

	must(truncate(seg->path, (off_t)at) == 0);
	must(!zeros || truncate(seg->path, (off_t)seg->size) == 0);
	for (unsigned i = 0; i < m->nlines; i++) {
		struct model_line *l = &m->line[i];

		if (!l->stored || &m->segment[l->segment] != seg || l->commit != seg->commits)
			continue;
		l->stored = false;
		l->gone = !m->source;
	}
	seg->commits--;
	seg->tail = zeros || at > seg->size_before;
	seg->size = seg->size_before;
	seg->size_before = 0;
}

static inline void model_tear(struct model *m)
{
	uint16_t where = (uint16_t)model_number(m, 2);
	uint8_t how = model_byte(m) % 3;
	struct model_segment *seg;

	if (!m->nsegments)
		return;
	seg = &m->segment[where % m->nsegments];
	if (seg->commits < 2 || !seg->size_before || seg->tail)
		return;
	model_close(m, false);
	if (how < 2) {
		model_lose_commit(m, seg, where, how);
	} else {
		int fd = open(seg->path, O_WRONLY | O_APPEND);
		size_t n = 1 + where % 200;

		must(fd >= 0 && n <= m->sent.len);
		must(write(fd, m->sent.p, n) == (ssize_t)n);
		close(fd);
		seg->tail = true;
	}
	model_open(m);
}

/* ---- what must have come of it --------------------------------------------------------------- */

static inline int model_compare_key(const struct model *m, const struct model_line *a,
				    const struct model_line *b)
{
	size_t n = a->s_len < b->s_len ? a->s_len : b->s_len;
	int by_n = (a->n > b->n) - (a->n < b->n), by_ts = (a->ts > b->ts) - (a->ts < b->ts);
	int by_s = n ? memcmp(m->keys.p + a->s, m->keys.p + b->s, n) : 0;

	if (!by_s)
		by_s = (a->s_len > b->s_len) - (a->s_len < b->s_len);
	switch (m->key) {
	case 0:
		return by_n ? by_n : by_ts;
	case 1:
		return by_ts;
	case 2:
		return 0;
	default:
		return by_s ? by_s : by_n;
	}
}

/* The rows of one commit, by the key; those that are equal in the order in which they came. */
static inline void model_put_commit(const struct model *m, unsigned segment, uint64_t commit,
				    struct evs_buf *out)
{
	const struct model_line *rows[MODEL_LINES];
	unsigned n = 0;

	for (unsigned i = 0; i < m->nlines; i++) {
		const struct model_line *l = &m->line[i];
		unsigned at = n;

		if (!l->stored || l->segment != segment || l->commit != commit)
			continue;
		for (; at && model_compare_key(m, rows[at - 1], l) > 0; at--)
			rows[at] = rows[at - 1];
		rows[at] = l;
		n++;
	}
	for (unsigned i = 0; i < n; i++)
		evs_buf_put(out, m->wanted.p + rows[i]->want, rows[i]->want_len);
}

static inline int model_write_out(void *arg, const void *p, size_t n)
{
	evs_buf_put(arg, p, n);
	return 0;
}

/* A writer that finds nothing but duplicates sets a tail aside and commits nothing: the model does
 * not know. */
static inline bool model_tail_ok(const struct model *m, bool tail, bool told)
{
	return m->source ? tail || !told : tail == told;
}

/* What the path gives, as NDJSON; true when damage or a tail was told of. `key`: COLUMN=VALUE, or
 * NULL. */
static inline bool model_read(const char *path, bool pruned, const char *key, struct evs_buf *out)
{
	struct evs_scan_opts opts = {
		.has_since = pruned, .now = MODEL_NOW, .keys = &key, .nkeys = key ? 1 : 0
	};
	struct evs_print_opts print = { .output = EVS_NDJSON };
	struct evs_scan_progress progress;
	struct evs_printer *printer = NULL;
	struct evs_scan *scan = NULL;
	struct evs_batch *batch;
	int rc;

	must(evs_scan_open(&scan, &path, 1, &opts, NULL) == 0);
	must(evs_print_open(&printer, &print, model_write_out, out, NULL) == 0);
	while ((rc = evs_scan_next(scan, &batch, NULL)) == 1)
		must(evs_print_batch(printer, batch, UINT64_MAX, NULL) == 0);
	must(rc == 0 && evs_print_end(printer, NULL) == 0 && evs_buf_ok(out));
	evs_scan_progress(scan, &progress);
	evs_print_close(printer);
	evs_scan_close(scan);
	return progress.damaged;
}

/* Asked for the rows of one value, by zones and filters, the stream gives them all: those with the
 * n or s of line i. */
static inline void model_check_key(const struct model *m, unsigned i, bool by_n)
{
	const struct model_line *l = &m->line[i];
	struct evs_buf got = { 0 };
	char key[80];
	size_t bytes = 0;

	if (!l->stored || memchr(m->keys.p + l->s, 0, l->s_len))
		return;
	if (by_n)
		snprintf(key, sizeof(key), "n=%lld", (long long)l->n);
	else
		snprintf(key, sizeof(key), "s=%.*s", (int)l->s_len, (const char *)m->keys.p + l->s);
	for (unsigned k = 0; k < m->nlines; k++) {
		const struct model_line *o = &m->line[k];
		bool same = by_n ? o->n == l->n
				 : o->s_len == l->s_len &&
					    !memcmp(m->keys.p + o->s, m->keys.p + l->s, l->s_len);

		bytes += o->stored && same ? o->want_len : 0;
	}
	(void)model_read(m->stream, false, key, &got);
	must(got.len == bytes);
	evs_buf_release(&got);
}

static inline void model_check_rejects(const struct model *m)
{
	char path[256];
	struct stat st;
	uint64_t lines = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/rejects.ndjson", m->stream);
	f = stat(path, &st) == 0 ? fopen(path, "r") : NULL;
	for (int c; f && (c = getc(f)) != EOF;)
		lines += c == '\n';
	if (f)
		fclose(f);
	must(lines >= m->rejects_sure && (lines <= m->nbad || !m->source));
}

static inline void model_check(const struct model *m)
{
	struct evs_buf want = { 0 }, got = { 0 };
	uint64_t bytes = 0;
	bool tails = false;

	for (unsigned i = 0; i < m->nsegments; i++) {
		const struct model_segment *seg = &m->segment[i];

		if (!seg->commits) {
			must(model_size(seg->path) == 0);
			continue;
		}
		evs_buf_reset(&want);
		for (uint64_t c = 1; c <= seg->commits; c++)
			model_put_commit(m, i, c, &want);
		for (int pruned = 0; pruned < 2; pruned++) {
			evs_buf_reset(&got);
			must(model_tail_ok(m, seg->tail,
					   model_read(seg->path, pruned, NULL, &got)));
			must(got.len == want.len && !memcmp(got.p, want.p, want.len));
		}
		bytes += want.len;
		tails |= seg->tail;
	}
	evs_buf_reset(&got);
	must(model_tail_ok(m, tails, model_read(m->stream, false, NULL, &got)) && got.len == bytes);
	for (unsigned i = 0; i < m->nlines; i += 1 + m->nlines / 8)
		model_check_key(m, i, i & 1);
	model_check_rejects(m);
	evs_buf_release(&want);
	evs_buf_release(&got);
}

static inline void model_start(struct model *m, const char *dir)
{
	uint8_t b = model_byte(m), c = model_byte(m);

	snprintf(m->store, sizeof(m->store), "%s/store", dir);
	snprintf(m->stream, sizeof(m->stream), "%s/store/ev", dir);
	m->tenant = b & 1;
	m->source = b & 2;
	m->unit = (b >> 2) % 3;
	m->key = b >> 4 & 3;
	m->flush_rows = c & 1 ? (uint8_t)(1 + c / 16) : 0;
	model_apply(m);
	model_open(m);
}

static inline void model_release(struct model *m)
{
	evs_buf_release(&m->sent);
	evs_buf_release(&m->wanted);
	evs_buf_release(&m->keys);
}

#endif
