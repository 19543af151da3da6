/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: a start message in which bytes were changed: the input is a list of offset, two bytes,
 * and value, so that it still means something when messages have another form. A first byte of 255
 * says that what follows is the message itself. What is understood is the same after it was packed
 * and unpacked again.
 */
#include "fuzz.h"
#include "keeper/message.h"

#include <errno.h>

/* The keeper uses these without asking. */
static void check_message(const struct start_message *m)
{
	must(m->id && m->stint && m->command && m->command[0]);
	must(m->env && m->stop_command && m->ready.command);
	must(m->ready.n_checks <= PLAN_CHECKS_MAX);
	must(m->n_groups <= START_GROUPS_MAX && m->n_ports <= PLAN_PORTS_MAX &&
	     m->n_cgroups <= START_CGROUPS_MAX);
	must(!m->filter_size == !m->filter);
	for (size_t i = 0; i < m->root.n; i++)
		must(m->root.list[i].target && m->root.list[i].kind < ROOT_OP_KINDS);
}

static char **words(const char *a, const char *b)
{
	char **list = NULL;

	strv_add(&list, a);
	strv_add(&list, b);
	return list;
}

/* Something in every list and text. */
static struct start_message make_sample(void)
{
	struct start_message m = {
		.id = xstrdup("a123abcd"),
		.stint = xstrdup("/usr/bin/stint"),
		.stint_root = xstrdup("/srv/root"),
		.ready = {.kind = READY_COMMAND,
			  .checks = {{.kind = READY_HTTP, .path = xstrdup("/")}},
			  .n_checks = 1,
			  .pattern = xstrdup("started"),
			  .command = words("check", "--fast")},
		.stop_signal = 15,
		.stop_command = words("stop", ""),
		.command = words("/opt/app/server", "run"),
		.env = words("A=1", "B=two words"),
		.directory = xstrdup("/opt/app"),
		.groups = {3456, 4567},
		.n_groups = 2,
		.filter = xcalloc(2, 8),
		.filter_size = 16,
		.forwarder_filter = xcalloc(1, 8),
		.forwarder_filter_size = 8,
		.inside_ports = {8080, 8443},
		.n_ports = 2,
		.n_cgroups = START_CGROUPS_MAX,
	};
	struct root_op *op = root_ops_add(&m.root, ROOT_OVERLAY, "/opt/app");

	op->source = xstrdup("/host/app");
	op->text = xstrdup("/state/layer/0");
	root_ops_add(&m.root, ROOT_PROC, "/proc");
	return m;
}

/* The message that the input stands for. */
static void make_message(const uint8_t *data, size_t size, struct text *ret_bytes)
{
	struct start_message sample;

	if (size > 0 && data[0] == 255) {
		text_add_bytes(ret_bytes, data + 1, size - 1);
		return;
	}
	sample = make_sample();
	start_message_encode(&sample, ret_bytes);
	start_message_deinit(&sample);
	while (size > 0) {
		size_t offset = fuzz_byte(&data, &size);

		offset = offset << 8 | fuzz_byte(&data, &size);
		ret_bytes->data[offset % ret_bytes->length] = (char)fuzz_byte(&data, &size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_text struct text input = {0}, bytes = {0}, again = {0};
	struct start_message message, back;
	struct error err = {0};
	int r;

	make_message(data, size, &input);
	r = start_message_decode(input.data, input.length, &message, &err);
	if (r < 0) {
		must((r == -EPROTO || r == -EBADMSG) && *err.text);
		return 0;
	}
	check_message(&message);
	start_message_encode(&message, &bytes);
	must(start_message_decode(bytes.data, bytes.length, &back, &err) == 0);
	start_message_encode(&back, &again);
	must(bytes.length == again.length && memcmp(bytes.data, again.data, bytes.length) == 0);
	start_message_deinit(&message);
	start_message_deinit(&back);
	return 0;
}
