/*
 * Sums and what is made of them: avg, variances. Integers and Decimals are added in 128 bits,
 * floats exactly (fsum.h), so that nothing depends on the order of rows.
 */
#include "src/query/agg_state.h"

#include "format/bytes.h"

#include <math.h>

static const struct evs_type count_type = { .id = EVS_T_INT64 };
static const struct evs_type wide_type = { .id = EVS_T_DECIMAL, .precision = 38 };
static const struct evs_type float_type = { .id = EVS_T_FLOAT64 };

/* ---- integers and Decimals ------------------------------------------------------------------- */

/* The sum in pieces of 64 bits, which needs no alignment to 16; no number of rows overflows it. */
struct int_sum {
	uint64_t low, high;
	int64_t top;
	int64_t n;
};

static void add_wide(struct int_sum *s, uint64_t low, uint64_t high, int64_t top)
{
	agg_u128 a = (agg_u128)s->high << 64 | s->low, b = (agg_u128)high << 64 | low, sum = a + b;

	s->low = (uint64_t)sum;
	s->high = (uint64_t)(sum >> 64);
	s->top += top + (sum < a);
}

/* Does it fit 128 bits? */
static bool sum_fits(const struct int_sum *s)
{
	return s->top == (int64_t)s->high >> 63;
}

static agg_i128 sum_of(const struct int_sum *s)
{
	return (agg_i128)((agg_u128)s->high << 64 | s->low);
}

static unsigned int_columns(struct evs_agg *a, struct evs_type *type)
{
	(void)a;
	type[0] = wide_type;
	type[1] = type[2] = count_type;
	return 3;
}

static int wide_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct int_sum *s = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		struct int_sum *g = &s[agg_gid(r, i)];
		const uint8_t *p = r->arg[0]->data + (size_t)i * 16;
		uint64_t high = evs_get64(p + 8);

		add_wide(g, evs_get64(p), high, (int64_t)high >> 63);
		g->n++;
	}
	return 0;
}

static int int_update(struct evs_agg *a, const struct agg_rows *r)
{
	const struct evs_array *x = r->arg[0];
	struct int_sum *s = agg_at(a, 0);
	bool sign = x->is_signed;

	if (x->phys == EVS_FIXED) /* a Decimal of more than 18 digits */
		return wide_update(a, r);
	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		struct int_sum *g = &s[agg_gid(r, i)];
		uint64_t v, high;

		memcpy(&v, x->data + (size_t)i * 8, 8);
		high = sign ? (uint64_t)((int64_t)v >> 63) : 0;
		add_wide(g, v, high, (int64_t)high);
		g->n++;
	}
	return 0;
}

static int int_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	const struct int_sum *s = state;
	uint8_t raw[16];

	(void)a;
	evs_put64(raw, s->low);
	evs_put64(raw + 8, s->high);
	if (evs_array_append_fixed(&cols[0], raw) < 0 ||
	    evs_array_append_int(&cols[1], (uint64_t)s->top) < 0)
		return EVS_E_NOMEM;
	return evs_array_append_int(&cols[2], (uint64_t)s->n);
}

static int int_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	const uint8_t *p = cols[0].data + (size_t)row * 16;
	struct int_sum *s = state;

	(void)a;
	add_wide(s, evs_get64(p), evs_get64(p + 8), (int64_t)evs_array_int(&cols[1], row));
	s->n += (int64_t)evs_array_int(&cols[2], row);
	return 0;
}

static int int_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
		      const char **why)
{
	const struct int_sum *s = state;
	agg_i128 v = sum_of(s), most = 1;
	uint8_t raw[16];

	if (s->n == 0)
		return evs_array_append_null(out);
	switch (a->call->type.id) {
	case EVS_T_INT64:
		*why = "the sum does not fit Int64: sum x::Decimal(38, 0) instead";
		if (!sum_fits(s) || v < INT64_MIN || v > INT64_MAX)
			return EVS_E_DATA;
		return evs_array_append_int(out, (uint64_t)v);
	case EVS_T_UINT64:
		*why = "the sum does not fit UInt64: sum x::Decimal(38, 0) instead";
		if (!sum_fits(s) || v > (agg_i128)UINT64_MAX)
			return EVS_E_DATA;
		return evs_array_append_int(out, (uint64_t)v);
	default:
		*why = "the sum has more than 38 digits";
		for (unsigned i = 0; i < 38; i++)
			most *= 10;
		if (!sum_fits(s) || v >= most || v <= -most)
			return EVS_E_DATA;
		evs_put64(raw, s->low);
		evs_put64(raw + 8, s->high);
		return evs_array_append_fixed(out, raw);
	}
}

const struct agg_ops evs_agg_sum_int = {
	.size = sizeof(struct int_sum),
	.columns = int_columns,
	.update = int_update,
	.save = int_save,
	.merge = int_merge,
	.finish = int_finish,
};

