/*
 * What the files of conversions share. Private to expr/.
 */
#ifndef EVS_EXPR_FN_CAST_H
#define EVS_EXPR_FN_CAST_H

#include "src/expr/expr_node.h"

/* Row i has no value of the type: fails, or becomes NULL with X_TRY. Fixed width only. */
int evs_x_cast_failed(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
		      const char *why);
/* fn_time.c: likewise, for a time beyond the years there are. */
int evs_x_time_failed(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i);

/* Store the low bytes of `value`, as many as the type has. */
void evs_x_put_int(struct x_vec *out, uint32_t i, int64_t value);

/* Is it a value of the type? Integers, Bool, Enum, times, IPv4. */
bool evs_x_int_fits(const struct evs_type *t, x_i128 value);

/* v * 10^(to - from), rounded half away from zero; false when it has more than `precision`
 * digits. */
bool evs_x_rescale(x_i128 v, unsigned from, unsigned to, unsigned precision, x_i128 *out);
double evs_x_decimal_to_double(x_i128 value, unsigned scale);
bool evs_x_double_to_decimal(double d, unsigned scale, unsigned precision, x_i128 *out);

/* fn_cast_time.c: between times, and between times and numbers. NULL: there is none. */
x_eval_fn *evs_x_cast_time_fn(const struct evs_type *from, const struct evs_type *to);

/* Anything to JSON text. */
x_eval_fn evs_x_cast_to_json;

#endif
