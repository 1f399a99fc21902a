/*
 * Sorted rows of a segment as groups. Where the other thread has no segment of its own it makes
 * some of them, and this one puts all of them in their order.
 */
#include "src/store/flush.h"

#include "src/diag.h"

#define GROUP_BYTES ((size_t)6 << 20)  /* of rows in memory, about ... */
#define GROUP_MOST  ((size_t)15 << 19) /* ... and at most, unless it is a single row */
#define GROUP_ROWS  65536u
#define LARGE_ROW   EVS_SPOOL_TURN /* a row of more has a group of its own */
/* Groups of rows that have more, on average, are half as large. */
#define WIDE_ROW ((size_t)16 << 10)

/* Rows idx[0 .. n) of src on their way. */
struct line {
	struct flush_worker *owner; /* has the segment */
	struct evs_seg_writer *out;
	const struct evs_array *src;
	const uint32_t *idx;
	uint32_t n, per_group;
	bool weigh; /* rows may be very large */
	bool whole; /* all of src, in order already: no copy */
	uint16_t filtered[EVS_SEG_FILTERED], nfiltered;
	unsigned nparts; /* of owner->part */
	uint64_t first_row;
	/* with f->lock held */
	uint32_t from; /* rows before it are taken */
	uint32_t taken, put;
	uint32_t rolled; /* groups that the views have seen */
	bool stop;
};

/* What a thread has taken. */
struct job {
	struct flush_part *part;
	uint32_t number, from, rows;
};

/* ---- how many rows make a group -------------------------------------------------------------- */

/*
 * Are rows idx[0 .. n) of an ordinary size together and one by one, as far as sums and the longest
 * values of columns tell?
 */
static bool ordinary(const struct evs_table *table, const struct evs_array *src,
		     const uint32_t *idx, uint32_t n)
{
	size_t sum = 0, most = 0;

	for (uint16_t c = 0; c < table->ncols; c++)
		sum += evs_array_rows_bytes(&src[c], idx, n, &most);
	return sum <= GROUP_MOST && most <= LARGE_ROW;
}

/* How many of idx[0 .. n) fit in a group: all of them, unless some are very large. Those have their
 * own. */
static uint32_t fitting(const struct evs_table *table, const struct evs_array *src,
			const uint32_t *idx, uint32_t n)
{
	size_t bytes = 0;

	if (ordinary(table, src, idx, n))
		return n;
	for (uint32_t i = 0; i < n; i++) {
		size_t row = 0;

		for (uint16_t c = 0; c < table->ncols; c++)
			row += evs_array_row_bytes(&src[c], idx[i]);
		bytes += row;
		if (row > LARGE_ROW || bytes > GROUP_MOST)
			return i ? i : 1;
	}
	return n;
}

static void lay_out(struct line *l)
{
	const struct evs_table *table = l->owner->flush->table;
	size_t used = 0, row, group;
	uint32_t groups;

	for (uint16_t i = 0; i < table->ncols; i++)
		used += evs_array_bytes_used(&l->src[i]);
	row = used / (l->src[0].rows + 1) + 1;
	group = row > WIDE_ROW ? GROUP_BYTES / 2 : GROUP_BYTES;
	l->per_group = (uint32_t)(group / row) + 1;
	if (l->per_group > GROUP_ROWS)
		l->per_group = GROUP_ROWS;
	groups = (l->n + l->per_group - 1) / l->per_group;
	l->per_group = (l->n + groups - 1) / groups;
	l->weigh = used > LARGE_ROW;
	l->whole = l->whole && groups == 1 && l->n == l->src[0].rows &&
		   (used <= GROUP_MOST || l->n == 1);
}

/* ---- making and putting ---------------------------------------------------------------------- */

/* The next rows, if there are any and there is a place for what becomes of them. With f->lock held.
 */
static bool take(struct line *l, struct job *j)
{
	const struct evs_table *table = l->owner->flush->table;

	/* by chance: how far ahead the other thread is */
	if (l->stop || l->from == l->n || l->taken - l->put == l->nparts)
		return false;
	j->from = l->from;
	j->rows = l->n - l->from < l->per_group ? l->n - l->from : l->per_group;
	if (l->weigh && !l->whole)
		j->rows = fitting(table, l->src, l->idx + j->from, j->rows);
	j->number = l->taken++;
	j->part = &l->owner->part[j->number % l->nparts];
	l->from += j->rows;
	return true;
}

static void measure(const struct line *l, const struct job *j, struct evs_seg_rows *r)
{
	const struct evs_table *table = l->owner->flush->table;
	const struct evs_array *bytes = &l->src[table->ncols];

	evs_seg_times(table, &l->src[table->time_column], l->idx + j->from, j->rows, r);
	r->src_bytes = 0;
	for (uint32_t i = 0; i < j->rows; i++)
		r->src_bytes += evs_array_int(bytes, l->idx[j->from + i]);
}

/* The views see the groups in their order. */
static int roll_up(struct line *l, const struct job *j, const struct evs_array *cols)
{
	struct evs_flush *f = l->owner->flush;
	bool stop;
	int rc;

	if (!l->owner->rollups)
		return 0;
	(void)pthread_mutex_lock(&f->lock);
	while (l->rolled != j->number && !l->stop) /* by chance: who has the earlier group */
		(void)pthread_cond_wait(&f->step, &f->lock);
	stop = l->stop;
	(void)pthread_mutex_unlock(&f->lock);
	if (stop) /* by chance: the other thread has failed */
		return 0;
	rc = evs_rollups_add(l->owner->rollups, cols, j->rows);
	(void)pthread_mutex_lock(&f->lock);
	l->rolled++;
	(void)pthread_cond_broadcast(&f->step);
	(void)pthread_mutex_unlock(&f->lock);
	return rc;
}

