/*
 * Reading a column as its distinct values and a code for each row, where its encoding has them
 * apart: a dictionary, runs, a constant; or, where that is wanted, where all but few rows are null.
 * Whoever asks something of the values asks it once for each of them, and takes only the rows that
 * matter.
 *
 * The rules are those of the whole decoding (spec 6.2, 6.3), and so is the answer: values[code[i]]
 * is row i.
 */
#include "format/enc_impl.h"

#include <stdlib.h>

/* Columns of fewer may be large, and values beside the rows would take as much again. */
#define LEAST_ROWS 64u
#define SPARSE	   8u /* of so many rows seven are null at least */

/* `n` values of a node of the column's type. */
static int get_values(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n,
		      struct evs_array *values, unsigned depth)
{
	int rc = evs_dec_reserve(d, values, n + 1, 0);

	if (rc)
		return rc;
	switch (values->phys) {
	case EVS_BYTES:
		rc = evs_dec_strs(d, c, n, values, depth, NULL);
		break;
	case EVS_FIXED:
		rc = evs_dec_fixed(d, c, n, values->width, values->data, depth, NULL);
		break;
	default:
		rc = evs_dec_int(d, c, n, values->width, values->data, depth);
	}
	values->rows = rc ? 0 : n;
	return rc;
}

/* How many distinct values, or runs, there are: at most `n`; `why` names the rule. */
static int get_number(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, const char *why,
		      uint32_t *out)
{
	uint64_t v;

	if (!evs_cur_varint(c, &v) || !v || v > n)
		return evs_dec_fail(d, why);
	*out = (uint32_t)v;
	return 0;
}

static int get_dict(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_coded *out)
{
	const uint32_t *codes;
	uint32_t distinct;
	int rc = get_number(d, c, n, "6.3-15 size of a dictionary out of range", &distinct);

	if (!rc && distinct > EVS_CODED_MAX)
		return 1;
	if (!rc)
		rc = get_values(d, c, distinct, &out->values, 1);
	if (!rc)
		rc = evs_dec_codes(d, c, n, distinct, 1, &codes, NULL);
	if (!rc)
		memcpy(out->code, codes, (size_t)n * sizeof(*codes));
	return rc;
}

static int get_runs(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_coded *out)
{
	uint32_t runs, at = 0, *lens;
	int rc = get_number(d, c, n, "6.3-13 number of runs out of range", &runs);

	if (!rc && runs > EVS_CODED_MAX)
		return 1;
	if (!rc)
		rc = get_values(d, c, runs, &out->values, 1);
	if (rc)
		return rc;
	lens = evs_dec_scratch(d, (uint64_t)runs * sizeof(*lens));
	if (!lens)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, runs, sizeof(*lens), (uint8_t *)lens, 1);
	if (rc)
		return rc;
	for (uint32_t k = 0; k < runs; k++) {
		if (!lens[k] || lens[k] > n - at)
			return evs_dec_fail(d, "6.3-14 run lengths do not add up to the values");
		for (uint32_t i = 0; i < lens[k]; i++)
			out->code[at++] = k;
	}
	return at == n ? 0 : evs_dec_fail(d, "6.3-14 run lengths do not add up to the values");
}

/* Codes of the first n rows to those that are present; the others get the null value's. */
static void spread(uint32_t *code, const uint8_t *valid, uint32_t rows, uint32_t n, uint32_t null)
{
	for (uint32_t i = rows, k = n; i-- > 0;)
		code[i] = valid[i >> 3] >> (i & 7) & 1 ? code[--k] : null;
}

/* Codes that are written in a row, so that the compiler makes vectors of them. */
#define ABREAST 64u

/* The first value to the first row that is present, and so on; the others get the null value's. */
static void number_present(uint32_t *code, const uint8_t *valid, uint32_t rows, uint32_t null)
{
	uint32_t i = 0, k = 0;

	for (; rows - i >= ABREAST; i += ABREAST)
		for (uint32_t j = 0; j < ABREAST; j++)
			code[i + j] = null;
	for (; i < rows; i++)
		code[i] = null;
	for (i = 0; i < rows; i += 8)
		for (unsigned bits = valid[i >> 3]; bits; bits &= bits - 1)
			code[i + (unsigned)__builtin_ctz(bits)] = k++;
}

/* Texts as they are, in memory that may be kept: it becomes that of the values. */
static int keep_plain(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n,
		      struct evs_array *values)
{
	const uint8_t *p;
	uint8_t *mine;
	size_t cap;
	uint64_t total;
	/* with the null value: offsets that grow begin with 0 again */
	int rc = evs_dec_reserve(d, values, n + 1, 0);

