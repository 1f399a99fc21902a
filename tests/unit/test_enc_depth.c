/*
 * Nodes inside each other, as deep as they may lie and one deeper (spec 6.1-3): dictionaries of one
 * value, whose value is a dictionary of one value, and so on.
 */
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

static int decode(size_t shape, unsigned deep, const char **why, uint8_t *value)
{
	static const uint8_t opens[] = { EVS_NODE_DICT, 1 }, codes[] = { EVS_NODE_PLAIN, 0 };
	struct evs_buf b = { 0 };
	struct evs_dec_ctx *d = NULL;
	struct evs_array a;
	struct evs_cur c;
	int rc;

	for (unsigned i = 0; i < deep; i++)
		evs_buf_put(&b, opens, sizeof(opens));
	evs_buf_put(&b, shapes[shape].plain, shapes[shape].plain_len);
	for (unsigned i = 0; i < deep; i++)
		evs_buf_put(&b, codes, sizeof(codes));
	if (evs_dec_ctx_new(&d))
		abort();
	evs_array_init(&a, shapes[shape].phys, shapes[shape].width, false);
	c = (struct evs_cur){ b.p, b.p + b.len };
	*why = "";
	rc = evs_column_decode(d, &c, 1, 0, &a, why);
	*value = rc == 0 && a.rows == 1 ? a.data[0] : 0;
	evs_array_release(&a);
	evs_dec_ctx_free(d);
	evs_buf_release(&b);
	return rc;
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
	return t_done();
}
