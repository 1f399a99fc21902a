/*
 * Conversions written as functions: toInt32(x), toDateTime64(x, 3), toUUIDOrNull(x) ...
 */
#include "src/expr/expr_node.h"

#include <string.h>

#define OR_NULL 0x100u
#define DECIMAL 0x200u /* op: digits */

/* The zone argument of a ClickHouse function: all times are UTC. */
bool evs_x_utc_arg(struct x_binder *b, const struct x_node *n)
{
	static const char *const utc[] = { "utc", "etc/utc", "gmt", "z", "zulu" };
	size_t len = 0;
	const char *s;

	if (evs_x_is_const(n) && evs_x_is_int(&n->type))
		return true; /* the digits of now64(3) */
	if (evs_x_is_const(n) && n->type.id == EVS_T_STRING && !evs_x_is_const_null(n)) {
		s = (const char *)evs_array_bytes(&n->value, 0, &len);
		for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++)
			if (evs_x_same_word(s, len, utc[i]))
				return true;
	}
	return evs_x_fail(b, n->ast, "times are in UTC: no other zone is supported") != NULL;
}

static struct x_node *bind_to(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			      struct x_node **arg, size_t n)
{
	enum x_cast how = f->flags & OR_NULL ? X_TRY : X_EXPLICIT;

	if (n == 2 && !evs_x_utc_arg(b, arg[1]))
		return NULL;
	return evs_x_cast_id(b, a, arg[0], (enum evs_type_id)f->op, how);
}

/* toDateTime64(x, scale [, zone]), toDecimal64(x, scale) */
static struct x_node *bind_scaled(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				  struct x_node **arg, size_t n)
{
	bool decimal = (f->flags & DECIMAL) != 0;
	struct evs_type t = { .id = decimal ? EVS_T_DECIMAL : EVS_T_DATETIME64,
			      .precision = decimal ? f->op : 0 };
	int64_t scale = -1, max = decimal ? f->op : 9;

	if (evs_x_is_const(arg[1]) && arg[1]->type.id == EVS_T_INT64 &&
	    !evs_x_is_const_null(arg[1]))
		scale = (int64_t)evs_array_int(&arg[1]->value, 0);
	if (scale < 0 || scale > max)
		return evs_x_fail(b, arg[1]->ast, "the number of digits is a constant from 0 to %d",
				  (int)max);
	if (n == 3 && !evs_x_utc_arg(b, arg[2]))
		return NULL;
	t.scale = (uint8_t)scale;
	return evs_x_cast(b, a, arg[0], &t, f->flags & OR_NULL ? X_TRY : X_EXPLICIT);
}

const struct x_fn evs_x_fns_cast[] = {
	{ "tostring", "x>s", NULL, bind_to, 0, EVS_T_STRING, 0 },
	{ "tobool", "x>b", NULL, bind_to, 0, EVS_T_BOOL, 0 },
	{ "toint8", "x>i", NULL, bind_to, 0, EVS_T_INT8, 0 },
	{ "toint16", "x>i", NULL, bind_to, 0, EVS_T_INT16, 0 },
	{ "toint32", "x>i", NULL, bind_to, 0, EVS_T_INT32, 0 },
	{ "toint64", "x>i", NULL, bind_to, 0, EVS_T_INT64, 0 },
	{ "touint8", "x>i", NULL, bind_to, 0, EVS_T_UINT8, 0 },
	{ "touint16", "x>i", NULL, bind_to, 0, EVS_T_UINT16, 0 },
	{ "touint32", "x>i", NULL, bind_to, 0, EVS_T_UINT32, 0 },
	{ "touint64", "x>i", NULL, bind_to, 0, EVS_T_UINT64, 0 },
	{ "tofloat32", "x>f", NULL, bind_to, 0, EVS_T_FLOAT32, 0 },
	{ "tofloat64", "x>f", NULL, bind_to, 0, EVS_T_FLOAT64, 0 },
	{ "touuid", "x>U", NULL, bind_to, 0, EVS_T_UUID, 0 },
	{ "todate", "x?x>D", NULL, bind_to, 0, EVS_T_DATE, 0 },
	{ "todate32", "x?x>D", NULL, bind_to, 0, EVS_T_DATE, 0 },
	{ "todatetime", "x?x>T", NULL, bind_to, 0, EVS_T_DATETIME, 0 },
	{ "toipv4", "x>i", NULL, bind_to, 0, EVS_T_IPV4, 0 },
	{ "toipv6", "x>i", NULL, bind_to, 0, EVS_T_IPV6, 0 },
	{ "toint8ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_INT8, 0 },
	{ "toint16ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_INT16, 0 },
	{ "toint32ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_INT32, 0 },
	{ "toint64ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_INT64, 0 },
	{ "touint8ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_UINT8, 0 },
	{ "touint16ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_UINT16, 0 },
	{ "touint32ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_UINT32, 0 },
	{ "touint64ornull", "x>i", NULL, bind_to, OR_NULL, EVS_T_UINT64, 0 },
	{ "tofloat32ornull", "x>f", NULL, bind_to, OR_NULL, EVS_T_FLOAT32, 0 },
	{ "tofloat64ornull", "x>f", NULL, bind_to, OR_NULL, EVS_T_FLOAT64, 0 },
	{ "touuidornull", "x>U", NULL, bind_to, OR_NULL, EVS_T_UUID, 0 },
	{ "todateornull", "x>D", NULL, bind_to, OR_NULL, EVS_T_DATE, 0 },
	{ "todatetimeornull", "x>T", NULL, bind_to, OR_NULL, EVS_T_DATETIME, 0 },
	{ "todatetime64", "xx?x>T", NULL, bind_scaled, 0, EVS_T_DATETIME64, 0 },
	{ "todatetime64ornull", "xx?x>T", NULL, bind_scaled, OR_NULL, EVS_T_DATETIME64, 0 },
	{ "todecimal32", "xx>f", NULL, bind_scaled, DECIMAL, 9, 0 },
	{ "todecimal64", "xx>f", NULL, bind_scaled, DECIMAL, 18, 0 },
	{ "todecimal128", "xx>f", NULL, bind_scaled, DECIMAL, 38, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
