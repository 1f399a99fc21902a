/*
 * Sections: the tagged parts behind the fixed part of a COMMIT or INDEX payload (spec 7.7), and the
 * SOURCES section, which both have. Private to format/.
 */
#ifndef EVS_FORMAT_SECTION_H
#define EVS_FORMAT_SECTION_H

#include "format/commit.h"
#include "format/frame.h"

struct evs_section_raw {
	uint8_t type[2]; /* enum evs_section */
	uint8_t flags;
	uint8_t reserved;
	uint8_t length[4]; /* of the body; padding to a multiple of 8 follows it */
};
_Static_assert(sizeof(struct evs_section_raw) == 8, "spec 7.7 says 8 bytes");

#define EVS_SECTION_F_REFUSE	0x01u /* a reader that does not know the type refuses the frame */
#define EVS_SECTION_F_NO_APPEND 0x02u /* a writer that does not know it must not append */

/* Start a section at the end of `out`; returns where, for evs_section_end(). */
size_t evs_section_begin(struct evs_buf *out, enum evs_section type);

/* Set the length of the section begun at `at` and pad with zeros to a multiple of 8. Nothing
 * happens when `out` has failed. Longer than EVS_FRAME_MAX_SUMMED: the caller refuses the whole
 * payload. */
void evs_section_end(struct evs_buf *out, size_t at);

/* Walk over sections. Set `c` and zero the rest; then evs_section_next() as long as it gives 0. */
struct evs_sections {
	struct evs_cur c;
	struct evs_cur body; /* of the current section */
	uint16_t type;	     /* of the current section */
	bool no_append;	     /* some unknown section was marked so */
};

/* Returns 0, 1 at the end, EVS_E_FORMAT or EVS_E_VERSION with `*why`. Unknown sections that may be
 * ignored are passed over. */
int evs_section_next(struct evs_sections *s, const char **why);

/* Append a SOURCES section, sorted by id; nothing when n is 0. Returns 0, EVS_E_NOMEM, EVS_E_LIMIT.
 */
int evs_sources_encode(const struct evs_source *src, uint32_t n, struct evs_buf *out);

/* Decode the body of a SOURCES section; `*out` is the caller's to free, also after an error.
 * Returns 0, EVS_E_NOMEM or EVS_E_FORMAT with `*why`. */
int evs_sources_decode(struct evs_cur *c, struct evs_source **out, uint32_t *n, const char **why);

/* A pair of time bounds: both none, or in order (spec 7.1-9). */
static inline bool evs_times_ok(int64_t min, int64_t max)
{
	if (min == EVS_TIME_NONE || max == EVS_TIME_NONE)
		return min == max;
	return min <= max;
}

/* [off, off + len) is a whole frame's place that ends at or before `end` (spec 7.1-5). */
static inline bool evs_place_ok(uint64_t off, uint64_t len, uint64_t end)
{
	return off % 8 == 0 && len % 8 == 0 && len >= EVS_FRAME_HEAD_SIZE && off <= end &&
	       len <= end - off;
}

#endif
