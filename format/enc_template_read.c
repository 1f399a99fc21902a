/*
 * Reading TEMPLATE nodes (spec 6.6).
 *
 * The templates are read into parts, each a literal and the column whose value follows it; then the
 * codes, which say how many values each column has, and how many bytes all literals are; then the
 * columns, one behind the other, into one pool; and then everything is copied to where it belongs,
 * sixteen bytes at a time where there is room. Where only some values are wanted, so are only some
 * of each column: their places are found by counting the templates in front of each.
 */
#include "format/enc_impl.h"

#define CHUNK	     ((size_t)16)
#define MOST_COLUMNS 65535u
#define MOST_PIECES  65535u
#define NO_COLUMN    UINT32_MAX

/* A literal, and the column whose next value follows it; NO_COLUMN: the template ends. */
struct part {
	const uint8_t *literal;
	uint32_t len, column;
};

struct templates {
	uint32_t n, columns;
	struct part *part;
	uint32_t *first;   /* part of each template */
	uint32_t *uses;	   /* of each template */
	uint64_t *literal; /* bytes of each template's literals */
	uint32_t *values;  /* of each column; then, where its next one is in offs */
	uint32_t *offs;	   /* of all values of all columns in the pool, an end for each column */
	/* Where some are picked: the places of each column's values, columns behind each other, and
	 * where each column's end. */
	uint32_t *places, *ends;
};

static int get_part(struct evs_dec_ctx *d, struct evs_cur *c, const struct templates *t, bool last,
		    struct part *p)
{
	uint64_t len, column = NO_COLUMN;

	if (!evs_cur_varint(c, &len) || !evs_cur_bytes(c, len, &p->literal) ||
	    (!last && !evs_cur_varint(c, &column)))
		return evs_dec_fail(d, "6.6-7 a template is cut short");
	if (!last && column >= t->columns)
		return evs_dec_fail(d, "6.6-8 a column that is none of the template's");
	p->len = (uint32_t)len;
	p->column = (uint32_t)column;
	return 0;
}

/* The parts of all templates, into t->part when there is room for them; returns how many. */
static int walk(struct evs_dec_ctx *d, struct evs_cur *c, struct templates *t, uint64_t *parts)
{
	struct part spare;
	uint64_t pieces, n = 0;
	int rc;

	for (uint32_t k = 0; k < t->n; k++) {
		if (!evs_cur_varint(c, &pieces) || pieces > MOST_PIECES)
			return evs_dec_fail(d, "6.6-7 a template is cut short");
		if (t->part) {
			t->first[k] = (uint32_t)n;
			t->literal[k] = 0;
		}
		for (uint64_t i = 0; i <= pieces; i++, n++) {
			struct part *p = t->part ? &t->part[n] : &spare;

			rc = get_part(d, c, t, i == pieces, p);
			if (rc)
				return rc;
			if (t->part)
				t->literal[k] += p->len;
		}
	}
	*parts = n;
	return 0;
}

static int get_templates(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct templates *t)
{
	struct evs_cur again;
	uint64_t number, columns, parts;
	int rc;

	if (!evs_cur_varint(c, &number) || !number || number > n || !evs_cur_varint(c, &columns) ||
	    columns > MOST_COLUMNS)
		return evs_dec_fail(d, "6.6-6 number of templates or columns out of range");
	*t = (struct templates){ .n = (uint32_t)number, .columns = (uint32_t)columns };
	again = *c;
	rc = walk(d, &again, t, &parts);
	if (rc)
		return rc;
	t->part = evs_dec_scratch(d, parts * sizeof(*t->part));
	t->first = evs_dec_scratch(d, number * sizeof(*t->first));
	t->uses = evs_dec_scratch(d, number * sizeof(*t->uses));
	t->literal = evs_dec_scratch(d, number * sizeof(*t->literal));
	t->values = evs_dec_scratch(d, (columns + 1) * sizeof(*t->values));
	if (!t->part || !t->first || !t->uses || !t->literal || !t->values)
		return EVS_E_NOMEM;
	memset(t->uses, 0, number * sizeof(*t->uses));
	return walk(d, c, t, &parts);
}

