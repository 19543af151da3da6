#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Why an instance ended: each reason, as the history has it. Want of memory is in limits.bats, an
# idle or frozen end in lease.bats.
load helper

# exit_of NAME: "STATUS SIGNAL" of the newest of that name
exit_of()
{
	stint history "$1" --json | jq -r '.[0] | "\(.exit_status) \(.exit_signal)"'
}

@test "expired, stopped by whom, killed by whom, replaced" {
	stint up hello --name e --ttl 1s
	eventually 4 no_instances
	[ "$(reason_of e)" = expired ]
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody stint up hello --name s
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody stint down s
	[ "$(reason_of s)" = "stopped by nobody" ]
	stint up hello --name k
	stint down k --now
	[ "$(reason_of k)" = "stopped by root" ]
	stint up hello --name r
	stint up hello --name r --recreate
	[ "$(reason_of r)" = "replaced by --recreate" ]
}

@test "a server that exits or is killed, and run ends as it did" {
	local signal

	payload x "[$PROBE/bin/probe, exit, '3']" 'ready: none'
	run stint run x --name x
	[ "$status" -eq 3 ]
	[ "$(reason_of x)" = "server exited with status 3" ]
	[ "$(exit_of x)" = "3 null" ]
	payload z "[$PROBE/bin/probe, exit, '0']" 'ready: none'
	stint run z --name z
	[ "$(reason_of z)" = "server exited with status 0" ]
	[ "$(exit_of z)" = "0 null" ]
	for signal in 6:ABRT:Aborted 9:KILL:Killed 11:SEGV:"Segmentation fault"; do
		IFS=: read -r number name words <<<"$signal"
		payload s "[$PROBE/bin/probe, signal, $name]" 'ready: none'
		run stint run s --name s
		[ "$status" -eq $((128 + number)) ]
		[ "$(reason_of s)" = "server was killed by signal $number ($words)" ]
		[ "$(exit_of s)" = "null $number" ]
		[[ $(stint history s) == *"signal    $number, SIG$name"* ]]
	done
}

@test "run ends with its command's status, and the history does not blame the server" {
	run stint run hello --name c -- sh -c 'exit 42'
	[ "$status" -eq 42 ]
	[ "$(reason_of c)" = "its command has ended" ]
	run stint run hello --name c -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	[ "$(reason_of c)" = "its command has ended" ]
}

@test "a server that exits on a full disk" {
	local size

	payload full "[/bin/sh, -c, 'head -c 1G /dev/zero >$PROBE/big; exit 4']" 'ready: none'
	for size in 32M 200M; do
		run stint run full --name f --disk "$size"
		[[ $output == *"disk limit"* ]] && continue # there is nothing here to hold it
		[ "$status" -eq 4 ]
		[ "$(reason_of f)" = "server exited with status 4 (disk full)" ]
	done
	# the same server with enough, and one that fails for another reason on a disk with a limit
	sed -i s/1G/1M/ "$STINT_ROOT/etc/stint/templates/full.yaml"
	run stint run full --name f --disk 32M
	[ "$(reason_of f)" = "server exited with status 4" ]
	run stint run full --name f
	[ "$(reason_of f)" = "server exited with status 4" ]
}

@test "a disk that is out of files is full" {
	payload files "[/bin/sh, -c, 'i=0; while : >$PROBE/f\$i; do i=\$((i+1)); done; exit 5']" 'ready: none'
	run stint run files --name f --disk 32M
	[ "$status" -ne 0 ]
	[[ $(reason_of f) == "server exited with status "*" (disk full)" ]]
}

@test "not ready in time, and a command that went away" {
	payload slow "[$PROBE/bin/probe, sleep, '300']" 'ready: {log: never, timeout: 1s}'
	run stint up slow --name n
	[ "$status" -ne 0 ]
	[ "$(reason_of n)" = "not ready within 1s: no line of its output matched 'never'" ]
	"$STINT" run hello --name w -- sleep 100 >/dev/null 2>&1 3>&- &
	eventually 5 is_state w ready
	kill -KILL $!
	eventually 5 no_instances
	[ "$(reason_of w)" = "its command went away" ]
}

