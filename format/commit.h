/*
 * COMMIT and INDEX frames (spec 7 and 8).
 *
 * A COMMIT makes the GROUP frames before it count. Its payload is a fixed part, sections, and two
 * copies of a 64-byte trailer; the second copy's last byte is the last byte of an intact segment.
 * The trailers carry checksums of their own and are not under the frame's payload_sum.
 *
 * An INDEX frame is written in front of the groups of an append, after every EVS_INDEX_EVERY
 * commits, and folds the commits so far into a tree: its level-0 references are the commits since
 * the INDEX before it, a reference of level k > 0 stands for all level k-1 references listed in the
 * INDEX frame it points to. So opening reads the newest commits and one INDEX, however many there
 * are.
 */
#ifndef EVS_FORMAT_COMMIT_H
#define EVS_FORMAT_COMMIT_H

#include "format/array.h"
#include "format/bytes.h"
#include "format/error.h"

#define EVS_HASH_SIZE	   32u
#define EVS_TRAILER_SIZE   64u
#define EVS_TRAILERS_SIZE  128u	  /* both copies */
#define EVS_INDEX_EVERY	   64u	  /* commits folded by one INDEX; also the fan-out of the tree */
#define EVS_INDEX_LEVELS   8u	  /* 64^8 commits are enough */
#define EVS_MAX_GROUPS	   65536u /* in one commit */
#define EVS_MAX_ZONES	   (1u << 20) /* in one commit */
#define EVS_MAX_INDEX_REFS 65536u     /* in one INDEX */
#define EVS_MAX_SOURCES	   65536u     /* in one segment */
#define EVS_MAX_SOURCE_ID  1024u      /* bytes */
#define EVS_MAX_ZONE_VALUE 32u	      /* bytes of a min or max of FIXED and BYTES columns */
#define EVS_FILTER_SPLIT   1u	      /* kind of a filter: split block Bloom */

/* "No time": min and max of rows that have none. */
#define EVS_TIME_NONE INT64_MIN

struct evs_commit_raw {
	uint8_t seq[8];		/* 1 for the first commit */
	uint8_t written[8];	/* wall clock, ns since 1970, signed */
	uint8_t rows[8];	/* of this commit */
	uint8_t rows_total[8];	/* of the segment, this commit included */
	uint8_t first_group[8]; /* offset of the first GROUP frame; own offset when there is none */
	uint8_t prev_off[8];	/* COMMIT before this one; 0: none */
	uint8_t prev_len[8];	/* its span, head and padding included */
	uint8_t index_off[8];	/* newest INDEX; 0: none */
	uint8_t index_len[8];	/* its span */
	uint8_t schema_off[8];	/* HEAD or SCHEMA frame in force */
	uint8_t time_min[8];	/* ns since 1970 of this commit's rows, signed; INT64_MIN: none */
	uint8_t time_max[8];
	uint8_t since_index[4]; /* commits after that INDEX, this one included */
	uint8_t flags[4];	/* zero */
	uint8_t prev_hash[32];	/* hash of the commit before; zero for the first */
	uint8_t hash[32];	/* spec 7.4 */
	/* then sections: type u16, flags u8 (1 = refuse when unknown), zero u8, length u32, bytes
	 */
};
_Static_assert(sizeof(struct evs_commit_raw) == 168, "spec 7.1 says 168 bytes");

enum evs_section {
	EVS_SECTION_GROUPS = 1,	 /* refuse */
	EVS_SECTION_ZONES = 2,	 /* ignore: min, max, nulls per group and column */
	EVS_SECTION_KEYS = 3,	 /* ignore: sparse primary index */
	EVS_SECTION_SOURCES = 5, /* ignore when reading, refuse when writing */
	EVS_SECTION_ROLLUPS = 6, /* ignore: where the rollups are */
	EVS_SECTION_FILTERS = 7, /* ignore: where the filters are */
	EVS_SECTION_FOLDED = 8,	 /* ignore: of which file this one took the place */
};

struct evs_group_ref_raw {
	uint8_t off[8];
	uint8_t len[8]; /* span: head and padding included */
	uint8_t rows[4];
	uint8_t run[4]; /* groups of one run are sorted among themselves; numbered in the segment */
	uint8_t mem_bytes[8]; /* of the rows in memory, all columns */
	uint8_t src_bytes[8]; /* of the input they came from */
	uint8_t time_min[8];
	uint8_t time_max[8];
	uint8_t hash[32]; /* BLAKE2b-256 of the GROUP frame, head and padding included */
};
_Static_assert(sizeof(struct evs_group_ref_raw) == 88, "spec 7.2 says 88 bytes");

struct evs_filter_ref_raw {
	uint8_t off[8];
	uint8_t group[4];
	uint8_t column[2];
	uint8_t kind[2];
};
_Static_assert(sizeof(struct evs_filter_ref_raw) == 16, "spec 7.9 says 16 bytes");

struct evs_rollup_ref_raw {
	uint8_t view[16];
	uint8_t off[8];
	uint8_t groups[4];
	uint8_t reserved[4];
};
_Static_assert(sizeof(struct evs_rollup_ref_raw) == 32, "spec 7.10 says 32 bytes");

