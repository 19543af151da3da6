/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of "stint install"; only for the install*.c files. */
#ifndef CLI_INSTALL_H
#define CLI_INSTALL_H

#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "install/generation.h"

struct install_request {
	const struct invocation *invocation;
	struct site site;
};

/* The install that the words name. */
const char *install_name(const struct install_request *request);

/* A store of its own for each question: making a generation takes long. */
int install_store(const struct install_request *request, struct store **ret_store,
		  struct error *err);

json_t *json_generation(const struct generation *generation);

/* What an adoption needs beside its signals, with --backend; it shows how far it has come. */
int install_adoption(const struct install_request *request, struct progress *progress,
		     struct adoption *ret_adoption, struct error *err);

/* Each is "stint install" with the word of that name; ERROR_... as report wants it. */
int install_list(struct install_request *request, struct error *err);
int install_show(struct install_request *request, struct error *err);
int install_diff(struct install_request *request, struct error *err);
int install_canary(struct install_request *request, struct error *err);

#endif
