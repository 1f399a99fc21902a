/*
 * What the tools share: options and their help, messages, exit statuses, input, output, progress.
 *
 * A tool's main() describes its options in a table, calls cli_start(), works, and returns
 * cli_finish(). Only the tools use this; the library never prints and never exits. One thread.
 */
#ifndef EVS_TOOLS_CLI_H
#define EVS_TOOLS_CLI_H

#include "evseg.h"

#include <stdio.h>

/* Exit statuses (DESIGN 4); a library result gets its own through evs_exit_status(). */
enum cli_status {
	CLI_OK = 0,
	CLI_NO = 1, /* the answer is no */
	CLI_USAGE = 2,
	CLI_DAMAGE = 3,
	CLI_SYSTEM = 4,
};

/* ---- options -------------------------------------------------------------------------------- */

/* A point in time as the user wrote it; `ns` is filled in when all options are read, so that
 * "24h" counts back from --now wherever that stands. */
struct cli_time {
	bool given;
	const char *text;
	int64_t ns;
};

/* Values given by repeating an option, or between commas. */
struct cli_list {
	const char **items;
	size_t n;
};

struct cli_choice {
	const char *name;
	int value;
};

enum cli_kind {
	CLI_FLAG = 1, /* bool *flag: no argument */
	CLI_TEXT,     /* const char **text */
	CLI_LIST,     /* struct cli_list *list: a,b,c, and repeatable */
	CLI_MANY,     /* struct cli_list *list: repeatable, commas belong to the value */
	CLI_NUMBER,   /* uint64_t *number, at least 1: 10, 10k, 1.5M, 2G */
	CLI_LEVEL,    /* int *level: 1 .. 19 */
	CLI_BYTES,    /* uint64_t *number, at least 1: as CLI_NUMBER, and KiB, MB, ... */
	CLI_DURATION, /* int64_t *ms, at least 1 ms: 500ms, 1s, 10m, 2h, 1d */
	CLI_TIME,     /* struct cli_time *time */
	CLI_CHOICE,   /* int *level: value of one of `choices`, which a NULL name ends */
};

struct cli_option {
	char letter;	  /* short name, or 0 */
	const char *name; /* long name */
	/* what the help calls its argument ("=X" to show --name=X); NULL for a flag */
	const char *arg;
	const char *help; /* lines separated by \n */
	enum cli_kind kind;
	bool *flag;
	const char **text;
	struct cli_list *list;
	uint64_t *number;
	int64_t *ms;
	int *level;
	struct cli_time *time;
	const struct cli_choice *choices;
};

struct cli_tool {
	const char *name;
	const char *synopsis;		  /* what follows the name, lines separated by \n */
	const char *about;		  /* one or two sentences */
	const struct cli_option *options; /* a NULL name ends it */
	const char *tail;		  /* the rest of the help: operands, examples */
	bool one_heap; /* what one thread has freed serves the other: less memory, more waiting for
			  each other */
};

/*
 * Begin: stdin, stdout and stderr are made sure of, SIGPIPE kills quietly, options are read into
 * their places. -q, --help and --version are known to every tool. Returns the index of the first
 * operand in argv, which is permuted. On --help, --version and wrong options it does not return.
 * `tool` must outlive the program's work.
 */
int cli_start(int argc, char *argv[], const struct cli_tool *tool);

/* Say what is wrong with the command line and where help is; returns CLI_USAGE. */
int cli_bad_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Time that --now gave, or the clock's; ns since 1970. */
int64_t cli_now(void);
/* Time that --now gave, or 0: what the library's `now` options want. */
int64_t cli_pinned_now(void);

/* -q was given. */
bool cli_quiet(void);

/* The worse of two exit statuses. */
int cli_worst(int a, int b);

/* End: what is buffered for stdout is written; a failure of that is CLI_SYSTEM. Frees lists. */
int cli_finish(int status);

/* ---- messages ------------------------------------------------------------------------------- */

/* "evcat: ..." on stderr, with control characters made visible. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, unless -q. */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * "evcat: FILE: what (offset N)", FILE being the diag's path or else `path`, which may be NULL.
 * Returns the exit status for the error.
 */
int cli_fail(const struct evs_diag *d, const char *path);

/* Piece of a text that was read from one file. */
struct cli_source {
	const char *name;
	size_t from;	    /* first byte in the text */
	uint32_t from_line; /* number of lines before it */
};

