/*
 * The model of fuzz_roundtrip.c: which lines were sent, which of them must be in which commit of
 * which segment, and what can be done to the stream meanwhile.
 *
 * Rows are made from the input's bytes as `evcat` prints them, so what comes out is compared letter
 * by letter; they are sent with their fields in another order, and with nulls.
 */
#ifndef EVS_TESTS_FUZZ_ROUNDTRIP_MODEL_H
#define EVS_TESTS_FUZZ_ROUNDTRIP_MODEL_H

#include "evseg.h"
#include "format/bytes.h"
#include "src/json/json.h"
#include "src/json/number.h"
#include "src/store/path.h"
#include "tests/fuzz/scratch.h"

#include <math.h>

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

/* ---- lines ----------------------------------------------------------------------------------- */

struct model_field {
	const char *name;
	size_t at, len; /* of its value, in m->keys */
};

static const char *const model_tenants[] = { "t", "", "..", "a/b", "_", "\xc3\xa9", "x.evs", "T" };

static inline unsigned model_segment_of(struct model *m, const char *tenant, unsigned day)
{
	char folder[EVS_NAME_BYTES + 1] = "_", path[256];
	unsigned first = m->unit == 2 ? day : m->unit == 1 ? (day < 31 ? 0 : 31) : day / 7 * 7, i;

	if (m->tenant)
		evs_name_escape(tenant, strlen(tenant), folder);
	must(snprintf(path, sizeof(path), "%s/%s/2024-%02u-%02u.evs", m->stream, folder,
		      first < 31 ? 1u : 2u,
		      first < 31 ? first + 1 : first - 30) < (int)sizeof(path));
	for (i = 0; i < m->nsegments; i++)
		if (!strcmp(m->segment[i].path, path))
			return i;
	must(m->nsegments < MODEL_SEGMENTS);
	memcpy(m->segment[m->nsegments++].path, path, sizeof(path));
	return i;
}

static inline void model_put_string(struct evs_buf *b, const uint8_t *p, size_t len)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	char escape[8];

	evs_buf_put_u8(b, '"');
	for (size_t i = 0; i < len; i++) {
		const char *f = p[i] ? strchr(from, p[i]) : NULL;

		if (f)
			snprintf(escape, sizeof(escape), "\\%c", to[f - from]);
		else if (p[i] < 0x20)
			snprintf(escape, sizeof(escape), "\\u%04x", p[i]);
		else
			snprintf(escape, sizeof(escape), "%c", p[i]);
		model_put(b, escape);
	}
	evs_buf_put_u8(b, '"');
}

/* Some text, in UTF-8; a zero byte has its place in it, too. */
static inline size_t model_text(struct model *m, uint8_t *out)
{
	static const char *const wide[] = {
		"\xc2\x80",	    "\xdf\xbf",	    "\xe2\x82\xac", "\xef\xbf\xbf",
		"\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\x7f",	    ""
	};
	size_t n = 0;

	for (unsigned k = model_byte(m) % 12; k; k--) {
		uint8_t c = model_byte(m);

		if (c < 0x80) {
			out[n++] = c;
		} else {
			size_t len = strlen(wide[c % 8]);

			memcpy(out + n, wide[c % 8], len);
			n += len;
		}
	}
	return n;
}

static inline void model_put_time(struct model *m, int64_t ts)
{
	unsigned day = (unsigned)(ts / 86400000), ms = (unsigned)(ts % 86400000);
	char text[48];

	snprintf(text, sizeof(text), "\"2024-%02u-%02uT%02u:%02u:%02u.%03uZ\"", day < 31 ? 1u : 2u,
		 day < 31 ? day + 1 : day - 30, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
		 ms % 1000);
	model_put(&m->keys, text);
}

static inline void model_put_double(struct model *m, uint64_t bits)
{
	char text[64];
	double v;

	memcpy(&v, &bits, sizeof(v));
	if (!isfinite(v))
		v = 0.5;
	evs_buf_put(&m->keys, text, evs_double_print(v, text));
}

static inline void model_put_list(struct model *m)
{
	char text[16];

	evs_buf_put_u8(&m->keys, '[');
	for (unsigned n = model_byte(m) % 4, i = 0; i < n; i++) {
		int16_t v = (int16_t)model_number(m, 2);

		snprintf(text, sizeof(text), "%s%d", i ? "," : "", v);
		model_put(&m->keys, v == 7 ? i ? ",null" : "null" : text);
	}
	evs_buf_put_u8(&m->keys, ']');
}

static const char *const model_json[] = {
	"{}",	"[1, 2.50,\"q\"]", "{\"a\" : {\"b\":1e2}}",	    "\"\\u00e9\"", "-0",
	"true", "[[[]]]",	   "123456789012345678901234567890"
};

/* The value of a column that may be null, as text at the end of m->keys. */
static inline void model_value(struct model *m, char column)
{
	char text[64];
	uint64_t v;

	switch (column) {
	case 'i':
		v = model_number(m, 4);
		snprintf(text, sizeof(text), "\"%08x-0000-%04x-8000-00000000%04x\"", (unsigned)v,
			 (unsigned)(v >> 8 & 0xffff), (unsigned)(v & 0xffff));
		model_put(&m->keys, text);
		break;
	case 'u':
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)model_number(m, 1 + model_byte(m) % 8));
		model_put(&m->keys, text);
		break;
	case 'f':
		model_put_double(m, model_number(m, 8));
		break;
	case 'd':
		evs_buf_put(&m->keys, text,
			    evs_decimal_print((int32_t)model_number(m, 4), 4, text));
		break;
	case 'b':
		model_put(&m->keys, model_byte(m) & 1 ? "true" : "false");
		break;
	case 'k':
		model_put(&m->keys, m->version & MODEL_MORE_K && model_byte(m) & 4 ? "\"ccc\""
				    : model_byte(m) & 1				   ? "\"bb\""
										   : "\"a\"");
		break;
	case 'a':
		model_put_list(m);
		break;
	case 'x':
		snprintf(text, sizeof(text), "%d", (int16_t)model_number(m, 2));
		model_put(&m->keys, text);
		break;
	default: /* j, and what no column is for */
		model_put(&m->keys, model_json[model_byte(m) % 8]);
		break;
	}
}

