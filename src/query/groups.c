/*
 * The hash table of groups. See groups.h.
 *
 * Keys that together take at most 16 bytes are packed into two words; a single short one needs no
 * hashing at all. All others are written one after the other (row_bytes.h) into an arena.
 *
 * A slot holds the upper half of the hash and the group's number + 1; keys are looked at only when
 * that half agrees.
 */
#include "src/query/groups_state.h"
#include "src/query/row_bytes.h"

#include <stdlib.h>

#define FIRST_SLOTS 256u
#define SOON	    32768u /* twice the groups that a batch may add: slots are doubled soon */
#define AHEAD	    12u	   /* rows that slots are fetched in advance for */
#define RECENT_BITS 11u

/* ---- making ---------------------------------------------------------------------------------- */

static enum mode choose_mode(const struct evs_groups *g)
{
	size_t width = 0, nulls = 0;

	for (size_t k = 0; k < g->nkey; k++) {
		struct evs_array a;
		bool fixed;

		if (evs_type_array(g->key[k].type, &a) < 0)
			return BYTES_MODE;
		fixed = a.phys == EVS_INT || a.phys == EVS_FLOAT || a.phys == EVS_FIXED;
		width += fixed ? a.width : 17;
		nulls += g->key[k].nullable;
		if (g->nkey == 1 && a.phys == EVS_INT && a.width <= 2)
			return DIRECT_MODE;
		evs_array_release(&a);
	}
	return width + (nulls + 7) / 8 <= 16 ? PACKED_MODE : BYTES_MODE;
}

int evs_groups_new(struct evs_groups **out, const struct evs_groups_key *key, size_t nkey)
{
	struct evs_groups *g = calloc(1, sizeof(*g));

	if (!g)
		return EVS_E_NOMEM;
	g->key = malloc(nkey * sizeof(*key));
	if (!g->key) {
		free(g);
		return EVS_E_NOMEM;
	}
	memcpy(g->key, key, nkey * sizeof(*key));
	g->nkey = nkey;
	g->mode = choose_mode(g);
	*out = g;
	return 0;
}

void evs_groups_reset(struct evs_groups *g)
{
	if (g->direct)
		memset(g->direct, 0, (EVS_GROUPS_DIRECT + 1) * sizeof(*g->direct));
	if (g->at)
		g->at[0] = 0;
	if (g->recent)
		memset(g->recent, 0, sizeof(*g->recent) << RECENT_BITS);
	evs_buf_reset(&g->bytes);
	g->slots = g->n = 0;
}

void evs_groups_clear(struct evs_groups *g)
{
	free(g->slot);
	free(g->direct);
	free(g->recent);
	free(g->pack);
	free(g->at);
	free(g->full);
	evs_buf_release(&g->bytes);
	g->slot = NULL;
	g->direct = NULL;
	g->recent = NULL;
	g->pack = NULL;
	g->at = NULL;
	g->full = NULL;
	g->slots = g->slot_cap = g->n = g->cap = 0;
}

void evs_groups_free(struct evs_groups *g)
{
	if (!g)
		return;
	evs_groups_clear(g);
	evs_buf_release(&g->line);
	free(g->row);
	free(g->hash);
	free(g->start);
	free(g->key);
	free(g);
}

void evs_groups_freeze(struct evs_groups *g)
{
	g->frozen = true;
}

uint32_t evs_groups_count(const struct evs_groups *g)
{
	return g->n;
}

size_t evs_groups_memory(const struct evs_groups *g)
{
	size_t per = g->mode == BYTES_MODE ? sizeof(size_t) + 8 : sizeof(struct packed);
	size_t slots = (uint64_t)g->n * 2 + SOON >= g->slots ? 2 * (size_t)g->slots : g->slots;

	return slots * sizeof(*g->slot) + (g->recent ? sizeof(*g->recent) << RECENT_BITS : 0) +
	       (g->direct ? EVS_GROUPS_DIRECT * sizeof(*g->direct) : 0) + g->n * per + g->bytes.len;
}

int evs_groups_need(struct evs_groups *g, uint32_t n)
{
	uint32_t cap = g->cap + (g->cap >> 1) + 64;

	if (n <= g->cap)
		return 0;
	if (g->mode == BYTES_MODE) {
		size_t *at = realloc(g->at, ((size_t)cap + 1) * sizeof(*at));
		uint64_t *full;

		if (!at)
			return EVS_E_NOMEM;
		g->at = at;
		full = realloc(g->full, cap * sizeof(*full));
		if (!full)
			return EVS_E_NOMEM;
		g->full = full;
		g->at[g->n] = g->bytes.len;
	} else {
		struct packed *pack = realloc(g->pack, cap * sizeof(*pack));

		if (!pack)
			return EVS_E_NOMEM;
		g->pack = pack;
	}
	g->cap = cap;
	return 0;
}

