/*
 * Fuzz: rows into a stream and out again. The input chooses a schema and then what happens, a byte
 * or so each time: rows and bad lines come, rows are committed, the appender is closed or killed,
 * the schema changes, a file loses its end, everything is sent again (--source). A model keeps the
 * lines and knows what must be in the segments.
 *
 * What must hold: each acknowledged row is there once, letter by letter, in the order of the key
 * within its commit; nothing else is; in = stored + duplicate + rejected. Asked for one value, the
 * stream gives all rows that have it.
 */
#include "tests/fuzz/roundtrip_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_STEPS 300u

static struct model m;

static void step(void)
{
	uint8_t what = model_byte(&m);

	if (what < 155)
		model_row(&m);
	else if (what < 170)
		model_burst(&m);
	else if (what < 190)
		model_bad_line(&m);
	else if (what < 225)
		model_flush(&m);
	else if (what < 232)
		model_reopen(&m, true);
	else if (what < 238)
		model_reopen(&m, false);
	else if (what < 244)
		model_change_schema(&m);
	else
		model_tear(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	m = (struct model){ .in = data, .left = size };
	model_start(&m, scratch());
	for (unsigned i = 0; i < MAX_STEPS && m.nlines < MODEL_LINES && m.left; i++)
		step();
	model_close(&m, true);
	model_check(&m);
	model_open(&m);
	model_close(&m, true);
	model_check(&m);
	model_release(&m);
	return 0;
}
