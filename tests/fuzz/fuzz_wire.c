/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: the input is a list of fields. They are put into a message and must come out of it as
 * they went in; and the input itself, read as these fields, must not be read beyond its end.
 */
#include "fuzz.h"
#include "base/wire.h"

enum { FIELD_U32, FIELD_U64, FIELD_NULL, FIELD_STRING, FIELD_STRV, FIELD_BYTES, FIELD_KINDS };

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct input *from)
{
	return fuzz_byte(&from->data, &from->size);
}

/* Up to 255 bytes without NUL; the caller frees. */
static char *take_string(struct input *from)
{
	size_t n = take(from);
	char *string;

	n = n < from->size ? n : from->size;
	string = fuzz_string(from->data, n);
	from->data += n;
	from->size -= n;
	return string;
}

static char **take_strv(struct input *from)
{
	char **list = NULL;

	for (unsigned n = take(from) % 8; n > 0; n--) {
		cleanup_free char *string = take_string(from);

		strv_add(&list, string);
	}
	return list;
}

static uint64_t take_u64(struct input *from)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | take(from);
	return value;
}

static void check_strv(struct input *from, struct text *to, struct wire_reader *back)
{
	cleanup_strv char **list = take_strv(from);
	cleanup_strv char **got = NULL;

	if (to) {
		wire_put_strv(to, list);
		return;
	}
	got = wire_get_strv(back);
	must(strv_length(got) == strv_length(list));
	for (size_t i = 0; i < strv_length(list); i++)
		must(strcmp(got[i], list[i]) == 0);
}

static void check_string(struct input *from, struct text *to, struct wire_reader *back, bool null)
{
	cleanup_free char *string = null ? NULL : take_string(from);
	cleanup_free char *got = NULL;

	if (to) {
		wire_put_string(to, string);
		return;
	}
	got = wire_get_string(back);
	must(null ? !got : strcmp(got, string) == 0);
}

static void check_bytes(struct input *from, struct text *to, struct wire_reader *back)
{
	cleanup_free char *bytes = take_string(from);
	cleanup_free void *got = NULL;
	size_t size;

	if (to) {
		wire_put_bytes(to, bytes, strlen(bytes));
		return;
	}
	got = wire_get_bytes(back, &size);
	must(size == strlen(bytes) && (size == 0 || memcmp(got, bytes, size) == 0));
}

static void check_number(struct input *from, struct text *to, struct wire_reader *back, bool wide)
{
	uint64_t value = take_u64(from);

	if (to && wide)
		wire_put_u64(to, value);
	else if (to)
		wire_put_u32(to, (uint32_t)value);
	else
		must(wide ? wire_get_u64(back) == value : wire_get_u32(back) == (uint32_t)value);
}

/* Puts the fields of the input into a message, or, without one, compares what comes back. */
static void walk(struct input from, struct text *to, struct wire_reader *back)
{
	while (from.size > 0) {
		unsigned kind = take(&from) % FIELD_KINDS;

		if (kind == FIELD_STRV)
			check_strv(&from, to, back);
		else if (kind == FIELD_BYTES)
			check_bytes(&from, to, back);
		else if (kind == FIELD_STRING || kind == FIELD_NULL)
			check_string(&from, to, back, kind == FIELD_NULL);
		else
			check_number(&from, to, back, kind == FIELD_U64);
	}
}

/* After the first field that does not fit, all is empty. */
static void read_hostile(const uint8_t *data, size_t size)
{
	struct wire_reader reader = {.data = data, .left = size};

	for (int i = 0; i < 64 && !reader.bad; i++) {
		cleanup_strv char **list = wire_get_strv(&reader);
		cleanup_free char *string = wire_get_string(&reader);
		size_t n;
		cleanup_free void *bytes = wire_get_bytes(&reader, &n);

		must(list && reader.left <= size && n <= size);
		must(!string || strlen(string) <= size);
		must(!bytes == !n);
	}
	if (reader.bad)
		must(wire_get_u32(&reader) == 0 && wire_get_u64(&reader) == 0 &&
		     !wire_get_string(&reader));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct input input = {.data = data, .size = size};
	cleanup_text struct text message = {0};
	struct wire_reader reader;

	read_hostile(data, size);
	walk(input, &message, NULL);
	reader =
		(struct wire_reader){.data = (const uint8_t *)message.data, .left = message.length};
	walk(input, NULL, &reader);
	must(!reader.bad && reader.left == 0);
	return 0;
}
