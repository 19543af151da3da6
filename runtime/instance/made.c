/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive made, as a list and a tree; see made.h. In the process that unpacks. */
#include "instance/made.h"
#include "base/text.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct made_directory *x = a, *y = b;

	x->of->comparisons++;
	return x->upper != y->upper ? (x->upper < y->upper ? -1 : 1) : strcmp(x->path, y->path);
}

void made_add(struct made *made, int upper, const char *path, struct timespec mtime)
{
	struct made_directory *one = xcalloc(1, sizeof(*one));

	*one = (struct made_directory){
		.path = xstrdup(path), .upper = upper, .mtime = mtime, .of = made};
	if (made->n == made->size) {
		made->size = made->size ? 2 * made->size : 64;
		made->list = xrealloc(made->list, made->size, sizeof(struct made_directory *));
	}
	made->list[made->n++] = one;
	if (!tsearch(one, &made->tree, compare))
		abort();
}

bool made_has(struct made *made, int upper, const char *path)
{
	const struct made_directory one = {.path = (char *)path, .upper = upper, .of = made};

	return tfind(&one, &made->tree, compare);
}

static void leave(void *one)
{
	(void)one;
}

void made_deinit(struct made *made)
{
	tdestroy(made->tree, leave);
	for (size_t i = 0; i < made->n; i++) {
		free(made->list[i]->path);
		free(made->list[i]);
	}
	free(made->list);
	*made = (struct made){0};
}
