/*
 * Dictionaries of a segment as its reader finds them: two frames, of which either serves when the
 * other is damaged or of a newer format, blocks that name others under the same place, and blocks
 * that are damaged themselves.
 */
#define _XOPEN_SOURCE 700
#include "format/dictionary.h"
#include "src/store/segment_read.h"
#include "tests/unit/segment_rows.h"

#define TEXTS 20
#define TEXT  2000

static struct evs_dictionary dict[2]; /* of two texts */
static uint8_t text[2][TEXT];
static struct evs_encoder *strong;

/* A dictionary that is the bytes. */
static void make_dictionary(struct evs_dictionary *d, uint8_t bytes[TEXT])
{
	struct evs_dictionary whole = { .p = bytes, .len = TEXT };
	struct evs_buf payload = { 0 };
	const char *why;

	if (evs_dictionary_encode(&whole, &payload) < 0 ||
	    evs_dictionary_decode(d, payload.p, payload.len, &why) < 0)
		abort();
	evs_buf_release(&payload);
}

/* Rows whose texts are the dictionary's with their numbers in front; NULL: with none. */
static void put_group(struct evs_seg_writer *w, uint64_t first, unsigned which,
		      const struct evs_dictionary *d)
{
	struct rows rows;
	char s[TEXT + 20];

	make_rows(&rows, first, TEXTS, 0);
	evs_array_reset(&rows.cols[2]);
	for (uint64_t i = 0; i < TEXTS; i++) {
		int n = snprintf(s, 20, "%llu ", (unsigned long long)(first + i));

		memcpy(s + n, text[which], TEXT);
		if (evs_array_append_bytes(&rows.cols[2], s, (size_t)n + TEXT) < 0)
			abort();
	}
	rows.r.nfiltered = 0;
	T_CHECK(evs_encoder_dictionary(strong, 2, d));
	T_CHECK(evs_segw_group(w, strong, &rows.r, NULL) == 0);
	free_rows(&rows);
}

static struct evs_dictionary
	at[3]; /* as they stand in the file: the first one twice, and the other */

/*
 * Six groups: by the first dictionary; by it again, whose second frame is another one; by the other
 * one, whose first frame is the first dictionary's; as the first; by the other one, both of whose
 * frames are the first dictionary's; and as the second.
 */
static void make(void)
{
	struct evs_seg_writer w;
	struct evs_dictionary mixed;

	away();
	T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
	for (unsigned i = 0; i < 3; i++) {
		at[i] = dict[i / 2];
		T_CHECK(evs_segw_dictionary(&w, &at[i], NULL) == 0);
	}
	put_group(&w, 0, 0, &at[0]);
	mixed = at[0];
	mixed.copy = at[1].copy;
	put_group(&w, TEXTS, 0, &mixed);
	mixed = at[2];
	mixed.off = at[0].off;
	put_group(&w, 2 * TEXTS, 1, &mixed);
	put_group(&w, 3 * TEXTS, 0, &at[0]);
	mixed.copy = at[0].copy;
	put_group(&w, 4 * TEXTS, 1, &mixed);
	mixed = at[0];
	mixed.copy = at[1].copy;
	put_group(&w, 5 * TEXTS, 0, &mixed);
	T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
	evs_segw_close(&w);
}

/* A flag of a newer format, the sums being right. */
static void make_newer(uint64_t off)
{
	static uint8_t raw[3 * TEXT];
	struct evs_segment *s = NULL;
	struct evs_frame fr;
	const char *why;
	FILE *f = fopen(path, "r+b");
	size_t span;

	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	if (!f || fseek(f, (long)off, SEEK_SET) != 0 ||
	    fread(raw, 1, sizeof(raw), f) != sizeof(raw))
		abort();
	T_CHECK(evs_frame_decode(&fr, raw, s->head.salt, off, &why) == 0 &&
		fr.type == EVS_FRAME_DICT);
	span = (size_t)evs_frame_span(fr.payload_len);
	evs_frame_seal(raw, EVS_FRAME_DICT, 0x80, fr.payload_len, raw + EVS_FRAME_HEAD_SIZE,
		       fr.summed_len, s->head.salt, off, fr.append);
	if (span > sizeof(raw) || fseek(f, (long)off, SEEK_SET) != 0 ||
	    fwrite(raw, 1, span, f) != span || fclose(f) != 0)
		abort();
	evs_segment_close(s);
}

