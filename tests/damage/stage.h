/*
 * Before files are damaged: what they hold, what each view of them gives, and other versions of
 * them.
 */
#ifndef EVS_TESTS_DAMAGE_STAGE_H
#define EVS_TESTS_DAMAGE_STAGE_H

#include "kinds.h"
#include "subject.h"

enum { MAX_VERSIONS = 3, MAX_FILES = 256 };

/* A file and what belongs to it. */
struct stage {
	struct version version[MAX_VERSIONS]; /* 0: the file as it is */
	const struct version *list[MAX_VERSIONS];
	size_t n;
	struct family family;
	char *rows; /* NAME.ndjson, or NULL */
	size_t rows_len;
	/* Spans of time, each of so many groups, one after the other. */
	int64_t since[VIEW_LESS - VIEW_TIMES], until[VIEW_LESS - VIEW_TIMES];
	unsigned nspans;
	bool can_append;  /* its first row, once more */
	bool can_compact; /* and its rows stay what they are */
};

/* Load `path` (and PATH without .evs, .ndjson). False, and said, when it is no sound segment. */
bool stage_load(struct stage *st, const char *path);

/*
 * In a scratch folder `dir`: hold the file's rows against NAME.ndjson, make other versions, by
 * rolling the file back and appending other rows, and see what each view gives of each version.
 * False, and said, when the file itself does not read.
 */
bool stage_prepare(struct stage *st, const char *dir);
void stage_release(struct stage *st);

/* A folder for the file, as stage_prepare() had it. */
void stage_subject(const struct stage *st, struct subject *s, const char *dir);

/* First line of the rows, malloc'd, or NULL. */
char *stage_line(const struct stage *st, uint64_t number);

#endif
