/*
 * Quantiles: all values while they are few, then counts of values in buckets of a relative width
 * of 1 / 512 (spec 9-6). The state depends on the values alone, not on their order.
 *
 * A bucket's number is the upper bits of the double, turned so that numbers of buckets have the
 * order of values; finding it takes no logarithm.
 */
#include "src/query/agg_state.h"

#include <math.h>
#include <stdlib.h>

#define QUANT_EXACT 1024u
#define KEY_SHIFT   43u /* sign, exponent and 9 bits of the mantissa remain */
#define SIGN	    ((uint64_t)1 << 63)

struct bin {
	uint32_t key; /* + 1; 0: free */
	uint64_t n;
};

struct quant {
	double *value; /* NULL once there are bins */
	struct bin *bin;
	uint32_t n, cap; /* of value; of bin: used, slots */
	uint64_t total;
	double min, max;
};

static unsigned quant_columns(struct evs_agg *a, struct evs_type *type)
{
	static struct evs_type f64 = { .id = EVS_T_FLOAT64 }, u32 = { .id = EVS_T_UINT32 },
			       u64 = { .id = EVS_T_UINT64 };

	(void)a;
	type[0] = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { &f64 } };
	type[1] = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { &u32 } };
	type[2] = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { &u64 } };
	type[3] = type[4] = f64;
	return 5;
}

static uint32_t key_of(double d)
{
	uint64_t u;

	memcpy(&u, &d, 8);
	u = u & SIGN ? ~u : u | SIGN;
	return (uint32_t)(u >> KEY_SHIFT);
}

/* The bucket's end towards zero. */
static double value_of(uint32_t key)
{
	uint64_t u = (uint64_t)key << KEY_SHIFT;
	double d;

	if (u & SIGN)
		u &= ~SIGN;
	else
		u = ~u & ~(((uint64_t)1 << KEY_SHIFT) - 1);
	memcpy(&d, &u, 8);
	return d;
}

static struct bin *find_bin(struct bin *bin, uint32_t slots, uint32_t key)
{
	uint32_t i = key * 0x9e3779b1u & (slots - 1);

	while (bin[i].key && bin[i].key != key + 1)
		i = (i + 1) & (slots - 1);
	return &bin[i];
}

static int grow_bins(struct evs_agg *a, struct quant *q)
{
	uint32_t slots = q->bin ? q->cap * 2 : 1024, old = q->bin ? q->cap : 0;
	struct bin *bin = calloc(slots, sizeof(*bin));

	if (!bin)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < old; i++)
		if (q->bin[i].key)
			*find_bin(bin, slots, q->bin[i].key - 1) = q->bin[i];
	a->heap += (slots - old) * sizeof(*bin);
	free(q->bin);
	q->bin = bin;
	q->cap = slots;
	return 0;
}

static int add_bin(struct evs_agg *a, struct quant *q, uint32_t key, uint64_t n)
{
	struct bin *b;

	if (q->n * 2 >= q->cap && grow_bins(a, q) < 0)
		return EVS_E_NOMEM;
	b = find_bin(q->bin, q->cap, key);
	q->n += !b->key;
	b->key = key + 1;
	b->n += n;
	return 0;
}

static int to_bins(struct evs_agg *a, struct quant *q)
{
	double *value = q->value;
	uint32_t n = q->n, cap = q->cap;
	int rc;

	q->value = NULL;
	q->n = q->cap = 0;
	rc = grow_bins(a, q);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = add_bin(a, q, key_of(value[i]), 1);
	a->heap -= cap * sizeof(*value);
	free(value);
	return rc;
}

static int add_value(struct evs_agg *a, struct quant *q, double d)
{
	d += 0.0; /* -0 becomes 0 */
	if (!q->total || d < q->min)
		q->min = d;
	if (!q->total || d > q->max)
		q->max = d;
	q->total++;
	if (!q->bin && q->n == QUANT_EXACT && to_bins(a, q) < 0)
		return EVS_E_NOMEM;
	if (q->bin)
		return add_bin(a, q, key_of(d), 1);
	if (q->n == q->cap) {
		uint32_t cap = q->cap ? q->cap * 2 : 4;
		double *value = realloc(q->value, cap * sizeof(*value));

		if (!value)
			return EVS_E_NOMEM;
		a->heap += (cap - q->cap) * sizeof(*value);
		q->value = value;
		q->cap = cap;
	}
	q->value[q->n++] = d;
	return 0;
}

