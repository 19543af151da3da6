/* SPDX-License-Identifier: Apache-2.0 */
/* Forwarding on uplinks; see forwarding.h. In commands. */
#include "netns/forwarding.h"
#include "netns/link.h"
#include "netns/request.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILE_NAME "forwarding"
#define FILE_MAX (64 << 10)

/* "ipv4 eth0": the switch of an interface. */
static char *switch_path(const char *which)
{
	const char *interface = strchr(which, ' ') + 1;
	bool ipv4 = strncmp(which, "ipv4", 4) == 0;

	return xasprintf("/proc/sys/net/%s/conf/%s/%s", ipv4 ? "ipv4" : "ipv6", interface,
			 ipv4 ? "forwarding" : "force_forwarding");
}

static void need(char ***wanted, struct nl_sock *socket, int family, const void *address)
{
	cleanup_free char *which = NULL;
	char interface[NETNS_LINK_NAME_SIZE];

	if (family == AF_INET6 && netns_ipv6_hindrance())
		return;
	if (request_uplink(socket, family, address, interface) < 0)
		return; /* nothing is routed there: then nothing comes back either */
	which = xasprintf("%s %s", family == AF_INET ? "ipv4" : "ipv6", interface);
	if (!strv_contains(*wanted, which))
		strv_add(wanted, which);
}

/* Everywhere is by the default route; a network, where its first address is. */
static void need_of_opening(char ***wanted, struct nl_sock *socket,
			    const struct firewall_opening *opening)
{
	const char *text = opening->family == AF_INET ? FIREWALL_ANYWHERE4 : FIREWALL_ANYWHERE6;
	struct in6_addr anywhere;

	inet_pton(opening->family, text, &anywhere);
	need(wanted, socket, opening->family,
	     opening->prefix ? (const void *)opening->address : &anywhere);
}

static void need_of_zone(char ***wanted, struct nl_sock *socket, const struct firewall_zone *zone)
{
	struct in6_addr address;

	if (zone->internet) {
		inet_pton(AF_INET, FIREWALL_ANYWHERE4, &address);
		need(wanted, socket, AF_INET, &address);
		inet_pton(AF_INET6, FIREWALL_ANYWHERE6, &address);
		need(wanted, socket, AF_INET6, &address);
	}
	for (size_t i = 0; i < zone->n_openings; i++)
		need_of_opening(wanted, socket, &zone->openings[i]);
}

/* Lines "ipv4 eth0=0": what was there before. */
static char **read_changed(int state)
{
	cleanup_free char *data = NULL;
	char **changed = NULL, *rest, *line;

	if (file_read(state, FILE_NAME, FILE_MAX, &data, NULL) < 0)
		return NULL;
	rest = data;
	while ((line = strsep(&rest, "\n")))
		if (strchr(line, ' ') && strchr(line, '=') && !strchr(line, '/'))
			strv_add(&changed, line);
	return changed;
}

static int write_changed(int state, char *const *changed)
{
	cleanup_text struct text text = {0};

	for (size_t i = 0; changed && changed[i]; i++)
		text_addf(&text, "%s\n", changed[i]);
	if (!text.length)
		return unlinkat(state, FILE_NAME, 0) < 0 && errno != ENOENT ? -errno : 0;
	return file_replace(state, FILE_NAME, text.data, 0600);
}

static bool is_changed(char *const *changed, const char *which)
{
	size_t n = strlen(which);

	for (size_t i = 0; changed && changed[i]; i++)
		if (strncmp(changed[i], which, n) == 0 && changed[i][n] == '=')
			return true;
	return false;
}

static int switch_on(const char *which, char ***changed, int state, struct error *err)
{
	cleanup_free char *path = switch_path(which), *value = NULL, *line = NULL;
	int r = file_read(AT_FDCWD, path, 16, &value, NULL);

	if (r == 0 && value[0] == '0' && !is_changed(*changed, which)) {
		line = xasprintf("%s=%.*s", which, (int)strcspn(value, "\n"), value);
		strv_add(changed, line);
		r = write_changed(state, *changed);
	}
	if (r == 0 && value[0] == '0')
		r = file_poke(AT_FDCWD, path, "1");
	return r < 0 ? error_set(err, -r, "cannot switch forwarding on ('%s')", path) : 0;
}

/* Somebody has switched it on for the whole host meanwhile, and this interface with it. */
static bool is_wanted_by_others(const char *which)
{
	const char *path = strncmp(which, "ipv4", 4) == 0
				   ? "/proc/sys/net/ipv4/conf/all/forwarding"
				   : "/proc/sys/net/ipv6/conf/all/force_forwarding";
	cleanup_free char *value = NULL;

	return file_read(AT_FDCWD, path, 16, &value, NULL) == 0 && value[0] == '1';
}

/* An interface that is gone has taken its switch along. */
static int switch_back(const char *line, struct error *err)
{
	cleanup_free char *which = xasprintf("%.*s", (int)strcspn(line, "="), line);
	cleanup_free char *path = switch_path(which);
	int r = is_wanted_by_others(which) ? 0
					   : file_poke(AT_FDCWD, path, line + strlen(which) + 1);

	return r < 0 && r != -ENOENT
		       ? error_set(err, -r, "cannot switch forwarding back ('%s')", path)
		       : 0;
}

static int switch_others_back(char *const *wanted, char *const *changed, int state,
			      struct error *err)
{
	cleanup_strv char **kept = NULL;
	struct error another;
	int r = 0, written;

	for (size_t i = 0; changed && changed[i]; i++) {
		cleanup_free char *which =
			xasprintf("%.*s", (int)strcspn(changed[i], "="), changed[i]);
		int one = 0;

		if (!strv_contains(wanted, which))
			one = switch_back(changed[i], r < 0 ? &another : err);
		if (one < 0 || strv_contains(wanted, which))
			strv_add(&kept, changed[i]);
		if (r == 0)
			r = one;
	}
	if (strv_length(kept) == strv_length(changed))
		return r;
	written = write_changed(state, kept);
	return r < 0 || written == 0
		       ? r
		       : error_set(err, -written, "cannot remember which interfaces forward");
}

int forwarding_settle(const struct firewall *firewall, int state, struct error *err)
{
	cleanup_strv char **wanted = NULL, **changed = read_changed(state);
	cleanup_nl_socket struct nl_sock *socket = NULL;
	int r = 0;

	if (firewall->n_zones)
		r = request_open(-1, &socket, err);
	for (size_t i = 0; r == 0 && i < firewall->n_zones; i++)
		need_of_zone(&wanted, socket, &firewall->zones[i]);
	for (size_t i = 0; r == 0 && wanted && wanted[i]; i++)
		r = switch_on(wanted[i], &changed, state, err);
	return r < 0 ? r : switch_others_back(wanted, changed, state, err);
}