static char what[8][256];
static unsigned times;

static void on_told(void *arg, const struct evs_damage *d)
{
	(void)arg;
	if (times < 8)
		snprintf(what[times], sizeof(what[0]), "%s", d->what);
	times++;
}

/* Which of the six groups come with their texts, one bit each; the others fail with EVS_E_FORMAT.
 */
static unsigned groups_of(enum evs_walk how)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	struct evs_array a;
	uint64_t off;
	unsigned good = 0;

	times = 0;
	memset(what, 0, sizeof(what));
	T_CHECK(evs_segment_open(&s, path, on_told, NULL, NULL) == 0);
	evs_segment_rewind(s, how, INT64_MIN, INT64_MAX);
	evs_array_init(&a, EVS_BYTES, 0, false);
	for (unsigned k = 0; evs_segment_next(s, &g, &off, NULL) == 1; k++) {
		int rc = evs_segment_column(s, 2, &a, &d);
		size_t n;

		T_CHECK(rc == 0 || (rc == EVS_E_FORMAT && d.what[0]));
		if (rc < 0)
			continue;
		(void)evs_array_bytes(&a, TEXTS - 1, &n);
		if (a.rows == TEXTS && !memcmp(evs_array_bytes(&a, TEXTS - 1, &n) + n - TEXT,
					       text[k == 2 || k == 4], TEXT))
			good |= 1u << k;
	}
	evs_array_release(&a);
	evs_segment_close(s);
	return good;
}

static void test_frames(void)
{
	static const char damaged[] = "5.5-4 damaged dictionary";

	make();
	T_CHECK(groups_of(EVS_WALK_PRUNED) == 0x2f &&
		times == 3); /* frames that are another's are told */
	T_CHECK(!strncmp(what[0], damaged, strlen(damaged)));
	/* The first frame of the first is damaged: in its head; in its payload; of a newer format.
	 */
	for (unsigned i = 0; i < 3; i++) {
		make();
		if (i < 2)
			flip(at[0].off + (i ? EVS_FRAME_HEAD_SIZE + 9 : 8));
		else
			make_newer(at[0].off);
		T_CHECK(groups_of(EVS_WALK_PRUNED) == 0x2f &&
			times == 5); /* what was read once is kept */
		T_CHECK(!strncmp(what[0], damaged, strlen(damaged)) &&
			!strncmp(what[4], damaged, strlen(damaged)));
		/* Its second one, too: the second group has another one. */
		if (i < 2)
			flip(at[0].copy + (i ? EVS_FRAME_HEAD_SIZE + 9 : 8));
		else
			make_newer(at[0].copy);
		T_CHECK(groups_of(EVS_WALK_PRUNED) == 0x26);
	}
}

/* The head of a block names a dictionary, and has been damaged: it is the block that is, and no
 * dictionary is looked for. */
static void test_block(void)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	const struct evs_block *b;
	struct evs_array a;
	uint64_t off, place;

	make();
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0 &&
		evs_segment_next(s, &g, &off, NULL) == 1);
	b = evs_group_find(g, 2);
	T_CHECK(b && b->codec == EVS_CODEC_ZSTD_DICT);
	place = off + EVS_FRAME_HEAD_SIZE + b->at;
	evs_segment_close(s);
	flip(place + 1);
	s = NULL;
	times = 0;
	T_CHECK(evs_segment_open(&s, path, on_told, NULL, NULL) == 0 &&
		evs_segment_next(s, &g, &off, NULL) == 1);
	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_segment_column(s, 2, &a, &d) == EVS_E_FORMAT && !strncmp(d.what, "5.3-1", 5) &&
		!times);
	evs_array_release(&a);
	evs_segment_close(s);
}

int main(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 12 };
	uint64_t z = 1;

	segment_begin();
	for (size_t i = 0; i < sizeof(text); i++) {
		z = z * 6364136223846793005u + 1442695040888963407u;
		text[i / TEXT][i % TEXT] = (uint8_t)(z >> 56);
	}
	for (unsigned i = 0; i < 2; i++)
		make_dictionary(&dict[i], text[i]);
	if (evs_encoder_new(&strong, &opts) < 0)
		abort();
	test_frames();
	test_block();
	evs_encoder_free(strong);
	for (unsigned i = 0; i < 2; i++)
		evs_dictionary_release(&dict[i]);
	segment_end();
	return t_done();
}
