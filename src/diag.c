/*
 * Results and diagnostics: names and exit statuses of the result codes, and filling in a caller's
 * struct evs_diag. Texts may quote data of any kind, so control bytes become spaces and a text that
 * is too long is cut at a whole UTF-8 character.
 */
#include "src/diag.h"

#include "format/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)EVS_S_OK == (int)EVS_OK, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_SYS == (int)EVS_E_SYS, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_NOMEM == (int)EVS_E_NOMEM, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_FORMAT == (int)EVS_E_FORMAT, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_VERSION == (int)EVS_E_VERSION, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_USAGE == (int)EVS_E_USAGE, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_SCHEMA == (int)EVS_E_SCHEMA, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_QUERY == (int)EVS_E_QUERY, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_LIMIT == (int)EVS_E_LIMIT, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_LOCKED == (int)EVS_E_LOCKED, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_DATA == (int)EVS_E_DATA, "evseg.h repeats format/error.h");
_Static_assert((int)EVS_S_STOP == (int)EVS_E_STOP, "evseg.h repeats format/error.h");

static const struct {
	const char *name;
	int exit_status;
} results[] = {
	[-EVS_OK] = { "ok", 0 },
	[-EVS_E_SYS] = { "system error", 4 },
	[-EVS_E_NOMEM] = { "out of memory", 4 },
	[-EVS_E_FORMAT] = { "damaged data", 3 },
	[-EVS_E_VERSION] = { "newer version", 3 },
	[-EVS_E_USAGE] = { "usage error", 2 },
	[-EVS_E_SCHEMA] = { "schema error", 2 },
	[-EVS_E_QUERY] = { "query error", 2 },
	[-EVS_E_LIMIT] = { "limit reached", 2 },
	[-EVS_E_LOCKED] = { "locked", 4 },
	[-EVS_E_DATA] = { "bad value", 1 },
	[-EVS_E_STOP] = { "stopped", 1 },
};

const char *evs_version(void)
{
	return EVSEG_VERSION;
}

static bool known(int err)
{
	return err <= 0 && err >= EVS_E_STOP;
}

const char *evs_status_name(int err)
{
	return known(err) ? results[-err].name : "unknown error";
}

int evs_exit_status(int err)
{
	if (err > 0)
		return 0; /* "no more" and "absent" are no failures */
	return known(err) ? results[-err].exit_status : 4;
}

/* Bytes of s[0 .. len), which was cut there, that are whole characters. */
static size_t whole_chars(const char *s, size_t len)
{
	size_t start = len;

	while (start > 0 && len - start < 3 && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return len;

	unsigned char lead = (unsigned char)s[start - 1];
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

	return len - (start - 1) < need ? start - 1 : len;
}

/* Make s[0 .. len] of a field of `cap` bytes one printable line; `cut`: it was longer. */
static void tidy(char *s, size_t len, bool cut)
{
	if (cut)
		len = whole_chars(s, len);
	s[len] = 0;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = ' ';
}

static void put_text(char *dst, size_t cap, const char *src, size_t len)
{
	bool cut = len >= cap;

	if (cut)
		len = cap - 1;
	if (len)
		memcpy(dst, src, len);
	tidy(dst, len, cut);
}

/* The arguments may point into `d` itself, so it is written last. */
__attribute__((format(printf, 5, 0))) static void fill(struct evs_diag *d, int err, uint32_t line,
						       uint32_t col, const char *fmt, va_list ap)
{
	char what[sizeof(d->what)] = "";
	int n = vsnprintf(what, sizeof(what), fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	bool cut = len >= sizeof(what);

	tidy(what, cut ? sizeof(what) - 1 : len, cut);
	*d = (struct evs_diag){ .err = err, .line = line, .col = col };
	memcpy(d->what, what, sizeof(what));
}

int evs_fail(struct evs_diag *d, int err, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return err;
	va_start(ap, fmt);
	fill(d, err, 0, 0, fmt, ap);
	va_end(ap);
	return err;
}

int evs_fail_at(struct evs_diag *d, int err, uint32_t line, uint32_t col, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return err;
	va_start(ap, fmt);
	fill(d, err, line, col, fmt, ap);
	va_end(ap);
	return err;
}

void evs_fail_word(struct evs_diag *d, const char *word, size_t len)
{
	if (d)
		put_text(d->word, sizeof(d->word), word, len);
}

static void put_path(struct evs_diag *d, const char *path)
{
	if (path)
		put_text(d->path, sizeof(d->path), path, strlen(path));
}

int evs_fail_sys(struct evs_diag *d, int sys, const char *path, const char *what)
{
	int err = sys == ENOMEM ? EVS_E_NOMEM : EVS_E_SYS;
	char text[256];

	if (!d)
		return err;
	if (strerror_r(sys, text, sizeof(text)))
		snprintf(text, sizeof(text), "error %d", sys);
	evs_fail(d, err, "%s: %s", what, text);
	d->sys = sys;
	put_path(d, path);
	return err;
}

int evs_fail_path(struct evs_diag *d, int err, const char *path, const char *what)
{
	if (!d)
		return err;
	evs_fail(d, err, "%s", what);
	put_path(d, path);
	return err;
}

int evs_fail_off(struct evs_diag *d, int err, const char *path, uint64_t off, const char *rule)
{
	if (!d)
		return err;
	evs_fail_path(d, err, path, rule ? rule : evs_status_name(err));
	d->has_off = true;
	d->off = off;
	return err;
}

int evs_fail_nomem(struct evs_diag *d)
{
	return evs_fail(d, EVS_E_NOMEM, "out of memory");
}

void evs_fail_copy(struct evs_diag *to, const struct evs_diag *from)
{
	if (to)
		*to = *from;
}
