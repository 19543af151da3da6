#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # status, output and stderr come from run
# Programs of the host around the life of an instance: when they run, as whom, with what, how long at
# most, and that nothing of them stays.
load helper

setup()
{
	set_up
	TOLD=$(mktemp -d /tmp/stint-told.XXXXXX)
	chmod 1777 "$TOLD"
	hook_program tell 'echo "$STINT_HOOK $STINT_NAME $(id -un)" >>"'"$TOLD"'/told"'
	: >"$TOLD/told"
	chmod 666 "$TOLD/told"
}

teardown()
{
	clean_up
	rm -rf "$TOLD"
}

# hook_program NAME SCRIPT
hook_program()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$TOLD/$1"
	chmod 755 "$TOLD/$1"
}

# quiet HOOKS-YAML: a server that does nothing.
quiet()
{
	template quiet <<-END
		template: quiet
		run: {command: [/bin/sleep, '300'], user: nobody}
		ready: none
		hooks: {$1}
	END
}

told()
{
	cat "$TOLD/told"
}

told_lines()
{
	[ "$(wc -l <"$TOLD/told")" -eq "$1" ]
}

ALL='before_start: [TELL], after_ready: [TELL], before_stop: [TELL], after_end: [TELL]'

@test "each runs once, in order, as nobody where the owner is root" {
	quiet "${ALL//TELL/$TOLD/tell}"
	stint up quiet --name q
	[ "$(told)" = "$(printf 'before_start q nobody\nafter_ready q nobody')" ]
	stint down q
	eventually 5 told_lines 4
	[ "$(told)" = "$(printf '%s q nobody\n' before_start after_ready before_stop after_end)" ]
	# a kill asks nobody
	: >"$TOLD/told"
	stint up quiet --name q
	stint down q --now
	eventually 5 told_lines 3
	[ "$(told)" = "$(printf '%s q nobody\n' before_start after_ready after_end)" ]
	[ -z "$(stint events | grep -w hook)" ]
}

@test "the end comes after the deadline, after a lost keeper, and after a start that failed" {
	quiet "after_end: [$TOLD/tell], before_stop: [$TOLD/tell]"
	stint up quiet --name q --ttl 1s
	eventually 10 told_lines 2
	[ "$(told)" = "$(printf 'before_stop q nobody\nafter_end q nobody')" ]
	stint up quiet --name r
	kill_process stint-keeper r
	stint sweep
	eventually 5 told_lines 3
	STINT_FAULT="launch the keeper:EMFILE" refused 1 "fault on demand" up quiet --name s
	eventually 5 told_lines 4
	[ "$(told | tail -n 2)" = "$(printf 'after_end r nobody\nafter_end s nobody')" ]
}

@test "what a hook finds, and that it inherits nothing" {
	hook_program look 'env | sort >"'"$TOLD"'/env"; pwd; ls -l /proc/self/fd | tail -n +2 | wc -l >"'"$TOLD"'/fds"
ps -o sid=,tty=,pid= -p $$ >"'"$TOLD"'/session"; umask >"'"$TOLD"'/umask"; grep -E "SigBlk|NoNewPrivs" /proc/self/status >"'"$TOLD"'/blocked"; cat /proc/self/oom_score_adj >>"'"$TOLD"'/blocked"'
	template web <<-END
		extends: hello
		ports: {http-admin: 9090}
		hooks: {after_ready: {command: [$TOLD/look], user: root}}
	END
	SECRET_OF_CALLER=x stint up web --name w 8</dev/null
	sed -i '/^_=\|^PWD=\|^SHLVL=\|^OLDPWD=/d' "$TOLD/env"
	[ "$(cat "$TOLD/env")" = "$(sort <<-END
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		STINT_ADDRESS=$(stint show w --json | jq -r .address)
		STINT_HOOK=after_ready
		STINT_ID=$(id_of w)
		STINT_NAME=w
		STINT_OWNER=root
		STINT_PORT_HTTP=$(port_of w)
		STINT_PORT_HTTP_ADMIN=$(port_of w http-admin)
		STINT_TEMPLATE=web
		STINT_ZONE=default
	END
	)" ]
	# 0, 1, 2 and what ls has open itself
	[ "$(cat "$TOLD/fds")" -eq 4 ]
	[ "$(cat "$TOLD/umask")" = 0022 ]
	[[ $(cat "$TOLD/blocked") == *0000000000000000*NoNewPrivs:*1*0 ]]
	read -r sid tty pid <"$TOLD/session"
	[ "$sid" = "$pid" ]
	[ "$tty" = "?" ]
}