/* By the thread of `w`. */
static int make(struct flush_worker *w, struct line *l, const struct job *j)
{
	const struct evs_table *table = w->flush->table;
	struct evs_seg_rows r = { .cols = l->whole ? l->src : w->group,
				  .ncols = table->ncols,
				  .filtered = l->filtered,
				  .nfiltered = l->nfiltered };
	int rc;

	measure(l, j, &r);
	for (uint16_t i = 0; i < table->ncols && !l->whole; i++) {
		evs_array_trim(&w->group[i], GROUP_BYTES);
		if (evs_array_take(&w->group[i], &l->src[i], l->idx + j->from, j->rows) < 0)
			return EVS_E_NOMEM;
	}
	rc = evs_seg_part_make(&j->part->bytes, w->enc, &r, l->out->schema_off,
			       l->first_row + j->from);
	return rc == 0 ? roll_up(l, j, r.cols) : rc;
}

static void finish(struct line *l, const struct job *j, int rc)
{
	struct evs_flush *f = l->owner->flush;

	(void)pthread_mutex_lock(&f->lock);
	j->part->rc = rc;
	j->part->ready = true;
	l->stop |= rc < 0;
	(void)pthread_cond_broadcast(&f->step);
	(void)pthread_mutex_unlock(&f->lock);
}

/* The other thread, until all rows are taken. */
static void help(void *arg)
{
	struct line *l = arg;
	struct evs_flush *f = l->owner->flush;
	struct flush_worker *w = &f->worker[1];
	struct job j;

	(void)pthread_mutex_lock(&f->lock);
	while (!l->stop && l->from < l->n) { /* by chance: who takes the last rows */
		if (!take(l, &j)) {	     /* by chance: all places are taken */
			(void)pthread_cond_wait(&f->step, &f->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&f->lock);
		finish(l, &j, make(w, l, &j));
		(void)pthread_mutex_lock(&f->lock);
	}
	(void)pthread_mutex_unlock(&f->lock);
}

/* The part that is next, which is ready. */
static int put_next(struct line *l, struct evs_diag *diag)
{
	struct evs_flush *f = l->owner->flush;
	struct flush_part *p = &l->owner->part[l->put % l->nparts];
	int rc = p->rc < 0 ? evs_seg_part_fail(p->bytes.rows, p->rc, diag)
			   : evs_segw_put_part(l->out, &p->bytes, l->put == 0, 0, diag);

	(void)pthread_mutex_lock(&f->lock);
	p->ready = false;
	l->put++;
	l->stop |= rc < 0;
	(void)pthread_cond_broadcast(&f->step);
	(void)pthread_mutex_unlock(&f->lock);
	return rc;
}

/* Rows of an ordinary group keep their room. */
static void forget(struct flush_worker *w)
{
	for (uint16_t i = 0; i < w->flush->table->ncols; i++)
		evs_array_trim(&w->group[i], GROUP_BYTES);
}

enum step { STEP_PUT, STEP_MAKE, STEP_DONE };

/* Put what is ready, else make what is not taken, else wait for the other thread. */
static enum step next_step(struct line *l, struct job *j)
{
	struct evs_flush *f = l->owner->flush;
	enum step step = STEP_DONE;

	(void)pthread_mutex_lock(&f->lock);
	for (;;) {
		bool pending = l->put < l->taken;

		if (pending && l->owner->part[l->put % l->nparts].ready)
			step = STEP_PUT;
		else if (take(l, j))
			step = STEP_MAKE;
		else if (pending) { /* by chance: the other thread is making the next group */
			(void)pthread_cond_wait(&f->step, &f->lock);
			continue;
		}
		break;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return step;
}

int evs_flush_groups(struct flush_worker *w, struct evs_seg_writer *out,
		     const struct evs_array *src, uint32_t *idx, uint32_t n, struct evs_diag *diag)
{
	struct evs_flush *f = w->flush;
	struct line l = { .owner = w, .out = out, .src = src, .idx = idx, .n = n, .nparts = 1 };
	enum step step = STEP_MAKE;
	bool helped = false;
	struct job j;
	int rc = 0;

	if (evs_sort_rows(&w->sorter, f->table, src, idx, n, &l.whole) < 0)
		return evs_fail_nomem(diag);
	l.nfiltered = evs_seg_filtered(f->table, l.filtered);
	l.first_row = out->last.rows_total + out->next.rows;
	lay_out(&l);
	if (f->idle && l.per_group < n) {
		l.nparts = FLUSH_PARTS;
		helped = evs_helper_start(f->helper, help, &l);
	}
	while (rc == 0 && step != STEP_DONE) {
		step = next_step(&l, &j);
		if (step == STEP_MAKE)
			finish(&l, &j, make(w, &l, &j));
		else if (step == STEP_PUT)
			rc = put_next(&l, diag);
	}
	if (helped)
		evs_helper_wait(f->helper);
	forget(w);
	if (helped)
		forget(&f->worker[1]);
	return rc;
}
