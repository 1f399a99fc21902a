/*
 * BYTES nodes for date-times written as text (spec 6.6.4): "2024-12-16T00:00:33.253Z" and its kin.
 *
 * All values share one form: a separator or a date alone, the number of fraction digits, and the
 * bytes after the digits. What is left is a count of ticks (10^-digits seconds, or days) since
 * 1970-01-01 in whatever zone the text has; no zone is computed. Days and dates after Howard
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
#include "format/enc_impl.h"

#define DATE_LEN   10 /* YYYY-MM-DD */
#define SECOND_LEN 19 /* YYYY-MM-DDThh:mm:ss */
#define DAY	   86400
#define DAYS_MIN   (-719528) /* 0000-01-01 */
#define DAYS_MAX   2932896   /* 9999-12-31 */

struct form {
	uint8_t sep;	/* 'T' or ' '; 0: date alone */
	uint8_t digits; /* of the fraction, 0 .. 9 */
	uint8_t suffix_len;
	uint8_t suffix[EVS_ENC_MAX_SUFFIX];
};

static const int64_t ticks_per_second[10] = { 1,      10,      100,	 1000,	    10000,
					      100000, 1000000, 10000000, 100000000, 1000000000 };

static int64_t ticks_per_day(const struct form *f)
{
	return f->sep ? ticks_per_second[f->digits] * DAY : 1;
}

static size_t form_len(const struct form *f)
{
	return (f->sep ? SECOND_LEN + (f->digits ? 1u + f->digits : 0u) : DATE_LEN) + f->suffix_len;
}

/* Form of one value, by its length and punctuation alone. */
static bool form_of(struct form *f, const uint8_t *p, size_t len)
{
	size_t at = DATE_LEN;

	*f = (struct form){ 0 };
	if (len < DATE_LEN)
		return false;
	if (len > DATE_LEN && (p[DATE_LEN] == 'T' || p[DATE_LEN] == ' ')) {
		if (len < SECOND_LEN)
			return false;
		f->sep = p[DATE_LEN];
		at = SECOND_LEN;
		if (len > at && p[at] == '.') {
			for (at++; at < len && f->digits < 9 && p[at] >= '0' && p[at] <= '9'; at++)
				f->digits++;
			if (!f->digits)
				return false;
		}
	}
	if (len - at > EVS_ENC_MAX_SUFFIX)
		return false;
	f->suffix_len = (uint8_t)(len - at);
	memcpy(f->suffix, p + at, len - at);
	return true;
}

/* `n` digits; *bad gets bits set when one is none. */
static inline uint32_t number(const uint8_t *p, unsigned n, unsigned *bad)
{
	uint32_t v = 0, digit;

	for (unsigned i = 0; i < n; i++) {
		digit = (uint32_t)p[i] - '0';
		*bad |= digit > 9;
		v = v * 10 + digit;
	}
	return v;
}

static int64_t days_from_civil(uint32_t year, uint32_t month, uint32_t day)
{
	int64_t y = (int64_t)year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*day = (uint32_t)(doy - (153 * mp + 2) / 5 + 1);
	*month = (uint32_t)(mp < 10 ? mp + 3 : mp - 9);
	*year = (uint32_t)(yoe + era * 400 + (*month <= 2));
}

