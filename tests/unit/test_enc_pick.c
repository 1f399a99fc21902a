/*
 * Rows picked of a column: the same as those of the whole, whatever it is encoded by; also of bytes
 * that are cut or changed, where both must come to the same end, and without memory. (Round trips
 * of sound columns are in all test_enc_*.c.)
 */
#include "format/enc_impl.h"
#include "tests/unit/enc_gen.h"
#include "tests/unit/fail.h"

#define ROWS 300u

/* Values that one kind or other likes. */
enum like {
	SMALL,
	RISING,
	FEW,
	RUN,
	PATCHY,
	STEPS,
	RANDOM,
	UUID,
	UUID7,
	HEX,
	INTS,
	TIMES,
	AFFIXED,
	LINES,
	PRICES
};

static uint64_t number(enum like like, uint32_t i)
{
	switch (like) {
	case SMALL:
		return 1000 + gen_below(50);
	case RISING:
		return 1700000000000 + (uint64_t)i * 1000 + gen_below(20);
	case FEW:
		return gen_below(5) * 1000003u;
	case RUN:
		return i / 40 * 77777;
	case PATCHY:
		return i % 97 ? gen_below(30) : gen_u64() >> 20;
	case STEPS:
		return 5000 + (uint64_t)gen_below(100) * 3600;
	default:
		return gen_u64();
	}
}

static size_t text(char *s, size_t cap, enum like like, uint32_t i)
{
	unsigned a = (unsigned)gen_u64(), b = gen_below(1u << 16), c = gen_below(1u << 30);

	switch (like) {
	case FEW:
		return (size_t)snprintf(s, cap, "value %u", gen_below(6));
	case INTS:
		return (size_t)snprintf(s, cap, "%d", (int)a);
	case TIMES:
		return (size_t)snprintf(s, cap, "2024-03-%02uT%02u:20:30.%03uZ", 1 + i / 20,
					gen_below(24), gen_below(1000));
	case HEX:
		return (size_t)snprintf(s, cap, "%08x%.*s", a, i % 3 ? 4 : 0, "beef");
	case UUID:
		return (size_t)snprintf(s, cap, "%08x-%04x-4111-8222-%012x", a, b, c);
	case AFFIXED:
		return (size_t)snprintf(s, cap, "https://host/%x/%x/%x.html", a, b, c);
	case LINES:
		return (size_t)snprintf(s, cap, "%s %x in %u ms",
					i % 4 ? "request" : "no answer to", a, b);
	default:
		return (size_t)snprintf(s, cap, "%x %x %x", a, b, c);
	}
}

static void put(struct evs_array *a, enum like like, uint32_t i)
{
	uint64_t id[2] = { gen_u64(), gen_u64() };
	char s[120] = "";
	int rc;

	switch (a->phys) {
	case EVS_INT:
		rc = evs_array_append_int(a, number(like, i));
		break;
	case EVS_FLOAT:
		rc = evs_array_append_float(a, like == PRICES ? gen_below(100000) / 100.0
							      : (double)gen_u64() / 3);
		break;
	case EVS_FIXED:
		memcpy(s, id, sizeof(id));
		if (like == FEW)
			memset(s, (int)gen_below(7), sizeof(id));
		s[6] = like == UUID7 ? 0x75 : 0x45;
		s[8] = (char)((s[8] & 0x3f) | 0x80);
		if (like == UUID7)
			for (unsigned k = 0; k < 6; k++)
				s[k] = (char)(number(RISING, i) >> (40 - 8 * k));
		if (like == RANDOM)
			memcpy(s, id, sizeof(id));
		rc = evs_array_append_fixed(a, s);
		break;
	default:
		rc = evs_array_append_bytes(a, s, text(s, sizeof(s), like, i));
	}
	if (rc < 0)
		abort();
}

