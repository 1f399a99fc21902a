/*
 * UTF-8 checks for names and texts of DDL. Private to schema/.
 */
#ifndef EVS_SCHEMA_UTF8_H
#define EVS_SCHEMA_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Largest n <= max at which s[0 .. n) does not end inside a character. s has at least max + 1
 * bytes.
 */
size_t evs_utf8_cut(const char *s, size_t max);

#endif