struct evs_folded_raw {
	uint8_t lineage[16];
	uint8_t commits[8];
	uint8_t rows[8];
	uint8_t hash[32];
	uint8_t made_for[16];
	uint8_t level;
	uint8_t reserved[15];
};
_Static_assert(sizeof(struct evs_folded_raw) == 96, "spec 7.11 says 96 bytes");

struct evs_trailer_raw {
	uint8_t magic[4]; /* "EVST" */
	uint8_t copy[4];  /* 0, then 1 */
	uint8_t commit_off[8];
	uint8_t commit_len[8]; /* span */
	uint8_t seq[8];
	uint8_t rows_total[8];
	uint8_t first_group[8];
	uint8_t groups_rows[8]; /* rows of this commit */
	uint8_t sum[8];		/* XXH3-64 of the 56 bytes before it, seed salt ^ own offset */
};
_Static_assert(sizeof(struct evs_trailer_raw) == EVS_TRAILER_SIZE, "spec 7.3 says 64 bytes");

struct evs_index_raw {
	uint8_t seq[8];	       /* of the last commit folded */
	uint8_t rows_total[8]; /* up to it */
	uint8_t prev_off[8];   /* INDEX before this one; 0: none */
	uint8_t prev_len[8];
	uint8_t last_commit_off[8]; /* of the last commit folded */
	uint8_t last_commit_len[8];
	uint8_t nrefs[4];
	uint8_t flags[4]; /* zero */
			  /* then nrefs references, then sections (SOURCES: all of them) */
};
_Static_assert(sizeof(struct evs_index_raw) == 56, "spec 8.1 says 56 bytes");

struct evs_index_ref_raw {
	uint8_t off[8]; /* COMMIT (level 0) or INDEX (level > 0) frame */
	uint8_t len[8]; /* span */
	uint8_t rows[8];
	uint8_t time_min[8];
	uint8_t time_max[8];
	uint8_t level[4];
	uint8_t commits[4]; /* 1 on level 0 */
};
_Static_assert(sizeof(struct evs_index_ref_raw) == 48, "spec 8.2 says 48 bytes");

struct evs_group_ref {
	uint64_t off, len;
	uint32_t rows, run;
	uint64_t mem_bytes, src_bytes;
	int64_t time_min, time_max;
	uint8_t hash[EVS_HASH_SIZE];
};

/*
 * What is known of one column of one group (spec 7.5). INT: 8 bytes little-endian, sign-extended;
 * FLOAT: the IEEE double, NaN left out of account (a column with NaN has no zone); FIXED, BYTES: a
 * prefix of at most EVS_MAX_ZONE_VALUE bytes; a cut maximum is rounded up, or absent when it cannot
 * be. LIST and MAP have no zone.
 */
struct evs_zone {
	uint32_t group; /* index into the commit's groups */
	uint16_t column;
	bool has_min, has_max, min_cut, max_cut;
	uint32_t nulls;
	uint8_t min_len, max_len;
	uint8_t min[EVS_MAX_ZONE_VALUE], max[EVS_MAX_ZONE_VALUE];
};

/* A FILTER frame of one column of one group (format/filter.h). */
struct evs_filter_ref {
	uint64_t off;
	uint32_t group; /* index into the commit's groups */
	uint16_t column;
};

#define EVS_VIEW_ID 16u

/* A ROLLUP frame: what a view makes of this commit's rows. */
struct evs_rollup_ref {
	uint8_t view[EVS_VIEW_ID];
	uint64_t off;
	uint32_t groups;
};

#define EVS_MADE_FOR 16u

/* In the first commit of a file that took another's place: what was folded into this commit
 * (spec 7.11). */
struct evs_folded {
	uint8_t lineage[16]; /* segment_id of the first file that took no other's place */
	uint64_t commits; /* number of the last commit folded, counted since that file; 0: none was
			   */
	uint64_t rows;	  /* of the file replaced */
	uint8_t hash[EVS_HASH_SIZE];	/* of its newest commit */
	uint8_t made_for[EVS_MADE_FOR]; /* what was asked: schema and views */
	uint8_t level;			/* of zstd */
};

struct evs_source {
	const char *id; /* not zero-terminated */
	size_t id_len;
	uint64_t off; /* bytes of the source absorbed by this segment */
};

/* Decoded commit. Arrays are owned; source ids point into the payload given to the decoder (or, on
 * the writing side, to the caller's). Zeroed is empty. */
