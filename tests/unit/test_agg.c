/*
 * Grouping and aggregates: the answer is the same however the rows come (all at once, in other
 * order, split among several groupings, by way of the disk), and it is the right one.
 */
#include "tests/unit/t.h"

#include "format/bytes.h"
#include "src/expr/expr.h"
#include "src/json/json.h"
#include "src/query/agg.h"
#include "src/query/fsum.h"
#include "src/query/grouping.h"
#include "src/query/query.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 3000u

static const char ddl[] =
	"CREATE TABLE t (ts DateTime64(3), k Nullable(Int32), k8 Int8, s Nullable(String), e Enum('a' = 1, 'b' = -2),\n"
	"f Nullable(Float64), f32 Float32, x Nullable(Int64), u UInt64, d Nullable(Decimal(9, 2)), dd Nullable(Decimal(30, 4)),\n"
	"id UUID, a Array(Nullable(String)), b Nullable(Bool), ip Nullable(IPv4)) ENGINE = MergeTree ORDER BY ts";

static struct evs_table *table;
static struct evs_array *cols;
static uint64_t seed = 1;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t below(uint64_t n)
{
	return rnd() % n;
}

static void put_decimal(struct evs_array *a, int64_t v)
{
	uint8_t raw[16];

	evs_put64(raw, (uint64_t)v);
	evs_put64(raw + 8, (uint64_t)(v >> 63));
	(void)evs_array_append_fixed(a, raw);
}

static double random_float(void)
{
	static const double edges[] = { 0.0, -0.0, 1e300, -1e300, 5e-324, 0.1, 1e17, -1 };

	if (below(10) == 0)
		return edges[below(8)];
	return ((double)(int64_t)below(2000000) - 1000000) / (double)(1 + below(1000));
}

static void put_text(struct evs_array *a, uint64_t n)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%.*s%" PRIu64, (int)(n % 40),
			   "a long text so that it does not fit anywhere", n);

	(void)evs_array_append_bytes(a, text, (size_t)len);
}

static void put_value(struct evs_array *a, const struct evs_column *c)
{
	uint8_t id[16] = { 0 };
	double f;

	if (c->nullable && below(6) == 0) {
		(void)evs_array_append_null(a);
		return;
	}
	switch (c->type.id) {
	case EVS_T_FLOAT32:
	case EVS_T_FLOAT64:
		f = random_float();
		(void)evs_array_append_float(a, c->type.id == EVS_T_FLOAT32 && fabs(f) > 1e30 ? -0.0
											      : f);
		return;
	case EVS_T_STRING:
		put_text(a, below(500));
		return;
	case EVS_T_ENUM:
		(void)evs_array_append_int(a, below(2) ? 1 : (uint64_t)-2);
		return;
	case EVS_T_DECIMAL:
		if (a->phys == EVS_FIXED)
			put_decimal(a, (int64_t)rnd());
		else
			(void)evs_array_append_int(a, below(2000000) - 1000000);
		return;
	case EVS_T_UUID:
		id[3] = (uint8_t)below(200);
		(void)evs_array_append_fixed(a, id);
		return;
	case EVS_T_ARRAY:
		for (uint64_t n = below(3); n; n--) {
			if (below(4) == 0)
				(void)evs_array_append_null(&a->child[0]);
			else
				put_text(&a->child[0], below(3));
		}
		(void)evs_array_close_row(a);
		return;
	case EVS_T_DATETIME64:
		(void)evs_array_append_int(a, below((uint64_t)1 << 33));
		return;
	case EVS_T_BOOL:
		(void)evs_array_append_int(a, below(2));
		return;
	default:
		(void)evs_array_append_int(a, below(3) ? below(1000) - 500 : rnd() >> 1);
	}
}

