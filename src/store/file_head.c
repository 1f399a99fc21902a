/*
 * HEAD frames: read both copies, take the one that verifies (spec 4).
 */
#include "src/diag.h"
#include "src/store/segment.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD_SEARCH ((uint64_t)64 << 20) /* spec 9-2: how far the second copy is looked for */
#define SMALL_HEAD  ((uint64_t)32 << 10) /* both copies lie in a window */

/* HEAD frame at `off`: 0 with its verified payload, *span and *bad, EVS_E_FORMAT or another error.
 */
static int read_frame(struct evs_file *f, uint64_t off, uint64_t size, struct evs_frame *fr,
		      const uint8_t **p, uint64_t *span, bool *bad, struct evs_diag *diag)
{
	int rc = evs_file_frame(f, off, size, fr, diag);

	if (rc < 0)
		return rc;
	if (fr->type != EVS_FRAME_HEAD)
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off, "4.1-13 not a HEAD frame");
	*span = evs_frame_span(fr->payload_len);
	rc = evs_file_padding(f, off, fr, diag);
	*bad = rc == EVS_E_FORMAT; /* wrong padding is damage, and costs nothing */
	return rc == 0 || *bad ? evs_file_summed(f, off, fr, p, diag) : rc;
}

/* The same, decoded. */
static int read_copy(struct evs_file *f, uint64_t off, uint64_t size, struct evs_head *out,
		     uint64_t *span, bool *bad, struct evs_text_memo *memo, struct evs_diag *diag)
{
	struct evs_frame fr;
	const uint8_t *p;
	const char *why = NULL;
	int rc = read_frame(f, off, size, &fr, &p, span, bad, diag);

	if (rc < 0)
		return rc;
	rc = evs_head_decode_memo(out, p, fr.summed_len, memo, &why);
	if (rc < 0) {
		evs_head_release(out);
		return evs_fail_off(diag, rc, f->path, off, why);
	}
	return 0;
}

/* evs_head_decode() points into the payload: keep strings of our own. */
static int own_strings(struct evs_head *h, struct evs_diag *diag)
{
	size_t n = h->stream_len + h->tenant_len + h->schema_len;
	uint8_t *mem = malloc(n + 1);
	uint8_t *p = mem;

	if (!mem)
		return evs_fail_nomem(diag);
	memcpy(p, h->stream, h->stream_len);
	h->stream = (char *)p;
	p += h->stream_len;
	memcpy(p, h->tenant, h->tenant_len);
	h->tenant = (char *)p;
	p += h->tenant_len;
	memcpy(p, h->schema, h->schema_len);
	h->schema = (char *)p;
	p[h->schema_len] = '\0';
	free(h->schema_mem);
	h->schema_mem = mem;
	return 0;
}

static bool same(const char *a, size_t na, const char *b, size_t nb)
{
	return na == nb && !memcmp(a, b, na);
}

static bool copies_agree(const struct evs_head *a, const struct evs_head *b)
{
	return !memcmp(a->segment_id, b->segment_id, sizeof(a->segment_id)) && a->salt == b->salt &&
	       /* unreached: only one major version is decoded yet */
	       a->major == b->major && a->minor == b->minor && a->unit == b->unit &&
	       /* unreached: only suite 0 and no such feature is decoded yet */
	       a->suite == b->suite && a->refuse_features == b->refuse_features &&
	       a->ignore_features == b->ignore_features && a->created == b->created &&
	       a->part_lo == b->part_lo && a->part_hi == b->part_hi &&
	       same(a->stream, a->stream_len, b->stream, b->stream_len) &&
	       same(a->tenant, a->tenant_len, b->tenant, b->tenant_len) &&
	       same(a->schema, a->schema_len, b->schema, b->schema_len);
}

/* Do the copies, whose frames are sound, hold the same bytes? False also when that is not looked
 * at. */
