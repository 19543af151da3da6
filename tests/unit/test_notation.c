/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/notation.c: what people type and read. Tables of text and meaning. */
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 4711

static void parse_number_table(void **data)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		int result;
	} cases[] = {
		{"0", 0, 0, 0},
		{"7", 7, 7, 0},
		{"007", 10, 7, 0},
		{"65535", 65535, 65535, 0},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX, 0},
		{"65536", 65535, 0, -ERANGE},
		{"18446744073709551616", UINT64_MAX, 0, -ERANGE},
		{"99999999999999999999999999", UINT64_MAX, 0, -ERANGE},
		{"", 9, 0, -EINVAL},
		{"-1", 9, 0, -EINVAL},
		{"+1", 9, 0, -EINVAL},
		{" 1", 9, 0, -EINVAL},
		{"1 ", 9, 0, -EINVAL},
		{"0x1", 9, 0, -EINVAL},
		{"1e1", 99, 0, -EINVAL},
	};

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(parse_number(cases[i].text, cases[i].max, &value),
				 cases[i].result);
		assert_int_equal(value, cases[i].result ? UNTOUCHED : cases[i].value);
	}
}

static void parse_duration_table(void **data)
{
	static const struct {
		const char *text;
		int64_t ns;
		int result;
	} cases[] = {
		{"0", 0, 0},
		{"90", 90 * NSEC_PER_SEC, 0},
		{"90s", 90 * NSEC_PER_SEC, 0},
		{"250ms", 250 * NSEC_PER_MSEC, 0},
		{"5m", 300 * NSEC_PER_SEC, 0},
		{"1h30m", 5400 * NSEC_PER_SEC, 0},
		{"1h0m5s20ms", 3605 * NSEC_PER_SEC + 20 * NSEC_PER_MSEC, 0},
		{"2d", 172800 * NSEC_PER_SEC, 0},
		{"3660d", 316224000 * NSEC_PER_SEC, 0},
		{"3661d", 0, -ERANGE},
		{"999999999999999d", 0, -ERANGE},
		{"18446744073709551616s", 0, -ERANGE},
		{"100000000000000000000000000000s", 0, -ERANGE},
		{"", 0, -EINVAL},
		{"s", 0, -EINVAL},
		{"h1", 0, -EINVAL},
		{"-1s", 0, -EINVAL},
		{"+1s", 0, -EINVAL},
		{" 1s", 0, -EINVAL},
		{"1s ", 0, -EINVAL},
		{"1 s", 0, -EINVAL},
		{"1.5h", 0, -EINVAL},
		{"1h30", 0, -EINVAL},
		{"1H", 0, -EINVAL},
		{"1w", 0, -EINVAL},
		{"1hour", 0, -EINVAL},
		{"1fortnightly", 0, -EINVAL},
		{"forever", 0, -EINVAL},
	};

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns = UNTOUCHED;

		assert_int_equal(parse_duration(cases[i].text, &ns), cases[i].result);
		assert_int_equal(ns, cases[i].result ? UNTOUCHED : cases[i].ns);
	}
}

static void parse_size_table(void **data)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		int result;
	} cases[] = {
		{"0", 0, 0},
		{"1024", 1024, 0},
		{"17B", 17, 0},
		{"64k", 65536, 0},
		{"64K", 65536, 0},
		{"64KiB", 65536, 0},
		{"512M", 512ULL << 20, 0},
		{"2GiB", 2ULL << 30, 0},
		{"1T", 1ULL << 40, 0},
		{"9223372036854775807", INT64_MAX, 0},
		{"9223372036854775808", 0, -ERANGE},
		{"8388608T", 0, -ERANGE},
		{"99999999999999T", 0, -ERANGE},
		{"1000000000000000000000000000", 0, -ERANGE},
		{"", 0, -EINVAL},
		{"M", 0, -EINVAL},
		{"-1M", 0, -EINVAL},
		{"1 M", 0, -EINVAL},
		{"1M ", 0, -EINVAL},
		{"1MB", 0, -EINVAL},
		{"1.5G", 0, -EINVAL},
		{"1G512M", 0, -EINVAL},
		{"1kibibytes", 0, -EINVAL},
	};

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = UNTOUCHED;

		assert_int_equal(parse_size(cases[i].text, &bytes), cases[i].result);
		assert_int_equal(bytes, cases[i].result ? UNTOUCHED : cases[i].bytes);
	}
}

