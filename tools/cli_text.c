/*
 * Messages, and numbers as people read and write them.
 *
 * Names and reasons can hold bytes of the input, so nothing reaches the terminal without its
 * control characters being made visible.
 */
#include "tools/cli_private.h"

#include <string.h>

/* One character of a message. C1 controls (U+0080 to U+009F) are two bytes in UTF-8. */
static size_t put_visible(FILE *f, const unsigned char *s)
{
	if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f) {
		fprintf(f, "\\x%02x", s[1]);
		return 2;
	}
	if (s[0] == '\t')
		fputc(' ', f);
	else if (s[0] < 0x20 || s[0] == 0x7f)
		fprintf(f, "\\x%02x", s[0]);
	else
		fputc(s[0], f);
	return 1;
}

static void put_text(FILE *f, const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s;)
		s += put_visible(f, s);
	fputc('\n', f);
}

void cli_put_line(const char *text)
{
	cli_meter_wipe();
	put_text(stdout, text);
}

void cli_say(const char *fmt, va_list ap)
{
	char text[8192];

	vsnprintf(text, sizeof(text), fmt, ap);
	cli_meter_wipe();
	cli_flush();
	fprintf(stderr, "%s: ", cli_name());
	put_text(stderr, text);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_say(fmt, ap);
	va_end(ap);
}

void cli_note(const char *fmt, ...)
{
	va_list ap;

	if (cli_quiet())
		return;
	va_start(ap, fmt);
	cli_say(fmt, ap);
	va_end(ap);
}

int cli_fail(const struct evs_diag *d, const char *path)
{
	const char *file = d->path[0] ? d->path : path;
	const char *what = d->what[0] ? d->what : evs_status_name(d->err);
	char place[64] = "", where[32] = "";

	if (d->line && d->col)
		snprintf(place, sizeof(place), ":%u:%u", d->line, d->col);
	else if (d->line)
		snprintf(place, sizeof(place), ":%u", d->line);
	if (d->has_off)
		snprintf(where, sizeof(where), " (offset %llu)", (unsigned long long)d->off);
	if (file)
		cli_error("%s%s: %s%s", file, place, what, where);
	else
		cli_error("%s%s", what, where);
	/* A failure that says nothing of itself is a failure all the same. */
	return d->err ? evs_exit_status(d->err) : CLI_SYSTEM;
}

/* The line as it stands, and a caret under column `col` for as long as the word is. */
static void put_caret(const char *line, size_t len, uint32_t no, uint32_t col, size_t word)
{
	fprintf(stderr, "%6u | ", no);
	for (size_t i = 0; i < len; i++)
		fputc((unsigned char)line[i] < 0x20 || line[i] == 0x7f ? ' ' : line[i], stderr);
	fprintf(stderr, "\n       | ");
	/* Columns count bytes; what continues a character takes no place on the screen. */
	for (size_t i = 0; i < len && i + 1 < col; i++) {
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			fputc(' ', stderr);
	}
	fputc('^', stderr);
	for (size_t i = col; i < len && i + 1 < (size_t)col + word; i++) {
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			fputc('~', stderr);
	}
	fputc('\n', stderr);
}

int cli_fail_source(const struct evs_diag *d, const struct cli_source *source, const char *text,
		    size_t len)
{
	struct evs_diag local = *d;
	size_t at = source->from;
	uint32_t no;

	if (d->line <= source->from_line)
		return cli_fail(d, source->name);

	local.line = d->line - source->from_line;
	cli_fail(&local, source->name);
	for (no = 1; no < local.line && at < len; at++) {
		if (text[at] == '\n')
			no++;
	}
	if (no == local.line && at < len && d->col) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - (text + at)) : len - at;

		if (n && text[at + n - 1] == '\r')
			n--;
		if (n <= 400 && d->col <= n + 1)
			put_caret(text + at, n, no, d->col, strlen(d->word));
	}
	return evs_exit_status(d->err);
}

/* ---- numbers -------------------------------------------------------------------------------- */

struct unit {
	const char *name;
	uint64_t times;
};

