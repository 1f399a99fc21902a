/*
 * INDEX trees that no writer makes, every frame of them sound: what goes by them gives up in time, and goes through
 * the segment frame by frame.
 *
 * The commits have no groups, so that nothing but the tree leads from one to the next.
 */
#include "src/store/io.h"
#include "src/store/segment_read.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <unistd.h>

#define SALT 4711u
#define MOST 32

static char path[80];

/* A segment that is put together, and where its frames are. */
static struct {
	struct evs_buf b;
	struct evs_commit last;
	struct evs_index_ref commit[2 * MOST], index[MOST]; /* as a reference of level 0, or of another, names them */
	unsigned commits, indexes;
	uint64_t index_seq;
} forge;

static void forge_begin(void)
{
	const struct evs_head h = { .major = 1,
				    .unit = 1,
				    .salt = SALT,
				    .part_lo = 1704067200,
				    .part_hi = 1704672000,
				    .stream = "ev",
				    .stream_len = 2,
				    .tenant = "",
				    .schema = "any text",
				    .schema_len = 8 };

	evs_buf_release(&forge.b);
	memset(&forge, 0, sizeof(forge));
	T_CHECK(evs_head_write(&h, &forge.b) == 0);
}

/* One that counts `since` commits from the nth INDEX; -1: there is none. */
static void put_commit(int nth, uint32_t since)
{
	const struct evs_index_ref *x = nth < 0 ? NULL : &forge.index[nth], *prev;
	struct evs_commit c = { .seq = forge.commits + 1,
				.time_min = EVS_TIME_NONE,
				.time_max = EVS_TIME_NONE,
				.since_index = since,
				.first_group = forge.b.len,
				.index_off = x ? x->off : 0,
				.index_len = x ? x->len : 0 };
	uint64_t off = forge.b.len;

	if (forge.commits) {
		prev = &forge.commit[forge.commits - 1];
		c.prev_off = prev->off;
		c.prev_len = prev->len;
		memcpy(c.prev_hash, forge.last.hash, sizeof(c.prev_hash));
	}
	T_CHECK(evs_commit_write(&c, SALT, off, &forge.b) == 0);
	forge.commit[forge.commits++] = (struct evs_index_ref){ .off = off,
								.len = forge.b.len - off,
								.time_min = EVS_TIME_NONE,
								.time_max = EVS_TIME_NONE,
								.commits = 1 };
	forge.last = c;
}

/* One with these references, behind the nth INDEX (-1: there is none before). */
static void put_index(struct evs_index_ref *refs, uint32_t n, int nth)
{
	const struct evs_index_ref *last = &forge.commit[forge.commits - 1];
	struct evs_index x = { .last_commit_off = last->off,
			       .last_commit_len = last->len,
			       .prev_off = nth < 0 ? 0 : forge.index[nth].off,
			       .prev_len = nth < 0 ? 0 : forge.index[nth].len,
			       .refs = refs,
			       .nrefs = n };
	uint64_t off = forge.b.len;

	for (uint32_t i = 0; i < n; i++)
		x.seq += refs[i].commits;
	T_CHECK(evs_index_write(&x, SALT, off, &forge.b) == 0);
	forge.index[forge.indexes++] = (struct evs_index_ref){ .off = off,
							       .len = forge.b.len - off,
							       .time_min = EVS_TIME_NONE,
							       .time_max = EVS_TIME_NONE };
}

static struct evs_index_ref up(unsigned nth, uint32_t level, uint32_t commits)
{
	struct evs_index_ref r = forge.index[nth];

	r.level = level;
	r.commits = commits;
	return r;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static uint64_t seen[4 * MOST];
static unsigned nseen;

static bool see(void *arg, const struct evs_commit *c)
{
	(void)arg;
	if (nseen < 4 * MOST)
		seen[nseen++] = c->seq;
	return false;
}

/* Go by the tree to the end. Was it given up? */
static bool given_up(int64_t since, uint64_t *pushes)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	uint64_t off;
	bool given;
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(forge.b.p, 1, forge.b.len, f) != forge.b.len || fclose(f) != 0)
		abort();
	nseen = 0;
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	evs_segment_commits(s, see, NULL);
	evs_segment_rewind(s, EVS_WALK_PRUNED, since, INT64_MAX);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 0);
	given = s->how == EVS_WALK_ALL;
	*pushes = s->tree.pushes;
	evs_segment_close(s);
	return given;
}

