/*
 * Answers against expectations. See judge.h.
 */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEAK_CAP     ((size_t)32 << 20)	 /* README: evcat and evcheck stay within */
#define PEAK_COMPACT ((size_t)128 << 20) /* README: so does evcompact */
#define PEAK_MORE    ((size_t)512 << 10) /* a damaged file may take more than the sound one */
#define READ_MORE    ((uint64_t)2 << 20)

void judge_wrong(struct trial *t, const char *format, ...)
{
	va_list ap;

	if (t->verdict.wrong)
		return;
	t->verdict.wrong = true;
	va_start(ap, format);
	(void)vsnprintf(t->verdict.why, sizeof(t->verdict.why), format, ap);
	va_end(ap);
}

static unsigned long long ull(uint64_t v)
{
	return v;
}

/* What the sound version gives of this group in this view; NULL when that was not looked at. */
static const struct seen *seen_of(const struct trial *t, const struct frame *g, unsigned view)
{
	const struct version *v = g->of;
	unsigned number = 0;
	uint64_t schema;

	if (view == VIEW_LOOSE) {
		schema = expect_schema_in_force(&t->expect, &t->damaged);
		for (size_t i = 0; schema && i < v->nframes && v->frames[i].off <= schema; i++)
			number += v->frames[i].type == SCHEMA_FRAME;
		if (!view_is_loose(view + number) ||
		    (schema && !(number && expect_schema(&t->expect, &t->damaged, schema))))
			return NULL;
		view += number;
	}
	return v->seen[view] ? &v->seen[view][g->number] : NULL;
}

/* The hidden time of arrival stands behind all other columns, and is read when times are asked for.
 */
static bool is_read(const struct trial *t, const struct frame *g, const struct block *b,
		    unsigned view)
{
	if (g->packed)
		return true;
	if (b->column >= t->subject.ncolumns)
		return view == VIEW_PRUNED || view_has_times(view);
	return view < VIEW_LESS || b->column != view - VIEW_LESS;
}

/* Why a group that was met is not delivered: the offset that must be named, or 0. */
static uint64_t group_lost_at(const struct trial *t, const struct frame *g, unsigned view)
{
	if (!expect_schema(&t->expect, &t->damaged, g->schema_off))
		return g->schema_off;
	for (uint16_t i = 0; i < g->nblocks; i++)
		if (is_read(t, g, &g->blocks[i], view) &&
		    !expect_block(&t->expect, &t->damaged, g, &g->blocks[i]))
			return g->blocks[i].off;
	return 0;
}

/*
 * Are bytes damaged that nobody reads, or that only a newer reader can check (behind the summed
 * part of a frame of a type of its own)? Then nothing needs to be said.
 */
static bool unread_damage(const struct trial *t, unsigned view)
{
	const struct expect *e = &t->expect;

	for (size_t i = 0; i < e->fam->nframes; i++)
		if (e->fam->frames[i]->type > DICT_FRAME &&
		    !expect_rest(&t->damaged, e->fam->frames[i]))
			return true;
	for (size_t i = 0; i < e->nmet; i++)
		for (uint16_t b = 0; b < e->met[i]->nblocks; b++)
			if (!is_read(t, e->met[i], &e->met[i]->blocks[b], view) &&
			    !expect_block(e, &t->damaged, e->met[i], &e->met[i]->blocks[b]))
				return true;
	return false;
}

static int by_place(const void *a, const void *b)
{
	const struct loss *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->rows < y->rows ? -1 : x->rows > y->rows;
}

/* The first damaged block that is read of the group in which the one at `off` is damaged; `off`
 * when it is no such block. Columns are read in the order of the schema in force, and any of the
 * damaged ones may be named. */
static uint64_t first_lost(const struct trial *t, uint64_t off, unsigned view)
{
	const struct expect *e = &t->expect;

	for (size_t i = 0; i < e->nmet; i++)
		for (uint16_t b = 0; b < e->met[i]->nblocks; b++) {
			const struct block *k = &e->met[i]->blocks[b];

			if (k->off == off && is_read(t, e->met[i], k, view) &&
			    !expect_block(e, &t->damaged, e->met[i], k))
				return group_lost_at(t, e->met[i], view);
		}
	return off;
}