# never_ready REASON READY-YAML [MORE-YAML]: the small server is not ready, for that reason.
never_ready()
{
	local bound=500ms

	[ "$SLOW" -eq 1 ] || bound=${SLOW}s
	template never <<-END
		extends: hello
		ready: {$2, timeout: $bound}
		${3-}
	END
	run stint up never --name n
	echo "$output"
	[ "$status" -eq 6 ]
	# shellcheck disable=SC2027,SC2053 # a pattern
	[[ $output == *"'n' was not ready within $bound: "$1"; it was taken down: see its output above"* ]]
	# shellcheck disable=SC2053 # a pattern
	[[ $(reason_of n) == "not ready within $bound: "$1 ]]
	stint events n | grep -q "stopping.*not ready within $bound: "
}

# A server on the loopback alone, behind a port that does not say so.
listens_alone()
{
	never_ready "connection refused on port 7001 inside, open on 127.0.0.1 alone: its port needs 'loopback: true'" \
		"tcp: {port: local}" "ports: {local: 7001}
run: {command: [/usr/bin/perl, -MIO::Socket::IP, -e, 'my \$s = IO::Socket::IP->new(
  LocalHost => \"127.0.0.1\", LocalPort => 7001, Listen => 5) or die; sleep 60']}"
	[[ $output != *"allow more"* ]]
}

@test "not ready: what was tried last, and more time only where that may help" {
	never_ready "GET http://*:5555/x answered 404, wanted 200" "http: {path: /x, status: 200}"
	[[ $output != *"allow more"* ]]
	never_ready "connection refused on port 5556 inside" "tcp: {port: 5556}"
	[[ $output == *"or allow more in 'ready: timeout:'"* ]]
	! perl -MIO::Socket::IP -e 1 2>/dev/null || listens_alone
	never_ready "'false' exited with status 1" "command: ['false']"
	never_ready "'sleep' has not ended" "command: [sleep, '60']"
	never_ready "'/no/such' cannot be executed inside" "command: [/no/such]"
	[[ $output != *"allow more"* ]]
	never_ready "GET http://*:5555/health/readiness answered 503, wanted 200-299" \
		"http: {path: /health/readiness, status: 200-299}" "run: {env: {HELLO_NEVER_READY: '1'}}"
	[[ $output == *"or allow more in 'ready: timeout:'"* ]]
}

@test "a start that failed names the step and the object" {
	payload none "[/no/such/program]" 'ready: none'
	run stint up none --name i
	[ "$status" -ne 0 ]
	[[ $(reason_of i) == "failed to start: command '/no/such/program' does not exist inside" ]]
	# shellcheck disable=SC2016 # the inner shell's to expand
	run unshare -m sh -c 'mount -t tmpfs -o nr_inodes=1 tmpfs "$1" && exec "$2" up hello --name s' \
		- "$STINT_ROOT/var/lib/stint/i" "$STINT"
	[ "$status" -ne 0 ]
	[[ $(reason_of s) == "failed to start: state directory: cannot make "*"/i/"*": No space left on device" ]]
	[ "$(exit_of s)" = "null null" ]
}

@test "a keeper that was lost, and a host that was restarted" {
	local left

	stint up hello --name k
	kill_process stint-keeper k
	no_instances
	[ "$(reason_of k)" = "keeper lost" ]
	stint up hello --name h
	left=$(processes_left)
	# shellcheck disable=SC2086 # several
	kill -KILL $left
	find "$STINT_ROOT/run/stint" -mindepth 1 -delete
	echo 01234567-89ab-cdef-0123-456789abcdef >"$STINT_ROOT/boot"
	# shellcheck disable=SC2016 # the inner shell's to expand
	unshare -m sh -c 'mount --bind "$1" /proc/sys/kernel/random/boot_id && exec "$2" sweep' - \
		"$STINT_ROOT/boot" "$STINT"
	[ "$(reason_of h)" = "host restarted" ]
	no_instances
}
