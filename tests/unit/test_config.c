/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of the host: its keys, its faults, and who may write the file. */
#include "templates/config.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define cleanup_config cleanup(site_config_deinit)

static struct site_config read_text(const char *text)
{
	struct site_config config;
	struct error err;

	assert_succeeds(config_read_text("c.yaml", text, strlen(text), &config, &err), &err);
	return config;
}

static void check_fault(const char *text, const char *message)
{
	struct site_config config;
	struct error err;

	assert_int_not_equal(config_read_text("c.yaml", text, strlen(text), &config, &err), 0);
	assert_int_equal(err.kind, ERROR_FAILED);
	if (strncmp(err.text, message, strlen(message)) != 0)
		fail_msg("'%s' gave '%s', not '%s'", text, err.text, message);
}

static void check_defaults(const struct site_config *config)
{
	assert_int_equal(config->ids.first, 1310720000);
	assert_int_equal(config->ids.count, 8000);
	assert_int_equal(config->addresses.base, 0x0ad50001);
	assert_int_equal(config->addresses.count, 65534);
	assert_null(config->cgroup);
	assert_int_equal(config->host.memory, 80);
	assert_int_equal(config->host.pids, 50);
	assert_int_equal(config->host.cpu, 100);
	assert_int_equal(config->host.memory_limits.percent, 100);
	assert_int_equal(config->host.memory_limits.bytes, 0);
	assert_int_equal(config->host.memory_unlimited, 0);
	assert_int_equal(config->host.disk_free, 0);
	assert_int_equal(config->quota.instances, 4);
	assert_int_equal(config->quota.memory_bytes, 8ULL << 30);
	assert_int_equal(config->quota.cpu_millis, 4000);
	assert_int_equal(config->quota.ttl_ns, 24 * 3600 * NSEC_PER_SEC);
	assert_int_equal(config->n_quotas, 0);
}

static void config_read_text_of_nothing_gives_the_defaults(void **state)
{
	static const char *const texts[] = {"", "# all of it\n", "ids:\nquota:\nquotas:\nhost:\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_config struct site_config config = read_text(texts[i]);

		check_defaults(&config);
	}
}

static void config_read_text_takes_every_key(void **state)
{
	cleanup_config struct site_config config =
		read_text("quotas: {bob: {memory: none}, alice: {instances: none}}\n"
			  "ids: {first: 131072, count: 2}\n"
			  "addresses: 192.168.4.0/29\n"
			  "cgroup: stint.slice/stint.service\n"
			  "host: {memory: 1%, pids: 100%, cpu: 7%, memory_limits: 1000%, "
			  "memory_unlimited: 256M, disk_free: 10G}\n"
			  "quota: {instances: 9, memory: 1G, cpu: 0.5, disk: 2G, ttl: 90s}\n");
	const struct quota *alice = site_config_quota(&config, "alice");
	const struct quota *bob = site_config_quota(&config, "bob");

	(void)state;
	assert_int_equal(config.ids.first, 131072);
	assert_int_equal(config.ids.count, 2);
	assert_int_equal(config.addresses.base, 0xc0a80401);
	assert_int_equal(config.addresses.count, 6);
	assert_string_equal(config.cgroup, "stint.slice/stint.service");
	assert_int_equal(config.host.memory + config.host.pids + config.host.cpu, 108);
	assert_int_equal(config.host.memory_limits.percent, 1000);
	assert_int_equal(config.host.memory_unlimited, 256U << 20);
	assert_int_equal(config.host.disk_free, 10ULL << 30);
	assert_ptr_equal(site_config_quota(&config, "carol"), &config.quota);
	assert_int_equal(config.quota.cpu_millis, 500);
	/* what is left out for one user is as for all, wherever in the file that stands */
	assert_int_equal(alice->instances, 0);
	assert_int_equal(alice->memory_bytes, 1U << 30);
	assert_int_equal(bob->instances, 9);
	assert_int_equal(bob->memory_bytes, 0);
	assert_int_equal(bob->disk_bytes, 2ULL << 30);
	assert_int_equal(bob->ttl_ns, 90 * NSEC_PER_SEC);
}

