#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What happens when a process of an instance is killed, and what a sweep finds and leaves alone.
load helper

@test "a killed keeper takes everything inside with it, and ls never shows it as running" {
	local port

	stint up hello --name k
	port=$(port_of k)
	kill_process stint-keeper k
	# the kernel's part needs no command of ours
	closed() { ! get "http://127.0.0.1:$port/" >/dev/null 2>&1; }
	eventually 2 closed
	no_processes() { [ -z "$(processes_left)" ]; }
	eventually 2 no_processes
	no_instances
	nothing_left
	[ "$(reason_of k)" = "keeper lost" ]
}

@test "a keeper killed at any of 20 moments after the start leaves what a sweep removes" {
	local i pid

	for i in {1..20}; do
		"$STINT" up hello --name "k$i" --no-wait -e HELLO_START_SECONDS=5 >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.0$(printf '%02d' $((i * 4)))"
		pkill -KILL -x stint-keeper --parent "$pid" || true
		wait "$pid" || true
		[ -z "$(pgrep -x stint-keeper --parent "$pid")" ]
	done
	settle() {
		local name
		stint sweep >/dev/null
		for name in $(stint ls -q); do stint down "$name" --now >/dev/null; done
		nothing_left
	}
	eventually 10 settle
}

@test "the name of an instance whose keeper was killed is free for the next start" {
	local i

	for i in 1 2 3; do
		stint up hello --name k
		kill_process stint-keeper k
	done
	stint up hello --name k
	[ "$(stint history k --json | jq -c '[.[].reason]')" = '["keeper lost","keeper lost","keeper lost"]' ]
}

@test "a start ends what is overdue, and what has lost its keeper, in passing" {
	local keeper

	stint up hello --name z --ttl 2s
	keeper=$(processes_of stint-keeper z)
	# shellcheck disable=SC2086 # keeper and, until they have names of their own, its children
	kill -STOP $keeper
	stint up hello --name k
	kill_process stint-keeper k
	sleep 4.2
	stint up hello --name other
	[[ "$(reason_of z)" == expired* ]]
	[ "$(reason_of k)" = "keeper lost" ]
}

@test "keeper, init and forwarder killed together" {
	local pids

	stint up hello --name a
	pids=$(processes_left)
	# shellcheck disable=SC2086 # several
	kill -KILL $pids
	eventually 3 nothing_left
	stint sweep
	[ "$(reason_of a)" = "keeper lost" ]
}

@test "a killed init or server ends the instance and says why, by itself" {
	stint up hello --name i
	kill_process stint-init i
	# no command of ours in the meantime: the keeper cleans up
	gone() { [ -z "$(leftovers)" ]; }
	eventually 3 gone
	[[ $(reason_of i) == *"init was lost"* ]]
	stint up hello --name s
	kill_process hello s
	eventually 3 gone
	[[ $(reason_of s) == *"signal 9"* ]]
	stint up hello --name e -e HELLO_EXIT_AFTER=0.3 -e HELLO_EXIT_STATUS=5
	eventually 5 gone
	[ "$(reason_of e)" = "server exited with status 5" ]
}

@test "a killed forwarder is replaced, again and again within reason" {
	local port i

	stint up hello --name f
	port=$(port_of f)
	answers() { get "http://127.0.0.1:$port/" >/dev/null 2>&1; }
	for i in 1 2 3; do
		kill_process stint-forwarder f
		eventually 5 answers
	done
	[ "$(state_of f)" = ready ]
	[ "$(stint show f --json | jq .restarts)" -eq 0 ] || [ "$(stint show f --json | jq .restarts)" = null ]
}

@test "a stopped keeper cannot keep an instance past its deadline: a sweep ends it" {
	local keeper

	stint up hello --name z --ttl 2s
	keeper=$(processes_of stint-keeper z)
	# shellcheck disable=SC2086 # keeper and, until they have names of their own, its children
	kill -STOP $keeper
	swept() { stint sweep >/dev/null; nothing_left; }
	eventually 12 swept
	[[ $(reason_of z) == expired* ]]
}

@test "down --now ends an instance whose keeper is stopped" {
	stint up hello --name z
	# shellcheck disable=SC2046 # keeper and, until they have names of their own, its children
	kill -STOP $(processes_of stint-keeper z)
	run -0 timeout -s KILL $((40 * SLOW)) "$STINT" down z --now
	nothing_left
}

