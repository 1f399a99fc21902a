/*
 * Trained dictionaries of a segment (spec 5.5): kept from block to block, and written.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"
#include "src/store/segment_write.h"

#include <stdio.h>

/* The dictionary of the DICT frame at `off`, which must have the hash. `*sound`: the frame as such
 * is. */
static int read_frame(struct evs_segment *s, uint64_t off, const uint8_t *hash,
		      struct evs_dictionary *out, bool *sound, struct evs_diag *diag)
{
	const char *why = NULL;
	struct evs_frame fr;
	const uint8_t *p;
	int rc = evs_file_frame(&s->file, off, s->tail.end, &fr, diag);

	if (rc == 0)
		rc = evs_file_summed(&s->file, off, &fr, &p, diag);
	*sound = rc == 0;
	if (rc == 0 && fr.type != EVS_FRAME_DICT)
		rc = evs_fail_off(diag, EVS_E_FORMAT, s->path, off, "5.5-4 not a DICT frame");
	if (rc < 0)
		return rc;
	rc = evs_dictionary_decode(out, p, fr.summed_len, &why);
	if (rc == 0 && memcmp(out->hash, hash, sizeof(out->hash)) != 0) {
		why = "5.5-4 another dictionary";
		rc = EVS_E_FORMAT;
	}
	return rc == EVS_E_NOMEM ? evs_fail_nomem(diag)
	       : rc < 0		 ? evs_fail_off(diag, rc, s->path, off, why)
				 : 0;
}

/* Into `slot`, which stays without bytes when both frames are damaged. */
static int load(struct evs_segment *s, struct evs_segment_dict *slot,
		const struct evs_dictionary *want, struct evs_diag *diag)
{
	const uint64_t at[2] = { want->off, want->copy };
	char what[300];
	int rc = EVS_E_FORMAT;

	slot->used = false;
	for (unsigned i = 0; i < 2 && rc != 0; i++) {
		struct evs_diag d = { 0 };
		bool sound = false;

		evs_dictionary_release(&slot->dict);
		rc = read_frame(s, at[i], want->hash, &slot->dict, &sound, &d);
		if (rc < 0 && rc != EVS_E_FORMAT && rc != EVS_E_VERSION) {
			evs_fail_copy(diag, &d);
			return rc;
		}
		/* Who goes frame by frame has told of a damaged frame already. */
		if (rc < 0 && (sound || s->how == EVS_WALK_PRUNED)) {
			(void)snprintf(what, sizeof(what), "5.5-4 damaged dictionary: %.250s",
				       d.what);
			evs_segment_tell(s, at[i], 0, what);
		}
	}
	if (rc < 0)
		evs_dictionary_release(&slot->dict);
	memcpy(slot->dict.hash, want->hash, sizeof(want->hash));
	slot->dict.off = want->off;
	slot->dict.copy = want->copy;
	slot->used = true;
	return 0;
}

int evs_segment_dictionary(struct evs_segment *s, const struct evs_block *b, uint64_t at,
			   const uint8_t **stored, struct evs_diag *diag)
{
	struct evs_dictionary want;
	struct evs_segment_dict *slot = NULL;
	const char *why = NULL;
	int rc;

	evs_decoder_dictionary(s->dec, NULL);
	rc = evs_block_dictionary(&want, *stored, s->group_off, &why);
	for (unsigned i = 0; i < EVS_DICTIONARIES; i++)
		if (rc == 0 && s->dict[i].used && s->dict[i].dict.off == want.off &&
		    s->dict[i].dict.copy == want.copy &&
		    !memcmp(s->dict[i].dict.hash, want.hash, sizeof(want.hash)))
			slot = &s->dict[i];
	if (!slot) {
		if (!evs_block_sound(b, *stored)) /* so what it begins with says nothing: told by
						     who decodes it */
			return 0;
		if (rc < 0)
			return evs_fail_off(diag, rc, s->path, at, why);
		slot = &s->dict[s->next_dict++ % EVS_DICTIONARIES];
		rc = load(s, slot, &want, diag);
		if (rc == 0)
			rc = evs_file_bytes(&s->file, at, b->stored_len, stored, diag);
		if (rc < 0)
			return rc;
	}
	evs_decoder_dictionary(s->dec, slot->dict.p ? &slot->dict : NULL);
	return 0;
}

void evs_segment_dict_release(struct evs_segment *s)
{
	for (unsigned i = 0; i < EVS_DICTIONARIES; i++)
		evs_dictionary_release(&s->dict[i].dict);
	if (s->dec)
		evs_decoder_dictionary(s->dec, NULL);
}

int evs_segw_dictionary(struct evs_seg_writer *w, struct evs_dictionary *d, struct evs_diag *diag)
{
	for (unsigned copy = 0; copy < 2; copy++) {
		size_t at = w->out.len;

		*(copy ? &d->copy : &d->off) = evs_segw_here(w);
		evs_buf_put_zero(&w->out, EVS_FRAME_HEAD_SIZE);
		/* unreached: there is room for the padding, what zstd had to be given in excess */
		if (evs_dictionary_encode(d, &w->out) < 0 ||
		    evs_segw_seal(w, at, EVS_FRAME_DICT, EVS_FRAME_F_REFUSE,
				  (uint32_t)(w->out.len - at - EVS_FRAME_HEAD_SIZE)) < 0)
			return evs_fail_nomem(diag);
	}
	return evs_segw_relieve(w, diag);
}
