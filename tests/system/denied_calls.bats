#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every system call of the real servers, from their first to their last, seen by the kernel's own
# tracing while they work: those that are answered EPERM or ENOSYS are counted, and each is in
# servers/denied-calls with its reason.
load helper
load servers/work

DENIED=$BATS_TEST_DIRNAME/servers/denied-calls

# A tracer of this test's own, beside all others: nothing of the host's is changed.
teardown()
{
	[ ! -d "${TRACE-}" ] || stop_tracing
	umount -l "$STINT_ROOT/tracing" 2>/dev/null || true
	clean_up
}

start_tracing()
{
	mkdir "$STINT_ROOT/tracing"
	mount -t tracefs tracefs "$STINT_ROOT/tracing" || skip "this kernel has no tracefs"
	TRACE=$STINT_ROOT/tracing/instances/$GROUP
	mkdir "$TRACE"
	echo 1 >"$TRACE/options/event-fork"
	echo "$1" >"$TRACE/set_event_pid"
	# EPERM and ENOSYS
	echo 'ret == -1 || ret == -38' >"$TRACE/events/raw_syscalls/sys_exit/filter"
	echo 1 >"$TRACE/events/raw_syscalls/sys_exit/enable"
}

stop_tracing()
{
	echo 0 >"$TRACE/events/raw_syscalls/sys_exit/enable"
	rmdir "$TRACE"
}

# A template like NAME whose server begins when it reads a word: hold NAME. Its first call that is
# denied is the test's own, to see that none is missed.
hold()
{
	stint plan "$1" --json | jq --arg of "$1" '{template: "held", extends: $of, run: {command:
		(["/bin/sh", "-c",
		"mkfifo /tmp/go && read -r word </tmp/go; kill -0 1; exec \"$@\"", "sh"] +
		.run.command | map(gsub("\\$"; "$$")))}}' | template held
}

start_traced()
{
	hold "$1"
	stint up held --name traced --no-wait
	eventually 20 stint exec traced -- test -p /tmp/go
	start_tracing "$(processes_of sh traced)"
	stint exec traced -- sh -c 'echo go >/tmp/go'
	eventually 100 is_state traced ready
}

# Lines "NUMBER NAME" of this machine's system calls.
call_names()
{
	echo '#include <sys/syscall.h>' | cc -E -dM - |
		sed -nE 's/^#define __NR_([a-z0-9_]+) ([0-9]+)$/\2 \1/p'
}

# The calls that were answered so: "COUNT NAME ERRNO", most frequent first.
denied()
{
	sed -nE 's/.* sys_exit: NR ([0-9]+) = -(1|38)$/\1 \2/p' "$TRACE/trace" |
		awk 'NR == FNR { name[$1] = $2; next }
			{ print ($1 in name ? name[$1] : $1), $2 == 1 ? "EPERM" : "ENOSYS" }' \
			<(call_names) - | sort | uniq -c | sort -rn
}

# Ends the instance, and holds what it was denied against the list.
check_denied()
{
	local count call answer unknown=0 seen

	stint down traced
	seen=$(denied)
	[[ $seen == *"kill EPERM"* ]]
	while read -r count call answer; do
		echo "# $1: $call was answered $answer $count times" >&3
		grep -q "^$call $answer " "$DENIED" || unknown=1
	done <<<"$seen"
	[ "$unknown" = 0 ] || {
		echo "not all of these are in ${DENIED##*/}"
		return 1
	}
}

page()
{
	get -o /dev/null "http://127.0.0.1:$(port_of traced)$1"
}

@test "Tomcat: denied calls have reasons" {
	start_traced tomcat
	echo '<%= 6 * 7 %>' | stint cp - traced:/var/lib/tomcat10/webapps/ROOT/page.jsp
	[ "$(get "http://127.0.0.1:$(port_of traced)/page.jsp")" = 42 ]
	check_denied tomcat
}

@test "Node-RED: denied calls have reasons" {
	start_traced node-red
	page /
	deploy_flow traced
	mine() { [ "$(get "http://127.0.0.1:$(port_of traced)/mine")" = "flow of traced" ]; }
	eventually 30 mine
	check_denied node-red
}

@test "nginx: denied calls have reasons" {
	start_traced nginx
	page /
	stint exec traced -- sh -c 'kill -HUP $(cat /tmp/nginx.pid)'
	page /none
	check_denied nginx
}

@test "PostgreSQL: denied calls have reasons" {
	start_traced postgresql
	sql traced 'create table t as select n from generate_series(1, 20000) n'
	sql traced 'select count(*) from t group by n % 7'
	pgbench traced -i -q
	pgbench traced -c 2 -t 50
	sql traced 'vacuum t'
	check_denied postgresql
}

@test "RabbitMQ: denied calls have reasons" {
	start_traced rabbitmq
	page /
	api traced PUT queues/%2f/orders '{"durable": true}'
	publish traced "order 1"
	[ "$(take traced)" = "order 1" ]
	amqp traced publish -p -r orders -b "order 2"
	[ "$(amqp traced get -q orders)" = "order 2" ]
	check_denied rabbitmq
}
