/*
 * Options, help, and the beginning and end of every tool.
 *
 * The table of options is the one source: getopt_long's tables, the help and the values all come
 * from it, so that none of them can fall behind.
 */
#include "tools/cli.h"
#include "tools/cli_private.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { MAX_OPTIONS = 48, HELP_COLUMN = 28, LONG_ONLY = 256 };

static const struct cli_tool *the_tool;
static bool quiet, want_help, want_version;
static struct cli_time now_option;
static int64_t started;

/* clang-format off */
static const struct cli_option common_options[] = {
	{ .name = "now", .arg = "TIME", .kind = CLI_TIME, .time = &now_option,
	  .help = "take TIME for the present" },
	{ .letter = 'q', .name = "quiet", .kind = CLI_FLAG, .flag = &quiet,
	  .help = "say nothing but errors" },
	{ .name = "help", .kind = CLI_FLAG, .flag = &want_help, .help = "show this help" },
	{ .name = "version", .kind = CLI_FLAG, .flag = &want_version, .help = "show the version" },
	{ .name = NULL },
};
/* clang-format on */

/* Option number `i` of the tool's and then the common ones; NULL after the last. */
static const struct cli_option *option_at(size_t i)
{
	size_t n = 0;

	while (the_tool->options && the_tool->options[n].name) {
		if (n == i)
			return &the_tool->options[n];
		n++;
	}
	i -= n;
	return i < sizeof(common_options) / sizeof(common_options[0]) - 1 ? &common_options[i]
									  : NULL;
}

/* The option's short name; a common one gives way to the tool's own (evagg's -q). */
static char letter_of(const struct cli_option *o)
{
	const struct cli_option *own = the_tool->options;

	if (o < common_options ||
	    o >= common_options + sizeof(common_options) / sizeof(common_options[0]))
		return o->letter;
	for (; own && own->name; own++) {
		if (own->letter == o->letter)
			return 0;
	}
	return o->letter;
}

/* `text` with every line after the first behind `indent` spaces. */
static void put_lines(const char *text, int indent)
{
	for (;;) {
		size_t n = strcspn(text, "\n");

		printf("%.*s\n", (int)n, text);
		if (!text[n])
			return;
		text += n + 1;
		printf("%*s", indent, "");
	}
}

static void put_help(void)
{
	const struct cli_option *o;

	printf("Usage: %s ", the_tool->name);
	put_lines(the_tool->synopsis, (int)strlen("Usage: "));
	printf("%s\n\n", the_tool->about);
	for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
		int n = letter_of(o) ? printf("  -%c, --%s", o->letter, o->name)
				     : printf("      --%s", o->name);

		if (o->arg)
			n += printf(o->arg[0] == '=' ? "%s" : " %s", o->arg);
		printf("%*s", n < HELP_COLUMN - 1 ? HELP_COLUMN - n : 2, "");
		put_lines(o->help, HELP_COLUMN);
	}
	if (the_tool->tail)
		printf("\n%s", the_tool->tail);
	exit(cli_finish(CLI_OK));
}

int cli_bad_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_say(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try '%s --help'.\n", the_tool->name);
	return CLI_USAGE;
}

static _Noreturn void bad_value(const struct cli_option *o, const char *value, const char *want)
{
	exit(cli_bad_usage("--%s %s: %s", o->name, value, want));
}

static void list_add(struct cli_list *l, const char *item)
{
	const char **items = realloc(l->items, (l->n + 1) * sizeof(*items));

	if (!items) {
		cli_error("out of memory");
		exit(CLI_SYSTEM);
	}
	l->items = items;
	l->items[l->n++] = item;
}

/* Cuts `value`, an element of argv, at its commas. */
static void list_split(const struct cli_option *o, char *value)
{
	for (char *item = value; item;) {
		char *comma = strchr(item, ',');

		if (comma)
			*comma++ = '\0';
		if (!*item)
			bad_value(o, value, "an empty name in the list");
		list_add(o->list, item);
		item = comma;
	}
}

static int choice_of(const struct cli_option *o, const char *value)
{
	for (const struct cli_choice *c = o->choices; c->name; c++) {
		if (!strcmp(c->name, value))
			return c->value;
	}
	char want[256] = "not one of";
	size_t n = strlen(want);

	for (const struct cli_choice *c = o->choices; c->name && n < sizeof(want); c++)
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%s%s",
				      c == o->choices ? " " : ", ", c->name);
	bad_value(o, value, want);
}

