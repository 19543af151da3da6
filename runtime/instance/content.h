/* SPDX-License-Identifier: Apache-2.0 */
/* What is put into an instance's view, as this host has it. */
#ifndef INSTANCE_CONTENT_H
#define INSTANCE_CONTENT_H

#include "instance/account.h"
#include "instance/secret.h"
#include "rootfs/rootfs.h"

struct content {
	struct rootfs_put puts[PLAN_FILES_MAX];		/* one for each of the plan's files */
	struct rootfs_secret secrets[PLAN_SECRETS_MAX]; /* those of the plan's that there are */
	size_t n_secrets;
	int sources[PLAN_SOURCES_MAX]; /* what comes from the host */
	uint32_t n_sources;
	struct rootfs_lower lowers[PLAN_LAYERS_MAX]; /* one for each install directory */
};

/*
 * Finds the owners and opens the files and directories of the host, as root and following links:
 * which they are, the template's author has said. Secrets are those that were given, else what the
 * template names. content is zero before, and needs content_deinit
 * also after a failure.
 */
int content_open(const struct plan *plan, const struct account *account,
		 const struct given_secrets *given, struct content *content, struct error *err);
/*
 * What the views of the install directories lie on; paths (lowers_of) must live as long as the
 * content. directories: those of the host. Once, when it is known for good.
 */
int content_open_lowers(char *const *paths, char *const *directories, struct content *content,
			struct error *err);
void content_deinit(struct content *content);

#endif
