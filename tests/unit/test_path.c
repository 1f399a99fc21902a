/*
 * Names of files and folders (spec/store.md 2), and which segments a path leads to.
 */
#include "src/store/path.h"
#include "src/store/store.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void escapes(const char *name, size_t len, const char *want)
{
	char got[EVS_NAME_BYTES + 1], back[EVS_NAME_BYTES + 1];
	size_t n;

	evs_name_escape(name, len, got);
	t_eq_str(want, got, want);
	/* and back, unless a hash stands for the end */
	if (evs_name_unescape(got, strlen(got), back, &n))
		T_CHECK(n == len && !memcmp(back, name, len));
	else
		T_CHECK(strstr(got, "%~") != NULL);
}

static void test_rules(void)
{
	escapes("abc-DEF_1.x", 11, "abc-DEF_1.x");
	escapes("", 0, "%");
	escapes("_", 1, "%5F");
	escapes("__", 2, "__");
	escapes(".", 1, "%2E");
	escapes("..", 2, "%2E.");
	escapes("../x", 4, "%2E.%2Fx");
	escapes("a/b", 3, "a%2Fb");
	escapes("%", 1, "%25");
	escapes("a\0b", 3, "a%00b");
	escapes("\xc3\xa4", 2, "%C3%A4");
	escapes("a.evs", 5, "a%2Eevs");
	escapes("schema.sql", 10, "schema%2Esql");
	escapes("x.lock", 6, "x%2Elock");
	escapes(".evs", 4, "%2Eevs");
	escapes("evs", 3, "evs");
}

/* 2-6: escaped forms of up to 220 bytes stand, longer ones end in a hash. */
static void test_long(void)
{
	char name[EVS_NAME_BYTES + 2], a[EVS_NAME_BYTES + 1], b[EVS_NAME_BYTES + 1];

	memset(name, 'a', sizeof(name));
	for (size_t n = EVS_NAME_BYTES - 3; n <= EVS_NAME_BYTES; n++) {
		evs_name_escape(name, n, a);
		t_check("a name that fits is kept", strlen(a) == n && !strchr(a, '%'));
	}
	evs_name_escape(name, EVS_NAME_BYTES + 1, a);
	t_eq_u64("180 bytes and the hash", strlen(a), 180 + 2 + 32);
	t_check("the mark", !memcmp(a + 180, "%~", 2));
	name[EVS_NAME_BYTES] = 'b';
	evs_name_escape(name, EVS_NAME_BYTES + 1, b);
	t_check("another name, another hash", strcmp(a, b) != 0 && !memcmp(a, b, 180));
	memset(name, 0xff, sizeof(name));
	evs_name_escape(name, 74, a);
	t_check("not cut inside of an escape", !memcmp(a + 180, "%~", 2) && strlen(a) == 214);
	name[0] = 'x';
	evs_name_escape(name, 75, a);
	t_check("the longest whole beginning", !memcmp(a + 178, "%~", 2) && strlen(a) == 212);
}

static bool in_alphabet(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.%~") ==
		       strlen(s) &&
	       s[0] != '.' && s[0] && strcmp(s, "_") != 0;
}

/* All names of one and two bytes: different, and none that leads elsewhere. */
static void test_distinct(void)
{
	static char seen[257 * 256][8];
	bool safe = true, apart = true;
	size_t n = 0;

	for (unsigned i = 0; i < 256 * 257; i++) {
		char name[2] = { (char)(i & 255), (char)(i >> 8 & 255) }, out[EVS_NAME_BYTES + 1];

		evs_name_escape(name, i < 65536 ? 2 : 1, out);
		safe &= in_alphabet(out) && strlen(out) < 8;
		memcpy(seen[n++], out, 7);
	}
	qsort(seen, n, sizeof(seen[0]), (int (*)(const void *, const void *))strcmp);
	for (size_t i = 1; i < n; i++)
		apart &= strcmp(seen[i - 1], seen[i]) != 0;
	t_check("short names are safe", safe);
	t_check("short names differ", apart);
}

