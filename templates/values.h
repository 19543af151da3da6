/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of values that keys take: how each is read into a field of the plan, what a message
 * says would be right, and what documentation and schema say of it. A kind is one table entry;
 * the keys that use it are in keywords.c.
 */
#ifndef TEMPLATES_VALUES_H
#define TEMPLATES_VALUES_H

#include "templates/document.h"
#include "templates/variables.h"
#include "plan/config.h"
#include "plan/plan.h"

/* What is passed along while a tree of nodes becomes a plan, or the configuration. */
struct reading {
	struct plan *plan;
	struct site_config *config; /* instead of a plan */
	const struct variables *variables;
	bool guarded;  /* values of --set may only be used where keys say so (KEYWORD_INSIDE) */
	bool inside;   /* the key that is being read says so */
	size_t growth; /* bytes that variables have added so far */
	struct error *err;
};

/* What a value may look like in YAML; for the schema. */
enum value_shape {
	SHAPE_STRING,
	SHAPE_NUMBER,	/* a number, or a string that reads as one */
	SHAPE_LIST,	/* one string, or a list of them */
	SHAPE_MAP,	/* names with strings */
	SHAPE_DEFAULTS, /* names with strings or nothing */
	SHAPE_SETTINGS, /* names with strings, or with such mappings */
	SHAPE_CHECKS,	/* a list of mappings */
	SHAPE_WORD_OR_CHECKS,
};

struct value_type {
	const char *label;   /* "duration" */
	const char *right;   /* what would be right: "write 90s, 15m or 1h30m" */
	const char *pattern; /* regular expression of a right string, for the schema; or NULL */
	enum value_shape shape;
	int64_t min, max; /* of numbers and quantities */
	/* Replaces what is in field, whose C type goes with the kind. */
	int (*read)(struct reading *reading, const struct value_type *type, const struct node *node,
		    void *field);
};

/* char *: one line of text; a name; an absolute path; a login name or number; and so on. */
extern const struct value_type type_text, type_name, type_directory, type_user, type_scheme,
	type_target, type_pattern;
/* char **: host directories; host paths; paths inside; a command; and, in one char *, an egress
 * list. */
extern const struct value_type type_install, type_layers, type_paths, type_harvest, type_scrub,
	type_command, type_egress;
/* int64_t: nanoseconds. _bound takes "none" as 0. */
extern const struct value_type type_duration, type_duration_bound, type_grace, type_interval;
/* int64_t[PLAN_WARNINGS_MAX], longest first; enum plan_expiry. */
extern const struct value_type type_durations, type_expiry;
/* uint64_t; all but the last three take "none" as 0. */
extern const struct value_type type_size, type_swap, type_cpu, type_pids, type_files, type_rate,
	type_log, type_heap, type_heap_share;
/* uint64_t, a bit each; bool; enum seccomp_profile. */
extern const struct value_type type_caps, type_switch, type_profile;
/* unsigned; uint16_t; int; enum restart_policy. */
extern const struct value_type type_restart_limit, type_port, type_port_choice, type_signal,
	type_policy;
/* The plan's status range; its environment: field is not used. */
extern const struct value_type type_status, type_env;
/* Read before all others, by template.c: here only for documentation and schema. */
extern const struct value_type type_params, type_extends, type_template;

/*
 * The scalar's text with variables replaced, without control characters. multiline: newlines and
 * tabs are allowed.
 */
int value_text(struct reading *reading, const struct value_type *type, const struct node *node,
	       bool multiline, char **ret_text);

/* The same for text that is a part of the node's own: a word of a command, say. */
int value_expand(struct reading *reading, const struct node *node, const char *text, bool multiline,
		 char **ret_text);

/* An absolute path, normalised: one slash at the end is dropped, all else must be so already. */
int value_path(struct reading *reading, const struct value_type *type, const struct node *node,
	       char **ret_path);

/* Says that text, which node holds, is no such value, and what would be right. */
int value_wrong(struct reading *reading, const struct value_type *type, const struct node *node,
		const char *text);

/* Says that node has the wrong form altogether (a list for a word, and so on). */
int value_wrong_form(struct reading *reading, const struct value_type *type,
		     const struct node *node);
#ifdef __clang_analyzer__
#define value_wrong(...) error_is_negative(value_wrong(__VA_ARGS__))
#define value_wrong_form(...) error_is_negative(value_wrong_form(__VA_ARGS__))
#endif

/* Whether the path may lie in one of the installs: what names stand for is known at the start. */
bool value_may_lie_within(const char *path, char *const *installs);

#endif