/* Rows lost, each stretch by its place: the reports must be these, and no others. */
static void judge_losses(struct trial *t, unsigned view, struct loss *want, size_t n)
{
	struct answer *a = &t->answer;
	struct loss *got = must(calloc(a->nreports + 1, sizeof(*got)));
	size_t have = 0;

	for (size_t i = 0; i < a->nreports; i++)
		if (a->reports[i].rows)
			got[have++] = (struct loss){ first_lost(t, a->reports[i].off, view),
						     a->reports[i].rows };
	qsort(got, have, sizeof(*got), by_place);
	qsort(want, n, sizeof(*want), by_place);
	for (size_t i = 0; i < n && i < have; i++)
		if (by_place(&got[i], &want[i]) != 0)
			judge_wrong(t, "lost at %llu: %llu rows named, at %llu: %llu expected",
				    ull(got[i].off), ull(got[i].rows), ull(want[i].off),
				    ull(want[i].rows));
	if (have != n)
		judge_wrong(t, "%zu stretches of lost rows named, %zu expected", have, n);
	free(got);
}

/* Groups delivered, in order; the losses of those that were not are put behind `lost`. */
static void judge_groups(struct trial *t, unsigned view, struct loss *lost, size_t *nlost,
			 uint64_t *rows_lost)
{
	const struct expect *e = &t->expect;
	struct answer *a = &t->answer;
	size_t at = 0;

	for (size_t i = 0; i < e->nmet; i++) {
		const struct frame *g = e->met[i];
		const struct seen *seen = seen_of(t, g, view);
		uint64_t why = group_lost_at(t, g, view);

		if (why) {
			lost[*nlost] = (struct loss){ why, g->rows };
			*nlost += 1;
			*rows_lost += g->rows;
			continue;
		}
		if (seen && !seen->rows)
			continue;
		if (at == a->nbatches) {
			judge_wrong(t, "view %u: the group at %llu is missing", view, ull(g->off));
			return;
		}
		if (seen &&
		    (seen->rows != a->batches[at].rows || seen->hash != a->batches[at].hash)) {
			judge_wrong(t, "view %u: batch %zu is not the group at %llu", view, at,
				    ull(g->off));
			return;
		}
		at++;
	}
	if (at != a->nbatches)
		judge_wrong(t, "%zu batches, %zu expected", a->nbatches, at);
}

static void judge_used(struct trial *t, unsigned view)
{
	const struct watch *w = &t->answer.used, *sound = &t->sound[view];
	uint64_t may_read = 3 * sound->bytes_read + 3 * t->damaged.size + READ_MORE;

	if (w->left)
		judge_wrong(t, "view %u: %zu bytes leaked", view, w->left);
	if (w->peak > PEAK_CAP || (sound->peak && w->peak > sound->peak + PEAK_MORE))
		judge_wrong(t, "view %u: %zu bytes of memory, the sound file takes %zu", view,
			    w->peak, sound->peak);
	if (w->bytes_read > may_read)
		judge_wrong(t, "view %u: %llu bytes read, of the sound file %llu", view,
			    ull(w->bytes_read), ull(sound->bytes_read));
}

/* No HEAD, so no segment: nothing comes, and that is said. */
static void judge_nothing(struct trial *t)
{
	if (t->answer.rows || !t->answer.damaged)
		judge_wrong(t, "there is no HEAD, but rows or exit status 0");
}

static bool unknown_named(const struct answer *a)
{
	for (size_t i = 0; i < a->nreports; i++)
		if (!a->reports[i].known)
			return true;
	return false;
}

/*
 * Where versions are mixed, going by the COMMITs may reach other groups than going frame by frame.
 * What comes must still be groups of one of them, and damage be named.
 */
static void judge_mixed(struct trial *t, unsigned view)
{
	const struct family *f = t->expect.fam;
	struct answer *a = &t->answer;

	for (size_t b = 0; b < a->nbatches; b++) {
		bool known = view == VIEW_LOOSE;

		for (size_t i = 0; i < f->nframes && !known; i++) {
			const struct frame *g = f->frames[i];
			const struct seen *seen =
				g->type == GROUP_FRAME ? seen_of(t, g, view) : NULL;

			known = g->type == GROUP_FRAME &&
				(!seen || (seen->rows == a->batches[b].rows &&
					   seen->hash == a->batches[b].hash));
		}
		if (!known)
			judge_wrong(t, "view %u: batch %zu is no group", view, b);
	}
}