static void test_segment_names(void)
{
	char name[24];
	int64_t lo = 1;

	evs_segment_name(1704067200, name);
	t_eq_str("name", name, "2024-01-01.evs");
	T_CHECK(evs_segment_name_parse(name, &lo) && lo == 1704067200);
	evs_segment_name(-86400, name);
	t_eq_str("before 1970", name, "1969-12-31.evs");
	T_CHECK(evs_segment_name_parse(name, &lo) && lo == -86400);
	T_CHECK(!evs_segment_name_parse("2024-13-01.evs", &lo));
	T_CHECK(!evs_segment_name_parse("2024-01-01.evs.tail-1", &lo));
	T_CHECK(!evs_segment_name_parse(".2024-01-01.evs.new", &lo));
	T_CHECK(!evs_segment_name_parse("2024-01-0x.evs", &lo));
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

/* How many segments `path` leads to; -1 when it leads nowhere. `*stream`: was its stream found? */
static int segments(const char *path, bool *stream)
{
	struct evs_path_list l;
	int n;

	if (evs_path_list(&l, &path, 1, NULL, 0, INT64_MIN, INT64_MAX, NULL) < 0)
		return -1;
	n = (int)l.n;
	*stream = l.stream != NULL;
	evs_path_list_release(&l);
	return n;
}

static void leads(const char *from, const char *path, int want)
{
	char name[256];
	bool stream = false;
	int got = chdir(from) == 0 ? segments(path, &stream) : -2;

	(void)snprintf(name, sizeof(name), "%s from %s", path,
		       from + strlen(from) - (strlen(from) < 20 ? strlen(from) : 20));
	t_check(name, got == want && (want < 0 || stream));
	if (got != want)
		printf("        got %d, want %d\n", got, want);
}

static void test_paths(void)
{
	char root[] = "/tmp/evseg-path-XXXXXX", store[80], ev[96], t1[112], cmd[128];

	if (!mkdtemp(root))
		abort();
	(void)snprintf(store, sizeof(store), "%s/store", root);
	(void)snprintf(ev, sizeof(ev), "%s/ev", store);
	(void)snprintf(t1, sizeof(t1), "%s/t1", ev);
	if (mkdir(store, 0777) || mkdir(ev, 0777) || mkdir(t1, 0777) || chdir(ev))
		abort();
	put("schema.sql", "CREATE TABLE ev (ts DateTime) ORDER BY ts;\n");
	put("t1/2024-01-01.evs", "");
	put("t1/2024-01-08.evs", "");
	put("t1/2024-01-08.evs.tail-9", "");
	if (mkdir("t2", 0777) || symlink("t1", "link") != 0)
		abort();
	put("t2/2024-01-01.evs", "");

	leads(root, "store", 5);
	leads(root, "store//", 5);
	leads(root, "store/ev/", 5);
	leads(root, "store/ev/t1", 2);
	leads(root, "store/ev/t1/2024-01-01.evs", 1);
	leads(root, "store/ev/t3", -1);
	leads(store, ".", 5);
	leads(ev, ".", 5);
	leads(ev, "./", 5);
	leads(ev, "..", 5);
	leads(ev, "t1", 2);
	leads(ev, "link", 2);
	leads(t1, ".", 2);
	leads(t1, "..", 5);
	leads(t1, "../t2", 1);
	leads(t1, "../../ev/t1", 2);
	leads(t1, "2024-01-01.evs", 1);
	leads(t1, "./2024-01-01.evs", 1);
	leads(t1, "../t2/2024-01-01.evs", 1);
	leads(t1, "../t2/.", 1);
	leads(t1, "../t2/../t1/.", 2);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	if (chdir("/") || system(cmd) != 0)
		abort();
}

int main(void)
{
	test_rules();
	test_long();
	test_distinct();
	test_segment_names();
	test_paths();
	return t_done();
}