static void config_read_text_takes_amounts_of_the_host(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		unsigned percent;
	} right[] = {
		{"1%", 0, 1}, {"250%", 0, 250}, {"none", 0, 0}, {"3G", 3ULL << 30, 0}, {"1", 1, 0},
	};
	static const char *const wrong[] = {"0%", "1001%", "x%", "1 %", "-1%", "0", "x", "''"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		cleanup_free char *text = xasprintf("host: {memory_limits: %s}\n", right[i].text);
		cleanup_config struct site_config config = read_text(text);

		assert_int_equal(config.host.memory_limits.bytes, right[i].bytes);
		assert_int_equal(config.host.memory_limits.percent, right[i].percent);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		cleanup_free char *text = xasprintf("host: {memory_limits: %s}\n", wrong[i]);

		check_fault(text, "c.yaml:1:23: key 'host.memory_limits': ");
	}
}

static void config_read_text_says_where_and_what(void **state)
{
	(void)state;
	check_fault("[a]\n", "c.yaml:1:1: the configuration is a mapping");
	check_fault("adresses: 10.0.0.0/8\n",
		    "c.yaml:1:1: key 'adresses': unknown key; did you mean 'addresses'?");
	check_fault("quota: {instanzes: 1}\n",
		    "c.yaml:1:9: key 'quota.instanzes': unknown key; did you mean 'instances'?");
	check_fault("quotas: {alice: {zzz: 1}}\n", "c.yaml:1:18: key 'quotas.alice.zzz': unknown");
	check_fault("quotas: {alice: 3}\n", "c.yaml:1:17: key 'quotas.alice': is not a mapping");
	check_fault("quotas: {\"\": {instances: 1}}\n",
		    "c.yaml:1:14: key 'quotas.': is for a user without a name");
	check_fault("quotas: [alice]\n", "c.yaml:1:9: key 'quotas': is not a mapping");
	check_fault("ids: {first: 100000}\n",
		    "c.yaml:1:14: key 'ids.first': '100000' is not a valid first id; write a mult");
	check_fault("ids: {first: 0}\n", "c.yaml:1:14: key 'ids.first': '0' is not");
	check_fault("ids: {first: 4294901760}\n", "c.yaml:1:14: key 'ids.first': '4294901760'");
	check_fault("ids: {count: 0}\n", "c.yaml:1:14: key 'ids.count': '0' is not");
	check_fault("ids: {count: 12769}\n",
		    "c.yaml:1:6: key 'ids': 12769 ranges of 65536 ids from 1310720000 on reach");
	check_fault("host: {memory: 80}\n", "c.yaml:1:16: key 'host.memory': '80' is not");
	check_fault("host: {cpu: 101%}\n", "c.yaml:1:13: key 'host.cpu': '101%' is not");
	check_fault("host: {cpu: 0%}\n", "c.yaml:1:13: key 'host.cpu': '0%' is not");
	check_fault("quota: {instances: 0}\n", "c.yaml:1:20: key 'quota.instances': '0' is not");
	check_fault("cgroup: ${x}\n", "c.yaml:1:9: key 'cgroup': ");
}

