/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the template has done to the instance's files, as operations behind all mounts; see
 * rootfs.h. In the command that starts it.
 */
#include "rootfs/rootfs.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/text.h"

#include <string.h>

#define SECRETS "/run/secrets"
#define SECRET_MODE 0400

/* The instance's own, and neither a part of the host nor of what is closed before it starts. */
static bool is_place(const struct root_op *op)
{
	switch ((enum root_op_kind)op->kind) {
	case ROOT_OVERLAY:
		return true;
	case ROOT_DIRECTORY:
		return !path_is_within(op->target, "/sys");
	case ROOT_BIND:
		return op->flags & ROOT_SCRATCH;
	default:
		return false;
	}
}

/* The innermost that covers the path; of two on one another, the upper one. */
static const struct root_op *find_cover(const struct root_ops *ops, const char *path)
{
	const struct root_op *cover = &ops->list[0];

	for (size_t i = 1; i < ops->n; i++) {
		const struct root_op *op = &ops->list[i];

		if (op->kind < ROOT_SCRUB && path_is_within(path, op->target) &&
		    strlen(op->target) >= strlen(cover->target))
			cover = op;
	}
	return cover;
}

/* Adds an operation of that kind on what the instance can write; all else is refused. */
static int add_content(struct root_ops *ops, enum root_op_kind kind, const char *key,
		       const char *path, struct root_op **ret_op, struct error *err)
{
	const struct root_op *cover = find_cover(ops, path);
	char *place;

	if (!is_place(cover))
		return error_say(err, ERROR_FAILED,
				 "%s: '%s' is not the instance's to change; it must lie in an "
				 "install directory, in /tmp, /run or /var, or in the home of the "
				 "server's user",
				 key, path);
	if (strcmp(cover->target, path) == 0)
		return error_say(err, ERROR_FAILED,
				 "%s: '%s' is a whole place; name what lies in it", key, path);
	place = xstrdup(cover->target); /* adding may move the list */
	*ret_op = root_ops_add(ops, kind, path);
	(*ret_op)->place = place;
	return 0;
}

static int add_put(const struct rootfs_input *input, size_t i, struct root_ops *ops,
		   struct error *err)
{
	const struct plan_file *file = &input->plan->content.files[i];
	struct root_op *op;
	int r = add_content(ops, ROOT_PUT, "files", file->target, &op, err);

	if (r < 0)
		return r;
	op->uid = input->puts[i].uid;
	op->gid = input->puts[i].gid;
	op->number = input->puts[i].number;
	op->mode = file->mode;
	if (file->from)
		op->source = xstrdup(file->from);
	else
		op->text = xstrdup(file->text);
	return 0;
}

static int add_edit(const struct rootfs_input *input, const struct plan_edit *edit,
		    struct root_ops *ops, struct error *err)
{
	struct root_op *op;
	int r = add_content(ops, ROOT_EDIT, "edit", edit->target, &op, err);

	if (r < 0)
		return r;
	op->text = xstrdup(edit_format_names[edit->format]);
	op->flags = edit->create ? ROOT_CREATE : 0;
	op->uid = input->account->uid;
	op->gid = input->account->gid;
	for (size_t i = 0; i < edit->n_keys; i++) {
		const struct plan_edit_key *key = &edit->keys[i];

		strv_add(&op->list, key->section ? key->section : "");
		strv_add(&op->list, key->name);
		strv_add(&op->list, key->value);
	}
	return 0;
}

/* In memory, never swapped out, and from the end of the start on read-only. */
static void add_secrets_place(struct root_ops *ops)
{
	struct root_op *op = root_ops_add(ops, ROOT_RAMFS, SECRETS);

	op->flags = ROOT_WRITABLE | ROOT_NOEXEC;
	op->text = xstrdup("mode=0755");
}

static int add_secret(const struct rootfs_secret *secret, struct root_ops *ops, struct error *err)
{
	cleanup_free char *path = xasprintf(SECRETS "/%s", secret->plan->name);
	struct root_op *op = root_ops_add(ops, ROOT_SECRET, path);
	int r;

	op->place = xstrdup(SECRETS);
	op->source = xstrdup(secret->plan->name);
	op->number = secret->put.number;
	op->uid = secret->put.uid;
	op->gid = secret->put.gid;
	op->mode = secret->plan->mode ? secret->plan->mode : SECRET_MODE;
	if (!secret->plan->path)
		return 0;
	r = add_content(ops, ROOT_LINK, "secrets", secret->plan->path, &op, err);
	if (r < 0)
		return r;
	op->text = steal_ptr(path);
	op->uid = secret->put.uid;
	op->gid = secret->put.gid;
	return 0;
}

static int add_secrets(const struct rootfs_input *input, struct root_ops *ops, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < input->n_secrets; i++)
		r = add_secret(&input->secrets[i], ops, err);
	if (r == 0 && input->n_secrets)
		root_ops_add(ops, ROOT_READ_ONLY, SECRETS)->flags = ROOT_NOEXEC;
	return r;
}

int rootfs_compile_content(const struct rootfs_input *input, struct root_ops *ops,
			   struct error *err)
{
	const struct plan_content *content = &input->plan->content;
	char *const *scrub = content->scrub;
	struct root_op *op;
	int r = 0;

	/* before all else, so that nothing else is put there */
	if (input->n_secrets)
		add_secrets_place(ops);
	for (size_t i = 0; r == 0 && scrub && scrub[i]; i++)
		r = add_content(ops, ROOT_SCRUB, "scrub", scrub[i], &op, err);
	for (size_t i = 0; r == 0 && i < content->n_files; i++)
		r = add_put(input, i, ops, err);
	for (size_t i = 0; r == 0 && i < content->n_edits; i++)
		r = add_edit(input, &content->edits[i], ops, err);
	return r < 0 ? r : add_secrets(input, ops, err);
}
