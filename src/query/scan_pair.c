/*
 * A scan by two threads. Each takes the next segment that nobody has, and reads it with a scan of
 * its own; what it makes is given in the order of the segments, rows as well as damage, as one
 * thread would.
 *
 * Whoever asks for rows is one of the two: it reads the segment whose turn it is, where the other
 * one has not begun with it, and gives its rows straight on. Else it takes what is there, or reads
 * ahead itself. What is read ahead waits in pieces, of which there are few: segments that are
 * worked on lie within AHEAD of each other, and no more is read while WAITING bytes, or ENOUGH in
 * several pieces, are there.
 */
#include "src/query/scan_pair.h"

#include "src/diag.h"
#include "src/query/scan_piece.h"
#include "src/thread.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD	64u
#define WAITING ((size_t)4 << 20)
#define ENOUGH	((size_t)512 << 10) /* ... in so many pieces, which stay in a cache: */
#define PIECES	4u
#define SPARES	4u /* pieces that are kept for their memory: small ones */
#define SMALL	((size_t)256 << 10)

/* A segment that has been taken. */
struct turn {
	struct piece *first, *last;
	bool done;
	struct piece_sum sum; /* when it is */
};

struct scan_pair {
	struct evs_scan *scan[2];  /* the one that is asked, and its twin */
	pthread_mutex_t lock;	   /* of all that follows up to `spare` */
	pthread_cond_t came, room; /* for the one who asks; for the other thread */
	bool waits, other_waits, quit, failed;
	bool over;	      /* a segment cannot be read on: no other is begun with */
	size_t n, head, next; /* segments: in all, whose turn it is, not taken yet */
	struct turn turn[AHEAD];
	size_t bytes; /* that wait, in so many pieces with rows */
	unsigned pieces;
	struct piece *spare;
	unsigned nspare;

	/* of the one who asks */
	size_t mine;	  /* the segment it is in, or n */
	bool helps;	  /* it takes segments, too */
	struct piece *at; /* rows that were given last */
	struct piece_sum done,
		now;   /* of segments that are over; of the one whose turn it is, but for: */
	bool straight; /* ... its rows come straight from the scan, and so does the sum */
	bool grown;
	int rc; /* error that was given */
	struct evs_batch batch;
	pthread_t thread;
	bool started;
};

/* ---- sums ------------------------------------------------------------------------------------ */

static struct piece_sum sum_so_far(const struct scan_pair *p)
{
	struct piece_sum sum = p->done, own;

	evs_piece_sum_add(&sum, &p->now);
	if (p->straight) {
		own = evs_piece_sum_of(p->scan[0]);
		evs_piece_sum_add(&sum, &own);
	}
	return sum;
}

void evs_pair_explained(const struct scan_pair *p, struct evs_scan_explain *out)
{
	*out = sum_so_far(p).explain;
}

