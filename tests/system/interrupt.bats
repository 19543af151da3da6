#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signals at every moment of up and run, and what an instance outlives. The moments are spread over
# the time that the whole start takes on this machine, so that slow machines and builds are hit in
# the same places.
load helper

# Control groups that a test made for its caller, to be removed also when it fails.
CALLER_GROUPS=()

teardown()
{
	local group

	kill_groups "${CALLER_GROUPS[@]}"
	for group in "${CALLER_GROUPS[@]}"; do
		[ ! -d "$group" ] || eventually 2 rmdir "$group" || true
	done
	clean_up
}

# A build with sanitizers takes ten times as long for each, an emulated processor more.
MOMENTS=40
[ -z "${STINT_SANITIZED-}" ] && [ "$SLOW" = 1 ] || MOMENTS=10

# interrupted SIGNAL MICROSECONDS COMMAND...: STATUS is what the command ended with. Started by a
# child with default signals, and signalled once it is there: a shell's background job would ignore
# SIGINT.
interrupted()
{
	local signal=$1 after=$2 pid

	shift 2
	env --default-signal=INT,QUIT,TERM,HUP "$STINT" "$@" >"$STINT_ROOT/out" 2>&1 3>&- &
	pid=$!
	eventually 5 is_started "$pid"
	sleep "$(printf '%d.%06d' $((after / 1000000)) $((after % 1000000)))"
	kill "-$signal" "$pid" 2>/dev/null || true
	STATUS=0
	wait "$pid" || STATUS=$?
}

# Also what has ended by now.
is_started()
{
	case $(readlink "/proc/$1/exe") in
	*/bash | */env) return 1 ;;
	esac
}

# The microseconds from the start of `up` to its end when the server is ready at once.
length_of_start()
{
	local begun ended

	begun=$(date +%s%N)
	stint up hello --name measured >/dev/null 2>&1
	ended=$(date +%s%N)
	stint down measured >/dev/null
	echo $(((ended - begun) / 1000))
}

# Either the command had done its work before the signal, or nothing of it exists.
all_or_nothing()
{
	local name=$1

	if [ "$STATUS" -eq 0 ]; then
		[ "$(state_of "$name")" = ready ]
		stint down "$name" >/dev/null
	else
		[ "$STATUS" -gt 1 ]
	fi
	[ -z "$(stint ls -q)" ]
	[ -z "$(leftovers)" ]
}

@test "a signal at any of many moments of up leaves a ready instance or nothing" {
	local signals=(INT TERM HUP QUIT) length i

	length=$(length_of_start)
	for ((i = 0; i < MOMENTS; i++)); do
		interrupted "${signals[i % 4]}" $((length * i * 12 / (10 * MOMENTS))) up hello --name i
		echo "$i: ${signals[i % 4]}, status $STATUS: $(cat "$STINT_ROOT/out")"
		all_or_nothing i
	done
}

@test "a signal while the server starts takes it down, says so, and exits with 128 and the signal" {
	local signal

	for signal in INT:130 TERM:143 HUP:129; do
		interrupted "${signal%:*}" 300000 up hello --name slow -e HELLO_START_SECONDS=60
		[ "$STATUS" -eq "${signal#*:}" ]
		grep -q "interrupted; 'slow' was taken down" "$STINT_ROOT/out"
		[ -z "$(leftovers)" ]
	done
}

@test "SIGKILL at any of many moments of up leaves an instance that works, or nothing after a sweep" {
	local length i

	length=$(length_of_start)
	for ((i = 0; i < MOMENTS; i++)); do
		interrupted KILL $((length * i * 11 / (10 * MOMENTS))) up hello --name "k$i"
	done
	eventually 10 settled
	for name in $(stint ls -q); do
		get "http://127.0.0.1:$(port_of "$name")/" >/dev/null
		stint down "$name" >/dev/null
	done
	stint sweep
	[ -z "$(leftovers)" ]
}

# No instance that is on its way to somewhere.
settled()
{
	stint sweep >/dev/null
	[ "$(stint ls --json | jq 'map(select(.state != "ready")) | length')" -eq 0 ]
}

@test "a signal at any of many moments of run leaves nothing, and ends the command" {
	local signals=(INT TERM HUP KILL) length i

	length=$(length_of_start)
	for ((i = 0; i < MOMENTS; i++)); do
		interrupted "${signals[i % 4]}" $((length * i * 15 / (10 * MOMENTS))) \
			run hello --name "r$i" -- sleep 61234
		echo "$i: ${signals[i % 4]}, status $STATUS: $(cat "$STINT_ROOT/out")"
		[ "$STATUS" -ne 0 ]
		# one whose run was killed may still be ending
		if [ "${signals[i % 4]}" != KILL ]; then
			[ -z "$(stint ls -q | grep -x "r$i")" ]
		fi
	done
	swept() { stint sweep >/dev/null && nothing_left; }
	eventually 10 swept
	eventually 5 no_process_called 61234
}

no_process_called()
{
	! pgrep -f "sleep $1" >/dev/null
}

@test "a signal while down waits for the server ends only the waiting" {
	payload stubborn "[$PROBE/bin/probe, ignore-term, print, up, sleep, '300']" 'ready: {log: up}'
	stint up stubborn --name s
	interrupted INT 200000 down s
	eventually 10 no_instances
	nothing_there() { [ -z "$(leftovers)" ]; }
	eventually 5 nothing_there
}

