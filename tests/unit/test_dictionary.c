/*
 * dictionary.h, blocks with a dictionary, and how a segment keeps them: round trips, what is
 * refused, and memory and reads that fail.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "format/group.h"
#include "src/store/segment_read.h"
#include "src/store/segment_write.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zdict.h>

#define FORGED "corpus/good/forged-dictionaries.evs"

static uint64_t rng = 88172645463325252;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* ---- format/ --------------------------------------------------------------------------------- */

#define PIECES 64u
#define PIECE  1024u

/* Pieces that each begin with a saying of their own and say one of eight others, which all have. */
static void make_samples(uint8_t out[PIECES * PIECE])
{
	uint8_t common[8][PIECE / 2];

	for (unsigned i = 0; i < sizeof(common); i++)
		common[i / (PIECE / 2)][i % (PIECE / 2)] = (uint8_t)rnd();
	for (unsigned i = 0; i < PIECES; i++) {
		for (unsigned k = 0; k < PIECE / 2; k++)
			out[i * PIECE + k] = (uint8_t)rnd();
		memcpy(out + i * PIECE + PIECE / 2, common[i % 8], PIECE / 2);
	}
}

static uint8_t samples[PIECES * PIECE];
static struct evs_dictionary trained;
static struct evs_array cols[2]; /* of bytes */

/* Less than a word, behind which no byte may be read. */
static void test_train_few(void)
{
	enum { FEW = 7, PAGE = 65536 };
	struct evs_dictionary none;
	uint8_t *p =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, PAGE, PROT_NONE))
		abort();
	T_CHECK(evs_dictionary_train(&none, p + PAGE - FEW, FEW, 8192) == 0);
	T_CHECK(!none.p && !none.len);
	munmap(p, 2 * PAGE);
}

static void test_train(void)
{
	struct evs_dictionary back, none;
	struct evs_buf payload = { 0 };
	const char *why = NULL;

	make_samples(samples);
	T_CHECK(evs_dictionary_train(&trained, samples, sizeof(samples), 8192) == 0 && trained.p);
	T_CHECK(trained.len > 4096 && trained.len <= 8192 &&
		evs_get32(trained.p) != ZSTD_MAGIC_DICTIONARY);
	T_CHECK(evs_dictionary_encode(&trained, &payload) == 0);
	T_CHECK(evs_dictionary_decode(&back, payload.p, payload.len, &why) == 0);
	T_CHECK(back.len == trained.len && !memcmp(back.p, trained.p, back.len) &&
		!memcmp(back.hash, trained.hash, sizeof(back.hash)));
	evs_dictionary_release(&back);
	for (size_t n = 0; n < payload.len; n += 97) {
		T_CHECK(evs_dictionary_decode(&back, payload.p, n, &why) == EVS_E_FORMAT &&
			!strncmp(why, "5.5-1 ", 6));
		evs_dictionary_release(&back);
	}
	payload.p[payload.len / 2] ^= 0x55;
	T_CHECK(evs_dictionary_decode(&back, payload.p, payload.len, &why) <= 0);
	evs_dictionary_release(&back);
	evs_buf_release(&payload);
	test_train_few();
	T_CHECK(evs_dictionary_train(&none, samples, sizeof(samples), 0) == 0 && !none.p);
	evs_dictionary_release(&none);
	evs_dictionary_release(NULL);
}

/* What comes back is taken, what was said once is not, and nothing that zstd would take for tables.
 */
static void test_trained_oddly(void)
{
	enum { SAID = 400, NOISE = 3000 }; /* as long as a stretch */
	static uint8_t text[4 * (SAID + NOISE)];
	uint8_t said[SAID];
	struct evs_dictionary d;

	for (unsigned magic = 0; magic < 2; magic++) {
		for (unsigned i = 0; i < SAID; i++)
			said[i] = (uint8_t)rnd();
		if (magic)
			memcpy(said, "\x37\xa4\x30\xec", 4);
		for (unsigned i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)rnd();
		for (unsigned i = 0; i < 4; i++)
			memcpy(text + i * (SAID + NOISE) + 77, said, SAID);
		T_CHECK(evs_dictionary_train(&d, text, sizeof(text), SAID) == 0);
		T_CHECK(d.len == SAID - magic && !memcmp(d.p, said + magic, d.len));
		evs_dictionary_release(&d);
		T_CHECK(evs_dictionary_train(&d, text, sizeof(text), 8000) == 0);
		T_CHECK(d.len >= SAID - magic &&
			!memcmp(d.p + d.len - SAID + magic, said + magic, SAID - magic));
		evs_dictionary_release(&d);
		/* Less than a stretch, less than a word. */
		T_CHECK(evs_dictionary_train(&d, text, 100, 8000) == 0 && !d.p);
		T_CHECK(evs_dictionary_train(&d, (const uint8_t *)"abcdefghabcdefghabcdefgh", 24,
					     100) == 0 &&
			d.len == 24);
		evs_dictionary_release(&d);
		T_CHECK(evs_dictionary_train(&d, (const uint8_t *)"abcdefgh", 8, 100) == 0 && !d.p);
		T_CHECK(evs_dictionary_train(&d, text, sizeof(text), 7) == 0 && !d.p);
	}
	evs_dictionary_release(&d);
}

