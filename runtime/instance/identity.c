/* SPDX-License-Identifier: Apache-2.0 */
/* Acting as a person; see identity.h. In commands that read or write a person's files. */
#include "instance/identity.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <grp.h>

int identity_init(const struct account *person, struct identity *ret_identity, struct error *err)
{
	struct identity identity = {
		.person = person,
		.fixed = person->uid == 0 || geteuid() != 0,
		.gid = getegid(),
		.n_groups = getgroups(0, NULL),
	};

	if (identity.n_groups < 0)
		return error_set(err, errno, "cannot read the groups of this process");
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

int identity_switch(struct identity *identity, bool to_person, struct error *err)
{
	int r;

	if (identity->fixed || identity->as_person == to_person)
		return 0;
	if (!to_person) {
		become_root(identity);
		identity->as_person = false;
		return 0;
	}
	r = become_person(identity->person);
	if (r < 0) {
		become_root(identity);
		return error_set(err, -r, "cannot act as user '%s'", identity->person->name);
	}
	identity->as_person = true;
	return 0;
}

void identity_deinit(struct identity *identity)
{
	identity_switch(identity, false, NULL);
	cleanup_free_pointer(&identity->groups);
}
