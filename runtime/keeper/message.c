/* SPDX-License-Identifier: Apache-2.0 */
/* The start message to and from bytes; see message.h. In the starting command and the keeper. */
#include "keeper/message.h"
#include "base/cleanup.h"
#include "base/wire.h"
#include "keeper/control.h"

#include <errno.h>

static void put_warning(struct text *to, const struct plan_warning *warning)
{
	for (size_t i = 0; i < PLAN_WARNINGS_MAX; i++)
		wire_put_u64(to, (uint64_t)warning->before_ns[i]);
	wire_put_u32(to, (uint32_t)warning->signal);
	wire_put_strv(to, warning->command);
	wire_put_string(to, warning->file);
	wire_put_strv(to, warning->hook);
}

static void get_warning(struct wire_reader *from, struct plan_warning *warning)
{
	for (size_t i = 0; i < PLAN_WARNINGS_MAX; i++)
		warning->before_ns[i] = (int64_t)wire_get_u64(from);
	warning->signal = (int)wire_get_u32(from);
	warning->command = wire_get_strv(from);
	warning->file = wire_get_string(from);
	warning->hook = wire_get_strv(from);
}

static void put_hooks(struct text *to, const struct start_message *m)
{
	for (size_t i = 0; i < PLAN_HOOKS; i++)
		wire_put_u64(to, (uint64_t)m->hooks_ns[i]);
}

static void get_hooks(struct wire_reader *from, struct start_message *m)
{
	for (size_t i = 0; i < PLAN_HOOKS; i++)
		m->hooks_ns[i] = (int64_t)wire_get_u64(from);
}

static void put_ready(struct text *to, const struct plan_ready *ready)
{
	wire_put_u32(to, ready->kind);
	wire_put_u32(to, (uint32_t)ready->n_checks);
	for (size_t i = 0; i < ready->n_checks; i++) {
		const struct plan_check *check = &ready->checks[i];

		wire_put_u32(to, check->kind);
		wire_put_u32(to, check->port);
		wire_put_string(to, check->path);
		wire_put_u32(to, check->status_from);
		wire_put_u32(to, check->status_to);
	}
	wire_put_string(to, ready->pattern);
	wire_put_strv(to, ready->command);
	wire_put_u64(to, (uint64_t)ready->timeout_ns);
	wire_put_u64(to, (uint64_t)ready->interval_ns);
}

static void get_ready(struct wire_reader *from, struct plan_ready *ready)
{
	ready->kind = wire_get_u32(from);
	ready->n_checks = wire_get_u32(from);
	if (ready->n_checks > PLAN_CHECKS_MAX) {
		from->bad = true;
		ready->n_checks = 0;
	}
	for (size_t i = 0; i < ready->n_checks; i++) {
		struct plan_check *check = &ready->checks[i];

		check->kind = wire_get_u32(from);
		check->port = (uint16_t)wire_get_u32(from);
		check->path = wire_get_string(from);
		check->status_from = (uint16_t)wire_get_u32(from);
		check->status_to = (uint16_t)wire_get_u32(from);
	}
	ready->pattern = wire_get_string(from);
	ready->command = wire_get_strv(from);
	ready->timeout_ns = (int64_t)wire_get_u64(from);
	ready->interval_ns = (int64_t)wire_get_u64(from);
}

static void put_server(struct text *to, const struct start_message *m)
{
	wire_put_u64(to, (uint64_t)m->grace_ns);
	wire_put_u32(to, (uint32_t)m->stop_signal);
	wire_put_strv(to, m->stop_command);
	wire_put_u32(to, m->restart);
	wire_put_u32(to, m->restart_limit);
	wire_put_strv(to, m->command);
	wire_put_strv(to, m->env);
	wire_put_string(to, m->directory);
	wire_put_u32(to, m->uid);
	wire_put_u32(to, m->gid);
	wire_put_u32(to, m->n_groups);
	for (uint32_t i = 0; i < m->n_groups; i++)
		wire_put_u32(to, m->groups[i]);
	wire_put_u64(to, m->files_limit);
}

static void get_server(struct wire_reader *from, struct start_message *m)
{
	m->grace_ns = (int64_t)wire_get_u64(from);
	m->stop_signal = (int)wire_get_u32(from);
	m->stop_command = wire_get_strv(from);
	m->restart = wire_get_u32(from);
	m->restart_limit = wire_get_u32(from);
	m->command = wire_get_strv(from);
	m->env = wire_get_strv(from);
	m->directory = wire_get_string(from);
	m->uid = wire_get_u32(from);
	m->gid = wire_get_u32(from);
	m->n_groups = wire_get_u32(from);
	if (m->n_groups > START_GROUPS_MAX) {
		from->bad = true;
		m->n_groups = 0;
	}
	for (uint32_t i = 0; i < m->n_groups; i++)
		m->groups[i] = wire_get_u32(from);
	m->files_limit = wire_get_u64(from);
}

static void put_map(struct text *to, const struct userns_map *map)
{
	wire_put_u32(to, map->base);
	wire_put_u32(to, map->n_foreign);
	for (uint32_t i = 0; i < map->n_foreign; i++)
		wire_put_u32(to, map->foreign[i]);
}

static void get_map(struct wire_reader *from, struct userns_map *map)
{
	map->base = wire_get_u32(from);
	map->n_foreign = wire_get_u32(from);
	if (map->n_foreign > USERNS_FOREIGN_MAX) {
		from->bad = true;
		map->n_foreign = 0;
	}
	for (uint32_t i = 0; i < map->n_foreign; i++)
		map->foreign[i] = wire_get_u32(from);
}

