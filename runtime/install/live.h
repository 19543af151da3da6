/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live installs: instances see the directories themselves, which somebody may change below them.
 * What they looked like is kept, so that it can be told what did. In commands, and in the process
 * that looks again and again (instance/guard.h).
 *
 *   STATE/install/NAME/live/I.manifest     the I-th path as it was at the last look
 *   STATE/install/NAME/live/I.directories  the directories of that alone
 *   STATE/install/NAME/live/hash           what is in the files is kept, too: a hash of each
 *   STATE/install/NAME/live/generation     it is live: for a store that was lost
 */
#ifndef INSTALL_LIVE_H
#define INSTALL_LIVE_H

#include "install/compare.h"
#include "install/generation.h"
#include "install/hash.h"

#define LIVE_NAME "live"

/* What lies in the directories of an install at one moment. */
struct live {
	struct manifest list[INSTALL_PATHS_MAX];
	size_t n;
};

/* How directories are looked at. */
struct live_look {
	bool hash; /* also what is in files: of those that look untouched, what is known */
	const struct live *known; /* may be NULL */
	struct hashing hashing;
};

/*
 * New instances see the live directories of the install from now on; those that are there stay on
 * what they were started on. Refused, with a sentence: what an instance could not see as it is
 * (manifest.h), and -EBUSY while somebody else is at work on the install. Looked at as look says
 * from now on; the caller ends ret_live, which is the first such look, with live_deinit.
 */
int live_switch(const char *state_path, const char *name, struct live_look *look,
		struct live *ret_live, struct error *err);

/* Enters a live install: nothing is copied. */
int live_create(const char *state_path, const char *name, char *const *paths,
		struct live_look *look, struct live *ret_live, struct error *err);

/* Whether hashes were asked for. */
bool live_is_hashed(const char *state_path, const char *name);

/*
 * Reads the directories; one that is gone is empty. The caller ends ret_live with live_deinit. What
 * is in a file that cannot be read is an error where all is read (no look->known), else it is not
 * known.
 */
int live_read(const struct install *install, struct live_look *look, struct live *ret_live,
	      struct error *err);
void live_deinit(struct live *live);
#define cleanup_live cleanup(live_deinit)

/* What was kept last; -ENOENT when nothing was. */
int live_load(const char *state_path, const struct install *install, struct live *ret_live);
int live_save(const char *state_path, const struct install *install, const struct live *live,
	      struct error *err);

/* True when one has hashes and the other has none. */
bool live_differs_in_hashes(const struct live *a, const struct live *b);

/* True when both are what one live_save has kept. */
bool live_is_same(const struct live *a, const struct live *b);

/*
 * Whether a directory is not as it was at the last look, or there was none: this costs a call for
 * each directory, and does not find a file that was written in place.
 */
bool live_directories_changed(const char *state_path, const struct install *install);

/* Adds what changed from one to the other, not even to be put back as it was. */
void live_compare(const struct install *install, const struct live *from, const struct live *to,
		  struct change_list *changes);

#endif
