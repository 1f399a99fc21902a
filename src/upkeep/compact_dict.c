/*
 * Dictionaries for a segment that is being compacted (spec/segment.md 5.5): which columns of text
 * have so much in common from group to group that it pays to write it down once.
 *
 * Two stretches of rows, each as long as a group will be, are for trying, and groups spread over
 * the rest of the segment for learning. The trials are made into groups with and without what was
 * learned, by the encoder that will make the others, and what would be saved on all rows is held
 * against what the dictionary costs. Columns that cannot gain are left out as early as it shows.
 * See compact.h.
 */
#include "src/upkeep/compact.h"

#include "src/diag.h"

#include <stdlib.h>

#define SEGMENT_LEAST (1u << 20) /* stored bytes: shorter segments have no groups enough */
#define GROUPS_LEAST  8u	 /* of a sample */
#define TRIALS	      2u
#define TRIAL_TEXT    (5u << 20) /* bytes of text in one, of all columns */
#define LEARNED	      (8u << 20) /* bytes of text of a column that are learned from, at most */
#define CAP_PART      32u /* a dictionary has at most one part in so many of the column's text ... */
#define CAP_LEAST     (32u << 10) /* ... and one of less is none */
#define WHOLE	      4u /* text of which encodings take one part in so many away is left to them */
#define PAYS	      2u /* must save so many times what it costs */

/* A column with no more than this part of all text is left out, so that no more than so many
 * remain. */
#define COLUMN_PART (EVS_DICTIONARIES + 1)

/* A column of text. */
struct candidate {
	uint16_t ordinal;
	struct evs_array rows; /* of a trial */
	uint64_t text;	       /* bytes in the trials; of it encoded, and of groups made of that */
	uint64_t encoded, without, with;
	struct evs_buf samples;
	struct evs_dictionary dict;
};

struct learning {
	struct compact_job *job;
	struct evs_encoder *enc;
	struct candidate *cand; /* [ncand] */
	uint16_t *ordinal;	/* of the same */
	uint16_t ncand;
	uint64_t rows, text; /* of the trials; text of all columns */
	struct {
		struct evs_place from;
		uint64_t to;
	} trial[TRIALS];
};

static void candidate_release(struct candidate *c)
{
	evs_array_release(&c->rows);
	evs_buf_release(&c->samples);
	evs_dictionary_release(&c->dict);
}

static void release(struct learning *l)
{
	for (uint16_t i = 0; i < l->ncand; i++)
		candidate_release(&l->cand[i]);
	free(l->cand);
	free(l->ordinal);
}

static int init(struct learning *l)
{
	const struct evs_table *t = l->job->table;

	l->cand = calloc((size_t)t->ncols + 1, sizeof(*l->cand));
	l->ordinal = calloc((size_t)t->ncols + 1, sizeof(*l->ordinal));
	if (!l->cand || !l->ordinal)
		return EVS_E_NOMEM;
	for (uint16_t c = 0; c < t->ncols; c++) {
		struct evs_array rows;

		if (evs_type_array(&t->cols[c].type, &rows) < 0)
			return EVS_E_NOMEM;
		if (rows.phys != EVS_BYTES) {
			evs_array_release(&rows);
			continue;
		}
		l->cand[l->ncand].rows = rows;
		l->cand[l->ncand].ordinal = c;
		l->ordinal[l->ncand++] = c;
	}
	for (unsigned i = 0; i < TRIALS; i++) /* in the middle of each half */
		l->trial[i].from =
			l->job->sample.group[(2 * i + 1) * l->job->sample.n / (2 * TRIALS)].from;
	return 0;
}

/* ---- looking at groups ----------------------------------------------------------------------- */

enum look {
	MEASURE, /* the trials: how long they are, and what text they hold */
	TRY_WITHOUT,
	TRY_WITH,
};

static size_t text_of(const struct evs_array *a)
{
	return a->nulls == a->rows ? 0 : (size_t)a->offs[a->rows];
}

/* Of each group's text as much as of every other. */
static int keep_text(struct learning *l, struct candidate *c, const struct evs_array *a)
{
	size_t n = text_of(a), most = LEARNED / l->job->sample.n;

	evs_buf_put(&c->samples, a->data, n < most ? n : most);
	return evs_buf_ok(&c->samples) ? 0 : EVS_E_NOMEM;
}