static uint64_t packed_hash(struct packed p)
{
	uint64_t h = (p.lo ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	h = (h ^ h >> 32 ^ p.hi) * 0x94d049bb133111ebu;
	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
	return h ^ h >> 32;
}

uint64_t evs_groups_hash(const struct evs_groups *g, uint32_t id)
{
	return g->mode == BYTES_MODE ? g->full[id] : packed_hash(g->pack[id]);
}

/* Twice the slots; groups find theirs again by their keys, so the old ones are not needed. */
static int grow_slots(struct evs_groups *g)
{
	uint32_t slots = g->slots ? g->slots * 2 : FIRST_SLOTS;

	g->slots = 0;
	if (slots > g->slot_cap) {
		free(g->slot);
		g->slot = malloc(slots * sizeof(*g->slot));
		g->slot_cap = g->slot ? slots : 0;
		if (!g->slot)
			return EVS_E_NOMEM;
	}
	memset(g->slot, 0, slots * sizeof(*g->slot));
	for (uint32_t id = 0; id < g->n; id++) {
		uint64_t h = evs_groups_hash(g, id);
		uint32_t i = (uint32_t)h & (slots - 1);

		while (g->slot[i])
			i = (i + 1) & (slots - 1);
		g->slot[i] = (h >> 32) << 32 | (id + 1);
	}
	g->slots = slots;
	return 0;
}

/* Room for one more group before slots are looked at. */
static int ready(struct evs_groups *g)
{
	if (g->n >= UINT32_MAX / 4)
		return EVS_E_NOMEM;
	if ((uint64_t)g->n * 2 >= g->slots && grow_slots(g) < 0)
		return EVS_E_NOMEM;
	return evs_groups_need(g, g->n + 1);
}

/* ---- packed keys ----------------------------------------------------------------------------- */

static inline void or_in(struct packed *p, uint64_t v, unsigned shift)
{
	if (shift < 64) {
		p->lo |= v << shift;
		if (shift)
			p->hi |= v >> (64 - shift);
	} else {
		p->hi |= v << (shift - 64);
	}
}

/* One key of up to 8 bytes of all rows into place. */
#define PACK(type)                                                                                 \
	for (uint32_t i = 0; i < rows; i++) {                                                      \
		type v;                                                                            \
                                                                                                   \
		memcpy(&v, a->data + (size_t)i * sizeof(v), sizeof(v));                            \
		or_in(&row[i], v, shift);                                                          \
	}                                                                                          \
	break

static void pack_column(struct packed *row, const struct evs_array *a, uint32_t rows,
			unsigned shift)
{
	if (a->phys == EVS_FLOAT) {
		for (uint32_t i = 0; i < rows; i++) {
			uint64_t v = evs_float_key(evs_array_float(a, i));
			float f;
			uint32_t v32;

			if (a->width == 4) { /* one zero and one NaN here too */
				memcpy(&f, &(float){ (float)evs_array_float(a, i) + 0.0f }, 4);
				memcpy(&v32, &f, 4);
				v = f != f ? 0x7fc00000u : v32;
			}
			or_in(&row[i], v, shift);
		}
		return;
	}
	switch (a->width) {
	case 1:
		PACK(uint8_t);
	case 2:
		PACK(uint16_t);
	case 4:
		PACK(uint32_t);
	case 8:
		PACK(uint64_t);
	default:
		for (uint32_t i = 0; i < rows; i++)
			for (unsigned b = 0; b < a->width; b++)
				or_in(&row[i], a->data[(size_t)i * a->width + b], shift + 8 * b);
	}
}

/* A bit for every nullable key that is null; the value's bits are zero then. */
static void pack_rows(const struct evs_groups *g, const struct evs_array *const *key, uint32_t rows)
{
	unsigned shift = 0, bit = 0;

	memset(g->row, 0, rows * sizeof(*g->row));
	for (size_t k = 0; k < g->nkey; k++) {
		pack_column(g->row, key[k], rows, shift);
		shift += 8u * key[k]->width;
	}
	for (size_t k = 0; k < g->nkey; k++) {
		if (!g->key[k].nullable)
			continue;
		for (uint32_t i = 0; key[k]->valid && i < rows; i++)
			if (evs_array_is_null(key[k], i))
				or_in(&g->row[i], 1, shift + bit);
		bit++;
	}
	/* put_packed() goes the same way back. */
}

static int add_packed(struct evs_groups *g, struct packed p, uint64_t h, uint32_t *id)
{
	uint32_t i = (uint32_t)h & (g->slots - 1);
	uint64_t tag = h >> 32;

	for (; g->slot[i]; i = (i + 1) & (g->slots - 1)) {
		uint32_t at = (uint32_t)g->slot[i] - 1;

		if (g->slot[i] >> 32 == tag && g->pack[at].lo == p.lo && g->pack[at].hi == p.hi) {
			*id = at;
			return 0;
		}
	}
	*id = UINT32_MAX;
	if (g->frozen)
		return 0;
	g->pack[g->n] = p;
	*id = g->n++;
	g->slot[i] = tag << 32 | g->n;
	return ready(g);
}

/* One key of 8 bytes without NULLs is packed as it stands. */
static bool is_plain(const struct evs_groups *g, const struct evs_array *const *key)
{
	return g->nkey == 1 && key[0]->phys == EVS_INT && key[0]->width == 8 && !key[0]->valid;
}

/* Most rows have a key of a short while ago, such as an hour's: those need no hash and no look at a
 * group. */
static int find_plain(struct evs_groups *g, const struct evs_array *a, uint32_t rows, uint32_t *id)
{
	if (!g->recent && !(g->recent = calloc((size_t)1 << RECENT_BITS, sizeof(*g->recent))))
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < rows; i++) {
		struct packed p = { 0, 0 };
		struct recent *r;

		memcpy(&p.lo, a->data + (size_t)i * 8, 8);
		r = &g->recent[p.lo * 0x9e3779b97f4a7c15u >> (64 - RECENT_BITS)];
		if (r->key == p.lo && r->next) {
			id[i] = r->next - 1;
			continue;
		}
		if (add_packed(g, p, packed_hash(p), &id[i]) < 0)
			return EVS_E_NOMEM;
		*r = (struct recent){ p.lo, id[i] + 1 };
	}
	return 0;
}

