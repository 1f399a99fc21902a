/*
 * Splitting texts: what becomes a piece of which form, which pieces have one key, which words are
 * counted, and what happens when there is no room for one piece more.
 */
#include "tests/unit/t.h"
#include "format/enc_split.h"

#include <stdlib.h>

#define MOST 200 /* pieces */

static struct evs_split *fresh(uint32_t room)
{
	struct evs_split *s = calloc(1, sizeof(*s));

	if (!s || !(s->piece = calloc(room + 1, sizeof(*s->piece))))
		abort();
	s->max_pieces = room;
	s->often = 1;
	return s;
}

static void drop(struct evs_split *s)
{
	free(s->piece);
	free(s->skeleton);
	free(s);
}

static bool split(struct evs_split *s, const char *text)
{
	s->data = (const uint8_t *)text;
	free(s->skeleton);
	s->skeleton = malloc(2 * strlen(text) + 2);
	if (!s->skeleton)
		abort();
	return evs_split_value(s, 0, strlen(text));
}

static void count(struct evs_split *s, const char *text)
{
	evs_split_count(s, (const uint8_t *)text, strlen(text));
}

/* The skeleton, and in the place of each mark `<`, its letter, the piece from piece[from] on, and
 * `>`. */
static void show(const struct evs_split *s, uint32_t from, char *out, size_t cap)
{
	static const char letters[EVS_SPLIT_MARKS + 1] = "?tndhuw?";
	size_t n = 0;

	for (uint32_t i = 0; i < s->len && n < cap; i++) {
		if (s->skeleton[i] >= EVS_SPLIT_MARKS) {
			out[n++] = (char)s->skeleton[i];
			continue;
		}
		n += (size_t)snprintf(out + n, cap - n, "<%c%.*s>", letters[s->skeleton[i]],
				      (int)s->piece[from].len,
				      (const char *)s->data + s->piece[from].at);
		from++;
	}
	out[n < cap ? n : cap - 1] = '\0';
	if (from != s->pieces)
		(void)snprintf(out, cap, "%u pieces, of %u", from, s->pieces);
}