	c->p++;
	if (!rc)
		rc = evs_dec_lengths(d, c, n, values, 1, &total);
	if (rc)
		return rc;
	if (!evs_cur_bytes(c, total, &p))
		return evs_dec_fail(d, "6.6-1 bytes of plain values are cut short");
	for (size_t i = 0; i <= n; i++)
		values->offs[i] += (int32_t)(p - *d->raw); /* a block is smaller than 2^30 */
	mine = values->data;
	cap = values->data_cap;
	values->data = *d->raw;
	values->data_cap = *d->raw_cap;
	*d->raw = mine;
	*d->raw_cap = cap;
	values->rows = n;
	return 0;
}

/* Few rows are not null, and whatever their encoding is: a value for each. FLOAT has kinds of its
 * own. */
static int get_sparse(struct evs_dec_ctx *d, struct evs_cur *c, const uint8_t *valid, uint32_t rows,
		      uint32_t n, struct evs_coded *out)
{
	int rc;

	if (!out->sparse || n > rows / SPARSE || n > EVS_CODED_MAX || out->values.phys == EVS_FLOAT)
		return 1;
	if (d->raw && out->values.phys == EVS_BYTES && *c->p == EVS_NODE_PLAIN)
		rc = keep_plain(d, c, n, &out->values);
	else
		rc = get_values(d, c, n, &out->values, 0);
	if (!rc)
		number_present(out->code, valid, rows, n);
	return rc ? rc : evs_array_append_null(&out->values);
}

static int get_codes(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		     struct evs_coded *out)
{
	uint32_t n = rows - nulls;
	uint8_t *valid = NULL;
	int rc = 0;

	if (nulls) {
		valid = evs_dec_scratch(d, ((uint64_t)rows + 7) / 8);
		if (!valid)
			return EVS_E_NOMEM;
		rc = evs_dec_valid(d, c, rows, nulls, valid);
	}
	if (rc || c->p == c->end)
		return rc ? rc : 1;
	switch (*c->p) {
	case EVS_NODE_CONST:
		memset(out->code, 0, (size_t)n * sizeof(*out->code));
		rc = get_values(d, c, 1, &out->values, 0);
		break;
	case EVS_NODE_DICT:
		c->p++;
		rc = get_dict(d, c, n, out);
		break;
	case EVS_NODE_RUNS:
		if (out->values.phys != EVS_INT && out->values.phys != EVS_FLOAT)
			return 1;
		c->p++;
		rc = get_runs(d, c, n, out);
		break;
	default:
		return get_sparse(d, c, valid, rows, n, out);
	}
	if (!rc && nulls) {
		spread(out->code, valid, rows, n, out->values.rows);
		rc = evs_array_append_null(&out->values);
	}
	return rc;
}

/* Would all rows, as values, take more than may be? The whole decoding counts that exactly. */
static bool too_large(const struct evs_dec_ctx *d, const struct evs_array *values, uint32_t rows)
{
	int32_t longest = 0;

	for (uint32_t i = 0; values->phys == EVS_BYTES && i < values->rows; i++)
		if (values->offs[i + 1] - values->offs[i] > longest)
			longest = values->offs[i + 1] - values->offs[i];
	return (uint64_t)longest * rows > d->limit / 4;
}

int evs_column_codes(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		     struct evs_coded *out, const char **why)
{
	struct evs_cur start = *c;
	int rc;

	d->scratch.top = 0;
	d->left = d->limit;
	d->why = NULL;
	d->over = false;
	evs_array_reset(&out->values);
	if (out->values.nchild || rows < LEAST_ROWS || nulls >= rows)
		return 1;
	rc = evs_coded_room(out, rows) < 0 ? EVS_E_NOMEM : get_codes(d, c, rows, nulls, out);
	if (rc == 0 && too_large(d, &out->values, rows))
		rc = 1;
	if (rc == 1)
		*c = start;
	if (rc)
		evs_array_reset(&out->values);
	if (rc < 0)
		*why = d->why ? d->why : "out of memory";
	return rc == EVS_E_NOMEM && d->over ? EVS_E_LIMIT : rc;
}

int evs_coded_room(struct evs_coded *c, uint32_t rows)
{
	if (rows <= c->cap)
		return 0;
	free(c->code);
	c->code = malloc((size_t)rows * sizeof(*c->code));
	c->cap = c->code ? rows : 0;
	return c->code ? 0 : EVS_E_NOMEM;
}

void evs_coded_release(struct evs_coded *c)
{
	evs_array_release(&c->values);
	free(c->code);
	*c = (struct evs_coded){ 0 };
}
