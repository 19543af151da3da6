/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a zone; see zone_files.h. In commands. */
#include "instance/zone_files.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "store/spares.h"
#include "store/zones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define RESOLV_CONF_MAX (64 << 10)
#define HOSTS "hosts"
#define HOSTS_MAX (64 << 20)
#define OWN_NAMES "127.0.0.1 localhost\n::1 localhost\n"

char *zone_files_path(const struct site *site, const char *zone)
{
	return xasprintf("%s/zone/%s", site->run_path, zone);
}

static bool is_loopback(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* A link-local server ("fe80::1%eth0") is one on a link that instances do not have. */
static bool is_reachable(const char *address)
{
	uint8_t bytes[16];

	return !is_loopback(address) && (inet_pton(AF_INET, address, bytes) == 1 ||
					 inet_pton(AF_INET6, address, bytes) == 1);
}

static char **servers_of(const char *path)
{
	cleanup_free char *data = NULL;
	char **servers = NULL, *rest, *line;

	if (file_read(AT_FDCWD, path, RESOLV_CONF_MAX, &data, NULL) < 0)
		return NULL;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		char address[64];

		if (sscanf(line, " nameserver %63s", address) == 1 && is_reachable(address))
			strv_add(&servers, address);
	}
	return servers;
}

/* Where a stub on the loopback answers, the servers that it asks are written down elsewhere. */
static char **host_servers(void)
{
	static const char *const files[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf",
					    "/run/NetworkManager/no-stub-resolv.conf"};
	char **servers = NULL;

	for (size_t i = 0; !servers && i < ARRAY_SIZE(files); i++)
		servers = servers_of(files[i]);
	return servers;
}

char **zone_name_servers(const struct zone *zone)
{
	cleanup_free char *copy = xstrdup(zone->dns);
	char **servers = NULL, *rest = copy, *word;

	if (strcmp(zone->egress, "none") == 0 || strcmp(zone->dns, "none") == 0)
		return NULL;
	if (strcmp(zone->dns, "host") == 0)
		return host_servers();
	while ((word = strsep(&rest, ",")))
		strv_add(&servers, word);
	return servers;
}

static char *resolv_conf(const struct zone *zone)
{
	cleanup_strv char **servers = zone_name_servers(zone);
	struct text text = {0};

	if (strcmp(zone->egress, "none") == 0)
		text_add(&text, "# no name server: this zone has no egress\n");
	else if (!servers)
		text_addf(&text, "# no name server: the zone's dns is '%s'\n", zone->dns);
	for (size_t i = 0; servers && servers[i]; i++)
		text_addf(&text, "nameserver %s\n", servers[i]);
	return text_take(&text);
}

/* Who comes or goes; lines are those of the names. */
struct change {
	bool comes;
	char *lines;
};

static void add_line(struct text *text, const struct zone *zone, const struct zone_member *member,
		     const char *address)
{
	const char *const parts[] = {address, " ",	  member->name, " ",	    member->name,
				     ".",     zone->name, ".stint ",	member->id, "\n"};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		text_add(text, parts[i]);
}

static void add_member(struct text *text, const struct zone *zone, const struct zone_member *member)
{
	struct in_addr v4 = {.s_addr = htonl(member->address)};
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &v4, address, sizeof(address));
	add_line(text, zone, member, address);
	if (*member->address6)
		add_line(text, zone, member, member->address6);
}

static int all_names(struct store *store, const struct zone *zone, char **ret_names,
		     struct error *err)
{
	cleanup_free struct zone_member *members = NULL;
	struct text text = {0};
	size_t n = 0;
	int r = store_zone_members(store, zone->name, &members, &n, err);

	if (r < 0)
		return r;
	text_add(&text, OWN_NAMES);
	for (size_t i = 0; i < n; i++)
		/* nobody has business with it yet */
		if (!spare_is_name(members[i].name))
			add_member(&text, zone, &members[i]);
	*ret_names = text_take(&text);
	return 0;
}

static char *lines_of(const struct zone *zone, const struct record *record)
{
	struct zone_member member = {.address = record->address};
	struct text text = {0};

	snprintf(member.id, sizeof(member.id), "%s", record->grant.id);
	snprintf(member.name, sizeof(member.name), "%s", record->grant.name);
	snprintf(member.address6, sizeof(member.address6), "%s", record->address6);
	if (!spare_is_name(member.name))
		add_member(&text, zone, &member);
	return text_take(&text);
}

