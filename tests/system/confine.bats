#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What holds an instance beyond its namespaces: files confined with Landlock, keys of its own.
# shellcheck disable=SC2154 # status, output and stderr come from run
load helper

need_landlock()
{
	stint doctor | grep -q 'ok *Landlock' || skip "this kernel is without Landlock"
}

@test "root inside writes where an instance writes, and not to the root directory or beside it" {
	need_landlock
	stint up hello --name f
	for path in /tmp /run /var /etc /dev/shm /root "$STINT_BUILD/share/stint/hello"; do
		stint exec f --user 0 -- sh -c "touch $path/new && mkdir $path/made && mv $path/new $path/made/old &&
			rm -r $path/made"
	done
	stint exec f --user 0 -- sh -c 'echo other >/proc/self/comm'
	for path in / /opt /dev /proc /usr /sys/fs/cgroup; do
		run stint exec f --user 0 -- touch "$path/new"
		echo "$path: $output"
		[ "$status" -ne 0 ]
	done
	run stint exec f --user 0 -- mkdir /new
	[[ $output == *"Permission denied"* ]]
}

@test "not even a whiteout of an overlay can be made as a device" {
	stint up hello --name d
	for path in /tmp "$STINT_BUILD/share/stint/hello"; do
		run stint exec d --user 0 -- mknod "$path/whiteout" c 0 0
		echo "$output"
		[ "$status" -ne 0 ]
		stint exec d --user 0 -- mkfifo "$path/fifo"
	done
	# a file of the install goes, which is the overlay's own whiteout
	stint exec d --user 0 -- rm "$STINT_BUILD/share/stint/hello/bin/hello"
	[[ $(stint diff d) == *hello/bin/hello* ]]
}

@test "streams open again by their names, and commands see the server's world" {
	stint up hello --name s
	[ "$(echo text | stint exec s -- sh -c 'cat /dev/stdin >/dev/stdout')" = text ]
	[ "$(stint exec s -- sh -c 'echo word >/dev/stderr' 2>&1 >/dev/null)" = word ]
	stint exec s -- sh -c 'readlink /proc/2/exe && ls /proc/2/fd /proc/2/root/tmp' >/dev/null
	stint exec s -- sh -c 'exec 3>/tmp/gone; rm /tmp/gone; echo x >/proc/self/fd/3; cat /proc/self/fd/3'
	stint exec s -- kill -0 2
}

@test "doctor --seccomp names the calls that a command was denied, and the command sees the same errors" {
	local script='
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
for family in (38, 38, 16):
    try: socket.socket(family, socket.SOCK_RAW, 12)
    except OSError as e: assert e.errno == errno.EPERM
for number, expected in ((435, errno.ENOSYS), (425, errno.EPERM), (600, errno.ENOSYS)):
    assert libc.syscall(number, 0, 0) == -1 and ctypes.get_errno() == expected
print("done")'

	[ -x /usr/bin/python3 ] || skip "no python3 below /usr"
	stint up hello --name d
	run --separate-stderr stint doctor --seccomp d -- /usr/bin/python3 -c "$script"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "$output" = "done" ]
	grep -q '^ *2x EPERM   socket(AF_ALG)$' <<<"$stderr"
	grep -q '^ *1x EPERM   socket(AF_NETLINK, protocol 12)$' <<<"$stderr"
	grep -q '^ *1x ENOSYS  clone3()$' <<<"$stderr"
	grep -q '^ *its flags cannot be checked' <<<"$stderr"
	grep -q '^ *1x EPERM   io_uring_setup()$' <<<"$stderr"
	grep -q '^ *1x ENOSYS  call 600, younger than the list$' <<<"$stderr"
	[ "$(wc -L <<<"$stderr")" -le 80 ]
	run stint doctor --seccomp d -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	[ "$output" = "stint: no system call was denied" ]
	run -127 stint doctor --seccomp d -- missing
	refused 2 "a name and a command belong to --seccomp" doctor d
	refused 2 "say which instance" doctor --seccomp
}

@test "doctor --seccomp --json says the same, and the command's output is beside it" {
	stint up hello --name d
	run --separate-stderr stint doctor --seccomp d --json -- \
		sh -c 'echo hello; unshare -m true; unshare -m true; exit 3'
	echo "$output $stderr"
	[ "$status" -eq 3 ]
	[ "$(jq -r '.denied[] | "\(.call) \(.error) \(.count)"' <<<"$output")" = "unshare(CLONE_NEWNS) EPERM 2" ]
	jq -e '.denied[0].why | test("namespaces")' <<<"$output"
	[[ $stderr == *hello*"Operation not permitted"* ]]
}