/*
 * Digits, at most six after a point, then a unit of the list. All in integers; false for anything
 * else and for what does not fit 62 bits.
 */
static bool parse_scaled(const char *s, const struct unit *units, uint64_t *out)
{
	const uint64_t limit = (uint64_t)1 << 62;
	uint64_t whole = 0, part = 0, scale = 1;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (whole > limit / 10)
			return false;
		whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (p == s)
		return false;
	if (*p == '.') {
		p++;
		for (; *p >= '0' && *p <= '9' && scale < 1000000; p++, scale *= 10)
			part = part * 10 + (uint64_t)(*p - '0');
		if (scale == 1)
			return false;
	}
	for (; units->name; units++) {
		if (strcmp(p, units->name) != 0)
			continue;
		if (units->times > limit / 1000000 || whole > (limit - units->times) / units->times)
			return false;
		if (part * units->times % scale)
			return false;
		*out = whole * units->times + part * units->times / scale;
		return true;
	}
	return false;
}

bool cli_parse_number(const char *s, uint64_t *out)
{
	/* clang-format off */
	static const struct unit units[] = {
		{ "", 1 },	      { "k", 1000 },	      { "K", 1000 },
		{ "M", 1000000 },     { "G", 1000000000 },    { "T", 1000000000000 },
		{ NULL, 0 },
	};
	/* clang-format on */

	return parse_scaled(s, units, out);
}

bool cli_parse_bytes(const char *s, uint64_t *out)
{
	/* clang-format off */
	static const struct unit units[] = {
		{ "", 1 },	      { "B", 1 },	      { "k", 1000 },
		{ "kB", 1000 },	      { "K", 1000 },	      { "KB", 1000 },
		{ "KiB", 1024 },      { "M", 1000000 },	      { "MB", 1000000 },
		{ "MiB", 1 << 20 },   { "G", 1000000000 },    { "GB", 1000000000 },
		{ "GiB", 1 << 30 },   { NULL, 0 },
	};
	/* clang-format on */

	return parse_scaled(s, units, out);
}

bool cli_parse_duration(const char *s, int64_t *ms)
{
	/* clang-format off */
	static const struct unit units[] = {
		{ "ms", 1 },	      { "s", 1000 },	      { "m", 60000 },
		{ "min", 60000 },     { "h", 3600000 },	      { "d", 86400000 },
		{ NULL, 0 },
	};
	/* clang-format on */
	uint64_t n;

	if (!parse_scaled(s, units, &n))
		return false;
	*ms = (int64_t)n;
	return true;
}

char *cli_count_text(uint64_t n, char *buf)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	char *out = buf;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}

char *cli_seconds_text(double s, char *buf)
{
	unsigned n = s < 0 ? 0 : s > 359999 ? 359999 : (unsigned)(s + 0.5);

	if (n < 60)
		snprintf(buf, 32, "%u s", n);
	else if (n < 3600)
		snprintf(buf, 32, "%u m %02u s", n / 60, n % 60);
	else
		snprintf(buf, 32, "%u h %02u m", n / 3600, n / 60 % 60);
	return buf;
}

/* Length of the UTF-8 character at `s`, 0 when it is none. The string ends with a zero byte. */
static size_t utf8_len(const unsigned char *s)
{
	uint32_t c = s[0];
	size_t n = c < 0x80		? 1
		   : (c & 0xe0) == 0xc0 ? 2
		   : (c & 0xf0) == 0xe0 ? 3
		   : (c & 0xf8) == 0xf0 ? 4
					: 0;

	if (n < 2)
		return n;
	c &= 0xffu >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < (n == 2	  ? 0x80u
		 : n == 3 ? 0x800u
			  : 0x10000u) ||
	    c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

void cli_put_json(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', f);
	while (*s) {
		size_t n = utf8_len(s);

		if (n == 0)
			fputs("\xef\xbf\xbd", f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if (*s < 0x20)
			fprintf(f, "\\u%04x", *s);
		else
			fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	fputc('"', f);
}
