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

#define DURATION_MAX_NS (10LL * 366 * 86400 * NSEC_PER_SEC)

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
	{"ms", NSEC_PER_MSEC},
	{"s", NSEC_PER_SEC},
	{"m", 60 * NSEC_PER_SEC},
	{"h", 3600 * NSEC_PER_SEC},
	{"d", 86400 * NSEC_PER_SEC},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"B", 1},	{"k", 1ULL << 10},   {"K", 1ULL << 10},	  {"KiB", 1ULL << 10},
	{"M", 1ULL << 20}, {"MiB", 1ULL << 20}, {"G", 1ULL << 30},   {"GiB", 1ULL << 30},
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

	if (n == 0 || n >= sizeof(digits) || s >= sizeof(suffix))
		return -EINVAL;
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

/* Moves behind "Z", "+hh:mm" or "-hh:mm"; false when there is neither that nor the end. */
static bool take_zone(const char *string, bool *ret_given, long *ret_offset)
{
	int hours, minutes, used = 0;
	char sign;

	*ret_given = *string != '\0';
	*ret_offset = 0;
	if (!*string || strcmp(string, "Z") == 0)
		return true;
	if (sscanf(string, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || string[used])
		return false;
	if ((sign != '+' && sign != '-') || hours > 14 || minutes > 59 || hours < 0 || minutes < 0)
		return false;
	*ret_offset = (sign == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
	return true;
}

/* "hh:mm" or "hh:mm:ss"; returns the number of characters used, 0 when it is not one. */
static int take_clock(const char *string, struct tm *tm)
{
	int used = 0, more = 0;

	if (string[0] < '0' || string[0] > '9')
		return 0;
	if (sscanf(string, "%2d:%2d%n", &tm->tm_hour, &tm->tm_min, &used) != 2 || !used)
		return 0;
	tm->tm_sec = 0;
	if (string[used] == ':' && sscanf(string + used, ":%2d%n", &tm->tm_sec, &more) != 1)
		return 0;
	if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 59 || tm->tm_min < 0 ||
	    tm->tm_sec < 0)
		return 0;
	return used + more;
}

static int next_clock_time(struct tm *clock, time_t now, time_t *ret_when)
{
	struct tm day;

	localtime_r(&now, &day);
	day.tm_hour = clock->tm_hour;
	day.tm_min = clock->tm_min;
	day.tm_sec = clock->tm_sec;
	day.tm_isdst = -1;
	*ret_when = mktime(&day);
	if (*ret_when <= now) {
		day.tm_mday++;
		day.tm_isdst = -1;
		*ret_when = mktime(&day);
	}
	return 0;
}

int parse_time(const char *string, time_t now, time_t *ret_when)
{
	struct tm tm = {.tm_isdst = -1};
	bool zone_given;
	int used = 0, clock;
	long offset;

	clock = take_clock(string, &tm);
	if (clock && !string[clock])
		return next_clock_time(&tm, now, ret_when);
	if (sscanf(string, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3 ||
	    used != 10 || (string[used] != 'T' && string[used] != ' '))
		return -EINVAL;
	if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	string += used + 1;
	clock = take_clock(string, &tm);
	if (!clock || !take_zone(string + clock, &zone_given, &offset))
		return -EINVAL;
	*ret_when = zone_given ? timegm(&tm) - offset : mktime(&tm);
	return 0;
}

void format_duration(int64_t ns, char *buffer, size_t size)
{
	int64_t seconds = ns / NSEC_PER_SEC;

	if (ns < 0)
		snprintf(buffer, size, "0s");
	else if (ns < 10 * NSEC_PER_MSEC)
		snprintf(buffer, size, "%.1fms", (double)ns / 1e6);
	else if (ns < NSEC_PER_SEC)
		snprintf(buffer, size, "%" PRId64 "ms", ns / NSEC_PER_MSEC);
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

	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer, size, unit && value < 10 && value != (int)value ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
}
