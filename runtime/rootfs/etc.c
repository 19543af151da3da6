/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated /etc: only what programs need to resolve names, libraries, times and
 * certificates. Nothing is copied that tells about the host's users or services.
 */
#include "rootfs/rootfs.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#define NOBODY 65534U
#define NO_SHELL "/usr/sbin/nologin"
#define ZONE_FILES "/etc/zone"

static void add_file(struct root_ops *ops, const char *target, char *content)
{
	root_ops_add(ops, ROOT_FILE, target)->text = content;
	ops->list[ops->n - 1].mode = 0644;
}

/* The two files as they grow: no name and no number is given twice. */
struct accounts {
	struct text passwd, group;
	char **users, **groups; /* names and numbers that are taken */
};

static bool take(char ***taken, const char *name, unsigned id)
{
	cleanup_free char *number = xasprintf("%u", id);

	if (strv_contains(*taken, name) || strv_contains(*taken, number))
		return false;
	strv_add(taken, name);
	strv_add(taken, number);
	return true;
}

static void add_user(struct accounts *accounts, const struct rootfs_account *user, const char *home,
		     const char *shell)
{
	if (take(&accounts->users, user->name, user->uid))
		text_addf(&accounts->passwd, "%s:x:%u:%u:%s:%s:%s\n", user->name, user->uid,
			  user->gid, user->uid == 0 || user->uid == NOBODY ? user->name : "", home,
			  shell);
}

static void add_group(struct accounts *accounts, const char *name, gid_t gid, const char *member)
{
	if (take(&accounts->groups, name, gid))
		text_addf(&accounts->group, "%s:x:%u:%s\n", name, gid, member);
}

static void add_accounts(const struct rootfs_input *input, struct root_ops *ops)
{
	static const struct rootfs_account root = {.name = "root"};
	static const struct rootfs_account nobody = {
		.name = "nobody", .uid = NOBODY, .gid = NOBODY};
	const struct rootfs_account *account = input->account;
	struct accounts accounts = {.passwd = {0}};

	add_user(&accounts, &root, "/root", "/bin/sh");
	add_group(&accounts, "root", 0, "");
	add_group(&accounts, "tty", ROOTFS_TTY, "");
	if (account->uid != NOBODY)
		add_user(&accounts, account, account->home, "/bin/sh");
	if (account->gid != NOBODY)
		add_group(&accounts, account->group, account->gid, "");
	for (size_t i = 0; i < input->n_groups; i++)
		add_group(&accounts, input->groups[i].name, input->groups[i].gid, account->name);
	add_user(&accounts, &nobody, "/nonexistent", NO_SHELL);
	add_group(&accounts, "nogroup", NOBODY, "");
	for (size_t i = 0; i < input->n_owners; i++) {
		add_user(&accounts, &input->owners[i], "/nonexistent", NO_SHELL);
		add_group(&accounts, input->owners[i].group, input->owners[i].gid, "");
	}
	add_file(ops, "/etc/passwd", text_take(&accounts.passwd));
	add_file(ops, "/etc/group", text_take(&accounts.group));
	strv_free(accounts.users);
	strv_free(accounts.groups);
}

/* Files that change while the instance lives: links into the zone's directory. */
static void add_zone_files(const struct rootfs_input *input, struct root_ops *ops)
{
	struct root_op *op = root_ops_add(ops, ROOT_BIND, ZONE_FILES);

	op->source = xstrdup(input->zone_files);
	op->flags = ROOT_NOEXEC;
	root_ops_add(ops, ROOT_SYMLINK, "/etc/resolv.conf")->text = xstrdup("zone/resolv.conf");
	if (input->peers)
		root_ops_add(ops, ROOT_SYMLINK, "/etc/hosts")->text = xstrdup("zone/hosts");
}

static void add_own_hosts(const struct rootfs_input *input, struct root_ops *ops)
{
	struct in_addr address = {.s_addr = htonl(input->address)};
	struct text hosts = {0};
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &address, text, sizeof(text));
	text_addf(&hosts, "127.0.0.1 localhost\n::1 localhost\n%s %s\n", text, input->hostname);
	if (input->address6 && *input->address6)
		text_addf(&hosts, "%s %s\n", input->address6, input->hostname);
	add_file(ops, "/etc/hosts", text_take(&hosts));
}

static void add_names(const struct rootfs_input *input, struct root_ops *ops)
{
	add_file(ops, "/etc/hostname", xasprintf("%s\n", input->hostname));
	if (!input->zone_files || !input->peers)
		add_own_hosts(input, ops);
	if (input->zone_files)
		add_zone_files(input, ops);
	else
		add_file(ops, "/etc/resolv.conf",
			 xstrdup("# no name server: this zone has no egress\n"));
	add_file(ops, "/etc/nsswitch.conf",
		 xstrdup("passwd: files\ngroup: files\nhosts: files dns\n"));
}

/* The time zone as the host has it: a link into /usr, or the file itself. */
static void add_localtime(struct root_ops *ops)
{
	char link[PATH_MAX];
	ssize_t n = readlink("/etc/localtime", link, sizeof(link) - 1);

	if (n > 0) {
		link[n] = '\0';
		if (strstr(link, "usr/share/zoneinfo/")) {
			root_ops_add(ops, ROOT_SYMLINK, "/etc/localtime")->text = xstrdup(link);
			return;
		}
	}
	root_ops_add(ops, ROOT_COPY, "/etc/localtime")->flags = ROOT_OPTIONAL;
	ops->list[ops->n - 1].source = xstrdup("/etc/localtime");
	ops->list[ops->n - 1].mode = 0644;
}

static struct root_op *add_from_host(struct root_ops *ops, enum root_op_kind kind, const char *path)
{
	struct root_op *op = root_ops_add(ops, kind, path);

	op->source = xstrdup(path);
	op->flags = ROOT_OPTIONAL;
	op->mode = 0644;
	return op;
}

void rootfs_compile_etc(const struct rootfs_input *input, struct root_ops *ops)
{
	static const char *const copies[] = {"/etc/ld.so.cache", "/etc/timezone", "/etc/services",
					     "/etc/protocols", "/etc/mime.types"};
	static const char *const binds[] = {"/etc/alternatives", "/etc/ssl/certs"};

	add_accounts(input, ops);
	add_names(input, ops);
	add_localtime(ops);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++)
		add_from_host(ops, ROOT_COPY, copies[i]);
	for (size_t i = 0; i < ARRAY_SIZE(binds); i++)
		add_from_host(ops, ROOT_BIND, binds[i])->flags |= ROOT_NOEXEC;
	root_ops_add(ops, ROOT_SYMLINK, "/etc/os-release")->text = xstrdup("../usr/lib/os-release");
	root_ops_add(ops, ROOT_SYMLINK, "/etc/mtab")->text = xstrdup("../proc/self/mounts");
}