/* How many values each column has; `*total`: of all columns; `*literals`: bytes of all literals. */
static int count_values(struct evs_dec_ctx *d, struct templates *t, const uint32_t *codes,
			uint32_t n, uint64_t *total, uint64_t *literals)
{
	uint64_t all = 0, bytes = 0;

	memset(t->values, 0, ((size_t)t->columns + 1) * sizeof(*t->values));
	for (size_t i = 0; i < n; i++)
		t->uses[codes[i]]++;
	for (uint32_t k = 0; k < t->n; k++) {
		bytes += t->literal[k] * t->uses[k];
		for (const struct part *p = &t->part[t->first[k]];
		     p->column != NO_COLUMN && t->uses[k]; p++) {
			all += t->uses[k];
			if (all > EVS_ARRAY_MAX_BYTES)
				return evs_dec_fail(
					d,
					"6.1-7 values of all columns of a template pass 0x7fff0000");
			t->values[p->column] += t->uses[k];
		}
		if (bytes > EVS_ARRAY_MAX_BYTES)
			return evs_dec_fail(d, "6.1-7 values of an array pass 0x7fff0000 bytes");
	}
	for (uint32_t k = 0; k < t->columns; k++)
		if (!t->values[k])
			return evs_dec_fail(d, "6.6-9 a column of a template without values");
	*total = all;
	*literals = bytes;
	return 0;
}

/* The values of the template's columns that are in front of its next value. */
static void pass(const struct templates *t, uint32_t template, uint32_t uses, uint32_t *next)
{
	for (const struct part *p = &t->part[t->first[template]]; p->column != NO_COLUMN; p++)
		next[p->column] += uses;
}

/* Count the templates of values [from, to) into `next`, those of a kind together. */
static void pass_all(const struct templates *t, const uint32_t *codes, size_t from, size_t to,
		     uint32_t *uses, uint32_t *next)
{
	for (size_t i = from; i < to; i++)
		uses[codes[i]]++;
	for (size_t i = from; i < to; i++)
		if (uses[codes[i]]) {
			pass(t, codes[i], uses[codes[i]], next);
			uses[codes[i]] = 0;
		}
}

/* Where the values of each column are that the picked values have in their gaps; `total`: of all
 * columns, in all values. */
static int find_places(struct evs_dec_ctx *d, struct templates *t, const uint32_t *codes,
		       const struct evs_pick *pick, uint32_t *total)
{
	uint32_t *uses = evs_dec_scratch(d, (uint64_t)t->n * sizeof(*uses));
	uint32_t *next = evs_dec_scratch(d, ((uint64_t)t->columns + 1) * sizeof(*next));
	uint64_t gaps = 0;
	size_t from = 0;

	t->ends = evs_dec_scratch(d, ((uint64_t)t->columns + 1) * sizeof(*t->ends));
	if (!uses || !next || !t->ends)
		return EVS_E_NOMEM;
	memset(uses, 0, t->n * sizeof(*uses));
	memset(next, 0, t->columns * sizeof(*next));
	memset(t->ends, 0, t->columns * sizeof(*t->ends));
	for (size_t i = 0; i < pick->n; i++)
		pass(t, codes[pick->at[i]], 1, t->ends);
	for (uint32_t k = 0; k < t->columns; k++) {
		uint32_t begin = (uint32_t)gaps;

		gaps += t->ends[k];
		t->ends[k] = begin; /* until they are filled in */
	}
	t->places = evs_dec_scratch(d, gaps * sizeof(*t->places));
	if (!t->places)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < pick->n; from = pick->at[i++] + 1) {
		const struct part *p = &t->part[t->first[codes[pick->at[i]]]];

		pass_all(t, codes, from, pick->at[i], uses, next);
		for (; p->column != NO_COLUMN; p++)
			t->places[t->ends[p->column]++] = next[p->column]++;
	}
	*total = (uint32_t)gaps;
	return 0;
}

/* The values of one column, or those that are picked of it, into `in`. */
static int get_values(struct evs_dec_ctx *d, struct evs_cur *c, const struct templates *t,
		      uint32_t column, struct evs_array *in, unsigned depth, uint64_t *most)
{
	uint32_t begin = column && t->ends ? t->ends[column - 1] : 0;
	struct evs_pick part;
	int rc;

	if (!t->ends)
		return evs_dec_strs(d, c, t->values[column], in, depth, NULL);
	part = (struct evs_pick){ t->places + begin, t->ends[column] - begin };
	rc = evs_dec_strs(d, c, t->values[column], in, depth, &part);
	*most += d->most;
	return rc;
}

/* All columns behind each other into the pool; t->values becomes where each begins in t->offs.
 * `most`: bytes that they have, if all are read. */
