/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying between this host and an instance. Inside, paths are resolved as the instance sees them
 * and never leave its root; on the host, everything is done as the person who called. Regular
 * files, directories and symbolic links (as links) are copied; anything else is complained about.
 *
 * The modes are kept but for set-user-id and set-group-id, on the host also but for the umask. What
 * is made inside belongs to the owner of the directory it is put into. A file that is replaced
 * inside keeps its mode and its owner, on the host its mode. A file appears complete or not at all.
 */
#ifndef INSTANCE_COPY_H
#define INSTANCE_COPY_H

#include "instance/account.h"
#include "instance/site.h"

#include <stdint.h>

struct copy_place {
	int root;	  /* O_PATH descriptor of an instance's root directory; -1: this host */
	const char *path; /* on the host, "-" is standard input or output */
};

struct copy {
	struct copy_place from, to;
	const struct account *person;
	uint32_t id_base; /* of the instance's user namespace, 0: it has none */
	int cancel;	  /* the copy is given up when this becomes readable; -1: never */
	void (*progress)(uint64_t bytes, void *data);	       /* all so far; or NULL */
	void (*complain)(const struct error *err, void *data); /* what is not copied, and why */
	void *data;
};

/*
 * Links among the operands are followed, those met on the way are not. Into a directory that
 * exists, the copy goes under the source's last name ("." and "/" have none: then their contents
 * go there). Fails also when all but some things were copied.
 */
int copy_run(const struct copy *copy, struct error *err);

/* Asks the keeper for the instance's root directory. Returns an O_PATH descriptor. */
int copy_open_root(const struct site *site, const char *id, struct error *err);

#endif