static bool agrees(const struct evs_array *like, const uint8_t *p, size_t len, size_t limit,
		   long failing)
{
	struct evs_dec_ctx *d = NULL;
	struct evs_array all;
	struct evs_cur c = { p, p + len };
	const uint32_t at[] = { 0, 5, 96, 97, 130, ROWS - 1 };
	const char *why = NULL;
	bool ok;
	int rc, got;

	if (evs_dec_ctx_new(&d) || evs_array_init_like(&all, like))
		abort();
	rc = evs_column_decode(d, &c, like->rows, like->nulls, &all, &why);
	if (!limit && !failing) {
		ok = gen_picks_agree(d, p, len, like->rows, like->nulls, &all, rc,
				     (size_t)(c.p - p));
	} else { /* memory may do, or not; damage there is none */
		struct evs_array some, want;

		if (evs_array_init_like(&some, like) || evs_array_init_like(&want, like) ||
		    evs_array_take(&want, &all, at, 6))
			abort();
		c.p = p;
		why = NULL;
		d->limit = limit ? limit : d->limit;
		fail_begin("memory", failing, 0);
		got = evs_column_pick(d, &c, like->rows, like->nulls, at, 6, &some, &why);
		d->limit = EVS_DECODE_MAX_BYTES;
		ok = got == 0 ? gen_same(&some, &want)
			      : (got == EVS_E_LIMIT || got == EVS_E_NOMEM) && why;
		evs_array_release(&some);
		evs_array_release(&want);
	}
	evs_array_release(&all);
	evs_dec_ctx_free(d);
	return ok;
}

static void check(const char *name, const struct evs_array *a, uint8_t kind)
{
	static const uint8_t values[] = {
		0, 1, 2, EVS_NODE_RUNS, EVS_NODE_DICT, EVS_NODE_CONST, 0x7f, 0x80, 0xff
	};
	struct evs_enc_opts opts = { .force = kind };
	struct evs_enc_ctx *ctx = NULL;
	struct evs_buf out = { 0 };
	bool ok, hit = true;

	if (evs_enc_ctx_new(&ctx, &opts) || evs_column_encode(ctx, a, &out))
		abort();
	evs_enc_ctx_free(ctx);
	if (!a->nulls && !a->nchild)
		t_check(name, out.p[0] == kind);
	t_check(name, agrees(a, out.p, out.len, 0, 0));
	ok = true;
	for (size_t len = 0; ok && len < out.len; len += 1 + len / 40)
		ok = agrees(a, out.p, len, 0, 0);
	t_check("cut", ok);
	for (size_t i = 0; ok && i < out.len; i += 1 + i / 60)
		for (size_t to = 0; ok && to < sizeof(values); to++) {
			uint8_t own = out.p[i];

			out.p[i] = values[to];
			ok = agrees(a, out.p, out.len, 0, 0);
			out.p[i] = own;
		}
	t_check("changed", ok);
	for (long n = 1; ok && hit; n++) {
		ok = agrees(a, out.p, out.len, 0, n);
		hit = fail_end();
	}
	t_check("without memory", ok);
	for (size_t limit = 1; ok && limit < 40000; limit += 1 + limit / 30)
		ok = agrees(a, out.p, out.len, limit, 0);
	t_check("with little memory", ok);
	evs_buf_release(&out);
}

static void fill(struct evs_array *a, enum like like, bool nulls)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		if (!nulls || (i % 7 != 3 && i / 30 != 4))
			put(a, like, i);
		else if (evs_array_append_null(a) < 0)
			abort();
	}
}

