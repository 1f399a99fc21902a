/*
 * What goes to the screen: rows to stdout, progress to stderr.
 */
#include "tools/cli_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LONG_WRITE (64u << 10) /* bytes: more are to come */

static int write_errno;

const struct cli_choice cli_outputs[] = {
	{ "ndjson", EVS_NDJSON }, { "json", EVS_NDJSON }, { "csv", EVS_CSV },
	{ "tsv", EVS_TSV },	  { "table", EVS_TABLE }, { NULL, 0 },
};

int cli_write(void *arg, const void *data, size_t len)
{
	static bool widened;
	const char *p = data;

	(void)arg;
	cli_meter_wipe();
	if (!widened && len >= LONG_WRITE) {
		cli_pipe_widen(STDOUT_FILENO);
		widened = true;
	}
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno == EAGAIN) { /* someone made the pipe non-blocking */
				poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1,
				     -1);
				continue;
			}
			if (!write_errno)
				write_errno = errno;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool print_failed;
static int print_status = CLI_OK;

/* That stdout failed is told by cli_finish(). */
static void note_printing(int rc, const struct evs_diag *d)
{
	print_failed |= rc < 0;
	if (rc < 0 && rc != EVS_S_STOP)
		print_status = cli_fail(d, NULL);
}

void cli_print_rows(void *arg, const struct evs_batch *b)
{
	struct evs_diag d = { 0 };

	if (!print_failed)
		note_printing(evs_print_batch(arg, b, UINT64_MAX, &d), &d);
}

int cli_print_end(struct evs_printer *p)
{
	struct evs_diag d = { 0 };

	if (!print_failed)
		note_printing(evs_print_end(p, &d), &d);
	return print_status;
}

void cli_flush(void)
{
	if (fflush(stdout) != 0 && !write_errno)
		write_errno = errno;
}

int cli_write_error(void)
{
	return write_errno;
}

static bool dumb_terminal(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || !strcmp(term, "dumb");
}

bool cli_color(void)
{
	const char *no = getenv("NO_COLOR");

	return !(no && *no) && isatty(STDOUT_FILENO) && !dumb_terminal();
}

int cli_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	return w.ws_col;
}

bool cli_pause(int ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO };
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	/* Asked for nothing, poll still reports a pipe whose reader has gone. */
	if (poll(&p, 1, ms) > 0) {
		if (p.revents & POLLERR)
			return false;
		nanosleep(&ts, NULL); /* some other state, which would not let poll wait */
	}
	return true;
}

/* ---- progress ------------------------------------------------------------------------------- */

static struct {
	bool on, shown;
	int64_t start, next; /* ms */
} meter;

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void cli_meter_start(bool data_on_stdout)
{
	meter.on = !cli_quiet() && isatty(STDERR_FILENO) && !dumb_terminal() &&
		   !(data_on_stdout && isatty(STDOUT_FILENO));
	meter.start = clock_ms();
	meter.next = meter.start + 1000;
}

void cli_meter(uint64_t rows, uint64_t bytes, uint64_t total)
{
	char count[32], left[32];
	double seconds;
	int64_t now;

	if (!meter.on)
		return;
	now = clock_ms();
	if (now < meter.next)
		return;
	meter.next = now + 200;
	meter.shown = true;
	seconds = (double)(now - meter.start) / 1000;
	fprintf(stderr, "\r\033[K%s: %s rows, %.0f MB/s", cli_name(), cli_count_text(rows, count),
		(double)bytes / seconds / 1e6);
	if (total > bytes && bytes > 0)
		fprintf(stderr, ", %s left",
			cli_seconds_text((double)(total - bytes) * seconds / (double)bytes, left));
	fflush(stderr);
}

void cli_meter_wipe(void)
{
	if (!meter.shown)
		return;
	meter.shown = false;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