/* `want` NULL: it is not split. */
static const struct {
	const char *often, *text, *want;
} cases[] = {
	/* JSON */
	{ "", "{\"a\":1,\"b\":\"x\"}", "{\"a\":<n1>,\"b\":\"<tx>\"}" },
	{ "", "[1.05,-2,0,007,10]", "[<n1>.<d05>,-<n2>,<n0>,<d007>,<n10>]" },
	{ "", "[123456789012345678,1234567890123456789]",
	  "[<n123456789012345678>,<d1234567890123456789>]" },
	{ "", "[1.,2.x]", "[<n1>.,<n2>.<wx>]" },
	{ "", "{\"e\":1e5,\"t\":true,\"n\":null}",
	  "{\"e\":<n1><we><n5>,\"t\":<wtrue>,\"n\":<wnull>}" },
	{ "", "{\"s\":\"a\\\"b\\\\\"}", "{\"s\":\"<ta\\\"b\\\\>\"}" },
	{ "", "{\"s\":\"\",\"t\":[\"u\",{}]}", "{\"s\":\"<t>\",\"t\":[\"<tu>\",{}]}" },
	{ "", "{\"s\":\"open}", NULL },
	{ "", "{\"s\":\"\\\"}", NULL },
	{ "", "{}\"a\":{}", "{}\"<ta>\":{}" },
	{ "", "[]]3]", "[]]<n3>]" },
	{ "", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[8]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[<n8>]" },
	{ "", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[8]", NULL },
	{ "", "{ \"a\" : true }", "{ \"<ta>\" : <wtrue> }" },
	/* nearly */
	{ "", "{a]", "{<ta>]" },
	{ "", "[a}", "[<ta>}" },
	{ "", "{", "{" },
	{ "", "{} a", "{} <ta>" },
	/* numbers, and what stands behind them */
	{ "", "12ms 5% 7abc 7abcd 7a-b 9.", "<n12>ms <n5>% <n7>abc <n7><tabcd> <n7><ta-b> <n9>." },
	{ "", "10.0.250.07", "<n10>.<d0>.<d250>.<d07>" },
	{ "", "1..2 1.5s 3.x", "<n1><t..2> <n1>.<d5>s <n3><t.x>" },
	{ "", "00 0 0.5", "<d00> <n0> <n0>.<d5>" },
	{ "", "2024-01-12 2024-13-12", "<t2024-01-12> <n2024><t-13-12>" },
	/* forms */
	{ "", "0193ccc3-d40c-715e-bd3b-e919aabbccdd", "<u0193ccc3-d40c-715e-bd3b-e919aabbccdd>" },
	{ "", "0193ccc3-d40c-715e-bd3b+e919aabbccdd",
	  "<d0193><tccc3-d40c-715e-bd3b+e919aabbccdd>" },
	{ "", "0193ccc3-d40c-715e-bd3b-e919aabbccdg",
	  "<d0193><tccc3-d40c-715e-bd3b-e919aabbccdg>" },
	{ "", "0193CCC3-d40c-715e-bd3b-e919aabbccdd",
	  "<d0193><tCCC3-d40c-715e-bd3b-e919aabbccdd>" },
	{ "", "deadbeef deadbee abcdef deadbeefa",
	  "<hdeadbeef> <tdeadbee> <tabcdef> <tdeadbeefa>" },
	{ "", "12345678 1234567a a2345678 deadbeeg",
	  "<n12345678> <h1234567a> <ha2345678> <tdeadbeeg>" },
	{ "", "12345678901234567890 123456789012345678",
	  "<h12345678901234567890> <n123456789012345678>" },
	{ "", "12345678901234567890123", "<d12345678901234567890123>" },
	/* words */
	{ "took done", "took 7 done long", "took <n7> done <tlong>" },
	{ "took1", "took1", "<ttook1>" },
	{ "", "x ord-123 y_0 z-05 -5 a5 b.9 c/8 d+7 e=6",
	  "<tx> <tord>-<n123> <ty>_<n0> <tz-05> <t-5> <ta5> <tb>.<n9> <tc>/<n8> <td>+<n7> <te>=<n6>" },
	{ "ord", "ord-123", "ord-<n123>" },
	{ "ord", "ord-007", "ord-<d007>" },
	{ "ord", "ord-", "ord-" },
	{ "ord sub", "ord-sub-x1", "ord-sub-<tx1>" },
	{ "ord", "ord-123 x", "<tord>-<n123> <tx>" },
	{ "ord", "or-123", "<tor>-<n123>" },
	{ "ord", "ord:123", "ord:<n123>" },
	{ "ord", "ord-1:2", "<tord>-<n1>:<n2>" },
	{ "ord", "1ord-x", "<n1><tord-x>" },
	{ "done", "done. done: done! done? done.:!?", "done. done: done! done? done.:!?" },
	{ "", "... ::", "... ::" },
	{ "", "a@b:5 :c d::e f@", "<ta>@<tb>:<n5> :<tc> <td>::<te> <tf>@" },
	{ "", "a\tb\nc,d;e(f)g[h]i{j}k<l>m'n=o|p",
	  "<ta>\t<tb>\n<tc>,<td>;<te>(<tf>)<tg>[<th>]<ti>{<tj>}<tk><<tl>><tm>'<tn>=<to>|<tp>" },
	/* what is left whole */
	{ "see", "see http://x.y/z?q=1&r=(2),k end", "see <thttp://x.y/z?q=1&r=(2),k> <tend>" },
	{ "", "at http://a,b", "<tat> <thttp://a,b>" },
	{ "", "'http://a,b' c", "'<thttp://a,b>' <tc>" },
	{ "", "x=http://a,b\tc", "<tx>=<thttp://a,b>\t<tc>" },
	{ "", "http://a,b\"c", "<thttp://a,b>\"<tc>" },
	{ "", "a:/b c:// d:/", "<ta>:<t/b> <tc://> <td>:<t/>" },
	{ "", "a said \"hello, world\" ok", "<ta> <tsaid> \"<thello, world>\" <tok>" },
	{ "", "a \"\" b \"c", "<ta> \"\"<t b >\"<tc>" },
	{ "", "a \"b\\\" c\" d", "<ta> \"<tb\\\" c>\" <td>" },
	{ "", "\"hi there\" x", "\"<thi> <tthere>\" <tx>" },
	{ "", "", "" },
	/* marks */
	{ "", "a\x07", NULL },
	{ "", "\x01", NULL },
	{ "", "{\"a\":\"\x02\"}", NULL },
	{ "", "a\x08z", "<ta\x08z>" },
};

static void test_cases(void)
{
	char got[400];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_split *s = fresh(MOST);
		bool ok;

		count(s, cases[i].often);
		ok = split(s, cases[i].text);
		if (ok)
			show(s, 0, got, sizeof(got));
		ok = cases[i].want ? ok && !strcmp(got, cases[i].want) : !ok && !s->pieces;
		t_check(cases[i].text, ok);
		if (!ok && cases[i].want)
			printf("        got  %s\n        want %s\n", got, cases[i].want);
		drop(s);
	}
}

/* Behind what is there already, with room for 0, 1, 2 ... pieces more: all or nothing. */
static void test_room(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = true, done = !cases[i].want;

		for (uint32_t room = 0; !done; room++) {
			struct evs_split *s = fresh(room + 2);
			char got[400];

			count(s, cases[i].often);
			good &= split(s, "a b") && s->pieces == 2;
			done = split(s, cases[i].text);
			good &= done ? s->pieces == room + 2 : s->pieces == 2;
			if (done)
				show(s, 2, got, sizeof(got));
			good &= !done || !strcmp(got, cases[i].want);
			drop(s);
		}
		t_check(cases[i].text, good);
	}
}

