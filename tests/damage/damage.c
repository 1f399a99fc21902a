/*
 * Damages files in every way that kinds.h knows, has them read, and holds the answers against what
 * the spec says.
 *
 * usage: damage [-j WORKERS] [-n NUMBER] [-c COUNT] [-S SEED] [-d DIR] [-o OUT] KIND[:STEP],...
 * FILE.evs...
 *
 * Every STEPth damage of a kind is done, or only the one of that NUMBER, of which OUT gets the
 * bytes. COUNT and SEED are of the kind `random`. The rows of FILE.evs are held against FILE.ndjson
 * when it is there. Work is done in DIR, /dev/shm if nothing is said. What fails is named with the
 * command that does it again. The last line is "N passed, N failed".
 */
#define _GNU_SOURCE

#include "judge.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 20, SHOWN = 20, NEIGHBOURS = 3, LARGE = 256 << 10, MANY = 4000 };

static struct {
	unsigned workers;
	uint64_t number, count, seed;
	bool only;
	const char *dir, *out, *program;
} opt = { .workers = 2, .seed = 1, .dir = "/dev/shm" };

/* Counted by all workers. */
struct counts {
	uint64_t tried, wrong, appends, compacted, peak, of_kind[16];
};
static struct counts *counts;

/* For the message when a scan hangs or crashes. */
static char doing[1200];

static void on_signal(int sig)
{
	const char *what = sig == SIGPROF ? "not ok (hangs): " : "not ok (crash): ";

	(void)!write(1, what, strlen(what));
	(void)!write(1, doing, strlen(doing));
	(void)!write(1, "\n", 1);
	_exit(1);
}

static void watch_time(void)
{
	struct itimerval t = { .it_value = { .tv_sec = SECONDS } };

	setitimer(ITIMER_PROF, &t, NULL);
}

static void report(const struct trial *t)
{
	if (__atomic_add_fetch(&counts->wrong, 1, __ATOMIC_RELAXED) > SHOWN)
		return;
	printf("not ok: %s: %s\n  again: %s\n", t->scene.base->name, t->verdict.why, doing);
	fflush(stdout);
}

/* The span of time whose groups stand where the damage begins. */
static unsigned near_times(const struct trial *t)
{
	const struct version *v = t->scene.base;
	size_t g = 0;

	while (g + 1 < v->ngroups && v->groups[g]->off + v->groups[g]->span <= t->damaged.lo)
		g++;
	return VIEW_TIMES + (unsigned)(g * t->stage->nspans / v->ngroups);
}

/* Which views a damage is looked at through, besides VIEW_ALL: all of them in turn, by number. */
static void judge_others(struct trial *t, uint64_t i, bool all)
{
	const struct version *v = t->scene.base;
	uint64_t turn = i / 8 + i;

	if (all || turn % 4 == 0)
		judge_view(t, VIEW_PRUNED);
	if (t->stage->nspans && (all || turn % 4 == 1))
		judge_view(t, near_times(t));
	if (all || turn % 8 == 2)
		judge_view(t, VIEW_LOOSE);
	if (v->schemas || t->subject.ncolumns < 2)
		return;
	for (size_t c = 0; c < t->subject.ncolumns && c < LESS_MAX; c++)
		if (all || (turn % 8 == 3 && turn / 8 % t->subject.ncolumns == c))
			judge_view(t, VIEW_LESS + (unsigned)c);
}

static void try_compact(struct trial *t)
{
	if (t->verdict.wrong || !t->stage->can_compact)
		return;
	judge_compact(t);
	__atomic_add_fetch(&counts->compacted, 1, __ATOMIC_RELAXED);
}

/* After VIEW_ALL. */
static void try_append(struct trial *t)
{
	if (t->verdict.wrong)
		return;
	judge_append(t);
	__atomic_add_fetch(&counts->appends, 1, __ATOMIC_RELAXED);
}

/* Large files take their time: most damages are looked for where they are, only some in all ways.
 */
static void judge_large(struct trial *t, uint64_t i)
{
	if (i % 64 == 0) {
		judge_view(t, VIEW_ALL);
		judge_check(t);
		if (i % 512 == 0)
			try_append(t);
		if (i % 512 == 256)
			try_compact(t);
	} else if (i % 64 == 1) {
		judge_others(t, i / 64, false);
	} else {
		judge_view(t, near_times(t));
	}
}

