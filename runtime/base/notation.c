/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people type and read: durations, sizes, numbers, times of day. Parsers take the whole
 * string or nothing, never a prefix, and never accept a sign or a blank. See text.h.
 */
#include "base/text.h"
#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DURATION_MAX_NS (DURATION_MAX_DAYS * 86400LL * NSEC_PER_SEC)

int parse_number(const char *string, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!*string)
		return -EINVAL;
	for (; *string; string++) {
		if (*string < '0' || *string > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*string - '0'), &value))
			return -ERANGE;
	}
	if (value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit duration_units[] = {
	{"ms", NSEC_PER_MSEC},	    {"s", NSEC_PER_SEC},	 {"m", 60 * NSEC_PER_SEC},
	{"h", 3600 * NSEC_PER_SEC}, {"d", 86400 * NSEC_PER_SEC}, {NULL, 0},
};

static const struct unit size_units[] = {
	{"B", 1},	   {"k", 1ULL << 10},	{"K", 1ULL << 10}, {"KiB", 1ULL << 10},
	{"M", 1ULL << 20}, {"MiB", 1ULL << 20}, {"G", 1ULL << 30}, {"GiB", 1ULL << 30},
	{"T", 1ULL << 40}, {"TiB", 1ULL << 40}, {NULL, 0},
};

/* Reads digits and one unit; *string moves behind them. A missing unit has the factor bare. */
static int take_quantity(const char **string, const struct unit *units, uint64_t bare,
			 uint64_t *ret_value)
{
	char digits[24], suffix[8];
	size_t n = strspn(*string, "0123456789");
	size_t s = strcspn(*string + n, "0123456789");
	uint64_t value;
	int r;

	if (n == 0 || s >= sizeof(suffix))
		return -EINVAL;
	if (n >= sizeof(digits))
		return -ERANGE;
	snprintf(digits, sizeof(digits), "%.*s", (int)n, *string);
	snprintf(suffix, sizeof(suffix), "%.*s", (int)s, *string + n);
	r = parse_number(digits, UINT64_MAX, &value);
	if (r < 0)
		return r;
	while (s && units->suffix && strcmp(units->suffix, suffix) != 0)
		units++;
	if (s && !units->suffix)
		return -EINVAL;
	if (__builtin_mul_overflow(value, s ? units->factor : bare, ret_value))
		return -ERANGE;
	*string += n + s;
	return 0;
}

int parse_duration(const char *string, int64_t *ret_ns)
{
	uint64_t total = 0, part;
	int parts = 0;

	do {
		int r = take_quantity(&string, duration_units, NSEC_PER_SEC, &part);

		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, part, &total) || total > DURATION_MAX_NS)
			return -ERANGE;
		/* "1h30" could be minutes or seconds: only a lone number goes without a unit */
		if (parts++ && string[-1] >= '0' && string[-1] <= '9')
			return -EINVAL;
	} while (*string);
	*ret_ns = (int64_t)total;
	return 0;
}

int parse_size(const char *string, uint64_t *ret_bytes)
{
	uint64_t value;
	int r = take_quantity(&string, size_units, 1, &value);

	if (r < 0)
		return r;
	if (*string)
		return -EINVAL;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret_bytes = value;
	return 0;
}

/* Reads exactly width digits; *string moves behind them. */
static bool take_digits(const char **string, int width, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < width; i++) {
		char digit = (*string)[i];

		if (digit < '0' || digit > '9')
			return false;
		value = 10 * value + digit - '0';
	}
	*string += width;
	*ret_value = value;
	return true;
}

static bool take_character(const char **string, char wanted)
{
	if (**string != wanted)
		return false;
	(*string)++;
	return true;
}

/* Reads "Z", "+hh:mm" or "-hh:mm" up to the end; no zone at all is fine too. */
static bool take_zone(const char *string, bool *ret_given, long *ret_offset)
{
	bool west = *string == '-';
	int hours, minutes;

	*ret_given = *string != '\0';
	*ret_offset = 0;
	if (!*string || strcmp(string, "Z") == 0)
		return true;
	if (!take_character(&string, west ? '-' : '+') || !take_digits(&string, 2, &hours) ||
	    !take_character(&string, ':') || !take_digits(&string, 2, &minutes) || *string)
		return false;
	*ret_offset = (west ? -1 : 1) * (hours * 3600L + minutes * 60L);
	return hours <= 14 && minutes <= 59;
}

