#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helper

@test "up prints the address of each port and the deadline, and the server answers" {
	run --separate-stderr stint up hello --name one --ttl 10m
	[ "$status" -eq 0 ]
	[[ $output == *"one is ready after "* ]]
	[[ $output == *"http://127.0.0.1:"* ]]
	[[ $output == *"until"* ]]
	[[ $(get "http://127.0.0.1:$(port_of one)/health/readiness") == *UP* ]]
}

@test "up without a name makes one from the template's" {
	run --separate-stderr stint up hello --json
	[ "$status" -eq 0 ]
	[[ $(jq -r .name <<<"$output") =~ ^hello-[a-z]+ ]]
	[ "$(jq -r .state <<<"$output")" = ready ]
	[ "$(jq -r '.ports[0].name' <<<"$output")" = http ]
}

@test "a lease that runs out ends everything within a second of the deadline" {
	stint up hello --name short --ttl 3s
	port=$(port_of short)
	deadline=$(($(date +%s%N) + $(stint show short --json | jq '.left_seconds * 1e9 | floor')))
	get "http://127.0.0.1:$port/" >/dev/null
	sleep "$(awk "BEGIN { print ($deadline - $(date +%s%N)) / 1e9 + 0.9 }")"
	[ "$(stint ls)" = "no instances" ]
	run ! get "http://127.0.0.1:$port/" 2>/dev/null
	[ -z "$(leftovers)" ]
	[ "$(stint history short --json | jq -r '.[0].reason')" = expired ]
}

@test "a connection made before the server is ready waits for its answer" {
	stint up hello --name slow --no-wait --env HELLO_START_SECONDS=3
	[ "$(state_of slow)" = starting ]
	[[ $(get "http://127.0.0.1:$(port_of slow)/health/readiness") == *UP* ]]
	[ "$(state_of slow)" = ready ]
}

@test "with --no-hold a connection is refused until the server is ready" {
	stint up hello --name slow --no-wait --no-hold --env HELLO_START_SECONDS=$((2 * SLOW))
	port=$(port_of slow)
	run get "http://127.0.0.1:$port/"
	[ "$status" -eq 7 ]
	eventually 10 is_state slow ready
	get "http://127.0.0.1:$port/" >/dev/null
}

@test "a fixed port is published where it was asked for, and a taken one is refused" {
	stint up hello --name first -p 45817:http
	get http://127.0.0.1:45817/ >/dev/null
	run stint up hello --name second -p 45817:http
	[ "$status" -eq 1 ]
	[[ $output == *"port 45817 of '127.0.0.1' is already published by the instance 'first' of 'root'"* ]]
	[ "$(stint ls -q)" = first ]
	stint down first
	stint up hello --name second -p 45817:http
	get http://127.0.0.1:45817/ >/dev/null
}

@test "a port from the kernel that another instance still has in its record is chosen again" {
	stint up hello --name first
	port=$(port_of first)
	# where nobody listens yet, and where the kernel chooses this one of two: it begins in the
	# upper half (inet_csk_find_open_port)
	unshare -n bash -ec "
		ip link set lo up
		echo $((port - 1)) $port >/proc/sys/net/ipv4/ip_local_port_range
		timeout 50 '$STINT' up hello --name second"
	[ "$(port_of second)" = $((port - 1)) ]
}

@test "--recreate takes the place of an instance of the same name" {
	stint up hello --name again
	id=$(id_of again)
	run stint up hello --name again
	[ "$status" -eq 4 ]
	stint up hello --name again --recreate
	[ "$(id_of again)" != "$id" ]
}

@test "the copy-on-write view takes what is written, the install stays as it is" {
	before=$(cd "$STINT_BUILD/share/stint/hello" && find . -type f -exec sha256sum {} + | sort)
	stint up hello --name a
	stint up hello --name b
	get -X PUT --data "answer of a" "http://127.0.0.1:$(port_of a)/flow/mine"
	[ "$(get "http://127.0.0.1:$(port_of a)/flow/mine")" = "answer of a" ]
	run get -f "http://127.0.0.1:$(port_of b)/flow/mine"
	[ "$status" -ne 0 ]
	after=$(cd "$STINT_BUILD/share/stint/hello" && find . -type f -exec sha256sum {} + | sort)
	[ "$before" = "$after" ]
}

@test "a server that fails is started again as often as the template says" {
	cat >"$STINT_ROOT/etc/stint/templates/flaky.yaml" <<EOF
template: flaky
extends: hello
run: {restart: {policy: on-failure, limit: 2}}
EOF
	stint up flaky --name flaky
	port=$(port_of flaky)
	for _ in 1 2; do
		get "http://127.0.0.1:$port/crash?status=3" >/dev/null 2>&1 || true
		# the server that is on its way out may still take a connection, and reset it
		get --retry 20 --retry-delay 1 --retry-all-errors "http://127.0.0.1:$port/" >/dev/null
	done
	[ "$(stint show flaky --json | jq .restarts)" -eq 2 ]
	get "http://127.0.0.1:$port/crash?status=3" >/dev/null 2>&1 || true
	gone() { [ "$(stint ls)" = "no instances" ]; }
	eventually 10 gone
	[[ $(stint history flaky --json | jq -r '.[0].reason') == *"exited with status 3"* ]]
}

@test "a server that ignores the stop is killed when its grace is over" {
	payload stubborn "[$PROBE/bin/probe, ignore-term, print, up, sleep, '300']" 'ready: {log: up}'
	stint up stubborn --name s
	started=$(date +%s)
	stint down s
	[ $(($(date +%s) - started)) -le 4 ]
}

# As in a unit of systemd with ProtectControlGroups=yes.
without_groups()
{
	unshare --mount bash -c 'grep -E " - cgroup2? " /proc/self/mountinfo | cut -d " " -f 5 |
		while read -r mount; do mount -o remount,bind,ro "$mount"; done; exec "$@"' - "$@"
}

@test "where no control group can be made, up refuses and says why" {
	run without_groups "$STINT" up hello --name g
	[ "$status" -eq 5 ]
	[[ $output == *"no control group can be made here"*"ProtectControlGroups=no"* ]]
	nothing_left
}

@test "where no device can be made, up says what is missing" {
	run setpriv --bounding-set -mknod --inh-caps -mknod "$STINT" up hello --name d
	[ "$status" -ne 0 ]
	[[ $output == *"/dev/"*"CAP_MKNOD is missing"*"PrivateDevices=yes"* ]]
	nothing_left
}

@test "of a list of checks the first that the server has counts" {
	template list <<-YAML
		extends: hello
		ready:
		  first: [{http: {path: /none}}, {http: {path: /health/liveness, status: 299}}, {tcp: }]
		  timeout: 1s
	YAML
	# it has the second, which is not well
	refused 6 "not ready within 1s" up list --name never
	template list <<-YAML
		extends: hello
		ready: [{http: {path: /none}}, {http: {path: /health/readiness, status: 200}}]
	YAML
	stint up list --name web --env HELLO_START_SECONDS=1
	[ "$(state_of web)" = ready ]
	[[ $(get "http://127.0.0.1:$(port_of web)/health/readiness") == *UP* ]]
}
