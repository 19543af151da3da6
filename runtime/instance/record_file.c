/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of a record beside the instance's files; see record_file.h. In commands. */
#include "instance/record_file.h"
#include "keeper/control.h"
#include "plan/plan.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "record"
#define VERSION 3U
#define VERSION_WITHOUT_HARVEST 2U
#define VERSION_WITHOUT_LOWERS 1U
#define SIZE_MAX_READ (4 << 20)

static void put_grant(struct text *to, const struct grant *grant)
{
	wire_put_string(to, grant->id);
	wire_put_string(to, grant->name);
	wire_put_u32(to, grant->owner_uid);
	wire_put_u32(to, grant->owner_gid);
	wire_put_string(to, grant->owner);
	wire_put_u32(to, grant->hold);
	lease_put(to, &grant->lease);
	wire_put_u32(to, (uint32_t)grant->n_ports);
	for (size_t i = 0; i < grant->n_ports; i++) {
		const struct published_port *port = &grant->ports[i];

		wire_put_string(to, port->name);
		wire_put_string(to, port->scheme);
		wire_put_string(to, port->host_address);
		wire_put_u32(to, port->host_port);
		wire_put_u32(to, port->inside_port);
	}
}

/* What does not fit makes the file a damaged one. */
static void get_chars(struct wire_reader *from, char *to, size_t size)
{
	cleanup_free char *string = wire_get_string(from);

	if (!string || strlen(string) >= size)
		from->bad = true;
	else
		snprintf(to, size, "%s", string);
}

static void get_grant(struct wire_reader *from, struct grant *grant)
{
	uint32_t n;

	get_chars(from, grant->id, sizeof(grant->id));
	get_chars(from, grant->name, sizeof(grant->name));
	grant->owner_uid = wire_get_u32(from);
	grant->owner_gid = wire_get_u32(from);
	grant->owner = wire_get_string(from);
	grant->hold = wire_get_u32(from);
	lease_get(from, &grant->lease);
	n = wire_get_u32(from);
	from->bad |= n > PLAN_PORTS_MAX;
	if (from->bad)
		return;
	grant->ports = xcalloc(n, sizeof(*grant->ports));
	grant->n_ports = n;
	for (uint32_t i = 0; i < n; i++) {
		struct published_port *port = &grant->ports[i];

		port->name = wire_get_string(from);
		port->scheme = wire_get_string(from);
		get_chars(from, port->host_address, sizeof(port->host_address));
		port->host_port = (uint16_t)wire_get_u32(from);
		port->inside_port = (uint16_t)wire_get_u32(from);
	}
}

static void put_record(struct text *to, const struct record *record)
{
	put_grant(to, &record->grant);
	wire_put_string(to, record->template_name);
	wire_put_string(to, record->boot_id);
	wire_put_u64(to, (uint64_t)record->created_ns);
	wire_put_string(to, record->plan);
	wire_put_strv(to, record->layers);
	wire_put_string(to, record->cgroup);
	wire_put_string(to, record->zone);
	wire_put_string(to, record->ha_group);
	wire_put_u32(to, record->address);
	wire_put_string(to, record->address6);
	wire_put_u32(to, record->id_base);
	wire_put_u64(to, record->disk_bytes);
	wire_put_u64(to, record->memory_bytes);
	wire_put_u64(to, record->cpu_millis);
	wire_put_string(to, record->disk);
	wire_put_u32(to, record->on_expiry);
	wire_put_u64(to, (uint64_t)record->keep_failed_ns);
	wire_put_u64(to, (uint64_t)record->kept_until_ns);
	wire_put_strv(to, record->lowers);
	wire_put_strv(to, record->after_end);
	wire_put_strv(to, record->harvest);
	wire_put_strv(to, record->above);
}

