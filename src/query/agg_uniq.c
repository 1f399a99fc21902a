/*
 * uniq: how many different values, exactly while they are few, then by HyperLogLog.
 *
 * Few: a set of hashes, in an open-addressing table without order. Many: 2^14 registers, each the
 * longest run of leading zeros seen; the estimate is Ertl's (2017, "New cardinality estimation
 * algorithms for HyperLogLog sketches"), which needs no tables of corrections. The state depends on
 * the set of values alone, not on their order.
 */
#include "src/query/agg_state.h"
#include "src/query/row_bytes.h"

#include <math.h>
#include <stdlib.h>

#define UNIQ_EXACT 1024u
#define UNIQ_BITS  14u
#define UNIQ_REGS  (1u << UNIQ_BITS)

struct uniq {
	uint64_t *hash; /* slots, 0 is free; NULL once there are registers */
	uint8_t *reg;
	uint32_t n, slots; /* n: values in `hash` */
	bool zero;	   /* the hash 0 was seen */
};

static unsigned uniq_columns(struct evs_agg *a, struct evs_type *type)
{
	static struct evs_type hashes = { .id = EVS_T_UINT64 }, regs = { .id = EVS_T_UINT8 };

	(void)a;
	type[0] = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { &hashes } };
	type[1] = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { &regs } };
	return 2;
}

static void add_register(struct uniq *u, uint64_t h)
{
	uint32_t at = (uint32_t)(h >> (64 - UNIQ_BITS));
	uint64_t rest = h << UNIQ_BITS | (uint64_t)1 << (UNIQ_BITS - 1);
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);

	if (rank > u->reg[at])
		u->reg[at] = rank;
}

/* Put a hash into slots that have room. */
static bool put_slot(uint64_t *slot, uint32_t slots, uint64_t h)
{
	uint32_t i = (uint32_t)h & (slots - 1);

	while (slot[i] && slot[i] != h)
		i = (i + 1) & (slots - 1);
	if (slot[i])
		return false;
	slot[i] = h;
	return true;
}

static int grow(struct evs_agg *a, struct uniq *u)
{
	uint32_t slots = u->slots ? u->slots * 2 : 8;
	uint64_t *hash = calloc(slots, sizeof(*hash));

	if (!hash)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < u->slots; i++)
		if (u->hash[i])
			put_slot(hash, slots, u->hash[i]);
	a->heap += (slots - u->slots) * sizeof(*hash);
	free(u->hash);
	u->hash = hash;
	u->slots = slots;
	return 0;
}

static int to_registers(struct evs_agg *a, struct uniq *u)
{
	u->reg = calloc(UNIQ_REGS, 1);
	if (!u->reg)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < u->slots; i++)
		if (u->hash[i])
			add_register(u, u->hash[i]);
	if (u->zero)
		add_register(u, 0);
	a->heap += UNIQ_REGS - u->slots * sizeof(*u->hash);
	free(u->hash);
	u->hash = NULL;
	u->slots = 0;
	return 0;
}

static int add_hash(struct evs_agg *a, struct uniq *u, uint64_t h)
{
	if (u->reg) {
		add_register(u, h);
		return 0;
	}
	if (!h) {
		u->zero = true;
		return 0;
	}
	if (u->n * 2 >= u->slots && grow(a, u) < 0)
		return EVS_E_NOMEM;
	u->n += put_slot(u->hash, u->slots, h);
	return u->n + u->zero > UNIQ_EXACT ? to_registers(a, u) : 0;
}

static int uniq_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct uniq *u = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		uint64_t h = 0;

		for (size_t c = 0; c < a->call->narg; c++)
			h = evs_row_hash(r->arg[c], i, h);
		if (add_hash(a, &u[agg_gid(r, i)], h) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int uniq_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	const struct uniq *u = state;
	int rc = 0;

	(void)a;
	for (uint32_t i = 0; i < u->slots && rc == 0; i++)
		if (u->hash[i])
			rc = evs_array_append_int(&cols[0].child[0], u->hash[i]);
	if (rc == 0 && u->zero && !u->reg)
		rc = evs_array_append_int(&cols[0].child[0], 0);
	if (rc == 0)
		rc = evs_array_close_row(&cols[0]);
	for (uint32_t i = 0; u->reg && i < UNIQ_REGS && rc == 0; i++)
		rc = evs_array_append_int(&cols[1].child[0], u->reg[i]);
	return rc < 0 ? rc : evs_array_close_row(&cols[1]);
}

static int uniq_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	uint32_t from = (uint32_t)cols[1].offs[row], n = (uint32_t)cols[1].offs[row + 1] - from;
	struct uniq *u = state;

	if (n && n != UNIQ_REGS)
		return EVS_E_FORMAT;
	if (n && !u->reg && to_registers(a, u) < 0)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t rank = cols[1].child[0].data[from + i];

		if (rank > 64 - UNIQ_BITS + 1)
			return EVS_E_FORMAT;
		if (rank > u->reg[i])
			u->reg[i] = rank;
	}
	for (uint32_t i = (uint32_t)cols[0].offs[row]; i < (uint32_t)cols[0].offs[row + 1]; i++)
		if (add_hash(a, u, evs_array_int(&cols[0].child[0], i)) < 0)
			return EVS_E_NOMEM;
	return 0;
}

static double sigma(double x)
{
	double y = 1, z = x, before;

	if (x == 1)
		return INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double tau(double x)
{
	double y = 1, z = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

static uint64_t estimate(const uint8_t *reg)
{
	enum { Q = 64 - UNIQ_BITS };
	uint32_t count[Q + 2] = { 0 };
	double m = UNIQ_REGS, z;

	for (uint32_t i = 0; i < UNIQ_REGS; i++)
		count[reg[i]]++;
	z = m * tau(1 - count[Q + 1] / m);
	for (unsigned k = Q; k >= 1; k--)
		z = 0.5 * (z + count[k]);
	z += m * sigma(count[0] / m);
	return (uint64_t)(m * m / (2 * log(2)) / z + 0.5);
}

static int uniq_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
		       const char **why)
{
	const struct uniq *u = state;

	(void)a;
	(void)why;
	return evs_array_append_int(out, u->reg ? estimate(u->reg) : (uint64_t)u->n + u->zero);
}

static void uniq_drop(struct evs_agg *a, void *state)
{
	struct uniq *u = state;

	(void)a;
	free(u->hash);
	free(u->reg);
}

const struct agg_ops evs_agg_uniq = {
	.size = sizeof(struct uniq),
	.columns = uniq_columns,
	.update = uniq_update,
	.save = uniq_save,
	.merge = uniq_merge,
	.finish = uniq_finish,
	.drop = uniq_drop,
};
