#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154 # each test has a shell of its own; status and output come from run
# stint reset: everything that an instance wrote and ran is gone, and it is the same instance for all
# who know it: name, id, address, ports, deadline.
load helper
load reset

setup()
{
	set_up_reset
}

teardown()
{
	local failed=0

	[ -z "${HOST-}" ] || teardown_network
	clean_up || failed=1
	return "$failed"
}

@test "what it wrote and ran is gone, and it is the same instance" {
	local before url keeper server

	stint up web --name a --memory 200M --ttl 20m
	stint extend a +1m
	dirty a
	run is_pristine a
	[ "$status" -ne 0 ]
	before=$(constant_of a)
	url=$(url_of a)
	keeper=$(processes_of stint-keeper a)
	server=$(processes_of hello a)
	run stint reset a
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"a is ready after"*"$url"*"until"* ]]
	is_pristine a
	[ "$(constant_of a)" = "$before" ]
	get "$url/" >/dev/null
	[ "$(processes_of stint-keeper a)" != "$keeper" ]
	[ "$(processes_of hello a)" != "$server" ]
	eventually 5 nothing_is_aside
	[ "$(ls "$STINT_ROOT/var/lib/stint/i")" = "$(id_of a)" ]
	[ "$(stint show a --json | jq -r '.reset | fromdate | . > now - 60')" = true ]
	[[ $(stint show a) == *"reset   "* ]]
	[ "$(stint events --json | jq -r 'select(.event == "reset") | .name' | head -n 1)" = a ]
	# the log goes on, the counts of its ports too
	[ "$(stint logs a | grep -c 'listening on port')" -eq 2 ]
	for _ in 1 2 3; do
		dirty a
		stint reset a --json | jq -e '.state == "ready"'
		is_pristine a
	done
	[ "$(constant_of a)" = "$before" ]
	stint down a
	[ "$(stint history a --json | jq -r '.[0].reason')" = "stopped by root" ]
	[ "$(stint history a --json | jq '.[0].connections_total > 0')" = true ]
	nothing_left
}

@test "who connects while it is reset waits and is answered" {
	local url i

	stint up web --name a
	url=$(url_of a)
	touch "$I/slow"
	stint reset a --no-wait
	[ "$(state_of a)" = starting ]
	[[ $(get "$url/") == *"hello from $(id_of a)"* ]]
	rm "$I/slow"
	# none of those who come one after the other is ever refused
	(
		while [ ! -e "$STINT_ROOT/stop" ]; do
			curl -sS -o /dev/null --max-time 10 "$url/" || true
		done 2>"$STINT_ROOT/words"
	) 3>&- &
	for i in 1 2 3 4 5 6 7 8 9 10; do
		stint reset a >/dev/null
	done
	touch "$STINT_ROOT/stop"
	wait $!
	# one that was under way is cut, maybe before it knows that it is connected; that is no refusal
	cat "$STINT_ROOT/words"
	run -1 grep -iE 'refused|timed out' "$STINT_ROOT/words"
	[ "$(wc -l <"$STINT_ROOT/words")" -le 10 ]
	get "$url/"
}

@test "without a hold, too, nobody is refused" {
	stint up web --name a --no-hold
	for _ in 1 2 3; do
		stint reset a --no-wait >/dev/null
		get "$(url_of a)/" >/dev/null
	done
}

rude_again()
{
	for _ in 1 2 3; do
		[ "$(get "$(url_of a)/")" = hello ]
		stint reset a
	done
}