/* (high + low) / by, with the error of the first division made good. */
static double quotient(double high, double low, double by)
{
	double q = high / by;

	return isfinite(q) ? q + (fma(-q, by, high) + low) / by : q;
}

/* The exact sum, divided once: by count and scale together. */
static int avg_int_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			  const char **why)
{
	const struct int_sum *s = state;
	const struct evs_type *t = a->arg_type[0];
	double div = 1, low = 0, sum;

	(void)why;
	if (sum_fits(s)) {
		sum = (double)sum_of(s);
		if (fabs(sum) < 0x1p126)
			low = (double)(sum_of(s) - (agg_i128)sum);
	} else {
		sum = ldexp((double)s->top, 128) + (double)(agg_u128)sum_of(s);
	}
	if (s->n == 0)
		return evs_array_append_null(out);
	for (unsigned i = 0; t->id == EVS_T_DECIMAL && i < t->scale; i++)
		div *= 10;
	return evs_array_append_float(out, quotient(sum, low, (double)s->n * div));
}

const struct agg_ops evs_agg_avg_int = {
	.size = sizeof(struct int_sum),
	.columns = int_columns,
	.update = int_update,
	.save = int_save,
	.merge = int_merge,
	.finish = avg_int_finish,
};

/* ---- floats ---------------------------------------------------------------------------------- */

struct float_sum {
	struct fsum f;
	int64_t n;
};

static const char not_finite[] =
	"the sum is too large for Float64, or there is a value that is no number";

/* Memory beyond the state. */
static size_t wide_bytes(const struct fsum *f)
{
	return f->wide ? FSUM_LIMBS * sizeof(uint64_t) : 0;
}

/* Three columns: s, c, and the wide part where there is one. */
static unsigned fsum_columns(struct evs_agg *a, struct evs_type *type)
{
	a->elem = (struct evs_type){ .id = EVS_T_UINT64 };
	type[0] = type[1] = float_type;
	type[2] = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { &a->elem } };
	return 3;
}

static int fsum_save(const struct fsum *f, struct evs_array *cols)
{
	if (evs_array_append_float(&cols[0], f->s) < 0 ||
	    evs_array_append_float(&cols[1], f->c) < 0)
		return EVS_E_NOMEM;
	if (!f->wide)
		return evs_array_append_null(&cols[2]);
	for (unsigned i = 0; i < FSUM_LIMBS; i++)
		if (evs_array_append_int(&cols[2].child[0], f->wide[i]) < 0)
			return EVS_E_NOMEM;
	return evs_array_close_row(&cols[2]);
}

static int fsum_merge(struct evs_agg *a, struct fsum *f, const struct evs_array *cols, uint32_t row)
{
	const struct evs_array *wide = &cols[2];
	size_t had = wide_bytes(f);
	uint64_t limb[FSUM_LIMBS];
	uint32_t n = 0;
	int rc;

	if (!evs_array_is_null(wide, row))
		n = (uint32_t)(wide->offs[row + 1] - wide->offs[row]);
	if (n && n != FSUM_LIMBS)
		return EVS_E_FORMAT;
	for (uint32_t i = 0; i < n; i++)
		limb[i] = evs_array_int(&wide->child[0], (uint32_t)wide->offs[row] + i);
	rc = evs_fsum_merge(f, evs_array_float(&cols[0], row), evs_array_float(&cols[1], row),
			    n ? limb : NULL);
	a->heap += wide_bytes(f) - had;
	return rc;
}

static unsigned float_columns(struct evs_agg *a, struct evs_type *type)
{
	(void)fsum_columns(a, type);
	type[3] = count_type;
	return 4;
}

static int float_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct float_sum *s = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		struct float_sum *g = &s[agg_gid(r, i)];
		size_t had = wide_bytes(&g->f);
		double x;

		memcpy(&x, r->arg[0]->data + (size_t)i * 8, 8);
		if (fsum_add(&g->f, x) < 0)
			return EVS_E_NOMEM;
		a->heap += wide_bytes(&g->f) - had;
		g->n++;
	}
	return 0;
}

static int float_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	const struct float_sum *s = state;

	(void)a;
	if (fsum_save(&s->f, cols) < 0)
		return EVS_E_NOMEM;
	return evs_array_append_int(&cols[3], (uint64_t)s->n);
}

static int float_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	struct float_sum *s = state;

	s->n += (int64_t)evs_array_int(&cols[3], row);
	return fsum_merge(a, &s->f, cols, row);
}

static int put_float(double v, struct evs_array *out, const char **why)
{
	*why = not_finite;
	return isfinite(v) ? evs_array_append_float(out, v) : EVS_E_DATA;
}

static int sum_float_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			    const char **why)
{
	const struct float_sum *s = state;
	double low;

	(void)a;
	return s->n ? put_float(evs_fsum_value(&s->f, &low), out, why) : evs_array_append_null(out);
}