@test "a start waits for before_start, and what fails there leaves nothing" {
	hook_program fail 'echo first; echo "no seat is free"; exit 3'
	quiet "before_start: [$TOLD/fail]"
	refused 1 "hook before_start: '$TOLD/fail' exited with status 3: no seat is free" up quiet --name q
	nothing_left
	hook_program die 'kill -SEGV $$'
	quiet "before_start: [$TOLD/die]"
	refused 1 "was killed by signal 11" up quiet --name q
	hook_program slow 'echo waiting; exec sleep 60'
	quiet "before_start: {command: [$TOLD/slow], timeout: 300ms}"
	refused 1 "took longer than 300ms and was killed: waiting" up quiet --name q
	quiet "before_start: [$TOLD/none]"
	refused 1 "exited with status 127: cannot execute it: No such file" up quiet --name q
	quiet "before_start: {command: [$TOLD/tell], user: nobody-at-all}"
	refused 1 "nobody-at-all" up quiet --name q
	nothing_left
}

@test "an interrupted start ends its hook at once" {
	hook_program slow 'echo $$ >"'"$TOLD"'/pid"; exec sleep 60'
	quiet "before_start: [$TOLD/slow]"
	"$STINT" up quiet --name q >"$TOLD/out" 2>&1 3>&- &
	starter=$!
	eventually 5 test -s "$TOLD/pid"
	kill -INT "$starter"
	eventually 3 is_ended "$(cat "$TOLD/pid")"
	wait "$starter" || true
	[[ $(cat "$TOLD/out") == *"hook before_start: '$TOLD/slow' was interrupted"* ]]
	nothing_left
}

@test "an instance is ready when after_ready has ended, and its ports serve before that" {
	hook_program seed 'curl -sS --max-time 5 -o "'"$TOLD"'/page" "http://127.0.0.1:$STINT_PORT_HTTP/" && sleep 0.5'
	template web <<-END
		extends: hello
		hooks: {after_ready: [$TOLD/seed]}
	END
	stint up web --name w
	[ -s "$TOLD/page" ]
	[ "$(stint show w --json | jq '.ready_after_seconds > 0.5')" = true ]
	# a server that is started again does not get another one
	rm "$TOLD/page"
	hook_program seed 'echo "no data"; exit 1'
	refused 1 "hook after_ready: '$TOLD/seed' exited with status 1: no data" up web --name x
	stint down w
	eventually 5 nothing_left
	[[ $(reason_of x) == "hook after_ready: '$TOLD/seed' exited with status 1"* ]]
	[[ $(stint events | grep -w hook) == *"exited with status 1: no data"* ]]
	hook_program seed 'exec sleep 60'
	sed -i "s|after_ready:.*|after_ready: {command: [$TOLD/seed], timeout: 300ms}}|" \
		"$STINT_ROOT/etc/stint/templates/web.yaml"
	refused 1 "took longer than 300ms" up web --name y
}