/* A frame of zstd that names a dictionary of its own, and the same frame that does not. */
static void test_named(void)
{
	static const uint8_t named[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x21, 5,  3,
					 0x19, 0,    0,	   'a',	 'b',  'c' },
			     not_named[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 3,
					     0x19, 0,	 0,    'a',  'b',  'c' };
	struct evs_dictionary d;
	const char *why = NULL;

	T_CHECK(evs_dictionary_decode(&d, named, sizeof(named), &why) == EVS_E_FORMAT &&
		!strncmp(why, "5.5-1 ", 6));
	evs_dictionary_release(&d);
	T_CHECK(evs_dictionary_decode(&d, not_named, sizeof(not_named), &why) == 0 && d.len == 3 &&
		!memcmp(d.p, "abc", 3));
	evs_dictionary_release(&d);
}

/* Both places lie in front of the group, at frames, and are two. */
static void test_places(void)
{
	static const struct {
		uint64_t off, copy;
		bool good;
	} cases[] = { { 64, 128, true }, { 128, 64, true },  { 65, 128, false }, { 64, 132, false },
		      { 64, 64, false }, { 192, 64, false }, { 64, 192, false }, { 184, 64, true },
		      { 64, 184, true }, { 0, 8, true } };
	struct evs_dictionary d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_block_dict_raw r = { .hash = "a hash of 32 bytes" };
		const char *why = "";
		int rc;

		evs_put64(r.off, cases[i].off);
		evs_put64(r.copy, cases[i].copy);
		rc = evs_block_dictionary(&d, (const uint8_t *)&r, 192, &why);
		T_CHECK(cases[i].good ? rc == 0 && d.off == cases[i].off && d.copy == cases[i].copy
				      : rc == EVS_E_FORMAT && !strncmp(why, "5.5-3 ", 6));
	}
}

/* Two columns of bytes: n values of the samples' second halves, with their numbers. */
static void make_columns(struct evs_array to[2], unsigned n)
{
	char text[PIECE];

	for (unsigned c = 0; c < 2; c++) {
		evs_array_init(&to[c], EVS_BYTES, 0, false);
		for (unsigned i = 0; i < n; i++) {
			int head = snprintf(text, sizeof(text), "%llx", (unsigned long long)rnd());

			memcpy(text + head, samples + (i * 7 + c) % PIECES * PIECE + PIECE / 2,
			       PIECE / 2);
			if (evs_array_append_bytes(&to[c], text, (size_t)head + PIECE / 2) < 0)
				abort();
		}
	}
}

struct made {
	struct evs_buf out;
	struct evs_group g;
};

static void made_release(struct made *m)
{
	evs_group_release(&m->g);
	evs_buf_release(&m->out);
}

/* 0, EVS_E_NOMEM. */
static int make(struct made *m, struct evs_encoder *e, const struct evs_array from[2])
{
	const char *why;
	uint32_t summed;
	int rc;

	*m = (struct made){ .out = { 0 } };
	rc = evs_group_encode(e, from, 2, 0, 0, &m->out, &summed);
	return rc < 0 ? rc : evs_group_decode(&m->g, m->out.p, summed, m->out.len, &why);
}

static bool same(const struct evs_array *a, const struct evs_array *b)
{
	bool ok = a->rows == b->rows;

	for (uint32_t i = 0; ok && i < a->rows; i++)
		ok = evs_array_compare(a, i, b, i) == 0;
	return ok;
}

/* What reading column c with the dictionary gives; 1: other values. */
static int read_back(struct made *m, struct evs_decoder *d, const struct evs_dictionary *dict,
		     unsigned c, const struct evs_array *want, const char **why)
{
	const struct evs_block *b = &m->g.blocks[c];
	struct evs_array back;
	int rc;

	evs_array_init(&back, EVS_BYTES, 0, false);
	evs_decoder_dictionary(d, dict);
	rc = evs_group_column(d, &m->g, b, m->out.p + b->at, (uint16_t)c, &back, why);
	if (rc == 0 && !same(&back, want))
		rc = 1;
	evs_array_release(&back);
	return rc;
}

static struct evs_encoder *enc;
static struct evs_decoder *dec;

