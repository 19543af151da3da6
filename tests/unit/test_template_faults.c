/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates that are wrong in what is run, and on what: what is said, word for word, and where. One
 * table for each group of keys; every kind of mistake that the keys know of is in one of them, here
 * or in test_template_faults_more.c.
 */
#include "fault_rig.h"

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

static const struct fault_case scrub_faults[] = {
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
};

static const struct fault_case file_faults[] = {
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
	{"install: /o\nfiles: {/usr/x: {text: 1}}\nrun: {command: a}\n",
	 "t.yaml:2:9: key 'files./usr/x': is not the instance's to change; it must lie in an "
	 "install "
	 "directory, in /tmp, /run or /var, or in the home of the server's user"},
	{"install: /usr/o\nscrub: [/usr/o/a, /usr/of]\nrun: {command: a}\n",
	 "t.yaml:2:19: key 'scrub': '/usr/of' is not the instance's to change; it must lie in "
	 "an install "
	 "directory, in /tmp, /run or /var, or in the home of the server's user"},
	{"install: /o\nedit: {/proc/x.ini: {set: {a: 1}}}\nrun: {command: a}\n",
	 "t.yaml:2:8: key 'edit./proc/x.ini': is not the instance's to change; it must lie in an "
	 "install "
	 "directory, in /tmp, /run or /var, or in the home of the server's user"},
	{"install: /o\nsecrets: {a: {path: /dev/a}}\nrun: {command: a}\n",
	 "t.yaml:2:14: key 'secrets.a': '/dev/a' is not the instance's to change; it must lie in "
	 "an install "
	 "directory, in /tmp, /run or /var, or in the home of the server's user"},
};

static const struct fault_case edit_faults[] = {
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

static void template_compile_refuses_bad_changes_of_files(void **state)
{
	(void)state;
	check_faults("t.yaml", scrub_faults, ARRAY_SIZE(scrub_faults));
	check_faults("t.yaml", file_faults, ARRAY_SIZE(file_faults));
	check_faults("t.yaml", edit_faults, ARRAY_SIZE(edit_faults));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
