/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who makes the root; see applying.h. Everything that is made belongs to the file system user,
 * which is set apart from the user for as long as it lasts. An overlay works on its upper layer
 * with the credentials of whoever mounted it, capabilities included, for as long as it lives.
 */
#include "rootfs/applying.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

static int get_capabilities(struct capabilities *ret_caps)
{
	*ret_caps = (struct capabilities){.header.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &ret_caps->header, ret_caps->data) < 0 ? -errno : 0;
}

static int set_effective(const uint32_t effective[2])
{
	struct capabilities caps;
	int r = get_capabilities(&caps);

	if (r < 0)
		return r;
	caps.data[0].effective = effective[0] & caps.data[0].permitted;
	caps.data[1].effective = effective[1] & caps.data[1].permitted;
	return syscall(SYS_capset, &caps.header, caps.data) < 0 ? -errno : 0;
}

/* These calls have no error: they return the id before, and an id that cannot be is a question. */
static int set_ids(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (gid_t)setfsgid((gid_t)-1) == gid && (uid_t)setfsuid((uid_t)-1) == uid ? 0 : -EPERM;
}

int root_own(const struct root_owner *owner, struct root_credentials *ret_before, struct error *err)
{
	struct capabilities caps;
	uint32_t effective[2];
	int r = get_capabilities(&caps);

	if (r < 0)
		return error_set(err, -r, "cannot read the own capabilities");
	*ret_before = (struct root_credentials){
		.effective = {caps.data[0].effective, caps.data[1].effective},
		.uid = (uid_t)setfsuid((uid_t)-1),
		.gid = (gid_t)setfsgid((gid_t)-1),
	};
	r = set_ids(owner->uids ? userns_host_id(owner->uids, 0) : 0,
		    owner->gids ? userns_host_id(owner->gids, 0) : 0);
	if (r < 0)
		return error_set(err, -r, "cannot make files as the instance's root");
	/* the change of the user took away what concerns files */
	effective[0] = ret_before->effective[0] & ~CAP_TO_MASK(CAP_SYS_RESOURCE);
	effective[1] = ret_before->effective[1];
	r = set_effective(effective);
	return r < 0 ? error_set(err, -r, "cannot set the own capabilities") : 0;
}

int root_disown(const struct root_credentials *before, struct error *err)
{
	int r = set_ids(before->uid, before->gid);

	if (r == 0)
		r = set_effective(before->effective);
	return r < 0 ? error_set(err, -r, "cannot become the host's root again") : 0;
}
