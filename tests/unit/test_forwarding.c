/* SPDX-License-Identifier: Apache-2.0 */
/* netns/forwarding: switched on where a zone needs it, and put back as it was. */
#include "net_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "netns/forwarding.h"

#include <arpa/inet.h>
#include <sched.h>
#include <string.h>

struct stage {
	struct place host, outside;
	struct firewall_opening opening;
	struct firewall_zone zone;
	struct firewall firewall;
	int state;
};

static void set_stage(const struct world *world, struct stage *stage)
{
	*stage = (struct stage){.state = world->dir};
	stage->firewall = (struct firewall){.zones = &stage->zone};
	net_make_world(&stage->host, &stage->outside);
}

static void leave_stage(struct stage *stage)
{
	net_end(&stage->outside);
	net_end(&stage->host);
}

static void settle(struct stage *stage, size_t n_zones)
{
	struct error err = {0};

	stage->firewall.n_zones = n_zones;
	must_succeed(forwarding_settle(&stage->firewall, stage->state, &err), &err);
}

/* up0, all, default and lo: what IPv4 forwards, as digits. */
static void must_forward(const char *digits)
{
	cleanup_free char *are = net_read("cd /proc/sys/net/ipv4/conf && cat up0/forwarding "
					  "all/forwarding default/forwarding lo/forwarding | "
					  "tr -d '\n'");

	must(strcmp(are, digits) == 0);
}

static void open_to(struct stage *stage, const char *address, unsigned prefix)
{
	stage->opening = (struct firewall_opening){.family = AF_INET, .prefix = prefix};
	inet_pton(AF_INET, address, stage->opening.address);
	stage->zone = (struct firewall_zone){.openings = &stage->opening, .n_openings = 1};
}

static void switch_and_back(const void *arg)
{
	struct stage stage;

	set_stage(arg, &stage);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			stage.zone = (struct firewall_zone){.internet = true};
		else
			open_to(&stage, i == 1 ? "0.0.0.0" : NET_PRIVATE4, i == 1 ? 0 : 32);
		settle(&stage, 1);
		must_forward("1000");
		settle(&stage, 1);
		must_forward("1000");
		settle(&stage, 0);
		must_forward("0000");
		settle(&stage, 0);
	}
	open_to(&stage, NET_OTHER4, 32); /* the host itself */
	settle(&stage, 1);
	must_forward("0000");
	leave_stage(&stage);
}

static void forwarding_settle_switches_the_uplink_and_back(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, switch_and_back, *state);
}

static void leave_others_alone(const void *arg)
{
	struct stage stage;

	set_stage(arg, &stage);
	stage.zone = (struct firewall_zone){.internet = true};
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=1");
	settle(&stage, 1);
	settle(&stage, 0);
	must_forward("1000"); /* it was on before */
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=0");
	settle(&stage, 1);
	net_shell("sysctl -qw net.ipv4.ip_forward=1"); /* as Docker does */
	settle(&stage, 0);
	must_forward("1111");
	leave_stage(&stage);
}

static void forwarding_settle_keeps_what_others_have_switched_on(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, leave_others_alone, *state);
}

/* Killed between the record and the change, or after an interface has gone. */
static void mend(const void *arg)
{
	struct stage stage;

	set_stage(arg, &stage);
	stage.zone = (struct firewall_zone){.internet = true};
	settle(&stage, 1);
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=0");
	settle(&stage, 1);
	must_forward("1000");
	net_shell("sysctl -qw net.ipv4.conf.up0.forwarding=0");
	settle(&stage, 0);
	must_forward("0000");
	settle(&stage, 1);
	net_shell("ip link del up0");
	settle(&stage, 1);
	settle(&stage, 0);
	must(!world_has(arg, "forwarding"));
	leave_stage(&stage);
}

static void forwarding_settle_goes_by_its_record(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNET, mend, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(forwarding_settle_switches_the_uplink_and_back),
		with_world(forwarding_settle_keeps_what_others_have_switched_on),
		with_world(forwarding_settle_goes_by_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
