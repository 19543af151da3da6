#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run, exec, shell, logs, cp, diff, extend, show, plan, template, history, doctor, version, help.
load helper

@test "run gives its command the address and exits with its status" {
	run --separate-stderr stint run hello --name r -- sh -c \
		'echo "$STINT_NAME $STINT_HOST"; curl -s "$STINT_URL/health/liveness"; curl -s "http://$STINT_HOST:$STINT_PORT_HTTP/health/liveness"; exit 9'
	[ "$status" -eq 9 ]
	[[ $output == *"r 127.0.0.1"* ]]
	[ "$(grep -o UP <<<"$output" | wc -l)" -eq 2 ]
	[ "$(stint ls)" = "no instances" ]
}

@test "run without a command shows the server's output and exits with its status" {
	payload p "[$PROBE/bin/probe, print, to-out, error, to-err, exit, '7']" 'ready: none'
	run --separate-stderr stint run p
	[ "$status" -eq 7 ]
	[ "$output" = to-out ]
	[ "$stderr" = to-err ]
	payload k "[$PROBE/bin/probe, signal, '9']" 'ready: none'
	run stint run k
	[ "$status" -eq 137 ]
}

@test "run exits 125 when stint itself failed" {
	run stint run hello --ttl abc -- true
	[ "$status" -eq 125 ]
	run stint run hello -e HELLO_EXIT_AFTER=0 -- true
	[ "$status" -eq 125 ]
	run stint run hello -- /nonexistent
	[ "$status" -eq 127 ]
}

@test "exec passes streams and statuses" {
	stint up hello --name e
	[ "$(echo in | stint exec e -- cat)" = in ]
	[ "$(stint exec e -- sh -c 'echo err >&2' 2>&1 >/dev/null)" = err ]
	run stint exec e -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	run stint exec e -- nosuchcommand
	[ "$status" -eq 127 ]
	run stint exec e -- /etc/hostname
	[ "$status" -eq 126 ]
	run stint exec e -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	head -c 10000000 /dev/urandom >"$STINT_ROOT/data"
	[ "$(stint exec e -- cat <"$STINT_ROOT/data" | sha256sum)" = "$(sha256sum <"$STINT_ROOT/data")" ]
	for i in 1 2 3 4 5 6 7 8; do
		stint exec e -- sh -c "echo $i" >"$STINT_ROOT/exec.$i" 3>&- &
	done
	wait
	[ "$(cat "$STINT_ROOT"/exec.* | sort | tr -d '\n')" = 12345678 ]
}

@test "a command inside ends with the exec that started it" {
	stint up hello --name e
	"$STINT" exec e -- sleep 4711 3>&- &
	pid=$!
	runs() { pgrep -x sleep -a | grep -q 4711; }
	eventually 5 runs
	kill -KILL "$pid"
	ended() { ! pgrep -f 'sleep 4711' >/dev/null; }
	eventually 5 ended
}

@test "exec on a terminal gets one of the instance's own, with the caller's size" {
	stint up hello --name e
	run script -qec "stty rows 33 cols 101; $STINT exec e -- sh -c 'tty; stty size'" /dev/null
	[[ $output == *"/dev/pts/0"* ]]
	[[ $output == *"33 101"* ]]
	run script -qec "echo 'echo in-\$((40 + 2)); exit' | $STINT shell e" /dev/null
	[[ $output == *"in-42"* ]]
}

@test "logs shows both streams, the last lines, and follows to the end" {
	payload l "[$PROBE/bin/probe, print, one, error, two, print, three, sleep, '300']" 'ready: {log: three}'
	stint up l --name l
	[ "$(stint logs l 2>/dev/null)" = $'one\nthree' ]
	[ "$(stint logs l 2>&1 >/dev/null)" = two ]
	[ "$(stint logs l --lines 1 2>&1 | wc -l)" -eq 1 ]
	"$STINT" logs -f l >"$STINT_ROOT/follow" 2>&1 3>&- &
	pid=$!
	stint down l
	wait "$pid"
	grep -q three "$STINT_ROOT/follow"
}

@test "cp copies in and out, and diff shows what changed" {
	stint up hello --name c
	home=$STINT_BUILD/share/stint/hello
	[ -z "$(stint diff c | grep -v 'server.log\|uuid\|requests')" ]
	echo content >"$STINT_ROOT/file"
	stint cp "$STINT_ROOT/file" "c:$home/packages/new"
	stint cp "c:$home/packages/new" "$STINT_ROOT/back"
	cmp "$STINT_ROOT/file" "$STINT_ROOT/back"
	stint exec c -- rm "$home/packages/greeting"
	stint exec c -- sh -c "echo more >>$home/config/server.cnf"
	run stint diff c
	[[ $output == *"A $home/packages/new"* ]]
	[[ $output == *"D $home/packages/greeting"* ]]
	[[ $output == *"C $home/config/server.cnf"* ]]
	[ -e "$home/packages/greeting" ]
	stint exec c -- ln -s /etc/shadow "$home/packages/link"
	run stint cp "c:$home/packages/link" "$STINT_ROOT/shadow"
	[ "$status" -ne 0 ]
	[ ! -e "$STINT_ROOT/shadow" ]
}

@test "extend moves the deadline, up to the maximum" {
	stint up hello --name x --ttl 10m
	run stint extend x +1h
	[[ $output == *"1h 09m"* ]]
	[ "$(stint show x --json | jq -r .deadline_set_by)" = extend ]
	run stint extend x +30h
	[ "$status" -eq 5 ]
	stint extend x --until "$(date -d '+20 minutes' +%H:%M)"
	left=$(stint show x --json | jq '.left_seconds | floor')
	[ "$left" -le 1200 ]
	run stint extend x 1h
	[ "$status" -eq 2 ]
	stint up hello --name y --ttl 2s
	stint extend y +1h
	sleep 2.5
	[[ $(stint ls -q) == *y* ]]
}

@test "every list fits in 80 columns, and every --json is JSON" {
	stint up hello --name integration >/dev/null
	for command in ls "show integration" doctor "template ls" history help "help up" version; do
		[ "$(stint $command | wc -L)" -le 80 ]
	done
	for command in ls "show integration" "diff integration" doctor "template ls" history version "plan hello" "plan tomcat" sweep "template check hello"; do
		stint $command --json | jq . >/dev/null
	done
}

@test "plan prints the canonical plan, which is a template of the same plan" {
	stint plan node-red --set home=/opt/elsewhere >"$STINT_ROOT/plan.yaml"
	grep -q '/opt/elsewhere/data' "$STINT_ROOT/plan.yaml"
	[ "$(stint plan "$STINT_ROOT/plan.yaml")" = "$(cat "$STINT_ROOT/plan.yaml")" ]
	stint template check "$STINT_ROOT/plan.yaml"
	stint template show hello | grep -q '^template: hello'
	run stint template ls
	[[ $output == *tomcat* && $output == *node-red* && $output == *hello* ]]
}