static char *with(const char *names, const struct change *change)
{
	const char *at = strstr(names, change->lines);
	struct text text = {0};

	text_add_bytes(&text, names, at ? (size_t)(at - names) : strlen(names));
	if (change->comes)
		text_add(&text, change->lines);
	if (at)
		text_add(&text, at + strlen(change->lines));
	return text_take(&text);
}

static size_t count_lines(const char *names)
{
	size_t n = 0;

	while ((names = strchr(names, '\n'))) {
		names++;
		n++;
	}
	return n;
}

/*
 * Of a thousand names one comes or goes: the others are left as they are if that makes as many as
 * the store has. Otherwise *ret_names stays NULL.
 */
static int changed_names(struct store *store, int directory, const struct zone *zone,
			 const struct change *change, char **ret_names, struct error *err)
{
	cleanup_free char *before = NULL, *after = NULL;
	size_t n;
	int r = store_zone_count_addresses(store, zone->name, &n, err);

	if (r < 0 || file_read(directory, HOSTS, HOSTS_MAX, &before, NULL) < 0)
		return r;
	after = with(before, change);
	if (count_lines(after) == count_lines(OWN_NAMES) + n)
		*ret_names = steal_ptr(after);
	return 0;
}

static int open_files(const struct site *site, const struct zone *zone, struct error *err)
{
	cleanup_free char *path = xasprintf("zone/%s", zone->name);
	int r = file_make_directories(site->run, path, 0755), directory = -1;

	if (r == 0)
		directory = file_open_directory(site->run, path);
	if (directory < 0)
		return error_set(err, r < 0 ? -r : -directory, "cannot make '%s/%s'",
				 site->run_path, path);
	/* who reads the store last writes last */
	flock(directory, LOCK_EX);
	return directory;
}

static int write_files(const struct site *site, struct store *store, const struct zone *zone,
		       const struct change *change, struct error *err)
{
	cleanup_free char *servers = resolv_conf(zone), *names = NULL;
	cleanup_fd int directory = open_files(site, zone, err);
	int r = directory < 0 ? directory : 0;

	if (r == 0 && change)
		r = changed_names(store, directory, zone, change, &names, err);
	if (r == 0 && !names)
		r = all_names(store, zone, &names, err);
	if (r < 0)
		return r;
	r = file_replace(directory, "resolv.conf", servers, 0644);
	if (r == 0)
		r = file_replace(directory, HOSTS, names, 0644);
	return r < 0 ? error_set(err, -r, "cannot write in '%s/zone/%s'", site->run_path,
				 zone->name)
		     : 0;
}

int zone_files_write(const struct site *site, struct store *store, const struct zone *zone,
		     struct error *err)
{
	return write_files(site, store, zone, NULL, err);
}

int zone_files_join(const struct site *site, struct store *store, const struct zone *zone,
		    const struct record *record, struct error *err)
{
	cleanup_free char *lines = lines_of(zone, record);
	const struct change change = {.comes = true, .lines = lines};

	return write_files(site, store, zone, &change, err);
}

/* record: who has gone; NULL: nobody knows. */
static int refresh(const struct site *site, struct store *store, const char *name,
		   const struct record *record, struct error *err)
{
	cleanup_free char *path = xasprintf("zone/%s", name), *lines = NULL;
	struct change change = {.comes = false};
	struct zone zone = {0};
	int r;

	if (faccessat(site->run, path, F_OK, 0) < 0)
		return 0;
	r = store_zone_load(store, name, &zone, err);
	if (r == 0 && record) {
		lines = lines_of(&zone, record);
		change.lines = lines;
	}
	if (r == 0)
		r = write_files(site, store, &zone, record ? &change : NULL, err);
	zone_deinit(&zone);
	return r;
}

int zone_files_refresh(const struct site *site, struct store *store, const char *name,
		       struct error *err)
{
	return refresh(site, store, name, NULL, err);
}

int zone_files_leave(const struct site *site, struct store *store, const struct record *record,
		     struct error *err)
{
	return refresh(site, store, record->zone, record, err);
}

int zone_files_remove(const struct site *site, const char *zone)
{
	cleanup_free char *path = xasprintf("zone/%s", zone);

	return file_remove_tree(site->run, path);
}