static bool setup(void)
{
	struct evs_diag d = { 0 };

	if (evs_table_parse(&table, ddl, strlen(ddl), &d) < 0) {
		printf("the test table: %s\n", d.what);
		return false;
	}
	cols = calloc(table->ncols, sizeof(*cols));
	for (uint16_t c = 0; cols && c < table->ncols; c++) {
		if (evs_type_array(&table->cols[c].type, &cols[c]) < 0)
			return false;
		for (uint32_t i = 0; i < ROWS && !table->cols[c].hidden; i++)
			put_value(&cols[c], &table->cols[c]);
	}
	return cols != NULL;
}

static void teardown(void)
{
	for (uint16_t c = 0; cols && c < table->ncols; c++)
		evs_array_release(&cols[c]);
	free(cols);
	evs_table_free(table);
}

/* ---- a query over the arrays ----------------------------------------------------------------- */

struct asked {
	struct evs_select *s;
	const struct evs_select_plan *p;
	struct evs_eval *v;
};

static bool ask(struct asked *q, const char *sql)
{
	struct evs_diag d = { 0 };

	*q = (struct asked){ 0 };
	if (evs_select_parse(&q->s, sql, strlen(sql), &d) < 0 ||
	    evs_select_bind(q->s, table, &d) < 0 || evs_eval_new(&q->v) < 0) {
		printf("%s: %s\n", sql, d.what);
		return false;
	}
	q->p = evs_select_plan(q->s);
	return true;
}

static void ask_end(struct asked *q)
{
	evs_eval_free(q->v);
	evs_select_free(q->s);
}

static struct evs_grouping *new_grouping(const struct asked *q, size_t cap)
{
	struct evs_groups_key key[16] = { 0 };
	struct evs_grouping_spec spec = {
		.key = key, .nkey = q->p->nkey, .agg = q->p->agg, .nagg = q->p->nagg, .cap = cap
	};
	struct evs_grouping *g = NULL;

	for (size_t k = 0; k < q->p->nkey; k++)
		key[k].type = evs_expr_type(q->p->key[k], &key[k].nullable);
	return evs_grouping_new(&g, &spec) == 0 ? g : NULL;
}

