/* A writer and evexpire at the moments at which they can meet: the folder of a tenant goes under
 * the writer's hands (spec/store.md 4). */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "src/store/io.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ddl[] = "CREATE TABLE ev (ts DateTime NOT NULL, t String, n Int64)"
			  " ORDER BY n PARTITION BY (t, toMonday(ts));\n";
static const char row[] = "{\"ts\":\"2024-01-01T00:00:00Z\",\"t\":\"a\",\"n\":1}\n";

static char dir[64], stream[96], tenant[128], segment[160];
static enum { NOTHING, AFTER_MKDIR, BEFORE_SYNC } moment;
static int synced_folder;

int __real_evs_io_mkdir(const char *path, struct evs_diag *diag);
int __wrap_evs_io_mkdir(const char *path, struct evs_diag *diag);
int __wrap_evs_io_mkdir(const char *path, struct evs_diag *diag)
{
	int rc = __real_evs_io_mkdir(path, diag);

	if (moment == AFTER_MKDIR && !strcmp(path, tenant)) {
		moment = NOTHING;
		T_CHECK(rmdir(tenant) == 0);
	}
	return rc;
}

int __real_evs_io_sync_dir(const char *path, struct evs_diag *diag);
int __wrap_evs_io_sync_dir(const char *path, struct evs_diag *diag);
int __wrap_evs_io_sync_dir(const char *path, struct evs_diag *diag)
{
	synced_folder += !strcmp(path, tenant);
	if (moment == BEFORE_SYNC && !strcmp(path, tenant)) {
		moment = NOTHING;
		T_CHECK(unlink(segment) == 0 && rmdir(tenant) == 0);
	}
	return __real_evs_io_sync_dir(path, diag);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void on_ack(void *arg, const struct evs_ack *ack)
{
	*(uint64_t *)arg += ack->rows;
}

/* Rows acknowledged of one, or an error. */
static int append(void)
{
	uint64_t acked = 0;
	struct evs_append_opts opts = { .on_ack = on_ack, .arg = &acked };
	struct evs_appender *a = NULL;
	struct evs_diag diag = { 0 };
	int rc = evs_append_open(&a, stream, &opts, &diag);

	if (rc == 0)
		rc = evs_append_feed(a, row, sizeof(row) - 1, &diag);
	if (rc == 0)
		rc = evs_append_flush(a, true, &diag);
	evs_append_close(a);
	if (rc < 0)
		printf("%s: %s\n", diag.path, diag.what);
	return rc < 0 ? rc : (int)acked;
}

static void fresh(void)
{
	struct evs_diag diag;

	(void)nftw(dir, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	if (evs_store_apply(dir, ddl, sizeof(ddl) - 1, NULL, NULL, NULL, NULL, &diag) < 0)
		abort();
}

static void test_folder_goes(void)
{
	fresh();
	moment = AFTER_MKDIR;
	T_CHECK(append() == 1 && moment == NOTHING);
	T_CHECK(access(segment, F_OK) == 0);
	fresh();
	moment = BEFORE_SYNC;
	T_CHECK(append() == 1 && moment == NOTHING);
	T_CHECK(access(segment, F_OK) != 0);
	T_CHECK(append() == 1);
}

/* The rename of an old segment is made durable before another one takes its name, and only then. */
static void test_old_one_hidden(void)
{
	char hidden[192];
	int plain, after;

	fresh();
	synced_folder = 0;
	T_CHECK(append() == 1);
	plain = synced_folder;
	(void)snprintf(hidden, sizeof(hidden), "%s/.2024-01-01.evs.expired", tenant);
	T_CHECK(rename(segment, hidden) == 0);
	synced_folder = 0;
	T_CHECK(append() == 1);
	after = synced_folder;
	t_eq_u64("syncs of the folder", (uint64_t)after, (uint64_t)plain + 1);
}

int main(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/evseg-dropped-XXXXXX");
	if (!mkdtemp(dir))
		return 77;
	(void)snprintf(stream, sizeof(stream), "%s/ev", dir);
	(void)snprintf(tenant, sizeof(tenant), "%s/a", stream);
	(void)snprintf(segment, sizeof(segment), "%s/2024-01-01.evs", tenant);
	test_folder_goes();
	test_old_one_hidden();
	(void)nftw(dir, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	return t_done();
}