/* The line as it is sent: from another field on, with nulls and white space; and as it comes back.
 */
static inline void model_write(struct model *m, struct model_line *l, const struct model_field *f,
			       unsigned n)
{
	unsigned from = model_byte(m) % n;

	l->want = m->wanted.len;
	for (unsigned i = 0; i < n; i++) {
		if (!f[i].len)
			continue;
		model_put(&m->wanted, l->want == m->wanted.len ? "{\"" : ",\"");
		model_put(&m->wanted, f[i].name);
		model_put(&m->wanted, "\":");
		evs_buf_put(&m->wanted, m->keys.p + f[i].at, f[i].len);
	}
	model_put(&m->wanted, "}\n");
	l->want_len = m->wanted.len - l->want;

	l->begin = m->sent.len;
	for (unsigned i = 0; i < n; i++) {
		const struct model_field *g = &f[(from + i) % n];

		model_put(&m->sent, i ? ", \"" : " {\"");
		model_put(&m->sent, g->name);
		model_put(&m->sent, "\":");
		if (g->len)
			evs_buf_put(&m->sent, m->keys.p + g->at, g->len);
		else
			model_put(&m->sent, "null");
	}
	model_put(&m->sent, "}\n");
	l->len = m->sent.len - l->begin;
	must(evs_buf_ok(&m->sent) && evs_buf_ok(&m->wanted) && evs_buf_ok(&m->keys));
}

static inline void model_row(struct model *m)
{
	static const char *const names[] = { "ts", "who", "n", "id", "u", "f", "d",
					     "b",  "s",	  "k", "a",  "j", "x", "zz" };
	struct model_field f[MODEL_FIELDS];
	struct model_line *l = &m->line[m->nlines];
	const char *tenant = model_tenants[model_byte(m) % 8];
	unsigned present = (unsigned)model_number(m, 2), n = 0;
	uint8_t text[64];
	char number[32];

	*l = (struct model_line){ 0 };
	l->ts = (int64_t)(model_number(m, 2) % (60 * 24)) * 3600000 + model_byte(m) * 4;
	l->n = m->version & MODEL_WIDEN_N && present & 0x8000 ? (int64_t)model_number(m, 8)
							      : (int8_t)model_byte(m);
	l->s_len = model_text(m, text);
	l->s = m->keys.len;
	evs_buf_put(&m->keys, text, l->s_len);
	l->segment = model_segment_of(m, tenant, (unsigned)(l->ts / 86400000));
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct model_field *g = &f[n++];

		*g = (struct model_field){ names[i], m->keys.len, 0 };
		if (i == 0)
			model_put_time(m, l->ts);
		else if (i == 1)
			model_put_string(&m->keys, (const uint8_t *)tenant, strlen(tenant));
		else if (i == 2)
			evs_buf_put(&m->keys, number, evs_int_print(l->n, number));
		else if (i == 8)
			model_put_string(&m->keys, text, l->s_len);
		else if (names[i][0] == 'x' && !(m->version & MODEL_ADD_X))
			n--;
		else if (present >> i & 1)
			model_value(m, names[i][0]);
		else if (names[i][0] == 'z')
			n--; /* a field without a column is kept with its null, too */
		g->len = m->keys.len - g->at;
	}
	model_write(m, l, f, n);
	m->nlines++;
	model_feed(m, m->nlines - 1);
}

/* Many rows at once, from one byte of the input: groups get zones and filters only when they are
 * large. */
static inline void model_burst(struct model *m)
{
	uint64_t random = model_byte(m) * 0x9e3779b97f4a7c15u + 1;
	uint8_t bytes[96];
	unsigned rows = 1 + model_byte(m);
	const uint8_t *in = m->in;
	size_t left = m->left;

	for (; rows && m->nlines < MODEL_LINES; rows--) {
		for (unsigned i = 0; i < sizeof(bytes); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[i] = (uint8_t)(random >> 24);
		}
		bytes[0] &= 1; /* two tenants, one day: they are to meet in a segment */
		bytes[3] = 0;
		m->in = bytes;
		m->left = sizeof(bytes);
		model_row(m);
	}
	m->in = in;
	m->left = left;
}

/* Bad under every schema there is. */
static inline void model_bad_line(struct model *m)
{
	static const char *const lines[] = {
		"{\"ts\":\n",
		"{\"who\":\"t\",\"n\":1,\"s\":\"\"}\n",
		"{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":1,\"s\":\"\"}\n",
		"{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t\",\"n\":\"one\",\"s\":\"\"}\n",
		"{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t\",\"n\":1,\"s\":\"\",\"k\":\"no\"}\n",
		"{\"ts\":\"the day before\",\"who\":\"t\",\"n\":1,\"s\":\"\"}\n",
		"[]\n",
		"\xff\n",
	};
	const char *text = lines[model_byte(m) % 8];
	struct model_line *l = &m->line[m->nlines++];

	*l = (struct model_line){ .begin = m->sent.len, .len = strlen(text), .bad = true };
	model_put(&m->sent, text);
	must(evs_buf_ok(&m->sent));
	m->nbad++;
	model_feed(m, m->nlines - 1);
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
