/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated /etc: only what programs need to resolve names, libraries, times and
 * certificates. Nothing is copied that tells about the host's users or services.
 */
#include "rootfs/rootfs.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

static void add_file(struct root_ops *ops, const char *target, char *content)
{
	root_ops_add(ops, ROOT_FILE, target)->text = content;
	ops->list[ops->n - 1].mode = 0644;
}

static void add_accounts(const struct rootfs_input *input, struct root_ops *ops)
{
	const struct rootfs_account *account = input->account;
	struct text passwd = {0}, group = {0};

	text_add(&passwd, "root:x:0:0:root:/root:/bin/sh\n");
	text_addf(&group, "root:x:0:\ntty:x:%u:\n", ROOTFS_TTY);
	if (account->uid != 0 && account->uid != 65534)
		text_addf(&passwd, "%s:x:%u:%u::%s:/bin/sh\n", account->name, account->uid,
			  account->gid, account->home);
	if (account->gid != 0 && account->gid != 65534)
		text_addf(&group, "%s:x:%u:\n", account->group, account->gid);
	text_add(&passwd, "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
	text_add(&group, "nogroup:x:65534:\n");
	add_file(ops, "/etc/passwd", text_take(&passwd));
	add_file(ops, "/etc/group", text_take(&group));
}

static void add_names(const struct rootfs_input *input, struct root_ops *ops)
{
	struct in_addr address = {.s_addr = htonl(input->address)};
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &address, text, sizeof(text));
	add_file(ops, "/etc/hostname", xasprintf("%s\n", input->hostname));
	add_file(ops, "/etc/hosts",
		 xasprintf("127.0.0.1 localhost\n::1 localhost\n%s %s\n", text, input->hostname));
	add_file(ops, "/etc/resolv.conf", xstrdup("# no name server: this zone has no egress\n"));
	add_file(ops, "/etc/nsswitch.conf",
		 xstrdup("passwd: files\ngroup: files\nhosts: files dns\n"));
}

/* The zone as the host has it: a link into /usr, or the file itself. */
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