@test "a server finds its port free, whatever connections it had" {
	template rude <<-END
		template: rude
		install: $I
		run: {command: [/usr/bin/perl, -MSocket, -e, 'socket(S, AF_INET, SOCK_STREAM, 0);
		  bind(S, sockaddr_in(5555, INADDR_ANY)) or die "taken\n"; listen(S, 9);
		  while (accept(C, S)) { sysread(C, \$b, 999); syswrite(C, "HTTP/1.0 200 OK\r\n\r\nhello\n"); close C }']}
		ports: {http: 5555}
		ready: {tcp: {port: http}, timeout: 5s}
	END
	stint up rude --name a
	rude_again
	# the kernel can forget what it remembers of a network that stays, too
	load network
	setup_network
	stint zone add team --peers allow
	stint up rude --name b --zone team
	for _ in 1 2 3; do
		[ "$(on_host curl -s --max-time 5 "$(url_of b)/")" = hello ]
		stint reset b
	done
}

@test "a stop that comes while it is handed over ends it, with its own reason" {
	local keeper

	STINT_FAULT="keeper: init is gone:stop" stint up web --name a
	keeper=$(processes_of stint-keeper a)
	"$STINT" reset a >"$STINT_ROOT/out" 2>&1 3>&- &
	is_stopped() { [ "$(cut -d' ' -f3 "/proc/$keeper/stat")" = T ]; }
	eventually 5 is_stopped
	"$STINT" down a >/dev/null 2>&1 3>&- &
	# it has said so when it is in recvmsg(2): x86-64, aarch64
	waits() { [[ $(cat "/proc/$!/syscall") =~ ^(47|212)\  ]]; }
	eventually 5 waits
	kill -CONT "$keeper"
	wait
	cat "$STINT_ROOT/out"
	grep -q "cannot reset 'a': it was stopped meanwhile" "$STINT_ROOT/out"
	[ "$(reason_of a)" = "stopped by root" ]
	nothing_left
}

# limited SIZE: an instance with that limit of disk, filled until there is no room, and reset.
limited()
{
	local used

	stint up web --name a --disk "$1"
	used=$(stint show a --json | jq .limits.disk.used)
	stint exec a -- sh -c "head -c 10G /dev/zero >'$I/large' 2>/dev/null; true"
	stint exec a -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do mkdir -p /tmp/$i/$i/$i/$i/$i || exit 0; done' 2>/dev/null
	[ "$(stint show a --json | jq .limits.disk.used)" -gt $((used + 5000000)) ]
	stint reset a
	is_pristine a
	is_free() { [ "$(stint show a --json | jq .limits.disk.used)" -le $((used + 100000)) ]; }
	eventually 10 is_free
	dirty a
	stint reset a
	is_pristine a
	stint exec a -- sh -c "head -c 5M /dev/zero >/tmp/x"
	run stint exec a -- sh -c "head -c 10G /dev/zero >/tmp/y"
	[ "$status" -ne 0 ]
	kill_process stint-keeper a
	stint sweep
	no_instances
}

no_loops()
{
	! cat /sys/block/loop*/loop/backing_file 2>/dev/null | grep "$STINT_ROOT"
}

@test "with a limit of disk, full to the last byte: in memory" {
	limited 40M
	nothing_left
}

@test "with a limit of disk, full to the last byte: in an image" {
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	[ -x /usr/sbin/mke2fs ] || skip "no mke2fs"
	limited 160M
	eventually 5 no_loops
	nothing_left
}

@test "with a limit of disk, full to the last byte: a project quota" {
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	[ -x /usr/sbin/mkfs.xfs ] || skip "no mkfs.xfs"
	mkdir -p "$STINT_ROOT/var/lib/stint"
	truncate -s 400M "$STINT_ROOT/disk"
	mkfs.xfs -q "$STINT_ROOT/disk"
	mount -o loop,prjquota "$STINT_ROOT/disk" "$STINT_ROOT/var/lib/stint" || skip "no project quotas here"
	run limited 100M
	echo "$output"
	stint down --all --now
	umount "$STINT_ROOT/var/lib/stint"
	[ "$status" -eq 0 ]
}

@test "in a zone with a link everything of the network stays" {
	local before link

	load network
	setup_network
	stint zone add team --peers allow
	stint up web --name a --zone team
	stint up hello --name b --zone team
	before=$(constant_of a)
	link=$(on_host ip -br link | grep '^st')
	dirty a
	stint reset a
	is_pristine a
	[ "$(constant_of a)" = "$before" ]
	[ "$(on_host ip -br link | grep '^st')" = "$link" ]
	stint exec b -- bash -c "exec 3<>/dev/tcp/a/5555
		printf 'GET / HTTP/1.0\r\n\r\n' >&3; grep -q '200 OK' <&3"
	stint exec a -- bash -c 'exec 3<>/dev/tcp/b/5555'
	stint exec a -- grep -q 'b.team.stint' /etc/hosts
	# the new keeper guards the firewall as the old one did
	stint down b
	table=$(on_host nft list tables | awk '{ print $3 }')
	on_host nft delete table inet "$table"
	is_back() { [ -n "$(on_host nft list tables)" ]; }
	eventually 5 is_back
	# and the zone can be changed behind it
	stint zone set team --peers deny
	[[ $(stint show a) == *"zone        team, no link"* ]]
	stint reset a
	[[ $(stint show a) == *"zone        team, no link"* ]]
	stint zone set team --peers allow
	[[ $(stint show a) == *"zone        team, link st"* ]]
	stint reset a
	on_host curl -sf --max-time 5 "$(url_of a)" >/dev/null
}

@test "it stays on its generation, with what is pinned" {
	local pins

	stint install add app "$I"
	stint up web --name a
	echo new >"$I/conf/file"
	stint install adopt app
	dirty a
	pins=$(stint install show app --json | jq -c '[.generations[] | [.generation, .instances]]')
	stint reset a
	is_pristine a
	[ "$(stint install show app --json | jq -c '[.generations[] | [.generation, .instances]]')" = "$pins" ]
}

@test "on an EROFS generation" {
	grep -qw erofs /proc/filesystems || skip "this kernel has no erofs"
	[ -w /dev/loop-control ] || skip "no /dev/loop-control"
	[ -x /usr/bin/mkfs.erofs ] || skip "no mkfs.erofs"
	stint install add app "$I" --backend erofs
	stint up web --name a
	dirty a
	stint reset a
	is_pristine a
	stint down a
	eventually 5 no_loops
}

@test "secrets are asked for again" {
	server "secrets: {key: {path: /run/key}}"
	echo first >"$STINT_ROOT/first"
	echo second >"$STINT_ROOT/second"
	stint up web --name a --secret "key=@$STINT_ROOT/first"
	[ "$(stint exec a -- cat /run/key)" = first ]
	before=$(processes_of hello a)
	refused 2 "needs a secret 'key'; add --secret key=@FILE" reset a
	refused 2 "has no secret 'other'" reset a --secret "other=@$STINT_ROOT/first"
	[ "$(processes_of hello a)" = "$before" ]
	stint reset a --secret "key=@$STINT_ROOT/second"
	[ "$(stint exec a -- cat /run/key)" = second ]
}

@test "what cannot be reset is refused with the reason, and nothing happens to it" {
	refused 3 "no instance 'none'" reset none
	"$STINT" run web --name r -- sleep 60 3>&- >/dev/null 2>&1 &
	is_ready() { [ "$(state_of r 2>/dev/null)" = ready ]; }
	eventually 10 is_ready
	refused 5 "cannot reset 'r': a command waits for its end" reset r
	[ "$(state_of r)" = ready ]
	stint down r --now
	wait $! || true
	stint up web --name k --keep-failed 1m
	kill_process hello k
	is_kept() { [ "$(state_of k)" = kept ]; }
	eventually 10 is_kept
	refused 5 "'k' has ended and is kept" reset k
	stint down k
	timeout -s KILL 100 "$STINT_BUILD/foreign/bin/stint" up hello --name f
	run stint reset f
	echo "$output"
	[ "$status" -eq 5 ]
	[ "$(state_of f)" = ready ]
	get "$(url_of f)/" >/dev/null
	stint down f
	# its files are not what they were
	stint up web --name g
	mv "$I" "$I.away"
	refused 1 "cannot reset 'g'" reset g
	[ "$(state_of g)" = ready ]
	mv "$I.away" "$I"
	stint reset g
}

@test "a frozen one is reset, unless its time is over" {
	server "lease: {ttl: 10m, max: 2h, idle: 1s, on_expiry: freeze, frozen: 10m}"
	stint up web --name a
	dirty a || true
	is_frozen() { [ "$(state_of a)" = frozen ]; }
	eventually 10 is_frozen
	stint reset a
	[ "$(state_of a)" = ready ]
	is_pristine a
	stint down a --now
	stint up web --name a --ttl 1s
	eventually 10 is_frozen
	refused 5 "its time is over: give it more with 'stint extend' first" reset a
	[ "$(state_of a)" = frozen ]
	stint extend a +10m
	stint reset a
}

@test "two at once: one of them does it, and the other says why not" {
	local i ok said

	stint up web --name a
	for i in 1 2 3 4 5; do
		dirty a
		"$STINT" reset a >"$STINT_ROOT/one" 2>&1 3>&- &
		ok=0
		stint reset a >"$STINT_ROOT/two" 2>&1 && ok=$((ok + 1))
		wait $! && ok=$((ok + 1))
		cat "$STINT_ROOT/one" "$STINT_ROOT/two"
		[ "$ok" -ge 1 ]
		said=$(cat "$STINT_ROOT/one" "$STINT_ROOT/two" | grep -c "cannot reset 'a': " || true)
		[ $((ok + said)) -eq 2 ]
		is_pristine a
		get "$(url_of a)/" >/dev/null
	done
}

@test "an extension at the same time is not lost" {
	local i n=0

	stint up web --name a --ttl 5m
	left=$(stint show a --json | jq .left_seconds)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		"$STINT" reset a >/dev/null 2>&1 3>&- &
		sleep "0.00$((i % 5))$i"
		stint extend a +1m
		n=$((n + 60))
		wait $!
		stint extend a +1m
		n=$((n + 60))
	done
	now=$(stint show a --json | jq .left_seconds)
	[ "$(echo "$left $n $now" | awk '{ print ($3 > $1 + $2 - 60 && $3 <= $1 + $2) }')" = 1 ]
	# and its keeper knows: a lease that is cut to a second ends it
	stint reset a
	stint extend a --until "$(date -d '+2 seconds' +%Y-%m-%dT%H:%M:%S)"
	eventually 10 no_instances
	[ "$(reason_of a)" = expired ]
}

@test "an extension after the command has looked reaches the new keeper" {
	stint up web --name a --ttl 4s
	STINT_FAULT="reset: launch the keeper:stop" "$STINT" reset a >/dev/null 2>&1 3>&- &
	is_stopped() { [ "$(cut -d' ' -f3 "/proc/$!/stat")" = T ]; }
	eventually 5 is_stopped
	stint extend a +10m
	kill -CONT $!
	wait $!
	sleep 4.5
	[ "$(state_of a)" = ready ]
}

@test "its end comes at the time that it had" {
	stint up web --name a --ttl 3s
	stint reset a
	eventually 10 no_instances
	[ "$(reason_of a)" = expired ]
	stint up web --name b --ttl 2s
	touch "$I/slow"
	sleep 1.2
	run stint reset b
	[ "$status" -ne 0 ]
	[ "$(reason_of b)" = expired ]
	nothing_left
}

@test "a server that does not come up again ends as after a start, with its last words" {
	stint up web --name a
	touch "$I/broken"
	run stint reset a
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"| it is broken"*"'a' ended before it was ready: server exited with status 3"* ]]
	[ "$(reason_of a)" = "server exited with status 3" ]
	nothing_left
	rm "$I/broken"
	server "lease: {ttl: 10m}"
	sed -i 's/timeout: 5s/timeout: 500ms/' "$STINT_ROOT/etc/stint/templates/web.yaml"
	stint up web --name b
	touch "$I/slow"
	run stint reset b
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"'b' was not ready within 500ms: connection refused on port "*"; it was taken down"* ]]
	nothing_left
}