/* Rows idx[from .. from + n) into the grouping. */
static int feed(const struct asked *q, struct evs_grouping *g, const uint32_t *idx, uint32_t n)
{
	struct query_value v[96] = { 0 };
	const struct evs_array *list[96];
	struct evs_grouping_input in[64] = { 0 };
	struct evs_array *some = calloc(table->ncols, sizeof(*some));
	struct evs_diag d = { 0 };
	size_t at = 0, nv = 0;
	int rc = some ? 0 : -1;

	for (uint16_t c = 0; rc == 0 && c < table->ncols; c++) {
		rc = evs_array_init_like(&some[c], &cols[c]);
		if (rc == 0 && cols[c].rows)
			rc = evs_array_take(&some[c], &cols[c], idx, n);
	}
	for (size_t k = 0; rc == 0 && k < q->p->nkey; k++, nv++) {
		rc = evs_query_eval(q->v, q->p->key[k], some, NULL, n, &v[nv], &d);
		list[nv] = v[nv].a;
	}
	for (size_t j = 0; rc == 0 && j < q->p->nagg; j++) {
		in[j].arg = &list[nv];
		for (at = 0; rc == 0 && at < q->p->agg[j].narg; at++, nv++) {
			rc = evs_query_eval(q->v, q->p->agg[j].arg[at], some, NULL, n, &v[nv], &d);
			list[nv] = v[nv].a;
		}
		if (rc == 0 && q->p->agg[j].filter) {
			rc = evs_query_eval(q->v, q->p->agg[j].filter, some, NULL, n, &v[nv], &d);
			list[nv] = v[nv].a;
			in[j].keep = v[nv++].a;
		}
	}
	if (rc == 0)
		rc = evs_grouping_add(g, list, NULL, in, n, &d);
	if (rc < 0)
		printf("feeding: %s\n", d.what);
	for (size_t i = 0; i < nv; i++)
		evs_array_release(&v[i].own);
	for (uint16_t c = 0; some && c < table->ncols; c++)
		evs_array_release(&some[c]);
	free(some);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All groups as lines of JSON, sorted, in one text. */
static char *groups_text(const struct asked *q, struct evs_grouping *g)
{
	struct evs_buf all = { 0 };
	struct evs_array *out;
	struct evs_diag d = { 0 };
	char **line = NULL;
	size_t n = 0;
	uint32_t rows;
	int rc;

	while ((rc = evs_grouping_next(g, &out, &rows, &d)) == 1) {
		line = realloc(line, (n + rows) * sizeof(*line));
		for (uint32_t i = 0; line && i < rows; i++) {
			struct evs_buf b = { 0 };

			for (size_t c = 0; c < q->p->nkey + q->p->nagg; c++) {
				evs_json_put_value(&b, &q->p->table->cols[c].type, &out[c], i);
				evs_buf_put_u8(&b, ' ');
			}
			evs_buf_put_u8(&b, 0);
			line[n++] = (char *)b.p;
		}
	}
	if (rc < 0)
		printf("groups: %s\n", d.what);
	if (n)
		qsort(line, n, sizeof(*line), by_text);
	for (size_t i = 0; i < n; i++) {
		evs_buf_put(&all, line[i], strlen(line[i]));
		evs_buf_put_u8(&all, '\n');
		free(line[i]);
	}
	free(line);
	evs_buf_put_u8(&all, 0);
	evs_grouping_free(g);
	return (char *)all.p;
}

enum way { ALL_AT_ONCE, IN_BITS, SPILLED, SPLIT, SPLIT_SPILLED, SHUFFLED };

static char *run(const struct asked *q, enum way way, uint64_t *spills)
{
	size_t cap = way == SPILLED || way == SPLIT_SPILLED ? 200000 : (size_t)1 << 30;
	uint32_t step = way == ALL_AT_ONCE ? ROWS : 700, *idx = malloc(ROWS * sizeof(*idx));
	unsigned parts = way == SPLIT || way == SPLIT_SPILLED ? 3 : 1;
	struct evs_grouping *g[3] = { 0 };
	struct evs_diag d = { 0 };

	for (uint32_t i = 0; idx && i < ROWS; i++)
		idx[i] = i;
	for (uint32_t i = ROWS; way == SHUFFLED && i > 1; i--) {
		uint32_t j = (uint32_t)below(i), swap = idx[j];

		idx[j] = idx[i - 1];
		idx[i - 1] = swap;
	}
	for (unsigned p = 0; p < parts; p++) {
		uint32_t from = ROWS / parts * p,
			 end = p + 1 == parts ? ROWS : ROWS / parts * (p + 1);

		g[p] = new_grouping(q, cap);
		for (uint32_t at = from; at < end; at += step)
			feed(q, g[p], idx + at, end - at < step ? end - at : step);
	}
	*spills = 0;
	for (unsigned p = 0; p < parts; p++)
		*spills += evs_grouping_spills(g[p]);
	for (unsigned p = 1; p < parts; p++) {
		if (evs_grouping_absorb(g[0], g[p], &d) < 0)
			printf("absorbing: %s\n", d.what);
		evs_grouping_free(g[p]);
	}
	free(idx);
	return groups_text(q, g[0]);
}

static const char every_aggregate[] =
	"count(), count(x), countIf(f > 0), sum(x % 1000), sum(u % 1000), sum(f / 1e6), sum(d), sum(dd), sum(f32), avg(x), avg(d), "
	"avg(dd), avg(f / 1e10), min(s), max(s), min(x), max(f), min(e), max(dd), min(d), max(id), min(b), max(ip), "
	"argMax(s, x), argMin(a, f), argMax(dd, e), uniq(x), uniq(s, e), uniqExact(s), count(DISTINCT x, a), "
	"sumIf(x % 7, b), uniqExactIf(id, f > 0), quantile(0.3)(x), median(f32), quantiles(0, 0.9, 1)(d), stddevPop(f32), "
	"varSamp(d), bool_and(b), bool_or(b), count(DISTINCT id) FILTER (WHERE e = 'a')";
static const char in_order[] =
	"any(s), anyLast(x), groupArray(k8), array_agg(s), groupArray(3)(a), string_agg(s, '|'), anyIf(dd, f < 0)";

static void same_answers(const char *keys)
{
	static const char *const names[] = { "at once", "in bits",	     "spilled",
					     "split",	"split and spilled", "shuffled" };
	char sql[4096], name[300];

	for (unsigned ordered = 0; ordered < 2; ordered++) {
		struct asked q;
		char *want, *got;
		uint64_t spills;

		snprintf(sql, sizeof(sql), "SELECT %s%s%s FROM t%s%s", keys, *keys ? ", " : "",
			 ordered ? in_order : every_aggregate, *keys ? " GROUP BY " : "", keys);
		if (!ask(&q, sql)) {
			t_check(sql, false);
			return;
		}
		want = run(&q, ALL_AT_ONCE, &spills);
		t_check("something comes", want && *want);
		for (enum way w = IN_BITS; w <= (ordered ? SPLIT_SPILLED : SHUFFLED); w++) {
			got = run(&q, w, &spills);
			snprintf(name, sizeof(name), "%s: %s%s", keys, names[w],
				 ordered ? ", in order" : "");
			t_check(name, want && got && !strcmp(want, got));
			if (want && got && strcmp(want, got) != 0) {
				size_t i = 0;

				while (want[i] == got[i])
					i++;
				i = i > 100 ? i - 100 : 0;
				printf("  want ...%.200s\n  got  ...%.200s\n", want + i, got + i);
			}
			if (w == SPILLED && *keys)
				t_check("it did spill", spills > 0);
			free(got);
		}
		free(want);
		ask_end(&q);
	}
}

/* ---- exact sums ------------------------------------------------------------------------------ */

static void sum_is(const char *name, const double *x, size_t n, double want)
{
	struct fsum f = { 0 }, g = { 0 }, h = { 0 };
	double low;

	for (size_t i = 0; i < n; i++) {
		(void)fsum_add(&f, x[i]);
		(void)fsum_add(i % 2 ? &g : &h, x[n - 1 - i]);
	}
	(void)evs_fsum_merge(&g, h.s, h.c, h.wide);
	t_check(name, evs_fsum_value(&f, &low) == want);
	t_check("the same merged", evs_fsum_value(&g, &low) == want);
	evs_fsum_drop(&f);
	evs_fsum_drop(&g);
	evs_fsum_drop(&h);
}

static void test_fsum(void)
{
	double many[1000], tiny[400];

	sum_is("cancelling", (double[]){ 1e300, 1, -1e300, 1e-300 }, 4, 1);
	sum_is("what is left", (double[]){ 1e300, 1e-300, -1e300 }, 3, 1e-300);
	sum_is("half to even", (double[]){ 9007199254740992.0, 1, 5e-324 }, 3, 9007199254740994.0);
	sum_is("half to even, exactly", (double[]){ 9007199254740992.0, 1 }, 2, 9007199254740992.0);
	sum_is("half to even, below", (double[]){ 9007199254740992.0, 1, -5e-324 }, 3,
	       9007199254740992.0);
	sum_is("subnormal", (double[]){ 5e-324, 5e-324, -1e-323 }, 3, 0);
	sum_is("large", (double[]){ 0x1p1023, 0x1p1023, -0x1p1023 }, 3, 0x1p1023);
	sum_is("negative", (double[]){ -0x1p1000, 3, 0x1p1000, -5 }, 4, -2);
	for (int i = 0; i < 1000; i++)
		many[i] = 0.1;
	sum_is("0.1 a thousand times", many, 1000, 100);
	for (int i = 0; i < 400; i++)
		tiny[i] = ldexp(1, i * 5 - 1000);
	for (int i = 1; i < 400; i++)
		tiny[i - 1] = -tiny[i - 1] + tiny[i];
	sum_is("a ladder", tiny, 399, ldexp(1, 399 * 5 - 1000));
}

/* ---- sketches -------------------------------------------------------------------------------- */

/* One aggregate over x = 0 .. n - 1, times `factor`. */
static double over_range(const char *sql, uint32_t n, double factor)
{
	struct asked q;
	struct evs_array x = { 0 }, out = { 0 };
	const struct evs_array *arg[1] = { &x };
	struct evs_agg *a = NULL;
	struct evs_diag d = { 0 };
	double v = NAN;

	if (!ask(&q, sql))
		return v;
	evs_type_array(evs_expr_type(q.p->agg[0].arg[0], NULL), &x);
	for (uint32_t i = 0; i < n; i++) {
		if (x.phys == EVS_FLOAT)
			evs_array_append_float(&x, (double)((uint64_t)i * 7919 % n) * factor);
		else
			evs_array_append_int(&x, i);
	}
	evs_type_array(&q.p->agg[0].type, &out);
	if (evs_agg_new(&a, &q.p->agg[0]) == 0 && evs_agg_groups(a, 1) == 0 &&
	    evs_agg_update(a, arg, NULL, NULL, n) == 0 && evs_agg_finish(a, 0, 1, &out, &d) == 0)
		v = out.phys == EVS_FLOAT ? evs_array_float(&out, 0)
					  : (double)(int64_t)evs_array_int(&out, 0);
	evs_agg_free(a);
	evs_array_release(&x);
	evs_array_release(&out);
	ask_end(&q);
	return v;
}

static bool within(double got, double want, double share)
{
	if (fabs(got - want) <= fabs(want) * share)
		return true;
	printf("        got %g, want %g\n", got, want);
	return false;
}

static void test_sketches(void)
{
	t_check("uniq of 1,024 is exact", over_range("SELECT uniq(x) FROM t", 1024, 1) == 1024);
	t_check("uniq of 1,025", within(over_range("SELECT uniq(x) FROM t", 1025, 1), 1025, 0.025));
	t_check("uniq of 30,000",
		within(over_range("SELECT uniq(x) FROM t", 30000, 1), 3e4, 0.025));
	t_check("uniq of 1 M", within(over_range("SELECT uniq(x) FROM t", 1000000, 1), 1e6, 0.025));
	t_check("median of 1,023 is exact",
		over_range("SELECT median(f) FROM t", 1023, 0.37) == 511 * 0.37);
	for (int e = -6; e <= 6; e += 3)
		t_check("quantiles of many",
			within(over_range("SELECT quantile(0.9)(f) FROM t", 99991, pow(10, e)),
			       89991 * pow(10, e), 0.002));
	t_check("negative quantiles",
		within(over_range("SELECT quantile(0.25)(f) FROM t", 99991, -2), -149985, 0.002));
	t_check("the least", over_range("SELECT quantile(0)(f) FROM t", 99991, -2) == -199980);
	t_check("the greatest",
		over_range("SELECT quantile(1)(f) FROM t", 99991, 0.1) == 99990 * 0.1);
	t_check("small integers are exact",
		over_range("SELECT quantile(0.5)(f) FROM t", 1024, 1) == 511.5);
}

int main(void)
{
	if (!setup())
		return 1;
	same_answers("");
	same_answers("k8");
	same_answers("e");
	same_answers("k");
	same_answers("s");
	same_answers("k, e, b");
	same_answers("id");
	same_answers("f32, b");
	same_answers("a, dd");
	same_answers("toStartOfHour(ts), s, f");
	test_fsum();
	test_sketches();
	teardown();
	return t_done();
}
