/*
 * Blocks of rows in unnamed files. A block is each column's number of nulls (varint) and its plain
 * encoding (format/encode.h). See spill.h.
 */
#include "src/query/spill.h"

#include "format/encode.h"
#include "src/diag.h"
#include "src/store/store.h"

#include <stdlib.h>

struct block {
	uint32_t part, rows;
	uint32_t file;
	size_t len;
	uint64_t off;
};

struct evs_spill {
	struct evs_scratch **file; /* [0] is its own */
	uint32_t nfiles;
	struct block *block;
	size_t nblocks, cap;
	struct evs_enc_ctx *enc;
	struct evs_dec_ctx *dec;
	struct evs_buf buf;
};

int evs_spill_new(struct evs_spill **out, struct evs_diag *diag)
{
	static const struct evs_enc_opts plain = { .plain = true };
	struct evs_spill *s = calloc(1, sizeof(*s));
	int rc = EVS_E_NOMEM;

	if (!s || !(s->file = calloc(1, sizeof(*s->file))) ||
	    evs_enc_ctx_new(&s->enc, &plain) < 0 || evs_dec_ctx_new(&s->dec) < 0)
		(void)evs_fail_nomem(diag);
	else
		rc = evs_scratch_open(&s->file[0], diag);
	if (rc < 0) {
		evs_spill_free(s);
		return rc;
	}
	s->nfiles = 1;
	*out = s;
	return 0;
}

void evs_spill_free(struct evs_spill *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->nfiles; i++)
		evs_scratch_close(s->file[i]);
	free(s->file);
	free(s->block);
	evs_enc_ctx_free(s->enc);
	evs_dec_ctx_free(s->dec);
	evs_buf_release(&s->buf);
	free(s);
}

static int need_blocks(struct evs_spill *s, size_t n)
{
	struct block *block;
	size_t cap = s->cap * 2 > n ? s->cap * 2 : n + 62;

	if (n <= s->cap)
		return 0;
	block = realloc(s->block, cap * sizeof(*block));
	if (!block)
		return EVS_E_NOMEM;
	s->block = block;
	s->cap = cap;
	return 0;
}

int evs_spill_put(struct evs_spill *s, uint32_t part, const struct evs_array *cols, size_t ncols,
		  uint32_t rows, struct evs_diag *diag)
{
	struct block b = { .part = part, .rows = rows };
	int rc = need_blocks(s, s->nblocks + 1);

	evs_buf_reset(&s->buf);
	for (size_t i = 0; i < ncols && rc == 0; i++) {
		evs_buf_put_varint(&s->buf, cols[i].nulls);
		rc = evs_column_encode(s->enc, &cols[i], &s->buf);
	}
	if (rc < 0 || !evs_buf_ok(&s->buf))
		return evs_fail_nomem(diag);
	b.len = s->buf.len;
	rc = evs_scratch_append(s->file[0], s->buf.p, s->buf.len, &b.off, diag);
	if (rc == 0)
		s->block[s->nblocks++] = b;
	return rc;
}

int evs_spill_join(struct evs_spill *s, struct evs_spill *from, struct evs_diag *diag)
{
	struct evs_scratch **file = realloc(s->file, (s->nfiles + from->nfiles) * sizeof(*file));

	if (!file)
		return evs_fail_nomem(diag);
	s->file = file;
	if (need_blocks(s, s->nblocks + from->nblocks) < 0)
		return evs_fail_nomem(diag);
	for (size_t i = 0; i < from->nblocks; i++) {
		s->block[s->nblocks] = from->block[i];
		s->block[s->nblocks++].file += s->nfiles;
	}
	for (uint32_t i = 0; i < from->nfiles; i++)
		s->file[s->nfiles++] = from->file[i];
	from->nfiles = 0;
	evs_spill_free(from);
	return 0;
}

size_t evs_spill_blocks(const struct evs_spill *s)
{
	return s->nblocks;
}

uint32_t evs_spill_part(const struct evs_spill *s, size_t block)
{
	return s->block[block].part;
}

uint32_t evs_spill_rows(const struct evs_spill *s, size_t block)
{
	return s->block[block].rows;
}

int evs_spill_get(struct evs_spill *s, size_t block, struct evs_array *cols, size_t ncols,
		  struct evs_diag *diag)
{
	const struct block *b = &s->block[block];
	struct evs_cur c;
	int rc;

	evs_buf_reset(&s->buf);
	if (!evs_buf_reserve(&s->buf, b->len))
		return evs_fail_nomem(diag);
	rc = evs_scratch_read(s->file[b->file], s->buf.p, b->len, b->off, diag);
	c = (struct evs_cur){ s->buf.p, s->buf.p + b->len };
	for (size_t i = 0; i < ncols && rc == 0; i++) {
		const char *why = NULL;
		uint64_t nulls = 0;

		if (!evs_cur_varint(&c, &nulls) || nulls > b->rows)
			return evs_fail(diag, EVS_E_SYS,
					"a temporary file does not give back what "
					"was written to it");
		rc = evs_column_decode(s->dec, &c, b->rows, (uint32_t)nulls, &cols[i], &why);
		if (rc == EVS_E_NOMEM)
			return evs_fail_nomem(diag);
		if (rc < 0)
			return evs_fail(diag, EVS_E_SYS,
					"a temporary file does not give back what "
					"was written to it");
	}
	return rc;
}