static uint32_t month_len(uint32_t year, uint32_t month)
{
	static const uint8_t len[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return len[month] + (uint32_t)(month == 2 && leap);
}

static bool date_parse(int64_t *days, const uint8_t *p)
{
	unsigned bad = p[4] != '-' || p[7] != '-';
	uint32_t year = number(p, 4, &bad), month = number(p + 5, 2, &bad);
	uint32_t day = number(p + 8, 2, &bad);

	if (bad || !month || month > 12 || !day || day > month_len(year, month))
		return false;
	*days = days_from_civil(year, month, day);
	return true;
}

/* `p` has form_len() bytes. */
static bool time_parse(int64_t *ticks, const uint8_t *p, const struct form *f)
{
	uint32_t hour, minute, second, fraction = 0;
	int64_t days, secs, per = ticks_per_second[f->digits];
	unsigned bad;

	if (memcmp(p + form_len(f) - f->suffix_len, f->suffix, f->suffix_len) != 0 ||
	    !date_parse(&days, p))
		return false;
	if (!f->sep) {
		*ticks = days;
		return true;
	}
	bad = p[10] != f->sep || p[13] != ':' || p[16] != ':';
	hour = number(p + 11, 2, &bad);
	minute = number(p + 14, 2, &bad);
	second = number(p + 17, 2, &bad);
	if (f->digits) {
		bad |= p[SECOND_LEN] != '.';
		fraction = number(p + SECOND_LEN + 1, f->digits, &bad);
	}
	if (bad || hour > 23 || minute > 59 || second > 59)
		return false;
	secs = days * DAY + (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
	if (secs > INT64_MAX / per - 1 || secs < INT64_MIN / per + 1)
		return false;
	*ticks = secs * per + fraction;
	return true;
}

bool evs_time_is(const uint8_t *p, size_t len)
{
	struct form f;
	int64_t ticks;

	return form_of(&f, p, len) && time_parse(&ticks, p, &f);
}

static void put_digits(uint8_t *p, uint32_t v, unsigned n)
{
	while (n--) {
		p[n] = (uint8_t)('0' + v % 10);
		v /= 10;
	}
}

static void date_print(uint8_t *p, int64_t days)
{
	uint32_t year, month, day;

	civil_from_days(days, &year, &month, &day);
	put_digits(p, year, 4);
	put_digits(p + 5, month, 2);
	put_digits(p + 8, day, 2);
	p[4] = p[7] = '-';
}

int evs_enc_time(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
		 struct evs_buf *out)
{
	uint8_t *mem = evs_scratch_get(&ctx->scratch, (size_t)v->n * 8);
	struct evs_ints ints = { .p = mem, .n = v->n, .w = 8, .is_signed = true };
	struct form f;
	int64_t ticks;
	size_t len;

	if (!mem)
		return EVS_E_NOMEM;
	if (!form_of(&f, v->data + v->offs[0], (size_t)(v->offs[1] - v->offs[0])))
		return EVS_ENC_UNFIT;
	len = form_len(&f);
	for (size_t i = 0; i < v->n; i++) {
		if ((size_t)(v->offs[i + 1] - v->offs[i]) != len ||
		    !time_parse(&ticks, v->data + v->offs[i], &f))
			return EVS_ENC_UNFIT;
		evs_st(mem, i, 8, (uint64_t)ticks);
	}
	evs_buf_put_u8(out, EVS_NODE_TIME_TEXT);
	evs_buf_put_u8(out, f.sep);
	evs_buf_put_u8(out, f.digits);
	evs_buf_put_u8(out, f.suffix_len);
	evs_buf_put(out, f.suffix, f.suffix_len);
	return evs_enc_int(ctx, &ints, depth + 1, out);
}

static int get_form(struct evs_dec_ctx *d, struct evs_cur *c, struct form *f)
{
	const uint8_t *suffix;

	if (!evs_cur_u8(c, &f->sep) || !evs_cur_u8(c, &f->digits) ||
	    !evs_cur_u8(c, &f->suffix_len) || (f->sep && f->sep != 'T' && f->sep != ' ') ||
	    f->digits > 9 || (!f->sep && f->digits) || f->suffix_len > EVS_ENC_MAX_SUFFIX ||
	    !evs_cur_bytes(c, f->suffix_len, &suffix))
		return evs_dec_fail(d, "6.6-4 form of a time node out of range");
	memcpy(f->suffix, suffix, f->suffix_len);
	return 0;
}

static int64_t day_of(int64_t ticks, int64_t per)
{
	return ticks / per - (ticks < ticks / per * per);
}

/* Do all of the days lie in the years that can be printed? */
static bool days_fit(const int64_t *ticks, uint32_t n, const struct form *f)
{
	int64_t per = ticks_per_day(f), min = ticks[0], max = ticks[0];

	for (size_t i = 1; i < n; i++) {
		min = ticks[i] < min ? ticks[i] : min;
		max = ticks[i] > max ? ticks[i] : max;
	}
	return day_of(min, per) >= DAYS_MIN && day_of(max, per) <= DAYS_MAX;
}

/* Rows of one day follow each other, so the last date is kept. `date` has DATE_LEN bytes. */
static bool time_print(uint8_t *p, int64_t ticks, const struct form *f, int64_t *last,
		       uint8_t *date)
{
	int64_t per = ticks_per_day(f), days = day_of(ticks, per);
	uint64_t rest, secs, scale = (uint64_t)ticks_per_second[f->digits];

	if (days < DAYS_MIN || days > DAYS_MAX)
		return false;
	if (days != *last) {
		date_print(date, days);
		*last = days;
	}
	memcpy(p, date, DATE_LEN);
	p += DATE_LEN;
	if (f->sep) {
		/* The first day may begin before what a signed number holds; the difference does
		 * not. */
		rest = (uint64_t)ticks - (uint64_t)days * (uint64_t)per;
		secs = rest / scale;
		*p = f->sep;
		put_digits(p + 1, (uint32_t)(secs / 3600), 2);
		p[3] = ':';
		put_digits(p + 4, (uint32_t)(secs / 60 % 60), 2);
		p[6] = ':';
		put_digits(p + 7, (uint32_t)(secs % 60), 2);
		p += SECOND_LEN - DATE_LEN;
		if (f->digits) {
			*p = '.';
			put_digits(p + 1, (uint32_t)(rest % scale), f->digits);
			p += 1 + f->digits;
		}
	}
	memcpy(p, f->suffix, f->suffix_len);
	return true;
}

int evs_dec_time(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		 unsigned depth, const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	int64_t *ticks, last = INT64_MIN;
	uint8_t date[DATE_LEN];
	struct form f = { 0 };
	size_t len;
	int rc = get_form(d, c, &f);

	if (rc)
		return rc;
	ticks = evs_dec_scratch(d, (uint64_t)n * 8);
	if (!ticks)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, n, 8, (uint8_t *)ticks, depth + 1);
	if (!rc)
		rc = evs_dec_reserve(d, out, want, 0);
	len = form_len(&f);
	if (!rc)
		rc = evs_dec_bytes_room(d, out, (uint64_t)want * len);
	if (rc)
		return rc;
	d->most = (uint64_t)n * len;
	if (pick && !days_fit(ticks, n, &f))
		return EVS_DEC_WHOLE;
	out->offs[0] = 0;
	for (size_t i = 0; i < want; i++) {
		if (!time_print(out->data + i * len, ticks[pick ? pick->at[i] : i], &f, &last,
				date))
			return evs_dec_fail(d, "6.6-5 a time lies outside the years 0 to 9999");
		out->offs[i + 1] = (int32_t)((i + 1) * len);
	}
	return 0;
}
