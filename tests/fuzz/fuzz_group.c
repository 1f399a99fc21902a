/*
 * Fuzz: a GROUP payload. The first byte picks the columns' shape, then come fixed part, directory
 * and blocks, whose checksums are mended; every column is decoded under a memory limit.
 */
#include "format/group.h"

#include <stdlib.h>
#include <xxhash.h>

#define LIMIT	    ((size_t)4 << 20)
#define MAX_ROWS    65536u /* more rows show nothing new and are slow */
#define MAX_COLUMNS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool init_shape(struct evs_array *a, uint8_t k)
{
	static const uint16_t ints[] = { 1, 2, 4, 8 };

	memset(a, 0, sizeof(*a));
	switch (k % 8) {
	case 0:
		evs_array_init(a, EVS_INT, ints[k / 8 % 4], k & 128);
		return true;
	case 1:
		evs_array_init(a, EVS_FLOAT, k & 8 ? 4 : 8, true);
		return true;
	case 2:
		evs_array_init(a, EVS_FIXED, (uint16_t)(1 + k / 8), false);
		return true;
	case 3:
	case 4:
		evs_array_init(a, EVS_BYTES, 0, false);
		return true;
	case 5:
		evs_array_init(a, EVS_FIXED, 16, false);
		return true;
	case 6:
		if (evs_array_init_nested(a, EVS_LIST) < 0)
			return false;
		return init_shape(a->child, k / 8); /* ends: k shrinks */
	default:
		if (evs_array_init_nested(a, EVS_MAP) < 0)
			return false;
		evs_array_init(&a->child[0], EVS_BYTES, 0, false);
		evs_array_init(&a->child[1], EVS_INT, 8, true);
		return true;
	}
}

static void decode_columns(const struct evs_group *g, const uint8_t *payload, uint8_t k)
{
	struct evs_decoder *d = NULL;
	struct evs_array a;

	if (evs_decoder_new(&d) < 0)
		return;
	evs_decoder_set_limit(d, LIMIT);
	for (uint16_t i = 0; i < g->columns && i < MAX_COLUMNS; i++) {
		const struct evs_block *b = evs_group_find(g, i);
		const char *why = NULL;
		int rc = EVS_E_NOMEM;

		if (init_shape(&a, (uint8_t)(k + i)))
			rc = evs_group_column(d, g, b, b ? payload + b->at : NULL, i, &a, &why);
		if (rc == 0 && a.rows != g->rows)
			abort();
		if (rc < 0 && rc != EVS_E_NOMEM && !why)
			abort();
		evs_array_release(&a);
	}
	evs_decoder_free(d);
}

/* Give every directory entry the checksum of the bytes it names. */
static void mend(uint8_t *p, size_t len)
{
	size_t n = evs_get16(p + 22), at = sizeof(struct evs_group_raw);
	size_t block = at + n * sizeof(struct evs_block_raw);

	for (; n && at + sizeof(struct evs_block_raw) <= len; n--) {
		uint32_t stored = evs_get32(p + at + 4);

		if (block > len || stored > len - block)
			return;
		evs_put64(p + at + 16, XXH3_64bits(p + block, stored));
		block += stored;
		at += sizeof(struct evs_block_raw);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct evs_group g;
	const char *why = NULL;
	uint32_t summed;
	uint8_t *p;

	if (len < 1 + sizeof(struct evs_group_raw) || len > UINT32_MAX)
		return 0;
	p = malloc(len - 1);
	if (!p)
		return 0;
	memcpy(p, data + 1, len - 1);
	mend(p, len - 1);
	summed = (uint32_t)(sizeof(struct evs_group_raw) +
			    evs_get16(p + 22) * sizeof(struct evs_block_raw));
	if (summed <= len - 1) {
		if (evs_group_decode(&g, p, summed, len - 1, &why) == 0 && g.rows <= MAX_ROWS)
			decode_columns(&g, p, data[0]);
		evs_group_release(&g);
	}
	free(p);
	return 0;
}
