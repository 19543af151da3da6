/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the firewall's table; see firewall.h. The file "firewall" in the state directory holds
 * the generation of the kernel's rule set after the last change, where that was, what was asked
 * for, and how the kernel lists it. In commands.
 */
#include "netns/firewall.h"
#include "netns/nft.h"
#include "netns/watch.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_NAME "firewall"
#define FILE_MAX (4 << 20)
#define DIVIDER "\n--\n"
#define TRIES 5

struct remembered {
	char *data; /* the parts below lie in it */
	char *place, *asked, *listing;
};

/* A generation means something in one network namespace of one boot only. */
static char *place_of(uint32_t generation)
{
	char boot_id[BOOT_ID_SIZE] = "";
	struct stat st = {0};

	clock_boot_id(boot_id);
	stat("/proc/self/ns/net", &st);
	return xasprintf("%s %" PRIuMAX " %" PRIu32, boot_id, (uintmax_t)st.st_ino, generation);
}

/* A restart of the host takes the table away, and damages nothing. */
static bool is_same_host(const char *place, const char *other)
{
	const char *generation = strrchr(place, ' ');

	return strncmp(place, other, (size_t)(generation - place) + 1) == 0;
}

static char *split(char **rest)
{
	char *part = *rest, *end = part ? strstr(part, DIVIDER) : NULL;

	*rest = end ? end + strlen(DIVIDER) : NULL;
	if (end)
		*end = '\0';
	return part;
}

static struct remembered remember(int state)
{
	struct remembered r = {0};
	char *rest;

	if (file_read(state, FILE_NAME, FILE_MAX, &r.data, NULL) < 0)
		return (struct remembered){0};
	rest = r.data;
	r.place = split(&rest);
	r.asked = split(&rest);
	r.listing = rest;
	return r;
}

static char *list_table(const char *table)
{
	cleanup_free char *command = xasprintf("list table inet %s", table);
	char *listing = NULL;

	return nft_run(command, &listing, NULL) == 0 ? listing : NULL;
}

static int write_down(int state, const char *asked, const char *listing, const char *place,
		      struct error *err)
{
	cleanup_free char *text = xasprintf("%s" DIVIDER "%s" DIVIDER "%s", place, asked, listing);
	int r = file_replace(state, FILE_NAME, text, 0600);

	return r < 0 ? error_set(err, -r, "cannot remember the state of the firewall") : 0;
}

static int put_in_place(const char *asked, const char *table, struct error *err)
{
	/* a table must be there to be deleted; all of it is one transaction */
	cleanup_free char *commands =
		xasprintf("table inet %s\ndelete table inet %s\n%s", table, table, asked);

	return nft_run(commands, NULL, err);
}

/*
 * What the kernel lists after the change is what it shall list from now on, if nobody else has
 * changed anything meanwhile: every transaction is one generation. On a host where that is not to
 * be had, whoever comes next makes the table again.
 */
static int make(const char *asked, const char *table, int state, struct error *err)
{
	for (int i = 0; i < TRIES; i++) {
		cleanup_free char *listing = NULL, *place = NULL;
		uint32_t before, after;
		int r = nft_generation(&before, err);

		if (r == 0)
			r = put_in_place(asked, table, err);
		if (r < 0)
			return r;
		listing = list_table(table);
		r = nft_generation(&after, err);
		if (r < 0)
			return r;
		place = place_of(after);
		if (listing && after == before + 1)
			return write_down(state, asked, listing, place, err);
	}
	return write_down(state, asked, "", "", err);
}

static int apply(const struct firewall *firewall, int state, const struct remembered *last,
		 enum firewall_result *ret_result, struct error *err)
{
	cleanup_free char *asked = firewall_text(firewall), *listing = NULL, *place = NULL;
	bool same = last->asked && strcmp(last->asked, asked) == 0;
	uint32_t generation;
	int r = nft_generation(&generation, err);

	if (r < 0)
		return r;
	*ret_result = FIREWALL_KEPT;
	place = place_of(generation);
	if (same && strcmp(place, last->place) == 0)
		return 0; /* nobody has changed any table since */
	listing = list_table(firewall->table);
	if (same && listing && last->listing && strcmp(listing, last->listing) == 0)
		return write_down(state, asked, listing, place, err);
	*ret_result = same && is_same_host(place, last->place) ? FIREWALL_REPAIRED
		      : listing				       ? FIREWALL_CHANGED
							       : FIREWALL_MADE;
	return make(asked, firewall->table, state, err);
}

int firewall_apply(const struct firewall *firewall, int state, enum firewall_result *ret_result,
		   struct error *err)
{
	struct remembered last = remember(state);
	int r = apply(firewall, state, &last, ret_result, err);

	free(last.data);
	return r < 0 ? error_prefix(err, "cannot make the firewall of the zones") : 0;
}

int firewall_remove(const char *table, int state, struct error *err)
{
	cleanup_free char *commands =
		xasprintf("table inet %s\ndelete table inet %s\n", table, table);
	int r;

	/* whoever was killed between the two has made the table and not the file */
	if (faccessat(state, FILE_NAME, F_OK, 0) < 0 && !netns_watch_finds_table(table))
		return 0;
	r = nft_run(commands, NULL, err);
	if (r < 0)
		return error_prefix(err, "cannot remove the firewall of the zones");
	unlinkat(state, FILE_NAME, 0);
	return 0;
}
