/*
 * Feeds every file of the given folders, at any depth, to a fuzz target and prints how many it
 * survived.
 *
 * Each file gets a process of its own, so that one that crashes or hangs is named and the others
 * are still tried. Given files are taken as well as folders: `fuzz_segment crash-123`.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_PER_FILE = 60, MAX_FILE = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Targets with a mutator of their own name it; nothing is mutated here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	(void)data;
	(void)max_size;
	return size;
}

static unsigned passed, failed;

/* Whole file into exactly as many bytes as it has, so that a sanitizer sees every byte too far. */
static uint8_t *load(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);

	if (!f || !data || fread(data, 1, size, f) != size) {
		free(data);
		data = NULL;
	}
	if (f)
		fclose(f);
	return data;
}

static int try_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t size = (size_t)st->st_size;
	int status = 0;
	uint8_t *data;
	pid_t pid;

	(void)ftw;
	if (type != FTW_F || st->st_size > MAX_FILE)
		return 0;
	data = load(path, size);
	if (!data) {
		printf("not ok: %s: cannot read\n", path);
		failed++;
		return 0;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(SECONDS_PER_FILE);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		exit(0); /* not _exit: leaks are looked for at exit */
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	free(data);
	if (pid < 0 || status != 0) {
		printf("not ok: %s: %s\n", path,
		       pid < 0		     ? "no process"
		       : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
					     : "failed");
		failed++;
	} else {
		passed++;
	}
	return 0;
}

int main(int argc, char *argv[])
{
	/* Nothing at all is an input too, even where there are no files yet. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	passed++;
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], try_one, 16, FTW_PHYS) != 0) {
			printf("not ok: %s: %s\n", argv[i], strerror(errno));
			failed++;
		}
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
