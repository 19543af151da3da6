/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that are wrong in ports, checks, bounds and parameters; see test_template_faults.c. */
#include "fault_rig.h"

static void template_compile_refuses_bad_ports(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nports: {http: 0}\n",
		 "t.yaml:2:15: key 'ports.http': '0' is not a valid port number; write 1 to 65535"},
		{"run: {command: a}\nports: {http: 65536}\n",
		 "t.yaml:2:15: key 'ports.http': '65536' is not a valid port number; write 1 to "
		 "65535"},
		{"run: {command: a}\nports: {http: http}\n",
		 "t.yaml:2:15: key 'ports.http': 'http' is not a valid port number; write 1 to "
		 "65535"},
		{"run: {command: a}\nports: {HTTP: 80}\n",
		 "t.yaml:2:9: key 'ports.HTTP': is no name for a port; use lower-case letters, "
		 "digits and '-', at most 63"},
		{"run: {command: a}\nports: {a: 80, b: 80}\n",
		 "t.yaml:2:19: key 'ports.b': port 80 is 'a' already; give each number one name"},
		{"run: {command: a}\nports: {a: {scheme: http}}\n",
		 "t.yaml:2:12: key 'ports.a': the key 'port' is missing; write 1 to 65535"},
		{"run: {command: a}\nports: {a: {port: 1, scheme: \"java script\"}}\n",
		 "t.yaml:2:30: key 'ports.a.scheme': 'java script' is not a valid scheme; write "
		 "the first part of a URL, such as http, https or tcp"},
		{"run: {command: a}\nports: {a: {port: 1, proxy: v2}}\n",
		 "t.yaml:2:29: key 'ports.a.proxy': 'v2' is not a valid switch; write true or "
		 "false"},
		{"run: {command: a}\nports: [80]\n",
		 "t.yaml:2:8: key 'ports': is not a mapping; write 'NAME: NUMBER' lines, such as "
		 "'http: 8080'"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static const struct fault_case check_list_faults[] = {
	{"run: {command: a}\nready: yes\n",
	 "t.yaml:2:8: key 'ready': 'yes' is not a valid readiness check; write none, or a "
	 "mapping with http, tcp, log or command"},
	{"run: {command: a}\nports: {a: 80}\nready: []\n",
	 "t.yaml:3:8: key 'ready': is empty; write a list such as [{http: {path: "
	 "/health}}, {tcp: {}}]"},
	{"run: {command: a}\nports: {a: 80}\nready: [http]\n",
	 "t.yaml:3:9: key 'ready': is no check; write a list such as "
	 "[{http: {path: /health}}, {tcp: {}}]"},
	{"run: {command: a}\nports: {a: 80}\nready: [{tcp: }, {log: up}]\n",
	 "t.yaml:3:19: key 'ready.log': unknown key; possible are http, tcp"},
	{"run: {command: a}\nports: {a: 80}\nready: [{tcp: }, {http: {path: x}}]\n",
	 "t.yaml:3:32: key 'ready.http.path': 'x' is not a valid request path; write a "
	 "path that starts with '/' and has no blanks, such as /health"},
	{"run: {command: a}\nports: {a: 80}\nready: {first: [{tcp: , http: }]}\n",
	 "t.yaml:3:25: key 'ready.first.http': cannot stand beside another; write exactly "
	 "one of http or tcp"},
	{"run: {command: a}\nports: {a: 80}\nready: {first: [{}]}\n",
	 "t.yaml:3:17: key 'ready.first': is incomplete; write one of http or tcp"},
	{"run: {command: a}\nports: {a: 80}\nready: {first: {tcp: }}\n",
	 "t.yaml:3:16: key 'ready.first': is a mapping; write a list such as [{http: "
	 "{path: /health}}, {tcp: {}}]"},
	{"run: {command: a}\nports: {a: 80}\n"
	 "ready: [{tcp: }, {tcp: }, {tcp: }, {tcp: }, {tcp: }]\n",
	 "t.yaml:3:8: key 'ready': has too many checks; at most 4"},
	{"run: {command: a}\nready: {timeout: 5s}\n",
	 "t.yaml:2:8: key 'ready': is incomplete; write one of http, tcp, log, command or "
	 "first"},
};

static const struct fault_case single_check_faults[] = {
	{"run: {command: a}\nports: {a: 80}\nready: {http: {}, tcp: {}}\n",
	 "t.yaml:3:19: key 'ready.tcp': cannot stand beside another; write exactly one of "
	 "http, tcp, log, command or first"},
	{"run: {command: a}\nports: {http: 80}\nready: {http: {port: web}}\n",
	 "t.yaml:3:22: key 'ready.http.port': there is no port 'web'; write the name of "
	 "one of the ports, or a number from 1 to 65535"},
	{"run: {command: a}\nports: {http: 80}\nready: {http: {port: control}}\n",
	 "t.yaml:3:22: key 'ready.http.port': there is no port 'control'; write the name "
	 "of one of the ports, or a number from 1 to 65535"},
	{"run: {command: a}\nready: {tcp: {port: 70000}}\n",
	 "t.yaml:2:21: key 'ready.tcp.port': '70000' is not a valid port name or number; "
	 "write the name of one of the ports, or a number from 1 to 65535"},
	{"run: {command: a}\nready: {tcp: {}}\n",
	 "t.yaml:2:14: key 'ready.tcp': has no port, and the template has no ports; write "
	 "'port: NUMBER'"},
	{"run: {command: a}\nports: {a: 80}\nready: {http: {path: health}}\n",
	 "t.yaml:3:22: key 'ready.http.path': 'health' is not a valid request path; write "
	 "a path that starts with '/' and has no blanks, such as /health"},
	{"run: {command: a}\nports: {a: 80}\nready: {http: {path: \"/a HTTP/1.1\"}}\n",
	 "t.yaml:3:22: key 'ready.http.path': '/a HTTP/1.1' is not a valid request path; "
	 "write a path that starts with '/' and has no blanks, such as /health"},
	{"run: {command: a}\nports: {a: 80}\nready: {http: {path: \"/a\\r\\nX: y\"}}\n",
	 "t.yaml:3:22: key 'ready.http.path': contains a control character; write one line "
	 "of text"},
	{"run: {command: a}\nports: {a: 80}\nready: {http: {status: 399-200}}\n",
	 "t.yaml:3:24: key 'ready.http.status': '399-200' is not a valid HTTP status; "
	 "write a status or a range within 100-599, such as 200 or 200-399"},
	{"run: {command: a}\nports: {a: 80}\nready: {http: {status: 20x}}\n",
	 "t.yaml:3:24: key 'ready.http.status': '20x' is not a valid HTTP status; write a "
	 "status or a range within 100-599, such as 200 or 200-399"},
	{"run: {command: a}\nready: {command: b, timeout: soon}\n",
	 "t.yaml:2:30: key 'ready.timeout': 'soon' is not a valid duration; write more "
	 "than 0 and at most 10 years, such as 90s, 15m or 1h30m"},
	{"run: {command: a}\nready: {command: b, interval: 1ms}\n",
	 "t.yaml:2:31: key 'ready.interval': '1ms' is not a valid duration; write 10ms to "
	 "1h, such as 200ms or 1s"},
};

static void template_compile_refuses_bad_readiness_checks(void **state)
{
	(void)state;
	check_faults("t.yaml", check_list_faults, ARRAY_SIZE(check_list_faults));
	check_faults("t.yaml", single_check_faults, ARRAY_SIZE(single_check_faults));
}

static void template_compile_refuses_bad_log_patterns(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nready: {log: \"a(b\"}\n",
		 "t.yaml:2:14: key 'ready.log': 'a(b' is not a valid pattern: Unmatched ( or \\(; "
		 "write a POSIX extended regular expression, such as 'started in [0-9]+ ms'"},
		{"run: {command: a}\nready: {log: \"((((a{99}){99}){99}){99}\"}\n",
		 "t.yaml:2:14: key 'ready.log': '((((a{99}){99}){99}){99}' is not a valid pattern: "
		 "it repeats too much; write a POSIX extended regular expression, such as 'started "
		 "in [0-9]+ ms'"},
		{"run: {command: a}\nready: {log: "
		 "\"((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)\"}\n",
		 "t.yaml:2:14: key 'ready.log': '((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)' is "
		 "not a valid pattern: it repeats too much; write a POSIX extended regular "
		 "expression, such as 'started in [0-9]+ ms'"},
		{"run: {command: a}\nready: {log: \"a+?\"}\n",
		 "t.yaml:2:14: key 'ready.log': 'a+?' is not a valid pattern: it repeats a "
		 "repetition; write a POSIX extended regular expression, such as 'started in "
		 "[0-9]+ ms'"},
		{"run: {command: a}\nready: {log: \")+++++++++++++++++++++++++++++++++++++\"}\n",
		 "t.yaml:2:14: key 'ready.log': ')+++++++++++++++++++++++++++++++++++++' is not a "
		 "valid pattern: it repeats a repetition; write a POSIX extended regular "
		 "expression, such as 'started in [0-9]+ ms'"},
		{"run: {command: a}\nready: {log: "
		 "\"(((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+\"}\n",
		 "t.yaml:2:14: key 'ready.log': "
		 "'(((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+' is not a valid pattern: "
		 "its groups are nested too deeply; write a POSIX extended regular expression, "
		 "such as 'started in [0-9]+ ms'"},
		{"run: {command: a}\nready: {log: \"(.*)\\\\1\"}\n",
		 "t.yaml:2:14: key 'ready.log': '(.*)\\1' is not a valid pattern: back-references "
		 "are not allowed; write a POSIX extended regular expression, such as 'started in "
		 "[0-9]+ ms'"},
		{"run: {command: a}\nready: {log: \"\"}\n",
		 "t.yaml:2:14: key 'ready.log': '' is not a valid pattern: it is empty; write a "
		 "POSIX extended regular expression, such as 'started in [0-9]+ ms'"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_limits(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nlimits: {memory: 512MB}\n",
		 "t.yaml:2:18: key 'limits.memory': '512MB' is not a valid size; write at least "
		 "64k, such as 512M or 2GiB, or none"},
		{"run: {command: a}\nlimits: {memory: 0}\n",
		 "t.yaml:2:18: key 'limits.memory': '0' is not a valid size; write at least 64k, "
		 "such as 512M or 2GiB, or none"},
		{"run: {command: a}\nlimits: {memory: -1}\n",
		 "t.yaml:2:18: key 'limits.memory': '-1' is not a valid size; write at least 64k, "
		 "such as 512M or 2GiB, or none"},
		{"run: {command: a}\nlimits: {cpu: 0.0001}\n",
		 "t.yaml:2:15: key 'limits.cpu': '0.0001' is not a valid number of processors; "
		 "write 0.01 to 1000, such as 2 or 0.5, or none"},
		{"run: {command: a}\nlimits: {cpu: \"1.\"}\n",
		 "t.yaml:2:15: key 'limits.cpu': '1.' is not a valid number of processors; write "
		 "0.01 to 1000, such as 2 or 0.5, or none"},
		{"run: {command: a}\nlimits: {pids: 0}\n",
		 "t.yaml:2:16: key 'limits.pids': '0' is not a valid number of tasks; write 1 to "
		 "4194304, or none"},
		{"run: {command: a}\nlimits: {files: many}\n",
		 "t.yaml:2:17: key 'limits.files': 'many' is not a valid number of open files; "
		 "write 16 to 1073741816, or none"},
		{"run: {command: a}\nlimits: {log: none}\n",
		 "t.yaml:2:15: key 'limits.log': 'none' is not a valid size; write 64k to 64G, "
		 "such "
		 "as 16M"},
		{"run: {command: a}\nlimits: {io: {read: 1}}\n",
		 "t.yaml:2:21: key 'limits.io.read': '1' is not a valid size per second; write at "
		 "least 4k (a second), such as 500k or 10M, or none"},
		{"run: {command: a}\nlimits: {io: 10M}\n",
		 "t.yaml:2:14: key 'limits.io': is not a mapping; write some of the keys read, "
		 "write "
		 "below it, indented"},
		{"run: {command: a}\nbest_effort: maybe\n",
		 "t.yaml:2:14: key 'best_effort': 'maybe' is not a valid switch; write true or "
		 "false"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_leases(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nlease: {ttl: 0}\n",
		 "t.yaml:2:14: key 'lease.ttl': '0' is not a valid duration; write more than 0 and "
		 "at most 10 years, such as 90s, 15m or 1h30m"},
		{"run: {command: a}\nlease: {ttl: none}\n",
		 "t.yaml:2:14: key 'lease.ttl': 'none' is not a valid duration; write more than 0 "
		 "and at most 10 years, such as 90s, 15m or 1h30m"},
		{"run: {command: a}\nlease:\n  ttl: 2h\n  max: 1h\n",
		 "t.yaml:3:8: key 'lease.ttl': is longer than max; write a shorter ttl or a longer "
		 "max"},
		{"run: {command: a}\nlease: {keep_failed: 31d}\n",
		 "t.yaml:2:22: key 'lease.keep_failed': '31d' is not a valid duration; write more "
		 "than 0 and at most 30d, such as 1h, or none"},
		{"run: {command: a}\nlease: {on_expiry: kill}\n",
		 "t.yaml:2:20: key 'lease.on_expiry': 'kill' is not a valid expiry; write remove, "
		 "freeze, archive or harvest"},
		{"run: {command: a}\nharvest: conf\n",
		 "t.yaml:2:10: key 'harvest': 'conf' is not an absolute path; write an absolute "
		 "path without '.', '..' or '//', such as /opt/server/conf"},
		{"install: /opt/a\nrun: {command: a}\nharvest: [/opt/a/b, /opt/b]\n",
		 "t.yaml:3:21: key 'harvest': '/opt/b' lies in no install directory, and nothing "
		 "else is kept of what an instance writes"},
		{"run: {command: a}\nharvest: /opt/b\n",
		 "t.yaml:2:10: key 'harvest': '/opt/b' lies in no install directory, and nothing "
		 "else is kept of what an instance writes"},
		{"install: /opt\nrun: {command: a}\nharvest: [/opt/a, /opt/a/b]\n",
		 "t.yaml:3:19: key 'harvest': '/opt/a/b' overlaps with another path of the list; "
		 "keep the outer one"},
		{"run: {command: a}\nlease: {warn: {before: [15m, soon]}}\n",
		 "t.yaml:2:30: key 'lease.warn.before': 'soon' is not a valid list of durations; "
		 "write a list such as [15m, 2m], or none"},
		{"run: {command: a}\nlease: {warn: {before: '1,2,3,4,5,6,7,8,9'}}\n",
		 "t.yaml:2:24: key 'lease.warn.before': has too many entries; at most 8"},
		{"run: {command: a}\nlease: {warn: {hook: logger}}\n",
		 "t.yaml:2:22: key 'lease.warn.hook': runs on the host; write the absolute path of "
		 "the program"},
		{"run: {command: a}\nlease: {ttl: 4000d}\n",
		 "t.yaml:2:14: key 'lease.ttl': '4000d' is not a valid duration; write more than 0 "
		 "and at most 10 years, such as 90s, 15m or 1h30m"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_networks(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nnetwork: {zone: A_B}\n",
		 "t.yaml:2:17: key 'network.zone': 'A_B' is not a valid name; use lower-case "
		 "letters, digits and '-', at most 63"},
		{"run: {command: a}\nnetwork: {egress: \"every where\"}\n",
		 "t.yaml:2:19: key 'network.egress': 'every where' is not a valid egress; write "
		 "none, internet, or else a list of addresses, networks or hosts, with ':PORT'"},
		{"run: {command: a}\nnetwork: {egress: [none, 10.0.0.1]}\n",
		 "t.yaml:2:26: key 'network.egress': '10.0.0.1' is not a valid egress; write none, "
		 "internet, or else a list of addresses, networks or hosts, with ':PORT'"},
		{"run: {command: a}\nnetwork: {egress: []}\n",
		 "t.yaml:2:19: key 'network.egress': is a list; write none, internet, or else a "
		 "list of addresses, networks or hosts, with ':PORT'"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_variables(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: \"${hom}\"}\nparams: {home: /x}\n",
		 "t.yaml:1:16: key 'run.command': unknown variable '${hom}'; did you mean "
		 "'${home}'?"},
		{"run: {command: \"${elsewhere}\"}\n",
		 "t.yaml:1:16: key 'run.command': unknown variable '${elsewhere}'; declare it "
		 "under params, or write '$${elsewhere}' for the characters themselves"},
		{"run: {command: \"${home\"}\nparams: {home: /x}\n",
		 "t.yaml:1:16: key 'run.command': '${' without '}'; write '$${' for the characters "
		 "themselves"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_parameters(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nparams: {A_B: x}\n",
		 "t.yaml:2:10: key 'params.A_B': is no name for a parameter; use lower-case "
		 "letters, digits and '-'"},
		{"run: {command: a}\nparams: {template: x}\n",
		 "t.yaml:2:10: key 'params.template': is a variable of stint itself; choose "
		 "another name"},
		{"run: {command: a}\nparams: {a: [x]}\n",
		 "t.yaml:2:13: key 'params.a': the default of a parameter must be a string; write "
		 "one, or nothing for a parameter that must be given"},
		{"run: {command: a}\nparams: {a: x, b: \"${a}\"}\n",
		 "t.yaml:2:19: key 'params.b': the default of a parameter may contain ${template} "
		 "and ${stint_share}, but no other; write '$${' for '${'"},
		{"run: {command: a}\nparams: [x]\n",
		 "t.yaml:2:9: key 'params': is not a mapping; write 'NAME: DEFAULT' lines"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_extends(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\nextends:\n",
		 "t.yaml:2:9: key 'extends': has no value; write the name of a template that "
		 "'stint template ls' lists"},
		{"run: {command: a}\nextends: tomcta\n",
		 "t.yaml:2:10: key 'extends': there is no template 'tomcta'; did you mean "
		 "'tomcat'? 'stint template ls' shows all"},
		{"run: {command: a}\nextends: ../x\n",
		 "t.yaml:2:10: key 'extends': '../x' is not a valid template; write the name of a "
		 "template that 'stint template ls' lists"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_what_is_no_template(void **state)
{
	static const struct fault_case cases[] = {
		{"# nothing\n",
		 "t.yaml:1:1: the file is empty; write 'KEY: VALUE' lines, at least 'run'"},
		{"summary: a\nrun: {command: a}\nsummary: b\n",
		 "t.yaml:3:1: key 'summary': is given twice, first in line 1; remove one"},
		{"run: {command: &a x}\nsummary: *a\n",
		 "t.yaml:1:16: key 'run.command': anchors (&name) and aliases (*name) are not "
		 "allowed; write the value again, or use params and ${name}"},
		{"run: {command: x}\nsummary: *a\n",
		 "t.yaml:2:10: key 'summary': anchors (&name) and aliases (*name) are not allowed; "
		 "write the value again, or use params and ${name}"},
		{"run: {command: !!str x}\n", "t.yaml:1:16: key 'run.command': tags (!type) are "
					      "not allowed; write the plain value"},
		{"run: {command: \"a\\0b\"}\n", "t.yaml:1:16: key 'run.command': contains a NUL "
						"character; no path, name or argument can"},
		{"? [a]\n: b\n", "t.yaml:1:3: a key must be a word, not a list"},
		{"run: {command: a}\n---\nrun: {command: b}\n",
		 "t.yaml:2:1: a second document starts here; a file holds one, without further "
		 "'---'"},
		{"run:\n\tcommand: a\n",
		 "t.yaml:2:1: not YAML: while scanning for the next token, found character that "
		 "cannot start any token; indent with blanks, not with tabs, and quote a value "
		 "that starts with @, ` or %"},
		{"summary: a: b\n",
		 "t.yaml:1:11: not YAML: mapping values are not allowed in this context; quote a "
		 "value that contains ': ', and check the indentation"},
		{"run: {command: a\n",
		 "t.yaml:2:1: not YAML: while parsing a flow mapping, did "
		 "not find expected ',' or '}'; close the mapping with '}', and "
		 "quote a value in it that has one of {}[],"},
		{"summary: a\001b\n",
		 "t.yaml:1:11: the text is not UTF-8 or has a control character (control "
		 "characters are not allowed); save it as UTF-8 text"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(template_compile_refuses_bad_ports),
		cmocka_unit_test(template_compile_refuses_bad_readiness_checks),
		cmocka_unit_test(template_compile_refuses_bad_log_patterns),
		cmocka_unit_test(template_compile_refuses_bad_limits),
		cmocka_unit_test(template_compile_refuses_bad_leases),
		cmocka_unit_test(template_compile_refuses_bad_networks),
		cmocka_unit_test(template_compile_refuses_bad_variables),
		cmocka_unit_test(template_compile_refuses_bad_parameters),
		cmocka_unit_test(template_compile_refuses_bad_extends),
		cmocka_unit_test(template_compile_refuses_what_is_no_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