/* Pieces of two JSON texts, by their order: do they have one key? */
static void test_keys(void)
{
	static const struct {
		const char *a;
		uint32_t of_a;
		const char *b;
		uint32_t of_b;
		bool same;
	} pairs[] = {
		{ "{\"a\":1,\"b\":2}", 0, "{\"b\":3,\"a\":4}", 1, true },
		{ "{\"a\":1,\"b\":2}", 1, "{\"b\":3,\"a\":4}", 1, false },
		{ "{\"a\":1}", 0, "{\"x\":[true],\"a\":\"t\"}", 1, true },
		{ "[1,2]", 0, "[3,4]", 1, true },
		{ "{\"a\":[1]}", 0, "{\"b\":[1]}", 0, false },
		{ "{\"a\":[1]}", 0, "{\"a\":1}", 0, false },
		{ "{\"a\":{\"c\":1}}", 0, "{\"b\":{\"c\":1}}", 0, false },
		{ "{\"a\":{\"c\":1}}", 0, "{\"b\":{},\"a\":{\"c\":1}}", 0, true },
		{ "[1.5]", 0, "[1.5]", 1, false },
		{ "[1.5]", 1, "[2.7]", 1, true },
		{ "[1.5.6]", 1, "[1.5.6]", 2, false },
		{ "[true]", 0, "[1]", 0, false },
		{ "[true]", 0, "[null]", 0, true },
		{ "{\"a\":null}", 0, "{\"b\":null}", 0, false },
		{ "[1]", 0, "{}1{}", 0, false },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct evs_split *s = fresh(MOST);
		uint32_t key;
		bool ok = split(s, pairs[i].a) && s->pieces > pairs[i].of_a;

		key = s->piece[pairs[i].of_a].key;
		s->pieces = 0;
		ok = ok && split(s, pairs[i].b) && s->pieces > pairs[i].of_b;
		ok = ok && key && s->piece[pairs[i].of_b].key &&
		     (key == s->piece[pairs[i].of_b].key) == pairs[i].same;
		t_check(pairs[i].b, ok);
		drop(s);
	}
}

/* In other text each piece has a column of its own. */
static void test_no_keys(void)
{
	struct evs_split *s = fresh(MOST);
	bool none = true;

	T_CHECK(split(
		s,
		"a 1.5 b-7 deadbeef http://x/ \"c d\" 9zzzz 0193ccc3-d40c-715e-bd3b-e919aabbccdd"));
	T_CHECK(s->pieces == 11);
	for (uint32_t i = 0; i < s->pieces; i++)
		none &= !s->piece[i].key;
	T_CHECK(none);
	drop(s);
}

static unsigned counted(const char *text)
{
	struct evs_split *s = fresh(0);
	unsigned n = 0;

	count(s, text);
	for (unsigned i = 0; i < EVS_SPLIT_WORDS; i++)
		n += s->words[i];
	drop(s);
	return n;
}

static void test_counting(void)
{
	struct evs_split *s = fresh(MOST);
	char got[40];

	T_CHECK(counted("") == 0 && counted(" \t") == 0 && counted("a") == 1);
	T_CHECK(counted("a b, c=a") == 4);
	T_CHECK(counted("{\"a\":1}") == 0 && counted("[a]") == 0 && counted("{a") == 1);
	T_CHECK(counted("see http://x/a,b there") == 2);
	/* The first word of a value that is one word. */
	T_CHECK(counted("ord-1") == 2 && counted("ord-1 ") == 1 && counted("ord1") == 1);
	T_CHECK(counted("-ord-1") == 1 && counted("-ord") == 1 && counted("ord-") == 2);
	/* Without what ends a sentence. */
	count(s, "one. two: three.:");
	T_CHECK(split(s, "one two three"));
	T_CHECK(s->pieces == 0);
	/* As often as is asked for, and no further than can be counted. */
	s->often = 3;
	count(s, "one");
	T_CHECK(split(s, "one") && s->pieces == 1);
	count(s, "one");
	s->pieces = 0;
	T_CHECK(split(s, "one") && s->pieces == 0);
	s->often = UINT16_MAX;
	for (unsigned i = 0; i < 65600; i++)
		count(s, "ord-x");
	T_CHECK(split(s, "ord-x ord"));
	show(s, 0, got, sizeof(got));
	T_CHECK(!strcmp(got, "ord-x ord"));
	drop(s);
}

int main(void)
{
	test_cases();
	test_room();
	test_keys();
	test_no_keys();
	test_counting();
	return t_done();
}
