/*
 * Nodes inside each other, as deep as they may lie and one deeper (spec 6.1-3): dictionaries of one
 * value, whose value is a dictionary of one value, and so on; by themselves, and as a part of each
 * other node.
 */
#include "format/enc_decimal.h"
#include "tests/unit/enc_gen.h"

static const struct {
	const char *name;
	enum evs_phys phys;
	uint16_t width;
	uint8_t plain[4]; /* a plain node of one value */
	size_t plain_len;
	unsigned most; /* dictionaries around it */
} shapes[] = {
	{ "integers", EVS_INT, 1, { EVS_NODE_PLAIN, 7 }, 2, 7 },
	{ "fixed", EVS_FIXED, 1, { EVS_NODE_PLAIN, 7 }, 2, 7 },
	/* its lengths are a node of their own */
	{ "texts", EVS_BYTES, 0, { EVS_NODE_PLAIN, EVS_NODE_CONST, 2, 7 }, 4, 6 },
};

static struct evs_trace trace;

/* A column of one row from these bytes, which are given back: its first byte, or how it ends. */
static int decode_row(struct evs_buf *b, enum evs_phys phys, uint16_t width, const char **why,
		      uint8_t *value)
{
	struct evs_dec_ctx *d = NULL;
	struct evs_array a;
	struct evs_cur c = { b->p, b->p + b->len };
	int rc;

	if (evs_dec_ctx_new(&d))
		abort();
	evs_array_init(&a, phys, width, false);
	*why = "";
	trace = (struct evs_trace){ 0 };
	evs_dec_ctx_trace(d, &trace);
	rc = evs_column_decode(d, &c, 1, 0, &a, why);
	if (rc == 0 && (a.rows != 1 || evs_cur_left(&c)))
		rc = 1;
	*value = rc == 0 ? a.data[0] : 0;
	evs_array_release(&a);
	evs_dec_ctx_free(d);
	evs_buf_release(b);
	return rc;
}

/* The bytes in front and behind each of `deep` dictionaries. */
static const uint8_t opens[] = { EVS_NODE_DICT, 1 }, codes[] = { EVS_NODE_PLAIN, 0 };

static int decode(size_t shape, unsigned deep, const char **why, uint8_t *value)
{
	struct evs_buf b = { 0 };

	for (unsigned i = 0; i < deep; i++)
		evs_buf_put(&b, opens, sizeof(opens));
	evs_buf_put(&b, shapes[shape].plain, shapes[shape].plain_len);
	for (unsigned i = 0; i < deep; i++)
		evs_buf_put(&b, codes, sizeof(codes));
	return decode_row(&b, shapes[shape].phys, shapes[shape].width, why, value);
}

/* One row, of a node of which the numbers in the middle are such dictionaries; the node is one
 * level of the depth. */
static const struct {
	const char *name;
	enum evs_phys phys;
	uint16_t width, number; /* bytes */
	uint8_t front[16];
	uint8_t front_len;
	uint8_t value; /* of the number */
	uint8_t behind[24];
	uint8_t behind_len;
} parents[] = {
	{ "values of runs",
	  EVS_INT,
	  4,
	  4,
	  { EVS_NODE_RUNS, 1 },
	  2,
	  9,
	  { EVS_NODE_PLAIN, 1, 0, 0, 0 },
	  5 },
	{ "lengths of runs",
	  EVS_INT,
	  4,
	  4,
	  { EVS_NODE_RUNS, 1, EVS_NODE_PLAIN, 9, 0, 0, 0 },
	  7,
	  1,
	  { 0 },
	  0 },
	{ "digits of a decimal", EVS_FLOAT, 8, 8, { EVS_NODE_DECIMAL, 0 }, 2, 9, { 0 }, 0 },
	{ "ulps of a decimal",
	  EVS_FLOAT,
	  8,
	  1,
	  { EVS_NODE_DECIMAL, EVS_DECIMAL_ULPS, EVS_NODE_PLAIN, 9, 0, 0, 0, 0, 0, 0, 0 },
	  11,
	  0,
	  { 0 },
	  0 },
	{ "exponents of a decimal",
	  EVS_FLOAT,
	  8,
	  1,
	  { EVS_NODE_DECIMAL, EVS_DECIMAL_E_BLOCKS },
	  2,
	  3,
	  { EVS_NODE_PLAIN, 9, 0, 0, 0, 0, 0, 0, 0 },
	  9 },
	{ "places of exceptions",
	  EVS_FLOAT,
	  8,
	  4,
	  { EVS_NODE_DECIMAL, EVS_DECIMAL_EXCEPTIONS, EVS_NODE_PLAIN, 9, 0, 0, 0, 0, 0, 0, 0, 1 },
	  12,
	  0,
	  { EVS_NODE_PLAIN, 9, 0, 0, 0, 0, 0, 0, 0 },
	  9 },
	{ "exceptions of a decimal",
	  EVS_FLOAT,
	  8,
	  8,
	  { EVS_NODE_DECIMAL, EVS_DECIMAL_EXCEPTIONS, EVS_NODE_CONST, 18, 1, EVS_NODE_CONST, 0 },
	  7,
	  9,
	  { 0 },
	  0 },
	{ "lengths of texts", EVS_BYTES, 0, 4, { EVS_NODE_PLAIN }, 1, 2, { 'a', 'b' }, 2 },
	{ "lengths of hex", EVS_BYTES, 0, 4, { EVS_NODE_HEX_TEXT }, 1, 2, { 0xab, 0xcd }, 2 },
	{ "integers as text", EVS_BYTES, 0, 8, { EVS_NODE_INT_TEXT }, 1, 9, { 0 }, 0 },
	{ "times as text", EVS_BYTES, 0, 8, { EVS_NODE_TIME_TEXT, 'T', 0, 0 }, 4, 9, { 0 }, 0 },
};