/* The newest commit names the newest INDEX, and the one before an older: the chain ends there. What it does not lead to
 * has no rows here; with some, the numbers of rows would not fit. */
static void test_two_indexes(void)
{
	struct evs_index_ref refs[2];
	uint64_t pushes;

	forge_begin();
	put_commit(-1, 1);
	put_index(forge.commit, 1, -1);
	put_commit(0, 1);
	refs[0] = up(0, 1, 1);
	refs[1] = forge.commit[1];
	put_index(refs, 2, 0);
	put_commit(1, 1);
	put_commit(0, 3);
	put_commit(1, 3);
	T_CHECK(!given_up(INT64_MIN, &pushes) && pushes == 2);
	T_CHECK(nseen == 4 && seen[0] == 1 && seen[1] == 2 && seen[2] == 4 && seen[3] == 5);
}

/* References that are not of what they lead to: an INDEX of fewer commits, a commit of another time. */
static void test_wrong_references(void)
{
	struct evs_index_ref refs[2], timed;
	uint64_t pushes;

	for (unsigned wrong = 0; wrong < 3; wrong++) {
		forge_begin();
		put_commit(-1, 1);
		put_index(forge.commit, 1, -1);
		put_commit(0, 1);
		refs[0] = up(0, 1, wrong == 1 ? 2 : 1);
		refs[1] = timed = forge.commit[1];
		timed.time_min = timed.time_max = 5;
		if (wrong == 2)
			refs[1] = timed;
		put_index(refs, 2, 0);
		put_commit(1, 1);
		T_CHECK(given_up(INT64_MIN, &pushes) == (wrong > 0));
		T_CHECK(nseen == (wrong == 0 ? 3 : wrong == 1 ? 0 : 1));
	}
}

/* A tree that leads back to a commit in front of one that it has led to. */
static void test_out_of_order(void)
{
	struct evs_index_ref refs[3], timed[2];
	uint64_t pushes;

	forge_begin();
	put_commit(-1, 1);
	put_commit(-1, 2);
	memcpy(timed, forge.commit, sizeof(timed));
	for (unsigned i = 0; i < 2; i++)
		timed[i].time_min = timed[i].time_max = 0;
	put_index(timed, 2, -1);
	put_commit(0, 1);
	put_index(forge.commit + 1, 1, -1);
	put_commit(1, 3);
	refs[0] = up(0, 1, 2);
	refs[1] = up(1, 1, 1);
	refs[2] = forge.commit[3];
	put_index(refs, 3, 1);
	put_commit(2, 1);
	/* Both are passed over, because of their times; so nothing may lead in front of the second. */
	T_CHECK(given_up(1, &pushes) && pushes == 3 && nseen == 0);
}

/* Each INDEX names all before it, on every level: there are more ways than anybody can go. */
static void test_wide(void)
{
	static struct evs_index_ref refs[EVS_INDEX_LEVELS * MOST];
	static uint32_t sum[MOST][EVS_INDEX_LEVELS]; /* of the commits on a level of an INDEX */
	uint64_t pushes;

	forge_begin();
	for (unsigned i = 0; i < 20; i++) {
		uint32_t n = 0;

		put_commit(i ? (int)i - 1 : -1, 1);
		for (uint32_t level = EVS_INDEX_LEVELS - 1; level > 0; level--)
			for (unsigned k = 0; k < i; k++)
				if (sum[k][level - 1]) {
					refs[n++] = up(k, level, sum[k][level - 1]);
					sum[i][level] += sum[k][level - 1];
				}
		refs[n++] = forge.commit[i];
		sum[i][0] = 1;
		put_index(refs, n, (int)i - 1);
	}
	put_commit(19, 1);
	T_CHECK(given_up(INT64_MIN, &pushes));
	t_check("after a number of steps that the file's length bounds",
		pushes > 100 && pushes / EVS_INDEX_LEVELS <= forge.b.len / 144 + 1);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int fd;

	snprintf(path, sizeof(path), "%s/evseg-tree-XXXXXX", base);
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	evs_io_close(fd);
	test_two_indexes();
	test_wrong_references();
	test_out_of_order();
	test_wide();
	evs_buf_release(&forge.b);
	T_CHECK(unlink(path) == 0);
	return t_done();
}
