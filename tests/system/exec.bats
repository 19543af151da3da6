#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec and shell: commands inside a running instance.
load helper

@test "status 125 when stint fails, 126 and 127 when the command does, 128 and the signal" {
	stint up hello --name e
	for wanted in 0 1 125 255; do
		run stint exec e -- sh -c "exit $wanted"
		[ "$status" -eq "$wanted" ]
	done
	run -127 stint exec e -- nosuchcommand
	[[ $output == *"'nosuchcommand' does not exist inside"* ]]
	run -127 stint exec e -- /no/such/command
	run stint exec e -- /etc/hostname
	[ "$status" -eq 126 ]
	run stint exec e -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	run stint exec e -- sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	refused 125 "no instance 'nope'" exec nope -- true
	refused 125 "usage: stint exec" exec e
	refused 125 "usage: stint exec" exec e --
	refused 125 "unknown option '--nope'" exec e --nope -- true
	refused 125 "no instance 'nope'" shell nope
}

@test "much data goes both ways at once unchanged" {
	stint up hello --name e
	head -c 10000000 /dev/urandom >"$STINT_ROOT/data"
	[ "$(timeout -s KILL 30 "$STINT" exec e -- cat <"$STINT_ROOT/data" | sha256sum)" = \
		"$(sha256sum <"$STINT_ROOT/data")" ]
	timeout -s KILL 30 "$STINT" exec e -- sh -c 'cat >/tmp/data' <"$STINT_ROOT/data"
	[ "$(stint exec e -- sha256sum /tmp/data | cut -d' ' -f1)" = \
		"$(sha256sum <"$STINT_ROOT/data" | cut -d' ' -f1)" ]
	timeout -s KILL 30 "$STINT" exec e -- cat /tmp/data >"$STINT_ROOT/back"
	cmp "$STINT_ROOT/data" "$STINT_ROOT/back"
}

@test "what is written last before the end is there" {
	stint up hello --name e
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(stint exec e -- head -c 65536 /dev/zero | wc -c)" -eq 65536 ]
	done
	[ "$(stint exec e -- sh -c 'head -c 1000000 /dev/zero; echo end' | tail -c 4)" = end ]
}

