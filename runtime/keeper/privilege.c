/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper may do, once init and forwarder have been made. It turns into "stint reap ID" at
 * the end, which has what is permitted here and nothing more; until then none of it is in effect
 * but for the calls that take it.
 */
#include "keeper/keeper.h"
#include "confine/inside.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#define CAP(name) (1ULL << CAP_##name)

/*
 * To kill, to give pipes away, to find init's root, to make another forwarder, and to watch the
 * firewall and have it put back.
 */
#define LOOP_CAPS                                                                                \
	(CAP(KILL) | CAP(CHOWN) | CAP(SYS_PTRACE) | CAP(SYS_ADMIN) | CAP(SETUID) | CAP(SETGID) | \
	 CAP(SETPCAP) | CAP(NET_ADMIN))
/* To remove files of the instance's ids, kill what is left, and clear the record of a quota. */
#define END_CAPS \
	(CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) | CAP(KILL) | CAP(SYS_ADMIN))

int keeper_drop_privileges(struct error *err)
{
	int r = confine_keep(LOOP_CAPS | END_CAPS, err);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = error_set(err, errno, "cannot set no_new_privs");
	return r == 0 ? confine_effect(0, err) : r;
}

void keeper_raise(enum keeper_need need)
{
	static const uint64_t caps[] = {
		[NEED_NOTHING] = 0,
		[NEED_KILL] = CAP(KILL),
		[NEED_CHOWN] = CAP(CHOWN),
		[NEED_ROOT_OF_INIT] = CAP(SYS_PTRACE),
		[NEED_WATCH] = CAP(NET_ADMIN),
		[NEED_FORWARDER] = CAP(SYS_ADMIN) | CAP(SETUID) | CAP(SETGID) | CAP(SETPCAP),
	};

	/* what then is refused is reported as such by its caller */
	(void)confine_effect(caps[need], NULL);
}
