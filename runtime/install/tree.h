/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a directory as a manifest says it was: contents, holes, names of one file (hard links),
 * owners, modes, times, extended attributes, symbolic links, pipes, sockets and devices.
 */
#ifndef INSTALL_TREE_H
#define INSTALL_TREE_H

#include "install/manifest.h"

/* How files get their contents. */
enum tree_way {
	TREE_COPY,    /* read and written */
	TREE_REFLINK, /* blocks are shared until somebody writes (ioctl_ficlone(2)) */
};

struct tree_progress {
	uint64_t files, bytes;		   /* so far */
	uint64_t total_files, total_bytes; /* in all */
	bool hashing;			   /* it is read, not copied */
};

struct tree_copy {
	int from;	  /* the directory, open */
	const char *name; /* of it, in errors */
	const struct manifest *manifest;
	int to; /* an empty directory, open */
	enum tree_way way;
	/*
	 * An earlier copy with its manifest: what was not touched since then is the same file there
	 * and here, a further name of it. NULL: there is none.
	 */
	const struct manifest *earlier;
	int earlier_at;
	int cancel; /* readable once it is to stop; -1: never */
	void (*tell)(const struct tree_progress *progress, void *data); /* NULL: nobody listens */
	void *data;
	struct tree_progress progress; /* of this and what was copied before; totals are given */
};

/*
 * Copies. -EAGAIN, with a sentence, when something is not as the manifest says any more; -ECANCELED
 * when it was told to stop. What has been made by then is the caller's to remove.
 */
int tree_copy(struct tree_copy *copy, struct error *err);

/* Whether the two file systems share blocks of their files. directory: somewhere to try it. */
bool tree_can_reflink(int from, const struct manifest *manifest, int directory);

#endif
