/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in templates, catalog/NAME.yaml, as the build embeds them (embed.cmake). */
#ifndef TEMPLATES_CATALOG_H
#define TEMPLATES_CATALOG_H

#include <stddef.h>

struct catalog_entry {
	const char *name; /* NULL ends the catalogue, which is sorted by name */
	const unsigned char *text;
	size_t length;
};

extern const struct catalog_entry catalog[];

#endif