static int decode_inside(size_t parent, unsigned deep, const char **why)
{
	struct evs_buf b = { 0 };
	uint8_t value;

	evs_buf_put(&b, parents[parent].front, parents[parent].front_len);
	for (unsigned i = 0; i < deep; i++)
		evs_buf_put(&b, opens, sizeof(opens));
	evs_buf_put_u8(&b, EVS_NODE_PLAIN);
	evs_buf_put_u8(&b, parents[parent].value);
	evs_buf_put_zero(&b, parents[parent].number - 1u);
	for (unsigned i = 0; i < deep; i++)
		evs_buf_put(&b, codes, sizeof(codes));
	evs_buf_put(&b, parents[parent].behind, parents[parent].behind_len);
	return decode_row(&b, parents[parent].phys, parents[parent].width, why, &value);
}

/* A UUID as text behind no prefix, behind no prefix, and so on: nodes without codes, which would be
 * too deep as well. */
static void test_affixed(void)
{
	static const uint8_t affix[] = { EVS_NODE_AFFIX, 0, 0 };

	for (unsigned deep = 0; deep < 11; deep++) {
		struct evs_buf b = { 0 };
		const char *why;
		uint8_t value;
		int rc;

		for (unsigned i = 0; i < deep; i++)
			evs_buf_put(&b, affix, sizeof(affix));
		evs_buf_put_u8(&b, EVS_NODE_UUID_TEXT);
		evs_buf_put_u8(&b, EVS_NODE_PLAIN);
		evs_buf_put_zero(&b, 16);
		rc = decode_row(&b, EVS_BYTES, 0, &why, &value);
		t_check("affixed", deep < EVS_MAX_ENCODING_DEPTH - 1
					   ? rc == 0 && value == '0'
					   : rc == EVS_E_FORMAT && !strncmp(why, "6.1-3 ", 6));
	}
}

static void test_inside(void)
{
	const char *why;

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
		for (unsigned deep = 0; deep < 11; deep++) {
			int rc = decode_inside(i, deep, &why);

			t_check(parents[i].name,
				deep < EVS_MAX_ENCODING_DEPTH - 1
					? rc == 0
					: rc == EVS_E_FORMAT && !strncmp(why, "6.1-3 ", 6));
			if (deep < 7 && rc != 0)
				printf("        %u: %d %s\n", deep, rc, why);
		}
}

/* Dictionaries in the values of a column that is read as codes: they lie as deep as in one that is
 * not. */
static void test_codes(void)
{
	enum { ROWS = 4000 };
	static const uint8_t all_the_same[] = { EVS_NODE_CONST, 0 };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (unsigned deep = 1; deep < 12; deep++) {
			struct evs_coded coded = { 0 };
			struct evs_buf b = { 0 };
			struct evs_dec_ctx *d = NULL;
			struct evs_cur c;
			const char *why = "";
			int rc;

			for (unsigned k = 0; k < deep; k++)
				evs_buf_put(&b, opens, sizeof(opens));
			evs_buf_put(&b, shapes[i].plain, shapes[i].plain_len);
			for (unsigned k = 1; k < deep; k++)
				evs_buf_put(&b, codes, sizeof(codes));
			evs_buf_put(&b, all_the_same, sizeof(all_the_same));
			if (evs_dec_ctx_new(&d))
				abort();
			evs_array_init(&coded.values, shapes[i].phys, shapes[i].width, false);
			c = (struct evs_cur){ b.p, b.p + b.len };
			rc = evs_column_codes(d, &c, ROWS, 0, &coded, &why);
			t_check(shapes[i].name,
				deep <= shapes[i].most
					? rc == 0 && coded.values.rows == 1
					: rc == EVS_E_FORMAT && !strncmp(why, "6.1-3 ", 6));
			evs_coded_release(&coded);
			evs_dec_ctx_free(d);
			evs_buf_release(&b);
		}
}

/* Which nodes were met, in their order, is kept up to a number. */
static void test_trace(void)
{
	const char *why;
	uint8_t value;
	bool right = true;

	T_CHECK(decode(0, 2, &why, &value) == 0);
	t_eq_u64("a dictionary of a dictionary", trace.n, 5);
	for (unsigned i = 0; i < 5; i++)
		right &= trace.kind[i] == (i < 2 ? EVS_NODE_DICT : EVS_NODE_PLAIN);
	T_CHECK(decode(0, 7, &why, &value) == 0);
	t_eq_u64("more than there is room for", trace.n, 15);
	for (unsigned i = 0; i < EVS_TRACE_NODES; i++)
		right &= trace.kind[i] == (i < 7 ? EVS_NODE_DICT : EVS_NODE_PLAIN);
	t_check("kinds of nodes", right);
}

int main(void)
{
	const char *why;
	uint8_t value;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		for (unsigned deep = 0; deep <= shapes[i].most; deep++)
			t_check(shapes[i].name, decode(i, deep, &why, &value) == 0 && value == 7);
		for (unsigned deep = shapes[i].most + 1; deep < 12; deep++)
			t_check(shapes[i].name, decode(i, deep, &why, &value) == EVS_E_FORMAT &&
							!strncmp(why, "6.1-3 ", 6));
	}
	test_inside();
	test_affixed();
	test_codes();
	test_trace();
	return t_done();
}
