/*
 * Finding a value inside a JSON text without parsing all of it. Private to expr/.
 *
 * The text may be anything: a String column holds what its rows hold. What is no JSON where it is
 * looked at has no value; what is not looked at is not checked.
 */
#ifndef EVS_EXPR_JSON_SCAN_H
#define EVS_EXPR_JSON_SCAN_H

#include "src/expr/expr_node.h"

/* A value's text, without white space around it. */
struct x_json {
	const char *s;
	size_t n;
};

enum x_json_kind {
	X_J_NONE = 0,
	X_J_OBJECT,
	X_J_ARRAY,
	X_J_STRING,
	X_J_NUMBER,
	X_J_BOOL,
	X_J_NULL
};

/* The one value that the text is; s == NULL when it is none. */
struct x_json evs_x_json_value(const char *s, size_t n);
enum x_json_kind evs_x_json_kind(const struct x_json *j);

/* Member of an object, element of an array (from 0, negative from the end). False: none. */
bool evs_x_json_member(const struct x_json *j, const char *key, size_t klen,
		       struct evs_buf *scratch, struct x_json *out);
bool evs_x_json_element(const struct x_json *j, int64_t k, struct x_json *out);

/* Number of elements or members; -1: neither. */
int64_t evs_x_json_count(const struct x_json *j);

/* Append the meaning of a string value; a lone surrogate becomes U+FFFD. False: not a string, or
 * out of memory (out->failed). */
bool evs_x_json_unescape(const struct x_json *j, struct evs_buf *out);

/* A number's value: whole and exact where it is written so and fits 64 bits. */
struct x_json_number {
	bool whole;
	x_i128 i;
	double d;
};
bool evs_x_json_number(const struct x_json *j, struct x_json_number *out);

#endif