/* "evschema: FILE:line:col: what", the line itself and a caret under the offending word. */
int cli_fail_source(const struct evs_diag *d, const struct cli_source *source, const char *text,
		    size_t len);

/* --explain: what a scan read and what it passed over, on stderr. */
void cli_explain(const struct evs_scan_explain *e);

/* Tell damage that a scan met; what is only a torn tail is told too. Returns CLI_DAMAGE when rows
 * are lost, else CLI_OK. */
int cli_damage(const struct evs_damage *d);

/* ---- text ----------------------------------------------------------------------------------- */

/* Numbers for people: "1,234,567", "1.2 MB", "140 KB", "12 s", "3 m 05 s". Room for 32. */
char *cli_count_text(uint64_t n, char *buf);
char *cli_seconds_text(double s, char *buf);

/* A line of text on stdout, with control characters made visible. */
void cli_put_line(const char *text);

/* `s` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD. */
void cli_put_json(FILE *f, const char *s);

/* ---- output --------------------------------------------------------------------------------- */

/* Of -o: the formats that evs_print_open() knows, by their names. */
extern const struct cli_choice cli_outputs[];

/* An evs_write_fn for stdout; `arg` is not used. A failure is told once, by cli_finish(). */
int cli_write(void *arg, const void *data, size_t len);

/*
 * Rows that the library hands to a callback, to the printer that `arg` is. After a failure, which
 * is told, nothing more is printed; cli_print_end() then gives its exit status.
 */
void cli_print_rows(void *arg, const struct evs_batch *b);
int cli_print_end(struct evs_printer *p);

/* Write out what was printed to stdout so far; a failure is told by cli_finish(). */
void cli_flush(void);

/* stdout is a terminal that wants colour (NO_COLOR, TERM=dumb). */
bool cli_color(void);
/* Columns of the terminal on stdout, 0 when it is none. */
int cli_width(void);

/* Sleep, at most `ms`. Returns false when whoever reads stdout has gone. */
bool cli_pause(int ms);

/* ---- progress ------------------------------------------------------------------------------- */

/*
 * A line on stderr with rows, MB/s and time left: only on a terminal, without -q, after one second,
 * and not while data goes to the same screen.
 */
void cli_meter_start(bool data_on_stdout);
/* `total` is 0 when unknown. Cheap: looks at the clock, writes five times a second. */
void cli_meter(uint64_t rows, uint64_t bytes, uint64_t total);
/* Wipe the line, so that something else can be written; cli_error() does it too. */
void cli_meter_wipe(void);

/* ---- input ---------------------------------------------------------------------------------- */

/* Let SIGTERM and SIGINT end cli_input_next() with CLI_STOPPED; a second one kills. */
void cli_catch_signals(void);
/* One of the two has come. */
bool cli_stopped(void);

enum cli_event {
	CLI_DATA = 1, /* bytes */
	CLI_END,      /* no more */
	CLI_IDLE,     /* nothing came in time */
	CLI_STOPPED,  /* SIGTERM or SIGINT */
	CLI_FAILED,   /* told on stderr already */
};

/* One input: a file or "-", plain, gzip or zstd. Zeroed is closed. */
struct cli_input {
	const char *name;
	int fd;	     /* -1: none */
	long child;  /* process that unpacks, 0: none */
	long feeder; /* process that hands it what was read already, 0: none */
	const char *unpacker;
	bool looked;   /* at the first bytes */
	int status;    /* exit status of a failure */
	uint64_t size; /* of the file, 0 when unknown */
	unsigned char *buf, *other;
	size_t have;  /* bytes in buf that were not handed out yet */
	bool regular; /* a file that is read as it is: never waits */
	bool ahead;   /* the next bytes were read already, into `other`: */
	long got;     /* how many, or -1 ... */
	int err;      /* ... and why */
};

/* Returns CLI_OK or the exit status of a failure, which has been told. */
int cli_input_open(struct cli_input *in, const char *name);

/* Next bytes, in *data until the next call. Waits at most `wait_ms` (-1: for ever). */
enum cli_event cli_input_next(struct cli_input *in, int wait_ms, const void **data, size_t *len);

/* Read what cli_input_next() gives next, if that takes no waiting. From any thread, between two
 * calls of it. */
void cli_input_ahead(struct cli_input *in);

void cli_input_close(struct cli_input *in);

/* All of a file or "-" (at most 64 MiB) added to *text, which is malloc'd and zero-terminated.
 * Returns an exit status. */
int cli_read_all(const char *name, char **text, size_t *len);

#endif
