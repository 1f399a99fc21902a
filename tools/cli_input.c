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

static int signal_pipe[2] = { -1, -1 };

/* ---- signals -------------------------------------------------------------------------------- */

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	(void)!write(signal_pipe[1], "", 1);
	errno = saved;
}

void cli_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	if (pipe(signal_pipe) < 0)
		return; /* signals then end the program as they would any other */
	for (int i = 0; i < 2; i++) {
		fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;

		/* What nohup and shells in the background had ignored stays ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &sa, NULL);
	}
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
		/* Ctrl-C reaches the whole group: what is on its way is still wanted. */
		signal(SIGINT, SIG_IGN);
	}
	return pid;
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
		for (long done = 0; done < n;) {
			ssize_t w = write(to, in->buf + done, (size_t)(n - done));

			if (w < 0 && errno != EINTR)
				_exit(1);
			done += w > 0 ? w : 0;
		}
		n = cli_read(in->fd, in->buf, PIECE);
	} while (n > 0);
	_exit(n < 0);
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
		if (dup2(in->fd, STDIN_FILENO) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
			_exit(126);
		if (ends[1] > STDERR_FILENO)
			close(ends[1]);
		execlp(program, program, "-dcq", (char *)NULL);
		_exit(127);
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

/* End of the data: did the child think so too? */
static enum cli_event finish(struct cli_input *in)
{
	char what[64];
	int status;

	if (!in->child)
		return CLI_END;
	status = wait_for(&in->child);
	if (wait_for(&in->feeder) != 0 && status == 0)
		status = 1 << 8;
	if (status == 0)
		return CLI_END;
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 126) {
		snprintf(what, sizeof(what), "is packed, and the program %s was not found",
			 in->unpacker);
		fail(in, CLI_SYSTEM, what, NULL);
	} else {
		snprintf(what, sizeof(what), "%s could not unpack all of it", in->unpacker);
		fail(in, CLI_DAMAGE, what, NULL);
	}
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
	ssize_t n;

	if (at < 0)
		return CLI_OK;
	in->size = st->st_size > at ? (uint64_t)(st->st_size - at) : 0;
	in->looked = true;
	n = pread(in->fd, magic, sizeof(magic), at);
	program = n > 0 ? unpacker_of(magic, (size_t)n) : NULL;
	return program ? start_unpacker(in, program) : CLI_OK;
}

int cli_input_open(struct cli_input *in, const char *name)
{
	bool standard = !strcmp(name, "-");
	int status = CLI_OK;
	struct stat st;

	*in = (struct cli_input){ .name = standard ? "(stdin)" : name, .fd = -1 };
	in->buf = malloc(PIECE);
	if (!in->buf)
		return fail(in, CLI_SYSTEM, "out of memory", NULL);
	in->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			  : open(name, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &st) < 0)
		status = fail(in, CLI_SYSTEM, "cannot open", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		status = fail(in, CLI_USAGE, "is a folder, not a file of rows", NULL);
	else if (S_ISREG(st.st_mode))
		status = look_at_file(in, &st);
	if (status != CLI_OK)
		cli_input_close(in);
	return status;
}

/* CLI_DATA when in->fd can be read. */
static enum cli_event wait_input(struct cli_input *in, int wait_ms)
{
	struct pollfd p[2] = { { .fd = signal_pipe[0], .events = POLLIN },
			       { .fd = in->fd, .events = POLLIN } };
	char byte;
	int n;

	do
		n = poll(p, 2, wait_ms);
	while (n < 0 && errno == EINTR && signal_pipe[0] < 0);
	if (n < 0 && errno != EINTR) {
		fail(in, CLI_SYSTEM, "cannot wait for input", strerror(errno));
		return CLI_FAILED;
	}
	if (signal_pipe[0] >= 0 && read(signal_pipe[0], &byte, 1) == 1)
		return CLI_STOPPED;
	return n <= 0 ? CLI_IDLE : CLI_DATA;
}

/* The first bytes of a pipe: true when more of them are needed to know what it is. */
static bool undecided(const struct cli_input *in)
{
	return in->have < MAGIC && (in->buf[0] == 0x1f || in->buf[0] == 0x28);
}

enum cli_event cli_input_next(struct cli_input *in, int wait_ms, const void **data, size_t *len)
{
	for (;;) {
		enum cli_event event = wait_input(in, wait_ms);
		const char *program;
		long n;

		if (event != CLI_DATA)
			return event;
		n = cli_read(in->fd, in->buf + in->have, PIECE - in->have);
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
	in->buf = NULL;
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
