/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper leaves in the run directory when it goes; see keeper.h and facts.h. */
#include "keeper/keeper.h"
#include "keeper/events.h"
#include "keeper/facts.h"
#include "base/file.h"

#include <sys/statvfs.h>
#include <unistd.h>

#define FULL_BELOW (64 << 10) /* bytes */

/* The numbers are an unprivileged process's word: beyond any reason they count as unknown. */
static void add(int64_t *sum, uint64_t more)
{
	if (*sum < 0 || more > (uint64_t)(INT64_MAX - *sum))
		*sum = -1;
	else
		*sum += (int64_t)more;
}

static void add_counts(const struct keeper *keeper, struct facts *facts)
{
	struct counts counts;

	if (keeper->message.n_ports &&
	    (keeper->counts < 0 ||
	     pread(keeper->counts, &counts, sizeof(counts), 0) != (ssize_t)sizeof(counts)))
		return;
	facts->connections = facts->bytes_in = facts->bytes_out = 0;
	for (uint32_t i = 0; i < keeper->message.n_ports; i++) {
		add(&facts->connections, counts.ports[i].total);
		add(&facts->bytes_in, counts.ports[i].in);
		add(&facts->bytes_out, counts.ports[i].out);
	}
}

void keeper_leave_facts(const struct keeper *keeper)
{
	struct facts facts = facts_unknown;
	struct statvfs fs;

	add_counts(keeper, &facts);
	if (keeper->message.pool_is_mount && fstatvfs(keeper->pool, &fs) == 0)
		facts.pool_bytes = (int64_t)((fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	/* without them the history has less to say, and that is all */
	(void)facts_write(keeper->run, &facts);
}

/* Of a directory with a project quota the kernel tells what the quota leaves. */
bool keeper_disk_is_full(const struct keeper *keeper)
{
	struct statvfs fs;

	if (fstatvfs(keeper->pool, &fs) < 0)
		return false;
	return fs.f_bavail * fs.f_frsize < FULL_BELOW || (fs.f_files && fs.f_favail == 0);
}

void keeper_note_reset(const struct keeper *keeper)
{
	/* without it "stint show" has less to say */
	(void)file_replace(keeper->run, RESET_FILE_NAME, "", 0600);
}

void keeper_tell_event(const struct keeper *keeper, const char *event, const char *detail)
{
	event_add(keeper->run, EVENTS_FROM_INSTANCE, keeper->message.id, event, detail);
}
