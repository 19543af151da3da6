/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of this host, /etc/stint/stint.yaml, read like a template: by a table of keys,
 * strictly, with the position of what is wrong. In commands, before they look at the host.
 */
#ifndef TEMPLATES_CONFIG_H
#define TEMPLATES_CONFIG_H

#include "base/error.h"
#include "base/text.h"
#include "plan/config.h"

#include <stddef.h>

#define CONFIG_FILE "stint.yaml"

/*
 * Reads CONFIG_FILE in the directory. Without the file, or the directory, everything has its
 * default. Both must belong to root or to this process's user, and must not be writable by
 * anybody else (ERROR_REFUSED): who writes there decides what root does. Other errors are
 * ERROR_FAILED, "FILE:LINE:COLUMN: key 'a.b': what is wrong; what would be right". The caller ends
 * ret_config with site_config_deinit.
 */
int config_read(const char *directory, struct site_config *ret_config, struct error *err);

/* The same for text that is at hand; file is its name in messages. */
int config_read_text(const char *file, const char *text, size_t length,
		     struct site_config *ret_config, struct error *err);

/* What holds where the file says nothing. */
void config_defaults(struct site_config *ret_config);

/* A table of all keys, for the documentation. */
void config_keys_markdown(struct text *ret_text);

#endif
