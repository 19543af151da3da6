/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acting on the host as the person who called, with that person's groups and no capability, so
 * that a command run through sudo reaches no file that the person could not; and inside an instance
 * as that instance's root. Real and saved ids stay root's: the person cannot signal or trace this
 * process meanwhile. For processes with one thread.
 */
#ifndef INSTANCE_IDENTITY_H
#define INSTANCE_IDENTITY_H

#include "base/error.h"
#include "instance/account.h"

#include <stdbool.h>
#include <stdint.h>

enum who { WHO_ROOT, WHO_PERSON, WHO_INSIDE };

struct identity {
	const struct account *person;
	uint32_t id_base; /* of the instance's user namespace, 0: it has none */
	bool fixed;	  /* the person is root, or we are not: nothing to change for him */
	enum who who;	  /* now */
	gid_t gid;
	gid_t *groups; /* our own */
	int n_groups;
};

/* The account must outlive ret_identity, which the caller ends with identity_deinit. */
int identity_init(const struct account *person, uint32_t id_base, struct identity *ret_identity,
		  struct error *err);

/* Acts as that one in all that follows; cheap when that is so already. */
int identity_switch(struct identity *identity, enum who who, struct error *err);

/* Root again. */
void identity_deinit(struct identity *identity);

/* Opens a regular file of the host for reading, with the rights of the person. */
int identity_open_file(const struct account *person, const char *path, struct error *err);

#endif
