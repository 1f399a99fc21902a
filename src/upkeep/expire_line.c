/*
 * What the ledger says of a segment, and what is found out for it.
 */
#include "src/diag.h"
#include "src/json/json.h"
#include "src/upkeep/expire.h"

#include <stdio.h>
#include <string.h>

static void put_key(struct evs_buf *b, const char *key)
{
	evs_buf_put(b, ",\"", 2);
	evs_buf_put(b, key, strlen(key));
	evs_buf_put(b, "\":", 2);
}

/* JSON is UTF-8; of a folder's name, or a HEAD that somebody forged, what is not becomes "?". */
static void put_text(struct evs_buf *b, const char *key, const char *s, size_t len)
{
	size_t at;

	put_key(b, key);
	at = b->len;
	evs_json_put_string(b, s, len);
	for (size_t i = at; i < b->len && !evs_utf8_valid(s, len); i++)
		if (b->p[i] >= 0x80)
			b->p[i] = '?';
}

static void put_number(struct evs_buf *b, const char *key, uint64_t v)
{
	char text[32];

	put_key(b, key);
	evs_buf_put(b, text, evs_uint_print(v, text));
}

/* `ticks` of 10^-scale seconds. */
static void put_time(struct evs_buf *b, const char *key, int64_t ticks, unsigned scale)
{
	char text[40];

	put_text(b, key, text, evs_time_print(ticks, scale, text));
}

static void put_ns(struct evs_buf *b, const char *key, int64_t ns)
{
	if (ns != EVS_TIME_NONE)
		put_time(b, key, ns / 1000000 - (ns % 1000000 < 0), 3);
}

static void put_hash(struct evs_buf *b, const struct evs_segment_sum *sum)
{
	char text[2 * EVS_HASH_SIZE + 1];

	for (unsigned i = 0; i < EVS_HASH_SIZE; i++)
		(void)snprintf(text + 2 * (size_t)i, 3, "%02x", sum->hash[i]);
	if (sum->has_hash)
		put_text(b, "hash", text, sizeof(text) - 1);
}

static void put_tails(struct evs_buf *b, const struct evs_leaving *v)
{
	if (!v->ntails)
		return;
	put_key(b, "tails");
	for (size_t i = 0; i < v->ntails; i++) {
		const char *name = evs_path_name(v->tails[i]);

		evs_buf_put_u8(b, i ? ',' : '[');
		evs_json_put_string(b, name, strlen(name));
	}
	evs_buf_put_u8(b, ']');
}

void evs_expire_line(struct evs_leaving *v, const struct evs_found *f, const char *archive,
		     int64_t pinned)
{
	struct evs_buf *b = &v->line;
	char segment[EVS_PATH_MAX];
	int n = snprintf(segment, sizeof(segment), "%s/%s", f->at->folder, f->at->name);

	put_text(b, "segment", segment, (size_t)n);
	if (f->has_tenant)
		put_text(b, "tenant", (const char *)f->tenant.p, f->tenant.len);
	put_time(b, "from", f->lo, 0);
	put_time(b, "to", f->hi, 0);
	put_text(b, "rule", f->rule->text, strlen(f->rule->text));
	if (pinned)
		put_ns(b, "now", pinned);
	if (f->known) {
		put_number(b, "rows", f->sum.rows);
		put_ns(b, "oldest", f->sum.oldest);
		put_ns(b, "newest", f->sum.newest);
	}
	put_number(b, "bytes", v->bytes);
	if (f->sum.has_hash)
		put_ns(b, "written", f->sum.written);
	put_hash(b, &f->sum);
	put_tails(b, v);
	if (archive)
		put_text(b, "archive", archive, strlen(archive));
	evs_buf_put(b, "}\n", 2);
}
