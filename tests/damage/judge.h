/*
 * What a reader said, held against what it must say.
 */
#ifndef EVS_TESTS_DAMAGE_JUDGE_H
#define EVS_TESTS_DAMAGE_JUDGE_H

#include "stage.h"

struct verdict {
	bool wrong;
	char why[400];
};

/* Everything needed to try one damage after the other; one for each process. */
struct trial {
	const struct stage *stage;
	const struct family *families[MAX_FILES]; /* 0: of the file itself */
	size_t nfamilies;
	struct scene scene;
	struct subject subject;
	struct answer answer;
	struct expect expect;
	struct damaged damaged;
	struct watch sound[VIEWS]; /* what reading the sound file takes */
	struct verdict verdict;
};

/* One view of the file that has been put in its place. */
void judge_view(struct trial *t, unsigned view);

/*
 * After VIEW_ALL: the check finds something where the reader did, or where bytes differ that the
 * reader need not look at, and nothing where the file is whole.
 */
void judge_check(struct trial *t);

/* The file's bytes are those of a single flip at `off`: was the price right? */
void judge_flip(struct trial *t, uint64_t off);

/* Compact the damaged file: no row may be lost by it, or it is left as it is. */
void judge_compact(struct trial *t);

/* Append a row to the damaged file, and hold what is there then against what was there before. */
void judge_append(struct trial *t);

void judge_wrong(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