static int get_columns(struct evs_dec_ctx *d, struct evs_cur *c, struct templates *t,
		       uint64_t total, unsigned depth, uint64_t *most)
{
	struct evs_array *in = &d->strs[depth];
	struct evs_buf *pool = &d->pool[depth];
	uint32_t at = 0, values;
	size_t bytes;
	int rc;

	*most = 0;

	evs_buf_reset(pool);
	t->offs = evs_dec_scratch(d, (total + t->columns) * sizeof(*t->offs));
	if (!t->offs)
		return EVS_E_NOMEM;
	for (uint32_t k = 0; k < t->columns; k++) {
		rc = get_values(d, c, t, k, in, depth + 1, most);
		if (rc)
			return rc;
		values = in->rows;
		bytes = (size_t)in->offs[values];
		/* unreached: takes columns of two gigabytes together */
		if (pool->len + bytes > EVS_ARRAY_MAX_BYTES)
			return evs_dec_fail(d, "6.1-7 values of an array pass 0x7fff0000 bytes");
		rc = evs_dec_count(d, bytes);
		if (rc)
			return rc;
		for (uint32_t i = 0; i <= values; i++)
			t->offs[at + i] = (uint32_t)pool->len + (uint32_t)in->offs[i];
		t->values[k] = at;
		at += values + 1;
		evs_buf_put(pool, in->data, bytes);
	}
	if (!evs_buf_reserve(pool, CHUNK)) {
		d->why = "out of memory";
		return EVS_E_NOMEM;
	}
	return 0;
}

/* `len` bytes; where there is `room`, up to CHUNK - 1 more are read and written. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t len, bool room)
{
	if (room && len <= CHUNK)
		memcpy(to, from, CHUNK);
	else
		memcpy(to, from, len);
}

static void join(struct templates *t, const uint32_t *codes, uint32_t n, const uint8_t *pool,
		 const uint8_t *input_end, struct evs_array *out)
{
	uint8_t *to = out->data, *end = out->data + out->data_cap;

	out->offs[0] = 0;
	for (size_t i = 0; i < n; i++) {
		const struct part *p = &t->part[t->first[codes[i]]];

		for (;; p++) {
			copy(to, p->literal, p->len,
			     /* unreached: arrays of 2 GiB alone have no room past their end */
			     (size_t)(end - to) >= CHUNK &&
				     (size_t)(input_end - p->literal) >= CHUNK);
			to += p->len;
			if (p->column == NO_COLUMN)
				break;
			const uint32_t *o = &t->offs[t->values[p->column]++];

			copy(to, pool + o[0], o[1] - o[0], (size_t)(end - to) >= CHUNK);
			to += o[1] - o[0];
		}
		out->offs[i + 1] = (int32_t)(to - out->data);
	}
}

/* Only picked values are joined: what is needed of them; `literals`, of all, becomes theirs. */
static int pick_values(struct evs_dec_ctx *d, struct templates *t, const uint32_t **codes,
		       const struct evs_pick *pick, uint64_t *total, uint64_t *literals)
{
	uint32_t *some = evs_dec_scratch(d, (uint64_t)pick->n * sizeof(*some)), gaps;
	int rc = some ? find_places(d, t, *codes, pick, &gaps) : EVS_E_NOMEM;

	if (rc)
		return rc;
	*total = gaps;
	*literals = 0;
	for (size_t i = 0; i < pick->n; i++) {
		some[i] = (*codes)[pick->at[i]];
		*literals += t->literal[some[i]];
	}
	*codes = some;
	return 0;
}

int evs_dec_template(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		     unsigned depth, const struct evs_pick *pick)
{
	struct templates t;
	const uint32_t *codes;
	uint64_t total, literals, all = 0, most;
	int rc = get_templates(d, c, n, &t);

	if (!rc)
		rc = evs_dec_codes(d, c, n, t.n, depth + 1, &codes, NULL);
	if (!rc)
		rc = count_values(d, &t, codes, n, &total, &literals);
	all = rc ? 0 : literals;
	if (!rc && pick)
		rc = pick_values(d, &t, &codes, pick, &total, &literals);
	if (!rc)
		rc = get_columns(d, c, &t, total, depth, &most);
	if (!rc)
		rc = evs_dec_reserve(d, out, evs_picked(pick, n), 0);
	if (!rc)
		rc = evs_dec_bytes_room(d, out, literals + d->pool[depth].len);
	if (rc)
		return rc;
	d->most = all + most;
	join(&t, codes, evs_picked(pick, n), d->pool[depth].p, c->end, out);
	return 0;
}
