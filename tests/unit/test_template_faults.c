/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates that are wrong: what is said, word for word, and where. One table for each group of
 * keys; every kind of mistake that the keys know of is in one of them.
 */
#include "templates/template.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct fault_case {
	const char *yaml, *message;
};

static void check_faults(const char *file, const struct fault_case *cases, size_t n)
{
	const struct template_options options = {.share = "/share"};

	for (size_t i = 0; i < n; i++) {
		struct plan *plan = NULL;
		struct error err = {0};
		int r = template_compile_text(file, cases[i].yaml, strlen(cases[i].yaml), &options,
					      &plan, &err);

		assert_true(r < 0);
		assert_null(plan);
		assert_string_equal(err.text, cases[i].message);
		assert_int_equal(err.kind, ERROR_FAILED);
	}
}

static void template_compile_refuses_wrong_confinement(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: /bin/true}\ncaps: [chown, sys_admin]\n",
		 "t.yaml:2:15: key 'caps': 'sys_admin' is not given to what runs inside: with it "
		 "the host would be within reach; see docs/security.md"},
		{"run: {command: /bin/true}\ncaps: CAP_SYS_PTRACE\n",
		 "t.yaml:2:7: key 'caps': 'sys_ptrace' is not given to what runs inside: with it "
		 "the host would be within reach; see docs/security.md"},
		{"run: {command: /bin/true}\ncaps: [dac_overide]\n",
		 "t.yaml:2:8: key 'caps': unknown capability; did you mean 'dac_override'?"},
		{"run: {command: /bin/true}\ncaps: [xyzzyxyzzy]\n",
		 "t.yaml:2:8: key 'caps': unknown capability; known are chown, dac_override, "
		 "fowner, fsetid, kill, net_bind_service, setgid, setuid"},
		{"run: {command: /bin/true}\nseccomp: off\n",
		 "t.yaml:2:10: key 'seccomp': without a filter every system call of the kernel is "
		 "open to what runs inside; say why: seccomp: {profile: off, reason: ...}"},
		{"run: {command: /bin/true}\nseccomp: {profile: strict, reason: x}\n",
		 "t.yaml:2:10: key 'seccomp': a reason belongs to the profile off only"},
		{"run: {command: /bin/true}\nseccomp: loose\n",
		 "t.yaml:2:10: key 'seccomp': 'loose' is not a valid filter; write default, "
		 "strict or off"},
		{"run: {command: /bin/true}\nseccomp: {abi32: perhaps}\n",
		 "t.yaml:2:18: key 'seccomp.abi32': 'perhaps' is not a valid switch; write true or "
		 "false"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_unknown_and_missing_keys(void **state)
{
	static const struct fault_case cases[] = {
		{"summry: x\nrun: {command: /bin/true}\n",
		 "t.yaml:1:1: key 'summry': unknown key; did you mean 'summary'?"},
		{"zzzzzz: x\nrun: {command: /bin/true}\n",
		 "t.yaml:1:1: key 'zzzzzz': unknown key; possible are template, summary, extends, "
		 "params, install, layers, paths, harvest, scrub, files, edit, secrets, run, "
		 "ports, ready, "
		 "check, "
		 "limits, "
		 "heap, "
		 "caps, seccomp, "
		 "best_effort, lease, hooks, tier, ha_group, no_spares, network"},
		{"run:\n  command: /bin/true\n  usr: root\n",
		 "t.yaml:3:3: key 'run.usr': unknown key; did you mean 'user'?"},
		{"run: {command: a}\nports:\n  http: {port: 80, shceme: http}\n",
		 "t.yaml:3:20: key 'ports.http.shceme': unknown key; did you mean 'scheme'?"},
		{"summary: x\n",
		 "t.yaml:1:1: the key 'run' is missing; write it with some of the keys command, "
		 "user, env, directory, stop, grace, restart below it"},
		{"run:\n  user: root\n",
		 "t.yaml:2:3: key 'run': the key 'command' is missing; write a list of words, or "
		 "one string that is split at blanks outside of quotes"},
		{"run: /bin/true\n",
		 "t.yaml:1:6: key 'run': is not a mapping; write some of the keys command, user, "
		 "env, directory, stop, grace, restart below it, indented"},
		{"- a\n", "t.yaml:1:1: a template is a mapping; write 'KEY: VALUE' lines"},
		{"hello\n", "t.yaml:1:1: a template is a mapping; write 'KEY: VALUE' lines"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_names_of_templates(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a}\n", "T_.yaml:1:1: the key 'template' is missing, and the "
					"file's name is not a valid name for a template"},
		{"template: Bad_Name\nrun: {command: a}\n",
		 "T_.yaml:1:11: key 'template': 'Bad_Name' is not a valid name; use lower-case "
		 "letters, digits and '-', at most 63"},
		{"template:\nrun: {command: a}\n",
		 "T_.yaml:1:10: key 'template': has no value; use lower-case letters, digits and "
		 "'-', at most 63"},
	};

	(void)state;
	check_faults("T_.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_install_directories(void **state)
{
	static const struct fault_case cases[] = {
		{"install: opt/x\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': 'opt/x' is not an absolute path; write an absolute "
		 "path without '.', '..' or '//', such as /opt/server, or the name of an install"},
		{"install:\n  - /opt/../etc\nrun: {command: a}\n",
		 "t.yaml:2:5: key 'install': '/opt/../etc' has a component '.' or '..'; write an "
		 "absolute path without '.', '..' or '//', such as /opt/server, or the name of an "
		 "install"},
		{"install: /opt/./x\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': '/opt/./x' has a component '.' or '..'; write an "
		 "absolute path without '.', '..' or '//', such as /opt/server, or the name of an "
		 "install"},
		{"install: /opt//x\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': '/opt//x' has an empty component; write an absolute "
		 "path without '.', '..' or '//', such as /opt/server, or the name of an install"},
		{"install: /\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': '/' is the kernel's or the whole host's; write a "
		 "path below /, but not in /proc, /sys or /dev"},
		{"install: /proc/1\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': '/proc/1' is the kernel's or the whole host's; write "
		 "a path below /, but not in /proc, /sys or /dev"},
		{"install:\n  - /opt/x\n  - /opt/x/y\nrun: {command: a}\n",
		 "t.yaml:3:5: key 'install': '/opt/x/y' overlaps with another directory of the "
		 "list; keep the outer one"},
		{"install:\n  - /opt/x/y\n  - /opt/x\nrun: {command: a}\n",
		 "t.yaml:3:5: key 'install': '/opt/x' overlaps with another directory of the list; "
		 "keep the outer one"},
		{"install: [/opt/x, /opt/x/]\nrun: {command: a}\n",
		 "t.yaml:1:19: key 'install': '/opt/x' overlaps with another directory of the "
		 "list; keep the outer one"},
		{"install: {a: b}\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': is a mapping; write an absolute path without '.', "
		 "'..' or '//', such as /opt/server, or the name of an install"},
		{"install: \"/opt/x\\ny\"\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': contains a control character; write one line of "
		 "text"},
		{"install: \"/opt/x\\x9by\"\nrun: {command: a}\n",
		 "t.yaml:1:10: key 'install': contains a control character; write one line of "
		 "text"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_paths(void **state)
{
	static const struct fault_case cases[] = {
		{"paths: [/etc/x, etc/y]\nrun: {command: a}\n",
		 "t.yaml:1:17: key 'paths': 'etc/y' is not an absolute path; write an absolute "
		 "path without '.', '..' or '//', such as /etc/java-*"},
		{"install: /opt/x\npaths: [/opt/x/lib]\nrun: {command: a}\n",
		 "t.yaml:2:9: key 'paths': a part of an install is visible anyway; remove it from "
		 "paths"},
		{"paths: /dev/sda\nrun: {command: a}\n",
		 "t.yaml:1:8: key 'paths': '/dev/sda' is the kernel's or the whole host's; write a "
		 "path below /, but not in /proc, /sys or /dev"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_changes_of_files(void **state)
{
	static const struct fault_case cases[] = {
		{"scrub: opt/x\nrun: {command: a}\n",
		 "t.yaml:1:8: key 'scrub': 'opt/x' is not an absolute path; write an absolute path "
		 "without '.', '..' or '//', such as /opt/server/run/*.pid"},
		{"scrub: [/opt/x, /opt/../etc]\nrun: {command: a}\n",
		 "t.yaml:1:17: key 'scrub': '/opt/../etc' has a component '.' or '..'; write an "
		 "absolute path without '.', '..' or '//', such as /opt/server/run/*.pid"},
		{"scrub: /opt/*/lock\nrun: {command: a}\n",
		 "t.yaml:1:8: key 'scrub': '/opt/*/lock' has a pattern before its last name; write "
		 "the directories as they are"},
		{"scrub: {a: b}\nrun: {command: a}\n",
		 "t.yaml:1:8: key 'scrub': is a mapping; write an absolute path without '.', '..' "
		 "or '//', such as /opt/server/run/*.pid"},
		{"scrub: \"/opt/a\\nb\"\nrun: {command: a}\n",
		 "t.yaml:1:8: key 'scrub': contains a control character; write one line of text"},
		{"files: /opt/x\nrun: {command: a}\n",
		 "t.yaml:1:8: key 'files': is not a mapping; write the path inside, a colon and "
		 "what is to be done below it, indented"},
		{"files: {/opt/x: {from: ''}}\nrun: {command: a}\n",
		 "t.yaml:1:17: key 'files./opt/x': has nothing to copy from; give 'from' a path, "
		 "or say below 'missing' what it means that there is none"},
		{"files: {/opt/x: /etc/x}\nrun: {command: a}\n",
		 "t.yaml:1:17: key 'files./opt/x': says nothing of what is in the file; write "
		 "from: and a path of the host, or text:, below it"},
		{"files: {/opt/x: {mode: 600}}\nrun: {command: a}\n",
		 "t.yaml:1:17: key 'files./opt/x': is incomplete; write one of from or text"},
		{"files: {/opt/x: {text: a, from: /b}}\nrun: {command: a}\n",
		 "t.yaml:1:27: key 'files./opt/x.from': cannot stand beside another; write exactly "
		 "one of from or text"},
		{"files: {/opt/../x: {text: a}}\nrun: {command: a}\n",
		 "t.yaml:1:9: key 'files./opt/../x': '/opt/../x' has a component '.' or '..'; "
		 "write "
		 "an absolute path without '.', '..' or '//', such as /opt/server"},
		{"files: {/opt/x: {text: a, mode: 4755}}\nrun: {command: a}\n",
		 "t.yaml:1:33: key 'files./opt/x.mode': '4755' is not a valid mode; write three "
		 "octal digits, as in 640 or 0755"},
		{"files: {/opt/x: {text: a, mode: rw}}\nrun: {command: a}\n",
		 "t.yaml:1:33: key 'files./opt/x.mode': 'rw' is not a valid mode; write three "
		 "octal "
		 "digits, as in 640 or 0755"},
		{"files: {/opt/x: {text: a, mode: 000}}\nrun: {command: a}\n",
		 "t.yaml:1:33: key 'files./opt/x.mode': '000' is not a valid mode; write three "
		 "octal digits, as in 640 or 0755"},
		{"files: {/opt/x: {text: }}\nrun: {command: a}\n",
		 "t.yaml:1:24: key 'files./opt/x.text': has no value; write it in quotes, or "
		 "behind "
		 "a '|' in lines of its own"},
		{"params: {a: x}\nfiles: {'/o/x': {text: a}, '/o/${a}': {text: b}}\nrun: {command: "
		 "a}\n",
		 "t.yaml:2:28: key 'files./o/${a}': is given twice; remove one"},
		{"edit: {/opt/x.properties: {set: {}}}\nrun: {command: a}\n",
		 "t.yaml:1:33: key 'edit./opt/x.properties.set': sets nothing; write 'KEY: VALUE' "
		 "lines, in an ini file below the section's name"},
		{"edit: {/opt/x.ini: {set: {a: {}}}}\nrun: {command: a}\n",
		 "t.yaml:1:26: key 'edit./opt/x.ini.set': sets nothing; write 'KEY: VALUE' lines, "
		 "in an ini file below the section's name"},
		{"edit: {/opt/x.ini: {}}\nrun: {command: a}\n",
		 "t.yaml:1:20: key 'edit./opt/x.ini': the key 'set' is missing; write 'KEY: VALUE' "
		 "lines, in an ini file below the section's name"},
		{"edit: {/opt/x.conf: {set: {a: b}}}\nrun: {command: a}\n",
		 "t.yaml:1:21: key 'edit./opt/x.conf': does not say the file's format, nor does "
		 "its "
		 "name; write format: and properties, ini or xml"},
		{"edit: {/opt/x.conf: {format: json, set: {a: b}}}\nrun: {command: a}\n",
		 "t.yaml:1:30: key 'edit./opt/x.conf.format': 'json' is not a valid format; write "
		 "properties, ini or xml"},
		{"edit: {/opt/x.properties: {set: {a: {b: c}}}}\nrun: {command: a}\n",
		 "t.yaml:1:37: key 'edit./opt/x.properties.set.a': is a mapping, and only ini "
		 "files "
		 "have sections; write 'KEY: VALUE' lines"},
		{"edit: {/opt/x.xml: {set: {port: 1}}}\nrun: {command: a}\n",
		 "t.yaml:1:27: key 'edit./opt/x.xml.set.port': is no path to an attribute; write "
		 "it "
		 "from the document's own element on, as in "
		 "Server/Service[@name='main']/Connector@port"},
		{"edit: {/opt/x.xml: {create: true, set: {a@b: 1}}}\nrun: {command: a}\n",
		 "t.yaml:1:20: key 'edit./opt/x.xml': would be made without an element to set "
		 "anything in; leave out create, or put a file there with files:"},
		{"edit: {/opt/x.ini: {set: {a: {b: \"c\\nd\"}}}}\nrun: {command: a}\n",
		 "t.yaml:1:31: key 'edit./opt/x.ini.set.a.b': has a value that is several lines, "
		 "which not every reader of ini files keeps"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_commands(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: \"\"}\n",
		 "t.yaml:1:16: key 'run.command': names no program; write a list of words, or one "
		 "string that is split at blanks outside of quotes"},
		{"run: {command: []}\n",
		 "t.yaml:1:16: key 'run.command': names no program; write a list of words, or one "
		 "string that is split at blanks outside of quotes"},
		{"run:\n  command:\n",
		 "t.yaml:2:11: key 'run.command': has no value; write a list of words, or one "
		 "string that is split at blanks outside of quotes"},
		{"run: {command: \"a 'b\"}\n",
		 "t.yaml:1:16: key 'run.command': has a quote that is not closed; write a list of "
		 "words, or one string that is split at blanks outside of quotes"},
		{"run:\n  command: a \\\n",
		 "t.yaml:2:12: key 'run.command': ends with a backslash; write a list of words, or "
		 "one string that is split at blanks outside of quotes"},
		{"run: {command: {a: b}}\n",
		 "t.yaml:1:16: key 'run.command': is a mapping; write a list of words, or one "
		 "string that is split at blanks outside of quotes"},
		{"run: {command: [a, [b]]}\n",
		 "t.yaml:1:20: key 'run.command': is a list; write a list of words, or one string "
		 "that is split at blanks outside of quotes"},
		{"run: {command: [a, \"\\e[31m\"]}\n",
		 "t.yaml:1:20: key 'run.command': contains a control character; write one line of "
		 "text, or several"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_users(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a, user: 4294967295}\n",
		 "t.yaml:1:25: key 'run.user': '4294967295' is not a valid user; write a login "
		 "name or a number up to 4294967294"},
		{"run: {command: a, user: 007}\n",
		 "t.yaml:1:25: key 'run.user': '007' is not a valid user; write a login name or a "
		 "number up to 4294967294"},
		{"run: {command: a, user: -1}\n",
		 "t.yaml:1:25: key 'run.user': '-1' is not a valid user; write a login name or a "
		 "number up to 4294967294"},
		{"run: {command: a, user: \"1:0\"}\n",
		 "t.yaml:1:25: key 'run.user': '1:0' is not a valid user; write a login name or a "
		 "number up to 4294967294"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_environments(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a, env: {1A: x}}\n",
		 "t.yaml:1:25: key 'run.env.1A': '1A' is no name for a variable; use letters, "
		 "digits, '_', '.' and '-', and no digit first"},
		{"run: {command: a, env: {A: \"x\\ny\"}}\n",
		 "t.yaml:1:28: key 'run.env.A': contains a control character; write one line of "
		 "text"},
		{"run: {command: a, env: {\"A=B\": x}}\n",
		 "t.yaml:1:25: key 'run.env.A=B': has a '=' in its name; write KEY: VALUE"},
		{"run: {command: a, env: [A=B]}\n",
		 "t.yaml:1:24: key 'run.env': is a list; write 'NAME: VALUE' lines"},
		{"run: {command: a, env: {A: [b]}}\n",
		 "t.yaml:1:28: key 'run.env.A': is a list; write 'NAME: VALUE' lines"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

static void template_compile_refuses_bad_ways_to_stop_and_restart(void **state)
{
	static const struct fault_case cases[] = {
		{"run: {command: a, directory: x}\n",
		 "t.yaml:1:30: key 'run.directory': 'x' is not an absolute path; write an absolute "
		 "path without '.', '..' or '//', such as /opt/server"},
		{"run: {command: a, stop: {signal: TREM}}\n",
		 "t.yaml:1:34: key 'run.stop.signal': 'TREM' is not a valid signal; write a name "
		 "such as TERM, INT or QUIT, or a number up to 64"},
		{"run: {command: a, stop: {signal: 65}}\n",
		 "t.yaml:1:34: key 'run.stop.signal': '65' is not a valid signal; write a name "
		 "such as TERM, INT or QUIT, or a number up to 64"},
		{"run:\n  command: a\n  stop: {signal: TERM, command: b}\n",
		 "t.yaml:3:24: key 'run.stop.command': cannot stand beside another; write exactly "
		 "one of signal or command"},
		{"run: {command: a, stop: {}}\n",
		 "t.yaml:1:25: key 'run.stop': is incomplete; write one of signal or command"},
		{"run: {command: a, stop: TERM}\n",
		 "t.yaml:1:25: key 'run.stop': is not a mapping; write some of the keys signal, "
		 "command below it, indented"},
		{"run: {command: a, grace: 2h}\n",
		 "t.yaml:1:26: key 'run.grace': '2h' is not a valid duration; write 0s to 1h, such "
		 "as 10s or 2m"},
		{"run: {command: a, restart: always}\n",
		 "t.yaml:1:28: key 'run.restart': 'always' is not a valid restart policy; write no "
		 "or on-failure"},
		{"run: {command: a, restart: {limit: 2}}\n",
		 "t.yaml:1:28: key 'run.restart': the key 'policy' is missing; write no or "
		 "on-failure"},
		{"run: {command: a, restart: {policy: on-failure, limit: 0}}\n",
		 "t.yaml:1:56: key 'run.restart.limit': '0' is not a valid number of restarts; "
		 "write 1 to 1000"},
	};

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
}

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

static void template_compile_refuses_bad_readiness_checks(void **state)
{
	static const struct fault_case cases[] = {
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
		{"run: {command: a}\nports: {a: 80}\nready: {http: {}, tcp: {}}\n",
		 "t.yaml:3:19: key 'ready.tcp': cannot stand beside another; write exactly one of "
		 "http, tcp, log, command or first"},
		{"run: {command: a}\nports: {http: 80}\nready: {http: {port: htpt}}\n",
		 "t.yaml:3:22: key 'ready.http.port': there is no port 'htpt'; write the name of "
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

	(void)state;
	check_faults("t.yaml", cases, ARRAY_SIZE(cases));
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
		{"run: {command: a}\nharvest: [/opt/a, /opt/a/b]\n",
		 "t.yaml:2:19: key 'harvest': '/opt/a/b' overlaps with another path of the list; "
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
		cmocka_unit_test(template_compile_refuses_unknown_and_missing_keys),
		cmocka_unit_test(template_compile_refuses_wrong_confinement),
		cmocka_unit_test(template_compile_refuses_bad_names_of_templates),
		cmocka_unit_test(template_compile_refuses_bad_install_directories),
		cmocka_unit_test(template_compile_refuses_bad_paths),
		cmocka_unit_test(template_compile_refuses_bad_changes_of_files),
		cmocka_unit_test(template_compile_refuses_bad_commands),
		cmocka_unit_test(template_compile_refuses_bad_users),
		cmocka_unit_test(template_compile_refuses_bad_environments),
		cmocka_unit_test(template_compile_refuses_bad_ways_to_stop_and_restart),
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
