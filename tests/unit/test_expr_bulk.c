/*
 * Many rows at once give what each row gives alone: where functions have a faster way for many
 * rows, it is the same one.
 */
#include "tests/unit/enc_gen.h"
#include "tests/unit/expr_rows.h"

#define ROWS 3000u

static const char *const exprs[] = {
	"toStartOfHour(ts3)",
	"toStartOfHour(ts)",
	"toStartOfHour(ts9)",
	"toStartOfMinute(ts3)",
	"toStartOfFifteenMinutes(ts)",
	"toStartOfDay(ts9)",
	"date_trunc('second', ts3)",
	"toMonday(ts3)",
	"toStartOfWeek(ts)",
	"toStartOfMonth(ts3)",
	"date_trunc('month', ts9)",
	"toStartOfQuarter(ts)",
	"toStartOfYear(ts3)",
	"date_trunc('year', ts)",
	"toDate(ts3)",
	"toMonday(day)",
	"toStartOfMonth(day)",
	"s LIKE '%ab%'",
	"s LIKE '%a%'",
	"s LIKE '%b_a%'",
	"s NOT LIKE '%aab%'",
	"s LIKE '%'",
	"s LIKE 'ab%'",
	"s LIKE '%' OR ts3 > ts",
	"s LIKE '%ab%' AND n > 0",
};

static struct evs_array *col(const char *name)
{
	return &expr_cols[evs_table_find(expr_table, name, strlen(name))];
}

static void must(int rc)
{
	if (rc < 0)
		abort();
}

static void put_text(struct evs_array *a)
{
	char text[16];
	size_t n = gen_below(7);

	for (size_t i = 0; i < n; i++)
		text[i] = "abba"[gen_below(4)];
	must(evs_array_append_bytes(a, text, n));
}

/* Rows within `span` seconds from `from` on, one in `nulls` null (0: none), or all but one. */
static void fill(int64_t from, uint64_t span, unsigned nulls, bool mostly)
{
	for (uint16_t c = 0; c < expr_table->ncols; c++)
		evs_array_reset(&expr_cols[c]);
	for (uint32_t i = 0; i < ROWS; i++) {
		int64_t s = from + (int64_t)gen_below((uint32_t)span);
		bool even = gen_below(2); /* where periods begin, or a tick before */
		int64_t odd = gen_below(2) ? 1 : 0;
		bool null = nulls && (gen_below(nulls) == 0) != mostly;

		for (uint16_t c = 0; c < expr_table->ncols; c++)
			if (null || strchr("bifud", expr_table->cols[c].name[0]))
				must(evs_array_append_null(&expr_cols[c]));
		if (null)
			continue;
		s = even ? s / 3600 * 3600 : s;
		for (uint16_t c = 0; c < expr_table->ncols; c++) {
			const char *name = expr_table->cols[c].name;
			struct evs_array *a = &expr_cols[c];

			if (!strcmp(name, "s"))
				put_text(a);
			else if (!strcmp(name, "ts"))
				must(evs_array_append_int(a, (uint64_t)s));
			else if (!strcmp(name, "ts3"))
				must(evs_array_append_int(
					a, (uint64_t)(s * 1000 +
						      (even ? -odd : (int64_t)gen_below(1000)))));
			else if (!strcmp(name, "ts9"))
				must(evs_array_append_int(
					a, (uint64_t)(s * 1000000000 +
						      (even ? -odd
							    : (int64_t)gen_below(1000000000)))));
			else if (!strcmp(name, "n"))
				must(evs_array_append_int(a, gen_below(3)));
			else if (!strchr("bifud", name[0]))
				must(evs_array_append_null(a));
		}
		if (col("day")->rows > i) { /* it was given a null above */
			evs_array_truncate(col("day"), i);
			must(evs_array_append_int(col("day"), (uint64_t)(s / 86400)));
		}
	}
}

static struct evs_expr *bound(const char *text)
{
	struct evs_expr *e = NULL;
	struct evs_diag d = { 0 };

	t_check(text, evs_expr_parse(&e, text, strlen(text), 1, 1, &d) == 0 &&
			      evs_expr_bind(e, expr_table, &d) == 0);
	return e;
}

/* Every row by itself, and then all of them. */
static void compare(const char *name, const char *text)
{
	struct evs_expr *e = bound(text);
	struct evs_array all = { 0 }, *one = calloc(expr_table->ncols, sizeof(*one));
	struct evs_diag d = { 0 };
	bool same;
	int rc = evs_eval_run(expr_eval, e, expr_cols, ROWS, &all, &d);

	same = one && rc == 0 && all.rows == ROWS;
	for (uint16_t c = 0; same && c < expr_table->ncols; c++)
		same = evs_array_init_like(&one[c], &expr_cols[c]) == 0;
	for (uint32_t i = 0; i < ROWS && same; i++) {
		struct evs_array got = { 0 };

		for (uint16_t c = 0; c < expr_table->ncols; c++) {
			evs_array_reset(&one[c]);
			same &= evs_array_append_range(&one[c], &expr_cols[c], i, 1) == 0;
		}
		same &= evs_eval_run(expr_eval, e, one, 1, &got, &d) == 0;
		same &= evs_array_compare(&all, i, &got, 0) == 0;
		same &= !evs_array_is_null(&all, i) || evs_array_int(&all, i) == 0;
		evs_array_release(&got);
	}
	printf("%s", same ? "" : name);
	t_check(text, same);
	for (uint16_t c = 0; one && c < expr_table->ncols; c++)
		evs_array_release(&one[c]);
	free(one);
	evs_array_release(&all);
	evs_expr_free(e);
}