static bool same_bytes(struct evs_file *f, uint64_t span, const struct evs_frame *second)
{
	size_t at = EVS_FRAME_HEAD_SIZE, n = second->summed_len;
	struct evs_frame first;
	const uint8_t *p;

	if (span > SMALL_HEAD || evs_file_frame(f, 0, span, &first, NULL) < 0 ||
	    first.payload_len != second->payload_len ||
	    evs_file_bytes(f, 0, (size_t)(2 * span), &p, NULL) < 0)
		return false;
	return !memcmp(p + at, p + span + at, n);
}

/* The first copy is good: where is the second, and is it good too? */
static int check_second(struct evs_file *f, uint64_t size, const struct evs_head *first,
			uint64_t span, bool *bad, struct evs_text_memo *memo, struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	struct evs_head second = { 0 };
	struct evs_frame fr;
	const uint8_t *p;
	uint64_t span2 = 0;
	int rc = read_frame(f, span, size, &fr, &p, &span2, bad, &d);

	if (rc == 0 && span2 == span && same_bytes(f, span, &fr))
		return 0;
	if (rc == 0)
		rc = read_copy(f, span, size, &second, &span2, bad, memo, &d);
	*bad = *bad || rc < 0 || span2 != span || !copies_agree(first, &second);
	if (rc == 0)
		evs_head_release(&second);
	if (rc != EVS_E_NOMEM && rc != EVS_E_SYS)
		return 0;
	evs_fail_copy(diag, &d);
	return rc;
}

/* Neither copy will do; `first` says what is wrong with the first one. */
static int no_segment(const struct evs_file *f, const char *first, struct evs_diag *diag)
{
	char what[512];

	(void)snprintf(what, sizeof(what),
		       "9-1 not a segment, or both copies of its HEAD are damaged (9-2; %.400s)",
		       first);
	return evs_fail_off(diag, EVS_E_FORMAT, f->path, 0, what);
}

/* The first copy is bad, as `first` says: look for the second one. */
static int find_second(struct evs_file *f, uint64_t size, struct evs_head *head, uint64_t *start,
		       struct evs_text_memo *memo, const struct evs_diag *first,
		       struct evs_diag *diag)
{
	uint64_t limit = size < HEAD_SEARCH ? size : HEAD_SEARCH;
	uint64_t off = 0, span = 0;
	bool bad = false;
	int rc;

	for (;;) {
		rc = evs_file_resync(f, off + 8, limit, &off, diag);
		if (rc < 0)
			return rc;
		if (off >= limit)
			return no_segment(f, first->what, diag);
		rc = read_copy(f, off, size, head, &span, &bad, memo, diag);
		/* HEAD frames have no salt, so bytes of a row may look like one: only its place
		 * tells. */
		if (rc == 0 && span == off) {
			*start = off + span;
			return 0;
		}
		if (rc == 0)
			evs_head_release(head);
		else if (rc != EVS_E_FORMAT)
			return rc;
	}
}

int evs_file_head(struct evs_file *f, uint64_t size, struct evs_head *head, uint64_t *start,
		  bool copy_bad[2], struct evs_text_memo *memo, struct evs_diag *diag)
{
	struct evs_diag first = { 0 };
	uint64_t span = 0;
	int rc;

	copy_bad[0] = copy_bad[1] = false;
	f->salt = 0;
	if (size == 0)
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, 0,
				    "9-1 the file is empty, not a segment");
	rc = read_copy(f, 0, size, head, &span, &copy_bad[0], memo, &first);
	if (rc < 0 && diag)
		*diag = first;
	if (rc == 0)
		rc = own_strings(head, diag);
	if (rc == 0) {
		*start = 2 * span;
		rc = check_second(f, size, head, span, &copy_bad[1], memo, diag);
	} else if (rc == EVS_E_FORMAT) {
		copy_bad[0] = true;
		rc = find_second(f, size, head, start, memo, &first, diag);
		if (rc == 0)
			rc = own_strings(head, diag);
	}
	if (rc == 0)
		f->salt = head->salt;
	return rc;
}