/* Rows of the span of time in front of the newest commit's end, in the version that it is of. */
static uint64_t rows_of_times(const struct trial *t, unsigned view)
{
	const struct expect *e = &t->expect;
	const struct version *v = e->commit ? e->commit->of : NULL;
	uint64_t rows = 0;

	for (size_t g = 0; v && g < v->ngroups && v->groups[g]->off < e->commit->off; g++)
		rows += v->seen[view][g].rows;
	return rows;
}

/* Sound frames of one version never contradict each other, so no such rule is ever broken by
 * damage. */
static void judge_rules(struct trial *t, unsigned view)
{
	static const char *const rules[] = { "5.1-10", "7.1-12", "7.1-13", "7.2-7", "8.3-" };
	struct answer *a = &t->answer;

	for (size_t i = 0; i < a->nreports; i++)
		for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
			if (!strncmp(a->reports[i].what, rules[k], strlen(rules[k])))
				judge_wrong(t, "view %u: blamed on a rule: %s", view,
					    a->reports[i].what);
}

static void judge_segment(struct trial *t, unsigned view)
{
	const struct expect *e = &t->expect;
	struct loss *lost = must(calloc(e->nlost + e->nmet + 2, sizeof(*lost)));
	struct answer *a = &t->answer;
	uint64_t rows_lost = 0, total = e->commit ? e->commit->rows_total : 0;
	size_t n = 0;

	if (e->tail_rows)
		lost[n++] = (struct loss){ e->end, e->tail_rows };
	for (size_t i = 0; i < e->nlost; i++)
		lost[n++] = e->lost[i];
	for (size_t i = 0; i < n; i++)
		rows_lost += lost[i].rows;
	judge_groups(t, view, lost, &n, &rows_lost);
	if (view == VIEW_ALL || view_is_loose(view))
		judge_losses(t, view, lost, n);
	if (view == VIEW_ALL && !e->odd && a->rows + a->lost != total + e->tail_rows)
		judge_wrong(t, "%llu rows, %llu named lost, %llu committed", ull(a->rows),
			    ull(a->lost), ull(total + e->tail_rows));
	if (view == VIEW_PRUNED && !e->odd && a->lost != rows_lost)
		judge_wrong(t, "pruned: %llu rows named lost, %llu expected", ull(a->lost),
			    ull(rows_lost));
	if (view == VIEW_ALL && a->damaged == e->whole && !unread_damage(t, view))
		judge_wrong(t, e->whole ? "damage named where there is none"
					: "the damage went unnoticed: exit status 0");
	if (view_has_times(view) && !a->damaged && a->rows != rows_of_times(t, view))
		judge_wrong(t, "view %u: %llu rows of %llu, exit status 0", view, ull(a->rows),
			    ull(rows_of_times(t, view)));
	else if (rows_lost && !a->damaged && !view_has_times(view))
		judge_wrong(t, "view %u: rows are lost, exit status 0", view);
	if (!e->mixed)
		judge_rules(t, view);
	if (unknown_named(a) != (e->tail && !e->tail_known))
		judge_wrong(t,
			    "view %u: a tail is named though there is none, or the other way round",
			    view);
	free(lost);
}

void judge_view(struct trial *t, unsigned view)
{
	struct answer *a = &t->answer;

	subject_scan(&t->subject, view, a);
	judge_used(t, view);
	if (a->rc < 0 && (t->expect.segment || !view_is_loose(view) || evs_exit_status(a->rc) != 3))
		judge_wrong(t, "view %u: %s", view, a->error);
	else if (!t->expect.segment)
		judge_nothing(t);
	else if (t->expect.mixed && view != VIEW_ALL)
		judge_mixed(t, view);
	else
		judge_segment(t, view);
}