@test "standard input ends where the caller's ends, and standard error is apart" {
	stint up hello --name e
	[ "$(printf 'a\nb\n' | stint exec e -- wc -l)" -eq 2 ]
	[ "$(stint exec e -- wc -c </dev/null)" -eq 0 ]
	[ "$(stint exec e -- wc -c <&-)" -eq 0 ]
	[ "$(stint exec e -- sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ]
	[ "$(stint exec e -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" = err ]
	# a command that does not read must not make anybody wait
	head -c 1000000 /dev/zero | timeout -s KILL 10 "$STINT" exec e -- true
	timeout -s KILL 10 "$STINT" exec e -- true </dev/zero
	mkfifo "$STINT_ROOT/silent"
	timeout -s KILL 10 "$STINT" exec e -- true <>"$STINT_ROOT/silent"
}

@test "a reader that goes away ends the command inside" {
	stint up hello --name e
	status=$(timeout -s KILL 5 "$STINT" exec e -- yes | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}")
	[ "$status" -ne 137 ]
	no_yes() { ! stint exec e -- sh -c 'cat /proc/[0-9]*/comm' 2>/dev/null | grep -qx yes; }
	eventually 5 no_yes
}

@test "the command runs as the server does, in a world of its own" {
	payload u "[$PROBE/bin/probe, report, print, up, sleep, '300']" 'ready: {log: ^up}'
	sed -i 's/^run:/run:\n  user: nobody\n  env: {OF_SERVER: yes}/' "$STINT_ROOT/etc/stint/templates/u.yaml"
	stint up u --name u
	stint logs u >"$STINT_ROOT/server"
	SECRET=caller stint exec u -- "$PROBE/bin/probe" report >"$STINT_ROOT/command"
	for key in uid gid groups hostname cap.effective cap.bounding cap.permitted no_new_privs \
		seccomp umask ns.pid ns.mnt ns.net ns.uts ns.ipc ns.cgroup env.OF_SERVER \
		cgroup.memory cgroup.pids cgroup.v2 oom_score_adj; do
		echo "$key: $(grep "^$key=" "$STINT_ROOT/server") $(grep "^$key=" "$STINT_ROOT/command")"
		[ "$(grep "^$key=" "$STINT_ROOT/server")" = "$(grep "^$key=" "$STINT_ROOT/command")" ]
	done
	run ! grep -q SECRET "$STINT_ROOT/command"
	[ "$(stint exec u --env A=b --env OF_SERVER=no -- sh -c 'echo $A $OF_SERVER')" = "b no" ]
	[ "$(stint exec u --user 1234 -- id -u)" -eq 1234 ]
	[ "$(stint exec u --user 1234 -- sh -c 'echo $HOME $USER $LOGNAME')" = "/ 1234 1234" ]
	[ "$(stint exec u --user nobody --env HOME=/tmp -- sh -c 'env | grep "^HOME\|^USER"' | sort | xargs)" = \
		"HOME=/tmp USER=nobody" ]
	refused 125 "user" exec u --user 99999999999 -- true
}

@test "the command holds no descriptor but its three streams" {
	stint up hello --name e
	[ "$(stint exec e -- sh -c 'ls /proc/self/fd | wc -l')" -eq 4 ] # and the one of ls
	exec 8<"$BATS_TEST_FILENAME"
	[ "$(stint exec e -- sh -c 'ls /proc/$$/fd' | sort -n | tail -n 1)" -le 2 ]
	exec 8<&-
}

@test "signals to exec reach the command, and it is killed when exec is" {
	local pid

	stint up hello --name e
	"$STINT" exec e -- sh -c 'trap "echo got-term; exit 3" TERM; echo started; while :; do sleep 0.05; done' \
		>"$STINT_ROOT/out" 3>&- &
	pid=$!
	eventually 5 grep -qs started "$STINT_ROOT/out"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 3 ]
	grep -q got-term "$STINT_ROOT/out"

	"$STINT" exec e -- sh -c 'trap "" TERM HUP INT; echo again; sleep 61238' >"$STINT_ROOT/out" 3>&- &
	pid=$!
	eventually 5 grep -qs again "$STINT_ROOT/out"
	kill -KILL "$pid"
	sleeps() { stint exec e -- sh -c 'cat /proc/[0-9]*/comm' | grep -qx sleep; }
	not_sleeping() { ! sleeps; }
	eventually 5 not_sleeping
}

# A command that its instance has stopped: exec_stopped
exec_stopped()
{
	# shellcheck disable=SC2016 # inside
	"$STINT" exec e -- sh -c 'echo started; kill -STOP $$; sleep 61240' >"$STINT_ROOT/out" \
		2>"$STINT_ROOT/err" 3>&- &
	EXEC=$!
	eventually 5 grep -qs started "$STINT_ROOT/out"
}

# ended_with STATUS: the command of exec_stopped is over, outside and inside.
ended_with()
{
	local status=0

	eventually 3 is_ended "$EXEC"
	wait "$EXEC" || status=$?
	[ "$status" -eq "$1" ]
	none_is_stopped() { ! stint exec e -- sh -c 'cat /proc/[0-9]*/stat' | grep ') T '; }
	eventually 5 none_is_stopped
}

@test "a command that is stopped inside holds up nobody who wants it to end" {
	stint up hello --name e
	exec_stopped
	kill -TERM "$EXEC"
	sleep 3
	run ! is_ended "$EXEC"
	ended_with 143
	grep -q 'has not ended, and is killed' "$STINT_ROOT/err"
	exec_stopped
	kill -INT "$EXEC"
	sleep 1
	run ! is_ended "$EXEC"
	kill -INT "$EXEC"
	ended_with 130
	# which signals twice at once, and once to the command itself
	run timeout 1 "$STINT" exec e -- sh -c 'trap "sleep 1; echo done; exit 4" TERM; while :; do sleep 0.05; done'
	[[ $output == *done ]]
	[ ! -s "$STINT_ROOT/err" ]
}

@test "ten commands at once do not mix" {
	local i

	stint up hello --name e
	for i in {1..10}; do
		head -c 300000 /dev/zero | tr '\0' "$((i - 1))" |
			timeout -s KILL 20 "$STINT" exec e -- sh -c 'cat; exit '"$i" >"$STINT_ROOT/out.$i" 3>&- || echo "$?" >"$STINT_ROOT/status.$i" &
	done
	wait
	for i in {1..10}; do
		[ "$(cat "$STINT_ROOT/status.$i")" -eq "$i" ]
		[ "$(tr -d "$((i - 1))" <"$STINT_ROOT/out.$i" | wc -c)" -eq 0 ]
		[ "$(wc -c <"$STINT_ROOT/out.$i")" -eq 300000 ]
	done
}

