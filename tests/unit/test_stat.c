/* Warnings of evs_stat() that no test has the disk for (src/upkeep/stat_warn.c), and sizes as text.
 */
#include "tests/unit/t.h"

#include "format/encode.h"
#include "src/upkeep/stat.h"

#define GB ((uint64_t)1000000000)

static char said[4096];

static void on_warning(void *arg, const char *text)
{
	size_t n = strlen(said);

	(void)arg;
	(void)snprintf(said + n, sizeof(said) - n, "%s|", text);
}

static void segment(struct evs_stat_warn *w, uint64_t bytes, int64_t lo)
{
	struct evs_stat_name n = {
		.stream = "t", .path = "s/t/_/x.evs", .lo = lo, .hi = lo + 86400
	};
	struct evs_stat_sum s;

	evs_stat_zero(&s);
	s.bytes = bytes;
	s.partitions = 1;
	evs_stat_warn_segment(w, &n, &s, EVS_UNIT_DAY, 0);
}

static void test_large(void)
{
	const struct evs_stat_opts o = { .on_warning = on_warning };
	struct evs_stat_warn w;

	evs_stat_warn_start(&w, &o);
	said[0] = '\0';
	segment(&w, 100 * GB, 0);
	t_eq_str("100 GB", said, "");
	segment(&w, 100 * GB + 1, 86400);
	t_eq_str(
		"above 100 GB", said,
		"s/t/_/x.evs: a partition of 100 GB, more than 100 GB: consider shorter partitions|");
	said[0] = '\0';
	segment(&w, 200 * GB + 1, 172800);
	t_eq_str(
		"above 200 GB", said,
		"s/t/_/x.evs: a partition of 200 GB, more than 200 GB: take shorter partitions in a new stream|");
	said[0] = '\0';
	segment(&w, 1, 4 * 86400);
	evs_stat_warn_tenant(&w);
	segment(&w, 1, 9 * 86400);
	evs_stat_warn_stream(&w, "t");
	t_eq_str("a gap, and none between tenants", said,
		 "t: no day from 1970-01-04 to 1970-01-05|");
	t_eq_u64("warnings", w.told, 3);
}

static void test_sums(void)
{
	struct evs_stat_sum a, b;

	evs_stat_zero(&a);
	evs_stat_zero(&b);
	evs_stat_add(&a, &b);
	T_CHECK(a.oldest == EVS_TIME_NONE && a.newest == EVS_TIME_NONE &&
		a.written == EVS_TIME_NONE);
	b.oldest = -5;
	b.newest = 5;
	b.largest = 7;
	evs_stat_add(&a, &b);
	b.oldest = EVS_TIME_NONE;
	b.newest = EVS_TIME_NONE;
	b.largest = 3;
	b.estimated = true;
	evs_stat_add(&a, &b);
	T_CHECK(a.oldest == -5 && a.newest == 5 && a.largest == 7 && a.estimated);
}

static void test_nodes(void)
{
	t_eq_str("a node", evs_node_name(EVS_NODE_TIME_TEXT), "time-text");
	t_eq_str("no node", evs_node_name(0), "?");
	t_eq_str("a node of a newer format", evs_node_name(200), "?");
	for (uint8_t kind = EVS_NODE_PLAIN; kind <= EVS_NODE_BLOCKS; kind++)
		T_CHECK(strcmp(evs_node_name(kind), "?") != 0);
}

int main(void)
{
	test_large();
	test_sums();
	test_nodes();
	return t_done();
}
