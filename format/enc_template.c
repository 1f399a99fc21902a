/*
 * Writing TEMPLATE nodes (spec 6.6): what many values have in common, and columns of what they have
 * not.
 *
 * Values are split (enc_split.c), those with one skeleton share a template, and pieces with one key
 * a column; each column is a BYTES node of its own, so ids become bytes and counters numbers.
 * Values that cannot be split, or whose skeleton is rare, have the template that is nothing but one
 * piece. Whether the node pays is tried on a sample.
 */
#include "format/enc_split.h"

#include <xxhash.h>

#define LEAST_VALUES 32u
#define MOST_BYTES   ((size_t)16 << 20)
#define MOST_LEN     4096u /* values longer than this, on average, are texts of people */
#define COUNTED	     2048u /* values whose words are counted */
#define OFTEN	     5u	   /* a word counted so often is none that varies */
#define LEAST_USES   4u	   /* of a template of words, which brings columns of its own */
#define MOST_COLUMNS 4096u
#define MOST_PIECES  512u /* of one value */
#define LOOK	     48u  /* values looked at before anything else */
/* Bytes of a column of a template that is looked at for templates again. */
#define LEAST_INSIDE 8192u
#define LOOK_LEN     16384u /* longer ones are not looked at */
#define TRY_VALUES   1024u  /* of the sample, in stretches of TRY_STRETCH */
#define TRY_STRETCH  256u
#define TRY_BYTES    (96u << 10)
#define NONE	     UINT32_MAX

/* The template that is one piece and nothing else. */
static const uint8_t whole[] = { 1 };

struct template
{
	uint32_t at, len;      /* of the skeleton in work.skeletons */
	uint32_t first_piece;  /* of its first value */
	uint32_t pieces, uses; /* of one value; values */
	uint32_t number;       /* in the file */
	uint32_t at_number;    /* the template that has our index for its number */
	uint32_t first_column; /* in work.column_of */
	bool words;
};

struct work {
	struct evs_enc_ctx *ctx;
	const struct evs_strs *v;
	struct evs_split *split;
	uint32_t *of, *start; /* of each value: its template, its first piece */
	struct template *t;
	uint32_t nt, max_t;
	uint32_t *slot, mask; /* hash table of templates: index + 1 */
	uint8_t *skeletons;
	uint32_t skeletons_len, max_skeletons;
	uint32_t *column_of; /* of each piece of each template */
	uint32_t ncolumns;
	uint32_t *count; /* values of each column */
	bool forced;	 /* also where it does not pay */
};

static inline size_t len_of(const struct evs_strs *v, size_t i)
{
	return (size_t)(v->offs[i + 1] - v->offs[i]);
}

static void *get(struct work *w, size_t n, size_t size)
{
	return evs_scratch_get(&w->ctx->scratch, n * size);
}

static int work_init(struct work *w)
{
	const struct evs_strs *v = w->v;
	size_t total = (size_t)(v->offs[v->n] - v->offs[0]), longest = 0,
	       max_pieces = total / 6 + v->n + 64;
	uint32_t step = v->n > COUNTED ? v->n / COUNTED : 1;

	for (size_t i = 0; i < v->n; i++)
		longest = len_of(v, i) > longest ? len_of(v, i) : longest;
	w->max_t = (w->forced ? v->n : v->n / 4) + 2;
	w->max_skeletons = (uint32_t)(total / 4 + 4096);
	w->mask = 63;
	while (w->mask < 2 * w->max_t)
		w->mask = 2 * w->mask + 1;
	w->split = get(w, 1, sizeof(*w->split));
	w->of = get(w, v->n, sizeof(*w->of));
	w->start = get(w, v->n, sizeof(*w->start));
	w->t = get(w, w->max_t, sizeof(*w->t));
	w->slot = get(w, w->mask + 1, sizeof(*w->slot));
	w->skeletons = get(w, w->max_skeletons, 1);
	if (!w->split || !w->of || !w->start || !w->t || !w->slot || !w->skeletons)
		return EVS_E_NOMEM;
	*w->split = (struct evs_split){ .data = v->data, .often = OFTEN };
	w->split->max_pieces = (uint32_t)max_pieces;
	w->split->piece = get(w, max_pieces, sizeof(struct evs_piece));
	longest = longest > LOOK_LEN ? longest : LOOK_LEN;
	w->split->skeleton = get(w, 2 * longest + 2, 1);
	if (!w->split->piece || !w->split->skeleton)
		return EVS_E_NOMEM;
	memset(w->slot, 0, (w->mask + 1) * sizeof(*w->slot));
	for (size_t i = 0; i < v->n; i += step)
		evs_split_count(w->split, v->data + v->offs[i], len_of(v, i));
	return 0;
}

