/* SPDX-License-Identifier: Apache-2.0 */
/* What a new instance brings along, into its layers before anybody runs in it; see starting.h. */
#include "instance/above.h"
#include "instance/starting.h"
#include "instance/unpack.h"
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define MARK "with"

static int open_places(struct starting *s, struct unpack_place *places, struct error *err)
{
	char *const *layers = s->record->layers;

	for (size_t i = 0; layers && layers[i]; i++) {
		cleanup_free char *upper = xasprintf("layer/%zu/upper", i);

		places[i] = (struct unpack_place){.install = layers[i], .upper = -1};
		places[i].lower = above_open(s->site, s->record, i, err);
		if (places[i].lower < 0)
			return places[i].lower;
		places[i].upper = file_open_beneath(s->prepared.pool, upper, O_RDONLY, 0);
		if (places[i].upper < 0)
			return error_set(err, -places[i].upper, "cannot open the layer of '%s'",
					 layers[i]);
	}
	return 0;
}

/* In a child: what the archive's reader does, and what it gives up, is its own. */
static int unpack(void *data, struct error *err)
{
	struct unpack_place places[PLAN_LAYERS_MAX];
	const struct given_harvest *with = ((struct starting *)data)->request->with;
	cleanup_free char *name = strcmp(with->name, "-") == 0 ? xstrdup("standard input")
							       : xasprintf("'%s'", with->name);
	int r = open_places(data, places, err);

	return r < 0 ? r
		     : unpack_archive(with->fd, name, places,
				      strv_length(((struct starting *)data)->record->layers), err);
}

int start_bring_along(struct starting *s, struct error *err)
{
	const struct given_harvest *with = s->request->with;
	int r = with ? apart_run(unpack, s, s->request->cancel, err) : 0;

	/* for who looks, and for who begins anew without it */
	if (r == 0 && with)
		(void)file_replace(s->prepared.run, MARK, with->name, 0600);
	return r;
}

char *instance_brought_along(const struct site *site, const char *id)
{
	cleanup_fd int run = site_open_run_of(site, id);
	char *name = NULL;

	return run >= 0 && file_read(run, MARK, PATH_MAX, &name, NULL) == 0 ? name : NULL;
}

void instance_brought_nothing(const struct site *site, const char *id)
{
	cleanup_fd int run = site_open_run_of(site, id);

	if (run >= 0)
		(void)unlinkat(run, MARK, 0);
}
