/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back to pristine: the same instance, as it was right after its start. In the command that asks
 * for it, which prepares a keeper to succeed the running one (keeper/handover.c) and takes no part
 * in it after that: killed before, it has changed nothing; killed after, the reset goes on.
 */
#ifndef INSTANCE_RESET_H
#define INSTANCE_RESET_H

#include "instance/instance.h"

/*
 * instance->record is the instance's; the rest is set. Its connection to the new keeper ties
 * nothing. plan is the record's, secrets as secrets_check wants them for it. ERROR_REFUSED when it
 * cannot be reset now, ERROR_NOT_FOUND without a keeper: then everything is as it was. When the new
 * keeper fails after that, the instance has ended, and the error says so.
 */
int instance_reset(const struct site *site, const struct plan *plan,
		   const struct given_secrets *secrets, struct instance *instance,
		   struct error *err);

/* When that was done last, seconds since the epoch; 0: never. */
int64_t instance_reset_at(const struct site *site, const char *id);

#endif