void judge_check(struct trial *t)
{
	const struct expect *e = &t->expect;
	char first[200];
	struct watch used;
	int64_t n = subject_check(&t->subject, first, sizeof(first), &used);

	if (used.left || used.peak > PEAK_CAP)
		judge_wrong(t, "check: %zu bytes of memory, %zu leaked", used.peak, used.left);
	if (n < 0)
		judge_wrong(t, "check: %s", first);
	else if (!n && (t->answer.damaged || t->answer.rc < 0))
		judge_wrong(t, "check: finds nothing");
	else if (!n && e->segment && !e->whole && !unread_damage(t, VIEW_ALL))
		judge_wrong(t, "check: finds nothing in a file that is not whole");
	else if (n && e->segment && e->whole && !e->mixed)
		judge_wrong(t, "check: in a whole file: %s", first);
}

/* ---- the price of one bit -------------------------------------------------------------------- */

/* The append that the frame at `off` belongs to, as its COMMIT. */
static const struct frame *append_of(const struct version *v, uint64_t off)
{
	for (size_t i = 0; i < v->nframes; i++)
		if (v->frames[i].type == COMMIT_FRAME && off < v->frames[i].off + v->frames[i].span)
			return &v->frames[i];
	return NULL;
}

void judge_flip(struct trial *t, uint64_t off)
{
	const struct version *v = t->scene.base;
	const struct frame *c = append_of(v, off), *f = v->frames;
	uint64_t allowed = 0;

	if (off >= v->start) {
		while (off >= f->off + f->span)
			f++;
		if (f->type == GROUP_FRAME)
			allowed = f->rows;
		for (size_t i = 0; f->type == SCHEMA_FRAME && i < v->ngroups; i++)
			allowed += v->groups[i]->schema_off == f->off ? v->groups[i]->rows : 0;
		/* 9-5: where zeros stand beside it, the newest append may have been torn. */
		if (t->expect.tail && c->seq > 1 && c->off + c->span == v->size)
			allowed = c->commit_rows;
	}
	if (t->answer.lost > allowed || t->answer.rows < v->rows - allowed)
		judge_wrong(t, "one bit costs %llu rows, and may cost %llu", ull(t->answer.lost),
			    ull(allowed));
}

/* ---- appending ------------------------------------------------------------------------------- */

static bool holds(const uint8_t *bytes, size_t size, const uint8_t *want, size_t n)
{
	return size == n && memcmp(bytes, want, n) == 0;
}

/* What was behind the newest commit is in a file beside the segment, byte by byte. */
static void judge_aside(struct trial *t)
{
	const struct expect *e = &t->expect;
	const struct damaged *d = &t->damaged;
	uint64_t n = d->size > e->end ? d->size - e->end : 0;
	char path[768];
	uint8_t *aside;
	size_t size = 0;

	if (!subject_find(&t->subject, ".tail-", path, sizeof(path))) {
		if (n)
			judge_wrong(t, "append: the tail was thrown away");
		return;
	}
	aside = load_file(path, &size);
	if (!aside || !holds(aside, size, d->bytes + e->end, (size_t)n))
		judge_wrong(t, "append: the tail set aside is not what was there");
	free(aside);
	remove(path);
}

