/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: any string as what --publish takes. */
#include "fuzz.h"
#include "instance/publish.h"

static struct plan_port ports[] = {
	{.name = (char *)"amqp", .scheme = (char *)"tcp", .number = 5672},
	{.name = (char *)"http", .scheme = (char *)"http", .number = 8080},
};

static const struct plan plan = {
	.template_name = (char *)"broker", .ports = ports, .n_ports = ARRAY_SIZE(ports)};

static bool ends_with(const char *string, const char *tail)
{
	size_t n = strlen(string), t = strlen(tail);

	return n >= t && strcmp(string + n - t, tail) == 0;
}

static bool begins_with(const char *string, const char *head)
{
	return strncmp(string, head, strlen(head)) == 0;
}

/* ADDRESS:PORT:NAME has all of the address; without one it is the loopback. */
static void check_address(const char *string, const char *address)
{
	cleanup_free char *plain = xasprintf("%s:", address);
	cleanup_free char *bracketed = xasprintf("[%s]:", address);
	const char *colon = strchr(string, ':');

	if (colon && strchr(colon + 1, ':'))
		must(begins_with(string, plain) || begins_with(string, bracketed));
	else
		must(strcmp(address, "127.0.0.1") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *string = fuzz_string(data, size);
	struct publish_wish wish = {0};
	struct error err = {0};

	if (publish_parse(&plan, string, &wish, &err) < 0) {
		must(*err.text && err.kind == ERROR_USAGE);
		return 0;
	}
	must(wish.port && ends_with(string, wish.port->name));
	must(wish.host_port == 0 || strchr(string, ':'));
	check_address(string, wish.address);
	return 0;
}