@test "what runs inside cannot make the doctor's list as long as it likes" {
	[ -x /usr/bin/python3 ] || skip "no python3 below /usr"
	stint up hello --name d
	run --separate-stderr stint doctor --seccomp d --json -- /usr/bin/python3 -c '
import ctypes
libc = ctypes.CDLL(None)
for number in range(1000, 6000): libc.syscall(number)'
	[ "$(jq '.denied | length' <<<"$output")" -eq 100 ]
	[ "$(jq .others <<<"$output")" -ge 4900 ]
}

@test "doctor --seccomp without a command shows the filter of an instance" {
	payload plain "[$PROBE/bin/probe, print, up, sleep, '600']" '
seccomp: strict
caps: [net_bind_service]'
	stint up plain --name p --no-wait
	run stint doctor --seccomp p
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"strict: EPERM for what is not on its list"* ]]
	[[ $output == *"net_bind_service"* ]]
	[[ $output == *"stint run plain"* ]]
	[ "$(stint doctor --seccomp p --json | jq -c '[.profile, .abi32, .caps]')" = '["strict",false,["net_bind_service"]]' ]
	refused 3 "stint run TEMPLATE --seccomp" doctor --seccomp nosuch
}

@test "run --seccomp says what a server was denied that dies of it, and leaves nothing behind" {
	[ -x /usr/bin/python3 ] || skip "no python3 below /usr"
	payload dies "[/usr/bin/python3, -c, \"import socket; print('up', flush=True); socket.socket(38, 3)\"]" \
		'ready: {log: never}'
	run --separate-stderr stint run dies --seccomp
	echo "$output $stderr"
	[ "$status" -eq 1 ]
	[ "$output" = up ]
	[[ $stderr == *"PermissionError"*"1x EPERM   socket(AF_ALG)"* ]]
	eventually 5 nothing_left
	refused 125 "--seccomp watches the server" run dies --seccomp -- true
}

@test "run --seccomp of a server that its lease ends has a status and a reason, as run has" {
	payload sleeps "[/bin/sleep, '300']" 'ready: none'
	run stint run sleeps --ttl 2s
	[ "$status" -eq 143 ]
	[[ $output == "stint: 'sleeps-"*"' has ended: expired" ]]
	run stint run sleeps --ttl 2s --seccomp
	[ "$status" -eq 137 ]
	[[ $output == "stint: 'sleeps-"*"' has ended: expired"* ]]
}

@test "the strict profile serves, and what it is without is told apart from what nobody has" {
	template tight <<<$'template: tight\nextends: hello\nseccomp: strict'
	stint up tight --name t
	get -o /dev/null "http://127.0.0.1:$(port_of t)/health/readiness"
	run stint doctor --seccomp t -- chown 0 /tmp
	echo "$output"
	[[ $output == *"EPERM   fchownat()"*"'strict' is without it"* ]]
	run stint doctor --seccomp t -- unshare -m true
	[[ $output != *"'strict' is without it"* ]]
}

@test "run --seccomp serves like run, until it is interrupted" {
	local pid port

	"$STINT" run hello --seccomp >"$STINT_ROOT/out" 2>&1 &
	pid=$!
	eventually 20 grep -q "ready after" "$STINT_ROOT/out"
	port=$(sed -nE 's/^stint: http is .*:([0-9]+)$/\1/p' "$STINT_ROOT/out")
	get -o /dev/null "http://127.0.0.1:$port/health/readiness"
	kill -TERM "$pid"
	wait "$pid" || true
	cat "$STINT_ROOT/out"
	grep -q "SIGTERM, stopping" "$STINT_ROOT/out"
	grep -q "no system call was denied" "$STINT_ROOT/out"
	nothing_left
}

@test "without a filter nothing is denied, and the doctor says so" {
	payload open "[$PROBE/bin/probe, sleep, '600']" \
		'seccomp: {profile: off, reason: "a test of what is not there"}'
	stint up open --name o --no-wait
	refused 125 "the instance has no filter of system calls" doctor --seccomp o -- true
	[[ $(stint doctor --seccomp o) == *"off: a test of what is not there"* ]]
}

# web NAME [MORE-YAML]: a server that is not root and listens on port 80.
web()
{
	template "$1" <<EOF
template: $1
install: $PROBE
run:
  command: [$PROBE/bin/probe, print, up, tcp-listen, '80']
  user: nobody
  grace: 0s
ports: {http: 80}
ready: {tcp: {port: http}, timeout: 20s}
lease: {ttl: 5m}
${2-}
EOF
}

