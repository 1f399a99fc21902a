/*
 * Pipes with more room than the system gives them (64 KiB), so that the programs at both ends of a
 * long stream wait for each other less often.
 */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include "tools/cli_private.h"

#include <fcntl.h>

void cli_pipe_widen(int fd)
{
#ifdef F_SETPIPE_SZ
	(void)fcntl(fd, F_SETPIPE_SZ,
		    1 << 20); /* what anyone may have; refused, it stays as it is */
#else
	(void)fd;
#endif
}