/* ---- codes ----------------------------------------------------------------------------------- */

static const char *const coded_exprs[] = {
	"s",
	"n",
	"s LIKE '%ab%'",
	"s LIKE '%ab%' AND n > 0",
	"s = 'ab' OR n = 1 OR ts3 > ts",
	"n > 0 AND intDiv(10, n) > 3",
	"intDiv(10, n) > 3",
	"intDiv(10, n) > 3 OR n = 0",
	"n = 0 OR intDiv(10, n) > 3",
	"s LIKE 'a%' AND intDiv(10, n) > 3",
	"CASE WHEN n = 0 THEN s WHEN n = 1 THEN upper(s) ELSE NULL END",
	"coalesce(s, 'none')",
	"coalesce(s, s || 'x')",
	"s || s",
	"length(s) + n",
	"toStartOfHour(ts3)",
	"toMonday(ts)",
	"s IS NULL",
	"s IN ('a', 'ab', 'bb')",
	"NOT (s LIKE '%b%' AND ts9 > ts)",
	"1 = 1",
	"n + 1 = n",
	"[n, n + 1]",
};

/* The same expression over arrays and over codes of `few` rows, among which the rows are drawn;
 * `with`: of the columns with codes. */
static void compare_coded(const char *text, uint32_t few, unsigned with)
{
	size_t ncols = expr_table->ncols;
	struct evs_coded *coded = calloc(ncols, sizeof(*coded));
	const struct evs_coded **list = calloc(ncols, sizeof(*list));
	struct evs_array *full = calloc(ncols, sizeof(*full)), *some = calloc(ncols, sizeof(*some)),
			 want, got;
	struct evs_expr *e = bound(text);
	struct evs_diag d[2] = { { 0 }, { 0 } };
	int rc[2];

	if (!coded || !list || !full || !some)
		abort();
	for (uint16_t c = 0; c < ncols; c++) {
		must(evs_array_init_like(&coded[c].values, &expr_cols[c]));
		must(evs_array_init_like(&full[c], &expr_cols[c]));
		must(evs_array_append_range(&coded[c].values, &expr_cols[c], 0, few));
		must(evs_coded_room(&coded[c], ROWS * 3));
		for (uint32_t i = 0; i < ROWS * 3; i++)
			coded[c].code[i] = gen_below(few);
		must(evs_array_take(&full[c], &coded[c].values, coded[c].code, ROWS * 3));
		if (with >> gen_below(2) & 1)
			list[c] = &coded[c];
		else
			some[c] = full[c];
	}
	rc[0] = evs_eval_run(expr_eval, e, full, ROWS * 3, &want, &d[0]);
	rc[1] = evs_eval_run_coded(expr_eval, e, some, list, ROWS * 3, &got, &d[1]);
	t_check(text, rc[0] == rc[1] &&
			      (rc[0] == 0 ? gen_same(&want, &got)
					  : d[0].off == d[1].off && !strcmp(d[0].what, d[1].what) &&
						    d[0].col == d[1].col));
	evs_array_release(&want);
	evs_array_release(&got);
	for (uint16_t c = 0; c < ncols; c++) {
		evs_coded_release(&coded[c]);
		evs_array_release(&full[c]);
	}
	free(coded);
	free(list);
	free(full);
	free(some);
	evs_expr_free(e);
}

static void test_coded(void)
{
	static const uint32_t few[] = { 1, 2, 9, 200, 3000 };

	for (unsigned nulls = 0; nulls < 8; nulls += 7) {
		fill(1704067200, 7 * 86400, nulls, false);
		for (size_t i = 0; i < sizeof(coded_exprs) / sizeof(coded_exprs[0]); i++)
			for (size_t k = 0; k < sizeof(few) / sizeof(few[0]); k++)
				for (unsigned with = 1; with < 4; with++)
					compare_coded(coded_exprs[i], few[k], with);
	}
}

int main(void)
{
	static const struct {
		const char *name;
		int64_t from;
		uint64_t span;
		unsigned nulls;
		bool mostly;
	} kinds[] = {
		{ "a week: ", 1704067200, 7 * 86400, 0, false },
		{ "across 1970: ", -3 * 86400, 6 * 86400, 0, false },
		{ "with nulls: ", 1704067200, 7 * 86400, 5, false },
		{ "mostly nulls: ", 1704067200, 7 * 86400, 30, true },
		{ "years: ", 1600000000, 300000000, 0, false },
		{ "an hour: ", 1709164800, 3600, 0, false },
		{ "centuries: ", -4000000000, 4000000000, 9, false },
	};

	if (!expr_setup())
		return 1;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		fill(kinds[k].from, kinds[k].span, kinds[k].nulls, kinds[k].mostly);
		for (size_t i = 0; i < sizeof(exprs) / sizeof(exprs[0]); i++)
			compare(kinds[k].name, exprs[i]);
	}
	test_coded();
	expr_teardown();
	return t_done();
}
