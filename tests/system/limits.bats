#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits: what is asked for is held by the kernel, or it is said that it is not.
load helper
# shellcheck disable=SC2153 # GROUP comes from there

# The directory of an instance's server in the hierarchy of a controller: group_of INSTANCE CONTROLLER
group_of()
{
	local top

	for top in "$CONTROLLERS"/*,"$2" "$CONTROLLERS/$2",* "$CONTROLLERS/$2" "$CONTROLLERS" \
		"$CONTROLLERS/stint.slice/stint.service"; do
		if [ -d "$top/$GROUP" ]; then
			echo "$top/$GROUP/$(id_of "$1")/server"
			return
		fi
	done
	return 1
}

# What "stint show" says of a limit: limit INSTANCE NAME FIELD
limit()
{
	stint show "$1" --json | jq -r ".limits.$2.$3"
}

# Microseconds of processor time that the instance has used.
cpu_used()
{
	local group

	group=$(group_of "$1" cpu)
	if [ -f "$group/cpu.max" ]; then
		sed -n 's/^usage_usec //p' "$group/cpu.stat"
	else
		echo $(($(cat "$(group_of "$1" cpuacct)/cpuacct.usage") / 1000))
	fi
}

# How many periods its share was measured in.
cpu_periods()
{
	sed -n 's/^nr_periods //p' "$(group_of "$1" cpu)/cpu.stat"
}

@test "show says for each limit what was asked, what is set, what is used, and what enforces it" {
	stint up hello --name a --memory 300M --swap 1M --cpus 0.5 --pids 77 --files 1000 --log-size 1M
	[ "$(limit a memory asked)" = $((300 << 20)) ]
	[ "$(limit a memory set)" = $((300 << 20)) ]
	[ "$(limit a memory enforced)" = true ]
	[[ $(limit a memory by) == "cgroup v"[12]" memory" ]]
	[ "$(limit a memory used)" -gt 0 ]
	[ "$(limit a swap set)" = $((1 << 20)) ]
	[ "$(limit a cpu set)" = 0.5 ]
	[ "$(limit a pids set)" = 77 ]
	[ "$(limit a pids used)" -ge 1 ]
	[ "$(limit a files set)" = 1000 ]
	[ "$(limit a log set)" = $((1 << 20)) ]
	[[ $(stint show a) == *"limit memory"*"300 MiB, uses "*"(cgroup v"* ]]
}

@test "the template's limits are set, and an option replaces them" {
	payload t "[$PROBE/bin/probe, print, up, sleep, '300']" $'ready: {log: up}\nlimits: {memory: 100M, pids: 50, cpu: 1.5}'
	stint up t --name t
	[ "$(limit t memory set)" = $((100 << 20)) ]
	[ "$(limit t swap set)" = 0 ]
	[ "$(limit t pids set)" = 50 ]
	[ "$(limit t cpu set)" = 1.5 ]
	stint up t --name o --memory 200M --cpus none
	[ "$(limit o memory set)" = $((200 << 20)) ]
	[ "$(limit o pids set)" = 50 ]
	[ "$(stint show o --json | jq .limits.cpu)" = null ]
}

@test "what forks is held at its number of processes, and at 4096 when nobody asked" {
	local most

	stint up hello --name a --pids 20
	run stint exec a -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do sleep 60 & done; wait'
	[ "$status" -ne 0 ]
	[[ $output == *ork* ]]
	[ "$(limit a pids used)" -le 20 ]
	stint down a --now
	payload bomb "[$PROBE/bin/probe, fork, '100000']" 'ready: none'
	run stint run bomb
	[ "$status" -ne 0 ]
	echo "$output"
	[[ $output =~ forked\ ([0-9]+) ]]
	# on a small host the share of all instances is less
	most=$(($(sort -n /proc/sys/kernel/{pid_max,threads-max} | head -n 1) / 2))
	[ "$most" -lt 4096 ] || most=4096
	[ "${BASH_REMATCH[1]}" -lt "$most" ]
	[ "${BASH_REMATCH[1]}" -gt $((most * 9 / 10)) ]
}

@test "what opens files is held at their number, and cannot raise it" {
	payload open "[$PROBE/bin/probe, open-files, '5000']" 'ready: none'
	run stint run open --files 100
	[ "$status" -eq 1 ]
	[[ $output == *"opened 97"* ]]
	[[ $output == *EMFILE* ]]
	stint up hello --name a --files 100
	[ "$(stint exec a -- sh -c 'ulimit -Hn; ulimit -Sn')" = $'100\n100' ]
	run stint exec a --user 0 -- sh -c 'ulimit -n 200'
	[ "$status" -ne 0 ]
	run stint run open
	[ "$status" -eq 0 ]
}

@test "what burns processors gets no more than its share" {
	local before after started took

	payload burn "[$PROBE/bin/probe, print, up, sleep, '300']" 'ready: {log: up}'
	stint up burn --name b --cpus 0.2
	before=$(cpu_used b)
	started=$(date +%s%N)
	stint exec b -- "$PROBE/bin/probe" burn 3 1
	took=$((($(date +%s%N) - started) / 1000))
	after=$(cpu_used b)
	# a fifth of the time that has passed, however long that was, and a period or two
	echo "used $((after - before)) of $took microseconds"
	[ $((after - before)) -lt $((took / 5 + 200000)) ]
	[ "$(cpu_periods b)" -gt 0 ]
}

@test "what is asked for and cannot be enforced is refused with its name, unless --best-effort" {
	local most

	most=$(ulimit -Hn)
	[ "$most" != unlimited ] || skip "this process may raise any limit"
	if prlimit --pid $$ --nofile=$((most + 1)):$((most + 1)) 2>/dev/null; then
		skip "this process may raise any limit"
	fi
	refused 5 "limit 'files' cannot be enforced" up hello --name a --files 900000000
	refused 5 "--best-effort" up hello --name a --files 900000000
	nothing_left
	stint up hello --name a --files 900000000 --best-effort
	[ "$(limit a files enforced)" = false ]
	[[ $(stint show a) == *"not enforced: "* ]]
	printf 'template: b\nextends: hello\nbest_effort: true\nlimits: {files: 900000000}\n' | template b
	stint up b --name b
	[ "$(limit b files enforced)" = false ]
}

@test "what reads from the disk is held at its bytes a second" {
	local started took

	mkdir "$STINT_ROOT/disk"
	cp "$PROBE/bin/probe" "$STINT_ROOT/disk"
	head -c $((6 << 20)) /dev/urandom >"$STINT_ROOT/disk/data"
	sync "$STINT_ROOT/disk/data"
	payload io "[$STINT_ROOT/disk/probe, print, up, sleep, '300']" 'ready: {log: up}'
	sed -i "s|^install:.*|install: $STINT_ROOT/disk|" "$STINT_ROOT/etc/stint/templates/io.yaml"
	run stint up io --name i --io-read 2M
	if [[ $output == *"without a block device"* || $output == *"no controller"* ]]; then
		skip "$output"
	fi
	[ "$status" -eq 0 ]
	[[ $(limit i io_read by) == "cgroup v2 io" || $(limit i io_read by) == *"direct and read I/O only" ]]
	started=$(date +%s%N)
	stint exec i -- "$STINT_ROOT/disk/probe" read-direct "$STINT_ROOT/disk/data"
	took=$((($(date +%s%N) - started) / 1000000))
	echo "6 MiB took $took ms"
	[ "$took" -gt 2000 ]
}

@test "the log of what never stops talking keeps its size, one long line included" {
	local log

	payload loud "[$PROBE/bin/probe, spam, '30000000', longline, '30000000', print, quiet, sleep, '300']" 'ready: {log: quiet}'
	stint up loud --name l --log-size 256k
	log=$STINT_ROOT/var/lib/stint/i/$(id_of l)/log
	[ "$(du -k "$log" | cut -f 1)" -le 400 ]
	[ "$(stint logs l | tail -n 1)" = quiet ]
}

@test "the sixteen resource limits inside are the same whatever the caller's are" {
	local usual strange

	payload world "[$PROBE/bin/probe, report]" 'ready: none'
	usual=$(stint run world | grep '^rlimit')
	strange=$(
		# what the sanitizers need for themselves is more than that
		[ -n "${STINT_SANITIZED-}" ] || ulimit -S -v 50000000 -d 8000000
		ulimit -S -c 1000 -f 2000000 -i 1000 -l 64 -m 9000000 -n 200 -q 1000 -s 4096 -t 5000 -u 5000 -x 500
		stint run world | grep '^rlimit'
	)
	diff <(echo "$usual") <(echo "$strange")
	[ "$(wc -l <<<"$usual")" -eq 16 ]
	[[ $usual == *"rlimit.core=1:1"* ]]
	[[ $usual == *"rlimit.nice=0:0"* ]]
	[[ $usual == *"rlimit.msgqueue=819200:819200"* ]]
}

# reason_of NAME: why the newest instance of that name ended, according to the history.
reason_of()
{
	stint history "$1" --json | jq -r '.[0].reason'
}

@test "a server that needs more memory than its limit ends, and the reason says so" {
	payload eat "[$PROBE/bin/probe, alloc, '20000000', print, fine, alloc, '200000000', print, never]" 'ready: none'
	run stint run eat --name e --memory 64M
	echo "$output"
	[ "$status" -eq 137 ] || [ "$status" -eq 125 ]
	[[ $output == *fine* ]]
	[[ $output != *never* ]]
	[[ $output == *"out of memory (limit 64 MiB)"* ]]
	[ "$(reason_of e)" = "out of memory (limit 64 MiB)" ]
	# the same program is well with more
	run stint run eat --name e --memory 512M
	[ "$status" -eq 0 ]
	[[ $output == *never* ]]
}

@test "when any process of the instance is out of memory, all of it ends" {
	payload calm "[$PROBE/bin/probe, print, up, sleep, '300']" 'ready: {log: up}'
	stint up calm --name a --memory 64M
	run stint exec a -- "$PROBE/bin/probe" alloc 200000000
	[ "$status" -ne 0 ]
	[ "$status" -ne 127 ]
	eventually 10 no_instances
	[ "$(reason_of a)" = "out of memory (limit 64 MiB)" ]
}

@test "files in memory count, and a restart policy does not start what was out of memory again" {
	payload keep "[$PROBE/bin/probe, fill, /dev/shm/big, '200000000', print, never]" 'ready: none'
	sed -i 's/^run:/run:\n  restart: on-failure/' "$STINT_ROOT/etc/stint/templates/keep.yaml"
	run stint run keep --name k --memory 64M
	[ "$status" -ne 0 ]
	[[ $output != *never* ]]
	[ "$(reason_of k)" = "out of memory (limit 64 MiB)" ]
}

@test "what is sent and never read counts, too" {
	local sent fill='import socket
server = socket.create_server(("127.0.0.1", 0), backlog=4096)
sent, ends = 0, []
for _ in range(200):
    end = socket.create_connection(server.getsockname())
    ends += [end, server.accept()[0]]
    end.setblocking(False)
    try:
        while True: sent += end.send(bytes(65536))
    except BlockingIOError: pass
print(sent >> 20)'

	command -v python3 >/dev/null || skip "no python3 on this host"
	stint up hello --name a --memory 64M
	sent=$(stint exec a -- timeout 60 python3 -c "$fill")
	echo "$sent MiB wait in sockets"
	[ "$sent" -ge 1 ]
	[ "$sent" -le 96 ]
}

@test "a server that is killed by somebody else was not out of memory" {
	payload self "[$PROBE/bin/probe, signal, KILL]" 'ready: none'
	run stint run self --name s --memory 64M
	[ "$status" -eq 137 ]
	[[ $(reason_of s) == "server was killed by signal 9"* ]]
}

@test "a Java machine takes its heap from the instance's memory" {
	local heap

	[ -x /usr/bin/java ] || skip "no java on this host"
	printf 'template: j\ninstall: %s\npaths: [/etc/java-*-openjdk]\nrun: {command: %s}\n' "$PROBE" \
		'"java -XX:+PrintFlagsFinal -version"' | template j
	heap=$(stint run j --memory 512M 2>/dev/null | awk '$2 == "MaxHeapSize" { print $4 }')
	echo "heap: $heap"
	[ "$heap" -ge $((100 << 20)) ]
	[ "$heap" -le $((256 << 20)) ]
}

id_map_of()
{
	stint exec "$1" -- cat /proc/self/uid_map
}

@test "an instance that uses up what is counted for each user takes it from nobody else" {
	local make='import ctypes, sys
make = ctypes.CDLL(None).inotify_init1
made = 0
while made < 10000 and make(0) >= 0: made += 1
print(made, flush=True)
sys.stdin.read()'

	command -v python3 >/dev/null || skip "no python3 on this host"
	stint up hello --name a
	stint up hello --name b
	[ "$(id_map_of a)" != "$(id_map_of b)" ] || skip "this host has no ids for instances"
	mkfifo "$STINT_ROOT/hold"
	"$STINT" exec a -- python3 -c "$make" <"$STINT_ROOT/hold" >"$STINT_ROOT/made" 3>&- &
	exec 8>"$STINT_ROOT/hold"
	eventually 20 test -s "$STINT_ROOT/made"
	[ "$(stint exec a --user 0 -- python3 -c "$make" </dev/null)" = 0 ]
	# neither another instance nor the host's root has one less
	[ "$(stint exec b -- python3 -c "$make" </dev/null)" = "$(cat "$STINT_ROOT/made")" ]
	[ "$(python3 -c "$make" </dev/null)" -gt 0 ]
	exec 8>&-
	wait
}

# The parent group in the hierarchy of a controller: parent_group INSTANCE CONTROLLER
parent_group()
{
	local group

	group=$(group_of "$1" "$2")
	echo "${group%/*/*}"
}