static void put_confinement(struct text *to, const struct start_message *m)
{
	put_map(to, &m->uids);
	put_map(to, &m->gids);
	wire_put_u64(to, m->caps);
	wire_put_bytes(to, m->filter, m->filter_size);
	wire_put_bytes(to, m->forwarder_filter, m->forwarder_filter_size);
}

static void get_confinement(struct wire_reader *from, struct start_message *m)
{
	get_map(from, &m->uids);
	get_map(from, &m->gids);
	m->caps = wire_get_u64(from);
	m->filter = wire_get_bytes(from, &m->filter_size);
	m->forwarder_filter = wire_get_bytes(from, &m->forwarder_filter_size);
}

static void put_host(struct text *to, const struct start_message *m)
{
	root_ops_put(&m->root, to);
	wire_put_u32(to, m->n_sources);
	wire_put_u32(to, m->pool_is_mount);
	wire_put_u32(to, m->address);
	wire_put_string(to, m->address6);
	wire_put_u32(to, m->forwarder_uid);
	wire_put_u64(to, m->log_limit);
	wire_put_u32(to, m->hold);
	wire_put_u32(to, m->reserved);
	wire_put_u32(to, m->spare);
	wire_put_u32(to, m->awaits_link);
	wire_put_u32(to, m->has_empty);
	wire_put_u32(to, m->succeeds);
	wire_put_string(to, m->table);
	wire_put_u32(to, m->n_ports);
	for (uint32_t i = 0; i < m->n_ports; i++) {
		wire_put_u32(to, m->inside_ports[i]);
		wire_put_u32(to, m->port_flags[i]);
	}
	for (size_t i = 0; i < PLAN_CHECKS_MAX; i++)
		wire_put_u32(to, m->check_flags[i]);
	wire_put_u32(to, m->n_cgroups);
	wire_put_u32(to, m->memory_version);
	wire_put_u64(to, m->memory_limit);
}

static void get_host(struct wire_reader *from, struct start_message *m)
{
	root_ops_get(from, &m->root);
	m->n_sources = wire_get_u32(from);
	m->pool_is_mount = wire_get_u32(from) != 0;
	m->address = wire_get_u32(from);
	m->address6 = wire_get_string(from);
	m->forwarder_uid = wire_get_u32(from);
	m->log_limit = wire_get_u64(from);
	m->hold = wire_get_u32(from) != 0;
	m->reserved = wire_get_u32(from) != 0;
	m->spare = wire_get_u32(from) != 0;
	m->awaits_link = wire_get_u32(from) != 0;
	m->has_empty = wire_get_u32(from) != 0;
	m->succeeds = wire_get_u32(from) != 0;
	m->table = wire_get_string(from);
	m->n_ports = wire_get_u32(from);
	if (m->n_ports > PLAN_PORTS_MAX) {
		from->bad = true;
		m->n_ports = 0;
	}
	for (uint32_t i = 0; i < m->n_ports; i++) {
		m->inside_ports[i] = (uint16_t)wire_get_u32(from);
		m->port_flags[i] = (uint8_t)wire_get_u32(from);
	}
	for (size_t i = 0; i < PLAN_CHECKS_MAX; i++)
		m->check_flags[i] = (uint8_t)wire_get_u32(from);
	m->n_cgroups = wire_get_u32(from);
	m->memory_version = wire_get_u32(from);
	m->memory_limit = wire_get_u64(from);
	if (m->n_cgroups > START_CGROUPS_MAX || m->memory_version > 2 ||
	    m->n_sources > PLAN_SOURCES_MAX)
		from->bad = true;
}

void start_message_encode(const struct start_message *message, struct text *ret_text)
{
	wire_put_u32(ret_text, START_MESSAGE_VERSION);
	wire_put_string(ret_text, message->id);
	wire_put_string(ret_text, message->stint);
	wire_put_string(ret_text, message->stint_root);
	lease_put(ret_text, &message->lease);
	put_warning(ret_text, &message->warning);
	put_ready(ret_text, &message->ready);
	put_hooks(ret_text, message);
	put_server(ret_text, message);
	put_confinement(ret_text, message);
	put_host(ret_text, message);
}

int start_message_decode(const void *data, size_t length, struct start_message *ret_message,
			 struct error *err)
{
	struct wire_reader from = {.data = data, .left = length};
	struct start_message m = {0};
	uint32_t version = wire_get_u32(&from);

	if (version != START_MESSAGE_VERSION)
		return error_set(err, EPROTO, "start message has version %u, not %u", version,
				 START_MESSAGE_VERSION);
	m.id = wire_get_string(&from);
	m.stint = wire_get_string(&from);
	m.stint_root = wire_get_string(&from);
	lease_get(&from, &m.lease);
	get_warning(&from, &m.warning);
	get_ready(&from, &m.ready);
	get_hooks(&from, &m);
	get_server(&from, &m);
	get_confinement(&from, &m);
	get_host(&from, &m);
	if (from.bad || from.left || !m.id || !m.stint || !m.address6 || !m.table || !m.command ||
	    !m.command[0]) {
		start_message_deinit(&m);
		return error_set(err, EBADMSG, "cannot read the start message");
	}
	*ret_message = m;
	return 0;
}

void start_message_deinit(struct start_message *message)
{
	free(message->id);
	free(message->stint);
	free(message->stint_root);
	for (size_t i = 0; i < PLAN_CHECKS_MAX; i++)
		free(message->ready.checks[i].path);
	free(message->ready.pattern);
	strv_free(message->ready.command);
	strv_free(message->stop_command);
	strv_free(message->warning.command);
	free(message->warning.file);
	strv_free(message->warning.hook);
	strv_free(message->command);
	strv_free(message->env);
	free(message->directory);
	free(message->address6);
	free(message->table);
	free(message->filter);
	free(message->forwarder_filter);
	root_ops_deinit(&message->root);
	*message = (struct start_message){0};
}