/* Room for the value that an option got. `value` is NULL for a flag. */
static void take(const struct cli_option *o, char *value)
{
	uint64_t level;

	switch (o->kind) {
	case CLI_FLAG:
		*o->flag = true;
		return;
	case CLI_TEXT:
		*o->text = value;
		return;
	case CLI_LIST:
		list_split(o, value);
		return;
	case CLI_MANY:
		list_add(o->list, value);
		return;
	case CLI_NUMBER:
		if (!cli_parse_number(value, o->number) || !*o->number)
			bad_value(o, value, "not a number above 0, such as 500 or 10k");
		return;
	case CLI_LEVEL:
		if (!cli_parse_number(value, &level) || level < 1 || level > 19)
			bad_value(o, value, "not a level from 1 to 19");
		*o->level = (int)level;
		return;
	case CLI_BYTES:
		if (!cli_parse_bytes(value, o->number) || !*o->number)
			bad_value(o, value, "not a size above 0, such as 64KiB or 10MB");
		return;
	case CLI_DURATION:
		if (!cli_parse_duration(value, o->ms) || !*o->ms)
			bad_value(o, value, "not a duration, such as 500ms, 10s or 5m");
		return;
	case CLI_TIME:
		o->time->given = true;
		o->time->text = value;
		return;
	case CLI_CHOICE:
		*o->level = choice_of(o, value);
		return;
	}
}

static void parse(int argc, char *argv[])
{
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 * MAX_OPTIONS + 1];
	const struct cli_option *o;
	size_t n, ns = 0;
	int ch;

	for (n = 0; n < MAX_OPTIONS && (o = option_at(n)) != NULL; n++) {
		longs[n] = (struct option){ .name = o->name,
					    .has_arg = o->arg ? 1 : 0,
					    .val = LONG_ONLY + (int)n };
		if (letter_of(o)) {
			shorts[ns++] = o->letter;
			if (o->arg)
				shorts[ns++] = ':';
		}
	}
	longs[n] = (struct option){ .name = NULL };
	shorts[ns] = '\0';

	while ((ch = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (ch == '?') {
			fprintf(stderr, "Try '%s --help'.\n", the_tool->name);
			exit(CLI_USAGE);
		}
		for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
			if (ch == LONG_ONLY + (int)i || (letter_of(o) && ch == o->letter))
				break;
		}
		if (o)
			take(o, optarg);
	}
}

/* Times that were given, now that --now is known. */
static void resolve_times(void)
{
	const struct cli_option *o;
	struct evs_diag diag = { 0 };

	for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
		if (o->kind != CLI_TIME || !o->time->given || o->time == &now_option)
			continue;
		if (evs_time_arg(o->time->text, cli_now(), &o->time->ns, &diag) < 0)
			bad_value(o, o->time->text, diag.what);
	}
}

/*
 * A descriptor that the parent closed would be taken by the first file opened, and rows or messages
 * be written into it. What stands in for it is open the wrong way round, so that using it still
 * fails.
 */
static void ensure_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
	}
}

/*
 * What is freed of one large row is to be there for the next one, whichever thread has it: glibc
 * keeps large blocks where they are, in ever more places, after the first of their size was freed,
 * unless the size is fixed. Smaller ones are mostly wanted again, a column of a group after the
 * other: not each is to go back to the system and to come, page by page, again.
 */
static void give_memory_back(bool one_heap)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 2 << 20);
	if (one_heap)
		(void)mallopt(M_ARENA_MAX, 1);
#else
	(void)one_heap;
#endif
}

int cli_start(int argc, char *argv[], const struct cli_tool *tool)
{
	static char self[64];
	struct evs_diag diag = { 0 };
	struct timespec ts;

	the_tool = tool;
	give_memory_back(tool->one_heap);
	ensure_standard_files();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* a limit reached is an error like a full disk */
	clock_gettime(CLOCK_REALTIME, &ts);
	started = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;

	/* getopt's messages begin with argv[0]; ours with the name alone. */
	snprintf(self, sizeof(self), "%s", tool->name);
	if (argc > 0)
		argv[0] = self;
	parse(argc, argv);
	if (want_help)
		put_help();
	if (want_version) {
		printf("%s (evseg) %s\n", tool->name, evs_version());
		exit(cli_finish(CLI_OK));
	}
	if (now_option.given && evs_time_arg(now_option.text, started, &now_option.ns, &diag) < 0)
		bad_value(&common_options[0], now_option.text, diag.what);
	if (now_option.given && !now_option.ns) /* 0 stands for the clock, in the library too */
		bad_value(&common_options[0], now_option.text,
			  "the very beginning of 1970 cannot be the present");
	resolve_times();
	return optind;
}

const char *cli_name(void)
{
	return the_tool ? the_tool->name : "evseg";
}

int64_t cli_now(void)
{
	return now_option.given ? now_option.ns : started;
}

int64_t cli_pinned_now(void)
{
	return now_option.given ? now_option.ns : 0;
}

bool cli_quiet(void)
{
	return quiet;
}

int cli_worst(int a, int b)
{
	return a > b ? a : b;
}

static void free_lists(void)
{
	const struct cli_option *o;

	for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
		if (o->list) {
			free(o->list->items);
			*o->list = (struct cli_list){ 0 };
		}
	}
}

int cli_finish(int status)
{
	int err;

	cli_meter_wipe();
	cli_flush();
	err = cli_write_error();
	if (!err && ferror(stdout))
		err = EIO;
	if (err) {
		cli_error("cannot write to standard output: %s", strerror(err));
		status = CLI_SYSTEM;
	}
	free_lists();
	return status;
}