@test "Ctrl-C on a terminal ends up and the server that was starting" {
	# the terminal's own line discipline makes the signal from the byte
	{ sleep 0.4; printf '\003'; sleep 2; } |
		script -qec "$STINT up hello --name i -e HELLO_START_SECONDS=60; echo status=\$?" \
			/dev/null >"$STINT_ROOT/out" || true
	cat "$STINT_ROOT/out"
	grep -q "interrupted" "$STINT_ROOT/out"
	no_instances
	[ -z "$(leftovers)" ]
}

@test "a terminal that goes away ends up and run while they wait" {
	local pid

	for words in "up hello --name i -e HELLO_START_SECONDS=60" "run hello --name i -- sleep 61235"; do
		script -qec "$STINT $words" /dev/null </dev/zero >/dev/null 2>&1 3>&- &
		pid=$!
		there() { [ "$(stint ls -q)" = i ]; }
		eventually 5 there
		kill -KILL "$pid"
		wait "$pid" || true
		eventually 10 nothing_left
	done
	eventually 5 no_process_called 61235
}

@test "an instance outlives a SIGKILL to its caller's session and process group" {
	setsid bash -c '"$0" up hello --name s >/dev/null 2>&1; kill -KILL -- -$$' "$STINT" || true
	[ "$(state_of s)" = ready ]
	get "http://127.0.0.1:$(port_of s)/" >/dev/null
}

@test "an instance outlives its caller's terminal" {
	script -qec "$STINT up hello --name t" /dev/null >/dev/null
	[ "$(state_of t)" = ready ]
	get "http://127.0.0.1:$(port_of t)/" >/dev/null
	# nothing of the instance has a terminal, or stands in a session of ours
	for pid in $(processes_left); do
		[ "$(cut -d' ' -f7 <"/proc/$pid/stat")" -eq 0 ]
		[ "$(cut -d' ' -f6 <"/proc/$pid/stat")" -ne "$(cut -d' ' -f6 </proc/self/stat)" ]
	done
}

@test "an instance holds nothing of its caller: descriptors, directory, environment, affinity" {
	mkdir "$STINT_ROOT/here"
	exec 7<"$STINT_ROOT/etc"
	(cd "$STINT_ROOT/here" && SECRET_OF_CALLER=x taskset -c 0 nice -n 5 "$STINT" up hello --name h)
	exec 7<&-
	[ -n "$(processes_of stint-keeper h)" ]
	for pid in $(processes_left); do
		[ "$(readlink "/proc/$pid/cwd")" = / ]
		run ! grep -qz SECRET_OF_CALLER "/proc/$pid/environ"
		[ -z "$(find "/proc/$pid/fd" -lname "$STINT_ROOT/etc")" ]
		[ -z "$(find "/proc/$pid/fd" -lname "$STINT_ROOT/here")" ]
		[ -z "$(find "/proc/$pid/fd" -lname '/dev/pts/*')" ]
		[ "$(taskset -p "$pid" | sed 's/.*: //')" = "$(taskset -p $$ | sed 's/.*: //')" ]
		[ "$(cut -d' ' -f19 <"/proc/$pid/stat")" -eq 0 ]
	done
	rmdir "$STINT_ROOT/here"
}

@test "an instance outlives the killing and removal of its caller's control groups" {
	local hierarchy name=stint-test-$$-$RANDOM

	for hierarchy in "$CONTROLLERS" "$CONTROLLERS"/*/; do
		[ -e "$hierarchy/cgroup.procs" ] || continue
		mkdir "$hierarchy/$name" 2>/dev/null && CALLER_GROUPS+=("${hierarchy%/}/$name")
	done
	[ "${#CALLER_GROUPS[@]}" -ge 1 ]
	for hierarchy in "${CALLER_GROUPS[@]}"; do
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$hierarchy/$file" ] || cat "${hierarchy%/*}/$file" >"$hierarchy/$file"
		done
	done
	# the caller stays in its groups after up, so that there is something to kill
	bash -c 'stint=$1; shift
		for group; do echo $$ >"$group/cgroup.procs" || exit 99; done
		"$stint" up hello --name g >/dev/null && sleep 61236' caller "$STINT" "${CALLER_GROUPS[@]}" 3>&- &
	is_ready() { [ "$(state_of g 2>/dev/null)" = ready ]; }
	eventually 10 is_ready
	kill_groups "${CALLER_GROUPS[@]}"
	wait || true
	eventually 5 no_process_called 61236
	for hierarchy in "${CALLER_GROUPS[@]}"; do
		eventually 2 rmdir "$hierarchy"
	done
	get "http://127.0.0.1:$(port_of g)/" >/dev/null
}

kill_groups()
{
	local group pid

	for group; do
		for pid in $(cat "$group/cgroup.procs"); do
			kill -KILL "$pid" 2>/dev/null || true
		done
	done
}

@test "a reader of up's output to its end does not wait for the instance" {
	result=$(timeout 10 "$STINT" up hello --name q 2>&1)
	[[ $result == *"q is ready"* ]]
	timeout 10 "$STINT" up hello --name r 2>&1 | cat >"$STINT_ROOT/out"
	grep -q "r is ready" "$STINT_ROOT/out"
	# standard error in the pipe as well, and a caller that reads on after the command's end
	timeout 10 bash -c '"$0" up hello --name s 2>&1 | tail -n 1' "$STINT"
	[ "$(stint ls --json | jq 'map(select(.state == "ready")) | length')" -eq 3 ]
}

@test "a reader that closes the pipe early does not take the instance with it" {
	stint up hello --name p -e HELLO_START_SECONDS=0.3 2>&1 | head -n 1
	stint up hello --name c >&- 2>&-
	stint up hello --name d </dev/null >/dev/full 2>/dev/null || true
	for name in p c; do
		[ "$(state_of "$name")" = ready ]
		get "http://127.0.0.1:$(port_of "$name")/" >/dev/null
	done
}
