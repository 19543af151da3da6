#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# However a caller or a process of an instance ends, nothing is left behind.
load helper

# signal_at SIGNAL MILLISECONDS COMMAND...: starts it, sends the signal after that time.
signal_at()
{
	local signal=$1 delay=$2 pid
	shift 2
	"$STINT" "$@" >/dev/null 2>&1 3>&- &
	pid=$!
	sleep "$(printf '0.%03d' "$delay")"
	kill "-$signal" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

none_left()
{
	stint sweep >/dev/null && [ -z "$(leftovers)" ]
}

@test "an interrupted up leaves nothing at any moment" {
	# a job of a script has SIGINT ignored: HUP and TERM take the same way
	for ms in 1 2 3 4 5 6 8 10 12 15 20 30 50 80; do
		for signal in TERM HUP; do
			signal_at "$signal" "$ms" up hello --name i --env HELLO_START_SECONDS=5
			[ -z "$(stint ls -q)" ]
		done
	done
	[ -z "$(leftovers)" ]
}

@test "Ctrl-C on a terminal takes down what was being started" {
	script -qec "timeout -s INT --foreground 0.5 $STINT up hello --name i -e HELLO_START_SECONDS=9" /dev/null || true
	[ -z "$(stint ls -q)" ]
	[ -z "$(leftovers)" ]
}

@test "an up that is killed leaves nothing a sweep does not find" {
	for ms in 1 2 3 4 5 6 8 10 12 15 20 30 50; do
		signal_at KILL "$ms" up hello --name "k$ms" --env HELLO_START_SECONDS=5
	done
	eventually 5 none_left
}

@test "a run that is killed takes its instance with it" {
	for ms in 5 10 20 40 100 200; do
		signal_at KILL "$ms" run hello --name "k$ms" -- sleep 60
	done
	eventually 5 none_left
}

@test "an interrupted run ends its command and its instance" {
	signal_at TERM 400 run hello --name r -- sleep 77
	[ -z "$(stint ls -q)" ]
	run ! pgrep -f 'sleep 77'
}

@test "an instance outlives its caller's session, group and pipe" {
	setsid bash -c '"$0" up hello --name s >/dev/null 2>&1; kill -KILL 0' "$STINT" || true
	stint up hello --name p 2>/dev/null | head -1 >/dev/null
	result=$(stint up hello --name q 2>&1)
	[[ $result == *"q is ready"* ]]
	script -qec "$STINT up hello --name t" /dev/null >/dev/null
	for name in s p q t; do
		get "http://127.0.0.1:$(port_of "$name")/" >/dev/null
	done
}

@test "an instance outlives its caller's control groups" {
	local hierarchy mine name=stint-test-$$-$RANDOM
	for hierarchy in "$CONTROLLERS"/{memory,pids,cpu,systemd,unified}; do
		[ -d "$hierarchy" ] && mkdir "$hierarchy/$name"
	done
	[ -d "$CONTROLLERS/unified" ] || mkdir "$CONTROLLERS/$name"
	bash -c 'for g in "$2"/{*/,}"$1"/cgroup.procs; do [ -e "$g" ] && echo $$ >"$g"; done
		exec "$0" up hello --name g' "$STINT" "$name" "$CONTROLLERS"
	for hierarchy in "$CONTROLLERS"/{*/,}"$name"; do
		[ -d "$hierarchy" ] || continue
		[ -z "$(cat "$hierarchy/cgroup.procs")" ]
		rmdir "$hierarchy"
	done
	get "http://127.0.0.1:$(port_of g)/" >/dev/null
}

process_of()
{
	local pid id

	id=$(id_of "$2")
	for pid in $(pgrep -x "$1"); do
		grep -qs "/$id/" "/proc/$pid/cgroup" && echo "$pid"
	done
}

gone()
{
	[ -z "$(stint ls -q)" ] && [ -z "$(leftovers)" ]
}

@test "a killed keeper ends everything inside, and a sweep the rest" {
	stint up hello --name k
	kill -KILL "$(process_of stint-keeper k)"
	eventually 5 gone
	[ "$(stint history k --json | jq -r '.[0].reason')" = "keeper lost" ]
}

@test "a killed init or server ends the instance, and says so" {
	stint up hello --name i
	kill -KILL "$(process_of stint-init i)"
	eventually 5 gone
	[[ $(stint history i --json | jq -r '.[0].reason') == *"init was lost"* ]]
	stint up hello --name s
	kill -KILL "$(process_of hello s)"
	eventually 5 gone
	[[ $(stint history s --json | jq -r '.[0].reason') == *"signal 9"* ]]
}

@test "a killed forwarder is replaced" {
	stint up hello --name f
	kill -KILL "$(process_of stint-forwarder f)"
	answers() { get "http://127.0.0.1:$(port_of f)/" >/dev/null 2>&1; }
	eventually 5 answers
}

@test "a server that ignores the stop is killed when its grace is over" {
	payload stubborn "[$PROBE/bin/probe, ignore-term, print, up, sleep, '300']" 'ready: {log: up}'
	stint up stubborn --name s
	started=$(date +%s)
	stint down s
	[ $(($(date +%s) - started)) -le 4 ]
}

@test "objects without a record are swept" {
	stint ls
	mkdir -p "$STINT_ROOT"/var/lib/stint/i/0123abcd/layer/0/upper "$STINT_ROOT"/run/stint/i/0123abcd
	: >"$STINT_ROOT/run/stint/lock/0123abcd"
	run stint sweep
	[ "$status" -eq 0 ]
	[[ $output == *"1 strays removed"* ]]
	[ -z "$(leftovers)" ]
}