@test "a server that is not root listens on port 80, without a capability" {
	local before

	before=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
	web plain
	stint up plain --name p
	[ "$(stint exec p -- id -un)" = nobody ]
	grep -q '^CapEff:\s*0*$' <(stint exec p -- cat /proc/2/status)
	grep -q '^CapPrm:\s*0*$' <(stint exec p -- cat /proc/2/status)
	stint exec p -- "$PROBE/bin/probe" connect 127.0.0.1 80
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = "$before" ]
}

@test "a server that asks for net_bind_service listens on port 80 too, and has that capability only" {
	web bind 'caps: [net_bind_service]'
	stint up bind --name b
	[ "$(stint exec b -- id -un)" = nobody ]
	for set in Inh Prm Eff Bnd Amb; do
		grep -q "^Cap$set:\s*0*400$" <(stint exec b -- cat /proc/2/status)
	done
	stint exec b -- "$PROBE/bin/probe" connect 127.0.0.1 80
}

# The lines of /proc/PID/status of the host: status_of PROCESS-NAME INSTANCE
status_of()
{
	cat "/proc/$(processes_of "$1" "$2")/status"
}

@test "the keeper has no capability in effect, and for the end only what that needs" {
	local bits=0 cap status

	# of linux/capability.h: chown, dac_override, dac_read_search, fowner, kill, setgid, setuid,
	# setpcap, net_admin, sys_ptrace and sys_admin
	for cap in 0 1 2 3 5 6 7 8 12 19 21; do
		bits=$((bits | 1 << cap))
	done
	stint up hello --name k
	status=$(status_of stint-keeper k)
	echo "$status"
	for set in Inh Eff Amb; do
		grep -q "^Cap$set:\s*0*$" <<<"$status"
	done
	for set in Prm Bnd; do
		cap=$(sed -nE "s/^Cap$set:\s*//p" <<<"$status")
		[ $((0x$cap & ~bits)) -eq 0 ]
		[ $((0x$cap)) -ne 0 ]
	done
	grep -q '^NoNewPrivs:\s*1$' <<<"$status"
}

@test "the keeper removes what other users made inside, when nobody waits for the end" {
	local dir=$STINT_BUILD/share/stint/hello

	stint up hello --name k
	stint exec k --user 0 -- sh -c "mkdir -m 1777 $dir/sticky && mkdir -p /tmp/a/b"
	stint exec k --user nobody -- sh -c "mkdir -p $dir/sticky/a/b && touch $dir/sticky/a/b/c &&
		chmod 0 $dir/sticky/a/b $dir/sticky/a"
	stint exec k -- kill -KILL 2 || true
	eventually 20 no_instances
	eventually 5 nothing_left
	[[ $(stint history) == *"killed by signal 9"* ]]
}

@test "the forwarder has no capability, a filter of its own, and no way to a file but the log" {
	local pid fd log status

	stint up hello --name f
	pid=$(processes_of stint-forwarder f)
	status=$(cat "/proc/$pid/status")
	echo "$status"
	for set in Inh Prm Eff Bnd Amb; do
		grep -q "^Cap$set:\s*0*$" <<<"$status"
	done
	[ -n "${STINT_SANITIZED-}" ] || grep -q '^Seccomp:\s*2$' <<<"$status"
	grep -q '^NoNewPrivs:\s*1$' <<<"$status"
	grep -Eq '^Uid:\s*([1-9][0-9]*)\s+\1\s+\1\s+\1$' <<<"$status"
	grep -Eq '^Groups:\s*$' <<<"$status"
	[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	log=$STINT_ROOT/var/lib/stint/i/$(id_of f)/log
	for fd in "/proc/$pid/fd/"*; do
		fd=$(readlink "$fd")
		case $fd in
		socket:* | pipe:* | anon_inode:* | /dev/null | "$log") ;;
		*)
			echo "it has $fd"
			return 1
			;;
		esac
	done
}

@test "a forwarder that was killed is replaced by one that has as little" {
	local pid port

	stint up hello --name f
	port=$(port_of f)
	pid=$(processes_of stint-forwarder f)
	kill -KILL "$pid"
	eventually 20 get -o /dev/null "http://127.0.0.1:$port/health/readiness" --retry-connrefused
	[ "$(processes_of stint-forwarder f)" != "$pid" ]
	[ -n "${STINT_SANITIZED-}" ] || grep -q '^Seccomp:\s*2$' <(status_of stint-forwarder f)
	grep -q '^CapBnd:\s*0*$' <(status_of stint-forwarder f)
	grep -q '^CapPrm:\s*0*$' <(status_of stint-forwarder f)
}