/* The committed bytes are never written to, but for copies of the newest trailer. */
static void judge_prefix(struct trial *t, const uint8_t *after, size_t size)
{
	const struct expect *e = &t->expect;
	const struct damaged *d = &t->damaged;
	uint64_t n = e->commit ? e->end - TRAILERS : e->end;

	if (!after || size < e->end || memcmp(after, d->bytes, (size_t)n) != 0)
		judge_wrong(t, "append: bytes in front of the newest commit's end were changed");
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* All rows that the file gives now, sorted; `*n` of them. */
static uint64_t *rows_by_hash(struct trial *t, size_t *n)
{
	struct answer *a = &t->answer;
	uint64_t *rows;

	a->want_lines = true;
	subject_scan(&t->subject, VIEW_ALL, a);
	a->want_lines = false;
	rows = must(malloc((a->nlines + 1) * sizeof(*rows)));
	if (a->nlines)
		memcpy(rows, a->lines, a->nlines * sizeof(*rows));
	qsort(rows, a->nlines, sizeof(*rows), by_hash);
	*n = a->nlines;
	return rows;
}

/* The compacted file has the rows that were there, and all that were committed. */
static void judge_compacted(struct trial *t, const uint64_t *before, size_t n, uint64_t lost)
{
	size_t have = 0;
	uint64_t *after = rows_by_hash(t, &have);

	if (lost != t->expect.tail_rows)
		judge_wrong(t, "compact: done, though %llu rows are lost", ull(lost));
	if (t->answer.rc < 0 || t->answer.damaged)
		judge_wrong(t, "compact: what came of it is damaged: %s", t->answer.error);
	if (have != n || memcmp(after, before, n * sizeof(*before)) != 0)
		judge_wrong(t, "compact: %zu rows before, %zu after, or others", n, have);
	free(after);
}

void judge_compact(struct trial *t)
{
	struct evs_diag diag = { 0 };
	size_t n = 0, size = 0;
	uint64_t *before, lost, rows;
	struct watch used;
	char path[768];
	uint8_t *after;
	int rc;

	if (!t->stage->can_compact)
		return;
	before = rows_by_hash(t, &n);
	lost = t->answer.lost;
	rows = t->answer.rows;
	rc = subject_compact(&t->subject, version_clock(&t->stage->version[0]), &used, &diag);
	if (used.left || used.peak > PEAK_COMPACT)
		judge_wrong(t, "compact: %zu bytes of memory, %zu leaked", used.peak, used.left);
	if (rc < 0 && evs_exit_status(rc) != 3)
		judge_wrong(t, "compact: %s", diag.what);
	if (rc < 0 && t->expect.whole)
		judge_wrong(t, "compact: refused, though nothing is wrong: %s", diag.what);
	after = load_file(t->subject.path, &size);
	if (rc == 0) {
		judge_compacted(t, before, n, lost);
		subject_again(&t->subject);
	} else if (!after || !holds(after, size, t->damaged.bytes, (size_t)t->damaged.size)) {
		/* Only a torn end may be gone. */
		judge_prefix(t, after, size);
		subject_scan(&t->subject, VIEW_ALL, &t->answer);
		if (t->answer.rows != rows)
			judge_wrong(t, "compact: refused, and %llu rows are %llu", ull(rows),
				    ull(t->answer.rows));
	}
	if (rc == 0 || size != t->damaged.size)
		judge_aside(t);
	if (subject_find(&t->subject, ".compact", path, sizeof(path)))
		judge_wrong(t, "compact: %s is left over", path);
	/* All of the file is put again. */
	t->subject.size = UINT64_MAX;
	subject_put(&t->subject, t->damaged.bytes, t->damaged.size, 0, t->damaged.size);
	free(after);
	free(before);
}

void judge_append(struct trial *t)
{
	const struct stage *st = t->stage;
	struct evs_diag diag = { 0 };
	uint64_t rows = t->answer.rows; /* of VIEW_ALL, which was just judged */
	size_t before = t->answer.nbatches, size = 0;
	struct seen *seen = must(malloc((before + 1) * sizeof(*seen)));
	char *line = st->can_append ? stage_line(st, 0) : NULL;
	uint8_t *after;
	int rc;

	memcpy(seen, t->answer.batches, before * sizeof(*seen));
	rc = line ? subject_append(&t->subject, line, strlen(line), version_clock(&st->version[0]),
				   NULL, &diag)
		  : 0;
	after = load_file(t->subject.path, &size);
	if (rc < 0 && evs_exit_status(rc) != 3)
		judge_wrong(t, "append: %s", diag.what);
	else if (rc < 0 &&
		 (!after || !holds(after, size, t->damaged.bytes, (size_t)t->damaged.size)))
		judge_wrong(t, "append: refused, but the file was changed");
	if (line && (rc < 0) != (!t->expect.commit || t->expect.commit_bad))
		judge_wrong(t, "append: %s", rc < 0 ? diag.what : "not refused");
	if (line && rc == 0) {
		judge_aside(t);
		judge_prefix(t, after, size);
		subject_scan(&t->subject, VIEW_ALL, &t->answer);
		if (t->answer.rc < 0 || t->answer.rows != rows + 1 ||
		    t->answer.nbatches != before + 1 ||
		    memcmp(seen, t->answer.batches, before * sizeof(*seen)) != 0)
			judge_wrong(t, "append: %llu rows before, %llu after: %s", ull(rows),
				    ull(t->answer.rows), t->answer.error);
	}
	/* All of the file is put again. */
	t->subject.size = UINT64_MAX;
	subject_put(&t->subject, t->damaged.bytes, t->damaged.size, 0, t->damaged.size);
	free(after);
	free(seen);
	free(line);
}
