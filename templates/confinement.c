/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that say how a server is confined: capabilities and the filter of system calls. */
#include "templates/keywords.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Known to capabilities(7), and in no template: with these an instance is no sandbox. */
static const char *const dangerous[] = {"audit_control",
					"audit_read",
					"audit_write",
					"block_suspend",
					"bpf",
					"checkpoint_restore",
					"dac_read_search",
					"ipc_lock",
					"ipc_owner",
					"lease",
					"linux_immutable",
					"mac_admin",
					"mac_override",
					"mknod",
					"net_admin",
					"net_broadcast",
					"net_raw",
					"perfmon",
					"setfcap",
					"setpcap",
					"sys_admin",
					"sys_boot",
					"sys_chroot",
					"sys_module",
					"sys_nice",
					"sys_pacct",
					"sys_ptrace",
					"sys_rawio",
					"sys_resource",
					"sys_time",
					"sys_tty_config",
					"syslog",
					"wake_alarm",
					NULL};

static const char *const *capability_names(const char *names[])
{
	size_t n = 0;

	while (plan_capabilities[n].name) {
		names[n] = plan_capabilities[n].name;
		n++;
	}
	names[n] = NULL;
	return names;
}

static int say_wrong_capability(struct reading *reading, const struct node *node, const char *word)
{
	const char *bare = strncasecmp(word, "cap_", 4) == 0 ? word + 4 : word, *names[64], *near;
	cleanup_text struct text list = {0};

	for (size_t i = 0; dangerous[i]; i++)
		if (strcasecmp(dangerous[i], bare) == 0)
			return node_error(node, reading->err,
					  "'%s' is not given to what runs inside: with it the host "
					  "would be within reach; see docs/security.md",
					  dangerous[i]);
	near = nearest_word(bare, capability_names(names));
	if (near)
		return node_error(node, reading->err, "unknown capability; did you mean '%s'?",
				  near);
	for (size_t i = 0; names[i]; i++)
		text_addf(&list, "%s%s", i ? ", " : "", names[i]);
	return node_error(node, reading->err, "unknown capability; known are %s", list.data);
}

static int read_capability(struct reading *reading, const struct value_type *type,
			   const struct node *node, uint64_t *caps)
{
	const struct plan_capability *capability;
	cleanup_free char *word = NULL;
	int r = value_text(reading, type, node, false, &word);

	if (r < 0)
		return r;
	capability = plan_capability_find(word);
	if (!capability)
		return say_wrong_capability(reading, node, word);
	*caps |= 1ULL << capability->number;
	return 0;
}

static int read_caps(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	uint64_t caps = 0;
	int r = 0;

	if (node->kind == NODE_MAPPING)
		return value_wrong_form(reading, type, node);
	if (node->kind == NODE_SCALAR && !node_is_null(node))
		r = read_capability(reading, type, node, &caps);
	for (size_t i = 0; r == 0 && node->kind == NODE_SEQUENCE && i < node->n_items; i++)
		r = read_capability(reading, type, node->items[i], &caps);
	if (r == 0)
		*(uint64_t *)field = caps;
	return r;
}

static int read_profile(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	cleanup_free char *word = NULL;
	int r = value_text(reading, type, node, false, &word);

	if (r < 0)
		return r;
	for (int i = 0; i < SECCOMP_PROFILES; i++)
		if (strcmp(word, seccomp_profile_names[i]) == 0) {
			*(enum seccomp_profile *)field = (enum seccomp_profile)i;
			return 0;
		}
	return value_wrong(reading, type, node, word);
}

int confinement_check(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	struct plan_confinement *confinement = &reading->plan->confinement;

	(void)keyword;
	if (confinement->seccomp == SECCOMP_OFF && !confinement->seccomp_reason)
		return node_error(
			node, reading->err,
			"without a filter every system call of the kernel is open to what "
			"runs inside; say why: seccomp: {profile: off, reason: ...}");
	if (confinement->seccomp != SECCOMP_OFF && confinement->seccomp_reason)
		return node_error(node, reading->err, "a reason belongs to the profile off only");
	return 0;
}

const struct value_type type_caps = {
	.label = "list of capabilities",
	.right = "write a list such as [net_bind_service]",
	.shape = SHAPE_LIST,
	.read = read_caps,
};

const struct value_type type_profile = {
	.label = "filter",
	.right = "write default, strict or off",
	.pattern = "^(default|strict|off)$",
	.read = read_profile,
};

const struct keyword seccomp_keywords[] = {
	{
		.name = "profile",
		.type = &type_profile,
		.fallback = "default",
		.doc = "As `seccomp` itself: `default`, `strict` or `off`.",
		.offset = PLAN(confinement.seccomp),
	},
	{
		.name = "reason",
		.type = &type_text,
		.doc = "Why there is no filter; with the profile `off`, which needs it.",
		.offset = PLAN(confinement.seccomp_reason),
	},
	{
		.name = "abi32",
		.type = &type_switch,
		.fallback = "false",
		.doc = "Whether 32-bit programs run, too.",
		.offset = PLAN(confinement.abi32),
	},
	{0},
};