static int find_packed(struct evs_groups *g, const struct evs_array *const *key, uint32_t rows,
		       uint32_t *id)
{
	struct packed last = { 0, 0 };
	uint32_t last_id = UINT32_MAX;

	if (is_plain(g, key))
		return find_plain(g, key[0], rows, id);
	pack_rows(g, key, rows);
	for (uint32_t i = 0; i < rows; i++) {
		struct packed p = g->row[i];

		if (p.lo == last.lo && p.hi == last.hi && last_id != UINT32_MAX) {
			id[i] = last_id;
			continue;
		}
		if (add_packed(g, p, packed_hash(p), &id[i]) < 0)
			return EVS_E_NOMEM;
		last = p;
		last_id = id[i];
	}
	return 0;
}

/* ---- keys as bytes --------------------------------------------------------------------------- */

static int write_rows(struct evs_groups *g, const struct evs_array *const *key, uint32_t rows)
{
	evs_buf_reset(&g->line);
	for (uint32_t i = 0; i < rows; i++) {
		if (g->line.len > UINT32_MAX / 2)
			return EVS_E_NOMEM;
		g->start[i] = (uint32_t)g->line.len;
		for (size_t k = 0; k < g->nkey; k++)
			evs_row_put(&g->line, key[k], i);
	}
	g->start[rows] = (uint32_t)g->line.len;
	if (!evs_buf_ok(&g->line))
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < rows; i++)
		g->hash[i] = evs_bytes_hash(g->line.p + g->start[i], g->start[i + 1] - g->start[i]);
	return 0;
}

static int add_bytes(struct evs_groups *g, const uint8_t *p, size_t n, uint64_t h, uint32_t *id)
{
	uint32_t i = (uint32_t)h & (g->slots - 1);
	uint64_t tag = h >> 32;

	for (; g->slot[i]; i = (i + 1) & (g->slots - 1)) {
		uint32_t at = (uint32_t)g->slot[i] - 1;

		if (g->slot[i] >> 32 == tag && g->at[at + 1] - g->at[at] == n &&
		    !memcmp(g->bytes.p + g->at[at], p, n)) {
			*id = at;
			return 0;
		}
	}
	*id = UINT32_MAX;
	if (g->frozen)
		return 0;
	evs_buf_put(&g->bytes, p, n);
	if (!evs_buf_ok(&g->bytes))
		return EVS_E_NOMEM;
	g->full[g->n] = h;
	*id = g->n++;
	g->at[g->n] = g->bytes.len;
	g->slot[i] = tag << 32 | g->n;
	return ready(g);
}

