/*
 * Inputs: files and pipes, plain or packed, read in large pieces without ever missing a signal.
 *
 * What is packed is told by its first bytes, whatever its name, and unpacked by a child process,
 * gzip or zstd. A file is handed to the child as it is. From a pipe the first bytes have been read
 * by then, so a second child, the feeder, writes them and copies the rest.
 */
#include "tools/cli_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 1 << 20, MAGIC = 4, TEXT_MAX = 64 << 20 };

/* Exit statuses of a child that did not become the unpacker. */
enum { CANNOT_START = 126, NOT_FOUND = 127 };

static int signal_pipe[2] = { -1, -1 };
static volatile sig_atomic_t stopped;

/* ---- signals -------------------------------------------------------------------------------- */

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	stopped = 1;
	/* Wakes poll(); each signal is caught once, so the pipe does not fill. */
	(void)!write(signal_pipe[1], "", 1);
	errno = saved;
}

void cli_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	if (pipe(signal_pipe) < 0)
		return; /* signals then end the program as they would any other */
	for (int i = 0; i < 2; i++)
		fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;

		/* What nohup and shells in the background had ignored stays ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &sa, NULL);
	}
}

bool cli_stopped(void)
{
	return stopped;
}

/* Was a call that returned `r` interrupted, and is to be made again? Not by a signal that ends the
 * program. */
static bool again(long r)
{
	return r < 0 && errno == EINTR && !stopped;
}

/* ---- unpacking ------------------------------------------------------------------------------ */

/* Program that unpacks what begins with `b`, or NULL. No JSON begins with any of these bytes. */
static const char *unpacker_of(const unsigned char *b, size_t n)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (n >= sizeof(gzip) && !memcmp(b, gzip, sizeof(gzip)))
		return "gzip";
	if (n >= sizeof(zstd) && !memcmp(b, zstd, sizeof(zstd)))
		return "zstd";
	return NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int fail(struct cli_input *in, int status, const char *what, const char *why)
{
	cli_error("%s: %s%s%s", in->name, what, why ? ": " : "", why ? why : "");
	in->status = status;
	return status;
}

/* A new process; as fork(2), with default signals in the child. */
static pid_t start_child(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		/* Ctrl-C reaches the whole group: what is on its way is still wanted. */
		signal(SIGINT, SIG_IGN);
	}
	return pid;
}

/* Wait for whoever made a pipe non-blocking. */
static void wait_ready(int fd, short events)
{
	(void)poll(&(struct pollfd){ .fd = fd, .events = events }, 1, -1);
}

/* All of buf[0 .. n). False when that failed. */
static bool feed_piece(int to, const unsigned char *buf, long n)
{
	while (n > 0) {
		ssize_t w = write(to, buf, (size_t)n);

		if (w < 0 && errno == EAGAIN)
			wait_ready(to, POLLOUT);
		else if (w < 0 && errno != EINTR)
			return false;
		buf += w > 0 ? w : 0;
		n -= w > 0 ? w : 0;
	}
	return true;
}

/* Copy what was read already, then the rest of in->fd. Runs as a process of its own. */
static _Noreturn void feed(struct cli_input *in, int to)
{
	long n = (long)in->have;

	/* The parent's segments and locks are none of ours. */
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++) {
		if (fd != in->fd && fd != to)
			close(fd);
	}
	do {
		if (!feed_piece(to, in->buf, n))
			break;
		while ((n = cli_read(in->fd, in->buf, PIECE)) < 0 && errno == EAGAIN)
			wait_ready(in->fd, POLLIN);
	} while (n > 0);
	if (n)
		cli_error("%s: cannot hand it to %s: %s", in->name, in->unpacker, strerror(errno));
	_exit(n != 0);
}

