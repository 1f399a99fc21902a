/*
 * What evs_stat() warns of: each kind once a stream, with a case and how many there are.
 */
#include "src/upkeep/stat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GB     ((uint64_t)1000000000)
#define LARGE  (100 * GB)
#define HUGE_  (200 * GB)
#define SECOND ((int64_t)1000000000)
#define AHEAD  (3600 * SECOND) /* clocks of machines differ by less */

static void say(struct evs_stat_warn *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct evs_stat_warn *w, const char *fmt, ...)
{
	char text[1600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->told++;
	if (w->o->on_warning)
		w->o->on_warning(w->o->arg, text);
}

void evs_stat_warn_start(struct evs_stat_warn *w, const struct evs_stat_opts *o)
{
	*w = (struct evs_stat_warn){ .o = o };
}

void evs_stat_warn_tenant(struct evs_stat_warn *w)
{
	w->in_row = false;
}

static void note_gap(struct evs_stat_warn *w, const struct evs_stat_name *n, enum evs_unit unit)
{
	char from[40], to[40];

	if (w->gaps++)
		return;
	from[evs_date_print((int32_t)(w->end / 86400), from)] = '\0';
	to[evs_date_print((int32_t)(n->lo / 86400), to)] = '\0';
	(void)snprintf(w->gap, sizeof(w->gap), "no %s from %s to %s%s%.*s",
		       unit == EVS_UNIT_DAY	? "day"
		       : unit == EVS_UNIT_MONTH ? "month"
						: "week",
		       from, to, n->has_tenant ? " of tenant " : "",
		       !n->has_tenant	     ? 0
		       : n->tenant_len < 100 ? (int)n->tenant_len
					     : 100,
		       n->has_tenant ? n->tenant : "");
}

void evs_stat_warn_segment(struct evs_stat_warn *w, const struct evs_stat_name *n,
			   const struct evs_stat_sum *s, enum evs_unit unit, int64_t now)
{
	char size[32];

	if (s->bytes > LARGE)
		say(w, "%.900s: a partition of %s, more than %s: %s", n->path,
		    evs_bytes_text(s->bytes, size), s->bytes > HUGE_ ? "200 GB" : "100 GB",
		    s->bytes > HUGE_ ? "take shorter partitions in a new stream"
				     : "consider shorter partitions");
	if (w->in_row && n->lo > w->end)
		note_gap(w, n, unit);
	w->in_row = true;
	w->end = n->hi;
	if (s->newest != EVS_TIME_NONE && now < INT64_MAX - AHEAD && s->newest > now + AHEAD) {
		char time[40];

		time[evs_time_print(s->newest / SECOND, 0, time)] = '\0';
		if (!w->future++)
			(void)snprintf(w->ahead, sizeof(w->ahead), "%s in %.160s", time, n->path);
	}
	w->past += s->past;
	w->never += s->never;
}

void evs_stat_warn_stream(struct evs_stat_warn *w, const char *stream)
{
	if (w->gaps)
		say(w, "%.300s: %s%s", stream, w->gap, w->gaps > 1 ? ", and more gaps" : "");
	if (w->future)
		say(w, "%.300s: events dated in the future: %s%s", stream, w->ahead,
		    w->future > 1 ? ", and in others" : "");
	if (w->never)
		say(w, "%.300s: %llu segment%s never compacted: run evcompact", stream,
		    (unsigned long long)w->never, w->never == 1 ? " was" : "s were");
	if (w->past)
		say(w, "%.300s: %llu partition%s past %s time: run evexpire", stream,
		    (unsigned long long)w->past, w->past == 1 ? " is" : "s are",
		    w->past == 1 ? "its" : "their");
}
