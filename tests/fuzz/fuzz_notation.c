/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any string as a number, a size, a duration and a time of day. A result is within the
 * documented range, and a refusal leaves it untouched.
 */
#include "fuzz.h"

#include <errno.h>

#define UNTOUCHED 0x5a5a5a5a5a5aLL
#define TEN_YEARS_NS (10LL * 366 * 86400 * NSEC_PER_SEC)

static void check_number(const char *string, uint64_t max)
{
	uint64_t value = UNTOUCHED;
	int r = parse_number(string, max, &value);
	char *end;

	must(r == 0 || r == -EINVAL || r == -ERANGE);
	if (r < 0) {
		must(value == UNTOUCHED);
		return;
	}
	errno = 0;
	must(strtoull(string, &end, 10) == value && errno == 0 && *end == '\0');
	must(value <= max && strspn(string, "0123456789") == strlen(string));
}

static void check_size(const char *string)
{
	uint64_t bytes = UNTOUCHED;
	char shown[32];
	int r = parse_size(string, &bytes);

	must(r == 0 ? bytes <= INT64_MAX : (r == -EINVAL || r == -ERANGE) && bytes == UNTOUCHED);
	format_size(bytes, shown, sizeof(shown));
	must(strchr(shown, 'B'));
}

static void check_duration(const char *string)
{
	int64_t ns = UNTOUCHED;
	char shown[32];
	int r = parse_duration(string, &ns);

	must(r == 0 ? ns >= 0 && ns <= TEN_YEARS_NS
		    : (r == -EINVAL || r == -ERANGE) && ns == UNTOUCHED);
	format_duration(ns, shown, sizeof(shown));
	must(*shown && strlen(shown) < sizeof(shown) - 1);
}

/* A clock time is the next one; a day with a change of the clock has 25 hours. */
static void check_time(const char *string)
{
	const time_t now = 1793000000; /* October 2026, the night before such a day */
	time_t when = UNTOUCHED;
	int r = parse_time(string, now, &when);

	must(r == 0 || (r == -EINVAL && when == UNTOUCHED));
	if (r == 0 && !strchr(string, '-'))
		must(when > now && when <= now + 25 * 3600);
	if (r == 0)
		must(strspn(string, "0123456789:-+TZ ") == strlen(string));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *string = fuzz_string(data, size);

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	check_number(string, UINT64_MAX);
	check_number(string, UINT16_MAX);
	check_size(string);
	check_duration(string);
	check_time(string);
	return 0;
}