/* The zone's rules are in the name, so the host needs no time zone files. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static time_t at(const char *zone, int year, int month, int day, int hour, int minute)
{
	struct tm tm = {
		.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_isdst = -1,
	};

	set_zone(zone);
	return mktime(&tm);
}

static void assert_time(const char *text, time_t now, time_t expected)
{
	time_t when = UNTOUCHED;

	if (parse_time(text, now, &when) != 0 || when != expected)
		fail_msg("'%s' is %lld, not %lld", text, (long long)when, (long long)expected);
}

static void parse_time_later_today(void **data)
{
	time_t now = at("UTC", 2026, 11, 22, 9, 30);

	(void)data;
	assert_time("18:00", now, at("UTC", 2026, 11, 22, 18, 0));
	assert_time("18:00:30", now, at("UTC", 2026, 11, 22, 18, 0) + 30);
	assert_time("9:31", now, now + 60);
	assert_time("23:59:59", now, at("UTC", 2026, 11, 23, 0, 0) - 1);
}

static void parse_time_tomorrow_when_it_has_passed(void **data)
{
	time_t now = at("UTC", 2026, 12, 31, 18, 0);

	(void)data;
	assert_time("17:59", now, at("UTC", 2027, 1, 1, 17, 59));
	assert_time("18:00", now, at("UTC", 2027, 1, 1, 18, 0));
	assert_time("00:00", now, at("UTC", 2027, 1, 1, 0, 0));
}

static void parse_time_in_a_local_zone(void **data)
{
	time_t now = at(BERLIN, 2026, 7, 1, 12, 0);

	(void)data;
	assert_time("18:00", now, now + 6 * 3600);
	assert_time("2026-11-22T18:00", now, 1795366800);
	assert_time("2026-07-22 18:00:30", now, 1784736030);
}

static void parse_time_with_a_zone(void **data)
{
	time_t expected = at("UTC", 2026, 11, 22, 18, 0);

	(void)data;
	set_zone(BERLIN);
	assert_time("2026-11-22T18:00Z", 0, expected);
	assert_time("2026-11-22T18:00:00Z", 0, expected);
	assert_time("2026-11-22T19:00+01:00", 0, expected);
	assert_time("2026-11-22 12:30-05:30", 0, expected);
	assert_time("2026-11-23T08:00+14:00", 0, expected);
}

static void parse_time_across_a_change_of_the_clock(void **data)
{
	time_t evening = at(BERLIN, 2026, 3, 28, 20, 0), gap = at(BERLIN, 2026, 3, 29, 4, 0);

	(void)data;
	assert_time("8:00", evening, evening + 11 * 3600);
	/* 02:30 does not exist on that day, but on the next it does */
	assert_time("02:30", gap, at(BERLIN, 2026, 3, 30, 2, 30));
}

static void parse_time_leap_day(void **data)
{
	(void)data;
	assert_time("2028-02-29T00:00Z", 0, at("UTC", 2028, 2, 29, 0, 0));
	assert_time("2000-02-29T00:00Z", 0, at("UTC", 2000, 2, 29, 0, 0));
}

