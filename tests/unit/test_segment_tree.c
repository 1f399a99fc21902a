/*
 * INDEX trees that no writer makes, every frame of them sound: what goes by them gives up in time,
 * and goes through the segment frame by frame.
 *
 * Most commits have no groups, so that nothing but the tree leads from one to the next.
 */
#include "src/store/io.h"
#include "src/store/segment_read.h"
#include "tests/unit/t.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define SALT 4711u
#define MOST 32

static char path[80];

/* A segment that is put together, and where its frames are. */
static struct {
	struct evs_buf b;
	struct evs_commit last;
	struct evs_index_ref commit[2 * MOST],
		index[MOST]; /* as a reference of level 0, or of another, names them */
	unsigned commits, indexes;
	unsigned again;		    /* so many numbers of commits were given twice */
	struct evs_group_ref group; /* of the next commit, when it has rows */
	uint64_t rows;
} forge;

static struct evs_encoder *enc;

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
	T_CHECK(evs_head_write(&h, NULL, &forge.b) == 0);
}

/* A group of one row, of this time, for the next commit. */
static void put_group(int64_t at)
{
	uint64_t off = forge.b.len, payload;
	struct evs_array number;
	uint32_t summed = 0;

	evs_array_init(&number, EVS_INT, 8, true);
	T_CHECK(evs_array_append_int(&number, forge.rows) == 0);
	evs_buf_put_zero(&forge.b, EVS_FRAME_HEAD_SIZE);
	T_CHECK(evs_group_encode(enc, &number, 1, 0, forge.rows, &forge.b, &summed) == 0);
	payload = forge.b.len - off - EVS_FRAME_HEAD_SIZE;
	evs_buf_put_zero(&forge.b,
			 (size_t)(evs_frame_span(payload) - EVS_FRAME_HEAD_SIZE - payload));
	evs_frame_seal(forge.b.p + off, EVS_FRAME_GROUP, EVS_FRAME_F_REFUSE, payload,
		       forge.b.p + off + EVS_FRAME_HEAD_SIZE, summed, SALT, off, 0);
	forge.group = (struct evs_group_ref){ .off = off,
					      .len = forge.b.len - off,
					      .rows = 1,
					      .run = forge.commits + 1,
					      .mem_bytes = 8,
					      .time_min = at,
					      .time_max = at };
	crypto_generichash(forge.group.hash, EVS_HASH_SIZE, forge.b.p + off, forge.b.len - off,
			   NULL, 0);
	evs_array_release(&number);
}

/* One that counts `since` commits from the nth INDEX; -1: there is none. */
static void put_commit(int nth, uint32_t since)
{
	const struct evs_index_ref *x = nth < 0 ? NULL : &forge.index[nth], *prev;
	int64_t at = forge.group.rows ? forge.group.time_min : EVS_TIME_NONE;
	struct evs_commit c = { .seq = forge.commits + 1 - forge.again,
				.time_min = at,
				.time_max = at,
				.since_index = since,
				.rows = forge.group.rows,
				.rows_total = forge.rows + forge.group.rows,
				.groups = &forge.group,
				.ngroups = forge.group.rows,
				.first_group = forge.group.rows ? forge.group.off : forge.b.len,
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
								.rows = c.rows,
								.time_min = at,
								.time_max = at,
								.commits = 1 };
	c.groups = NULL;
	c.ngroups = 0;
	forge.last = c;
	forge.rows = c.rows_total;
	forge.group = (struct evs_group_ref){ 0 };
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

	for (uint32_t i = 0; i < n; i++) {
		x.seq += refs[i].commits;
		x.rows_total += refs[i].rows;
	}
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

/* ---- reading --------------------------------------------------------------------------------- */

static uint64_t seen[4 * MOST];
static unsigned nseen;

static bool see(void *arg, const struct evs_commit *c)
{
	(void)arg;
	if (nseen < 4 * MOST)
		seen[nseen++] = c->seq;
	return false;
}

static unsigned told;

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	(void)d;
	told++;
}

static struct evs_segment *forge_open(void)
{
	struct evs_segment *s = NULL;
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(forge.b.p, 1, forge.b.len, f) != forge.b.len || fclose(f) != 0)
		abort();
	T_CHECK(evs_segment_open(&s, path, on_damage, NULL, NULL) == 0);
	return s;
}

/* Go by the tree to the end. Was it given up? */
static bool given_up(int64_t since, uint64_t *pushes)
{
	struct evs_segment *s = forge_open();
	const struct evs_group *g;
	uint64_t off;
	bool given;

	nseen = 0;
	evs_segment_commits(s, see, NULL);
	evs_segment_rewind(s, EVS_WALK_PRUNED, since, INT64_MAX);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 0);
	given = s->how == EVS_WALK_ALL;
	*pushes = s->tree.pushes;
	evs_segment_close(s);
	return given;
}

/* Does the tree lead to the first commit, and to its end? Otherwise `diag` says which rule is
 * broken. */