static void config_read_text_refuses_groups_and_networks_that_lead_elsewhere(void **state)
{
	static const char *const groups[] = {
		"/stint",	"a//b",		 "a/",	"..", "a/../b", ".a",
		"cgroup.procs", "a/cgroup.kill", "a b",
	};
	static const char *const networks[] = {
		"10.213.0.0",	"10.213.0.1/16", "10.0.0.0/7",	 "10.0.0.0/30",
		"127.0.0.0/16", "224.0.0.0/16",	 "0.0.0.0/16",	 "fd00::/64",
		"10.0.0.0/x",	"10.0.0.0/16/1", "10.0.0.0/ 16",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		cleanup_free char *text = xasprintf("cgroup: '%s'\n", groups[i]);

		check_fault(text, "c.yaml:1:9: key 'cgroup': ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		cleanup_free char *text = xasprintf("addresses: '%s'\n", networks[i]);

		check_fault(text, "c.yaml:1:12: key 'addresses': ");
	}
}

static void config_read_without_a_file_gives_the_defaults(void **state)
{
	struct world *world = *state;
	cleanup_free char *none = world_path(world, "none");
	struct site_config config;
	struct error err;

	assert_succeeds(config_read(world->path, &config, &err), &err);
	check_defaults(&config);
	assert_succeeds(config_read(none, &config, &err), &err);
	check_defaults(&config);
}

static void config_read_refuses_what_others_can_write(void **state)
{
	static const struct {
		mode_t directory, file;
		bool right;
	} modes[] = {
		{0755, 0644, true},  {0700, 0400, true},  {0775, 0644, false},
		{0777, 0644, false}, {0755, 0664, false}, {0755, 0646, false},
	};
	struct world *world = *state;
	struct site_config config;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		cleanup_free char *directory = world_path(world, "etc");
		cleanup_free char *file = world_path(world, "etc/stint.yaml");

		world_directory(world, "etc", 0755);
		world_file(world, "etc/stint.yaml", "cgroup: x\n", 0644);
		assert_int_equal(chmod(file, modes[i].file), 0);
		assert_int_equal(chmod(directory, modes[i].directory), 0);
		if (modes[i].right) {
			assert_succeeds(config_read(directory, &config, &err), &err);
			assert_string_equal(config.cgroup, "x");
			site_config_deinit(&config);
		} else {
			assert_fails(config_read(directory, &config, &err), -EPERM, &err,
				     "can be written by others");
		}
	}
}

static void config_read_refuses_what_belongs_to_somebody_else(void **state)
{
	static const char *const names[] = {"etc", "etc/stint.yaml"};
	struct world *world = *state;
	cleanup_free char *directory = world_path(world, "etc");
	struct site_config config;
	struct error err;

	if (!is_root())
		skip();
	world_directory(world, "etc", 0755);
	world_file(world, "etc/stint.yaml", "cgroup: x\n", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = world_path(world, names[i]);

		assert_int_equal(chown(path, 65534, 0), 0);
		assert_fails(config_read(directory, &config, &err), -EPERM, &err,
			     "belongs to user 65534");
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_succeeds(config_read(directory, &config, &err), &err);
	site_config_deinit(&config);
}

/* Takes the "#" away in front of what looks like a key. */
static char *uncomment(char *text)
{
	cleanup_text struct text result = {0};
	char *line;

	while ((line = strsep(&text, "\n")))
		text_addf(&result, "%s\n",
			  line[0] == '#' && line[1] != ' ' ? line + 1
			  : strncmp(line, "#  ", 3) == 0   ? line + 1
							   : line);
	return text_take(&result);
}

static void the_shipped_example_holds_the_defaults(void **state)
{
	cleanup_free char *text = NULL, *all = NULL;
	cleanup_config struct site_config config = {0}, full = {0};

	(void)state;
	assert_int_equal(
		file_read(AT_FDCWD, TESTS_DIR "/../scripts/stint.yaml", 1 << 16, &text, NULL), 0);
	config = read_text(text);
	check_defaults(&config);
	all = uncomment(text);
	full = read_text(all);
	assert_string_equal(full.cgroup, "stint");
	assert_int_equal(full.n_quotas, 1);
	free(steal_ptr(full.cgroup));
	full.n_quotas = 0;
	check_defaults(&full);
	full.n_quotas = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_read_text_of_nothing_gives_the_defaults),
		cmocka_unit_test(config_read_text_takes_every_key),
		cmocka_unit_test(config_read_text_takes_amounts_of_the_host),
		cmocka_unit_test(config_read_text_says_where_and_what),
		cmocka_unit_test(config_read_text_refuses_groups_and_networks_that_lead_elsewhere),
		with_world(config_read_without_a_file_gives_the_defaults),
		with_world(config_read_refuses_what_others_can_write),
		with_world(config_read_refuses_what_belongs_to_somebody_else),
		cmocka_unit_test(the_shipped_example_holds_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