static void parse_time_refuses(void **data)
{
	static const char *const wrong[] = {
		"",
		"now",
		"18",
		"18:",
		"18:0",
		":30",
		"24:00",
		"18:60",
		"18:00:60",
		"18:00:5",
		"118:00",
		" 18:00",
		"18:00 ",
		"18: 5",
		"18:+5",
		"18:-5",
		"-1:00",
		"+1:00",
		"18:00Z",
		"18:00pm",
		"2026-11-22",
		"2026-11-22T",
		"2026-11-22X18:00",
		"2026-11-22T18:00X",
		"2026-11-22T18:00+1",
		"2026-11-22T18:00+1:00",
		"2026-11-22T18:00+ 1:00",
		"2026-11-22T18:00+15:00",
		"2026-11-22T18:00+01:60",
		"2026-11-22T18:00+01:00x",
		"2026-11-22T18:00 +01:00",
		"2026-1-22T18:00",
		"2026- 1-22T18:00",
		"2026-+1-22T18:00",
		"1969-12-31T18:00",
		"2026-00-22T18:00",
		"2026-13-22T18:00",
		"2026-11-00T18:00",
		"2026-11-31T18:00",
		"2026-02-29T18:00",
		"2100-02-29T18:00",
		"26-11-22T18:00",
		"2026-18:00",
		"2026-11-18:00",
		"tomorrow 18:00",
	};

	(void)data;
	set_zone("UTC");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		time_t when = UNTOUCHED;

		if (parse_time(wrong[i], 1790000000, &when) != -EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
		assert_int_equal(when, UNTOUCHED);
	}
}

static void format_duration_table(void **data)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{-5, "0s"},
		{0, "0s"},
		{1500000, "1.5ms"},
		{250 * NSEC_PER_MSEC, "250ms"},
		{999 * NSEC_PER_MSEC, "999ms"},
		{NSEC_PER_SEC, "1s"},
		{2500 * NSEC_PER_MSEC, "2.5s"},
		{12 * NSEC_PER_SEC, "12s"},
		{59 * NSEC_PER_SEC + 999 * NSEC_PER_MSEC, "59s"},
		{250 * NSEC_PER_SEC, "4m 10s"},
		{3600 * NSEC_PER_SEC, "1h 00m"},
		{5399 * NSEC_PER_SEC, "1h 29m"},
		{90000 * NSEC_PER_SEC, "1d 01h"},
		{3660LL * 86400 * NSEC_PER_SEC, "3660d 00h"},
		{INT64_MAX, "106751d 23h"},
	};
	char buffer[32];

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_duration(cases[i].ns, buffer, sizeof(buffer));
		assert_string_equal(buffer, cases[i].text);
	}
}

static void format_size_table(void **data)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{17, "17 B"},
		{1023, "1023 B"},
		{1024, "1 KiB"},
		{1536, "1.5 KiB"},
		{10 << 10, "10 KiB"},
		{1048575, "1.0 MiB"},
		{512ULL << 20, "512 MiB"},
		{1536ULL << 20, "1.5 GiB"},
		{2ULL << 40, "2 TiB"},
		{UINT64_MAX, "16777216 TiB"},
	};
	char buffer[32];

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_size(cases[i].bytes, buffer, sizeof(buffer));
		assert_string_equal(buffer, cases[i].text);
	}
}

static void format_duration_small_buffer(void **data)
{
	char buffer[4];

	(void)data;
	format_duration(250 * NSEC_PER_SEC, buffer, sizeof(buffer));
	assert_string_equal(buffer, "4m ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_number_table),
		cmocka_unit_test(parse_duration_table),
		cmocka_unit_test(parse_size_table),
		cmocka_unit_test(parse_time_later_today),
		cmocka_unit_test(parse_time_tomorrow_when_it_has_passed),
		cmocka_unit_test(parse_time_in_a_local_zone),
		cmocka_unit_test(parse_time_with_a_zone),
		cmocka_unit_test(parse_time_across_a_change_of_the_clock),
		cmocka_unit_test(parse_time_leap_day),
		cmocka_unit_test(parse_time_refuses),
		cmocka_unit_test(format_duration_table),
		cmocka_unit_test(format_duration_small_buffer),
		cmocka_unit_test(format_size_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
