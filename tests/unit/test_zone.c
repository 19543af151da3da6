/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/plan/zone: what people write of egress, name servers and tiers. */
#include "base/cleanup.h"
#include "base/text.h"
#include "plan/zone.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *address, unsigned prefix, uint16_t port,
		  uint8_t protocol)
{
	struct egress_destination d;
	struct error err = {0};
	char shown[INET6_ADDRSTRLEN] = "";

	if (egress_parse(text, &d, &err) < 0)
		fail_msg("%s", err.text);
	if (d.family != AF_UNSPEC)
		inet_ntop(d.family, d.address, shown, sizeof(shown));
	assert_string_equal(d.host[0] ? d.host : shown, address);
	if (!d.host[0])
		assert_int_equal(d.prefix, prefix);
	assert_int_equal(d.port, port);
	assert_int_equal(d.protocol, protocol);
}

static void egress_parse_takes(void **state)
{
	(void)state;
	check("10.1.2.3", "10.1.2.3", 32, 0, 0);
	check("10.1.0.0/16", "10.1.0.0", 16, 0, 0);
	check("0.0.0.0/0", "0.0.0.0", 0, 0, 0);
	check("10.1.0.0/16:443", "10.1.0.0", 16, 443, IPPROTO_TCP);
	check("10.1.0.0/16:53/udp", "10.1.0.0", 16, 53, IPPROTO_UDP);
	check("2001:db8::/32", "2001:db8::", 32, 0, 0);
	check("[2001:db8::1]:443", "2001:db8::1", 128, 443, IPPROTO_TCP);
	check("[2001:db8::/32]:53/udp", "2001:db8::", 32, 53, IPPROTO_UDP);
	check("[2001:db8::/32]", "2001:db8::", 32, 0, 0);
	check("db.example", "db.example", 0, 0, 0);
	check("db.example:5432/tcp", "db.example", 0, 5432, IPPROTO_TCP);
}

static void egress_parse_refuses(void **state)
{
	static const char *const wrong[] = {
		"",	      "10.1.2.3/33", "10.1.2.3/16",    "10.1.2",
		"10.1.2.3:0", "10.1.2.3:x",  "10.1.2.3:65536", "10.1.2.3:80/icmp",
		"[10.1.2.3",  "[::1]x",	     "2001:db8::/200", "db.example/24",
		"-x",	      "a b",	     "10.1.2.3:",      ".example",
		"256.1.1.1",  "10.1.2.3/",
	};
	struct egress_destination d;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		err = (struct error){0};
		if (egress_parse(wrong[i], &d, &err) == 0)
			fail_msg("'%s' was taken", wrong[i]);
		assert_int_equal(err.kind, ERROR_USAGE);
	}
}

static void egress_parse_list_of(const char *text, size_t expected)
{
	struct egress_destination *list;
	struct error err = {0};
	size_t n;

	if (egress_parse_list(text, &list, &n, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(n, expected);
	free(list);
}

static void egress_parse_list_takes(void **state)
{
	(void)state;
	egress_parse_list_of("none", 0);
	egress_parse_list_of("internet", 0);
	egress_parse_list_of("10.0.0.0/8", 1);
	egress_parse_list_of("10.0.0.0/8:443,db.example:5432,2001:db8::/32", 3);
}

static void egress_parse_list_is_bounded(void **state)
{
	cleanup_text struct text text = {0};
	struct egress_destination *list;
	struct error err;
	size_t n;

	(void)state;
	for (int i = 0; i <= EGRESS_MAX; i++)
		text_addf(&text, "%s10.0.0.%d", i ? "," : "", i);
	assert_true(egress_parse_list(text.data, &list, &n, &err) < 0);
	assert_null(list);
}

static void dns_check_of(void **state)
{
	(void)state;
	assert_int_equal(dns_check("host", NULL), 0);
	assert_int_equal(dns_check("none", NULL), 0);
	assert_int_equal(dns_check("9.9.9.9,2620:fe::fe", NULL), 0);
	assert_true(dns_check("dns.example", NULL) < 0);
	assert_true(dns_check("9.9.9.9,", NULL) < 0);
	assert_true(dns_check("", NULL) < 0);
}

static void tier_check_of(void **state)
{
	struct error err;

	(void)state;
	for (size_t i = 0; zone_tiers[i]; i++)
		assert_int_equal(tier_check(zone_tiers[i], "it", NULL), 0);
	assert_true(tier_check("production", "the zone's name", &err) < 0);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_non_null(strstr(err.text, "the zone's name says 'production'"));
	assert_true(tier_check("Test", "it", NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(egress_parse_takes),
		cmocka_unit_test(egress_parse_refuses),
		cmocka_unit_test(egress_parse_list_takes),
		cmocka_unit_test(egress_parse_list_is_bounded),
		cmocka_unit_test(dns_check_of),
		cmocka_unit_test(tier_check_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
