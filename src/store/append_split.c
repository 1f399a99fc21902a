/*
 * Two threads read lines: the caller's those at hand, the helper those behind them, into a chunk of
 * its own. The helper stops at the first line that is no row. Everything else is the caller's:
 * rejects, checks, the account, and the order of rows.
 */
#include "src/store/append_impl.h"

#include "src/diag.h"

#include <string.h>

#define SPLIT_BYTES ((size_t)128 << 10) /* less is read before the helper is awake */
/* The caller's thread has more to do than to read, so the helper gets so many parts of a whole. */
#define SPLIT_WHOLE 64u
#define SPLIT_LEAST 24u
#define SPLIT_MOST  48u

/* The helper's part. */
struct part {
	const struct evs_appender *a;
	struct chunk *chunk;
	const char *p, *end; /* whole lines; p moves on */
	uint64_t lines;	     /* before p */
	uint64_t off, total; /* of p, in the file and in the source */
	bool nomem;
	bool ahead; /* and then the caller's opts.ahead */
};

static bool read_line(struct part *s, const char *nl)
{
	struct chunk_row row = { .line = s->lines + 1,
				 .off = s->off,
				 .raw = s->p,
				 .len = (size_t)(nl - s->p),
				 .begin = s->total,
				 .end = s->total + (uint64_t)(nl - s->p) + 1 };
	const char *reason;
	int rc = evs_json_read_row(s->chunk->reader, row.raw, row.len, s->chunk->cols, &reason);

	if (rc == EVS_ROW_OK)
		evs_chunk_add(s->chunk, &row);
	s->nomem = rc == EVS_E_NOMEM;
	return rc == EVS_ROW_OK || rc == EVS_ROW_BLANK;
}

static void read_lines(void *arg)
{
	struct part *s = arg;

	while (s->p < s->end && !evs_chunk_full(s->chunk, s->a)) {
		const char *nl = memchr(s->p, '\n', (size_t)(s->end - s->p));
		size_t len = (size_t)(nl - s->p) + 1;

		if (!read_line(s, nl))
			break;
		s->p += len;
		s->off += len;
		s->total += len;
		s->lines++;
	}
	if (s->ahead)
		s->a->opts.ahead(s->a->opts.arg);
}

/* Where commits may come after any row, or the schema changes with one, lines are read one by one.
 */
bool evs_append_can_split(const struct evs_appender *a, size_t len)
{
	return len >= SPLIT_BYTES && !a->infer && !a->opts.flush_rows && !a->opts.flush_bytes;
}

/* Behind the newline that is nearest before p; begin when there is none. */
static const char *line_start(const char *begin, const char *p)
{
	while (p > begin && p[-1] != '\n')
		p--;
	return p;
}

/* What the helper read is the caller's now. */
static int take_over(struct evs_appender *a, struct part *s, struct evs_diag *diag)
{
	struct chunk *c = s->chunk;
	int rc;

	if (s->nomem)
		return evs_fail_nomem(diag);
	for (uint32_t i = 0; i < c->nrows; i++)
		c->rows[i].line += a->line;
	a->stats.in += c->nrows;
	a->line += s->lines;
	a->off = s->off;
	a->total = s->total;
	if (c->nrows && !a->first_pending)
		a->first_pending = evs_io_monotonic();
	a->at = c;
	rc = evs_append_chunk(a, diag);
	a->at = &a->chunk[0];
	return rc;
}

int evs_append_split(struct evs_appender *a, const char **from, const char *end,
		     struct evs_diag *diag)
{
	const char *p = *from, *mid;
	struct part s = { .a = a, .chunk = &a->chunk[1], .ahead = a->opts.ahead && !a->ahead };
	int rc = 0;

	end = line_start(p, end);
	if (!a->share)
		a->share = SPLIT_WHOLE / 2;
	mid = line_start(p, end - (size_t)(end - p) / SPLIT_WHOLE * a->share);
	if (mid == p)
		return 0;
	s.p = mid;
	s.end = end;
	s.off = a->off + (uint64_t)(mid - p);
	s.total = a->total + (uint64_t)(mid - p);
	a->split = evs_helper_start(&a->helper, read_lines, &s);
	if (!a->split)
		return 0;
	a->ahead = true;
	while (rc == 0 && p < mid) {
		const char *nl = memchr(p, '\n', (size_t)(mid - p));

		rc = evs_append_line(a, p, (size_t)(nl - p), 1, diag);
		p = nl + 1;
	}
	if (rc == 0)
		rc = evs_append_chunk(a, diag);
	/* The next part is such that both are done at the same time. */
	if (evs_helper_busy(&a->helper))
		a->share -= a->share > SPLIT_LEAST;
	else
		a->share += a->share < SPLIT_MOST;
	evs_helper_wait(&a->helper);
	a->split = false;
	if (rc == 0)
		rc = take_over(a, &s, diag);
	else
		evs_chunk_clear(s.chunk, a);
	*from = s.p;
	return rc;
}