void evs_pair_progress(const struct scan_pair *p, struct evs_scan_progress *out)
{
	*out = sum_so_far(p).progress;
	out->segments_total = p->n;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static struct piece *new_piece(struct scan_pair *p, enum piece_kind kind)
{
	struct piece *x = NULL;

	if (kind == PIECE_ROWS) {
		(void)pthread_mutex_lock(&p->lock);
		x = p->spare;
		if (x) {
			p->spare = x->next;
			p->nspare--;
		}
		(void)pthread_mutex_unlock(&p->lock);
	}
	return x ? x : evs_piece_new(p->scan[0], kind);
}

/* The rows of a piece are done with. A large one is kept alone, for the next of its kind. */
static void put_away(struct scan_pair *p, struct piece *x)
{
	bool keep;

	evs_piece_trim(p->scan[0], x);
	(void)pthread_mutex_lock(&p->lock);
	keep = !p->nspare || (p->nspare < SPARES && x->bytes < SMALL && p->spare->bytes < SMALL);
	if (keep) {
		x->next = p->spare;
		p->spare = x;
		p->nspare++;
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (!keep)
		evs_piece_free(p->scan[0], x);
}

/* ---- reading ahead --------------------------------------------------------------------------- */

static bool may_claim(const struct scan_pair *p)
{
	return !p->over && p->next < p->n && p->next - p->head < AHEAD;
}

/* Take the next segment for one of the scans. */
static size_t claim(struct scan_pair *p, struct evs_scan *by)
{
	by->next_path = p->next;
	by->last_path = p->next + 1;
	by->explain = (struct evs_scan_explain){ 0 };
	by->progress = (struct evs_scan_progress){ 0 };
	by->grown = false;
	p->turn[p->next % AHEAD] = (struct turn){ 0 };
	return p->next++;
}

/* Behind what is there of its segment. The lock is held. */
static void append(struct scan_pair *p, size_t segment, struct piece *x)
{
	struct turn *t = &p->turn[segment % AHEAD];

	x->next = NULL;
	if (t->last)
		t->last->next = x;
	else
		t->first = x;
	t->last = x;
	if (x->kind == PIECE_ROWS) {
		p->bytes += x->bytes;
		p->pieces++;
	}
	if (p->waits && segment == p->head)
		(void)pthread_cond_signal(&p->came);
}

static void finish(struct scan_pair *p, struct evs_scan *by, size_t segment)
{
	p->turn[segment % AHEAD].done = true;
	p->turn[segment % AHEAD].sum = evs_piece_sum_of(by);
	if (p->waits && segment == p->head)
		(void)pthread_cond_signal(&p->came);
}

static void fail(struct scan_pair *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->failed = true;
	(void)pthread_cond_signal(&p->came);
	(void)pthread_mutex_unlock(&p->lock);
}

/* The next piece of its segment, to wait for its turn: 1, 0 when that was the last one,
 * EVS_E_NOMEM. */
static int read_ahead(struct scan_pair *p, struct evs_scan *by, size_t segment)
{
	struct evs_diag d = { 0 };
	struct evs_batch *b;
	struct piece *x = NULL;
	int rc = evs_scan_read(by, &b, &d);

	if (rc != 0 && !(x = new_piece(p, rc > 0 ? PIECE_ROWS : PIECE_FAILED)))
		return EVS_E_NOMEM;
	if (rc > 0) {
		evs_piece_take_rows(p->scan[0], by, x, b->rows);
	} else if (rc < 0) {
		x->rc = rc;
		x->diag = d;
	}
	if (x)
		x->sum = evs_piece_sum_of(by);
	(void)pthread_mutex_lock(&p->lock);
	if (x)
		append(p, segment, x);
	p->over |= rc < 0;
	if (rc <= 0)
		finish(p, by, segment);
	(void)pthread_mutex_unlock(&p->lock);
	return rc > 0;
}

void evs_pair_damage(struct scan_pair *p, struct evs_scan *by, const struct evs_damage *d)
{
	size_t segment = by->last_path - 1;
	struct piece *x;

	if (by == p->scan[0] && segment == p->head) { /* what was there before has been given */
		by->opts.on_damage(by->opts.arg, d);
		return;
	}
	x = new_piece(p, PIECE_DAMAGE);
	if (x) {
		x->damage = *d;
		x->damage.path = strdup(d->path);
		x->damage.what = strdup(d->what);
		x->sum = evs_piece_sum_of(by);
	}
	if (!x || !x->damage.path || !x->damage.what) {
		if (x)
			evs_piece_free(p->scan[0], x);
		fail(p);
		return;
	}
	(void)pthread_mutex_lock(&p->lock);
	append(p, segment, x);
	(void)pthread_mutex_unlock(&p->lock);
}

/* ---- the other thread ------------------------------------------------------------------------ */

/* Do so many bytes wait that no more should be read? */
static bool enough(const struct scan_pair *p)
{
	return p->bytes >= WAITING || (p->bytes >= ENOUGH && p->pieces >= PIECES);
}

/* Is there too much already? What is waited for is not. */
static bool full(const struct scan_pair *p, size_t segment)
{
	return enough(p) && (segment != p->head || p->turn[segment % AHEAD].first);
}

static void *twin_main(void *arg)
{
	struct scan_pair *p = arg;
	struct evs_scan *by = p->scan[1];
	size_t segment = p->n;
	int rc = 1;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->quit && !p->failed && rc >= 0) {
		if (segment == p->n && (p->over || p->next == p->n))
			break;
		if (segment == p->n ? !may_claim(p) : full(p, segment)) {
			p->other_waits = true;
			(void)pthread_cond_wait(&p->room, &p->lock);
			p->other_waits = false;
			continue;
		}
		if (segment == p->n)
			segment = claim(p, by);
		(void)pthread_mutex_unlock(&p->lock);
		rc = read_ahead(p, by, segment);
		if (rc == 0)
			segment = p->n;
		if (rc < 0)
			fail(p);
		(void)pthread_mutex_lock(&p->lock);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the one who asks ------------------------------------------------------------------------ */

/* Wake the other thread when there is room for a while, or when it is waited for. The lock is held.
 */
static void let_go_on(struct scan_pair *p, bool now)
{
	if (p->other_waits && (now || ((p->bytes <= ENOUGH / 2 || p->pieces <= PIECES / 2) &&
				       p->next - p->head <= AHEAD / 2)))
		(void)pthread_cond_signal(&p->room);
}

/* The first piece of the segment whose turn it is, NULL: there is none. The lock is held. */
static struct piece *take_piece(struct scan_pair *p)
{
	struct turn *t = &p->turn[p->head % AHEAD];
	struct piece *x = p->head < p->next ? t->first : NULL;

	if (!x)
		return NULL;
	t->first = x->next;
	if (!t->first)
		t->last = NULL;
	if (x->kind == PIECE_ROWS) {
		p->bytes -= x->bytes;
		p->pieces--;
	}
	p->now = x->sum;
	p->straight = false;
	let_go_on(p, false);
	return x;
}

/* Its segment is over. */
static void pass_on(struct scan_pair *p, const struct piece_sum *sum)
{
	evs_piece_sum_add(&p->done, sum);
	p->now = (struct piece_sum){ 0 };
	p->straight = false;
	p->head++;
	let_go_on(p, false);
}

static void give_rows(struct scan_pair *p, struct piece *x, struct evs_batch **out)
{
	struct evs_scan *s = p->scan[0];

	p->at = x;
	p->grown |= x->grown;
	s->at = x->slots;
	for (size_t f = 0; f < s->nfields; f++)
		s->cols[f] = x->slots[s->field_slot[f]].a;
	p->batch = (struct evs_batch){ s->fields, s->cols, s->nfields, x->rows, p->grown };
	*out = &p->batch;
}

/* 1: rows, 0: go on, or the error that it tells of. */
static int give(struct scan_pair *p, struct piece *x, struct evs_batch **out, struct evs_diag *diag)
{
	struct evs_scan *s = p->scan[0];
	int rc = x->rc;

	if (x->kind == PIECE_ROWS) {
		give_rows(p, x, out);
		return 1;
	}
	if (x->kind == PIECE_DAMAGE && s->opts.on_damage)
		s->opts.on_damage(s->opts.arg, &x->damage);
	if (x->kind == PIECE_FAILED)
		evs_fail_copy(diag, &x->diag);
	evs_piece_free(p->scan[0], x);
	return rc;
}

/* The segment that it is in is the one whose turn it is: its next rows, 0 at its end. */
static int read_mine(struct scan_pair *p, struct evs_batch **out, struct evs_diag *diag)
{
	struct evs_scan *s = p->scan[0];
	int rc;

	p->now = (struct piece_sum){ 0 };
	p->straight = true;
	rc = evs_scan_read(s, out, diag);
	p->grown |= s->grown;
	if (rc > 0)
		(*out)->grown = p->grown;
	if (rc == 0) {
		struct piece_sum sum = evs_piece_sum_of(s);

		(void)pthread_mutex_lock(&p->lock);
		p->mine = p->n;
		pass_on(p, &sum);
		(void)pthread_mutex_unlock(&p->lock);
	}
	return rc;
}

/* Nothing to give: read ahead, or wait. The lock is held, and held again afterwards. */
static int help(struct scan_pair *p)
{
	int rc = 0;

	if (p->mine == p->n && p->helps && may_claim(p))
		p->mine = claim(p, p->scan[0]);
	if (p->mine == p->head)
		return 0;
	if (p->mine < p->n && !enough(p)) {
		(void)pthread_mutex_unlock(&p->lock);
		rc = read_ahead(p, p->scan[0], p->mine);
		if (rc == 0)
			p->mine = p->n;
		(void)pthread_mutex_lock(&p->lock);
		return rc < 0 ? rc : 0;
	}
	let_go_on(p, true);
	p->waits = true;
	(void)pthread_cond_wait(&p->came, &p->lock);
	p->waits = false;
	return 0;
}

int evs_pair_next(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag)
{
	struct scan_pair *p = s->pair;
	struct piece *x = NULL;
	int rc = 0;

	if (p->rc < 0)
		return evs_fail(diag, p->rc, "the scan has failed before");
	if (p->at)
		put_away(p, p->at);
	p->at = NULL;
	(void)pthread_mutex_lock(&p->lock);
	while (p->head < p->n && !p->failed && rc == 0) {
		struct turn *t = &p->turn[p->head % AHEAD];

		x = take_piece(p);
		if (!x && p->mine == p->head) {
			(void)pthread_mutex_unlock(&p->lock);
			rc = read_mine(p, out, diag);
			if (rc != 0)
				return p->rc = rc;
			(void)pthread_mutex_lock(&p->lock);
		} else if (x) {
			(void)pthread_mutex_unlock(&p->lock);
			rc = give(p, x, out, diag);
			if (rc != 0)
				return p->rc = rc;
			(void)pthread_mutex_lock(&p->lock);
		} else if (p->head < p->next && t->done) {
			pass_on(p, &t->sum);
		} else {
			rc = help(p);
		}
	}
	if (p->failed)
		rc = EVS_E_NOMEM;
	(void)pthread_mutex_unlock(&p->lock);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The twin has the columns and conditions of the scan that is asked; the latter's own ones it has
 * made itself. */
static int ready_twin(const struct evs_scan *s, struct evs_scan *twin, struct evs_diag *diag)
{
	uint16_t *columns = calloc(s->nfields + 1, sizeof(*columns));
	int rc = columns ? 0 : evs_fail_nomem(diag);

	for (size_t f = 0; f < s->nfields && rc == 0; f++)
		columns[f] = s->slots[s->field_slot[f]].column;
	if (rc == 0)
		rc = evs_scan_choose(twin, columns, s->nfields, diag);
	twin->chosen = s->chosen;
	twin->by_codes = s->by_codes;
	for (size_t i = s->nown; i < s->nfilters && rc == 0; i++)
		rc = evs_scan_where(twin, s->filters[i], diag);
	for (size_t i = 0; i < s->nhints && rc == 0; i++)
		rc = evs_scan_hint(twin, s->hints[i].e, s->hints[i].column, s->hints[i].n, diag);
	free(columns);
	return rc;
}

static struct scan_pair *new_pair(struct evs_scan *s)
{
	struct scan_pair *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (pthread_mutex_init(&p->lock, NULL) != 0)
		goto failed;
	if (pthread_cond_init(&p->came, NULL) != 0)
		goto no_cond;
	if (pthread_cond_init(&p->room, NULL) != 0)
		goto no_room;
	p->scan[0] = s;
	p->n = p->mine = s->list.n;
	p->helps = p->n > 1;
	return p;
no_room:
	(void)pthread_cond_destroy(&p->came);
no_cond:
	(void)pthread_mutex_destroy(&p->lock);
failed:
	free(p);
	return NULL;
}

int evs_pair_open(struct evs_scan *s, struct evs_diag *diag)
{
	struct scan_pair *p;
	int rc;

	s->asked_first = true;
	if (s->opts.follow || s->stored || s->take || !evs_scan_worth_two(s))
		return 0;
	rc = evs_scan_merge_open(
		s, diag); /* the other thread makes pieces by our slots: no more come */
	if (rc < 0)
		return rc;
	p = new_pair(s);
	if (!p)
		return evs_fail_nomem(diag);
	rc = evs_scan_twin(s, &p->scan[1], diag);
	if (rc == 0)
		rc = ready_twin(s, p->scan[1], diag);
	if (rc < 0) {
		evs_pair_close(p);
		return rc;
	}
	s->pair = p->scan[1]->pair = p;
	p->started = evs_thread_start(&p->thread, twin_main, p);
	if (!p->started) {
		s->pair = NULL;
		evs_pair_close(p);
	}
	return 0;
}

void evs_pair_close(struct scan_pair *p)
{
	struct piece *x, *next;

	if (!p)
		return;
	if (p->started) {
		(void)pthread_mutex_lock(&p->lock);
		p->quit = true;
		(void)pthread_cond_signal(&p->room);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_join(p->thread, NULL);
	}
	for (size_t i = p->head; i < p->next; i++)
		for (x = p->turn[i % AHEAD].first; x; x = next) {
			next = x->next;
			evs_piece_free(p->scan[0], x);
		}
	for (x = p->spare; x; x = next) {
		next = x->next;
		evs_piece_free(p->scan[0], x);
	}
	if (p->at)
		evs_piece_free(p->scan[0], p->at);
	evs_scan_close(p->scan[1]);
	(void)pthread_cond_destroy(&p->room);
	(void)pthread_cond_destroy(&p->came);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
