/* SPDX-License-Identifier: Apache-2.0 */
/* What a pool had to do with a start, said and counted once the user has his answer. */
#include "cli/session.h"
#include "cli/output.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/spares.h"

#include <stdio.h>
#include <string.h>

/* What makes another instance than the one that was started ahead. */
static const char *const changing[] = {"set",	      "env",	 "with",    "with-layer",
				       "best-effort", "no-hold", "memory",  "swap",
				       "disk",	      "files",	 "log-size"};

/* What does so unless the template has a limit of that kind, or what it limits can be kept. */
static const char *const depending[] = {"cpus", "pids", "io-read", "io-write", "keep-failed"};

static void name_options(const struct options *options, const char *const *of, size_t n,
			 struct text *ret_names)
{
	for (const struct option_spec *spec = option_specs; spec->name; spec++)
		for (size_t i = 0; i < n; i++)
			if (strcmp(spec->name, of[i]) == 0 && option_is_given(options, spec))
				text_addf(ret_names, "%s--%s", ret_names->length ? ", " : "",
					  spec->name);
}

static void say_why_not(const struct session *session)
{
	cleanup_text struct text names = {0}, depends = {0};
	const struct options *options = &session->invocation->options;

	name_options(options, changing, ARRAY_SIZE(changing), &names);
	name_options(options, depending, ARRAY_SIZE(depending), &depends);
	if (names.data)
		report_note("note: started anew, not taken from the pool: %s", names.data);
	else if (depends.data)
		fprintf(stderr,
			"stint: note: started anew, not taken from the pool: %s, for which "
			"the template makes no provision, or it has changed\n",
			depends.data);
	else
		fprintf(stderr, "stint: note: started anew, not taken from the pool: its spares "
				"were made from another state of the template or of the host's "
				"files, or for another quota\n");
}

static void count(const struct session *session, int64_t took_ns)
{
	const struct record *record = session->instance.record;
	cleanup_store struct store *store = NULL;
	bool claimed = session->instance.pool == POOL_CLAIMED;

	if (store_open(session->site.state_path, &store, NULL) == 0)
		(void)store_pool_note_use(store, record->template_name, record->zone,
					  claimed ? took_ns : -1, NULL);
}

void session_note_pool(const struct session *session, int64_t took_ns)
{
	if (session->instance.pool == POOL_NONE)
		return;
	if (session->instance.pool == POOL_DIFFERS)
		say_why_not(session);
	else
		count(session, took_ns);
	fflush(stdout);
	spares_fill(&session->site);
}
