/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller gives for the secrets of a template. Each goes from where it comes from into a
 * memfd (memfd_create(2)), from which init puts it inside; no string of this program, no argument,
 * no variable and no file of the host ever holds it.
 */
#ifndef INSTANCE_SECRET_H
#define INSTANCE_SECRET_H

#include "instance/account.h"
#include "plan/plan.h"

#define SECRET_SIZE_MAX (1U << 20) /* bytes */

struct given_secrets {
	struct {
		char *name;
		int fd;
	} list[PLAN_SECRETS_MAX];
	size_t n;
};

/*
 * Reads all of "NAME=@FILE", "NAME=-" (standard input) and "NAME=fd:NUMBER" to their ends, files
 * with the rights of the person. Must come before this program opens anything of its own, which a
 * number could mean. ERROR_USAGE for other words, none of which is repeated in the error: it may be
 * a secret. words may be NULL. The caller ends ret_given with secrets_deinit also after a failure.
 */
int secrets_read(char *const *words, const struct account *person, struct given_secrets *ret_given,
		 struct error *err);
void secrets_deinit(struct given_secrets *given);

/* ERROR_USAGE for one that the plan does not know, or that it cannot do without. */
int secrets_check(const struct plan *plan, const struct given_secrets *given, struct error *err);

/* The descriptor of the one of that name, which stays the list's; -1: it was not given. */
int secrets_find(const struct given_secrets *given, const char *name);

/*
 * A memfd with all that can be read from a descriptor, at its beginning. what names the secret in
 * errors: "secret 'key'". Refuses nothing at all, and more than SECRET_SIZE_MAX bytes.
 */
int secret_load(int from, const char *what, struct error *err);

#endif
