/*
 * Sections of COMMIT and INDEX payloads (spec 7.7), and the list of sources (spec 7.6).
 */
#include "format/section.h"
#include "format/rule.h"

#include <stddef.h>
#include <stdlib.h>

#define KNOWN_FLAGS (EVS_SECTION_F_REFUSE | EVS_SECTION_F_NO_APPEND)

static uint8_t flags_of(enum evs_section type)
{
	switch (type) {
	case EVS_SECTION_GROUPS:
		return EVS_SECTION_F_REFUSE;
	case EVS_SECTION_SOURCES:
		return EVS_SECTION_F_NO_APPEND;
	default:
		return 0;
	}
}

size_t evs_section_begin(struct evs_buf *out, enum evs_section type)
{
	struct evs_section_raw r = { .flags = flags_of(type) };
	size_t at = out->len;

	evs_put16(r.type, (uint16_t)type);
	evs_buf_put(out, &r, sizeof(r));
	return at;
}

void evs_section_end(struct evs_buf *out, size_t at)
{
	size_t len;

	if (!evs_buf_ok(out))
		return;
	len = out->len - at - sizeof(struct evs_section_raw);
	evs_put32(out->p + at + offsetof(struct evs_section_raw, length), (uint32_t)len);
	evs_buf_put_zero(out, (8 - len % 8) % 8);
}

static int read_section(struct evs_sections *s, uint8_t *flags, const char **why)
{
	const uint8_t *raw, *body, *pad;
	struct evs_section_raw r;
	uint16_t type;
	uint32_t len;
	uint8_t zero;

	if (!evs_cur_bytes(&s->c, sizeof(r), &raw))
		return evs_rule(why, EVS_E_FORMAT, "7.7-1 section past the end of the payload");
	memcpy(&r, raw, sizeof(r));
	type = evs_get16(r.type);
	len = evs_get32(r.length);
	zero = r.reserved;
	*flags = r.flags;
	if (!evs_cur_bytes(&s->c, len, &body) || !evs_cur_bytes(&s->c, (8 - len % 8) % 8, &pad))
		return evs_rule(why, EVS_E_FORMAT, "7.7-1 section past the end of the payload");
	if (type <= s->type)
		return evs_rule(why, EVS_E_FORMAT, "7.7-2 sections out of order, or one twice");
	if (*flags & ~KNOWN_FLAGS)
		return evs_rule(why, EVS_E_VERSION, "7.7-3 section flag of a newer format");
	for (; pad < s->c.p; pad++)
		zero |= *pad;
	if (zero)
		return evs_rule(why, EVS_E_FORMAT, "7.7-4 reserved or padding bytes of a section");
	s->type = type;
	s->body = (struct evs_cur){ body, body + len };
	return 0;
}

int evs_section_next(struct evs_sections *s, const char **why)
{
	while (evs_cur_left(&s->c)) {
		uint8_t flags = 0;
		int rc = read_section(s, &flags, why);

		if (rc < 0)
			return rc;
		if (s->type <= EVS_SECTION_FOLDED)
			return 0;
		if (flags & EVS_SECTION_F_REFUSE)
			return evs_rule(why, EVS_E_VERSION, "7.7-5 section of a newer format");
		if (flags & EVS_SECTION_F_NO_APPEND)
			s->no_append = true;
	}
	return 1;
}

static int by_id(const struct evs_source *a, const struct evs_source *b)
{
	int c = memcmp(a->id, b->id, a->id_len < b->id_len ? a->id_len : b->id_len);

	return c ? c : (a->id_len > b->id_len) - (a->id_len < b->id_len);
}

static int by_id_qsort(const void *a, const void *b)
{
	return by_id(a, b);
}

int evs_sources_encode(const struct evs_source *src, uint32_t n, struct evs_buf *out)
{
	struct evs_source *s;
	size_t at;
	int rc = 0;

	if (!n)
		return 0;
	if (n > EVS_MAX_SOURCES)
		return EVS_E_LIMIT;
	s = malloc(n * sizeof(*s));
	if (!s)
		return EVS_E_NOMEM;
	memcpy(s, src, n * sizeof(*s));
	qsort(s, n, sizeof(*s), by_id_qsort);

	at = evs_section_begin(out, EVS_SECTION_SOURCES);
	evs_buf_put_varint(out, n);
	for (uint32_t i = 0; i < n; i++) {
		if (!s[i].id_len || s[i].id_len > EVS_MAX_SOURCE_ID ||
		    (i && !by_id(&s[i - 1], &s[i]))) {
			rc = EVS_E_LIMIT;
			goto out;
		}
		evs_buf_put_varint(out, s[i].id_len);
		evs_buf_put(out, s[i].id, s[i].id_len);
		evs_buf_put_varint(out, s[i].off);
	}
	evs_section_end(out, at);
out:
	free(s);
	return rc;
}

int evs_sources_decode(struct evs_cur *c, struct evs_source **out, uint32_t *n, const char **why)
{
	struct evs_source *s;
	uint64_t count, len;
	const uint8_t *id;

	/* Three bytes are the least that a source takes, which bounds the allocation. */
	if (!evs_cur_varint(c, &count) || count > EVS_MAX_SOURCES || count > evs_cur_left(c) / 3)
		return evs_rule(why, EVS_E_FORMAT, "7.6-1 number of sources");
	s = calloc(count ? (size_t)count : 1, sizeof(*s));
	if (!s)
		return EVS_E_NOMEM;
	free(*out);
	*out = s;
	for (uint32_t i = 0; i < count; i++) {
		if (!evs_cur_varint(c, &len) || len < 1 || len > EVS_MAX_SOURCE_ID ||
		    !evs_cur_bytes(c, len, &id) || !evs_cur_varint(c, &s[i].off))
			return evs_rule(why, EVS_E_FORMAT, "7.6-2 length of a source or its id");
		s[i].id = (const char *)id;
		s[i].id_len = (size_t)len;
		if (i && by_id(&s[i - 1], &s[i]) >= 0)
			return evs_rule(why, EVS_E_FORMAT, "7.6-3 sources out of order");
	}
	if (evs_cur_left(c))
		return evs_rule(why, EVS_E_FORMAT, "7.6-4 bytes behind the last source");
	*n = (uint32_t)count;
	return 0;
}
