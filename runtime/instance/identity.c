/* SPDX-License-Identifier: Apache-2.0 */
/* Acting as a person; see identity.h. In commands that read or write a person's files. */
#include "instance/identity.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/stat.h>

int identity_init(const struct account *person, uint32_t id_base, struct identity *ret_identity,
		  struct error *err)
{
	struct identity identity = {
		.person = person,
		.id_base = id_base,
		.fixed = person->uid == 0 || geteuid() != 0,
		.gid = getegid(),
		.n_groups = getgroups(0, NULL),
	};
	int r;

	if (identity.n_groups < 0)
		return error_set(err, errno, "cannot read the groups of this process");
	/* with this one, root's writes would go beyond the instance's disk limit */
	r = process_drop_capability(CAP_SYS_RESOURCE);
	if (r < 0)
		return error_set(err, -r, "cannot give up a capability");
	identity.groups = xcalloc((size_t)identity.n_groups, sizeof(gid_t));
	identity.n_groups = getgroups(identity.n_groups, identity.groups);
	*ret_identity = identity;
	return 0;
}

/* The user last: from then on nothing else may be changed. */
static int become_person(const struct account *person)
{
	if (setgroups(person->n_groups, person->groups) < 0 || setegid(person->gid) < 0 ||
	    seteuid(person->uid) < 0)
		return -errno;
	return 0;
}

/* Half root and half somebody else is nothing to go on with. */
static void become_root(const struct identity *identity)
{
	if (seteuid(0) < 0 || setegid(identity->gid) < 0 ||
	    setgroups((size_t)identity->n_groups, identity->groups) < 0)
		abort();
}

/* Who a wish comes down to: for root in his own person, and without a user namespace, to root. */
static enum who effective(const struct identity *identity, enum who who)
{
	if ((who == WHO_PERSON && identity->fixed) || (who == WHO_INSIDE && !identity->id_base))
		return WHO_ROOT;
	return who;
}

static void leave(struct identity *identity)
{
	if (identity->who == WHO_PERSON)
		become_root(identity);
	else if (identity->who == WHO_INSIDE && process_set_file_ids(0, identity->gid) < 0)
		abort();
	identity->who = WHO_ROOT;
}

int identity_switch(struct identity *identity, enum who who, struct error *err)
{
	int r = 0;

	who = effective(identity, who);
	if (identity->who == who)
		return 0;
	leave(identity);
	if (who == WHO_PERSON)
		r = become_person(identity->person);
	else if (who == WHO_INSIDE)
		r = process_set_file_ids(identity->id_base, identity->id_base);
	identity->who = who;
	if (r == 0)
		return 0;
	leave(identity);
	return error_set(err, -r, "cannot act as user '%s'",
			 who == WHO_PERSON ? identity->person->name : "root of the instance");
}

void identity_deinit(struct identity *identity)
{
	identity_switch(identity, WHO_ROOT, NULL);
	cleanup_free_pointer(&identity->groups);
}

/* Looked at before it is opened for reading, which a pipe would wait in. */
static int open_regular(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

int identity_open_file(const struct account *person, const char *path, struct error *err)
{
	struct identity identity;
	int r = identity_init(person, 0, &identity, err), fd = -1;

	if (r < 0)
		return r;
	r = identity_switch(&identity, WHO_PERSON, err);
	if (r == 0) {
		fd = open_regular(path);
		if (fd == -EINVAL)
			r = error_say(err, ERROR_FAILED, "'%s' is no regular file", path);
		else if (fd < 0)
			r = error_set(err, -fd, "cannot open '%s' as user '%s'", path,
				      person->name);
	}
	identity_deinit(&identity);
	return r < 0 ? r : fd;
}
