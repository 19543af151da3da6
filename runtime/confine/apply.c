/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up ids and capabilities; see inside.h. In the server's process, execs and forwarder. */
#include "confine/inside.h"
#include "base/cleanup.h"
#include "base/socket.h"
#include "base/text.h"
#include "base/weaken.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Root is nobody special, capabilities do not survive by ambient or kept ones but now. */
#define SECUREBITS                                                              \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | \
	 SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |                \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)
#define BIT(name) (1ULL << CAP_##name)

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

/* What is not permitted now cannot be kept. */
static int limit_capabilities(uint64_t permitted, uint64_t effective, uint64_t inheritable,
			      struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return error_set(err, errno, "cannot read capabilities");
	for (size_t i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(permitted >> (32 * i));
		sets[i].effective = sets[i].permitted & (uint32_t)(effective >> (32 * i));
		sets[i].inheritable = sets[i].permitted & (uint32_t)(inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return error_set(err, errno, "cannot drop capabilities");
	return 0;
}

static int set_capabilities(uint64_t permitted, uint64_t inheritable, struct error *err)
{
	return limit_capabilities(permitted, permitted, inheritable, err);
}

int confine_effect(uint64_t caps, struct error *err)
{
	return limit_capabilities(~0ULL, caps, 0, err);
}

int confine_keep(uint64_t caps, struct error *err)
{
	int r = drop_bounding(caps, err);

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return r < 0 ? r : set_capabilities(caps, 0, err);
}

static int become(const struct confinement *c, struct error *err)
{
	/* the change of the user must not take what is still needed for the steps after it */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		return error_set(err, errno, "cannot set the securebits");
	if (setgroups(c->n_groups, c->groups) < 0 || setresgid(c->gid, c->gid, c->gid) < 0)
		return error_set(err, errno, "cannot become group %u", c->gid);
	if (setresuid(c->uid, c->uid, c->uid) < 0)
		return error_set(err, errno, "cannot become user %u", c->uid);
	return 0;
}

/* Ambient, or an exec would take them: the programs of a server have none of their own. */
static int raise_ambient(uint64_t caps, struct error *err)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((caps >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return error_set(err, errno, "cannot keep capability %lu", cap);
	return 0;
}

/*
 * A server that may change its user does so to have less from then on: for it, the kernel's own
 * rule holds that only root has capabilities. For all others it would only make a difference
 * through a bug.
 */
static int lock_securebits(uint64_t caps, struct error *err)
{
	unsigned long bits = SECUREBITS | (caps & BIT(SETUID) ? 0 : SECBIT_NO_SETUID_FIXUP);

	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0)
		return error_set(err, errno, "cannot lock the securebits");
	return 0;
}

static int load(const struct sock_filter *filter, size_t size, unsigned flags, struct error *err)
{
	struct sock_fprog program = {
		.len = (unsigned short)(size / sizeof(*filter)),
		.filter = (struct sock_filter *)filter,
	};
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);

	if (r < 0)
		return error_set(err, errno, "cannot load the filter of system calls");
	return (int)r;
}

/* The same program, but that it asks where it would have denied: with an error, that is. */
static int load_explained(const struct confinement *c, struct error *err)
{
	cleanup_free struct sock_filter *asking = xcalloc(1, c->filter_size);
	cleanup_fd int listener = -1;
	int r;

	memcpy(asking, c->filter, c->filter_size);
	for (size_t i = 0; i < c->filter_size / sizeof(*asking); i++)
		if (asking[i].code == (BPF_RET | BPF_K) &&
		    (asking[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO &&
		    asking[i].k & SECCOMP_RET_DATA)
			asking[i].k = SECCOMP_RET_USER_NOTIF;
	listener = load(asking, c->filter_size, SECCOMP_FILTER_FLAG_NEW_LISTENER, err);
	if (listener == -EBUSY)
		return error_set(
			err, EBUSY,
			"cannot watch system calls: something around stint, such as a "
			"container engine, does already, and the kernel allows one watcher");
	if (listener < 0)
		return listener;
	r = socket_send(c->explainer, c->filter, c->filter_size, &listener, 1);
	return r < 0 ? error_set(err, -r, "cannot hand over what the filter reports") : 0;
}

static int load_filter(const struct confinement *c, struct error *err)
{
	if (!c->filter)
		return 0;
	return c->explained ? load_explained(c, err) : load(c->filter, c->filter_size, 0, err);
}

int confine_apply(const struct confinement *c, struct error *err)
{
	int r = drop_bounding(c->caps, err);

	if (r == 0)
		r = become(c, err);
	if (r == 0)
		r = set_capabilities(c->caps | BIT(SETPCAP), c->caps, err);
	if (r == 0)
		r = raise_ambient(c->caps, err);
	if (r == 0)
		r = lock_securebits(c->caps, err);
	if (r == 0)
		r = set_capabilities(c->caps, c->caps, err);
	if (r < 0)
		return r;
	if ((c->filter || !weakened("nnp")) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "cannot set no_new_privs");
	return load_filter(c, err);
}