@test "all instances together are held below the host's size, as the configuration says" {
	local group all most

	all=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) * 1024))
	stint up hello --name a
	group=$(parent_group a memory)
	most=$(cat "$group/memory.max" 2>/dev/null || cat "$group/memory.limit_in_bytes")
	echo "$most of $all"
	[ "$most" -le $((all * 82 / 100)) ]
	[ "$most" -ge $((all * 75 / 100)) ]
	[ "$(cat "$(parent_group a pids)/pids.max")" -le $(($(cat /proc/sys/kernel/pid_max) / 2)) ]
	[[ $(stint doctor) == *"all instances together: memory "* ]]
	stint down a
	printf 'host: {memory: 10%%, pids: 1%%, cpu: 50%%}\n' >"$STINT_ROOT/etc/stint/stint.yaml"
	stint up hello --name b
	group=$(parent_group b memory)
	most=$(cat "$group/memory.max" 2>/dev/null || cat "$group/memory.limit_in_bytes")
	[ "$most" -le $((all * 11 / 100)) ]
	[ "$(cat "$(parent_group b pids)/pids.max")" -le $(($(cat /proc/sys/kernel/pid_max) / 100)) ]
}

@test "a bomb that forks in each of several instances is held by the limit of all" {
	local all

	# a hundredth of what the kernel allows, and two thirds of that in each
	all=$(($(sort -n /proc/sys/kernel/{pid_max,threads-max} | head -n 1) / 100))
	[ "$all" -le 655 ] || skip "a hundredth of this host is much"
	payload bomb "[$PROBE/bin/probe, fork, '$((all * 2 / 3))', print, up, sleep, '300']" 'ready: {log: up}'
	printf 'host: {pids: 1%%}\n' >"$STINT_ROOT/etc/stint/stint.yaml"
	stint up bomb --name a
	run stint up bomb --name b
	[ "$status" -ne 0 ]
	[ "$(state_of a)" = ready ]
	stint down a
}

@test "short of memory, the kernel takes what is inside before what keeps it, and before the host" {
	local pid

	payload world "[$PROBE/bin/probe, report, print, up, sleep, '300']" 'ready: {log: ^up}'
	stint up world --name w
	[[ $(stint logs w) == *oom_score_adj=500* ]]
	[ "$(stint exec w -- cat /proc/self/oom_score_adj)" = 500 ]
	pid=$(processes_of stint-keeper w | head -n 1)
	[ -n "$pid" ]
	[ "$(cat "/proc/$pid/oom_score_adj")" -le 0 ]
}
