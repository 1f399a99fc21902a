/* Result codes, exit statuses, and how a diag is filled in. */
#include "tests/unit/t.h"

#include "format/error.h"
#include "src/diag.h"

#include <errno.h>

static void test_status(void)
{
	static const struct {
		int err, exit_status;
	} want[] = {
		{ EVS_OK, 0 },
		{ EVS_E_SYS, 4 },
		{ EVS_E_NOMEM, 4 },
		{ EVS_E_LOCKED, 4 },
		{ EVS_E_FORMAT, 3 },
		{ EVS_E_VERSION, 3 },
		{ EVS_E_USAGE, 2 },
		{ EVS_E_SCHEMA, 2 },
		{ EVS_E_QUERY, 2 },
		{ EVS_E_LIMIT, 2 },
		{ EVS_E_DATA, 1 },
		{ EVS_E_STOP, 1 },
		{ 1, 0 },
		{ -12, 4 },
		{ -1000000, 4 },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		t_eq_u64(evs_status_name(want[i].err), (uint64_t)evs_exit_status(want[i].err),
			 (uint64_t)want[i].exit_status);
	t_eq_str("name", evs_status_name(EVS_E_SCHEMA), "schema error");
	t_eq_str("name of a stranger", evs_status_name(-99), "unknown error");
	t_eq_str("version", evs_version(), EVSEG_VERSION);
}

static void test_fill(void)
{
	struct evs_diag d;

	memset(&d, 0x55, sizeof(d));
	T_CHECK(evs_fail(&d, EVS_E_USAGE, "no %s\nat %d", "luck", 7) == EVS_E_USAGE);
	t_eq_str("one line", d.what, "no luck at 7");
	T_CHECK(d.err == EVS_E_USAGE && !d.line && !d.has_off && !d.path[0] && !d.word[0]);

	T_CHECK(evs_fail_at(&d, EVS_E_QUERY, 3, 14, "bad") == EVS_E_QUERY);
	evs_fail_word(&d, "a\x01z", 3);
	T_CHECK(d.line == 3 && d.col == 14);
	t_eq_str("word", d.word, "a z");

	T_CHECK(evs_fail_sys(&d, ENOSPC, "x/y", "write") == EVS_E_SYS && d.sys == ENOSPC);
	T_CHECK(!strncmp(d.what, "write: ", 7) && strlen(d.what) > 7);
	t_eq_str("path", d.path, "x/y");
	T_CHECK(evs_fail_sys(&d, ENOMEM, NULL, "read") == EVS_E_NOMEM);

	T_CHECK(evs_fail_off(&d, EVS_E_FORMAT, "seg", 1 << 20, "3.1-2 magic") == EVS_E_FORMAT);
	T_CHECK(d.has_off && d.off == 1 << 20);
	t_eq_str("rule", d.what, "3.1-2 magic");
	T_CHECK(evs_fail(&d, EVS_E_SCHEMA, "again: %s", d.what) == EVS_E_SCHEMA);
	t_eq_str("own text quoted", d.what, "again: 3.1-2 magic");
	T_CHECK(evs_fail_nomem(&d) == EVS_E_NOMEM && d.err == EVS_E_NOMEM);
}

static void test_cut(void)
{
	struct evs_diag d;
	char s[2000];

	/* One byte, then two-byte characters: the 255 bytes that fit end in the middle of one or
	 * not. */
	for (size_t lead = 0; lead < 2; lead++) {
		memset(s, 'x', sizeof(s));
		for (size_t i = lead; i + 1 < sizeof(s); i += 2)
			memcpy(s + i, "\xc3\xa9", 2);
		evs_fail_at(&d, EVS_E_QUERY, 1, 1, "x");
		evs_fail_word(&d, s, sizeof(s));
		t_eq_u64("cut at a character", strlen(d.word), lead ? 255 : 254);
	}
	memset(s, 'y', sizeof(s));
	s[1999] = 0;
	evs_fail(&d, EVS_E_QUERY, "%s", s);
	t_eq_u64("what cut", strlen(d.what), sizeof(d.what) - 1);
	memset(s, '\x80', 1999); /* no character at all: kept, still terminated */
	evs_fail(&d, EVS_E_QUERY, "%s", s);
	t_eq_u64("rubbish cut", strlen(d.what), sizeof(d.what) - 1);
}

static void test_null(void)
{
	T_CHECK(evs_fail(NULL, EVS_E_DATA, "x") == EVS_E_DATA);
	T_CHECK(evs_fail_at(NULL, EVS_E_DATA, 1, 2, "x") == EVS_E_DATA);
	T_CHECK(evs_fail_sys(NULL, EIO, "p", "x") == EVS_E_SYS);
	T_CHECK(evs_fail_sys(NULL, ENOMEM, "p", "x") == EVS_E_NOMEM);
	T_CHECK(evs_fail_off(NULL, EVS_E_FORMAT, "p", 1, "x") == EVS_E_FORMAT);
	T_CHECK(evs_fail_nomem(NULL) == EVS_E_NOMEM);
	evs_fail_word(NULL, "x", 1);
	evs_fail_copy(NULL, &(struct evs_diag){ .err = EVS_E_DATA });
}

static void test_copy(void)
{
	const struct evs_diag from = {
		.err = EVS_E_FORMAT, .off = 7, .has_off = true, .what = "x"
	};
	struct evs_diag to = { 0 };

	evs_fail_copy(&to, &from);
	T_CHECK(to.err == EVS_E_FORMAT && to.off == 7 && to.has_off && !strcmp(to.what, "x"));
}

int main(void)
{
	test_status();
	test_fill();
	test_cut();
	test_null();
	test_copy();
	return t_done();
}
