/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates that "stint save" made of an instance's changes: a file in the site's template
 * directory, and STATE/layer/TEMPLATE/INDEX for the install directory of that index, as overlayfs
 * reads a lower layer. While only one of the two is complete there is STATE/layer/TEMPLATE/pending,
 * and who is killed then leaves something that a sweep takes away. In commands, as root.
 */
#ifndef INSTANCE_SAVED_H
#define INSTANCE_SAVED_H

#include "instance/site.h"

#include <stdbool.h>

#define SAVED_DIRECTORY "layer" /* below the state directory */
#define SAVED_NEW ".new"	/* no template is called so */
#define SAVED_PENDING "pending"

/*
 * Makes the template of that name, which extends another one, of what the instance changed. pool:
 * what it writes (disk.h). Complete, with layers on disk, or not there at all. note: what is left
 * out, as in harvest.h. ERROR_EXISTS when there is one, ERROR_FAILED when nothing was changed.
 */
struct saving {
	const struct record *record;
	int pool, cancel;
	const char *name, *extends;
	void (*note)(const char *shown, const char *what, void *data);
	void *data;
};
int saved_make(const struct site *site, const struct saving *saving, struct error *err);

/*
 * Removes the template and its layers. ERROR_NOT_FOUND when nothing of that name was saved,
 * ERROR_REFUSED while an instance, also a kept one, or another template is on a layer.
 */
int saved_remove(const struct site *site, const char *name, struct error *err);

/* Removes what somebody who was killed has left. */
void saved_sweep(const struct site *site);

/* Whether the path is one of these layers. */
bool saved_has(const struct site *site, const char *path);

/*
 * Before one is looked at for a start, until that stands in the store: nothing is removed
 * meanwhile. A descriptor to close, -1 when there is nothing to hold.
 */
int saved_hold(const struct site *site);

/* For saved*.c: where the template itself is. */
char *saved_template_path(const struct site *site, const char *name);
/* Removes the layers of a template, all or, when it is killed, with the next sweep. */
int saved_discard(int directory, const char *name);
/* Opens the directory of all layers with the lock of those who make some; -EBUSY with a sentence.
 */
int saved_open(const struct site *site, int *ret_lock, struct error *err);

#endif