/* Bytes of a group of this column alone, and of its block before zstd. */
static int make_group(struct learning *l, const struct evs_array *a, const struct evs_dictionary *d,
		      uint64_t *bytes, uint64_t *encoded)
{
	struct evs_buf out = { 0 };
	struct evs_group g = { 0 };
	uint32_t summed;
	int rc;

	(void)evs_encoder_dictionary(l->enc, 0, d);
	rc = evs_group_encode(l->enc, a, 1, 0, 0, &out, &summed);
	(void)evs_encoder_dictionary(l->enc, 0, NULL);
	if (rc == 0)
		rc = evs_group_decode(&g, out.p, summed, out.len, NULL);
	if (rc == 0) {
		*bytes += out.len;
		*encoded += g.nblocks ? g.blocks[0].raw_len : 0;
	}
	evs_group_release(&g);
	evs_buf_release(&out);
	return rc;
}

static bool stopped(const struct learning *l)
{
	return l->job->opts->stop && l->job->opts->stop(l->job->opts->arg);
}

/* Rows of the groups in [from, to) of the candidates' columns, one batch after the other. */
static int open_scan(struct learning *l, struct evs_scan **scan, const struct evs_place *from,
		     uint64_t to, struct evs_diag *diag)
{
	return evs_compact_scan(l->job, scan, from, to, l->ordinal, l->ncand, diag);
}

static int next_rows(struct learning *l, struct evs_scan *scan, struct evs_batch **b,
		     struct evs_diag *diag)
{
	int rc = stopped(l) ? evs_fail(diag, EVS_S_STOP, "stopped") : evs_scan_next(scan, b, diag);

	if (rc >= 0 && l->job->damaged) {
		if (diag)
			*diag = l->job->damage;
		rc = EVS_E_FORMAT;
	}
	return rc;
}

static int learn_from(struct learning *l, const struct evs_place *from, uint64_t to,
		      struct evs_diag *diag)
{
	struct evs_scan *scan = NULL;
	struct evs_batch *b;
	int rc = open_scan(l, &scan, from, to, diag);

	while (rc >= 0 && (rc = next_rows(l, scan, &b, diag)) > 0)
		for (uint16_t c = 0; c < l->ncand && rc > 0; c++)
			if (keep_text(l, &l->cand[c], &b->cols[c]) < 0)
				rc = evs_fail_nomem(diag);
	evs_scan_close(scan);
	return rc;
}

/* Gather the rows of a trial; the first time it ends where it has text enough. */
static int gather(struct learning *l, unsigned trial, enum look how, struct evs_diag *diag)
{
	uint64_t to = how == MEASURE ? l->job->end.off : l->trial[trial].to;
	struct evs_scan *scan = NULL;
	struct evs_place end;
	struct evs_batch *b;
	size_t text = 0;
	int rc = open_scan(l, &scan, &l->trial[trial].from, to, diag);

	for (uint16_t c = 0; c < l->ncand; c++)
		evs_array_reset(&l->cand[c].rows);
	while (rc >= 0 && text < TRIAL_TEXT && (rc = next_rows(l, scan, &b, diag)) > 0) {
		for (uint16_t c = 0; c < l->ncand && rc > 0; c++) {
			if (evs_array_append_range(&l->cand[c].rows, &b->cols[c], 0, b->rows) < 0)
				rc = evs_fail_nomem(diag);
			text += text_of(&b->cols[c]);
		}
		evs_segment_place(evs_scan_segment(scan), &end);
		l->rows += how == MEASURE ? b->rows : 0;
		l->trial[trial].to = how == MEASURE ? end.off : to;
	}
	evs_scan_close(scan);
	return rc < 0 ? rc : 0;
}

static int take_column(struct learning *l, enum look how, struct candidate *c)
{
	uint64_t encoded = 0;

	if (how == MEASURE) {
		c->text += text_of(&c->rows);
		l->text += text_of(&c->rows);
		return 0;
	}
	if (!c->rows.rows)
		return 0;
	return how == TRY_WITHOUT ? make_group(l, &c->rows, NULL, &c->without, &c->encoded)
				  : make_group(l, &c->rows, &c->dict, &c->with, &encoded);
}

static int look(struct learning *l, enum look how, struct evs_diag *diag)
{
	int rc = 0;

	for (unsigned i = 0; i < TRIALS && rc == 0 && l->ncand; i++) {
		rc = gather(l, i, how, diag);
		for (uint16_t c = 0; c < l->ncand && rc == 0; c++)
			if (take_column(l, how, &l->cand[c]) < 0)
				rc = evs_fail_nomem(diag);
	}
	return rc;
}