@test "its hook after the start runs again, the one before it does not" {
	printf '#!/bin/sh\necho "$1" >>"%s"\n' "$STINT_ROOT/hooks" >"$I/hook"
	chmod 755 "$I/hook" "$STINT_ROOT"
	: >"$STINT_ROOT/hooks"
	chmod 666 "$STINT_ROOT/hooks"
	server "hooks: {before_start: {command: [$I/hook, before], timeout: 5s}, after_ready: {command: [$I/hook, after], timeout: 5s}}"
	stint up web --name a
	stint reset a
	[ "$(tr '\n' ' ' <"$STINT_ROOT/hooks")" = "before after after " ]
}

@test "interrupted while it waits, it goes on and says so" {
	stint up web --name a
	dirty a
	touch "$I/slow"
	timeout --foreground -s INT 0.5 "$STINT" reset a >"$STINT_ROOT/out" 2>&1 3>&- || true
	cat "$STINT_ROOT/out"
	grep -q "interrupted; 'a' is reset and gets ready by itself" "$STINT_ROOT/out"
	is_ready() { [ "$(state_of a)" = ready ]; }
	eventually 10 is_ready
	is_pristine a
	# a command that was killed changes nothing in that either
	dirty a
	timeout --foreground -s KILL 0.5 "$STINT" reset a >/dev/null 2>&1 3>&- || true
	eventually 10 is_ready
	is_pristine a
	touch "$I/broken"
	timeout --foreground -s KILL 0.1 "$STINT" reset a >/dev/null 2>&1 3>&- || true
	eventually 10 no_instances
	nothing_left
}

@test "down in the midst of it wins" {
	local delay

	for delay in 0.001 0.005 0.01 0.015 0.02 0.03; do
		stint up web --name a >/dev/null
		"$STINT" reset a >/dev/null 2>&1 3>&- &
		sleep "$delay"
		stint down a
		wait $! || true
		[ "$(reason_of a)" = "stopped by root" ]
		nothing_left
	done
}