/* The template of a skeleton; NONE: it is new, and there is no room. */
static uint32_t template_of(struct work *w, const uint8_t *skeleton, uint32_t len,
			    uint32_t first_piece, uint32_t pieces)
{
	uint32_t at = (uint32_t)XXH3_64bits(skeleton, len) & w->mask;
	struct template *t;

	for (; w->slot[at]; at = (at + 1) & w->mask) {
		t = &w->t[w->slot[at] - 1];
		if (t->len == len && !memcmp(w->skeletons + t->at, skeleton, len))
			return w->slot[at] - 1;
	}
	if (w->nt == w->max_t || len > w->max_skeletons - w->skeletons_len)
		return NONE;
	t = &w->t[w->nt];
	*t = (struct template){
		.at = w->skeletons_len, .len = len, .first_piece = first_piece, .pieces = pieces
	};
	memcpy(w->skeletons + t->at, skeleton, len);
	w->skeletons_len += len;
	w->slot[at] = ++w->nt;
	for (uint32_t i = 0; i < pieces; i++)
		t->words |= w->split->piece[first_piece + i].key == 0;
	return w->nt - 1;
}

/* Value `i` as one piece. */
static int leave_whole(struct work *w, uint32_t i)
{
	struct evs_split *s = w->split;

	if (s->pieces == s->max_pieces)
		return EVS_ENC_UNFIT;
	w->start[i] = s->pieces;
	s->piece[s->pieces++] = (struct evs_piece){ .at = w->v->offs[i],
						    .len = (uint32_t)len_of(w->v, i),
						    .key = 1 };
	w->of[i] = template_of(w, whole, sizeof(whole), w->start[i], 1);
	return w->of[i] == NONE ? EVS_ENC_UNFIT : 0;
}

static int split_all(struct work *w)
{
	struct evs_split *s = w->split;
	uint64_t left_whole = 0;
	int rc = 0;

	for (uint32_t i = 0; i < w->v->n && !rc; i++) {
		w->start[i] = s->pieces;
		w->of[i] = NONE;
		if (evs_split_value(s, w->v->offs[i], len_of(w->v, i)) &&
		    s->pieces - w->start[i] <= MOST_PIECES)
			w->of[i] = template_of(w, s->skeleton, s->len, w->start[i],
					       s->pieces - w->start[i]);
		if (w->of[i] == NONE) {
			s->pieces = w->start[i];
			rc = leave_whole(w, i);
		}
		if (!rc)
			w->t[w->of[i]].uses++;
	}
	for (uint32_t i = 0; i < w->v->n && !rc; i++) {
		struct template *t = &w->t[w->of[i]];

		if (t->words && t->uses < LEAST_USES && !w->forced)
			rc = leave_whole(w, i);
		if ((t->len == sizeof(whole) && w->skeletons[t->at] == whole[0]) ||
		    &w->t[w->of[i]] != t)
			left_whole += len_of(w->v, i);
	}
	if (left_whole > (uint64_t)(w->v->offs[w->v->n] - w->v->offs[0]) / 2 && !w->forced)
		return EVS_ENC_UNFIT;
	return rc;
}

/* Number templates as they appear, and count their uses anew. Returns how many there are. */
static uint32_t number_templates(struct work *w)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < w->nt; k++)
		w->t[k].uses = 0;
	for (uint32_t i = 0; i < w->v->n; i++) {
		if (!w->t[w->of[i]].uses++) {
			w->t[n].at_number = w->of[i];
			w->t[w->of[i]].number = n++;
		}
	}
	return n;
}

/* Give each piece of each template a column: that of its key, or one of its own. */
static int assign_columns(struct work *w)
{
	uint32_t total = 0, size = 1, at, key, *table, *keys;

	for (uint32_t k = 0; k < w->nt; k++)
		if (w->t[k].uses) {
			w->t[k].first_column = total;
			total += w->t[k].pieces;
		}
	while (size < 2 * (total + 1))
		size *= 2;
	w->column_of = get(w, total, sizeof(*w->column_of));
	w->count = get(w, (size_t)total + 1, sizeof(*w->count));
	table = get(w, size, sizeof(*table)); /* column + 1 */
	keys = get(w, size, sizeof(*keys));
	if (!w->column_of || !w->count || !table || !keys)
		return EVS_E_NOMEM;
	memset(table, 0, size * sizeof(*table));
	for (uint32_t k = 0; k < w->nt; k++) {
		const struct template *t = &w->t[k];

		for (uint32_t i = 0; i < t->pieces && t->uses; i++) {
			key = w->split->piece[t->first_piece + i].key;
			at = key * 0x9e3779b1u & (size - 1);
			while (key && table[at] && keys[at] != key)
				at = (at + 1) & (size - 1);
			if (key && table[at]) {
				w->column_of[t->first_column + i] = table[at] - 1;
				continue;
			}
			w->count[w->ncolumns] = 0;
			w->column_of[t->first_column + i] = w->ncolumns++;
			if (key) {
				table[at] = w->ncolumns;
				keys[at] = key;
			}
		}
	}
	return w->ncolumns > MOST_COLUMNS ? EVS_ENC_UNFIT : 0;
}