static void test_with_and_without(void)
{
	struct evs_dictionary other = trained;
	struct made with, without;
	const char *why = NULL;

	T_CHECK(evs_encoder_dictionary(enc, 1, NULL));
	T_CHECK(make(&without, enc, cols) == 0);
	trained.off = 4096;
	trained.copy = 8192;
	T_CHECK(evs_encoder_dictionary(enc, 1, &trained));
	T_CHECK(make(&with, enc, cols) == 0 && with.g.blocks[0].codec == EVS_CODEC_ZSTD &&
		with.g.blocks[1].codec == EVS_CODEC_ZSTD_DICT);
	T_CHECK(with.g.blocks[0].stored_len == without.g.blocks[0].stored_len &&
		with.g.blocks[1].stored_len * 2 < without.g.blocks[1].stored_len);
	T_CHECK(with.g.blocks[1].raw_len == without.g.blocks[1].raw_len);

	/* In any order, and never with another one. */
	for (unsigned round = 0; round < 2; round++) {
		T_CHECK(read_back(&with, dec, &trained, 1, &cols[1], &why) == 0);
		T_CHECK(read_back(&with, dec, NULL, 0, &cols[0], &why) == 0);
		T_CHECK(read_back(&without, dec, &trained, 1, &cols[1], &why) == 0);
		T_CHECK(read_back(&with, dec, NULL, 1, &cols[1], &why) == EVS_E_FORMAT &&
			!strncmp(why, "5.5-5 ", 6));
		other.hash[31] ^= 1;
		T_CHECK(read_back(&with, dec, &other, 1, &cols[1], &why) == EVS_E_FORMAT &&
			!strncmp(why, "5.5-5 ", 6));
		other.hash[31] ^= 1;
	}
	/* The right name on other bytes: zstd gives what it gives, never more than there must be.
	 */
	other.p = calloc(1, other.len);
	T_CHECK(other.p && read_back(&with, dec, &other, 1, &cols[1], &why) != 0);
	free(other.p);
	made_release(&with);
	made_release(&without);
}

/* What a block begins with. */
static void test_head_of_block(void)
{
	struct evs_dictionary want;
	struct made with;
	const char *why = NULL;

	T_CHECK(make(&with, enc, cols) == 0 && with.g.blocks[1].codec == EVS_CODEC_ZSTD_DICT);
	T_CHECK(evs_block_sound(&with.g.blocks[1], with.out.p + with.g.blocks[1].at));
	T_CHECK(evs_block_dictionary(&want, with.out.p + with.g.blocks[1].at, 8200, &why) == 0);
	T_CHECK(want.off == 4096 && want.copy == 8192 &&
		!memcmp(want.hash, trained.hash, sizeof(want.hash)) && !want.p);
	T_CHECK(evs_block_dictionary(&want, with.out.p + with.g.blocks[1].at, 8192, &why) ==
			EVS_E_FORMAT &&
		!strncmp(why, "5.5-3 ", 6));
	with.out.p[with.g.blocks[1].at] ^= 8;
	T_CHECK(!evs_block_sound(&with.g.blocks[1], with.out.p + with.g.blocks[1].at));
	T_CHECK(read_back(&with, dec, &trained, 1, &cols[1], &why) == EVS_E_FORMAT &&
		!strncmp(why, "5.3-1 ", 6));
	made_release(&with);
}

static void test_small_and_noise(void)
{
	struct evs_array small[2], noise[2];
	struct made tiny, loud;
	const char *why = NULL;

	make_columns(small, 2);
	for (unsigned c = 0; c < 2; c++) {
		evs_array_init(&noise[c], EVS_BYTES, 0, false);
		for (unsigned i = 0; i < 4096; i++) {
			uint64_t v = rnd();

			T_CHECK(evs_array_append_bytes(&noise[c], &v, sizeof(v)) == 0);
		}
	}
	T_CHECK(make(&tiny, enc, small) == 0 && tiny.g.blocks[1].codec != EVS_CODEC_ZSTD_DICT);
	T_CHECK(read_back(&tiny, dec, NULL, 1, &small[1], &why) == 0);
	T_CHECK(make(&loud, enc, noise) == 0 && loud.g.blocks[1].codec == EVS_CODEC_NONE);
	T_CHECK(read_back(&loud, dec, NULL, 1, &noise[1], &why) == 0);
	for (unsigned c = 0; c < 2; c++) {
		evs_array_release(&small[c]);
		evs_array_release(&noise[c]);
	}
	made_release(&tiny);
	made_release(&loud);
}