static int avg_float_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			    const char **why)
{
	const struct float_sum *s = state;
	double low, high = evs_fsum_value(&s->f, &low);

	(void)a;
	return s->n ? put_float(quotient(high, low, (double)s->n), out, why)
		    : evs_array_append_null(out);
}

static void float_drop(struct evs_agg *a, void *state)
{
	(void)a;
	evs_fsum_drop(&((struct float_sum *)state)->f);
}

const struct agg_ops evs_agg_sum_float = {
	.size = sizeof(struct float_sum),
	.columns = float_columns,
	.update = float_update,
	.save = float_save,
	.merge = float_merge,
	.finish = sum_float_finish,
	.drop = float_drop,
};

const struct agg_ops evs_agg_avg_float = {
	.size = sizeof(struct float_sum),
	.columns = float_columns,
	.update = float_update,
	.save = float_save,
	.merge = float_merge,
	.finish = avg_float_finish,
	.drop = float_drop,
};

/* ---- variances ------------------------------------------------------------------------------- */

/* The exact sums of x and of its square. */
struct variance {
	struct fsum sum, squares;
	int64_t n;
};

static unsigned var_columns(struct evs_agg *a, struct evs_type *type)
{
	(void)fsum_columns(a, type);
	(void)fsum_columns(a, type + 3);
	type[6] = count_type;
	return 7;
}

static int var_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct variance *v = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		struct variance *g = &v[agg_gid(r, i)];
		size_t had = wide_bytes(&g->sum) + wide_bytes(&g->squares);
		double x, q;

		memcpy(&x, r->arg[0]->data + (size_t)i * 8, 8);
		q = x * x;
		if (fsum_add(&g->sum, x) < 0 || fsum_add(&g->squares, q) < 0 ||
		    (isfinite(q) && fsum_add(&g->squares, fma(x, x, -q)) < 0))
			return EVS_E_NOMEM;
		a->heap += wide_bytes(&g->sum) + wide_bytes(&g->squares) - had;
		g->n++;
	}
	return 0;
}

static int var_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	const struct variance *v = state;

	(void)a;
	if (fsum_save(&v->sum, cols) < 0 || fsum_save(&v->squares, cols + 3) < 0)
		return EVS_E_NOMEM;
	return evs_array_append_int(&cols[6], (uint64_t)v->n);
}

static int var_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	struct variance *v = state;
	int rc = fsum_merge(a, &v->sum, cols, row);

	v->n += (int64_t)evs_array_int(&cols[6], row);
	return rc < 0 ? rc : fsum_merge(a, &v->squares, cols + 3, row);
}

/* f += x * y, exactly. */
static int add_product(struct fsum *f, double x, double y)
{
	double p = x * y;

	if (fsum_add(f, p) < 0)
		return EVS_E_NOMEM;
	return isfinite(p) ? fsum_add(f, fma(x, y, -p)) : 0;
}

/* n * squares - sum^2, rounded once: nothing is left where all values are the same. */
static int scaled_variance(const struct variance *v, double *out)
{
	double sum[4], square[4], low;
	struct fsum f = { 0 };
	int rc = 0;

	evs_fsum_parts(&v->sum, sum);
	evs_fsum_parts(&v->squares, square);
	for (unsigned i = 0; i < 4 && rc == 0; i++) {
		rc = add_product(&f, (double)v->n, square[i]);
		for (unsigned k = 0; k < 4 && rc == 0; k++)
			rc = add_product(&f, -sum[i], sum[k]);
	}
	*out = evs_fsum_value(&f, &low);
	if (*out < 0) /* squares below 2^-1074 are lost */
		*out = 0;
	evs_fsum_drop(&f);
	return rc;
}

static int var_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
		      const char **why)
{
	const struct variance *v = state;
	bool sample = a->call->fn == EVS_AGG_VAR_SAMP || a->call->fn == EVS_AGG_STDDEV_SAMP;
	double n = (double)v->n, d;

	if (v->n < 1 + sample)
		return evs_array_append_null(out);
	if (scaled_variance(v, &d) < 0)
		return EVS_E_NOMEM;
	d = d / n / (sample ? n - 1 : n);
	if (a->call->fn == EVS_AGG_STDDEV_POP || a->call->fn == EVS_AGG_STDDEV_SAMP)
		d = sqrt(d);
	return put_float(d, out, why);
}

static void var_drop(struct evs_agg *a, void *state)
{
	struct variance *v = state;

	(void)a;
	evs_fsum_drop(&v->sum);
	evs_fsum_drop(&v->squares);
}

const struct agg_ops evs_agg_variance = {
	.size = sizeof(struct variance),
	.columns = var_columns,
	.update = var_update,
	.save = var_save,
	.merge = var_merge,
	.finish = var_finish,
	.drop = var_drop,
};
