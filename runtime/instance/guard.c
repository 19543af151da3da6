/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at live installs; see guard.h. */
#include "instance/guard.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/visible.h"
#include "keeper/events.h"
#include "store/taints.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/file.h>

#define READ_ATTEMPTS 3 /* what changes while it is read cannot always be read */
#define EVENT_NAMES_MAX 5

char **guard_installs(char *const *lowers)
{
	char **installs = strv_copy(NULL);

	for (size_t i = 0; lowers && lowers[i]; i++) {
		const char *slash = strchr(lowers[i], '/');
		cleanup_free char *name =
			slash && strncmp(slash, "/0/", 3) == 0
				? xasprintf("%.*s", (int)(slash - lowers[i]), lowers[i])
				: NULL;

		if (name && !strv_contains(installs, name))
			strv_add(&installs, name);
	}
	return installs;
}

static int take_lock(const struct site *site, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/live.lock", site->run_path);
	cleanup_fd int fd = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_set(err, errno, "cannot lock '%s'", path);
	return fd < 0 ? error_set(err, errno, "cannot open '%s'", path) : steal_fd(&fd);
}

static int load_install(const struct site *site, const char *name, struct install *ret_install,
			struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	return r < 0 ? r : store_install_load(store, name, ret_install, err);
}

/* With hashing, what is in every file is read, else in those that were touched since. */
static int read_live(const struct site *site, const struct install *install, const struct live *was,
		     const struct hashing *hashing, struct live *ret_live, struct error *err)
{
	bool hash = live_is_hashed(site->state_path, install->name);
	int r = -EAGAIN;

	for (int i = 0; r < 0 && i < READ_ATTEMPTS; i++) {
		struct live_look look = {
			.hash = hash, .known = hashing ? NULL : was, .hashing = {.cancel = -1}};

		if (hashing)
			look.hashing = *hashing;
		r = live_read(install, &look, ret_live, err);
	}
	return r;
}

static char *describe(const char *install, const struct taint_list *taints)
{
	struct text text = {0};

	text_addf(&text, "%zu file%s of '%s' changed:", taints->n, plural(taints->n), install);
	for (size_t i = 0; i < taints->n && i < EVENT_NAMES_MAX; i++) {
		text_add(&text, i ? ", " : " ");
		text_add_visible_name(&text, taints->list[i].path);
	}
	if (taints->n > EVENT_NAMES_MAX)
		text_addf(&text, " and %zu more", taints->n - EVENT_NAMES_MAX);
	return text_take(&text);
}

static void tell(const struct site *site, const char *install, const struct taint_list *taints,
		 char *const *ids)
{
	cleanup_free char *path = xasprintf("%s/" EVENTS_FILE_NAME, site->run_path);
	cleanup_free char *detail = describe(install, taints);

	for (size_t i = 0; ids && ids[i]; i++)
		event_add(AT_FDCWD, path, ids[i], "tainted", detail);
}

static int note(const struct site *site, const char *install, const struct change_list *changes,
		struct error *err)
{
	/* borrows the paths */
	cleanup_free struct taint *list = xcalloc(changes->n, sizeof(*list));
	const struct taint_list taints = {.list = list, .n = changes->n};
	cleanup_store struct store *store = NULL;
	cleanup_strv char **ids = NULL;
	int r = store_open(site->state_path, &store, err);

	for (size_t i = 0; i < changes->n; i++)
		list[i] = (struct taint){.path = changes->list[i].path,
					 .change = changes->list[i].kind};
	if (r == 0)
		r = store_taint(store, install, &taints, &ids, err);
	if (r == 0)
		tell(site, install, &taints, ids);
	return r;
}

/* First for the instances, then as what the next look compares with: a crash between does no harm.
 */
static int replace(const struct site *site, const struct install *install, const struct live *was,
		   const struct live *is, struct error *err)
{
	struct change_list changes = {0};
	int r = 0;

	if (was->n)
		live_compare(install, was, is, &changes);
	if (changes.n)
		r = note(site, install->name, &changes, err);
	if (r == 0 && (changes.n || !was->n || live_differs_in_hashes(was, is)))
		r = live_save(site->state_path, install, is, err);
	change_list_deinit(&changes);
	return r;
}

