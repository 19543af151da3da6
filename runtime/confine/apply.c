/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up ids and capabilities; see inside.h. In the server's process, execs and forwarder. */
#include "confine/inside.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECUREBITS                                                                               \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                         \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int drop_bounding(uint64_t but, struct error *err)
{
	/* the kernel may know more capabilities than this program: go on until it knows no more */
	for (unsigned long cap = 0; cap < 64; cap++)
		if (!(but >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL && cap > 0)
				return 0;
			return error_set(err, errno, "cannot drop capability %lu", cap);
		}
	return 0;
}

/* None is inheritable; what is not permitted now cannot be kept. */
static int drop_capabilities(uint64_t but, struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, sets) < 0)
		return error_set(err, errno, "cannot read capabilities");
	for (size_t i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(but >> (32 * i));
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return error_set(err, errno, "cannot drop capabilities");
	return 0;
}

int confine_keep(uint64_t caps, struct error *err)
{
	int r = drop_bounding(caps, err);

	return r < 0 ? r : drop_capabilities(caps, err);
}

int confine_apply(const struct confinement *c, struct error *err)
{
	int r = drop_bounding(0, err);

	if (r < 0)
		return r;
	if (setgroups(c->n_groups, c->groups) < 0 || setresgid(c->gid, c->gid, c->gid) < 0)
		return error_set(err, errno, "cannot become group %u", c->gid);
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
		return error_set(err, errno, "cannot lock the securebits");
	if (setresuid(c->uid, c->uid, c->uid) < 0)
		return error_set(err, errno, "cannot become user %u", c->uid);
	r = drop_capabilities(0, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "cannot set no_new_privs");
	return 0;
}
