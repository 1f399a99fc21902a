/*
 * chain.c: rules between two frames, each field that may not fit.
 */
#include "format/commit.h"
#include "tests/unit/t.h"

static void check(const char *rule, int rc, const char **why)
{
	t_check(rule, rc == EVS_E_FORMAT && *why && !strncmp(*why, rule, strlen(rule)));
}

static void test_prev(void)
{
	const struct evs_commit prev = { .seq = 4, .rows = 3, .rows_total = 10, .hash = { 1, 2 } };
	const struct evs_commit good = {
		.seq = 5, .rows = 2, .rows_total = 12, .prev_hash = { 1, 2 }
	};
	struct evs_commit c = good;
	const char *why = NULL;

	T_CHECK(evs_commit_check_prev(&c, &prev, &why) == 0);
	c.seq = 6;
	check("7.1-12 ", evs_commit_check_prev(&c, &prev, &why), &why);
	c = good;
	c.rows = 3;
	check("7.1-12 ", evs_commit_check_prev(&c, &prev, &why), &why);
	c = good;
	c.prev_hash[31] = 1;
	check("7.1-12 ", evs_commit_check_prev(&c, &prev, &why), &why);
}

static void test_index(void)
{
	struct evs_commit c = { .seq = 70, .since_index = 6 };
	const struct evs_index x = { .seq = 64 };
	const char *why = NULL;

	T_CHECK(evs_commit_check_index(&c, &x, &why) == 0);
	c.since_index = 5;
	check("7.1-13 ", evs_commit_check_index(&c, &x, &why), &why);
}

static void test_refs(void)
{
	struct evs_index_ref refs[3] = {
		{ .level = 1, .rows = 5, .commits = 64 },
		{ .level = 0, .rows = 6, .commits = 1 },
		{ .level = 0, .rows = 7, .commits = 1 },
	};
	const struct evs_index x = { .refs = refs, .nrefs = 3 };
	struct evs_index_ref from = { .level = 1, .rows = 13, .commits = 2 };
	const char *why = NULL;

	T_CHECK(evs_index_check_ref(&x, &from, &why) == 0);
	from.rows = 12;
	check("8.3-1 ", evs_index_check_ref(&x, &from, &why), &why);
	from = (struct evs_index_ref){ .level = 1, .rows = 13, .commits = 3 };
	check("8.3-1 ", evs_index_check_ref(&x, &from, &why), &why);
	from = (struct evs_index_ref){ .level = 2, .rows = 5, .commits = 64 };
	T_CHECK(evs_index_check_ref(&x, &from, &why) == 0);
	from = (struct evs_index_ref){ .level = 3 };
	check("8.3-1 ", evs_index_check_ref(&x, &from, &why), &why);
}

static void test_commit_ref(void)
{
	const struct evs_commit c = { .rows = 5, .time_min = 1, .time_max = 9 };
	const struct evs_index_ref good = { .rows = 5, .time_min = 1, .time_max = 9, .commits = 1 };
	struct evs_index_ref from = good;
	const char *why = NULL;

	T_CHECK(evs_commit_check_ref(&c, &from, &why) == 0);
	from.rows = 4;
	check("8.3-2 ", evs_commit_check_ref(&c, &from, &why), &why);
	from = good;
	from.time_min = 0;
	check("8.3-2 ", evs_commit_check_ref(&c, &from, &why), &why);
	from = good;
	from.time_max = 8;
	check("8.3-2 ", evs_commit_check_ref(&c, &from, &why), &why);
}

int main(void)
{
	test_prev();
	test_index();
	test_refs();
	test_commit_ref();
	return t_done();
}