@test "orphans and zombies inside end with their instance" {
	payload o "[$PROBE/bin/probe, orphans, '20', zombies, '20', print, up, sleep, '300']" 'ready: {log: up}'
	stint up o --name o
	[ "$(processes_left | wc -l)" -ge 20 ]
	# init reaps what has no parent
	none_defunct() { ! stint exec o -- "$PROBE/bin/probe" ps | awk '$3 == "Z"' | grep -q .; }
	eventually 5 none_defunct
	stint down o
	nothing_left
}

@test "the server's children die with it" {
	payload c "[/bin/sh, -c, 'sleep 61241 & sleep 61241 & echo up; wait']" 'ready: {log: up}'
	stint up c --name c
	kill_process sh c
	eventually 3 nothing_left
	run ! pgrep -f 'sleep 61241'
}

@test "directories, lock files and control groups without a record are swept" {
	local group

	stint ls >/dev/null
	mkdir -p "$STINT_ROOT"/var/lib/stint/i/0123abcd/layer/0/upper/some "$STINT_ROOT"/run/stint/i/1123abcd
	echo x >"$STINT_ROOT/var/lib/stint/i/0123abcd/layer/0/upper/some/file"
	: >"$STINT_ROOT/run/stint/lock/2123abcd"
	for group in "$CONTROLLERS" "$CONTROLLERS"/{unified,memory,pids}; do
		[ -e "$group/cgroup.procs" ] && mkdir -p "$group/$GROUP/3123abcd/server"
	done
	run stint sweep
	[ "$status" -eq 0 ]
	[[ $output == *"4 strays removed"* ]]
	[ -z "$(leftovers)" ]
	[ "$(stint sweep)" = "nothing to sweep" ]
	[ "$(stint sweep --json | jq -c "[.ended, .strays, .left]")" = "[0,0,0]" ]
}

@test "a sweep kills what runs in a stray control group" {
	local group=$CONTROLLERS/unified

	[ -d "$group" ] || group=$CONTROLLERS
	stint ls >/dev/null
	mkdir -p "$group/$GROUP/4123abcd/server" 2>/dev/null || skip "no control group can be made"
	bash -c 'echo $$ >"$0/cgroup.procs" && exec sleep 61242' "$group/$GROUP/4123abcd/server" 3>&- &
	pid=$!
	inside() { grep -qs 4123abcd "/proc/$pid/cgroup"; }
	eventually 3 inside
	stint sweep
	eventually 2 is_ended "$pid"
	[ -z "$(leftovers)" ]
}

@test "a sweep leaves alone what lives, also while it is being made" {
	local i

	stint up hello --name alive
	for i in {1..10}; do
		"$STINT" up hello --name "n$i" >"$STINT_ROOT/out.$i" 2>&1 3>&- &
		"$STINT" sweep >>"$STINT_ROOT/sweeps" 2>&1 3>&- &
		"$STINT" ls >/dev/null 2>&1 3>&- &
	done
	wait
	cat "$STINT_ROOT"/out.* "$STINT_ROOT/sweeps"
	[ "$(stint ls --json | jq 'map(select(.state == "ready")) | length')" -eq 11 ]
	run ! grep -v "nothing to sweep" "$STINT_ROOT/sweeps"
	get "http://127.0.0.1:$(port_of alive)/" >/dev/null
}

@test "start and end at the same time do not disturb one another" {
	local i

	for i in {1..10}; do
		( "$STINT" up hello --name "c$i" && "$STINT" down "c$i" ) >"$STINT_ROOT/out.$i" 2>&1 3>&- &
	done
	wait
	cat "$STINT_ROOT"/out.*
	[ "$(cat "$STINT_ROOT"/out.* | grep -c 'is gone')" -eq 10 ]
	nothing_left
}

@test "what an instance made unreadable or deep is removed all the same" {
	local home=$STINT_BUILD/share/stint/hello

	stint up hello --name u
	stint exec u -- sh -c "cd $home && mkdir -m 000 closed && i=0 && while [ \$i -lt 300 ]; do
		mkdir directory-that-is-nested && cd directory-that-is-nested; i=\$((i + 1)); done; touch end"
	stint exec u -- sh -c "cd $home && ln -s /etc/passwd link && mkfifo pipe"
	stint down u
	nothing_left
	[ -e /etc/passwd ]
}