/* Somebody may have kept what he saw while it was read here: then this is out of date, and 1. */
static int replace_locked(const struct site *site, const struct install *install,
			  const struct live *was, const struct live *is, struct error *err)
{
	cleanup_live struct live now = {0};
	cleanup_fd int lock = take_lock(site, err);
	int r = lock < 0 ? lock : live_load(site->state_path, install, &now);

	if (lock < 0 || (r < 0 && was->n) || !live_is_same(was, &now))
		return lock < 0 ? lock : 1;
	return replace(site, install, was, is, err);
}

static bool differs(const struct install *install, const struct live *was, const struct live *is)
{
	struct change_list changes = {0};
	bool found;

	live_compare(install, was, is, &changes);
	found = changes.n > 0 || !was->n || live_differs_in_hashes(was, is);
	change_list_deinit(&changes);
	return found;
}

/* 1: somebody else looked meanwhile, and this was for nothing. */
static int look(const struct site *site, const struct install *install, bool admitting,
		const struct hashing *hashing, struct error *err)
{
	cleanup_live struct live was = {0}, is = {0};
	int r;

	/* none there, or not to be read: this look makes one */
	(void)live_load(site->state_path, install, &was);
	r = read_live(site, install, &was, hashing, &is, err);
	if (r < 0 || !differs(install, &was, &is))
		return r;
	return admitting ? replace(site, install, &was, &is, err)
			 : replace_locked(site, install, &was, &is, err);
}

/* What is in the files nobody else looks at, and what somebody else kept knows nothing of it. */
int guard_look(const struct site *site, const char *name, const struct hashing *hashing,
	       struct error *err)
{
	struct install install = {0};
	int r = load_install(site, name, &install, err);

	if (r == 0)
		r = look(site, &install, false, hashing, err);
	for (int i = 1; hashing && r > 0 && i < READ_ATTEMPTS; i++)
		r = look(site, &install, false, hashing, err);
	if (hashing && r > 0 && live_is_hashed(site->state_path, name))
		r = error_say(err, ERROR_FAILED,
			      "the files of '%s' change while they are read; try again", name);
	install_deinit(&install);
	malloc_trim(0);
	return r < 0 ? r : 0;
}

int guard_look_at_all(const struct site *site, const struct hashing *hashing, struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_strv char **names = NULL;
	int r = store_open(site->state_path, &store, err);

	if (r == 0)
		r = store_live_installs(store, &names, err);
	store_cleanup(&store);
	for (size_t i = 0; r == 0 && names[i]; i++)
		r = guard_look(site, names[i], hashing, err);
	return r;
}

int guard_switch(const struct site *site, const char *name, char *const *paths,
		 struct live_look *how, struct error *err)
{
	cleanup_live struct live was = {0}, is = {0};
	struct install install = {0};
	int r = paths ? live_create(site->state_path, name, paths, how, &is, err) : 0;

	if (r == 0)
		r = load_install(site, name, &install, err);
	if (r == 0 && !paths) {
		(void)live_load(site->state_path, &install, &was);
		r = live_switch(site->state_path, name, how, &is, err);
	}
	/* without hashes there is nothing that the first look does not see as well */
	if (r == 0 && how->hash)
		r = replace_locked(site, &install, &was, &is, err);
	install_deinit(&install);
	return r < 0 ? r : 0;
}

/* What it looked like when somebody was on it last may be long ago. */
static int keep_first(const struct site *site, const struct install *install, struct error *err)
{
	cleanup_live struct live was = {0}, live = {0};
	int r;

	(void)live_load(site->state_path, install, &was);
	r = read_live(site, install, &was, NULL, &live, err);

	return r < 0 ? r : live_save(site->state_path, install, &live, err);
}

static int prepare_one(const struct site *site, struct store *store, const char *name,
		       struct error *err)
{
	struct install install = {0};
	uint32_t instances, tainted;
	int r = store_install_load(store, name, &install, err);

	if (r == 0)
		r = store_live_count(store, name, &instances, &tainted, err);
	if (r == 0 && !instances)
		r = keep_first(site, &install, err);
	else if (r == 0 && live_directories_changed(site->state_path, &install))
		r = look(site, &install, true, NULL, err);
	install_deinit(&install);
	return r;
}

int guard_prepare(const struct site *site, struct store *store, char *const *installs,
		  int *ret_lock, struct error *err)
{
	cleanup_fd int lock = take_lock(site, err);
	int r = lock < 0 ? lock : 0;

	for (size_t i = 0; r == 0 && installs[i]; i++)
		r = prepare_one(site, store, installs[i], err);
	if (r == 0)
		*ret_lock = steal_fd(&lock);
	return r;
}
