/* SPDX-License-Identifier: Apache-2.0 */
/* Zones as data; see zone.h. */
#include "plan/zone.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const zone_tiers[] = {"dev", "sandbox", "poc", "training", "ci", NULL};

void zone_deinit(struct zone *zone)
{
	free(zone->name);
	free(zone->tier);
	free(zone->egress);
	free(zone->dns);
	*zone = (struct zone){0};
}

void zone_free(struct zone *zone)
{
	if (zone)
		zone_deinit(zone);
	free(zone);
}

void zone_list_free(struct zone *zones, size_t n)
{
	for (size_t i = 0; i < n; i++)
		zone_deinit(&zones[i]);
	free(zones);
}

bool zone_has_traffic(const struct zone *zone)
{
	return zone->peers || strcmp(zone->egress, "none") != 0;
}

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_say(err, ERROR_USAGE,
			 "egress '%s': %s; write NETWORK[:PORT[/PROTOCOL]] or HOST[:PORT], such as "
			 "10.1.0.0/16:443, [2001:db8::/32]:5432/tcp or db.example:5432",
			 text, why);
}

/* Splits ":PORT[/PROTOCOL]" off the end of word. */
static int take_port(char *word, const char *text, struct egress_destination *d, struct error *err)
{
	char *colon = strrchr(word, ':'), *slash;
	uint64_t port;

	if (!colon || (word[0] != '[' && strchr(word, ':') != colon))
		return 0; /* none, or an IPv6 address without one */
	if (word[0] == '[' && colon[-1] != ']')
		return 0;
	*colon++ = '\0';
	slash = strchr(colon, '/');
	if (slash)
		*slash++ = '\0';
	if (slash && strcmp(slash, "tcp") != 0 && strcmp(slash, "udp") != 0)
		return refuse(text, "the protocol is neither tcp nor udp", err);
	if (parse_number(colon, 65535, &port) < 0 || port == 0)
		return refuse(text, "the port is no number from 1 to 65535", err);
	d->port = (uint16_t)port;
	d->protocol = slash && strcmp(slash, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	return 0;
}

static int take_brackets(char **word, const char *text, struct error *err)
{
	char *end;

	if (**word != '[')
		return 0;
	end = strchr(*word, ']');
	if (!end || end[1])
		return refuse(text, "the brackets do not enclose the address", err);
	*end = '\0';
	(*word)++;
	return 0;
}

static bool is_host_name(const char *word)
{
	static const char characters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	const char *last = strrchr(word, '.');
	bool numeric =
		strspn(last ? last + 1 : word, "0123456789") == strlen(last ? last + 1 : word);

	/* a name whose last label is a number would be a mistyped address */
	return *word && strspn(word, characters) == strlen(word) && *word != '-' && *word != '.' &&
	       !numeric && strlen(word) < 254;
}

/* Bits behind the prefix are most often a mistake in one of the two. */
static bool has_bits_behind(const struct egress_destination *d)
{
	for (unsigned bit = d->prefix; bit < (d->family == AF_INET ? 32U : 128U); bit++)
		if (d->address[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

static int take_network(char *word, const char *text, struct egress_destination *d,
			struct error *err)
{
	char *slash = strchr(word, '/');
	uint64_t prefix;
	unsigned bits;

	if (slash)
		*slash++ = '\0';
	d->family = strchr(word, ':') ? AF_INET6 : AF_INET;
	bits = d->family == AF_INET ? 32 : 128;
	d->prefix = bits;
	if (inet_pton(d->family, word, d->address) != 1) {
		d->family = AF_UNSPEC;
		if (slash || !is_host_name(word))
			return refuse(text, "that is neither an address nor the name of a host",
				      err);
		snprintf(d->host, sizeof(d->host), "%s", word);
		return 0;
	}
	if (slash && parse_number(slash, bits, &prefix) < 0)
		return refuse(text, "the length of the network is not one", err);
	if (slash)
		d->prefix = (unsigned)prefix;
	if (has_bits_behind(d))
		return refuse(text, "the address has bits behind the length of its network", err);
	return 0;
}

int egress_parse(const char *text, struct egress_destination *ret_destination, struct error *err)
{
	cleanup_free char *copy = xstrdup(text);
	char *word = copy;
	int r;

	*ret_destination = (struct egress_destination){0};
	r = take_port(word, text, ret_destination, err);
	if (r == 0)
		r = take_brackets(&word, text, err);
	return r < 0 ? r : take_network(word, text, ret_destination, err);
}

int egress_parse_list(const char *text, struct egress_destination **ret_list, size_t *ret_n,
		      struct error *err)
{
	cleanup_free char *copy = xstrdup(text);
	struct egress_destination *list = NULL;
	char *rest = copy, *word;
	size_t n = 0;
	int r = 0;

	*ret_list = NULL;
	*ret_n = 0;
	if (strcmp(text, "none") == 0 || strcmp(text, "internet") == 0)
		return 0;
	while (r == 0 && (word = strsep(&rest, ","))) {
		if (n == EGRESS_MAX)
			r = error_say(err, ERROR_USAGE, "an egress has at most %d destinations",
				      EGRESS_MAX);
		else {
			list = xrealloc(list, n + 1, sizeof(*list));
			r = egress_parse(word, &list[n++], err);
		}
	}
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

int dns_check(const char *text, struct error *err)
{
	cleanup_free char *copy = xstrdup(text);
	char *rest = copy, *word;
	uint8_t address[16];

	if (strcmp(text, "host") == 0 || strcmp(text, "none") == 0)
		return 0;
	while ((word = strsep(&rest, ",")))
		if (inet_pton(AF_INET, word, address) != 1 &&
		    inet_pton(AF_INET6, word, address) != 1)
			return error_say(err, ERROR_USAGE,
					 "dns '%s': '%s' is no address; write host, none, or "
					 "addresses of name servers with commas between them",
					 text, word);
	return 0;
}

int tier_check(const char *word, const char *what, struct error *err)
{
	static const char *const refused[] = {"test", "tst", "qa",	   "staging", "preprod",
					      "prod", "prd", "production", "live"};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strcasecmp(word, refused[i]) == 0)
			return error_say(
				err, ERROR_REFUSED,
				"%s says '%s': instances on one machine share its kernel, its disk "
				"and its failures, so they give neither the availability nor the "
				"separation that test and production need. Give those machines of "
				"their own, and use stint for dev, sandbox, poc, training and ci",
				what, word);
	return 0;
}