static bool leads_to_first(struct evs_diag *diag)
{
	struct evs_segment *s = forge_open();
	struct evs_buf payload = { 0 };
	struct evs_commit c;
	uint64_t end = 0;
	int rc;

	*diag = (struct evs_diag){ 0 };
	rc = evs_segment_first(s, &c, &payload, &end, diag);
	T_CHECK(rc == 0 || rc == EVS_E_FORMAT);
	T_CHECK(rc < 0 || (c.seq == 1 && end == forge.commit[0].off + forge.commit[0].len));
	evs_commit_release(&c);
	evs_buf_release(&payload);
	evs_segment_close(s);
	return rc == 0;
}

/* The newest commit names the newest INDEX, and the one before an older: the chain ends there. What
 * it does not lead to has no rows here; with some, the numbers of rows would not fit. */
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

/* References that are not of what they lead to: an INDEX of fewer commits, a commit of another
 * time. */
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
	/* Both are passed over, because of their times; so nothing may lead in front of the second.
	 */
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

/* Down to the first commit, by trees that are right and that are not. */
static void test_first(void)
{
	struct evs_index_ref refs[2];
	struct evs_diag d;

	forge_begin();
	put_commit(-1, 1);
	t_check("one commit", leads_to_first(&d));
	put_commit(-1, 2);
	t_check("two commits", leads_to_first(&d));
	forge.again = 1;
	put_commit(-1, 2);
	put_commit(-1, 3);
	t_check("more commits than their numbers say", leads_to_first(&d));
	for (unsigned wrong = 0; wrong < 3; wrong++) {
		forge_begin();
		put_commit(-1, 1);
		put_commit(-1, 2);
		put_index(forge.commit + (wrong == 1), 2 - (wrong == 1), -1);
		put_commit(0, 1);
		refs[0] = up(0, wrong == 2 ? 2 : 1, 2);
		refs[1] = forge.commit[2];
		put_index(refs, 2, 0);
		put_commit(1, 1);
		put_commit(1, 2);
		t_check("two INDEXes", leads_to_first(&d) == (wrong == 0));
		t_check("why not",
			!d.what[0] ? wrong == 0
				   : strstr(d.what, wrong == 1 ? "first commit" : "not what its") !=
					     NULL);
	}
	/* The oldest of the level below is not the first reference. */
	forge_begin();
	put_commit(-1, 1);
	put_index(forge.commit, 1, -1);
	put_commit(0, 1);
	refs[0] = up(0, 1, 1);
	refs[1] = forge.commit[1];
	put_index(refs, 2, 0);
	put_commit(1, 1);
	refs[0] = up(1, 1, 2);
	refs[1] = forge.commit[2];
	put_index(refs, 2, 1);
	put_commit(2, 1);
	t_check("a level-1 reference to an INDEX of two levels leads to its commits only",
		!leads_to_first(&d));
}

/* A reference to the nth INDEX that stands for one commit of one row. */
static struct evs_index_ref one_row(unsigned nth, uint32_t level, int64_t at)
{
	struct evs_index_ref r = up(nth, level, 1);

	r.rows = 1;
	r.time_min = r.time_max = at;
	return r;
}

/*
 * Commits of a row each behind INDEXes: the newest says that what a reference of level 2 stands for
 * is older than what is asked for, and leads to a damaged one. What was passed over is no reason to
 * blame the groups that are walked then.
 */
static void test_given_up_behind_level_2(void)
{
	struct evs_index_ref refs[3];
	const struct evs_group *g;
	struct evs_segment *s;
	uint64_t off, rows = 0;
	int rc;

	forge_begin();
	put_group(0);
	put_commit(-1, 1);
	put_index(forge.commit, 1, -1);
	put_group(1);
	put_commit(0, 1);
	refs[0] = one_row(0, 1, 0);
	refs[1] = forge.commit[1];
	put_index(refs, 2, 0);
	put_group(2);
	put_commit(1, 1);
	refs[0] = one_row(1, 2, 0);
	refs[1] = one_row(1, 1, 1);
	refs[2] = forge.commit[2];
	put_index(refs, 3, 1);
	put_group(3);
	put_commit(2, 1);
	for (unsigned damaged = 0; damaged < 2; damaged++) {
		told = 0;
		rows = 0;
		forge.b.p[forge.index[1].off + EVS_FRAME_HEAD_SIZE + 1] ^= (uint8_t)damaged;
		s = forge_open();
		evs_segment_rewind(s, EVS_WALK_PRUNED, 1, INT64_MAX);
		while ((rc = evs_segment_next(s, &g, &off, NULL)) == 1)
			rows += g->rows;
		T_CHECK(rc == 0 && s->how == (damaged ? EVS_WALK_ALL : EVS_WALK_PRUNED));
		t_eq_u64("where the tree is damaged all rows are walked", rows, damaged ? 4 : 3);
		t_eq_u64("the INDEX is told, and nothing else", told, damaged);
		evs_segment_close(s);
	}
}

int main(void)
{
	const struct evs_encoder_opts opts = { .plain = true };
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int fd;

	snprintf(path, sizeof(path), "%s/evseg-tree-XXXXXX", base);
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	evs_io_close(fd);
	T_CHECK(evs_encoder_new(&enc, &opts) == 0);
	test_two_indexes();
	test_wrong_references();
	test_out_of_order();
	test_wide();
	test_first();
	test_given_up_behind_level_2();
	evs_encoder_free(enc);
	evs_buf_release(&forge.b);
	T_CHECK(unlink(path) == 0);
	return t_done();
}
