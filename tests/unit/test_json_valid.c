/*
 * The grammar: texts that are JSON and texts that are not, depth, and walking the fields of an
 * object.
 */
#include "src/json/json.h"
#include "tests/unit/t.h"

#include <stdlib.h>

static const char *const good[] = {
	"{}",
	"[]",
	"0",
	"-0",
	"1.5e-3",
	"\"\"",
	"true",
	"false",
	"null",
	" [ 1 , 2 ] ",
	"\t\r\n{\"a\":{}}\n",
	"[[],{},[{}]]",
	"{\"a\":1,\"a\":2}",
	"{\"\":\"\\u0000\\ud800\"}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uFFFF\"",
	"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
	"\"\x7f\"",
	"1E+400",
	"{\"a\":[1,{\"b\":[true,null]}],\"c\":\"d\"}",
	"123456789012345678901234567890",
};

static const char *const bad[] = {
	"",
	" ",
	"{",
	"}",
	"[",
	"]",
	"[1",
	"[1,",
	"[1,]",
	"[,1]",
	"[1 2]",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{a:1}",
	"{'a':1}",
	"{1:1}",
	"{\"a\":1 \"b\":2}",
	"{\"a\":1]",
	"[1}",
	"01",
	"-",
	"+1",
	"1.",
	".1",
	"1e",
	"1e+",
	"0x1",
	"NaN",
	"Infinity",
	"nul",
	"nulll",
	"True",
	"tru e",
	"\"",
	"\"a",
	"\"\\",
	"\"\\u",
	"\"\\u12",
	"\"\\u123g\"",
	"\"\\x\"",
	"\"\\'\"",
	"\"\n\"",
	"\"\x1f\"",
	"\"\xff\"",
	"\"\x80\"",
	"\"\xc0\x80\"",
	"\"\xc1\xbf\"",
	"\"\xc2\"",
	"\"\xe0\x9f\xbf\"",
	"\"\xed\xa0\x80\"",
	"\"\xf0\x8f\xbf\xbf\"",
	"\"\xf4\x90\x80\x80\"",
	"\"\xf5\x80\x80\x80\"",
	"\"\xe2\x82\"",
	"1 2",
	"{}{}",
	"[]]",
	"\xef\xbb\xbf{}",
	"// c",
	"[1/*c*/]",
	"\xc2\xa0-1",
	"{\"a\":1,,\"b\":2}",
	"\"a\"b",
	"{\"a\"\"b\":1}",
	"--1",
	"1-1",
	"[\"a\":1]",
	"\v1",
};

/* Every text also as its own allocation, so that the sanitizer sees a read past the end. */
static bool check(const char *s, size_t n)
{
	char *exact = malloc(n ? n : 1);
	const char *reason = NULL;
	bool ok;

	if (!exact)
		abort();
	memcpy(exact, s, n);
	ok = evs_json_valid(exact, n, &reason);
	t_check(s, ok ? !reason : reason && *reason);
	free(exact);
	return ok;
}

static void test_depth(void)
{
	char text[2 * (EVS_JSON_MAX_DEPTH + 1)];

	for (unsigned depth = 1; depth <= EVS_JSON_MAX_DEPTH + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		if (depth % 97 == 0 || depth >= EVS_JSON_MAX_DEPTH)
			t_eq_u64("depth", check(text, 2 * (size_t)depth),
				 depth <= EVS_JSON_MAX_DEPTH);
	}
	memset(text, '[', sizeof(text));
	T_CHECK(!check(text, sizeof(text)));
}

struct seen {
	char text[400];
	size_t len;
	unsigned stop_at, calls;
};

static bool note(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct seen *s = arg;
	int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%.*s=%.*s;", (int)klen, key,
			 (int)vlen, val);

	s->len += (size_t)n;
	return ++s->calls != s->stop_at;
}

static const struct {
	const char *text;
	bool ok;
	const char *seen;
} walks[] = {
	{ "{}", true, "" },
	{ " {\"a\": 1 ,\"b\" :[1, 2]} ", true, "a=1;b=[1, 2];" },
	{ "{\"\\u0061\\n\":\"\\u0061\"}", true, "a\n=\"\\u0061\";" },
	{ "{\"a\":1,\"a\":2}", false, "" },
	{ "{\"a\":1,\"\\u0061\":2}", false, "" },
	{ "{\"\\ud800\":1,\"b\":2}", true, "b=2;" },
	{ "{\"\\ud800\":1,\"\\ud800\":2}", false, "" },
	{ "[]", false, "" },
	{ "1", false, "" },
	{ "", false, "" },
	{ "{\"a\":1}x", false, "" },
	{ "{\"a\":1,", false, "" },
	{ "{\"a\":01}", false, "" },
	{ "{\"a\":{\"a\":1}}", true, "a={\"a\":1};" },
	{ "{\"\":0}", true, "=0;" },
};

static void test_walk(void)
{
	struct seen s = { .stop_at = 2 };
	const char *reason = NULL;

	for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
		struct seen seen = { 0 };

		reason = NULL;
		t_check(walks[i].text, evs_json_walk(walks[i].text, strlen(walks[i].text), note,
						     &seen, &reason) == walks[i].ok);
		t_check(walks[i].text, walks[i].ok == !reason);
		t_eq_str(walks[i].text, seen.text, walks[i].seen);
	}
	T_CHECK(!evs_json_walk("{\"a\":1,\"b\":2,\"c\":3}", 19, note, &s, &reason));
	t_eq_u64("stopped", s.calls, 2);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		t_check(good[i], check(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		t_check(bad[i], !check(bad[i], strlen(bad[i])));
	T_CHECK(!check("\"\0\"", 3));
	T_CHECK(!check("1\0", 2));
	test_depth();
	test_walk();
	return t_done();
}
