/* SPDX-License-Identifier: Apache-2.0 */
/* What "up" and "reset" print of an instance that they have brought up; see session.h. */
#include "cli/output.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>

static void print_ports(const struct grant *grant)
{
	for (size_t i = 0; i < grant->n_ports; i++) {
		cleanup_free char *url = port_url(&grant->ports[i]);

		printf("  %-8s %s\n", grant->ports[i].name, url);
	}
}

static void print_result(const struct session *session)
{
	const struct grant *grant = &session->instance.record->grant;
	char after[32], moment[64], left[32];

	format_duration(session->ready_ns, after, sizeof(after));
	format_moment(lease_deadline_wall_s(&grant->lease), moment, sizeof(moment));
	format_duration(lease_left_ns(&grant->lease), left, sizeof(left));
	if (session->ready_ns)
		printf("%s is ready after %s\n", grant->name, after);
	else
		printf("%s is starting\n", grant->name);
	print_ports(grant);
	printf("  %-8s %s, in %s\n", "until", moment, left);
}

int session_print(const struct session *session)
{
	struct status status;

	if (!session->invocation->options.json) {
		print_result(session);
		return 0;
	}
	instance_observe(&session->site, session->instance.record, &status);
	return json_print(json_instance(session->instance.record, &status));
}
