/*
 * The schemas of a segment that is read: the text of a SCHEMA frame, and which one is in force
 * (spec 4.3, 9-8).
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

#include <stdio.h>
#include <stdlib.h>

/* The text of the SCHEMA frame at `off`. */
static int schema_frame(struct evs_segment *s, uint64_t off, char **text, size_t *len,
			struct evs_diag *diag)
{
	const char *why = NULL;
	struct evs_ahead a;
	struct evs_frame fr;
	const uint8_t *p;
	int rc = evs_file_frame(&s->file, off, s->tail.end, &fr, diag);

	if (rc == 0 && fr.type != EVS_FRAME_SCHEMA)
		rc = evs_fail_off(diag, EVS_E_FORMAT, s->path, off, "another type of frame");
	if (rc == 0)
		rc = evs_file_ahead(&s->file, off, &s->tail, &a, diag);
	if (rc == 0)
		rc = evs_file_check_append(&s->file, off, &fr, &a, diag);
	if (rc == 0)
		rc = evs_file_summed(&s->file, off, &fr, &p, diag);
	if (rc < 0)
		return rc;
	rc = evs_schema_text_decode(text, len, p, fr.summed_len, &why);
	return rc < 0 ? evs_fail_off(diag, rc, s->path, off, why) : 0;
}

int evs_segment_schema(struct evs_segment *s, uint64_t off, char **text, size_t *len,
		       struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	char what[512];
	int rc;

	if (off == 0) { /* HEAD */
		*text = malloc(s->head.schema_len + 1);
		if (!*text)
			return evs_fail_nomem(diag);
		memcpy(*text, s->head.schema, s->head.schema_len + 1);
		*len = s->head.schema_len;
		return 0;
	}
	if (off == s->schema_bad) {
		d = s->schema_why;
		rc = d.err;
	} else {
		rc = schema_frame(s, off, text, len, &d);
		if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
			(void)snprintf(what, sizeof(what), "5.1-9 no sound SCHEMA frame: %.400s",
				       d.what);
			(void)evs_fail_off(&d, rc, s->path, off, what);
			s->schema_bad = off;
			s->schema_why = d;
		}
	}
	if (rc < 0 && diag)
		*diag = d;
	return rc;
}

/* 0 when there is a sound schema at `off`; EVS_E_FORMAT when it is damaged. */
static int try_schema(struct evs_segment *s, uint64_t off, struct evs_diag *diag)
{
	char *text = NULL;
	size_t len;
	int rc = evs_segment_schema(s, off, &text, &len, diag);

	free(text);
	return rc < 0 && rc != EVS_E_NOMEM && rc != EVS_E_SYS ? EVS_E_FORMAT : rc;
}

/* The newest COMMIT, or the SCHEMA frame it names, is damaged: the schema in force is the last
 * sound one in front of it, else HEAD's. */
static int search_schema_off(struct evs_segment *s, struct evs_diag *diag)
{
	uint64_t limit = s->tail.trailer.commit_off, off = s->tail.start, next = limit;
	struct evs_frame fr;
	int rc = 0;

	s->schema_off = 0;
	for (; rc == 0 && off < limit; off = next) {
		rc = evs_file_frame(&s->file, off, limit, &fr, diag);
		if (rc == EVS_E_FORMAT) {
			rc = evs_file_resync(&s->file, off + 8, limit, &next, diag);
			continue;
		}
		if (rc < 0)
			return rc;
		next = off + evs_frame_span(fr.payload_len);
		if (fr.type != EVS_FRAME_SCHEMA)
			continue;
		rc = try_schema(s, off, diag);
		if (rc == 0)
			s->schema_off = off;
		else if (rc == EVS_E_FORMAT)
			rc = 0;
	}
	return rc;
}

int evs_segment_find_schema(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	int rc = 0;

	s->schema_off = 0;
	if (!s->tail.have_commit)
		return 0;
	if (s->tail.commit_bad)
		return search_schema_off(s, diag);
	rc = evs_file_commit(&s->file, s->tail.trailer.commit_off, s->tail.end, &c, &payload, diag);
	if (rc == 0) {
		s->schema_off = c.schema_off;
		evs_file_keep(&s->file, s->tail.trailer.commit_off, s->tail.end, &c, &payload);
	}
	evs_commit_release(&c);
	evs_buf_release(&payload);
	if (rc == 0 && s->schema_off) /* HEAD's is sound, or there would be no segment */
		rc = try_schema(s, s->schema_off, diag);
	return rc == EVS_E_FORMAT ? search_schema_off(s, diag) : rc;
}