static void try_one(struct trial *t, const struct kind *k, uint64_t i)
{
	struct damaged *d = &t->damaged;
	struct itimerval off = { 0 };
	uint64_t lo, hi;
	int n = snprintf(doing, sizeof(doing), "%.300s -S %llu -n %llu %s %.200s", opt.program,
			 (unsigned long long)opt.seed, (unsigned long long)i, k->name,
			 t->scene.base->name);

	for (size_t v = 0; v < t->scene.nforeign && n > 0 && (size_t)n < sizeof(doing); v++)
		n += snprintf(doing + n, sizeof(doing) - (size_t)n, " %.200s",
			      t->scene.foreign[v]->name);
	t->verdict.wrong = false;
	k->make(&t->scene, i, d);
	if (opt.out)
		store_file(opt.out, d->bytes, d->size);
	expect_of(&t->expect, d, t->families, t->nfamilies);
	subject_put(&t->subject, d->bytes, d->size, d->lo, d->hi);
	watch_time();
	if (t->scene.base->size > LARGE && t->stage->nspans && !opt.only) {
		judge_large(t, i);
	} else {
		judge_view(t, VIEW_ALL);
		if (k == &kinds[0])
			judge_flip(t, i / 8);
		if (opt.only || i % 3 == 1)
			judge_check(t);
		if (opt.only || i % 61 == 7)
			try_append(t);
		if (opt.only || i % 61 == 33)
			try_compact(t);
		judge_others(t, i, opt.only);
	}
	setitimer(ITIMER_PROF, &off, NULL);
	if (t->verdict.wrong)
		report(t);
	__atomic_add_fetch(&counts->tried, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&counts->of_kind[k - kinds], 1, __ATOMIC_RELAXED);
	/* Back to what it was, in memory and in the file. */
	lo = d->lo;
	hi = d->hi > d->base->size ? d->hi : d->size < d->base->size ? d->base->size : d->hi;
	damaged_mend(d);
	subject_put(&t->subject, d->bytes, d->size, lo, hi);
}

static void trial_open(struct trial *t, const struct stage *stages, size_t nstages, size_t at,
		       unsigned worker)
{
	static const struct version *foreign[NEIGHBOURS];
	char dir[128];

	*t = (struct trial){ .stage = &stages[at] };
	t->families[t->nfamilies++] = &stages[at].family;
	for (size_t i = 1; i < nstages && t->nfamilies <= NEIGHBOURS; i++) {
		const struct stage *other = &stages[(at + i) % nstages];
		bool known = false;

		/* Forged files share a salt, so they are no strangers to each other. */
		for (size_t f = 0; f < t->nfamilies; f++)
			known = known ||
				other->version[0].salt == t->families[f]->versions[0]->salt;
		if (known)
			continue;
		foreign[t->nfamilies - 1] = &other->version[0];
		t->families[t->nfamilies++] = &other->family;
	}
	t->scene = (struct scene){ .base = t->stage->list[0],
				   .versions = t->stage->list,
				   .nversions = t->stage->n,
				   .foreign = foreign,
				   .nforeign = t->nfamilies - 1,
				   .seed = opt.seed };
	snprintf(dir, sizeof(dir), "%.80s/evseg-damage-%ld-%u", opt.dir, (long)getpid(), worker);
	stage_subject(t->stage, &t->subject, dir);
	damaged_init(&t->damaged, &t->scene);
	answer_init(&t->answer);
	subject_put(&t->subject, t->damaged.bytes, t->damaged.size, 0, t->damaged.size);
	for (unsigned view = 0; view < VIEWS; view++) {
		if (!t->scene.base->seen[view] || (view_is_loose(view) && view != VIEW_LOOSE))
			continue;
		subject_scan(&t->subject, view, &t->answer);
		if (!view) /* the first one may set things up for ever */
			subject_scan(&t->subject, view, &t->answer);
		t->sound[view] = t->answer.used;
		if (t->answer.used.peak > counts->peak)
			counts->peak = t->answer.used.peak;
	}
}

static void trial_close(struct trial *t)
{
	subject_close(&t->subject);
	damaged_release(&t->damaged);
	answer_release(&t->answer);
	expect_release(&t->expect);
}

/* Of KIND[:STEP],...: the step of this kind; 0: it is not named. */
static uint64_t step_of(const char *names, const char *kind)
{
	const char *found = strstr(names, kind);

	if (!found)
		return 0;
	found += strlen(kind);
	return *found == ':' ? strtoull(found + 1, NULL, 10) : 1;
}