static void put_templates(const struct work *w, uint32_t n, struct evs_buf *out)
{
	for (uint32_t k = 0; k < n; k++) {
		const struct template *t = &w->t[w->t[k].at_number];
		const uint8_t *p = w->skeletons + t->at, *end = p + t->len, *from = p;
		uint32_t i = 0;

		evs_buf_put_varint(out, t->pieces);
		for (; p <= end; p++) {
			if (p < end && *p >= EVS_SPLIT_MARKS)
				continue;
			evs_buf_put_varint(out, (uint64_t)(p - from));
			evs_buf_put(out, from, (size_t)(p - from));
			if (p < end)
				evs_buf_put_varint(out, w->column_of[t->first_column + i++]);
			from = p + 1;
		}
	}
}

/* One column after the other, as a BYTES node. */
static int put_columns(struct work *w, unsigned depth, struct evs_buf *out)
{
	const struct evs_piece *piece = w->split->piece;
	uint32_t *place = get(w, (size_t)w->ncolumns + 1, sizeof(*place));
	int32_t *offs = get(w, (size_t)w->split->pieces + 1, sizeof(*offs)); /* of one column */
	uint32_t *order = get(w, w->split->pieces, sizeof(*order)), sum = 0, at;
	uint8_t *data;
	size_t top = w->ctx->scratch.top, len, longest = 0;
	int rc = 0;

	if (!place || !offs || !order)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < w->v->n; i++) {
		const struct template *t = &w->t[w->of[i]];

		for (uint32_t k = 0; k < t->pieces; k++)
			w->count[w->column_of[t->first_column + k]]++;
	}
	for (uint32_t c = 0; c < w->ncolumns; c++) {
		place[c] = sum;
		sum += w->count[c];
	}
	for (uint32_t i = 0; i < w->v->n; i++) {
		const struct template *t = &w->t[w->of[i]];

		for (uint32_t k = 0; k < t->pieces; k++)
			order[place[w->column_of[t->first_column + k]]++] = w->start[i] + k;
	}
	for (uint32_t c = 0; c < w->ncolumns; c++) {
		len = 0;
		for (uint32_t k = place[c] - w->count[c]; k < place[c]; k++)
			len += piece[order[k]].len;
		longest = len > longest ? len : longest;
	}
	data = get(w, longest, 1);
	if (!data)
		return EVS_E_NOMEM;
	top = w->ctx->scratch.top;
	for (uint32_t c = 0; c < w->ncolumns && !rc; c++) {
		struct evs_strs col = { .data = data, .offs = offs, .n = w->count[c] };

		offs[0] = 0;
		for (uint32_t k = 0; k < col.n; k++) {
			at = order[place[c] - col.n + k];
			memcpy(data + offs[k], w->v->data + piece[at].at, piece[at].len);
			offs[k + 1] = offs[k] + (int32_t)piece[at].len;
		}
		rc = evs_enc_strs(w->ctx, &col, depth + 1, out);
		w->ctx->scratch.top = (unsigned)top;
	}
	return rc;
}

int evs_enc_template(struct evs_enc_ctx *ctx, const struct evs_strs *v, bool forced, unsigned depth,
		     struct evs_buf *out)
{
	struct work w = { .ctx = ctx, .v = v, .forced = forced };
	struct evs_dict codes = { 0 };
	int rc;

	if ((size_t)(v->offs[v->n] - v->offs[0]) > MOST_BYTES)
		return EVS_ENC_UNFIT;
	rc = work_init(&w);
	if (!rc)
		rc = split_all(&w);
	if (rc)
		return rc;
	codes.distinct = number_templates(&w);
	rc = assign_columns(&w);
	if (rc)
		return rc;
	evs_buf_put_u8(out, EVS_NODE_TEMPLATE);
	evs_buf_put_varint(out, codes.distinct);
	evs_buf_put_varint(out, w.ncolumns);
	put_templates(&w, codes.distinct, out);
	codes.codes = get(&w, v->n, sizeof(*codes.codes));
	if (!codes.codes)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < v->n; i++)
		codes.codes[i] = w.t[w.of[i]].number;
	rc = evs_enc_codes(ctx, &codes, v->n, depth + 1, out);
	return rc ? rc : put_columns(&w, depth, out);
}

/* ---- does it pay? ---------------------------------------------------------------------------- */