static void get_record(struct wire_reader *from, uint32_t version, struct record *record)
{
	get_grant(from, &record->grant);
	record->template_name = wire_get_string(from);
	record->boot_id = wire_get_string(from);
	record->created_ns = (int64_t)wire_get_u64(from);
	record->plan = wire_get_string(from);
	record->layers = wire_get_strv(from);
	record->cgroup = wire_get_string(from);
	record->zone = wire_get_string(from);
	record->ha_group = wire_get_string(from);
	record->address = wire_get_u32(from);
	get_chars(from, record->address6, sizeof(record->address6));
	record->id_base = wire_get_u32(from);
	record->disk_bytes = wire_get_u64(from);
	record->memory_bytes = wire_get_u64(from);
	record->cpu_millis = wire_get_u64(from);
	record->disk = wire_get_string(from);
	record->on_expiry = wire_get_u32(from);
	record->keep_failed_ns = (int64_t)wire_get_u64(from);
	record->kept_until_ns = (int64_t)wire_get_u64(from);
	if (version == VERSION_WITHOUT_LOWERS)
		return;
	record->lowers = wire_get_strv(from);
	record->after_end = wire_get_strv(from);
	if (version == VERSION_WITHOUT_HARVEST)
		return;
	record->harvest = wire_get_strv(from);
	record->above = wire_get_strv(from);
}

static void put_zone(struct text *to, const struct zone *zone)
{
	wire_put_string(to, zone->name);
	wire_put_u32(to, zone->number);
	wire_put_string(to, zone->tier);
	wire_put_u32(to, zone->peers);
	wire_put_string(to, zone->egress);
	wire_put_string(to, zone->dns);
}

static void get_zone(struct wire_reader *from, struct zone *zone)
{
	zone->name = wire_get_string(from);
	zone->number = wire_get_u32(from);
	zone->tier = wire_get_string(from);
	zone->peers = wire_get_u32(from);
	zone->egress = wire_get_string(from);
	zone->dns = wire_get_string(from);
}

int record_file_read(const struct site *site, const char *id, struct record **ret_record,
		     struct zone *ret_zone, struct error *err)
{
	cleanup_fd int state = site_open_state_of(site, id);
	cleanup_record struct record *record = xcalloc(1, sizeof(*record));
	struct zone zone = {0};
	cleanup_free char *data = NULL;
	struct wire_reader from = {0};
	uint32_t version;
	size_t length;
	int r = state < 0 ? state : file_read(state, FILE_NAME, SIZE_MAX_READ, &data, &length);

	if (r < 0)
		return error_set(err, -r, "cannot read 'i/%s/" FILE_NAME "'", id);
	from = (struct wire_reader){.data = (const uint8_t *)data, .left = length};
	version = wire_get_u32(&from);
	if (version < VERSION_WITHOUT_LOWERS || version > VERSION)
		return error_set(err, EPROTO, "'i/%s/" FILE_NAME "' is of another version", id);
	get_record(&from, version, record);
	get_zone(&from, &zone);
	if (from.bad || from.left || strcmp(record->grant.id, id) != 0 || !zone.name ||
	    !record->zone || strcmp(zone.name, record->zone) != 0) {
		zone_deinit(&zone);
		return error_set(err, EBADMSG, "'i/%s/" FILE_NAME "' is damaged", id);
	}
	*ret_record = steal_ptr(record);
	*ret_zone = zone;
	return 0;
}

int record_file_write(const struct site *site, const struct record *record, const struct zone *zone,
		      struct error *err)
{
	cleanup_fd int state = site_open_state_of(site, record->grant.id);
	cleanup_record struct record *before = NULL;
	cleanup_text struct text text = {0};
	struct zone known = {0};
	int r = state < 0 ? state : 0;

	/* of a program before this one: there is nothing to bring up to date */
	if (r == 0 && !zone && record_file_read(site, record->grant.id, &before, &known, NULL) < 0)
		return 0;
	if (r == 0) {
		wire_put_u32(&text, VERSION);
		put_record(&text, record);
		put_zone(&text, zone ? zone : &known);
		r = file_replace_bytes(state, FILE_NAME, text.data, text.length, 0600);
	}
	zone_deinit(&known);
	return r < 0 ? error_set(err, -r, "cannot write '%s/i/%s/" FILE_NAME "'", site->state_path,
				 record->grant.id)
		     : 0;
}