/* ---- which columns --------------------------------------------------------------------------- */

typedef bool worth_fn(const struct learning *l, const struct candidate *c);

static bool is_large(const struct learning *l, const struct candidate *c)
{
	return c->text > l->text / COLUMN_PART;
}

static bool is_stored_whole(const struct learning *l, const struct candidate *c)
{
	(void)l;
	return c->encoded > c->text - c->text / WHOLE;
}

static bool was_learned(const struct learning *l, const struct candidate *c)
{
	(void)l;
	return c->dict.p;
}

static void keep_if(struct learning *l, worth_fn *worth)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < l->ncand; i++) {
		struct candidate c = l->cand[i];

		if (!worth(l, &c)) {
			candidate_release(&c);
			continue;
		}
		l->cand[n] = c;
		l->ordinal[n++] = c.ordinal;
	}
	l->ncand = n;
}

/* Bytes of its text in the whole segment, about. */
static double all_text(const struct learning *l, const struct candidate *c)
{
	return (double)c->text / (double)l->rows * (double)l->job->rows;
}

static bool in_trial(const struct learning *l, uint64_t off)
{
	for (unsigned i = 0; i < TRIALS; i++)
		if (off >= l->trial[i].from.off && off < l->trial[i].to)
			return true;
	return false;
}

static int learn(struct learning *l, struct evs_diag *diag)
{
	const struct compact_sample *s = &l->job->sample;
	int rc = 0;

	for (unsigned i = 0; i < s->n && rc == 0 && l->ncand; i++)
		if (!in_trial(l, s->group[i].from.off))
			rc = learn_from(l, &s->group[i].from, s->group[i].to, diag);
	for (uint16_t i = 0; i < l->ncand && rc == 0; i++) {
		struct candidate *c = &l->cand[i];
		double cap = all_text(l, c) / CAP_PART;

		if (cap > EVS_MAX_DICTIONARY)
			cap = EVS_MAX_DICTIONARY;
		if (cap >= CAP_LEAST &&
		    evs_dictionary_train(&c->dict, c->samples.p, c->samples.len, (uint32_t)cap) < 0)
			rc = evs_fail_nomem(diag);
		evs_buf_release(&c->samples);
	}
	return rc;
}

static int put_if_it_pays(struct learning *l, struct candidate *c, struct evs_replace *r,
			  struct evs_dictionary **out, struct evs_diag *diag)
{
	double saved = ((double)c->without - (double)c->with) / (double)c->text * all_text(l, c);
	struct evs_buf payload = { 0 };
	size_t cost;
	int rc = evs_dictionary_encode(&c->dict, &payload);

	cost = 2 * payload.len;
	evs_buf_release(&payload);
	if (rc < 0)
		return evs_fail_nomem(diag);
	if (saved < (double)(PAYS * cost))
		return 0;
	**out = c->dict;
	c->dict = (struct evs_dictionary){ 0 };
	rc = evs_replace_dictionary(r, *out, diag);
	(void)evs_encoder_dictionary(l->enc, c->ordinal, *out);
	++*out;
	return rc;
}

int evs_compact_dictionaries(struct compact_job *j, struct evs_replace *r, struct evs_encoder *enc,
			     struct evs_dictionary out[EVS_DICTIONARIES], struct evs_diag *diag)
{
	struct learning l = { .job = j, .enc = enc };
	uint64_t stored = 0;
	int rc;

	for (size_t i = 0; i < j->nstretches; i++)
		stored += j->stretch[i].bytes;
	if (stored < SEGMENT_LEAST || j->sample.n < GROUPS_LEAST)
		return 0;
	rc = init(&l) < 0 ? evs_fail_nomem(diag) : look(&l, MEASURE, diag);
	keep_if(&l, is_large);
	if (rc == 0)
		rc = look(&l, TRY_WITHOUT, diag);
	keep_if(&l, is_stored_whole);
	if (rc == 0)
		rc = learn(&l, diag);
	keep_if(&l, was_learned);
	if (rc == 0)
		rc = look(&l, TRY_WITH, diag);
	for (uint16_t i = 0; i < l.ncand && rc == 0; i++)
		rc = put_if_it_pays(&l, &l.cand[i], r, &out, diag);
	release(&l);
	return rc;
}
