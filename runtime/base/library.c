/* SPDX-License-Identifier: Apache-2.0 */
/* Shared libraries that are loaded when they are needed; see library.h. */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A pointer to a function is no pointer to data in C: it is copied as what it is made of. */
static void put(const struct library_symbol *symbol, void *address)
{
	memcpy(symbol->where, &address, sizeof(address));
}

static bool is_loaded(const struct library *library)
{
	void *address;

	memcpy(&address, library->symbols[0].where, sizeof(address));
	return address;
}

static bool find_all(const struct library *library, void *handle)
{
	for (size_t i = 0; i < library->n; i++) {
		void *address = dlsym(handle, library->symbols[i].name);

		if (!address)
			return false;
		put(&library->symbols[i], address);
	}
	return true;
}

int library_load(const struct library *library, struct error *err)
{
	void *handle = is_loaded(library) ? NULL : dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

	if (is_loaded(library) || (handle && find_all(library, handle)))
		return 0;
	for (size_t i = 0; i < library->n; i++)
		put(&library->symbols[i], NULL);
	if (handle)
		dlclose(handle);
	error_say(err, ERROR_FAILED, "%s %s, which cannot be loaded: install it (Debian: %s)",
		  library->needing, library->file, library->package);
	return error_with_code(err, -ENOENT);
}