@test "the limits of init are out of reach" {
	[ -x /usr/bin/prlimit ] || skip "no prlimit on this host"
	stint up hello --name e
	run ! stint exec e --user root -- prlimit --pid 1 --nofile=3:3
	[[ $output == *"Operation not permitted"* ]]
	stint exec e -- true
	[ "$(state_of e)" = ready ]
	stint down e
	[[ $(reason_of e) == stopped* ]]
}

@test "the end of the instance ends exec with 125" {
	local pid

	stint up hello --name e
	"$STINT" exec e -- sh -c 'echo started; sleep 61239' >"$STINT_ROOT/out" 2>"$STINT_ROOT/err" 3>&- &
	pid=$!
	eventually 5 grep -qs started "$STINT_ROOT/out"
	stint down e
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 125 ] || [ "$status" -eq 137 ]
}

@test "exec says why the instance has ended" {
	stint up hello --name e --ttl $((2 * SLOW))s
	run stint exec e -- sleep 61240
	[ "$status" -eq 125 ]
	[ "$output" = "stint: 'e' has ended: expired" ]
	payload eats "[/bin/sh, -c, 'sleep $SLOW; exec $PROBE/bin/probe alloc 100000000 hold']" \
		"$(printf 'ready: none\nlimits: {memory: 32M, swap: 0}')"
	stint up eats --name m
	run stint exec m -- sleep 61240
	# with version 2 the kernel kills the command along with the server, and so it ends by itself
	[ "$status" -eq 137 ] || [[ $output == *"stint: 'm' has ended: out of memory"* ]]
	[ "$status" -eq 137 ] || [ "$status" -eq 125 ]
}

@test "a terminal of the instance's own follows the caller's size" {
	stint up hello --name e
	# the trap writes the new size when the terminal has changed
	script -qec "stty rows 33 cols 101
		(sleep 0.7; stty rows 44 cols 122 </dev/tty) &
		$STINT exec e -- bash -c 'tty; stty size; trap \"stty size; exit 6\" WINCH; i=0; while [ \$i -lt 100 ]; do sleep 0.05; i=\$((i + 1)); done'
		echo status=\$?" /dev/null >"$STINT_ROOT/out" </dev/null
	cat "$STINT_ROOT/out"
	grep -q "/dev/pts/0" "$STINT_ROOT/out"
	grep -q "33 101" "$STINT_ROOT/out"
	grep -q "44 122" "$STINT_ROOT/out"
	grep -q "status=6" "$STINT_ROOT/out"
}

@test "Ctrl-C on the terminal goes to the command inside, and the terminal is given back as it was" {
	stint up hello --name e
	{ sleep 0.7; printf '\003'; sleep 1; } |
		script -qec "stty -a >$STINT_ROOT/before
			$STINT exec e -- bash -c 'trap \"echo got-int; exit 4\" INT; for i in {1..100}; do sleep 0.05; done'
			echo status=\$?
			stty -a >$STINT_ROOT/after" /dev/null >"$STINT_ROOT/out"
	cat "$STINT_ROOT/out"
	grep -q "got-int" "$STINT_ROOT/out"
	grep -q "status=4" "$STINT_ROOT/out"
	diff "$STINT_ROOT/before" "$STINT_ROOT/after"
}

@test "shell reads commands from a terminal and from a pipe, and exits with the last status" {
	stint up hello --name e
	run bash -c "echo 'echo in-\$((40 + 2)); hostname; exit 5' | '$STINT' shell e"
	[ "$status" -eq 5 ]
	[[ $output == *"in-42"* ]]
	[[ $output == *"$(id_of e)"* ]]
	{ sleep 0.7; printf 'echo in-$((40 + 3))\rexit 6\r'; sleep 0.7; } |
		script -qec "$STINT shell e; echo status=\$?" /dev/null >"$STINT_ROOT/out"
	cat "$STINT_ROOT/out"
	grep -q "in-43" "$STINT_ROOT/out"
	grep -q "status=6" "$STINT_ROOT/out"
}
