/*
 * What json_ops.c and json_ops_avx2.c share: the portable loops also finish what is left when
 * fewer bytes remain than a vector holds. Private to these two.
 */
#ifndef EVS_JSON_OPS_H
#define EVS_JSON_OPS_H

#include "src/json/json_lex.h"

/* Byte that a two-byte escape stands for, by its second byte; 0: no such escape. */
extern const char evs_json_escapes[256];

/* As the members of struct evs_json_ops. */
const char *evs_find_portable(const char *p, const char *end, bool *high);
void evs_copy_portable(struct evs_strcopy *c);
char *evs_escape_portable(const char *s, size_t n, char *d, bool *high);
char *evs_escape_byte(char c, char *d); /* '"', '\\' or a control character; returns the end */
bool evs_same_portable(const char *p, const char *q, size_t n);
int evs_plain_portable(const char *p, char *d);
bool evs_uuid_read_portable(const char *text, uint8_t *uuid);
void evs_uuid_print_portable(const uint8_t *uuid, char *text);

#endif