/* Four columns have one; a column can have another one, or none. */
static void test_columns(void)
{
	struct made with;
	const char *why = NULL;

	for (uint16_t c = 2; c < 5; c++)
		T_CHECK(evs_encoder_dictionary(enc, c, &trained));
	T_CHECK(!evs_encoder_dictionary(enc, 5, &trained) && evs_encoder_dictionary(enc, 5, NULL));
	T_CHECK(evs_encoder_dictionary(enc, 1, &trained) && evs_encoder_dictionary(enc, 1, NULL));
	T_CHECK(evs_encoder_dictionary(enc, 0, &trained));
	T_CHECK(make(&with, enc, cols) == 0 && with.g.blocks[0].codec == EVS_CODEC_ZSTD_DICT &&
		with.g.blocks[1].codec == EVS_CODEC_ZSTD);
	T_CHECK(read_back(&with, dec, &trained, 0, &cols[0], &why) == 0);
	made_release(&with);
}

static void test_blocks(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 12 };

	T_CHECK(evs_encoder_new(&enc, &opts) == 0 && evs_decoder_new(&dec) == 0);
	test_with_and_without();
	test_head_of_block();
	test_small_and_noise();
	test_columns();
	evs_encoder_free(enc);
	evs_decoder_free(dec);
}

/* ---- without memory, and reads that fail ----------------------------------------------------- */

static int training(void)
{
	struct evs_dictionary d, back = { 0 };
	struct evs_buf out = { 0 };
	const char *why = NULL;
	int rc = evs_dictionary_train(&d, samples, sizeof(samples), 8192);

	if (rc == 0 && d.p)
		rc = evs_dictionary_encode(&d, &out);
	if (rc == 0 && d.p)
		rc = evs_dictionary_decode(&back, out.p, out.len, &why);
	evs_dictionary_release(&d);
	evs_dictionary_release(&back);
	evs_buf_release(&out);
	return rc;
}

static int writing(void)
{
	struct evs_seg_writer w = { .fd = -1 };
	struct evs_dictionary d = trained;
	int rc = evs_segw_dictionary(&w, &d, NULL);

	if (rc == 0)
		T_CHECK(d.off == 0 && d.copy > trained.len / 2 && d.copy * 2 == w.out.len);
	evs_buf_release(&w.out);
	return rc;
}

static int encoding(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 12 };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	const char *why = NULL;
	struct made m = { .out = { 0 } };
	int rc;

	rc = evs_encoder_new(&e, &opts);
	if (rc == 0)
		rc = evs_decoder_new(&d);
	if (rc == 0 && evs_encoder_dictionary(e, 1, &trained))
		rc = make(&m, e, cols);
	for (unsigned c = 0; c < 2 && rc == 0; c++)
		rc = read_back(&m, d, &trained, c, &cols[c], &why);
	made_release(&m);
	evs_encoder_free(e);
	evs_decoder_free(d);
	return rc;
}

static unsigned told;

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	(void)d;
	told++;
}

/* All text of the forged file: 0 when it is what it is without failures, 1 when it is something
 * else. */
static int reading(void)
{
	static uint64_t right;
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	uint64_t off, sum = 0;
	int rc = evs_segment_open(&s, FORGED, on_damage, NULL, NULL);

	told = 0;
	while (rc >= 0 && (rc = evs_segment_next(s, &g, &off, NULL)) > 0)
		for (uint16_t c = 0; c < 2 && rc > 0; c++) {
			struct evs_array a;
			int got;

			evs_array_init(&a, EVS_BYTES, 0, false);
			got = evs_segment_column(s, c, &a, NULL);
			for (uint32_t i = 0; got == 0 && i < a.rows; i++) {
				size_t n;
				const uint8_t *p = evs_array_bytes(&a, i, &n);

				sum = XXH3_64bits_withSeed(p, n, sum);
			}
			evs_array_release(&a);
			if (got < 0)
				rc = got;
		}
	evs_segment_close(s);
	if (rc == 0 && !right)
		right = sum;
	return rc == 0 && (sum != right || told) ? 1 : rc;
}

/* Want of memory, or a failed read, is never taken for damage. */
static void without(const char *what, int (*op)(void))
{
	bool hit = true;
	unsigned wrong = 0;
	long n = 1;

	T_CHECK(op() == 0);
	for (; hit; n++) {
		int rc;

		fail_begin(what, n, EIO);
		rc = op();
		hit = fail_end();
		wrong += hit ? rc > 0 || rc == EVS_E_FORMAT || rc == EVS_E_VERSION : rc != 0;
	}
	T_CHECK(n > 2 && !wrong);
	if (wrong)
		printf("        %u of %ld\n", wrong, n);
}

int main(void)
{
	test_train();
	test_trained_oddly();
	test_named();
	test_places();
	make_columns(cols, 20);
	test_blocks();
	without("memory", training);
	without("memory", writing);
	without("memory", encoding);
	without("memory", reading);
	without("pread", reading);
	for (unsigned c = 0; c < 2; c++)
		evs_array_release(&cols[c]);
	evs_dictionary_release(&trained);
	return t_done();
}
