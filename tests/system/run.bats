#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run: a command beside an instance, or the server itself.
load helper

@test "the command gets the instance's name, address and each port, and the caller's own world" {
	payload two "[$PROBE/bin/probe, print, up, tcp-listen, '7001']" \
		$'ports: {first: {port: 7001, scheme: http}, http-admin: 7002}\nready: {log: up}'
	(cd /usr/share && echo input | MINE=kept stint run two --name r -- bash -c \
		'env | grep ^STINT_; echo "mine=$MINE cwd=$PWD in=$(cat)"' >"$STINT_ROOT/out")
	port=$(sed -n 's/^STINT_PORT_FIRST=//p' "$STINT_ROOT/out")
	[ "$port" -gt 0 ]
	grep -qx "STINT_NAME=r" "$STINT_ROOT/out"
	grep -qx "STINT_HOST=127.0.0.1" "$STINT_ROOT/out"
	grep -qx "STINT_URL=http://127.0.0.1:$port" "$STINT_ROOT/out"
	grep -q "^STINT_PORT_HTTP_ADMIN=[1-9]" "$STINT_ROOT/out"
	grep -qx "mine=kept cwd=/usr/share in=input" "$STINT_ROOT/out"
	nothing_left
}

@test "the command's output is its own, byte for byte" {
	stint run hello -- sh -c 'printf out; printf err >&2' >"$STINT_ROOT/out" 2>"$STINT_ROOT/err"
	[ "$(cat "$STINT_ROOT/out")" = out ]
	[[ $(cat "$STINT_ROOT/err") == *err ]]
	nothing_left
}

@test "run exits with the command's status, also when a signal ended it" {
	for wanted in 0 1 9 125 200 255; do
		run stint run hello -- sh -c "exit $wanted"
		[ "$status" -eq "$wanted" ]
	done
	run stint run hello -- sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	run stint run hello -- sh -c 'kill -SEGV $$'
	[ "$status" -eq 139 ]
	nothing_left
}

@test "a command that does not exist is 127, one that cannot be executed 126" {
	run -127 stint run hello -- nosuchcommand
	[[ $output == *"nosuchcommand"* ]]
	echo text >"$STINT_ROOT/file"
	run stint run hello -- "$STINT_ROOT/file"
	[ "$status" -eq 126 ]
	nothing_left
}

@test "125 and a sentence when stint itself failed" {
	refused 125 "no template named 'nope'" run nope -- true || refused 125 "nope" run nope -- true
	refused 125 "usage: stint run" run
	refused 125 "unknown option" run hello --nope -- true
	refused 125 "--memory" run hello --memory 1 -- true
	refused 125 "" run hello --
	refused 125 "exited with status 3" run hello -e HELLO_EXIT_AFTER=0 -e HELLO_EXIT_STATUS=3 -- true
	printf 'template: n\nextends: hello\nready: {timeout: 1s}\n' | template n
	refused 125 "not ready within" run n -e HELLO_NEVER_READY=1 -- touch "$STINT_ROOT/ran"
	[ ! -e "$STINT_ROOT/ran" ]
	stint up hello --name taken
	refused 125 "taken" run hello --name taken -- true
	[ "$(stint ls -q)" = taken ]
}

@test "a signal to run reaches the command, which may end in its own way" {
	local pid

	"$STINT" run hello --name r -- bash -c \
		'trap "echo got-term; exit 42" TERM; echo started; while :; do sleep 0.05; done' \
		>"$STINT_ROOT/out" 2>/dev/null 3>&- &
	pid=$!
	eventually 10 grep -qs started "$STINT_ROOT/out"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 42 ]
	grep -q got-term "$STINT_ROOT/out"
	nothing_left
}

@test "the command goes on when the server dies, and is told" {
	run --separate-stderr stint run hello --name r -- sh -c \
		'curl -s "$STINT_URL/crash?status=4"; sleep 0.5; echo still here'
	[ "$status" -eq 0 ]
	[[ $output == *"still here"* ]]
	[[ $stderr == *"'r' has ended: server exited with status 4"* ]]
	nothing_left
}

@test "without a command the server's output and status are run's own" {
	payload p "[$PROBE/bin/probe, print, to-out, error, to-err, spam, '200000', exit, '7']" 'ready: none'
	run --separate-stderr stint run p
	[ "$status" -eq 7 ]
	[ "${lines[0]}" = to-out ]
	[ "$stderr" = to-err ]
	[ "$(wc -c <<<"$output")" -ge 200000 ]
	nothing_left
}

@test "any program can be the server, with ready: none" {
	payload t "[/bin/true]" 'ready: none'
	stint run t
	payload f "[/bin/sh, -c, 'exit 5']" 'ready: none'
	run stint run f
	[ "$status" -eq 5 ]
	payload s "[$PROBE/bin/probe, signal, KILL]" 'ready: none'
	run stint run s
	[ "$status" -eq 137 ]
	nothing_left
}

@test "an interrupted run without a command stops the server and exits with the signal" {
	local pid

	payload w "[$PROBE/bin/probe, print, up, wait-term, print, ended]" 'ready: none'
	"$STINT" run w --name w >"$STINT_ROOT/out" 2>&1 3>&- &
	pid=$!
	eventually 10 grep -qs up "$STINT_ROOT/out"
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	grep -q terminated "$STINT_ROOT/out"
	nothing_left
}

@test "run ends with the lease, and the command is told" {
	local begun

	begun=$(date +%s%N)
	run --separate-stderr stint run hello --name r --ttl 1s -- sh -c \
		'until ! curl -s -o /dev/null "$STINT_URL/"; do sleep 0.05; done; echo cut; sleep 0.5'
	[ "$status" -eq 0 ]
	[[ $output == *cut* ]]
	[[ $stderr == *"'r' has ended: expired"* ]]
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 3000 ]
	nothing_left
}

@test "SIGKILL of run ends its command, its server and everything else" {
	local pid

	"$STINT" run hello --name r -- sleep 61237 >/dev/null 2>&1 3>&- &
	pid=$!
	runs() { pgrep -f '^sleep 61237' >/dev/null; }
	eventually 10 runs
	kill -KILL "$pid"
	eventually 10 nothing_left
	run ! runs
}
