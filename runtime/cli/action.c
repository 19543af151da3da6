/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing among a command's actions; see action.h. */
#include "cli/action.h"
#include "cli/caller.h"
#include "cli/policy.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

static const struct action *at(const struct action *first, size_t stride, size_t i)
{
	return (const struct action *)(const void *)((const char *)first + i * stride);
}

static int refuse_word(const struct invocation *invocation, const struct action *first,
		       size_t stride, size_t n, struct error *err)
{
	const char *command = invocation->command->name, *word = invocation->args[0];
	const char **names = xcalloc(n + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < n; i++)
		names[i] = at(first, stride, i)->name;
	near = nearest_word(word, names);
	free(names);
	return error_say(err, ERROR_USAGE, "'%s' knows no '%s'%s%s%s; see 'stint help %s'", command,
			 word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "",
			 command);
}

int action_choose(const struct invocation *invocation, const struct action *first, size_t stride,
		  size_t n, size_t *ret_chosen, struct error *err)
{
	const char *command = invocation->command->name;

	for (size_t i = 0; i < n; i++) {
		const struct action *action = at(first, stride, i);

		if (strcmp(invocation->args[0], action->name) != 0)
			continue;
		if (invocation->n_args < action->min || invocation->n_args > action->max)
			return error_say(err, ERROR_USAGE, "usage: stint %s %s%s", command,
					 action->name, action->operands);
		if (action->changes && invocation->caller->restricted)
			return error_say(
				err, ERROR_REFUSED,
				"'stint %s %s' is not for members of the group " CALLER_GROUP,
				command, action->name);
		*ret_chosen = i;
		return 0;
	}
	return refuse_word(invocation, first, stride, n, err);
}