@test "before_stop comes before the server is asked, and what it does changes nothing" {
	hook_program ask 'stint="$STINT_REASON"; echo "$stint" >"'"$TOLD"'/reason"; sleep 0.3; exit 7'
	quiet "before_stop: [$TOLD/ask]"
	stint up quiet --name q
	stint down q
	[[ $(cat "$TOLD/reason") == "stopped by "* ]]
	[[ $(stint events | grep -w hook) == *"hook before_stop: '$TOLD/ask' exited with status 7"* ]]
	hook_program ask 'exec sleep 60'
	quiet "before_stop: {command: [$TOLD/ask], timeout: 300ms}"
	stint up quiet --name q
	stint down q
	[[ $(reason_of q) == "stopped by "* ]]
	# killed while it runs: it ends with the keeper
	hook_program ask 'echo $$ >"'"$TOLD"'/pid"; exec sleep 60'
	quiet "before_stop: [$TOLD/ask]"
	stint up quiet --name q
	"$STINT" down q 3>&- >/dev/null 2>&1 &
	eventually 5 test -s "$TOLD/pid"
	stint down q --now
	wait
	eventually 3 is_ended "$(cat "$TOLD/pid")"
}

@test "what a hook leaves running is ended with it, whatever it made of itself" {
	hook_program fork '(setsid sh -c "echo \$\$ >'"$TOLD"'/one; exec sleep 60" &) ; (sleep 60 & echo $! >"'"$TOLD"'/two")
	while [ ! -s "'"$TOLD"'/one" ] || [ ! -s "'"$TOLD"'/two" ]; do sleep 0.05; done'
	quiet "before_start: [$TOLD/fork]"
	stint up quiet --name q
	eventually 3 is_ended "$(cat "$TOLD/one")"
	eventually 3 is_ended "$(cat "$TOLD/two")"
	rm "$TOLD/one" "$TOLD/two"
	quiet "after_end: [$TOLD/fork]"
	stint up quiet --name r
	stint down r
	eventually 5 test -s "$TOLD/two"
	eventually 3 is_ended "$(cat "$TOLD/one")"
	eventually 3 is_ended "$(cat "$TOLD/two")"
}

@test "who waits for an end does not wait for its hook, and the hook holds nothing" {
	hook_program slow 'sleep 2; echo done >>"'"$TOLD"'/told"'
	quiet "after_end: [$TOLD/slow]"
	for i in 1 2 3 4 5; do stint up quiet --name "q$i"; done
	begin=$(date +%s%N)
	stint down --all
	[ $((($(date +%s%N) - begin) / 1000000)) -lt $((2000 * SLOW)) ]
	no_instances
	stint up quiet --name q1
	stint down q1
	eventually 10 told_lines 6
}

hook_events()
{
	[ "$(stint events | grep -cw hook)" -eq "$1" ]
}

@test "what reads a command's output does not wait for the hook, and reads nothing of it" {
	hook_program bad 'sleep 2; exit 3'
	quiet "after_end: [$TOLD/bad]"
	stint up quiet --name q
	stint up quiet --name r
	begin=$(date +%s%N)
	said=$(stint down q 2>&1)
	[ $((($(date +%s%N) - begin) / 1000000)) -lt $((2000 * SLOW)) ]
	stint down r >"$TOLD/file" 2>&1
	eventually 10 hook_events 2
	[[ $said != *status*3* ]]
	! grep "status 3" "$TOLD/file"
}

@test "a kept instance has its end once" {
	quiet "after_end: [$TOLD/tell]"
	stint up quiet --name q --keep-failed 1m
	kill_process sleep q
	eventually 5 told_lines 1
	stint down q
	sleep 0.3
	told_lines 1
}

@test "only programs by their whole path" {
	quiet "after_end: [tell]"
	refused 1 "runs on the host; write the absolute path of the program" template check quiet
	quiet "after_end: {command: [$TOLD/tell], timeout: 2m, user: root}, before_start: [$TOLD/tell]"
	[ "$(stint plan quiet --json | jq -c '.hooks | [.after_end.timeout, .after_end.user, .before_start.timeout]')" = \
		'[120,"root",30]' ]
}
