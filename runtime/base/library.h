/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared library that is loaded when something needs it, rather than with every command
 * (dlopen(3)). The only place that does. In commands, and never in what enters an instance.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include "base/error.h"

#include <stddef.h>

struct library_symbol {
	const char *name;
	void *where; /* a pointer to such a function: gets its address */
};

struct library {
	const char *file;    /* with the version of its interface: "libarchive.so.13" */
	const char *needing; /* who needs it, as a sentence begins: "archives need" */
	const char *package; /* of Debian, that brings it */
	const struct library_symbol *symbols;
	size_t n;
};

/*
 * Finds all symbols, once; does nothing after that. The library stays. -ENOENT, with a sentence
 * that says what to install, when it or one of the symbols is not there: then none has an address.
 */
int library_load(const struct library *library, struct error *err);

#endif
