/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of runtime/rootfs share: a ground with an install and its layers, and lists of
 * operations that are run on it for real, in children with mounts and processes of their own.
 */
#ifndef UNIT_ROOT_RIG_H
#define UNIT_ROOT_RIG_H

#include "world.h"
#include "rootfs/rootfs.h"

#include <sched.h>

#define ADDRESS 0x0ad50007U /* 10.213.0.7 */

#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)

extern const struct rootfs_account alice;
extern const struct root_owner nobody_else; /* no user namespace */

struct root_ops rig_compile(const struct rootfs_input *input);

/*
 * W/app is an install, W/layer/0 its upper and work, W/shown is shown, W/secret is not. The
 * functions are for children.
 */
struct ground {
	struct world world;
	const struct root_owner *owner; /* of the root that is made */
	struct root_ops ops;
	int lower, upper, host; /* the host's, as the inside never has them */
};

/* On a tmpfs of the child's own, or on the disk below the world's directory. */
struct ground ground_make(const struct world *outside);
struct ground ground_on_disk(const struct world *outside);
/* ops are a whole plan's for that ground. */
void ground_compile(struct ground *ground);
struct ground ground_whole(const struct world *outside);

/* A source or a text that begins with "layer" is meant below W. */
struct root_op *ground_add(struct ground *ground, enum root_op_kind kind, const char *target,
			   const char *source, const char *text);
void ground_add_overlay(struct ground *ground);
/* The same with two further lower layers; and what is seen of them. */
void ground_add_layers(struct ground *ground);
void must_show_layers(void);
void ground_apply(struct ground *ground);

#define BASE 1310720000U
#define FOREIGN 200000U /* an owner from a directory service */

extern const struct userns_map unit_map;

/* What a child needs that has ids of its own: the user namespace is made outside. */
struct scene {
	const struct world *world;
	struct root_owner owner;
};

/* Runs body with a struct scene. */
void run_owned(void (*body)(const void *arg), const struct world *world);
struct ground ground_owned(const struct scene *scene); /* on the disk */
struct ground ground_owned_in_memory(const struct scene *scene);
void ground_apply_and_enter(struct ground *ground);

/* Every set is empty afterwards. */
void drop_capabilities(void);

void must_contain(int dirfd, const char *path, const char *content);
bool exists(int dirfd, const char *path);
/* Nothing but dot files and these is in the directory, if there is one. */
void must_list_only(const char *path, const char *const *allowed);
/* Opening it for writing fails with that errno. */
void must_be_refused(const char *path, int expected);

#endif
