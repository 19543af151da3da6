/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the inside's /etc; see residents.h. In the command that starts an instance. */
#include "instance/residents.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <grp.h>

static void find_groups(const struct account *server, struct residents *residents)
{
	for (uint32_t i = 0; i < server->n_groups; i++) {
		struct group *group = getgrgid(server->groups[i]);

		if (group && group->gr_gid != server->gid)
			residents->groups[residents->n_groups++] =
				(struct rootfs_group){xstrdup(group->gr_name), group->gr_gid};
	}
}

static void find_owner(const char *directory, struct residents *residents)
{
	struct account *account = &residents->accounts[residents->n_owners];

	if (account_of_owner(directory, account, NULL) < 0)
		return;
	residents->owners[residents->n_owners++] = (struct rootfs_account){
		.name = account->name,
		.group = account->group,
		.home = account->home,
		.uid = account->uid,
		.gid = account->gid,
	};
}

void residents_find(const struct account *server, char *const *install,
		    struct residents *ret_residents)
{
	*ret_residents = (struct residents){.n_groups = 0};
	find_groups(server, ret_residents);
	for (size_t i = 0; install && install[i] && i < RESIDENT_OWNERS_MAX; i++)
		find_owner(install[i], ret_residents);
}

void residents_deinit(struct residents *residents)
{
	for (size_t i = 0; i < residents->n_groups; i++)
		free((char *)residents->groups[i].name);
	for (size_t i = 0; i < residents->n_owners; i++)
		account_deinit(&residents->accounts[i]);
	*residents = (struct residents){.n_groups = 0};
}
