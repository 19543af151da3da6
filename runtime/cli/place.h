/* SPDX-License-Identifier: Apache-2.0 */
/* The site with its configuration, as every command that touches an instance opens it. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "instance/site.h"

/* site_open, writable, and the configuration; the caller ends it with site_close also after a
 * failure. */
int place_open(struct site *ret_site, struct error *err);

/* The same for who only looks, also where nothing can be written. */
int place_open_to_look(struct site *ret_site, struct error *err);

/*
 * For what must work whatever is in the configuration: the end of an instance. Defaults take the
 * place of a file that cannot be read, and the fault is said on stderr.
 */
int place_open_anyway(struct site *ret_site, struct error *err);

#endif
