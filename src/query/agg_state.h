/*
 * The inside of the aggregates, shared by agg*.c.
 */
#ifndef EVS_QUERY_AGG_STATE_H
#define EVS_QUERY_AGG_STATE_H

#include "format/bytes.h"
#include "src/query/agg.h"
#include "src/query/fsum.h"

#include <string.h>

__extension__ typedef __int128 agg_i128;
__extension__ typedef unsigned __int128 agg_u128;

/* What one call of update looks at: rows sel[0 .. n), or 0 .. n - 1 without `sel`. */
struct agg_rows {
	const struct evs_array *const *arg;
	const uint32_t *gid, *sel;
	uint32_t n;
	const uint8_t *keep; /* instead of `sel` where the operations take it: bytes 0 and 1 */
};

static inline uint32_t agg_row(const struct agg_rows *r, uint32_t k)
{
	return r->sel ? r->sel[k] : k;
}

static inline uint32_t agg_gid(const struct agg_rows *r, uint32_t row)
{
	return r->gid ? r->gid[row] : 0;
}

/* ---- values of any type (agg_value.c) -------------------------------------------------------- */

/*
 * A value kept by a state. Numbers and short fixed values are in `v`, everything else in the pool
 * of the aggregate: text as it is, lists and maps as evs_row_put() writes them. A value that
 * outgrows its place gets another one, a quarter larger, so that what is lost in the pool stays
 * small beside what is kept.
 */
struct agg_value {
	bool set;
	uint32_t cap; /* bytes of its place in the pool */
	uint32_t len;
	union {
		int64_t i;
		uint64_t u;
		double f;
		agg_i128 d;
		uint8_t b[16];
		size_t at; /* in the pool */
	} v;
};

/* How values of a type are kept and compared. */
enum agg_kind {
	AGG_SIGNED,
	AGG_UNSIGNED,
	AGG_FLOAT,
	AGG_DECIMAL,
	AGG_SHORT,
	AGG_BYTES,
	AGG_NESTED
};

enum agg_kind evs_agg_kind(const struct evs_type *t, const struct evs_array *shape);

struct evs_agg;

/* Compare row `row` with a set value: -1, 0, 1. Nested values compare as written. Returns 0 or
 * EVS_E_NOMEM. */
int evs_agg_value_compare(const struct evs_agg *a, enum agg_kind k, const struct evs_array *from,
			  uint32_t row, const struct agg_value *v, int *c);
int evs_agg_value_set(struct evs_agg *a, enum agg_kind k, const struct evs_array *from,
		      uint32_t row, struct agg_value *v);
/* Append it to an array of its shape; null when not set. */
int evs_agg_value_put(const struct evs_agg *a, enum agg_kind k, const struct agg_value *v,
		      struct evs_array *out);

/* ---- aggregates ------------------------------------------------------------------------------ */

/*
 * One aggregate's way of working. Functions return 0 or EVS_E_NOMEM; `merge` also EVS_E_FORMAT;
 * `finish` a constant that says why there is no result, in *why, with EVS_E_DATA.
 */
struct agg_ops {
	size_t size; /* of a state */
	bool sees_nulls, takes_keep;
	/* Types of the state's columns, into type[]; how many. */
	unsigned (*columns)(struct evs_agg *a, struct evs_type *type);
	int (*update)(struct evs_agg *a, const struct agg_rows *r);
	int (*save)(const struct evs_agg *a, const void *state, struct evs_array *cols);
	int (*merge)(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row);
	int (*finish)(const struct evs_agg *a, const void *state, struct evs_array *out,
		      const char **why);
	void (*drop)(struct evs_agg *a, void *state); /* what it allocated; NULL: nothing */
};

struct evs_agg {
	const struct evs_agg_call *call;
	const struct agg_ops *ops;
	uint8_t *state;
	uint32_t groups, cap;
	size_t heap;	     /* bytes that states have allocated */
	struct evs_buf pool; /* of their values */
	uint32_t *sel;
	uint32_t sel_cap;
	unsigned ncols;
	struct evs_type col[EVS_AGG_MAX_COLUMNS];
	struct evs_type elem; /* of a list among them */
	const struct evs_type *arg_type[2];
	enum agg_kind kind[2]; /* of the arguments */
};

static inline void *agg_at(const struct evs_agg *a, uint32_t g)
{
	return a->state + (size_t)g * a->ops->size;
}

extern const struct agg_ops evs_agg_count, evs_agg_sum_int, evs_agg_sum_float, evs_agg_avg_int,
	evs_agg_avg_float, evs_agg_variance, evs_agg_extreme, evs_agg_arg_extreme, evs_agg_one,
	evs_agg_uniq, evs_agg_quantile, evs_agg_array, evs_agg_text;

#endif