static int quant_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct quant *q = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		double d;

		memcpy(&d, r->arg[0]->data + (size_t)i * 8, 8);
		if (add_value(a, &q[agg_gid(r, i)], d) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int quant_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	const struct quant *q = state;
	int rc = 0;

	(void)a;
	for (uint32_t i = 0; i < q->n && !q->bin && rc == 0; i++)
		rc = evs_array_append_float(&cols[0].child[0], q->value[i]);
	for (uint32_t i = 0; i < q->cap && q->bin && rc == 0; i++) {
		if (!q->bin[i].key)
			continue;
		rc = evs_array_append_int(&cols[1].child[0], q->bin[i].key - 1);
		if (rc == 0)
			rc = evs_array_append_int(&cols[2].child[0], q->bin[i].n);
	}
	for (unsigned c = 0; c < 3 && rc == 0; c++)
		rc = evs_array_close_row(&cols[c]);
	if (rc < 0 || evs_array_append_float(&cols[3], q->min) < 0)
		return EVS_E_NOMEM;
	return evs_array_append_float(&cols[4], q->max);
}

static int merge_bins(struct evs_agg *a, struct quant *q, const struct evs_array *cols,
		      uint32_t row)
{
	uint32_t from = (uint32_t)cols[1].offs[row], n = (uint32_t)cols[1].offs[row + 1] - from;
	double min = evs_array_float(&cols[3], row), max = evs_array_float(&cols[4], row);
	int rc = 0;

	if (n != (uint32_t)(cols[2].offs[row + 1] - cols[2].offs[row]))
		return EVS_E_FORMAT;
	if (n && !q->bin)
		rc = to_bins(a, q);
	if (n && (!q->total || min < q->min))
		q->min = min;
	if (n && (!q->total || max > q->max))
		q->max = max;
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		uint32_t key = (uint32_t)evs_array_int(&cols[1].child[0], from + i);
		uint64_t count = evs_array_int(&cols[2].child[0], (uint32_t)cols[2].offs[row] + i);

		if (key >> (64 - KEY_SHIFT))
			return EVS_E_FORMAT;
		q->total += count;
		rc = add_bin(a, q, key, count);
	}
	return rc;
}

static int quant_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	const struct evs_array *v = &cols[0];
	int rc = merge_bins(a, state, cols, row);

	for (int32_t i = v->offs[row]; i < v->offs[row + 1] && rc == 0; i++)
		rc = add_value(a, state, evs_array_float(&v->child[0], (uint32_t)i));
	return rc;
}

/* ---- results --------------------------------------------------------------------------------- */

/* Values in order, each standing for `n`. */
struct step {
	double v;
	uint64_t n;
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct step *)a)->v, y = ((const struct step *)b)->v;

	if (x != x || y != y)
		return (x != x) - (y != y);
	return (x > y) - (x < y);
}

static struct step *steps_of(const struct quant *q)
{
	struct step *s = calloc(q->n ? q->n : 1, sizeof(*s));
	uint32_t n = 0;

	for (uint32_t i = 0; s && !q->bin && i < q->n; i++)
		s[n++] = (struct step){ q->value[i], 1 };
	for (uint32_t i = 0; s && q->bin && i < q->cap; i++)
		if (q->bin[i].key)
			s[n++] = (struct step){ value_of(q->bin[i].key - 1), q->bin[i].n };
	if (s)
		qsort(s, n, sizeof(*s), by_value);
	return s;
}

static double at_rank(const struct quant *q, const struct step *s, uint64_t rank)
{
	uint32_t i = 0;
	double v;

	if (rank == 0)
		return q->min;
	if (rank + 1 >= q->total)
		return q->max;
	while (i + 1 < q->n && rank >= s[i].n)
		rank -= s[i++].n;
	v = s[i].v < q->min ? q->min : s[i].v;
	return v > q->max ? q->max : v;
}

static double quantile(const struct quant *q, const struct step *s, double p)
{
	double rank = p * (double)(q->total - 1), part = rank - floor(rank);
	double low = at_rank(q, s, (uint64_t)rank), high;

	if (part == 0)
		return low;
	high = at_rank(q, s, (uint64_t)rank + 1);
	return low == high ? low : low * (1 - part) + high * part;
}

static int quant_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			const char **why)
{
	bool list = a->call->fn == EVS_AGG_QUANTILES;
	const struct quant *q = state;
	struct step *s;
	int rc = 0;

	*why = "there is a value that is no number";
	if (!q->total)
		return evs_array_append_null(out);
	s = steps_of(q);
	if (!s)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < a->call->nparam && rc == 0; i++) {
		double v = quantile(q, s, a->call->param[i]);

		rc = isfinite(v) ? evs_array_append_float(list ? &out->child[0] : out, v)
				 : EVS_E_DATA;
	}
	free(s);
	return rc == 0 && list ? evs_array_close_row(out) : rc;
}

static void quant_drop(struct evs_agg *a, void *state)
{
	struct quant *q = state;

	(void)a;
	free(q->value);
	free(q->bin);
}

const struct agg_ops evs_agg_quantile = {
	.size = sizeof(struct quant),
	.columns = quant_columns,
	.update = quant_update,
	.save = quant_save,
	.merge = quant_merge,
	.finish = quant_finish,
	.drop = quant_drop,
};