static void work(const struct stage *stages, size_t nstages, size_t at, const char *names,
		 unsigned worker)
{
	static struct trial t;

	trial_open(&t, stages, nstages, at, worker);
	for (size_t k = 0; k < nkinds; k++) {
		uint64_t n = kinds[k].count(&t.scene), step = step_of(names, kinds[k].name);

		if (!step)
			continue;
		if (!n)
			n = opt.count;
		for (uint64_t i = worker * step; i < n && !opt.only; i += opt.workers * step)
			try_one(&t, &kinds[k], i);
		if (opt.only && worker == 0)
			try_one(&t, &kinds[k], opt.number);
	}
	trial_close(&t);
}

/* Each worker in a process of its own, so that a crash is named and costs only its share. */
static void fork_workers(const struct stage *stages, size_t nstages, size_t at, const char *names)
{
	pid_t pids[64];

	fflush(stdout);
	for (unsigned w = 0; w < opt.workers; w++) {
		pids[w] = fork();
		if (pids[w] != 0)
			continue;
		work(stages, nstages, at, names, w);
		fflush(stdout);
		_exit(0);
	}
	for (unsigned w = 0; w < opt.workers; w++) {
		int status = 1;

		while (pids[w] > 0 && waitpid(pids[w], &status, 0) < 0 && errno == EINTR)
			continue;
		if (pids[w] < 0 || status != 0) {
			printf("not ok: %s: a worker died\n", stages[at].version[0].name);
			counts->wrong++;
		}
	}
}

static int usage(void)
{
	fputs("usage: damage [-j WORKERS] [-n NUMBER] [-c COUNT] [-S SEED] [-d DIR] [-o OUT] "
	      "KIND[:STEP],... FILE.evs...\n",
	      stderr);
	return 2;
}

static bool options(int argc, char *argv[])
{
	int ch;

	opt.program = argv[0];
	while ((ch = getopt(argc, argv, "j:n:c:S:d:o:")) != -1) {
		uint64_t v = optarg ? strtoull(optarg, NULL, 10) : 0;

		switch (ch) {
		case 'j':
			opt.workers = v > 0 && v <= 64 ? (unsigned)v : 1;
			break;
		case 'n':
			opt.number = v;
			opt.only = true;
			break;
		case 'c':
			opt.count = v;
			break;
		case 'S':
			opt.seed = v;
			break;
		case 'd':
			opt.dir = optarg;
			break;
		case 'o':
			opt.out = optarg;
			break;
		default:
			return false;
		}
	}
	return argc - optind >= 2 && argc - optind - 1 <= MAX_FILES;
}

/* What was asked for was done: a kind of which no file had one, or many damages after which nobody
 * appended or compacted, say nothing. */
static void judge_counts(const char *names)
{
	for (size_t k = 0; k < nkinds; k++)
		if (step_of(names, kinds[k].name) && !counts->of_kind[k]) {
			printf("not ok: %s: none was done\n", kinds[k].name);
			counts->wrong++;
		}
	printf("%llu damages, %llu appended to, %llu compacted\n",
	       (unsigned long long)counts->tried, (unsigned long long)counts->appends,
	       (unsigned long long)counts->compacted);
	if (counts->tried < MANY || (counts->appends && counts->compacted))
		return;
	printf("not ok: nothing was appended to, or nothing compacted\n");
	counts->wrong++;
}

int main(int argc, char *argv[])
{
	static struct stage stages[MAX_FILES];
	static const int fatal[] = { SIGPROF, SIGSEGV, SIGBUS, SIGFPE, SIGABRT };
	uint64_t good;
	size_t n = 0;
	char dir[128];

	if (!options(argc, argv))
		return usage();
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (fatal[i] == SIGPROF || watch_memory())
			signal(fatal[i], on_signal);
	snprintf(dir, sizeof(dir), "%.80s/evseg-damage-%ld", opt.dir, (long)getpid());
	for (int i = optind + 1; i < argc; i++)
		if (stage_load(&stages[n], argv[i]) && stage_prepare(&stages[n], dir))
			n++;
		else
			counts->wrong++;
	for (size_t i = 0; i < n; i++)
		if (!opt.only || i == 0)
			fork_workers(stages, n, i, argv[optind]);
	for (size_t i = 0; i < n; i++)
		stage_release(&stages[i]);
	if (!opt.only)
		judge_counts(argv[optind]);
	good = counts->tried > counts->wrong ? counts->tried - counts->wrong : 0;
	printf("%llu passed, %llu failed\n", (unsigned long long)good,
	       (unsigned long long)counts->wrong);
	return counts->wrong != 0;
}