static int find_bytes(struct evs_groups *g, const struct evs_array *const *key, uint32_t rows,
		      uint32_t *id)
{
	if (write_rows(g, key, rows) < 0)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < rows; i++) {
		if (i + AHEAD < rows)
			__builtin_prefetch(&g->slot[(uint32_t)g->hash[i + AHEAD] & (g->slots - 1)]);
		if (add_bytes(g, g->line.p + g->start[i], g->start[i + 1] - g->start[i], g->hash[i],
			      &id[i]) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* ---- finding --------------------------------------------------------------------------------- */

static int need_rows(struct evs_groups *g, uint32_t rows)
{
	if (rows <= g->row_cap)
		return 0;
	free(g->row);
	free(g->hash);
	free(g->start);
	g->row = NULL;
	g->hash = NULL;
	g->start = NULL;
	g->row_cap = 0;
	if (g->mode == PACKED_MODE && !(g->row = malloc(rows * sizeof(*g->row))))
		return EVS_E_NOMEM;
	if (g->mode == BYTES_MODE && (!(g->hash = malloc(rows * sizeof(*g->hash))) ||
				      !(g->start = malloc(((size_t)rows + 1) * sizeof(*g->start)))))
		return EVS_E_NOMEM;
	g->row_cap = rows;
	return 0;
}

int evs_groups_find(struct evs_groups *g, const struct evs_array *const *key, uint32_t rows,
		    uint32_t *id)
{
	if (need_rows(g, rows) < 0)
		return EVS_E_NOMEM;
	if (g->mode == DIRECT_MODE)
		return evs_groups_find_direct(g, key[0], rows, id);
	if (ready(g) < 0)
		return EVS_E_NOMEM;
	return g->mode == PACKED_MODE ? find_packed(g, key, rows, id)
				      : find_bytes(g, key, rows, id);
}

/* ---- keys back ------------------------------------------------------------------------------- */

static uint64_t bits_at(struct packed p, unsigned shift)
{
	if (shift >= 64)
		return p.hi >> (shift - 64);
	return p.lo >> shift | (shift ? p.hi << (64 - shift) : 0);
}

static int put_value(struct packed p, unsigned shift, struct evs_array *out)
{
	uint64_t v = bits_at(p, shift);
	uint32_t v32 = (uint32_t)v;
	uint8_t raw[16];
	double d;
	float f;

	switch (out->phys) {
	case EVS_INT:
		return evs_array_append_int(out, v);
	case EVS_FLOAT:
		memcpy(&f, &v32, 4);
		memcpy(&d, &v, 8);
		return evs_array_append_float(out, out->width == 4 ? (double)f : d);
	default:
		for (unsigned b = 0; b < out->width; b++)
			raw[b] = (uint8_t)bits_at(p, shift + 8 * b);
		return evs_array_append_fixed(out, raw);
	}
}

static int put_packed(const struct evs_groups *g, struct packed p, struct evs_array *key)
{
	unsigned shift = 0, null = 0;

	for (size_t k = 0; k < g->nkey; k++)
		null += 8u * key[k].width;
	for (size_t k = 0; k < g->nkey; k++) {
		bool is_null = g->key[k].nullable && (bits_at(p, null++) & 1);
		int rc = is_null ? evs_array_append_null(&key[k]) : put_value(p, shift, &key[k]);

		if (rc < 0)
			return rc;
		shift += 8u * key[k].width;
	}
	return 0;
}

static int put_direct(struct packed p, struct evs_array *key)
{
	return p.lo == EVS_GROUPS_DIRECT ? evs_array_append_null(key)
					 : evs_array_append_int(key, p.lo);
}

static int put_bytes(const struct evs_groups *g, uint32_t id, struct evs_array *key)
{
	struct evs_cur c = { g->bytes.p + g->at[id], g->bytes.p + g->at[id + 1] };

	for (size_t k = 0; k < g->nkey; k++)
		if (evs_row_get(&c, &key[k]) < 0)
			return EVS_E_NOMEM;
	return 0;
}

int evs_groups_keys(const struct evs_groups *g, const uint32_t *id, uint32_t n,
		    struct evs_array *key)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = g->mode == DIRECT_MODE   ? put_direct(g->pack[id[i]], key)
		     : g->mode == PACKED_MODE ? put_packed(g, g->pack[id[i]], key)
					      : put_bytes(g, id[i], key);
	return rc;
}