/* "hh:mm", "h:mm" or either with ":ss"; *string moves behind it. */
static bool take_clock(const char **string, struct tm *tm)
{
	if (!take_digits(string, 2, &tm->tm_hour) && !take_digits(string, 1, &tm->tm_hour))
		return false;
	if (!take_character(string, ':') || !take_digits(string, 2, &tm->tm_min))
		return false;
	tm->tm_sec = 0;
	if (take_character(string, ':') && !take_digits(string, 2, &tm->tm_sec))
		return false;
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* "yyyy-mm-dd"; *string moves behind it. mktime would take 31 February for 3 March. */
static bool take_date(const char **string, struct tm *tm)
{
	int year, month, day;

	if (!take_digits(string, 4, &year) || !take_character(string, '-') ||
	    !take_digits(string, 2, &month) || !take_character(string, '-') ||
	    !take_digits(string, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

/* mktime normalises what it is given, so a day that lacks this hour must not spoil the next. */
static time_t local_clock_time(const struct tm *clock, time_t now, int days_on)
{
	struct tm day;

	localtime_r(&now, &day);
	day.tm_mday += days_on;
	day.tm_hour = clock->tm_hour;
	day.tm_min = clock->tm_min;
	day.tm_sec = clock->tm_sec;
	day.tm_isdst = -1;
	return mktime(&day);
}

static time_t next_clock_time(const struct tm *clock, time_t now)
{
	time_t today = local_clock_time(clock, now, 0);

	return today > now ? today : local_clock_time(clock, now, 1);
}

static int parse_clock_time(const char *string, time_t now, time_t *ret_when)
{
	struct tm clock = {0};

	if (!take_clock(&string, &clock) || *string)
		return -EINVAL;
	*ret_when = next_clock_time(&clock, now);
	return 0;
}

int parse_time(const char *string, time_t now, time_t *ret_when)
{
	struct tm tm = {.tm_isdst = -1};
	const char *rest = string;
	bool zone_given;
	long offset;

	if (!take_date(&rest, &tm))
		return parse_clock_time(string, now, ret_when);
	if (!take_character(&rest, 'T') && !take_character(&rest, ' '))
		return -EINVAL;
	if (!take_clock(&rest, &tm) || !take_zone(rest, &zone_given, &offset))
		return -EINVAL;
	*ret_when = zone_given ? timegm(&tm) - offset : mktime(&tm);
	return 0;
}

void format_duration(int64_t ns, char *buffer, size_t size)
{
	int64_t seconds = ns / NSEC_PER_SEC;

	if (ns <= 0)
		snprintf(buffer, size, "0s");
	else if (ns < 10 * NSEC_PER_MSEC)
		snprintf(buffer, size, "%.1fms", (double)ns / 1e6);
	else if (ns < NSEC_PER_SEC)
		snprintf(buffer, size, "%" PRId64 "ms", (int64_t)(ns / NSEC_PER_MSEC));
	else if (ns < 10 * NSEC_PER_SEC && ns % NSEC_PER_SEC)
		snprintf(buffer, size, "%.1fs", (double)ns / 1e9);
	else if (seconds < 60)
		snprintf(buffer, size, "%" PRId64 "s", seconds);
	else if (seconds < 3600)
		snprintf(buffer, size, "%" PRId64 "m %02" PRId64 "s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(buffer, size, "%" PRId64 "h %02" PRId64 "m", seconds / 3600,
			 seconds / 60 % 60);
	else
		snprintf(buffer, size, "%" PRId64 "d %02" PRId64 "h", seconds / 86400,
			 seconds / 3600 % 24);
}

void format_size(uint64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	/* 1023.5 and more would be shown as 1024 */
	while (value >= 1023.5 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer, size, unit && value < 10 && value != (int)value ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
}
