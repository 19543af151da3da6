/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system of an instance as a list of operations. The host half (compile.c) makes
 * the list; it reaches init in the start message; root_apply() runs it, in init, in a mount
 * namespace of its own. System calls only.
 */
#ifndef ROOTFS_INSIDE_H
#define ROOTFS_INSIDE_H

#include "base/error.h"
#include "base/userns.h"
#include "base/wire.h"

#include <stddef.h>
#include <stdint.h>

enum root_op_kind {
	ROOT_DIRECTORY, /* target, mode, uid, gid */
	ROOT_SYMLINK,	/* target -> text */
	ROOT_FILE,	/* target with the content text, mode */
	ROOT_COPY,	/* target with the content of the host's file source, mode */
	ROOT_NODE,	/* character device; text is "major:minor", mode */
	ROOT_BIND,	/* the host's source, file or directory, at target */
	ROOT_OVERLAY,	/* lower source, above it list, upper and work below the host directory text
			 */
	ROOT_TMPFS,	/* text: mount options */
	ROOT_RAMFS,	/* text: mount options; a tmpfs that is never swapped out */
	ROOT_DEVPTS,	/* text: mount options; gid: the terminals' group */
	ROOT_PROC,
	/* these three only where a new file system was mounted, and never over a link */
	ROOT_READ_ONLY,	     /* what can be written until then; needs no mount where one was made */
	ROOT_MASK_FILE,	     /* target shows the new root's /dev/null */
	ROOT_MASK_DIRECTORY, /* target shows the new root's directory text, which is empty */
	/* below the directory place, which the instance can write, and never out of it */
	ROOT_SCRUB,  /* target, whose last name may be a pattern, is removed if it is there */
	ROOT_PUT,    /* target: text, or a copy of source, file or tree; mode 0: as it comes */
	ROOT_EDIT,   /* in target, of the format text, the keys of list are set */
	ROOT_SECRET, /* as ROOT_PUT */
	ROOT_LINK,   /* target -> text, in place of what is there */
	ROOT_OP_KINDS,
};

enum root_op_flag {
	ROOT_OPTIONAL = 1,    /* a source or target that does not exist is passed over */
	ROOT_WRITABLE = 2,    /* mounts are read-only without this */
	ROOT_NOEXEC = 4,      /* every mount is nosuid and, but for /dev, nodev */
	ROOT_HAS_DEVICES = 8, /* no nodev */
	ROOT_HOST_IDS = 16,   /* a bind whose owners stay the host's */
	ROOT_IN_POOL = 32,    /* a bind's source, an overlay's text: from the pool, not from "/" */
	ROOT_SCRATCH = 64,    /* a bind's source is made before, with mode, uid and gid */
	ROOT_CREATE = 128,    /* a file to edit that does not exist is made */
	ROOT_IMAGE = 256,     /* an overlay's lower is the EROFS on the device of that number */
};

struct root_op {
	uint32_t kind, flags, mode, uid, gid;
	uint32_t number; /* ROOT_PUT, ROOT_SECRET, ROOT_IMAGE: of a descriptor in root_owner */
	char *source, *target, *text, *place;
	char **list; /* section ("": none), name and value of each key; further lower layers */
};

struct root_ops {
	struct root_op *list;
	size_t n;
};

/* Appends a zeroed operation of that kind for that target (copied) and returns it. */
struct root_op *root_ops_add(struct root_ops *ops, enum root_op_kind kind, const char *target);
void root_ops_deinit(struct root_ops *ops);

void root_ops_put(const struct root_ops *ops, struct text *to);
/* On a bad message the reader is bad and ret_ops holds what could be read. */
void root_ops_get(struct wire_reader *from, struct root_ops *ret_ops);

/* Whose the root is. Without a user namespace the maps are NULL or have base 0, userns is -1. */
struct root_owner {
	const struct userns_map *uids, *gids;
	int userns;	    /* with these maps: owners on disk are owners inside */
	int pool;	    /* a detached mount with what is ROOT_IN_POOL; -1: none */
	const int *sources; /* of the host: what is put there, images */
	uint32_t n_sources;
	/*
	 * Detached mounts that are to end with the old root; -1: none. Closing the last descriptor
	 * of one that is attached nowhere waits for every processor, each time anew.
	 */
	const int *behind;
	size_t n_behind;
	int empty; /* a mount namespace with nothing in it to enter the root in; -1: none */
};

/*
 * Makes the new root from ops, enters it and drops the old one; the working directory is "/"
 * afterwards. Must run as the host's root with every capability that root has, in a mount
 * namespace of its own that belongs to the host's user namespace, with the host's /proc still in
 * place. A first operation ROOT_TMPFS at "/" says how large the root itself may be.
 * The owners and groups of the list are ids of the inside; what it makes belongs to root
 * inside, and the layers of an overlay are idmapped, so that what is on disk has the inside's ids.
 * The process is not dumpable afterwards and has lost its death signal (prctl(2)).
 */
int root_apply(const struct root_ops *ops, const struct root_owner *owner, struct error *err);

/* Where a pool holds what is ROOT_SCRATCH, and the layers of the instance's overlays. */
#define ROOT_SCRATCH_PLACE "root"
#define ROOT_LAYER_PLACE "layer"

/*
 * Makes the source of an operation that is ROOT_SCRATCH in the pool; upper and work directory of
 * the layer of that number over that lower directory. Both 0 or a negative errno; *ret_part is
 * "upper" or "work", whichever came last. Outside, as the host's root.
 */
int root_make_scratch(int pool, const struct root_op *op);
int root_make_layer(int pool, const char *layer, const char *lower, const char **ret_part);

/*
 * Opens the file system of the message queues of this IPC namespace (mq_overview(7)), which is
 * shown nowhere. Returns a descriptor, or a negative errno where the kernel has none. Needs what
 * root_apply needs, and may be called after it.
 */
int root_open_queues(void);

/*
 * Opens a new procfs of this PID namespace, which is shown nowhere. Needs what root_apply needs.
 * Returns a descriptor, or a negative errno.
 */
int root_open_proc(void);

#endif
