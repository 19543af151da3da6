#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The world as the payload sees it.
load helper

report()
{
	payload world "[$PROBE/bin/probe, report, exit, '0']" 'ready: none'
	stint run world "$@"
}

value()
{
	sed -n "s|^$1=||p" "$STINT_ROOT/report"
}

@test "namespaces, ids and privileges are the instance's own" {
	exec 9<"$BATS_TEST_FILENAME"
	SECRET=caller report >"$STINT_ROOT/report"
	for kind in pid mnt net uts ipc cgroup; do
		[ -n "$(value "ns.$kind")" ]
		[ "$(value "ns.$kind")" != "$(readlink /proc/self/ns/$kind)" ]
	done
	for set in inheritable permitted effective bounding ambient; do
		[ "$(value "cap.$set" | tr -d 0)" = "" ]
	done
	[ "$(value no_new_privs)" = 1 ]
	[[ $(value hostname) =~ ^[0-9a-f]{8}$ ]]
	[ "$(value cwd)" = / ]
	run ! grep -q SECRET "$STINT_ROOT/report"
	[ -z "$(grep '^fd\.' "$STINT_ROOT/report" | grep -v '^fd\.[0-9]*=\(pipe:\|/dev/null\|/proc/\)')" ]
}

@test "nothing of the host's file systems is visible beyond the list" {
	report >"$STINT_ROOT/report"
	[ -z "$(grep '^mount\./\(home\|root\|boot\|mnt\|var\)' "$STINT_ROOT/report" | grep -v "^mount\.$PROBE=")" ]
	grep -q "^mount\.$PROBE=overlay" "$STINT_ROOT/report"
	grep -q '^mount\./usr=.*\bro\b' "$STINT_ROOT/report"
	stint up hello --name v
	[ -z "$(stint exec v -- ls /root)" ]
	run stint exec v -- ls /home
	[ "$status" -ne 0 ]
	run stint exec v -- cat /etc/shadow
	[ "$status" -ne 0 ]
	run stint exec v -- sh -c 'echo x >/usr/x'
	[ "$status" -ne 0 ]
	run stint exec v -- sh -c 'echo 1 >/proc/sys/kernel/sysrq'
	[ "$status" -ne 0 ]
	run stint exec v -- sh -c 'echo h >/proc/sysrq-trigger'
	[ "$status" -ne 0 ]
}

@test "two instances see neither the files nor the processes of one another" {
	stint up hello --name a
	stint up hello --name b
	stint exec a -- sh -c 'echo secret >/tmp/file; sleep 0'
	run stint exec b -- cat /tmp/file
	[ "$status" -ne 0 ]
	[ "$(stint exec b -- sh -c 'ls -d /proc/[0-9]* | wc -l')" -le 5 ]
	address=$(stint show a --json | jq -r .address)
	run stint exec b -- curl -s --max-time 2 "http://$address:5555/"
	[ "$status" -ne 0 ]
	[[ $(stint exec a -- curl -s --max-time 2 "http://$address:5555/") == *hello* ]]
	[[ $(stint exec a -- cat /etc/hosts) == *"$(id_of a)"* ]]
}

@test "a directory of the install can be renamed inside" {
	stint up hello --name r
	home=$STINT_BUILD/share/stint/hello
	stint exec r -- mv "$home/packages" "$home/moved"
	[[ $(stint diff r) == *"R $home/packages -> $home/moved"* ]]
	[ -d "$home/packages" ]
}