/* Put a feeder between in->fd and the unpacker. Returns an exit status. */
static int start_feeder(struct cli_input *in)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		return fail(in, CLI_SYSTEM, "cannot make a pipe", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	pid = start_child();
	if (pid == 0) {
		close(ends[0]);
		feed(in, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fail(in, CLI_SYSTEM, "cannot start a process", strerror(errno));
	}
	in->feeder = pid;
	close_fd(&in->fd);
	in->fd = ends[0];
	in->have = 0;
	return CLI_OK;
}

static bool put_at(int from, int to)
{
	int r;

	do
		r = dup2(from, to);
	while (r < 0 && errno == EINTR);
	return r >= 0;
}

/* Become `program`. Runs as a process of its own. */
static _Noreturn void unpack(int from, int to, const char *program)
{
	int status = CANNOT_START;

	if (put_at(from, STDIN_FILENO) && put_at(to, STDOUT_FILENO)) {
		if (to > STDERR_FILENO)
			close(to);
		execlp(program, program, "-dcq", (char *)NULL);
		if (errno == ENOENT)
			status = NOT_FOUND;
	}
	cli_error("cannot run %s: %s", program, strerror(errno));
	_exit(status);
}

/* From now on in->fd gives what `program` makes of it. Returns an exit status. */
static int start_unpacker(struct cli_input *in, const char *program)
{
	int ends[2], status;
	pid_t pid;

	in->unpacker = program;
	in->size = 0;
	if (in->have > 0) {
		status = start_feeder(in);
		if (status != CLI_OK)
			return status;
	}
	if (pipe(ends) < 0)
		return fail(in, CLI_SYSTEM, "cannot make a pipe", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	pid = start_child();
	if (pid == 0) {
		unpack(in->fd, ends[1], program);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fail(in, CLI_SYSTEM, "cannot start a process", strerror(errno));
	}
	in->child = pid;
	close_fd(&in->fd);
	in->fd = ends[0];
	return CLI_OK;
}

static int wait_for(long *pid)
{
	int status = 0;

	while (*pid > 0 && waitpid((pid_t)*pid, &status, 0) < 0 && errno == EINTR)
		continue;
	*pid = 0;
	return status;
}

/*
 * End of the data: did the children think so too? What the unpacker says of its input is damage;
 * that a process could not run, read or write is a failure of the system, and says nothing about
 * the data.
 */
static enum cli_event finish(struct cli_input *in)
{
	int unpacked, fed, status = CLI_SYSTEM;
	const char *why;
	char what[64];

	if (!in->child)
		return CLI_END;
	unpacked = wait_for(&in->child);
	fed = wait_for(&in->feeder);
	if (unpacked == 0 && fed == 0)
		return CLI_END;
	/* A feeder whose unpacker has left dies of SIGPIPE: what the unpacker says then counts. */
	if (WIFSIGNALED(fed) ? WTERMSIG(fed) != SIGPIPE : WEXITSTATUS(fed) != 0) {
		why = "could not be given all of it";
	} else if (WIFSIGNALED(unpacked) || WEXITSTATUS(unpacked) == CANNOT_START) {
		why = "could not run";
	} else if (WEXITSTATUS(unpacked) == NOT_FOUND) {
		why = "was not found";
	} else {
		why = "could not unpack all of it";
		status = CLI_DAMAGE;
	}
	snprintf(what, sizeof(what), "is packed, and %s %s", in->unpacker, why);
	fail(in, status, what, NULL);
	return CLI_FAILED;
}

/* ---- reading -------------------------------------------------------------------------------- */

long cli_read(int fd, void *buf, size_t n)
{
	ssize_t got;

	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* A regular file is looked at in place and may be handed to an unpacker whole. */
static int look_at_file(struct cli_input *in, const struct stat *st)
{
	off_t at = lseek(in->fd, 0, SEEK_CUR);
	unsigned char magic[MAGIC];
	const char *program;
	size_t have = 0;
	ssize_t n;

	if (at < 0)
		return fail(in, CLI_SYSTEM, "cannot seek", strerror(errno));
	in->size = st->st_size > at ? (uint64_t)(st->st_size - at) : 0;
	in->looked = true;
	do {
		n = pread(in->fd, magic + have, sizeof(magic) - have, at + (off_t)have);
		have += n > 0 ? (size_t)n : 0;
	} while (again(n) || (n > 0 && have < sizeof(magic)));
	if (n < 0)
		return fail(in, CLI_SYSTEM, "cannot read", strerror(errno));
	program = unpacker_of(magic, have);
	in->regular = !program;
	return program ? start_unpacker(in, program) : CLI_OK;
}

static int open_input(struct cli_input *in, const char *name, struct stat *st)
{
	int r;

	if (!strcmp(name, "-")) {
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		do
			in->fd = open(name, O_RDONLY | O_CLOEXEC);
		while (again(in->fd));
	}
	if (in->fd < 0)
		return -1;
	do
		r = fstat(in->fd, st);
	while (again(r));
	return r;
}

int cli_input_open(struct cli_input *in, const char *name)
{
	int status = CLI_OK;
	struct stat st;

	*in = (struct cli_input){ .name = strcmp(name, "-") ? name : "(stdin)", .fd = -1 };
	in->buf = malloc(PIECE);
	in->other = malloc(PIECE);
	if (!in->buf || !in->other)
		status = fail(in, CLI_SYSTEM, "out of memory", NULL);
	else if (open_input(in, name, &st) < 0)
		status = fail(in, CLI_SYSTEM, "cannot open", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		status = fail(in, CLI_USAGE, "is a folder, not a file", NULL);
	else if (S_ISREG(st.st_mode))
		status = look_at_file(in, &st);
	else if (S_ISFIFO(st.st_mode))
		cli_pipe_widen(in->fd);
	if (status != CLI_OK)
		cli_input_close(in);
	return status;
}

/* CLI_DATA when in->fd can be read. */
static enum cli_event wait_input(struct cli_input *in, int wait_ms)
{
	struct pollfd p[2] = { { .fd = signal_pipe[0], .events = POLLIN },
			       { .fd = in->fd, .events = POLLIN } };
	int n;

	do
		n = poll(p, 2, wait_ms);
	while (again(n));
	if (stopped)
		return CLI_STOPPED;
	if (n < 0) {
		fail(in, CLI_SYSTEM, "cannot wait for input", strerror(errno));
		return CLI_FAILED;
	}
	return n == 0 ? CLI_IDLE : CLI_DATA;
}

/* The first bytes of a pipe: true when more of them are needed to know what it is. */
static bool undecided(const struct cli_input *in)
{
	return in->have < MAGIC && (in->buf[0] == 0x1f || in->buf[0] == 0x28);
}

void cli_input_ahead(struct cli_input *in)
{
	if (!in->regular || in->ahead)
		return;
	in->got = cli_read(in->fd, in->other, PIECE);
	in->err = errno;
	in->ahead = true;
}

/* More bytes behind in->buf[0 .. in->have), as cli_read(). What was read ahead comes when there are
 * none. */
static long read_more(struct cli_input *in)
{
	unsigned char *read = in->other;

	if (!in->ahead)
		return cli_read(in->fd, in->buf + in->have, PIECE - in->have);
	in->ahead = false;
	in->other = in->buf;
	in->buf = read;
	errno = in->err;
	return in->got;
}

enum cli_event cli_input_next(struct cli_input *in, int wait_ms, const void **data, size_t *len)
{
	for (;;) {
		enum cli_event event = wait_input(in, wait_ms);
		const char *program;
		long n;

		if (event != CLI_DATA)
			return event;
		n = read_more(in);
		if (n < 0) {
			if (errno == EAGAIN)
				return CLI_IDLE;
			fail(in, CLI_SYSTEM, "cannot read", strerror(errno));
			return CLI_FAILED;
		}
		if (n == 0 && !in->have)
			return finish(in);
		in->have += (size_t)n;
		if (!in->looked) {
			if (n > 0 && undecided(in))
				continue;
			in->looked = true;
			program = unpacker_of(in->buf, in->have);
			if (program) {
				if (start_unpacker(in, program) != CLI_OK)
					return CLI_FAILED;
				continue;
			}
		}
		*data = in->buf;
		*len = in->have;
		in->have = 0;
		return CLI_DATA;
	}
}

void cli_input_close(struct cli_input *in)
{
	close_fd(&in->fd);
	/* Left early, children die of their closed pipes, unless they wait for a silent input. */
	if (in->feeder > 0)
		kill((pid_t)in->feeder, SIGTERM);
	if (in->child > 0)
		kill((pid_t)in->child, SIGTERM);
	wait_for(&in->child);
	wait_for(&in->feeder);
	free(in->buf);
	free(in->other);
	in->buf = in->other = NULL;
}

int cli_read_all(const char *name, char **text, size_t *len)
{
	struct cli_input in;
	int status = cli_input_open(&in, name);
	enum cli_event event;
	const void *data;
	size_t n;

	if (status != CLI_OK)
		return status;
	while ((event = cli_input_next(&in, -1, &data, &n)) != CLI_END) {
		char *more;

		if (event == CLI_FAILED) {
			status = in.status;
			break;
		}
		if (event != CLI_DATA)
			continue;
		if (n > TEXT_MAX - *len) {
			status = fail(&in, CLI_USAGE, "is longer than 64 MiB", NULL);
			break;
		}
		more = realloc(*text, *len + n + 1);
		if (!more) {
			status = fail(&in, CLI_SYSTEM, "out of memory", NULL);
			break;
		}
		*text = more;
		memcpy(*text + *len, data, n);
		*len += n;
		(*text)[*len] = '\0';
	}
	cli_input_close(&in);
	return status;
}
