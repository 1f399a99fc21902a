/*
 * The columns of the group at hand, each read, verified and decoded by itself.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

/* `coded` NULL: only as an array. `rows`: the n of them that are wanted; NULL: all. */
static int load_column(struct evs_segment *s, uint16_t column, struct evs_coded *coded,
		       const uint32_t *rows, uint32_t n, struct evs_array *out,
		       struct evs_diag *diag)
{
	const struct evs_block *b = evs_group_find(&s->group, column);
	const uint8_t *stored = NULL;
	const char *why = NULL;
	uint64_t at = s->group_off;
	int rc;

	if (b) {
		at += EVS_FRAME_HEAD_SIZE + b->at;
		rc = evs_file_bytes(&s->file, at, b->stored_len, &stored, diag);
		if (rc < 0)
			return rc;
		if (!s->group.packed || s->packed_read != s->group_off) {
			s->count.blocks_read++;
			s->count.block_bytes_read += b->stored_len;
		}
		s->packed_read = s->group_off;
		if (b->codec == EVS_CODEC_ZSTD_DICT) {
			rc = evs_segment_dictionary(s, b, at, &stored, diag);
			if (rc < 0)
				return rc;
		}
	}
	if (rows)
		rc = evs_group_pick(s->dec, &s->group, b, stored, column, rows, n, out, &why);
	else
		rc = coded ? evs_group_coded(s->dec, &s->group, b, stored, column, coded, out, &why)
			   : evs_group_column(s->dec, &s->group, b, stored, column, out, &why);
	return rc < 0 ? evs_fail_off(diag, rc, s->path, at, why) : rc;
}

int evs_segment_column(struct evs_segment *s, uint16_t column, struct evs_array *out,
		       struct evs_diag *diag)
{
	return load_column(s, column, NULL, NULL, 0, out, diag);
}

int evs_segment_coded(struct evs_segment *s, uint16_t column, struct evs_coded *coded,
		      struct evs_array *out, struct evs_diag *diag)
{
	return load_column(s, column, coded, NULL, 0, out, diag);
}

int evs_segment_pick(struct evs_segment *s, uint16_t column, const uint32_t *rows, uint32_t n,
		     struct evs_array *out, struct evs_diag *diag)
{
	return load_column(s, column, NULL, rows, n, out, diag);
}

void evs_segment_trace(struct evs_segment *s, struct evs_trace *t)
{
	evs_decoder_trace(s->dec, t);
}

int evs_segment_verify(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_frame fr;
	int rc = evs_file_frame(&s->file, s->group_off, s->tail.end, &fr, diag);

	return rc < 0 ? rc : evs_file_verify_group(&s->file, s->group_off, &fr, diag);
}

void evs_segment_lost(struct evs_segment *s, const struct evs_diag *diag)
{
	evs_segment_tell(s, diag->has_off ? diag->off : s->group_off, s->group.rows, diag->what);
}