struct evs_commit {
	uint64_t seq;
	int64_t written;
	uint64_t rows, rows_total;
	uint64_t first_group;
	uint64_t prev_off, prev_len, index_off, index_len, schema_off;
	int64_t time_min, time_max;
	uint32_t since_index;
	uint8_t prev_hash[EVS_HASH_SIZE], hash[EVS_HASH_SIZE];
	struct evs_group_ref *groups;
	uint32_t ngroups;
	struct evs_zone *zones;
	uint32_t nzones;
	struct evs_filter_ref *filters; /* ascending by group and column; of known kinds */
	uint32_t nfilters;
	uint8_t filters_hash[EVS_HASH_SIZE]; /* of their frames; zero without filters */
	struct evs_rollup_ref *rollups;	     /* ascending by view */
	uint32_t nrollups;
	uint8_t rollups_hash[EVS_HASH_SIZE]; /* of their frames; zero without rollups */
	struct evs_source *sources;
	uint32_t nsources;
	struct evs_folded folded;
	uint32_t append; /* of the frame's head: to be written; evs_file_commit() reads it */
	bool no_append;	 /* decoded: has a section that only a newer writer may append after */
};

struct evs_trailer {
	uint64_t commit_off, commit_len, seq, rows_total, first_group, rows;
};

struct evs_index_ref {
	uint64_t off, len, rows;
	int64_t time_min, time_max;
	uint32_t level, commits;
};

struct evs_index {
	uint64_t seq, rows_total, prev_off, prev_len, last_commit_off, last_commit_len;
	struct evs_index_ref *refs; /* highest level first, oldest first within a level */
	uint32_t nrefs;
	struct evs_source *sources;
	uint32_t nsources;
	uint32_t append; /* as in evs_commit */
	bool no_append;	 /* as in evs_commit */
};

/*
 * Append a complete COMMIT frame, trailers included, to `out`. `off` is the file offset of its
 * head. c->hash is computed and set. Returns 0, EVS_E_NOMEM or EVS_E_LIMIT.
 */
int evs_commit_write(struct evs_commit *c, uint64_t salt, uint64_t off, struct evs_buf *out);

/* Decode a verified payload (the summed part) of the COMMIT frame at `off`, checking every reader
 * rule of spec 7 that needs no other frame, the hash included. Release in every case. */
int evs_commit_decode(struct evs_commit *out, const uint8_t *payload, size_t len, uint64_t off,
		      const char **why);
/* The same but for the hash, which evs_commit_check_hash() checks later; and the fixed part alone,
 * with nothing allocated. */
int evs_commit_decode_unhashed(struct evs_commit *out, const uint8_t *payload, size_t len,
			       uint64_t off, const char **why);
int evs_commit_decode_fixed(struct evs_commit *out, const uint8_t *payload, size_t len,
			    uint64_t off, const char **why);
int evs_commit_check_hash(const struct evs_commit *c, const uint8_t *payload, size_t len,
			  const char **why);
void evs_commit_release(struct evs_commit *c);

/* Decode one 64-byte trailer copy at file offset `off`. EVS_E_FORMAT when it is none. */
int evs_trailer_decode(struct evs_trailer *out, const uint8_t *raw, uint64_t salt, uint64_t off,
		       const char **why);

/* Write copy 0 or 1 of a trailer that stands at `off`. */
void evs_trailer_encode(uint8_t raw[EVS_TRAILER_SIZE], const struct evs_trailer *t, uint32_t copy,
			uint64_t salt, uint64_t off);

/* Do the numbers of a trailer agree with the commit it names (spec 7.3-6)? */
bool evs_trailer_matches(const struct evs_trailer *t, const struct evs_commit *c);

/* Append a complete INDEX frame. */
int evs_index_write(const struct evs_index *x, uint64_t salt, uint64_t off, struct evs_buf *out);
int evs_index_decode(struct evs_index *out, const uint8_t *payload, size_t len, uint64_t off,
		     const char **why);
void evs_index_release(struct evs_index *x);

/*
 * Fold: fill `out` (zeroed) from the INDEX in force (NULL: none yet; it stands at
 * prev_off/prev_len) and the level-0 references of the commits since. Applies the fan-out rule of
 * spec 8.3. Sources are left to the caller. Returns 0, EVS_E_NOMEM or EVS_E_LIMIT.
 */
int evs_index_fold(struct evs_index *out, const struct evs_index *prev, uint64_t prev_off,
		   uint64_t prev_len, const struct evs_index_ref *commits, uint32_t n);

/*
 * Rules between two decoded frames; 0 or EVS_E_FORMAT with `*why` (may be NULL).
 * check_prev: does `c` continue the commit before it (7.1-12)? check_index: does it count from the
 * INDEX it names (7.1-13)? check_ref: is the INDEX or COMMIT what the reference that led to it says
 * (8.3-1, 8.3-2)? The span, which 8.3-2 names too, is the frame's and left to the caller.
 */
int evs_commit_check_prev(const struct evs_commit *c, const struct evs_commit *prev,
			  const char **why);
int evs_commit_check_index(const struct evs_commit *c, const struct evs_index *x, const char **why);
int evs_index_check_ref(const struct evs_index *x, const struct evs_index_ref *from,
			const char **why);
int evs_commit_check_ref(const struct evs_commit *c, const struct evs_index_ref *from,
			 const char **why);

/* Min, max and nulls of one column; false when it has no zone (spec 7.5). */
bool evs_zone_of(struct evs_zone *z, const struct evs_array *a);

/* Do all present values equal the zone's minimum, as far as the zone tells? */
bool evs_zone_one_value(const struct evs_zone *z);

#endif
