/* SPDX-License-Identifier: Apache-2.0 */
/* A start message in which every field says something; see message_rig.h. */
#include "message_rig.h"

static char **list(const char *a, const char *b)
{
	char **words = NULL;

	strv_add(&words, a);
	strv_add(&words, b);
	return words;
}

static struct plan_ready make_ready(void)
{
	return (struct plan_ready){.kind = READY_COMMAND,
				   .checks = {{.kind = READY_HTTP,
					       .port = 65535,
					       .path = xstrdup("/ready?x=1"),
					       .status_from = 201,
					       .status_to = 299},
					      {.kind = READY_TCP, .port = 1}},
				   .n_checks = 2,
				   .pattern = xstrdup("^started in [0-9]+ ms$"),
				   .command = list("check", "--fast"),
				   .timeout_ns = 4,
				   .interval_ns = 5};
}

static void add_operations(struct root_ops *root)
{
	struct root_op *op = root_ops_add(root, ROOT_OVERLAY, "/opt/app");

	op->flags = ROOT_WRITABLE | ROOT_NOEXEC;
	op->mode = 0751;
	op->uid = 10;
	op->gid = 11;
	op->source = xstrdup("/host/app");
	op->text = xstrdup("/state/layer/0");
	root_ops_add(root, ROOT_PROC, "/proc");
	op = root_ops_add(root, ROOT_EDIT, "/opt/app/x");
	op->place = xstrdup("/opt/app");
	op->number = 12;
	op->list = list("section", "");
	root_ops_add(root, ROOT_SCRUB, "/opt/app/run/*")->place = xstrdup("/opt/app");
}

struct start_message make_message(void)
{
	struct start_message m = {
		.id = xstrdup("0123abcd"),
		.stint = xstrdup("/usr/bin/stint"),
		.stint_root = xstrdup("/srv/test root"),
		.lease = {.clock = LEASE_WALL,
			  .source = LEASE_FROM_EXTEND,
			  .deadline_ns = INT64_MAX - 1,
			  .length_ns = -2,
			  .max_ns = 3},
		.ready = make_ready(),
		.hooks_ns = {0, 30, 0, 31},
		.grace_ns = 6,
		.stop_signal = 15,
		.stop_command = list("stop", ""),
		.restart = RESTART_ON_FAILURE,
		.restart_limit = 7,
		.command = list("/opt/app/bin/server", "run"),
		.env = list("A=1", "B=two words"),
		.directory = xstrdup("/opt/app"),
		.uid = 1234,
		.gid = 2345,
		.groups = {3456, 4567},
		.n_groups = 2,
		.files_limit = 8,
		.uids = {.base = 131072, .n_foreign = 2, .foreign = {70000, 4000000000U}},
		.gids = {.base = 196608, .n_foreign = 1, .foreign = {70001}},
		.caps = 1ULL << 40,
		.filter = xstrdup("a filter"),
		.filter_size = 8,
		.forwarder_filter = xstrdup("another one"),
		.forwarder_filter_size = 11,
		.address = 0x0ad50007,
		.address6 = xstrdup("fd73:7469:6e74::7"),
		.awaits_link = true,
		.succeeds = true,
		.table = xstrdup("stint"),
		.forwarder_uid = 65533,
		.log_limit = 1ULL << 40,
		.hold = true,
		.pool_is_mount = true,
		.inside_ports = {8080, 8443, 9},
		.port_flags = {PORT_PROXY, 0, PORT_LOOPBACK},
		.check_flags = {PORT_LOOPBACK, 0, 0, PORT_PROXY},
		.n_ports = 3,
		.n_cgroups = 24,
		.memory_version = 2,
		.memory_limit = 1ULL << 40,
		.n_sources = 5,
	};

	add_operations(&m.root);
	return m;
}