/* A look at some values from everywhere: do skeletons repeat, and the values themselves not? Words
 * are counted in `some`. */
static int look(struct evs_enc_ctx *ctx, const struct evs_strs *v, const struct evs_strs *some,
		bool *hopeful)
{
	uint32_t step = v->n / LOOK, n = 0, twice = 0, same = 0, pieces = 0;
	uint64_t skeleton[LOOK], value[LOOK];
	struct work w = { .ctx = ctx, .v = some };
	unsigned top = ctx->scratch.top;
	int rc = work_init(&w);

	for (uint32_t i = 0; i < LOOK && !rc; i++) {
		size_t at = (size_t)i * step, len = len_of(v, at);
		bool met = false, known = false;

		w.split->pieces = 0;
		w.split->data = v->data;
		if (len > LOOK_LEN || !evs_split_value(w.split, v->offs[at], len))
			continue;
		value[n] = XXH3_64bits(v->data + v->offs[at], len);
		skeleton[n] = XXH3_64bits(w.split->skeleton, w.split->len);
		for (uint32_t k = 0; k < n; k++) {
			known |= value[k] == value[n];
			met |= skeleton[k] == skeleton[n];
		}
		same += known;
		twice += met;
		pieces += w.split->len > 1;
		n++;
	}
	ctx->scratch.top = top;
	*hopeful = !rc && twice >= LOOK / 4 && same <= LOOK * 3 / 4 && pieces >= LOOK / 4;
	return rc;
}

/* Stretches of the values, one after the other. */
static int sample(struct evs_enc_ctx *ctx, const struct evs_strs *v, struct evs_strs *out)
{
	uint32_t stretches = v->n <= TRY_VALUES ? 1 : TRY_VALUES / TRY_STRETCH, n = 0;
	uint32_t each = stretches == 1 ? v->n : TRY_STRETCH, from;
	int32_t *offs =
		evs_scratch_get(&ctx->scratch, ((size_t)stretches * each + 1) * sizeof(*offs));
	uint8_t *data = evs_scratch_get(&ctx->scratch, TRY_BYTES);
	size_t len;

	if (!offs || !data)
		return EVS_E_NOMEM;
	offs[0] = 0;
	for (uint32_t s = 0; s < stretches; s++) {
		from = stretches == 1 ? 0
				      : (uint32_t)((uint64_t)(v->n - each) * s / (stretches - 1));
		for (uint32_t i = from; i < from + each; i++) {
			len = len_of(v, i);
			if (len > TRY_BYTES / stretches * (s + 1) - (size_t)offs[n])
				break;
			memcpy(data + offs[n], v->data + v->offs[i], len);
			offs[n + 1] = offs[n] + (int32_t)len;
			n++;
		}
	}
	*out = (struct evs_strs){ .data = data, .offs = offs, .n = n };
	return n < LEAST_VALUES ? EVS_ENC_UNFIT : 0;
}

static int cost(struct evs_enc_ctx *ctx, const struct evs_strs *v, bool templates, unsigned depth,
		size_t *bytes)
{
	bool before = ctx->no_templates;
	unsigned top = ctx->scratch.top;
	struct evs_buf out = { 0 };
	int rc;

	ctx->no_templates = !templates;
	rc = templates ? evs_enc_template(ctx, v, false, depth, &out)
		       : evs_enc_strs(ctx, v, depth, &out);
	if (!rc && !evs_buf_ok(&out))
		rc = EVS_E_NOMEM;
	if (!rc)
		*bytes = evs_enc_cost(ctx, out.p, out.len);
	evs_buf_release(&out);
	ctx->no_templates = before;
	ctx->scratch.top = top;
	return rc;
}

int evs_template_pays(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth)
{
	size_t total = (size_t)(v->offs[v->n] - v->offs[0]), with = 0, without = 0;
	unsigned top = ctx->scratch.top;
	struct evs_strs some;
	bool hopeful = false;
	int rc;

	if (v->n < 2 * LEAST_VALUES || (depth && total < LEAST_INSIDE) || !ctx->opts.thorough ||
	    ctx->no_templates || depth + 1 >= EVS_ENC_LEAF_DEPTH || total / v->n < 8 ||
	    total / v->n > MOST_LEN || total > MOST_BYTES)
		return EVS_ENC_UNFIT;
	rc = sample(ctx, v, &some);
	if (!rc && some.n >= LOOK)
		rc = look(ctx, v, &some, &hopeful);
	if (!rc)
		rc = hopeful ? cost(ctx, &some, true, depth, &with) : EVS_ENC_UNFIT;
	if (!rc)
		rc = cost(ctx, &some, false, depth, &without);
	ctx->scratch.top = top;
	return rc ? rc : with < without ? 0 : EVS_ENC_UNFIT;
}
