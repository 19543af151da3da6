/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second wall around the files of an instance (landlock(7)); in init, once the root is made, so
 * that everything inside is of one domain and commands may look at the server. Read-only mounts
 * and owners hold by themselves; this holds when one of them has a hole:
 *
 * - what is not below the instance's root, such as a directory of the host behind a descriptor
 *   that somebody forgot, can be neither read nor written nor executed;
 * - device nodes, an overlay's whiteouts among them, cannot be made anywhere;
 * - nothing can be mounted, moved or unmounted, whatever capabilities somebody has gained;
 * - processes and abstract sockets from outside can be neither signalled nor reached, should they
 *   ever be seen.
 */
#include "confine/inside.h"
#include "base/cleanup.h"
#include "base/weaken.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers that this may be built with. */
#define ACCESS_TRUNCATE (1ULL << 14)
#define SCOPE_ABSTRACT_SOCKETS (1ULL << 0)
#define SCOPE_SIGNALS (1ULL << 1)

#define VERSION_REFER 2 /* before it nothing could be renamed into another directory */
#define VERSION_TRUNCATE 3
#define VERSION_SCOPES 6

#define READ \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define CONTENTS (LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define NAMES                                                             \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |      \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
#define DEVICES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

/* struct landlock_ruleset_attr as it is since version 6; older kernels take it when the rest is 0.
 */
struct ruleset {
	uint64_t files, network, scopes;
};

int confine_files_version(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return r < VERSION_REFER ? 0 : (int)r;
}

static int make_ruleset(int version, uint64_t rights)
{
	struct ruleset ruleset = {
		.files = rights,
		.scopes = version >= VERSION_SCOPES ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0,
	};

	return (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
}

static int allow_in(int ruleset, int fd, const char *path, uint64_t rights, struct error *err)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};

	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_set(err, errno, "cannot allow writing to '%s'", path);
	return 0;
}

static int allow_below(int ruleset, const char *path, uint64_t rights, struct error *err)
{
	cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno, "cannot open '%s' inside", path);
	return allow_in(ruleset, fd, path, rights, err);
}

static int allow_place(int ruleset, const struct confine_place *place, uint64_t rights,
		       struct error *err)
{
	rights &= place->contents_only ? CONTENTS : ~DEVICES;
	if (!place->path)
		return allow_in(ruleset, place->fd, "a directory without a path", rights, err);
	return allow_below(ruleset, place->path, rights, err);
}

int confine_files(const struct confine_place *places, size_t n, struct error *err)
{
	int version = confine_files_version(), r;
	uint64_t rights = READ | CONTENTS | NAMES | DEVICES;
	cleanup_fd int ruleset = -1;

	if (version == 0 || weakened("landlock"))
		return 0;
	if (version < VERSION_TRUNCATE)
		rights &= ~ACCESS_TRUNCATE;
	ruleset = make_ruleset(version, rights);
	if (ruleset < 0)
		return error_set(err, errno, "cannot make a Landlock ruleset");
	r = allow_below(ruleset, "/", READ, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = allow_place(ruleset, &places[i], rights, err);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = error_set(err, errno, "cannot confine the files with Landlock");
	return r;
}
