/*
 * What the files of cli share among themselves; tools do not include it.
 */
#ifndef EVS_TOOLS_CLI_PRIVATE_H
#define EVS_TOOLS_CLI_PRIVATE_H

#include "tools/cli.h"

#include <stdarg.h>

/* Name of the tool, for messages. */
const char *cli_name(void);

/* One message with the name in front. */
void cli_say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* errno of the first failed cli_write(), 0 if none. */
int cli_write_error(void);

/* Numbers as cli.h describes them; false when `s` is none. */
bool cli_parse_number(const char *s, uint64_t *out);
bool cli_parse_bytes(const char *s, uint64_t *out);
bool cli_parse_duration(const char *s, int64_t *ms);

/* Like read(2), again after EINTR. */
long cli_read(int fd, void *buf, size_t n);

/* Make room in a pipe for a long stream; whatever else `fd` is stays as it is. */
void cli_pipe_widen(int fd);

#endif