static void test_kinds(void)
{
	static const struct {
		const char *name;
		enum evs_phys phys;
		uint16_t width;
		uint8_t kind;
		enum like like;
	} tests[] = {
		{ "plain numbers", EVS_INT, 8, EVS_NODE_PLAIN, RANDOM },
		{ "packed numbers", EVS_INT, 4, EVS_NODE_PACKED, SMALL },
		{ "packed bytes", EVS_INT, 1, EVS_NODE_PACKED, SMALL },
		{ "patched numbers", EVS_INT, 8, EVS_NODE_PATCHED, PATCHY },
		{ "blocks of numbers", EVS_INT, 2, EVS_NODE_BLOCKS, PATCHY },
		{ "differences", EVS_INT, 8, EVS_NODE_DELTA, RISING },
		{ "differences of them", EVS_INT, 8, EVS_NODE_DELTA2, RISING },
		{ "scaled numbers", EVS_INT, 8, EVS_NODE_SCALED, STEPS },
		{ "planes of numbers", EVS_INT, 8, EVS_NODE_PLANES, RISING },
		{ "codes of numbers", EVS_INT, 8, EVS_NODE_DICT, FEW },
		{ "runs of numbers", EVS_INT, 8, EVS_NODE_RUNS, RUN },
		{ "patterns of floats", EVS_FLOAT, 8, EVS_NODE_PLAIN, RANDOM },
		{ "decimals", EVS_FLOAT, 8, EVS_NODE_DECIMAL, PRICES },
		{ "plain ids", EVS_FIXED, 16, EVS_NODE_PLAIN, RANDOM },
		{ "planes of ids", EVS_FIXED, 16, EVS_NODE_PLANES, RANDOM },
		{ "codes of ids", EVS_FIXED, 16, EVS_NODE_DICT, FEW },
		{ "UUIDs", EVS_FIXED, 16, EVS_NODE_UUID, UUID },
		{ "UUIDs of a time", EVS_FIXED, 16, EVS_NODE_UUID, UUID7 },
		{ "plain texts", EVS_BYTES, 0, EVS_NODE_PLAIN, RANDOM },
		{ "codes of texts", EVS_BYTES, 0, EVS_NODE_DICT, FEW },
		{ "UUIDs as text", EVS_BYTES, 0, EVS_NODE_UUID_TEXT, UUID },
		{ "hex", EVS_BYTES, 0, EVS_NODE_HEX_TEXT, HEX },
		{ "numbers as text", EVS_BYTES, 0, EVS_NODE_INT_TEXT, INTS },
		{ "times as text", EVS_BYTES, 0, EVS_NODE_TIME_TEXT, TIMES },
		{ "texts with a prefix", EVS_BYTES, 0, EVS_NODE_AFFIX, AFFIXED },
		{ "texts with gaps", EVS_BYTES, 0, EVS_NODE_TEMPLATE, LINES },
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		for (unsigned nulls = 0; nulls < 2; nulls++) {
			struct evs_array a;

			evs_array_init(&a, tests[i].phys, tests[i].width, true);
			fill(&a, tests[i].like, nulls);
			check(tests[i].name, &a, tests[i].kind);
			evs_array_release(&a);
		}
}

/* Lists of texts and maps of texts to numbers, some of them empty, null, or with nulls. */
static void test_nested(void)
{
	for (unsigned map = 0; map < 2; map++) {
		struct evs_array a;

		if (evs_array_init_nested(&a, map ? EVS_MAP : EVS_LIST))
			abort();
		evs_array_init(&a.child[0], EVS_BYTES, 0, false);
		if (map)
			evs_array_init(&a.child[1], EVS_INT, 4, true);
		for (uint32_t i = 0; i < ROWS; i++) {
			for (uint32_t k = gen_below(4); k > 0; k--) {
				if (!map && k == 2 && evs_array_append_null(&a.child[0]) < 0)
					abort();
				if (map || k != 2)
					put(&a.child[0], FEW, i);
				if (map && (k == 1 ? evs_array_append_null(&a.child[1])
						   : evs_array_append_int(&a.child[1], i)) < 0)
					abort();
			}
			if (evs_array_close_row(&a) < 0 ||
			    (i % 50 == 7 && evs_array_append_null(&a) < 0))
				abort();
			i += i % 50 == 7;
		}
		check(map ? "maps" : "lists", &a, 0);
		evs_array_release(&a);
	}
}

int main(void)
{
	test_kinds();
	test_nested();
	return t_done();
}
